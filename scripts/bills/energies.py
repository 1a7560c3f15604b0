"""Published energies that were measured, foretold without their own document."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache

import numpy as np
from fit_power import Law, Point, document_of, measured_power, points_of, without
from step_time.practice import document_of as document_of_run
from step_time.practice import planned_of, practice_spreads, published_runs
from step_time.record import presets_of, with_practice

from estimator import Presets, Run, ask
from estimator.arrays import array
from estimator.breakdown import Breakdown
from estimator.case import Case
from estimator.estimate import Estimate, evaluate
from estimator.formulas.energy import Draw, facility_energy, system_power
from estimator.lower.step_time import CALIBRATION
from estimator.records import Record

# What a measured energy holds: the accelerators alone, or the machines; with the facility where a PUE is in it.
GPUS_ONLY = ("olmo-2-7b", "olmo-2-13b")
_MWH = 3.6e9
# What a tuning benchmark trains, where its record names the model alone.
_TUNING: dict[str, object] = {"method": "lora", "rank": 16, "seq": 8192, "global_batch": 8}


@dataclass(frozen=True)
class Bill:
    """One measured energy or power, and what is foretold of it; NaN what cannot be."""

    record: Record
    published: float
    given_hours: float
    nameplate: float
    question: float = float("nan")
    hours: float = float("nan")
    nameplate_question: float = float("nan")
    covered: bool = False

    @property
    def scope(self) -> str:
        """What the figure is of."""
        if self.record.id in GPUS_ONLY:
            return "cards alone"
        return (
            "power of a node"
            if "energy" not in self.record.figures
            else "nodes"
            if _is_node(self.record)
            else "facility"
        )


def _is_node(record: Record) -> bool:
    return "node_power" in record.figures


def bills(presets: Presets) -> list[Bill]:
    """Every measured energy, from its stated hours and from its question, where there are any."""
    found = of_stated_hours(presets)
    return [
        asked(each, law_without(each.record, points_of(presets)), presets)
        if "tokens" in each.record.figures
        else each
        for each in found
    ]


def of_stated_hours(presets: Presets, times: Mapping[str, float] | None = None) -> list[Bill]:
    """Every measured energy from its stated hours; ``times`` are factors on the recorded power of accelerators."""
    records = {each.id: each for each in presets.all("runs") if each.words.get("energy_basis") == "measured"}
    factor = {id: (times or {}).get(str(each.words["accelerator_id"]), 1.0) for id, each in records.items()}
    points = [each._replace(share=each.share / factor[each.run]) for each in points_of(presets)]
    return [bill(each, points, factor[each.id], presets) for each in records.values()]


def bill(record: Record, points: Sequence[Point], factor: float, presets: Presets) -> Bill:
    """Foretell one energy, or one power, from its stated hours."""
    figures, law = record.figures, law_without(record, points)
    hours = figures.get("accelerator_hours")
    chip = presets.find("accelerators", str(record.words["accelerator_id"])).record
    nameplate = chip.value("power") * factor
    if "energy" not in figures:
        ours = per_card(record, law, nameplate, presets)
        return Bill(record, measured_power(record) * 8, ours * 8, nameplate * 8)
    published = figures["energy"].value / _MWH
    found = Bill(record, published, float("nan"), float("nan"))
    if hours is not None:
        pue = 1.0 if _is_node(record) else record.value("pue")
        ours = of_hours(hours.value, per_card(record, law, nameplate, presets), pue)
        found = replace(found, given_hours=ours, nameplate=hours.value * nameplate * pue / _MWH)
    return found


def law_without(record: Record, points: Sequence[Point]) -> Law:
    """Return the law of power that other documents give."""
    return without(points, document_of(record))


def draw(law: Law, nameplate: float) -> Draw:
    """Return what is drawn by a law, without switches: no measured system holds them."""
    return Draw(array(nameplate), *law, array(0.0), array(0.0))


def per_card(record: Record, law: Law, nameplate: float, presets: Presets) -> float:
    """Power of an accelerator with its share of the host, at the utilisation stated, else at that modelled."""
    use = record.figures.get("hfu") or record.figures.get("mfu")
    hfu = use.value if use else float(ask(tuning(record, presets), presets).hfu.value)
    return float(system_power(array(8), array(8), array(hfu), draw(law, nameplate)).total)


def tuning(record: Record, presets: Presets) -> Run:
    """Return the question of a tuning benchmark."""
    words = record.words
    question = {"model": words["model_id"], "on": words["accelerator_id"], "precision": words["precision"]}
    return Run.read({**question, "count": record.value("accelerators"), "tokens": 1e7, **_TUNING}, presets)


def of_hours(seconds: float, watts: float, pue: float) -> float:
    """Energy of accelerator-time by the formula of an answer. [MWh]"""
    time, each = Breakdown({"productive": array(seconds)}), Breakdown({"accelerators": array(watts)})
    none = Draw(*(array(0.0) for _ in Draw._fields))
    return float(facility_energy(array(1.0), time, each, none, array(pue)).total) / _MWH


def asked(found: Bill, law: Law, presets: Presets) -> Bill:
    """Foretell an energy from nothing but the question: model, tokens, chip, count and the PUE that is stated."""
    record = found.record
    question = {name: record.figures[figure].value for name, figure in
                (("tokens", "tokens"), ("count", "accelerators"), ("seq", "seq")) if figure in record.figures}  # fmt: skip
    question |= {
        "model": record.words["model_id"],
        "on": record.words["accelerator_id"],
        "pue": record.value("pue"),
    }
    case = case_of(record, question)
    columns = {name: array(value) for name, value in (*law._asdict().items(), ("switch_share", 0.0))}
    estimate = evaluate(case.with_columns(columns))
    ours, seconds = energy_of(estimate, record), float(estimate.occupied_hours.value)
    pue = 1.0 if record.id in GPUS_ONLY else record.value("pue")
    plain = (
        float(estimate.accelerator_hours.value) * float(case.columns["power_per_accelerator"]) * pue / _MWH
    )
    ranged = ask(Run.read(question, presets), presets).energy
    part = ours * _MWH / float(estimate.energy.value)
    inside = float(ranged.low) * part <= found.published * _MWH <= float(ranged.high) * part
    return replace(found, question=ours, hours=seconds / 3600.0, nameplate_question=plain, covered=inside)


def energy_of(estimate: Estimate, record: Record) -> float:
    """Energy of what was measured: the cards alone, or all. [MWh]"""
    parts = estimate.energy.parts
    own = ("accelerators", "repeated_work", "idle_accelerators") if record.id in GPUS_ONLY else tuple(parts)
    return sum(float(parts[name]) for name in own) / _MWH


def case_of(record: Record, question: dict[str, object]) -> Case:
    """Return the case of a question by presets that have not seen how slow the runs of its document were."""
    document = document_of_run(record) if "accelerator_hours" in record.figures else ""
    with presets_of(practice_without(document)) as others:
        return ask(Run.read(question, others), others).case


@cache
def practice_without(document: str) -> str:
    """Return the record of step times with the practice of all other documents."""
    presets = Presets()
    text = presets.files("calibrations")[CALIBRATION].read_text(encoding="utf-8")
    steps = planned_of(presets.load("calibrations", CALIBRATION))
    return with_practice(text, practice_spreads(steps, _known(text).without(document)))


@cache
def _known(text: str):
    with presets_of(with_practice(text, {})) as bare:
        return published_runs(bare)


def errors(found: Sequence[Bill], name: str, against: str = "published") -> list[float]:
    """Return the errors of what is known, as shares."""
    pairs = [(getattr(each, name), getattr(each, against)) for each in found]
    return [float(ours / truth - 1.0) for ours, truth in pairs if not np.isnan(ours)]
