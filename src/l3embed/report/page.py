"""The page as a whole: everything that stands in it, put into the template."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from l3embed.evaluation.file_format import read_file_predictions
from l3embed.export.doubts import read_doubts
from l3embed.export.manifest import read_manifest
from l3embed.report import formatting
from l3embed.report.choices import ReportInputs, ReportOptions
from l3embed.report.classification import MOST_MATRIX_CLASSES, classifications
from l3embed.report.doubt_groups import doubt_groups
from l3embed.report.maps import dataset_maps
from l3embed.report.media_files import MediaFile, failed_files, media_files, relative_address
from l3embed.report.overview import overview
from l3embed.report.packing import as_grey_png, as_json, script_hash
from l3embed.report.payload import FileFacts, packed_files, packed_previews
from l3embed.report.preview_budget import Previewer, Previews, collect_previews
from l3embed.report.previews import SOUND_S
from l3embed.report.reference_rows import reference_tables
from l3embed.report.similarity import (
    FEWEST_FRAMES,
    SelfSimilarity,
    choose_rows,
    self_similarities,
)
from l3embed.report.templating import joined_styles, read_part, template_environment
from l3embed.version import __version__

TEMPLATE = "page.html.j2"
SCRIPTS = (
    "files",
    "player",
    "chart",
    "colour",
    "raster",
    "map",
    "lasso",
    "legend",
    "picks",
    "inputs",
    "panel",
    "search",
    "matrix",
    "table",
    "columns",
    "confusion",
    "main",
)
"""Parts of the page's script, in the order in which they need each other."""

STYLES = ("style.css", "tables.css")
"""The later ones win."""

FEW_CLASSES = 12
"""Up to so many classes, their scores fit beside the confusion matrix."""

MOST_OPEN_ROWS = 20
"""Tables with more rows than this are folded at first."""

FINE_SCALE_FROM, FINE_STEP, COARSE_STEP = 0.8, 0.01, 0.1
"""Colour scales begin at a multiple of a tenth, or of a hundredth where all is much alike."""


@dataclass(frozen=True)
class Report:
    """A page, how many files it shows, and how many whose sound or picture it holds, in how many bytes."""

    html: str
    files: int
    previews: int
    preview_bytes: int


def build_report(
    folders: ReportInputs, options: ReportOptions, page_folder: Path, previewer: Previewer
) -> Report:
    """Make the page of an export.

    Parameters
    ----------
    folders : ReportInputs
        What it is made from.
    options : ReportOptions
        What was chosen about it.
    page_folder : Path
        Where the page is to lie: its links to the dataset start there.
    previewer : callable
        Gives previews of the dataset's files.

    Raises
    ------
    OpenL3Error
        If there is no export, or UMAP is asked for and not installed.
    """
    rows = read_manifest(folders.export)
    maps = dataset_maps(folders.export, options)
    files = media_files(rows)
    facts = FileFacts(
        [*files, *failed_files(rows)],
        read_doubts(folders.export),
        [row for row in rows if not row.is_ok],
        read_file_predictions(folders.evaluation),
    )
    previews = collect_previews(files, previewer, options.preview_budget_bytes, options.seed)
    figures = self_similarities(folders.export, choose_rows(rows))
    low = scale_start(figures)
    address = relative_address(folders.dataset, page_folder)
    html = _render(
        title=folders.dataset.absolute().name,
        overview=overview(rows, folders.metrics, folders.stages),
        maps=maps,
        previews=_preview_words(files, previews, address),
        neighbours=options.neighbours,
        figures=figures,
        scale_low=low,
        classifications=classifications(folders.evaluation),
        reference_tables=reference_tables(folders.evaluation),
        doubts=doubt_groups(facts.doubts, facts.predictions),
        doubtful=len({doubt.path for doubt in facts.doubts}),
        places={file.path: place for place, file in enumerate(facts.files)},
        data=as_json(
            packed_files(facts, maps, previews, address)
            | {"figures": [_packed_figure(figure, low) for figure in figures], "low": low}
        ),
        preview_data=as_json(packed_previews(previews)),
    )
    preview_bytes = sum(preview.page_bytes for preview in previews.made.values())
    return Report(html, len(files), len(previews.made), preview_bytes)


def scale_start(figures: Sequence[SelfSimilarity]) -> float:
    """Return where the colour scale of all matrices begins, so that they can be compared: it ends at 1."""
    lowest = min((float(figure.cosines.min()) for figure in figures), default=0.0)
    step = FINE_STEP if lowest >= FINE_SCALE_FROM else COARSE_STEP
    return max(-1.0, round(math.floor(min(lowest, 1 - step) / step) * step, 2))


def _packed_figure(figure: SelfSimilarity, low: float) -> dict[str, Any]:
    return {"png": as_grey_png(figure.cosines, low, 1.0), "times": figure.cell_times_s}


def _preview_words(files: Sequence[MediaFile], previews: Previews, address: str) -> dict[str, Any]:
    """Return what the page says of its previews."""
    return {
        "held": len(previews.made),
        "files": len(files),
        "address": address,
        "seconds": round(SOUND_S),
        "reasons": [(files[place].path, reason) for place, reason in sorted(previews.reasons.items())],
    }


def _render(**content: Any) -> str:
    from markupsafe import Markup

    environment = template_environment()
    environment.filters |= {
        "count": formatting.format_count,
        "duration": formatting.format_length,
        "figure": formatting.format_number,
        "share": formatting.format_share,
    }
    script = "".join(read_part("scripts", f"{name}.js") for name in SCRIPTS)
    return environment.get_template(TEMPLATE).render(
        **content,
        style=joined_styles(STYLES),
        script=Markup(script),  # noqa: S704 (the package's own)
        script_hash=script_hash(script),
        version=__version__,
        fewest_frames=FEWEST_FRAMES,
        few_classes=FEW_CLASSES,
        most_open_rows=MOST_OPEN_ROWS,
        most_matrix_classes=MOST_MATRIX_CLASSES,
    )
