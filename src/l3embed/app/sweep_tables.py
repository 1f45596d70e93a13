"""A sweep's jobs side by side: a table for programs, one for readers, and a chart."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from l3embed.disk.atomic import replacing
from l3embed.disk.tables import OK, write_csv
from l3embed.evaluation.file_format import HEADLINE, Figures
from l3embed.evaluation.scores import Score
from l3embed.variants import Modality

CSV_FILE = "sweep.csv"
MARKDOWN_FILE = "sweep.md"
CHART_FILE = "sweep.png"

COLOURS = {Modality.AUDIO: "#1f6f8b", Modality.IMAGE: "#d9822b"}
"""Two that readers with any colour vision tell apart."""

NOUNS = {Modality.AUDIO: "sounds", Modality.IMAGE: "pictures"}
ROW_INCHES = 0.34
INTERVAL_LINE = 1.4
QUALITY = ("accuracy", "low", "high", "macro_f1", "knn_accuracy")
"""What the programs' table has of each modality: the probe's accuracy with its interval, and two more."""

COUNTS = ("computed", "reused", "failed")
LARGE = 100
"""From here on a figure is shown without decimals."""


@dataclass(frozen=True)
class Job:
    """One job of a sweep.

    Parameters
    ----------
    number : int
        From 0.
    choices : mapping of str to str
        What was chosen for it.
    status, reason : str
        ``ok``, or ``failed`` and why.
    quality : mapping of Modality to Figures
        Of the modalities that could be evaluated.
    distances : mapping of Modality to mapping of str to float
        Of all its files to a reference, by measure, if there is one.
    compute_s : float or None
        What computing all its results takes, whichever run has done so.
    run_s : float or None
        What the job itself took, results of others being reused.
    size_mb : float or None
        Of its embeddings.
    counts : mapping of str to int
        Inputs that were computed, reused and lost by its ``embed`` stage.
    """

    number: int
    choices: Mapping[str, str]
    status: str
    reason: str = ""
    quality: Mapping[Modality, Figures] = field(default_factory=dict)
    distances: Mapping[Modality, Mapping[str, float]] = field(default_factory=dict)
    compute_s: float | None = None
    run_s: float | None = None
    size_mb: float | None = None
    counts: Mapping[str, int] = field(default_factory=dict)

    @property
    def is_ok(self) -> bool:
        """Whether it came to its end."""
        return self.status == OK

    def accuracies(self, modality: Modality) -> list[Score]:
        """Return the linear probe's accuracy; nothing if it could not be evaluated."""
        found = self.quality.get(modality)
        return [found.scores[HEADLINE["accuracy"]]] if found else []


def write_sweep(folder: Path, jobs: Sequence[Job]) -> None:
    """Write the tables and the chart of a sweep into its folder."""
    swept = swept_keys(jobs)
    _write_table(folder / CSV_FILE, jobs)
    with replacing(folder / MARKDOWN_FILE) as temporary:
        temporary.write_text(markdown(jobs, swept), encoding="utf-8")
    if any(job.is_ok for job in jobs):
        _draw(folder / CHART_FILE, [job for job in jobs if job.is_ok], swept)


def swept_keys(jobs: Sequence[Job]) -> list[str]:
    """Return the settings in which the jobs differ; all, if they differ in none."""
    keys = _keys(jobs)
    differing = [key for key in keys if len({job.choices.get(key) for job in jobs}) > 1]
    return differing or keys


def markdown(jobs: Sequence[Job], swept: Sequence[str]) -> str:
    """Return the readers' table; the best of each figure is in bold."""
    modalities = _evaluated(jobs)
    names = [_short(key) for key in swept]
    quality = [f"{NOUNS[modality]}, %" for modality in modalities]
    quality += [f"{NOUNS[modality]}, {measure.upper()}" for modality, measure in _measured(jobs)]
    header = ["job", *names, *quality, "seconds", "MB"]
    right = ["--:", *[":--"] * len(swept), *["--:"] * (len(quality) + 2)]
    lines = [_line(header), _line(right)]
    lines += [_line(cells) for cells in _markdown_rows(jobs, swept, modalities)]
    notes = (
        ["", "Accuracy of a linear probe in cross-validation, with 95 % intervals.", ""]
        if modalities
        else [""]
    )
    failures = [f"Job {job.number} failed: {job.reason}" for job in jobs if not job.is_ok]
    return "\n".join([*lines, *notes, *failures]).rstrip() + "\n"


def _markdown_rows(
    jobs: Sequence[Job], swept: Sequence[str], modalities: Sequence[Modality]
) -> list[list[str]]:
    best = {
        modality: max(score.value for job in jobs for score in job.accuracies(modality))
        for modality in modalities
    }
    rows = []
    for job in jobs:
        cells = [str(job.number), *(job.choices.get(key, "") for key in swept)]
        for modality in modalities:
            cells.append("".join(_score_cell(score, best[modality]) for score in job.accuracies(modality)))
        for modality, measure in _measured(jobs):
            distance = job.distances.get(modality, {}).get(measure)
            cells.append("" if distance is None else f"{distance:,.4g}")
        if job.is_ok:
            cells += [_figure(job.compute_s), _figure(job.size_mb)]
        else:
            cells += ["failed", ""]
        rows.append(cells)
    return rows


