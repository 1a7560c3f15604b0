"""The closed form of goodput against a discrete-event simulation of the run, over a grid of rates."""

from __future__ import annotations

import heapq
import itertools
import math
from typing import NamedTuple

import numpy as np
import pytest

from estimator.arrays import array
from estimator.formulas import reliability
from estimator.formulas.checkpoints import daly_interval

HOUR, DAY = 3600.0, 86400.0
# So many interruptions leave the simulated goodput uncertain by a third of a point at most (see the last test).
INTERRUPTIONS = 20_000


class Fleet(NamedTuple):
    """A run: mean time between interruptions, interval, stall and restart in seconds, who replaces its nodes.

    Then the share of the work that loss spikes throw away, that of pieces which are slow, and how many times as long
    these take.
    """

    mtbi: float
    interval: float
    stall: float
    restart: float
    spares: float = math.inf
    replacement: float = DAY
    replaced: float = 1.0
    rollback: float = 0.0
    slow: float = 0.0
    slowed: float = 1.0


class Simulation:
    """A job that runs until a number of interruptions: one clock for the wall, one for the time it is active."""

    def __init__(self, fleet: Fleet, seed: int, *, exponential: bool = False) -> None:
        """Begin with all nodes there."""
        self.fleet, self.random, self.exponential = fleet, np.random.default_rng(seed), exponential
        self.wall = self.kept = 0.0
        self.interruptions = 0
        self.away: list[float] = []
        self.until_next = self.random.exponential(fleet.mtbi)

    def active(self, time: float) -> bool:
        """Be active for a time; tell whether nothing interrupted."""
        if time < self.until_next:
            self.until_next -= time
            self.wall += time
            return True
        self.wall += self.until_next
        self.until_next = self.random.exponential(self.fleet.mtbi)
        self.interruptions += 1
        self.lose_a_node()
        return False

    def lose_a_node(self) -> None:
        """Send a node to repair, and wait while more are away than there are spares."""
        fleet = self.fleet
        if math.isinf(fleet.spares) or self.random.random() >= fleet.replaced:
            return
        mean = fleet.replacement
        heapq.heappush(self.away, self.wall + (self.random.exponential(mean) if self.exponential else mean))
        while self.away and self.away[0] <= self.wall:
            heapq.heappop(self.away)
        if len(self.away) > fleet.spares:
            self.wall = heapq.heappop(self.away)

    def goodput(self) -> float:
        """Work that is kept over the time on the wall."""
        fleet = self.fleet
        piece = fleet.interval + fleet.stall
        while self.interruptions < INTERRUPTIONS:
            done = math.floor(self.until_next / piece)
            if done and self.active(done * piece):
                thrown = self.random.binomial(
                    done, fleet.rollback / 3.0
                )  # a loss spike throws away three pieces
                slow = self.random.binomial(done, fleet.slow)  # of these each holds less work in its time
                self.kept += (
                    fleet.interval * (done - 3.0 * thrown) * (1.0 - slow / done * (1.0 - 1.0 / fleet.slowed))
                )
            if not self.active(piece):
                while not self.active(fleet.restart):
                    pass
        return self.kept / self.wall


def closed(fleet: Fleet) -> float:
    waiting = reliability.waiting_share(
        *map(array, (fleet.mtbi, fleet.replaced, fleet.replacement, fleet.spares))
    )
    slow = fleet.slow * (1.0 - 1.0 / fleet.slowed)
    lost = reliability.overhead(
        *map(array, (fleet.mtbi, fleet.interval, fleet.stall, fleet.restart)),
        waiting,
        reliability.Wasted(array(fleet.rollback), array(slow)),
    )
    return float(reliability.goodput(lost.total, array(math.nan)))


RATES = [
    Fleet(mtbi, interval, stall, restart)
    for mtbi, interval, stall, restart in itertools.product(
        (HOUR, 3 * HOUR, 12 * HOUR, 7 * DAY), (600.0, 3 * HOUR), (5.0, 120.0), (300.0, HOUR)
    )
]
BEST = [
    Fleet(mtbi, float(daly_interval(array(stall), array(mtbi))), stall, 600.0)
    for mtbi, stall in itertools.product((2 * HOUR, DAY), (2.0, 60.0))
]
SPARES = [
    Fleet(mtbi, 1800.0, 30.0, 900.0, spares, replacement, replaced)
    for mtbi, spares, replacement, replaced in itertools.product(
        (3 * HOUR, DAY), (0.0, 2.0, 6.0), (4 * HOUR, 2 * DAY), (0.5, 1.0)
    )
]
SPIKES = [Fleet(12 * HOUR, 1800.0, 30.0, 1800.0, rollback=share) for share in (0.01, 0.25)]
SLOW = [
    Fleet(6 * HOUR, 1800.0, 30.0, 900.0, rollback=rollback, slow=0.2, slowed=slowed)
    for rollback, slowed in itertools.product((0.0, 0.1), (1.05, 1.5))
]


@pytest.mark.parametrize("fleet", [*RATES, *BEST, *SPARES, *SPIKES, *SLOW])
def test_closed_form_within_a_point_of_the_simulation(fleet: Fleet) -> None:
    assert closed(fleet) == pytest.approx(Simulation(fleet, seed=1974).goodput(), abs=0.01)


@pytest.mark.parametrize("fleet", SPARES[::5])
def test_waiting_does_not_depend_on_how_repair_times_are_spread(fleet: Fleet) -> None:
    assert closed(fleet) == pytest.approx(Simulation(fleet, seed=7, exponential=True).goodput(), abs=0.01)


def test_the_simulation_is_long_enough_to_tell() -> None:
    """Of the fleet whose goodput strays the most, eight simulations stray by a third of a point."""
    found = [Simulation(RATES[1], seed=seed).goodput() for seed in range(8)]
    assert np.std(found, ddof=1) < 0.0034
