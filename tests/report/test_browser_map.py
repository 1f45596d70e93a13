"""The map in headless Chromium: what colours its marks, which are doubtful, and lists of picked ones."""

from __future__ import annotations

import csv
import io
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import yaml
from pathspec import GitIgnoreSpec

from l3embed.export.manifest import read_manifest, write_manifest

from .conftest import DIMENSION, HOSTILE_NAME, LABELS, PER_LABEL, Page, Project, audio_row, clustered
from .reader import PLACE_OF, SHOWN_FRAMES, Reader, needs_chromium

if TYPE_CHECKING:
    from playwright.sync_api import Browser

pytestmark = needs_chromium

HOSTILE_PATH = f"drums/{HOSTILE_NAME}"
MARKS = """() => {
  const { workbench, files } = report;
  const { map, view } = workbench;
  return Array.from(map.files, (file, point) => [files.path(file), view.x[point], view.y[point]]);
}"""
COLOUR_AT = """([name, variable]) => {
  const { workbench, files } = report;
  const point = Array.from(workbench.map.files).findIndex((file) => files.path(file).includes(name));
  const { view } = workbench;
  const copy = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
  copy.drawImage(view.points, -Math.round(view.x[point]), -Math.round(view.y[point]));
  const found = copy.getImageData(0, 0, 1, 1);
  const wanted = getComputedStyle(document.documentElement).getPropertyValue(variable).trim();
  const hex = Array.from(found.data.slice(0, 3), (level) => level.toString(16).padStart(2, "0")).join("");
  return [`#${hex}`, wanted];
}"""
# Pairs of places of the canvas, as shares of its width and height, around its left and its right half.
HALVES = {"left": (0.01, 0.01, 0.5, 0.99), "right": (0.5, 0.01, 0.92, 0.99)}


def colour_by(reader: Reader, name: str) -> None:
    reader.tab.locator("#colouring").get_by_role("radio", name=name).check()
    reader.tab.mouse.move(5, 5)
    reader.settle()


def legend(reader: Reader, selector: str = "#legend") -> dict[str, str]:
    """The entries of a legend, and how many files each has."""
    entries = reader.tab.locator(f"{selector} .label")
    names, counts = (entries.locator(part).all_inner_texts() for part in ("bdi", ".count"))
    return dict(zip(names, counts, strict=True))


def corners(reader: Reader, half: str) -> list[tuple[float, float]]:
    box = reader.tab.locator("#marks").bounding_box()
    assert box is not None
    left, top, right, bottom = HALVES[half]
    return [
        (box["x"] + x * box["width"], box["y"] + y * box["height"])
        for x, y in ((left, top), (right, top), (right, bottom), (left, bottom))
    ]


def throw_lasso(reader: Reader, half: str, *keys: str) -> None:
    for key in keys:
        reader.tab.keyboard.down(key)
    first, *others = corners(reader, half)
    reader.tab.mouse.move(*first)
    reader.tab.mouse.down()
    for corner in others:
        reader.tab.mouse.move(*corner, steps=5)
    reader.tab.mouse.up()
    for key in keys:
        reader.tab.keyboard.up(key)


def inside(reader: Reader, half: str) -> set[str]:
    """The files whose marks lie in a half of the map."""
    width, height = reader.tab.evaluate("[report.workbench.view.width, report.workbench.view.height]")
    left, top, right, bottom = HALVES[half]
    return {
        path
        for path, x, y in reader.tab.evaluate(MARKS)
        if left * width <= x <= right * width and top * height <= y <= bottom * height
    }


def picked(reader: Reader) -> set[str]:
    found: list[str] = reader.tab.evaluate("report.workbench.picks.files.map(report.files.path)")
    return set(found)


def saved(reader: Reader, kind: str) -> str:
    """The list of a kind that is saved of what is picked."""
    reader.tab.select_option("#list-kind", kind)
    with reader.tab.expect_download() as download:
        reader.tab.click("#save")
    assert download.value.suggested_filename == f"picked.{kind}"
    return Path(download.value.path()).read_bytes().decode("utf-8")


def test_marks_can_be_coloured_by_all_that_is_known_and_by_nothing_else(reader: Reader) -> None:
    choices = reader.tab.locator("#colouring label")
    assert choices.all_inner_texts() == ["Label", "Mistake", "Length", "Fold"]
    reader.tab.click("[data-map='1']")  # of the pictures nothing was evaluated
    assert choices.all_inner_texts() == ["Label", "Length"]


