"""A user's own folder of presets, checked whole: every record, every row, every name of another record."""

from __future__ import annotations

import csv
import math
import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, cast

from .catalogue import RECORD_KINDS
from .errors import EstimatorError, PresetError, near_misses
from .inputs.table import PLANS
from .presets import Presets, alias_index, read_rows, singular
from .records import Record, read_record
from .tuples import NamedTuple
from .units import CURRENCIES

_ID = re.compile(r"[a-z0-9.-]+")
_CLAIM_ID = re.compile(r"[A-Za-z0-9.-]+")
_TABLE_FOLDERS = ("prices", "intensities", "measurements")
_STRANGE = {".yaml", ".yml", ".json"}
# Words of a record that name another record: the word, and the kind it names.
_REFERENCES = {
    "nodes": (("accelerator", "accelerators"),),
    "accelerators": (("default_node", "nodes"),),
    "families": (("members", "accelerators"), ("default", "accelerators")),
}


class Checked(NamedTuple):
    """What a folder holds by kind, and everything that is wrong with it."""

    counts: Mapping[str, int]
    faults: tuple[str, ...]


def check(folder: Path) -> Checked:
    """Read every record and every row of a user's folder.

    Raises
    ------
    PresetError
        The folder does not exist.
    """
    if not folder.is_dir():
        raise PresetError(f"'{folder}' is not a folder; name one that holds accelerators/, models/ ...")
    presets = Presets((folder,))
    faults = list(_misplaced(folder))
    counts: dict[str, int] = {}
    for kind in RECORD_KINDS:
        files = sorted((folder / kind).glob("*.toml"))
        counts[kind] = len(files)
        for path in files:
            faults += _record_faults(presets, kind, path)
    for path in sorted(path for place in _TABLE_FOLDERS for path in (folder / place).rglob("*.csv")):
        count, wrong = _table_faults(presets, folder, path)
        kind = path.relative_to(folder).parts[0]
        counts[kind] = counts.get(kind, 0) + count
        faults += wrong
    return Checked({kind: count for kind, count in counts.items() if count}, tuple(faults))


def _misplaced(folder: Path) -> Iterator[str]:
    """Yield the files and folders that would never be read."""
    known = [*RECORD_KINDS, *_TABLE_FOLDERS]
    for path in sorted(folder.iterdir()):
        if path.is_dir() and path.name not in known and not path.name.startswith("."):
            hint = near_misses(path.name, known) or f"; choose {', '.join(known)}"
            yield f"{path}: no kind of preset is called '{path.name}'{hint}"
        elif path.suffix in (".toml", ".csv"):
            yield f"{path}: is never read here; move it into the folder of its kind, like accelerators/"
    for path in sorted(path for kind in RECORD_KINDS for path in (folder / kind).glob("*")):
        if path.suffix.lower() in _STRANGE or (path.suffix != ".toml" and path.suffix.lower() == ".toml"):
            yield f"{path}: is never read; a record is a file that ends in .toml"


def _record_faults(presets: Presets, kind: str, path: Path) -> list[str]:
    pattern = _CLAIM_ID if kind == "claims" else _ID
    faults: list[str] = []
    if not pattern.fullmatch(path.stem):
        faults.append(f"{path}: '{path.stem}' is not an id: lower-case letters, digits, '.' and '-' alone")
    try:
        record = read_record(kind, path)
        return [*faults, *_alias_faults(record), *_reference_faults(presets, record)]
    except EstimatorError as error:
        return [*faults, str(error)]
    except (TypeError, ValueError) as error:  # a value of a type that no record holds
        return [*faults, f"{path}: {error}"]


def _alias_faults(record: Record) -> Iterator[str]:
    """Yield a fault where aliases are written so that no search finds them."""
    given: Any = record.words.get("aliases", [])
    found = alias_index({record.id: record.path})
    # What is no list at all is lost as a whole.
    names = cast("list[Any]", given) if isinstance(given, list) else [given]
    lost = [name for name in names if not isinstance(given, list) or str(name).lower() not in found]
    if lost:
        yield (
            f"{record.path}: the alias '{lost[0]}' is never found; write all on one line near the top, "
            'like aliases = ["one", "two"]'
        )


def _reference_faults(presets: Presets, record: Record) -> Iterator[str]:
    """Yield a fault for each name of another record that leads nowhere."""
    for word, kind in _REFERENCES.get(record.kind, ()):
        given: Any = record.words.get(word, [])
        names = cast("list[Any]", given) if isinstance(given, list) else [given]
        known = presets.files(kind)
        for name in names:
            if str(name) not in known:
                hint = near_misses(str(name), list(known))
                yield f"{record.path}: {word}: no {singular(kind)} has the id '{name}'{hint}"


