"""Stage ``report``: one HTML page that shows what was computed, and needs nothing but itself."""

from __future__ import annotations

from pathlib import Path

from l3embed.atomic import replacing
from l3embed.reports.report import ReportInputs, ReportOptions, build_report
from l3embed.reports.report.options import BYTES_PER_MB

PAGE_FILE = "index.html"


def run(folders: ReportInputs, options: ReportOptions, output: Path) -> str:
    """Write the report to a folder; return the stage's summary."""
    output.mkdir(parents=True, exist_ok=True)
    report = build_report(folders, options, output)
    page = report.html.encode("utf-8")
    with replacing(output / PAGE_FILE) as temporary:
        temporary.write_bytes(page)
    return (
        f"report: {report.files} files, {report.previews} previews in the page "
        f"({len(page) / BYTES_PER_MB:.1f} MB); open {output / PAGE_FILE}"
    )
