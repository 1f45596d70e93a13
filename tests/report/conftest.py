"""Exports and datasets as the pipeline leaves them, made up, and the pages made from them."""

from __future__ import annotations

import csv
import json
import shutil
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from html.parser import HTMLParser
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pytest
import soundfile
from conftest import PATIENCE_S, reference
from PIL import Image

from l3embed.export.doubts import Doubt, write_doubts
from l3embed.export.manifest import ManifestRow, mean_path, read_manifest, write_manifest
from l3embed.report import ReportInputs, ReportOptions
from l3embed.stages import report
from l3embed.stages.output_folder import Layout
from l3embed.store.entries import Store
from l3embed.variants import DoubtKind, Modality

from .reader import CHROMIUM, Reader

if TYPE_CHECKING:
    from playwright.sync_api import Browser

Array = npt.NDArray[Any]
HOSTILE_NAME = (
    """</script><img src=x onerror='alert("1")'> & <!-- {{ 7*7 }} \N{GRINNING FACE} \u202ecod.wav"""
)
"""What HTML, JSON, templates and the direction of writing could stumble over; a name that Linux allows."""

NO_UMAP = ReportOptions(projection="pca")  # type: ignore[arg-type]
STAGES = ("weights", "preprocess", "embed", "export", "evaluate", "report")
DIMENSION = 16
LABELS = ("bells", "drums", "rain")
PER_LABEL = 6
FOLDS = 3
DOUBTS = (
    Doubt(
        "rain/rain_1.wav", Modality.AUDIO, "rain", DoubtKind.COPY, "has the same bytes as rain/rain_0.wav."
    ),
    Doubt("bells/bells_0.wav", Modality.AUDIO, "bells", DoubtKind.SILENT, "is silent."),
    Doubt("clip.mp4", Modality.IMAGE, "", DoubtKind.BLACK, "is all black."),
    Doubt("bells/bells_0.wav", Modality.AUDIO, "bells", DoubtKind.OUTLIER, "is far from all others."),
    Doubt("rain/rain_3.wav", Modality.AUDIO, "rain", DoubtKind.SILENT, "is silent."),
)
"""Of the files of `mixed_project`."""


@dataclass(frozen=True)
class Project:
    """The folders that a report is made from, below one root."""

    root: Path

    @property
    def inputs(self) -> ReportInputs:
        return ReportInputs(
            self.root / "export",
            self.root / "evaluation",
            self.root / "metrics",
            self.root / "dataset",
            STAGES,
        )

    @property
    def page(self) -> Path:
        return self.root / "report" / "index.html"

    def report(self, options: ReportOptions = NO_UMAP) -> Page:
        """Make the report, as the stage does, and read it."""
        with Store(self.root / "store") as store:
            summary = report.run(self.inputs.dataset, STAGES, options, Layout(self.root), store)
        return Page(self.page, summary)

    def write_export(self, rows: Sequence[ManifestRow], frames: Mapping[str, Array]) -> None:
        """Write the manifest, and of each output the frames; means follow from them."""
        export = self.inputs.export
        export.mkdir(parents=True, exist_ok=True)
        for row in rows:
            if row.is_ok:
                self._write_frames(export / row.output, row, frames[row.output])
        write_manifest(export, rows)
        for modality in Modality:
            means = [
                frames[row.output].mean(axis=0)
                for row in rows
                if row.is_ok and row.modality == modality.value
            ]
            if means:
                np.save(mean_path(export, modality), np.array(means, np.float32))

    def _write_frames(self, path: Path, row: ManifestRow, frames: Array) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        arrays: dict[str, Any] = {"embedding": frames.astype(np.float32), "variant": row.variant}
        if row.duration_s is not None:
            arrays["timestamps"] = np.arange(len(frames)) * 0.5
        np.savez(path, **arrays)

    def write_evaluation(
        self,
        modality: str,
        pairs: Sequence[tuple[str, str]],
        figures: Any,
        paths: Sequence[str] | None = None,
    ) -> None:
        """Write the tables and the metrics of one modality: pairs of actual and predicted labels."""
        folder = self.inputs.evaluation
        folder.mkdir(exist_ok=True)
        paths = paths or [f"{place}.wav" for place in range(len(pairs))]
        rows = [
            (path, *pair, f"fold {place % FOLDS}", confidence_of(place))
            for place, (path, pair) in enumerate(zip(paths, pairs, strict=True))
        ]
        tables: dict[str, list[tuple[object, ...]]] = {
            "predictions": [("path", "actual", "predicted", "fold", "confidence"), *rows],
            "classes": [("label", "files", "recall", "precision", "f1"), *_class_rows(pairs)],
        }
        for name, content in tables.items():
            with (folder / f"{modality}_{name}.csv").open("w", newline="", encoding="utf-8") as file:
                csv.writer(file).writerows(content)
        known = folder / "metrics.json"
        content = json.loads(known.read_text()) if known.exists() else {}
        known.write_text(json.dumps(content | {modality: figures}))

    def write_metrics(self, stage: str, content: object) -> None:
        """Write what a stage says of its work."""
        self.inputs.metrics.mkdir(exist_ok=True)
        (self.inputs.metrics / f"{stage}.json").write_text(json.dumps(content))


