"""Puts Parquet files behind each other without reading their cells: pages are copied, their list at the end made anew.

A Parquet file is pages, then a record of where each stands, in the compact form of Thrift: numbers of a varying
length, fields by their number. Nothing else in the file tells a place, so that row groups move as they are, and
only so many bytes are added to the places. pyarrow, which writes the parts, has no call for it: it would decode them.

References
----------
Apache Parquet, "File Format" and `parquet.thrift` (https://parquet.apache.org/docs/file-format/); Apache Thrift,
"Thrift compact protocol encoding" (thrift-compact-protocol.md).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from io import BytesIO
from pathlib import Path
from typing import Any, BinaryIO

from ..tuples import NamedTuple

MAGIC = b"PAR1"
# So many bytes are copied at a time.
_BLOCK = 1 << 20
# What stands behind the record: its length in four bytes, and the magic.
_TAIL = 8
# Types of Thrift's compact form.
_TRUE, _FALSE, _BYTE, _I16, _I32, _I64, _DOUBLE, _BINARY, _LIST, _STRUCT = 1, 2, 3, 4, 5, 6, 7, 8, 9, 12
# A field's number is told as the step from the one before, up to so much; a list's length likewise.
_SHORT = 15
# Fields of the records, by their numbers in `parquet.thrift`.
_ROWS, _GROUPS = 3, 4
_COLUMNS, _ORDINAL = 1, 7
_META = 3
_PLACES: Mapping[str, tuple[int, ...]] = {"group": (5,), "chunk": (2, 4, 6), "meta": (9, 10, 11, 14)}


class Value(NamedTuple):
    """A value and its type; that of a list has the type of its items."""

    type: int
    value: Any
    items: int = 0


Struct = dict[int, Value]


def join(parts: Iterable[Path], path: Path) -> None:
    """Write a file that holds the row groups of some others, in their order; all have the same columns.

    Raises
    ------
    ValueError
        A part is no whole Parquet file.
    """
    whole: Struct = {}
    groups: list[Struct] = []
    with path.open("wb") as into:
        into.write(MAGIC)
        for part in parts:
            with part.open("rb") as stream:
                pages, footer = read_footer(stream)
                moved = into.tell() - len(MAGIC)
                groups += [_moved_group(group, moved) for group in footer[_GROUPS].value]
                whole = whole or footer
                stream.seek(len(MAGIC))
                _copy(stream, into, pages - len(MAGIC))
        rows = sum(group[_ROWS].value for group in groups)
        record = BytesIO()
        _write_struct(record, {**whole, _ROWS: Value(_I64, rows), _GROUPS: Value(_LIST, groups, _STRUCT)})
        into.write(record.getvalue() + record.tell().to_bytes(4, "little") + MAGIC)


def read_footer(stream: BinaryIO) -> tuple[int, Struct]:
    """Return where the pages of a file end, and the record behind them.

    Raises
    ------
    ValueError
        It is no whole Parquet file.
    """
    size = stream.seek(0, 2)
    stream.seek(max(size - _TAIL, 0))
    tail = stream.read()
    start = size - _TAIL - int.from_bytes(tail[:4], "little")
    if tail[4:] != MAGIC or start < len(MAGIC):
        raise ValueError("no whole Parquet file")
    stream.seek(start)
    return start, _read_struct(BytesIO(stream.read(size - _TAIL - start)))


def _copy(stream: BinaryIO, into: BinaryIO, size: int) -> None:
    """Copy so many bytes, some at a time."""
    while size:
        block = stream.read(min(size, _BLOCK))
        into.write(block)
        size -= len(block)


def _moved_group(group: Struct, by: int) -> Struct:
    """Return a row group whose pages stand so many bytes further on; its number in the file is left out."""
    chunks = [_moved_chunk(chunk, by) for chunk in group[_COLUMNS].value]
    kept = {number: value for number, value in group.items() if number != _ORDINAL}
    return _moved({**kept, _COLUMNS: group[_COLUMNS]._replace(value=chunks)}, "group", by)


def _moved_chunk(chunk: Struct, by: int) -> Struct:
    meta = _moved(chunk[_META].value, "meta", by)
    return _moved({**chunk, _META: chunk[_META]._replace(value=meta)}, "chunk", by)


def _moved(struct: Struct, kind: str, by: int) -> Struct:
    """Return a record whose places are so many bytes further on; a place of 0 is none."""
    places = {number: struct[number] for number in _PLACES[kind] if number in struct}
    moved = {number: each._replace(value=each.value + by) for number, each in places.items() if each.value}
    return {**struct, **moved}


def _read_struct(stream: BinaryIO) -> Struct:
    found: Struct = {}
    number = 0
    while head := stream.read(1)[0]:
        step, type_ = head >> 4, head & _SHORT
        number = number + step if step else _read_int(stream)
        found[number] = Value(type_, *_read(stream, type_))
    return found


def _read(stream: BinaryIO, type_: int) -> tuple[Any, int]:
    """Return a value, and the type of the items of a list."""
    if type_ == _LIST:
        head = stream.read(1)[0]
        items = head & _SHORT
        size = head >> 4 if head >> 4 < _SHORT else _read_varint(stream)
        return [_item(stream, items) for _ in range(size)], items
    return (None if type_ in (_TRUE, _FALSE) else _item(stream, type_)), 0


def _item(stream: BinaryIO, type_: int) -> Any:
    """Return a value as it stands in a list: a boolean is a byte of its own there."""
    return _READERS[type_](stream)


def _read_varint(stream: BinaryIO) -> int:
    found = shift = 0
    while True:
        byte = stream.read(1)[0]
        found |= (byte & 0x7F) << shift
        shift += 7
        if byte < 0x80:
            return found


def _read_int(stream: BinaryIO) -> int:
    """Read a signed number: its sign is its lowest bit."""
    found = _read_varint(stream)
    return (found >> 1) ^ -(found & 1)


_READERS: Mapping[int, Callable[[BinaryIO], Any]] = {
    **dict.fromkeys((_TRUE, _FALSE, _BYTE), lambda stream: stream.read(1)),
    **dict.fromkeys((_I16, _I32, _I64), _read_int),
    _DOUBLE: lambda stream: stream.read(8),
    _BINARY: lambda stream: stream.read(_read_varint(stream)),
    _LIST: lambda stream: Value(_LIST, *_read(stream, _LIST)),
    _STRUCT: _read_struct,
}


def _write_struct(stream: BinaryIO, struct: Struct) -> None:
    before = 0
    for number, value in sorted(struct.items()):
        step = number - before
        short = 0 < step <= _SHORT
        stream.write(bytes([(step if short else 0) << 4 | value.type]))
        if not short:
            _write_int(stream, number)
        _write(stream, value)
        before = number
    stream.write(b"\0")


def _write(stream: BinaryIO, value: Value) -> None:
    if value.type == _LIST:
        size = len(value.value)
        stream.write(bytes([min(size, _SHORT) << 4 | value.items]))
        if size >= _SHORT:
            _write_varint(stream, size)
        for item in value.value:
            _WRITERS[value.items](stream, item)
    elif value.type not in (_TRUE, _FALSE):
        _WRITERS[value.type](stream, value.value)


def _write_varint(stream: BinaryIO, number: int) -> None:
    while number >= 0x80:
        stream.write(bytes([number & 0x7F | 0x80]))
        number >>= 7
    stream.write(bytes([number]))


def _write_int(stream: BinaryIO, number: int) -> None:
    _write_varint(stream, number << 1 if number >= 0 else (-number << 1) - 1)


def _write_binary(stream: BinaryIO, value: bytes) -> None:
    _write_varint(stream, len(value))
    stream.write(value)


_WRITERS: Mapping[int, Callable[[BinaryIO, Any], object]] = {
    **dict.fromkeys((_TRUE, _FALSE, _BYTE, _DOUBLE), lambda stream, value: stream.write(value)),
    **dict.fromkeys((_I16, _I32, _I64), _write_int),
    _BINARY: _write_binary,
    _LIST: _write,
    _STRUCT: _write_struct,
}
