"""Reads how a claim is to be checked: the tables `[[check]]` of its record, with every fault told."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, cast

from .. import units
from ..claims import Claim
from ..errors import PresetError, UnitError, near_misses
from ..inputs.run import rivals_of
from ..provenance import Figure, Source
from ..tuples import NamedTuple
from .relations import RELATIONS

# The keys by which a table says what is measured: one of them, with the keys that belong to it.
KINDS: Mapping[str, tuple[str, ...]] = {
    "question": ("quantity", "against", "fit"), "serving": ("quantity",),
    "fleet": ("quantity", "way", "pool"), "scaling": (),
    "formula": ("given",), "value": (),
}  # fmt: skip
_FACTORS = ("times", "over")
_MEASURES = tuple(
    dict.fromkeys([*KINDS, *(key for keys in KINDS.values() for key in keys), *_FACTORS, "unit"])
)
# Tables within a check, and the keys that each may have beside those of a measure.
_PARTS = {"if": ("when", "id"), "tell": ("what",), "solve": ("what", "for", "under", "figure")}
_TEXTS = ("reading", "because", "remark")
_DEFAULT_WITHIN = 0.1
# What a number is cited from that stands for words without one.
_READING = Source("reading", "What the words come to in a number", "estimator")
# Tables that a part lays over those of its check, key by key.
_MERGED = ("question", "against", "serving", "fleet", "given")
Asks = Mapping[str, Any]


class Words(NamedTuple):
    """A text in both languages; the second is the first where a record has it in one."""

    en: str = ""
    zh: str = ""

    def __bool__(self) -> bool:
        """Tell whether there is a text."""
        return bool(self.en)


class Reading(NamedTuple):
    """Something to measure, and the words for it: a condition, or what is told beside."""

    words: Words
    asks: Asks


class Wanted(NamedTuple):
    """What is to be solved for: an input of the question or a figure, so that the claim is exact."""

    name: str
    words: Words
    asks: Asks
    figure: str
    under: str


class Check(NamedTuple):
    """One statement of a claim to judge: what is measured, how it compares, and under which conditions.

    ``base`` is the claim read without a condition; a check may have conditions alone, or nothing to measure.
    """

    place: str
    figures: Mapping[str, Figure]
    relation: str
    within: float
    reading: Words
    because: Words
    remark: Words
    base: Asks | None
    conditions: tuple[Reading, ...]
    told: tuple[Reading, ...]
    wanted: tuple[Wanted, ...]


def checks_of(claim: Claim) -> tuple[Check, ...]:
    """Return what a claim's record says of how to check it; nothing where it says nothing.

    Raises
    ------
    PresetError
        A table that cannot be read; the message names the file, the table and the fault.
    """
    tables = claim.record.words.get("check", ())
    return tuple(
        _check(claim, f"{claim.record.path}: [[check]] {number}", table)
        for number, table in enumerate(cast("Sequence[dict[str, Any]]", tables), start=1)
    )


def _check(claim: Claim, place: str, table: Mapping[str, Any]) -> Check:
    texts = [f"{name}{ending}" for name in _TEXTS for ending in ("", "_zh")]
    _known(place, table, (*_MEASURES, *_PARTS, *texts, "figure", "reads_as", "relation", "within"))
    base = _asks({}, table)
    under = _under(place, base, table)
    parts = {name: _parts(f"{place}, {name}", name, table.get(name, ())) for name in _PARTS}
    relation, within = _compared(claim, place, table)
    judged = base if kind_of(place, base) else None
    return Check(
        place, _figures(claim, place, table), relation, within, words_of(table, "reading"),
        words_of(table, "because"), words_of(table, "remark"), judged,
        tuple(Reading(words_of(part, "when"), _measured(at, _asks(base, part))) for at, part in parts["if"]),
        tuple(Reading(words_of(part, "what"), _measured(at, _asks(base, part))) for at, part in parts["tell"]),
        tuple(_wanted(at, part, under, claim) for at, part in parts["solve"]),
    )  # fmt: skip


def _parts(place: str, name: str, tables: Any) -> list[tuple[str, Mapping[str, Any]]]:
    """Return the tables of one name within a check, each with its place."""
    if not isinstance(tables, list) or not all(isinstance(each, dict) for each in tables):  # pyright: ignore[reportUnknownVariableType]
        if tables == ():
            return []
        raise PresetError(f"{place} must be tables, like [[check.{name}]]")
    found: list[tuple[str, Mapping[str, Any]]] = []
    words = [f"{key}{ending}" for key in _PARTS[name] if key in ("when", "what") for ending in ("", "_zh")]
    for number, table in enumerate(cast("list[dict[str, Any]]", tables), start=1):
        at = f"{place} {number}"
        _known(at, table, (*_MEASURES, *_PARTS[name], *words))
        if name != "solve" and not table.get(words[0]):
            raise PresetError(f"{at}: the key '{words[0]}' is missing")
        found.append((at, table))
    return found


def _known(place: str, table: Mapping[str, Any], keys: Sequence[str]) -> None:
    for key in table:
        if key not in keys:
            raise PresetError(f"{place}: unknown key '{key}'{near_misses(key, list(keys))}")
    for key in (*_MERGED, "scaling", "fit"):
        if key in table and not isinstance(table[key], dict):
            raise PresetError(f"{place}: '{key}' must be a table, like {key} = {{ ... }}")
    for key in _FACTORS:
        value = table.get(key, [])
        if not isinstance(value, list) or not all(isinstance(each, str) for each in value):  # pyright: ignore[reportUnknownVariableType]
            raise PresetError(f"{place}: '{key}' must be a list of texts, like {key} = [\"8 accelerator\"]")


def _under(place: str, base: Asks, table: Mapping[str, Any]) -> dict[str, Asks]:
    """Return what a value may be solved under: the claim without a condition, and each condition by its id."""
    named = {
        str(part["id"]): part for _, part in _parts(f"{place}, if", "if", table.get("if", ())) if "id" in part
    }
    return {"": base, **{name: _asks(base, part) for name, part in named.items()}}


def _wanted(place: str, table: Mapping[str, Any], under: Mapping[str, Asks], claim: Claim) -> Wanted:
    name = table.get("for")
    if not isinstance(name, str) or not name:
        raise PresetError(f"{place}: the key 'for' is missing; name what is solved for, like for = \"price\"")
    condition = str(table.get("under", ""))
    if condition not in under:
        raise PresetError(
            f"{place}: no condition has the id '{condition}'{near_misses(condition, list(under))}"
        )
    figure = str(table.get("figure", ""))
    if figure:
        _figures(claim, place, table)
    asks = _measured(place, _asks(under[condition], table))
    return Wanted(name, words_of(table, "what"), asks, figure, condition)


def _measured(place: str, asks: Asks) -> Asks:
    if not kind_of(place, asks):
        raise PresetError(f"{place}: nothing says what is measured; give one of {', '.join(KINDS)}")
    return asks


def kind_of(place: str, asks: Asks) -> str:
    """Return which kind of measure a table asks for; nothing where it asks for none.

    Raises
    ------
    PresetError
        Two kinds at once, a question without a quantity, or a quantity without a question.
    """
    kinds = [kind for kind in KINDS if kind in asks]
    if len(kinds) > 1:
        raise PresetError(f"{place}: '{kinds[0]}' and '{kinds[1]}' are two ways to measure; give one of them")
    kind = kinds[0] if kinds else ""
    if "quantity" in KINDS.get(kind, ()) and "quantity" not in asks:
        raise PresetError(f"{place}: '{kind}' needs 'quantity', like quantity = \"cost\"")
    return kind


def _asks(base: Asks, table: Mapping[str, Any]) -> Asks:
    """Lay the measure of a part over that of its check; another kind replaces it whole."""
    own = {key: table[key] for key in _MEASURES if key in table}
    kinds = [kind for kind in KINDS if kind in own]
    kept = {key for kind in kinds for key in KINDS[kind]}
    dropped = {key for kind in KINDS if kinds and kind not in kinds for key in (kind, *KINDS[kind])} - kept
    # Another measure is another number: what the first was multiplied by goes with it.
    anew = any(key in KINDS and key in base for key in dropped) or any(kind not in _MERGED for kind in kinds)
    dropped |= {*_FACTORS, "unit"} if anew else set()
    laid = {key: value for key, value in base.items() if key not in dropped}
    return {**laid, **{key: _laid(key, laid.get(key, {}), value) for key, value in own.items()}}


def _laid(key: str, under: Any, over: Any) -> Any:
    """Lay one table over another, an input in place of those that contradict it."""
    if key not in _MERGED:
        return over
    gone = {rival for name in over for rival in rivals_of(name)} if key != "given" else set[str]()
    return {**{name: value for name, value in under.items() if name not in gone}, **over}


def _compared(claim: Claim, place: str, table: Mapping[str, Any]) -> tuple[str, float]:
    relation = str(table.get("relation", claim.word("relation") or "equal"))
    if relation not in RELATIONS:
        raise PresetError(f"{place}: relation '{relation}' is not one of {', '.join(RELATIONS)}")
    within = table.get("within", _DEFAULT_WITHIN)
    if not isinstance(within, (int, float)) or isinstance(within, bool) or not 0.0 <= within < 1.0:
        raise PresetError(f"{place}: 'within' must be a share from 0 to 1, like 0.05")
    return relation, float(within)


def _figures(claim: Claim, place: str, table: Mapping[str, Any]) -> dict[str, Figure]:
    """Return the numbers that are compared with: figures of the claim, or what its words are read as."""
    given = table.get("figure", ())
    names = [given] if isinstance(given, str) else list(map(str, given))
    for name in names:
        if name not in claim.figures:
            raise PresetError(
                f"{place}: the claim has no figure '{name}'{near_misses(name, list(claim.figures))}"
            )
    if "reads_as" not in table:
        return {name: claim.figures[name] for name in names}
    if names:
        raise PresetError(
            f"{place}: 'figure' and 'reads_as' are two things to compare with; give one of them"
        )
    text = str(table["reads_as"])
    try:
        value = units.parse_any(text)[0]
    except UnitError as error:
        raise PresetError(f"{place}: reads_as: {error}") from None
    return {"reads_as": Figure(value, text, _READING, place, "derived")}


def words_of(table: Mapping[str, Any], name: str) -> Words:
    """Return a text of a table in both languages."""
    english = str(table.get(name, ""))
    return Words(english, str(table.get(f"{name}_zh", english)))