def confidence_of(place: int) -> float:
    """How sure the made-up probe is of the file at a place of the evaluation."""
    return round(0.5 + 0.02 * (place % 25), 4)


def _class_rows(pairs: Sequence[tuple[str, str]]) -> Iterator[tuple[object, ...]]:
    hits = Counter(actual for actual, predicted in pairs if actual == predicted)
    files, taken = (Counter(words) for words in zip(*pairs, strict=True)) if pairs else (Counter(), Counter())
    for label in sorted(files):
        recall, precision = hits[label] / files[label], hits[label] / max(1, taken[label])
        yield label, files[label], recall, precision, 2 * hits[label] / (files[label] + taken[label])


class Page:
    """A report: its text, its elements, and what its scripts read."""

    def __init__(self, path: Path, summary: str = "") -> None:
        self.path = path
        self.summary = summary
        self.html = path.read_text(encoding="utf-8")
        self.parser = _Collector()
        self.parser.feed(self.html)
        self.parser.close()

    @property
    def text(self) -> str:
        """What a reader sees without scripts, on one line."""
        return " ".join("".join(self.parser.words).split())

    @property
    def data(self) -> dict[str, Any]:
        content: dict[str, Any] = json.loads(self.parser.scripts["data"])
        return content

    @property
    def previews(self) -> dict[str, dict[str, str]]:
        content: dict[str, dict[str, str]] = json.loads(self.parser.scripts["previews"])
        return content

    def attributes(self, *names: str) -> list[str]:
        """Values of all attributes of these names."""
        return [value for _, attributes in self.parser.elements for key, value in attributes if key in names]


class _Collector(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.elements: list[tuple[str, list[tuple[str, str]]]] = []
        self.open: list[str] = []
        self.scripts: dict[str, str] = {}
        self.words: list[str] = []
        self._script = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, [(key, value or "") for key, value in attrs]))
        if tag not in ("meta", "link", "br", "input", "img"):
            self.open.append(tag)
        self.words.append(" ")
        if tag == "script":
            self._script = dict(attrs).get("id") or "code"

    def handle_endtag(self, tag: str) -> None:
        while self.open and self.open.pop() != tag:
            pass

    def handle_data(self, data: str) -> None:
        if self.open[-1:] == ["script"]:
            self.scripts[self._script] = self.scripts.get(self._script, "") + data
        elif self.open[-1:] != ["style"]:
            self.words.append(data)


def audio_row(path: str, label: str = "", **values: Any) -> ManifestRow:
    """A recording with three embeddings, unless told otherwise."""
    row = ManifestRow(
        path=path,
        modality="audio",
        label=label,
        duration_s=1.5,
        sample_rate_hz=16_000.0,
        channels=1,
        frames=3,
        dimension=DIMENSION,
        output=f"{path}.npz",
        variant="audio_mel128_music_512_kapre",
        weights="sha256:feed",
        packages="l3embed 0.1.0, keras 3.12.4",
    )
    return replace(row, **values)


def clustered(labels: Sequence[str], frames: int, seed: int = 0) -> list[Array]:
    """Frames of one file a label, near to a point of the label's own."""
    rng = np.random.default_rng(seed)
    centres = {label: rng.normal(size=DIMENSION) * 4 for label in sorted(set(labels))}
    return [centres[label] + rng.normal(size=(frames, DIMENSION)) for label in labels]