def _table_faults(presets: Presets, folder: Path, path: Path) -> tuple[int, list[str]]:
    """Return how many rows a table has, and what is wrong with them."""
    table = path.relative_to(folder).with_suffix("").as_posix()
    try:
        rows = read_rows(presets, table)
        own = rows[: len(rows) - len(read_rows(Presets(), table))]
    except EstimatorError as error:
        return 0, [str(error)]
    except (csv.Error, TypeError, ValueError) as error:
        return 0, [f"{path}: {error}"]
    faults = _rent_name_faults(presets, path) if table.startswith("prices/rent/") else []
    look = next((check for start, check in _ROW_CHECKS.items() if table.startswith(start)), None)
    for line, row in enumerate(own, start=2):
        problem = look(row.cells) if look else ""
        faults += [f"{path}, line {line}: {problem}"] if problem else []
    return len(own), faults


def _rent_name_faults(presets: Presets, path: Path) -> list[str]:
    # Ours hold a table of chips without a record too, which a search by people finds.
    if path.stem in Presets().files("prices/rent", ".csv"):
        return []
    chips = [*presets.files("accelerators"), *presets.files("families")]
    if path.stem in chips:
        return []
    hint = near_misses(path.stem, chips)
    return [
        f"{path}: no accelerator or family has the id '{path.stem}', so these offers are never used{hint}"
    ]


def _rent_problem(cells: Mapping[str, str]) -> str:
    currency, _, rest = (cells.get("unit") or "").partition("/")
    if currency not in CURRENCIES or rest != "accelerator/hour":
        return f"the unit is '{cells.get('unit') or ''}'; write it like USD/accelerator/hour"
    if cells.get("plan") not in PLANS:
        return f"the plan is '{cells.get('plan') or ''}'; choose {', '.join(PLANS)}"
    if not re.match(r"(19|20)\d\d", cells.get("as_of") or ""):
        return f"the date as_of is '{cells.get('as_of') or ''}'; write it like 2026-11-21, 2026-11 or 2026"
    missing = [name for name in ("provider", "statistic") if cells.get(name) is None]
    return f"the column '{missing[0]}' is missing" if missing else _number_problem(cells, "price")


def _purchase_problem(cells: Mapping[str, str]) -> str:
    return (
        "the column 'accelerator' is empty"
        if not cells.get("accelerator")
        else _number_problem(cells, "price")
    )


def _rate_problem(cells: Mapping[str, str]) -> str:
    if cells.get("currency") not in CURRENCIES:
        return f"the currency is '{cells.get('currency') or ''}'; choose {', '.join(CURRENCIES)}"
    return _number_problem(cells, "year") or _number_problem(cells, "per_usd")


def _intensity_problem(cells: Mapping[str, str]) -> str:
    if not cells.get("grid"):
        return "the column 'grid' is empty"
    if cells.get("unit") != "g/kWh":
        return f"the unit is '{cells.get('unit') or ''}'; write it like g/kWh"
    # A grid of water and wind alone may have none.
    columns = ("first_year", "last_year", *["carbon_intensity"] * (cells.get("carbon_intensity") != "0"))
    return next(filter(None, (_number_problem(cells, column) for column in columns)), "")


def _pue_problem(cells: Mapping[str, str]) -> str:
    return _dated_problem(cells, "pue")


def _tariff_problem(cells: Mapping[str, str]) -> str:
    return _dated_problem(cells, "price", "kWh")


def _pay_problem(cells: Mapping[str, str]) -> str:
    return _dated_problem(cells, "pay", "year")


def _dated_problem(cells: Mapping[str, str], column: str, per: str = "") -> str:
    """Say what is wrong with a row about a place in some years: money per something where ``per`` is named."""
    if not cells.get("place"):
        return "the column 'place' is empty"
    currency, _, rest = (cells.get("unit") or "").partition("/")
    if per and (currency not in CURRENCIES or rest != per):
        return f"the unit is '{cells.get('unit') or ''}'; write it like USD/{per}"
    columns = ("first_year", "last_year", column)
    return next(filter(None, (_number_problem(cells, name) for name in columns)), "")


def _number_problem(cells: Mapping[str, str], column: str) -> str:
    text = cells.get(column) or ""
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    return (
        "" if math.isfinite(number) and number > 0 else f"the {column} is '{text}'; write a number, like 2.5"
    )


_ROW_CHECKS: Mapping[str, Callable[[Mapping[str, str]], str]] = {
    "prices/rent/": _rent_problem,
    "prices/purchase": _purchase_problem,
    "prices/exchange-rates": _rate_problem,
    "prices/electricity": _tariff_problem,
    "prices/pay": _pay_problem,
    "intensities/grids": _intensity_problem,
    "intensities/pue": _pue_problem,
}
