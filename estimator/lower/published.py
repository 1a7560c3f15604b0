"""What a run of the same model on the same accelerator is on record to have taken, to stand beside an answer."""

from __future__ import annotations

from ..provenance import Figure
from ..records import Record
from .asked import Asked

HOUR = 3600.0


def lower(asked: Asked) -> None:
    """Put the run on record into words, where there is one; a run bears the name of the model that it trained."""
    words = asked.draft.words
    name = words.get("model", "")
    if name not in asked.presets.files("runs"):
        return
    record = asked.presets.load("runs", name)
    if record.words.get("accelerator_id") == words.get("accelerator") and (told := _told(record)):
        words["published"] = told


def _told(record: Record) -> str:
    """Write what is on record of a run, the document of each figure once."""
    parts = [
        text.format(figure.value / unit)
        for name, text, unit in (
            ("mfu", "{:.3g} % MFU", 0.01),
            ("accelerator_hours", "{:,.0f} accelerator-hours", HOUR),
            ("tokens", "for {:.4g} tokens", 1.0),
            ("accelerators", "on {:,.0f} accelerators", 1.0),
        )
        if (figure := record.figures.get(name))
    ]
    shown = [record.figures[name] for name in ("mfu", "accelerator_hours") if name in record.figures]
    return f"{record.name}: {', '.join(parts)} ({'; '.join(_cited(shown))})" if shown else ""


def _cited(figures: list[Figure]) -> list[str]:
    return list(dict.fromkeys(f"{figure.source.publisher}, {figure.where}" for figure in figures))
