"""Stage ``report``: one HTML page that shows what was computed, and needs nothing but itself."""

from __future__ import annotations

from pathlib import Path

from l3embed.disk.atomic import replacing
from l3embed.progress import counted, say
from l3embed.report import Report, ReportInputs, ReportOptions, build_report
from l3embed.report.choices import BYTES_PER_MB
from l3embed.stages.metrics import StageMetrics
from l3embed.stages.output_folder import Layout
from l3embed.stages.stored_previews import stored_previews
from l3embed.store.entries import Store

PAGE_FILE = "index.html"

LARGE_PAGE_BYTES = 50 * BYTES_PER_MB
"""Browsers on small machines take seconds to open a page from here on."""


def run(dataset: Path, stages: tuple[str, ...], options: ReportOptions, layout: Layout, store: Store) -> str:
    """Write the report of a dataset, with what its stages tell in their order; return the stage's summary."""
    metrics, output = StageMetrics(layout.metrics_of("report")), layout.folder("report")
    output.mkdir(parents=True, exist_ok=True)
    read = {name: layout.folder(name) for name in ("export", "evaluation", "metrics")}
    inputs = ReportInputs(**read, dataset=dataset, stages=stages)
    with stored_previews(dataset, store) as previews:
        report = build_report(inputs, options, output, previews)
    page = report.html.encode("utf-8")
    _tell_size(report, len(page), options)
    with replacing(output / PAGE_FILE) as temporary:
        temporary.write_bytes(page)
    metrics.write(previews.counts.figures)
    return (
        f"report: {counted(report.files, 'file')}, {counted(report.previews, 'preview')} in the page "
        f"({len(page) / BYTES_PER_MB:.1f} MB): {previews.counts}; open {output / PAGE_FILE}"
    )


def _tell_size(report: Report, size_bytes: int, options: ReportOptions) -> None:
    """Tell how large the page is going to be, and if that is a lot, which setting makes it smaller."""
    size_mb, previews_mb = (f"{count / BYTES_PER_MB:.1f} MB" for count in (size_bytes, report.preview_bytes))
    say(f"report: the page will have {size_mb}: {counted(report.files, 'file')}, {previews_mb} of previews")
    if size_bytes > LARGE_PAGE_BYTES:
        is_mostly_previews = 2 * report.preview_bytes > size_bytes
        setting = "previews_mb" if is_mostly_previews else "neighbours"
        say(
            f"report: warning: a page of {size_mb} opens slowly: a smaller report.{setting} "
            f"(now {getattr(options, setting):g}) makes it smaller"
        )
