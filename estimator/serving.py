"""Serving as far as bounds go: whether a model fits, the least time of a pass and a token, cards for a demand."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from . import ranges
from .arrays import Array, array
from .case import Case, Unknown
from .formulas import serving_memory
from .formulas.serving_memory import Elements
from .inputs.serving import ServingQuestion
from .lower import lower
from .presets import Presets
from .provenance import Figure, Origin, Source
from .ranges import Values
from .records import Record
from .serving_bounds import WHOLE, bounds, model_of
from .totals import peak_at
from .tuples import NamedTuple

BOUND = (
    "bounds, not a model of serving: every pass at peak and full bandwidth, no exchange between cards, no waiting, no "
    "scheduling; real deployments are slower and need more"
)
# Bytes of an element; weights of 4 bits are multiplied at the rate of the 16-bit ones that they are turned into.
_BYTES = {"fp64": 8.0, "fp32": 4.0, "tf32": 4.0, "fp16": 2.0, "bf16": 2.0, "fp8": 1.0, "mxfp8": 1.0, "int8": 1.0,
          "fp4": 0.5, "nvfp4": 0.5, "int4": 0.5}  # fmt: skip
_SIXTEEN = ("bf16", "fp16", "fp32")
_DAY = 86400.0


@dataclass(frozen=True)
class Serving:
    """The bounds of a question in house units, each with its range; NaN where a question leaves one out.

    Attributes of the names in `serving_bounds.UNITS` are reached by ``serving["token_time"]``.
    """

    question: ServingQuestion
    accelerator: Record
    precision: str
    peak: Figure
    values: Mapping[str, float]
    low: Mapping[str, float]
    high: Mapping[str, float]
    settled: Mapping[str, float]
    assumed: Mapping[str, str] = field(default_factory=dict[str, str])
    notes: tuple[str, ...] = ()
    sources: tuple[Source, ...] = ()

    def __getitem__(self, name: str) -> float:
        """Return a bound by its name."""
        return self.values[name]

    @property
    def fits(self) -> bool | None:
        """Whether the memories hold weights and one sequence; None where memory is not on record."""
        room = self.values["memory"]
        return None if math.isnan(room) else self.values["weights"] + self.values["cache"] <= room

    @property
    def bound_by(self) -> str:
        """What decides the time of a single sequence's token: memory or computing."""
        compute = self.values["flops_per_token"] / (self.settled["count"] * self.peak.value)
        return "memory" if self.values["token_time"] > compute * (1.0 + 1e-9) else "computing"


class Bound(NamedTuple):
    """One bound with its ends, in house units."""

    value: float
    low: float
    high: float


class _Cards(NamedTuple):
    """The model and the accelerators of a question, and the peak of the precision that is served."""

    case: Case
    record: Record
    precision: str
    peak: Figure


def ask_serving(question: ServingQuestion, presets: Presets | None = None) -> Serving:
    """Return the bounds on serving a model.

    Raises
    ------
    EstimatorError
        The accelerator has no peak at the precision; the question lacks something.

    Examples
    --------
    LLaMA-65B in 16 bit needs two 80 GB cards, on which a token of one sequence takes 32 ms or more:

    >>> found = ask_serving(ServingQuestion.read({"model": "llama-65b", "on": "a100-sxm-80gb", "context": 1024}))
    >>> found["fewest_accelerators"], round(found["token_time"], 3)
    (2.0, 0.033)
    """
    records = presets or Presets()
    cards = _cards(question, records)
    settled, assumed = _settled(question, cards.case, cards.precision)
    points = _points(cards.case, {name: array(value) for name, value in settled.items()})
    values = {name: float(value[0]) for name, value in points.items()}
    ends = {name: _ends(name, value) for name, value in points.items()}
    low, high = ({name: float(pair[side]) for name, pair in ends.items()} for side in (0, 1))
    _, record, precision, peak = cards
    figures = [
        peak,
        *(record.figures[each] for each in ("memory", "memory_bandwidth") if each in record.figures),
    ]
    sources = tuple(dict.fromkeys(figure.source for figure in figures))
    notes = _notes(values, settled, record)
    return Serving(question, record, precision, peak, values, low, high, settled, assumed, notes, sources)


def ask_bound(questions: Sequence[ServingQuestion], name: str, presets: Presets) -> list[Bound]:
    """Return one bound of several questions; those about the same model on the same cards are evaluated together.

    Examples
    --------
    >>> asked = [ServingQuestion.read({"params": "7B", "context": length}) for length in (1024, 2048)]
    >>> short, long = ask_bound(asked, "token_time", Presets())
    >>> short.value < long.value, short.value == ask_serving(asked[0])["token_time"]
    (True, True)
    """
    alike: dict[str, list[int]] = {}
    for place, question in enumerate(questions):
        alike.setdefault(repr((question.run, question.precision)), []).append(place)
    found: dict[int, Bound] = {}
    for places in alike.values():
        cards = _cards(questions[places[0]], presets)
        settled = [_settled(questions[place], cards.case, cards.precision)[0] for place in places]
        columns = {key: np.array([[each[key]] for each in settled]) for key in settled[0]}
        points = np.broadcast_to(
            _points(cards.case, columns)[name], (len(places), 2 * len(cards.case.unknowns) + 1)
        )
        rows = np.stack([points[:, 0], *map(np.asarray, _ends(name, points))], axis=-1).tolist()
        found |= {place: Bound(*row) for place, row in zip(places, rows, strict=True)}
    return [found[place] for place in range(len(questions))]


def _ends(name: str, points: Values) -> tuple[Array, Array]:
    """Return both ends of a bound on a last axis of points; NaN where the bound itself is no number."""
    low, high = ranges.around(points, whole=name in WHOLE)
    known = np.isfinite(points[..., 0])
    return np.where(known, low, math.nan), np.where(known, high, math.nan)


