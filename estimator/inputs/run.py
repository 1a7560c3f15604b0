"""The question about one training run: every input optional, each checked, none contradicting another."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Self

from pydantic import BaseModel, ConfigDict, Field, ModelWrapValidatorHandler, ValidationError, model_validator

from .. import units
from ..errors import QuestionError, near_misses
from ..presets import Presets
from ..units import CURRENCIES, Price
from . import fields
from .fields import Count, Duration, Power, RentPrice, Share

PRECISIONS = ("bf16", "fp16", "fp8", "mxfp8", "nvfp4", "tf32", "fp32")

# Inputs that say the same thing in two ways: at most one of each pair.
_RIVALS = (
    ("params", "model"), ("params", "config"), ("model", "config"), ("tokens", "tokens_per_param"),
    ("tokens", "epochs"), ("tokens", "dataset_tokens"), ("tokens_per_param", "epochs"),
    ("tokens_per_param", "dataset_tokens"), ("count", "nodes"), ("count", "within"), ("nodes", "within"),
    ("price", "plan"), ("platform", "scaling_efficiency"),
)  # fmt: skip


class Run(BaseModel):
    """One training run as asked: what is left out is assumed, and the answer lists it.

    Raises
    ------
    QuestionError
        Any fault of the inputs; the message holds all of them, a line each.

    Examples
    --------
    >>> Run(params="65B").params
    65000000000.0
    """

    model_config = ConfigDict(frozen=True, extra="forbid", arbitrary_types_allowed=True)

    params: Annotated[float | None, fields.number(units.parse_count, 1e3, 1e16)] = Field(
        None, description="Parameters of a dense model, like 65e9, 65B or 1.4T."
    )
    model: Annotated[str | None, fields.preset("models")] = Field(
        None, description="A recorded model, like llama-65b (see: estimate presets models)."
    )
    config: str | None = Field(None, description="A Hugging Face config.json, read from disk.")

    tokens: Annotated[float | None, fields.number(units.parse_count, 1.0, 1e19)] = Field(
        None, description="Training tokens, like 1.4T."
    )
    tokens_per_param: Annotated[float | None, fields.number(units.parse_count, 1e-6, 1e9)] = Field(
        None, description="Training tokens for each (active) parameter; 20 is compute-optimal."
    )
    epochs: Annotated[float | None, fields.number(units.parse_count, 1e-6, 1e9)] = Field(
        None, description="Passes over the data set, with --dataset-tokens."
    )
    dataset_tokens: Annotated[float | None, fields.number(units.parse_count, 1.0, 1e19)] = Field(
        None, description="Tokens in the data set, with --epochs."
    )
    seq: Annotated[float | None, fields.whole(1, 1e9)] = Field(None, description="Sequence length in tokens.")
    global_batch: Annotated[float | None, fields.whole(1, 1e9)] = Field(
        None, description="Sequences in one optimizer step."
    )
    micro_batch: Annotated[float | None, fields.whole(1, 1e6)] = Field(
        None, description="Sequences at a time on one accelerator."
    )
    recompute: Annotated[str | None, fields.one_of("none", "selective", "full")] = Field(
        None, description="Activation recomputation: none, selective or full."
    )
    precision: Annotated[str | None, fields.one_of(*PRECISIONS)] = Field(
        None, description="Of the matrix products: " + ", ".join(PRECISIONS) + "."
    )
    optimizer: Annotated[str | None, fields.preset("optimizers")] = Field(
        None, description="A recorded optimizer, like adamw or lomo (see: estimate presets optimizers)."
    )

    on: Annotated[str | None, fields.preset("accelerators")] = Field(
        None, description="The accelerator, like nvidia-h100-sxm-80gb, a100 or ascend-910b."
    )
    node: Annotated[str | None, fields.preset("nodes")] = Field(
        None, description="The server or cloud instance, like nvidia-dgx-h100."
    )
    platform: Annotated[str | None, fields.preset("platforms")] = Field(
        None, description="A platform that states its scaling efficiency, like cfff."
    )
    count: Annotated[float | None, fields.whole(1, 1e8)] = Field(None, description="Accelerators.")
    nodes: Annotated[float | None, fields.whole(1, 1e8)] = Field(None, description="Nodes.")
    within: Annotated[float | None, fields.measured("s", "30 days", 1.0, 1e11)] = Field(
        None, description='Finish in this time; finds the count, like "30 days".'
    )
    mfu: Annotated[float | None, fields.number(units.parse_share, 1e-6, 1.0)] = Field(
        None, description="Model FLOPs utilisation, like 0.45 or 45%."
    )
    scaling_efficiency: Annotated[float | None, fields.number(units.parse_share, 1e-6, 1.0)] = Field(
        None, description="Share of the throughput kept at this scale, like 0.92."
    )
    goodput: Annotated[float | None, fields.number(units.parse_share, 1e-6, 1.0)] = Field(
        None, description="Share of the time that is productive, like 0.9."
    )

    price: RentPrice | None = Field(
        None, description='Rent, like "2 USD/gpu/hour" or "16 USD/node/hour".'
    )
    plan: Annotated[
        str | None, fields.one_of("on-demand", "reserved", "reserved-1y", "reserved-3y", "spot")
    ] = Field(None, description="Price plan: on-demand, reserved, reserved-1y, reserved-3y or spot.")
    currency: Annotated[str | None, fields.one_of(*CURRENCIES)] = Field(
        None, description="Currency of the answer, like USD or CNY."
    )
    year: Annotated[float | None, fields.whole(2000, 2100)] = Field(
        None, description="Year of prices and exchange rates."
    )
    power: Annotated[float | None, fields.measured("W", "400 W", 1e-3, 1e6)] = Field(
        None, description="Power of one accelerator and its share of the host, like 400W."
    )
    grid: Annotated[str | None, fields.preset("grids")] = Field(
        None, description="The grid that feeds it: a country or cloud region, like usa or aws-us-east-1."
    )
    pue: Annotated[float | None, fields.number(units.parse_count, 1.0, 10.0)] = Field(
        None, description="Power usage effectiveness of the facility, 1 or more."
    )

    @model_validator(mode="wrap")
    @classmethod
    def _all_faults_at_once(cls, data: Any, handler: ModelWrapValidatorHandler[Self]) -> Self:
        given: Mapping[str, Any] = data if isinstance(data, Mapping) else {}
        faults = contradictions(given)
        try:
            run = handler(data)
        except ValidationError as error:
            raise QuestionError(_field_faults(error) + faults) from None
        if faults:
            raise QuestionError(faults)
        return run

    @classmethod
    def read(cls, given: Mapping[str, Any], presets: Presets | None = None) -> Self:
        """Make a run from names and values, names of presets looked up in ``presets``."""
        return cls.model_validate(dict(given), context=presets)

    def given(self) -> dict[str, Any]:
        """Return the inputs that were given, by name."""
        return {name: value for name in type(self).model_fields if (value := getattr(self, name)) is not None}

    def write(self) -> dict[str, str | float]:
        """Return the inputs as text and numbers that read back as this very run."""
        return {name: write_input(name, value) for name, value in self.given().items()}


def option(name: str) -> str:
    """Return the command-line spelling of a field.

    Examples
    --------
    >>> option("tokens_per_param")
    '--tokens-per-param'
    """
    return "--" + name.replace("_", "-")


def contradictions(given: Mapping[str, Any]) -> list[str]:
    """List the inputs that cannot be given together, and those that need a partner.

    Examples
    --------
    >>> contradictions({"params": 1, "model": "x"})
    ['--params and --model contradict each other; give one of them']
    """
    named = {name for name, value in given.items() if value is not None}
    faults = [
        f"{option(one)} and {option(other)} contradict each other; give one of them"
        for one, other in _RIVALS
        if one in named and other in named
    ]
    if len(named & {"epochs", "dataset_tokens"}) == 1 and "tokens" not in named:
        faults.append("--epochs and --dataset-tokens belong together; give both, or --tokens")
    if not named & {"params", "model", "config"}:
        faults.append("nothing says which model: give --params, --model or --config, like --params 65e9")
    return faults


def write_input(name: str, value: Any) -> str | float:
    """Return one input as a question file holds it: units where it has them, else a plain number."""
    if isinstance(value, Price):
        return value.write()
    if name == "within":
        return f"{value / 86400.0!r} day" if value / 86400.0 * 86400.0 == value else f"{value!r} s"
    if name == "power":
        return f"{value!r} W"
    return value


def _field_faults(error: ValidationError) -> list[str]:
    faults: list[str] = []
    for fault in error.errors():
        name = str(fault["loc"][0]) if fault["loc"] else ""
        if fault["type"] == "extra_forbidden":
            faults.append(f"there is no input '{name}'{near_misses(name, list(Run.model_fields))}")
        else:
            faults.append(f"{option(name)}: {fault['msg']}")
    return faults


def rivals_of(name: str) -> set[str]:
    """Return the inputs that contradict one.

    Examples
    --------
    >>> sorted(rivals_of("within"))
    ['count', 'nodes']
    """
    return {one if other == name else other for one, other in _RIVALS if name in (one, other)}
