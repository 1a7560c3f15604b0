"""The machine of every row: the chip that it names, or the mean of the bins that a family name may mean."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from functools import lru_cache

import numpy as np

from ..inputs.table import PRECISIONS
from ..lower.links import highest_peak, host_columns, host_link, machine_columns, network_reached
from ..lower.machine import peak_figure
from ..presets import Presets
from ..provenance import Figure
from ..records import Record
from ..tuples import NamedTuple
from .average import average_mfu
from .columns import RowDraft
from .interconnect import Network, network_of
from .names import Bins, accelerators_of
from .table import Fault, Mask, Places, distinct

_DEFAULT_PRECISIONS = ("bf16", "fp16", "fp32")
_PRECISION = re.compile(
    "|".join((*PRECISIONS, "bfloat16", "float16", "half", "float32", "fp4")), re.IGNORECASE
)
_SPELT = {"bfloat16": "bf16", "float16": "fp16", "half": "fp16", "float32": "fp32", "fp4": "nvfp4"}


class Ends(NamedTuple):
    """A value of one machine with the ends of its own range."""

    value: float
    low: float
    high: float


class Machine(NamedTuple):
    """Columns of one machine, of a family the mean of its bins, whose least and greatest are kept."""

    columns: Mapping[str, Ends]
    bins: Mapping[str, tuple[float, float]]
    assumed: tuple[str, ...] = ()
    fault: Fault | None = None
    names: tuple[str, str] = ("", "")


def put_machines(draft: RowDraft, presets: Presets, sparse: Mask) -> list[tuple[str, str]]:
    """Set the columns of the machine; return accelerator and architecture of every row."""
    table = draft.table
    table.number("accelerators_per_node")
    mixture = ["yes" if each else "" for each in sparse]
    cells = [
        table.text(name) for name in ("accelerator", "precision", "accelerators_per_node", "interconnect")
    ]
    keys, which = distinct(*cells, mixture)
    machines = [_machine(presets, key) for key in keys]
    for place, index in enumerate(map(int, which)):
        if fault := machines[index].fault:
            table.fault(place, fault)
    filler = _machine(presets, (default_chip(presets), "", "", "", "")).columns
    _put(draft, [each if each.fault is None else each._replace(columns=filler) for each in machines], which)
    return [machines[index].names for index in map(int, which)]


def default_chip(presets: Presets) -> str:
    """Return the accelerator that the house chooses where nobody names one."""
    return str(presets.load("assumptions", "defaults").words["choices"]["accelerator"]["value"])


def _put(draft: RowDraft, machines: Sequence[Machine], which: Places) -> None:
    names = list(dict.fromkeys(name for machine in machines for name in machine.columns))
    for name in names:
        ends = np.array([machine.columns.get(name, Ends(1.0, 1.0, 1.0)) for machine in machines])[which]
        draft.put(name, ends[:, 0])
        draft.between(name, name, ends[:, 1], ends[:, 2])
    for name in names:
        bins = np.array([machine.bins.get(name, (math.nan, math.nan)) for machine in machines])[which]
        draft.between("accelerator", name, bins[:, 0], bins[:, 1])
    for name in dict.fromkeys(word for machine in machines for word in machine.assumed):
        draft.note(name, np.array([name in machine.assumed for machine in machines])[which])


@lru_cache(maxsize=1 << 12)
def _machine(presets: Presets, key: Sequence[str]) -> Machine:
    """Return the machine of one combination of accelerator, precision, server size, network and sparsity."""
    name, precision, per_node, interconnect, mixture = key
    bins = accelerators_of(presets, name)
    if not bins:
        fault = Fault("unknown accelerator", f"'{name}'" if name else "the cell is blank")
        return Machine({}, {}, fault=fault)
    network = network_of(interconnect, presets)
    size = _float(per_node)
    found = [_of_bin(presets, record, _Cells(precision, size, network, bool(mixture))) for record in bins]
    columns = {column: _mean([each.columns[column] for each in found]) for column in found[0].columns}
    _as_usual(columns, bins, found)
    several = len(bins) > 1
    spread = (
        {column: _span([each.columns[column].value for each in found]) for column in columns}
        if several
        else {}
    )
    assumed = tuple(dict.fromkeys(word for each in found for word in each.assumed))
    return Machine(
        columns, spread, (*assumed, *(["accelerator"] if several else [])), None, _names(bins, name)
    )


class _Cells(NamedTuple):
    precision: str
    per_node: float
    network: Network
    sparse: bool


def _names(bins: Bins, name: str) -> tuple[str, str]:
    """Return the id of the accelerator, or the name of the family, and its architecture."""
    kinds = {str(record.words.get("architecture", "")) for record in bins}
    return (bins[0].id if len(bins) == 1 else name.strip().lower()), (kinds.pop() if len(kinds) == 1 else "")


def _mean(each: Sequence[Ends]) -> Ends:
    return Ends(*(float(np.mean(values)) for values in zip(*each, strict=True)))


def _span(values: Sequence[float]) -> tuple[float, float]:
    return min(values), max(values)


def _as_usual(columns: dict[str, Ends], bins: Bins, found: Sequence[Machine]) -> None:
    """Let peak times MFU of a family be that of its usual bin, over whose peak its MFU was learnt."""
    if len(bins) == 1 or bins.usual is None:
        return
    usual = found[bins.index(bins.usual)].columns
    share = usual["peak"].value / columns["peak"].value
    columns["average_mfu"] = Ends(*(value * share for value in usual["average_mfu"]))


def _of_bin(presets: Presets, record: Record, cells: _Cells) -> Machine:
    """Return the columns of one chip with what the row says of its server and network."""
    node = _default_node(presets, record)
    given = not math.isnan(cells.per_node)
    usual = presets.load("assumptions", "defaults").value("accelerators_per_node")
    per_node = cells.per_node if given else node.value("accelerators") if node else usual
    precision, peak, assumed = _precision(record, cells.precision)
    columns = {
        name: Ends(it.value, it.low, it.high)
        for name, it in machine_columns(presets, record, node, per_node).items()
    }
    columns |= {name: _fixed(it.value) for name, it in host_columns(presets, record).items()}
    columns["peak_16bit"] = _fixed(columns["peak_16bit"].value)
    columns |= _network(presets, record, node, cells.network, per_node)
    columns |= {"per_node": _fixed(per_node), "precision": _fixed(float(PRECISIONS.index(precision)))}
    columns |= _speed(presets, record, precision, peak, sparse=cells.sparse)
    columns["memory_usable"] = _memory(presets, record)
    words = [*(["precision"] if assumed else []), *([] if given else ["accelerators_per_node"])]
    return Machine(columns, {}, tuple(words))


def _default_node(presets: Presets, record: Record) -> Record | None:
    name = record.words.get("default_node")
    return presets.load("nodes", str(name)) if name else None


def _fixed(value: float) -> Ends:
    return Ends(value, value, value)


def _precision(record: Record, cell: str) -> tuple[str, Figure, bool]:
    """Return the precision of the matrix products, its peak, and whether one was assumed.

    A chip without a peak on record in the precision that a row prints runs in 16 bit.
    """
    printed = _PRECISION.search(cell)
    word = printed[0].lower() if printed else ""
    name = _SPELT.get(word, word)
    if name and (figure := peak_figure(record, name)):
        return name, figure, False
    usual = next((each for each in _DEFAULT_PRECISIONS if peak_figure(record, each)), "bf16")
    figure = peak_figure(record, usual) or highest_peak(record)
    return usual, figure, True


def _speed(
    presets: Presets, record: Record, precision: str, peak: Figure, *, sparse: bool
) -> dict[str, Ends]:
    """Return the peak and the MFU measured of it; a borrowed MFU leaves the peak's own range uncertain."""
    figure, own = average_mfu(presets, record, precision, sparse=sparse)
    ends = _ends(peak)
    return {"peak": _fixed(ends.value) if own else ends, "average_mfu": _ends(figure)}


