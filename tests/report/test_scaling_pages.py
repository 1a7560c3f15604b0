"""An answer about scaling as tables, JSON and CSV, from one made by hand: what is written is what was found."""

from __future__ import annotations

import csv
import io
import json
import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from estimator.formulas.fits import LAWS
from estimator.inputs.scaling import ScalingQuestion
from estimator.provenance import Source
from estimator.records import Row
from estimator.report import scaling as pages
from estimator.scaling import FittedLaw, Loss, Points, Range, ScalingAnswer

AMDAHL = next(law for law in LAWS if law.name == "amdahl")
POWER = next(law for law in LAWS if law.name == "power")
BENCH = Source("bench", "Bench", "Toys", "toys.example")


def column(*values: float) -> Any:
    return np.array(values, dtype=np.float64)


def spread(*triples: tuple[float, float, float]) -> Range:
    """Low, value, high, one triple a count."""
    low, value, high = zip(*triples, strict=True)
    return Range(column(*value), column(*low), column(*high))


def made(**changed: Any) -> ScalingAnswer:
    answer = ScalingAnswer(
        question=ScalingQuestion(points=((1000.0, 0.92), (8000.0, 0.9)), at=(4000.0, 20000.0)),
        points=Points(column(1000, 8000), column(0.92, 0.9), 1.0),
        laws=[
            FittedLaw(AMDAHL, {"share": 8.7e-5}, 0.012, column(-0.01, 0.014), column(0.742, 0.365)),
            FittedLaw(POWER, {"coefficient": 0.99, "exponent": 0.0106}, 0.0, column(0, 0), column(0.908, 0.891)),
        ],
        left_out={"universal": "has more parameters than there are points"},
        at=column(4000, 20000),
        efficiency=spread((0.9, 0.908, 0.91), (0.365, 0.891, 0.891)),
        extrapolated=np.array([False, True]),
        loss=Loss(spread((360, 368, 400), (2180, 2180, 12700)), currency="USD"),
        notes=["the base is 1"],
    )  # fmt: skip
    return replace(answer, **changed)


PRICED = made(
    loss=Loss(
        spread((360, 368, 400), (2180, 2180, 12700)), spread((720, 736, 800), (4360, 4360, 25400)),
        spread((518400, 529920, 576000), (3.1e6, 3.1e6, 18.3e6)), "EUR",
    )
)  # fmt: skip


def cells(answer: ScalingAnswer) -> list[dict[str, str]]:
    """Rows of the table of counts by their headers, ranges by the header before them."""
    grid = pages.counts_grid(answer)
    names: list[str] = []
    for header in grid.headers:
        names.append(f"{names[-1]} range" if header == "range" else header)
    return [dict(zip(names, row, strict=True)) for row in grid.rows]


# For people.


@pytest.mark.parametrize(
    ("points", "series", "title"),
    [
        (((1000, 0.92), (8000, 0.9)), None, "2 points from 1,000 to 8,000 accelerators, over a base of 8"),
        (((1000, 0.92),), None, "1 point at 1,000 accelerators, over a base of 8"),
        (((64, 1.0), (64, 0.9)), "toy", "2 points of toy (Toy 7B) at 64 accelerators, over a base of 8"),
    ],
)
def test_the_title(points: tuple[tuple[float, float], ...], series: str | None, title: str) -> None:
    counts, efficiencies = zip(*points, strict=True)
    answer = made(
        points=Points(column(*counts), column(*efficiencies), 8.0, BENCH if series else None, "Toy 7B"),
        question=ScalingQuestion(points=points, series=series),
    )
    assert pages.title(answer) == title


def test_each_law_with_its_parameters_misfit_and_reference() -> None:
    amdahl, power = pages.laws_grid(made()).rows
    assert amdahl[:3] == [AMDAHL.label, "share 8.7e-5", "1.2 %"]
    assert "1967" in amdahl[3]
    assert power[:3] == [POWER.label, "coefficient 0.99, exponent 0.0106", "0 %"]


def test_a_row_for_each_count() -> None:
    near, far = cells(made())
    assert (near["accelerators"], near[""]) == ("4,000", "")
    assert (far["accelerators"], far[""]) == ("20,000", "extrapolated")
    assert (near[AMDAHL.label], near[POWER.label]) == ("74.2 %", "90.8 %")
    assert (near["median"], near["median range"]) == ("90.8 %", "90 % to 91 %")
    assert (near["cards lost"], near["cards lost range"]) == ("368", "360 to 400")
    assert "lost an hour" not in near


def test_ends_that_read_the_same_are_no_range() -> None:
    same = made(efficiency=spread((0.90801, 0.90802, 0.90803), (0.5, 0.5, 0.5)))
    assert [row["median range"] for row in cells(same)] == ["", ""]


