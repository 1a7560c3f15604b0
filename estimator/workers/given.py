"""Reads where work is to be done: a number of processes, the words of `--cluster`, or a Client of Dask."""

from __future__ import annotations

import re
from typing import Any

from ..errors import EstimatorError
from ..tuples import NamedTuple
from ..units import shorten

# What a caller gives: None, a number of processes, a text, or a Client.
Given = Any
# A mistyped number would start more processes than any machine bears.
MOST = 1024
_HOW = "write it like local:2 or tcp://head-node:8786"
_LOCAL = re.compile(r"local:(\d+)")
_ADDRESS = re.compile(r"(?:tcp|tls)://(?:[^\s:/\[\]]+|\[[0-9a-fA-F:.]+\]):(\d{1,5})")


class Where(NamedTuple):
    """So many processes, so many local workers of Dask, an address, or a Client; nothing where alone."""

    processes: int = 1
    local: int = 0
    address: str = ""
    client: Any = None

    @property
    def named(self) -> str:
        """What it is called in messages."""
        if self.processes > 1:
            return f"--workers {self.processes}"
        if self.client is not None:
            return "the Client"
        return f"--cluster {self.address or f'local:{self.local}'}"


def read(given: Given) -> Where:
    """Return where work is to be done.

    Parameters
    ----------
    given
        None or 1 for this process alone, a number of processes, ``local:2``, ``tcp://head-node:8786`` or a
        ``dask.distributed.Client``.

    Raises
    ------
    EstimatorError
        It is none of these.

    Examples
    --------
    >>> read("local:2").local, read("tcp://head-node:8786").address, read(4).processes
    (2, 'tcp://head-node:8786', 4)
    """
    if given is None:
        return Where()
    if isinstance(given, bool | int | float):
        return Where(processes=_processes(given))
    if isinstance(given, str):
        return _text(given.strip())
    if callable(getattr(given, "submit", None)) and callable(getattr(given, "nthreads", None)):
        return Where(client=_usable(given))
    raise EstimatorError(
        f"--cluster: a {type(given).__name__} is no number of processes, no text and no dask.distributed.Client; {_HOW}"
    )


def _processes(given: float) -> int:
    if isinstance(given, bool) or not 1 <= given <= MOST or given != int(given):
        raise EstimatorError(f"--workers: {given} is not a whole number of processes from 1 to {MOST:,}")
    return int(given)


def _text(text: str) -> Where:
    if (local := _LOCAL.fullmatch(text)) and 1 <= int(local[1]) <= MOST:
        return Where(local=int(local[1]))
    if local:
        raise EstimatorError(f"--cluster: {shorten(text)} is not from 1 to {MOST:,} workers; {_HOW}")
    if (address := _ADDRESS.fullmatch(text)) and 0 < int(address[1]) < 1 << 16:
        return Where(address=text)
    raise EstimatorError(
        f"--cluster: {shorten(text)} is neither local:NUMBER nor the address of a scheduler; {_HOW}"
    )


def _usable(client: Any) -> Any:
    if getattr(client, "asynchronous", False):
        raise EstimatorError("--cluster: the Client is asynchronous; give one made with asynchronous=False")
    if getattr(client, "status", "running") != "running":
        raise EstimatorError(f"--cluster: the Client is {client.status}; give one that is connected")
    return client
