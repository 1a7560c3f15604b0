"""Parquet files put behind each other are read as their tables one after the other."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from estimator.sweeps import footers

pa: Any = pytest.importorskip("pyarrow")
pq: Any = pytest.importorskip("pyarrow.parquet")

SCHEMA = pa.schema(
    [pa.field("cost", pa.float64(), metadata={"unit": "USD"}), pa.field("on", pa.dictionary(pa.int32(), pa.string()))],
    metadata={"question": "a" * 300},
)  # fmt: skip


def table(sizes: int, seed: int) -> Any:
    """Numbers, some of them NaN, and words of which each part has one of its own."""
    draw = np.random.default_rng(seed)
    numbers = np.where(draw.random(sizes) < 0.1, np.nan, draw.normal(size=sizes))
    words = pa.DictionaryArray.from_arrays(
        draw.integers(0, 2, sizes).astype(np.int32), ["h100", f"chip {seed}"]
    )
    return pa.Table.from_arrays([pa.array(numbers), words], schema=SCHEMA)


def written(folder: Path, tables: list[Any], **how: Any) -> list[Path]:
    paths = [folder / f"{place}.parquet" for place in range(len(tables))]
    for path, each in zip(paths, tables, strict=True):
        pq.write_table(each, path, compression="zstd", use_dictionary=["on"], **how)
    return paths


@given(st.lists(st.integers(1, 900), min_size=1, max_size=20), st.booleans(), st.integers(300, 2000))
@settings(max_examples=8, deadline=None)
def test_the_whole_is_read_as_its_parts_in_order(
    tmp_path_factory: pytest.TempPathFactory, sizes: list[int], indexed: bool, rows: int
) -> None:
    folder = tmp_path_factory.mktemp("parts")
    tables = [table(size, place) for place, size in enumerate(sizes)]
    parts = written(folder, tables, write_page_index=indexed, row_group_size=rows)
    whole = folder / "whole.parquet"
    footers.join(parts, whole)
    read = pq.read_table(whole)
    assert read.schema.equals(SCHEMA, check_metadata=True)
    # NaN is not equal to itself: the numbers are compared by their bytes.
    columns = [np.concatenate([each["cost"].to_numpy() for each in tables]), read["cost"].to_numpy()]
    assert columns[0].tobytes() == columns[1].tobytes()
    assert read["on"].to_pylist() == [word for each in tables for word in each["on"].to_pylist()]
    kept = [group(pq.read_metadata(part), place) for part in parts for place in range(groups(part))]
    assert [group(pq.read_metadata(whole), place) for place in range(groups(whole))] == kept


def groups(path: Path) -> int:
    return pq.read_metadata(path).num_row_groups


def group(read: Any, place: int) -> list[tuple[Any, ...]]:
    """What a footer tells of a row group, but for where it stands."""
    own = read.row_group(place)
    columns = [own.column(number) for number in range(own.num_columns)]
    sizes = ((each.num_values, each.total_compressed_size, each.compression) for each in columns)
    ends = ((each.statistics.min, each.statistics.max, each.statistics.null_count) for each in columns)
    return [(own.num_rows, *size, *end) for size, end in zip(sizes, ends, strict=True)]


def test_one_part_alone_is_copied_with_its_record_but_for_the_number_of_its_group(tmp_path: Path) -> None:
    (part,) = written(tmp_path, [table(50, 1)])
    footers.join([part], tmp_path / "whole.parquet")
    with part.open("rb") as one, (tmp_path / "whole.parquet").open("rb") as other:
        (pages, before), (same, after) = footers.read_footer(one), footers.read_footer(other)
    assert pages == same
    for each in before[4].value:
        each.pop(7, None)  # the number of the group, where the writer gave it
    assert before == after


@pytest.mark.parametrize("left", [0, 3, 11, 200])
def test_a_part_that_is_cut_off_is_none(tmp_path: Path, left: int) -> None:
    (part,) = written(tmp_path, [table(50, 1)])
    part.write_bytes(part.read_bytes()[:left])
    with pytest.raises(ValueError, match="no whole Parquet file"):
        footers.join([part], tmp_path / "whole.parquet")
