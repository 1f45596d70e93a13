"""Bring one file with a known git blob id into a folder, or say clearly why that failed."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from l3embed.disk.checksums import git_blob_id
from l3embed.errors import OpenL3Error
from l3embed.progress import progress_bar, say
from l3embed.weights.registry import ATTRIBUTION, PublishedFile
from l3embed.weights.source import SOURCE_VARIABLE, URL_VARIABLE

if TYPE_CHECKING:
    import logging

    import requests
    from tqdm import tqdm

TIMEOUT_S = 30.0
"""How long the server may be silent."""

RETRIES = 2
"""Further attempts after a transient fault; pooch waits 1 s before the first and 2 s before the second."""

CHUNK_BYTES = 1 << 18

MAX_PACKED_BYTES = 64 << 20
"""Limit of a download; no published weight file has more than the 19 MB that it unpacks to."""

TRANSIENT_STATUSES = (408, 425, 429)
"""Answers below 500 that ask for another attempt."""


@dataclass(frozen=True)
class Download:
    """What is fetched, from where to where.

    Parameters
    ----------
    file_name : str
        Name of the file, there and here.
    git_blob : str
        The git blob id that its bytes must have.
    base_url : str
        Address of the folder that it is in, without a slash at its end.
    folder : Path
        Where it goes.
    url_variable : str
        Environment variable that names another base address.
    last_resort : str
        What to do if it cannot be had at all.
    """

    file_name: str
    git_blob: str
    base_url: str
    folder: Path
    url_variable: str
    last_resort: str

    @property
    def url(self) -> str:
        """Address of the file."""
        return f"{self.base_url}/{self.file_name}"

    def failure(self, what_came: str) -> OpenL3Error:
        """Return the error that says what was wanted, what came and what to do."""
        return OpenL3Error(
            f"Could not fetch {self.file_name} from {self.url}: {what_came}. "
            f"Expected the file with the git blob id {self.git_blob}. "
            f"Set {self.url_variable} to another base address, or put {self.file_name} into {self.folder} "
            f"by hand, or {self.last_resort}."
        )


def fetch_published(file: PublishedFile, base_url: str, folder: Path, *, verbose: bool = True) -> Path:
    """Fetch a published weight file into a folder, name its authors, and return its path.

    Raises
    ------
    OpenL3Error, OSError
        As `fetch`.
    """
    path = fetch(
        Download(
            file.file_name,
            file.git_blob,
            base_url,
            folder,
            url_variable=URL_VARIABLE,
            last_resort=f"set {SOURCE_VARIABLE}=random to try things out with untrained weights",
        ),
        verbose=verbose,
    )
    _attribute_once()
    return path


def fetch(download: Download, *, verbose: bool = True) -> Path:
    """Fetch a file into the download's folder and return its path.

    The file gets its name only after its git blob id was verified; no part of it stays after a failure.

    Raises
    ------
    OpenL3Error
        If the server cannot be reached, refuses, stalls, or sends another file.
    OSError
        If the folder cannot be written to.
    """
    import pooch
    import requests

    name = download.file_name
    downloader = _VerifyingDownloader(download, verbose)
    # No hash for pooch: it knows no git blob ids. The downloader verifies, before pooch moves the file.
    kennel = pooch.create(
        path=download.folder,
        base_url=download.base_url,
        registry={name: None},
        urls={name: download.url},
        retry_if_failed=RETRIES,
    )
    try:
        with _quiet(pooch.get_logger()):
            path = Path(kennel.fetch(name, downloader=downloader))
    except requests.RequestException as error:
        raise download.failure(_describe(error)) from error
    return path


@dataclass
class _VerifyingDownloader:
    """What pooch calls to download: a fault that it may retry is a RequestException, all others are not."""

    download: Download
    verbose: bool
    received_bytes: int = field(default=0, init=False)

    def __call__(self, url: str, output_file: str, pooch: object) -> None:
        partial = Path(output_file)
        # pooch's temporary file is its owner's alone; a cache may be shared.
        partial.unlink()
        self.received_bytes = 0
        with (
            partial.open("xb") as file,
            progress_bar(self.download.file_name, unit="B", unit_scale=True, enabled=self.verbose) as bar,
        ):
            self._receive(url, _Sink(file, self, bar))
        found = git_blob_id(partial)
        if found != self.download.git_blob:
            raise self.download.failure(
                f"the server sent another or an altered file ({self.received_bytes} bytes "
                f"with the git blob id {found})"
            )

    def _receive(self, url: str, sink: _Sink) -> None:
        import pooch
        import requests

        http = pooch.HTTPDownloader(
            chunk_size=CHUNK_BYTES,
            timeout=TIMEOUT_S,
            # The pin is on the packed file: nobody on the way shall unpack or pack it again.
            headers={"Accept-Encoding": "identity"},
            hooks={"response": sink.announce},
        )
        try:
            http(url, sink, None)
        except requests.RequestException as error:
            if _is_transient(error):
                raise
            raise self.download.failure(_describe(error)) from error


@dataclass
class _Sink:
    """The file that a download is written to: counts, draws the bar and stops at the limit."""

    file: BinaryIO
    downloader: _VerifyingDownloader
    bar: tqdm[Any]

    def announce(self, response: requests.Response, **_: object) -> None:
        """Take the size that the server announces, for the bar alone: it is not to be relied on."""
        announced = response.headers.get("Content-Length", "")
        self.bar.total = int(announced) if announced.isdecimal() else None

    def write(self, chunk: bytes) -> None:
        self.downloader.received_bytes += len(chunk)
        if self.downloader.received_bytes > MAX_PACKED_BYTES:
            raise self.downloader.download.failure(
                f"the server sent more than {MAX_PACKED_BYTES} bytes, the limit; "
                f"no published file has as many"
            )
        self.file.write(chunk)
        self.bar.update(len(chunk))

    def flush(self) -> None:
        self.file.flush()


def _is_transient(error: requests.RequestException) -> bool:
    """Tell whether another attempt may help."""
    import requests

    if isinstance(error, requests.HTTPError):
        status = error.response.status_code
        return status >= 500 or status in TRANSIENT_STATUSES
    if isinstance(error, requests.exceptions.SSLError):
        return False
    return isinstance(
        error, (requests.ConnectionError, requests.Timeout, requests.exceptions.ChunkedEncodingError)
    )


def _describe(error: requests.RequestException) -> str:
    """Say what came instead of the file."""
    import requests

    if isinstance(error, requests.HTTPError):
        return f"the server answered {error.response.status_code} {error.response.reason}"
    if isinstance(error, requests.exceptions.ChunkedEncodingError):
        return f"the connection broke off, so the file is truncated ({error})"
    if isinstance(error, requests.Timeout):
        return f"the server did not answer within {TIMEOUT_S:g} s"
    return f"{type(error).__name__}: {error}"


@contextmanager
def _quiet(logger: logging.Logger) -> Iterator[None]:
    """Keep pooch from telling of each step; the logger is shared with other users of pooch."""
    level = logger.level
    logger.setLevel("ERROR")
    try:
        yield
    finally:
        logger.setLevel(level)


@cache
def _attribute_once() -> None:
    """Name the authors and the licence; cached, so that a process does it once."""
    say(ATTRIBUTION)
