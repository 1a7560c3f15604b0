"""Where a number comes from: its source, and the origin of every value in an answer."""

from __future__ import annotations

from typing import Literal

from .tuples import NamedTuple

Kind = Literal["stated", "measured", "derived", "assumed"]
OriginKind = Literal["given", "preset", "assumed", "derived"]


class Source(NamedTuple):
    """A document or data set that figures are cited from."""

    key: str
    title: str
    publisher: str
    locator: str = ""
    version: str = ""
    licence: str = ""
    checked: str = ""

    def cite(self) -> str:
        """Return one line of a bibliography.

        Examples
        --------
        >>> Source("llama", "LLaMA", "Touvron et al.", "arXiv:2302.13971").cite()
        'Touvron et al., "LLaMA", arXiv:2302.13971'
        """
        parts = [self.publisher, f'"{self.title}"', self.locator, self.version]
        return ", ".join(part for part in parts if part)


class Figure(NamedTuple):
    """A number in house units that cannot exist without its source.

    ``text`` is the value as the record writes it, with its unit; ``where`` the place in the source.
    """

    value: float
    text: str
    source: Source
    where: str
    kind: Kind
    low: float | None = None
    high: float | None = None
    note: str = ""
    verified: bool = True

    def cite(self) -> str:
        """Return source and place in one line."""
        return f"{self.source.cite()}: {self.where}"


class Origin(NamedTuple):
    """How a value came into an answer, and what shows it.

    ``reason`` says why it was taken; ``option`` the command-line option that changes it, if one does.
    """

    kind: OriginKind
    reason: str = ""
    figure: Figure | None = None
    option: str = ""

    def sources(self) -> tuple[Source, ...]:
        """Return the sources that this origin cites."""
        return (self.figure.source,) if self.figure else ()


GIVEN = Origin("given")
