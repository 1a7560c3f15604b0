"""Collectives: rates of links, rings, all-to-alls of experts and of shares, by hand and as nccl-tests count them."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from estimator.arrays import array
from estimator.formulas import collectives
from estimator.formulas.all_to_all import all_to_all_time, domains_reached, even_exchange_time
from estimator.formulas.collectives import (
    Group,
    fast_domain,
    network_rate,
    ring_rate,
    ring_time,
    scaleup_rate,
)
from estimator.formulas.example import example_machine

few = settings(deadline=None, max_examples=60)
sizes = st.floats(1e3, 1e12)
ranks = st.integers(1, 512)
rates = st.floats(1e8, 1e12)

# Rates of links. The example's cards have 100 GB/s in a server of eight and 10 GB/s of network each.


@pytest.mark.parametrize(("domain", "per_node", "expected"), [(8, 8, 8), (72, 4, 72), (2, 8, 8), (1, 8, 8)])
def test_the_larger_of_server_and_rack_shares_the_fast_link(
    domain: int, per_node: int, expected: int
) -> None:
    assert float(fast_domain(example_machine(scaleup_domain=domain), array(per_node))) == expected


@pytest.mark.parametrize(
    ("mesh", "members", "expected"),
    [
        pytest.param(0, 2, 70e9, id="behind a switch two cards have all of it"),
        pytest.param(0, 8, 70e9, id="and so have eight"),
        pytest.param(1, 2, 10e9, id="in a mesh of eight two cards have one link of seven"),
        pytest.param(1, 4, 30e9, id="four have three"),
        pytest.param(1, 8, 70e9, id="eight have all seven"),
        pytest.param(1, 16, 70e9, id="more than the domain have no more"),
        pytest.param(1, 1, 10e9, id="one has a link at least"),
    ],
)
def test_a_full_mesh_gives_a_group_the_links_among_its_members(
    mesh: int, members: int, expected: float
) -> None:
    machine = example_machine(scaleup_bandwidth=70e9, mesh=mesh)
    assert float(scaleup_rate(machine, array(members))) == pytest.approx(expected, rel=1e-12)


def test_a_mesh_of_one_card_divides_by_nothing() -> None:
    assert float(scaleup_rate(example_machine(scaleup_domain=1, mesh=1), array(4))) == 1e11


@pytest.mark.parametrize(
    ("members", "inside", "expected"),
    [
        pytest.param(8, 8, 100e9, id="within a server: the fast link"),
        pytest.param(4, 8, 100e9, id="fewer than the server holds"),
        pytest.param(16, 8, 80e9, id="two servers: eight network cards together"),
        pytest.param(16, 2, 20e9, id="two ranks a server share two network cards"),
        pytest.param(16, 1, 10e9, id="one rank a server: its own card"),
        pytest.param(16, 0.125, 10e9, id="further apart than a server"),
        pytest.param(1024, 16, 100e9, id="never more than the fast link"),
    ],
)
def test_the_rate_of_a_ring(members: float, inside: float, expected: float) -> None:
    assert float(ring_rate(example_machine(), group(members, inside))) == pytest.approx(expected, rel=1e-12)


def test_ranks_alone_in_their_domain_use_no_link_of_a_mesh() -> None:
    # One link of the mesh has 7 GB/s, the network 10: the mesh is not on the way.
    machine = example_machine(scaleup_bandwidth=49e9, mesh=1)
    assert float(ring_rate(machine, group(4, 1))) == 10e9
    # Two in each domain are joined by that one link.
    assert float(ring_rate(machine, group(4, 2))) == 7e9


# Rings.


def test_a_ring_by_hand() -> None:
    # 8 GB over 8 ranks: seven parts of 1 GB pass each link of 100 GB/s.
    assert float(ring_time(array(8e9), array(8), array(100e9))) == pytest.approx(0.07, rel=1e-12)


@few
@given(sizes, ranks, rates)
def test_the_bus_bandwidth_of_nccl_tests(size: float, members: int, rate: float) -> None:
    # PERFORMANCE.md: an all-reduce takes S / B x 2 (n - 1) / n, an all-gather or reduce-scatter half of it.
    once = float(ring_time(array(size), array(members), array(rate)))
    assert once == pytest.approx(size / rate * (members - 1) / members, rel=1e-9)
    assert (once == 0.0) == (members == 1)


# All-to-alls of experts.


@pytest.mark.parametrize(
    ("members", "domain", "chosen", "expected"),
    [
        pytest.param(8, 8, 8, 1, id="one domain is reached once, whatever is chosen"),
        pytest.param(16, 8, 2, 1.5, id="two of two domains: the second half of the time"),
        pytest.param(64, 8, 8, 8 * (1 - (7 / 8) ** 8), id="eight draws of eight domains"),
        pytest.param(4, 8, 3, 1, id="fewer ranks than a domain holds"),
    ],
)
def test_domains_reached_by_hand(members: float, domain: float, chosen: float, expected: float) -> None:
    assert float(domains_reached(*map(array, (members, domain, chosen)))) == pytest.approx(
        expected, rel=1e-12
    )


@few
@given(ranks, st.integers(1, 72), st.integers(1, 32))
def test_no_more_domains_than_ranks_chosen_or_domains(members: int, domain: int, chosen: int) -> None:
    reached = float(domains_reached(*map(array, (members, domain, chosen))))
    assert 1.0 - 1e-9 <= reached <= min(chosen, max(members / domain, 1.0)) * (1 + 1e-9)


def test_tokens_cross_the_network_once_a_domain() -> None:
    # 16 ranks on two servers, one copy of 160 MB: 150 MB leave the rank over 100 GB/s, half of them cross at 10 GB/s.
    time = all_to_all_time(example_machine(), array(160e6), group(16, 8), array(1))
    assert float(time) == pytest.approx(150e6 / 100e9 + 80e6 / 10e9, rel=1e-12)
    # Of two copies both pass the fast link; 1.5 servers are reached, half of them the token's own.
    time = all_to_all_time(example_machine(), array(160e6), group(16, 8), array(2))
    assert float(time) == pytest.approx(300e6 / 100e9 + 0.75 * 160e6 / 10e9, rel=1e-12)


def test_a_small_group_of_a_mesh_has_its_own_links_only() -> None:
    machine = example_machine(mesh=1, scaleup_bandwidth=70e9)
    time = all_to_all_time(machine, array(100e6), group(4, 8), array(2))
    assert float(time) == pytest.approx(2 * 100e6 * 0.75 / 30e9, rel=1e-12)


# All-to-alls of equal shares.


@pytest.mark.parametrize(
    ("members", "domain", "expected"),
    [
        pytest.param(1, 8, 0, id="alone"),
        pytest.param(4, 8, 120e6 / 100e9, id="one server: three quarters of 160 MB"),
        pytest.param(16, 8, 70e6 / 100e9 + 80e6 / 10e9, id="two servers: seven shares near, eight far"),
        pytest.param(4, 0.5, 120e6 / 10e9, id="further apart than a server"),
    ],
)
def test_an_even_exchange_by_hand(members: float, domain: float, expected: float) -> None:
    found = even_exchange_time(example_machine(), array(160e6), group(members, domain))
    assert float(found) == pytest.approx(expected, rel=1e-12, abs=1e-15)


@few
@given(sizes, st.integers(2, 8))
def test_within_a_server_an_even_exchange_moves_what_a_ring_moves(size: float, members: int) -> None:
    machine = example_machine()
    ring = ring_time(array(size), array(members), machine.scaleup_bandwidth)
    assert float(even_exchange_time(machine, array(size), group(members, 8))) == pytest.approx(float(ring))


@few
@given(sizes, ranks, st.integers(1, 72), st.integers(1, 16), st.sampled_from([0.0, 1.0]), rates, rates)
def test_faster_links_never_take_longer(
    size: float, members: int, domain: int, chosen: int, mesh: float, fast: float, slow: float
) -> None:
    links = {"scaleup_bandwidth": fast, "scaleout_bandwidth": slow}
    for faster in ("scaleup_bandwidth", "scaleout_bandwidth"):
        once = example_machine(scaleup_domain=domain, mesh=mesh, **links)
        twice = once._replace(**{faster: 2.0 * getattr(once, faster)})
        for found in (_times(machine, size, group(members, domain), chosen) for machine in (once, twice)):
            assert np.all(found >= 0.0)
        assert np.all(
            _times(twice, size, group(members, domain), chosen)
            <= _times(once, size, group(members, domain), chosen) * (1 + 1e-12)
        )


# The spine between pods.


@pytest.mark.parametrize(
    ("members", "inside", "near", "ratio", "expected"),
    [
        pytest.param(64, 8, 64, 100, 80e9, id="a ring within one pod meets no spine"),
        pytest.param(
            64, 8, 32, 4, 80e9, id="its 32 members of a pod pass once: an oversubscription of 4 is no loss"
        ),
        pytest.param(64, 8, 32, 8, 40e9, id="of 8 it leaves the ring four network cards' worth"),
        pytest.param(64, 1, 4, 8, 5e9, id="four members of a pod share half a network card"),
        pytest.param(4, 0.125, 0.5, 8, 1.25e9, id="each in its own pod: an eighth of its own network card"),
    ],
)
def test_what_a_spine_leaves_of_a_ring(
    members: float, inside: float, near: float, ratio: float, expected: float
) -> None:
    machine = example_machine(oversubscription=ratio)
    assert float(network_rate(machine, group(members, inside, near))) == pytest.approx(expected, rel=1e-12)
    assert float(ring_rate(machine, group(members, inside, near))) == pytest.approx(expected, rel=1e-12)


def test_what_crosses_the_spine_of_an_all_to_all() -> None:
    # 32 ranks on four servers in pods of two, one copy of 160 MB: 155 of 160 MB over 100 GB/s; three servers of four
    # are away (120 MB at 10 GB/s), two of them in the other pod, over whose spine 80 MB take 3 times as long.
    for ratio, away in ((1, 120e6 / 10e9), (1.5, 120e6 / 10e9), (3, 80e6 / 10e9 * 3)):
        machine = example_machine(oversubscription=ratio)
        time = all_to_all_time(machine, array(160e6), group(32, 8, 16), array(1))
        assert float(time) == pytest.approx(160e6 * 31 / 32 / 100e9 + away, rel=1e-12)


def test_what_crosses_the_spine_of_an_even_exchange() -> None:
    # 5 MB for each of 32 ranks: seven shares near, 24 to other servers, 16 of them to the other pod.
    for ratio, shares in ((1, 24), (1.5, 24), (3, 48)):
        found = even_exchange_time(example_machine(oversubscription=ratio), array(160e6), group(32, 8, 16))
        assert float(found) == pytest.approx(5e6 * (7 / 100e9 + shares / 10e9), rel=1e-12)


@few
@given(sizes, ranks, st.integers(1, 72), st.integers(1, 16), st.floats(1.0, 64.0), st.floats(0.1, 4096.0))
def test_a_spine_costs_more_the_less_it_takes_and_nothing_within_a_pod(
    size: float, members: int, domain: int, chosen: int, ratio: float, near: float
) -> None:
    free, spine, thin = (example_machine(oversubscription=each) for each in (1.0, ratio, 2.0 * ratio))
    apart, together = group(members, domain, near), group(members, domain, max(members, domain))
    times = [_times(machine, size, apart, chosen) for machine in (free, spine, thin)]
    assert np.all(times[0] <= times[1] * (1 + 1e-12))
    assert np.all(times[1] <= times[2] * (1 + 1e-12))
    assert np.all(times[2] <= times[0] * 2.0 * ratio * (1 + 1e-12))
    inside = [_times(machine, size, together, chosen) for machine in (free, thin)]
    assert np.array_equal(*inside)


def group(members: float, inside: float, near: float = np.inf) -> Group:
    return Group(array(members), array(inside), array(near))


def _times(
    machine: collectives.Machine, size: float, given: Group, chosen: int
) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    return np.array(
        [
            float(ring_time(array(size), given.ranks, ring_rate(machine, given))),
            float(all_to_all_time(machine, array(size), given, array(chosen))),
            float(even_exchange_time(machine, array(size), given)),
        ]
    )
