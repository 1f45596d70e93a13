"""Damaged files of a finished project: they disturb nothing, or are named with a remedy."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest

from l3embed.app.params import compose_params
from l3embed.app.stage import main as stage_main
from l3embed.errors import OpenL3Error
from l3embed.evaluation.evaluation import EvaluationOptions
from l3embed.export.labels import FolderLabels
from l3embed.export.manifest import ManifestRow, read_manifest
from l3embed.report import ReportOptions
from l3embed.report.choices import Projection
from l3embed.stages import evaluate, report
from l3embed.stages.export import ExportOptions
from l3embed.stages.network import ChosenNetwork
from l3embed.stages.output_folder import Layout
from l3embed.stages.results import OnError
from l3embed.store.entries import Store

from . import standin
from .conftest import REPOSITORY, write_audio, write_image, write_video
from .standin import Project, write_weights

Damage = Callable[[Path], object]

STAGES = ("weights", "preprocess", "embed", "export", "evaluate", "report")


@dataclass(frozen=True)
class Finished:
    """A project that has gone through all stages, and what it holds then."""

    project: Project

    @property
    def folder(self) -> Path:
        return self.project.folder

    def run(self, stage: str) -> None:
        layout = Layout(self.folder)
        stages: dict[str, Callable[[], object]] = {
            "weights": lambda: write_weights(self.folder / "weights"),
            "preprocess": self.project.run_preprocess,
            "embed": self.project.run_embed,
            "export": self.project.run_export,
            "evaluate": lambda: evaluate.run(EvaluationOptions(resamples=20), layout),
            "report": self._report,
        }
        stages[stage]()

    def _report(self) -> None:
        options = ReportOptions(projection=Projection.PCA, previews_mb=0)
        with Store() as store:
            report.run(self.project.dataset, STAGES, options, Layout(self.folder), store)

    def rows(self) -> dict[tuple[str, str], ManifestRow]:
        """The manifest's rows, less what tells of this run's luck."""
        rows = read_manifest(self.project.export_folder)
        return {(row.path, row.modality): replace(row, seconds=None) for row in rows}

    def page(self) -> str:
        """The report, without its first section: that tells of the stages' work."""
        html = (self.folder / "report" / "index.html").read_text(encoding="utf-8")
        return html.split("<h2", maxsplit=2)[2]


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The folder of a project in which everything was computed; not to be changed."""
    root = tmp_path_factory.mktemp("original")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("L3EMBED_STORE", str(root / "store"))
        patch.setattr(ChosenNetwork, "load", standin.load)
        finished = Finished(_project(root))
        for number in range(4):
            write_audio(finished.project.dataset / "ab"[number % 2] / f"{number}.wav", seconds=1 + number)
        write_image(finished.project.dataset / "b.png")
        write_video(finished.project.dataset / "c.mp4")
        for stage in STAGES:
            finished.run(stage)
        yield root


def _project(root: Path) -> Project:
    return Project(root / "project", export_options=ExportOptions(FolderLabels()))


@pytest.fixture
def finished(original: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Finished:
    """A copy of it with its store, outputs being further names of the store's files."""
    monkeypatch.setenv("L3EMBED_STORE", str(tmp_path / "copy" / "store"))
    monkeypatch.setattr(ChosenNetwork, "load", standin.load)
    copied: dict[int, str] = {}

    def copy(source: str, target: str) -> str:
        first = copied.setdefault(Path(source).stat().st_ino, target)
        if first == target:
            return shutil.copy2(source, target)
        os.link(first, target)
        return target

    shutil.copytree(original, tmp_path / "copy", copy_function=copy)
    return Finished(_project(tmp_path / "copy"))


def rewrite(path: Path, content: bytes) -> None:
    """Put another file into the place of one, which may have further names."""
    path.unlink()
    path.write_bytes(content)


def alter(path: Path, content: bytes) -> None:
    """Write into a file, and so into all of its names."""
    path.chmod(0o644)
    path.write_bytes(content)


def flipped(content: bytes) -> bytes:
    middle = len(content) // 2
    content = content or b"\0"
    return content[:middle] + bytes([content[middle] ^ 0x11]) + content[middle + 1 :]


def to_folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


