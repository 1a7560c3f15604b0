"""What a row says of its network in words: rates of ports and how many there are, racks, and plain PCI Express."""

from __future__ import annotations

import math
import re

from ..presets import Presets
from ..tuples import NamedTuple
from .names import record_of

# A clause is what stands between commas and semicolons; "3200 GB/s" is bytes and no rate of a port.
_CLAUSE = re.compile(r"[,;]|\band\b")
_LABEL = re.compile(r"storage|management|host|\bNS\b", re.IGNORECASE)
_COUNT = re.compile(r"(\d+)\s?x\s?", re.IGNORECASE)
_RATE = re.compile(r"(\d+(?:\.\d+)?)\s?([GT])(?:b(?:it)?)?(?:ps|/s(?:ec)?|/Sec)?(?![A-Za-z/])|(\d+)GbE\b")
_WHOLE_SERVER = re.compile(r"\b(?:per|a|each|/)\s?(?:node|server|host|machine)|node-node", re.IGNORECASE)
_ONE_CARD = re.compile(r"\b(?:per|a|each|/)\s?(?:gpu|card|chip|npu|accelerator|device)", re.IGNORECASE)
_RACK = re.compile(r"NVL(\d+)", re.IGNORECASE)
_HOST = re.compile(r"^\s*PCI", re.IGNORECASE)
_WORD = re.compile(r"[a-z]+(?:-[a-z]+)?")
_GIGABIT, _TERABIT = 1e9 / 8.0, 1e12 / 8.0


class Network(NamedTuple):
    """What a text says: byte/s one way of a server, of a port and of a card, and the cards of a rack.

    NaN where it says nothing; ``host`` where cards meet over the host alone.
    """

    server: float = math.nan
    port: float = math.nan
    card: float = math.nan
    domain: float = math.nan
    host: bool = False


def network_of(text: str, presets: Presets) -> Network:
    """Read a description of a network.

    Examples
    --------
    >>> network_of("4x 100Gb RoCE per node", Presets()).server
    50000000000.0
    >>> network_of("NVL72", Presets()).domain
    72.0
    """
    rack = _RACK.search(text)
    clauses = [clause for clause in _CLAUSE.split(text) if not _LABEL.search(clause)]
    found = [_clause(clause, presets) for clause in clauses]
    best = max(found, key=lambda it: (not math.isnan(it.server), _size(it)), default=Network())
    return best._replace(domain=float(rack[1]) if rack else math.nan, host=bool(_HOST.search(text)))


def _size(network: Network) -> float:
    return max((rate for rate in network[:3] if not math.isnan(rate)), default=0.0)


def _clause(text: str, presets: Presets) -> Network:
    """Read one clause: a count times a rate is a server's, a rate alone is a port's unless it says of what."""
    rate = _rate(text, presets)
    count = _COUNT.search(text)
    if math.isnan(rate):
        return Network()
    if count:
        return Network(server=float(count[1]) * rate)
    if _WHOLE_SERVER.search(text):
        return Network(server=rate)
    return Network(card=rate) if _ONE_CARD.search(text) else Network(port=rate)


def _rate(text: str, presets: Presets) -> float:
    """Return the rate that a clause prints, else that of the port that it names."""
    printed = _RATE.search(text)
    if printed:
        scale = _TERABIT if printed[2] == "T" else _GIGABIT
        return float(printed[1] or printed[3]) * scale
    for word in _WORD.findall(text.lower()):
        if word == "ethernet":  # of any rate
            continue
        link = record_of(presets, "links", word)
        if link and link.words.get("scope") == "fabric":
            return link.value("bandwidth")
    return math.nan
