"""Somebody who reads a page in headless Chromium."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING, Any

import pytest
from conftest import PATIENCE_S

if TYPE_CHECKING:
    from playwright.sync_api import Browser
    from playwright.sync_api import Page as Tab

    from .conftest import Page

CHROMIUM = next(
    filter(
        None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable"))
    ),
    None,
)
needs_chromium = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium or Chrome is installed")

PLACE_OF = """name => {
  const { workbench, files } = report;
  const point = Array.from(workbench.map.files).findIndex((file) => files.path(file).includes(name));
  const box = document.getElementById("marks").getBoundingClientRect();
  return [box.left + workbench.view.x[point], box.top + workbench.view.y[point]];
}"""
# Read from a copy: a browser warns of canvases that are read often, and the page does not read this one.
PIXELS = """canvas => {
  const copy = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
  [copy.canvas.width, copy.canvas.height] = [canvas.width, canvas.height];
  copy.drawImage(canvas, 0, 0);
  const { data } = copy.getImageData(0, 0, canvas.width, canvas.height);
  const pixels = new Uint32Array(data.buffer);
  return {
    side: canvas.width,
    corner: Array.from(data.slice(0, 4)),
    colours: new Set(pixels).size,
    painted: pixels.filter((pixel) => pixel !== pixels[0]).length,
  };
}"""
SHOWN_FRAMES = "() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))"


class Reader:
    """Somebody who reads a page: what there is to see, and what went wrong behind it."""

    def __init__(self, browser: Browser, page: Page, **options: Any) -> None:
        self.tab: Tab = browser.new_page(viewport={"width": 1280, "height": 900}, **options)
        self.tab.set_default_timeout(PATIENCE_S * 1000)
        self.faults: list[str] = []
        self.requests: list[str] = []
        self.tab.on("console", lambda message: self.faults.append(message.text))
        self.tab.on("pageerror", lambda error: self.faults.append(str(error)))
        self.tab.on("dialog", lambda dialog: self.faults.append(dialog.message))
        self.tab.on("request", lambda request: self.requests.append(request.url))
        self.tab.goto(page.path.as_uri())
        self.tab.wait_for_selector("html[data-ready]", state="attached")
        # However slow the machine is, no sound comes to its end before somebody stops it.
        self.tab.evaluate("() => { document.getElementById('audio').loop = true; }")
        self.tab.locator("#chart").scroll_into_view_if_needed()
        self.settle()

    def settle(self) -> None:
        """Wait until the page has come to rest."""
        self.tab.wait_for_function(
            "() => new Promise((done) => {"
            " const before = scrollY; setTimeout(() => done(before === scrollY), 60); })"
        )
        self.tab.evaluate(SHOWN_FRAMES)

    def point_at(self, name: str) -> None:
        x, y = self.tab.evaluate(PLACE_OF, name)
        self.tab.mouse.move(x, y)

    def click(self, name: str) -> None:
        x, y = self.tab.evaluate(PLACE_OF, name)
        self.tab.mouse.click(x, y)

    def text(self, selector: str) -> str:
        return self.tab.locator(selector).inner_text()

    def is_playing(self) -> None:
        """Wait until a sound is under way."""
        self.tab.wait_for_function(
            "() => report.workbench.player.playing && report.workbench.player.audio.currentTime > 0"
        )

    def is_silent(self) -> None:
        """Wait until no sound is under way."""
        self.tab.wait_for_function("() => document.getElementById('audio').paused")

    def drawn(self, selector: str = "#points") -> dict[str, Any]:
        """What is on a canvas: its side, its corner, how many colours, how many pixels unlike the corner."""
        found: dict[str, Any] = self.tab.locator(selector).evaluate(PIXELS)
        return found

    def neighbours(self) -> list[str]:
        return self.tab.locator(".neighbours .what .name").all_inner_texts()
