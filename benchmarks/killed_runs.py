"""The runs that `benchmarks.kills` kills: each in a folder of its own, which it needs nothing else than."""

from __future__ import annotations

import gzip
import json
import os
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import IO, Any

import numpy as np

from benchmarks import inputs
from l3embed.variants import ALL_WEIGHT_SETS

REPOSITORY = Path(__file__).parents[1]
PROJECT = ("conf", "src/l3embed", "dvc.yaml", ".dvc/config", ".dvcignore", ".gitignore", "data/.gitignore")
PYTHON_M = (sys.executable, "-m")
SETTINGS = (
    "experiment=quick",
    "windows.hop_s=0.5",
    "model.input_repr=mel128",
    "dataset=folder",
    "dataset.path=dataset",
    "export=parquet",
    "report.projection=pca",
)
OPTIONS = ("--recursive", "-i", "mel128", "-o", "out")
AUDIO_OPTIONS = ("--audio-embedding-size", "512", "--audio-hop-size", "0.5")
IMAGE_OPTIONS = ("--image-embedding-size", "512")

WEIGHTS_BYTES = 3_000_000
CHUNK_BYTES = 1 << 16
CHUNK_S = 0.003
"""The server's pause behind each chunk, so that there is time to be killed in."""

FETCH = """
import json, sys
from pathlib import Path
from l3embed.cli.main import main
from l3embed.weights.registry import PUBLISHED_FILES, PublishedFile
pins = json.loads(Path("pins.json").read_text())
for weight_set in list(PUBLISHED_FILES):
    PUBLISHED_FILES[weight_set] = PublishedFile(weight_set, *pins[weight_set.name])
sys.exit(main(["weights", "fetch"]))
"""
"""``l3embed weights fetch``, for which other files are the published ones."""


@dataclass(frozen=True)
class Kind:
    """Commands that are killed, each begun when the one before it has ended.

    Parameters
    ----------
    name : str
        What it is called in the table.
    commands : sequence of sequences of str
        Run in a copy of the template.
    template : Path
        A folder with all that they read.
    roots : sequence of str
        The folders below it that are compared.
    """

    name: str
    commands: Sequence[Sequence[str]]
    template: Path
    roots: Sequence[str]


@contextmanager
def all_kinds(folder: Path) -> Iterator[list[Kind]]:
    """Prepare all kinds of runs in a folder; a server serves weights meanwhile."""
    dataset = folder / "dataset"
    write_dataset(dataset)
    with _serving(folder / "served") as url:
        yield [
            Kind(
                "l3embed-pipeline",
                [[*PYTHON_M, "l3embed.app.run", "hydra.run.dir=run", *SETTINGS]],
                _pipeline(folder / "pipeline", dataset),
                ["run"],
            ),
            Kind("dvc repro", [[*PYTHON_M, "dvc", "repro"]], _dvc(folder / "dvc", dataset), ["data"]),
            Kind(
                "command lines",
                [
                    [*PYTHON_M, "l3embed", "audio", "dataset", *OPTIONS, *AUDIO_OPTIONS],
                    [*PYTHON_M, "l3embed", "image", "dataset", *OPTIONS, *IMAGE_OPTIONS],
                    [*PYTHON_M, "l3embed", "video", "dataset", *OPTIONS, *AUDIO_OPTIONS, *IMAGE_OPTIONS],
                ],
                _command_lines(folder / "command_lines", dataset),
                ["out"],
            ),
            Kind(
                "weight fetches",
                [[sys.executable, "-c", FETCH]],
                _fetches(folder / "fetches", folder / "served", url),
                ["cache"],
            ),
        ]


