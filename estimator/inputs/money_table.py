"""The inputs about money: spot, ownership, storage, people, and what the cost is spread over."""

from __future__ import annotations

from collections.abc import Mapping

from . import fields
from .fields import Field
from .money import money

# So long a price may be paid back, and a machine be held.
_AGE = 100.0 * 365.25 * 86400.0

# Inputs that mean nothing where machines are rented.
OWNER = ("purchase_price", "life", "cost_of_capital", "maintenance")

MONEY: Mapping[str, Field] = {
    "spot_share": Field(
        fields.share(0.0), "Share of the accelerators that are rented at spot, like 0.5 or 50%.", "SHARE"
    ),
    "spot_price": Field(fields.price, 'Rent of those at spot, like "1 USD/gpu/hour".', "PRICE"),
    "spot_interruptions": Field(
        fields.measured("1/node/s", "0.2/node/month", 1e-15, 1.0),
        'How often a spot node is taken away, like "0.2/node/month".',
        "RATE",
    ),
    "spot_lost_time": Field(
        fields.measured("s", "1 hour", 1e-3, 1e9), 'What each of these costs the run, like "1 hour".', "TIME"
    ),
    "purchase_price": Field(
        money("purchase"),
        'With --plan own: of an accelerator, like "30000 USD/gpu", or of a server with all, "240000 USD/node".',
        "PRICE",
    ),
    "life": Field(
        fields.measured("s", "5 years", 86400.0, _AGE),
        'With --plan own: in which the machines are paid back, like "5 years".',
        "TIME",
    ),
    "cost_of_capital": Field(
        fields.share(0.0), "With --plan own: interest on what they cost, a year, like 0.1 or 10%.", "SHARE"
    ),
    "utilisation": Field(
        fields.share(), "Share of the time in which what is owned or reserved is in use, like 0.8.", "SHARE"
    ),
    "tariff": Field(money("tariff"), 'Price of electricity, like "0.08 USD/kWh".', "PRICE"),
    "maintenance": Field(
        fields.share(0.0), "With --plan own: share of the price for repairs, a year, like 0.05.", "SHARE"
    ),
    "stored": Field(
        fields.measured("byte", "500 TB", 1.0, 1e21), 'Data and checkpoints held, like "500 TB".', "SIZE"
    ),
    "storage_price": Field(money("storage"), 'Of what is held, like "0.02 USD/GB/month".', "PRICE"),
    "egress": Field(
        fields.measured("byte", "20 TB", 1.0, 1e21), 'Data moved out, like "20 TB".', "SIZE"
    ),
    "egress_price": Field(money("egress"), 'Of what is moved out, like "0.05 USD/GB".', "PRICE"),
    "staff": Field(fields.count(1e-3, 1e6), "People paid while it trains."),
    "preparation_staff": Field(fields.count(1e-3, 1e6), "People paid for --preparation-time before."),
    "preparation_time": Field(
        fields.measured("s", "6 months", 1.0, _AGE), 'How long it is prepared, like "6 months".', "TIME"
    ),
    "pay": Field(money("pay"), 'Of one of them with all that comes on top, like "250000 USD/year".', "PAY"),
    "development": Field(
        fields.count(1.0, 1e3),
        "Machines of all runs that were needed over those of the last one: 3.4 for LLaMA.",
    ),
    "applications": Field(fields.count(1.0, 1e9), "Applications that share the cost of the model."),
    "adaptation": Field(money("amount"), 'What each of them adds, like "20000 USD".', "SUM"),
}  # fmt: skip
