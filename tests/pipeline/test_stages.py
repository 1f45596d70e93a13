"""The stages as functions, from folder to folder."""

from __future__ import annotations

import csv
import json
import tracemalloc
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import soundfile

import l3embed
from l3embed.app.stage import main as stage_main
from l3embed.errors import OpenL3Error, OpenL3Warning
from l3embed.stages import embed, export, preprocess, weights
from l3embed.stages.export import output_names
from l3embed.stages.origin import Origin, write_origin
from l3embed.stages.preprocess import Samples, Spectrograms
from l3embed.stages.results import Result, array_path, read_results, write_results
from l3embed.variants import AudioVariant, Device, Frontend, InputRepr
from l3embed.weights.source import RandomWeights
from l3embed.windows import Framing

from .conftest import BAD_FILES, GOOD_FILES, write_audio

pytestmark = pytest.mark.filterwarnings("ignore::l3embed.errors.OpenL3Warning")

FRAMING = Framing(hop_s=1.0, center=True)
SEED = 20260101
NEW_ORIGIN = Origin("audio_mel128_music_512_kapre", "random:7", trained=False, hop_s=0.5, center=True)


@dataclass(frozen=True)
class Run:
    """The folders of one run through all stages, and the last lines of embed and export."""

    folder: Path
    frontend: Frontend
    embed_summary: str
    export_summary: str

    @property
    def export(self) -> Path:
        return self.folder / "export"

    @property
    def metrics(self) -> dict[str, object]:
        content: dict[str, object] = json.loads((self.folder / "metrics.json").read_text(encoding="utf-8"))
        return content

    def manifest(self) -> list[dict[str, str]]:
        with (self.export / "manifest.csv").open(newline="", encoding="utf-8") as file:
            return list(csv.DictReader(file))


@pytest.fixture(scope="module")
def weights_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("stages") / "weights"
    weights.run(AudioVariant(InputRepr.MEL128).weight_set, RandomWeights(SEED), folder)
    return folder


@pytest.fixture(scope="module", params=Frontend, ids=lambda frontend: frontend.value)
def run(
    request: pytest.FixtureRequest,
    recordings: Path,
    weights_folder: Path,
    tmp_path_factory: pytest.TempPathFactory,
) -> Run:
    """Sound and damaged recordings through all stages, with either frontend."""
    folder = tmp_path_factory.mktemp(request.param.value)
    variant = AudioVariant(InputRepr.MEL128, embedding_size=512, frontend=request.param)
    kinds: dict[Frontend, Samples | Spectrograms] = {
        Frontend.KAPRE: Samples(),
        Frontend.LIBROSA: Spectrograms(variant.input_repr, FRAMING),
    }
    preprocess.run(recordings, kinds[request.param], folder / "preprocessed")
    options = embed.EmbedOptions(variant, FRAMING, Device.AUTO, batch_size=2)
    embedded = embed.run(folder / "preprocessed", weights_folder, options, folder / "embeddings")
    exported = export.run(folder / "embeddings", folder / "export", folder / "metrics.json")
    return Run(folder, request.param, embedded, exported)


@pytest.mark.parametrize("name", GOOD_FILES)
def test_embeddings_are_the_librarys(run: Run, recordings: Path, name: str) -> None:
    samples, sample_rate_hz = soundfile.read(recordings / name)
    expected, timestamps = l3embed.get_audio_embedding(
        samples,
        sample_rate_hz,
        input_repr="mel128",
        embedding_size=512,
        hop_size=1.0,
        frontend=run.frontend.value,
        verbose=False,
        weights=f"random:{SEED}",
    )
    with np.load(run.export / Path(name).with_suffix(".npz")) as exported:
        assert exported["embedding"].dtype == np.float32
        assert exported["embedding"].shape == np.shape(expected)
        assert np.abs(exported["embedding"] - expected).max() <= 1e-6 * np.abs(expected).max()
        np.testing.assert_array_equal(exported["timestamps"], timestamps)


