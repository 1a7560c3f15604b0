"""Draws what grows with the cells of a sweep: a panel each, on logarithmic axes."""

from __future__ import annotations

import math
from collections.abc import Sequence

# A panel and its margins. [px]
WIDTH, HEIGHT, LEFT, TOP, GAP = 300, 220, 60, 30, 90


def picture(sizes: Sequence[float], curves: dict[str, Sequence[float]]) -> str:
    """Return curves as SVG, side by side, each below its title."""
    width, height = len(curves) * (WIDTH + GAP) + LEFT - GAP + 20, HEIGHT + 2 * TOP + 20
    panels = "".join(
        _panel(sizes, values, LEFT + place * (WIDTH + GAP), title)
        for place, (title, values) in enumerate(curves.items())
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" viewBox="0 0 {width} {height}" '
        f'font-family="sans-serif" font-size="12">\n<rect width="100%" height="100%" fill="white"/>\n{panels}</svg>\n'
    )


def _panel(sizes: Sequence[float], values: Sequence[float], left: float, title: str) -> str:
    """Return one curve on logarithmic axes, whole decades from end to end."""
    first, last = math.floor(math.log10(min(values))), math.ceil(math.log10(max(values)))
    low, high = (math.log10(end) for end in (sizes[0], sizes[-1]))

    def x(size: float) -> float:
        return left + WIDTH * (math.log10(size) - low) / (high - low)

    def y(value: float) -> float:
        return TOP + HEIGHT * (last - math.log10(value)) / (last - first)

    lines = [f'<text x="{left}" y="{TOP - 10}">{title}</text>']
    for decade in range(first, last + 1):
        place = y(10.0**decade)
        lines.append(f'<path d="M{left} {place:.1f}h{WIDTH}" stroke="#ddd"/>')
        lines.append(f'<text x="{left - 6}" y="{place + 4:.1f}" text-anchor="end">{10.0**decade:g}</text>')
    for size in sizes:
        lines.append(f'<path d="M{x(size):.1f} {TOP}v{HEIGHT}" stroke="#eee"/>')
        power = f'10<tspan dy="-5" font-size="9">{math.log10(size):.0f}</tspan>'
        lines.append(f'<text x="{x(size):.1f}" y="{TOP + HEIGHT + 18}" text-anchor="middle">{power}</text>')
    points = [(x(size), y(value)) for size, value in zip(sizes, values, strict=True)]
    path = " ".join(f"{one:.1f},{other:.1f}" for one, other in points)
    lines.append(f'<polyline points="{path}" fill="none" stroke="#1f5fa8" stroke-width="2"/>')
    lines += [f'<circle cx="{one:.1f}" cy="{other:.1f}" r="3" fill="#1f5fa8"/>' for one, other in points]
    lines.append(f'<text x="{left + WIDTH / 2}" y="{TOP + HEIGHT + 36}" text-anchor="middle">cells</text>')
    return "\n".join(lines) + "\n"
