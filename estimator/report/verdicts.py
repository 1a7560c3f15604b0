"""Verdicts on claims as pages: a line for each claim, or each in full with what would have to be true."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence

from .. import units
from ..claims import Claim
from ..verdicts.checks import Words
from ..verdicts.conditions import Solved
from ..verdicts.judge import Judged, Judgement, Result, same_subject
from ..verdicts.measured import comparable
from ..verdicts.outcomes import IF, MAYBE, OPEN, UNKNOWN, YES
from .grid import Grid
from .page import Page, one_line
from .verdict_rows import document, rows_grid
from .verdict_words import ENGLISH, INPUTS, SHARES, Language, own_unit, written_unit


def summary_page(judged: Sequence[Judged], language: Language = ENGLISH) -> Page:
    """Return a line a claim: the verdict, what it states, our value and range, why, and where it is exact."""
    return Page([summary_grid(judged, language)], rows_grid(judged), document(judged, _texts(judged)))


def summary_grid(judged: Sequence[Judged], language: Language = ENGLISH) -> Grid:
    """Return the table of that."""
    names = ("id", "verdict", "about", "stated", "value", "range", "why", "exact")
    return Grid([language.said[name] for name in names], [_summary(each, language) for each in judged])


def _texts(judged: Sequence[Judged]) -> dict[str, str]:
    return {each.claim.id: verdict_text(each, ENGLISH) for each in judged}


def _summary(judged: Judged, language: Language) -> list[str]:
    told = [_in_a_line(each, language) for each in judged.judgements]
    columns = [
        language.joined([text for text in texts if text], "semicolon") for texts in zip(*told, strict=True)
    ]
    stated, value, span, exact = columns or ["", "", "", ""]
    verdict = language.said["conditional"] if judged.verdict == IF else language.verdicts[judged.verdict]
    why = reason_text(judged, language) if judged.verdict in (IF, UNKNOWN) else ""
    return [
        judged.claim.id,
        verdict,
        about(judged.claim, language),
        stated,
        value,
        span,
        why,
        exact,
    ]


def _in_a_line(judgement: Judgement, language: Language) -> tuple[str, str, str, str]:
    """Return what is stated, our value, its range, and the first condition that makes it exact."""
    stated = stated_text(judgement, language)
    main, unit = judgement.main, _unit(judgement)
    if main is None:
        return stated, "", "", ""
    value, span = _amounts(main, unit, language)
    if main.agrees == OPEN and language.text(main.words):
        value = f"{value}{language.said['open']}{language.text(main.words)}{language.said['close']}"
    exact = next((solved_text(each, language) for each in judgement.solved if each.found), "")
    return stated, value, span, exact


def verdict_text(judged: Judged, language: Language) -> str:
    """Return a verdict with its condition or its reason."""
    reason = reason_text(judged, language)
    if not reason:
        return language.verdicts[judged.verdict].strip()
    between = {IF: "", UNKNOWN: language.said["because"]}.get(judged.verdict, language.said["colon"])
    return language.verdicts[judged.verdict] + between + reason


def reason_text(judged: Judged, language: Language) -> str:
    """Return the condition or the reason of a verdict; of several statements those count that decide it."""
    if not judged.judgements:
        return language.said["unchecked"]
    deciding = [each for each in judged.judgements if each.verdict == judged.verdict]
    reasons = dict.fromkeys(filter(None, (_reason(each, language) for each in deciding)))
    return language.joined(list(reasons), "and")


def _reason(judgement: Judgement, language: Language) -> str:
    if judgement.verdict == UNKNOWN:
        return language.text(judgement.check.because) or language.said["unchecked"]
    if judgement.verdict == IF:
        return _condition(judgement, language)
    main, figures = judgement.main, judgement.check.figures
    if not main or not figures or "reads_as" in figures:
        return ""
    value, span = _amounts(main, _unit(judgement), language)
    bracket = f"{language.said['open']}{span}{language.said['close']}" if span else ""
    return f"{language.said['ours']}{value}{bracket}"


def _condition(judgement: Judgement, language: Language) -> str:
    """Return the conditions that are met, else what was solved for, where our range reaches that far."""
    for wanted in (YES, MAYBE):
        met = [language.text(each.words) for each in judgement.conditions if each.agrees == wanted]
        if met:
            return language.joined(met, "or") + (language.said["within"] if wanted == MAYBE else "")
    found = [each for each in judgement.solved if each.found and not each.under]
    if not found:
        return language.said["reach"]
    amount = language.write(found[0].value, _solved_unit(found[0]))
    return f"{solved_name(found[0], language)}{language.said['is']}{amount}"


def _unit(judgement: Judgement) -> str:
    """Return the unit in which a claim writes its number, with shares in percent; nothing where it states none."""
    return written_unit(judgement.stated[0]) if judgement.stated else ""


def _amounts(result: Result, unit: str, language: Language) -> tuple[str, str]:
    """Return a value and its range in the unit of the claim, or in its own where that measures something else."""
    found = result.measured
    own = {"FLOP/token": "FLOP", "currency": "USD"}.get(found.unit, found.unit)
    shown = unit if unit and result.agrees != OPEN and comparable(unit, own) else own
    value = language.write(found.value, shown)
    return value, language.range(found.low, found.high, shown)


def stated_text(judgement: Judgement, language: Language) -> str:
    """Return what a claim states, with how it is meant."""
    figures = judgement.stated
    if not figures or "reads_as" in judgement.check.figures:
        return language.said["no number"]
    return language.joined([language.write(each.value, own_unit(each)) for each in figures], "to")


def solved_text(solved: Solved, language: Language) -> str:
    """Return a value that makes a claim exact, in words."""
    colon = language.said["colon"]
    return f"{solved_name(solved, language)}{colon}{language.write(solved.value, _solved_unit(solved))}"


def solved_name(solved: Solved, language: Language) -> str:
    """Return what was solved for: as the record calls it, else as the input is called."""
    if solved.words:
        return language.text(solved.words)
    under = f"{language.said['open']}{solved.under}{language.said['close']}" if solved.under else ""
    return language.text(INPUTS.get(solved.name, Words(solved.name, solved.name))) + under


def _solved_unit(solved: Solved) -> str:
    if solved.name in SHARES:
        return "%"
    return "FLOP/s" if comparable(solved.unit, "FLOP/s") else solved.unit


def about(claim: Claim, language: Language) -> str:
    """Return what a claim is about, in Chinese where its record has it."""
    english = claim.word("about")
    return one_line(claim.word("about_zh") or english if language.code == "zh" else english)


def full_page(judged: Sequence[Judged], language: Language = ENGLISH, known: Sequence[Claim] = ()) -> Page:
    """Return each claim in full, and a table of those that speak of the same thing.

    Of the claims that are ``known`` those are named that speak of it too.
    """
    parts = [
        part
        for each in judged
        for part in (*claim_parts(each, language), *_beside(each.claim, judged, known, language))
    ]
    apart = [part for group in same_subject(judged) for part in reconciled(group, language)]
    return Page([*parts, *apart], rows_grid(judged), document(judged, _texts(judged)))


def _beside(
    claim: Claim, judged: Sequence[Judged], known: Sequence[Claim], language: Language
) -> Iterator[str]:
    """Name the claims about the same thing that were not asked for."""
    asked, subject = {each.claim.id for each in judged}, claim.word("subject")
    others = [
        each.id for each in known if subject and each.word("subject") == subject and each.id not in asked
    ]
    if others:
        told = claim.word("subject_zh") or subject if language.code == "zh" else subject
        yield language.said["others"].format(subject=told, ids=" ".join([claim.id, *others]))


def claim_parts(judged: Judged, language: Language) -> list[str | Grid]:
    """Return the parts of one claim's page: its words, the verdict, what was measured and what is known."""
    claim, said = judged.claim, language.said
    remarks = [language.text(each.check.remark) for each in judged.judgements]
    words = {
        said["said"]: claim.word("quote"),
        said["verdict"]: verdict_text(judged, language),
        **({said["remark"]: " ".join(filter(None, remarks))} if any(remarks) else {}),
    }
    title = f"{claim.id}: {about(claim, language)}"
    known = "\n".join(f"- {line}" for line in background(claim, language))
    return [
        title,
        Grid(["", ""], [[name, one_line(text)] for name, text in words.items()]),
        *(part for each in judged.judgements for part in _judgement_parts(each, language)),
        *([f"{said['known']}\n\n{known}"] if known else []),
    ]


