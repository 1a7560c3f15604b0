"""Hugging Face configuration files: the dimensions of a model from its config.json, read offline."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

from ...errors import ConfigError, EstimatorError, near_misses
from ...formulas.parameters import total_parameters
from ...formulas.shapes import transformer
from ...textfile import read_bounded
from ...units import shorten
from .families import FAMILIES, family_of
from .values import KEYS, Config, Dims, Family, shown

_LARGEST_FILE = 4 << 20
_LONGEST_NAME = 100
# As many as --params takes: each number may be ten digits long and the model still be no model.
MOST_PARAMETERS = 1e16


def read_config(path: Path) -> dict[str, float]:
    """Return the dimensions that a configuration file states.

    Parameters
    ----------
    path
        A config.json of Hugging Face Transformers, of at most 4 MiB.

    Returns
    -------
    Dimensions by the names of :class:`~estimator.formulas.parameters.Transformer`; one that is left out
    is what :func:`~estimator.formulas.shapes.transformer` makes of the others. [1]

    Raises
    ------
    ConfigError
        No readable file, no JSON object, an unknown architecture, missing keys or values that cannot be.

    References
    ----------
    T. Wolf et al., "Transformers: State-of-the-Art Natural Language Processing", 2020, arXiv:1910.03771;
    the configuration and model classes of its release 5.23.
    """
    return _read(path)[1]


def read_sample(path: Path) -> dict[str, float]:
    """Return what a configuration file tells of a sample: of an encoder, its tokens, and that none is masked.

    Raises
    ------
    ConfigError
        As `read_config`.
    """
    family, dims = _read(path)
    return {"causal": 0.0, "seq": dims["positions"]} if family.encoder else {}


def _read(path: Path) -> tuple[Family, Dims]:
    try:
        values = _language_part(_load(path))
        config = Config(_family(path, values), _flat(values))
        dims = _dimensions(config)
        if problems := config.problems() or _contradictions(dims):
            raise ConfigError(f"'{path}' {'; '.join(problems)}")
    except EstimatorError as error:
        raise ConfigError(f"--config: {error}") from None
    return config.family, dims


def _load(path: Path) -> dict[str, Any]:
    text = read_bounded(path, _LARGEST_FILE, "the config.json of a model")
    try:
        raw = json.loads(text)
    except (ValueError, RecursionError) as error:
        plain = isinstance(error, json.JSONDecodeError)
        reason = error if plain else "it is nested too deeply, or a number in it has too many digits"
        raise ConfigError(f"'{path}' is not JSON: {reason}") from None
    if not isinstance(raw, dict):
        raise ConfigError(f"'{path}' holds {shown(raw)}, where a config.json holds an object")
    return cast("dict[str, Any]", raw)


def _language_part(raw: dict[str, Any]) -> dict[str, Any]:
    """Return the language model's part of a multimodal file; the whole may say what the part does not."""
    for key in ("text_config", "llm_config", "language_config"):
        if isinstance(raw.get(key), dict) and raw[key]:
            shared = ("model_type", "architectures", "tie_word_embeddings")
            return {name: raw[name] for name in shared if name in raw} | raw[key]
    return raw


def _flat(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return the values with those of inner objects beside them as 'object.key'."""
    inner = {name: cast("dict[str, Any]", part) for name, part in values.items() if isinstance(part, dict)}
    return dict(values) | {
        f"{name}.{key}": value for name, part in inner.items() for key, value in part.items()
    }


def _family(path: Path, values: Mapping[str, Any]) -> Family:
    classes = values.get("architectures")
    stated = [
        values.get("model_type"),
        *(cast("list[Any]", classes)[:1] if isinstance(classes, list) else []),
    ]
    names = [name[:_LONGEST_NAME] for name in stated if isinstance(name, str)]
    for name in names:
        if found := family_of(name):
            return found
    wrong = f"has the unknown model_type {shorten(names[0])}" if names else "has no model_type"
    near = near_misses(names[0], sorted(FAMILIES)) if names else ""
    raise ConfigError(f"'{path}' {wrong}{near or '.'} Known are {', '.join(sorted(FAMILIES))}")


def _dimensions(config: Config) -> Dims:
    family, hidden, heads = config.family, config.number("hidden"), config.number("heads")
    dims = {
        **family.fixed,
        "layers": config.number("layers"),
        "hidden": hidden,
        "heads": heads,
        "kv_heads": config.number("kv_heads", heads, null=heads),
        "head_dim": config.number("head_dim", hidden / heads, null=hidden / heads),
        "ffn": config.number("ffn", family.widening and family.widening * hidden),
        "vocab": config.number("vocab"),
        "tied": config.flag("tie_word_embeddings", family.tied),
    }
    rest = [name for name in family.own if name not in KEYS]
    dims |= {name: config.number(name, null=0.0, least=0) for name in rest}
    for rule in family.rules:
        dims |= rule(config, dims)
    return dims


def _contradictions(dims: Dims) -> list[str]:
    pairs = (("kv_heads", "heads"), ("experts_per_token", "experts"))
    wrong = [
        f"states more {part} ({dims[part]:.0f}) than {whole} ({dims[whole]:.0f})"
        for part, whole in pairs
        if dims.get(part, 0.0) > dims.get(whole, 0.0)
    ]
    if dims["head_dim"] % 1.0:
        wrong.append(f"divides a width of {dims['hidden']:.0f} among {dims['heads']:.0f} heads")
    size = float(total_parameters(transformer(**dims)).total)
    if not wrong and not size <= MOST_PARAMETERS:
        wrong.append(
            f"describes a model of {size:.2g} parameters, where at most {MOST_PARAMETERS:.0e} are taken"
        )
    return wrong
