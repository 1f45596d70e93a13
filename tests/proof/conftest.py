"""Exports that the pipeline has made with slim networks, and the two commands on them."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
import yaml
from conftest import noise
from PIL import Image

from l3embed.app.params import compose_params
from l3embed.app.pipeline import run_stage
from l3embed.app.settings import parse_settings
from l3embed.cli.main import main
from l3embed.stages.output_folder import Layout

REPOSITORY = Path(__file__).parents[2]
STAGES = ("check", "weights", "preprocess", "embed", "export")
HOP_S = 0.5

SECONDS = {"a.wav": 1.5, "b/long.flac": 4.0, "b/lossy.ogg": 2.0}
PICTURES = ("b/picture.png",)


def write_sounds(folder: Path) -> Path:
    """Write three sounds at 44.1 kHz and a picture, of noise."""
    for number, (name, seconds) in enumerate(SECONDS.items()):
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        soundfile.write(path, noise(seconds, 44_100, number), 44_100)
    for name in PICTURES:
        pixels = np.random.default_rng(7).integers(0, 256, (240, 250, 3), np.uint8)
        Image.fromarray(pixels).save(folder / name)
    return folder


def run_pipeline(folder: Path, dataset: Path, weights: Path, *settings: str) -> Path:
    """Run the stages up to ``export``, their settings written down as Hydra does; return the export."""
    own = (
        f"dataset={'folder' if dataset.is_dir() else 'listing'}",
        f"dataset.path={dataset}",
        *("weights=directory", f"weights.path={weights}"),
        *("model=music_512", "model.input_repr=mel128", f"windows.hop_s={HOP_S}"),
    )
    text = compose_params(REPOSITORY / "conf", [*own, *settings])
    written = folder / ".hydra" / "config.yaml"
    written.parent.mkdir(parents=True)
    written.write_text(text, encoding="utf-8")
    parsed = parse_settings(yaml.safe_load(text))
    for stage in STAGES:
        run_stage(stage, parsed, Layout(folder))
    return folder / "export"


@pytest.fixture(autouse=True)
def _apart(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """Random weights that are made while networks are slim are not to be found by others' tests."""
    monkeypatch.setenv("L3EMBED_STORE", str(tmp_path_factory.getbasetemp() / "store-of-proofs"))
    monkeypatch.setenv("L3EMBED_CACHE", str(tmp_path_factory.getbasetemp() / "cache-of-proofs"))


Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    """Run the command line, and return its status and what it wrote to both outputs."""

    def call(*words: str | Path) -> tuple[int, str, str]:
        capsys.readouterr()
        status = main([str(word) for word in words])
        written = capsys.readouterr()
        return status, written.out, written.err

    return call


def read_json(path: Path) -> dict[str, Any]:
    content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return content


def own_checksum(content: dict[str, Any]) -> str:
    """The checksum as the documentation has it, in the standard library alone."""
    others = {key: value for key, value in content.items() if key != "checksum"}
    canonical = json.dumps(others, sort_keys=True, separators=(",", ":"))
    return "sha256:" + hashlib.sha256(canonical.encode("ascii")).hexdigest()


def forge(proof: Path, target: Path, steps: Sequence[str | int], value: object) -> Path:
    """Change one thing in a proof, and give it the checksum that it has then."""
    content = read_json(proof)
    place: Any = content
    for step in steps[:-1]:
        place = place[step]
    place[steps[-1]] = value
    content["checksum"] = own_checksum(content)
    target.write_text(json.dumps(content), encoding="utf-8")
    return target