def write_tone(path: Path, hertz: float, seconds: float = 1.5, level: float = 0.4) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    times_s = np.arange(round(seconds * 16_000)) / 16_000
    soundfile.write(path, level * np.sin(2 * np.pi * hertz * times_s), 16_000)


def write_picture(path: Path, hue: int) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("HSV", (640, 480), (hue, 200, 220)).convert("RGB").save(path)


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """A project without anything in it."""
    return Project(tmp_path)


def mixed_project(root: Path) -> Project:
    """Recordings, one of them of a hostile name and one broken, pictures and a video; some evaluated."""
    made = Project(root)
    rows, frames = [], {}
    sounds = [(label, number) for label in LABELS for number in range(PER_LABEL)]
    for place, ((label, number), own) in enumerate(
        zip(sounds, clustered([label for label, _ in sounds], 8), strict=True)
    ):
        name = HOSTILE_NAME if (label, number) == ("drums", 3) else f"{label}_{number}.wav"
        # A slash ends a name: the hostile one makes a folder and a file.
        row = audio_row(f"{label}/{name}", label, frames=8, output=f"sound/{place}.npz")
        write_tone(made.inputs.dataset / row.path, 200 + 40 * place)
        rows.append(row)
        frames[row.output] = own
    for number in range(4):
        row = audio_row(f"photographs/picture_{number}.png", "photographs", output=f"picture/{number}.npz")
        row = replace(row, modality="image", frames=1, duration_s=None, sample_rate_hz=None, channels=None)
        write_picture(made.inputs.dataset / row.path, 60 * number)
        rows.append(row)
        frames[row.output] = np.random.default_rng(number).normal(size=(1, DIMENSION))
    for modality in ("audio", "image"):
        row = audio_row("clip.mp4", "", modality=modality, frames=5, output=f"clip_{modality}.npz")
        rows.append(row)
        frames[row.output] = np.random.default_rng(9).normal(size=(5, DIMENSION))
    shutil.copy(reference("inputs/clip_12fps.mp4"), made.inputs.dataset / "clip.mp4")
    rows.append(audio_row("broken.wav", status="failed", reason="The file is empty (0 bytes).", output=""))
    made.write_export(rows, frames)
    write_doubts(made.inputs.export, DOUBTS)
    _describe(made)
    return made


def _describe(made: Project) -> None:
    pairs = [(label, label) for label in LABELS for _ in range(PER_LABEL)]
    pairs[0] = ("bells", "rain")
    paths = [row.path for row in read_manifest(made.inputs.export) if row.modality == "audio" and row.label]
    score = {"accuracy": 0.944, "accuracy_low": 0.8, "accuracy_high": 1.0, "macro_f1": 0.943}
    figures = {"files": 18, "classes": 3, "folds": 5, "chance": 0.333333, "linear_probe": score, "knn": score}
    made.write_evaluation("audio", pairs, figures, paths)
    made.write_evaluation("image", [], {"files": 5, "reason": "there is one class only"})
    made.write_metrics("embed", {"inputs": 24, "computed": 23, "reused": 0, "failed": 1, "seconds": 4.0})


@pytest.fixture(scope="session")
def mixed(tmp_path_factory: pytest.TempPathFactory) -> Page:
    """The page of `mixed_project`."""
    return mixed_project(tmp_path_factory.mktemp("mixed")).report()


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    with api.sync_playwright() as playwright:
        # Sounds are heard by nobody here, and may start without a click.
        chromium = playwright.chromium.launch(
            executable_path=CHROMIUM, args=["--no-sandbox", "--mute-audio"], timeout=PATIENCE_S * 1000
        )
        yield chromium
        chromium.close()


@pytest.fixture
def reader(browser: Browser, mixed: Page) -> Iterator[Reader]:
    """A reader of the mixed page, who must not meet a fault nor leave the page."""
    found = Reader(browser, mixed)
    yield found
    outside = [url for url in found.requests if not url.startswith("data:") and url != mixed.path.as_uri()]
    found.tab.close()
    assert not found.faults
    assert not outside
