"""Bounds on serving: worked by hand, with their ranges, and the exact words of the faults."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from estimator.errors import EstimatorError
from estimator.inputs.serving import ServingQuestion
from estimator.presets import Presets
from estimator.serving import Serving, ask_bound, ask_serving
from estimator.serving_bounds import UNITS

RECORDS = Presets()


def ask(**given_: Any) -> Serving:
    return ask_serving(ServingQuestion.read(given_, RECORDS), RECORDS)


def test_gpt3_on_eight_a100s() -> None:
    found = ask(model="gpt3-175b", on="a100-sxm-80gb", count=8, prompt=1000, answer=1000)
    # 350 GB of weights over 8 x 2,039 GB/s are 21 ms; the cache of 1,500 tokens is 2 x 96 x 12,288 x 2 x 1,500 = 7 GB.
    assert found["weights"] == pytest.approx(350e9, rel=0.01)
    assert found["cache"] == pytest.approx(2 * 96 * 12288 * 2 * 1500)
    assert found["token_time"] == pytest.approx((found["weights"] - 2 * 2048 * 12288 - 2 * 50257 * 12288
                                                 + found["cache"]) / (8 * 2039e9), rel=0.01)  # fmt: skip
    # 2 x 175e9 x 1,000 FLOP over 8 x 312e12 are 0.14 s.
    assert found["prefill_time"] == pytest.approx(0.14, rel=0.03)
    assert found.bound_by == "memory"
    assert found.fits is True


def test_the_demand_of_a_day() -> None:
    asked = {
        "model": "gpt3-175b",
        "on": "a100-sxm-80gb",
        "count": 8,
        "prompt": 1000,
        "answer": 1000,
        "batch": 16,
    }
    found = ask(**asked, visits_per_day="25M")
    busy = 25e6 / 86400 * (found["prefill_time"] + 1000 * found["batch_time"] / 16)
    assert found["accelerators"] == 8 * -(-busy // 1)
    assert ask(**asked, tokens_per_day="25B")["accelerators"] == found["accelerators"]
    assert ask(**asked, visits_per_day="25M", load=0.1)["accelerators"] == pytest.approx(
        10 * found["accelerators"], rel=0.01
    )


def test_without_a_demand_there_are_no_cards_for_it() -> None:
    assert ask(params=7e9)["accelerators"] != ask(params=7e9)["accelerators"]


def test_a_weather_model_of_4_5_billion_within_3_seconds() -> None:
    # 2 x 4.5e9 x 64,800 tokens = 5.8e14 FLOP and the scores over 312e12: two seconds and more.
    found = ask(params=4.5e9, on="a100-sxm-80gb", count=1, prompt=64800)
    assert 1.87 < found["prefill_time"] < 6.0


def test_training_and_serving_are_even_at_three_times_the_tokens() -> None:
    assert ask(model="gpt3-175b", tokens=300e9)["parity"] == 900e9


def test_a_model_on_a_cpu_fits_and_is_bound_by_its_memory() -> None:
    found = ask(model="llama-65b", on="intel-xeon-8480plus", count=1, context=1024)
    assert found.fits is True
    # 130 GB over 307 GB/s: less than three tokens a second.
    assert found["token_rate"] == pytest.approx(307e9 / (130e9 + found["cache"]), rel=0.02)
    assert found.low["token_rate"] < found["token_rate"] < found.high["token_rate"]


def test_precision_of_the_weights() -> None:
    sixteen, eight, four = (ask(params=70e9, on="a100-sxm-80gb", count=4, context=1000, precision=each)
                            for each in ("bf16", "int8", "int4"))  # fmt: skip
    assert sixteen["weights"] == 2 * eight["weights"] == 4 * four["weights"]
    assert eight.peak.value == 2 * sixteen.peak.value
    # Weights of four bits are multiplied at the 16-bit rate.
    assert four.peak == sixteen.peak


def test_a_model_that_does_not_fit_says_so() -> None:
    found = ask(model="llama-65b", on="a100-sxm-80gb", count=1)
    assert found.fits is False
    assert (
        found.notes[1]
        == "weights and one sequence do not fit: the times are those of cards with enough memory"
    )
    assert found["fewest_accelerators"] == 2.0


def test_every_quantity_has_a_unit() -> None:
    assert list(ask(params=7e9).values) == list(UNITS)


@settings(deadline=None)
@given(params=st.floats(1e8, 1e12), count=st.integers(1, 1024), context=st.integers(1, 100_000))
def test_bounds_hang_together(params: float, count: int, context: int) -> None:
    found = ask(params=params, on="a100-sxm-80gb", count=count, context=context, tokens_per_day=1e9)
    assert found["batch_rate"] >= found["token_rate"] * (1 - 1e-9)
    assert found["rate_per_accelerator"] * count == pytest.approx(found["batch_rate"])
    assert found["accelerators"] % count == 0
    for name, value in found.values.items():
        if value == value:
            assert found.low[name] <= value * (1 + 1e-9), name
            assert found.high[name] >= value * (1 - 1e-9), name


@pytest.mark.parametrize(
    ("given_", "error"),
    [
        (
            {"params": 7e9, "visits_per_day": "25M"},
            "--visits-per-day: a visit without its length is no demand; give --answer too, the tokens written for "
            "each, like --answer 500",
        ),
        (
            {"params": 7e9, "visits_per_day": "25M", "tokens_per_day": "1B", "answer": 5},
            "--tokens-per-day and --visits-per-day contradict each other; give one of them",
        ),
        ({"on": "a100"}, "nothing says which model: give --params, --model or --config, like --params 65e9"),
        ({"params": 7e9, "answr": 1}, "there is no input 'answr'; did you mean 'answer'?"),
        ({"params": 7e9, "load": 2}, "--load: '2' is more than 1, the most that makes sense here; write 2 percent as "
         "0.02 or '2%'"),
        ({"params": 7e9, "count": 0}, "--count: '0' must be more than zero"),
        (
            {"params": 7e9, "on": "huawei-ascend-910", "precision": "fp8"},
            "--precision: huawei-ascend-910 has no recorded peak in fp8; it has fp16, int8",
        ),
        (
            {"params": 7e9, "precision": "int7"},
            "--precision: 'int7' is not known; choose fp64, fp32, tf32, fp16, bf16, fp8, int8, fp4, mxfp8, nvfp4, int4",
        ),
    ],
)  # fmt: skip
def test_faults(given_: dict[str, Any], error: str) -> None:
    with pytest.raises(EstimatorError) as found:
        ask(**given_)
    assert str(found.value) == error


def test_a_question_reads_back() -> None:
    asked = ServingQuestion.read(
        {"params": "7B", "on": "a100", "answer": "1k", "load": "50%", "precision": "INT8"}
    )
    assert ServingQuestion.read(asked.write()) == asked


@given(
    st.lists(
        st.fixed_dictionaries(
            {"params": st.sampled_from(["7B", "70B"]), "on": st.sampled_from(["h100", "huawei-ascend-910b2"])},
            optional={"count": st.integers(1, 64), "prompt": st.integers(1, 10_000),
                      "answer": st.integers(1, 10_000), "batch": st.integers(1, 1000),
                      "tokens_per_day": st.just("1B"), "precision": st.just("int8")},
        ),
        min_size=1, max_size=4,
    ),
    st.sampled_from(sorted(UNITS)),
)  # fmt: skip
@settings(deadline=None, max_examples=25)
def test_one_bound_of_several_questions_is_that_of_each(asked: list[dict[str, Any]], name: str) -> None:
    questions = [ServingQuestion.read(each, RECORDS) for each in asked]
    for question, found in zip(questions, ask_bound(questions, name, RECORDS), strict=True):
        alone = ask_serving(question, RECORDS)
        expected = (alone.values[name], alone.low[name], alone.high[name])
        assert tuple(found) == pytest.approx(expected, rel=1e-14, nan_ok=True)
