"""The dimensions of the models that rows name or print, and of those that print only a size."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from functools import lru_cache

import numpy as np

from .. import units
from ..arrays import array
from ..errors import EstimatorError
from ..formulas import shapes
from ..formulas.parameters import Transformer
from ..lower.model import shape_of
from ..presets import Presets
from ..provenance import Figure
from ..records import Record
from ..tuples import NamedTuple
from .columns import RowDraft
from .names import model_named, record_of
from .table import Fault, Floats, Table, distinct

Dimensions = dict[str, float]
# The cells of a row that say which model it trained.
CELLS = (
    "model", "params", "n_layers", "hidden", "n_heads", "n_kv_heads", "ffn_hidden", "glu", "vocab", "n_experts",
    "experts_per_token",
)  # fmt: skip
# Those of them that are plain numbers.
NUMBERS = tuple(name for name in CELLS if name not in ("model", "params", "glu"))
_SIZE_IN_NAME = re.compile(r"(?<![a-z0-9.])(\d+(?:\.\d+)?)\s?([bmt])(?![a-z0-9])", re.IGNORECASE)
_POWERS = {"m": 1e6, "b": 1e9, "t": 1e12}
_HEAD = "head_dim"
# Dimensions without which there is no model; all others have a value where nothing is said of them.
_NEEDED = ("layers", "hidden", "heads", "vocab")


class Found(NamedTuple):
    """A model: its dimensions with the ends of what was assumed, or the size that is all that is known of it."""

    dimensions: Dimensions
    ends: Mapping[str, tuple[Dimensions, Dimensions]]
    size: float = math.nan
    factor: float = math.nan
    seq: float = math.nan
    batch: float = math.nan
    causal: float = 1.0
    fault: Fault | None = None


def put_models(draft: RowDraft, presets: Presets) -> None:
    """Set the columns of the transformer; rows whose model is not known have a fault."""
    table = draft.table
    for name in NUMBERS:
        table.number(name)
    keys, which = distinct(*(table.text(name) for name in CELLS))
    rule = _rule(presets)
    models = [_found(presets, key) for key in keys]
    for place, index in enumerate(map(int, which)):
        if fault := models[index].fault:
            table.fault(place, fault)
    for name, values in rule.columns(models).items():
        draft.put(name, values[which])
    for unknown, (low, high) in rule.ends(models).items():
        for name in low:
            draft.between(unknown, name, low[name][which], high[name][which])
        draft.note(unknown, np.array([unknown in found.ends for found in models])[which])
    draft.put("model_seq", np.array([found.seq for found in models])[which])
    draft.put("model_batch", np.array([found.batch for found in models])[which])
    draft.put("causal", np.array([found.causal for found in models])[which])
    draft.note("shape", np.array([not math.isnan(found.size) for found in models])[which])


def model_of(rows: Sequence[Mapping[str, str]], presets: Presets | None = None) -> Transformer:
    """Return the dimensions of every row as arrays: of the recorded model that it names, else of its own cells.

    The cells know nothing of latent attention, shared experts, dense first layers or windows.
    """
    named = rows if presets else [{**row, "model": ""} for row in rows]
    draft = RowDraft(Table.of(named))
    put_models(draft, presets or Presets())
    return Transformer(**{name: draft.columns[name] for name in shapes.DIMENSIONS})


@lru_cache(maxsize=16)
def _rule(presets: Presets) -> Rule:
    return Rule(presets)


@lru_cache(maxsize=1 << 14)
def _found(presets: Presets, key: Sequence[str]) -> Found:
    return _rule(presets).model(dict(zip(CELLS, key, strict=True)))


class Rule:
    """What a model is taken to be where its row does not say."""

    def __init__(self, presets: Presets) -> None:
        """Read the records that the rule rests on."""
        self.presets = presets
        self.shape = presets.load("assumptions", "shape")
        self.usual = presets.load("assumptions", "measured")

    def model(self, cells: Mapping[str, str]) -> Found:
        """Return the model of one row."""
        numbers = {name: _number(cells[name]) for name in NUMBERS}
        record = self._record(cells["model"], numbers) if cells["model"] else None
        known = _recorded(record, numbers) if record else None
        seq, batch = (record.value(name) if record else math.nan for name in ("seq", "batch_tokens"))
        causal = record.value("causal", 1.0) if record else 1.0
        if known:
            return Found(known, {}, seq=seq, batch=batch, causal=causal)
        if numbers["n_layers"] > 0 and numbers["hidden"] > 0:
            return self._printed(cells, numbers)._replace(seq=seq, batch=batch, causal=causal)
        size = _size(cells, record)
        if math.isnan(size):
            return Found(
                {}, {}, fault=Fault("no model size", "give a recorded model, params, or n_layers and hidden")
            )
        return Found({}, {}, size, self._factor(size, numbers), seq, batch, causal)

    def _record(self, name: str, numbers: Mapping[str, float]) -> Record | None:
        """Return the record that a name leads to; where depth and width are printed, by exactly that name."""
        printed = numbers["n_layers"] > 0 and numbers["hidden"] > 0
        return record_of(self.presets, "models", name) if printed else model_named(self.presets, name)

    def _factor(self, size: float, numbers: Mapping[str, float]) -> float:
        """Return how much wider than the rule's a model is of which width or depth is printed; NaN where neither is."""
        usual = shape_of(self.shape, array(size), 1.0)
        if numbers["hidden"] > 0:
            return numbers["hidden"] / float(usual["hidden"])
        return (
            math.sqrt(float(usual["layers"]) / numbers["n_layers"]) if numbers["n_layers"] > 0 else math.nan
        )

    def _printed(self, cells: Mapping[str, str], numbers: Mapping[str, float]) -> Found:
        """Return the dimensions that a row prints, blanks completed by what is usual."""
        ends: dict[str, tuple[Dimensions, Dimensions]] = {}
        hidden, layers = numbers["hidden"], numbers["n_layers"]
        heads = self._or_usual(ends, "heads", numbers["n_heads"], self._heads(hidden))
        gated = self._gated(ends, cells, numbers)
        ratio = self.usual.figures["gated_ratio" if gated else "plain_ratio"]
        width = self._or_usual(ends, "ffn", numbers["ffn_hidden"], _times(ratio, hidden))
        vocab = self._or_usual(ends, "vocab", numbers["vocab"], _times(self.shape.figures["vocab"], 1.0))
        fewest = min(heads, self.usual.value("shared_kv_heads"))
        kv_heads = self._or_usual(ends, "kv_heads", numbers["n_kv_heads"], (heads, fewest, heads))
        dimensions = {
            "layers": layers, "hidden": hidden, "heads": heads, "kv_heads": kv_heads, "ffn": width,
            "gated": gated, "vocab": vocab,
        }  # fmt: skip
        experts, chosen = numbers["n_experts"], numbers["experts_per_token"]
        if chosen > max(experts, 1.0):
            detail = f"{chosen:g} of {experts:g}"
            return Found({}, {}, fault=Fault("a token passes more experts than there are", detail))
        if experts > 1:
            dimensions |= {
                "ffn": 0.0, "experts": experts, "expert_ffn": width, "moe_layers": layers,
                "experts_per_token": 1.0 if math.isnan(chosen) else chosen,
            }  # fmt: skip
            ends = {name: tuple(_as_expert(end) for end in pair) for name, pair in ends.items()}  # pyright: ignore[reportAssignmentType]
        return Found(dimensions, ends)

    def _heads(self, hidden: float) -> tuple[float, float, float]:
        wide = self.shape.figures[_HEAD]
        low, high = wide.low or wide.value, wide.high or wide.value
        return tuple(max(1.0, hidden / each) for each in (wide.value, high, low))  # pyright: ignore[reportReturnType]

    def _gated(
        self,
        ends: dict[str, tuple[Dimensions, Dimensions]],
        cells: Mapping[str, str],
        numbers: Mapping[str, float],
    ) -> float:
        """Tell whether the feed-forward block is gated; unprinted, a block four times as wide is not."""
        if cells["glu"]:
            return float(cells["glu"].strip().lower() in ("true", "1", "yes"))
        wide = numbers["ffn_hidden"] / numbers["hidden"] >= self.usual.value("plain_ratio")
        gated = float(not wide and not math.isnan(numbers["ffn_hidden"]))
        ends["gated"] = ({"gated": gated}, {"gated": gated})
        return gated

    @staticmethod
    def _or_usual(
        ends: dict[str, tuple[Dimensions, Dimensions]],
        name: str,
        value: float,
        usual: tuple[float, float, float],
    ) -> float:
        """Return what is printed, else what is usual, whose ends are kept."""
        if value > 0:
            return value
        ends[name] = ({name: usual[1]}, {name: usual[2]})
        return usual[0]

    def columns(self, models: Sequence[Found]) -> dict[str, Floats]:
        """Return every dimension of the models as arrays; ones where a model is not known."""
        given = {
            name: np.array([found.dimensions.get(name, math.nan) for found in models])
            for name in shapes.DIMENSIONS
        }
        needed = {name: np.where(np.isnan(given[name]), 1.0, given[name]) for name in _NEEDED}
        wide = np.where(np.isnan(given[_HEAD]), needed["hidden"] / needed["heads"], given[_HEAD])
        usual = _by_name(shapes.transformer(**needed, head_dim=wide))
        columns = {name: np.where(np.isnan(values), usual[name], values) for name, values in given.items()}
        for name, values in self._sized(models, 1.0).items():
            columns[name] = np.where(np.isnan(values), columns[name], values)
        return columns

    def _sized(self, models: Sequence[Found], factor: float) -> dict[str, Floats]:
        """Return the usual shape of the models of which the size is known, NaN elsewhere."""
        size = np.array([found.size for found in models])
        if np.all(np.isnan(size)):
            return {}
        given = np.array([found.factor for found in models])
        shape = shape_of(self.shape, size, np.where(np.isnan(given), factor, given))
        return {name: values + 0.0 * size for name, values in _by_name(shapes.transformer(**shape)).items()}

    def ends(self, models: Sequence[Found]) -> dict[str, tuple[dict[str, Floats], dict[str, Floats]]]:
        """Return the ends of what was assumed, NaN where a model prints it, by unknown and column."""
        names = sorted({name for found in models for name in found.ends})
        ends = {name: (_end(models, name, 0), _end(models, name, 1)) for name in names}
        spread = self.shape.figures["hidden_spread"]
        low, high = (self._sized(models, end or 1.0) for end in (spread.low, spread.high))
        return {**ends, "shape": (low, high)} if low else ends


