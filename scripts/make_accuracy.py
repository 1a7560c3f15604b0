"""Write docs/accuracy.md: how far estimates lie from published runs and measured rows, beside a constant MFU.

usage: make_accuracy.py [--check]

Offline and deterministic. Published runs are asked as a user would ask them, all in one evaluation; measured
rows are foretold from configurations that the efficiency has not seen, through the estimator's own ladder.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "scripts")]

from accuracy.page import page  # noqa: E402

TARGET = ROOT / "docs" / "accuracy.md"


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
