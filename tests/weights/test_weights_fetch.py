"""Fetching published weights from servers that behave well or badly."""

import errno
import gzip
import re
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, redirect_stderr, suppress
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import pytest
from conftest import PATIENCE_S, Terminal, child, wait_until
from urllib3.util import connection

from l3embed.errors import OpenL3Error, OpenL3Warning
from l3embed.variants import ALL_WEIGHT_SETS, WeightSet
from l3embed.weights import fetch, unpack
from l3embed.weights.locating import locate_weights
from l3embed.weights.source import PublishedWeights, RandomWeights

from .conftest import (
    Answer,
    Mirror,
    Publish,
    Published,
    hangs_up,
    refuses,
    sends,
    sends_half,
    stalls,
)

CHILD = """
import sys
from l3embed.variants import ALL_WEIGHT_SETS
from l3embed.weights import cache, locating, registry, source

cache.PATIENCE_S = 0
name, file_name, git_blob, url = sys.argv[1:]
weight_set = next(candidate for candidate in ALL_WEIGHT_SETS if candidate.name == name)
registry.PUBLISHED_FILES[weight_set] = registry.PublishedFile(weight_set, file_name, git_blob)
sys.stdout.write(str(locating.locate_weights(weight_set, source.PublishedWeights(url), verbose=False).path))
"""


