"""`estimate presets`: lists, single records, dated rows, a user's own folder and its check, in every format."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from estimator.catalogue import KINDS, RECORD_KINDS
from estimator.presets import Presets

from .run import Ran

Estimate = Callable[..., Ran]
CHIP = """
name = "Acme One"
aliases = ["acme1"]
vendor = "Acme"
launch = 2026
family = "acme"
architecture = "acme"

[sources.sheet]
title = "Acme One data sheet"
publisher = "Acme"
checked = 2026-11-21

[figures]
memory = { value = "96 GiB", source = "sheet", where = "page 2", kind = "stated" }
memory_usable = { value = "95 GiB", low = "94 GiB", source = "sheet", where = "page 2", kind = "stated" }
peak_bf16 = { value = "500 TFLOP/s", source = "sheet", where = "page 1", kind = "stated", verified = false }
power = { value = "600 W", source = "sheet", where = "page 3", kind = "stated", note = "nameplate" }
"""
OFFERS = """provider,instance,count,region,price,unit,plan,statistic,as_of,source,where,verified,note
Acme Cloud,one.8x,8,home,1.5,USD/accelerator/hour,on-demand,list,2026-11-01,book,page 1,true,
Acme Cloud,one.8x,8,home,0.9,USD/accelerator/hour,reserved-1y,list,2025-11-01,book,page 1,true,
"""
BOOK = """
[sources.book]
title = "Acme price book"
publisher = "Acme"
checked = 2026-11-21
"""


@pytest.fixture
def own(tmp_path: Path) -> Path:
    """A user's folder with a chip and its price book."""
    folder = tmp_path / "my-presets"
    (folder / "accelerators").mkdir(parents=True)
    (folder / "accelerators" / "acme-one.toml").write_text(CHIP, encoding="utf-8")
    (folder / "prices" / "rent").mkdir(parents=True)
    (folder / "prices" / "sources.toml").write_text(BOOK, encoding="utf-8")
    (folder / "prices" / "rent" / "acme-one.csv").write_text(OFFERS, encoding="utf-8")
    return folder


def rows(text: str) -> list[dict[str, str]]:
    found = list(csv.DictReader(io.StringIO(text)))
    assert all(None not in row and None not in row.values() for row in found), "a row is ragged"
    return found


def document(ran: Ran) -> Any:
    assert ran.code == 0, ran.err
    found = json.loads(ran.out)
    assert found["schema"] == "estimator/presets/1"
    return found


def test_every_kind_is_listed_with_its_count(estimate: Estimate) -> None:
    ran = estimate("presets")
    assert ran.code == 0
    for kind, about in KINDS.items():
        assert f"\n{kind} " in "\n" + ran.out
        assert about in ran.out
    counts = {
        item["kind"]: item["count"] for item in document(estimate("presets", "--format", "json"))["kinds"]
    }
    assert counts["accelerators"] == len(Presets().files("accelerators"))
    assert counts["claims"] == 38
    assert all(counts.values())


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_lists_in_every_format(estimate: Estimate, kind: str) -> None:
    table = estimate("presets", kind)
    assert table.code == 0, table.err
    assert estimate("presets", kind, "--format", "markdown").out.startswith("| ")
    listed = rows(estimate("presets", kind, "--format", "csv").out)
    held = document(estimate("presets", kind, "--format", "json"))
    assert len(listed) == len(held["records"] if kind in RECORD_KINDS else held["tables"]) > 0


def test_accelerators_show_their_key_figures(estimate: Estimate) -> None:
    lines = estimate("presets", "accelerators").out.splitlines()
    assert lines[0].split() == ["id", "name", "memory", "peak_bf16", "peak_fp16", "power", "launch"]
    line = next(line for line in lines if line.startswith("nvidia-a100-sxm-80gb "))
    assert " ".join(line.split()).endswith("80 GiB 312 TFLOP/s 312 TFLOP/s 400 W 2020")


def test_models_show_their_key_figures(estimate: Estimate) -> None:
    lines = estimate("presets", "models").out.splitlines()
    assert lines[0].split() == ["id", "parameters", "layers", "hidden", "organisation", "year"]
    line = next(line for line in lines if line.startswith("llama-65b "))
    assert " ".join(line.split()) == "llama-65b 65.3 billion 80 8,192 Meta AI 2023"


