"""A web server on loopback that gives ranges, and may answer slowly, wrongly or not at all."""

from __future__ import annotations

import re
import threading
from collections import Counter, deque
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from conftest import PATIENCE_S


class WebServer(ThreadingHTTPServer):
    """Serves a folder's files.

    Attributes
    ----------
    asked : Counter
        How often each path was asked for.
    faults : deque of int
        Statuses of the next answers, in place of files.
    pause : threading.Event
        Is waited for before each answer.
    gives_ranges : bool
        Whether parts of files can be had.
    """

    daemon_threads = True

    def __init__(self, folder: Path) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.folder = folder
        self.asked: Counter[str] = Counter()
        self.faults: deque[int] = deque()
        self.pause = threading.Event()
        self.pause.set()
        self.gives_ranges = True

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: WebServer

    def do_HEAD(self) -> None:
        self._answer(is_head=True)

    def do_GET(self) -> None:
        self.server.asked[self.path] += 1
        self._answer(is_head=False)

    def _answer(self, is_head: bool) -> None:
        self.server.pause.wait(PATIENCE_S)
        path = self.server.folder / self.path.partition("?")[0].lstrip("/")
        if self.server.faults:
            self._send(self.server.faults.popleft(), b"", {}, is_head)
        elif not path.is_file():
            self._send(404, b"", {}, is_head)
        else:
            content = path.read_bytes()
            etag = {"ETag": f'"{path.stat().st_mtime_ns:x}"'}
            found = re.match(r"bytes=(\d+)-(\d+)", self.headers.get("Range", ""))
            if found and self.server.gives_ranges:
                start, end = int(found[1]), int(found[2]) + 1
                part = content[start:end]
                told = {"Content-Range": f"bytes {start}-{start + len(part) - 1}/{len(content)}"}
                self._send(206, part, etag | told, is_head)
            else:
                self._send(200, content, etag, is_head)

    def _send(self, status: int, content: bytes, headers: dict[str, str], is_head: bool) -> None:
        self.send_response(status)
        for name, value in {**headers, "Content-Length": str(len(content))}.items():
            self.send_header(name, value)
        self.end_headers()
        if not is_head:
            self.wfile.write(content)

    def log_message(self, format: str, *arguments: Any) -> None:  # noqa: A002 (its name)
        """Say nothing."""


@contextmanager
def web_server(folder: Path) -> Iterator[WebServer]:
    with WebServer(folder) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()
