"""The fullest stage, what software holds beside it, and how many cards hold a run."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..arrays import Array, as_flag, quotient, where
from ..breakdown import Breakdown
from ..tuples import NamedTuple
from .layout import Layout, data_parallel, replicas_in_step
from .memory import Optimizer
from .memory_card import (
    Card,
    Task,
    backward_memory,
    copies_partition,
    gather_buffers,
    own_part,
    update_memory,
)
from .memory_states import Method, Own, states_of
from .parameters import Transformer
from .stages import KINDS, stage


def worst_stage(first_stage_memory: Array, middle_stage_memory: Array, last_stage_memory: Array) -> Array:
    """Code of the fullest kind of stage: 0 first, 1 middle, 2 last. [1]

    Parameters
    ----------
    first_stage_memory
        Of a card of the first stage. [byte]
    middle_stage_memory
        Of a card of the second stage. [byte]
    last_stage_memory
        Of a card of the last stage. [byte]

    Examples
    --------
    >>> [float(worst_stage(*map(np.float64, sizes))) for sizes in ((3, 2, 1), (1, 2, 2), (1, 2, 3), (1, 1, 1))]
    [0.0, 1.0, 2.0, 0.0]
    """
    ends = where(first_stage_memory >= middle_stage_memory, 0.0, 1.0)
    largest = np.maximum(first_stage_memory, middle_stage_memory)
    return where(last_stage_memory > largest, 2.0, ends)


def memory_allocated(
    first_stage_memory: Breakdown,
    middle_stage_memory: Breakdown,
    last_stage_memory: Breakdown,
    worst_stage: Array,
) -> Breakdown:
    """Memory that a card of the fullest stage allocates. [byte]

    Parameters
    ----------
    first_stage_memory
        Of a card of the first stage. [byte]
    middle_stage_memory
        Of a card of the second stage. [byte]
    last_stage_memory
        Of a card of the last stage. [byte]
    worst_stage
        Code of the fullest stage. [1]

    Returns
    -------
    The parts of the fullest stage. [byte]

    References
    ----------
    K. Lv et al., 2023, arXiv:2306.09782, Table 2, prints this ("peak memory allocated").
    """
    return Breakdown.picked(worst_stage, (first_stage_memory, middle_stage_memory, last_stage_memory))


def communicators(layout: Layout) -> Array:
    """Kinds of groups in which a card exchanges data: tensor, pipeline, context, expert and data. [1]"""
    degrees = (layout.tp, layout.pp, layout.cp, layout.ep, data_parallel(layout))
    kinds: Array = np.float64(0.0)
    for degree in degrees:
        kinds = kinds + as_flag(degree > 1)
    return kinds


def memory(memory_allocated: Breakdown, layout: Layout, card: Card) -> Breakdown:
    r"""Memory in use on a card of the fullest stage, as the device counts it. [byte]

    Parameters
    ----------
    memory_allocated
        What training allocates. [byte]
    layout
        Parallel degrees. [1]
    card
        Context, communicators and fragmentation. [byte]

    Returns
    -------
    The parts allocated, communicators, context and fragmentation. [byte]

    Notes
    -----
    .. math:: M (1 + f) + c + k b

    with k kinds of groups and f the share that the allocator holds in pieces of the wrong size. It gives
    pieces back before it fails: fragmentation ends where the card is full, and does not fall below the least.

    References
    ----------
    PyTorch documentation, "CUDA semantics", memory management: a caching allocator, which frees its cache and
    tries again before it raises out of memory; NVIDIA NCCL documentation, ``NCCL_BUFFSIZE``, for buffers.
    """
    allocated = memory_allocated.total
    groups = card.communicator * communicators(layout)
    room = card.memory_usable - allocated - groups - card.device_context
    # A hair less than the room: the sum of all parts must not exceed the card by a rounding.
    least = card.least_fragmentation * allocated
    pressed = where(np.isnan(room), np.inf, np.maximum(room * (1.0 - 1e-9), least))
    return memory_allocated.beside(
        {
            "communication": groups,
            "context": card.device_context + 0.0 * groups,
            "fragmentation": np.minimum(card.fragmentation * allocated, pressed),
        }
    )


def room_for_training(layout: Layout, card: Card) -> Array:
    """Memory of a card that training can allocate, fragmentation pressed to its least. [byte]"""
    taken = card.device_context + card.communicator * communicators(layout)
    return (card.memory_usable - taken) / (1.0 + card.least_fragmentation)


def _holds(task: Task, own: Own, back: Array) -> np.ndarray[Any, np.dtype[np.bool_]]:
    """Tell whether a card of a stage holds its part in a layout."""
    states = states_of(own, task.optimizer, task.method, task.layout).total
    passes = gather_buffers(task, own).total + back
    copies = update_memory(task, own)
    both = where(copies_partition(task), passes + copies, np.maximum(passes, copies))
    return states + both <= room_for_training(task.layout, task.card)


class _Trials(NamedTuple):
    """Layouts that are looked at for each kind of stage, so that what they share is worked out once.

    ``spread`` with ``some`` replicas, as many as spread each expert, ``many`` the same sharded among all of them,
    ``endless`` with no end of them, and ``few``: numbers of replicas up to there, in whole groups of ``step``.
    """

    step: Array
    some: Array
    spread: Task
    many: Task
    endless: Task
    few: tuple[tuple[Array, Task], ...]


def _trials(task: Task) -> _Trials:
    layout, free = task.layout, np.float64(np.inf)
    degrees, step = layout.tp * layout.pp * layout.cp, replicas_in_step(layout.tp, layout.cp, layout.ep)

    def _with(replicas: Array, shard: Array = layout.shard) -> Task:
        return task._replace(layout=layout._replace(count=degrees * replicas, shard=shard))

    # As many replicas as spread each expert's states too: from there on a share is one over the replicas.
    some = 2.0 * layout.ep
    powers = range(int(np.max(np.nan_to_num(layout.ep, nan=1.0))).bit_length())
    few = tuple((step * 2.0**power, _with(step * 2.0**power)) for power in powers)
    endless = task._replace(layout=layout._replace(count=free, shard=free))
    return _Trials(step, some, _with(some), _with(some, free), endless, few)


def _replicas(task: Task, trials: _Trials, own: Own, back: Array) -> Array:
    r"""Replicas, two and more, with which a card of a stage holds its part; infinite where none do. [1]

    ``own`` belongs to a card where there are as many replicas as spread each expert.

    Notes
    -----
    States are :math:`F + X / d` with d replicas and the copies of an update :math:`U_0 + U / d`:

    .. math:: d = \max \left( \frac{X}{m - F - P}, \frac{X + U}{m - F - U_0} \right)

    where the update follows the passes, and :math:`(X + U) / (m - F - P)` where it stands beside them.
    """
    some, many, endless = trials.some, trials.many, trials.endless
    keeps = own, task.optimizer, task.method
    fixed, last = states_of(*keeps, endless.layout).total, update_memory(endless, own)
    sharded = (states_of(*keeps, many.layout).total - fixed) * some
    update = (update_memory(many, own) - last) * some
    passes = gather_buffers(many, own).total + back
    room = room_for_training(many.layout, task.card)
    partition = copies_partition(task)
    own_room, after = room - fixed - passes, room - fixed - last
    least = np.maximum(
        quotient(sharded + where(partition, update, 0.0), np.maximum(own_room, 0.0)),
        where(partition, 0.0, quotient(sharded + update, np.maximum(after, 0.0))),
    )
    found = np.ceil(np.maximum(least, 2.0))
    beyond = found * task.layout.cp > np.maximum(task.layout.shard, 2.0)
    return where(beyond, np.inf, np.maximum(found, np.ceil(task.layout.ep / task.layout.cp)))


def _fewest_replicas(task: Task, trials: _Trials, kind: str) -> Array:
    """Replicas with which a card of a kind of stage holds its part, groups of experts whole. [1]

    Beyond as many replicas as spread each expert a share is one over the replicas; up to there they are tried.
    """
    back = backward_memory(task, stage(task.transformer, task.layout, kind)).total
    many = _replicas(task, trials, own_part(trials.spread, kind), back)
    found = np.ceil(many / trials.step) * trials.step
    for few, tried in trials.few:
        found = np.minimum(found, where(_holds(tried, own_part(tried, kind), back), few, np.inf))
    return found


def fewest_accelerators(
    transformer: Transformer, optimizer: Optimizer, method: Method, layout: Layout, card: Card, seq: Array
) -> Array:
    r"""Cards that hold the run with these parallel degrees; infinite where no number does. [accelerator]

    Parameters
    ----------
    transformer
        Dimensions. [1]
    optimizer
        Bytes that it keeps. [byte]
    method
        What learns, and where states stand. [1]
    layout
        Parallel degrees, sharding, batches and recomputation. [1]
    card
        Its memory, and what software adds. [byte]
    seq
        Sequence length. [token]

    Returns
    -------
    Accelerators: tensor, pipeline and context degrees times the replicas that the fullest stage needs.
    [accelerator]

    References
    ----------
    S. Rajbhandari et al., "ZeRO", SC20, arXiv:1910.02054, Section 5.
    """
    task = Task(transformer, optimizer, method, layout, card, seq)
    replicas, trials = np.float64(1.0), _trials(task)
    for kind in KINDS:
        replicas = np.maximum(replicas, _fewest_replicas(task, trials, kind))
    return layout.tp * layout.pp * layout.cp * replicas