def test_the_colouring_is_chosen_by_keyboard(reader: Reader) -> None:
    reader.tab.locator("#colouring").get_by_role("radio", name="Label").focus()
    reader.tab.keyboard.press("ArrowRight")
    assert legend(reader) == {"right": "17", "wrong": "1", "not evaluated": "1"}


def test_mistakes_have_a_colour_and_a_shape_and_are_stronger_the_surer(reader: Reader) -> None:
    colour_by(reader, "Mistake")
    # The probe's confidence is 0.5 for the first file, a mistake, and 0.84 for the last one, in steps of 0.2.
    for name, variable in (("bells_0.wav", "--wrong-2"), ("rain_5.wav", "--right-4")):
        found, wanted = reader.tab.evaluate(COLOUR_AT, [name, variable])
        assert found == wanted
    shapes = reader.tab.evaluate(
        "report.workbench.view.colouring.groups.map((group) => group.looks[0].shape)"
    )
    assert len(set(shapes)) == 3


def test_lengths_are_in_equal_steps_on_a_logarithmic_scale(browser: Browser, project: Project) -> None:
    lengths_s = np.geomspace(1, 1000, 70)
    rows = [audio_row(f"{n}.wav", duration_s=float(length)) for n, length in enumerate(lengths_s)]
    rows = [replace(row, output=f"{n}.npz") for n, row in enumerate(rows)]
    project.write_export(rows, dict(zip([row.output for row in rows], clustered(["a"] * 70, 3), strict=True)))
    reader = Reader(browser, project.report())
    found = legend(reader)  # without labels and an evaluation, lengths are all there is
    assert list(found) == [
        "1 to 2.7 s",
        "2.7 to 7.2 s",
        "7.2 to 19 s",
        "19 to 52 s",
        "52 s to 2.3 min",
        "2.3 to 6.2 min",
        "6.2 to 17 min",
    ]
    assert all(8 <= int(count) <= 12 for count in found.values())
    assert reader.tab.locator("#colouring").is_hidden()
    reader.tab.close()


def test_folds_are_told_apart(reader: Reader) -> None:
    colour_by(reader, "Fold")
    assert legend(reader) == {"fold 0": "6", "fold 1": "6", "fold 2": "6", "not evaluated": "1"}
    assert (
        len(set(reader.tab.evaluate("report.workbench.view.colouring.looks.map((look) => look.colour)"))) == 4
    )


def test_what_is_hidden_by_one_colouring_stays_hidden_in_another(reader: Reader) -> None:
    reader.tab.locator("#legend .label", has_text="bells").click()
    colour_by(reader, "Mistake")
    assert f"{19 - PER_LABEL} of 19 shown" in reader.text("#legend")
    reader.tab.locator("#legend").get_by_role("button", name="All", exact=True).click()
    assert "shown" not in reader.text("#legend")


def test_doubtful_files_are_marked_by_kind(reader: Reader) -> None:
    assert legend(reader, "#doubt-legend") == {"silent": "2", "black": "1", "outlier": "1", "copy": "1"}
    marked = reader.drawn()["painted"]
    for name in ("silent", "black", "outlier", "copy"):
        button = reader.tab.locator("#doubt-legend .label", has_text=name)
        button.click()
        assert button.get_attribute("aria-pressed") == "false"
    reader.tab.mouse.move(5, 5)
    reader.tab.locator("#search").focus()
    reader.settle()
    assert reader.drawn()["painted"] < marked


def test_kinds_of_doubts_differ_in_shape_and_not_in_colour(reader: Reader) -> None:
    drawn = reader.tab.locator("#doubt-legend .swatch .line")
    shapes = drawn.evaluate_all("paths => paths.map((path) => path.getAttribute('d'))")
    assert len(set(shapes)) == len(shapes) == 4
    assert len(set(drawn.evaluate_all("paths => paths.map((path) => getComputedStyle(path).stroke)"))) == 1


def test_doubtful_files_can_be_shown_alone(reader: Reader) -> None:
    reader.tab.get_by_label("Show only these").check()
    assert "4 of 19 shown" in reader.text("#legend")
    reader.tab.click("#pick-all")
    assert picked(reader) == {"bells/bells_0.wav", "rain/rain_1.wav", "rain/rain_3.wav", "clip.mp4"}
    reader.tab.locator("#doubt-legend .label", has_text="silent").click()
    # One of the silent files is an outlier as well.
    assert "3 of 19 shown" in reader.text("#legend")


