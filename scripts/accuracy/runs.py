"""Published runs by every method, and what was seen of each among the measured rows."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from step_time.practice import document_of, planned_of, practice_spreads, published_runs
from step_time.record import presets_of, with_practice
from step_time.rows import Rows

from estimator import Presets
from estimator.arrays import Array, array
from estimator.case import Case
from estimator.estimate import Estimate
from estimator.lower.step_time import CALIBRATION
from estimator.measured import Table
from estimator.measured.runs import lower_runs, row_of
from estimator.presets import read_rows
from estimator.records import Record

from . import constant
from .asking import is_scored, lowered, question, together
from .learnt import ends_of
from .scores import BASELINE, OURS, SPREADSHEET, Scores, picked
from .store import Foretold

Mask = np.ndarray[Any, np.dtype[np.bool_]]
_SIXTEEN_BITS = ("bf16", "fp16")


@dataclass(frozen=True, slots=True)
class Published:
    """Everything about the published runs: records, rows seen of each (kin, same document), scores by method."""

    records: list[Record]
    rows: Rows
    seen: list[tuple[Mask, Mask]]
    scores: dict[str, Scores]
    default_precision: Scores
    without_kin: Scores
    validated: Scores


def scored(presets: Presets) -> list[Record]:
    """Return the runs that count."""
    return [record for record in presets.all("runs") if is_scored(record)]


def published(presets: Presets, rows: Rows, stored: Sequence[Foretold]) -> Published:
    """Ask about every scored run, by every method, and by ours with less help."""
    records = scored(presets)
    cases = cases_of(records, presets)
    estimate = together(cases)
    scores = {OURS: unseen(records, presets, asked)}
    chips, precisions = ([case.words[name] for case in cases] for name in ("accelerator", "precision"))
    learnt = constant.one_mfu(rows, chips, precisions)
    scores[BASELINE] = at_mfu(estimate, learnt, "flops_per_token", scores[OURS].truth)
    scores[SPREADSHEET] = at_mfu(estimate, spreadsheet(rows), "flops_6nd", scores[OURS].truth)
    plain = unseen(records, presets, partial(asked, stated_precision=False))
    apart = replaced(scores[OURS], records, [row for row in stored if row.kind == "run"])
    seen = seen_of(records, cases, rows, presets)
    read = unseen(records, presets, validated)
    return Published(records, rows, seen, scores, plain, apart, read)


def cases_of(records: Iterable[Record], presets: Presets, *, stated_precision: bool = True) -> list[Case]:
    """Return the case of each run's question."""
    return lowered([question(record, stated_precision=stated_precision) for record in records], presets)


def asked(records: Sequence[Record], presets: Presets, *, stated_precision: bool = True) -> Scores:
    """Scores of the runs as questions of a user."""
    return hours(together(cases_of(records, presets, stated_precision=stated_precision)), records)


def unseen(
    records: Sequence[Record], presets: Presets, score: Callable[[Sequence[Record], Presets], Scores]
) -> Scores:
    """Scores of the runs by presets that have not seen how slow they, or others of the same document, were."""
    text = presets.files("calibrations")[CALIBRATION].read_text(encoding="utf-8")
    steps = planned_of(presets.load("calibrations", CALIBRATION))
    with presets_of(with_practice(text, {})) as bare:
        known = published_runs(bare)
    found: dict[str, tuple[float, float, float, float]] = {}
    for document in sorted({document_of(record) for record in records}):
        own = [record for record in records if document_of(record) == document]
        with presets_of(with_practice(text, practice_spreads(steps, known.without(document)))) as others:
            each = score(own, others)
        columns = zip(each.value, each.low, each.high, each.truth, strict=True)
        found |= dict(zip([record.id for record in own], columns, strict=True))
    return Scores(*array([found[record.id] for record in records]).T)


def hours(estimate: Estimate, records: Sequence[Record]) -> Scores:
    """Accelerator-time estimated, with what is lost where the published hours hold it, and as published; house units."""
    productive = np.array([record.words["accounting"] == "productive" for record in records])
    worked, held = (estimate.amount(name) for name in ("accelerator_hours", "occupied_hours"))
    truth = array([record.figures["accelerator_hours"].value for record in records])
    ends = (
        array(np.where(productive, getattr(worked, end), getattr(held, end)))
        for end in ("value", "low", "high")
    )
    return Scores(*ends, truth)


