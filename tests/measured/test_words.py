"""What rows say in words: networks, releases, stacks, names of chips and models."""

from __future__ import annotations

import math

import pytest

from estimator.inputs.stacks import STACKS, WORDS, stack_of
from estimator.measured.interconnect import network_of
from estimator.measured.layouts import _shard
from estimator.measured.memory import _stage
from estimator.measured.names import accelerators_of, model_named
from estimator.measured.software import year_of
from estimator.presets import Presets

PRESETS = Presets()
ROUNDS = {"mlperf_3_0": 2023.5}
GBIT = 1e9 / 8


@pytest.mark.parametrize(
    ("text", "server", "port"),
    [
        ("4x 100Gb RoCE per node", 400, math.nan),
        ("RoCE 1600 Gbps per node", 1600, math.nan),
        ("4x Omni-Path (OPA) links per node", 400, math.nan),
        ("8x HDR InfiniBand 200 Gb/s a node", 1600, math.nan),
        ("4x200Gbps RDMA", 800, math.nan),
        ("GCP A3 (4x200G TCPX)", 800, math.nan),
        ("IB HDR (Selene)", math.nan, 200),
        ("Omni-Path (Jean Zay)", math.nan, 100),
        ("400GbE", math.nan, 400),
        ("8 x 1.6 Tb/s", 12800, math.nan),
        # Only the cards for computing count.
        (
            "NVLINK Gen4 900 GB/s; Storage: 2x NDR 400Gb/s, Compute: 8x ConnectX-7 IB NDR 400Gb/s",
            3200,
            math.nan,
        ),
        ("NVLINK 4.0; 1x Ethernet 100Gb/Sec, 8x Quantum-2 InfiniBand (400Gb/s)", 3200, math.nan),
        ("NVLINK Gen4 900 GB/s + NVSWITCH Gen3", math.nan, math.nan),  # bytes, and no network
        ("NVLink; Gig Ethernet", math.nan, math.nan),
        ("", math.nan, math.nan),
    ],
)
def test_a_network_is_read(text: str, server: float, port: float) -> None:
    found = network_of(text, PRESETS)
    assert found.server == pytest.approx(server * GBIT, nan_ok=True)
    assert found.port == pytest.approx(port * GBIT, nan_ok=True)


def test_a_rate_may_be_that_of_a_card() -> None:
    assert network_of("400 Gb/s per GPU", PRESETS).card == 50e9


def test_a_rack_and_a_host_are_read() -> None:
    assert network_of("NVL72", PRESETS).domain == 72.0
    assert math.isnan(network_of("NVL", PRESETS).domain)
    assert network_of("PCIe motherboard, no NVLink stated", PRESETS).host
    assert not network_of("NVLink; PCIe to the host", PRESETS).host


@pytest.mark.parametrize(
    ("texts", "year"),
    [
        (["NeMo 24.07 (Megatron-Core)"], 2024.5),
        (["Megatron-LM 2021"], 2021.5),
        (["NVIDIA NeMo Framework Release 23.09"], 2023 + 8 / 12),
        (["NeMo (Megatron-Core)", 'v25.02 "Llama 3.1 8b"'], 2025 + 1 / 12),
        (["Megatron-Bridge", "26.04.01 NeMo Container / Pre-Training"], 2026.25),
        (["Megatron-LM", "Sept 2020 DGX-A100"], 2020 + 8 / 12),
        (["NVIDIA NeMo Framework", "", "", "", "", "", "mlperf-v3-0"], 2023.5),
        (["Megatron-LM", "MLPerf Training v3.0"], 2023.5),
        (["MLPerf Training v9.9"], math.nan),  # a round that is not on record
        (["in-house", "iteration time 24.07 s, 2021 steps"], math.nan),
        (["", ""], math.nan),
    ],
)
def test_the_year_of_the_software_is_read(texts: list[str], year: float) -> None:
    assert year_of(texts, ROUNDS) == pytest.approx(year, nan_ok=True)


