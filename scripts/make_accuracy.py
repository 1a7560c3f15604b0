"""Write docs/accuracy.md: how far estimates lie from published runs and measured rows, beside a constant MFU.

usage: make_accuracy.py [--check]

Offline and deterministic. Published runs are asked as a user would ask them, all in one evaluation; measured
rows are foretold from configurations that the efficiency has not seen, through the estimator's own ladder.
"""

from __future__ import annotations

import hashlib
import sys
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "scripts")]

import fit_efficiency as fit  # noqa: E402

from estimator import Presets, Run  # noqa: E402
from estimator.answer import sized, with_ranges  # noqa: E402
from estimator.arrays import Array, array  # noqa: E402
from estimator.case import Case, Unknown  # noqa: E402
from estimator.estimate import Estimate  # noqa: E402
from estimator.formulas.throughput import accelerator_hours, throughput_per_accelerator  # noqa: E402
from estimator.lower import lower  # noqa: E402
from estimator.lower.efficiency import measured_efficiency  # noqa: E402
from estimator.measured import number  # noqa: E402
from estimator.presets import read_rows  # noqa: E402
from estimator.records import Record, read_record  # noqa: E402

TARGET = ROOT / "docs" / "accuracy.md"
FOLDS, SEED = 4, "accuracy-1"
OURS, BY_CHIP, CONSTANT = "estimator", "one MFU a chip and precision, 6ND", "one MFU for all, 6ND"
METHODS = (OURS, BY_CHIP, CONSTANT)
DRAWS = 2000
Kind = tuple[str, str, bool]  # chip, precision, sparse
Configs = list[fit.Configuration]
Part = Callable[[fit.Configuration], str]  # what a configuration is left out with
SPARSITY = {"dense": False, "mixture of experts": True}
HOUR = 3600.0

# Likely reasons, found by reading records and rows; the sign says for which error each was written.
_RESTARTS = "the hours hold restarts, and what so large a scale takes is not taken off"
_WIDE = "the chip's rows of mixtures in 16 bit are mostly of eight wide experts"
RUN_REASONS = {
    "+llama-4-scout": "our model record takes full attention over 262,144 tokens in every layer; Llama 4 "
    "attends in chunks in most layers, and pre-training is unlikely to have used that length throughout",
    "-llama-4-scout": f"{_WIDE}; {_RESTARTS}",
    "-llama-4-maverick": f"128 experts, while {_WIDE}, which run faster; {_RESTARTS}",
    "-pythia-70m": "a model 512 wide: small kernels, the optimizer and the look-up, none of it model FLOPs; "
    "nothing so small was measured on this chip in fp16",
    "-pythia-1b": "asked in bf16, as the record says, it is given the efficiency of the chip's tuned bf16 "
    "rows; it ran at the speed of its fp16 siblings in the same software",
    "-mpt-1.3b-redpajama-300b-token-equivalent": "a third party's figure, scaled from 'about half a day'; "
    "neither the sequence nor the shape is on record",
    "-mpt-7b": "the hours hold restarts on 440 chips; the chip's rows are the maker's own tuned settings",
    "-bloom-176b": "48 nodes on Omni-Path, pipelined, with full recomputation; the chip's bf16 rows are "
    "mostly of sharded training on faster networks; the hours hold restarts",
    "-llama-3.1-70b": f"'15T+' tokens and a long-context stage; {_RESTARTS}",
    "-llama-3-70b": f"'15T+' tokens; {_RESTARTS}",
    "-llama-3.1-405b": f"a long-context stage; {_RESTARTS}",
    "-llama-2-34b": "the hours hold restarts; the shape is the usual one for the size",
    "-palm-540b": "no measured row of TPU v4: borrowed from TPU v6e; the hours hold downtime, repeated steps "
    "and two weeks on half the machine",
    "+gpt-2-774m-repro-llm-c": "hand-written kernels on one node; the chip's rows are of sharded training in "
    "PyTorch, many with recomputation",
    "+gpt-2-350m-repro-llm-c": "hand-written kernels on one node, as GPT-2 774M",
}
_IDLE = "4 micro-batches in a pipeline of {} stages: it stands idle {} of the time"
_NARROW = "experts only {} wide keep matrix units idle, tokens are sent to {}; most rows are of wider ones"
_EARLY = "256 narrow experts in an early release (NeMo 25.05); a later one reaches over three times the speed"
CONFIG_REASONS = {
    "+511e073180": _IDLE.format(64, "94 %"),
    "+dd2c846f15": _IDLE.format(32, "89 %"),
    "+f31c69ff78": "experts only 768 wide, before tuning: a later release runs the recipe 2.8 times as fast",
    "+99c441d18f": _NARROW.format("1,536", "32 chips across nodes"),
    "+9f49ae8c27": _NARROW.format("2,048", "64 chips across nodes"),
    "+48dd54e92e": _NARROW.format("768", "8 chips"),
    "+6e9434fbe6": _EARLY,
    "+fc18049788": _EARLY,
    "+4a90f51343": _EARLY,
    "+b33aa62c28": "at 32,768 tokens attention scores are most of the FLOPs; they are counted unmasked, and "
    "run in 16 bit while the peak is that of FP8",
    "+e9a54ab6b9": _NARROW.format("1,536", "32 chips across nodes"),
    "+ead1ec63b9": _NARROW.format("768", "8 chips"),
}