def _judgement_parts(judgement: Judgement, language: Language) -> list[Grid]:
    said = language.said
    readings = Grid(
        [said["reading"], said["value"], said["range"], said["agrees"]],
        [_reading_row(label, each, judgement, language) for label, each in _results(judgement, said)],
    )
    stated = [said["stated"], stated_text(judgement, language), "", ""]
    shown = readings._replace(rows=[stated, *readings.rows]) if readings.rows else readings
    conditions = Grid(
        [said["condition"], said["value"], said["range"]],
        [_solved_row(each, language) for each in judgement.solved],
    )
    return [*([shown] if shown.rows else []), *([conditions] if judgement.solved else [])]


def _results(judgement: Judgement, said: Mapping[str, str]) -> list[tuple[str, Result]]:
    """Return everything measured, each with the words before its own."""
    base = [("", judgement.base)] if judgement.base else []
    conditions = [(said["if"], each) for each in judgement.conditions]
    return [*base, *conditions, *((said["beside"], each) for each in judgement.told)]


def _reading_row(label: str, result: Result, judgement: Judgement, language: Language) -> list[str]:
    words = language.text(result.words) or language.said["as stated"]
    value, span = _amounts(result, _unit(judgement), language)
    return [one_line(label + words), value, span, language.verdicts[result.agrees]]


