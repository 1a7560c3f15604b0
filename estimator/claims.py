"""What press articles claim: the statements on record, in their order, and those about a topic."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, cast

from .errors import UnknownPreset, near_misses
from .presets import Presets
from .provenance import Figure
from .records import Record
from .tuples import NamedTuple


class Background(NamedTuple):
    """What else is known about a claim, where it stands, and how good that evidence is."""

    text: str
    source: str
    evidence: str
    text_zh: str = ""
    source_zh: str = ""


class Claim(NamedTuple):
    """One statement of an article: its words, its numbers, and what they are used for here."""

    record: Record
    background: tuple[Background, ...]

    @property
    def id(self) -> str:
        """The letter of the article and the number of the statement."""
        return self.record.id

    @property
    def figures(self) -> Mapping[str, Figure]:
        """The numbers that it states."""
        return self.record.figures

    def word(self, name: str) -> str:
        """Return one of its words, such as ``quote`` or ``relation``; nothing where it has none."""
        return str(self.record.words.get(name, ""))


def load(presets: Presets) -> list[Claim]:
    """Return every claim, article by article.

    Examples
    --------
    >>> [claim.id for claim in load(Presets())][:3]
    ['A1', 'A2', 'A3']
    """
    return sorted(map(_claim, presets.all("claims")), key=lambda claim: _order(claim.id))


def _claim(record: Record) -> Claim:
    entries = cast("Sequence[Mapping[str, Any]]", record.words.get("background", ()))
    background = tuple(
        Background(*(str(entry.get(name, "")) for name in Background._fields)) for entry in entries
    )
    return Claim(record, background)


def _order(id: str) -> list[tuple[int, str]]:
    """Return a key that puts A2 before A10."""
    return [(int(part), "") if part.isdigit() else (0, part) for part in re.split(r"(\d+)", id)]


def find(claims: Iterable[Claim], id: str) -> Claim:
    """Return the claim of an id, in any case.

    Raises
    ------
    UnknownPreset
        There is none.
    """
    known = {claim.id.lower(): claim for claim in claims}
    if id.lower() not in known:
        hint = near_misses(id, [claim.id for claim in known.values()]) or "; list them with: estimate claims"
        raise UnknownPreset(f"no claim is called '{id}'{hint}")
    return known[id.lower()]


def about(claims: Iterable[Claim], topic: str = "", search: str = "") -> list[Claim]:
    """Return the claims whose subject or exercise names a topic, and that hold a word anywhere.

    Raises
    ------
    UnknownPreset
        There is none.
    """
    found = [claim for claim in claims if _holds(claim, topic, ("about", "exercise"))]
    found = [claim for claim in found if _holds(claim, search, tuple(claim.record.words))]
    if not found:
        options = (("--topic", topic), ("--search", search))
        given = " and ".join(f"{option} '{word}'" for option, word in options if word)
        raise UnknownPreset(f"no claim is about {given}; list all with: estimate claims")
    return found


def _holds(claim: Claim, word: str, names: Sequence[str]) -> bool:
    texts = (claim.id, *(claim.word(name) for name in names))
    return any(word.strip().lower() in text.lower() for text in texts)
