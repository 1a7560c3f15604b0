"""Names that rows use, found fast and often: one index a kind, and no search for near misses."""

from __future__ import annotations

from functools import lru_cache

from ..presets import Presets, alias_index
from ..records import Record


@lru_cache(maxsize=16)
def _index(presets: Presets, kind: str) -> dict[str, str]:
    """Return lower-case id or alias -> id of a kind; an id stands before an alias."""
    files = presets.files(kind)
    return alias_index(files) | {name.lower(): name for name in files}


def record_of(presets: Presets, kind: str, name: str) -> Record | None:
    """Return the record that a name leads to; nothing where none does."""
    found = _index(presets, kind).get(name.strip().lower())
    return presets.load(kind, found) if found else None


class Bins(tuple[Record, ...]):
    """The accelerators that a name may mean: one, or the members of a family; ``usual`` is the likeliest."""

    usual: Record | None = None


def accelerators_of(presets: Presets, name: str) -> Bins:
    """Return the accelerators that a name may mean; none where nothing carries it."""
    word = name.strip().lower()
    accelerators, families = _index(presets, "accelerators"), _index(presets, "families")
    exact = word in presets.files("accelerators")
    if exact or (word in accelerators and word not in presets.files("families")):
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