def _solved_row(solved: Solved, language: Language) -> list[str]:
    name = language.text(solved.words) or language.text(
        INPUTS.get(solved.name, Words(solved.name, solved.name))
    )
    if not solved.found:
        return [name, language.said["none"], ""]
    unit = _solved_unit(solved)
    known = all(map(math.isfinite, (solved.low, solved.high)))
    span = language.range(solved.low, solved.high, unit) if known else ""
    return [name, language.write(solved.value, unit), span]


def background(claim: Claim, language: Language) -> list[str]:
    """Return what else is known, each with how good the evidence is and where it stands."""
    evidence = {"primary": "一手", "secondary": "二手", "computed": "推算", "unverified": "未证实"}
    if language.code == "en":
        return [f"[{each.evidence}] {each.text} ({each.source})" for each in claim.background]
    return [
        f"[{evidence.get(each.evidence, each.evidence)}] {each.text_zh or each.text}（{each.source_zh or each.source}）"
        for each in claim.background
    ]


def reconciled(group: Sequence[Judged], language: Language) -> list[str | Grid]:
    """Return one table of claims about the same thing: which price and utilisation lead to which figure."""
    said = language.said
    subject = group[0].claim.word("subject_zh" if language.code == "zh" else "subject")
    ids = ", ".join(each.claim.id for each in group)
    names = ("claim", "value", "price", "MFU", "peak hour", "hours", "FLOPs", "chip", "reading")
    headers = [said[name] for name in names]
    rows = [
        [each.claim.id, *_apart(result, judgement, language)]
        for each in group
        for judgement in each.judgements
        for _, result in _results(judgement, said)
        if result.measured.estimate is not None
    ]
    space = " " if language.code == "en" else ""
    return [f"{said['apart']}{space}{subject} ({ids})", Grid(headers, rows)]


def _apart(result: Result, judgement: Judgement, language: Language) -> list[str]:
    """Return a row of the table: what an answer was made from, and what came out."""
    estimate = result.measured.estimate
    assert estimate is not None
    share, hours, flops = (
        language.write(float(estimate.values[name]), unit)
        for name, unit in (("mfu", "%"), ("occupied_hours", "hour"), ("flops", "FLOP"))
    )
    price = estimate.amount("price")
    paid, currency = units.to_unit(float(price.value), price.unit), price.unit.split("/")[0]
    full = paid / float(estimate.values["mfu"])
    value, _ = _amounts(result, _unit(judgement), language)
    words = one_line(language.text(result.words) or language.said["as stated"])
    return [value, language.write(paid, currency), share, language.write(full, currency), hours,
            flops, estimate.case.words.get("accelerator", ""), words]  # fmt: skip
