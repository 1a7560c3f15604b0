"""Numbers and tables as docs/accuracy.md prints them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence


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
