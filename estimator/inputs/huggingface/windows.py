"""Attention windows: how wide they are, and in how many layers a file says that they hold."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

from .values import Config, Dims, Rule, is_count, is_layers

_WINDOWED = ("sliding_attention", "chunked_attention")
_LAYERS_OF = Callable[[Config, Dims], float]


def every_layer(config: Config, dims: Dims) -> float:
    """Return all layers: Mistral, Phi-3, StarCoder 2."""
    return dims["layers"]


def all_but_every(step: int, key: str = "") -> _LAYERS_OF:
    """Make a count of layers: every ``step``-th attends to all, unless ``key`` states another step."""

    def count(config: Config, dims: Dims) -> float:
        """Return the layers between those that attend to all."""
        return dims["layers"] - dims["layers"] // (config.number(key, float(step)) if key else float(step))

    return count


def after_full(config: Config, dims: Dims) -> float:
    """Qwen: the first ``max_window_layers`` attend to all."""
    return max(0.0, dims["layers"] - config.number("max_window_layers", 28.0, least=0))


def alternate_before_full(config: Config, dims: Dims) -> float:
    """Qwen 2 with experts: every other layer, the first one too, of the first ``max_window_layers``."""
    return (min(dims["layers"], config.number("max_window_layers", 28.0, least=0)) + 1.0) // 2.0


def rotated(config: Config, dims: Dims) -> float:
    """Llama 4: the layers with rotations, listed as 1 or else all but every fourth."""
    flags = _one_a_layer(config, dims, "no_rope_layers", is_layers, "a list of whole numbers")
    if flags is None:
        return all_but_every(4, "no_rope_layer_interval")(config, dims)
    return float(sum(value != 0 for value in flags))


def unrotated(config: Config, dims: Dims) -> float:
    """SmolLM 3: the layers without rotations."""
    return dims["layers"] - rotated(config, dims)


def local(config: Config, dims: Dims) -> float:
    """GPT-Neo: the layers of kind local, listed as kinds with their repeats, or else every other one."""
    groups = config.stated("attention_types", _are_groups, "a list of kinds and their repeats")
    if not groups:
        return dims["layers"] // 2.0
    _compare(config, dims, "attention_types", sum(len(kinds) * repeats for kinds, repeats in groups))
    return float(sum(kinds.count("local") * repeats for kinds, repeats in groups))


def windowed(
    count: _LAYERS_OF = every_layer, absent: float = 0.0, key: str = "sliding_window", switch: str = ""
) -> Rule:
    """Make a rule: layers attend within a window.

    Parameters
    ----------
    count
        The layers of a file without ``layer_types``, which lists them by their kind. [1]
    absent
        The window of a file without ``key``; null is none. [token]
    key
        Where the window stands.
    switch
        A key that must be true for there to be windows, where there is one.
    """

    def rule(config: Config, dims: Dims) -> Dims:
        """Return the window and its layers, nothing where no layer has one."""
        if switch and not config.flag(switch):
            return {}
        kinds = _one_a_layer(config, dims, "layer_types", _are_texts, "a list of texts")
        window = config.number(key, absent, null=0.0, least=0)
        layers = count(config, dims) if kinds is None else float(sum(map(kinds.count, _WINDOWED)))
        return {"window": window, "window_layers": layers} if window and layers else {}

    return rule


def _one_a_layer(
    config: Config, dims: Dims, key: str, fits: Callable[[Any], bool], belongs: str
) -> list[Any] | None:
    """Return a list with a value for each layer; an empty one says no more than none."""
    listed = config.stated(key, fits, belongs)
    if listed:
        _compare(config, dims, key, len(listed))
    return listed or None


def _compare(config: Config, dims: Dims, key: str, listed: int) -> None:
    """Note a list that is not of this model; where its layers are themselves at fault, that is enough."""
    if listed != dims["layers"] and not config.problems():
        config.faults.append(f"'{key}' lists {listed} layers, where the model has {dims['layers']:.0f}")


def _are_texts(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(kind, str) for kind in cast("list[Any]", value))


def _are_groups(value: Any) -> bool:
    return isinstance(value, list) and all(map(_is_group, cast("list[Any]", value)))


def _is_group(value: Any) -> bool:
    group = cast("list[Any]", value) if isinstance(value, list) else []
    return len(group) == 2 and _are_texts(group[0]) and is_count(0, group[1])
