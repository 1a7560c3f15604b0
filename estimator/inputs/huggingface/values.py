"""The values of one configuration file, and what is missing or wrong among them."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any, cast

from ...units import shorten

# Where a dimension may stand: the first key that a file states wins, a family's own spelling before these.
KEYS: dict[str, tuple[str, ...]] = {
    "layers": ("num_hidden_layers", "n_layer", "n_layers", "num_layers"),
    "hidden": ("hidden_size", "n_embd", "d_model", "n_embed"),
    "heads": ("num_attention_heads", "n_head", "n_heads", "num_heads"),
    "kv_heads": ("num_key_value_heads", "num_kv_heads", "n_head_kv"),
    "head_dim": ("head_dim", "kv_channels", "d_kv"),
    "ffn": ("intermediate_size", "n_inner", "ffn_dim", "ffn_hidden_size", "d_ff"),
    "vocab": ("vocab_size",),
    "experts": ("num_local_experts", "num_experts", "n_routed_experts"),
    "experts_per_token": ("num_experts_per_tok", "experts_per_token"),
}


def is_count(least: int, value: Any) -> bool:
    """Say whether a value is a whole number, and one that a model may have."""
    number = isinstance(value, (int, float)) and not isinstance(value, bool)
    return number and least <= value <= 1e9 and value == int(value)


def is_layers(value: Any) -> bool:
    """Say whether a value is a list of whole numbers, one for a layer."""
    return isinstance(value, list) and all(is_count(0, layer) for layer in cast("list[Any]", value))


def shown(value: Any) -> str:
    """Return a value as an error names it."""
    if isinstance(value, (dict, list)):
        return "an object" if isinstance(value, dict) else "a list"
    return shorten(value) if isinstance(value, str) else json.dumps(value)[:40]


@dataclass(frozen=True, slots=True)
class Family:
    """An architecture: what it fixes, how its files spell dimensions, and rules that run in order.

    ``absent`` holds what the configuration classes of Transformers fill in for a key that a file does not
    have; ``widening`` times the width is the feed-forward width where none is stated. An ``encoder`` masks no
    token, and its samples are as long as its table of positions.
    """

    fixed: Mapping[str, float] = field(default_factory=dict[str, float])
    rules: tuple[Rule, ...] = ()
    own: Mapping[str, str] = field(default_factory=dict[str, str])
    absent: Mapping[str, float] = field(default_factory=dict[str, float])
    tied: bool = False
    widening: float | None = None
    encoder: bool = False


@dataclass(frozen=True, slots=True)
class Config:
    """The values of one file; what is missing or wrong is collected, so that one answer names all of it.

    A faulty value counts as 1, which no rule divides by zero with; it never leaves this room.
    """

    family: Family
    values: Mapping[str, Any]
    missing: list[str] = field(default_factory=list[str])
    faults: list[str] = field(default_factory=list[str])

    def stated(self, key: str, fits: Callable[[Any], bool], belongs: str) -> Any:
        """Return a value, or None where there is none that fits."""
        value = self.values.get(key)
        if value is None or fits(value):
            return value
        self.faults.append(f"'{key}' is {shown(value)}, where {belongs} belongs")
        return None

    def number(
        self, name: str, absent: float | None = None, null: float | None = None, least: int = 1
    ) -> float:
        """Return a number; ``absent`` stands for a key that is not there, ``null`` for one set to null."""
        own = self.family.own.get(name)
        keys = (*([own] if own else ()), *KEYS.get(name, () if own else (name,)))
        if key := next((key for key in keys if self.values.get(key) is not None), ""):
            value = self.stated(key, partial(is_count, least), f"a whole number from {least} to 1e9")
            return 1.0 if value is None else float(value)
        nulled = null is not None and any(key in self.values for key in keys)
        default = null if nulled else self.family.absent.get(name, absent)
        if default is None:
            self.missing.append(keys[0])
        return 1.0 if default is None else default

    def flag(self, key: str, absent: bool = False) -> float:
        """Return 1 for true and 0 for false."""
        value = self.stated(key, lambda value: isinstance(value, bool), "true or false")
        return float(absent if value is None else value)

    def text(self, key: str) -> str:
        """Return a text, empty where there is none."""
        return self.stated(key, lambda value: isinstance(value, str), "text") or ""

    def mapping(self, key: str) -> Mapping[str, Any]:
        """Return an object, empty where there is none."""
        return self.stated(key, lambda value: isinstance(value, dict), "an object") or {}

    def problems(self) -> list[str]:
        """Return what is wrong with the file, the missing keys first."""
        names = [f"'{key}'" for key in dict.fromkeys(self.missing)]
        listed = " and ".join(filter(None, [", ".join(names[:-1]), *names[-1:]]))
        return [f"lacks {listed}"] * bool(names) + list(dict.fromkeys(self.faults))


Dims = dict[str, float]
Rule = Callable[[Config, Dims], Dims]
