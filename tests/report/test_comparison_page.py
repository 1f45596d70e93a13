"""A comparison as text, as JSON and as a page: what they say, and that no name gets out of its place."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from l3embed.export.doubts import Doubt
from l3embed.report.comparison import Comparison
from l3embed.report.comparison_json import comparison_content
from l3embed.report.comparison_page import MOST_ROWS, comparison_page, format_points, write_page
from l3embed.report.comparison_text import MOST_CLASSES, MOST_NAMED, printable, text_lines
from l3embed.variants import DoubtKind

from .compared import AUDIO, GROUPED, compared, in_groups, sound_row, sound_rows, write_evaluation, write_run
from .conftest import HOSTILE_NAME, Page


@pytest.fixture
def changed(tmp_path: Path) -> Comparison:
    """Two runs in which each kind of thing has changed, one file having a name to stumble over."""
    a, b = tmp_path / "a", tmp_path / "b"
    doubt = Doubt("5.wav", AUDIO, "dog", DoubtKind.SILENT, "is silent.")
    write_run(a, [sound_row(HOSTILE_NAME), *sound_rows()[1:]], in_groups("0123"), [doubt])
    rows = [
        sound_row(HOSTILE_NAME, HOSTILE_NAME),
        sound_row("moved.wav", sha256="sha of 1.wav"),
        *sound_rows()[2:],
        sound_row("new.wav"),
    ]
    means = [*in_groups("0124"), in_groups("0124")[0]]
    write_run(b, rows, means, [Doubt(HOSTILE_NAME, AUDIO, "", DoubtKind.SHORT, HOSTILE_NAME)])
    write_evaluation(
        a,
        {HOSTILE_NAME: ("dog", HOSTILE_NAME), "2.wav": ("dog", "dog")},
        [("dog", 2, 0.5, 1.0, 2 / 3), (HOSTILE_NAME, 2, 0.5, 1.0, 2 / 3)],
        accuracy=0.5,
    )
    write_evaluation(
        b,
        {HOSTILE_NAME: ("dog", "dog"), "2.wav": ("dog", "cat")},
        [("dog", 2, 0.25, 1.0, 0.4)],
        accuracy=0.625,
    )
    return compared(a, b)


@pytest.fixture
def page(changed: Comparison, tmp_path: Path) -> Page:
    write_page(changed, tmp_path / "made" / "page.html")
    return Page(tmp_path / "made" / "page.html")


def test_the_page_says_what_changed(page: Page) -> None:
    assert "In A 8 In B 9 In both 8 Added 1 Renamed 1 Relabelled 1 Neighbours kept, sound 50.0 %" in page.text
    assert "moved.wav was 1.wav" in page.text
    assert "0 of 3 2 1 of 3 0 2 of 3 6 3 of 3 0" in page.text
    assert "Linear probe accuracy 50.0 % 62.5 % +12.5" in page.text
    assert "dog 2, 2 50.0 % 25.0 % \N{MINUS SIGN}25.0 66.7 % 40.0 % \N{MINUS SIGN}26.7" in page.text
    assert "Right in A, wrong in B: 1 File Class Taken for in A Taken for in B 2.wav dog dog cat" in page.text
    assert "1 came, 1 went, 0 are in both." in page.text
    assert "5.wav silent is silent." in page.text


def test_the_page_is_whole_and_needs_nothing(page: Page) -> None:
    assert not page.parser.open
    assert not page.parser.scripts
    assert all(address.startswith(("data:", "#")) for address in page.attributes("src", "href"))
    style = re.search(r"<style>(.*?)</style>", page.html, re.DOTALL)
    assert style is not None
    assert not re.search(r"url\(|@import|https?:", style[1])
    (policy,) = (value for value in page.attributes("content") if "default-src" in value)
    assert policy == "default-src 'none'; style-src 'unsafe-inline'; img-src data:"


def test_hostile_names_are_text_on_the_page(page: Page) -> None:
    assert "onerror" not in [key for _, attributes in page.parser.elements for key, _ in attributes]
    assert "script" not in [tag for tag, _ in page.parser.elements]
    assert page.text.count("{{ 7*7 }}") >= 5


def test_a_page_that_cannot_be_made_leaves_the_old_one(
    changed: Comparison, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "page.html"
    path.write_text("old")

    def full(self: Path, content: bytes) -> int:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(OSError, match="No space"):
        write_page(changed, path)
    assert path.read_text() == "old"
    assert not list(tmp_path.glob(".*.tmp"))


def test_runs_in_which_nothing_changed(tmp_path: Path) -> None:
    a = write_run(tmp_path / "a", sound_rows(), in_groups("0123"))
    found = compared(a, a)
    html = comparison_page(found)
    assert "Both have the same files" in html
    assert "Nothing differs" in html
    assert "whose neighbours changed most" not in html
    lines = list(text_lines(found))
    assert "Files: 8 in A, 8 in B, 8 in both" in lines
    assert "Settings and versions: none differ" in lines


def test_the_text_says_what_changed(changed: Comparison) -> None:
    text = "\n".join(text_lines(changed))
    assert "Files: 8 in A, 9 in B, 8 in both\n  added: 1\n    new.wav\n" in text
    assert "  renamed (same bytes): 1\n    1.wav -> moved.wav\n" in text
    assert "files keep 50.0 % on average (by chance 42.9 %); 0 keep all, 2 none." in text
    assert "    3.wav: keeps 0 of 3\n    4.wav: keeps 0 of 3\n" in text
    assert re.search(r"^  linear_probe accuracy +50\.0 +62\.5 +\+12\.5$", text, re.MULTILINE)
    assert re.search(r"^  dog +2 +2 +50\.0 +25\.0 +-25\.0 +66\.7 +40\.0 +-26\.7$", text, re.MULTILINE)
    assert "  Right in A, wrong in B: 1\n    2.wav (dog): taken for dog -> cat\n" in text
    assert "Doubts: 1 came, 1 went, 0 are in both" in text
    assert "  went: 1\n    5.wav (silent): is silent." in text


def test_a_difference_of_nothing_has_no_minus() -> None:
    assert [format_points(each) for each in (-0.0004, 0.0, -0.0006)] == ["+0.0", "+0.0", "\N{MINUS SIGN}0.1"]


def test_no_name_breaks_a_line_or_moves_the_cursor() -> None:
    assert printable("a\nb\x1b[2J\u202ec\N{GRINNING FACE}é") == "a\\nb\\x1b[2J\\u202ec\N{GRINNING FACE}é"


def test_of_many_files_and_classes_the_text_names_some_and_the_json_all(tmp_path: Path) -> None:
    rows = sound_rows()
    added = [sound_row(f"new{number}.wav") for number in range(MOST_NAMED + 7)]
    a = write_run(tmp_path / "a", rows, in_groups("0123"))
    b = write_run(tmp_path / "b", [*rows, *added], [*in_groups("0123"), *([[1, 0]] * len(added))])
    labels = [f"class {number:02}" for number in range(MOST_CLASSES + 3)]
    for folder, f1 in ((a, 0.5), (b, 0.75)):
        classes = [(label, 2, f1, f1, f1 if place else 0.25) for place, label in enumerate(labels)]
        write_evaluation(folder, {}, classes, accuracy=f1)
    found = compared(a, b)
    lines = list(text_lines(found))
    assert "    and 7 more" in lines
    assert "  and 3 classes in between" in lines
    assert sum(line.startswith("  class ") for line in lines) == MOST_CLASSES + 1  # and the header
    content = comparison_content(found)
    assert content["files"]["added"] == [row.path for row in added]
    assert len(content["modalities"]["audio"]["evaluation"]["classes"]) == len(labels)


def test_of_many_files_the_page_names_the_first(tmp_path: Path) -> None:
    rows = sound_rows()
    added = [sound_row(f"new{number:03}.wav") for number in range(MOST_ROWS + 2)]
    a = write_run(tmp_path / "a", rows, in_groups("0123"))
    b = write_run(tmp_path / "b", [*rows, *added], [*in_groups("0123"), *([[1, 0]] * len(added))])
    html = comparison_page(compared(a, b))
    assert "new099.wav" in html
    assert "new100.wav" not in html
    assert "And 2 more: <code>l3embed report --json</code> names all of them." in html


def test_the_json_has_all_of_it(changed: Comparison) -> None:
    content = json.loads(json.dumps(comparison_content(changed), allow_nan=False))
    assert content["files"]["renamed"] == [{"a": "1.wav", "b": "moved.wav"}]
    assert content["files"]["relabelled"] == [{"path": HOSTILE_NAME, "a": "", "b": HOSTILE_NAME}]
    audio = content["modalities"]["audio"]
    assert audio["neighbours"]["mean_kept"] == 0.5
    names = [HOSTILE_NAME, "moved.wav", *GROUPED[2:]]
    shares = [0.666667, 0.666667, 0.666667, 0, 0, 0.666667, 0.666667, 0.666667]
    assert audio["neighbours"]["kept"] == dict(zip(names, shares, strict=True))
    accuracy = audio["evaluation"]["scores"]["linear_probe"]["accuracy"]
    assert accuracy == {
        "a": {"value": 0.5, "low": None, "high": None},
        "b": {"value": 0.625, "low": None, "high": None},
        "difference": 0.125,
    }
    (lost,) = audio["evaluation"]["right_in_a_alone"]
    assert lost == {
        "path": "2.wav",
        "a": {"actual": "dog", "predicted": "dog"},
        "b": {"actual": "dog", "predicted": "cat"},
    }
    assert [doubt["kind"] for doubt in content["doubts"]["went"]] == ["silent"]
