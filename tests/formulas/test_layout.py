"""What follows from a layout: replicas, sharding ranks, micro-batches and whole nodes."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from estimator.arrays import array
from estimator.formulas.layout import Layout, data_parallel, micro_batches, nodes_in_step
from estimator.formulas.sharding import sharding_groups, sharding_ranks

degrees = st.integers(1, 64)


def layout(**given: float) -> Layout:
    usual = {**dict.fromkeys(Layout._fields, 1.0), "shard": math.inf, "replicas": math.inf, **given}
    return Layout(**{name: array(value) for name, value in usual.items()})


@pytest.mark.parametrize(
    ("count", "tp", "pp", "micro_batch", "global_batch", "data", "pieces"),
    [
        # Narayanan et al. 2021, Table 1: the models of 1.7, 310.1 and 1008.0 billion parameters
        (32, 1, 1, 16, 512, 32, 1),
        (1920, 8, 16, 1, 2160, 15, 144),
        (3072, 8, 64, 1, 3072, 6, 512),
    ],
)
def test_replicas_and_micro_batches_by_hand(
    count: int, tp: int, pp: int, micro_batch: int, global_batch: int, data: int, pieces: int
) -> None:
    found = layout(count=count, tp=tp, pp=pp, micro_batch=micro_batch, global_batch=global_batch)
    assert data_parallel(found) == data
    assert micro_batches(found) == pieces


def test_context_ranks_hold_a_copy_and_share_its_states() -> None:
    split = layout(count=64, tp=2, cp=4)
    assert data_parallel(split) == 8
    assert sharding_ranks(split) == 32
    assert sharding_ranks(split._replace(shard=array(8))) == 8
    assert sharding_ranks(split._replace(shard=array(128))) == 32


def test_groups_of_hybrid_sharding_hold_a_copy_each() -> None:
    # Zhao et al. 2023, Section 3.2.2: W ranks with a sharding factor of F make W / F groups.
    split = layout(count=64, tp=2, cp=4)
    assert sharding_groups(split) == 1
    assert sharding_groups(split._replace(shard=array(8))) == 4
    assert sharding_groups(split._replace(shard=array(128))) == 1


def test_fewer_cards_than_a_replica_are_one() -> None:
    assert data_parallel(layout(count=4, tp=8)) == 1
    assert micro_batches(layout(count=64, global_batch=8)) == 1


def test_a_batch_that_is_not_known_stays_so() -> None:
    assert np.isnan(micro_batches(layout(global_batch=math.nan)))


@pytest.mark.parametrize(
    ("per_node", "tp", "pp", "cp", "ep", "nodes"),
    [
        (8, 1, 1, 1, 1, 1),
        (8, 8, 16, 1, 1, 16),
        (8, 2, 2, 1, 1, 1),
        (8, 4, 3, 1, 1, 3),  # 12 accelerators: 24 are three nodes
        (8, 1, 16, 1, 64, 128),  # each of 16 stages has 64 expert ranks
        (8, 4, 2, 2, 8, 2),  # expert ranks lie among the 8 of a stage
        (72, 8, 4, 1, 1, 4),  # 288 is the least multiple of 32 and 72
    ],
)
def test_nodes_in_a_step_by_hand(per_node: int, tp: int, pp: int, cp: int, ep: int, nodes: int) -> None:
    assert nodes_in_step(*map(array, (per_node, tp, pp, cp, ep))) == nodes


@given(st.integers(1, 72), degrees, degrees, degrees, st.integers(1, 256))
def test_no_fewer_nodes_hold_whole_replicas(per_node: int, tp: int, pp: int, cp: int, ep: int) -> None:
    nodes = int(nodes_in_step(*map(array, (per_node, tp, pp, cp, ep))))

    def _whole(count: int) -> bool:
        return count % (tp * pp * cp) == 0 and (count // pp) % ep == 0 and count % pp == 0

    assert _whole(nodes * per_node)
    primes = [each for each in range(2, 100) if nodes % each == 0]
    assert not any(_whole(nodes // each * per_node) for each in primes)


def test_steps_broadcast() -> None:
    steps = nodes_in_step(array(8), array([1.0, 8.0]), array([1.0, 16.0]), array(1), array(1))
    assert steps.tolist() == [1.0, 16.0]
