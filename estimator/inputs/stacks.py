"""Software stacks of training: their names, and the words by which a text tells which one it means."""

from __future__ import annotations

from functools import cache

# The code of a stack is its place here; the first stands for a stack that is not known.
STACKS = (
    "typical", "megatron", "deepspeed", "fsdp", "mindspeed", "xla", "internevo", "llmq", "colossalai", "neuron",
    "torchtune", "lomo",
)  # fmt: skip

# The first word that a text holds decides, so that the more special stands before the more general:
# "Megatron-DeepSpeed" is DeepSpeed, "MindSpeed (Megatron-LM)" is MindSpeed, "Neuron / nemo-megatron" is Neuron.
WORDS: tuple[tuple[str, str], ...] = (
    ("mindspeed", "mindspeed"), ("ascendspeed", "mindspeed"), ("modellink", "mindspeed"),
    ("neuron", "neuron"), ("lomo", "lomo"), ("torchtune", "torchtune"), ("colossal", "colossalai"),
    ("internevo", "internevo"), ("llmq", "llmq"),
    ("maxtext", "xla"), ("paxml", "xla"), ("jax", "xla"), ("xla", "xla"), ("mesh tensorflow", "xla"),
    ("deepspeed", "deepspeed"),
    ("fsdp", "fsdp"), ("composer", "fsdp"), ("foundry", "fsdp"), ("lit-gpt", "fsdp"), ("litgpt", "fsdp"),
    ("torchtitan", "fsdp"),
    ("megatron", "megatron"), ("nemo", "megatron"), ("megascale", "megatron"), ("nvidia release", "megatron"),
)  # fmt: skip


@cache
def stack_of(text: str) -> str:
    """Return the stack that a text means; "typical" where it names none.

    Examples
    --------
    >>> stack_of("NeMo 24.07 (Megatron-Core)"), stack_of("Megatron-DeepSpeed"), stack_of("in-house")
    ('megatron', 'deepspeed', 'typical')
    """
    lower = text.lower()
    return next((stack for word, stack in WORDS if word in lower), STACKS[0])
