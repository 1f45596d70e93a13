"""The page's section on distances to a reference."""

from __future__ import annotations

import re

from l3embed.evaluation.reference_figures import (
    ReferenceDistance,
    ReferenceDistances,
    distances_content,
)

from .conftest import Project, audio_row, clustered, write_tone

FOUND = ReferenceDistances(
    "../ref <b>",
    (
        ReferenceDistance("", "fd", 12.3456, 10.5, 14.25, 8, 4),
        ReferenceDistance("a", "fd", 30.5, None, None, 4, 2),
    ),
    ("there is no KAD",),
)
FIGURES = {"files": 2, "reason": "there are no labels", "notes": []}


def page_of(project: Project, figures: dict[str, object]) -> str:
    write_tone(project.root / "dataset" / "a.wav", 440)
    project.write_export([audio_row("a.wav")], {"a.wav.npz": clustered(["a"], 4)[0]})
    project.write_evaluation("audio", [], figures)
    project.report()
    return project.page.read_text(encoding="utf-8")


def test_all_files_and_each_class_have_a_line_with_their_interval(project: Project) -> None:
    text = page_of(project, {**FIGURES, "distances": distances_content(FOUND)})
    section = text[text.index('<section id="distances">') :]
    section = re.sub(r"<[^>]+>", " ", section[: section.index("</section>")])
    words = " ".join(section.split())
    assert "All files 4 8 12.35 (10.5 to 14.25) a 2 4 30.5 There is no KAD." in words
    assert "../ref &lt;b&gt;" in words


def test_without_a_reference_there_is_no_section(project: Project) -> None:
    assert '<section id="distances">' not in page_of(project, FIGURES)
