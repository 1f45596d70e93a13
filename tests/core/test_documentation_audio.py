"""The documentation's audio examples, in its order, as code that was written for openl3 runs them.

They are written out after ``import l3embed as openl3``; only paths are other ones, and clips are short.
One line cannot be as it was: the documentation unpacks two values from ``model.predict``, which has
returned the embedding alone in every release, so that ``emb, ts = model.predict(x)`` never ran.
"""

# mypy: disable-error-code="arg-type"
# Some examples have the words of a variant in variables, which are any str to mypy.

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile as sf
from conftest import WriteWav, run_child

import l3embed as openl3
from l3embed.cli.main import main

pytestmark = pytest.mark.filterwarnings("ignore:.*shorter than one window")

CLIP_S = 0.6
"""Seconds of a clip: centred and with a hop of 0.1 s, it makes two windows."""


@pytest.fixture
def wav(write_wav: WriteWav) -> str:
    """A stand-in for ``/path/to/file.wav``."""
    return str(write_wav("path/to/file.wav", CLIP_S, 44_100))


@pytest.fixture
def wavs(write_wav: WriteWav) -> list[str]:
    """Stand-ins for ``/path/to/file1.wav`` to ``file3.wav``: one, two and three windows."""
    return [
        str(write_wav(f"path/to/file{n}.wav", seconds, 44_100, seed=n))
        for n, seconds in [(1, 0.3), (2, 0.6), (3, 0.7)]
    ]


def check(embedding: Any, timestamps: Any, size: int, expected_s: list[float]) -> None:
    assert isinstance(embedding, np.ndarray)
    assert embedding.shape == (len(expected_s), size)
    assert embedding.dtype == np.float32
    assert np.isfinite(embedding).all()
    np.testing.assert_allclose(timestamps, expected_s)
    assert timestamps.dtype == np.float64


def check_file(path: str | Path, size: int, expected_s: list[float]) -> None:
    data = np.load(path)
    emb, ts = data["embedding"], data["timestamps"]
    check(emb, ts, size, expected_s)


