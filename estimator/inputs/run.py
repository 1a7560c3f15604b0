"""The question about one training run: every input optional, each checked, none contradicting another."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any, ClassVar, NoReturn, Self

from pydantic_core import SchemaValidator, ValidationError, core_schema

from ..errors import QuestionError, near_misses
from ..presets import Presets
from ..units import Price
from .fields import Field
from .money import Money
from .table import FIELDS, RIVALS
from .writing import write_input

_POD = (
    "--pod says nothing without --oversubscription: how much less its spine takes than pods can send, like 2"
)
_POOLS = (
    "'pools' make a question about a fleet, which estimate fleet, sweep and solve take; one run has no pools"
)


class Run:
    """One training run as asked: what is left out is assumed, and the answer lists it.

    Immutable. Every input of `FIELDS` may be given as text with its unit, as a number where it has none, or as
    a Quantity. The checking is pydantic's engine on a schema written from that table: reflecting the
    same schema from a ``BaseModel`` costs the command line more time than the whole estimate.

    Raises
    ------
    QuestionError
        Any fault of the inputs; the message holds all of them, a line each.

    Examples
    --------
    >>> Run(params="65B").params
    65000000000.0
    """

    fields: ClassVar[Mapping[str, Field]] = FIELDS

    params: float | None
    model: str | None
    config: str | None
    tokens: float | None
    tokens_per_param: float | None
    epochs: float | None
    dataset_tokens: float | None
    samples: float | None
    seq: float | None
    global_batch: float | None
    micro_batch: float | None
    tp: float | None
    pp: float | None
    vpp: float | None
    cp: float | None
    context: str | None
    ep: float | None
    expert_imbalance: float | None
    zero: float | None
    shard: float | str | None
    sequence_parallel: str | None
    recompute: str | None
    attention: str | None
    precision: str | None
    optimizer: str | None
    method: str | None
    rank: float | None
    offload: str | None
    on: str | None
    node: str | None
    platform: str | None
    scaleout_bandwidth: float | None
    oversubscription: float | None
    pod: float | None
    count: float | None
    nodes: float | None
    within: float | None
    stack: str | None
    stack_year: float | None
    mfu: float | None
    efficiency_gain: float | None
    calibration: str | None
    scaling_efficiency: float | None
    goodput: float | None
    failures: float | str | None
    mtbi: float | None
    checkpoint_interval: float | None
    checkpoint_bandwidth: float | None
    restart_time: float | None
    checkpoint_exposed: float | None
    rollback_share: float | None
    straggler_share: float | None
    spare_nodes: float | None
    replacement_time: float | None
    price: Price | None
    plan: str | None
    currency: str | None
    year: float | None
    power: float | None
    grid: str | None
    pue: float | str | None
    embodied: float | str | None
    spot_share: float | None
    spot_price: Price | None
    spot_interruptions: float | None
    spot_lost_time: float | None
    purchase_price: Money | None
    life: float | None
    cost_of_capital: float | None
    utilisation: float | None
    tariff: Money | None
    maintenance: float | None
    stored: float | None
    storage_price: Money | None
    egress: float | None
    egress_price: Money | None
    staff: float | None
    preparation_staff: float | None
    preparation_time: float | None
    pay: Money | None
    development: float | None
    applications: float | None
    adaptation: Money | None

    def __init__(self, **given: Any) -> None:
        """Check the inputs, names of presets among the house's records."""
        self.__dict__.update(validated(given, Presets()))

    @classmethod
    def read(cls, given: Mapping[str, Any], presets: Presets | None = None) -> Self:
        """Make a run from names and values, names of presets looked up in ``presets``."""
        run = cls.__new__(cls)
        run.__dict__.update(validated(given, presets or Presets()))
        return run

    def given(self) -> dict[str, Any]:
        """Return the inputs that were given, by name."""
        return {name: value for name, value in self.__dict__.items() if value is not None}

    def write(self) -> dict[str, str | float]:
        """Return the inputs as text and numbers that read back as this very run."""
        return {name: write_input(name, value) for name, value in self.given().items()}

    def __setattr__(self, name: str, value: object) -> NoReturn:
        """Refuse: a question does not change."""
        raise AttributeError(f"a Run is immutable; make another with Run(**{{**run.given(), '{name}': ...}})")

    def __delattr__(self, name: str) -> NoReturn:
        """Refuse: a question does not change."""
        raise AttributeError(f"a Run is immutable; make another without '{name}'")

    def __eq__(self, other: object) -> bool:
        """Tell whether both ask the same."""
        return isinstance(other, Run) and self.__dict__ == other.__dict__

    def __hash__(self) -> int:
        """Hash by what is asked."""
        return hash(tuple(self.__dict__.items()))

    def __repr__(self) -> str:
        """Show the inputs that were given."""
        return f"Run({', '.join(f'{name}={value!r}' for name, value in self.write().items())})"

    @classmethod
    def __get_pydantic_core_schema__(cls, _source: Any, _handler: Any) -> core_schema.CoreSchema:
        """Let a Run be a field of anybody's pydantic model."""

        def _read(value: Any) -> Run:
            return value if isinstance(value, Run) else cls.read(value)

        return core_schema.no_info_plain_validator_function(_read)


