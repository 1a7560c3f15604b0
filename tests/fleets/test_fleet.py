"""Fleets: what one pool is, what several are in each way, and the laws that hold between them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from estimator import Run, ask, ranges
from estimator.arrays import array
from estimator.case import Case, Unknown
from estimator.errors import QuestionError
from estimator.fleets import Fleet, ask_fleet
from estimator.fleets.lowered import lower_fleet
from estimator.fleets.pools import stacked
from estimator.fleets.ways import evaluate_fleet
from estimator.inputs.fleet import FleetQuestion
from estimator.presets import Presets

RECORDS = Presets()
A100, ASCEND = (
    "1024 x a100-sxm-80gb, site=shanghai",
    "512 x ascend-910b, site=beijing, price=1.5 USD/gpu/hour",
)
# Speeds that are given: no layout is planned, no coefficient read.
FAST, SLOW = "64 x a100-sxm-80gb, mfu=0.5", "64 x a100-sxm-80gb, mfu=0.25"


def fleet(*pools: str, **given_: Any) -> Fleet:
    return ask_fleet(FleetQuestion.read({"params": 7e9, **given_, "pools": list(pools)}, RECORDS), RECORDS)


def rate(found: Fleet, way: str) -> float:
    return found.ways[way].values["throughput"].value


@pytest.mark.parametrize(
    "pool", [{"on": "a100-sxm-80gb", "count": 64.0}, {"on": "h100", "count": 16.0, "mfu": 0.4}]
)
def test_one_pool_is_a_run(pool: dict[str, Any]) -> None:
    found = ask_fleet(FleetQuestion.read({"params": 7e9, "tokens": 1e12, "pools": [pool]}, RECORDS), RECORDS)
    alone = ask(Run(params=7e9, tokens=1e12, **pool))
    assert list(found.ways) == ["separate"]
    for name, ends in found.ways["separate"].values.items():
        amount = alone.amount(name)
        assert ends.value == pytest.approx(float(amount.value), rel=1e-12)
        assert ends.low == pytest.approx(float(amount.low), rel=1e-9)
        assert ends.high == pytest.approx(float(amount.high), rel=1e-9)


def test_two_pools_of_which_one_is_half_as_fast() -> None:
    found = fleet(FAST, SLOW)
    fast, slow = (float(each.values["throughput"]) for each in found.alone)
    assert fast == pytest.approx(2 * slow)
    # Together they make 3 of 3 apart, 2 with equal shares (the slow one paces) and 3 with shares of 2 to 1.
    assert rate(found, "separate") == pytest.approx(3 * slow)
    assert rate(found, "equal") == pytest.approx(2 * slow)
    assert rate(found, "matched") == pytest.approx(3 * slow)
    assert found.loss("equal") == pytest.approx(1 / 3)
    assert found.loss("matched") == pytest.approx(0.0, abs=1e-9)
    assert [share.value for share in found.ways["matched"].shares] == pytest.approx([2 / 3, 1 / 3])
    assert [wait.value for wait in found.ways["equal"].waits] == pytest.approx([0.5, 0.0])


def test_platforms_are_compared_card_by_card() -> None:
    found = fleet(FAST, SLOW)
    # Half as fast a card, whatever is unknown of the model: both train the same one.
    assert found.ratios[1] == pytest.approx((0.5, 0.5, 0.5))
    assert found.mfu_for(1.0) == pytest.approx((0.5, 0.5))
    # One month against three: a third of the MFU on the same chip, and 312 / 256 of that on a slower one.
    assert found.mfu_for(3.0) == pytest.approx((0.5 / 3, 0.5 / 3))
    other = fleet(FAST, "64 x huawei-ascend-910, mfu=0.3", precision="fp16")
    assert other.mfu_for(3.0)[1] == pytest.approx(0.5 / 3 * 312 / 256)


def test_what_a_joint_run_takes() -> None:
    found = fleet(FAST, SLOW, tokens=1e12, price="2 USD/gpu/hour", goodput=1)
    matched, separate = found.ways["matched"].values, found.ways["separate"].values
    seconds = 1e12 / rate(found, "matched")
    assert matched["wall_clock"].value == pytest.approx(seconds)
    assert matched["occupied_hours"].value == pytest.approx(128 * seconds)
    assert matched["cost"].value == pytest.approx(128 * seconds / 3600 * 2)
    # With nothing lost, runs apart take as much on average.
    for name in ("wall_clock", "occupied_hours", "energy", "cost"):
        assert matched[name].value == pytest.approx(separate[name].value)


def test_each_takes_twice_as_long_with_half_of_the_time_lost() -> None:
    found = fleet(FAST, SLOW, goodput=0.5)
    whole = fleet(FAST, SLOW, goodput=1)
    separate, matched = found.ways["separate"].values, found.ways["matched"].values
    assert separate["wall_clock"].value == pytest.approx(
        2 * whole.ways["separate"].values["wall_clock"].value
    )
    # One run stops when either pool does: 1 / (1 + 1 + 1).
    assert matched["wall_clock"].value == pytest.approx(3 * whole.ways["matched"].values["wall_clock"].value)


def test_interruptions_of_all_pools_stop_one_run() -> None:
    half = "64 x a100-sxm-80gb, mfu=0.5"
    given_ = {"tokens": 1e12, "checkpoint_bandwidth": "10 GB/s"}
    found = fleet(half, half, **given_)
    whole = ask(Run(params=7e9, on="a100-sxm-80gb", count=128, mfu=0.5, **given_))
    assert found.ways["matched"].values["wall_clock"].value == pytest.approx(
        float(whole.wall_clock.value), rel=1e-6
    )


def test_what_a_run_costs_beside_its_machines_counts_once() -> None:
    plain, staffed = fleet(FAST, SLOW), fleet(FAST, SLOW, staff=10, pay="100000 USD/year")
    for way in ("separate", "matched"):
        # Apart, ten people stand by each of two runs, for as long as each takes on average in all.
        more = (
            (staffed.ways[way].values["cost"].value - plain.ways[way].values["cost"].value)
            * (365.25 * 86400)
            / 1e6
        )
        days = plain.ways[way].values["wall_clock"].value * (2 if way == "separate" else 1)
        assert more == pytest.approx(days, rel=1e-6)


def test_a_link_that_takes_as_long_as_computing_halves_the_run() -> None:
    sites = f"{FAST}, site=a", f"{SLOW}, site=b"
    free = fleet(*sites)
    assert free.exchange is not None
    linked = fleet(*sites, link=f"{free.exchange.hideable!r} byte/s")
    assert rate(linked, "matched") == pytest.approx(rate(free, "matched") / 2)
    # What computing could hide of it is an unknown: at best all.
    assert linked.ways["matched"].values["throughput"].high == pytest.approx(rate(free, "matched"), rel=0.02)
    enough = fleet(*sites, link=f"{free.exchange.enough!r} byte/s")
    assert rate(enough, "matched") == pytest.approx(0.95 * rate(free, "matched"))
    seldom = fleet(*sites, link=f"{free.exchange.seldom!r} byte/s", sync_every=500)
    assert rate(seldom, "matched") == pytest.approx(0.95 * rate(free, "matched"))


def test_gradients_of_all_parameters_cross() -> None:
    found = fleet(f"{FAST}, site=a", f"{SLOW}, site=b")
    # Two bytes of a gradient for each of 7 billion parameters.
    assert found.exchange is not None
    assert found.exchange.size == pytest.approx(14e9)
    assert fleet(FAST, SLOW).exchange is None


def test_two_sites_of_unlike_cards() -> None:
    found = fleet(A100, ASCEND, params=65e9)
    assert 0.0 < found.loss("matched") < found.loss("equal") < 0.5
    shares = [share.value for share in found.ways["matched"].shares]
    assert sum(shares) == pytest.approx(1.0)
    # The A100s are faster for each card: more than their two thirds.
    assert shares[0] > 2 / 3
    for way in found.ways.values():
        for ends in way.values.values():
            assert ends.low <= ends.value <= ends.high


def test_the_order_of_pools_does_not_matter() -> None:
    one, other = fleet(A100, ASCEND, params=65e9), fleet(ASCEND, A100, params=65e9)
    for way in one.ways:
        for name, ends in one.ways[way].values.items():
            assert tuple(ends) == pytest.approx(tuple(other.ways[way].values[name]), rel=1e-9)


pools = st.lists(
    st.tuples(
        st.sampled_from([8, 64, 256]),
        st.sampled_from(["a100-sxm-80gb", "h100", "v100"]),
        st.floats(0.05, 0.9),
    ),
    min_size=2,
    max_size=3,
)


@settings(deadline=None, max_examples=12)
@given(made=pools)
def test_laws(made: list[tuple[int, str, float]]) -> None:
    texts = [f"{count} x {on}, mfu={mfu}, precision=fp16" for count, on, mfu in made]
    found, fewer = fleet(*texts), fleet(*texts[:-1])
    equal, matched, separate = (rate(found, way) for way in ("equal", "matched", "separate"))
    assert equal <= matched * (1 + 1e-9)
    assert matched <= separate * (1 + 1e-9)
    assert separate > rate(fewer, "separate")


@settings(deadline=None, max_examples=8)
@given(batch=st.sampled_from([96, 128, 1000, 2048]), count=st.sampled_from([16, 48, 128]))
def test_whole_micro_batches_are_never_faster_with_equal_shares(batch: int, count: int) -> None:
    found = fleet(f"{count} x a100-sxm-80gb", "64 x h100", global_batch=batch)
    assert rate(found, "equal") <= rate(found, "matched") * (1 + 1e-9)


def test_pools_that_share_an_unknown_move_together() -> None:
    unknown = Unknown("shape", {"hidden": array(1.0)}, {"hidden": array(3.0)})
    one = Case({"hidden": array(2.0), "pue": array(1.1)}, unknowns=(unknown,))
    own = Unknown("pue", {"pue": array(1.0)}, {"pue": array(1.2)})
    both = stacked([one, Case(one.columns, unknowns=(unknown, own))])
    assert [each.name for each in both.unknowns] == ["shape", "pue of B"]
    assert np.asarray(both.unknowns[0].low["hidden"]).tolist() == [1.0, 1.0]
    assert np.asarray(both.unknowns[1].high["pue"]).tolist() == [1.1, 1.2]


def test_notes() -> None:
    found = fleet("64 x a100-sxm-80gb, site=a", "8 x huawei-ascend-910, site=b", link="1 Mbit/s")
    assert found.notes[0] == (
        "the pools compute in bf16 and fp16: one run over all needs one precision, or care for what mixing them does "
        "to the loss; give --precision"
    )
    assert found.notes[-1] == "64 x a100-sxm-80gb (a) alone is faster than all pools in one run"
    found = fleet(f"{FAST}, site=a", f"{SLOW}, site=b", sync_every=500)
    assert found.notes == (
        "the link between the sites is taken as without limit in a run over all pools; give --link",
        "an exchange every 500 steps is another algorithm (DiLoCo, A. Douillard et al., 2023, arXiv:2311.08105): its "
        "steps are as fast as told, what it does to the loss is not modelled",
    )


HOW = "write it like '1024 x a100-sxm-80gb' or '1024 x a100-sxm-80gb, site=beijing, price=2 USD/gpu/hour'"


@pytest.mark.parametrize(
    ("given_", "faults"),
    [
        (
            {"pools": ["0 x a100"]},
            ["--pool: '0 x a100' is a pool of no accelerators; give it one or more, or leave it out"],
        ),
        (
            {"pools": [{"on": "a100", "count": 0}]},
            ["--pool: '0 x a100' is a pool of no accelerators; give it one or more, or leave it out"],
        ),
        ({"pools": []}, [f"nothing says which accelerators: give --pool once or more; {HOW}"]),
        ({"pools": ["a100"]}, [f"--pool: 'a100' is not a pool; {HOW}"]),
        ({"pools": ["8 x a100, mfu"]}, [f"--pool: 'mfu' in '8 x a100, mfu' is not NAME=VALUE; {HOW}"]),
        (
            {"pools": ["8 x a100, mfu=1, mfu=1"]},
            [f"--pool: 'mfu' is given twice in '8 x a100, mfu=1, mfu=1'; {HOW}"],
        ),
        (
            {"pools": [{"on": "a100"}]},
            ["--pool: a pool lacks 'count'; write on = \"a100-sxm-80gb\" and count = 1024"],
        ),
        (
            {"pools": ["8 x a100", "4 x h100-smx"], "tokens": "1GB"},
            [
                "--tokens: '1GB' is not a count; write it like 65e9, 65B or 1.4T",
                "--pool '4 x h100-smx': --on: no accelerator is called 'h100-smx'; did you mean 'h100-sxm' or "
                "'h100-sxm5' or 'v100-sxm'?",
            ],
        ),
        (
            {"pools": ["8.5 x a100"]},
            ["--pool: in '8.5 x a100', '8.5' is no whole number of accelerators from 1 to 100,000,000"],
        ),
        (
            {"pools": ["8 x a100, sight=3"], "on": "a100", "within": "30 days"},
            [
                "--on: each pool has its own; leave it out",
                "--within: a fleet is told in pools of accelerators; leave it out",
                "--pool '8 x a100': there is no input 'sight'; did you mean 'site'?",
            ],
        ),
        (
            {"pools": ["8 x a100, tokens=1T, sync-every=5"]},
            [
                "--pool '8 x a100': --tokens is of the whole fleet; give it once, beside the pools",
                "--pool '8 x a100': --sync-every is of the whole fleet; give it once, beside the pools",
            ],
        ),
        (
            {"pools": ["8 x a100", "8 x h100"], "C.count": 8, "A.tokens": "1T", "b.count": 0},
            [
                "--b.count: '0 x h100' is a pool of no accelerators; give it one or more, or leave it out",
                "--C.count: there is no pool C; there is A (8 x a100), B (8 x h100)",
                "--pool '8 x a100': --tokens is of the whole fleet; give it once, beside the pools",
            ],
        ),
        (
            {"pools": ["8 x a100", "8 x h100"], "way": "together"},
            ["--way: 'together' is not known; choose separate, equal, matched"],
        ),
        (
            {"pools": ["8 x a100", "8 x h100"], "link": "10 Gbit/s"},
            ["--link: every pool is at the same site; give each its own, like --pool '8 x a100, site=beijing'"],
        ),
        (
            {"pools": ["8 x a100, site=a", "8 x h100, site=b"], "link": "10 GB", "sync_every": 0},
            [
                "--link: '10 GB' measures memory, but bandwidth is asked for, like '10 Gbit/s'",
                "--sync-every: '0' must be more than zero",
            ],
        ),
    ],
)  # fmt: skip
def test_faults_of_a_question(given_: dict[str, Any], faults: list[str]) -> None:
    with pytest.raises(QuestionError) as found:
        FleetQuestion.read({"params": 7e9, **given_}, RECORDS)
    assert list(found.value.faults) == faults


def test_faults_that_only_an_answer_finds() -> None:
    with pytest.raises(QuestionError) as found:
        fleet("8 x a100-sxm-80gb, site=a", "8 x huawei-ascend-910", precision="bf16")
    assert found.value.faults == (
        "--pool '8 x huawei-ascend-910': --precision: huawei-ascend-910 has no recorded peak in bf16; "
        "it has fp16, int8",
    )
    with pytest.raises(QuestionError) as found:
        fleet("8 x a100, price=2 USD/gpu/hour", "8 x h100, price=10 CNY/gpu/hour, year=1999")
    assert found.value.faults


def test_a_question_reads_back() -> None:
    asked = FleetQuestion.read(
        {"params": 7e9, "pools": [A100, ASCEND], "link": "10 Gbit/s", "sync_every": 500}
    )
    assert FleetQuestion.read(asked.write()) == asked


def test_an_input_by_the_letter_of_its_pool_replaces_what_the_pool_says() -> None:
    asked = FleetQuestion.read(
        {"params": 7e9, "pools": ["8 x a100", "16 x h100, mfu=0.3"], "A.count": 64, "b.mfu": "40%"}
    )
    assert asked == FleetQuestion.read({"params": 7e9, "pools": ["64 x a100", "16 x h100, mfu=0.4"]})


def test_pools_are_evaluated_alike_whatever_stands_beside_them() -> None:
    texts = [f"{8 * (place + 1)} x a100-sxm-80gb, mfu=0.{place + 3}, site={place % 2}" for place in range(9)]
    asked = FleetQuestion.read({"params": 7e9, "pools": texts, "link": "100 Gbit/s"}, RECORDS)
    for way in ("separate", "equal", "matched"):
        case = lower_fleet(replace(asked, way=way), RECORDS)
        links = np.array([1e9, 1.25e10, 1e12])
        columns = {
            name: np.reshape(value, (-1, 1, 1)) if np.ndim(value) else value
            for name, value in case.columns.items()
        }
        grid = evaluate_fleet(Case({**columns, "link": links[:, None]})).values
        for place, link in enumerate(links):
            one = ranges.spread(Case({**case.columns, "link": array(link)}))
            for name, value in evaluate_fleet(one).values.items():
                assert np.array_equal(np.broadcast_to(grid[name], (3, 1))[place], value, equal_nan=True)


ALIKE = {"params": 7e9, "mfu": 0.4, "pools": ["8 x a100", "8 x h100, price=3 USD/gpu/hour"]}


def test_what_pools_have_alike_is_written_beside_them() -> None:
    kept = FleetQuestion.read(ALIKE).write()
    assert kept["mfu"] == 0.4
    assert [pool.get("price") for pool in kept["pools"]] == [None, "3.0 USD/gpu/hour"]
    assert FleetQuestion.read(kept) == FleetQuestion.read(ALIKE)
    again = FleetQuestion.read({**kept, "mfu": 0.2})
    assert [pool.run.mfu for pool in again.pools] == [0.2, 0.2]


def test_an_input_that_every_pool_has_for_itself_is_refused_beside_them() -> None:
    pools = ["8 x a100, price=1 USD/gpu/hour", "8 x h100, price=2 USD/gpu/hour"]
    with pytest.raises(QuestionError) as caught:
        FleetQuestion.read({"params": 7e9, "price": "4 USD/gpu/hour", "pools": pools})
    assert list(caught.value.faults) == [
        "--price: every pool has its own; give A.price for one of them, or leave it out"
    ]


@pytest.mark.parametrize(
    ("name", "value", "fault"),
    [
        ("site", ["a"], '--pool: site = "[\'a\']" is no name; write it like site = "beijing"'),
        ("on", 3, "--pool: on = '3' is no name; write it like on = \"a100-sxm-80gb\""),
    ],
)
def test_a_name_of_a_pool_is_text(name: str, value: object, fault: str) -> None:
    with pytest.raises(QuestionError) as caught:
        FleetQuestion.read({"params": 7e9, "pools": [{"on": "a100", "count": 8, name: value}]})
    assert list(caught.value.faults) == [fault]
