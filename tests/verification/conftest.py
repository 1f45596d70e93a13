"""A web server on this machine with stand-ins for the published regression data and weights."""

from __future__ import annotations

import argparse
import gzip
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from conftest import run_child

from l3embed.cli.verify import add_parser
from l3embed.models import running as embedders
from l3embed.variants import WeightSet
from l3embed.verification import regression_files as regression_registry
from l3embed.weights import registry as weights_registry
from l3embed.weights.locating import locate_weights
from l3embed.weights.registry import PublishedFile
from l3embed.weights.source import RandomWeights

Arrays = dict[str, Any]


def git_hash_object(path: Path) -> str:
    command = ["git", "hash-object", "--no-filters", str(path)]
    return run_child(command).stdout.strip()


def run(*arguments: str) -> int:
    """Run ``l3embed verify`` and return its exit status; errors come as exceptions."""
    parser = argparse.ArgumentParser()
    add_parser(parser.add_subparsers(required=True))
    args = parser.parse_args(["verify", *arguments])
    status: int = args.run(args)
    return status


@dataclass(frozen=True)
class Row:
    """A line of the table."""

    difference: str
    tolerance: str
    verdict: str
    note: str


def rows_of(table: str) -> dict[str, Row]:
    """Read a table by the places of its columns' titles."""
    header, *lines = table.splitlines()
    starts = [header.index(title) for title in ("case", "largest", "tolerance", "verdict")]
    ends = [*starts[1:], starts[3] + len("not compared")]
    rows = {}
    for line in lines[: lines.index("")]:
        name, difference, tolerance, verdict = (
            line[start:end].strip() for start, end in zip(starts, ends, strict=True)
        )
        rows[name] = Row(difference, tolerance, verdict, note=line[ends[-1] :].strip())
    return rows


@dataclass
class Project:
    """What the server serves, and what it was asked for."""

    url: str
    folder: Path
    cache: Path
    registry: dict[str, str]
    requests: list[str] = field(default_factory=list)

    def publish(self, path: str, content: bytes | Arrays) -> Path:
        """Serve a file, and pin it."""
        file = self.folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(content, bytes):
            file.write_bytes(content)
        else:
            np.savez(file, **content)
        self.registry[path] = git_hash_object(file)
        return file

    def publish_output(self, name: str, **arrays: Any) -> Path:
        """Serve figures of the reference, and pin them."""
        return self.publish(f"tests/data/regression/{name}.npz", arrays)

    @property
    def left_over(self) -> list[str]:
        """Files in the cache of regression data other than locks."""
        return sorted(path.name for path in self.cache.glob("regression/*") if path.suffix != ".lock")


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Project]:
    """A server of the published layout with nothing on it yet, an empty cache, and an empty registry."""
    served_folder = tmp_path / "served"
    served_folder.mkdir()

    class Handler(SimpleHTTPRequestHandler):
        def log_request(self, *_: object) -> None:
            served.requests.append(self.path)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Handler, directory=str(served_folder)))
    server.daemon_threads = True
    url = f"http://127.0.0.1:{server.server_port}"
    served = Project(url, served_folder, tmp_path / "cache", {})
    for variable in ("NO_PROXY", "no_proxy"):
        monkeypatch.setenv(variable, "127.0.0.1")
    monkeypatch.setenv("L3EMBED_CACHE", str(served.cache))
    monkeypatch.setenv("L3EMBED_REGRESSION_URL", url)
    monkeypatch.setenv("L3EMBED_WEIGHTS_URL", f"{url}/models")
    monkeypatch.delenv("L3EMBED_WEIGHTS", raising=False)
    monkeypatch.setattr(regression_registry, "REGRESSION_FILES", served.registry)
    monkeypatch.setattr("l3embed.verification.published.REGRESSION_FILES", served.registry)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield served
    server.shutdown()
    thread.join()
    server.server_close()


PublishWeights = Callable[[WeightSet], None]


@pytest.fixture
def publish_weights(project: Project, monkeypatch: pytest.MonkeyPatch) -> Iterator[PublishWeights]:
    """Serve the seeded weights of a set as its published ones."""
    # Models are kept by the source of their weights, and this source is not what it is elsewhere.
    embedders.load_network.cache_clear()

    def publish(weight_set: WeightSet) -> None:
        packed = project.folder / "models" / f"openl3_{weight_set.name}-v0_4_0.h5.gz"
        packed.parent.mkdir(exist_ok=True)
        content = locate_weights(weight_set, RandomWeights()).path.read_bytes()
        packed.write_bytes(gzip.compress(content, compresslevel=0, mtime=0))
        file = PublishedFile(weight_set, packed.name, git_hash_object(packed))
        monkeypatch.setitem(weights_registry.PUBLISHED_FILES, weight_set, file)

    yield publish
    embedders.load_network.cache_clear()
