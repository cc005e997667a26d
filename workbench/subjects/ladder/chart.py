"""The chart of a ladder as an inline picture: cost to the right, quality upwards, intervals, and the frontier."""

from __future__ import annotations

import math
from html import escape

from workbench.records.ladder import ASKED, LadderReport, RungReport

WIDTH, HEIGHT, LEFT, BOTTOM, TOP, RIGHT = 900, 420, 70, 60, 20, 150
TICKS = (
    (1, "1 s"), (3, "3 s"), (10, "10 s"), (30, "30 s"), (60, "1 min"), (120, "2 min"), (300, "5 min"), (600, "10 min"),
    (1800, "30 min"), (3600, "1 h"), (10_800, "3 h"), (43_200, "12 h"),
)  # fmt: skip
"""Seconds of the marks on the axis of cost."""


def draw(report: LadderReport) -> str:
    """An SVG element; "" while nothing is measured."""
    shown = [one for one in report.rungs if one.score is not None]
    if not shown:
        return ""
    costs = {one.offer.name: max(1e-3, one.cost.seconds_for(ASKED)) for one in shown}
    low, high = math.log10(min(costs.values())) - 0.1, math.log10(max(costs.values())) + 0.1
    top = max(one.score.high for one in shown if one.score is not None)
    bottom = min(one.score.low for one in shown if one.score is not None)
    if not report.unit:
        bottom, top = 0.0, 1.0

    def x(one: RungReport) -> float:
        return LEFT + (math.log10(costs[one.offer.name]) - low) / max(1e-9, high - low) * (WIDTH - LEFT - RIGHT)

    def y(value: float) -> float:
        return TOP + (top - value) / max(1e-9, top - bottom) * (HEIGHT - TOP - BOTTOM)

    parts = [f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="Cost and quality of each rung">']
    for step in range(5):
        value = bottom + (top - bottom) * step / 4
        label = f"{value:.1f}" if report.unit else f"{100 * value:.0f} %"
        parts.append(
            f'<line x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y(value):.1f}" y2="{y(value):.1f}" stroke="#e3e7eb"/>'
            f'<text x="{LEFT - 8}" y="{y(value) + 4:.1f}" text-anchor="end" font-size="13">{label}</text>'
        )
    for seconds, label in TICKS:
        if low <= math.log10(seconds) <= high:
            at = LEFT + (math.log10(seconds) - low) / max(1e-9, high - low) * (WIDTH - LEFT - RIGHT)
            parts.append(
                f'<line x1="{at:.1f}" x2="{at:.1f}" y1="{HEIGHT - BOTTOM}" y2="{HEIGHT - BOTTOM + 5}" stroke="grey"/>'
                f'<text x="{at:.1f}" y="{HEIGHT - BOTTOM + 22}" text-anchor="middle" font-size="13">{label}</text>'
            )
    parts.append(f'<text x="{LEFT}" y="{HEIGHT - 10}" font-size="13">Preparing and {ASKED:,} answers take</text>')
    frontier = sorted((one for one in shown if one.frontier), key=x)
    if len(frontier) > 1:
        points = " ".join(f"{x(one):.1f},{y(one.score.value):.1f}" for one in frontier if one.score is not None)
        parts.append(f'<polyline points="{points}" fill="none" stroke="#2f6f4f" stroke-width="2"/>')
    for one in sorted(shown, key=lambda one: one.frontier):
        assert one.score is not None
        colour = "#2f6f4f" if one.offer.name == report.winner else "#2b5c8a" if one.frontier else "#8a94a0"
        at, middle, title = x(one), y(one.score.value), escape(one.offer.title)
        label = f'x="{at + 9:.1f}" y="{middle - 8:.1f}" font-size="13"'
        parts.append(
            f'<line x1="{at:.1f}" x2="{at:.1f}" y1="{y(one.score.low):.1f}" y2="{y(one.score.high):.1f}" '
            f'stroke="{colour}"/><circle cx="{at:.1f}" cy="{middle:.1f}" r="5" fill="{colour}"/>'
            f'<text {label} stroke="white" stroke-width="4">{title}</text><text {label} fill="{colour}">{title}</text>'
        )
    return "".join((*parts, "</svg>"))