@dataclass(frozen=True, slots=True)
class Scores:
    """Estimates with their ranges beside what was measured, arrays of one length."""

    value: Array
    low: Array
    high: Array
    truth: Array

    @property
    def error(self) -> Array:
        """Signed relative error."""
        return self.value / self.truth - 1.0

    @property
    def size(self) -> Array:
        """Relative error without its sign."""
        return np.abs(self.error)

    @property
    def inside(self) -> Array:
        """Whether the truth lies in the range."""
        return (self.low <= self.truth) & (self.truth <= self.high)

    def pick(self, chosen: Sequence[bool]) -> Scores:
        """The rows that are chosen."""
        mask = np.asarray(chosen, dtype=bool)
        return Scores(self.value[mask], self.low[mask], self.high[mask], self.truth[mask])

    def cells(self) -> list[str]:
        """n, median, mean, bias, coverage and width, as the tables print them."""
        n = len(self.truth)
        width = float(np.median(self.high / self.low))
        return [
            str(n),
            share(np.median(self.size)),
            share(np.mean(self.size)),
            signed(np.median(self.error)),
            f"{int(self.inside.sum())} of {n}",
            f"{width:.2f}",
        ]


HEADINGS = ["n", "median error", "mean error", "bias", "in range", "high/low"]


class Learnt(Presets):
    """The house's presets with the efficiency learnt anew, from some of the measured configurations."""

    def __init__(self, configs: Configs) -> None:
        super().__init__()
        self.learnt: dict[str, Record] = {}
        with TemporaryDirectory() as folder:
            for name, text in fit.files(configs).items():
                path = Path(folder) / f"{name}.toml"
                path.write_text(text, encoding="utf-8")
                self.learnt[name] = read_record("calibrations", path)

    def files(self, kind: str, ending: str = ".toml") -> dict[str, Path]:
        """Every record but the house's own efficiencies, which have seen all rows."""
        found = super().files(kind, ending)
        if kind != "calibrations":
            return found
        others = {name: path for name, path in found.items() if not name.startswith("efficiency-")}
        return others | {name: record.path for name, record in self.learnt.items()}

    def load(self, kind: str, name: str) -> Record:
        """The efficiency learnt here, else the house's record."""
        here = self.learnt.get(name) if kind == "calibrations" else None
        return here or super().load(kind, name)


# Efficiencies: arrays of shape (n, 3), each row low, middle and high.


def short(configs: Configs) -> Configs:
    """The same configurations, their FLOPs counted as six a parameter and token."""
    return [replace(config, flops=config.short_flops) for config in configs]


