"""Fit the coefficients of the step time to the measured rows, into calibrations/step-time.toml.

usage: fit_step_time.py [--check]

Each configuration counts once. Beside the coefficients the record holds how far rows left out strayed from them.
"""

from __future__ import annotations

import re
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "scripts")]

from step_time.fitting import fit  # noqa: E402
from step_time.left_out import errors, quarters  # noqa: E402
from step_time.practice import planned_errors, planned_spreads, practice_spreads, published_runs  # noqa: E402
from step_time.record import presets_of, render, with_practice  # noqa: E402
from step_time.rows import once, scorable_rows  # noqa: E402
from step_time.spread import strays_of  # noqa: E402

from estimator.presets import Presets  # noqa: E402

TARGET = ROOT / "presets" / "calibrations" / "step-time.toml"
# Fits on unlike machines agree to this share.
_ALIKE = 0.01


def made() -> str:
    """Return the record that the rows teach."""
    rows = scorable_rows(Presets())
    fitted = fit(once(rows))
    left = {"quarter": errors(rows, quarters(rows), fitted)}
    left |= {name: errors(rows, rows.words[name], fitted) for name in ("source", "accelerator")}
    strays = {**strays_of(rows, left), "planned": planned_spreads(rows, planned_errors(rows, fitted))}
    text = render(rows, fitted, left, strays)
    with presets_of(text) as presets:
        return with_practice(text, practice_spreads(strays["planned"], published_runs(presets)))


def _numbers(text: str) -> dict[str, list[float]]:
    """Return every number of the figures, by key."""
    figures = tomllib.loads(text)["figures"]
    return {
        key: [float(re.split(r"\s", str(cells[end]))[0]) for end in ("value", "low", "high") if end in cells]
        for key, cells in figures.items()
    }


def alike(held: str, text: str) -> bool:
    """Tell whether two records hold the same figures, but for what rounding leaves."""
    ours, theirs = _numbers(held), _numbers(text)
    return ours.keys() == theirs.keys() and all(
        abs(a - b) <= _ALIKE * max(abs(a), abs(b))
        for key in ours
        for a, b in zip(ours[key], theirs[key], strict=True)
    )


def main() -> int:
    """Write the record, or tell whether the one on disk is current."""
    text = made()
    if "--check" in sys.argv:
        current = TARGET.is_file() and alike(TARGET.read_text(encoding="utf-8"), text)
        print("the calibration of the step time is", "current" if current else "out of date")
        return 0 if current else 1
    TARGET.write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
