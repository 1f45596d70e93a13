"""The page's lists of files in headless Chromium, the confusion matrix's among them, and the panel."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np
import pytest

from l3embed.export.manifest import write_manifest
from l3embed.report import ReportOptions

from .conftest import (
    DIMENSION,
    DOUBTS,
    LABELS,
    NO_UMAP,
    PER_LABEL,
    Page,
    Project,
    audio_row,
    confidence_of,
)
from .reader import Reader, needs_chromium

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Locator

pytestmark = needs_chromium

FILES = len(LABELS) * PER_LABEL + 4 + 2 + 1
"""Rows of the mixed project: recordings, pictures, two of a video, and one that failed."""


def cell(reader: Reader, words: str) -> Locator:
    return reader.tab.locator(f".confusion [title^='{words}']")


def names(reader: Reader, within: str = "#rows") -> list[str]:
    """The files of a table that are in the page, by their names."""
    return reader.tab.locator(f"{within} tbody .name").all_inner_texts()


def column(reader: Reader, kind: str) -> list[str]:
    return reader.tab.locator(f"#rows td.{kind}").all_inner_texts()


def sort_by(reader: Reader, name: str) -> None:
    reader.tab.locator("#rows th").get_by_role("button", name=name, exact=True).click()


CLICKS: dict[str, Callable[[Reader], None]] = {
    "its name": lambda reader: reader.tab.locator("#selected h3").click(),
    "an empty place": lambda reader: reader.tab.locator("#panel").click(position={"x": 3, "y": 3}),
    "the slider": lambda reader: reader.tab.locator("#selected input").click(),
    "its button": lambda reader: reader.tab.locator(".sound .play").click(),
}


@pytest.mark.parametrize("part", CLICKS)
def test_after_a_click_into_the_panel_its_keys_work(reader: Reader, part: str) -> None:
    reader.click("rain_0.wav")
    first, second = reader.neighbours()[:2]
    CLICKS[part](reader)
    for name in (first, second):
        reader.tab.keyboard.press("ArrowDown")
        assert reader.tab.evaluate("document.activeElement.querySelector('.name').textContent") == name
    reader.tab.keyboard.press("Enter")
    assert reader.text("#selected h3") == second
    reader.tab.keyboard.press("Backspace")
    assert reader.text("#selected h3") == "rain_0.wav"


def test_after_a_click_on_a_neighbour_the_panel_keeps_the_keys(reader: Reader) -> None:
    reader.click("rain_0.wav")
    reader.tab.locator(".neighbours .to").nth(2).click()
    first = reader.neighbours()[0]
    reader.tab.keyboard.press("ArrowDown")
    assert reader.tab.evaluate("document.activeElement.querySelector('.name').textContent") == first
    reader.tab.get_by_role("button", name="Back").click()
    assert reader.text("#selected h3") == "rain_0.wav"
    reader.tab.keyboard.press("ArrowUp")
    assert reader.tab.evaluate("document.activeElement.closest('li').matches(':last-child')")


def test_after_a_click_on_a_neighbours_button_enter_moves_there(reader: Reader) -> None:
    reader.click("rain_0.wav")
    name = reader.neighbours()[1]
    reader.tab.locator(".neighbours .play").nth(1).click()
    reader.is_playing()
    reader.tab.keyboard.press("Enter")
    assert reader.text("#selected h3") == name


def test_the_panel_tells_what_a_file_was_taken_for_and_its_doubts(reader: Reader) -> None:
    reader.click("bells_0.wav")
    assert f"Taken for rain: {100 * confidence_of(0):.0f} % sure" in reader.text("#selected")
    assert reader.tab.locator("#selected .reasons li").all_inner_texts() == [
        "silent It is silent.",
        "outlier It is far from all others.",
    ]
    reader.click("bells_1.wav")
    assert "Taken for bells, as labelled: 52 % sure" in reader.text("#selected")
    assert reader.tab.locator("#selected .reasons").count() == 0


def test_a_cell_of_the_matrix_lists_its_files_which_play(reader: Reader) -> None:
    cell(reader, "bells taken for rain").click()
    assert reader.text(".cell-files h4") == "bells taken for rain: 1 file"
    assert names(reader, ".cell-files") == ["bells_0.wav"]
    reader.tab.locator(".cell-files tbody .name").click()
    reader.is_playing()
    assert reader.text(".cell-files #selected h3") == "bells_0.wav"
    cell(reader, "drums taken for drums").click()
    assert len(names(reader, ".cell-files")) == PER_LABEL
    sureness = reader.tab.locator(".cell-files td.number:nth-child(2)").all_inner_texts()
    assert sureness == sorted(sureness, reverse=True)


def test_a_map_takes_the_selected_file_back(reader: Reader) -> None:
    cell(reader, "bells taken for rain").click()
    reader.tab.locator(".cell-files tbody .name").click()
    reader.tab.locator("#chart").scroll_into_view_if_needed()
    reader.settle()
    assert "The selected file is shown beside its list." in reader.text("#panel")
    reader.click("rain_4.wav")
    assert reader.text("#panel #selected h3") == "rain_4.wav"
    assert reader.tab.locator("#hint").is_hidden()


def test_the_matrix_is_walked_with_arrows(reader: Reader) -> None:
    stops = reader.tab.locator(".confusion [data-cell][tabindex='0']")
    assert stops.count() == 1
    stops.focus()
    words = []
    for key in ("ArrowLeft", "ArrowDown", "ArrowDown", "ArrowUp"):
        reader.tab.keyboard.press(key)
        words.append(str(reader.tab.evaluate("document.activeElement.title")).split(":")[0])
    assert words == [f"{label} taken for {label}" for label in ("bells", "drums", "rain", "drums")]
    reader.tab.keyboard.press("Enter")
    assert names(reader, ".cell-files")[0].endswith(".wav")
    assert stops.count() == 1


def test_a_finger_opens_a_cell_and_a_file(browser: Browser, mixed: Page) -> None:
    reader = Reader(browser, mixed, has_touch=True)
    cell(reader, "bells taken for rain").tap()
    reader.tab.locator(".cell-files tbody .name").tap()
    reader.is_playing()
    assert reader.text(".cell-files #selected h3") == "bells_0.wav"
    assert not reader.faults
    reader.tab.close()


def test_all_files_stand_in_a_table(reader: Reader) -> None:
    assert reader.text("#shown") == f"{FILES} rows"
    assert reader.tab.locator("#rows table").get_attribute("aria-rowcount") == str(FILES + 1)
    reader.tab.locator("#rows tbody .name", has_text="bells_0.wav").click()
    reader.is_playing()
    assert reader.text("#files #selected h3") == "bells_0.wav"


def test_a_head_sorts_the_table_and_turns_it_around(reader: Reader) -> None:
    sort_by(reader, "Sure")
    sure = [confidence_of(place) for place in range(len(LABELS) * PER_LABEL)]
    shown = [f"{100 * value:.0f} %" for value in sorted(sure, reverse=True)]
    head = reader.tab.locator("#rows th", has_text="Sure")
    assert head.get_attribute("aria-sort") == "descending"
    found = reader.tab.locator("#rows td:nth-child(5)").all_inner_texts()
    assert found[:12] == shown[:12]
    sort_by(reader, "Sure")
    assert head.get_attribute("aria-sort") == "ascending"
    assert reader.tab.locator("#rows td:nth-child(5)").all_inner_texts()[:12] == shown[::-1][:12]
    sort_by(reader, "File")
    assert head.get_attribute("aria-sort") is None
    assert names(reader)[:3] == ["bells_0.wav", "bells_1.wav", "bells_2.wav"]


def test_what_is_unknown_comes_last_both_ways(reader: Reader) -> None:
    reader.tab.fill("#filter", ["picture_0", "bells_0"][0])
    reader.tab.fill("#filter", "_0.")
    for _ in range(2):
        sort_by(reader, "Length")
        assert column(reader, "number")[-1] == "\N{EN DASH}"


@pytest.mark.parametrize(
    ("words", "found"),
    [
        ("BELLS 3", {"bells_3.wav"}),
        ("photographs", {f"picture_{n}.png" for n in range(4)}),
        ("silent", {doubt.path.split("/")[1] for doubt in DOUBTS if doubt.kind.value == "silent"}),
        ("failed", {"broken.wav"}),
    ],
    ids=["path", "label", "doubt", "failed"],
)
def test_the_table_is_filtered_by_words(reader: Reader, words: str, found: set[str]) -> None:
    reader.tab.fill("#filter", words)
    reader.tab.wait_for_function("count => shown.textContent.startsWith(count)", arg=f"{len(found)} of")
    assert set(names(reader)) == found


def test_mistakes_and_doubtful_files_can_be_shown_alone(reader: Reader) -> None:
    reader.tab.click("#only-mistakes")
    assert names(reader) == ["bells_0.wav"]
    reader.tab.click("#only-mistakes")
    reader.tab.click("#only-doubtful")
    # The video once: it is black, and nothing is said of its sound.
    assert sorted(names(reader)) == sorted(
        [doubt.path.rsplit("/")[-1] for doubt in DOUBTS if doubt.kind.value != "outlier"] + ["broken.wav"]
    )
    reader.tab.fill("#filter", "nothing of this name")
    reader.tab.wait_for_selector("#rows .nothing")
    assert reader.text("#rows .nothing") == "No file fits."


def test_the_table_works_from_the_keyboard(reader: Reader) -> None:
    table = reader.tab.locator("#rows table")
    table.focus()
    for key in ("ArrowDown", "ArrowDown", "ArrowUp", "ArrowDown"):
        reader.tab.keyboard.press(key)
    assert reader.tab.evaluate(
        "document.getElementById(document.activeElement.getAttribute('aria-activedescendant')).innerText"
    ).startswith("bells_1.wav")
    reader.tab.keyboard.press(" ")
    reader.is_playing()
    reader.tab.keyboard.press(" ")
    reader.is_silent()
    reader.tab.keyboard.press("Enter")
    assert reader.text("#files #selected h3") == "bells_1.wav"
    reader.tab.keyboard.press("End")
    reader.tab.keyboard.press("Enter")
    assert reader.text("#files #selected h3") == "broken.wav"
    assert "failed Sound: The file is empty (0 bytes)." in reader.text("#files #selected")
    reader.is_silent()


def test_a_file_of_the_other_modality_turns_the_map(reader: Reader) -> None:
    reader.tab.locator("#doubts [data-file]", has_text="clip.mp4").click()
    assert reader.text("#doubts #selected h3") == "clip.mp4"
    assert reader.tab.locator("[data-map='1']").get_attribute("aria-pressed") == "true"
    assert "black It is all black." in reader.text("#doubts #selected")


def test_in_a_narrow_window_a_doubtful_file_is_shown_below_its_line(reader: Reader) -> None:
    reader.tab.set_viewport_size({"width": 400, "height": 800})
    line = reader.tab.locator("#doubts .doubts li", has_text="rain_3.wav")
    line.locator("[data-file]").click()
    assert line.locator("#selected h3").inner_text() == "rain_3.wav"


def test_reasons_are_read_in_full_in_a_narrow_window(reader: Reader) -> None:
    reader.tab.set_viewport_size({"width": 400, "height": 800})
    reader.settle()
    cut = """() => [...document.querySelectorAll(".failures .scroll, .failures td, .reasons, .reasons > li")]
      .filter((part) => part.scrollWidth > part.clientWidth + 1 || part.getBoundingClientRect().right > 400)
      .map((part) => part.textContent)"""
    assert reader.tab.locator(".failures td:last-child").is_visible()
    assert reader.tab.evaluate(cut) == []


def test_of_ten_thousand_rows_only_those_in_sight_are_in_the_page(browser: Browser, project: Project) -> None:
    rows = [audio_row(f"{n:05}.wav", f"class {n % 7}") for n in range(10_000)]
    project.inputs.export.mkdir()
    write_manifest(project.inputs.export, rows)
    means = np.random.default_rng(0).normal(size=(len(rows), DIMENSION)).astype(np.float32)
    np.save(project.inputs.export / "audio_mean.npy", means)
    reader = Reader(browser, project.report(ReportOptions(NO_UMAP.projection, previews_mb=0)))
    box = reader.tab.locator("#rows")
    box.scroll_into_view_if_needed()
    for place in (0, 0.4711, 1):
        box.evaluate(
            "(box, place) => { box.scrollTop = place * (box.scrollHeight - box.clientHeight); }", place
        )
        reader.settle()
        shown = [int(name.removesuffix(".wav")) for name in names(reader)]
        assert len(shown) < 60
        assert shown == list(range(shown[0], shown[-1] + 1))
        assert shown[0] <= place * 10_000 <= shown[-1] + 1
    assert not reader.faults
    reader.tab.close()


def test_a_dataset_of_failures_alone_has_a_table(browser: Browser, project: Project) -> None:
    row = audio_row("a.wav", status="failed", reason="empty", output="", frames=0)
    project.write_export([row], {})
    path = project.report()
    tab = browser.new_page()
    faults: list[str] = []
    tab.on("pageerror", lambda error: faults.append(str(error)))
    tab.goto(path.path.as_uri())
    tab.wait_for_selector("html[data-ready]", state="attached")
    tab.locator("#rows tbody .name").click()
    assert tab.locator("#rows .doubt").inner_text() == "failed"
    assert not faults
    tab.close()
