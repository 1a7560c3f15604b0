"""How a question trains: tokens, sequence, batch, precision and optimizer."""

from __future__ import annotations

import math

import numpy as np

from ..formulas.activations import RECOMPUTE
from ..formulas.parameters import Transformer, active_parameters
from ..formulas.shapes import DIMENSIONS
from ..inputs.stacks import STACKS
from ..provenance import Origin
from ..records import Record
from . import batch
from .asked import Asked


def lower(asked: Asked) -> None:
    """Set tokens, sequence, batch and what the optimizer keeps."""
    if "seq" not in asked.draft.columns:
        asked.number("seq", "seq")
    asked.number("micro_batch", "micro_batch")
    _tokens(asked)
    _batch(asked)
    recompute = asked.word_or_default("recompute", "recompute")
    asked.draft.put("recompute", float(RECOMPUTE.index(recompute)), asked.draft.origins["recompute"])
    attention = asked.word_or_default("attention", "attention")
    asked.draft.put("unfused", float(attention == "unfused"), Origin("derived", f"attention is {attention}"))
    _optimizer(asked)
    _software(asked)
    batch.warn(asked)
    open_ = {"global_batch", "micro_batch", "recompute"} - asked.run.given().keys()
    asked.draft.free |= open_


def _batch(asked: Asked) -> None:
    if asked.run.global_batch is not None:
        asked.draft.put("global_batch", asked.run.global_batch, Origin("given", option="--global-batch"))
        return
    if asked.run.samples is not None or asked.run.method in ("lora", "qlora"):
        figure = asked.defaults.figures["tuning_batch"]
        asked.draft.put(
            "global_batch", figure.value, Origin("assumed", figure.where, figure, "--global-batch")
        )
        return
    tokens, origin = _batch_tokens(asked)
    sequences = max(float(np.round(tokens / asked.draft.columns.get("seq", math.nan))), 1.0)
    asked.draft.put("global_batch", sequences, origin)


def _batch_tokens(asked: Asked) -> tuple[float, Origin]:
    """Return the tokens of a step: as the model was trained on record, else what is usual at its compute."""
    name = asked.draft.words.get("model")
    if name and name in asked.presets.files("models"):
        published = asked.presets.load("models", name).figures.get("batch_tokens")
        if published:
            return published.value, Origin("assumed", published.where, published, "--global-batch")
    return _usual_batch(asked)


def _usual_batch(asked: Asked) -> tuple[float, Origin]:
    """Return the batch that is usual at the compute of the training; that of a training on record where none is."""
    known, growth = (asked.defaults.figures[name] for name in ("batch_tokens", "batch_growth"))
    columns = asked.draft.columns
    if not {"layers", "tokens"} <= columns.keys():  # what lacks is told as a fault of its own
        return known.value, Origin("assumed", known.where, known, "--global-batch")
    tokens = float(batch.usual_tokens(asked.defaults, columns))
    reason = (
        f"{tokens / 1e6:.3g} million tokens: batches grow with compute, to the power of {growth.value:g}, from the "
        f"{known.value / 1e6:.3g} million of LLaMA 65B"
    )
    return tokens, Origin("assumed", reason, growth, "--global-batch")


def _software(asked: Asked) -> None:
    """Set the stack as its code, and the year of its release, NaN where it is not known."""
    stack, reason = asked.stack
    asked.word("stack", stack, "stack", reason)
    asked.draft.put("stack", float(STACKS.index(stack)), asked.draft.origins["stack"])
    not_given = float("nan"), Origin("derived", "not given", option="--stack-year")
    asked.draft.put("stack_year", *(asked.stack_year or not_given))


def _record(asked: Asked) -> Record:
    """Return the optimizer named, or the house's choice; in 32 bit that choice keeps everything in 32 bit."""
    if asked.run.optimizer is None and asked.run.precision in ("fp32", "tf32"):
        record = asked.presets.load("optimizers", "adamw-fp32")
        asked.word(
            "optimizer", record.id, "optimizer", "training in 32 bit keeps weights and gradients in 32 bit"
        )
        return record
    return asked.chosen("optimizer", "optimizer")


def _optimizer(asked: Asked) -> None:
    record = _record(asked)
    for name in ("weights", "gradients", "master", "states", "factored", "low_rank", "rank", "fused"):
        figure = record.figures.get(name)
        origin = (
            Origin("preset", figure.where, figure) if figure else Origin("preset", f"{record.id} keeps none")
        )
        asked.draft.put(f"optimizer_{name}", record.value(name, 0.0), origin)
    outer = record.figures.get("states_outer") or record.figures.get("states")
    origin = Origin("preset", outer.where, outer) if outer else Origin("preset", f"{record.id} keeps none")
    asked.draft.put("optimizer_states_outer", outer.value if outer else 0.0, origin)
    for column, name in (("live", "live_parameters"), ("bucket", "reduce_bucket")):
        figure = asked.defaults.figures[name]
        asked.draft.put(column, figure.value, Origin("assumed", figure.where, figure))


def _tokens(asked: Asked) -> None:
    run, draft = asked.run, asked.draft
    if run.tokens is not None:
        draft.put("tokens", run.tokens, Origin("given", option="--tokens"))
    elif run.dataset_tokens is not None and run.epochs is not None:
        reason = f"{run.epochs:g} epochs of {run.dataset_tokens:g} tokens"
        draft.put("tokens", run.epochs * run.dataset_tokens, Origin("given", reason, option="--epochs"))
    elif run.samples is not None and run.epochs is not None and "seq" in draft.columns:
        seq = float(draft.columns["seq"])
        reason = (
            f"{run.epochs:g} epochs of {run.samples:,.0f} samples, each padded or packed to {seq:,.0f} tokens"
        )
        draft.put("tokens", run.epochs * run.samples * seq, Origin("given", reason, option="--samples"))
    else:
        _tokens_of_size(asked)


def _tokens_of_size(asked: Asked) -> None:
    """Set compute-optimal tokens, or as many a parameter as were asked for; only active parameters count."""
    draft, ratio = asked.draft, asked.run.tokens_per_param
    if "layers" not in draft.columns:
        return
    model = Transformer(**{name: draft.columns[name] for name in DIMENSIONS})
    figure = asked.defaults.figures["tokens_per_param"]
    active = active_parameters(model)
    if ratio is not None:
        draft.put(
            "tokens", active * ratio, Origin("given", f"{ratio:g} a parameter", option="--tokens-per-param")
        )
    else:
        draft.put("tokens", active * figure.value, Origin("assumed", figure.where, figure, "--tokens"))
