"""The stages as functions, from folder to folder: recordings, sound and damaged."""

from __future__ import annotations

import csv
import errno
import json
import os
import shutil
import tracemalloc
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

import l3embed
from l3embed.app.stage import main as stage_main
from l3embed.decoding.reading import OnDamage, Reading
from l3embed.disk.folders import FolderError
from l3embed.disk.rows import RowSpool
from l3embed.disk.seals import SEALS_FILE
from l3embed.disk.tables import column_names
from l3embed.errors import OpenL3Error
from l3embed.export.manifest import ManifestRow
from l3embed.inputs.preparation import Samples, Spectrograms
from l3embed.inputs.windows import Framing
from l3embed.runtimes.base import Placement
from l3embed.stages import weights
from l3embed.stages.output_folder import MARK_FILE
from l3embed.variants import AudioVariant, Frontend, ImageVariant, InputRepr, Modality
from l3embed.weights.source import RandomWeights

from .conftest import BAD_FILES, GOOD_FILES, write_audio, write_image
from .standin import Project, mean_embedding

FRAMING = Framing(hop_s=1.0, center=True)
SEED = 20260101
FILES = len(GOOD_FILES) + len(BAD_FILES)


@dataclass(frozen=True)
class Run:
    """A run through all stages, and what they said at their ends."""

    project: Project
    frontend: Frontend
    summaries: dict[str, str]

    @property
    def export(self) -> Path:
        return self.project.export_folder

    def manifest(self) -> list[dict[str, str]]:
        with (self.export / "manifest.csv").open(newline="", encoding="utf-8") as file:
            return list(csv.DictReader(file))