class TestExtractingAudioEmbeddings:
    """Section 2.2.1."""

    def test_an_array(self, wav: str) -> None:
        audio, sr = sf.read(wav)
        emb, ts = openl3.get_audio_embedding(audio, sr)
        check(emb, ts, 6144, [0.0, 0.1])

    def test_several_arrays(self, wavs: list[str]) -> None:
        audio1, sr1 = sf.read(wavs[0])
        audio2, sr2 = sf.read(wavs[1])
        audio3, sr3 = sf.read(wavs[2])
        audio_list = [audio1, audio2, audio3]
        sr_list = [sr1, sr2, sr3]

        emb_list, ts_list = openl3.get_audio_embedding(audio_list, sr_list, batch_size=32)
        assert isinstance(emb_list, list)
        assert isinstance(ts_list, list)
        for emb, ts, expected_s in zip(emb_list, ts_list, [[0.0], [0.0, 0.1], [0.0, 0.1, 0.2]], strict=True):
            check(emb, ts, 6144, expected_s)

        same_list, _ = openl3.get_audio_embedding(audio_list, sr1, batch_size=32)
        for emb, same in zip(emb_list, same_list, strict=True):
            np.testing.assert_array_equal(emb, same)

    def test_another_model(self, wav: str) -> None:
        audio, sr = sf.read(wav)
        emb, ts = openl3.get_audio_embedding(
            audio, sr, content_type="env", input_repr="linear", embedding_size=512
        )
        check(emb, ts, 512, [0.0, 0.1])

    def test_without_centring(self, wav: str) -> None:
        audio, sr = sf.read(wav)
        emb, ts = openl3.get_audio_embedding(audio, sr, center=False)
        check(emb, ts, 6144, [0.0])

    def test_another_hop(self, wav: str) -> None:
        audio, sr = sf.read(wav)
        emb, ts = openl3.get_audio_embedding(audio, sr, hop_size=0.5)
        check(emb, ts, 6144, [0.0, 0.5])

    def test_silently(self, wav: str, capsys: pytest.CaptureFixture[str]) -> None:
        audio, sr = sf.read(wav)
        emb, ts = openl3.get_audio_embedding(audio, sr, verbose=0)
        check(emb, ts, 6144, [0.0, 0.1])
        assert capsys.readouterr() == ("", "")

    def test_a_loaded_model(self, wavs: list[str]) -> None:
        audio1, sr1 = sf.read(wavs[0])
        audio2, sr2 = sf.read(wavs[1])
        model = openl3.models.load_audio_embedding_model(
            input_repr="mel256", content_type="music", embedding_size=512
        )
        emb1, ts1 = openl3.get_audio_embedding(audio1, sr1, model=model)
        emb2, ts2 = openl3.get_audio_embedding(audio2, sr2, model=model)
        check(emb1, ts1, 512, [0.0])
        check(emb2, ts2, 512, [0.0, 0.1])

    def test_a_file(self, wav: str, tmp_path: Path) -> None:
        audio_filepath = wav
        openl3.process_audio_file(audio_filepath)
        openl3.process_audio_file(audio_filepath, suffix="suffix")
        openl3.process_audio_file(audio_filepath, suffix="suffix", output_dir=str(tmp_path / "different/dir"))

        for output in ("path/to/file.npz", "path/to/file_suffix.npz", "different/dir/file_suffix.npz"):
            check_file(tmp_path / output, 6144, [0.0, 0.1])

    def test_several_files(self, wavs: list[str], tmp_path: Path) -> None:
        audio_filepath_list = wavs
        openl3.process_audio_file(audio_filepath_list, batch_size=32)
        for n, expected_s in [(1, [0.0]), (2, [0.0, 0.1]), (3, [0.0, 0.1, 0.2])]:
            check_file(tmp_path / f"path/to/file{n}.npz", 6144, expected_s)

    def test_a_file_and_a_loaded_model(self, wav: str, tmp_path: Path) -> None:
        model = openl3.models.load_audio_embedding_model(
            input_repr="mel256", content_type="music", embedding_size=512
        )
        audio_filepath = wav
        openl3.process_audio_file(audio_filepath, model=model)
        openl3.process_audio_file(audio_filepath, model=model, suffix="suffix")
        openl3.process_audio_file(
            audio_filepath, model=model, suffix="suffix", output_dir=str(tmp_path / "different/dir")
        )
        for output in ("path/to/file.npz", "path/to/file_suffix.npz", "different/dir/file_suffix.npz"):
            check_file(tmp_path / output, 512, [0.0, 0.1])


class TestChoosingAnAudioFrontend:
    """Section 2.2.4."""

    def test_kapre(self, wav: str) -> None:
        audio, sr = sf.read(wav)

        emb_default, _ = openl3.get_audio_embedding(audio, sr)
        emb, ts = openl3.get_audio_embedding(audio, sr, frontend="kapre")  # same result
        check(emb, ts, 6144, [0.0, 0.1])
        np.testing.assert_array_equal(emb, emb_default)

        input_repr, content_type, embedding_size = "mel128", "music", 6144
        model_kapre = openl3.models.load_audio_embedding_model(input_repr, content_type, embedding_size)
        emb, ts = openl3.get_audio_embedding(audio, sr, model=model_kapre)
        check(emb, ts, 6144, [0.0, 0.1])

        input_data = openl3.preprocess_audio(audio, sr)
        predicted = model_kapre.predict(input_data)
        assert input_data.shape == (2, 1, 48_000)
        np.testing.assert_allclose(predicted, emb, rtol=0, atol=1e-5 * np.abs(emb).max())

    def test_librosa(self, wav: str) -> None:
        audio, sr = sf.read(wav)

        emb, ts = openl3.get_audio_embedding(audio, sr, frontend="librosa")
        check(emb, ts, 6144, [0.0, 0.1])

        input_repr, content_type, embedding_size = "mel128", "music", 6144
        model = openl3.models.load_audio_embedding_model(
            input_repr, content_type, embedding_size, frontend="librosa"
        )
        emb, ts = openl3.get_audio_embedding(audio, sr, model=model, frontend="librosa")
        check(emb, ts, 6144, [0.0, 0.1])

        input_data = openl3.preprocess_audio(audio, sr, input_repr=input_repr)
        predicted = model.predict(input_data)
        assert input_data.shape == (2, 128, 199, 1)
        np.testing.assert_allclose(predicted, emb, rtol=0, atol=1e-5 * np.abs(emb).max())


