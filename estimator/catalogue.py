"""What is on record: the kinds, the records of one, and the dated rows of prices and rates."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from .errors import AmbiguousPreset, EstimatorError, UnknownPreset, near_misses
from .inputs.table import PLANS
from .presets import Presets, read_rows, singular
from .records import Record, Row
from .tuples import NamedTuple

# Kinds of one record a file, each with a line on what it is.
RECORD_KINDS: Mapping[str, str] = {
    "accelerators": "chips: memory, dense peaks, links, power",
    "families": "names that may mean several chips, such as a100, and the chip taken",
    "nodes": "servers and cloud instances: accelerators, network cards, power",
    "links": "links inside and between nodes: bandwidth, latency",
    "optimizers": "bytes that each keeps for a parameter",
    "models": "dimensions, published counts and training tokens",
    "grids": "carbon intensity of countries and cloud regions",
    "pue": "power usage effectiveness of operators",
    "failures": "fleets: interruptions, checkpoints, restarts, goodput as published",
    "platforms": "platforms that state a scaling efficiency",
    "claims": "statements of press articles (see: estimate claims)",
    "evidence": "what better sources say of the claims, as figures",
    "runs": "training runs as published",
    "assumptions": "what is assumed where a question is silent",
    "calibrations": "efficiency learnt from measured rows",
}
# Kinds that are rows of tables, each with a line on what it is.
TABLE_KINDS: Mapping[str, str] = {
    "prices": "dated offers of rented accelerators",
    "purchases": "dated prices of bought accelerators",
    "exchange-rates": "currency for a US dollar, mean of a year",
    "tariffs": "price of electricity by place and year",
    "pay": "what people cost their employer, by country and year",
    "measurements": "measured throughput, memory, scaling, links and failures",
}
KINDS: Mapping[str, str] = {**RECORD_KINDS, **TABLE_KINDS}
_SINGLE_TABLES = {
    "purchases": "prices/purchase", "exchange-rates": "prices/exchange-rates", "tariffs": "prices/electricity",
    "pay": "prices/pay",
}  # fmt: skip
_TABLE_FOLDERS = {"prices": "prices/rent", "measurements": "measurements"}
# The column that says what a row is about, where the file's name does not.
_SUBJECT = {"purchases": "accelerator", "exchange-rates": "currency", "tariffs": "place", "pay": "place"}
_YEAR_COLUMN = {"exchange-rates": "year", "tariffs": "first_year", "pay": "first_year"}


def kind_of(word: str) -> str:
    """Return the kind that a word names, in the singular too.

    Raises
    ------
    EstimatorError
        No such kind; the near miss, or all kinds, are named.

    Examples
    --------
    >>> kind_of("accelerator"), kind_of("Family"), kind_of("exchange-rates")
    ('accelerators', 'families', 'exchange-rates')
    """
    names = {singular(kind): kind for kind in KINDS} | {kind: kind for kind in KINDS}
    found = names.get(word.strip().lower())
    if found is None:
        hint = near_misses(word, list(KINDS)) or f"; choose {', '.join(KINDS)}"
        raise EstimatorError(f"there is no kind of preset '{word}'{hint}")
    return found


def counts(presets: Presets) -> dict[str, int]:
    """Return how many records or rows there are of each kind."""
    records = {kind: len(presets.files(kind)) for kind in RECORD_KINDS}
    return records | {kind: sum(map(len, tables(presets, kind).values())) for kind in TABLE_KINDS}


def matching(records: Iterable[Record], word: str) -> list[Record]:
    """Return the records with a word in their id, name or aliases, in any case; all without a word."""
    lower = word.strip().lower()
    return [record for record in records if any(lower in name.lower() for name in _names(record))]


def _names(record: Record) -> list[str]:
    return [record.id, record.name, *map(str, record.words.get("aliases", ()))]


def search(presets: Presets, word: str, kinds: Iterable[str] = tuple(RECORD_KINDS)) -> list[Record]:
    """Return the records of some kinds that carry a word in their id, name or aliases.

    Raises
    ------
    EstimatorError
        None does.
    """
    found = [record for kind in kinds for record in matching(presets.all(kind), word)]
    if not found:
        raise EstimatorError(f"--search: nothing on record has '{word}' in its id, name or aliases")
    return found


class Entry(NamedTuple):
    """One record as asked for, and the family that the name stands for if it is one."""

    record: Record
    family: Record | None = None


def entry(presets: Presets, kind: str, name: str) -> Entry:
    """Return the record that a name leads to; a family of accelerators with the member taken.

    Raises
    ------
    UnknownPreset
        Nothing carries the name; the near misses are offered.
    """
    try:
        record, reason = presets.find(kind, name)
    except AmbiguousPreset:
        # A family without a default is a tie: there is no member to show with it.
        return Entry(presets.find("families", name).record)
    return Entry(record, presets.find("families", name).record if reason else None)


def tables(presets: Presets, kind: str) -> dict[str, list[Row]]:
    """Return the rows of a kind by what they are about: accelerators, currencies, tables of measurements."""
    if kind in _TABLE_FOLDERS:
        folder = _TABLE_FOLDERS[kind]
        names = sorted(presets.files(folder, ".csv"))
        return {name: read_rows(presets, f"{folder}/{name}") for name in names}
    about: dict[str, list[Row]] = {}
    for row in read_rows(presets, _SINGLE_TABLES[kind]):
        about.setdefault(row.cells.get(_SUBJECT[kind]) or "", []).append(row)
    return dict(sorted(about.items()))


class Filter(NamedTuple):
    """Which rows are wanted; an empty plan or year lets all through."""

    plan: str = ""
    year: int | None = None

    def keeps(self, kind: str, row: Row) -> bool:
        """Tell whether a row is wanted."""
        date = row.cells.get(_YEAR_COLUMN.get(kind, "as_of")) or ""
        return (not self.plan or row.cells.get("plan") in PLANS[self.plan]) and (
            self.year is None or date.startswith(str(self.year))
        )

    def words(self) -> str:
        """Return the options that were given."""
        given = (("--plan", self.plan), ("--year", self.year))
        return " and ".join(f"{option} {value}" for option, value in given if value)

    def check(self, kind: str) -> None:
        """Refuse a plan that does not exist, and a filter on a kind that has nothing to filter by."""
        if self.plan and self.plan not in PLANS:
            raise EstimatorError(f"--plan: '{self.plan}' is not known; choose {', '.join(PLANS)}")
        if self.plan and kind != "prices":
            raise EstimatorError(
                "--plan: only prices have a plan; ask for: estimate presets prices --plan spot"
            )
        if self.year is not None and kind not in ("prices", *_SINGLE_TABLES):
            raise EstimatorError("--year: only prices, purchases, exchange-rates, tariffs and pay are dated")


def rows(presets: Presets, kind: str, name: str, wanted: Filter) -> dict[str, list[Row]]:
    """Return the wanted rows about one name; a family name stands for all its members.

    Raises
    ------
    EstimatorError
        Nothing is recorded under the name, or nothing of it is wanted.
    """
    known = tables(presets, kind)
    subjects = _subjects(presets, kind, name, known)
    about = {subject: known[subject] for subject in subjects if subject in known}
    if not about:
        raise EstimatorError(
            f"there are no {kind} of '{subjects[0]}' on record{_elsewhere(presets, subjects, known)}"
        )
    return _kept(about, kind, wanted)


def kept(presets: Presets, kind: str, word: str, wanted: Filter) -> dict[str, list[Row]]:
    """Return the wanted rows of a kind by what they are about; with a word only where the name holds it.

    Raises
    ------
    EstimatorError
        None is wanted.
    """
    about = {
        name: rows for name, rows in tables(presets, kind).items() if word.strip().lower() in name.lower()
    }
    if not about:
        raise EstimatorError(f"--search: no {kind} on record are about '{word}'")
    return _kept(about, kind, wanted)


def _kept(about: Mapping[str, list[Row]], kind: str, wanted: Filter) -> dict[str, list[Row]]:
    found = {name: [row for row in rows if wanted.keeps(kind, row)] for name, rows in about.items()}
    found = {name: rows for name, rows in found.items() if rows}
    if not found:
        raise EstimatorError(f"no {kind} on record are left by {wanted.words()}; leave it out")
    return found


def _subjects(presets: Presets, kind: str, name: str, known: Mapping[str, object]) -> Sequence[str]:
    """Return what a name stands for among the rows of a kind."""
    lower = name.strip().lower()
    exact = next((subject for subject in known if subject.lower() == lower), None)
    if kind not in ("prices", "purchases"):
        if exact is None:
            hint = near_misses(name, list(known)) or f"; choose {', '.join(known)}"
            raise UnknownPreset(f"there are no {kind} of '{name}'{hint}")
        return [exact]
    try:
        found = entry(presets, "accelerators", name)
    except UnknownPreset:
        if exact is None:
            raise
        return [exact]
    family = found.family or (found.record if found.record.kind == "families" else None)
    return [family.id, *family.words["members"]] if family else [found.record.id]


def _elsewhere(presets: Presets, subjects: Sequence[str], known: Mapping[str, object]) -> str:
    family = next(
        (str(presets.load("accelerators", name).words.get("family", "")) for name in subjects[-1:]), ""
    )
    return f"; its family has some: {family}" if family in known else ""
