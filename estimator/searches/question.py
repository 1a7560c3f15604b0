"""A question lowered for a search: each layout taken at its word, as one that is named is."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from ..arrays import Array, array
from ..case import Case
from ..errors import QuestionError
from ..formulas.activations import RECOMPUTE
from ..formulas.job import Host
from ..formulas.memory_states import OFFLOADS
from ..inputs import Run
from ..lower import lower
from ..lower.layout import described
from ..plan import planned
from ..presets import Presets
from ..provenance import Origin
from .space import PARTS

# Columns that follow from whether a layout is named, and those of a host that only matters where it is used.
_NAMED = ("fit_slowness", "host_memory")
# How a part of a layout is called among the inputs of a question.
INPUTS = {"method_offload": "offload"}


def lowered(run: Run, presets: Presets) -> Case:
    """Return a question with what it leaves open of the layout in ``free``, for layouts that are named.

    The batch is one and the same for all: as given, else that of the planned layout.

    Raises
    ------
    QuestionError
        What is wrong with the question, or every part of the layout is given already.
    """
    free = frozenset(name for name in PARTS if getattr(run, INPUTS.get(name, name)) is None)
    faults = _contradictions(run, free)
    if faults:
        raise QuestionError(faults)
    plain = _plain(run, presets)
    columns = {"global_batch": planned(plain).columns["global_batch"]} if "global_batch" in plain.free else {}
    named = lower(Run.read(_as_named(run), presets), presets)
    columns |= {name: named.columns[name] for name in _NAMED if name in named.columns}
    return replace(
        plain,
        columns={**{name: value for name, value in plain.columns.items() if name != "practice"}, **columns},
        origins={**plain.origins, **{name: named.origins[name] for name in _NAMED if name in named.columns}},
        unknowns=named.unknowns,
        free=free,
    )


def _contradictions(run: Run, free: frozenset[str]) -> list[str]:
    """Tell what leaves nothing to search, or cannot be searched."""
    if not free:
        return ["every part of the layout is given and there is none to search; leave out --tp or another"]
    if run.shard == "node" and "tp" in free:
        return ["--shard: 'node' is another number for each --tp; give --tp too, or a number of ranks"]
    return []


def _plain(run: Run, presets: Presets) -> Case:
    """Lower the question; what is only illegal beside the usual of a part left open is put in afterwards."""
    try:
        return lower(run, presets)
    except QuestionError:
        later = {name for name in ("global_batch", "vpp") if name == "global_batch" or run.pp is None}
        given = {name: value for name, value in run.write().items() if name not in later}
        found = lower(Run.read(given, presets), presets)
        columns = {name: array(getattr(run, name)) for name in later if getattr(run, name) is not None}
        return replace(found.with_columns(columns), free=found.free - columns.keys())


def _as_named(run: Run) -> dict[str, str | float]:
    """Return the question with a layout that breaks no rule, so that it is taken at its word.

    The batch is left out, and so are the chunks of a pipeline that is open.
    """
    given = run.write()
    given.pop("global_batch", None)
    if run.pp is None:
        given.pop("vpp", None)
    return {"tp": 1.0, "pp": 1.0, "offload": OFFLOADS[-1], **given}


def laid_out(case: Case, layout: dict[str, Array], reason: str) -> Case:
    """Return the question with one layout, as if it were given, and the words that tell it."""
    filled = replace(case.with_columns(layout), free=frozenset())
    columns = filled.columns
    told = Origin("derived", reason)
    words = {
        **case.words,
        "sharding": described(columns),
        "recompute": RECOMPUTE[int(columns["recompute"])],
        "offload": OFFLOADS[int(columns["method_offload"])],
    }
    unknowns = filled.unknowns
    if not np.any(np.asarray(columns["method_offload"]) > 0):
        unknowns = tuple(each for each in unknowns if not each.low.keys() & set(Host._fields))
    origins = {**case.origins, **dict.fromkeys((*layout, "sharding", "recompute", "offload"), told)}
    return replace(filled, words=words, origins=origins, unknowns=unknowns)