def test_a_lasso_picks_what_is_inside(reader: Reader) -> None:
    reader.tab.click("#lasso")
    throw_lasso(reader, "left")
    assert picked(reader) == inside(reader, "left")
    assert reader.text("#picked-count") == f"{len(inside(reader, 'left'))} picked"
    throw_lasso(reader, "right")
    assert picked(reader) == inside(reader, "right")
    assert reader.tab.evaluate("report.workbench.view.zoom") == 1


def test_shift_adds_and_alt_takes_away(reader: Reader) -> None:
    throw_lasso(reader, "left", "Shift")  # without the button
    throw_lasso(reader, "right", "Shift")
    assert picked(reader) == inside(reader, "left") | inside(reader, "right")
    reader.tab.click("#lasso")
    throw_lasso(reader, "left", "Alt")
    assert picked(reader) == inside(reader, "right") - inside(reader, "left")


def test_a_lasso_passes_by_what_is_hidden(reader: Reader) -> None:
    reader.tab.locator("#legend .label", has_text="drums").click()
    for half in HALVES:
        throw_lasso(reader, half, "Shift")
    assert picked(reader)
    assert not [path for path in picked(reader) if path.startswith("drums/")]


def test_a_finger_draws_a_lasso_and_adds(browser: Browser, mixed: Page) -> None:
    reader = Reader(browser, mixed, has_touch=True)
    reader.tab.click("#lasso")
    touch = reader.tab.context.new_cdp_session(reader.tab)
    for half in HALVES:
        first, *others = corners(reader, half)
        for kind, (x, y) in (("touchStart", first), *(("touchMove", corner) for corner in others)):
            touch.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": [{"x": x, "y": y}]})
        touch.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
    assert picked(reader) == inside(reader, "left") | inside(reader, "right")
    assert not reader.faults
    reader.tab.close()


def test_escape_forgets_a_line_then_stops_the_sound_and_then_clears(reader: Reader) -> None:
    throw_lasso(reader, "left", "Shift")
    before = picked(reader)
    reader.click("rain_4.wav")
    reader.is_playing()
    reader.tab.keyboard.down("Shift")
    reader.tab.mouse.move(*corners(reader, "right")[0])
    reader.tab.mouse.down()
    reader.tab.mouse.move(*corners(reader, "right")[2], steps=3)
    reader.tab.keyboard.press("Escape")
    reader.tab.mouse.up()
    reader.tab.keyboard.up("Shift")
    assert reader.tab.evaluate("report.workbench.player.playing")
    reader.tab.keyboard.press("Escape")
    reader.is_silent()
    assert picked(reader) == before
    reader.tab.keyboard.press("Escape")
    assert picked(reader) == set()
    assert reader.tab.locator("#picked").is_hidden()


def test_files_are_picked_without_a_mouse(reader: Reader) -> None:
    reader.tab.locator("#legend .label", has_text="rain").focus()
    reader.tab.keyboard.press("Enter")
    reader.tab.locator("#pick-all").focus()
    reader.tab.keyboard.press("Enter")
    assert len(picked(reader)) == 19 - PER_LABEL
    reader.tab.locator("#marks").focus()
    reader.tab.keyboard.press("ArrowDown")
    reader.tab.locator("#marks").focus()
    reader.tab.keyboard.press("Space")
    assert len(picked(reader)) == 19 - PER_LABEL - 1


def test_picked_files_stay_on_the_other_map(reader: Reader) -> None:
    reader.tab.click("#pick-all")
    reader.tab.click("[data-map='1']")
    assert reader.text("#picked-count") == "19 picked, 18 of them not shown"


def test_the_table_tells_what_is_known_of_the_files(reader: Reader) -> None:
    reader.tab.click("#pick-all")
    rows = list(csv.DictReader(io.StringIO(saved(reader, "csv"))))
    assert [row["path"] for row in rows][-1] == "clip.mp4"
    assert HOSTILE_PATH in {row["path"] for row in rows}
    assert next(row for row in rows if row["path"] == "bells/bells_0.wav") == {
        "path": "bells/bells_0.wav",
        "label": "bells",
        "taken_for": "rain",
        "confidence": "0.5",
        "fold": "fold 0",
        "duration_s": "1.5",
        "doubts": "silent outlier",
    }


def test_paths_are_one_a_line_in_the_order_of_the_dataset(reader: Reader, mixed: Page) -> None:
    reader.tab.click("#pick-all")
    rows = read_manifest(mixed.path.parent.parent / "export")
    expected = [row.path for row in rows if row.modality == "audio" and row.is_ok]
    assert saved(reader, "txt").splitlines() == expected