def environment(folder: Path) -> dict[str, str]:
    """Return the environment of a run: nothing of it lies outside its folder."""
    named = {
        f"GIT_{role}_{what}": "kills@localhost"
        for role in ("AUTHOR", "COMMITTER")
        for what in ("NAME", "EMAIL")
    }
    address = folder / "url"
    return {
        **os.environ,
        **named,
        "DVC_GLOBAL_CONFIG_DIR": str(folder / "dvc_global"),
        "DVC_NO_ANALYTICS": "1",
        "DVC_SITE_CACHE_DIR": str(folder / "dvc_site"),
        "DVC_SYSTEM_CONFIG_DIR": str(folder / "dvc_system"),
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_CONFIG_NOSYSTEM": "1",
        "L3EMBED_CACHE": str(folder / "cache"),
        "L3EMBED_STORE": str(folder / "store"),
        "L3EMBED_WEIGHTS": "published" if address.exists() else "random",
        "L3EMBED_WEIGHTS_URL": address.read_text() if address.exists() else "",
        "NO_PROXY": "127.0.0.1",
        "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]]),
        "PYTHONUTF8": "1",
    }


def write_dataset(folder: Path) -> None:
    """Write sounds, pictures and a video in two classes, with one broken file."""
    import imageio_ffmpeg

    for number, label in enumerate(("high", "low")):
        inputs.write_clips(folder / label, 6, 0.4 + number, 3.0)
        inputs.write_photographs(folder / label, 3)
    (folder / "low" / "broken.wav").write_bytes(b"RIFF")
    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-loglevel", "error"]
    command += ["-f", "lavfi", "-i", "testsrc2=size=128x96:rate=4:duration=1.5"]
    command += ["-f", "lavfi", "-i", "sine=frequency=440:duration=1.5", "-pix_fmt", "yuv420p"]
    subprocess.run([*command, str(folder / "high" / "clip.mp4")], check=True, stdin=subprocess.DEVNULL)


def _pipeline(folder: Path, dataset: Path) -> Path:
    shutil.copytree(REPOSITORY / "conf", folder / "conf")
    shutil.copytree(dataset, folder / "dataset")
    return folder


def _dvc(folder: Path, dataset: Path) -> Path:
    from l3embed.app.params import compose_params

    for name in PROJECT:
        source, target = REPOSITORY / name, folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        if source.is_dir():
            shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy2(source, target)
    shutil.copytree(dataset, folder / "dataset")
    (folder / "params.yaml").write_text(compose_params(folder / "conf", SETTINGS), encoding="utf-8")
    for command in (["init", "--quiet"], ["add", "--all"], ["commit", "--quiet", "--message=begin"]):
        subprocess.run(["git", *command], cwd=folder, env=environment(folder), check=True)
    return folder


def _command_lines(folder: Path, dataset: Path) -> Path:
    shutil.copytree(dataset, folder / "dataset")
    return folder


def _fetches(folder: Path, served: Path, url: str) -> Path:
    folder.mkdir()
    served.mkdir()
    pins = {}
    for number, weight_set in enumerate(ALL_WEIGHT_SETS):
        name = f"openl3_{weight_set.name}-v0_4_0.h5.gz"
        content = np.random.default_rng(number).bytes(WEIGHTS_BYTES)
        (served / name).write_bytes(gzip.compress(content, compresslevel=0, mtime=0))
        hashed = subprocess.run(
            ["git", "hash-object", "--no-filters", str(served / name)],
            check=True,
            capture_output=True,
            text=True,
        )
        pins[weight_set.name] = (name, hashed.stdout.strip())
    (folder / "pins.json").write_text(json.dumps(pins), encoding="utf-8")
    (folder / "url").write_text(url, encoding="utf-8")
    return folder


class _SlowHandler(SimpleHTTPRequestHandler):
    def copyfile(self, source: IO[bytes], outputfile: IO[bytes]) -> None:  # type: ignore[override]
        while chunk := source.read(CHUNK_BYTES):
            try:
                outputfile.write(chunk)
            except ConnectionError:  # the client was killed
                return
            time.sleep(CHUNK_S)

    def log_message(self, *_: Any) -> None:
        pass


@contextmanager
def _serving(folder: Path) -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(_SlowHandler, directory=str(folder)))
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
