"""What stands on a node's host: its cards' shares of states, and of weights where they go there too."""

from __future__ import annotations

import pytest

from estimator.arrays import array
from estimator.formulas.host_memory import host_memory_used
from estimator.formulas.memory import Optimizer
from estimator.formulas.memory_states import Method, adapter_parameters
from estimator.formulas.parameters import total_parameters
from estimator.formulas.shapes import transformer

from .layouts import layout

LLAMA = transformer(layers=32, hidden=4096, heads=32, ffn=11008, gated=1, vocab=32000)
ALL = float(total_parameters(LLAMA).total)
ADAMW = Optimizer(*map(array, (2, 2, 4, 8, 8, 0, 0, 0, 0)))


def on_host(place: float, method: dict[str, float] | None = None, **given: float) -> dict[str, float]:
    own = Method(**{name: array((method or {}).get(name, 0)) for name in Method._fields})
    found = host_memory_used(LLAMA, ADAMW, own._replace(offload=array(place)), layout(**given))
    return {name: float(part) for name, part in found.parts.items()}


def test_nothing_is_on_the_host_unless_it_is_asked() -> None:
    assert on_host(0, count=8) == {"weights": 0, "gradients": 0, "optimizer_states": 0}


def test_one_card_puts_16_bytes_a_parameter_there() -> None:
    assert on_host(2) == pytest.approx(
        {"weights": 2 * ALL, "gradients": 2 * ALL, "optimizer_states": 12 * ALL}
    )
    assert on_host(1) == {**on_host(2), "weights": 0}


@pytest.mark.parametrize(
    ("given", "copies"),
    [
        pytest.param({"count": 8, "zero": 0}, (8, 8, 8), id="eight copies"),
        pytest.param({"count": 8, "zero": 1}, (8, 1, 1), id="states shared"),
        pytest.param({"count": 8, "zero": 3}, (1, 1, 1), id="all shared"),
        pytest.param({"count": 16, "zero": 3}, (0.5, 0.5, 0.5), id="two nodes"),
        pytest.param({"count": 8, "zero": 0, "tp": 8}, (1, 1, 1), id="tensor"),
    ],
)
def test_cards_of_a_node_put_their_shares_on_one_host(
    given: dict[str, float], copies: tuple[float, float, float]
) -> None:
    found = on_host(2, None, **given)
    usual = [2 * ALL, 2 * ALL, 12 * ALL]
    # Norms are whole on every tensor rank.
    assert list(found.values()) == pytest.approx(
        [each * number for each, number in zip(usual, copies, strict=True)], rel=1e-3
    )


def test_of_adapters_only_their_own_states_are_there() -> None:
    adapters = float(adapter_parameters(LLAMA, array(16)))
    found = on_host(1, {"frozen": 1, "rank": 16, "base": 2, "base_outer": 2})
    assert found == pytest.approx(
        {"weights": 0, "gradients": 2 * adapters, "optimizer_states": 12 * adapters}
    )