def test_patterns_fit_the_picked_files_and_no_other(browser: Browser, project: Project) -> None:
    awkward = ["a*b.wav", "a1b.wav", "[x].wav", "x.wav", "q?.wav", "q1.wav", "back\\slash.wav"]
    awkward += [
        "#.wav",
        "!.wav",
        "deep/x.wav",
        "ends in.wav  ",
        'say "hi".wav',
        "Schön, 鳥.wav",
        "two\nlines.wav",
    ]
    rows = [audio_row(path, output=f"{n}.npz") for n, path in enumerate(awkward)]
    frames = clustered(["a"] * len(rows), 3)
    project.write_export(rows, dict(zip([row.output for row in rows], frames, strict=True)))
    reader = Reader(browser, project.report())
    reader.tab.click("#pick-all")
    patterns: Any = yaml.safe_load(saved(reader, "yaml"))
    for path, pattern in zip(awkward, patterns, strict=True):
        spec = GitIgnoreSpec.from_lines([pattern])
        # The pipeline asks in this way, since no pattern can hold a new line.
        assert [other for other in awkward if spec.match_file(other.replace("\n", " "))] == [path]
    assert not reader.faults
    reader.tab.close()


def test_the_list_can_be_copied(reader: Reader) -> None:
    reader.tab.get_by_label("Show only these").check()
    reader.tab.click("#pick-all")
    reader.tab.select_option("#list-kind", "txt")
    reader.tab.click("#copy")
    reader.tab.wait_for_function("() => document.getElementById('picked-count').textContent === 'Copied 4'")
    reader.tab.focus("#search")
    reader.tab.keyboard.press("Control+v")
    expected = "bells/bells_0.wav rain/rain_1.wav rain/rain_3.wav clip.mp4"
    assert reader.tab.input_value("#search").split() == expected.split()


def test_pointing_and_drawing_a_lasso_draw_no_mark_anew(reader: Reader) -> None:
    reader.tab.evaluate(
        "() => { const { view } = report.workbench; globalThis.drawn = 0;"
        " const own = view.points.getContext('2d'); const put = own.putImageData;"
        " own.putImageData = (...values) => { drawn++; put.apply(own, values); }; }"
    )
    for path in ("rain_4.wav", "bells_1.wav", "drums_0.wav"):
        reader.point_at(path)
    reader.tab.keyboard.down("Shift")
    reader.tab.mouse.down()
    reader.tab.mouse.move(*corners(reader, "left")[0], steps=8)
    reader.tab.evaluate(SHOWN_FRAMES)
    assert reader.tab.evaluate("drawn") == 0
    reader.tab.mouse.up()
    reader.tab.keyboard.up("Shift")
    reader.tab.evaluate(SHOWN_FRAMES)
    assert reader.tab.evaluate("drawn") == 1


def test_a_map_that_takes_long_is_drawn_with_fewer_pixels_until_it_rests(reader: Reader) -> None:
    colours = "() => report.workbench.view.isRough"
    reader.tab.evaluate("() => { report.workbench.view.slowMs = 0; }")
    reader.tab.evaluate("() => report.workbench.view.moveBy(3, 3)")
    reader.tab.wait_for_function(colours)
    reader.tab.wait_for_function("() => !report.workbench.view.isRough")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_marks_of_all_colourings_are_drawn_in_both_themes(reader: Reader, scheme: Any) -> None:
    reader.tab.emulate_media(color_scheme=scheme)
    for name in ("Label", "Mistake", "Length", "Fold"):
        colour_by(reader, name)
        assert reader.drawn()["painted"] > 19 * 15
    assert reader.tab.evaluate(PLACE_OF, LABELS[0])


def test_paper_shows_what_the_colours_mean_and_no_tools(reader: Reader) -> None:
    colour_by(reader, "Mistake")
    reader.tab.emulate_media(media="print")
    assert reader.tab.locator("#legend .title").is_visible()
    assert reader.tab.locator("#picks").is_hidden()


def test_ten_thousand_marks_are_coloured_and_picked(browser: Browser, project: Project) -> None:
    rng = np.random.default_rng(0)
    rows = [
        audio_row(f"{n:05}.wav", f"class {n % 50}", duration_s=float(length))
        for n, length in enumerate(rng.lognormal(1, 1, 10_000))
    ]
    project.inputs.export.mkdir()
    write_manifest(project.inputs.export, rows)
    np.save(project.inputs.export / "audio_mean.npy", rng.normal(size=(10_000, DIMENSION)).astype(np.float32))
    reader = Reader(browser, project.report())
    colour_by(reader, "Length")
    throw_lasso(reader, "left", "Shift")
    assert picked(reader) == inside(reader, "left")
    assert len(picked(reader)) > 1000
    reader.tab.close()
