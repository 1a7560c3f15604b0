"""Serving as far as bounds go: whether a model fits, the least time of a pass and a token, cards for a demand."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from . import ranges
from .arrays import Array, array
from .case import Case, Unknown
from .formulas import serving, serving_memory
from .formulas.parameters import Transformer, active_parameters, total_parameters
from .formulas.serving import Replica
from .formulas.serving_memory import Elements
from .inputs.serving import ServingQuestion
from .lower import lower
from .presets import Presets
from .provenance import Figure, Origin, Source
from .records import Record
from .totals import peak_at

BOUND = (
    "bounds, not a model of serving: every pass at peak and full bandwidth, no exchange between cards, no waiting, no "
    "scheduling; real deployments are slower and need more"
)
# Bytes of an element; weights of 4 bits are multiplied at the rate of the 16-bit ones that they are turned into.
_BYTES = {"fp64": 8.0, "fp32": 4.0, "tf32": 4.0, "fp16": 2.0, "bf16": 2.0, "fp8": 1.0, "mxfp8": 1.0, "int8": 1.0,
          "fp4": 0.5, "nvfp4": 0.5, "int4": 0.5}  # fmt: skip
_SIXTEEN = ("bf16", "fp16", "fp32")
_DAY = 86400.0
# Every quantity of the answer and its unit, in the order of the table.
UNITS: Mapping[str, str] = {
    "parameters": "1", "active_parameters": "1", "weights": "byte", "cache": "byte", "memory": "byte",
    "fewest_accelerators": "accelerator", "flops_per_token": "FLOP", "flops_short": "FLOP", "parity": "token",
    "prefill_time": "s", "token_time": "s", "token_rate": "token/s", "batch": "1", "batch_time": "s",
    "batch_rate": "token/s", "rate_per_accelerator": "token/s", "accelerators": "accelerator",
}  # fmt: skip
_WHOLE = {"fewest_accelerators", "accelerators"}


@dataclass(frozen=True)
class Serving:
    """The bounds of a question in house units, each with its range; NaN where a question leaves one out.

    Attributes of the names in `UNITS` are reached by ``serving["token_time"]``.
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
    case = lower(question.run, records)
    record = records.load("accelerators", case.words["accelerator"])
    precision, peak = _precision(question, record)
    case = _as_published(question, _with_peak(case, peak), records)
    settled, assumed = _settled(question, case, precision)
    points = _points(case, settled)
    values = {name: float(value[0]) for name, value in points.items()}
    ends = {
        name: ranges.around(value, whole=name in _WHOLE)
        if math.isfinite(values[name])
        else (math.nan, math.nan)
        for name, value in points.items()
    }
    low, high = ({name: float(pair[side]) for name, pair in ends.items()} for side in (0, 1))
    figures = [
        peak,
        *(record.figures[each] for each in ("memory", "memory_bandwidth") if each in record.figures),
    ]
    sources = tuple(dict.fromkeys(figure.source for figure in figures))
    notes = _notes(values, settled, record)
    return Serving(question, record, precision, peak, values, low, high, settled, assumed, notes, sources)


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
    model, elements = _model(case.columns), Elements(array(settled["weight"]), array(settled["cached"]))
    weights = serving_memory.weights_size(model, elements)
    cache = serving_memory.cache_size(model, array(settled["context"]), elements)
    room = case.columns["memory_usable"]
    if not math.isfinite(float(room)):
        assumed["count"] = "memory is not on record: one accelerator"
        return 1.0
    assumed["count"] = "the fewest whose memory holds the weights and one sequence"
    return float(serving_memory.fewest_that_hold(room, weights, cache))


def _model(columns: Mapping[str, Array]) -> Transformer:
    return Transformer(**{name: columns[name] for name in Transformer._fields})


def _points(case: Case, settled: Mapping[str, float]) -> dict[str, Any]:
    """Return every bound on an axis of 2 k + 1 points: the case itself, then each unknown's ends."""
    spread = ranges.spread(case)
    found = bounds(spread.columns, {name: array(value) for name, value in settled.items()})
    return ranges.points({name: value * np.ones(1) for name, value in found.items()}, case)


def bounds(columns: Mapping[str, Array], settled: Mapping[str, Array]) -> dict[str, Array]:
    """Return every bound in `UNITS` from the columns of a case and what was settled, whatever their shape."""
    model, count = _model(columns), settled["count"]
    elements = Elements(settled["weight"], settled["cached"])
    replica = Replica(count * columns["peak"], count * columns["memory_bandwidth"])
    context, one = settled["context"], array(1.0)
    weights, cache = (
        serving_memory.weights_size(model, elements),
        serving_memory.cache_size(model, context, elements),
    )
    room = count * columns["memory_usable"]
    held = np.maximum(serving_memory.sequences_held(room, weights, cache), 1.0)
    batch = np.where(np.isnan(settled["batch"]), held, settled["batch"])
    single = serving.decoding_time(model, context, one, elements, replica)
    together = serving.decoding_time(model, context, batch, elements, replica)
    prefill = serving.prefill_time(model, settled["prompt"], columns["causal"], elements, replica)
    answered = settled["answer"] * together / batch
    return {
        "parameters": total_parameters(model).total, "active_parameters": active_parameters(model),
        "weights": weights, "cache": cache, "memory": room,
        "fewest_accelerators": serving_memory.fewest_that_hold(columns["memory_usable"], weights, cache),
        "flops_per_token": serving.forward_flops(model, context).total,
        "flops_short": serving.short_forward_flops(active_parameters(model), one),
        "parity": serving.served_at_parity(columns["tokens"]),
        "prefill_time": np.where(settled["prompt"] > 0, prefill, np.nan),
        "token_time": single, "token_rate": 1.0 / single,
        "batch": batch, "batch_time": together, "batch_rate": batch / together,
        "rate_per_accelerator": batch / together / count,
        "accelerators": serving.accelerators_for_demand(
            settled["requests"], prefill, answered, count, settled["load"]
        ),
    }  # fmt: skip


def _notes(values: Mapping[str, float], settled: Mapping[str, float], record: Record) -> tuple[str, ...]:
    notes = [BOUND]
    room, needed = values["memory"], values["weights"] + values["cache"]
    if math.isnan(room):
        notes.append(f"{record.id} has no memory on record: whether the model fits is not known")
    elif needed > room:
        notes.append("weights and one sequence do not fit: the times are those of cards with enough memory")
    return tuple(notes)