def _score_cell(score: Score, best: float) -> str:
    mark = "**" if score.value == best else ""
    return f"{mark}{100 * score.value:.1f}{mark} ({100 * score.low:.0f} to {100 * score.high:.0f})"


def _write_table(path: Path, jobs: Sequence[Job]) -> None:
    quality = [f"{modality.value}_{figure}" for modality in _evaluated(jobs) for figure in QUALITY]
    quality += [f"{modality.value}_{measure}" for modality, measure in _measured(jobs)]
    header = ["job", *_keys(jobs), "status", "reason", *quality, "compute_s", "run_s", "size_mb", *COUNTS]
    write_csv(path, header, (_table_row(job, header) for job in jobs))


def _table_row(job: Job, header: Sequence[str]) -> list[object]:
    values: dict[str, Any] = {**job.choices, **job.counts, "job": job.number}
    values |= {"status": job.status, "reason": job.reason}
    values |= {"compute_s": job.compute_s, "run_s": job.run_s, "size_mb": job.size_mb}
    for modality, found in job.quality.items():
        figures = vars(found.scores[HEADLINE["accuracy"]]) | {
            name: found.scores[key].value for name, key in HEADLINE.items()
        }
        values |= {f"{modality.value}_{name}": figures[name] for name in QUALITY}
    for modality, distances in job.distances.items():
        values |= {f"{modality.value}_{measure}": distance for measure, distance in distances.items()}
    return [values.get(name, "") for name in header]


def _draw(path: Path, jobs: Sequence[Job], swept: Sequence[str]) -> None:
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    modalities = _evaluated(jobs)
    figure = Figure(figsize=(10, 1.5 + ROW_INCHES * len(jobs)), layout="constrained")
    FigureCanvasAgg(figure)
    widths = [2, 1, 1] if modalities else [0.01, 1, 1]
    panels = figure.subplots(1, 3, sharey=True, width_ratios=widths)
    places = range(len(jobs))
    _draw_quality(panels[0], jobs, modalities)
    for panel, values, title in (
        (panels[1], [job.compute_s or 0 for job in jobs], "Seconds to compute"),
        (panels[2], [job.size_mb or 0 for job in jobs], "Megabytes"),
    ):
        bars = panel.barh(places, values, color="#9fb3c0", height=0.6)
        panel.bar_label(bars, labels=[_figure(value) for value in values], padding=3, fontsize=8)
        panel.set_title(title, fontsize=10, loc="left")
        panel.margins(x=0.25)
        panel.set_xticks([])
    labels = [" · ".join(job.choices.get(key, "") for key in swept) for job in jobs]
    panels[0].set_yticks(places, labels, fontsize=9)
    panels[0].invert_yaxis()
    for panel in panels:
        panel.spines[["top", "right", "bottom"]].set_visible(False)
        panel.tick_params(axis="y", length=0)
    with replacing(path) as temporary:
        figure.savefig(temporary, format="png", dpi=144, metadata={"Software": None})


def _draw_quality(panel: Any, jobs: Sequence[Job], modalities: Sequence[Modality]) -> None:
    """Draw the accuracies with their intervals: a dot and a line for each modality."""
    for index, modality in enumerate(modalities):
        shift = (index - (len(modalities) - 1) / 2) * 0.24
        rows = [
            (place + shift, score) for place, job in enumerate(jobs) for score in job.accuracies(modality)
        ]
        spans = [
            [100 * (score.value - score.low) for _, score in rows],
            [100 * (score.high - score.value) for _, score in rows],
        ]
        panel.errorbar(
            [100 * score.value for _, score in rows],
            [height for height, _ in rows],
            xerr=spans,
            fmt="o",
            color=COLOURS[modality],
            elinewidth=INTERVAL_LINE,
            markersize=5,
            label=NOUNS[modality],
        )
    panel.set_title("Accuracy of a linear probe, %, with 95 % intervals", fontsize=10, loc="left")
    if modalities:
        panel.set_xlim(-2, 102)
        panel.grid(axis="x", color="#e3e8eb", linewidth=0.8)
        panel.set_axisbelow(True)
        panel.tick_params(axis="x", labelsize=8)
    if len(modalities) > 1:
        panel.figure.legend(loc="outside lower left", ncols=2, fontsize=8, frameon=False)


def _evaluated(jobs: Sequence[Job]) -> list[Modality]:
    return [modality for modality in Modality if any(modality in job.quality for job in jobs)]


def _measured(jobs: Sequence[Job]) -> list[tuple[Modality, str]]:
    """Return the modalities and measures in which any job has a distance to a reference."""
    found = {
        (key, name): None for job in jobs for key, measures in job.distances.items() for name in measures
    }
    return sorted(found, key=lambda column: (list(Modality).index(column[0]), column[1]))


def _keys(jobs: Sequence[Job]) -> list[str]:
    return list(dict.fromkeys(key for job in jobs for key in job.choices))


def _short(key: str) -> str:
    return key.rsplit(".", maxsplit=1)[-1].replace("_", " ")


def _figure(value: float | None) -> str:
    if value is None:
        return ""
    return f"{value:.1f}" if value < LARGE else f"{value:,.0f}"


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |"
