"""What the time of a step depends on: model, layout, machine and the coefficients learnt from measured steps."""

from __future__ import annotations

import numpy as np

from ..arrays import Array, either, where
from ..once import once
from ..tuples import NamedTuple
from .collectives import Group, Machine, fast_domain
from .layout import Layout
from .memory_states import Method
from .parameters import Transformer

# Bytes of a number in 16 bit.
HALF = 2.0
# The stride of ranks that lie side by side.
_NEXT = np.float64(1.0)
# The year from which the gains of software are counted.
_ORIGIN = 2024.0


class Coefficients(NamedTuple):
    """What theory leaves open, fitted to measured steps by ``scripts/fit_step_time.py``; arrays that broadcast.

    Efficiencies are shares of a peak, ``*_traffic`` bytes, ``*_use`` seconds over what the link's bandwidth alone
    would take (less where compute hides them, more where the bandwidth is not reached), ``product_wave`` the outputs
    of a product that take no less time for being fewer.
    """

    product_efficiency: Array
    product_traffic: Array
    product_wave: Array
    attention_efficiency: Array
    score_traffic: Array
    norm_traffic: Array
    activation_traffic: Array
    logit_traffic: Array
    expert_efficiency: Array
    expert_half: Array
    router_time: Array
    layer_time: Array
    accumulation_traffic: Array
    tensor_use: Array
    tensor_latency: Array
    tensor_gain: Array
    context_use: Array
    expert_use: Array
    pipeline_use: Array
    bubble_use: Array
    head_imbalance: Array
    sharding_use: Array
    gradient_use: Array
    ring_latency: Array
    optimizer_traffic: Array
    step_overhead: Array
    straggling: Array
    misfit: Array
    software_gain: Array
    slowness: Array


class Host(NamedTuple):
    """The server behind the cards: arrays that broadcast.

    ``host_bandwidth`` of a card's link to its host, one way; ``host_memory_bandwidth`` of the memory that all cards of
    a node share [byte/s].
    """

    host_bandwidth: Array
    host_memory_bandwidth: Array


class _Job(NamedTuple):
    model: Transformer
    layout: Layout
    machine: Machine
    fitted: Coefficients
    seq: Array
    year: Array
    method: Method
    host: Host
    causal: Array
    ulysses: Array


class Job(_Job):
    """One step to be timed: records of arrays that broadcast with each other.

    ``seq`` tokens of a sequence [token]; ``year`` of the software's release; ``method`` what is trained,
    and what stands on the ``host``; ``causal`` 1 where a token attends only to those before it; ``ulysses`` 1 where
    context ranks exchange heads for tokens by all-to-all, 0 where keys and values pass round a ring [1].
    """

    @property
    @once
    def tokens(self) -> Array:
        """Tokens of one micro-batch on one rank of context parallelism. [token]"""
        return self.layout.micro_batch * self.seq / self.layout.cp

    @property
    @once
    def domain(self) -> Array:
        """Cards that share the fast link. [accelerator]"""
        return fast_domain(self.machine, self.layout.per_node)

    @once
    def group(self, ranks: Array, stride: Array = _NEXT) -> Group:
        """Ranks that follow each other every ``stride`` cards, and how many of them lie together. [1]"""
        pod = self.machine.pod
        return Group(ranks, self.domain / stride, either(np.isfinite(pod), lambda: pod / stride, pod))

    @property
    def passes(self) -> Array:
        """Times that each product runs: forward, and backward for inputs and for weights that are trained. [1]"""
        return 3.0 - self.method.frozen

    @property
    @once
    def norm_split(self) -> Array:
        """Ranks over which norms and residuals are split: those of tensor parallelism with sequence parallelism. [1]"""
        return where(self.layout.sequence_parallel > 0, self.layout.tp, 1.0)

    @property
    def newer(self) -> Array:
        """Years by which the software is newer than that of which the coefficients tell. [year]"""
        return self.year - _ORIGIN