def ladder(presets: Presets, kinds: Iterable[Kind]) -> Array:
    """The efficiency that the estimator takes for each kind of question."""
    found: dict[Kind, tuple[float, float, float]] = {}
    for kind in (kinds := list(kinds)):
        if kind not in found:
            chip, precision, sparse = kind
            record = presets.load("accelerators", chip)
            figure, _ = measured_efficiency(presets, record, precision, sparse=sparse)
            found[kind] = (figure.low or figure.value, figure.value, figure.high or figure.value)
    return array([found[kind] for kind in kinds])


def constant(configs: Configs, length: int) -> Array:
    """One efficiency for whatever is asked: the median of all dense 16-bit configurations, by 6ND."""
    chosen = [
        config.mfu for config in short(configs) if not config.sparse and config.precision in ("bf16", "fp16")
    ]
    return np.tile(array(fit.quantiles(chosen)), (length, 1))


def learnt(configs: Configs, kinds: Sequence[Kind]) -> dict[str, Array]:
    """What each method takes for the kinds asked, having seen these configurations."""
    return {
        OURS: ladder(Learnt(configs), kinds),
        BY_CHIP: ladder(Learnt(short(configs)), kinds),
        CONSTANT: constant(configs, len(kinds)),
    }


# Published runs.


def is_scored(record: Record) -> bool:
    return bool(record.words["scored"])


def question(record: Record, *, stated_precision: bool = True) -> dict[str, object]:
    """What a user would ask about a run: model, tokens and chip, the rest only where the record states it."""
    words, figures = record.words, record.figures
    asked: dict[str, object] = {"on": words["accelerator_id"], "tokens": figures["tokens"].value}
    asked |= {"model": words["model_id"]} if "model_id" in words else {"params": figures["parameters"].value}
    asked |= {"count": figures["accelerators"].value} if "accelerators" in figures else {}
    asked |= {"seq": figures["seq"].value} if "seq" in figures else {}
    return asked | ({"precision": words["precision"]} if stated_precision and "precision" in words else {})


def answer(questions: Sequence[dict[str, object]], presets: Sequence[Presets]) -> Estimate:
    """Answer many questions in one evaluation: their columns stand one below the other."""
    pairs = zip(questions, presets, strict=True)
    return with_ranges(stacked([sized(lower(Run.read(asked, known), known)) for asked, known in pairs]))


def stacked(cases: Sequence[Case]) -> Case:
    """Put cases below each other; what one lacks is not a number, an unknown it lacks does not move it."""
    names = dict.fromkeys(name for case in cases for name in case.columns)
    columns = {name: array([case.columns.get(name, np.nan) for case in cases]) for name in names}
    moved: dict[str, dict[str, None]] = defaultdict(dict)
    for case in cases:
        for unknown in case.unknowns:
            moved[unknown.name] |= dict.fromkeys(unknown.low)

    def end(case: Case, unknown: str, column: str, side: str) -> Array:
        own = next((item for item in case.unknowns if item.name == unknown), None)
        ends: Mapping[str, Array] = getattr(own, side) if own else {}
        return ends.get(column, case.columns[column])

    def ends(unknown: str, side: str) -> dict[str, Array]:
        return {name: array([end(case, unknown, name, side) for case in cases]) for name in moved[unknown]}

    unknowns = tuple(Unknown(name, ends(name, "low"), ends(name, "high")) for name in moved)
    return Case(columns, unknowns=unknowns)


def hours(estimate: Estimate, records: Sequence[Record]) -> Scores:
    """Productive accelerator-time estimated, and as published; house units."""
    amount = estimate.amount("accelerator_hours")
    truth = array([record.figures["accelerator_hours"].value for record in records])
    return Scores(amount.value, amount.low, amount.high, truth)


def kinds_of(questions: Sequence[dict[str, object]], estimate: Estimate, presets: Presets) -> list[Kind]:
    """Chip, precision and sparsity of each question, as the estimator took them."""
    words = [lower(Run.read(asked, presets), presets).words for asked in questions]
    sparse = estimate.case.columns["experts"] > 0
    return [(word["accelerator"], word["precision"], bool(s)) for word, s in zip(words, sparse, strict=True)]


