"""Write docs/accuracy.md: how far estimates lie from what was measured, out of sample, beside one MFU a chip.

usage: make_accuracy.py [--check | --render]

Offline and deterministic. Every fit without what it foretells is made anew and its forecasts are stored in
docs/accuracy.csv, from which the page is rendered. --check renders it again and measures one quarter anew;
--render only renders.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "scripts")]

from accuracy import store  # noqa: E402
from accuracy.measure import again, measure  # noqa: E402
from accuracy.page import page  # noqa: E402

TARGET, DATA = ROOT / "docs" / "accuracy.md", ROOT / "docs" / "accuracy.csv"
# Fits on unlike machines agree to this share.
ALIKE = 0.01


def stale() -> str:
    """Return why the page is not what rows and model give today; nothing where it is."""
    if not (TARGET.is_file() and DATA.is_file()):
        return "not there"
    stored = store.read(DATA)
    try:
        text = page(stored)
    except LookupError as problem:
        return str(problem.args[0])
    if text != TARGET.read_text(encoding="utf-8"):
        return "not what docs/accuracy.csv and the records give"
    return apart(stored, again(stored))


def apart(stored: Sequence[store.Foretold], found: Sequence[store.Foretold]) -> str:
    """Return the first figure measured anew that is not what is stored; nothing where all are."""
    known = {row[:3]: row[3:] for row in stored}
    for row in found:
        if row[:3] not in known:
            return f"{' '.join(row[:3])} is not stored"
        pairs = zip(row[3:], known[row[:3]], strict=True)
        if any(abs(new - old) > ALIKE * abs(old) for new, old in pairs):
            return f"{' '.join(row[:3])} is foretold otherwise today"
    return ""


def main(arguments: Sequence[str]) -> int:
    """Write the page, or tell whether it is current."""
    if set(arguments) - {"--check", "--render"}:
        print(__doc__)
        return 2
    if "--check" in arguments:
        problem = stale()
        print(
            "docs/accuracy.md is",
            f"out of date ({problem}): run scripts/make_accuracy.py" if problem else "current",
        )
        return 1 if problem else 0
    if "--render" not in arguments:
        store.write(DATA, measure())
    TARGET.write_text(page(store.read(DATA)), encoding="utf-8")
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
