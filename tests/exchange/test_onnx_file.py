"""``l3embed export-model``: ONNX files that give the reference's numbers in onnxruntime."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import soundfile
from conftest import reference
from skimage.io import imread

from l3embed import OpenL3Error, preprocess_audio
from l3embed.cli.main import main
from l3embed.exchange.onnx_file import parse_variant_name
from l3embed.inputs.pixels import preprocess_images
from l3embed.variants import AudioVariant, ContentType, Frontend, ImageVariant, InputRepr

onnx = pytest.importorskip("onnx")
onnxruntime = pytest.importorskip("onnxruntime")

Items = npt.NDArray[np.float32]

SAME_NUMBERS = 1e-5
CASES: list[dict[str, Any]] = json.loads(reference("outputs/index.json").read_text())


def cases(kind: str, file: str) -> pytest.MarkDecorator:
    chosen = [case for case in CASES if case["kind"] == kind and case["file"] == file]
    assert chosen
    return pytest.mark.parametrize("case", chosen, ids=lambda case: case["case"])


def stored(case: dict[str, Any]) -> Items:
    with np.load(reference(f"outputs/{case['case']}.npz")) as arrays:
        embedding: Items = arrays["embedding"]
        return embedding


def exported(folder: Path, variant: str, *options: str) -> Path:
    path = folder / "model.onnx"
    assert main(["export-model", variant, "-o", str(path), *options]) == 0
    return path


def compute(path: Path, items: npt.NDArray[np.floating]) -> Items:
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    (source,), (result,) = session.get_inputs(), session.get_outputs()
    embeddings: Items = session.run([result.name], {source.name: items.astype(np.float32)})[0]
    return embeddings


def relative_difference(ours: Items, theirs: Items) -> float:
    assert ours.shape == theirs.shape
    return float(np.abs(ours - theirs).max() / np.abs(theirs).max())


def metadata(path: Path) -> dict[str, str]:
    return {entry.key: entry.value for entry in onnx.load(path).metadata_props}


@cases("audio", "notes_48k_mono.flac")
def test_sound_gives_the_reference_s_embedding(case: dict[str, Any], tmp_path: Path) -> None:
    """With kapre in the graph from samples, with librosa from spectrograms; in batches of any size."""
    samples, rate_hz = soundfile.read(reference(f"inputs/{case['file']}"))
    is_kapre = case["frontend"] == "kapre"
    items = preprocess_audio(
        samples,
        rate_hz,
        hop_size=case["hop_size"],
        center=case["center"],
        input_repr=None if is_kapre else case["input_repr"],
    )
    words = (case[name] for name in ("input_repr", "content_type", "embedding_size", "frontend"))
    name = "_".join(map(str, ("audio", *words)))

    path = exported(tmp_path, name, *(["--frontend"] if is_kapre else []))

    assert relative_difference(compute(path, items), stored(case)) < SAME_NUMBERS


@cases("image", "discs_224.png")
def test_a_picture_gives_the_reference_s_embedding(case: dict[str, Any], tmp_path: Path) -> None:
    pixels = preprocess_images(imread(reference(f"inputs/{case['file']}")))
    words = (case[name] for name in ("input_repr", "content_type", "embedding_size"))

    path = exported(tmp_path, "_".join(map(str, ("image", *words))))

    assert relative_difference(compute(path, pixels), stored(case)) < SAME_NUMBERS


def test_the_file_says_what_it_is(slim_weights: Path, tmp_path: Path) -> None:
    path = exported(tmp_path, "audio_mel128_music_512", "--frontend", "--weights", str(slim_weights))

    assert metadata(path) == {
        "variant": "audio_mel128_music_512_kapre",
        "weights": "random:20260101",
        "trained": "false",
        "precision": "float32",
        "input": "samples (batch, 1, time)",
        "frontend": "kapre",
        "sample_rate_hz": "48000",
        "window_samples": "48000",
    }
    onnx.checker.check_model(onnx.load(path), full_check=True)


@pytest.mark.parametrize(
    "name", ["audio_linear_music_6144", "audio_mel256_music_512", "image_mel256_music_8192"]
)
def test_it_is_compared_with_l3embed(
    name: str, slim_weights: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    exported(tmp_path, name, "--weights", str(slim_weights))

    said = capsys.readouterr().out
    assert f"to embedding (batch, {name.split('_')[-1]})\ncompared with l3embed, in onnxruntime: " in said


def test_other_numbers_are_an_error_and_leave_the_old_file(
    slim_weights: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    path = tmp_path / "model.onnx"
    path.write_bytes(b"old")
    monkeypatch.setattr("l3embed.exchange.onnx_graph.TO_CHANNELS_LAST", (0, 3, 2, 1))

    status = main(
        ["export-model", "audio_mel128_music_6144", "-o", str(path), "--weights", str(slim_weights)]
    )

    assert status == 1
    assert "was not written: in onnxruntime its embeddings are off by" in capsys.readouterr().err
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            ["image_mel256_music_512", "--frontend"],
            "--frontend computes spectrograms from sound; got an image",
        ),
        (
            ["audio_mel128_env_512_librosa", "--frontend"],
            "--frontend is kapre's; got audio_mel128_env_512_librosa",
        ),
        (["audio_mel64_music_512"], "The variant must be one as audio_mel256_music_6144"),
        (
            ["audio_mel128_env_512", "-o", "."],
            r"The output must be a file, such as model.onnx; . is a folder",
        ),
    ],
)
def test_what_cannot_be_is_an_error(
    arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["export-model", *arguments]) == 1

    assert message in capsys.readouterr().err


def test_without_onnxruntime_it_says_that_nothing_was_compared(
    slim_weights: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None if name == "onnxruntime" else name)

    exported(tmp_path, "audio_mel128_music_512", "--weights", str(slim_weights))

    assert "not compared with l3embed: onnxruntime is not installed" in capsys.readouterr().out


def test_without_onnx_it_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None if name == "onnx" else name)

    assert main(["export-model", "audio_mel128_music_512", "-o", str(tmp_path / "model.onnx")]) == 1

    assert "needs the package onnx: pip install 'l3embed[onnx]'" in capsys.readouterr().err
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("audio_mel128_env_512", AudioVariant(InputRepr.MEL128, ContentType.ENV, 512)),
        ("audio_mel128_env_512_kapre", AudioVariant(InputRepr.MEL128, ContentType.ENV, 512)),
        ("audio_linear_music_6144_librosa", AudioVariant(InputRepr.LINEAR, frontend=Frontend.LIBROSA)),
        ("image_mel256_music_8192", ImageVariant()),
    ],
)
def test_names_mean_variants(name: str, expected: AudioVariant | ImageVariant) -> None:
    assert parse_variant_name(name) == expected


@pytest.mark.parametrize("name", ["", "audio", "audio_mel128_env_8192", "image_mel256_music_512_kapre"])
def test_names_that_mean_none_are_an_error(name: str) -> None:
    with pytest.raises(OpenL3Error, match=f"; got {name!r}"):
        parse_variant_name(name)
