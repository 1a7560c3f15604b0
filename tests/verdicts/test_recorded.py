"""Verdicts that are recorded with the version: what is written reads back, and when they count."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

from estimator.claims import Claim, load
from estimator.presets import Presets
from estimator.records import Record
from estimator.report.grid import display_width
from estimator.verdicts.checks import Check, Words
from estimator.verdicts.judge import Judged, Judgement, Result
from estimator.verdicts.measured import Measured
from estimator.verdicts.outcomes import HOLDS, IF, OPEN, UNKNOWN, YES
from estimator.verdicts.recorded import Told, recorded, short_of, verdict_of, written
from estimator.verdicts.table import VERDICTS


def claim(**words: str) -> Claim:
    return Claim(Record("claims", "T1", words, {}, {}, Path("T1.toml")), ())


def judgement(measured: Measured | None, agrees: str = YES) -> Judgement:
    check = Check("here", {}, "equal", 0.1, Words(), Words(), Words(), None, (), (), ())
    base = Result(Words("as stated"), measured, agrees) if measured else None
    return Judgement(check, (), HOLDS, base, (), (), ())


def test_a_verdict_keeps_what_compares_with_a_statement() -> None:
    judged = Judged(
        claim(),
        IF,
        (judgement(Measured(2.0, 1.0, 3.0, "USD")), judgement(Measured(5.0, 5.0, 5.0, "1"), OPEN)),
    )
    found = verdict_of(judged)
    assert (found.verdict, found.told[0]) == (IF, Told(2.0, 1.0, 3.0, "USD"))
    assert math.isnan(found.told[1].value)  # what is told beside is no value of the statement
    assert math.isnan(verdict_of(Judged(claim(), UNKNOWN, (judgement(None),))).told[0].value)


def test_what_is_written_reads_back() -> None:
    several = [
        Judged(claim(), IF, (judgement(Measured(1.23456789e6, 1.0, 3e9, "USD/day")), judgement(None))),
        Judged(Claim(claim().record._replace(id="T2"), ()), UNKNOWN, ()),
    ]
    names: dict[str, Any] = {}
    exec(written(several), names)  # the text is a module
    held = names["VERDICTS"]
    assert held["T2"] == (UNKNOWN, [])
    verdict, told = held["T1"]
    assert (verdict, told[0]) == (IF, (1.23457e6, 1.0, 3e9, "USD/day"))
    assert all(map(math.isnan, told[1][:3]))


def test_every_claim_on_record_and_no_other_has_one() -> None:
    assert list(VERDICTS) == [each.id for each in load(Presets())]


def test_own_records_may_change_any_verdict(tmp_path: Path) -> None:
    (tmp_path / "prices").mkdir()
    assert recorded(Presets((tmp_path,))) == {}


def test_a_claim_in_few_words() -> None:
    assert short_of(claim(short="few", short_zh="少", about="many", about_zh="多"), "en") == "few"
    assert short_of(claim(short="few", short_zh="少", about="many", about_zh="多"), "zh") == "少"
    assert short_of(claim(about="many", about_zh="多"), "zh") == "多"
    assert short_of(claim(about="many"), "zh") == "many"


def test_the_few_words_of_every_claim_fit_their_column() -> None:
    for each in load(Presets()):
        assert 0 < len(each.word("short")) <= 23, each.id
        assert 0 < display_width(each.word("short_zh")) <= 23, each.id