@dataclass(frozen=True, slots=True)
class Published:
    """Everything about the published runs: records, kin among the measured rows, and scores by method."""

    records: list[Record]
    kin: list[Configs]
    same_document: list[Configs]
    scores: dict[str, Scores]
    default_precision: Scores
    without_kin: Scores


def published(presets: Presets, configs: Configs) -> Published:
    """Ask about every scored run, by every method, and by ours with less help."""
    records = [record for record in presets.all("runs") if is_scored(record)]
    house = [presets] * len(records)
    asked = [question(record) for record in records]
    estimate = answer(asked, house)
    scores = {OURS: hours(estimate, records)}
    kinds = kinds_of(asked, estimate, presets)
    taken = {BY_CHIP: ladder(Learnt(short(configs)), kinds), CONSTANT: constant(configs, len(kinds))}
    for method, mfu in taken.items():
        scores[method] = by_6nd(estimate, mfu, scores[OURS].truth)
    kin = [kin_of(estimate, index, kind, configs) for index, kind in enumerate(kinds)]
    documents = [from_document(record, configs, locators(presets)) for record in records]
    plain = answer([question(record, stated_precision=False) for record in records], house)
    pairs = zip(kin, documents, strict=True)
    sources = [frozenset(config.source for config in [*one, *other]) for one, other in pairs]
    unseen = answer(asked, without(sources, configs, presets))
    return Published(records, kin, documents, scores, hours(plain, records), hours(unseen, records))


def by_6nd(estimate: Estimate, mfu: Array, truth: Array) -> Scores:
    """Hours by a spreadsheet: 6ND over peak and efficiency; the low efficiency gives the high end."""
    columns = estimate.case.columns
    per_token = (estimate.values["flops_6nd"] / columns["tokens"])[:, None]
    speed = throughput_per_accelerator(columns["peak"][:, None], mfu, array(1.0), per_token)
    high, value, low = accelerator_hours(columns["tokens"][:, None], speed).T
    return Scores(value, low, high, truth)


def kin_of(estimate: Estimate, index: int, kind: Kind, configs: Configs) -> Configs:
    """Measured configurations of a model with the same layers, width and feed-forward on the same chip."""
    columns = estimate.case.columns
    block = max(float(columns["ffn"][index]), float(columns["expert_ffn"][index]))
    same = (float(columns["layers"][index]), float(columns["hidden"][index]), block)
    names = ("n_layers", "hidden", "ffn_hidden")
    return [config for config in configs if config.chip == kind[0]
            and tuple(number(config.cells, name) for name in names) == same]  # fmt: skip


def locators(presets: Presets) -> dict[str, str]:
    return {row.source.key: row.source.locator for row in read_rows(presets, "measurements/throughput")}


def from_document(record: Record, configs: Configs, where: Mapping[str, str]) -> Configs:
    """Measured configurations whose source is one that the run cites."""
    cited = " ".join(source.locator for source in record.sources.values())
    return [config for config in configs if where[config.source] and where[config.source] in cited]


def without(sources: Iterable[frozenset[str]], configs: Configs, presets: Presets) -> list[Presets]:
    """Presets whose efficiency has seen none of these sources; the house's own where there are none."""
    made: dict[frozenset[str], Presets] = {frozenset(): presets}
    found: list[Presets] = []
    for unwanted in sources:
        if unwanted not in made:
            made[unwanted] = Learnt([config for config in configs if config.source not in unwanted])
        found.append(made[unwanted])
    return found


# Measured rows.


def fold_of(config: fit.Configuration) -> str:
    """The fold of a configuration, by a hash that is the same on every machine."""
    digest = hashlib.sha256(f"{SEED}:{config.group}".encode()).hexdigest()
    return str(int(digest, 16) % FOLDS)


PARTS: Mapping[str, Part] = {
    "folds": fold_of,
    "sources": lambda config: config.source,
    "chips": lambda config: config.chip,
}
TITLES = {"folds": "four folds", "sources": "whole source left out", "chips": "whole accelerator left out"}


