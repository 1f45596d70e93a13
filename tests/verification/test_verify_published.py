"""``l3embed verify`` with the published weights, against a server on this machine."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from conftest import WriteWav

from l3embed.core import process_audio_file
from l3embed.errors import OpenL3Error, OpenL3Warning
from l3embed.variants import AudioVariant
from l3embed.verification import published
from l3embed.verification import regression_files as registry
from l3embed.weights.source import PublishedWeights

from .conftest import Project, PublishWeights, Row, rows_of, run

CHIRP = "tests/data/audio/chirp_44k.wav"
BENTO = "tests/data/video/bento.mp4"
DAISY = "tests/data/image/daisy.jpg"
REAL_REGISTRY = dict(registry.REGRESSION_FILES)
FRAME_RATE_HZ = 29.97


def embedding(rows: int, seed: int = 0) -> Any:
    return np.random.default_rng(seed).normal(size=(rows, 8)).astype(np.float32)


class Processes:
    """Stands in for the functions that embed files: writes what it was told, notes what it was asked."""

    def __init__(self) -> None:
        self.calls: list[dict[str, Any]] = []
        self.outputs: dict[str, dict[str, Any]] = {}

    def __call__(self, path: Path, folder: Path, **options: Any) -> None:
        self.calls.append({"file": path.name, **options})
        Path(folder).mkdir(parents=True)
        for name, arrays in self.outputs.items():
            np.savez(Path(folder) / name, **arrays)


@pytest.fixture
def processes(monkeypatch: pytest.MonkeyPatch) -> Processes:
    stand_in = Processes()
    for kind in ("audio", "image", "video"):
        monkeypatch.setattr(f"l3embed.core.process_{kind}_file", stand_in, raising=False)
    return stand_in


def embedded(path: Path) -> dict[str, Any]:
    """What l3embed makes of a file with the seeded weights."""
    process_audio_file(path, path.parent, weights="random", verbose=False)
    with np.load(path.with_suffix(".npz")) as arrays:
        return {name: arrays[name] for name in ("embedding", "timestamps") if name in arrays}


@pytest.mark.filterwarnings("ignore:.*shorter than one window")
def test_from_the_files_to_the_verdicts(
    project: Project,
    publish_weights: PublishWeights,
    write_wav: WriteWav,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Files and weights are fetched, figures computed; a right one is ok, one that is off by 5 % is out."""
    chirp = write_wav("chirp_44k.wav", 0.5, 44_100)
    publish_weights(AudioVariant().weight_set)
    right = embedded(chirp)
    wrong = {**right, "embedding": right["embedding"] * np.float32(1.05)}
    project.publish(CHIRP, chirp.read_bytes())
    project.publish_output("chirp_44k_kapre", **right)

    assert run("--weights", "published") == 0
    rows = rows_of(capsys.readouterr().out)
    assert rows == {"chirp_44k_kapre": Row("0.0e+00", "1e-02", "ok", "")}
    assert project.requests[1:] == [f"/{CHIRP}", "/models/openl3_audio_mel256_music-v0_4_0.h5.gz"]

    project.publish_output("chirp_44k_kapre", **wrong)
    with pytest.warns(OpenL3Warning, match="It is removed, and the published file fetched"):
        assert run("--only", "chirp_44k_kapre") == 1
    rows = rows_of(capsys.readouterr().out)
    assert rows == {"chirp_44k_kapre": Row("4.8e-02", "1e-02", "out", "")}


def test_what_is_in_the_cache_is_not_fetched_again(project: Project, processes: Processes) -> None:
    project.publish(CHIRP, b"a chirp")
    project.publish_output("chirp_44k_kapre", embedding=embedding(3), timestamps=np.arange(3) / 10)
    processes.outputs = {"chirp_44k.npz": {"embedding": embedding(3), "timestamps": np.arange(3) / 10}}
    assert [run(), run()] == [0, 0]
    assert project.requests == ["/tests/data/regression/chirp_44k_kapre.npz", f"/{CHIRP}"]
    assert project.left_over == ["chirp_44k.wav", "chirp_44k_kapre.npz"]


