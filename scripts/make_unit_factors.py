"""Write estimator/unit_factors.py from estimator/units.txt, so that everyday units need no pint.

usage: make_unit_factors.py [--check]
"""

from __future__ import annotations

import sys
from pathlib import Path

import pint

ROOT = Path(__file__).resolve().parent.parent
TARGET = ROOT / "estimator" / "unit_factors.py"
PREFIXES = ("k", "M", "G", "T", "P", "E", "Z", "m", "u")
BINARY = ("Ki", "Mi", "Gi", "Ti", "Pi")
PREFIXED = {
    "B": PREFIXES[:7] + BINARY,
    "byte": ("kilo", "mega", "giga"),
    "bit": PREFIXES[:5],
    "FLOP": PREFIXES[:7],
    "OP": PREFIXES[:7],
    "W": PREFIXES[:4],
    "Wh": PREFIXES[:4],
    "J": PREFIXES[:5],
    "s": ("m", "u"),
    "t": ("k",),
    "token": PREFIXES[:2],
}
PLAIN = """s sec second min minute h hr hour day week month yr year B byte bit FLOP OP token tok sample accelerator
gpu GPU card chip npu NPU tpu TPU device node server J joule W watt Wh kg kilogram g gram t tonne percent pct
USD CNY RMB EUR GBP JPY KRW INR AUD CAD CHF HKD SEK SGD""".split()
PLURALS = "second minute hour day week month year byte token sample accelerator gpu card chip npu device node server".split()


def table() -> dict[str, tuple[float, dict[str, int]]]:
    registry = pint.UnitRegistry(ROOT / "estimator" / "units.txt")
    names = [*PLAIN, *(name + "s" for name in PLURALS)]
    names += [prefix + unit for unit, prefixes in PREFIXED.items() for prefix in prefixes]
    rows: dict[str, tuple[float, dict[str, int]]] = {}
    for name in names:
        quantity = registry.Quantity(1, name).to_base_units()
        bases = {
            str(base).replace("second", "s").replace("joule", "J").replace("kilogram", "kg"): int(power)
            for base, power in quantity.unit_items()
        }
        rows[name] = (float(quantity.magnitude), bases)
    return rows


def render() -> str:
    lines = [
        '"""Exact factors of the everyday units, generated from units.txt by scripts/make_unit_factors.py."""',
        "",
        "from __future__ import annotations",
        "",
        "FACTORS: dict[str, tuple[float, dict[str, int]]] = {",
    ]
    lines += [f"    {name!r}: ({factor!r}, {bases!r})," for name, (factor, bases) in sorted(table().items())]
    return "\n".join([*lines, "}", ""])


def main() -> int:
    text = render()
    if "--check" in sys.argv:
        same = TARGET.read_text(encoding="utf-8") == text
        print("unit_factors.py is", "current" if same else "out of date: run scripts/make_unit_factors.py")
        return 0 if same else 1
    TARGET.write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