def left_out(configs: Configs, part: Part) -> dict[str, Scores]:
    """Foretell each configuration's tokens a second from those of all other parts, by every method."""
    labels = [part(config) for config in configs]
    taken = {method: np.full((len(configs), 3), np.nan) for method in METHODS}
    for label in sorted(set(labels)):
        chosen = [index for index, own in enumerate(labels) if own == label]
        seen = [config for config, own in zip(configs, labels, strict=True) if own != label]
        asked = [(config.chip, config.precision, config.sparse) for config in (configs[i] for i in chosen)]
        for method, mfu in learnt(seen, asked).items():
            taken[method][chosen] = mfu
    return {
        method: foretold(configs if method == OURS else short(configs), mfu) for method, mfu in taken.items()
    }


def foretold(configs: Configs, mfu: Array) -> Scores:
    """Tokens a second of an accelerator at given efficiencies, and as measured."""
    peak = array([config.peak for config in configs])[:, None]
    flops = array([np.median(config.flops) for config in configs])[:, None]
    low, value, high = throughput_per_accelerator(peak, mfu, array(1.0), flops).T
    return Scores(value, low, high, array([np.median(config.speeds) for config in configs]))


# Words and tables.


def signed(value: float) -> str:
    return f"{round(100 * value, 1) + 0.0:+.1f} %"


def share(value: float) -> str:
    return f"{100 * value:.1f} %"


def amount(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.4g}"


