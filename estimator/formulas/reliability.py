"""What a run's wall time goes to but work: checkpoints, lost work, restarts, rollbacks, stragglers and waiting."""

from __future__ import annotations

import numpy as np

from ..arrays import Array, quotient, where
from ..breakdown import Breakdown
from ..tuples import NamedTuple

# Beyond so many mean times between interruptions a piece of work is as good as never done: keeps exponentials finite.
_NEVER = 300.0


class Wasted(NamedTuple):
    """Shares of the work that come to nothing though nothing interrupts it. [1]

    ``rollback_share`` is thrown away after loss spikes; ``straggler_share`` of its time slow nodes take.
    """

    rollback_share: Array
    straggler_share: Array


def mtbi(failures: Array, count: Array, per_node: Array, given_mtbi: Array) -> Array:
    r"""Mean time between interruptions of a job that runs on all of its nodes. [s]

    Parameters
    ----------
    failures
        Interruptions of one node. [1/s/node]
    count
        Accelerators. [accelerator]
    per_node
        Accelerators in a node. [accelerator/node]
    given_mtbi
        That of the job where it is known, else NaN. [s]

    Notes
    -----
    .. math:: M = \frac{1}{r n}

    A synchronous job stops when any of its nodes does, so that rates add.

    References
    ----------
    A. Kokolis et al., "Revisiting Reliability in Large-Scale Machine Learning Research Clusters", 2024,
    arXiv:2410.21680, Section III.

    Examples
    --------
    Llama 3 405B: 3.789 interruptions in 1,000 node-days and 2,048 nodes make 3.1 hours.

    >>> import numpy as np
    >>> a_day = np.float64(3.789e-3 / 86400)
    >>> round(float(mtbi(a_day, np.float64(16384), np.float64(8), np.float64(np.nan))) / 3600, 2)
    3.09
    """
    nodes = where(count > 0, count, 1.0) / per_node  # none at all are no job: as one
    return where(np.isnan(given_mtbi), quotient(np.float64(1.0), failures * nodes), given_mtbi)


def waiting_share(mtbi: Array, replaced_share: Array, replacement_time: Array, spare_nodes: Array) -> Array:
    r"""Share of the time that the job waits because more of its nodes are away than it has spares. [1]

    Parameters
    ----------
    mtbi
        Mean time between interruptions of the job. [s]
    replaced_share
        Share of interruptions that take a node away. [1]
    replacement_time
        Until such a node is repaired or replaced. [s]
    spare_nodes
        Nodes held beside those of the job; infinite where a spare is always at hand. [1]

    Notes
    -----
    .. math:: \mathrm{E}_B(k + 1, a), \quad a = h T / M

    The job with k spares runs until k + 1 nodes are away at a time, and no other fails while it waits: the loss
    formula of Erlang for k + 1 servers, whatever the distribution of repair times.

    References
    ----------
    A. K. Erlang, "Solution of some problems in the theory of probabilities of significance in automatic telephone
    exchanges", 1917.

    Examples
    --------
    Nodes are away for a day and one fails each day: without spares half the time is waiting, with one a fifth.

    >>> import numpy as np
    >>> day, all_ = np.float64(86400), np.float64(1)
    >>> waiting_share(day, all_, day, np.array([0.0, 1.0, np.inf])).round(3).tolist()
    [0.5, 0.2, 0.0]
    """
    away = quotient(replaced_share * replacement_time, mtbi)
    spares = where(np.isfinite(spare_nodes), spare_nodes, -1.0)
    shape = np.broadcast_shapes(np.shape(away), np.shape(spares))
    found = where(spares < 0, 0.0, np.ones(shape))
    for server in range(1, int(np.max(spares, initial=-1.0)) + 2):
        found = where(server <= spares + 1.0, away * found / (server + away * found), found)
    return found


