"""Is a measured throughput normal: its place in the range and among like rows, and what would explain it."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from .alike import Alike, alike
from .answer import ask
from .errors import EstimatorError, QuestionError
from .estimate import Amount, Estimate
from .inputs import Run
from .learn import NINETIETH
from .presets import Presets
from .tuples import NamedTuple
from .units import parse, parse_count, shorten

_SPEED = "throughput_per_accelerator"
# What a measured throughput may be the throughput of, where it is not that of one accelerator, and the columns that
# it is multiplied and divided by to be one.
_MISTAKES: Mapping[str, tuple[str, str]] = {
    "tokens a second of the whole run": ("", "count"),
    "tokens a second of a node": ("", "per_node"),
    "sequences a second of one accelerator": ("seq", ""),
    "sequences a second of the whole run": ("seq", "count"),
    "sequences a second of a node": ("seq", "per_node"),
}
# Further off than this a unit is doubted, and one is believed that brings it nearer.
_DOUBTED = 3.0
# Between which ends what was measured is believed: tokens a second of one accelerator, and seconds of a step.
_SPEEDS, _TIMES = (1e-6, 1e12), (1e-6, 1e9)
# A part that takes less than this share of the step is not worth a word.
_WORTH = 0.002


class Culprit(NamedTuple):
    """A part of the step, and how many times as long it would have to take to explain what was measured.

    ``deviations`` says how unusual that would be, in standard deviations of how far such a part strays.
    """

    part: str
    time: float
    share: float
    times: float
    deviations: float


class Checked(NamedTuple):
    """A measured throughput beside what is predicted: tokens a second of one accelerator, and its ratio to them."""

    estimate: Estimate
    measured: float
    percentile: float
    alike: Alike
    culprits: Sequence[Culprit]
    warnings: Sequence[str]

    @property
    def predicted(self) -> Amount:
        """What is predicted, with its range."""
        return self.estimate.amount(_SPEED)

    @property
    def ratio(self) -> float:
        """Measured over predicted."""
        return self.measured / float(self.predicted.value)

    @property
    def place(self) -> str:
        """Where the measured value lies: below, inside or above the range."""
        if self.measured < float(self.predicted.low):
            return "below"
        return "above" if self.measured > float(self.predicted.high) else "inside"


def read_throughput(text: str) -> float:
    """Read tokens a second of one accelerator: a number, or one with its unit.

    Raises
    ------
    QuestionError
        It is no throughput, or one that makes no sense.

    Examples
    --------
    >>> read_throughput("3.2k"), read_throughput("3200 token/s/gpu")
    (3200.0, 3200.0)
    """
    how = "write tokens a second of one accelerator, like 3200"
    if "%" in text:
        raise QuestionError(
            [f"--tokens-per-second: {shorten(text)} is a share, and an MFU is no throughput; {how}"]
        )
    for reader in (parse_count, _per_accelerator, _plain):
        try:
            return _believed("--tokens-per-second", text, reader(text), _SPEEDS, how)
        except QuestionError:
            raise
        except EstimatorError:
            continue
    raise QuestionError([f"--tokens-per-second: {shorten(text)} is no throughput; {how}"])


def _believed(name: str, text: str, value: float, ends: tuple[float, float], how: str) -> float:
    """Return a measured value that makes sense; say what is wrong with any other."""
    least, most = ends
    if least <= value <= most:
        return value
    problem = (
        "is not a number" if math.isnan(value)
        else "is not more than zero" if value <= 0.0
        else f"is more than {most:g}, the most that makes sense here" if value > most
        else f"is less than {least:g}, the least that makes sense here"
    )  # fmt: skip
    raise QuestionError([f"{name}: {shorten(text)} {problem}; {how}"])


def _per_accelerator(text: str) -> float:
    return parse(text, "token/s/accelerator", "3200 token/s/gpu")


def _plain(text: str) -> float:
    return parse(text, "token/s", "3200 token/s")


def read_time(text: str) -> float:
    """Read the time of one step. [s]

    Raises
    ------
    QuestionError
        It is no time, or one that makes no sense.

    Examples
    --------
    >>> read_time("12 s"), read_time("250 ms")
    (12.0, 0.25)
    """
    try:
        value = parse(text, "s", "12 s")
    except EstimatorError as error:
        raise QuestionError([f"--step-time: {error}"]) from None
    return _believed("--step-time", text, value, _TIMES, "write it like '12 s'")


def check(
    run: Run,
    presets: Presets | None = None,
    *,
    tokens_per_second: str | None = None,
    step_time: str | None = None,
) -> Checked:
    """Tell whether a measured throughput is normal.

    Parameters
    ----------
    run
        What was run.
    presets
        The records; the house's where they are left out.
    tokens_per_second, step_time
        What was measured, one of the two: of one accelerator, or of a step whose batch and count the run gives.

    Raises
    ------
    QuestionError
        What is wrong with the question, or with what was measured.
    """
    speed, time = _measured(run, tokens_per_second, step_time)
    presets = presets or Presets()
    estimate = ask(run, presets)
    columns = estimate.case.columns
    if time:
        speed = float(columns["global_batch"] * columns["seq"] / columns["count"]) / time
    predicted = estimate.amount(_SPEED)
    if not math.isfinite(float(predicted.value)):
        raise QuestionError(["the throughput of this run is not known, so there is nothing to check against"])
    like = alike(estimate, speed / float(predicted.value), presets)
    spreads = presets.load("assumptions", "own-steps")
    found = culprits(estimate, speed, {name: figure.value for name, figure in spreads.figures.items()})
    return Checked(estimate, speed, percentile(predicted, speed), like, found, _warnings(estimate, speed))


def _measured(run: Run, tokens_per_second: str | None, step_time: str | None) -> tuple[float, float]:
    """Return the throughput or the step time that was given, the other as 0."""
    if (tokens_per_second is None) == (step_time is None):
        problem = "nothing was measured" if step_time is None else "two things were measured"
        raise QuestionError([f"{problem}: give --tokens-per-second (of one accelerator) or --step-time"])
    if run.mfu is not None:
        raise QuestionError(["--mfu says how fast the run is, and that is what is checked; leave it out"])
    if step_time is None:
        return read_throughput(str(tokens_per_second)), 0.0
    faults: list[str] = []
    if run.global_batch is None:
        faults.append("--step-time says nothing without its sequences; give --global-batch too")
    if run.count is None and run.nodes is None:
        faults.append("--step-time says nothing without its accelerators; give --count or --nodes too")
    if faults:
        raise QuestionError(faults)
    return 0.0, read_time(step_time)


def percentile(predicted: Amount, measured: float) -> float:
    """Return the share of runs that would be slower, were they two halves of a log-normal through the ends.

    Examples
    --------
    >>> import numpy as np
    >>> amount = Amount("x", "1", *map(np.float64, (100.0, 80.0, 120.0)), {})
    >>> [round(percentile(amount, each), 2) for each in (80.0, 100.0, 120.0)]
    [0.1, 0.5, 0.9]
    """
    away = math.log(measured / float(predicted.value))
    end = float(predicted.high if away > 0.0 else predicted.low)
    width = abs(math.log(end / float(predicted.value)))
    if width == 0.0 or away == 0.0:
        return 0.5 if away == 0.0 else float(away > 0.0)
    return 0.5 * (1.0 + math.erf(NINETIETH * away / width / math.sqrt(2.0)))


def culprits(estimate: Estimate, measured: float, spreads: Mapping[str, float]) -> list[Culprit]:
    """Return the parts that would explain a throughput alone, the least unusual first; one that cannot is left out."""
    total = float(estimate.amount("step_time").value)
    ratio = float(estimate.amount(_SPEED).value) / measured
    parts = [(name, float(time)) for name, time in estimate.amount("step_time").parts.items()]
    found = (
        Culprit(name, time, time / total, times, _deviations(times, spreads.get(name, spreads["other"])))
        for name, time in parts
        if time > _WORTH * total and (times := 1.0 + (ratio - 1.0) * total / time) > 0.0
    )
    return sorted(found, key=lambda each: each.deviations)


def _deviations(times: float, spread: float) -> float:
    return abs(math.log(times)) / spread


def _warnings(estimate: Estimate, measured: float) -> list[str]:
    """Say where a measured throughput is likely to be in another unit, or is more than the peak."""
    columns = {name: float(estimate.case.columns[name]) for name in ("count", "per_node", "seq")}
    predicted = float(estimate.amount(_SPEED).value)
    found = []
    if abs(math.log(measured / predicted)) > math.log(_DOUBTED):
        found = [
            (what, measured * columns.get(times, 1.0) / columns.get(over, 1.0))
            for what, (times, over) in _MISTAKES.items()
            if columns.get(times, 1.0) != columns.get(over, 1.0)
        ]
    likely = min(found, key=lambda pair: abs(math.log(pair[1] / predicted)), default=("", math.inf))
    if abs(math.log(likely[1] / predicted)) < math.log(_DOUBTED):
        return [
            f"{_written(measured)} token/s of one accelerator is {measured / predicted:.3g} times what is predicted; "
            f"are these {likely[0]}? Then one accelerator reaches {_written(likely[1])}: give --tokens-per-second "
            f"{likely[1]:.6g}"
        ]
    share = measured / predicted * float(estimate.amount("mfu").value)
    return (
        [f"{_written(measured)} token/s of one accelerator would be {share:.3g} times its peak"]
        if share > 1.0
        else []
    )


def _written(speed: float) -> str:
    return f"{speed:,.0f}" if speed >= 100.0 else f"{speed:.3g}"
