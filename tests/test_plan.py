"""The layout that is found where none is given: near practice, and interleaved only where it comes out even."""

from __future__ import annotations

from estimator import Run, ask
from estimator.estimate import Estimate


def column(found: Estimate, name: str) -> float:
    return float(found.case.columns[name])


def test_llama_405b_is_laid_out_as_it_was_trained() -> None:
    # Llama Team 2024, arXiv:2407.21783, Table 4: tensor 8, pipeline 16, data 128 on 16,384 H100s at 41 % MFU, no layer
    # recomputed (Section 3.3.2). Here norms and activation functions are: the paper frees what is not needed.
    found = ask(Run(model="llama-3.1-405b", on="nvidia-h100-sxm-80gb", count=16384))
    laid = {name: column(found, name) for name in ("tp", "pp", "cp", "recompute", "global_batch")}
    assert laid == {"tp": 8, "pp": 16, "cp": 1, "recompute": 3, "global_batch": 2048}
    assert column(found, "vpp") > 1
    assert 0.36 < float(found.mfu.value) < 0.46
    assert found.case.words["recompute"] == "modules"


def test_an_interleaved_pipeline_gets_as_many_micro_batches_as_stages() -> None:
    # 1,953 sequences of 8,192 are 16 M tokens: 128 replicas of 16 stages take 2,048 at a time, without stages 1,920.
    found = ask(Run(model="llama-3.1-405b", on="nvidia-h100-sxm-80gb", count=16384, tp=8, pp=16))
    assert (column(found, "zero"), column(found, "global_batch")) == (1, 2048)
    assert column(found, "vpp") > 1
    plain = ask(Run(model="llama-3.1-405b", on="nvidia-h100-sxm-80gb", count=16384, tp=8, pp=16, vpp=1))
    assert column(plain, "global_batch") == 1920


def test_nothing_is_recomputed_where_memory_is_enough() -> None:
    found = ask(Run(model="llama-2-7b", on="nvidia-h100-sxm-80gb", count=64, micro_batch=1))
    assert found.case.words["recompute"] == "none"
