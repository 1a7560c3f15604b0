"""The model of a question: dimensions from a record, a configuration file, or a bare parameter count."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from ..arrays import Array, array
from ..case import Unknown
from ..formulas import shapes
from ..formulas.parameters import total_parameters
from ..provenance import Figure, Origin
from ..records import Record
from .asked import Asked


def lower(asked: Asked) -> None:
    """Set the columns of the transformer, and whether its attention has a causal mask."""
    run = asked.run
    asked.draft.put("causal", 1.0, Origin("derived", "a token attends to those before it"))
    if run.params is not None:
        _from_size(
            asked, run.params, Origin("derived", "a usual shape for this many parameters", option="--model")
        )
    elif run.config is not None:
        _from_config(asked, Path(run.config))
    else:
        _from_record(asked, asked.presets.find("models", str(run.model)).record)


def _from_config(asked: Asked, path: Path) -> None:
    from ..inputs.huggingface import read_config, read_sample

    origin = Origin("given", "read from the configuration file", option="--config")
    asked.draft.words["model"] = path.name
    _put(asked, read_config(path), origin)
    for name, value in read_sample(path).items():
        if name != "seq" or asked.run.seq is None:
            asked.draft.put(name, value, origin)


def _from_record(asked: Asked, record: Record) -> None:
    asked.draft.words["model"] = record.id
    if mask := record.figures.get("causal"):
        asked.draft.figure("causal", mask)
    given = {name: figure for name in shapes.DIMENSIONS if (figure := record.figures.get(name))}
    if "layers" not in given:
        reason = f"the dimensions of {record.id} are not public: a usual shape for its size"
        _from_size(asked, record.value("parameters"), Origin("assumed", reason, record.figures["parameters"]))
        return
    _put(
        asked,
        {name: figure.value for name, figure in given.items()},
        Origin("preset", f"dimensions of {record.id}"),
    )
    for name, figure in given.items():
        asked.draft.origins[name] = Origin("preset", figure.where, figure)
    if (seq := record.figures.get("seq")) and asked.run.seq is None:
        kind = "assumed" if seq.kind == "assumed" else "preset"
        asked.draft.put("seq", seq.value, Origin(kind, seq.where, seq, "--seq"))
    _note_published(asked, record)


def _note_published(asked: Asked, record: Record) -> None:
    tokens: Figure | None = record.figures.get("training_tokens")
    if tokens and not asked.run.given().keys() & {"tokens", "tokens_per_param", "epochs"}:
        asked.draft.notes.append(
            f"{record.name} was trained on {tokens.value:.4g} tokens ({tokens.cite()}); "
            f"ask with --tokens {tokens.value:g} for the run as published"
        )


def _put(asked: Asked, given: Mapping[str, float | Array], origin: Origin) -> None:
    model = shapes.transformer(**given)
    for name, value in zip(shapes.DIMENSIONS, model, strict=True):
        asked.draft.put(name, value, origin)


def _from_size(asked: Asked, parameters: float, origin: Origin) -> None:
    """Give a bare parameter count the usual shape; how far models stray from it is an unknown."""
    rule = asked.presets.load("assumptions", "shape")
    spread = rule.figures["hidden_spread"]
    shape = shape_of(rule, array(parameters), 1.0)
    _put(asked, shape, origin)
    asked.draft.words["shape"] = f"{shape['layers']:.3g} layers of width {shape['hidden']:,.0f}"
    fitted = rule.figures["hidden_coefficient"]
    reason = f"usual of recorded models, vocabulary {shape['vocab']:,.0f}"
    asked.draft.origins["shape"] = Origin("assumed", reason, fitted, "--model")
    ends = [shape_of(rule, array(parameters), factor) for factor in (spread.low or 1.0, spread.high or 1.0)]
    low, high = ({name: array(value) for name, value in end.items()} for end in ends)
    asked.draft.unknowns.append(Unknown("shape", low, high))


def shape_of(rule: Record, parameters: Array, factor: Array | float) -> dict[str, Array]:
    """Return the usual shape of a dense model of so many parameters, ``factor`` times as wide as the rule says."""
    hidden = array(factor) * shapes.hidden_of(
        parameters, array(rule.value("hidden_coefficient")), array(rule.value("hidden_exponent"))
    )
    vocab = shapes.vocab_of(parameters, hidden, array(rule.value("vocab")))
    head_dim = rule.value("head_dim")
    dimensions = {
        "layers": shapes.layers_of(parameters, hidden, vocab),
        "hidden": hidden,
        "heads": hidden / head_dim,
        "kv_heads": hidden / head_dim,
        "head_dim": array(head_dim),
        "value_dim": array(head_dim),
        "ffn": hidden * 8.0 / 3.0,
        "gated": array(1.0),
        "vocab": vocab,
    }
    # What rounding leaves is put aside, so that the size asked for is the size answered to the last bit.
    counted = total_parameters(shapes.transformer(**dimensions)).total
    return {**dimensions, "extra": parameters - counted}