DAMAGES: dict[str, Damage] = {
    "emptied": lambda path: rewrite(path, b""),
    "cut": lambda path: rewrite(path, path.read_bytes()[: path.stat().st_size // 2]),
    "a line less": lambda path: rewrite(path, path.read_bytes()[:-1].rpartition(b"\n")[0] + b"\n"),
    "flipped": lambda path: rewrite(path, flipped(path.read_bytes())),
    "flipped under all of its names": lambda path: alter(path, flipped(path.read_bytes())),
    "no text": lambda path: rewrite(path, b"\xff\xfe\x00" * 50),
    "another object": lambda path: rewrite(path, b'{"audio": [3]}'),
    "a folder": to_folder,
    "gone": Path.unlink,
}

FILES = {
    "weights/weights.json": ("weights", "embed"),
    "weights/openl3_audio_mel128_music.h5": ("weights", "embed"),
    "preprocessed/results.csv": ("preprocess", "embed"),
    "preprocessed/audio/a/2.wav.npy": ("preprocess", "embed"),
    "preprocessed/image/b.png.npy": ("preprocess", "embed"),
    "preprocessed/image/c.mp4.npy": ("preprocess", "embed"),
    "preprocessed/image/c.mp4.times.npy": ("preprocess", "embed"),
    "embeddings/results.csv": ("embed", "export"),
    "embeddings/origin.json": ("embed", "export"),
    "embeddings/audio/a/2.wav.npz": ("embed", "export"),
    "embeddings/image/c.mp4.npz": ("embed", "export"),
    "export/manifest.csv": ("export", "evaluate"),
    "export/audio_mean.npy": ("export", "evaluate"),
    "export/b/3.npz": ("export", "report"),
    "evaluation/metrics.json": ("evaluate", "report"),
    "evaluation/audio_predictions.csv": ("evaluate", "report"),
    "evaluation/audio_classes.csv": ("evaluate", "report"),
}
"""What stages hand on: the stage that writes it, and one that reads it."""


@pytest.mark.slow
@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES)
@pytest.mark.parametrize("name", FILES)
def test_a_damaged_file_is_named_with_its_remedy_or_disturbs_nothing(
    finished: Finished, name: str, damage: Damage, capfd: pytest.CaptureFixture[str]
) -> None:
    writer, reader = FILES[name]
    rows, page = finished.rows(), finished.page()
    damage(finished.folder / name)
    try:
        finished.run(reader)
        for stage in STAGES[STAGES.index(reader) + 1 :]:
            finished.run(stage)
    except OpenL3Error as error:
        told = str(error)
    else:
        told = capfd.readouterr().err
        now = finished.rows()
        assert {key: row for key, row in now.items() if row.is_ok}.items() <= rows.items()
        if now == rows and finished.page() == page:
            return
    assert f"{finished.folder / Path(name).parts[0]}" in told
    assert f"Run 'dvc repro -f {writer}'" in told
    # The remedy is one. DVC removes what a stage is to write, and what is forced begins with the first.
    shutil.rmtree(finished.folder / Path(name).parts[0])
    for stage in STAGES:
        finished.run(stage)
    assert finished.rows() == rows
    assert finished.page() == page


STORED = (
    *("preprocess/*/*.rows.npy", "preprocess/*/*.times.npy", "preprocess/*/*.json"),
    *("embed/*/*.embeddings.npz", "embed/*/*.json", "pool/*/*.moments.npy", "pool/*/*.json"),
    *("digests.sqlite", "claims.lock"),
)


@pytest.mark.slow
@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES)
@pytest.mark.parametrize("pattern", STORED)
def test_a_damaged_store_disturbs_nothing(finished: Finished, pattern: str, damage: Damage) -> None:
    outputs, rows = finished.project.outputs(), finished.rows()
    with Store() as store:
        found = sorted(store.folder.glob(pattern))
    assert found
    for path in found:
        damage(path)
    finished.project.run()
    assert finished.project.outputs() == outputs
    assert finished.rows() == rows


AUDIO = "preprocessed/audio/a/2.wav.npy"
WRONG_ARRAYS: dict[str, tuple[str, Damage]] = {
    "cut": (AUDIO, DAMAGES["cut"]),
    "no array": (AUDIO, DAMAGES["no text"]),
    "an archive": (AUDIO, lambda path: shutil.copyfile(path.parents[3] / "export" / "b" / "3.npz", path)),
    "doubles": (AUDIO, lambda path: np.save(path, np.zeros(48_000))),
    "objects": (AUDIO, lambda path: np.save(path, np.array([None, "a"]), allow_pickle=True)),
    "two channels": (AUDIO, lambda path: np.save(path, np.zeros((48_000, 2), np.float32))),
    "no samples": (AUDIO, lambda path: np.save(path, np.zeros(0, np.float32))),
    "not finite": (AUDIO, lambda path: np.save(path, np.full(48_000, np.nan, np.float32))),
    "bytes for an image": (
        "preprocessed/image/b.png.npy",
        lambda path: np.save(path, np.zeros((1, 224, 224, 3), np.uint8)),
    ),
    "columns first": (
        "preprocessed/image/b.png.npy",
        lambda path: np.save(path, np.asfortranarray(np.zeros((2, 224, 224, 3), np.float32))),
    ),
    "no times": ("preprocessed/image/c.mp4.times.npy", Path.unlink),
    "fewer times": ("preprocessed/image/c.mp4.times.npy", lambda path: np.save(path, np.zeros(1))),
}