def test_money_where_it_was_asked_for_in_its_currency() -> None:
    near, far = cells(PRICED)
    assert (near["lost an hour"], near["lost an hour range"]) == ("736 EUR", "720 EUR to 800 EUR")
    assert far["lost in all"] == "3.1 million EUR"
    hourly = made(loss=replace(PRICED.loss, in_all=None))
    assert "lost in all" not in cells(hourly)[0]
    assert cells(hourly)[0]["lost an hour"] == "736 EUR"


def test_what_was_left_out_says_why() -> None:
    label = next(law.label for law in LAWS if law.name == "universal")
    left_out = f"{label} left out: has more parameters than there are points"
    assert pages.remarks(made()) == ["the base is 1", left_out]


def test_the_whole_answer_as_text_and_as_markdown() -> None:
    sourced = made(points=Points(column(1000, 8000), column(0.92, 0.9), 1.0, BENCH, "Toy 7B"))
    text, markdown = pages.table(sourced), pages.markdown(sourced)
    assert text.startswith(pages.title(sourced))
    assert markdown.startswith(f"**{pages.title(sourced)}**")
    assert "Note: the base is 1" in text
    assert "- the base is 1" in markdown
    assert text.endswith('Source: Toys, "Bench", toys.example')
    assert markdown.endswith('- Source: Toys, "Bench", toys.example')
    assert "Source" not in pages.table(made())


# For programs.


def test_the_document_has_every_number_in_full() -> None:
    document = json.loads(json.dumps(pages.document(PRICED), allow_nan=False))
    assert document["schema"] == "estimator/scale/1"
    assert document["points"] == [
        {"accelerators": 1000, "efficiency": 0.92},
        {"accelerators": 8000, "efficiency": 0.9},
    ]
    amdahl = document["laws"][0]
    assert (amdahl["name"], amdahl["parameters"]) == ("amdahl", {"share": 8.7e-5})
    assert amdahl["equation"].startswith("E = ")
    assert amdahl["residuals"] == [-0.01, 0.014]
    far = document["at"][1]
    assert far["extrapolated"] is True
    assert far["by_law"] == {"amdahl": 0.365, "power": 0.891}
    assert far["efficiency"] == {"value": 0.891, "unit": "1", "low": 0.365, "high": 0.891}
    assert far["lost_per_hour"] == {"value": 4360, "unit": "EUR/hour", "low": 4360, "high": 25400}
    assert far["lost_in_all"]["unit"] == "EUR"
    assert document["left_out"] == {"universal": "has more parameters than there are points"}


def test_what_is_not_finite_is_null() -> None:
    odd = made(
        laws=[FittedLaw(AMDAHL, {"share": math.inf}, math.nan, column(math.nan, 0), column(0.7, 0.3))],
        efficiency=spread((0.9, math.nan, 0.91), (0.1, 0.2, math.inf)),
    )
    document = json.loads(json.dumps(pages.document(odd), allow_nan=False))
    assert document["laws"][0]["parameters"] == {"share": None}
    assert document["laws"][0]["rms_residual"] is None
    assert document["laws"][0]["residuals"] == [None, 0]
    assert document["at"][0]["efficiency"]["value"] is None
    assert document["at"][1]["efficiency"]["high"] is None


def test_without_a_price_money_is_null_and_an_empty_cell() -> None:
    assert pages.document(made())["at"][0]["lost_per_hour"] is None
    row = next(csv.DictReader(io.StringIO(pages.csv_grid(made()).csv())))
    assert (row["lost_per_hour"], row["lost_per_hour_unit"], row["lost_in_all"]) == ("", "", "")


def test_rows_hold_what_the_document_holds() -> None:
    document = pages.document(PRICED)
    rows = list(csv.DictReader(io.StringIO(pages.csv_grid(PRICED).csv())))
    assert [row["extrapolated"] for row in rows] == ["false", "true"]
    for row, found in zip(rows, document["at"], strict=True):
        assert float(row["accelerators"]) == found["accelerators"]
        for law, efficiency in found["by_law"].items():
            assert float(row[law]) == efficiency
        for name in ("efficiency", "lost_accelerators", "lost_per_hour", "lost_in_all"):
            told = [float(row[key]) for key in (name, f"{name}_low", f"{name}_high")]
            assert told == [found[name][key] for key in ("value", "low", "high")]
            assert row[f"{name}_unit"] == found[name]["unit"]


@pytest.mark.parametrize("law", LAWS, ids=[law.name for law in LAWS])
def test_every_law_has_an_equation_and_a_reference(law: Any) -> None:
    assert pages.law_reference(law)
    assert pages._equation(law).startswith("E = ")


def test_a_series_without_points_beyond_its_base_is_not_listed() -> None:
    def row(count: str, value: str) -> Row:
        cells = {"model": "Toy", "n_accelerators": count, "throughput": value, "series": "toy"}
        return Row(cells, BENCH, "toy.csv, line 2")

    assert pages.series_grid({}).rows == []
    assert pages.series_grid({}).headers == ["series", "points", "base", "accelerators", "what"]
    assert [name for name, *_ in pages.series_grid({"alone": [row("8", "1")]}).rows] == []
