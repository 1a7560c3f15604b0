"""Names that rows use, found fast and often: one index a kind, and no search for near misses."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache

from ..presets import Presets, alias_index
from ..records import Record

# "Llama 3.1 8B-instruct (presumably)" is "llama 3.1 8b": what a name says up to and with its size.
_SIZED = re.compile(r"[a-z][a-z0-9. -]*?\d+(?:\.\d+)?[bm](?![a-z0-9])")
_ASIDE = re.compile(r"\s*\(.*")
_MEMORY = re.compile(r"[ -]\d+ ?gi?b$")


@lru_cache(maxsize=16)
def _index(presets: Presets, kind: str) -> dict[str, str]:
    """Return lower-case id or alias -> id of a kind; an id stands before an alias."""
    files = presets.files(kind)
    return alias_index(files) | {name.lower(): name for name in files}


def record_of(presets: Presets, kind: str, name: str) -> Record | None:
    """Return the record of exactly this id or alias; nothing where no record has it."""
    found = _index(presets, kind).get(name.strip().lower())
    return presets.load(kind, found) if found else None


def model_named(presets: Presets, text: str) -> Record | None:
    """Return the recorded model that a text tells of: by its name, or by the part up to its size.

    Examples
    --------
    >>> model_named(Presets(), "Llama 3.1 8B-Instruct").id
    'llama-3-8b'
    """
    words = text.strip().lower().replace("half", ".5").replace("_", ".")
    sized = None if "proxy" in words else _SIZED.search(words)
    tried = (text, words, words.replace(" ", "-"), *((sized[0], sized[0].replace(" ", "-")) if sized else ()))
    return next((record for word in tried if (record := record_of(presets, "models", word))), None)


class Bins(tuple[Record, ...]):
    """The accelerators that a name may mean: one, or the members of a family; ``usual`` is the likeliest."""

    usual: Record | None = None


def accelerators_of(presets: Presets, name: str) -> Bins:
    """Return the accelerators that a name may mean; none where nothing carries it."""
    return next((bins for word in _spellings(name) if (bins := _exactly(presets, word))), Bins())


def _spellings(name: str) -> Iterator[str]:
    """Yield a name as it stands, without what stands in brackets, with hyphens, and without its memory."""
    word = name.strip().lower()
    yield word
    bare = _ASIDE.sub("", word)
    yield bare
    yield bare.replace(" ", "-")
    yield _MEMORY.sub("", bare)
    yield bare.split("/")[0]


def _exactly(presets: Presets, word: str) -> Bins:
    accelerators, families = _index(presets, "accelerators"), _index(presets, "families")
    if word in accelerators and word not in presets.files("families"):
        record = presets.load("accelerators", accelerators[word])
        return _bins([record], record)
    if word not in families:
        return Bins()
    family = presets.load("families", families[word])
    members = [presets.load("accelerators", str(member)) for member in family.words["members"]]
    usual = next((it for it in members if it.id == family.words.get("default")), None)
    return _bins(members, usual)


def _bins(members: list[Record], usual: Record | None) -> Bins:
    bins = Bins(members)
    bins.usual = usual
    return bins
