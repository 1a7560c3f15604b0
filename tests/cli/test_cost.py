"""`estimate cost`: its formats hold the same figures, and exit code 2 with the option named for whatever is wrong."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable

import pytest

from .run import Ran

Estimate = Callable[..., Ran]
FLEET = (
    "cost",
    "--on",
    "h100",
    "--count",
    "1024",
    "--period",
    "3 years",
    "--place",
    "usa",
    "--place",
    "china",
)
RUN = (
    "cost",
    "--params",
    "7B",
    "--tokens",
    "1T",
    "--on",
    "h100",
    "--count",
    "64",
    "--price",
    "2 USD/gpu/hour",
)


def test_a_fleet_in_two_countries(estimate: Estimate) -> None:
    ran = estimate(*FLEET)
    assert (ran.code, ran.err) == (0, "")
    lines = ran.out.splitlines()
    assert lines[0] == "1,024 x nvidia-h100-sxm-80gb (128 nodes), held for 3 years, in use 80 % of it"
    # 46.3 and 45.4 million USD to own; spot is the cheapest rent, whose interruptions are in it.
    assert " ".join(lines[1:3]).startswith(
        "Renting costs 77.2 million USD (54.6 to 129 million USD) by spot, the cheapest;"
    )
    assert "owning costs 45.4 million USD (41.1 to 77.5 million USD) in china, the cheapest." in " ".join(
        ran.out.split()
    )
    # All ways side by side are wider than a terminal: what is rented and what is owned have a table each.
    rented, owned = ("on-demand", "reserved-1y", "reserved-3y", "spot"), ("own, usa", "own, china")
    for about in ("million USD, for all of it", "USD, an accelerator-hour in use"):
        heads = [line for line in lines if line.startswith(about)]
        for line, ways in zip(heads, (rented, owned), strict=True):
            assert all(way in line for way in ways)
    assert [line for line in lines if len(line) > 100] == []
    (head,) = [place for place, line in enumerate(lines) if line.startswith("owning  instead of ")]
    table = [line.split() for line in lines[head + 1 : head + 9]]
    assert [row[0] for row in table[::4]] == ["usa", "china"]
    assert [row[1] for row in table[::4]] == ["on-demand", "on-demand"]
    assert [row[0] for row in table[1:4]] == ["reserved-1y", "reserved-3y", "spot"]
    assert "Owners are charged 3 years of the 5 years in which machines are paid back" in ran.out
    assert "the runs before the last (--development, 3.4 for LLaMA)" in " ".join(ran.out.split())
    assert "tariff, own, china = 0.0915 USD/kWh (--tariff)" in " ".join(ran.out.split())


def test_no_line_is_wider_than_the_terminal_however_many_places(estimate: Estimate) -> None:
    places = ("usa", "azure-francecentral", "aws-us-east-1", "gcp-us-central1", "china")
    ran = estimate(*FLEET[:7], *(word for place in places for word in ("--place", place)))
    tables = [line for line in ran.out.splitlines() if line.startswith("million USD, for all of it")]
    assert all(sum(f"own, {place}" in line for line in tables) == 1 for place in places)
    assert [line for line in ran.out.splitlines() if len(line) > 100] == []


def test_a_reservation_above_the_price_without_one_is_told(estimate: Estimate) -> None:
    # On record: 7.67 USD, the one reserved-1y offer of 2025, against 6.35, the median of eight providers of 2026.
    told = "Warning: reserved-1y is dearer than on-demand: the offers on record are those of other providers."
    assert told in " ".join(estimate(*FLEET).out.split())
    assert "Warning" not in estimate(*RUN).out  # at one price there is nothing to compare


def test_the_years_of_the_prices_are_told(estimate: Estimate) -> None:
    told = (
        "Prices on record: rents of 2025 and 2026, machines of 2023, electricity of 2024, pay of 2024, exchange rates "
        "of 2026."
    )
    assert told in " ".join(estimate(*FLEET).out.split())
    document = json.loads(estimate(*RUN, "--format", "json").out)
    assert document["prices_of"] == {"machines": ["2023"], "electricity": ["2025"]}
    given = ("--purchase-price", "3e5 USD/node", "--tariff", "0.1 USD/kWh")
    assert "Prices on record" not in estimate(*RUN, *given).out


def test_owning_that_never_pays_reads_never(estimate: Estimate) -> None:
    """At half a dollar an hour owning costs more at any use; a dearer rent pays at some."""
    fleet = ("cost", "--on", "h100", "--count", "1024", "--period", "3 years", "--price")

    def _row(price: str) -> list[str]:
        (row,) = [
            line for line in estimate(*fleet, price).out.splitlines() if line.startswith("own     rented")
        ]
        return [cell.strip() for cell in row.split("  ") if cell.strip()][1:]

    never, part, late, pays = (_row(f"{price} USD/gpu/hour") for price in ("0.5", "1.8", "2.6", "9"))
    assert never == ["rented", "0.5 USD", "never", "never"]
    assert part[2].startswith("never (")
    assert part[2].endswith(" % to never)")
    assert part[3] == "never"  # used four fifths of the time, which is less than the low end
    assert late[3].endswith(" to never)")
    assert " % (" in pays[2]
    assert "never" not in " ".join(pays)


def test_one_way_to_rent_and_one_to_own_are_told_without_a_choice(estimate: Estimate) -> None:
    line = estimate(*RUN).out.splitlines()[1]
    assert line.startswith("Renting costs ")
    assert "; owning costs " in line
    assert "cheapest" not in line


def test_the_formats_hold_the_same_figures(estimate: Estimate) -> None:
    document = json.loads(estimate(*RUN, "--format", "json").out)
    assert document["schema"] == "estimator/cost/1"
    rows = list(csv.DictReader(io.StringIO(estimate(*RUN, "--format", "csv").out)))
    for way in document["ways"]:
        own = {
            row["part"]: float(row["value"])
            for row in rows
            if (row["way"], row["name"]) == (way["name"], "cost")
        }
        assert own.pop("") == way["cost"]["value"]
        assert own == {part: value for part, value in way["cost"]["parts"].items() if value}
        assert sum(own.values()) == pytest.approx(way["cost"]["value"], rel=1e-12)
    (even,) = document["break_even"]
    (share,) = [
        row for row in rows if row["way"] == "own instead of rented" and row["name"].endswith("utilisation")
    ]
    assert float(share["value"]) == even["break_even_utilisation"]["value"]
    assert even["rent_price"]["value"] == pytest.approx(2.0, rel=1e-12)
    markdown = estimate(*RUN, "--format", "markdown").out
    assert "| USD, an accelerator-hour in use | rented | own |" in markdown


def test_applications_share_the_cost(estimate: Estimate) -> None:
    ran = estimate(*RUN, "--applications", "10", "--adaptation", "20000 USD", "--format", "json")
    (rented, _) = json.loads(ran.out)["ways"]
    parts = rented["cost_per_application"]["parts"]
    assert parts == pytest.approx({"base_model": rented["cost"]["value"] / 10, "adaptation": 20_000})
    assert "each of 10 applications" in estimate(*RUN, "--applications", "10").out


@pytest.mark.parametrize(
    ("words", "fault"),
    [
        (
            ("cost", "--count", "8"),
            "nothing says what is paid for: give a model, like --params 65e9, or --period '3 years' for machines alone",
        ),
        (("cost", "--count", "8", "--period", "3"), "--period: '3' has no unit; write it like '3 years'"),
        (
            ("cost", "--count", "8", "--period", "1 year", "--spot-share", "150%"),
            "--spot-share: '150%' is more than 1, the most that makes sense here",
        ),
        (
            (*RUN, "--currency", "CNY", "--year", "2010"),
            "--year: no exchange rate of CNY in 2010 is on record; choose 2016 to 2026",
        ),
        ((*RUN, "--utilisation", "0"), "--utilisation: '0' must be more than zero"),
        (
            (*RUN[:-1], "5 CNY/gpu/hour", "--year", "2010"),
            "--year: no exchange rate of CNY in 2010 is on record; choose 2016 to 2026",
        ),
        ((*RUN, "--goodput", "0"), "--goodput: '0' must be more than zero"),
        (
            ("cost", "--params", "7B", "--price", "2 USD/hour"),
            "--price: '2 USD/hour' does not say what it is per; write '2 USD/gpu/hour' or '16 USD/node/hour'",
        ),
        (
            ("cost", "--params", "7B", "--price", "2 USD"),
            "--price: '2 USD' measures money, but a price is money per accelerator and time, like '2 USD/gpu/hour'",
        ),
        (
            (*RUN, "--tariff", "80 USD"),
            "--tariff: '80 USD' is an amount of money, but a tariff is money per energy, like '0.08 USD/kWh'",
        ),
    ],
)
def test_what_is_wrong_is_one_message(estimate: Estimate, words: tuple[str, ...], fault: str) -> None:
    ran = estimate(*words)
    assert (ran.code, ran.out) == (2, "")
    assert f"Error: {fault}" in ran.err.splitlines()


@pytest.mark.parametrize(
    ("words", "faults"),
    [
        (
            ("--params", "65GB", "--period", "3", "--place", "nowhere", "--grid", "fra"),
            [
                "--period: '3' has no unit; write it like '3 years'",
                "--period: nothing says how many accelerators are held; give --count or --nodes",
                "--grid and --place contradict each other; give one of them",
                "--place: no grid is called 'nowhere'; did you mean 'northeurope' or 'nor' or 'ner'?",
                "--params: '65GB' is not a count; write it like 65e9, 65B or 1.4T",
            ],
        ),
        (
            ("--place", "x", "--price", "2"),
            [
                "nothing says what is paid for: give a model, like --params 65e9, or --period '3 years' for machines "
                "alone",
                "--place: no grid is called 'x'; did you mean 'mx'?",
                "--price: '2' has no unit; write it like '2 USD/gpu/hour'",
            ],
        ),
        (
            ("--params", "7B", "--count", "8", "--currency", "CNY", "--year", "2010", "--place", "chinaa"),
            [
                "--place: no grid is called 'chinaa'; did you mean 'china' or 'chn' or 'canada'?",
                "--year: no exchange rate of CNY in 2010 is on record; choose 2016 to 2026",
            ],
        ),
    ],
)
def test_all_that_is_wrong_is_told_together(
    estimate: Estimate, words: tuple[str, ...], faults: list[str]
) -> None:
    ran = estimate("cost", *words)
    assert (ran.code, ran.out) == (2, "")
    assert ran.err.splitlines() == [f"Error: {fault}" for fault in faults]