@pytest.mark.parametrize(("name", "write"), WRONG_ARRAYS.values(), ids=WRONG_ARRAYS)
def test_what_the_store_does_not_know_any_more_is_not_used_unless_it_is_what_it_should_be(
    finished: Finished, name: str, write: Damage
) -> None:
    before = finished.rows()
    shutil.rmtree(os.environ["L3EMBED_STORE"])
    path = finished.folder / name
    path.chmod(0o644)
    write(path)
    finished.run("embed")
    finished.run("export")
    now = finished.rows()
    (failed,) = (row for row in now.values() if not row.is_ok)
    assert str(path) in failed.reason
    assert "Run 'dvc repro -f preprocess', which writes it anew." in failed.reason
    assert {key: row for key, row in now.items() if row is not failed}.items() <= before.items()


def test_an_altered_file_is_put_into_its_place_again(finished: Finished) -> None:
    for name in (AUDIO, "preprocessed/image/c.mp4.times.npy", "embeddings/audio/a/2.wav.npz"):
        rewrite(finished.folder / name, b"something else")
        finished.run("embed" if name.startswith("preprocessed") else "export")
        assert finished.project.counts("embed") == (0, 7, 0)
        assert finished.project.counts("export")[2] == 0
        assert (finished.folder / name).stat().st_nlink > 1


def test_one_damaged_input_costs_an_export_that_input_alone(
    finished: Finished, capfd: pytest.CaptureFixture[str]
) -> None:
    path = finished.folder / "embeddings" / "audio" / "a" / "2.wav.npz"
    alter(path, flipped(path.read_bytes()))
    before = finished.rows()
    said = finished.project.run_export()
    now = finished.rows()
    failed = now.pop(("a/2.wav", "audio"))
    assert now.items() <= before.items()
    assert (failed.status, failed.frames, failed.output) == ("failed", 0, "")
    assert failed.reason.startswith(f"{path}: It is not as it was written")
    assert failed.reason.endswith("Run 'dvc repro -f embed', which writes it anew.")
    assert said.startswith("export: 7 inputs of 6 files (")
    assert "): 0 computed, 6 reused, 1 failed; " in said
    assert f"export: failed: a/2.wav: {failed.reason}" in capfd.readouterr().err
    assert not (finished.project.export_folder / "a" / "2.npz").exists()
    assert len(np.load(finished.project.export_folder / "audio_mean.npy")) == 4


def test_a_damaged_input_ends_an_export_if_failures_are_to(finished: Finished) -> None:
    options = replace(finished.project.export_options, on_error=OnError.FAIL)
    path = finished.folder / "embeddings" / "audio" / "a" / "2.wav.npz"
    alter(path, b"")
    with pytest.raises(OpenL3Error, match=r"^a/2\.wav: .*2\.wav\.npz: .* Run 'dvc repro -f embed'"):
        replace(finished.project, export_options=options).run_export()


def test_embeddings_of_another_dimension_are_not_mixed_in(finished: Finished) -> None:
    shutil.rmtree(os.environ["L3EMBED_STORE"])
    path = finished.folder / "embeddings" / "audio" / "a" / "2.wav.npz"
    path.unlink()
    np.savez(path, embedding=np.zeros((2, 6144), np.float32))
    finished.run("export")
    assert finished.rows()["a/2.wav", "audio"].reason.startswith(f"{path}: It must hold rows of 512 numbers")


def test_a_stage_whose_table_is_damaged_ends_with_status_1_and_one_line(
    finished: Finished, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    overrides = ["dataset=folder", "dataset.path=dataset", "weights=random"]
    (finished.folder / "params.yaml").write_text(compose_params(REPOSITORY / "conf", overrides))
    (finished.folder / "data").symlink_to(".")
    rewrite(finished.folder / "embeddings" / "results.csv", b"path,modality\n")
    monkeypatch.chdir(finished.folder)
    assert stage_main(["export"]) == 1
    assert capfd.readouterr().err == (
        "export: error: data/embeddings/results.csv: It is not as it was written. "
        "Run 'dvc repro -f embed', which writes it anew.\n"
    )
