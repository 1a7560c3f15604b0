"""The inputs that an answer shows beside its results, and the unit of each."""

from __future__ import annotations

from collections.abc import Mapping

# Inputs that an answer shows beside its results, and the units it shows them in.
SHOWN_INPUTS: Mapping[str, str] = {
    "tokens": "token", "seq": "token", "count": "accelerator", "per_node": "accelerator", "peak": "FLOP/s",
    "given_mfu": "1", "given_goodput": "1", "memory_usable": "byte", "power_per_accelerator": "W", "host_share": "1",
    "floor_share": "1", "full_use": "1", "switch_share": "1", "idle_share": "1",
    "pue": "1", "carbon_intensity": "g/kWh", "embodied": "kg/accelerator", "embodied_time": "s",
    "price": "currency/accelerator/hour", "micro_batch": "1", "within": "s",
    "efficiency_coefficient": "1", "exchange_rate": "1", "global_batch": "1",
    "failures": "1/node/day", "restart_time": "s", "node_bandwidth": "byte/s/node",
    "checkpoint_exposed": "1", "rollback_share": "1", "straggler_share": "1", "replacement_time": "s",
    "replaced_share": "1",
    "accelerator_price": "currency/accelerator", "server_price": "currency/accelerator", "network_share": "1",
    "storage_share": "1", "building_price": "currency/W", "building_life": "s", "life": "s", "cost_of_capital": "1",
    "maintenance": "1", "accelerators_per_operator": "accelerator", "operator_pay": "currency/year",
    "utilisation": "1", "idle_power": "1", "tariff": "currency/kWh", "spot_share": "1",
    "spot_price": "currency/accelerator/hour", "spot_interruptions": "1/node/month", "spot_lost_time": "s",
    "stored": "byte", "storage_price": "currency/GB/month", "egress": "byte", "egress_price": "currency/GB",
    "staff": "1", "preparation_staff": "1", "preparation_time": "s", "pay": "currency/year", "development": "1",
    "applications": "1", "adaptation": "currency",
    "tp": "1", "pp": "1", "vpp": "1", "cp": "1", "ep": "1", "zero": "1", "shard": "1", "sequence_parallel": "1",
    "replicas": "1",
}  # fmt: skip
