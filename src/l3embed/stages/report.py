"""Stage ``report``: one HTML page that shows what was computed, and needs nothing but itself."""

from __future__ import annotations

from pathlib import Path

from l3embed.disk.atomic import replacing
from l3embed.progress import counted
from l3embed.report import ReportInputs, ReportOptions, build_report
from l3embed.report.choices import BYTES_PER_MB
from l3embed.stages.metrics import StageMetrics
from l3embed.stages.output_folder import Layout
from l3embed.stages.stored_previews import stored_previews
from l3embed.store.entries import Store

PAGE_FILE = "index.html"


def run(dataset: Path, stages: tuple[str, ...], options: ReportOptions, layout: Layout, store: Store) -> str:
    """Write the report of a dataset, with what its stages tell in their order; return the stage's summary."""
    metrics, output = StageMetrics(layout.metrics_of("report")), layout.folder("report")
    output.mkdir(parents=True, exist_ok=True)
    read = {name: layout.folder(name) for name in ("export", "evaluation", "metrics")}
    inputs = ReportInputs(**read, dataset=dataset, stages=stages)
    with stored_previews(dataset, store) as previews:
        report = build_report(inputs, options, output, previews)
    page = report.html.encode("utf-8")
    with replacing(output / PAGE_FILE) as temporary:
        temporary.write_bytes(page)
    metrics.write(previews.counts.figures)
    return (
        f"report: {counted(report.files, 'file')}, {counted(report.previews, 'preview')} in the page "
        f"({len(page) / BYTES_PER_MB:.1f} MB): {previews.counts}; open {output / PAGE_FILE}"
    )
