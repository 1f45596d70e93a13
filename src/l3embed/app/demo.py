"""``make demo``: the whole pipeline on the sample recordings, in a copy that leaves the clone as it was."""

from __future__ import annotations

import shutil
import subprocess
import sys
import time
from pathlib import Path

import numpy as np

from l3embed.app.params import compose_params
from l3embed.errors import OpenL3Error

DEMO = Path("demo")
COPIED = ("conf", "src", "dvc.yaml", ".dvc/config", ".dvcignore", "data/.gitignore", "data/raw/.gitignore")
OVERRIDES = ("weights=random", "model.input_repr=mel128", "windows.hop_s=0.5")
"""Untrained weights, since the published ones need the network; and less to compute than by default."""


def main() -> int:
    """Run the demo and say where its results are; return the exit status."""
    started_s = time.perf_counter()
    try:
        copy_project(Path.cwd(), DEMO)
        _say(f"The project is copied to {DEMO}/, with params.yaml composed from: {' '.join(OVERRIDES)}\n")
        status = subprocess.run((sys.executable, "-m", "dvc", "repro"), cwd=DEMO, check=False).returncode
    except OpenL3Error as error:
        sys.stderr.write(f"demo: error: {error}\n")
        return 1
    if status:
        sys.stderr.write(f"demo: error: 'dvc repro' in {DEMO}/ ended with status {status}.\n")
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


def _closing_words(elapsed_s: float) -> str:
    example = sorted((DEMO / "data" / "export").rglob("*.npz"))[0]
    with np.load(example) as arrays:
        shape, weights = arrays["embedding"].shape, arrays["weights"]
    look = f"import numpy as np; d = np.load('{example}'); print(d['embedding'].shape, d['timestamps'])"
    return f"""
Done in {elapsed_s:.0f} s. {DEMO}/data/export has one .npz a recording, and in manifest.csv what became of it.

Look at one ({shape[0]} embeddings of {shape[1]} numbers, made with the untrained weights {weights}):
  .venv/bin/python -c "{look}"

Go on with your own recordings and the published weights:
  . .venv/bin/activate
  l3embed-params dataset=folder dataset.path=/path/to/recordings weights=published
  dvc repro
"""


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