def test_csv_has_house_units_and_says_which(estimate: Estimate) -> None:
    listed = rows(estimate("presets", "accelerators", "--format", "csv").out)
    row = next(row for row in listed if row["id"] == "nvidia-a100-sxm-80gb")
    assert row["memory [byte]"] == repr(80.0 * 2**30)
    assert row["peak_bf16 [FLOP/s]"] == "312000000000000.0"
    assert row["launch"] == "2020"


@pytest.mark.parametrize("word", ["accelerator", "accelerators", "Accelerators"])
def test_a_kind_may_be_in_the_singular(estimate: Estimate, word: str) -> None:
    assert estimate("presets", word).out == estimate("presets", "accelerators").out


def test_one_record_shows_every_figure_with_its_source(estimate: Estimate) -> None:
    record = Presets().load("accelerators", "nvidia-a100-sxm-80gb")
    out = estimate("presets", "accelerators", "nvidia-a100-sxm-80gb").out
    for name, figure in record.figures.items():
        line = next(line for line in out.splitlines() if line.startswith(f"{name} ") and figure.text in line)
        assert figure.kind in line
        assert figure.where in line
        assert figure.note in line
        assert f"  {figure.source.key} " in line
    for source in record.sources.values():
        assert source.cite() in out
    assert "79 to 79.5 GiB" in out
    assert "accelerators/nvidia-a100-sxm-80gb.toml" in out


def test_json_has_house_units_and_the_text_as_written(estimate: Estimate) -> None:
    held = document(estimate("presets", "accelerator", "a100", "--format", "json"))
    assert held["record"]["id"] == "nvidia-a100-sxm-80gb"
    assert held["record"]["figures"]["memory_usable"] == {
        "value": 79.2 * 2**30, "unit": "byte", "low": 79.0 * 2**30, "high": 79.5 * 2**30, "text": "79.2 GiB",
        "kind": "assumed", "verified": True, "source": "house",
        "where": "device total as frameworks report it, remembered", "note": "",
    }  # fmt: skip
    assert held["record"]["sources"]["house"]["publisher"] == "estimator"
    assert held["family"]["id"] == "a100"


def test_a_family_says_its_members_the_one_taken_and_why(estimate: Estimate) -> None:
    first = estimate("presets", "accelerators", "a100").out.splitlines()[0]
    assert first == (
        "'a100' may be any of nvidia-a100-sxm-80gb, nvidia-a100-sxm-40gb, nvidia-a100-pcie-80gb, "
        "nvidia-a100-pcie-40gb; nvidia-a100-sxm-80gb is taken: the SXM 80GB is the A100 most published training "
        "runs name; the dense peaks of all four are the same, memory, link and power differ"
    )


def test_a_family_that_is_a_tie_is_shown_itself(estimate: Estimate) -> None:
    ran = estimate("presets", "accelerators", "ascend")
    assert ran.code == 0
    assert ran.out.startswith("Huawei Ascend (family ascend)")
    assert "huawei-ascend-910b2" in ran.out


@pytest.mark.parametrize("kind", RECORD_KINDS)
def test_any_record_of_any_kind_is_shown_in_every_format(estimate: Estimate, kind: str) -> None:
    name = next(iter(Presets().files(kind)))
    assert estimate("presets", kind, name).code == 0
    assert estimate("presets", kind, name, "--format", "markdown").code == 0
    assert document(estimate("presets", kind, name, "--format", "json"))["record"]["id"] == name
    assert rows(estimate("presets", kind, name, "--format", "csv").out)


def test_search_looks_at_ids_names_and_aliases(estimate: Estimate) -> None:
    found = document(estimate("presets", "accelerators", "--search", "A100-SXM4-80GB", "--format", "json"))[
        "records"
    ]
    assert [record["id"] for record in found] == ["nvidia-a100-sxm-80gb"]
    everywhere = estimate("presets", "--search", "h800").out
    assert "nvidia-h800-sxm-80gb" in everywhere
    assert "families" in everywhere


