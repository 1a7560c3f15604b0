"""Terms that a question lacks are passed over, which no value may show: a list that mixes them is as each alone."""

from __future__ import annotations

import numpy as np
import pytest

from estimator import Run, ask, evaluate

# What a question may lack, as columns: with and without.
LACKING = {
    "experts": {"experts": (0.0, 8.0), "moe_layers": (0.0, 16.0)},
    "shared experts": {"experts": (8.0, 8.0), "moe_layers": (16.0, 16.0), "shared_ffn": (0.0, 1024.0)},
    "adapters": {"method_frozen": (0.0, 1.0), "method_rank": (0.0, 16.0), "method_base": (2.0, 0.5)},
    "an encoder": {"encoder_layers": (0.0, 12.0)},
    "a host": {"method_offload": (0.0, 2.0)},
    "a mesh": {"mesh": (0.0, 1.0)},
    "a spine": {"pod": (np.inf, 64.0), "oversubscription": (1.0, 7.0)},
    "kernels": {"unfused": (0.0, 1.0)},
    "all-to-alls of heads": {"ulysses": (0.0, 1.0)},
    "context ranks": {"cp": (1.0, 4.0)},
    "a pipeline": {"pp": (1.0, 8.0), "vpp": (1.0, 2.0)},
    "tensor ranks": {"tp": (1.0, 8.0)},
    "sharding": {"zero": (0.0, 3.0)},
    "recomputation": {"recompute": (0.0, 1.0)},
    "factored moments": {"optimizer_factored": (0.0, 4.0), "optimizer_low_rank": (0.0, 2.0)},
    "an update apart": {"optimizer_fused": (0.0, 1.0)},
    "copies": {"update_copies": (0.0, 4.0), "live_layers": (np.inf, 2.0)},
}
QUESTION = Run(
    model="llama-3-70b", on="h100-sxm", count=512, tokens="1T", global_batch=1024, tp=4, pp=4, cp=2, zero=1
)


@pytest.mark.parametrize("columns", [pytest.param(each, id=name) for name, each in LACKING.items()])
def test_a_list_that_mixes_them_is_as_each_alone(columns: dict[str, tuple[float, float]]) -> None:
    case = ask(QUESTION).case
    both = evaluate(case.with_columns({name: np.array(pair) for name, pair in columns.items()}))
    for place in (0, 1):
        alone = evaluate(case.with_columns({name: np.array(pair[place]) for name, pair in columns.items()}))
        for name, value in alone.values.items():
            found = np.broadcast_to(both.values[name], (2,))[place]
            assert float(found) == float(value) or (np.isnan(found) and np.isnan(value)), name
