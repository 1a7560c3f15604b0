"""Files of `estimate calibrate`: written with a checksum, and read back only where they still mean what they did."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import tomli

from ..errors import EstimatorError, QuestionError
from ..records import Record, read_record
from ..textfile import read_bounded
from ..version import __version__

KIND, FORMAT = "calibration", 1
_LARGEST = 1 << 20
_WHAT = "a file that `estimate calibrate MINE.csv -o mine.toml` wrote"
_AGAIN = "make it again with `estimate calibrate`"
_HEAD = "# Learnt by `estimate calibrate`; use it with: estimate train ... --calibration THIS_FILE\n"


def fingerprint(record: Record) -> str:
    """Return what tells one recorded calibration from another: a hash of its figures, in any order."""
    lines = sorted(
        f"{key} {figure.value!r} {figure.low!r} {figure.high!r}" for key, figure in record.figures.items()
    )
    return _hash("\n".join(lines))


def write_calibration(words: Mapping[str, Any], figures: Mapping[str, Mapping[str, Any]]) -> str:
    """Return the text of a file: its words and tables, its figures, and the checksum of both."""
    lines = [f"{key} = {_toml(value)}" for key, value in words.items() if not _is_tables(value)]
    for head, cells in (table for key, value in words.items() for table in _tables(key, value)):
        lines += ["", head, *(f"{name} = {_toml(value)}" for name, value in cells.items())]
    lines += ["", "[figures]", *(f"{_toml(key)} = {_inline(figure)}" for key, figure in figures.items())]
    text = "\n".join(lines) + "\n"
    return f'{_HEAD}checksum = "{_checksum(tomli.loads(text))}"\n{text}'


def read_calibration(path: Path) -> Record:
    """Read a file of `estimate calibrate`.

    Raises
    ------
    EstimatorError
        No such file, no such record, or one that another version made or that was changed by hand.
    """
    text = read_bounded(path, _LARGEST, _WHAT)
    try:
        raw = tomli.loads(text)
    except (ValueError, RecursionError) as error:
        fault = "nested too deeply" if isinstance(error, RecursionError) else str(error)
        raise EstimatorError(f"'{path}' is not TOML ({fault}); name {_WHAT}") from None
    if raw.get("kind") != KIND:
        raise EstimatorError(f"'{path}' is no calibration; name {_WHAT}")
    made = raw.get("version"), raw.get("format")
    if made != (__version__, FORMAT):
        raise EstimatorError(
            f"'{path}' was made by version {made[0]} (format {made[1]}), and this is version {__version__} "
            f"(format {FORMAT}); {_AGAIN}"
        )
    if raw.pop("checksum", None) != _checksum(raw):
        raise EstimatorError(f"'{path}' was changed after it was made: its checksum does not match; {_AGAIN}")
    return read_record("calibrations", path)


def own_calibration(path: str, house: Record) -> Record:
    """Read what a user's own steps taught, to be used beside the recorded calibration.

    Raises
    ------
    QuestionError
        The file cannot be read, or was learnt beside another recorded calibration.
    """
    try:
        record = read_calibration(Path(path))
        _check_base(record, house)
    except EstimatorError as error:
        raise QuestionError([f"--calibration: {error}"]) from None
    return record


def _check_base(record: Record, house: Record) -> None:
    if record.words.get("base") != fingerprint(house):
        raise EstimatorError(
            f"'{record.path}' was learnt beside another recorded calibration than '{house.path.name}' "
            f"as it is now, so its figures mean nothing here; {_AGAIN}"
        )


def _checksum(raw: Mapping[str, Any]) -> str:
    return _hash(json.dumps(raw, sort_keys=True, default=str))


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _is_tables(value: Any) -> bool:
    return isinstance(value, Mapping) or (isinstance(value, list) and isinstance(value[0], Mapping))


def _tables(key: str, value: Any) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Yield head and cells of tables by name, or of one table after the other."""
    if isinstance(value, Mapping):
        yield from ((f"[{key}.{name}]", cells) for name, cells in value.items())  # pyright: ignore[reportUnknownVariableType]
    elif _is_tables(value):
        yield from ((f"[[{key}]]", cells) for cells in value)


def _inline(figure: Mapping[str, Any]) -> str:
    return "{ " + ", ".join(f"{name} = {_toml(value)}" for name, value in figure.items()) + " }"


def _toml(value: Any) -> str:
    """Write a text, a number or a list of either; what no terminal shows becomes a question mark."""
    if isinstance(value, str):
        return json.dumps("".join(sign if sign.isprintable() else "?" for sign in value), ensure_ascii=False)
    if isinstance(value, (list, tuple)):
        return f"[{', '.join(_toml(each) for each in value)}]"  # pyright: ignore[reportUnknownVariableType]
    return repr(value)
