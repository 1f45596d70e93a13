"""Figures against those of kadtk 1.1.0 and fadtk 1.1.0: what they printed once, and, if asked, themselves.

With ``L3EMBED_CLIENTS=1`` a virtual environment is made for them (they need NumPy 1, and Python up to 3.11),
and ``clients.py`` is run in it. Their own requirements, which contradict each other, are left out: it takes
only what their statistics are computed with.
"""

from __future__ import annotations

import json
import os
import shutil
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from conftest import run_child

from distances.given import Frames
from l3embed.distances import (
    RunningStatistics,
    Statistics,
    frechet_distance,
    kernel_distance,
    median_distance,
)
from l3embed.distances.extrapolation import line_through

SCRIPT = Path(__file__).with_name("clients.py")
PRINTED = Path(__file__).parents[1] / "data" / "clients_of_distances.json"

NEEDED = ("numpy<2", "scipy<1.16", "torch", "tqdm", "hypy-utils==1.0.29")
CLIENTS = ("kadtk==1.1.0", "fadtk==1.1.0")
LATEST_PYTHON = (3, 11)


def given() -> tuple[Frames, Frames]:
    """A reference and what is compared; drawn by NumPy's old generator, whose numbers never change."""
    draw = np.random.RandomState(0).standard_normal
    mixing = draw((32, 32)) / 6
    x = draw((900, 32)) @ mixing
    y = draw((700, 32)) @ mixing + 0.1
    return x.astype(np.float32), y.astype(np.float32)


def statistics(embeddings: Frames) -> Statistics:
    running = RunningStatistics(embeddings.shape[1])
    running.add(embeddings)
    return running.statistics()


def compare(theirs: dict[str, Any]) -> None:
    """Compare all figures with theirs: FD to 1e-6, and KAD, which they compute in float32, to 1e-4."""
    x, y = given()
    one, other = statistics(x), statistics(y)
    found = frechet_distance(one.mean, one.covariance, other.mean, other.covariance)
    assert found == pytest.approx(theirs["fd_fadtk"], rel=1e-6)
    assert found == pytest.approx(theirs["fd_kadtk"], rel=1e-6)
    assert kernel_distance(x, y) == pytest.approx(theirs["kad"], rel=1e-4)
    assert median_distance(y) == pytest.approx(theirs["median"], rel=1e-6)
    infinity = theirs["infinity"]
    points = tuple((int(size), float(distance)) for size, distance in infinity["points"])
    line = line_through(points)
    assert line.value == pytest.approx(infinity["value"], rel=1e-9)
    assert line.slope == pytest.approx(infinity["slope"], rel=1e-9)
    assert line.r_squared == pytest.approx(infinity["r_squared"], rel=1e-9)
    draw = np.random.RandomState(0).choice
    for size, distance in points:
        some = statistics(y[draw(len(y), size=size, replace=True)])
        found = frechet_distance(one.mean, one.covariance, some.mean, some.covariance)
        assert found == pytest.approx(distance, rel=1e-6)


def test_figures_are_those_that_kadtk_and_fadtk_printed() -> None:
    compare(json.loads(PRINTED.read_text(encoding="utf-8")))


@pytest.mark.slow
@pytest.mark.skipif(os.environ.get("L3EMBED_CLIENTS") != "1", reason="L3EMBED_CLIENTS=1 is not set")
def test_figures_are_those_of_kadtk_and_fadtk_themselves(tmp_path: Path) -> None:
    python = shutil.which("python3.11") if sys.version_info[:2] > LATEST_PYTHON else sys.executable
    if python is None:
        pytest.skip("kadtk needs Python 3.11 or older, and there is none")
    run_child([python, "-m", "venv", tmp_path / "venv"])
    inside = tmp_path / "venv" / ("Scripts" if os.name == "nt" else "bin") / "python"
    run_child([inside, "-m", "pip", "install", "-q", *NEEDED])
    run_child([inside, "-m", "pip", "install", "-q", "--no-deps", *CLIENTS])
    for name, embeddings in zip("xy", given(), strict=True):
        np.save(tmp_path / f"{name}.npy", embeddings)
    told = run_child([inside, SCRIPT, tmp_path / "x.npy", tmp_path / "y.npy"]).stdout
    theirs = json.loads(told.splitlines()[-1])
    assert (theirs["kadtk"], theirs["fadtk"]) == ("1.1.0", "1.1.0")
    compare(theirs)
