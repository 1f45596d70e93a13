"""A folder of small files, and a web server for them."""

from __future__ import annotations

import tarfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from l3embed.listings import remote
from l3embed.listings.fetching import forget_fetched

from .servers import WebServer, web_server

FILES = 12


def content(number: int) -> bytes:
    return bytes([number]) * (1000 + number)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Files, and a shard of them."""
    for number in range(FILES):
        (tmp_path / f"{number}.wav").write_bytes(content(number))
    with tarfile.open(tmp_path / "shard.tar", "w") as shard:
        for number in range(FILES):
            shard.add(tmp_path / f"{number}.wav", f"a/{number}.wav")
    return tmp_path


@pytest.fixture
def web(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[WebServer]:
    """The folder on a web server; attempts follow one another at once."""
    pytest.importorskip("aiohttp")
    monkeypatch.setattr(remote, "RETRY_WAITS_S", (0.0, 0.0, 0.0))
    with web_server(folder) as server:
        yield server
    forget_fetched()