def _ends(figure: Figure) -> Ends:
    low = figure.value if figure.low is None else figure.low
    return Ends(figure.value, low, figure.value if figure.high is None else figure.high)


def _memory(presets: Presets, record: Record) -> Ends:
    """Return the memory that a run can use: on record, else the usual share of the nominal one."""
    usable, nominal = record.figures.get("memory_usable"), record.value("memory")
    if usable:
        return _ends(usable)
    share = _ends(presets.load("assumptions", "defaults").figures["usable_share"])
    return Ends(*(nominal * each for each in share))


def _network(
    presets: Presets, record: Record, node: Record | None, network: Network, per_node: float
) -> dict[str, Ends]:
    """Return what a row's own words say of its links, in place of what is on record."""
    found: dict[str, Ends] = {}
    ports = node.value("nics", math.nan) / node.value("accelerators") if node else math.nan
    ports = 1.0 if math.isnan(ports) else ports
    stated = (network.server / per_node, network.card, network.port * ports)
    rate = next((each for each in stated if not math.isnan(each)), math.nan)
    if not math.isnan(rate):
        found["scaleout_bandwidth"] = _fixed(rate * network_reached(presets).value)
    if network.host:
        link = host_link(presets, record)
        found["scaleup_bandwidth"] = Ends(link.value, link.low, link.high)
        found |= {"scaleup_domain": _fixed(per_node), "mesh": _fixed(0.0)}
    if not math.isnan(network.domain):
        found["scaleup_domain"] = _fixed(network.domain)
    return found


def _float(cell: str) -> float:
    try:
        return float(cell)
    except ValueError:
        return math.nan
