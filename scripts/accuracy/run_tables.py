"""The tables about published runs."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

from estimator.records import Record

from .asking import is_scored
from .reasons import RUN_REASONS, reason
from .runs import Published
from .scores import BASELINE, HEADINGS, OURS, SPREADSHEET
from .statistics import worst
from .words import amount, signed, table

HOUR = 3600.0


def run_table(found: Published) -> list[str]:
    """Every scored run: published, estimated, and how far the baselines lie."""
    headings = ["run", "accelerator", "n", "hours are", "published", "estimate", "error", "range", "in"]
    rows = [run_row(found, index) for index in range(len(found.records))]
    return table([*headings, "baseline", "spreadsheet", "seen"], rows)


def run_row(found: Published, index: int) -> list[str]:
    record, ours = found.records[index], found.scores[OURS]
    count = record.value("accelerators")
    published, estimate, low, high = (
        amount(column[index] / HOUR) for column in (ours.truth, ours.value, ours.low, ours.high)
    )
    seen = zip(("model", "document"), found.seen[index], strict=True)
    return [
        record.name, str(record.words["accelerator_id"]), amount(count) if count > 0 else "",
        str(record.words["accounting"]), published, estimate, signed(ours.error[index]), f"{low} - {high}",
        "yes" if ours.inside[index] else "no", signed(found.scores[BASELINE].error[index]),
        signed(found.scores[SPREADSHEET].error[index]), " + ".join(name for name, rows in seen if rows.any()) or "none",
    ]  # fmt: skip


def kin_table(found: Published) -> list[str]:
    """The runs of which something was seen, with the error once its sources are left out."""
    rows: list[list[str]] = []
    for index, record in enumerate(found.records):
        errors = [signed(scores.error[index]) for scores in (found.scores[OURS], found.without_kin)]
        for what, mask in zip(("same model and chip", "same document"), found.seen[index], strict=True):
            words = found.rows.take(mask).words
            if mask.any():
                rows.append([record.name, what, ", ".join(sorted(set(words["source"].tolist()))),
                             str(len(set(words["config_group"].tolist()))), *errors])  # fmt: skip
    return table(["run", "seen", "sources", "configurations", "error", "without these sources"], rows)


def help_table(found: Published) -> list[str]:
    """What our scores on the runs owe to the precision that records state, and to rows of the same model."""
    cases = {
        "as asked": found.scores[OURS],
        "every precision left to the default": found.default_precision,
        "the sources of these rows left out": found.without_kin,
        "as rows of a file that `estimate validate` reads": found.validated,
    }
    return table(["all runs", *HEADINGS], [[name, *scores.cells()] for name, scores in cases.items()])


def worst_runs(found: Published) -> list[str]:
    pairs = [(found.records[place], error) for place, error in worst(found.scores[OURS], 10)]
    rows = [[record.name, signed(error), reason(RUN_REASONS, record.id, error)] for record, error in pairs]
    return table(["run", "error", "likely reason"], rows)


def left_out_runs(records: Iterable[Record]) -> list[str]:
    """Runs that are not scored, by the reason that their records give."""
    reasons: dict[str, list[str]] = defaultdict(list)
    for record in records:
        if not is_scored(record):
            reasons[str(record.words["left_out"])].append(record.id)
    rows = [
        [why, str(len(ids)), ", ".join(ids if len(ids) <= 20 else [ids[0], "...", ids[-1]])]
        for why, ids in sorted(reasons.items(), key=lambda item: (-len(item[1]), item[0]))
    ]
    return table(["reason", "n", "records"], rows)