class TestCommandLine:
    """Section 2.3.1, with ``l3embed`` for ``openl3``."""

    def test_a_file(self, wav: str, tmp_path: Path) -> None:
        assert main(["audio", wav]) == 0
        check_file(tmp_path / "path/to/file.npz", 6144, [0.0, 0.1])

    def test_output(self, wav: str, tmp_path: Path) -> None:
        assert main(["audio", wav, "--output", str(tmp_path / "different/dir")]) == 0
        check_file(tmp_path / "different/dir/file.npz", 6144, [0.0, 0.1])

    def test_several_files(self, wavs: list[str], tmp_path: Path) -> None:
        assert main(["audio", *wavs]) == 0
        for n, expected_s in [(1, [0.0]), (2, [0.0, 0.1]), (3, [0.0, 0.1, 0.2])]:
            check_file(tmp_path / f"path/to/file{n}.npz", 6144, expected_s)

    def test_a_folder(self, wav: str, write_wav: WriteWav, tmp_path: Path) -> None:
        write_wav("path/to/subfolder/other.wav", CLIP_S)
        (tmp_path / "path/to/notes.txt").write_text("no audio")
        assert main(["audio", str(tmp_path / "path/to")]) == 0
        check_file(tmp_path / "path/to/file.npz", 6144, [0.0, 0.1])
        assert [path.name for path in (tmp_path / "path").rglob("*.npz")] == ["file.npz"]

    def test_suffix(self, wav: str, tmp_path: Path) -> None:
        assert main(["audio", wav, "--suffix", "somesuffix"]) == 0
        check_file(tmp_path / "path/to/file_somesuffix.npz", 6144, [0.0, 0.1])

    @pytest.mark.slow
    def test_another_model_in_a_process_of_its_own(self, wav: str, tmp_path: Path) -> None:
        options = ["--content-type", "env", "--input-repr", "mel128", "--embedding-size", "512"]
        done = run_child([sys.executable, "-m", "l3embed", "audio", wav, *options])
        assert done.stdout == ""
        said = [line for line in done.stderr.splitlines() if line.strip()]
        assert said[-1] == "l3embed: 1 of 1 file done."
        # TensorFlow's own messages are kept from the user.
        assert all(line.startswith(("l3embed: ", "Embedding (window): ")) for line in said), done.stderr
        check_file(tmp_path / "path/to/file.npz", 512, [0.0, 0.1])

    @pytest.mark.parametrize(
        ("options", "expected_s"),
        [
            (["--no-audio-centering"], [0.0]),
            (["--audio-hop-size", "0.5"], [0.0, 0.5]),
            (["--audio-batch-size", "16"], [0.0, 0.1]),
            (["--audio-frontend", "librosa"], [0.0, 0.1]),
        ],
        ids=lambda value: value[0] if isinstance(value[0], str) else "",
    )
    def test_options(self, options: list[str], expected_s: list[float], wav: str, tmp_path: Path) -> None:
        assert main(["audio", wav, *options]) == 0
        check_file(tmp_path / "path/to/file.npz", 6144, expected_s)

    def test_quiet(self, wav: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        assert main(["audio", wav, "--quiet"]) == 0
        out, err = capsys.readouterr()
        assert out == ""
        assert all(line.startswith("l3embed: warning: ") for line in err.splitlines()), err
        check_file(tmp_path / "path/to/file.npz", 6144, [0.0, 0.1])


REQUIRED = inspect.Parameter.empty

AUDIO_MODEL = {"input_repr": None, "content_type": "music", "embedding_size": 6144}

SIGNATURES: list[tuple[Callable[..., Any], dict[str, Any]]] = [
    (
        openl3.core.get_audio_embedding,
        {
            "audio": REQUIRED,
            "sr": REQUIRED,
            "model": None,
            **AUDIO_MODEL,
            "center": True,
            "hop_size": 0.1,
            "batch_size": 32,
            "frontend": "kapre",
            "verbose": True,
        },
    ),
    (openl3.core.get_output_path, {"filepath": REQUIRED, "suffix": REQUIRED, "output_dir": None}),
    (
        openl3.core.preprocess_audio,
        {
            "audio": REQUIRED,
            "sr": REQUIRED,
            "hop_size": 0.1,
            "input_repr": None,
            "center": True,
            "kw": REQUIRED,
        },
    ),
    (
        openl3.core.process_audio_file,
        {
            "filepath": REQUIRED,
            "output_dir": None,
            "suffix": None,
            "model": None,
            **AUDIO_MODEL,
            "center": True,
            "hop_size": 0.1,
            "batch_size": 32,
            "overwrite": False,
            "frontend": "kapre",
            "verbose": True,
        },
    ),
    (
        openl3.models.kapre_v0_1_4_magnitude_to_decibel,
        {"x": REQUIRED, "ref_value": 1.0, "amin": 1e-10, "dynamic_range": 80.0},
    ),
    (
        openl3.models.load_audio_embedding_model,
        {
            "input_repr": REQUIRED,
            "content_type": REQUIRED,
            "embedding_size": REQUIRED,
            "frontend": "kapre",
        },
    ),
    (
        openl3.models.load_audio_embedding_model_from_path,
        {"model_path": REQUIRED, "input_repr": REQUIRED, "embedding_size": REQUIRED, "frontend": "kapre"},
    ),
    (
        openl3.models.get_audio_embedding_model_path,
        {"input_repr": REQUIRED, "content_type": REQUIRED},
    ),
]


@pytest.mark.parametrize(
    ("function", "documented"), SIGNATURES, ids=[function.__name__ for function, _ in SIGNATURES]
)
def test_signatures_are_the_documented_ones(function: Callable[..., Any], documented: dict[str, Any]) -> None:
    """Section 3.1: names, order and defaults; what is new can only be given by name."""
    parameters = inspect.signature(function).parameters.values()
    ours = [(p.name, p.default) for p in parameters if p.kind is not inspect.Parameter.KEYWORD_ONLY]
    assert ours == list(documented.items())


@pytest.mark.parametrize(
    "name", ["get_audio_embedding", "get_output_path", "preprocess_audio", "process_audio_file"]
)
def test_functions_are_at_the_top_as_well(name: str) -> None:
    assert getattr(openl3, name) is getattr(openl3.core, name)


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (("/path/to/file.wav", ".npz"), "/path/to/file.npz"),
        (("/path/to/file.wav", "suffix.npz"), "/path/to/file_suffix.npz"),
        (("/path/to/file.wav", "suffix.npz", "/different/dir"), "/different/dir/file_suffix.npz"),
        (("./file.tar.wav", ".npz"), "./file.tar.npz"),
        (("file.wav", ".npz"), "file.npz"),
        (("file", ".npz"), "file.npz"),
    ],
    ids=lambda value: "" if isinstance(value, tuple) else value,
)
def test_output_paths(arguments: tuple[str, ...], expected: str) -> None:
    assert openl3.get_output_path(*arguments) == expected
