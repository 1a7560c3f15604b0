"""Interruptions and goodput: by hand, their limits, and what more of each cause must do."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from estimator.arrays import array
from estimator.breakdown import Breakdown
from estimator.formulas import reliability

HOUR, DAY = 3600.0, 86400.0
few = settings(deadline=None, max_examples=100)
PARTS = ("checkpoints", "lost_work", "restarts", "rollbacks", "stragglers", "waiting")


def lost(
    mean: float = 1e5, every: float = 1e3, stall: float = 10.0, restart: float = 600.0, **more: float
) -> Breakdown:
    wasted = reliability.Wasted(*(array(more.get(name, 0.0)) for name in ("rollback", "straggler")))
    return reliability.overhead(*map(array, (mean, every, stall, restart, more.get("waiting", 0.0))), wasted)


def test_rates_of_nodes_add() -> None:
    # 4 in 1,000 node-days on 250 nodes are one a day; what is given for the job stands.
    found = reliability.mtbi(array(0.004 / DAY), array(2000), array(8), array([math.nan, 5 * HOUR]))
    np.testing.assert_allclose(found, [DAY, 5 * HOUR], rtol=1e-15)


def test_overhead_by_hand() -> None:
    # tau 990 and delta 10 in M = 1,000: work takes 1000 (e - 1) = 1718.28 s, restarts of 1,000 ln 2 as much again.
    found = lost(1000.0, 990.0, 10.0, 1000.0 * math.log(2.0)).parts
    work = 1000.0 * (math.e - 1.0)
    expected = (10 / 990, (work - 1000) / 990, work / 990, 0.0, 0.0, 0.0)
    assert tuple(found) == PARTS
    assert [float(part) for part in found.values()] == pytest.approx(expected, rel=1e-12)


def test_rollbacks_and_waiting_by_hand() -> None:
    # Nothing is ever interrupted: a fifth of the work is thrown away, and a third of the time waits for nodes.
    found = lost(math.inf, 100.0, 0.0, 0.0, rollback=0.2, waiting=1 / 3).parts
    assert float(found["rollbacks"]) == pytest.approx(0.25)  # 1 / 0.8 of the work for 1 kept
    assert float(found["waiting"]) == pytest.approx(1.25 / 2)  # half of the busy time beside
    assert float(found["lost_work"]) == float(found["restarts"]) == float(found["checkpoints"]) == 0.0


def test_stragglers_by_hand() -> None:
    # A fifth of the time of work goes to slow nodes: 1 / 0.8 of it for 1 kept. A tenth of the work is thrown away, of
    # what is left 1 / 0.9 is tried: 1 / (0.9 x 0.8) = 1.3889 in all, 0.1 / 0.9 = 0.1111 rollbacks, the rest stragglers.
    found = lost(math.inf, 100.0, 0.0, 0.0, rollback=0.1, straggler=0.2).parts
    assert float(found["rollbacks"]) == pytest.approx(0.1 / 0.9)
    assert float(found["stragglers"]) == pytest.approx(0.2 / 0.72)
    assert float(1.0 + lost(math.inf, 100.0, 0.0, 0.0, rollback=0.1, straggler=0.2).total) == pytest.approx(
        1 / 0.72
    )


@few
@given(
    mean=st.floats(60.0, 1e9), every=st.floats(1.0, 1e6), stall=st.floats(0.0, 1e4), restart=st.floats(0.0, 1e5),
    rollback=st.floats(0.0, 0.9), slow=st.floats(0.0, 0.9), waiting=st.floats(0.0, 0.99),
)  # fmt: skip
def test_the_parts_make_up_the_complete_cost_function_of_daly(
    mean: float, every: float, stall: float, restart: float, rollback: float, slow: float, waiting: float
) -> None:
    if (every + stall) / mean > 90 or restart / mean > 90:
        return
    found = lost(mean, every, stall, restart, rollback=rollback, straggler=slow, waiting=waiting)
    segment = mean * math.exp(restart / mean) * math.expm1((every + stall) / mean)
    whole = segment / every / (1 - rollback) / (1 - slow) / (1 - waiting)
    assert float(1.0 + found.total) == pytest.approx(whole, rel=1e-9)
    assert all(float(part) >= -1e-12 * whole for part in found.parts.values())
    assert float(reliability.goodput(found.total, array(math.nan))) == pytest.approx(1.0 / whole, rel=1e-9)


@few
@given(
    restart=st.floats(60.0, 3600.0), every=st.floats(60.0, 7200.0), more=st.floats(1.01, 10.0),
    mean=st.floats(7200.0, 1e7),
)  # fmt: skip
def test_rarer_interruptions_and_faster_restarts_lose_less(
    restart: float, every: float, more: float, mean: float
) -> None:
    base = float(lost(mean, every, 5.0, restart).total)
    assert float(lost(mean * more, every, 5.0, restart).total) < base
    assert float(lost(mean, every, 5.0, restart * more).total) > base
    assert float(lost(mean, every, 5.0 * more, restart).total) > base
    assert float(lost(mean, every, 5.0, restart, rollback=0.01 * more).total) > base
    assert float(lost(mean, every, 5.0, restart, straggler=0.01 * more).total) > base


def test_a_job_that_never_gets_through_takes_very_long_and_not_for_ever() -> None:
    found = lost(1.0, 1e6, 10.0, 1e6)
    assert 1e30 < float(found.total) < math.inf


def test_what_is_not_known_stays_so_beside_what_is() -> None:
    found = reliability.mtbi(array([math.nan, 1e-6]), array(8), array(8), array(math.nan))
    assert np.isnan(lost_total(found)).tolist() == [True, False]


def lost_total(mean: object) -> object:
    return lost(mean).total  # type: ignore[arg-type]


# Spares.


def test_waiting_without_spares_is_the_share_of_an_alternating_renewal() -> None:
    # Up 9 days between failures that take a node, away for one: a tenth. Half of the failures do not take one.
    found = reliability.waiting_share(array(4.5 * DAY), array(0.5), array(DAY), array(0))
    assert float(found) == pytest.approx(0.1)


def test_the_loss_formula_by_its_own_terms() -> None:
    # B(c, a) = (a^c / c!) / sum over j up to c of a^j / j!, with c = 4 servers for 3 spares and a = 2.5 nodes away.
    terms = [2.5**j / math.factorial(j) for j in range(5)]
    found = reliability.waiting_share(array(DAY), array(1.0), array(2.5 * DAY), array(3))
    assert float(found) == pytest.approx(terms[4] / sum(terms), rel=1e-14)


def test_each_cell_has_its_own_spares() -> None:
    spares, away = array([[0.0], [2.0], [math.inf]]), array([0.5, 20.0]) * DAY
    found = reliability.waiting_share(array(DAY), array(1.0), away, spares)
    alone = [
        [float(reliability.waiting_share(array(DAY), array(1.0), array(a), array(k))) for a in away]
        for k in spares[:, 0]
    ]
    assert found.tolist() == alone
    assert found[2].tolist() == [0.0, 0.0]


@few
@given(away=st.floats(0.01, 50.0), spares=st.integers(0, 60))
def test_one_more_spare_never_waits_more(away: float, spares: int) -> None:
    args = array(DAY), array(1.0), array(away * DAY)
    fewer, more = (float(reliability.waiting_share(*args, array(k))) for k in (spares, spares + 1))
    assert 0.0 <= more < fewer < 1.0


# Goodput and wall time.


def test_a_given_goodput_stands_to_the_last_bit() -> None:
    assert float(reliability.goodput(array(0.25), array(0.9))) == 0.9
    assert float(reliability.goodput(array(0.25), array(math.nan))) == 0.8


def test_the_wall_clock_goes_to_what_is_modelled_or_to_what_is_not_told() -> None:
    found = lost(1000.0, 990.0, 10.0, 1000.0 * math.log(2.0))
    wall = reliability.wall_clock(array(80 * HOUR), array(8), found, array([math.nan, 0.8]))
    assert tuple(wall.parts) == ("productive", *PARTS, "not_told")
    assert float(wall.parts["productive"]) == 10 * HOUR
    np.testing.assert_allclose(wall.parts["not_told"], [0.0, 2.5 * HOUR])
    assert [float(wall.parts[name][1]) for name in PARTS] == [0.0] * 6
    np.testing.assert_allclose(wall.total, [10 * HOUR * float(1 + found.total), 12.5 * HOUR])
