"""A small published file, and a web server on this machine that serves it well or badly."""

import gzip
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from conftest import PATIENCE_S

from l3embed.variants import ALL_WEIGHT_SETS, WeightSet
from l3embed.weights import fetch, registry
from l3embed.weights.registry import PublishedFile

Answer = Callable[[BaseHTTPRequestHandler], None]


@pytest.fixture
def weight_set() -> WeightSet:
    return next(weight_set for weight_set in ALL_WEIGHT_SETS if weight_set.name == "audio_mel256_music")


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty cache folder, and an environment that says nothing else."""
    for variable in ("L3EMBED_WEIGHTS", "L3EMBED_WEIGHTS_URL"):
        monkeypatch.delenv(variable, raising=False)
    for variable in ("NO_PROXY", "no_proxy"):
        monkeypatch.setenv(variable, "127.0.0.1")
    folder = tmp_path / "cache"
    monkeypatch.setenv("L3EMBED_CACHE", str(folder))
    return folder


@pytest.fixture(autouse=True)
def waits_s(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The waits between attempts, which are noted instead of waited for."""
    waits: list[float] = []
    monkeypatch.setattr(fetch, "time", SimpleNamespace(sleep=waits.append))
    fetch._attribute_once.cache_clear()
    return waits


def git_hash_object(content: bytes) -> str:
    command = ["git", "hash-object", "--stdin"]
    done = subprocess.run(command, input=content, timeout=PATIENCE_S, capture_output=True, check=True)
    return done.stdout.decode().strip()


@dataclass(frozen=True)
class Published:
    """A stand-in for a published file, with the content that it must be unpacked to."""

    file: PublishedFile
    packed: bytes
    unpacked: bytes
    folder: Path

    @property
    def packed_path(self) -> Path:
        return self.folder / self.file.file_name

    @property
    def unpacked_path(self) -> Path:
        return self.folder / "openl3" / f"openl3_{self.file.weight_set.name}.h5"

    def place(self) -> None:
        """Put the packed file into the cache by hand."""
        self.unpacked_path.parent.mkdir(parents=True)
        self.packed_path.write_bytes(self.packed)

    def left_over(self) -> list[str]:
        """Files in the cache other than locks."""
        paths = (path for path in self.folder.rglob("*") if path.is_file() and path.suffix != ".lock")
        return sorted(path.name for path in paths)


Publish = Callable[..., Published]


@pytest.fixture
def publish(cache: Path, weight_set: WeightSet, monkeypatch: pytest.MonkeyPatch) -> Publish:
    """Make bytes the published file of a weight set."""

    def publish(packed: bytes, unpacked: bytes = b"", of: WeightSet = weight_set) -> Published:
        file = PublishedFile(of, f"openl3_{of.name}-v0_4_0.h5.gz", git_hash_object(packed))
        monkeypatch.setitem(registry.PUBLISHED_FILES, of, file)
        return Published(file, packed, unpacked, cache / "weights" / "published")

    return publish


@pytest.fixture
def published(publish: Publish) -> Published:
    unpacked = np.random.default_rng(0).bytes(600_000)
    return publish(gzip.compress(unpacked, mtime=0), unpacked)


@dataclass
class Mirror:
    """A web server that gives its answers in turn, the last one again and again."""

    url: str
    answers: list[Answer] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    released: threading.Event = field(default_factory=threading.Event)


@pytest.fixture
def mirror() -> Iterator[Mirror]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            served.requests.append(self.path)
            served.headers.append(dict(self.headers))
            answer = served.answers[min(len(served.requests), len(served.answers)) - 1]
            answer(self)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    served = Mirror(f"http://127.0.0.1:{server.server_port}/models")
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield served
    served.released.set()
    server.shutdown()
    thread.join()
    server.server_close()


def sends(body: bytes) -> Answer:
    def answer(request: BaseHTTPRequestHandler) -> None:
        request.send_response(200)
        request.send_header("Content-Length", str(len(body)))
        request.end_headers()
        with suppress(ConnectionError):  # the client may have seen enough
            request.wfile.write(body)

    return answer


def sends_half(body: bytes) -> Answer:
    def answer(request: BaseHTTPRequestHandler) -> None:
        request.send_response(200)
        request.send_header("Content-Length", str(len(body)))
        request.end_headers()
        request.wfile.write(body[: len(body) // 2])
        request.wfile.flush()

    return answer


def refuses(status: int) -> Answer:
    def answer(request: BaseHTTPRequestHandler) -> None:
        request.send_response(status)
        request.send_header("Content-Length", "0")
        request.end_headers()

    return answer


def hangs_up(request: BaseHTTPRequestHandler) -> None:
    request.close_connection = True


def stalls(mirror: Mirror, body: bytes = b"") -> Answer:
    """Send the first half of the body, if there is one, and then nothing until the test ends."""

    def answer(request: BaseHTTPRequestHandler) -> None:
        if body:
            sends_half(body)(request)
        mirror.released.wait(PATIENCE_S)

    return answer
