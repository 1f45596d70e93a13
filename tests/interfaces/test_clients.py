"""Each interface in its client, in a virtual environment of its own: ``L3EMBED_CLIENTS=1 make test``.

Clients have pins that l3embed's don't agree with, or a gigabyte of packages, so that they are not installed
where the tests run. What they print stands in ``docs/howto/interfaces.md``.
"""

from __future__ import annotations

import json
import os
import sys
import sysconfig
import venv
from pathlib import Path

import numpy as np
import pytest
from conftest import run_child

import l3embed

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        os.environ.get("L3EMBED_CLIENTS") != "1",
        reason="L3EMBED_CLIENTS=1 installs the interfaces' clients and runs them",
    ),
]

ROOT = Path(__file__).parents[2]
PROGRAMS = Path(__file__).parent / "clients"
BESIDE_OUR_PINS = ["--constraint", str(ROOT / "constraints.txt")]


class Client:
    """A virtual environment that sees this one's packages, with a client in it."""

    def __init__(self, folder: Path, *installations: list[str]) -> None:
        venv.create(folder / "venv", with_pip=True)
        self._folder = folder
        self._python = folder / "venv" / ("Scripts" if os.name == "nt" else "bin") / "python"
        self.packages = Path(self._ask("import sysconfig; print(sysconfig.get_path('purelib'))"))
        ours = {sysconfig.get_path(name) for name in ("purelib", "platlib")}
        (self.packages / "ours.pth").write_text("\n".join(sorted(ours)), encoding="utf-8")
        for arguments in installations:
            self.run("-m", "pip", "install", "--quiet", *arguments)

    def run(self, *arguments: str | Path) -> str:
        """Run Python in its folder and return what it wrote to standard output."""
        environment = {**os.environ, "PYTHONPATH": str(Path(l3embed.__file__).parents[1])}
        return run_child([self._python, *arguments], cwd=self._folder, env=environment).stdout

    def _ask(self, code: str) -> str:
        return run_child([self._python, "-c", code]).stdout.strip()


def without_cuda_parts(client: Client) -> None:
    """Take torchaudio's compiled part away where PyTorch is a build for the CPU.

    What PyPI has needs CUDA's libraries, and torchaudio can do without it.
    """
    import shutil

    import torch

    if torch.version.cuda is None:
        shutil.rmtree(client.packages / "torchaudio" / "lib", ignore_errors=True)


def test_hear_validator_finds_that_it_looks_good(tmp_path: Path) -> None:
    pytest.importorskip("torch")
    client = Client(tmp_path, [*BESIDE_OUR_PINS, "hearvalidator"])

    said = client.run("-m", "hearvalidator.validate", "l3embed.hear")

    assert said.splitlines()[-1] == "Looks good!"


def test_heareval_embeds_made_up_tasks(tmp_path: Path) -> None:
    """It asks for NumPy 1.19.2, which no Python since 3.10 installs, and works with ours."""
    pytest.importorskip("torch")
    needs = ["click", "intervaltree", "pynvml", "python-slugify"]
    client = Client(tmp_path, ["--no-deps", "heareval"], [*BESIDE_OUR_PINS, *needs])
    client.run(PROGRAMS / "hear_task.py", "tasks")

    options = ["--tasks-dir", "tasks", "--model-options", '{"input_repr": "mel128"}']
    client.run("-m", "heareval.embeddings.runner", "l3embed.hear", *options)

    done = tmp_path / "embeddings" / "l3embed.hear-input-repr=mel128"
    assert np.load(done / "made_up_scene" / "test" / "low.wav.embedding.npy").shape == (512,)
    event = done / "made_up_event" / "test"
    timestamps = json.loads((event / "low.wav.timestamps.json").read_text())
    assert np.load(event / "low.wav.embedding.npy").shape == (30, 512)
    assert timestamps == [50.0 * index for index in range(30)]
    labels = json.loads((event / "low.wav.target-labels.json").read_text())
    assert [bool(names) for names in labels] == [time >= 500 for time in timestamps]


def test_x_ares_s_check_of_encoders_passes(tmp_path: Path) -> None:
    pytest.importorskip("torch")
    client = Client(tmp_path, [*BESIDE_OUR_PINS, "xares"])

    assert client.run(PROGRAMS / "xares_check.py").splitlines()[-1] == "check_audio_encoder: True"


@pytest.mark.skipif(sys.version_info < (3, 11), reason="MTEB needs Python 3.11")
def test_mteb_evaluates_a_tiny_task(tmp_path: Path) -> None:
    pytest.importorskip("torch")
    client = Client(tmp_path, [*BESIDE_OUR_PINS, "mteb[audio]"])
    without_cuda_parts(client)

    said = client.run(PROGRAMS / "mteb_task.py").splitlines()

    assert said[0].startswith("l3embed/openl3-mel128-music-512 random-20260101-hop-0.5")
    assert said[-1] == "TonesOrNoise accuracy 1.0"


def test_hoplite_finds_a_planted_copy(tmp_path: Path) -> None:
    """It asks for absl-py before 2.0, and our pins have a later one."""
    client = Client(tmp_path, ["perch-hoplite"])

    said = client.run(PROGRAMS / "hoplite_search.py", "sounds").splitlines()

    first, second = sorted(said[-3:-1])
    assert (first, second) == ("site/1.wav from 1 s: 1.0000", "site/3.wav from 0 s: 1.0000")
    assert said[-4] == "20 embeddings"
