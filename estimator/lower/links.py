"""Memory and links of an accelerator: bandwidths one way, and how many cards share the fast link."""

from __future__ import annotations

import re

from ..presets import Presets
from ..provenance import Figure, Origin
from ..records import Record
from ..tuples import NamedTuple

_HOST_LINK = re.compile(r"Host link: PCIe (\d)")
# Scale-up links that join every pair of cards directly, so that one pair has only its share of the total.
_FULL_MESHES = ("HCCS", "Infinity Fabric", "xGMI", "RoCE 24x")
_SIXTEEN_BIT = ("peak_bf16", "peak_fp16")


class Sided(NamedTuple):
    """One column of a machine with the ends of its range, in house units, and where it came from."""

    value: float
    low: float
    high: float
    origin: Origin


def machine_columns(
    presets: Presets, accelerator: Record, node: Record | None, per_node: float
) -> dict[str, Sided]:
    """Return the columns of an accelerator's memory and links.

    ``node`` is the server where one is known; ``per_node`` the accelerators that share it.
    """
    peak = peak_16bit(accelerator)
    return {
        "peak_16bit": peak,
        "memory_bandwidth": _memory_bandwidth(presets, accelerator, peak),
        **_scaleup(presets, accelerator, node, per_node),
        "scaleout_bandwidth": _scaleout(presets, accelerator, node),
    }


def host_columns(presets: Presets, accelerator: Record) -> dict[str, Sided]:
    """Return the columns of the server behind the cards: a card's link to it, and its memory's bandwidth."""
    memory = _usual(presets).figures["host_memory_bandwidth"]
    return {
        "host_bandwidth": host_link(presets, accelerator),
        "host_memory_bandwidth": sided(memory, f"no server's is on record: {memory.where}"),
    }


def peak_16bit(accelerator: Record) -> Sided:
    """Return the dense peak in 16 bit; of a chip without one, its highest in floating point. [FLOP/s]"""
    figures = accelerator.figures
    known = [figures[name] for name in _SIXTEEN_BIT if name in figures]
    if known:
        return sided(known[0])
    return sided(highest_peak(accelerator), f"{accelerator.id} has no 16-bit peak on record: its highest")


def highest_peak(accelerator: Record) -> Figure:
    """Return the highest of a chip's peaks; no record of a chip lacks one."""
    peaks = (figure for name, figure in accelerator.figures.items() if name.startswith("peak_"))
    return max(peaks, key=lambda figure: figure.value)


def sided(figure: Figure, reason: str = "", factor: float = 1.0) -> Sided:
    """Return a figure with its range; with a reason, or where it is itself assumed, it is an assumption."""
    low = figure.value if figure.low is None else figure.low
    high = figure.value if figure.high is None else figure.high
    kind = "assumed" if reason or figure.kind == "assumed" else "preset"
    origin = Origin(kind, reason or figure.where, figure)
    return Sided(figure.value * factor, low * factor, high * factor, origin)


def _usual(presets: Presets) -> Record:
    return presets.load("assumptions", "links")


def _memory_bandwidth(presets: Presets, accelerator: Record, peak: Sided) -> Sided:
    figure = accelerator.figures.get("memory_bandwidth")
    if figure:
        return sided(figure)
    ratio = _usual(presets).figures["bytes_per_flop"]
    reason = f"{accelerator.id} has no memory bandwidth on record: {ratio.where}"
    return sided(ratio, reason, peak.value)


def _scaleup(presets: Presets, accelerator: Record, node: Record | None, per_node: float) -> dict[str, Sided]:
    """Return bandwidth, cards and shape of the fast link: of the host's link where no faster one joins the server.

    Recorded bandwidths are those of both directions together, and collectives reach a share of them. A bridge joins two
    or four cards of a server;
    what goes through all of them goes over the host.
    """
    figure, domain = (
        _of_node_or_card(accelerator, node, name) for name in ("scaleup_bandwidth", "scaleup_domain")
    )
    link = str(accelerator.words.get("scaleup_link", ""))
    reach = domain.value if domain else 1.0
    alone = node is not None and "host_reached" in node.figures
    if figure is None or alone or ("bridge" in link and reach < per_node):
        return _host(presets, accelerator, node, per_node)
    largest = _usual(presets).figures["largest_server"]
    cards = reach if reach > largest.value else min(reach, per_node)
    origin = Origin("preset", domain.where if domain else "one card", domain)
    mesh = float(link.startswith(_FULL_MESHES))
    return {
        "scaleup_bandwidth": sided(figure, factor=0.5 * _reached(presets, link)),
        "scaleup_domain": Sided(cards, cards, cards, origin),
        "mesh": Sided(mesh, mesh, mesh, Origin("derived", f"the scale-up link is {link or 'not named'}")),
    }


def _reached(presets: Presets, link: str) -> float:
    """Return the share of a link's bandwidth that collectives reach, as measured on its generation where it was."""
    figures = _usual(presets).figures
    generation = link.split()[0].lower() if link else ""
    return figures.get(f"reached_{generation}", figures["reached"]).value


def _of_node_or_card(accelerator: Record, node: Record | None, name: str) -> Figure | None:
    return (node.figures.get(name) if node else None) or accelerator.figures.get(name)


def _host(presets: Presets, accelerator: Record, node: Record | None, per_node: float) -> dict[str, Sided]:
    """Return the columns of cards that meet only over their host's PCI Express, or the share of it that they reach."""
    link, reached = host_link(presets, accelerator), node.figures.get("host_reached") if node else None
    if reached:
        low, high = (reached.value if end is None else end for end in (reached.low, reached.high))
        origin = Origin("assumed", reached.where, reached)
        link = Sided(link.value * reached.value, link.value * low, link.value * high, origin)
    origin = Origin("derived", "cards of a server without a common scale-up link meet over the host")
    return {
        "scaleup_bandwidth": link,
        "scaleup_domain": Sided(per_node, per_node, per_node, origin),
        "mesh": Sided(0.0, 0.0, 0.0, origin),
    }


def host_link(presets: Presets, accelerator: Record) -> Sided:
    """Return the bandwidth of a card's link to its host, one way. [byte/s]"""
    named = _HOST_LINK.search(str(accelerator.words.get("note", "")))
    if named:
        link = presets.load("links", f"pcie-{named[1]}")
        return sided(link.figures["bandwidth"], f"the host link of {accelerator.id} is {link.name}", 0.5)
    usual = _usual(presets).figures["host_link"]
    return sided(usual, f"the host link of {accelerator.id} is not on record: {usual.where}")


def network_reached(presets: Presets) -> Figure:
    """Return the share of a network's bandwidth that collectives reach. [1]"""
    return _usual(presets).figures["reached_network"]


def _scaleout(presets: Presets, accelerator: Record, node: Record | None) -> Sided:
    """Return what collectives reach of a card's share of its server's network, one way. [byte/s]"""
    figure = node.figures.get("scaleout_bandwidth") if node else None
    reached = network_reached(presets).value
    if node and figure:
        return sided(figure, factor=reached / node.value("accelerators"))
    usual = _usual(presets).figures["scaleout_bandwidth"]
    reason = f"no network of a server of {accelerator.id} is on record: {usual.where}"
    return sided(usual, reason, reached)
