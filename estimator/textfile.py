"""Text files of bounded size: nothing that a user names can hang or flood the machine."""

from __future__ import annotations

from pathlib import Path

from .errors import EstimatorError


def read_bounded(path: Path, limit: int, what: str) -> str:
    """Read a text file of bounded size; a device, a folder or a giant is refused before it is read.

    Raises
    ------
    EstimatorError
        No such file, no regular file, larger than ``limit`` bytes, or no UTF-8 text.
    """
    try:
        if not path.is_file():
            problem = "is not a regular file" if path.exists() else "does not exist"
            raise EstimatorError(f"'{path}' {problem}; name {what}")
        with path.open("rb") as stream:
            data = stream.read(limit + 1)
    except OSError as error:
        raise EstimatorError(f"'{path}' cannot be read ({error.strerror}); name {what}") from None
    if len(data) > limit:
        raise EstimatorError(f"'{path}' is larger than {limit >> 20} MiB; name {what}")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise EstimatorError(f"'{path}' is not UTF-8 text; name {what}") from None