def test_one_that_cannot_be_fetched_does_not_stop_the_others(
    project: Project, processes: Processes, capsys: pytest.CaptureFixture[str]
) -> None:
    project.publish(CHIRP, b"a chirp")
    altered = project.publish_output("chirp_44k_kapre", embedding=embedding(3))
    missing = project.publish_output("chirp_44k_kapre_linear", embedding=embedding(3))
    project.publish_output("chirp_44k_librosa", embedding=embedding(3))
    altered.write_bytes(b"something else")
    missing.unlink()
    processes.outputs = {"chirp_44k.npz": {"embedding": embedding(3)}}

    assert run() == 1
    out = capsys.readouterr().out
    rows = rows_of(out)
    assert [row.verdict for row in rows.values()] == ["failed", "failed", "ok"]
    assert rows["chirp_44k_kapre"].difference == "-"
    for word in (altered.name, "altered file", project.url, "L3EMBED_REGRESSION_URL", "--weights random"):
        assert word in rows["chirp_44k_kapre"].note
    assert "404" in rows["chirp_44k_kapre_linear"].note
    assert "3 in all: 1 ok, 2 failed." in out.splitlines()
    assert project.left_over == ["chirp_44k.wav", "chirp_44k_librosa.npz"]


def test_an_input_that_cannot_be_had_fails_all_its_cases_and_is_asked_for_once(
    project: Project, processes: Processes, capsys: pytest.CaptureFixture[str]
) -> None:
    project.publish(BENTO, b"a video").unlink()
    for part in ("audio", "image"):
        project.publish_output(f"bento_{part}_kapre", embedding=embedding(3))
    assert run() == 1
    rows = rows_of(capsys.readouterr().out)
    assert [row.verdict for row in rows.values()] == ["failed", "failed"]
    assert all("bento.mp4" in row.note for row in rows.values())
    assert project.requests.count(f"/{BENTO}") == 1


def test_what_cannot_be_computed_is_a_row_with_its_reason(
    project: Project, capsys: pytest.CaptureFixture[str]
) -> None:
    project.publish(CHIRP, b"no sound at all")
    project.publish_output("chirp_44k_kapre", embedding=embedding(3))
    project.publish_output("daisy", no_embedding=embedding(1))
    project.publish(DAISY, b"")
    assert run() == 1
    rows = rows_of(capsys.readouterr().out)
    assert rows["chirp_44k_kapre"].verdict == "failed"
    assert rows["daisy"].note.endswith("daisy.npz must hold the array embedding; it does not.")


@pytest.fixture
def bento(project: Project, processes: Processes) -> Project:
    """A video whose sound was read wrongly behind the first window, and whose frame rate was cut."""
    audio, frames = embedding(5), embedding(30, seed=1)
    seconds = np.arange(30) / FRAME_RATE_HZ
    project.publish(BENTO, b"a video")
    stored = np.concatenate([audio[:1], embedding(4, seed=2)])
    project.publish_output("bento_audio_kapre", embedding=stored, timestamps=np.arange(5) / 10)
    project.publish_output("bento_audio_kapre_linear", embedding=embedding(2))
    project.publish_output("bento_image_kapre", embedding=frames, timestamps=np.arange(30) / 29)
    processes.outputs = {
        "bento_audio.npz": {"embedding": audio, "timestamps": np.arange(5) / 10},
        "bento_image.npz": {"embedding": frames, "timestamps": seconds},
    }
    return project


def test_a_video_is_computed_once_for_its_sound_and_its_frames(bento: Project, processes: Processes) -> None:
    assert run("--only", "bento_audio_kapre", "bento_image_kapre") == 0
    (call,) = processes.calls
    assert call == {
        "file": "bento.mp4",
        "input_repr": "mel256",
        "content_type": "music",
        "audio_embedding_size": 6144,
        "audio_center": True,
        "audio_hop_size": 0.1,
        "image_embedding_size": 8192,
        "audio_frontend": "kapre",
        "verbose": False,
        "weights": PublishedWeights(),
        "device": "auto",
        "runtime": "auto",
        "threads": 0,
    }


def test_only_sound_that_was_read_correctly_is_compared(
    bento: Project, capsys: pytest.CaptureFixture[str]
) -> None:
    run()
    rows = rows_of(capsys.readouterr().out)
    assert (rows["bento_audio_kapre"].verdict, rows["bento_audio_kapre"].difference) == ("ok", "0.0e+00")
    assert rows["bento_audio_kapre"].note.startswith("the first 1 of 5 windows alone: moviepy 1.0")
    assert (rows["bento_audio_kapre_linear"].verdict, rows["bento_audio_kapre_linear"].difference) == (
        "not compared",
        "-",
    )
    assert "no window ends within its first 0.5 s" in rows["bento_audio_kapre_linear"].note


