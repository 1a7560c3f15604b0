"""Write docs/published-bills.md: how far answers lie from measured energies and from bills.

usage: make_bills.py [--check]

Offline and deterministic.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "scripts")]

from bills.page import page  # noqa: E402

from estimator import Presets  # noqa: E402

TARGET = ROOT / "docs" / "published-bills.md"


def main(arguments: Sequence[str]) -> int:
    """Write the page, or tell whether it is current."""
    text = page(Presets())
    if "--check" in arguments:
        current = TARGET.is_file() and TARGET.read_text(encoding="utf-8") == text
        print(
            "docs/published-bills.md is", "current" if current else "out of date: run scripts/make_bills.py"
        )
        return 0 if current else 1
    TARGET.write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