def test_prices_of_a_chip_are_dated_offers_with_sources(estimate: Estimate) -> None:
    ran = estimate("presets", "prices", "nvidia-h100-sxm-80gb", "--plan", "spot", "--format", "json")
    held = document(ran)
    assert {row["plan"] for row in held["rows"]} == {"spot"}
    for row in held["rows"]:
        assert row["text"] == f"{row['price']} USD/accelerator/hour"
        assert row["value"] == pytest.approx(float(row["price"]) / 3600)
        assert row["house_unit"] == "USD/accelerator/s"
        assert row["source"] in held["sources"]


def test_prices_of_a_family_are_those_of_its_members(estimate: Estimate) -> None:
    listed = rows(estimate("presets", "prices", "a100", "--year", "2025", "--format", "csv").out)
    assert {row["as_of"][:4] for row in listed} == {"2025"}
    assert {"a100", "nvidia-a100-sxm-80gb"} <= {row["accelerator"] for row in listed}


def test_reserved_stands_for_both_terms(estimate: Estimate) -> None:
    listed = rows(estimate("presets", "prices", "h100", "--plan", "reserved", "--format", "csv").out)
    assert {row["plan"] for row in listed} == {"reserved-1y", "reserved-3y"}


def test_reserved_lists_what_an_answer_takes_for_it(estimate: Estimate, own: Path) -> None:
    """A user's own price book may leave the term open; the answer takes that offer, and the list shows it."""
    book = own / "prices" / "rent" / "acme-one.csv"
    book.write_text(OFFERS.replace("on-demand", "reserved"), encoding="utf-8")
    options = ("--plan", "reserved", "--presets", str(own), "--format")
    listed = rows(estimate("presets", "prices", "acme-one", *options, "csv").out)
    assert {row["plan"]: row["price"] for row in listed} == {"reserved": "1.5", "reserved-1y": "0.9"}
    answer = json.loads(estimate("train", "--params", "1e9", "--on", "acme-one", *options, "json").out)
    (reason,) = [each["reason"] for each in answer["assumptions"] if each["option"] == "--price"]
    assert "the one reserved offer of 2026" in reason


def test_exchange_rates_of_a_currency(estimate: Estimate) -> None:
    held = document(estimate("presets", "exchange-rates", "cny", "--year", "2023", "--format", "json"))
    (row,) = held["rows"]
    assert (row["currency"], row["year"], row["per_usd"]) == ("CNY", "2023", "7.084631")
    assert (row["value"], row["house_unit"]) == (7.084631, "CNY/USD")


def test_measurements_keep_every_column(estimate: Estimate) -> None:
    listed = rows(estimate("presets", "measurements", "throughput", "--format", "csv").out)
    assert len(listed) > 1000
    assert {"table", "tokens_per_s_per_accelerator", "source", "config_group"} <= set(listed[0])


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (
            ["acelerators"],
            "there is no kind of preset 'acelerators'; did you mean 'accelerators' or 'calibrations' or 'platforms'?",
        ),
        (["zzz"], f"there is no kind of preset 'zzz'; choose {', '.join(KINDS)}"),
        (
            ["accelerators", "nvidia-a100-smx-80gb"],
            "no accelerator is called 'nvidia-a100-smx-80gb'; did you mean 'nvidia-a100-sxm-80gb'",
        ),
        (["accelerators", "../grids/usa"], "no accelerator is called '../grids/usa'"),
        (["prices", "nvidia-h20"], "there are no prices of 'nvidia-h20' on record"),
        (["exchange-rates", "CYN"], "there are no exchange-rates of 'CYN'; did you mean 'CNY'?"),
        (["exchange-rates", "QQQ"], "there are no exchange-rates of 'QQQ'; choose "),
        (
            ["accelerators", "--search", "zzz"],
            "--search: nothing on record has 'zzz' in its id, name or aliases",
        ),
        (["prices", "--search", "zzz"], "--search: no prices on record are about 'zzz'"),
        (
            ["accelerators", "a100", "--search", "sxm"],
            "--search: searches a list, but 'a100' is one record; leave one of them out",
        ),
        (
            ["prices", "--plan", "monthly"],
            "--plan: 'monthly' is not known; choose on-demand, reserved, reserved-1y, reserved-3y, spot",
        ),
        (
            ["models", "--plan", "spot"],
            "--plan: only prices have a plan; ask for: estimate presets prices --plan spot",
        ),
        (["--year", "2025"], "--year: only prices, purchases, exchange-rates, tariffs and pay are dated"),
        (
            ["prices", "h100", "--year", "1999"],
            "no prices on record are left by --year 1999; leave it out",
        ),
        (["check"], "presets check: name the folder to check, like: estimate presets check my-presets"),
        (["check", "no-such"], "'no-such' is not a folder; name one that holds accelerators/, models/ ..."),
        (
            ["accelerators", "--presets", "no-such"],
            "--presets: 'no-such' is not a folder; name one that holds accelerators/, models/ ...",
        ),
    ],
)
def test_the_words_of_every_fault(estimate: Estimate, words: list[str], message: str) -> None:
    ran = estimate("presets", *words)
    assert ran.code == 2
    assert ran.out == ""
    assert ran.err.startswith(f"Error: {message}")
    assert ran.err.count("\n") == 1


