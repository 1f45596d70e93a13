"""Listings of a bucket, against a real S3 server on loopback, and one that is slow or refuses."""

from __future__ import annotations

from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from socketserver import ThreadingTCPServer
from threading import Thread
from typing import Any

import pytest

from l3embed.errors import OpenL3Error
from l3embed.listings import remote
from l3embed.listings.fetching import Opening, forget_fetched
from l3embed.listings.listing_maker import make_listing
from l3embed.listings.listing_table import read_listing
from l3embed.listings.location import parse_location
from l3embed.listings.wanted import Wanted

from .conftest import FILES, content

pytest.importorskip("s3fs")
moto_server = pytest.importorskip("moto.server")


@pytest.fixture(autouse=True)
def credentials(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "any")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    monkeypatch.setattr(remote, "RETRY_WAITS_S", (0.0, 0.0))
    remote.file_system.cache_clear()
    yield
    forget_fetched()
    remote.file_system.cache_clear()


@pytest.fixture
def bucket(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """A bucket with the folder's files in it, and its client."""
    import boto3

    server = moto_server.ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://{host}:{port}")
    client = boto3.client("s3")
    client.create_bucket(Bucket="clips")
    for path in folder.iterdir():
        if path.is_file():
            client.upload_file(str(path), "clips", f"in/{path.name}")
    yield client
    server.stop()


def wanted(text: str, **facts: Any) -> Wanted:
    return Wanted(parse_location(text, Path()), **facts)


def test_a_bucket_is_listed_and_its_files_and_members_are_fetched(bucket: Any, tmp_path: Path) -> None:
    listing = tmp_path / "lists" / "clips.parquet"
    made = make_listing("s3://clips/in", listing, lambda name: name.endswith(".wav"))
    assert made.rows == 2 * FILES
    rows = read_listing(listing).table.to_pylist()
    assert sorted(row["path"] for row in rows)[0] == "s3://clips/in/0.wav"
    for row in rows:
        number = int(row["path"].partition("::")[0].rpartition("/")[2].removesuffix(".wav"))
        with Opening(wanted(row["path"], bytes=row["bytes"], offset=row["offset"])) as path:
            assert path.read_bytes() == content(number)

    bucket.put_object(Bucket="clips", Key="in/3.wav", Body=b"x" * 1003)
    made = make_listing("s3://clips/in", listing, lambda name: name.endswith(".wav"))
    assert (made.new, made.changed, made.unchanged, made.gone) == (0, 1, 2 * FILES - 1, 0)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("s3://clips/in/gone.wav", r"There is no s3://clips/in/gone\.wav"),
        ("s3://nothing/in/gone.wav", "There is no s3://nothing"),
        ("tar://gone.wav::s3://clips/in/shard.tar", r"There is no gone\.wav in the shard"),
    ],
)
def test_what_is_not_there_is_told(text: str, reason: str, bucket: Any) -> None:
    with pytest.raises(OpenL3Error, match=reason), Opening(wanted(text)):
        pass


def test_a_bucket_that_is_not_there_cannot_be_listed(bucket: Any, tmp_path: Path) -> None:
    with pytest.raises(OpenL3Error, match="s3://nothing"):
        make_listing("s3://nothing/in", tmp_path / "clips.csv", lambda name: True)


class Refusing(ThreadingTCPServer):
    """Answers every question with one status and S3's words for it."""

    daemon_threads = allow_reuse_address = True

    def __init__(self, status: int, code: str) -> None:
        super().__init__(("127.0.0.1", 0), _Refusal)
        self.status, self.code, self.asked = status, code, 0


class _Refusal(BaseHTTPRequestHandler):
    server: Refusing

    def do_GET(self) -> None:
        self.server.asked += 1
        code = self.server.code
        body = f"<Error><Code>{code}</Code><Message>{code}!</Message></Error>".encode()
        self.send_response(self.server.status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body if self.command == "GET" else b"")

    do_HEAD = do_GET  # noqa: N815 (its name)

    def log_message(self, format: str, *arguments: Any) -> None:  # noqa: A002 (its name)
        """Say nothing."""


@pytest.mark.parametrize(
    ("status", "code", "asked", "reason"),
    [
        (503, "SlowDown", 3, "could not be fetched in several attempts"),
        (400, "ExpiredToken", 1, "may not be read: .*[Ee]xpired.*Look at your credentials"),
        (403, "AccessDenied", 1, "may not be read: .*Look at your credentials"),
        (403, "InvalidAccessKeyId", 1, "may not be read: .*Look at your credentials"),
    ],
)
def test_what_a_server_says_is_told_and_asked_again_only_if_it_may_pass(
    status: int, code: str, asked: int, reason: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Refusing(status, code) as server:
        thread = Thread(target=server.serve_forever, daemon=True)
        thread.start()
        monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{server.server_address[1]}")
        with pytest.raises(OpenL3Error, match=reason), Opening(wanted(f"s3://clips/{code}.wav")):
            pass
        server.shutdown()
        thread.join()
    assert server.asked == asked


def test_without_credentials_that_is_told(
    bucket: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))
    with (
        pytest.raises(OpenL3Error, match=r"may not be read: .*Look at your credentials"),
        Opening(wanted("s3://clips/in/3.wav")),
    ):
        pass
