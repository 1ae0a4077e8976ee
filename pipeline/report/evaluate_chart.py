"""The threshold curve as a picture."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pipeline.report.evaluate import CurvePoint, by_setting, has_effect

# Told apart without colour by their marks, too (Okabe and Ito's palette for the colour blind).
_LINES = (
    ("recall", "recall", "#0072B2", "o"),
    ("precision", "precision", "#009E73", "s"),
    ("F1", "f1", "#D55E00", "^"),
)
_FALSE = "#999999"
_PANEL_INCHES = (5.2, 4.2)
_DPI = 144
_LEAST_FALSE = 5
"""Where the axis of false merges ends at least: one of them must not look like many."""


def draw_curve(curve: Sequence[CurvePoint], path: Path) -> None:
    """Write a PNG with a panel a setting that has an effect: the ratios, false merges as bars.

    Raises:
        OSError: the file cannot be written.
    """
    # Drawn without pyplot: it would look for a display and keep the figure for ever.
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    settings = by_setting(curve)
    panels = {name: points for name, points in settings.items() if has_effect(points)} or settings
    inches = (_PANEL_INCHES[0] * len(panels), _PANEL_INCHES[1])
    figure = Figure(inches, dpi=_DPI, layout="constrained")
    FigureCanvasAgg(figure)
    n_pairs = curve[0].total.n_pairs
    figure.suptitle(f"What the rules say of {n_pairs:,} labelled pairs", fontsize=11)
    most = max(p.total.n_false_merges for p in curve)
    drawn: dict[str, Any] = {}
    for axes, (setting, points) in zip(
        figure.subplots(1, len(panels), squeeze=False)[0], panels.items(), strict=True
    ):
        drawn |= _panel(axes, setting, points, max(_LEAST_FALSE, 2 * most))
    figure.legend(
        drawn.values(), drawn.keys(), loc="outside lower center", ncols=len(drawn), fontsize=8
    )
    # Without the name and version of the program the same pairs give the same bytes.
    figure.savefig(path, format="png", metadata={"Software": None})


def _panel(axes: Any, setting: str, points: Sequence[CurvePoint], top: int) -> dict[str, Any]:
    """Draw one setting and return what was drawn by its name; `top` ends the axis of the bars."""
    thresholds = [p.threshold for p in points]
    counts = axes.twinx()
    false_merges = [p.total.n_false_merges for p in points]
    bars = counts.bar(thresholds, false_merges, 0.03, color=_FALSE, alpha=0.5)
    counts.set_ylabel("false merges, pairs")
    counts.set_ylim(0, top)
    counts.yaxis.get_major_locator().set_params(integer=True)
    axes.set_zorder(counts.get_zorder() + 1)  # the lines stand before the bars
    axes.patch.set_visible(False)
    drawn: dict[str, Any] = {}
    for name, attribute, colour, mark in _LINES:
        values = [getattr(p.total, attribute) for p in points]
        shown = [float("nan") if v is None else v for v in values]
        [drawn[name]] = axes.plot(thresholds, shown, color=colour, marker=mark, markersize=4)
    for point in points:
        if point.is_set:
            drawn["in effect"] = axes.axvline(point.threshold, color="black", linestyle=":")
    axes.set_xlabel(setting)
    axes.set_ylim(0, 1.02)
    axes.grid(alpha=0.3)
    return drawn | {"false merges": bars}