def overhead(
    mtbi: Array,
    checkpoint_interval: Array,
    checkpoint_stall: Array,
    restart_time: Array,
    waiting_share: Array,
    wasted: Wasted,
) -> Breakdown:
    r"""Time lost for each unit of productive time. [1]

    Parameters
    ----------
    mtbi
        Mean time between interruptions of the job; they come at random. [s]
    checkpoint_interval
        Time of work between checkpoints. [s]
    checkpoint_stall
        Time that training stands still for one checkpoint. [s]
    restart_time
        From an interruption until training goes on from the last checkpoint. [s]
    waiting_share
        Share of the time that the job waits for nodes. [1]
    wasted
        Shares of the work that loss spikes throw away and slow nodes take. [1]

    Returns
    -------
    Checkpoints, lost work, restarts, rollbacks, stragglers and waiting. [1]

    Notes
    -----
    .. math:: \frac{1}{G} = \frac{M e^{R/M} \left( e^{(\tau + \delta)/M} - 1 \right)}{\tau (1 - w)(1 - s)(1 - W)}

    It is exact for interruptions at random, which may come during a checkpoint or a restart as well. Of each
    interval, :math:`M (e^{(\tau + \delta)/M} - 1)` is work and checkpoint, done or lost, and
    :math:`e^{R/M} - 1` times as much goes to restarts.

    References
    ----------
    J. T. Daly, 2006, Section 3, the complete cost function.

    Examples
    --------
    >>> import numpy as np
    >>> found = overhead(*map(np.float64, (10_000, 1000, 50, 600, 0)), Wasted(np.float64(0.01), np.float64(0)))
    >>> {name: round(float(part), 3) for name, part in found.parts.items() if part > 0}
    {'checkpoints': 0.051, 'lost_work': 0.058, 'restarts': 0.069, 'rollbacks': 0.01}
    """
    piece = checkpoint_interval + checkpoint_stall
    tried = np.minimum(quotient(piece, mtbi), _NEVER)
    again = where(tried > 0, quotient(np.expm1(tried), tried), 1.0)
    again_restart = np.expm1(np.minimum(quotient(restart_time, mtbi), _NEVER))
    kept_back, at_speed = 1.0 - wasted.rollback_share, 1.0 - wasted.straggler_share
    kept = checkpoint_interval * kept_back * at_speed
    busy = piece * again * (1.0 + again_restart)
    return Breakdown(
        {
            "checkpoints": checkpoint_stall / kept,
            "lost_work": piece * (again - 1.0) / kept,
            "restarts": piece * again * again_restart / kept,
            "rollbacks": wasted.rollback_share / kept_back,
            "stragglers": wasted.straggler_share / (kept_back * at_speed),
            "waiting": busy / kept * quotient(waiting_share, 1.0 - waiting_share),
        }
    )


def goodput(overhead: Array, given_goodput: Array) -> Array:
    r"""Share of the wall time that is productive. [1]

    Parameters
    ----------
    overhead
        Time lost for each unit of productive time. [1]
    given_goodput
        Where it is known, else NaN. [1]

    Notes
    -----
    .. math:: G = \frac{1}{1 + o}

    References
    ----------
    Gemini Team, "Gemini: A Family of Highly Capable Multimodal Models", 2023, arXiv:2312.11805, Section 4, for the
    word: time spent computing useful new steps over the elapsed time.

    Examples
    --------
    >>> import numpy as np
    >>> float(goodput(np.float64(0.25), np.float64(np.nan))), float(goodput(np.float64(0.25), np.float64(0.9)))
    (0.8, 0.9)
    """
    return where(np.isnan(given_goodput), 1.0 / (1.0 + overhead), given_goodput)


def wall_clock(
    accelerator_hours: Array, count: Array, overhead: Breakdown, given_goodput: Array
) -> Breakdown:
    r"""Time from start to end, and what it goes to. [s]

    Parameters
    ----------
    accelerator_hours
        Productive accelerator-time. [accelerator*s]
    count
        Accelerators. [accelerator]
    overhead
        Time lost for each unit of productive time. [1]
    given_goodput
        Share of the time that is productive where it is known, else NaN. [1]

    Returns
    -------
    Productive time and what `overhead` tells; of a given goodput productive time and
    what is lost in ways not told. [s]

    Notes
    -----
    .. math:: \frac{T}{n} \left( 1 + \sum o_i \right)

    References
    ----------
    J. T. Daly, 2006, Section 3.

    Examples
    --------
    >>> import numpy as np
    >>> lost, hours = Breakdown({"restarts": np.float64(0.25)}), np.float64(64 * 3600)
    >>> wall = wall_clock(hours, np.float64(8), lost, np.float64(np.nan))
    >>> {name: float(part) / 3600 for name, part in wall.parts.items()}
    {'productive': 8.0, 'restarts': 2.0, 'not_told': 0.0}
    """
    productive = quotient(accelerator_hours, count)
    modelled = np.isnan(given_goodput)
    not_told = where(modelled, 0.0, 1.0 / where(modelled, 1.0, given_goodput) - 1.0)
    lost = {name: where(modelled, part, 0.0) for name, part in overhead.parts.items()}
    parts = {name: _beside(productive, part) for name, part in {**lost, "not_told": not_told}.items()}
    return Breakdown({"productive": productive, **parts})


def _beside(time: Array, share: Array) -> Array:
    """Return a share of a time; none of a time without end is none."""
    return where(share == 0, 0.0, time * where(share == 0, 1.0, share))
