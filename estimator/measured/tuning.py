"""Fine-tuning as rows of peak memory tell of it: what such software does where a row's cells are silent."""

from __future__ import annotations

import re

import numpy as np

from ..inputs.stacks import STACKS, stack_of
from ..lower.memory import card_figures, stack_columns
from ..presets import Presets
from ..records import Record
from ..tuples import NamedTuple
from .columns import RowDraft
from .neutral import memory_columns, optimizer_columns
from .table import Mask, Table, distinct
from .training import sides

# Libraries on PyTorch's own modules, which run operation by operation; their stack is what they shard with.
_EAGER = re.compile(r"\bHF\b|hugging|\bPEFT\b|\bTRL\b|SWIFT|Factory|H2O", re.IGNORECASE)
_TUNES = ("lomo", "torchtune")
_ADAPTERS = re.compile(r"lora|adapter|awq|gptq|aqlm", re.IGNORECASE)
# Words of a source that prints what is allocated, without context and fragmentation.
_ALLOCATED = re.compile(r"memory (allocated|active)", re.IGNORECASE)


class Told(NamedTuple):
    """What the text of a row says of its software."""

    stack: str
    eager: bool
    tunes: bool
    adapters: bool


def put_tuning(draft: RowDraft, presets: Presets) -> None:
    """Set what fine-tuning software does: kernels, recomputation, sharding, what adapters keep."""
    table, rules = draft.table, presets.load("assumptions", "memory")
    names = ("method", "framework", "source", "optimizer")
    keys, which = distinct(*(table.text(name) for name in names))
    told = [_told(*key[:3]) for key in keys]
    each = [_software(rules, told[place], key) for place, key in enumerate(keys)]
    usual = memory_columns(draft, presets)
    for name in ("eager", "logit", "loss_workspace", "update_copies", "unfused", "live_layers"):
        own = np.array([columns.get(name, np.nan) for columns in each])[which]
        standing = draft.columns.get(name, usual.get(name, np.nan))
        draft.put(name, np.where(np.isnan(own), standing, own))
    tunes = np.array([row.tunes for row in told], dtype=bool)[which]
    adapters = np.array([row.adapters for row in told], dtype=bool)[which]
    _silent(draft, presets, tunes)
    plain = adapters | np.array([_in_16_bit(row, key) for row, key in zip(told, keys, strict=True)])[which]
    for name, value in optimizer_columns(presets.load("optimizers", "adamw-bf16")).items():
        draft.put(name, np.where(plain, value, draft.columns[name]))
    outer = [float("(emb)" in method) for (method, *_) in keys]
    draft.put("method_outer", np.array(outer)[which] * draft.columns["method_frozen"])


def put_card(draft: RowDraft, presets: Presets) -> None:
    """Set context, communicators and fragmentation; a row that prints what is allocated counts none of them."""
    allocated, tunes = prints_allocated(draft.table), fine_tunes(draft.table)
    tuning = card_figures(presets, tuning=True)
    for name, figure in card_figures(presets).items():
        none = allocated & (name != "activation_spread")
        both = sides(figure), sides(tuning[name])
        ends = {side: np.where(none, 0.0, np.where(tunes, both[1][side], both[0][side])) for side in both[0]}
        draft.put(name, ends["value"])
        draft.between(name, name, ends["low"], ends["high"])


def fine_tunes(table: Table) -> Mask:
    """Tell which rows are of fine-tuning, by their method and their software."""
    keys, which = distinct(*(table.text(name) for name in ("method", "framework", "source")))
    return np.array([_told(*key).tunes for key in keys], dtype=bool)[which]


def prints_allocated(table: Table) -> Mask:
    """Tell which rows print memory that is allocated: by their words, by their parts, or by their software."""
    said, notes = table.text("GB_or_GiB"), table.text("notes")
    parts = ~np.isnan(table.number("memory_params_gb"))
    tool = [stack_of(text) == "torchtune" for text in table.text("framework")]
    words = [
        bool(_ALLOCATED.search(one) or _ALLOCATED.search(two)) for one, two in zip(said, notes, strict=True)
    ]
    return np.array(words, dtype=bool) | parts | np.array(tool, dtype=bool)


def _told(method: str, framework: str, source: str) -> Told:
    stack = stack_of(framework or source)
    eager, adapters = bool(_EAGER.search(framework)), bool(_ADAPTERS.search(method))
    return Told(stack, eager, eager or adapters or stack in _TUNES, adapters)


def _software(rules: Record, told: Told, key: tuple[str, ...]) -> dict[str, float]:
    """Return the columns of a row's software where it is not what its stack alone tells."""
    if not (told.eager or told.stack in _TUNES):
        return {}
    # Fused attention came to LOMO's software after its paper.
    old = told.stack == "lomo"
    columns = stack_columns(rules, told.stack if told.stack in _TUNES else "", unfused=True)
    more = {"unfused": 1.0} if old else {}
    if told.eager:
        shards = told.stack == "deepspeed" and not told.adapters
        small = bool(re.search(r"galore|8-?bit", key[3], re.IGNORECASE))
        copies = rules.value("update_copies") if shards else rules.value("update_copies_16_bit")
        more["update_copies"] = 0.0 if small else copies
    return {**columns, **more}


def _in_16_bit(told: Told, key: tuple[str, ...]) -> bool:
    """Tell whether software without a sharding library trains all weights, gradients and states in 16 bit."""
    return told.eager and told.stack == STACKS[0] and key[3].lower().startswith("adam") and "8" not in key[3]


def _silent(draft: RowDraft, presets: Presets, tunes: Mask) -> None:
    """Set recomputation, sharding and length of fine-tuning rows that do not print them."""
    table, columns = draft.table, draft.columns
    blank = _blank(table, "activation_checkpointing") & tunes
    draft.replace("recompute", blank, 2.0)
    untold = _blank(table, "zero_stage") & tunes
    draft.replace("zero", untold & (columns["count"] > 1), 3.0)
    draft.replace("zero", untold & (columns["count"] == 1), 0.0)
    length = sides(presets.load("assumptions", "measured").figures["tuning_seq"])
    short = _blank(table, "seq_len") & tunes
    draft.replace("seq", short, length["value"])
    draft.note("seq", short)


def _blank(table: Table, name: str) -> Mask:
    return np.array([not text.strip() for text in table.text(name)], dtype=bool)