def test_every_output_says_what_it_was_made_with(run: Run) -> None:
    with np.load(run.export / "first.npz", allow_pickle=False) as arrays:
        made_with = {name: str(arrays[name]) for name in ("variant", "weights", "version")}
    assert made_with == {
        "variant": f"audio_mel128_music_512_{run.frontend.value}",
        "weights": f"random:{SEED}",
        "version": l3embed.__version__,
    }


def test_an_output_holds_what_the_librarys_do(run: Run, recordings: Path, tmp_path: Path) -> None:
    l3embed.process_audio_file(
        [str(recordings / "first.wav")],
        output_dir=tmp_path,
        input_repr="mel128",
        embedding_size=512,
        hop_size=1.0,
        frontend=run.frontend.value,
        verbose=False,
        weights=f"random:{SEED}",
    )
    with np.load(tmp_path / "first.npz") as library, np.load(run.export / "first.npz") as exported:
        assert {name: array.dtype for name, array in exported.items()} == {
            name: array.dtype for name, array in library.items()
        }


def test_the_manifest_has_a_row_for_every_recording(run: Run) -> None:
    rows = run.manifest()
    assert list(rows[0])[:5] == ["path", "status", "reason", "frames", "seconds"]
    assert [row["path"] for row in rows] == sorted([*GOOD_FILES, *BAD_FILES])


def test_the_manifest_counts_what_was_done(run: Run) -> None:
    done = {row["path"]: row for row in run.manifest() if row["status"] == "ok"}
    counted = {path: (int(row["frames"]), float(row["seconds"])) for path, row in done.items()}
    assert counted == {"first.wav": (2, 1.5), "Глава 1/日本語 v1.2.flac": (3, 2.0)}


@pytest.mark.parametrize(("name", "reason"), [(name, reason) for name, (_, reason) in BAD_FILES.items()])
def test_the_manifest_gives_the_reason_of_a_failure(run: Run, name: str, reason: str) -> None:
    row = next(row for row in run.manifest() if row["path"] == name)
    assert (row["status"], row["frames"], row["output"]) == ("failed", "0", "")
    assert reason in row["reason"]


def test_only_outputs_of_the_manifest_are_there(run: Run) -> None:
    files = {path.relative_to(run.export).as_posix() for path in run.export.rglob("*") if path.is_file()}
    assert files == {row["output"] for row in run.manifest() if row["output"]} | {"manifest.csv"}


def test_summaries_count_failures(run: Run) -> None:
    counts = f"{len(GOOD_FILES) + len(BAD_FILES)} recordings, {len(GOOD_FILES)} done, {len(BAD_FILES)} failed"
    assert run.embed_summary.startswith(f"embed: {counts}; 5 embeddings on the ")
    assert run.export_summary.startswith(f"export: {counts}; ")


def test_metrics_say_untrained_and_failed(run: Run) -> None:
    assert run.metrics["weights"] == f"random:{SEED} (untrained)"
    assert (run.metrics["done"], run.metrics["failed"]) == (len(GOOD_FILES), len(BAD_FILES))
    assert (run.metrics["embeddings"], run.metrics["dimension"]) == (5, 512)


def test_embed_names_the_weights_that_are_missing(
    weights_folder: Path, recordings: Path, tmp_path: Path
) -> None:
    variant = AudioVariant(InputRepr.MEL256, embedding_size=512)
    options = embed.EmbedOptions(variant, FRAMING, Device.AUTO, batch_size=1)
    with pytest.raises(OpenL3Error, match="must hold openl3_audio_mel256_music"):
        embed.run(recordings, weights_folder, options, tmp_path)


def test_an_output_that_cannot_be_written_ends_the_stage_instead_of_counting_as_a_bad_recording(
    weights_folder: Path, tmp_path: Path
) -> None:
    write_audio(tmp_path / "in" / "album" / "a.wav")
    preprocess.run(tmp_path / "in", Samples(), tmp_path / "preprocessed")
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "album").write_text("a file where a folder should be")
    options = embed.EmbedOptions(
        AudioVariant(InputRepr.MEL128, embedding_size=512), FRAMING, Device.AUTO, batch_size=1
    )
    with pytest.raises(FileExistsError, match="album"):
        embed.run(tmp_path / "preprocessed", weights_folder, options, tmp_path / "out")


