"""Two runs into one folder: the second waits, before it touches anything, until the first has ended."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from conftest import child
from stages.conftest import REPOSITORY
from store.conftest import another_process, first_line

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such locks")

PATIENCE_S = 120
PIPELINE = ("-m", "l3embed.app.run")
SETTINGS = ("weights=random", "dataset=folder", "dataset.path=sounds")
OTHER_RUN = """
import sys
from pathlib import Path
from l3embed.store.claims import only_writer
with only_writer(Path(sys.argv[1])):
    print("writing", flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    shutil.copytree(REPOSITORY / "conf", tmp_path / "conf")
    shutil.copy(REPOSITORY / "params.yaml", tmp_path)
    return tmp_path


@contextmanager
def running(project: Path, *arguments: str) -> Iterator[subprocess.Popen[str]]:
    environment = {**os.environ, "L3EMBED_STORE": str(project / "store")}
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT}
    with child([sys.executable, *arguments], cwd=project, env=environment, **pipes) as process:
        yield process


@pytest.mark.parametrize(
    ("folder", "arguments"),
    [
        pytest.param("data", ("-m", "l3embed.app.stage", "report"), id="stage"),
        pytest.param("runs", (*PIPELINE, "hydra.run.dir=runs", *SETTINGS), id="run"),
        pytest.param("runs", (*PIPELINE, "-m", "hydra.sweep.dir=runs", *SETTINGS), id="sweep"),
    ],
)
def test_the_second_waits_until_the_first_is_killed(
    project: Path, folder: str, arguments: tuple[str, ...]
) -> None:
    kept = project / folder / "0" / "outcome.json"
    kept.parent.mkdir(parents=True)
    kept.write_text("{}")
    with another_process(OTHER_RUN, project / folder) as first:
        assert first_line(first) == "writing"
        with running(project, *arguments) as second:
            assert second.stdout
            while not (line := second.stdout.readline()).startswith("Waiting for another run"):
                assert line
            assert line == f"Waiting for another run that writes into {folder}.\n"
            assert kept.exists()
            first.kill()
            second.communicate(timeout=PATIENCE_S)  # which ends with an error: there is nothing to embed
            assert second.returncode == 1
