"""A file of a user's own measured steps, and the calibration that it teaches as a record that can be read back."""

from __future__ import annotations

import datetime
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from .case import Case
from .errors import EstimatorError
from .inputs.calibrations import FORMAT, KIND, fingerprint, write_calibration
from .inputs.stacks import STACKS
from .learn import NINETIETH, Floats, Learnt, learn, spreads_of
from .lower.step_time import CALIBRATION, GROUPED, SCATTER, SITE, conditions
from .own_rows import OwnRows, Step
from .presets import Presets
from .records import Record
from .tuples import NamedTuple
from .version import __version__

# So many rows are named one by one in a file.
_NAMED = 1000
# A multiplier whose deviation rows leave above this share of what it was before them is not worth recording.
_MOVED = 0.99
# Years of software this near to each other are one release.
_ONE_RELEASE = 0.5
# Rows by which a multiplier is judged need another that teaches it, and one more to tell that from luck.
JUDGED = 3


class Group(NamedTuple):
    """What steps alike in architecture and experts teach: their configurations, each with its rows."""

    levels: Mapping[str, str]
    configurations: Sequence[Sequence[Step]]
    learnt: Learnt
    scatter: float

    @property
    def steps(self) -> list[Step]:
        """Every row."""
        return [step for steps in self.configurations for step in steps]

    def named(self, level: str) -> list[str]:
        """Return what the rows say of a level, each once."""
        return sorted({step.levels[level] for step in self.steps})

    @property
    def recorded(self) -> dict[str, tuple[float, float, float]]:
        """The multipliers that the rows tell something of, each with the ends of its range."""
        deviations = self.learnt.deviations
        found = zip(self.learnt.names, self.learnt.fit.logs, deviations, self.learnt.spreads, strict=True)
        return {
            name: tuple(float(np.exp(log + away * deviation)) for away in (0.0, -NINETIETH, NINETIETH))
            for name, log, deviation, spread in found
            if deviation < _MOVED * spread
        }  # pyright: ignore[reportReturnType]


class Calibration(NamedTuple):
    """What a file teaches, and which of its rows taught nothing and why.

    ``told`` holds the first rows skipped with their reasons, ``unread`` says that the file goes on.
    """

    path: Path
    house: Record
    groups: Sequence[Group]
    rows: int
    skipped: Mapping[str, int]
    told: Sequence[tuple[str, str]]
    unread: bool

    @property
    def steps(self) -> list[Step]:
        """Every row that was learnt from."""
        return [step for group in self.groups for step in group.steps]

    def write(self) -> str:
        """Return the calibration as the text of a file."""
        figures = {key: figure for group in self.groups for key, figure in _figures(group)}
        return write_calibration(_words(self), figures)


def calibrate(path: Path, presets: Presets | None = None) -> Calibration:
    """Learn from a file of measured steps, whose columns are those of `estimate validate`.

    Raises
    ------
    EstimatorError
        The file is no CSV of measured steps, or none of its rows can be learnt from.
    """
    presets = presets or Presets()
    own = OwnRows(path, presets)
    steps = list(own.steps())
    if not steps:
        reasons = "; ".join(f"{count:,} x {reason}" for reason, count in own.skipped.most_common())
        raise EstimatorError(f"'{path}': none of its rows can be learnt from ({reasons})")
    house, half = (presets.load(*place) for place in _RECORDS)
    groups = [_group(alike, own.names, house, half.value("half")) for alike in _alike(steps)]
    return Calibration(path, house, groups, own.rows, own.skipped, own.told, own.unread)


_RECORDS = (("calibrations", CALIBRATION), ("assumptions", "own-steps"))


def _alike(steps: Sequence[Step]) -> list[list[Step]]:
    """Split steps by what own steps speak for, the largest part first."""
    found: defaultdict[tuple[str, ...], list[Step]] = defaultdict(list)
    for step in steps:
        found[tuple(step.levels[kind] for kind in GROUPED)].append(step)
    return sorted(found.values(), key=len, reverse=True)


