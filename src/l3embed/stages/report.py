"""Stage ``report``: one HTML page that shows what was computed, and needs nothing but itself."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from l3embed.disk.atomic import replacing
from l3embed.report import ReportInputs, ReportOptions, build_report
from l3embed.report.choices import BYTES_PER_MB
from l3embed.stages.metrics import StageMetrics
from l3embed.stages.stored_previews import stored_previews
from l3embed.store.entries import Store

PAGE_FILE = "index.html"


@dataclass(frozen=True)
class ReportFolders:
    """What the stage reads, and where its output and metrics go."""

    inputs: ReportInputs
    output: Path
    metrics: Path


def run(folders: ReportFolders, options: ReportOptions, store: Store) -> str:
    """Write the report to a folder; return the stage's summary."""
    metrics = StageMetrics(folders.metrics)
    folders.output.mkdir(parents=True, exist_ok=True)
    with stored_previews(folders.inputs.dataset, store) as previews:
        report = build_report(folders.inputs, options, folders.output, previews)
    page = report.html.encode("utf-8")
    with replacing(folders.output / PAGE_FILE) as temporary:
        temporary.write_bytes(page)
    metrics.write(previews.counts.figures)
    return (
        f"report: {report.files} files, {report.previews} previews in the page "
        f"({len(page) / BYTES_PER_MB:.1f} MB): {previews.counts}; open {folders.output / PAGE_FILE}"
    )