def _by_name(model: Transformer) -> dict[str, Floats]:
    return {name: np.asarray(value) for name, value in zip(shapes.DIMENSIONS, model, strict=True)}


def _end(models: Sequence[Found], name: str, side: int) -> dict[str, Floats]:
    columns = sorted({column for found in models for column in found.ends.get(name, ({}, {}))[side]})
    return {
        column: np.array([found.ends.get(name, ({}, {}))[side].get(column, math.nan) for found in models])
        for column in columns
    }


def _as_expert(end: Dimensions) -> Dimensions:
    """Say of the width of an expert what was said of the dense block that it replaces."""
    return {"expert_ffn" if name == "ffn" else name: value for name, value in end.items()}


def _times(figure: Figure, factor: float) -> tuple[float, float, float]:
    low, high = (figure.value if end is None else end for end in (figure.low, figure.high))
    return figure.value * factor, low * factor, high * factor


def _number(cell: str) -> float:
    try:
        return float(cell)
    except ValueError:
        return math.nan


def _recorded(record: Record, numbers: Mapping[str, float]) -> Dimensions | None:
    """Return the dimensions on record, if depth and width are the row's where it prints them."""
    if "layers" not in record.figures:
        return None
    pairs = ((record.value("layers"), numbers["n_layers"]), (record.value("hidden"), numbers["hidden"]))
    if any(not math.isnan(printed) and printed != ours for ours, printed in pairs):
        return None
    return {name: record.value(name) for name in shapes.DIMENSIONS if name in record.figures}


def _size(cells: Mapping[str, str], record: Record | None) -> float:
    """Return the parameters of a model: as printed, on record, or in its name."""
    if cells["params"]:
        try:
            size = units.parse_count(cells["params"])
        except EstimatorError:
            return math.nan
        return size if 1e3 <= size <= 1e16 else math.nan
    if record and record.value("parameters") > 0:
        return record.value("parameters")
    named = _SIZE_IN_NAME.search(cells["model"].replace("-", " ").replace("_", " "))
    return float(named[1]) * _POWERS[named[2].lower()] if named else math.nan
