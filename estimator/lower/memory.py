"""What a question says of memory: method, adapters, offloading, and what training software takes of a card."""

from __future__ import annotations

import math
from collections.abc import Mapping

from ..errors import EstimatorError
from ..formulas.memory_states import OFFLOADS, Method
from ..inputs.stacks import STACKS
from ..presets import Presets
from ..provenance import Figure, Origin
from ..records import Record
from .asked import Asked
from .links import host_columns

# Fitted figures whose range is that of the answer.
RANGED = ("fragmentation", "activation_spread")
METHODS = ("full", "lora", "qlora")
# Columns of a stack that are not its own figures: without a bound, and without a copy.
_UNBOUND = {"live_layers": math.inf, "update_copies": 0.0, "eager": 0.0}


def lower(asked: Asked) -> None:
    """Set the columns of the method and of the card's software."""
    rules = asked.presets.load("assumptions", "memory")
    _method(asked, rules)
    stack = asked.stack[0] if asked.stack[0] != STACKS[0] else ""
    origin = Origin("derived", f"the {stack} stack" if stack else "a stack not named", option="--stack")
    for name, value in stack_columns(
        rules, stack, unfused=bool(asked.draft.columns.get("unfused", 0.0) > 0)
    ).items():
        asked.draft.put(name, value, origin)
    _fitted(asked)
    _gradients(asked, rules, stack)
    _host(asked)


def stack_columns(rules: Record, stack: str, *, unfused: bool) -> dict[str, float]:
    """Return what a stack takes of a card, by column; software not named that writes scores runs eagerly."""
    listed: Mapping[str, list[str]] = rules.words
    eager = stack in listed["eager"] or (unfused and not stack)
    own = dict(_UNBOUND)
    if stack in listed["by_layer"]:
        own["live_layers"] = rules.value("live_layers")
    if stack in listed["copies"]:
        own["update_copies"] = rules.value("update_copies")
    kept, loss = rules.value("logit"), rules.value("loss_workspace_eager" if eager else "loss_workspace")
    chunks = rules.value("loss_chunks") if stack in listed["chunked"] else 1.0
    return {**own, "eager": float(eager), "logit": kept / chunks, "loss_workspace": loss / chunks}


def method_columns(rules: Record, method: str) -> dict[str, float]:
    """Return bytes of frozen parameters of a method, by column; nothing is frozen in full training."""
    if method == "full":
        return {f"method_{name}": 0.0 for name in Method._fields if name != "offload"}
    packed = method == "qlora"
    return {
        "method_frozen": 1.0,
        "method_rank": rules.value("rank"),
        "method_outer": 0.0,
        "method_base": rules.value("quantised" if packed else "frozen"),
        "method_base_outer": rules.value("quantised_outer" if packed else "frozen"),
    }


def card_figures(presets: Presets, *, tuning: bool = False) -> dict[str, Figure]:
    """Return the figures of a card that hold for every stack, by column; fine-tuning strays further from theory."""
    fitted = dict(presets.load("calibrations", "memory").figures)
    if tuning:
        fitted["activation_spread"] = fitted["activation_spread_tuning"]
    least = presets.load("assumptions", "memory").figures["least_fragmentation"]
    names = ("device_context", "communicator", "fragmentation", "activation_spread")
    return {**{name: fitted[name] for name in names}, "least_fragmentation": least}


def gradient_bytes(rules: Record, stack: str, precision: str, zero: float, usual: float) -> float:
    """Return bytes that a parameter's gradient takes, where a stack sums 16-bit ones in 32 bit. [byte]

    Stacks of ``sums`` have the sum in place of the gradient, those of ``sums_beside`` next to it.
    """
    listed: Mapping[str, list[str]] = rules.words
    if usual != rules.value("frozen") or precision in ("fp16", "fp32", "tf32"):
        return usual
    if stack in listed["sums"]:
        return rules.value("gradient_sum")
    beside = stack in listed["sums_beside"] and zero == 1.0
    return usual + rules.value("gradient_sum") if beside else usual


def _method(asked: Asked, rules: Record) -> None:
    draft = asked.draft
    method = _word(asked, "method", METHODS[0])
    for name, value in method_columns(rules, method).items():
        draft.put(name, value, Origin("derived", f"method is {method}", option="--method"))
    if method != "full":
        _rank(asked, rules)
    elif asked.run.rank is not None:
        raise EstimatorError("--rank: full training has no adapters; add --method lora or --method qlora")
    place = _word(asked, "offload", OFFLOADS[0])
    draft.put("method_offload", float(OFFLOADS.index(place)), draft.origins["offload"])


def _host(asked: Asked) -> None:
    """Set the columns of the server behind the cards; what is uncertain in them counts where it is used."""
    draft = asked.draft
    if "accelerator" not in draft.words:
        return
    used = float(draft.columns["method_offload"]) > 0.0
    accelerator = asked.presets.load("accelerators", draft.words["accelerator"])
    if used and "node" in draft.words:
        figure = asked.presets.load("nodes", draft.words["node"]).figures.get("host_memory")
        if figure:
            draft.put("host_memory", figure.value, Origin("preset", figure.where, figure))
    for name, column in host_columns(asked.presets, accelerator).items():
        origin = (
            column.origin if used else Origin("derived", "nothing stands on the host", column.origin.figure)
        )
        draft.put(name, column.value, origin)
        if used and column.low < column.high:
            draft.unknown(name, column.low, column.high)


def _word(asked: Asked, name: str, usual: str) -> str:
    """Set a word from its input; what is usual is not listed as an assumption."""
    given: str | None = getattr(asked.run, name)
    origin = Origin("given" if given else "derived", "" if given else "not asked", option=f"--{name}")
    asked.draft.words[name], asked.draft.origins[name] = given or usual, origin
    return given or usual


def _rank(asked: Asked, rules: Record) -> None:
    figure, rank = rules.figures["rank"], asked.run.rank
    origin = Origin("given", option="--rank") if rank else Origin("assumed", figure.where, figure, "--rank")
    asked.draft.put("method_rank", rank or figure.value, origin)


def _fitted(asked: Asked) -> None:
    """Set what was fitted; how far fragmentation and activations stray are unknowns."""
    tuning = bool(asked.draft.columns["eager"] > 0 or asked.draft.columns["method_frozen"] > 0)
    for name, figure in card_figures(asked.presets, tuning=tuning).items():
        asked.draft.put(name, figure.value, Origin("preset", figure.where, figure))
        if name in RANGED and figure.low is not None and figure.high is not None:
            asked.draft.unknown(name, figure.low, figure.high)


def _gradients(asked: Asked, rules: Record, stack: str) -> None:
    """Set the bytes of a gradient where the stack sums gradients in 32 bit."""
    columns, precision = asked.draft.columns, asked.draft.words.get("precision", "")
    if {"optimizer_gradients", "optimizer_master", "zero"} <= columns.keys() and columns[
        "optimizer_master"
    ] > 0:
        usual = float(columns["optimizer_gradients"])
        found = gradient_bytes(rules, stack, precision, float(columns["zero"]), usual)
        if found != usual:
            figure = rules.figures["gradient_sum"]
            origin = Origin("preset", figure.where, figure, "--stack")
            asked.draft.put("optimizer_gradients", found, origin)
