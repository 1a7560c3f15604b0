"""Every record and every row of presets/: it loads, it is cited, and what it refers to is there."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from estimator import schema
from estimator.inputs.table import PRECISIONS
from estimator.presets import Presets, alias_index, data_dir, read_rows
from estimator.records import Record

PRESETS = Presets()
KINDS = sorted(path.name for path in data_dir().iterdir() if path.is_dir() and any(path.glob("*.toml")))
RECORD_KINDS = [kind for kind in KINDS if kind in schema.FIGURES]
TABLES = sorted(path.relative_to(data_dir()).with_suffix("").as_posix() for path in data_dir().rglob("*.csv"))


@cache
def records(kind: str) -> tuple[Record, ...]:
    return tuple(PRESETS.all(kind))


def ids(kind: str) -> set[str]:
    return {record.id for record in records(kind)}


def every_record() -> Iterator[Record]:
    for kind in RECORD_KINDS:
        yield from records(kind)


def aliases(record: Record) -> list[str]:
    return [str(alias) for alias in record.words.get("aliases", ())]


every_kind = pytest.mark.parametrize("kind", RECORD_KINDS)


def test_every_folder_is_a_kind_that_the_schema_knows() -> None:
    folders = {path.name for path in data_dir().iterdir() if path.is_dir()}
    tables = {name.split("/")[0] for name in TABLES}
    assert folders - set(schema.FIGURES) <= tables
    assert schema.FIGURES.keys() == schema.WORDS.keys()
    assert set(RECORD_KINDS) == set(schema.FIGURES)


@every_kind
def test_every_record_of_a_kind_loads(kind: str) -> None:
    assert records(kind)


@every_kind
def test_ids_are_lower_case(kind: str) -> None:
    allowed = re.compile(r"[A-Z]\d+" if kind == "claims" else r"[a-z0-9.-]+")
    assert [name for name in sorted(ids(kind)) if not allowed.fullmatch(name)] == []


@every_kind
def test_an_alias_leads_to_one_record(kind: str) -> None:
    beside = records("families") if kind == "accelerators" else ()
    known = ids(kind) | {record.id for record in beside}
    counted = Counter(alias.lower() for record in (*records(kind), *beside) for alias in aliases(record))
    assert [alias for alias, count in counted.items() if count > 1] == []
    assert sorted(known & counted.keys()) == []


@every_kind
def test_the_index_finds_every_alias(kind: str) -> None:
    """The index reads one line of each file: a list of aliases over several lines would be lost."""
    listed = {alias.lower(): record.id for record in records(kind) for alias in aliases(record)}
    assert alias_index(PRESETS.files(kind)) == listed


@every_kind
def test_every_record_names_its_sources(kind: str) -> None:
    bare = [record.id for record in records(kind) if not record.sources and kind != "families"]
    assert bare == []


def test_every_assumed_figure_has_a_range_and_every_unverified_one_is_assumed() -> None:
    for record in every_record():
        for name, figure in record.figures.items():
            where = f"{record.kind}/{record.id}: {name}"
            if figure.kind == "assumed":
                assert figure.low is not None, where
                assert figure.high is not None, where
            assert figure.verified or figure.kind == "assumed", where


def test_what_an_accelerator_refers_to_is_there() -> None:
    for record in records("accelerators"):
        node = record.words.get("default_node")
        assert node is None or node in ids("nodes"), record.id
        assert record.words.get("vendor"), record.id
        assert record.words.get("architecture"), record.id
        if node:
            inside = PRESETS.load("accelerators", str(PRESETS.load("nodes", str(node)).words["accelerator"]))
            assert inside.words["family"] == record.words["family"], f"{record.id} does not go into {node}"


def test_what_a_node_refers_to_is_there() -> None:
    for record in records("nodes"):
        assert record.words.get("accelerator") in ids("accelerators"), record.id
        assert record.value("accelerators") >= 1, record.id


def test_what_a_family_refers_to_is_there() -> None:
    for record in records("families"):
        members = [str(member) for member in record.words.get("members", ())]
        assert members, record.id
        assert set(members) <= ids("accelerators"), record.id
        default = record.words.get("default")
        assert default is None or default in members, record.id
        assert default is None or record.words.get("reason"), f"{record.id} has a default but no reason"


def test_a_calibration_is_of_an_accelerator_or_an_architecture() -> None:
    architectures = {f"architecture-{record.words.get('architecture')}" for record in records("accelerators")}
    places = ids("accelerators") | architectures | {"any"}
    of_chips = [name for name in ids("calibrations") if name.startswith("efficiency-")]
    assert of_chips
    assert [name for name in of_chips if name.removeprefix("efficiency-") not in places] == []


def test_what_the_defaults_name_is_there() -> None:
    choices = PRESETS.load("assumptions", "defaults").words["choices"]
    assert all(choice.get("reason") for choice in choices.values())
    kinds = {"accelerator": "accelerators", "optimizer": "optimizers", "grid": "grids", "node": "nodes"}
    for name, choice in choices.items():
        if name in kinds:
            assert choice["value"] in ids(kinds[name]), name


@pytest.mark.parametrize("table", TABLES)
def test_every_row_cites_a_source_that_exists(table: str) -> None:
    rows = read_rows(PRESETS, table)
    assert rows
    assert all(row.source.title and row.source.publisher for row in rows)
    broken = [
        number for number, row in enumerate(rows, start=2) if None in row.cells or None in row.cells.values()
    ]
    assert broken == [], "rows with more or fewer cells than the header"


def test_a_rent_is_of_an_accelerator_or_a_family_with_plan_price_and_date() -> None:
    families = {str(record.words.get("family")) for record in records("accelerators")} | ids("families")
    for path in sorted((data_dir() / "prices" / "rent").glob("*.csv")):
        assert path.stem in ids("accelerators") | families | {"unrecorded"}, path.name
        for number, row in enumerate(read_rows(PRESETS, f"prices/rent/{path.stem}"), start=2):
            where = f"{path.name}, line {number}"
            assert float(row.cells["price"]) > 0, where
            assert re.fullmatch(r"[A-Z]{3}/accelerator/hour", row.cells["unit"]), where
            assert row.cells["plan"] in ("on-demand", "reserved-1y", "reserved-3y", "spot"), where
            assert re.fullmatch(r"20\d\d(-\d\d(-\d\d)?)?", row.cells["as_of"]), where


@pytest.mark.parametrize("precision", PRECISIONS)
def test_every_precision_that_a_question_may_name_has_a_peak_that_a_chip_may_have(precision: str) -> None:
    held = schema.FIGURES["accelerators"]
    assert held is not None
    assert held[schema.peak_name(precision)] == "FLOP/s"


def test_files_are_utf8_with_plain_line_ends() -> None:
    for path in sorted(Path(data_dir()).rglob("*")):
        if path.suffix in (".toml", ".csv"):
            data = path.read_bytes()
            assert b"\r" not in data, path
            assert data.endswith(b"\n"), path
            data.decode("utf-8")