def table(headings: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    """Lines of a Markdown table; a column of numbers stands to the right."""
    rows = list(rows)
    numeric = [
        all(not cell or cell[0] in "+-0123456789" for cell in column) for column in zip(*rows, strict=True)
    ]
    rule = ["---:" if right else "---" for right in numeric]
    return ["| " + " | ".join(cells) + " |" for cells in (headings, rule, *rows)] + [""]


def summary(groups: Mapping[str, Mapping[str, Scores]]) -> list[str]:
    """One line a group of rows and method."""
    rows = [
        [name, method, *scores.cells()]
        for name, methods in groups.items()
        for method, scores in methods.items()
    ]
    return table(["rows", "method", *HEADINGS], rows)


def difference(ours: Array, others: Array) -> tuple[float, float]:
    """95 % interval of the difference of two medians, the rows drawn anew in pairs (bootstrap)."""
    drawn = np.random.RandomState(0).randint(len(ours), size=(DRAWS, len(ours)))
    low, high = np.quantile(np.median(ours[drawn], axis=1) - np.median(others[drawn], axis=1), [0.025, 0.975])
    return float(low), float(high)


def verdicts(groups: Mapping[str, Mapping[str, Scores]]) -> list[str]:
    """Say of each group where ours is better, only equal or worse than the baselines."""
    rows: list[list[str]] = []
    for name, methods in groups.items():
        ours = methods[OURS].size
        for other in (BY_CHIP, CONSTANT):
            theirs = methods[other].size
            low, high = (round(100 * end, 1) + 0.0 for end in difference(ours, theirs))
            word = "better" if high < 0 else "worse" if low > 0 else "only equal"
            gap = 100 * float(np.median(ours) - np.median(theirs))
            closer = f"{int((ours < theirs).sum())} of {len(ours)}"
            rows.append([name, other, f"**{word}**", f"{gap:+.1f}", f"{low:+.1f} to {high:+.1f}", closer])
    return table(["rows", "against", "ours is", "points", "95 % interval", "closer on"], rows)


def picked(
    scores: Mapping[str, Scores], groups: Mapping[str, Sequence[bool]]
) -> dict[str, dict[str, Scores]]:
    return {name: {method: own.pick(mask) for method, own in scores.items()}
            for name, mask in groups.items() if any(mask)}  # fmt: skip


def run_groups(found: Published) -> dict[str, dict[str, Scores]]:
    words = [str(record.words["accounting"]) for record in found.records]
    return picked(found.scores, {
        "all runs": [True] * len(words),
        "productive hours": [word == "productive" for word in words],
        "occupied hours": [word != "productive" for word in words],
    })  # fmt: skip


def split_groups(scores: Mapping[str, Scores], configs: Configs) -> dict[str, dict[str, Scores]]:
    masks = {kind: [config.sparse is sparse for config in configs] for kind, sparse in SPARSITY.items()}
    return picked(scores, masks)


# Tables of the page.


def in_short(groups: Mapping[str, Mapping[str, Scores]]) -> list[str]:
    """Median errors of the three methods side by side."""
    rows: list[list[str]] = []
    for name, methods in groups.items():
        n = len(methods[OURS].truth)
        medians = (share(np.median(methods[method].size)) for method in METHODS)
        rows.append([name, str(n), *medians, f"{int(methods[OURS].inside.sum())} of {n}"])
    return table(["median error", "n", *METHODS, "in our range"], rows)


def run_table(found: Published) -> list[str]:
    """Every scored run: published, estimated, and how far the baselines lie."""
    headings = ["run", "accelerator", "n", "hours are", "published", "estimate", "error", "range", "in"]
    rows = [run_row(found, index) for index in range(len(found.records))]
    return table([*headings, "a chip, 6ND", "one for all, 6ND", "seen"], rows)


def run_row(found: Published, index: int) -> list[str]:
    record, ours = found.records[index], found.scores[OURS]
    count = record.value("accelerators")
    published, estimate, low, high = (
        amount(column[index] / HOUR) for column in (ours.truth, ours.value, ours.low, ours.high)
    )
    kin = {"model": found.kin[index], "document": found.same_document[index]}
    return [
        record.name, str(record.words["accelerator_id"]), amount(count) if count > 0 else "",
        str(record.words["accounting"]), published, estimate, signed(ours.error[index]), f"{low} - {high}",
        "yes" if ours.inside[index] else "no", signed(found.scores[BY_CHIP].error[index]),
        signed(found.scores[CONSTANT].error[index]), " + ".join(name for name in kin if kin[name]) or "none",
    ]  # fmt: skip


def kin_table(found: Published) -> list[str]:
    """The runs of which something was seen, with the error once its sources are left out."""
    rows: list[list[str]] = []
    for index, record in enumerate(found.records):
        errors = [signed(scores.error[index]) for scores in (found.scores[OURS], found.without_kin)]
        seen = (("same model and chip", found.kin[index]), ("same document", found.same_document[index]))
        rows += [
            [record.name, what, ", ".join(sorted({config.source for config in kin})), str(len(kin)), *errors]
            for what, kin in seen if kin
        ]  # fmt: skip
    return table(["run", "seen", "sources", "configurations", "error", "without these sources"], rows)


def help_table(found: Published) -> list[str]:
    """What our scores on the runs owe to the precision that records state, and to rows of the same model."""
    cases = {
        "as asked": found.scores[OURS],
        "every precision left to the default": found.default_precision,
        "the sources of these rows left out": found.without_kin,
    }
    return table(["all runs", *HEADINGS], [[name, *scores.cells()] for name, scores in cases.items()])


def worst(scores: Scores, most: int) -> list[tuple[int, float]]:
    """Places and errors of the worst, worst first."""
    places = np.argsort(-scores.size, kind="stable")[:most]
    return [(int(place), float(scores.error[place])) for place in places]


def reason(known: Mapping[str, str], name: str, error: float) -> str:
    return known.get(("+" if error > 0 else "-") + name, "not looked into")


def worst_runs(found: Published) -> list[str]:
    pairs = [(found.records[place], error) for place, error in worst(found.scores[OURS], 10)]
    rows = [[record.name, signed(error), reason(RUN_REASONS, record.id, error)] for record, error in pairs]
    return table(["run", "error", "likely reason"], rows)


def worst_configs(scores: Scores, configs: Configs) -> list[str]:
    """The twenty worst of the configurations foretold, the first ten with a likely reason."""
    rows: list[list[str]] = []
    for rank, (place, error) in enumerate(worst(scores, 20)):
        config = configs[place]
        what = f"{config.cells['model']}, {config.cells['n_accelerators']} x {config.chip}"
        why = reason(CONFIG_REASONS, config.group, error) if rank < 10 else ""
        rows.append([config.group, what, config.precision, config.source, signed(error), why])
    return table(["configuration", "what", "precision", "source", "error", "likely reason"], rows)


def left_out_runs(records: Iterable[Record]) -> list[str]:
    """Runs that are not scored, by the reason that their records give."""
    reasons: dict[str, list[str]] = defaultdict(list)
    for record in records:
        if not is_scored(record):
            reasons[str(record.words["left_out"])].append(record.id)
    rows = [
        [why, str(len(ids)), ", ".join(ids if len(ids) <= 20 else [ids[0], "...", ids[-1]])]
        for why, ids in sorted(reasons.items(), key=lambda item: (-len(item[1]), item[0]))
    ]
    return table(["reason", "n", "records"], rows)


def parts_table(scores: Mapping[str, Scores], configs: Configs, part: Part) -> list[str]:
    """Median error for each part left out."""
    labels = [part(config) for config in configs]
    rows: list[list[str]] = []
    for label in sorted(set(labels)):
        for kind, sparse in SPARSITY.items():
            pairs = zip(labels, configs, strict=True)
            mask = [own == label and config.sparse is sparse for own, config in pairs]
            if any(mask):
                own = {method: scores[method].pick(mask) for method in METHODS}
                medians = (share(np.median(own[method].size)) for method in METHODS)
                covered = f"{int(own[OURS].inside.sum())} of {sum(mask)}"
                rows.append([label, kind, str(sum(mask)), *medians, covered])
    return table(["left out", "rows", "n", OURS, "a chip, 6ND", "one for all, 6ND", "in range"], rows)


def noise_table(configs: Configs) -> list[str]:
    """How far repeats of one configuration lie apart: largest over smallest, less one."""
    apart: dict[str, list[tuple[float, int]]] = defaultdict(list)
    for config in configs:
        if len(config.speeds) > 1:
            for name in (config.source, "all"):
                apart[name].append((max(config.speeds) / min(config.speeds) - 1.0, len(config.speeds)))
    rows: list[list[str]] = []
    for name in sorted(apart, key=lambda name: (name == "all", name)):
        gaps, counts = zip(*apart[name], strict=True)
        shares = (share(np.quantile(gaps, q)) for q in (0.5, 0.9, 1.0))
        rows.append([name, str(len(gaps)), str(sum(counts)), *shares])
    return table(["source", "configurations", "rows", "median", "9 of 10 below", "largest"], rows)


PAGE = """# Accuracy

Generated by `scripts/make_accuracy.py` from the records in `presets/`: do not edit. Offline, one command:

    python scripts/make_accuracy.py            # --check tells whether this page is current

Errors are the estimate over the published or measured figure, less one. *Bias* is the median error with
its sign. *In range* counts the figures that lie between the ends of the estimate's range, which is
meant to hold 8 of 10; *high/low* is the median width of that range.

Two baselines answer the same questions. **{constant}**: the spreadsheet, 6ND FLOPs at the median
efficiency of all dense 16-bit configurations. **{by_chip}**: what the estimator does, with 6ND in place
of exact FLOPs.

{in_short}
**In sample and out of it.** The efficiency is learnt from {configs} configurations ({rows} rows) of
`presets/measurements/throughput.csv` and from no published run, so that every published run is out of
sample. Where rows of the same model on the same chip, or rows of a document that the run cites, were
among those learnt from, the run's line says so, and a second table leaves their sources out. Measured
configurations are foretold from folds, sources or accelerators that do not hold them. In sample remain
choices made by people who had seen these figures: the form of the ladder, which rows count, the
quantiles of the range; and the shape rule for models of which only the size is known, fitted on public
models.

## Published runs: accelerator-hours

{n} runs of `presets/runs` are scored: one row a run, hours that are productive (tokens over throughput)
or occupied (with restarts), and parameters, tokens and accelerator on record. Each is asked as a user
would ask: model (parameters where no model is on record), tokens and accelerator, and count, sequence
and precision where the record states them; all else is left to the defaults. The estimate is of
*productive* hours: goodput is 1 and listed as an assumption, so that it is expected to fall short of
occupied hours, which hold restarts. BLOOM's row is recorded as `mixed` and stands with the occupied
ones.

{runs}
### Better, equal or worse

Difference of the median errors in percentage points: below zero is for us. *Only equal* where the
interval of the difference holds zero (rows drawn anew in pairs). Rows of one maker are not independent,
so that the true intervals are wider.

{run_verdicts}
### Run by run

Hours are accelerator-hours. The columns *6ND* are the errors of the baselines. *Seen* tells whether the
efficiency learnt from rows of the same model on the same chip, or of a document that the run cites.
None of these rows is the run itself; BLOOM's are trials on its own machine before it.

{run_table}
### What was seen of a run

{kin_table}
What the scores owe to these rows, and to the precision that some records state. Precision stands for
more than the number format: the fp16 rows of the 40 GB A100, Pythia's chip, are of older software than
its bf16 rows.

{help_table}
### The ten worst

{worst_runs}
### Runs left out

{left_out_runs}
## Measured rows: tokens a second

{configs} configurations of {rows} rows; each counts once, by the median of its rows. Each is foretold
by the estimator's own ladder (chip and precision, architecture, all chips), learnt anew on what is not
left out.

### Four folds

By a hash of the configuration (seed `{seed}`).

{folds}
The twenty worst:

{worst_configs}
### A whole source left out

{sources}
### A whole accelerator left out

What is left borrows from the architecture, else from all chips.

{chips}
## Noise floor

Repeats within a configuration: largest over smallest tokens a second, less one. A configuration is the
same recipe; some repeats are later releases of the software. No estimate from the recipe alone can do
better than about half of this.

{noise}"""


def run_sections(found: Published, presets: Presets) -> dict[str, list[str]]:
    groups = run_groups(found)
    return {
        "runs": summary(groups), "run_verdicts": verdicts(groups), "run_table": run_table(found),
        "kin_table": kin_table(found), "help_table": help_table(found), "worst_runs": worst_runs(found),
        "left_out_runs": left_out_runs(presets.all("runs")),
    }  # fmt: skip


def measured_sections(splits: Mapping[str, Mapping[str, Scores]], configs: Configs) -> dict[str, list[str]]:
    """The tables of each way to leave rows out."""
    made: dict[str, list[str]] = {"worst_configs": worst_configs(splits["folds"][OURS], configs)}
    for name, scores in splits.items():
        groups = split_groups(scores, configs)
        parts = [] if name == "folds" else parts_table(scores, configs, PARTS[name])
        made[name] = [*summary(groups), *verdicts(groups), *parts]
    return made


def page() -> str:
    presets = Presets()
    configs = fit.configurations(presets)
    found = published(presets, configs)
    splits = {name: left_out(configs, part) for name, part in PARTS.items()}
    groups = {f"published runs, {name}": methods for name, methods in run_groups(found).items()} | {
        f"measured rows, {TITLES[name]}, {kind}": methods
        for name, scores in splits.items()
        for kind, methods in split_groups(scores, configs).items()
    }
    tables = {
        "in_short": in_short(groups), **run_sections(found, presets), **measured_sections(splits, configs),
        "noise": noise_table(configs),
    }  # fmt: skip
    return PAGE.format(
        constant=CONSTANT, by_chip=BY_CHIP, seed=SEED, configs=len(configs), n=len(found.records),
        rows=sum(len(config.speeds) for config in configs),
        **{name: "\n".join(lines) for name, lines in tables.items()},
    )  # fmt: skip


def main(arguments: Sequence[str]) -> int:
    text = page()
    if "--check" in arguments:
        same = TARGET.is_file() and TARGET.read_text(encoding="utf-8") == text
        print("docs/accuracy.md is", "current" if same else "out of date: run scripts/make_accuracy.py")
        return 0 if same else 1
    TARGET.parent.mkdir(exist_ok=True)
    TARGET.write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