def _group(steps: Sequence[Step], names: Sequence[str], house: Record, half: float) -> Group:
    """Learn from steps that are alike; repeats of one configuration count once."""
    levels = {kind: steps[0].levels[kind] for kind in GROUPED}
    configurations = _configurations(steps)
    columns = np.array([repeats[0].columns for repeats in configurations]).T
    throughput = np.exp(
        [np.mean(np.log([step.throughput for step in repeats])) for repeats in configurations]
    )
    noise = np.array([repeats[0].noise for repeats in configurations])
    known = {conditions(key)[1].get("accelerator") for key in house.figures}
    spreads = spreads_of(house, levels, chip_known=all(step.levels["accelerator"] in known for step in steps))
    learnt = learn(Case(dict(zip(names, columns, strict=True))), throughput, noise, spreads)
    return Group(levels, configurations, learnt, learnt.scatter(half))


def _configurations(steps: Sequence[Step]) -> list[list[Step]]:
    """Put together the rows whose columns are the same."""
    found: defaultdict[bytes, list[Step]] = defaultdict(list)
    for step in steps:
        found[step.columns.tobytes()].append(step)
    return list(found.values())


def errors(residuals: Floats) -> Floats:
    """Return predicted / measured - 1 of throughput from log(measured / predicted) of time.

    Examples
    --------
    >>> errors(np.log([1.25])).round(3).tolist()
    [0.25]
    """
    return np.exp(residuals) - 1.0


def _figures(group: Group) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield the figures of a group by key, as a file holds them."""
    where = "@".join(["", *(f"{kind}={group.levels[kind]}" for kind in GROUPED)])
    size = len(group.configurations)
    what = f"{size:,} configuration{'s' * (size != 1)}"
    for name, ends in group.recorded.items():
        yield name + where, _figure(ends, f"multiplier, {what}, drawn to 1")
    away = NINETIETH * group.learnt.left_open
    open_ = (1.0, float(np.exp(-away)), float(np.exp(away)))
    yield SITE + where, _figure(open_, f"what the multipliers leave open, {what}")
    alike = group.scatter, group.scatter, group.scatter
    yield SCATTER + where, _figure(alike, f"scatter about the model over the usual one, {what}, drawn to 1")


def _figure(ends: tuple[float, float, float], where: str) -> dict[str, Any]:
    value, low, high = (float(f"{end:.6g}") for end in ends)
    sides = {} if low == high else {"low": low, "high": high}
    return {"value": value, **sides, "source": "rows", "where": where, "kind": "measured"}


def _words(calibration: Calibration) -> dict[str, Any]:
    """Return what a file says beside its figures."""
    ids = [step.id for step in calibration.steps]
    return {
        "kind": KIND, "format": FORMAT, "version": __version__,
        "name": f"Own steps of {calibration.path.name}",
        "note": "Multipliers of recorded coefficients of the step time; see docs/how-to-calibrate.md",
        "date": datetime.date.today().isoformat(),
        "base": fingerprint(calibration.house),
        **_software(calibration.steps),
        "rows": ids[:_NAMED], "rows_in_all": len(ids),
        "sources": {"rows": {
            "title": f"Measured steps, {calibration.path.name}", "publisher": "the user", "version": f"{len(ids)} rows",
        }},
        "measured": [
            {**group.levels, **{f"{kind}s": group.named(kind) for kind in ("accelerator", "precision", "stack")},
             "configurations": len(group.configurations), "rows": len(group.steps)}
            for group in calibration.groups
        ],
    }  # fmt: skip


def _software(steps: Sequence[Step]) -> dict[str, Any]:
    """Return stack and year of the software where all rows share them: a question that is silent means the same."""
    stacks = Counter(step.levels["stack"] for step in steps)
    if len(stacks) > 1 or STACKS[0] in stacks:
        return {}
    years = np.array([step.year for step in steps])
    same = not np.isnan(years).any() and np.ptp(years) <= _ONE_RELEASE
    year = {"stack_year": round(float(np.median(years)), 2)} if same else {}
    return {"stack": next(iter(stacks)), **year}
