"""Parquet, row group by row group; pyarrow is imported when a file is written or read, and not before."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, BinaryIO

from ..errors import EstimatorError
from . import footers
from .table import Cells, Coded, Column

# The key of a file's metadata under which stands what it answers.
QUESTION = b"estimator.sweep"


def _libraries() -> tuple[Any, Any]:
    from importlib import import_module

    try:
        return import_module("pyarrow"), import_module("pyarrow.parquet")
    except ImportError:
        raise EstimatorError(
            "-o: Parquet needs pyarrow; install it with: pip install 'train-estimator[parquet]', or name a file "
            "that ends in .csv or .jsonl"
        ) from None


def _schema(columns: Sequence[Column], question: str) -> Any:
    """Return the schema: numbers with their unit, words in a dictionary, and the question."""
    arrow, _ = _libraries()
    fields = [
        arrow.field(column.name, arrow.float64(), metadata={"unit": column.unit})
        if column.unit
        else arrow.field(column.name, arrow.dictionary(arrow.int32(), arrow.string()))
        for column in columns
    ]
    return arrow.schema(fields, metadata={QUESTION: question})


class Parquet:
    """Parts are files of one row group each, and the file has them one after the other."""

    suffix = ".parquet"

    def __init__(self, columns: Sequence[Column], question: str) -> None:
        """Hold what every part has in common."""
        _libraries()
        self.columns, self.question = columns, question

    def part(self, stream: BinaryIO, cells: Cells) -> None:
        """Write one part."""
        arrow, parquet = _libraries()
        schema = _schema(self.columns, self.question)
        arrays = [
            arrow.DictionaryArray.from_arrays(cell.codes, list(cell.words))
            if isinstance(cell, Coded)
            else cell
            for cell in cells.values()
        ]
        table = arrow.Table.from_arrays([arrow.array(each) for each in arrays], schema=schema)
        # A dictionary of numbers that hardly repeat takes four times as long and more room.
        words = [column.name for column in self.columns if not column.unit]
        parquet.write_table(table, stream, compression="zstd", use_dictionary=words)

    def rows(self, path: Path) -> int:
        """Return how many rows a part has; none where it is damaged."""
        arrow, parquet = _libraries()
        try:
            return parquet.read_metadata(path).num_rows
        except (arrow.ArrowException, OSError):
            return 0

    def join(self, parts: Iterable[Path], path: Path) -> None:
        """Write the file from its parts, whose row groups are copied as they are."""
        footers.join(parts, path)

    def question_of(self, path: Path) -> str | None:
        """Return what a file answers; None where it does not say so."""
        arrow, parquet = _libraries()
        try:
            kept: dict[bytes, bytes] = parquet.read_schema(path).metadata or {}
        except (arrow.ArrowException, OSError):
            return None
        return kept[QUESTION].decode() if QUESTION in kept else None