def test_weights_says_untrained(tmp_path: Path) -> None:
    with pytest.warns(OpenL3Warning, match="untrained"):
        summary = weights.run(AudioVariant(InputRepr.MEL128).weight_set, RandomWeights(SEED), tmp_path)
    assert summary.endswith(f"openl3_audio_mel128_music.h5 (random:{SEED}, untrained)")


def test_preprocess_writes_the_mean_of_the_channels(tmp_path: Path) -> None:
    write_audio(tmp_path / "in" / "a.wav", seconds=0.3, channels=2)
    preprocess.run(tmp_path / "in", Samples(), tmp_path / "out")
    expected = soundfile.read(tmp_path / "in" / "a.wav")[0].mean(axis=1)
    np.testing.assert_array_equal(np.load(tmp_path / "out" / "a.wav.npy"), expected.astype(np.float32))


def test_preprocess_takes_audio_files_of_all_subfolders(tmp_path: Path) -> None:
    for name in ("a.wav", "B.WAV", "one/two/c.flac", ".hidden.wav", ".hidden/d.wav"):
        write_audio(tmp_path / "in" / name)
    (tmp_path / "in" / "notes.txt").write_text("no audio")
    summary = preprocess.run(tmp_path / "in", Samples(), tmp_path / "out")
    assert [result.path for result in read_results(tmp_path / "out")] == ["B.WAV", "a.wav", "one/two/c.flac"]
    assert summary == "preprocess: 3 recordings, 3 done, 0 failed; 1.5 s of audio, 1 other files left out"


def test_a_name_that_is_too_long_does_not_stop_the_others(tmp_path: Path) -> None:
    longest = "x" * 251 + ".wav"
    for name in ("a.wav", longest):
        write_audio(tmp_path / "in" / name)
    preprocess.run(tmp_path / "in", Samples(), tmp_path / "out")
    reasons = {result.path: result.reason for result in read_results(tmp_path / "out")}
    assert reasons["a.wav"] == ""
    assert "name is too long" in reasons[longest]


