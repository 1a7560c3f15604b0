"""The table of every input of a question, and which of them contradict each other."""

from __future__ import annotations

from collections.abc import Mapping

from ..units import CURRENCIES
from . import fields
from .fields import Field
from .money_table import MONEY
from .stacks import STACKS

PRECISIONS = ("bf16", "fp16", "fp8", "mxfp8", "nvfp4", "tf32", "fp32")
# Price plans, each with the plans on record that it stands for, the shortest term first; what is owned is not rented.
PLANS: Mapping[str, tuple[str, ...]] = {
    "on-demand": ("on-demand",), "reserved": ("reserved", "reserved-1y", "reserved-3y"),
    "reserved-1y": ("reserved-1y",), "reserved-3y": ("reserved-3y",), "spot": ("spot",), "own": (),
}  # fmt: skip

# Every input, in the order in which help lists them.
FIELDS: Mapping[str, Field] = {
    "params": Field(fields.count(1e3, 1e16), "Parameters of a dense model, like 65e9, 65B or 1.4T."),
    "model": Field(
        fields.preset("models"), "A recorded model, like llama-65b (see: estimate presets models).", "NAME"
    ),
    "config": Field(fields.path, "A Hugging Face config.json, read from disk.", "FILE"),
    "tokens": Field(fields.count(1.0, 1e19), "Training tokens, like 1.4T."),
    "tokens_per_param": Field(
        fields.count(1e-6, 1e9), "Training tokens for each (active) parameter; 20 is compute-optimal."
    ),
    "epochs": Field(fields.count(1e-6, 1e9), "Passes over the data set, with --dataset-tokens or --samples."),
    "dataset_tokens": Field(fields.count(1.0, 1e19), "Tokens in the data set, with --epochs."),
    "samples": Field(
        fields.count(1.0, 1e15), "Samples in the data set, each of --seq tokens, with --epochs; like 50k."
    ),
    "seq": Field(fields.whole(1, 1e9), "Sequence length in tokens."),
    "global_batch": Field(fields.whole(1, 1e9), "Sequences in one optimizer step."),
    "micro_batch": Field(fields.whole(1, 1e6), "Sequences at a time on one accelerator."),
    "tp": Field(fields.whole(1, 4096), "Degree of tensor parallelism."),
    "pp": Field(fields.whole(1, 4096), "Degree of pipeline parallelism: stages."),
    "vpp": Field(fields.whole(1, 4096), "Model chunks a pipeline stage holds; more than 1 is interleaved."),
    "cp": Field(fields.whole(1, 4096), "Degree of context parallelism."),
    "context": Field(
        fields.one_of("ring", "ulysses"),
        "How context ranks exchange: ring (keys and values pass round) or ulysses (all-to-all of heads).",
        "NAME",
    ),
    "ep": Field(fields.whole(1, 4096), "Degree of expert parallelism."),
    "expert_imbalance": Field(
        fields.count(1.0, 1e4), "Tokens of the fullest expert rank over the mean of all, 1 or more."
    ),
    "zero": Field(fields.zero, "Stage of sharding the states: 0 to 3, or fsdp, which is 3.", "STAGE"),
    "shard": Field(
        fields.shard, "Data-parallel ranks that share one copy of the states: a number, all or node.", "RANKS"
    ),
    "sequence_parallel": Field(
        fields.switch, "Split norms and dropout over the tensor-parallel ranks: on or off.", "SWITCH"
    ),
    "recompute": Field(
        fields.one_of("none", "selective", "full", "modules"),
        "Activation recomputation: none, selective (scores), full (layers) or modules (norms, activations).",
        "NAME",
    ),
    "attention": Field(
        fields.one_of("fused", "unfused"),
        "Attention kernel: fused (flash) or unfused, which keeps scores.",
        "NAME",
    ),
    "precision": Field(
        fields.one_of(*PRECISIONS), f"Of the matrix products: {', '.join(PRECISIONS)}.", "NAME"
    ),
    "optimizer": Field(
        fields.preset("optimizers"), "Like adamw or lomo (see: estimate presets optimizers).", "NAME"
    ),
    "method": Field(
        fields.one_of("full", "lora", "qlora"),
        "What is trained: full (every weight), lora or qlora (adapters on frozen weights of 16 or 4 bits).",
        "NAME",
    ),
    "rank": Field(fields.whole(1, 1e5), "Rank of the adapters of lora and qlora."),
    "offload": Field(
        fields.one_of("none", "optimizer", "all"),
        "What stands in the memory of the host: none, optimizer (states and gradients) or all (weights too).",
        "NAME",
    ),
    "on": Field(
        fields.preset("accelerators"),
        "The accelerator, like nvidia-h100-sxm-80gb, a100 or ascend-910b.",
        "NAME",
    ),
    "node": Field(fields.preset("nodes"), "The server or cloud instance, like nvidia-dgx-h100.", "NAME"),
    "platform": Field(
        fields.preset("platforms"), "A platform that states its scaling efficiency, like cfff.", "NAME"
    ),
    "scaleout_bandwidth": Field(
        fields.measured("byte/s/accelerator", "400 Gbit/s/gpu", 1e6, 1e13),
        'Network of an accelerator, one way, like "400 Gbit/s/gpu".',
        "BANDWIDTH",
    ),
    "oversubscription": Field(
        fields.ratio(1.0, 1e4),
        "What pods may send at once over what the spine between them takes, 1 or more.",
    ),
    "pod": Field(fields.whole(1, 1e8), "Accelerators whose network loses nothing between them."),
    "count": Field(fields.whole(1, 1e8), "Accelerators."),
    "nodes": Field(fields.whole(1, 1e8), "Nodes."),
    "within": Field(
        fields.measured("s", "30 days", 1.0, 1e11),
        'Finish in this time; finds the count, like "30 days".',
        "TIME",
    ),
    "stack": Field(fields.stack, f"Training software: {', '.join(STACKS[1:])}.", "NAME"),
    "stack_year": Field(fields.count(2017, 2030), "Year of the software's release, like 2024 or 2024.5."),
    "mfu": Field(fields.share(), "Model FLOPs utilisation, like 0.45 or 45%.", "SHARE"),
    "efficiency_gain": Field(
        fields.count(1e-3, 1e3),
        "Factor on the speed that is modelled, of better operators or other software: 2 is twice as fast.",
    ),
    "calibration": Field(
        fields.path, "What `estimate calibrate` learnt from steps that you measured yourself.", "FILE"
    ),
    "scaling_efficiency": Field(
        fields.share(), "Share of the throughput kept at this scale, like 0.92.", "SHARE"
    ),
    "goodput": Field(
        fields.share(),
        "Share of the time that is productive, like 0.9; modelled where it is left out.",
        "SHARE",
    ),
    "failures": Field(
        fields.rate_or_preset("failures", fields.measured("1/node/s", "0.004 1/node/day", 1e-14, 1.0)),
        'Interruptions of a node, like "0.004 1/node/day", or as a fleet on record has them, like llama-3.',
        "RATE|FLEET",
    ),
    "mtbi": Field(
        fields.measured("s", "3 hours", 1.0, 1e12),
        'Mean time between interruptions of the whole job, like "3 hours".',
        "TIME",
    ),
    "checkpoint_interval": Field(
        fields.measured("s", "30 minutes", 1.0, 1e9),
        'Time of work between checkpoints, like "30 minutes"; the best where it is left out.',
        "TIME",
    ),
    "checkpoint_bandwidth": Field(
        fields.measured("byte/s", "50 GB/s", 1e3, 1e18),
        'That all nodes together write a checkpoint with, like "50 GB/s".',
        "BANDWIDTH",
    ),
    "checkpoint_exposed": Field(
        fields.share(0.0),
        "Share of a checkpoint's write for which training stands still: 1, or like 5% behind further steps.",
        "SHARE",
    ),
    "restart_time": Field(
        fields.measured("s", "10 minutes", 1e-3, 1e9),
        'From an interruption until training goes on, like "10 minutes".',
        "TIME",
    ),
    "rollback_share": Field(
        fields.share(0.0, 0.99),
        "Share of the work that loss spikes throw away, like 1%.",
        "SHARE",
    ),
    "straggler_share": Field(
        fields.share(0.0, 0.99),
        "Share of the work's time lost to slow nodes, beyond what measured steps hold, like 2%.",
        "SHARE",
    ),
    "spare_nodes": Field(
        fields.whole(0, 1e4), "Nodes held in reserve; without them a run waits for repairs."
    ),
    "replacement_time": Field(
        fields.measured("s", "1 day", 1e-3, 1e9),
        'Until a node that failed is replaced, like "1 day"; with --spare-nodes.',
        "TIME",
    ),
    "price": Field(fields.price, 'Rent, like "2 USD/gpu/hour" or "16 USD/node/hour".', "PRICE"),
    "plan": Field(fields.one_of(*PLANS), f"Price plan: {', '.join(PLANS)}.", "NAME"),
    "currency": Field(fields.one_of(*CURRENCIES), "Currency of the answer, like USD or CNY.", "CODE"),
    "year": Field(fields.whole(2000, 2100), "Year of prices, exchange rates and the grid."),
    "power": Field(
        fields.measured("W", "400 W", 1e-3, 1e6),
        "Power of an accelerator with its share of the host.",
        "POWER",
    ),
    "grid": Field(
        fields.preset("grids"), "The grid that feeds it, like usa, china or aws-us-east-1.", "PLACE"
    ),
    "pue": Field(
        fields.rate_or_preset("pue", fields.count(1.0, 10.0)),
        "Power usage effectiveness of the facility, 1 or more, or that of an operator on record, like enterprise.",
        "NUMBER|OPERATOR",
    ),
    "embodied": Field(
        fields.embodied,
        'Count the carbon of making the machines too: "usual", or kg an accelerator with its share of the server.',
        "MASS",
    ),
    **MONEY,
}

# Inputs that say the same thing in two ways: at most one of each pair.
RIVALS = (
    ("params", "model"), ("params", "config"), ("model", "config"), ("tokens", "tokens_per_param"),
    ("tokens", "epochs"), ("tokens", "dataset_tokens"), ("tokens_per_param", "epochs"),
    ("tokens_per_param", "dataset_tokens"), ("tokens", "samples"), ("tokens_per_param", "samples"),
    ("dataset_tokens", "samples"), ("count", "nodes"), ("count", "within"), ("nodes", "within"),
    ("price", "plan"), ("mfu", "calibration"), ("mfu", "efficiency_gain"),
    ("platform", "scaling_efficiency"), ("failures", "mtbi"),
    *(("goodput", cause) for cause in (
        "failures", "mtbi", "checkpoint_interval", "checkpoint_bandwidth", "checkpoint_exposed", "restart_time",
        "rollback_share", "straggler_share", "spare_nodes", "replacement_time",
    )),
)  # fmt: skip