@pytest.fixture(scope="module", params=Frontend, ids=lambda frontend: frontend.value)
def run(request: pytest.FixtureRequest, recordings: Path, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """Sound and damaged recordings through all stages, with the seeded weights and either frontend."""
    folder = tmp_path_factory.mktemp(request.param.value)
    variant = AudioVariant(InputRepr.MEL128, embedding_size=512, frontend=request.param)
    kinds: dict[Frontend, Samples | Spectrograms] = {
        Frontend.KAPRE: Samples(),
        Frontend.LIBROSA: Spectrograms(variant.input_repr, FRAMING),
        Frontend.KAPRE_GRAPH: Samples(),
    }
    project = (
        Project(folder)
        .with_sound(kinds[request.param])
        .with_reading(Reading(OnDamage.SKIP))
        .with_embed(variants={Modality.AUDIO: variant}, framing=FRAMING, placement=Placement(), batch_size=2)
    )
    project.dataset.symlink_to(recordings)
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("L3EMBED_STORE", str(folder / "store"))
        summaries = {
            "weights": weights.run([variant.weight_set], RandomWeights(SEED), folder / "weights"),
            "preprocess": project.run_preprocess(),
            "embed": project.run_embed(),
            "export": project.run_export(),
        }
    return Run(project, request.param, summaries)


def by_library(run: Run) -> dict[str, Any]:
    """The arguments of the library's functions for the run's model."""
    return {
        "input_repr": "mel128",
        "embedding_size": 512,
        "hop_size": 1.0,
        "frontend": run.frontend.value,
        "verbose": False,
        "weights": f"random:{SEED}",
    }


@pytest.mark.parametrize("name", GOOD_FILES)
def test_embeddings_are_the_library_s(run: Run, recordings: Path, name: str) -> None:
    samples, sample_rate_hz = soundfile.read(recordings / name)
    expected, timestamps = l3embed.get_audio_embedding(samples, sample_rate_hz, **by_library(run))
    with np.load(run.export / Path(name).with_suffix(".npz")) as exported:
        assert exported["embedding"].dtype == np.float32
        assert exported["embedding"].shape == np.shape(expected)
        assert np.abs(exported["embedding"] - expected).max() <= 1e-6 * np.abs(expected).max()
        np.testing.assert_array_equal(exported["timestamps"], timestamps)


def test_an_output_holds_what_the_library_s_do(run: Run, recordings: Path, tmp_path: Path) -> None:
    l3embed.process_audio_file([str(recordings / "first.wav")], output_dir=tmp_path, **by_library(run))
    with np.load(tmp_path / "first.npz") as library, np.load(run.export / "first.npz") as exported:
        assert {name: array.dtype for name, array in exported.items()} == {
            name: array.dtype for name, array in library.items()
        }
        for name in ("variant", "weights", "version"):
            assert str(exported[name]) == str(library[name])


def test_every_output_says_what_it_was_made_with(run: Run) -> None:
    with np.load(run.export / "first.npz", allow_pickle=False) as arrays:
        made_with = {name: str(arrays[name]) for name in ("variant", "weights", "version")}
    assert made_with == {
        "variant": f"audio_mel128_music_512_{run.frontend.value}",
        "weights": f"random:{SEED}",
        "version": l3embed.__version__,
    }


def test_the_manifest_has_a_row_for_every_recording(run: Run) -> None:
    rows = run.manifest()
    assert tuple(rows[0]) == column_names(ManifestRow)
    assert [row["path"] for row in rows] == sorted([*GOOD_FILES, *BAD_FILES])


def test_the_manifest_tells_what_was_done(run: Run) -> None:
    done = {row["path"]: row for row in run.manifest() if row["status"] == "ok"}
    columns = ("frames", "dimension", "duration_s", "sample_rate_hz", "channels", "output")
    assert {path: tuple(row[column] for column in columns) for path, row in done.items()} == {
        "first.wav": ("2", "512", "1.5", "44100.0", "2", "first.npz"),
        "Глава 1/日本語 v1.2.flac": ("3", "512", "2.0", "48000.0", "1", "Глава 1/日本語 v1.2.npz"),
    }
    for row in done.values():
        assert float(row["seconds"]) > 0
        assert row["variant"] == f"audio_mel128_music_512_{run.frontend.value}"
        assert row["weights"] == f"random:{SEED}"
        assert row["packages"].startswith(f"l3embed {l3embed.__version__}, ")


@pytest.mark.parametrize(("name", "reason"), [(name, reason) for name, (_, reason) in BAD_FILES.items()])
def test_the_manifest_gives_the_reason_of_a_failure(run: Run, name: str, reason: str) -> None:
    row = next(row for row in run.manifest() if row["path"] == name)
    assert (row["status"], row["frames"], row["output"]) == ("failed", "0", "")
    assert reason in row["reason"]


def test_only_outputs_of_the_manifest_are_there(run: Run) -> None:
    files = {path.relative_to(run.export).as_posix() for path in run.export.rglob("*") if path.is_file()}
    tables = {"manifest.csv", "manifest.parquet", "doubts.csv", "audio_mean.npy", "audio_mean.csv"}
    tables |= {MARK_FILE, SEALS_FILE}
    assert files == {row["output"] for row in run.manifest() if row["output"]} | tables


def test_summaries_count_what_was_done(run: Run) -> None:
    counts = f"{len(GOOD_FILES)} computed, 0 reused, {len(BAD_FILES)} failed"
    assert run.summaries["preprocess"] == f"preprocess: {FILES} audio: {counts}; 3.5 s of sound"
    assert run.summaries["embed"].startswith(f"embed: {FILES} inputs: {counts}; 5 embeddings, ")
    assert run.summaries["embed"].endswith((" a second on the CPU", " a second on the GPU"))
    assert run.summaries["export"].startswith(f"export: {FILES} inputs: {counts}; ")


def test_metrics_count_the_same(run: Run) -> None:
    for stage in ("preprocess", "embed", "export"):
        assert run.project.counts(stage) == (len(GOOD_FILES), 0, len(BAD_FILES))
    exported = run.project.metrics("export")
    variant = f"audio_mel128_music_512_{run.frontend.value}"
    assert exported["audio"] == {"embeddings": 5, "variant": variant}
    assert exported["weights"] == f"random:{SEED} (untrained)"


def test_weights_says_once_that_they_are_untrained(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    weight_sets = [variant.weight_set for variant in (AudioVariant(), ImageVariant())]
    summary = weights.run(weight_sets, RandomWeights(SEED), tmp_path)
    assert summary.endswith(f"openl3_image_mel256_music.h5 (random:{SEED}, untrained)")
    assert capsys.readouterr().err.count(f"weights: warning: the weights (random:{SEED}) are untrained") == 1


# The rest needs no real network.


def test_embed_names_the_weights_that_are_missing(project: Project) -> None:
    write_audio(project.dataset / "a.wav")
    project.preprocess()
    (project.folder / "weights").mkdir()
    with pytest.raises(OpenL3Error, match="must hold openl3_audio_mel128_music"):
        project.embed()


def test_embeddings_are_those_of_each_window(project: Project) -> None:
    write_audio(project.dataset / "a.wav", seconds=1.7)
    project.run()
    samples = np.concatenate(
        [np.zeros(24_000), soundfile.read(project.dataset / "a.wav")[0], np.zeros(96_000)]
    )
    windows = np.array([samples[start : start + 48_000] for start in (0, 24_000, 48_000, 72_000)], np.float32)
    with np.load(project.export_folder / "a.npz") as arrays:
        np.testing.assert_array_equal(arrays["embedding"], mean_embedding(windows))
        np.testing.assert_array_equal(arrays["timestamps"], [0.0, 0.5, 1.0, 1.5])


@pytest.mark.parametrize("batch_size", [1, 3, 64])
def test_a_batch_may_hold_several_files_or_a_part_of_one(project: Project, batch_size: int) -> None:
    for number in range(5):
        write_audio(project.dataset / f"{number}.wav", seconds=0.3 + 0.7 * number)
    project.run()
    before = project.outputs()
    shutil.rmtree(os.environ["L3EMBED_STORE"])
    project.with_embed(batch_size=batch_size).run()
    assert project.outputs() == before


def test_another_run_from_scratch_writes_the_same_bytes(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_audio(project.dataset / "a.wav", seconds=2.0, sample_rate_hz=22_050, channels=2)
    write_audio(project.dataset / "b.ogg")
    write_image(project.dataset / "c.png")
    other = replace(project, folder=project.folder.with_name("other"))
    shutil.copytree(project.dataset, other.dataset)
    project.run()
    monkeypatch.setenv("L3EMBED_STORE", str(project.folder / "other store"))
    assert other.run() == ((3, 0, 0),) * 3
    assert other.outputs() == project.outputs()


def raising(fault: int) -> Callable[..., None]:
    def fail(*arguments: object, **options: object) -> None:
        raise OSError(fault, os.strerror(fault))

    return fail


@pytest.mark.parametrize(
    ("stage", "function"),
    [("preprocess", "append"), ("preprocess", "save_npy"), ("embed", "save_npz")],
)
def test_a_full_disk_ends_the_stage_instead_of_counting_as_a_bad_recording(
    project: Project, monkeypatch: pytest.MonkeyPatch, stage: str, function: str
) -> None:
    write_audio(project.dataset / "album" / "a.wav")
    monkeypatch.setattr(RowSpool, function, raising(errno.ENOSPC))
    with pytest.raises(FolderError, match=r"No space is left in .* set L3EMBED_STORE to another folder"):
        project.run()
    folder = {"preprocess": "preprocessed", "embed": "embeddings"}[stage]
    assert not (project.folder / folder / "results.csv").exists()


def test_an_output_that_cannot_be_written_ends_the_stage(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_audio(project.dataset / "album" / "a.wav")
    project.preprocess()
    monkeypatch.setattr(os, "link", raising(errno.EROFS))
    with pytest.raises(OSError, match="Read-only file system"):
        project.embed()


def test_preprocess_writes_the_mean_of_the_channels(project: Project) -> None:
    write_audio(project.dataset / "a.wav", seconds=0.3, channels=2)
    project.preprocess()
    expected = soundfile.read(project.dataset / "a.wav")[0].mean(axis=1)
    written = np.load(project.folder / "preprocessed" / "audio" / "a.wav.npy")
    np.testing.assert_array_equal(written, expected.astype(np.float32))


def test_preprocess_tells_what_it_took_and_what_it_left_out(project: Project) -> None:
    for name in ("a.wav", "B.WAV", "one/two/c.flac", ".hidden.wav"):
        write_audio(project.dataset / name)
    (project.dataset / "notes.txt").write_text("no audio")
    summary = project.run_preprocess()
    assert summary == (
        "preprocess: 3 audio, 1 other file left out: 3 computed, 0 reused, 0 failed; 1.5 s of sound"
    )


def test_preprocess_names_failures_at_its_end(
    recordings: Path, project: Project, capfd: pytest.CaptureFixture[str]
) -> None:
    shutil.copytree(recordings, project.dataset, symlinks=True, dirs_exist_ok=True)
    project.preprocess()
    assert "preprocess: failed: empty.wav: The file is empty (0 bytes).\n" in capfd.readouterr().err


def test_preprocess_names_the_first_of_many_failures(
    project: Project, capfd: pytest.CaptureFixture[str]
) -> None:
    write_audio(project.dataset / "good.wav")
    for number in range(23):
        (project.dataset / f"{number:02d}.wav").write_bytes(b"")
    project.preprocess()
    lines = [line for line in capfd.readouterr().err.splitlines() if "failed:" in line]
    assert len(lines) == 21
    assert lines[-1].startswith("preprocess: failed: 3 more; data/export/manifest.csv will name them all")


def test_preprocess_takes_what_ffmpeg_alone_can_read(project: Project) -> None:
    (project.dataset / "talk.m4a").write_bytes(b"")
    with pytest.raises(OpenL3Error, match=r"talk\.m4a: The file is empty"):
        project.preprocess()


def test_doubtful_recordings_are_told_of_in_one_line_a_kind_the_worst_first(
    project: Project, capfd: pytest.CaptureFixture[str]
) -> None:
    for number in range(23):
        write_audio(project.dataset / f"{number:02d}.wav", seconds=0.1)
    for name in ("x.wav", "y.wav"):
        soundfile.write(project.dataset / name, np.zeros(60_000), 48_000)
    project.preprocess()
    warned = [line for line in capfd.readouterr().err.splitlines() if "warning" in line]
    assert warned == [
        "preprocess: warning: 2 files are silent: x.wav, y.wav",
        (
            "preprocess: warning: 23 files are shorter than one window, and padded with zeros: "
            "00.wav, 01.wav, 02.wav, 03.wav, 04.wav and 18 more, which data/export/doubts.csv will name"
        ),
    ]


def test_the_metrics_count_the_doubtful_files(project: Project) -> None:
    write_audio(project.dataset / "short.wav", seconds=0.1)
    for name in ("x.wav", "y.wav"):
        soundfile.write(project.dataset / name, np.zeros(30_000), 48_000)
    project.preprocess()
    metrics = json.loads((project.folder / "metrics" / "preprocess.json").read_text(encoding="utf-8"))
    assert metrics["doubts"] == {"silent": 2, "short": 3}


DOUBTFUL = {
    "silent.wav": "silent.wav is silent: all of its samples are zero.",
    "black.png": "black.png is all black: all of its values are zero.",
    "short.wav": "short.wav is shorter than one window (1 second): it is padded with zeros.",
}


@pytest.mark.parametrize("times", [1, 2], ids=["computed", "reused"])
def test_what_is_likely_to_be_a_mistake_is_told_each_time(
    project: Project, capfd: pytest.CaptureFixture[str], times: int
) -> None:
    import imageio.v3

    soundfile.write(project.dataset / "silent.wav", np.zeros(60_000), 48_000)
    imageio.v3.imwrite(project.dataset / "black.png", np.zeros((240, 240, 3), np.uint8))
    write_audio(project.dataset / "short.wav", seconds=0.1)
    write_audio(project.dataset / "good.wav", seconds=1.1)
    for _ in range(times):
        capfd.readouterr()
        project.preprocess()
    warned = {line for line in capfd.readouterr().err.splitlines() if "warning" in line}
    assert warned == {f"preprocess: warning: {words}" for words in DOUBTFUL.values()}


def test_a_dataset_of_bad_files_alone_is_an_error(project: Project) -> None:
    for name in ("a.wav", "b.wav"):
        (project.dataset / name).write_bytes(b"")
    with pytest.raises(OpenL3Error, match=r"all of 2 inputs failed\. The first: a\.wav: The file is empty"):
        project.preprocess()


MINUTES = 20
BOUND_BYTES = 80e6
"""Below what the samples of 20 minutes take, 230 MB, and their windows at ten a second, 2.3 GB."""


def peak_bytes(function: Callable[[], object]) -> int:
    tracemalloc.start()
    try:
        function()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def test_memory_does_not_grow_with_a_recording(project: Project) -> None:
    soundfile.write(project.dataset / "long.wav", np.zeros(MINUTES * 60 * 48_000, np.int16), 48_000)
    write_audio(project.dataset / "short.wav")
    dense = project.with_embed(framing=Framing(hop_s=0.1), batch_size=16)
    assert peak_bytes(dense.preprocess) < BOUND_BYTES
    assert peak_bytes(dense.embed) < BOUND_BYTES
    assert peak_bytes(dense.export) < BOUND_BYTES
    assert dense.metrics("export")["audio"]["embeddings"] == 11_996 + 1


def test_a_stage_without_settings_ends_with_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert stage_main(["export"]) == 1
    assert capsys.readouterr().err.startswith("export: error: There is no params.yaml here.")
