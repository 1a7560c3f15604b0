"""The verdicts on the recorded claims, with values worked by hand, and what a changed figure does to them."""

from __future__ import annotations

import re
import shutil
import tomllib
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from estimator import Presets, units
from estimator.claims import load
from estimator.records import data_dir
from estimator.verdicts.judge import Judged, Judgement, judge
from estimator.verdicts.recorded import recorded, verdict_of

BY_HAND: dict[str, Any] = tomllib.loads(Path(__file__).with_name("by_hand.toml").read_text(encoding="utf-8"))


PRESETS = Presets()
CLAIMS = {claim.id: claim for claim in load(PRESETS)}
IDS = list(CLAIMS)


@cache
def verdict_on(id: str) -> Judged:
    return judge([CLAIMS[id]], PRESETS)[0]


def values() -> Iterator[Any]:
    for id, entry in BY_HAND.items():
        for value in entry.get("values", ()):
            yield pytest.param(id, value, id=f"{id}-{value.get('statement', 1)}-{value['reading']}")


def house(value: Any) -> float:
    return units.parse_any(value)[0] if isinstance(value, str) else float(value)


def read(judgement: Judgement, reading: str) -> float:
    """The value of a reading: base, or the n-th condition, tale or solution."""
    what, _, number = reading.partition(" ")
    if what == "base":
        assert judgement.base
        return judgement.base.measured.value
    place = int(number) - 1
    if what == "solve":
        return judgement.solved[place].value
    return {"if": judgement.conditions, "tell": judgement.told}[what][place].measured.value


def test_every_claim_has_a_verdict_by_hand() -> None:
    assert len(IDS) == 38
    assert sorted(BY_HAND) == sorted(IDS)


@pytest.mark.parametrize("id", IDS)
def test_verdict(id: str) -> None:
    assert verdict_on(id).verdict == BY_HAND[id]["verdict"]


@pytest.mark.parametrize("id", IDS)
def test_what_the_list_shows_is_what_judging_finds(id: str) -> None:
    kept, found = recorded(PRESETS)[id], verdict_of(verdict_on(id))
    assert kept.verdict == found.verdict
    assert [each.unit for each in kept.told] == [each.unit for each in found.told]
    numbers = [[value for each in told for value in each[:3]] for told in (kept.told, found.told)]
    assert numbers[0] == pytest.approx(numbers[1], rel=1e-5, nan_ok=True)


@pytest.mark.parametrize(("id", "value"), list(values()))
def test_value_worked_by_hand(id: str, value: dict[str, Any]) -> None:
    statement = int(value.get("statement", 1))
    found = read(verdict_on(id).judgements[statement - 1], value["reading"])
    if "value" in value:
        assert found == pytest.approx(house(value["value"]), rel=value.get("within", 1e-9)), value["working"]
    else:
        assert house(value["least"]) <= found <= house(value["most"]), value["working"]


@pytest.mark.parametrize("id", IDS)
def test_a_range_holds_its_value(id: str) -> None:
    for judgement in verdict_on(id).judgements:
        for each in (judgement.base, *judgement.conditions, *judgement.told):
            if each:
                found = each.measured
                assert found.low <= found.value * (1 + 1e-9), each.words.en
                assert found.value <= found.high * (1 + 1e-9), each.words.en


@pytest.mark.parametrize("id", IDS)
def test_every_text_of_a_check_is_in_both_languages(id: str) -> None:
    chinese = re.compile("[\u4e00-\u9fff]")
    assert chinese.search(verdict_on(id).claim.word("about_zh"))
    for judgement in verdict_on(id).judgements:
        check = judgement.check
        words = [check.reading, check.because, check.remark]
        words += [each.words for each in (*check.conditions, *check.told, *check.wanted)]
        for both in words:
            assert bool(both.en) == bool(chinese.search(both.zh)), both


@pytest.mark.parametrize(
    ("id", "figure", "changed", "verdict"),
    [
        ("C2", "8e8 USD", "9e9 USD", "does not hold"),
        ("C3", "50000 USD/day", "90000 USD/day", "does not hold"),
        ("C4", "1.4e6 USD", "1.4e7 USD", "does not hold"),
        ("C5", '"2e6 USD"', '"2e5 USD"', "does not hold"),
        ("C1", '"30000 accelerator"', '"300000 accelerator"', "does not hold"),
        ("D8", "value = 68", "value = 67", "holds"),
        ("D7", "value = 11", "value = 10", "holds"),
        ("C8", "value = 3,", "value = 1.05,", "holds"),
        ("C11", "3000e15 OP/s", "3900e15 OP/s", "does not hold"),
        ("B2", "10.8 %", "30 %", "does not hold"),
    ],
)
def test_a_changed_figure_changes_the_verdict(
    tmp_path: Path, id: str, figure: str, changed: str, verdict: str
) -> None:
    (tmp_path / "claims").mkdir()
    record = tmp_path / "claims" / f"{id}.toml"
    shutil.copy(data_dir() / "claims" / record.name, record)
    text = record.read_text(encoding="utf-8")
    assert figure in text
    record.write_text(text.replace(figure, changed), encoding="utf-8")
    presets = Presets((tmp_path,))
    (judged,) = judge([claim for claim in load(presets) if claim.id == id], presets)
    assert judged.verdict == verdict
