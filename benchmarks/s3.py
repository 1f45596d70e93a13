"""A real S3 server (moto's) on loopback, in a process of its own: ``python -m benchmarks.s3``."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

BUCKET = "clips"


@contextmanager
def served(folder: Path) -> Iterator[str]:
    """Serve the files of a folder from a bucket meanwhile; yield its URI, which this process can read."""
    command = [sys.executable, "-m", "benchmarks.s3"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stdin=subprocess.PIPE, text=True) as server:
        try:
            if server.stdout is None:
                raise RuntimeError("The server was started without a pipe to read from.")
            port = int(server.stdout.readline())
            os.environ |= {
                "AWS_ACCESS_KEY_ID": "any",
                "AWS_SECRET_ACCESS_KEY": "any",
                "AWS_DEFAULT_REGION": "us-east-1",
                "AWS_ENDPOINT_URL": f"http://127.0.0.1:{port}",
            }
            _upload(folder)
            yield f"s3://{BUCKET}"
        finally:
            server.kill()


def _upload(folder: Path) -> None:
    import boto3

    client = boto3.client("s3")
    client.create_bucket(Bucket=BUCKET)
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            client.upload_file(str(path), BUCKET, path.relative_to(folder).as_posix())


def main() -> None:
    """Serve until standard input ends."""
    import logging

    from moto.server import ThreadedMotoServer

    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    print(server.get_host_and_port()[1], flush=True)
    sys.stdin.read()


if __name__ == "__main__":
    main()
