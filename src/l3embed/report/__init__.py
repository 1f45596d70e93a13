"""The report of a dataset's embeddings: one HTML page that needs nothing but itself."""

from l3embed.report.choices import Projection, ReportInputs, ReportOptions
from l3embed.report.page import Report, build_report

__all__ = ["Projection", "Report", "ReportInputs", "ReportOptions", "build_report"]