def test_an_own_chip_stands_beside_ours(estimate: Estimate, own: Path) -> None:
    out = estimate("presets", "accelerators", "acme1", "--presets", str(own)).out
    assert out.startswith(f"Acme One (accelerator acme-one), {own / 'accelerators' / 'acme-one.toml'}")
    assert "stated, not verified" in out
    assert "page 3 (nameplate)" in out
    assert "acme-one" in estimate("presets", "accelerators", "--presets", str(own)).out
    assert "Acme Cloud" in estimate("presets", "prices", "acme-one", "--presets", str(own)).out


def test_an_own_chip_and_price_book_answer_a_question(estimate: Estimate, own: Path) -> None:
    words = ("--params", "7B", "--tokens", "140B", "--count", "64", "--mfu", "0.5", "--goodput", "1",
             "--presets", str(own))  # fmt: skip
    ran = estimate("train", "--on", "acme1", *words, "--format", "json")
    assert ran.code == 0, ran.err
    answer = json.loads(ran.out)
    hours = answer["flops"]["value"] / (0.5 * 500e12) / 3600
    assert answer["accelerator_hours"]["value"] == pytest.approx(hours)
    assert answer["cost"]["value"] == pytest.approx(1.5 * hours)
    assert 'Acme, "Acme price book"' in answer["sources"]
    assert 'Acme, "Acme One data sheet"' in answer["sources"]


def test_a_sound_folder_passes_its_check(estimate: Estimate, own: Path) -> None:
    ran = estimate("presets", "check", str(own))
    assert ran.code == 0
    assert f"Nothing is wrong with '{own}'." in ran.out
    held = document(estimate("presets", "check", str(own), "--format", "json"))
    assert held["records"] == {"accelerators": 1, "prices": 2}


def test_our_own_records_pass_the_same_check(estimate: Estimate) -> None:
    assert estimate("presets", "check", str(Presets().folders[-1])).code == 0


ONE_FIGURE = """[sources.s]
title = "t"
publisher = "p"

[figures]
{} = {{ value = {}, source = "s", where = "w", kind = "stated" }}
"""


