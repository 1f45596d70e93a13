"""A comparison as one HTML page that needs nothing but itself, without any script."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from l3embed.disk.atomic import replacing
from l3embed.errors import OpenL3Error
from l3embed.report import comparison_words, formatting
from l3embed.report.changed_neighbours import NeighbourChanges
from l3embed.report.classification import CLASSIFIERS, MEASURES
from l3embed.report.comparison import Comparison
from l3embed.report.templating import joined_styles, template_environment
from l3embed.variants import Modality
from l3embed.version import __version__

TEMPLATE = "comparison.html.j2"
STYLES = ("style.css", "comparison.css")

MOST_ROWS = 100
"""Of each table: the JSON has all of them."""

MOST_CHANGED = 10
"""Files whose neighbours changed most, with these neighbours."""

FEW_NEIGHBOURS = 3
"""That are named of each."""

TITLES = {Modality.AUDIO: "Sound", Modality.IMAGE: "Pictures"}


def check_page_packages() -> None:
    """Check that what the page and the settings need is installed.

    Raises
    ------
    OpenL3Error
        If it is not, with the command that brings it.
    """
    if not all(map(find_spec, ("jinja2", "yaml"))):
        raise OpenL3Error("Comparing runs needs the pipeline's packages: pip install 'l3embed[pipeline]'.")


def write_page(comparison: Comparison, path: Path) -> None:
    """Write the page of a comparison, whole or not at all; its folder is made."""
    page = comparison_page(comparison).encode("utf-8", "replace")
    path.parent.mkdir(parents=True, exist_ok=True)
    with replacing(path) as temporary:
        temporary.write_bytes(page)


def comparison_page(comparison: Comparison) -> str:
    """Return the page of a comparison."""
    environment = template_environment()
    environment.filters |= {
        "count": formatting.format_count,
        "share": formatting.format_share,
        "points": format_points,
    }
    return environment.get_template(TEMPLATE).render(
        comparison=comparison,
        file_kinds=_file_kinds(comparison),
        modalities=[
            {
                "title": TITLES[each.modality],
                "changes": each,
                "changed": changed_files(each.neighbours),
                "neighbour_words": list(comparison_words.neighbour_words(each.neighbours)),
                "number_words": comparison_words.number_words(each.neighbours),
                "reason_words": comparison_words.reason_words(each.scores),
                "judgement_words": list(comparison_words.judgement_words(each.scores)),
            }
            for each in comparison.modalities
        ],
        doubt_words=comparison_words.doubt_words(comparison.doubts),
        classifiers=CLASSIFIERS,
        measures=MEASURES,
        most_rows=MOST_ROWS,
        style=joined_styles(STYLES),
        version=__version__,
    )


def format_points(difference: float) -> str:
    """Return a difference of two shares in percentage points, as in ``+8.3``."""
    return f"{round(100 * difference, 1) + 0.0:+.1f}".replace("-", "\N{MINUS SIGN}")


def changed_files(changes: NeighbourChanges) -> list[dict[str, Any]]:
    """Return the files whose neighbours changed most, with the first neighbours of each run."""
    kept = changes.kept
    return [
        {
            "file": changes.pairs[place].b,
            "kept": int(kept[place]),
            "a": [changes.pairs[other].b.path for other in changes.a[place, :FEW_NEIGHBOURS]],
            "b": [changes.pairs[other].b.path for other in changes.b[place, :FEW_NEIGHBOURS]],
        }
        for place in changes.most_changed[:MOST_CHANGED]
    ]


def _file_kinds(comparison: Comparison) -> list[tuple[str, Sequence[tuple[str, str]]]]:
    """Return what became of files, each with what is to be said of it."""
    files = comparison.files
    kinds: list[tuple[str, Sequence[tuple[str, str]]]] = [
        ("Added", [(file.path, file.label) for file in files.added]),
        ("Removed", [(file.path, file.label) for file in files.removed]),
        ("Renamed, with the same bytes", [(pair.b.path, f"was {pair.a.path}") for pair in files.renamed]),
        (
            "Relabelled",
            [
                (pair.b.path, f"{pair.a.label or 'no label'} → {pair.b.label or 'no label'}")
                for pair in files.relabelled
            ],
        ),
        ("With other bytes", [(pair.b.path, pair.b.label) for pair in files.rewritten]),
        ("Failed in B alone", [(row.path, f"{row.modality}: {row.reason}") for row in comparison.failed]),
        ("Failed in A alone", [(row.path, f"{row.modality}: {row.reason}") for row in comparison.recovered]),
    ]
    return [(title, rows) for title, rows in kinds if rows]
