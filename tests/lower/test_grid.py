"""The grid of a question: its carbon in a year, and what the machines embody."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from estimator import Presets, Run, ask
from estimator.errors import QuestionError
from estimator.estimate import Estimate
from estimator.own_folder import check
from estimator.presets import read_rows
from estimator.records import cell_number

PRESETS = Presets()
YEAR = 365.25 * 86400.0


def answer(**question: Any) -> Estimate:
    given = {
        "params": 7e9,
        "count": 8,
        "tokens": 1e9,
        "price": "2 USD/gpu/hour",
        "power": "500 W",
        **question,
    }
    return ask(Run.read(given, PRESETS), PRESETS)


def grams(**question: Any) -> float:
    return float(answer(**question).carbon_intensity.value) * 3.6e9


@pytest.mark.parametrize(
    ("grid", "year", "per_kwh"),
    [
        ("usa", 2023, 369.473), ("usa", 2020, 429), ("fra", 2022, 57), ("fra", 2023, 56.039),
        ("aws-us-east-1", 2018, 367.8), ("aws-us-east-1", 2021, 379.07), ("gcp-us-central1", 2023, 430),
        ("gcp-us-central1", 2019, 566.3),
    ],
)  # fmt: skip
def test_a_grid_has_the_carbon_of_the_year(grid: str, year: int, per_kwh: float) -> None:
    assert grams(grid=grid, year=year) == pytest.approx(per_kwh)


def test_the_nearest_year_stands_in_and_is_told() -> None:
    found = answer(grid="usa", year=2025)
    assert grams(grid="usa", year=2025) == pytest.approx(369.473)
    assert found.case.origins["carbon_intensity"].reason == "of 2023 (none of 2025 on record)"
    # As far from 2020 as from 2023 no year is; 2021 is nearer to 2020.
    assert grams(grid="usa", year=2021) == pytest.approx(429)


def test_a_grid_without_that_year_is_refused_where_it_is_named() -> None:
    with pytest.raises(QuestionError) as raised:
        answer(grid="usa", year=2012)
    assert str(raised.value) == (
        "--grid: usa has no carbon intensity of 2012 on record, nor of 3 years round it; it has 2020, 2023: give "
        "such a --year, or leave it out"
    )
    # Nobody named the world.
    assert grams(year=2012) == pytest.approx(475)


def test_a_region_of_which_nothing_is_near_takes_its_countrys() -> None:
    # Azure's region has 2016-2019 and 2020-2022; France has 56.039 g/kWh of 2023, three years before 2026.
    found = answer(grid="azure-francecentral", year=2026)
    assert grams(grid="azure-francecentral", year=2026) == pytest.approx(56.039)
    assert found.case.origins["carbon_intensity"].reason == (
        "that of France of 2023 (none near 2026 of Azure francecentral on record)"
    )
    assert grams(grid="azure-francecentral", year=2024) != pytest.approx(56.039)
    with pytest.raises(
        QuestionError, match="--grid: azure-francecentral has no carbon intensity of 2030 on record"
    ):
        answer(grid="azure-francecentral", year=2030)


def test_the_table_of_years_and_the_records_agree() -> None:
    grids = PRESETS.files("grids")
    for row in read_rows(PRESETS, "intensities/grids"):
        assert row.cells["grid"] in grids, row.place
        assert 2000 <= cell_number(row, "first_year") <= cell_number(row, "last_year") <= 2030, row.place
        assert 0 <= cell_number(row, "carbon_intensity") < 2000, row.place


def test_nothing_is_embodied_unless_it_is_asked_for() -> None:
    carbon = answer().carbon
    assert (float(carbon.parts["embodied"]), float(carbon.parts["operation"])) == (0, float(carbon.value))


def test_what_is_embodied_is_spread_over_life_and_use() -> None:
    held = float(answer().occupied_hours.value)
    usual = answer(embodied="usual").carbon
    assert float(usual.parts["embodied"]) == pytest.approx(held * 462.5 / (6 * YEAR * 0.85))
    own = answer(embodied="300 kg", life="3 years", utilisation=0.5)
    assert float(own.carbon.parts["embodied"]) == pytest.approx(held * 300 / (1.5 * YEAR))
    assert not any("change" in note for note in own.case.notes)
    assert float(usual.low) < float(usual.value) < float(usual.high)


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"embodied": "-5 kg"}, "--embodied: '-5 kg' must be more than zero"),
        ({"embodied": "5"}, "--embodied: '5' has no unit; write it like '460 kg'"),
        ({"embodied": "5 kWh"}, "--embodied: '5 kWh' measures energy, but mass is asked for, like '460 kg'"),
        ({"power": "0 W"}, "--power: '0 W' must be more than zero"),
        ({"power": "5 kWh"}, "--power: '5 kWh' measures energy, but power is asked for, like '400 W'"),
        ({"pue": "0.9"}, "--pue: '0.9' is less than 1, the least that makes sense here"),
    ],
)
def test_what_makes_no_sense_is_told(given: dict[str, Any], told: str) -> None:
    with pytest.raises(QuestionError) as raised:
        answer(**given)
    assert str(raised.value) == told


def test_embodied_carbon_reads_back_as_it_was_asked() -> None:
    for text in ("usual", "462.5 kg", "0.3 t"):
        run = Run(params=7e9, embodied=text)
        assert Run(**run.write()) == run


def test_a_users_own_year_of_a_grid_is_used(tmp_path: Path) -> None:
    (tmp_path / "intensities").mkdir()
    (tmp_path / "intensities" / "sources.toml").write_text(
        '[sources.own]\ntitle = "A bill"\npublisher = "We"\n'
    )
    table = tmp_path / "intensities" / "grids.csv"
    header = "grid,first_year,last_year,carbon_intensity,unit,source,where"
    table.write_text(f"{header}\nusa,2012,2013,480,g/kWh,own,line 1\n")
    assert check(tmp_path).faults == ()
    own = Presets((tmp_path,))
    found = ask(Run.read({"params": 7e9, "count": 8, "grid": "usa", "year": 2012}, own), own)
    assert float(found.carbon_intensity.value) * 3.6e9 == pytest.approx(480)
    table.write_text(f"{header}\nusa,2012,2013,480,kg/kWh,own,line 1\n")
    assert check(tmp_path).faults == (f"{table}, line 2: the unit is 'kg/kWh'; write it like g/kWh",)
