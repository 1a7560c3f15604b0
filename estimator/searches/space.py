"""Every legal layout of a question: what each part may be, how many there are, and all of them piece by piece."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial

import numpy as np

from .. import legal
from ..case import Case
from ..enumeration import Choices, Facts, Mask, Values, opened
from ..errors import EstimatorError
from ..formulas.activations import RECOMPUTE
from ..formulas.memory_states import OFFLOADS
from ..tuples import NamedTuple

# Parts of a layout that any other goes with: each is an axis of its own, so that what it does not touch is computed
# once for all of its values.
KNOBS: Mapping[str, int] = {"method_offload": len(OFFLOADS), "recompute": len(RECOMPUTE)}
# The parts of a layout, in the order in which they are told.
PARTS = (
    "tp", "pp", "vpp", "cp", "ep", "zero", "shard", "sequence_parallel", "micro_batch", "recompute", "method_offload",
)  # fmt: skip
# More layouts than these would take a quarter of an hour.
MOST = 1_000_000_000
# Parts whose values are refused because they do not divide what they split.
_DIVIDING: tuple[str, ...] = ("pp", "cp", "vpp", "ep", "micro_batch")
# So many layouts are given their next part at a time, and so many evaluated, that a processor's cache holds them.
_AT_ONCE, _ROWS = 16384, 8192
# What is opened first, and shared out, and about how many layouts without their knobs a share has: a third of a second.
_DEGREES, _SHARE = ("tp", "pp", "cp"), 65536


class Share(NamedTuple):
    """Some degrees of a question, side by side, and how many legal layouts have them."""

    degrees: Mapping[str, Values]
    layouts: int


class Size(NamedTuple):
    """The legal layouts, in shares of about as many each, and by part how many values go with none opened before."""

    shares: Sequence[Share]
    refused: Mapping[str, int]

    @property
    def layouts(self) -> int:
        """How many there are."""
        return sum(share.layouts for share in self.shares)


def divisors(number: int) -> list[int]:
    """Return what divides a number, in rising order.

    Examples
    --------
    >>> divisors(12)
    [1, 2, 3, 4, 6, 12]
    """
    small = [part for part in range(1, int(number**0.5) + 1) if number % part == 0]
    return sorted({*small, *(number // part for part in small)})


def _array(values: object) -> Values:
    return np.array(values, dtype=np.float64)


def _dividing(name: str, facts: Facts) -> Values:
    """Return what divides a dimension of the model or the batch, and is no more than the cards."""
    whole = int(facts.whole(name)[0]) if len(facts.asked) else 1
    return _array(divisors(max(whole, 1)))


def _up_to(name: str, more: float, facts: Facts) -> Values:
    """Return the whole numbers up to a dimension of the model."""
    most = facts.whole(name)[0] + more if len(facts.asked) else 1.0
    return np.arange(1.0, most + 1.0)


def _depths(facts: Facts) -> Values:
    encoder = facts["encoder_layers"][0] if len(facts.asked) else 0.0
    return _up_to("layers", float(encoder), facts)


def _groups(facts: Facts) -> Values:
    """Return group sizes that divide the data-parallel ranks of some layout, and infinity for all of them."""
    ranks = np.unique(facts.replicas * facts["cp"]).tolist()
    return _array([*sorted({part for each in ranks for part in divisors(int(each))} - {1}), np.inf])


def _given(values: tuple[float, ...], _facts: Facts) -> Values:
    return _array(values)


def _degrees(facts: Facts) -> Mask:
    """Legal degrees whose replicas share out the batch, without which no micro-batch can."""
    return legal.degrees(facts) & (facts["global_batch"] % facts.replicas == 0)


def _split_norms(facts: Facts) -> Mask:
    """Sequence parallelism takes tensor ranks."""
    return (facts["sequence_parallel"] == 0) | (facts["tp"] > 1)


def _all(facts: Facts) -> Mask:
    return facts.asked >= 0


EVERY = Choices(
    {
        "tp": partial(_dividing, "heads"),
        "pp": _depths,
        "cp": partial(_dividing, "seq"),
        "vpp": partial(_up_to, "layers", 2.0),
        "ep": partial(_dividing, "experts"),
        "zero": partial(_given, (0.0, 1.0, 2.0, 3.0)),
        "shard": _groups,
        "sequence_parallel": partial(_given, (0.0, 1.0)),
        "micro_batch": partial(_dividing, "global_batch"),
    },
    {
        "pp": legal.depth,
        "cp": _degrees,
        "vpp": legal.stages,
        "ep": legal.experts,
        "shard": legal.groups,
        "sequence_parallel": _split_norms,
        "micro_batch": legal.batches,
    },
    _all,
)


def knobs(case: Case) -> dict[str, Values]:
    """Return the values of the knobs that a question leaves open."""
    return {name: np.arange(float(number)) for name, number in KNOBS.items() if name in case.free}


def size_of(case: Case) -> Size:
    """Count the legal layouts of a question, share them out, and count what was refused.

    Raises
    ------
    EstimatorError
        There are more than can be tried.
    """
    refused: dict[str, int] = dict.fromkeys(_DIVIDING, 0)
    tallied = {name: partial(_tallied, name, EVERY.rules[name], refused) for name in _DIVIDING}
    every = EVERY._replace(rules={**EVERY.rules, **tallied})
    shares = list(_shares(case, _degrees_of(case, every), every))
    return Size(shares, {name: number for name, number in refused.items() if number})


def _degrees_of(case: Case, every: Choices) -> Facts:
    """Return all legal degrees, each taken for a question of its own."""
    first = every._replace(options={name: every.options[name] for name in _DEGREES}, last=_all)
    (found,) = opened(Facts(case, np.zeros(1, dtype=np.intp), {}), first)
    return Facts(case, np.arange(len(found.asked)), found.parts)


def replicas_of(case: Case) -> tuple[Values, Values]:
    """Return the cards of a replica, and the sequences of its smallest step, of degrees that may leave cards idle."""
    rules = {"pp": legal.depth, "cp": legal.even}
    options = {name: EVERY.options[name] for name in _DEGREES}
    (found,) = opened(Facts(case, np.zeros(1, dtype=np.intp), {}), Choices(options, rules, _all))
    least = Facts(
        case,
        found.asked,
        {**found.parts, **{name: _ones(found) for name in ("vpp", "micro_batch") if found.open(name)}},
    )
    return least.replica, least.least_share


def _ones(facts: Facts) -> Values:
    return np.ones(len(facts.asked))


def _shares(case: Case, degrees: Facts, every: Choices) -> Iterator[Share]:
    """Yield degrees that follow each other, so many together that they have enough layouts.

    Raises
    ------
    EstimatorError
        There are more than can be tried.
    """
    each = int(np.prod([len(values) for values in knobs(case).values()]))
    number = np.zeros(len(degrees.asked), dtype=np.intp)
    found = 0
    for facts in opened(degrees, every, _AT_ONCE):
        number += np.bincount(facts.asked, minlength=len(number))
        found += len(facts.asked) * each
        if found > MOST:
            raise EstimatorError(_too_many(case))
    after = np.cumsum(number)
    share = (after - number) // _SHARE
    for which in np.unique(share[number > 0]):
        places = np.flatnonzero((share == which) & (number > 0))
        yield Share(degrees.take(places).parts, int(number[places].sum()) * each)


def _tallied(name: str, rule: Callable[[Facts], Mask], refused: dict[str, int], facts: Facts) -> Mask:
    """Apply a rule and count what it refuses."""
    kept = rule(facts)
    refused[name] += kept.size - int(np.count_nonzero(kept))
    return kept


def _too_many(case: Case) -> str:
    count = float(case.columns["count"])
    return (
        f"on {count:,.0f} accelerators more than {MOST:,} layouts are legal; give some of their parts, like --tp 8, "
        "--zero 1 or --offload none"
    )


def pieces(case: Case, share: Share | None = None) -> Iterator[dict[str, Values]]:
    """Yield the columns of every legal layout, or of those of a share, some thousand at a time.

    The knobs are on axes before that of the rest.
    """
    degrees: Mapping[str, Values] = {} if share is None else share.degrees
    rows = max((len(column) for column in degrees.values()), default=1)
    question = Facts(case, np.zeros(rows, dtype=np.intp), degrees)
    # Norms are split or not whatever the other parts are, but for one tensor rank: that is a knob of all others.
    split = "sequence_parallel" in case.free
    rest = Choices(
        {name: each for name, each in EVERY.options.items() if name != "sequence_parallel"}, EVERY.rules, _all
    )
    held: dict[bool, list[Facts]] = {False: [], True: []}
    for facts in opened(question, rest, _AT_ONCE):
        many = facts["tp"] > 1
        for both in (False, True):
            held[both].append(facts.take(many == both) if split else facts.take(slice(None if both else 0)))
            if sum(len(each.asked) for each in held[both]) >= _ROWS:
                yield from _cut(case, held[both], both=both and split)
                held[both] = []
    for both, left in held.items():
        yield from _cut(case, left, both=both and split)


def _cut(case: Case, held: list[Facts], *, both: bool) -> Iterator[dict[str, Values]]:
    """Put layouts together and cut them into pieces of one size, with the knobs on axes of their own."""
    columns = (
        {name: np.concatenate([each.parts[name] for each in held]) for name in held[0].parts} if held else {}
    )
    turned = {**knobs(case), **({"sequence_parallel": np.array([0.0, 1.0])} if both else {})}
    axes = {
        name: values.reshape(-1, *[1] * (len(turned) - place))
        for place, (name, values) in enumerate(turned.items())
    }
    if "sequence_parallel" in case.free and not both:
        axes["sequence_parallel"] = np.zeros(())
    for start in range(0, sum(len(each.asked) for each in held), _ROWS):
        yield {**{name: column[start : start + _ROWS] for name, column in columns.items()}, **axes}
