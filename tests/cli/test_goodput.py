"""`estimate goodput`: the wall time by what it goes to, what would help, and what is wrong with a question."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from estimator import Presets, Run, ask
from estimator.goodput import Help, helps, interrupted

from .run import Ran

Estimate = Callable[..., Ran]
PRESETS = Presets()
# The layout is given, so that an answer is quick; six interrupted days in a thousand of a node, and two spares.
GIVEN: dict[str, Any] = {
    "params": "7B", "tokens": "1T", "on": "h100", "count": 512, "mfu": 0.4, "failures": "0.01 1/node/day",
    "checkpoint_interval": "2 hours", "restart_time": "30 minutes", "rollback_share": 0.02, "straggler_share": 0.01,
    "spare_nodes": 1, "replacement_time": "1 day", "tp": 1, "pp": 1, "zero": 3, "micro_batch": 1, "recompute": "full",
}  # fmt: skip
WORDS = [word for name, value in GIVEN.items() for word in (f"--{name.replace('_', '-')}", str(value))]


def test_the_table_tells_where_the_time_goes_and_what_would_help(estimate: Estimate) -> None:
    out = estimate("goodput", *WORDS).out
    answer = ask(Run.read(GIVEN, PRESETS), PRESETS)
    lines = {line.split("  ")[0]: line for line in out.splitlines()}
    for part in (
        "Productive",
        "Checkpoints",
        "Lost work",
        "Restarts",
        "Rollbacks",
        "Stragglers",
        "Waiting for nodes",
    ):
        assert part in lines, part
    share = float(answer.wall_clock.parts["restarts"] / answer.wall_clock.value)
    assert f"{100 * share:.3g} %" in lines["Restarts"]
    # All that it loses is given: the ends read as the value does, and no range is told.
    assert f"Goodput {100 * float(answer.goodput.value):.3g} %." in out
    assert "Warning: 1 spare node stands beside the run" in out
    block = out.split("What would help, each alone")[1].split("\n\n")[0].splitlines()[1:]
    assert len(block) >= 6
    assert any(line.startswith("two more spare nodes (--spare-nodes)") for line in block)


def test_every_help_is_the_answer_of_the_question_that_says_so() -> None:
    """Nothing is computed twice: what an option would do is what the question with that option gives."""
    changed = {
        "best_interval": {"checkpoint_interval": None},
        "checkpoints_behind": {"checkpoint_exposed": 0.02},
        "restarts_in_half_the_time": {"restart_time": "15 minutes"},
        "half_the_interruptions": {"failures": "0.005 1/node/day"},
        "no_rollbacks": {"rollback_share": 0},
        "no_stragglers": {"straggler_share": 0},
        "two_more_spare_nodes": {"spare_nodes": 3},
        "repairs_in_half_the_time": {"replacement_time": "12 hours"},
    }
    found = interrupted(Run.read(GIVEN, PRESETS), PRESETS)
    told = {each.name: each for each in found.helps}
    wall = float(found.estimate.wall_clock.value)
    assert set(changed) <= set(told)
    for name, other in changed.items():
        question = {key: value for key, value in {**GIVEN, **other}.items() if value is not None}
        better = ask(Run.read(question, PRESETS), PRESETS)
        assert told[name].goodput == pytest.approx(float(better.goodput.value), rel=1e-12), name
        assert told[name].gained == pytest.approx(wall - float(better.wall_clock.value), rel=1e-9), name


def test_what_helps_the_most_stands_first_and_what_does_not_is_left_out() -> None:
    gained = [each.gained for each in interrupted(Run.read(GIVEN, PRESETS), PRESETS).helps]
    assert gained == sorted(gained, reverse=True)
    assert min(gained) > 0.0
    bare = {key: GIVEN[key] for key in ("params", "tokens", "on", "count", "mfu")}
    names = {each.name for each in helps(ask(Run.read(bare, PRESETS), PRESETS))}
    assert names == {
        "checkpoints_behind", "checkpoints_twice_as_fast", "restarts_in_half_the_time", "half_the_interruptions",
    }  # fmt: skip


def test_the_document_has_parts_helps_and_the_best_interval(estimate: Estimate) -> None:
    answer = json.loads(estimate("goodput", *WORDS, "--format", "json").out)
    parts = answer["wall_clock"]["parts"]
    assert sum(parts.values()) == pytest.approx(answer["wall_clock"]["value"], rel=1e-9)
    assert set(answer["helps"][0]) == set(Help._fields)
    assert answer["best"]["goodput"] > answer["goodput"]["value"]


def test_occupied_hours_wall_clock_energy_and_cost_carry_goodput_and_productive_hours_do_not() -> None:
    plain = {**GIVEN, "price": "2 USD/gpu/hour"}
    modelled = ask(Run.read(plain, PRESETS), PRESETS)
    whole = ask(Run.read({key: value for key, value in plain.items() if key not in (
        "failures", "checkpoint_interval", "restart_time", "rollback_share", "straggler_share", "spare_nodes",
        "replacement_time",
    )} | {"goodput": 1}, PRESETS), PRESETS)  # fmt: skip
    kept = float(modelled.goodput.value)
    assert 0.5 < kept < 0.95
    assert modelled.accelerator_hours.value == whole.accelerator_hours.value
    for name in ("occupied_hours", "wall_clock", "cost"):
        ratio = float(whole.amount(name).value / modelled.amount(name).value)
        assert ratio == pytest.approx(kept, rel=1e-12), name
    for name in ("energy", "carbon"):  # who waits draws less than who works
        assert kept < float(whole.amount(name).value / modelled.amount(name).value) < 0.97, name


WRONG = {
    ("--goodput", "0"): "--goodput: '0' must be more than zero",
    (
        "--goodput",
        "95",
    ): "--goodput: '95' is more than 1, the most that makes sense here; write 95 percent as 0.95 or '95%'",
    ("--mtbi=-3hours",): "--mtbi: '-3hours' must be more than zero",
    ("--mtbi", "3"): "--mtbi: '3' has no unit; write it like '3 hours'",
    ("--rollback-share", "5"): (
        "--rollback-share: '5' is more than 0.99, the most that makes sense here; write 5 percent as 0.05 or '5%'"
    ),
    (
        "--rollback-share",
        "100%",
    ): "--rollback-share: '100%' is more than 0.99, the most that makes sense here",
    ("--rollback-share=-0.1",): "--rollback-share: '-0.1' must be zero or more",
    ("--checkpoint-exposed", "2"): (
        "--checkpoint-exposed: '2' is more than 1, the most that makes sense here; write 2 percent as 0.02 or '2%'"
    ),
    ("--checkpoint-interval", "0 s"): "--checkpoint-interval: '0 s' must be more than zero",
    (
        "--failures",
        "rsc-9",
    ): "--failures: no fleet is called 'rsc-9'; did you mean 'rsc-2' or 'rsc-1' or 'rsc2'?",
    ("--failures", "0.004"): "--failures: '0.004' has no unit; write it like '0.004 1/node/day'",
    (
        "--failures",
        "llama-3",
        "--mtbi",
        "3 hours",
    ): "--failures and --mtbi contradict each other; give one of them",
    ("--goodput", "0.9", "--failures", "rsc-1"): (
        "--goodput and --failures contradict each other; give one of them"
    ),
    ("--spare-nodes", "1.5"): "--spare-nodes: '1.5' is not a whole number",
    ("--replacement-time", "1 day"): (
        "--replacement-time: nothing waits for a node while spares are at hand; give --spare-nodes too, like 0"
    ),
}


@pytest.mark.parametrize("words", WRONG, ids=" ".join)
def test_what_is_wrong_is_told_with_how_to_write_it(estimate: Estimate, words: tuple[str, ...]) -> None:
    ran = estimate("train", "--params", "7B", "--count", "8", *words)
    assert (ran.code, ran.out) == (2, "")
    assert ran.err.strip() == f"Error: {WRONG[words]}"


def test_the_goodput_that_is_asked_for_is_not_given(estimate: Estimate) -> None:
    ran = estimate("goodput", "--params", "7B", "--count", "8", "--goodput", "0.9")
    assert ran.code == 2
    assert ran.err.strip() == (
        "Error: --goodput: this is what is asked for; leave it out, or ask `estimate train`"
    )


def test_checkpoints_further_apart_than_the_run_is_long_are_warned_of(estimate: Estimate) -> None:
    out = estimate("train", *WORDS[: WORDS.index("--failures")], "--checkpoint-interval", "30 days").out
    work = float(
        ask(Run.read({**GIVEN, "checkpoint_interval": "30 days"}, PRESETS), PRESETS).wall_clock.parts[
            "productive"
        ]
    )
    told = f"--checkpoint-interval: 30 days are more than the {work / 86400:.3g} days of work of the run: no"
    assert told in " ".join(out.split())
    assert "--checkpoint-interval" not in estimate("train", *WORDS).out.split("Assumed")[0]


def test_a_run_that_makes_no_headway_is_warned_of(estimate: Estimate) -> None:
    """Interrupted every minute, ten to restart: one in e^10 of the restarts ends before it is interrupted itself."""
    machine = (
        "--params",
        "7B",
        "--tokens",
        "1T",
        "--on",
        "h100",
        "--count",
        "64",
        "--mfu",
        "0.4",
        "--tp",
        "1",
        "--pp",
        "1",
    )
    hopeless = (*machine, "--mtbi", "1 minute", "--restart-time", "10 minutes")
    for command in ("goodput", "train"):
        out = " ".join(estimate(command, *hopeless).out.split())
        assert "Warning: next to no headway: 0.00" in out, command
        assert "% of the wall clock is productive, 100 % goes to restarts" in out, command
        assert "next to no headway" not in estimate(command, *machine, "--mtbi", "1 hour").out, command
    document = json.loads(estimate("goodput", *hopeless, "--format", "json").out)
    assert document["warnings"][0].startswith("next to no headway")
    assert (
        0.0 < document["goodput"]["low"] <= document["goodput"]["value"] <= document["goodput"]["high"] < 0.1
    )


def test_a_run_without_interruptions_has_nothing_that_would_help(estimate: Estimate) -> None:
    machine = ("--params", "7B", "--tokens", "1T", "--on", "h100", "--count", "8", "--mfu", "0.4")
    assert "What would help" not in estimate("goodput", *machine, "--mtbi", "1e12 s").out