def test_preprocess_names_failures_at_its_end(
    recordings: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    preprocess.run(recordings, Samples(), tmp_path)
    assert "preprocess: failed: empty.wav: The file is empty (0 bytes).\n" in capfd.readouterr().err


def test_preprocess_takes_what_ffmpeg_alone_can_read(tmp_path: Path) -> None:
    (tmp_path / "talk.m4a").write_bytes(b"")
    with pytest.raises(OpenL3Error, match=r"talk\.m4a: The file is empty"):
        preprocess.run(tmp_path, Samples(), tmp_path / "out")


def test_preprocess_names_the_first_of_many_doubtful_recordings(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    for number in range(23):
        write_audio(tmp_path / "in" / f"{number:02d}.wav", seconds=0.1)
    with pytest.warns(OpenL3Warning) as warned:
        preprocess.run(tmp_path / "in", Samples(), tmp_path / "out")
    assert len(warned) == 20
    assert "3 more are silent or shorter than one window" in capfd.readouterr().err


def test_a_dataset_of_bad_files_alone_is_an_error(tmp_path: Path) -> None:
    for name in ("a.wav", "b.wav"):
        (tmp_path / name).write_bytes(b"")
    with pytest.raises(
        OpenL3Error, match=r"all of 2 recordings failed\. The first: a\.wav: The file is empty"
    ):
        preprocess.run(tmp_path, Samples(), tmp_path / "out")


@pytest.mark.parametrize(
    ("name", "message"),
    [("nothing", "must be a folder"), ("file.txt", "must be a folder"), ("empty", "no audio files")],
    ids=["missing", "file", "empty"],
)
def test_a_dataset_that_is_none_is_an_error(tmp_path: Path, name: str, message: str) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "file.txt").touch()
    with pytest.raises(OpenL3Error, match=message):
        preprocess.run(tmp_path / name, Samples(), tmp_path / "out")


def test_memory_does_not_grow_with_a_recording(tmp_path: Path) -> None:
    minutes_5 = np.zeros(5 * 60 * 48_000, np.int16)
    (tmp_path / "in").mkdir()
    soundfile.write(tmp_path / "in" / "long.wav", minutes_5, 48_000)
    tracemalloc.start()
    try:
        preprocess.run(tmp_path / "in", Samples(), tmp_path / "out")
        peak_bytes = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    whole_bytes = minutes_5.size * np.dtype(np.float64).itemsize
    assert peak_bytes < whole_bytes / 2


@pytest.mark.parametrize(
    ("recordings", "outputs"),
    [
        (["a.wav", "b.ogg"], ["a.npz", "b.npz"]),
        (["one/a.wav", "two/a.wav"], ["one/a.npz", "two/a.npz"]),
        (["v1.2.final.wav"], ["v1.2.final.npz"]),
        (["a.wav", "a.ogg"], ["a.wav.npz", "a.ogg.npz"]),
        (["a.ogg", "a.wav", "a.wav.wav"], ["a.ogg.npz", "a.wav.npz", "a.wav.wav.npz"]),
        (["A.wav", "a.ogg"], ["A.wav.npz", "a.ogg.npz"]),
        (["A.wav", "a.wav"], ["A.wav.npz", "a.wav.npz"]),
    ],
    ids=["plain", "folders", "dots", "same stem", "same stem twice", "case", "case alone"],
)
def test_no_two_recordings_share_an_output(recordings: list[str], outputs: list[str]) -> None:
    assert list(output_names(recordings).values()) == outputs


@pytest.fixture
def embeddings(tmp_path: Path) -> Path:
    """A folder as the stage ``embed`` leaves it, with embeddings that were made up."""
    folder = tmp_path / "embeddings"
    results = [Result("a.wav", frames=3, seconds=1.9), Result("a.ogg", frames=2, seconds=1.2)]
    folder.mkdir()
    for result in results:
        rows = np.full((result.frames, 4), result.seconds, np.float32)
        np.save(array_path(folder, result.path), rows)
    write_results([*results, Result("b.wav").failed('A "reason", in\nlines.')], folder)
    write_origin(NEW_ORIGIN, folder)
    return folder


def test_recordings_of_one_stem_are_both_exported(embeddings: Path, tmp_path: Path) -> None:
    export.run(embeddings, tmp_path / "export", tmp_path / "metrics.json")
    with np.load(tmp_path / "export" / "a.wav.npz") as wav, np.load(tmp_path / "export" / "a.ogg.npz") as ogg:
        np.testing.assert_array_equal(wav["embedding"], np.full((3, 4), 1.9, np.float32))
        np.testing.assert_array_equal(ogg["embedding"], np.full((2, 4), 1.2, np.float32))
        np.testing.assert_array_equal(wav["timestamps"], [0.0, 0.5, 1.0])


def test_the_manifest_keeps_any_reason_in_one_field(embeddings: Path, tmp_path: Path) -> None:
    export.run(embeddings, tmp_path / "export", tmp_path / "metrics.json")
    with (tmp_path / "export" / "manifest.csv").open(newline="", encoding="utf-8") as file:
        assert [row["reason"] for row in csv.DictReader(file)] == ["", "", 'A "reason", in\nlines.']


def test_a_second_export_writes_the_same_bytes(embeddings: Path, tmp_path: Path) -> None:
    for name in ("one", "two"):
        export.run(embeddings, tmp_path / name, tmp_path / f"{name}.json")
    for path in (tmp_path / "one").iterdir():
        assert path.read_bytes() == (tmp_path / "two" / path.name).read_bytes()


def test_trained_weights_are_not_called_untrained(embeddings: Path, tmp_path: Path) -> None:
    write_origin(Origin("audio", "sha256:abc", trained=True, hop_s=0.5, center=True), embeddings)
    export.run(embeddings, tmp_path / "export", tmp_path / "metrics.json")
    assert json.loads((tmp_path / "metrics.json").read_text())["weights"] == "sha256:abc"


def test_a_stage_without_settings_ends_with_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert stage_main(["export"]) == 1
    assert capsys.readouterr().err.startswith("export: error: There is no params.yaml here.")
