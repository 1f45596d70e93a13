"""The page at work, in headless Chromium: everything that a reader does with it."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest

from l3embed.export.manifest import write_manifest
from l3embed.report import ReportOptions

from .conftest import DIMENSION, HOSTILE_NAME, NO_UMAP, PER_LABEL, Project, audio_row, mixed_project
from .reader import PLACE_OF, Reader, needs_chromium

if TYPE_CHECKING:
    from playwright.sync_api import Browser

pytestmark = needs_chromium


def test_every_file_of_the_map_is_drawn(reader: Reader) -> None:
    drawn = reader.drawn()
    assert drawn["colours"] > 10
    assert drawn["painted"] > 19 * 20


def test_pointing_at_a_mark_names_the_file(reader: Reader) -> None:
    reader.point_at("rain_4.wav")
    tip = reader.tab.locator("#tip")
    tip.wait_for(state="visible")
    assert tip.inner_text().split("\n") == ["rain_4.wav", "rain · 1.5 s"]
    reader.tab.mouse.move(5, 5)
    tip.wait_for(state="hidden")


def test_a_hostile_name_is_shown_as_it_is(reader: Reader) -> None:
    reader.point_at("onerror")
    reader.tab.locator("#tip").wait_for(state="visible")
    assert reader.tab.locator("#tip bdi").text_content() == HOSTILE_NAME.rsplit("/", 1)[1]
    reader.click("onerror")
    assert reader.tab.locator("#selected h3").text_content() == HOSTILE_NAME.rsplit("/", 1)[1]
    reader.is_playing()


def test_a_click_plays_the_sound_and_lists_the_neighbours(reader: Reader) -> None:
    reader.click("bells_2.wav")
    reader.is_playing()
    assert reader.text("#selected h3") == "bells_2.wav"
    assert "1.5 s · 16 kHz · mono · 8 embeddings" in reader.text("#selected")
    names = reader.neighbours()
    assert len(names) == 8
    assert sorted(names[: PER_LABEL - 1]) == [f"bells_{n}.wav" for n in (0, 1, 3, 4, 5)]
    similarities = [float(text) for text in reader.tab.locator(".similarity").all_inner_texts()]
    assert similarities == sorted(similarities, reverse=True)


def test_escape_stops_the_sound(reader: Reader) -> None:
    reader.click("bells_2.wav")
    reader.is_playing()
    reader.tab.keyboard.press("Escape")
    reader.is_silent()


def test_the_button_stops_and_starts_the_sound(reader: Reader) -> None:
    reader.click("bells_2.wav")
    reader.is_playing()
    button = reader.tab.locator(".sound .play")
    assert button.get_attribute("aria-label") == "Stop bells_2.wav"
    button.click()
    reader.is_silent()
    button.click()
    reader.is_playing()


def test_arrows_go_through_the_neighbours_and_backspace_returns(reader: Reader) -> None:
    reader.click("rain_0.wav")
    first, second = reader.neighbours()[:2]
    for name in (first, second):
        reader.tab.keyboard.press("ArrowDown")
        assert reader.tab.evaluate("document.activeElement.querySelector('.name').textContent") == name
        reader.tab.wait_for_function(
            "name => report.files.name(report.workbench.player.file) === name", arg=name
        )
    reader.tab.keyboard.press("Enter")
    assert reader.text("#selected h3") == second
    reader.tab.keyboard.press("Backspace")
    assert reader.text("#selected h3") == "rain_0.wav"


def test_the_map_can_be_entered_from_the_keyboard(reader: Reader) -> None:
    reader.tab.locator("#marks").focus()
    reader.tab.keyboard.press("ArrowDown")
    reader.tab.locator("#selected h3").wait_for(state="visible")
    reader.is_playing()


def test_a_neighbour_that_is_clicked_becomes_the_selected_file(reader: Reader) -> None:
    reader.click("rain_0.wav")
    name = reader.neighbours()[2]
    reader.tab.locator(".neighbours .to").nth(2).click()
    assert reader.text("#selected h3") == name


def test_pictures_have_a_map_of_their_own_and_are_shown(reader: Reader) -> None:
    reader.tab.click("[data-map='1']")
    reader.settle()
    reader.click("picture_2.png")
    image = reader.tab.locator("#selected .picture")
    image.wait_for(state="visible")
    assert image.evaluate(
        "async (image) => { await image.decode(); return [image.naturalWidth, image.naturalHeight]; }"
    ) == [320, 240]
    reader.is_silent()
    assert sorted(reader.neighbours()) == ["clip.mp4", "picture_0.png", "picture_1.png", "picture_3.png"]


def test_a_video_shows_a_frame_and_sounds_on_both_maps(reader: Reader) -> None:
    reader.click("clip.mp4")
    reader.is_playing()
    reader.tab.locator("#selected .picture").wait_for(state="visible")
    reader.tab.click("[data-map='1']")
    assert reader.text("#selected h3") == "clip.mp4"


def test_the_legend_hides_and_shows_a_class(reader: Reader) -> None:
    button = reader.tab.locator("#legend .label", has_text="drums")
    assert button.inner_text().split() == ["drums", str(PER_LABEL)]
    before = reader.drawn()["painted"]
    button.click()
    reader.tab.mouse.move(5, 5)
    reader.settle()
    assert button.get_attribute("aria-pressed") == "false"
    assert reader.drawn()["painted"] < before * 0.9
    x, y = reader.tab.evaluate(PLACE_OF, "drums_1.wav")
    reader.tab.mouse.click(x, y)
    assert "drums" not in reader.tab.locator("#selected").inner_text()
    button.click()
    reader.tab.mouse.move(5, 5)
    reader.tab.keyboard.press("Escape")
    assert button.get_attribute("aria-pressed") == "true"


def test_the_legend_can_be_emptied_and_filled(reader: Reader) -> None:
    full = reader.drawn()["painted"]
    for name, share in (("None", 0.3), ("All", 1.0)):
        reader.tab.locator("#legend").get_by_role("button", name=name, exact=True).click()
        reader.tab.mouse.move(5, 5)
        reader.settle()
        assert reader.drawn()["painted"] == pytest.approx(full * share, rel=0.05, abs=full * share)


def test_a_file_is_found_by_parts_of_its_name(reader: Reader) -> None:
    reader.tab.fill("#search", "RAIN 3")
    assert reader.tab.locator("#found [role=option] .name").all_inner_texts() == ["rain_3.wav"]
    reader.tab.keyboard.press("Enter")
    assert reader.text("#selected h3") == "rain_3.wav"
    assert reader.tab.locator("#found").is_hidden()


def test_a_search_without_a_find_says_so(reader: Reader) -> None:
    reader.tab.fill("#search", "nothing of this name")
    assert reader.text("#found") == "No file has this in its name."
    reader.tab.keyboard.press("Enter")
    assert reader.tab.locator("#selected").is_hidden()


def test_dragging_moves_and_zooming_enlarges_the_map(reader: Reader) -> None:
    x, y = reader.tab.evaluate(PLACE_OF, "rain_0.wav")
    box = reader.tab.locator("#marks").bounding_box()
    assert box is not None
    reader.tab.mouse.move(box["x"] + 60, box["y"] + 60)
    reader.tab.mouse.down()
    reader.tab.mouse.move(box["x"] + 100, box["y"] + 80, steps=4)
    reader.tab.mouse.up()
    reader.settle()
    assert reader.tab.evaluate(PLACE_OF, "rain_0.wav") == pytest.approx([x + 40, y + 20], abs=0.01)
    reader.tab.click("[data-zoom=in]")
    reader.settle()
    assert reader.tab.evaluate("report.workbench.view.zoom") == pytest.approx(1.6)
    reader.tab.click("[data-zoom=reset]")
    reader.settle()
    assert reader.tab.evaluate(PLACE_OF, "rain_0.wav") == pytest.approx([x, y], abs=0.01)


def test_the_wheel_scrolls_the_page_and_zooms_with_control(reader: Reader) -> None:
    reader.point_at("rain_0.wav")
    reader.tab.keyboard.down("Control")
    reader.tab.mouse.wheel(0, -200)
    reader.tab.keyboard.up("Control")
    reader.settle()
    assert reader.tab.evaluate("report.workbench.view.zoom") == pytest.approx(2)
    before = reader.tab.evaluate("scrollY")
    reader.tab.mouse.wheel(0, 200)
    reader.tab.wait_for_function("before => scrollY > before", arg=before)
    assert reader.tab.evaluate("report.workbench.view.zoom") == pytest.approx(2)


def test_a_matrix_is_painted_and_read_off(reader: Reader) -> None:
    canvas = reader.tab.locator("[data-figure='0'] canvas")
    drawn = reader.drawn("[data-figure='0'] canvas")
    assert drawn["side"] == 8
    assert drawn["colours"] > 8
    canvas.hover(position={"x": 3, "y": 3})
    assert reader.text("[data-figure='0'] .readout") == "0.0 s and 0.0 s: 1.00"


def test_the_theme_follows_the_system(reader: Reader) -> None:
    paper = "getComputedStyle(document.body).backgroundColor"
    assert reader.drawn()["corner"] == [255, 255, 255, 255]
    assert reader.tab.evaluate(paper) == "rgb(251, 251, 249)"
    reader.tab.emulate_media(color_scheme="dark")
    reader.settle()
    assert reader.tab.evaluate(paper) == "rgb(19, 21, 24)"
    assert max(reader.drawn()["corner"][:3]) < 50


def test_paper_is_white_in_the_dark(reader: Reader) -> None:
    reader.tab.emulate_media(color_scheme="dark")
    reader.tab.evaluate("dispatchEvent(new Event('beforeprint'))")
    assert reader.drawn()["corner"] == [255, 255, 255, 255]
    reader.tab.evaluate("dispatchEvent(new Event('afterprint'))")
    assert max(reader.drawn()["corner"][:3]) < 50


@pytest.mark.parametrize("width", [320, 390, 768, 1024, 1440])
def test_the_page_is_never_wider_than_the_window(reader: Reader, width: int) -> None:
    reader.tab.set_viewport_size({"width": width, "height": 800})
    reader.settle()
    assert reader.tab.evaluate("document.documentElement.scrollWidth") == width


def test_files_without_a_preview_are_played_from_the_dataset(browser: Browser, tmp_path: Path) -> None:
    made = mixed_project(tmp_path / "a project")
    page = made.report(ReportOptions(NO_UMAP.projection, previews_mb=0))
    reader = Reader(browser, page)
    reader.click("bells_2.wav")
    reader.is_playing()
    assert "Read from the dataset's folder." in reader.text("#selected")
    assert reader.requests[-1] == (made.inputs.dataset / "bells/bells_2.wav").as_uri()
    reader.tab.click("[data-map='1']")
    reader.click("picture_2.png")
    reader.tab.wait_for_function("() => document.querySelector('#selected .picture').naturalWidth === 640")
    assert not reader.faults
    reader.tab.close()


def test_an_original_that_is_gone_is_said_to_be(browser: Browser, tmp_path: Path) -> None:
    made = mixed_project(tmp_path)
    page = made.report(ReportOptions(NO_UMAP.projection, previews_mb=0))
    shutil.rmtree(made.inputs.dataset)
    reader = Reader(browser, page)
    reader.click("bells_2.wav")
    reader.tab.locator(".fault").wait_for(state="visible")
    reader.tab.click("[data-map='1']")
    reader.click("picture_2.png")
    reader.tab.wait_for_function(
        "() => document.querySelector('#selected').innerText.includes('not found at ../dataset/')"
    )
    reader.tab.close()


def test_ten_thousand_files_are_drawn_found_and_compared(browser: Browser, project: Project) -> None:
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 50, 10_000)
    means = rng.normal(size=(50, DIMENSION))[labels] * 2 + rng.normal(size=(10_000, DIMENSION))
    rows = [audio_row(f"{n:05}.wav", f"class {label}") for n, label in enumerate(labels)]
    project.inputs.export.mkdir()
    write_manifest(project.inputs.export, rows)
    np.save(project.inputs.export / "audio_mean.npy", means.astype(np.float32))
    reader = Reader(browser, project.report(ReportOptions(NO_UMAP.projection, previews_mb=0)))
    assert reader.tab.evaluate("report.workbench.view.x.length") == 10_000
    assert reader.drawn()["painted"] > 50_000
    assert reader.tab.locator("#legend .label").count() == 50
    reader.tab.fill("#search", "04711")
    reader.tab.keyboard.press("Enter")
    assert reader.text("#selected h3") == "04711.wav"
    centred = means - means.mean(axis=0)
    units = centred / np.linalg.norm(centred, axis=1, keepdims=True)
    cosines = units @ units[4711]
    expected = np.argsort(-cosines)[1:9]
    assert reader.neighbours() == [f"{n:05}.wav" for n in expected]
    reader.tab.close()