def validated(records: Sequence[Record], presets: Presets) -> Scores:
    """Scores of the runs as rows of a file that `estimate validate` reads."""
    lowered = lower_runs(Table.of([row_of(record) for record in records]), presets)
    truth = array([record.figures["accelerator_hours"].value for record in records])
    return Scores(*ends_of(lowered, "occupied_hours"), truth[lowered.kept])


def replaced(scores: Scores, records: Sequence[Record], stored: Sequence[Foretold]) -> Scores:
    """Scores in which runs with kin among the measured rows are foretold without the sources of these."""
    ends = {row.id: row[3:6] for row in stored}
    own = zip(scores.value, scores.low, scores.high, strict=True)
    found = [ends.get(record.id, one) for record, one in zip(records, own, strict=True)]
    value, low, high = array(found).T
    return Scores(value, low, high, scores.truth)


def spreadsheet(rows: Rows) -> Array:
    """One efficiency for whatever is asked: the median of all dense 16-bit rows by 6ND."""
    chosen = (rows.words["experts"] == "no") & np.isin(rows.words["precision"], _SIXTEEN_BITS)
    return array(np.median(constant.short_mfu(rows.take(chosen))))


def at_mfu(estimate: Estimate, mfu: Array, count: str, truth: Array) -> Scores:
    """Hours at an efficiency, the FLOPs of a token counted exactly or as six a parameter; without a range."""
    columns = estimate.case.columns
    cost = estimate.values[count] / (columns["tokens"] if count == "flops_6nd" else 1.0)
    time = columns["tokens"] * cost / (columns["peak"] * mfu)
    return Scores(time, time, time, truth)


# What was seen of a run.


def kin_of(case: Case, rows: Rows) -> Mask:
    """Tell which rows are of a model with the same layers, width and feed-forward on the same chip."""
    columns = {name: float(case.columns[name]) for name in ("layers", "hidden", "ffn", "expert_ffn")}
    block = max(columns["ffn"], columns["expert_ffn"])
    blocks = np.maximum(rows.columns["ffn"], rows.columns["expert_ffn"])
    same = (rows.columns["layers"] == columns["layers"]) & (rows.columns["hidden"] == columns["hidden"])
    return same & (blocks == block) & (rows.words["accelerator"] == case.words["accelerator"])


def from_document(record: Record, rows: Rows, where: Mapping[str, str]) -> Mask:
    """Tell which rows are of a source that the run cites."""
    cited = " ".join(source.locator for source in record.sources.values())
    named = {source for source, locator in where.items() if locator and locator in cited}
    return np.isin(rows.words["source"], sorted(named))


def seen_of(
    records: Sequence[Record], cases: Sequence[Case], rows: Rows, presets: Presets
) -> list[tuple[Mask, Mask]]:
    """Tell of each run which rows are kin of it, and which are of a document that it cites."""
    where = {row.source.key: row.source.locator for row in read_rows(presets, "measurements/throughput")}
    return [
        (kin_of(case, rows), from_document(record, rows, where))
        for case, record in zip(cases, records, strict=True)
    ]


def sources_of_kin(rows: Rows, presets: Presets) -> dict[str, tuple[str, ...]]:
    """Return by run the sources of which something of it was seen; runs of which nothing was are not named."""
    records = scored(presets)
    seen = zip(records, seen_of(records, cases_of(records, presets), rows, presets), strict=True)
    found = {
        record.id: sorted(set(rows.words["source"][kin | same].tolist())) for record, (kin, same) in seen
    }
    return {name: tuple(sources) for name, sources in found.items() if sources}


def foretold(part: str, names: Collection[str], presets: Presets) -> list[Foretold]:
    """Foretell runs of which presets have seen nothing. [accelerator s]"""
    records = [record for record in scored(presets) if record.id in names]
    if not records:
        return []
    found = unseen(records, presets, asked)
    ends = zip(records, found.value, found.low, found.high, strict=True)
    return [
        Foretold("run", part, record.id, float(value), float(low), float(high))
        for record, value, low, high in ends
    ]


def run_groups(found: Published) -> dict[str, dict[str, Scores]]:
    """Scores of all runs, and of those with hours of one meaning."""
    words = [str(record.words["accounting"]) for record in found.records]
    return picked(found.scores, {
        "all runs": [True] * len(words),
        "productive hours": [word == "productive" for word in words],
        "occupied hours": [word != "productive" for word in words],
    })  # fmt: skip