@cache
def _validator() -> SchemaValidator:
    def _reader(field: Field) -> core_schema.CoreSchema:
        def _read(value: Any, info: core_schema.ValidationInfo) -> Any:
            return field.read(value, info.context)  # pyright: ignore[reportArgumentType]

        return core_schema.nullable_schema(core_schema.with_info_plain_validator_function(_read))

    members = {
        name: core_schema.typed_dict_field(core_schema.with_default_schema(_reader(field), default=None))
        for name, field in FIELDS.items()
    }
    return SchemaValidator(core_schema.typed_dict_schema(members, extra_behavior="forbid"))


def validated(given: Mapping[str, Any], presets: Presets) -> dict[str, Any]:
    """Return every input checked and in house units, None where it was left out.

    Raises
    ------
    QuestionError
        All faults at once.
    """
    if "pools" in given:
        raise QuestionError([_POOLS])
    faults = contradictions(given)
    try:
        values = _validator().validate_python(dict(given), context=presets)  # pyright: ignore[reportArgumentType]
    except ValidationError as error:
        raise QuestionError(_field_faults(error) + faults) from None
    if faults:
        raise QuestionError(faults)
    return values


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
        for one, other in RIVALS
        if one in named and other in rivals_of(one, given) & named
    ]
    faults += _unpaired(named)
    if "pod" in named and not named & {"oversubscription", "platform"}:
        faults.append(_POD)
    if not named & {"params", "model", "config"}:
        faults.append("nothing says which model: give --params, --model or --config, like --params 65e9")
    return faults


def _unpaired(named: set[str]) -> list[str]:
    """Tell which inputs need a partner that is not given."""
    alone = {"preparation_staff", "preparation_time"} & named
    lonely = ["--preparation-staff and --preparation-time belong together; give both"] * (len(alone) == 1)
    return lonely + _unpaired_passes(named)


def _unpaired_passes(named: set[str]) -> list[str]:
    """Tell where passes are given without a data set, or a data set without passes."""
    if "tokens" in named:
        return []
    sets = [name for name in ("dataset_tokens", "samples") if name in named]
    if "epochs" in named and not sets:
        return [
            "--epochs says nothing without a data set; give --dataset-tokens or --samples too, or --tokens"
        ]
    if "epochs" in named:
        return []
    return [f"--epochs and {option(name)} belong together; give both, or --tokens" for name in sets]


def rivals_of(name: str, given: Mapping[str, Any] = {}) -> set[str]:
    """Return the inputs that contradict one, beside what else is given: what is owned may have a rent to compare with.

    Examples
    --------
    >>> sorted(rivals_of("within")), rivals_of("price"), rivals_of("price", {"plan": "own"})
    (['count', 'nodes'], {'plan'}, set())
    """
    owned = {"price", "plan"} if str(given.get("plan")).strip().lower() == "own" else set[str]()
    return {
        one if other == name else other
        for one, other in RIVALS
        if name in (one, other) and {one, other} != owned
    }


def _field_faults(error: ValidationError) -> list[str]:
    faults: list[str] = []
    for fault in error.errors():
        name = str(fault["loc"][0]) if fault["loc"] else ""
        if fault["type"] == "extra_forbidden":
            faults.append(f"there is no input '{name}'{near_misses(name, list(FIELDS))}")
        else:
            faults.append(f"{option(name)}: {fault['msg']}")
    return faults