@pytest.mark.parametrize(
    ("place", "text", "message"),
    [
        ("accelerators/bad.toml", 'name = "x"\n[figures', "{path}: not TOML: "),
        ("accelerators/bad.toml", 'vendor = "x"', "{path}: the key 'name' is missing"),
        ("accelerators/bad.toml", 'name = "x"\nvendr = "y"', "{path}: unknown key 'vendr'; did you mean 'vendor'?"),
        (
            "accelerators/bad.toml",
            'name = "x"\ndefault_node = "nowhere"\n' + ONE_FIGURE.format("peak_bf16", '"1 TFLOP/s"'),
            "{path}: default_node: no node has the id 'nowhere'",
        ),
        (
            "links/bad.toml",
            'name = "x"\naliases = [\n  "y",\n]',
            "{path}: the alias 'y' is never found; write all on one line near the top, like aliases = [",
        ),
        (
            "links/bad.toml",
            'name = "x"\naliases = "y"',
            "{path}: the alias 'y' is never found; write all on one line near the top, like aliases = [",
        ),
        (
            "accelerators/Bad_One.toml",
            'name = "x"',
            "{path}: 'Bad_One' is not an id: lower-case letters, digits, '.' and '-' alone",
        ),
        ("accelerators/bad.yaml", "name: x", "{path}: is never read; a record is a file that ends in .toml"),
        (
            "accelerator/bad.toml",
            'name = "x"',
            "{parent}: no kind of preset is called 'accelerator'; did you mean 'accelerators'?",
        ),
        (
            "bad.toml",
            'name = "x"',
            "{path}: is never read here; move it into the folder of its kind, like accelerators/",
        ),
        (
            "nodes/bad.toml",
            'name = "x"\naccelerator = "acme-won"\n' + ONE_FIGURE.format("accelerators", 8),
            "{path}: accelerator: no accelerator has the id 'acme-won'; did you mean 'acme-one'?",
        ),
        (
            "prices/rent/acme-two.csv",
            OFFERS,
            "{path}: no accelerator or family has the id 'acme-two', so these offers are never used; "
            "did you mean 'acme-one'?",
        ),
        (
            "prices/rent/acme-one.csv",
            OFFERS.replace("1.5,", "cheap,"),
            "{path}, line 2: the price is 'cheap'; write a number, like 2.5",
        ),
        (
            "prices/rent/acme-one.csv",
            OFFERS.replace("USD/accelerator/hour,on", "USD/hour,on"),
            "{path}, line 2: the unit is 'USD/hour'; write it like USD/accelerator/hour",
        ),
        (
            "prices/rent/acme-one.csv",
            OFFERS.replace("reserved-1y", "yearly"),
            "{path}, line 3: the plan is 'yearly'; choose on-demand, reserved, reserved-1y, reserved-3y, spot",
        ),
        (
            "prices/rent/acme-one.csv",
            OFFERS.replace("2025-11-01", "last year"),
            "{path}, line 3: the date as_of is 'last year'; write it like 2026-11-21, 2026-11 or 2026",
        ),
        (
            "prices/rent/acme-one.csv",
            OFFERS.replace("book", "bok"),
            "{path}, line 2: cites 'bok', which no sources.toml above it holds",
        ),
        (
            "prices/exchange-rates.csv",
            "currency,year,per_usd,days,source\nXYZ,2026,2,250,book\n",
            "{path}, line 2: the currency is 'XYZ'; choose USD, CNY, ",
        ),
        (
            "prices/electricity.csv",
            "place,first_year,last_year,price,unit,source,where\nusa,2026,2026,0.1,USD,book,bill\n",
            "{path}, line 2: the unit is 'USD'; write it like USD/kWh",
        ),
        (
            "prices/pay.csv",
            "place,first_year,last_year,pay,unit,source,where\n,2026,2026,1e5,USD/year,book,list\n",
            "{path}, line 2: the column 'place' is empty",
        ),
    ],
)  # fmt: skip
def test_a_check_finds_every_kind_of_fault(
    estimate: Estimate, own: Path, place: str, text: str, message: str
) -> None:
    path = own / place
    path.parent.mkdir(exist_ok=True)
    path.write_text(text, encoding="utf-8")
    ran = estimate("presets", "check", str(own))
    assert ran.code == 2
    wanted = message.replace("{path}", str(path)).replace("{parent}", str(path.parent))
    assert ran.err.startswith(f"Error: {wanted}")


def test_a_check_lists_all_faults_at_once(estimate: Estimate, own: Path) -> None:
    for name in ("one", "two", "three"):
        (own / "accelerators" / f"{name}.toml").write_text("", encoding="utf-8")
    ran = estimate("presets", "check", str(own))
    assert ran.code == 2
    assert ran.err.count("the key 'name' is missing") == ran.err.count("\n") == 3


def test_columns_line_up_under_wide_characters() -> None:
    from estimator.report.grid import Grid, display_width

    lines = Grid(["claim", "n"], [["千卡并行", "1"], ["a card", "2"]]).table().splitlines()
    assert len({display_width(line) for line in lines}) == 1
    assert lines[1] == "千卡并行  1"
    assert lines[2] == "a card    2"
