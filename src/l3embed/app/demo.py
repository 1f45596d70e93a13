"""``make demo``: the whole pipeline on the sample dataset, in a copy that leaves the clone as it was."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import soundfile

from l3embed.app.params import compose_params
from l3embed.disk.folders import STORE_VARIABLE
from l3embed.errors import OpenL3Error

DEMO = Path("demo")
COPIED = ("conf", "src", "dvc.yaml", ".dvc/config", ".dvcignore", "data/.gitignore", "data/raw/.gitignore")
DATASET = Path("data", "raw", "demo")
OVERRIDES = (
    "experiment=quick",
    "model.input_repr=mel128",
    "dataset=folder",
    f"dataset.path={DATASET.as_posix()}",
)
"""Untrained weights, since the published ones need the network; and less to compute than by default."""

ADDED = DATASET / "bells" / "bells_01 backwards.wav"
"""A file that joins the dataset after the first run."""

ADDED_FROM = DATASET / "bells" / "bells_01.wav"
SWEEP = ("l3embed.app.run", "-m", *OVERRIDES, "report.projection=pca", "model.audio_embedding_size=512,6144")


def main() -> int:
    """Run the demo and say where its results are; return the exit status."""
    started_s = time.perf_counter()
    try:
        copy_project(Path.cwd(), DEMO)
        _say(f"The project is copied to {DEMO}/, with params.yaml composed from: {' '.join(OVERRIDES)}")
        (DEMO / ADDED).unlink(missing_ok=True)
        _show("A dataset of sounds, pictures and a video", "l3embed", "sample", DATASET.as_posix())
        _show("All of it embedded, evaluated and drawn", "dvc", "repro")
        add_recording(DEMO)
        _show(f"Once more, with one more file: {ADDED.name}", "dvc", "repro")
        _show("Two variants; what they share is taken from the store", *SWEEP)
        _show("What DVC knows of it", "dvc", "metrics", "show")
    except OpenL3Error as error:
        sys.stderr.write(f"demo: error: {error}\n")
        return 1
    _say(_closing_words(time.perf_counter() - started_s))
    return 0


def copy_project(project: Path, copy: Path) -> None:
    """Copy what the pipeline needs to a folder of its own, with settings of its own.

    The copy keeps its data, so that a second demo does what DVC says is left to do.

    Raises
    ------
    OpenL3Error
        If `project` is not the project's folder.
    """
    for name in COPIED:
        source, target = project / name, copy / name
        if not source.exists():
            raise OpenL3Error(f"There is no {source}. Run 'make demo' in the project's folder.")
        target.parent.mkdir(parents=True, exist_ok=True)
        if source.is_dir():
            shutil.rmtree(target, ignore_errors=True)
            shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy2(source, target)
    # The copy is nobody's git repository, even where the clone is one.
    (copy / ".dvc" / "config.local").write_text("[core]\n    no_scm = true\n", encoding="utf-8")
    (copy / "params.yaml").write_text(compose_params(copy / "conf", OVERRIDES), encoding="utf-8")


def add_recording(project: Path) -> None:
    """Add a file to the dataset: one of its clips, backwards."""
    samples, sample_rate_hz = soundfile.read(project / ADDED_FROM)
    soundfile.write(project / ADDED, samples[::-1], sample_rate_hz)


def _show(title: str, module: str, *arguments: str) -> None:
    """Run a command in the copy, under a title.

    Raises
    ------
    OpenL3Error
        If it fails.
    """
    name = {"l3embed.app.run": "l3embed-pipeline"}.get(module, module)
    command = " ".join((name, *arguments))
    _say(f"\n== {title}\n$ {command}")
    environment = {**os.environ, STORE_VARIABLE: str((DEMO / "store").resolve())}
    done = subprocess.run(  # noqa: S603 the commands are this module's own
        (sys.executable, "-m", module, *arguments), cwd=DEMO, env=environment, check=False
    )
    if done.returncode:
        raise OpenL3Error(f"'{command}' in {DEMO}/ ended with status {done.returncode}.")


def _closing_words(elapsed_s: float) -> str:
    sweep = max((DEMO / "sweeps").iterdir())
    return f"""
Done in {elapsed_s:.0f} s, with untrained weights. Look at
  {DEMO}/data/report/index.html   what was computed: open it in a browser
  {DEMO}/data/export              one .npz an input, and manifest.csv
  {sweep}/sweep.png

Go on with your own files and the published weights:
  . .venv/bin/activate
  l3embed-params dataset=folder dataset.path=/path/to/files weights=published
  dvc repro

The report of this demo: {(DEMO / "data" / "report" / "index.html").resolve()}
"""


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