@contextmanager
def locating(published: Published, mirror: Mirror) -> Iterator[subprocess.Popen[str]]:
    """Locate weights in another process, which says at once if it has to wait for another."""
    file = published.file
    arguments = [file.weight_set.name, file.file_name, file.git_blob, mirror.url]
    command = [sys.executable, "-c", CHILD, *arguments]
    with child(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        yield process


def fails(weight_set: WeightSet, url: str) -> str:
    """Locate weights, which must fail, and return the message."""
    with pytest.raises(OpenL3Error) as caught:
        locate_weights(weight_set, PublishedWeights(url), verbose=False)
    return str(caught.value)


def test_fetches_and_unpacks(weight_set: WeightSet, published: Published, mirror: Mirror) -> None:
    mirror.answers = [sends(published.packed)]
    located = locate_weights(weight_set, PublishedWeights(mirror.url))
    assert located.path.read_bytes() == published.unpacked
    assert mirror.requests == ["/models/openl3_audio_mel256_music-v0_4_0.h5.gz"]
    assert located.trained
    assert located.identity == f"published:v0_4_0:{published.file.git_blob}"


def test_keeps_the_packed_file_and_nothing_else(
    weight_set: WeightSet, published: Published, mirror: Mirror
) -> None:
    mirror.answers = [sends(published.packed)]
    locate_weights(weight_set, PublishedWeights(mirror.url))
    assert published.packed_path.read_bytes() == published.packed
    assert published.left_over() == [published.packed_path.name, published.unpacked_path.name]


def test_asks_for_the_file_as_it_is(weight_set: WeightSet, published: Published, mirror: Mirror) -> None:
    mirror.answers = [sends(published.packed)]
    locate_weights(weight_set, PublishedWeights(mirror.url))
    assert mirror.headers[0]["Accept-Encoding"] == "identity"


def test_the_environment_names_the_base_address(
    weight_set: WeightSet, published: Published, mirror: Mirror, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("L3EMBED_WEIGHTS_URL", mirror.url + "/")
    mirror.answers = [sends(published.packed)]
    locate_weights(weight_set, PublishedWeights())
    assert mirror.requests == [f"/models/{published.file.file_name}"]


def test_names_the_authors_once_a_process(
    publish: Publish, mirror: Mirror, capfd: pytest.CaptureFixture[str]
) -> None:
    for weight_set in ALL_WEIGHT_SETS[:2]:
        packed = gzip.compress(weight_set.name.encode())
        publish(packed, of=weight_set)
        mirror.answers.append(sends(packed))
    for weight_set in ALL_WEIGHT_SETS[:2]:
        locate_weights(weight_set, PublishedWeights(mirror.url), verbose=False)
    lines = capfd.readouterr().err.splitlines()
    assert len(lines) == 1
    for word in ("Cramer", "Wu", "Salamon", "Bello", "OpenL3", "CC BY 4.0"):
        assert word in lines[0]


def test_on_a_terminal_all_attempts_draw_one_bar_of_the_bytes(
    weight_set: WeightSet, published: Published, mirror: Mirror
) -> None:
    mirror.answers = [refuses(503), sends_half(published.packed), sends(published.packed)]
    with redirect_stderr(Terminal()) as terminal:
        locate_weights(weight_set, PublishedWeights(mirror.url), verbose=True)
    # A bar that another test has left open moves this one down: each drawing goes down to its line, and back.
    drawn = re.sub(r"\n+(\r[^\n\x1b]*)(?:\x1b\[A)+", r"\1", terminal.getvalue())
    lines = [line for line in drawn.split("\n") if published.file.file_name in line]
    assert len(lines) == 1
    assert re.search(r"100%\|[^|]*\| (\S+)/\1 \[", lines[0].split("\r")[-1])


def test_in_a_log_a_download_is_one_line(
    weight_set: WeightSet, published: Published, mirror: Mirror, capfd: pytest.CaptureFixture[str]
) -> None:
    mirror.answers = [sends_half(published.packed), sends_without_a_size(published.packed)]
    locate_weights(weight_set, PublishedWeights(mirror.url), verbose=True)
    name, size_mb = published.file.file_name, len(published.packed) / 1e6
    lines = [line for line in capfd.readouterr().err.splitlines() if name in line]
    assert lines == [f"{name}: {size_mb:.1f} MB fetched."]


def test_a_download_that_fails_draws_nothing_in_a_log(
    weight_set: WeightSet, published: Published, mirror: Mirror, capfd: pytest.CaptureFixture[str]
) -> None:
    mirror.answers = [sends_half(published.packed)]
    with pytest.raises(OpenL3Error, match="Could not fetch"):
        locate_weights(weight_set, PublishedWeights(mirror.url), verbose=True)
    assert not capfd.readouterr().err


def test_random_weights_draw_nothing(capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.warns(OpenL3Warning, match="untrained"), redirect_stderr(Terminal()) as terminal:
        locate_weights(ALL_WEIGHT_SETS[0], RandomWeights(12), verbose=True)
    assert not terminal.getvalue()
    assert not capfd.readouterr().err


FAULTS: dict[str, tuple[Answer, str, int]] = {
    "404": (refuses(404), "the server answered 404 Not Found", 1),
    "403": (refuses(403), "the server answered 403 Forbidden", 1),
    "500": (refuses(500), "the server answered 500 Internal Server Error", 3),
    "reset": (hangs_up, "ConnectionError", 3),
    "altered": (sends(b"another file"), "12 bytes with the git blob id cdcb28483da7", 1),
    "empty": (sends(b""), "0 bytes with the git blob id e69de29bb2d1d6434b8b", 1),
}
"""By name: what the server does, what the error says of it, and how often it is tried."""


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_is_told_in_full_and_leaves_nothing(
    fault: str, weight_set: WeightSet, published: Published, mirror: Mirror
) -> None:
    answer, what_came, attempts = FAULTS[fault]
    mirror.answers = [answer]
    message = fails(weight_set, mirror.url)
    assert what_came in message
    assert f"{mirror.url}/{published.file.file_name}" in message
    assert published.file.git_blob in message
    for remedy in ("L3EMBED_WEIGHTS_URL", f"into {published.folder} by hand", "L3EMBED_WEIGHTS=random"):
        assert remedy in message
    assert len(mirror.requests) == attempts
    assert published.left_over() == []


def test_a_truncated_download_is_tried_again_and_told(
    weight_set: WeightSet, published: Published, mirror: Mirror, waits_s: list[float]
) -> None:
    mirror.answers = [sends_half(published.packed)]
    message = fails(weight_set, mirror.url)
    assert f"IncompleteRead({len(published.packed) // 2} bytes read" in message
    assert waits_s == [1, 2]
    assert published.left_over() == []


@pytest.mark.parametrize("has_begun", [False, True], ids=["before_answering", "amid_the_file"])
def test_a_stalled_server_times_out(
    has_begun: bool,
    weight_set: WeightSet,
    published: Published,
    mirror: Mirror,
    waits_s: list[float],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    if has_begun:
        shorten_the_wait_for_more(monkeypatch)
    else:
        monkeypatch.setattr(fetch, "TIMEOUT_S", 0.1)
    mirror.answers = [stalls(mirror, published.packed if has_begun else b"")]
    message = fails(weight_set, mirror.url)
    assert ("Read timed out" if has_begun else "did not answer within 0.1 s") in message
    assert waits_s == [1, 2]  # between three attempts
    assert published.left_over() == []


def shorten_the_wait_for_more(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the client wait long for an answer, and then not for more of it."""
    sockets = []
    connect, save = connection.create_connection, fetch._save

    def keep(*arguments: Any, **options: Any) -> socket.socket:
        sockets.append(connect(*arguments, **options))
        return sockets[-1]

    def save_in_haste(*arguments: Any, **options: Any) -> int:
        sockets[-1].settimeout(0.1)
        return save(*arguments, **options)

    monkeypatch.setattr(fetch, "TIMEOUT_S", PATIENCE_S)
    monkeypatch.setattr(connection, "create_connection", keep)
    monkeypatch.setattr(fetch, "_save", save_in_haste)


def test_a_passing_fault_is_overcome(weight_set: WeightSet, published: Published, mirror: Mirror) -> None:
    mirror.answers = [refuses(503), sends_half(published.packed), sends(published.packed)]
    located = locate_weights(weight_set, PublishedWeights(mirror.url))
    assert located.path.read_bytes() == published.unpacked


def test_a_refused_connection_is_told(weight_set: WeightSet, published: Published) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        message = fails(weight_set, f"http://127.0.0.1:{unused.getsockname()[1]}")
    assert "refused" in message
    assert "L3EMBED_WEIGHTS_URL" in message
    assert published.left_over() == []


def sends_without_a_size(body: bytes) -> Answer:
    def answer(request: BaseHTTPRequestHandler) -> None:
        request.send_response(200)
        request.end_headers()
        with suppress(ConnectionError):
            request.wfile.write(body)

    return answer


@pytest.mark.parametrize("send", [sends, sends_without_a_size])
def test_an_oversized_download_stops_at_the_limit(
    send: Callable[[bytes], Answer],
    weight_set: WeightSet,
    published: Published,
    mirror: Mirror,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(fetch, "MAX_PACKED_BYTES", 100_000)
    mirror.answers = [send(published.packed)]
    assert "more than 100000 bytes, the limit" in fails(weight_set, mirror.url)
    assert len(mirror.requests) == 1
    assert published.left_over() == []


@pytest.mark.parametrize(
    "url", ["ftp://127.0.0.1/models", "file:///models", "models", "http://", "http://[::1"]
)
def test_a_base_address_must_be_http(url: str, weight_set: WeightSet, published: Published) -> None:
    message = fails(weight_set, url)
    assert "http:// or https://" in message
    assert repr(url) in message


def test_a_full_disk_names_the_folder_and_the_need(
    weight_set: WeightSet, published: Published, mirror: Mirror, monkeypatch: pytest.MonkeyPatch
) -> None:
    def save(*arguments: object, **options: object) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(fetch, "_save", save)
    mirror.answers = [sends(published.packed)]
    message = fails(weight_set, mirror.url)
    assert f"No space is left in {published.folder}" in message
    assert "40 MB" in message
    assert published.left_over() == []


def test_what_is_not_gzip_is_told(weight_set: WeightSet, publish: Publish, mirror: Mirror) -> None:
    published = publish(b"no gzip")
    mirror.answers = [sends(published.packed)]
    assert "must be a gzip file" in fails(weight_set, mirror.url)
    assert published.left_over() == [published.packed_path.name]


def test_a_gzip_bomb_stops_at_the_limit(
    weight_set: WeightSet, publish: Publish, mirror: Mirror, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(unpack, "MAX_UNPACKED_BYTES", 100_000)
    published = publish(gzip.compress(bytes(100_001)))
    mirror.answers = [sends(published.packed)]
    assert "more than 100000 bytes, the limit" in fails(weight_set, mirror.url)
    assert published.left_over() == [published.packed_path.name]


def test_a_damaged_file_is_told_and_replaced(
    weight_set: WeightSet, published: Published, mirror: Mirror
) -> None:
    published.place()
    published.packed_path.write_bytes(published.packed[:-1])
    mirror.answers = [sends(published.packed)]
    with pytest.warns(OpenL3Warning, match="truncated or another file"):
        located = locate_weights(weight_set, PublishedWeights(mirror.url))
    assert located.path.read_bytes() == published.unpacked


def test_two_processes_fetch_once(published: Published, mirror: Mirror) -> None:
    asked = threading.Event()

    def answer(request: BaseHTTPRequestHandler) -> None:
        asked.set()
        mirror.released.wait(PATIENCE_S)
        sends(published.packed)(request)

    mirror.answers = [answer, sends(published.packed)]
    with locating(published, mirror) as first, ExitStack() as later:
        assert asked.wait(PATIENCE_S)
        second = later.enter_context(locating(published, mirror))
        assert second.stderr
        assert second.stderr.readline().startswith("Waiting for another process that is making ")
        mirror.released.set()
        outputs = [process.communicate()[0] for process in (first, second)]
    assert outputs == [str(published.unpacked_path)] * 2
    assert len(mirror.requests) == 1
    assert published.unpacked_path.read_bytes() == published.unpacked


def test_a_killed_download_leaves_no_weight_file(
    weight_set: WeightSet, published: Published, mirror: Mirror
) -> None:
    mirror.answers = [stalls(mirror, published.packed), sends(published.packed)]
    with locating(published, mirror) as process:
        wait_until(
            lambda: any(path.stat().st_size for path in published.folder.glob(".*.tmp")),
            process,
        )
    assert list(published.folder.glob("openl3*")) == []
    assert locate_weights(weight_set, PublishedWeights(mirror.url)).path.read_bytes() == published.unpacked
    assert set(published.left_over()) == {published.unpacked_path.name, published.packed_path.name}


def test_the_cache_folder_may_be_unusable(
    weight_set: WeightSet, published: Published, cache: Path, mirror: Mirror
) -> None:
    cache.write_text("a file where the folder should be")
    message = fails(weight_set, mirror.url)
    assert str(published.folder) in message
    assert "L3EMBED_CACHE" in message
