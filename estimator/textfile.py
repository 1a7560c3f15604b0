"""Text files of bounded size, so that nothing that a user names can hang or flood the machine; written whole."""

from __future__ import annotations

import os
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


def write_whole(path: Path, text: str, option: str) -> None:
    """Write a text file; it is whole or, when that fails, as it was before. ``option`` is what named it.

    Raises
    ------
    EstimatorError
        The folder does not exist or cannot be written to, or what is there is no regular file.
    """
    import tempfile  # slow to import, and most commands write nothing

    if not path.name or (path.exists() and not path.is_file()):
        raise EstimatorError(f"{option}: '{path}' is not a regular file; name a file to write")
    target = path.resolve()  # a link stays a link, and what it points to is written
    try:
        with tempfile.NamedTemporaryFile(
            "w", encoding="utf-8", newline="\n", dir=target.parent, prefix=f".{target.name}.", delete=False
        ) as stream:
            stream.write(text)
        temporary = Path(stream.name)
        temporary.chmod(target.stat().st_mode if target.exists() else 0o666 & ~_umask())
        temporary.replace(target)
    except OSError as error:
        raise EstimatorError(
            f"{option}: '{path}' cannot be written ({error.strerror}); name a file in a folder that exists"
        ) from None


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
