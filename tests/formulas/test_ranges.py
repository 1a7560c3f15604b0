"""Ends of several unknowns together: against exact sums, by hand, and what must hold for any of them."""

from __future__ import annotations

import math
from statistics import NormalDist

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from estimator.formulas.ranges import combined_ends

sizes = st.floats(0.0, 3.0)
several = st.lists(st.tuples(sizes, sizes), min_size=1, max_size=6)


def ends(*unknowns: tuple[float, float]) -> tuple[float, float]:
    down, up = np.array(unknowns).reshape(-1, 2).T
    low, high = combined_ends(down, up)
    return float(low), float(high)


def summed(*unknowns: tuple[float, float]) -> tuple[float, float]:
    """The tenth and ninetieth percentile of the sum of joined half normals: the definition, on a grid."""
    shares = (np.arange(2000) + 0.5) / 2000
    normal = np.array([NormalDist().inv_cdf(share) for share in shares]) / NormalDist().inv_cdf(0.9)
    total = np.zeros(1)
    for down, up in unknowns:
        each = np.where(normal < 0, normal * down, normal * up)
        total = np.quantile((total[:, None] + each).ravel(), shares)
    low, high = np.quantile(total, [0.1, 0.9])
    return -float(low), float(high)


@pytest.mark.parametrize(
    "unknowns",
    [
        ((1.0, 1.0), (1.0, 1.0)),
        ((1.0, 2.0), (1.0, 3.0)),
        ((0.0, 3.0), (1.0, 1.0)),
        ((0.0, 1.0), (1.0, 0.0)),
        ((0.4, 0.3), (0.1, 0.0), (0.8, 0.7), (0.2, 0.2), (0.06, 0.3)),  # about what an answer has
        ((0.3, 0.9), (0.3, 0.8), (0.2, 0.7), (0.1, 0.9)),  # all lean the same way
        ((2.0, 0.1), (0.1, 2.0), (1.0, 0.0)),
    ],
)
def test_the_ends_are_those_of_the_sum_within_a_thirtieth_of_its_width(
    unknowns: tuple[tuple[float, float], ...],
) -> None:
    found, exact = ends(*unknowns), summed(*unknowns)
    assert found == pytest.approx(exact, abs=sum(exact) / 30)


def test_what_leans_one_way_moves_both_ends_that_way() -> None:
    """Up to 3 and up to 4 make 5 by the root of the sum of squares, but seldom do both of them nothing."""
    assert ends((0.0, 3.0), (0.0, 4.0)) == pytest.approx((0.0, 5.54), abs=0.01)
    assert summed((0.0, 3.0), (0.0, 4.0)) == pytest.approx((0.0, 5.40), abs=0.01)
    # Of two that move down by 1 one may move up by 3: the root of the sum of squares is 1.41 and 3.
    assert ends((1.0, 0.0), (1.0, 3.0)) == pytest.approx((1.46, 2.75), abs=0.01)
    assert summed((1.0, 0.0), (1.0, 3.0)) == pytest.approx((1.47, 2.74), abs=0.01)


def test_three_and_four_make_five() -> None:
    assert ends((3.0, 3.0), (4.0, 4.0)) == pytest.approx((5.0, 5.0))


def test_none_move_nothing() -> None:
    assert ends() == (0.0, 0.0)
    assert ends((0.0, 0.0), (0.0, 0.0)) == (0.0, 0.0)


@given(sizes, sizes)
def test_one_alone_moves_to_its_own_ends(down: float, up: float) -> None:
    assert ends((down, up)) == pytest.approx((down, up), rel=1e-9, abs=1e-12)
    assert ends((0.0, 0.0), (down, up)) == ends((down, up))


@given(several)
def test_alike_on_both_sides_they_make_the_root_of_the_sum_of_squares(
    unknowns: list[tuple[float, float]],
) -> None:
    same = [down for down, _ in unknowns]
    assert ends(*zip(same, same, strict=True)) == pytest.approx((math.hypot(*same),) * 2, abs=1e-12)


@given(several)
def test_turned_round_the_ends_change_places(unknowns: list[tuple[float, float]]) -> None:
    low, high = ends(*unknowns)
    assert ends(*((up, down) for down, up in unknowns)) == pytest.approx((high, low), abs=1e-9)


@given(several, st.floats(0.01, 100.0))
def test_in_another_base_of_the_logarithm_the_ends_are_the_same(
    unknowns: list[tuple[float, float]], base: float
) -> None:
    scaled = ends(*((down * base, up * base) for down, up in unknowns))
    assert scaled == pytest.approx([end * base for end in ends(*unknowns)], rel=1e-9, abs=1e-9 * base)


@given(several, sizes, sizes, st.floats(0.0, 1.0))
def test_a_wider_unknown_gives_no_narrower_range(
    others: list[tuple[float, float]], down: float, up: float, more: float
) -> None:
    """Within a twentieth: where an end is drawn to the estimate, the range is wider than it need be."""
    narrow = ends(*others, (down, up))
    for wider in ((down + more, up), (down, up + more)):
        assert sum(ends(*others, wider)) >= (0.95 if min(narrow) == 0.0 else 1.0) * sum(narrow) - 1e-9


@given(several)
def test_the_estimate_stays_inside(unknowns: list[tuple[float, float]]) -> None:
    assert min(ends(*unknowns)) >= 0.0


@pytest.mark.parametrize(
    ("unknowns", "limits"),
    [
        (((1.0, math.inf), (1.0, 1.0)), (False, True)),
        (((math.inf, 1.0), (1.0, 1.0)), (True, False)),
        (((math.inf, 1.0), (1.0, math.inf)), (True, True)),
    ],
)
def test_no_limit_stays_no_limit(
    unknowns: tuple[tuple[float, float], ...], limits: tuple[bool, bool]
) -> None:
    assert tuple(math.isinf(end) for end in ends(*unknowns)) == limits
    # The other side is what it would be if that end moved nothing.
    known = [tuple(0.0 if math.isinf(end) else end for end in each) for each in unknowns]
    finite = zip(ends(*unknowns), ends(*known), limits, strict=True)
    assert all(end == other for end, other, limit in finite if not limit)


def test_leading_axes_are_kept() -> None:
    down, up = np.random.default_rng(0).random((2, 3, 4, 5))
    low, high = combined_ends(down, up)
    assert np.shape(low) == np.shape(high) == (3, 4)
    for place in np.ndindex(3, 4):
        alone = ends(*zip(down[place], up[place], strict=True))
        assert (np.asarray(low)[place], np.asarray(high)[place]) == pytest.approx(alone, rel=1e-12)


@given(several, st.integers(0, 9), st.data())
def test_unknowns_that_move_nothing_change_no_bit(
    unknowns: list[tuple[float, float]], idle: int, data: st.DataObject
) -> None:
    """So that a quantity may be asked with the unknowns alone that touch it."""
    padded = data.draw(st.permutations([*range(len(unknowns)), *[-1] * idle]))
    order = [place for place in padded if place >= 0]
    among = [unknowns[place] if place >= 0 else (0.0, 0.0) for place in padded]
    assert ends(*among) == ends(*(unknowns[place] for place in order))
