"""The chart: what was reached, how fast, in how much memory, and where the time goes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks import results, tables
from benchmarks.report import Check, Verdict
from benchmarks.results import Results
from benchmarks.rows.length import MOST_MB
from l3embed.disk.atomic import replacing

# Okabe and Ito's colours, which people with any colour vision tell apart.
BLUE, ORANGE, GREEN, SKY, PINK = "#0072b2", "#e69f00", "#009e73", "#56b4e9", "#cc79a7"
GREY, PALE, INK = "#8a959c", "#e3e8eb", "#26323a"

WAYS = {"naive": GREY, "whole": BLUE, "bare": SKY}
LABELS = {"naive": "white", "whole": "white", "bare": INK}
PHASE_COLOURS = dict(zip(tables.PHASES, (PINK, ORANGE, GREEN, BLUE, "#5d4a8a", PALE), strict=True))
LENGTHS = {
    "naive": ("naive (hop 0.1 s)", GREY, "s"),
    "network": ("l3embed", BLUE, "o"),
    "stand_in": ("l3embed, stand-in network", ORANGE, "D"),
}
"""Ways of the memory's panel: label, colour and marker."""

LAST_MINUTE = 1200
"""Where the memory's panel ends: twice ten hours."""

FONT_SIZE = 9
DPI = 144


def draw(found: Results, path: Path) -> None:
    """Draw the four panels of the chart into a PNG."""
    from matplotlib import rc_context
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure
    from matplotlib.layout_engine import ConstrainedLayoutEngine

    style = {"font.size": FONT_SIZE, "text.color": INK, "axes.edgecolor": GREY, "axes.labelcolor": INK}
    with rc_context({**style, "xtick.color": INK, "ytick.color": INK, "axes.titlesize": 11}):
        figure = Figure(figsize=(11, 10), layout=ConstrainedLayoutEngine(w_pad=0.12, h_pad=0.12))
        FigureCanvasAgg(figure)
        (ratios, speed), (memory, phases) = figure.subplots(2, 2, width_ratios=[1, 1.1])
        _draw_ratios(ratios, found)
        _draw_speed(speed, found)
        _draw_memory(memory, found)
        _draw_phases(phases, found)
        for panel in (ratios, speed, memory, phases):
            panel.spines[["top", "right"]].set_visible(False)
        with replacing(path) as temporary:
            figure.savefig(temporary, format="png", dpi=DPI, metadata={"Software": None})


def _note(
    panel: Any, text: str, place: tuple[float, float], shift_points: tuple[float, float], **options: Any
) -> None:
    """Write something next to a place in a panel."""
    style: dict[str, Any] = {"va": "center", "fontsize": 8, **options}
    panel.annotate(text, place, xytext=shift_points, textcoords="offset points", **style)


def _draw_ratios(panel: Any, found: Results) -> None:
    """Draw what was reached of each goal, in goals: right of the line is better, whatever is measured."""
    checks = [check for result in found.values() for check in results.checks(result) if check.got is not None]
    shares = [_share_of_goal(check) for check in checks]
    places = range(len(checks))
    colours = [BLUE if check.verdict is Verdict.REACHED else ORANGE for check in checks]
    panel.hlines(places, 1, shares, color=colours, linewidth=2)
    panel.scatter(shares, places, color=colours, s=34, zorder=3)
    panel.axvline(1, color=INK, linewidth=1)
    for place, (check, share) in enumerate(zip(checks, shares, strict=True)):
        _note(panel, _got(check), (max(share, 1), place), (8, 0))
    panel.set_yticks(places, [check.label for check in checks], fontsize=8)
    panel.set_xscale("log")
    panel.set_xticks([0.5, 1, 2, 5, 10], ["½", "goal", "2 x", "5 x", "10 x"])
    panel.set_xlim(0.4, 60)
    panel.minorticks_off()
    panel.invert_yaxis()
    panel.tick_params(axis="y", length=0)
    panel.set_title("Goals, and how many times better", loc="left", fontweight="bold")


def _share_of_goal(check: Check) -> float:
    """Return how many times better than its goal something is, within what the panel shows."""
    assert check.got is not None
    share = check.got / check.goal if check.at_least else check.goal / max(check.got, check.goal / 10)
    return min(max(share, 0.45), 10)


def _got(check: Check) -> str:
    """Return what was reached, and the goal."""
    unit = check.unit.split(" of ")[0]
    digits = 4 if unit else 6
    return f"{check.got:.{digits}g} {unit}".strip() + f" (goal {check.goal:g})"