def test_what_is_not_compared_is_neither_fetched_nor_an_error(bento: Project, processes: Processes) -> None:
    assert run("--only", "bento_audio_kapre_linear") == 0
    assert (bento.requests, processes.calls) == ([], [])


def test_frame_times_are_those_of_a_rate_that_was_cut(
    bento: Project, processes: Processes, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("--only", "bento_image_kapre") == 0
    processes.outputs["bento_image.npz"]["timestamps"] = np.arange(30) / 25
    assert run("--only", "bento_image_kapre") == 1
    out = capsys.readouterr().out
    assert "out           the timestamps differ by up to" in out


def test_the_cases_are_those_of_the_published_table(monkeypatch: pytest.MonkeyPatch) -> None:
    cases = {case.name: case for case in published.published_cases()}
    outputs = [path for path in REAL_REGISTRY if path.endswith(".npz")]
    assert [case.expected for case in cases.values()] == outputs
    assert {case.computation.file for case in cases.values()} == set(REAL_REGISTRY) - set(outputs)
    assert len(cases) == 14
    linear = cases["chirp_44k_librosa_linear"].computation
    assert (linear.input_repr, linear.content_type, linear.frontend) == ("linear", "env", "librosa")
    assert (linear.audio_size, linear.image_size) == (512, 512)
    assert (linear.framing.hop_s, linear.framing.center) == (0.5, False)
    default = cases["chirp_44k_kapre"].computation
    assert (default.input_repr, default.content_type, default.frontend) == ("mel256", "music", "kapre")
    assert (default.audio_size, default.image_size) == (6144, 8192)
    assert (default.framing.hop_s, default.framing.center) == (0.1, True)
    tolerances = {name: cases[name].tolerance for name in ("chirp_44k_kapre", "bento_image_kapre", "daisy")}
    assert tolerances == {"chirp_44k_kapre": 1e-2, "bento_image_kapre": 1e-4, "daisy": 1e-5}
    not_compared = [name for name, case in cases.items() if case.trusted_windows == 0]
    assert not_compared == ["bento_audio_kapre_linear", "bento_audio_librosa_linear"]


def test_the_files_are_fetched_at_the_commit_that_the_table_was_read_at() -> None:
    table = Path(registry.__file__).with_name("published_regression.tsv").read_text()
    assert f"commit {registry.REGRESSION_COMMIT}." in table
    assert (
        registry.DEFAULT_REGRESSION_URL
        == "https://raw.githubusercontent.com/marl/openl3/b0bf9b627ed943414324af2ba350917d764207c3"
    )
    assert REAL_REGISTRY[DAISY] == "4b5ed1f02723d3a528c99278c63d0e1ad29858b0"


def test_an_explicit_address_wins(
    project: Project, processes: Processes, monkeypatch: pytest.MonkeyPatch
) -> None:
    project.publish(DAISY, b"a daisy")
    project.publish_output("daisy", embedding=embedding(1))
    processes.outputs = {"daisy.npz": {"embedding": embedding(1)}}
    monkeypatch.setenv("L3EMBED_REGRESSION_URL", "http://127.0.0.1:9")
    assert run("--url", f"{project.url}/") == 0
    assert os.environ["L3EMBED_REGRESSION_URL"] not in project.requests[0]


def test_an_address_must_be_http(project: Project) -> None:
    with pytest.raises(OpenL3Error, match="base address of the regression data must be an http:// or https"):
        run("--url", "ftp://127.0.0.1")


def test_the_older_fft_is_told(project: Project, capsys: pytest.CaptureFixture[str]) -> None:
    assert run() == 0
    assert "older TensorFlow, whose FFT rounds otherwise" in capsys.readouterr().out


def test_a_cache_that_cannot_be_written_is_told(project: Project, capsys: pytest.CaptureFixture[str]) -> None:
    project.publish_output("daisy", embedding=embedding(1))
    project.cache.write_text("a file where the folder should be")
    assert run() == 1
    assert "set L3EMBED_CACHE to another folder" in rows_of(capsys.readouterr().out)["daisy"].note
