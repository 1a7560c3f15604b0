"""Opens what does the work, and closes it."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager

from .given import Where
from .ordered import Alone, Ordered, Team, Told


@contextmanager
def opened(where: Where, told: Told | None = None) -> Generator[Team]:
    """Give those who do the work; they are sent home when it is done, and those who end before are told of.

    Raises
    ------
    EstimatorError
        A cluster cannot be reached.
    """
    if where.processes > 1:
        from .processes import Processes

        yield Ordered(Processes(where.processes, where.named), told)
    elif where == Where():
        yield Alone()
    else:
        from .clusters import Cluster, client_of

        with client_of(where) as client:
            yield Ordered(Cluster(client, where), told)