def _cards(question: ServingQuestion, records: Presets) -> _Cards:
    """Lower the model and the accelerators of a question."""
    case = lower(question.run, records)
    record = records.load("accelerators", case.words["accelerator"])
    precision, peak = _precision(question, record)
    return _Cards(_as_published(question, _with_peak(case, peak), records), record, precision, peak)


def _precision(question: ServingQuestion, record: Record) -> tuple[str, Figure]:
    """Return the precision of the weights and the dense peak at which they are multiplied."""
    sixteen = next((name for name in _SIXTEEN if f"peak_{name}" in record.figures), "fp32")
    precision = question.precision or sixteen
    return precision, peak_at("--precision", record, sixteen if precision == "int4" else precision)


def _with_peak(case: Case, peak: Figure) -> Case:
    """Put the peak of the served precision in, with its range, and leave out what serving does not depend on."""
    low, high = (peak.value if end is None else end for end in (peak.low, peak.high))
    kept = [each for each in case.unknowns if each.name in ("shape", "memory_bandwidth", "memory_usable")]
    if low < high:
        kept.append(Unknown("peak", {"peak": array(low)}, {"peak": array(high)}))
    columns = {**case.columns, "peak": array(peak.value)}
    return Case(columns, case.origins, tuple(kept), case.words, case.notes, case.free)


def _as_published(question: ServingQuestion, case: Case, records: Presets) -> Case:
    """Put in the tokens on which a recorded model was trained, where the question says no others."""
    model = question.run.model
    figure = records.find("models", model).record.figures.get("training_tokens") if model else None
    if figure is None or question.run.tokens is not None:
        return case
    origins = {
        **case.origins,
        "tokens": Origin("preset", f"{figure.where} ({figure.source.publisher})", figure),
    }
    return replace(case.with_columns({"tokens": array(figure.value)}), origins=origins)


def _settled(
    question: ServingQuestion, case: Case, precision: str
) -> tuple[dict[str, float], dict[str, str]]:
    """Return what the question says, and what stands for what it leaves out with the reason."""
    assumed: dict[str, str] = {}

    def _taken(name: str, value: float | None, other: float, reason: str) -> float:
        if value is None:
            assumed[name] = reason
        return other if value is None else value

    weight = _BYTES[precision]
    cache = _BYTES[question.cache_precision] if question.cache_precision else max(2.0, min(weight, 4.0))
    if question.cache_precision is None:
        assumed["cache_precision"] = f"keys and values in {cache * 8:g} bit"
    prompt, answer = question.prompt or 0.0, question.answer or 1.0
    seq = float(case.columns["seq"])
    held = prompt + answer / 2.0 if question.answer or question.prompt else seq
    reason = (
        "prompt and half the answer" if question.answer or question.prompt else "the model's training length"
    )
    settled = {
        "weight": weight, "cached": cache, "prompt": prompt, "answer": answer,
        "context": _taken("context", question.context, held, reason),
        "load": _taken("load", question.load, 1.0, "the bound itself: always busy, at its best"),
        "requests": _requests(question, answer),
    }  # fmt: skip
    if not math.isnan(settled["requests"]) and question.prompt is None:
        assumed["prompt"] = "none is counted: reading prompts takes no time here"
    if "tokens" not in question.run.given():
        trained = float(case.columns["tokens"])
        size = f"{trained / 1e12:.3g} trillion" if trained >= 1e12 else f"{trained / 1e9:.3g} billion"
        assumed["tokens"] = f"trained on {size}: {case.origins['tokens'].reason}"
    settled["count"] = _count(question, case, settled, assumed)
    settled["batch"] = question.batch or math.nan
    if question.batch is None:
        assumed["batch"] = "the most sequences that memory holds beside the weights"
    return settled, assumed


def _requests(question: ServingQuestion, answer: float) -> float:
    """Return the requests a second of the demand; NaN where none is given."""
    if question.visits_per_day is not None:
        return question.visits_per_day / _DAY
    return math.nan if question.tokens_per_day is None else question.tokens_per_day / answer / _DAY


def _count(
    question: ServingQuestion, case: Case, settled: Mapping[str, float], assumed: dict[str, str]
) -> float:
    """Return the accelerators of a replica: those given, or the fewest whose memory holds it."""
    if question.run.count is not None:
        return question.run.count
    model, elements = model_of(case.columns), Elements(array(settled["weight"]), array(settled["cached"]))
    weights = serving_memory.weights_size(model, elements)
    cache = serving_memory.cache_size(model, array(settled["context"]), elements)
    room = case.columns["memory_usable"]
    if not math.isfinite(float(room)):
        assumed["count"] = "memory is not on record: one accelerator"
        return 1.0
    assumed["count"] = "the fewest whose memory holds the weights and one sequence"
    return float(serving_memory.fewest_that_hold(room, weights, cache))


def _points(case: Case, settled: Mapping[str, Array]) -> dict[str, Values]:
    """Return every bound on an axis of 2 k + 1 points: the case itself, then each unknown's ends."""
    spread = ranges.spread(case)
    found = bounds(spread.columns, settled)
    return ranges.points({name: value * np.ones(1) for name, value in found.items()}, case)


def _notes(values: Mapping[str, float], settled: Mapping[str, float], record: Record) -> tuple[str, ...]:
    notes = [BOUND]
    room, needed = values["memory"], values["weights"] + values["cache"]
    if math.isnan(room):
        notes.append(f"{record.id} has no memory on record: whether the model fits is not known")
    elif needed > room:
        notes.append("weights and one sequence do not fit: the times are those of cards with enough memory")
    return tuple(notes)
