"""Published costs, and what recorded prices of the same chip and year make of their hours."""

from __future__ import annotations

from dataclasses import dataclass

from estimator import Presets, Run, ask
from estimator.lower import lower
from estimator.records import Record

CIRCULAR = "hours x stated price"


@dataclass(frozen=True)
class Bill:
    """A published cost in USD, its hours, and what is foretold of it; NaN what cannot be."""

    record: Record
    published: float
    hours: float
    given_hours: float
    newest: float
    question: float = float("nan")
    any_cloud: float = float("nan")

    @property
    def circular(self) -> bool:
        """Whether the cost is hours times a price that is stated beside it."""
        return self.record.words["cost_basis"] == CIRCULAR


def bills(presets: Presets) -> list[Bill]:
    """Every published cost but those that Epoch AI modelled."""
    return [bill(each, presets) for each in presets.all("runs") if "cost_basis" in each.words]


def bill(record: Record, presets: Presets) -> Bill:
    """Foretell one cost from its hours at recorded prices, and from its question where there is one."""
    published, unknown = record.figures["cost"].value, float("nan")
    if "accelerator_hours" not in record.figures:
        return Bill(record, published, unknown, unknown, unknown)
    seconds = record.figures["accelerator_hours"].value
    dated, newest = (price(record, presets, year) for year in (record.words["year"], None))
    own = question(record, presets)
    any_cloud = seconds * price(record, presets, record.words["year"], cloud=False)
    return Bill(record, published, seconds / 3600.0, seconds * dated, seconds * newest, own, any_cloud)


def price(record: Record, presets: Presets, year: int | None, *, cloud: bool = True) -> float:
    """Rent on demand of the run's chip in its cloud, of its year or of the newest on record. [USD/accelerator/s]"""
    asked: dict[str, object] = {
        "params": 1e9,
        "tokens": 1e9,
        "count": 8,
        "on": record.words["accelerator_id"],
    }
    asked |= {"year": year} if year else {}
    asked |= {"node": record.words["node_id"]} if "node_id" in record.words and cloud else {}
    return float(lower(Run.read(asked, presets), presets).columns["price"])


def question(record: Record, presets: Presets) -> float:
    """Cost from nothing but the question; NaN where tokens are not told. [USD]"""
    if "tokens" not in record.figures or "model_id" not in record.words:
        return float("nan")
    asked: dict[str, object] = {"model": record.words["model_id"], "on": record.words["accelerator_id"]}
    asked |= {"tokens": record.value("tokens"), "year": record.words["year"]}
    asked |= {"count": record.value("accelerators")} if "accelerators" in record.figures else {}
    return float(ask(Run.read(asked, presets), presets).cost.value)