@pytest.mark.parametrize(
    ("text", "stack"),
    [
        ("Megatron-LM", "megatron"),
        ("NVIDIA NeMo Framework", "megatron"),
        ("Megatron-DeepSpeed", "deepspeed"),
        ("MindSpeed-LLM (Megatron-LM on torch_npu)", "mindspeed"),
        ("AscendSpeed (Megatron/DeepSpeed on torch_npu)", "mindspeed"),
        ("llm-foundry/composer FSDP", "fsdp"),
        ("MaxText (JAX)", "xla"),
        ("NeuronX Distributed / nemo-megatron", "neuron"),
        ("Huawei in-house", "typical"),
        ("", "typical"),
    ],
)
def test_a_stack_is_read(text: str, stack: str) -> None:
    assert stack_of(text) == stack


def test_every_word_of_a_stack_leads_to_one() -> None:
    assert {stack for _, stack in WORDS} == set(STACKS) - {"typical"}
    assert all(word == word.lower() for word, _ in WORDS)


@pytest.mark.parametrize(
    ("notes", "stated", "ranks"),
    [
        ("ZeRO-1 within 8-GPU node; packed", "", 8.0),
        ("ZeRO-1 within 4 DP ranks", "", 4.0),
        ("FSDP sharding within a node", "", 0.0),  # 0 stands for the ranks of a node
        ("sharding HYBRID_SHARD", "", 0.0),
        ("", "HSDP", 0.0),
        ("sharding FULL_SHARD", "fsdp", math.inf),
        ("measured within an hour", "1", math.inf),
    ],
)
def test_the_ranks_that_share_states_are_read(notes: str, stated: str, ranks: float) -> None:
    assert _shard(notes, stated) == ranks


@pytest.mark.parametrize(
    ("text", "stage"),
    [
        ("3", "3"),
        ("2 (sharding_degree 4)", "2"),
        ("(config) ZeRO-3 for full", "3"),
        ("FSDP", "3"),
        ("4", ""),
        ("", ""),
    ],
)
def test_the_stage_of_sharding_is_read(text: str, stage: str) -> None:
    assert _stage(text) == stage


@pytest.mark.parametrize(
    ("text", "id"),
    [
        ("llama-65b", "llama-65b"),
        ("Llama 3.1 8B-Instruct", "llama-3-8b"),
        ("(LLaMA2-7B presumably; not stated)", "llama-2-7b"),
        ("qwen-1_8b-chat", "qwen-1.8b"),
        ("Llama 4 Scout", "llama-4-scout"),
    ],
)
def test_a_model_is_found_by_a_loose_name(text: str, id: str) -> None:
    found = model_named(PRESETS, text)
    assert found
    assert found.id == id


@pytest.mark.parametrize("text", ["", "my-own-7b-thing", "Llama3-70B 4-layer proxy", "x" * 5000])
def test_other_names_lead_to_no_model(text: str) -> None:
    assert model_named(PRESETS, text) is None


@pytest.mark.parametrize(
    ("text", "ids"),
    [
        ("H100-SXM", ["nvidia-h100-sxm-80gb"]),
        (
            "A100 (266 servers x 8)",
            [f"nvidia-a100-{form}gb" for form in ("sxm-80", "sxm-40", "pcie-80", "pcie-40")],
        ),
        ("RTX 3090 24GB (PCIe motherboard)", ["nvidia-rtx-3090"]),
        ("a100-sxm4-80gb?", []),  # a guess stands for nothing
        ("", []),
    ],
)
def test_a_chip_or_its_bins_are_found(text: str, ids: list[str]) -> None:
    assert [record.id for record in accelerators_of(PRESETS, text)] == ids


def test_the_usual_bin_of_a_family_is_its_default() -> None:
    usual = accelerators_of(PRESETS, "ascend-910b").usual
    assert usual
    assert usual.id == PRESETS.load("families", "ascend-910b").words["default"]
    assert accelerators_of(PRESETS, "ascend").usual is None  # its generations differ too much for one