def _draw_speed(panel: Any, found: Results) -> None:
    """Draw items a second: the naive way, the whole way and the bare network, before the product's peak."""
    groups = [
        (f"{network}\n{precision}", rates)
        for name, network in tables.STEADY.items()
        for precision in tables.PRECISIONS
        if (rates := _rates(results.figures(found, name), precision))
    ]
    height = 0.26
    for way, shift in (("naive", -1), ("whole", 0), ("bare", 1)):
        places = [place + shift * height for place in range(len(groups))]
        values = [rates[way] for _, rates in groups]
        panel.barh(places, values, height, color=WAYS[way], label=_way_label(way), zorder=2)
        for place, value in zip(places, values, strict=True):  # inside the bar: behind it is the peak's line
            _note(panel, f"{value:.0f}", (value, place), (-3, 0), color=LABELS[way], fontsize=7, ha="right")
    for place, (_, rates) in enumerate(groups):
        panel.plot(
            [rates["peak"]] * 2,
            [place - 1.5 * height, place + 1.5 * height],
            color=INK,
            linewidth=2,
            label="peak of a matrix product" if not place else None,
        )
    panel.set_yticks(range(len(groups)), [name for name, _ in groups], fontsize=8)
    panel.invert_yaxis()
    panel.tick_params(axis="y", length=0)
    panel.margins(x=0.1)
    panel.set_xlabel("windows or images a second")
    panel.legend(fontsize=8, frameon=False, loc="best")
    panel.set_title("Steady state", loc="left", fontweight="bold")


def _way_label(way: str) -> str:
    return {"naive": "naive (float32)", "whole": "l3embed, file to file", "bare": "bare network"}[way]


def _rates(figures: Mapping[str, Any], precision: str) -> dict[str, float]:
    """Return the rates of a network in a precision; none, if they were not measured."""
    if f"whole_{precision}" not in figures:
        return {}
    bare = [median(each) for name, each in figures.items() if name in _bare_names(precision)]
    return {
        "naive": median(figures["naive"]),
        "whole": median(figures[f"whole_{precision}"]),
        "bare": max(bare),
        "peak": tables.peak_rate(figures, precision),
    }


def _bare_names(precision: str) -> Sequence[str]:
    return [f"bare_{runtime}_{precision}" for runtime in tables.BARE]


def _draw_memory(panel: Any, found: Results) -> None:
    """Draw the peak of memory against the length of a recording."""
    peaks = results.figures(found, "length")
    for way, (label, colour, marker) in LENGTHS.items():
        if peaks.get(way):
            minutes, peaks_mb = zip(*((seconds / 60, peak) for seconds, peak in peaks[way]), strict=True)
            panel.plot(minutes, peaks_mb, marker=marker, color=colour, label=label, linewidth=2, markersize=6)
            _note(panel, f"{peaks_mb[-1]:,.0f} MB", (minutes[-1], peaks_mb[-1]), (0, 10), ha="center")
    panel.axhline(MOST_MB, color=INK, linewidth=1, linestyle=(0, (4, 3)))
    _note(panel, f"goal: at most {MOST_MB:,} MB", (LAST_MINUTE, MOST_MB), (0, 7), ha="right")
    panel.set_xscale("log")
    marks = {0.25: "15 s", 1: "1 min", 10: "10 min", 60: "1 h", 600: "10 h"}
    panel.set_xticks(list(marks), list(marks.values()))
    panel.set_xlim(0.15, LAST_MINUTE)
    panel.minorticks_off()
    panel.set_ylim(bottom=0)
    panel.margins(y=0.15)
    panel.grid(axis="y", color=PALE, linewidth=0.8)
    panel.set_axisbelow(True)
    panel.set_xlabel("length of the recording")
    panel.set_ylabel("peak of memory, MB")
    if peaks:
        panel.legend(fontsize=8, frameon=False, loc="best")
    panel.set_title("Memory against the length of a recording", loc="left", fontweight="bold")


def _draw_phases(panel: Any, found: Results) -> None:
    """Draw the seconds of each phase as shares of the time that passed: above 100 % where they overlap."""
    rows = tables.phase_rows(found)
    starts = [0.0] * len(rows)
    for phase, colour in PHASE_COLOURS.items():
        shares = [100 * seconds.get(phase, 0) / elapsed for _, elapsed, seconds in rows]
        panel.barh(range(len(rows)), shares, 0.62, left=starts, color=colour, label=phase)
        starts = [start + share for start, share in zip(starts, shares, strict=True)]
    for place, (start, (_, elapsed, _)) in enumerate(zip(starts, rows, strict=True)):
        _note(panel, f"{elapsed:.3g} s", (start, place), (4, 0))
    panel.axvline(100, color=INK, linewidth=1)
    panel.set_yticks(range(len(rows)), [name for name, _, _ in rows], fontsize=8)
    panel.invert_yaxis()
    panel.tick_params(axis="y", length=0)
    panel.margins(x=0.12)
    panel.set_xlabel("% of the time that passed; phases overlap, on 2 cores")
    panel.legend(fontsize=8, frameon=False, ncols=3, loc="upper center", bbox_to_anchor=(0.4, -0.13))
    panel.set_title("Where the time goes", loc="left", fontweight="bold")
