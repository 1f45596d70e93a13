"""Bring one file with a known git blob id into a folder, or say clearly why that failed."""

from __future__ import annotations

import time
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from l3embed.disk.atomic import replacing
from l3embed.disk.checksums import git_blob_id
from l3embed.errors import OpenL3Error
from l3embed.progress import is_drawn, progress_bar, tell
from l3embed.weights.registry import ATTRIBUTION, PublishedFile
from l3embed.weights.source import SOURCE_VARIABLE, URL_VARIABLE

if TYPE_CHECKING:
    import requests
    from tqdm import tqdm

TIMEOUT_S = 30.0
"""How long the server may be silent."""

RETRY_WAITS_S = (1, 2)
"""How long to wait before each further attempt after a transient fault."""

CHUNK_BYTES = 1 << 18
BYTES_PER_MB = 1_000_000

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
    """Fetch a published weight file into a folder as `fetch` does, name its authors, and return its path."""
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
    import requests

    waits_s = iter(RETRY_WAITS_S)
    with _DownloadBar(download.file_name, enabled=verbose) as bar:
        while True:
            try:
                return _receive(download, bar)
            except requests.RequestException as error:
                wait_s = next(waits_s, None) if _is_transient(error) else None
                if wait_s is None:
                    raise download.failure(_describe(error)) from error
                time.sleep(wait_s)


class _DownloadBar(AbstractContextManager["_DownloadBar"]):
    """One bar for a file, whatever number of attempts it takes; in a log one line when the file is there."""

    def __init__(self, file_name: str, *, enabled: bool) -> None:
        self._file_name, self._enabled = file_name, enabled
        self._drawing = ExitStack()
        self._bar: tqdm[Any] | None = None

    def __exit__(self, *fault: Any) -> None:
        self._drawing.__exit__(*fault)

    def begin(self, total_bytes: int | None) -> None:
        """Draw the bar, or begin it anew: before the server answers there is nothing to be drawn."""
        if self._bar is not None:
            self._bar.reset(total_bytes)
        elif self._enabled and is_drawn():
            bar = progress_bar(self._file_name, total=total_bytes, unit="B", unit_scale=True)
            self._bar = self._drawing.enter_context(bar)

    def add(self, received_bytes: int) -> None:
        """Count bytes that were received."""
        if self._bar is not None:
            self._bar.update(received_bytes)

    def tell(self, total_bytes: int) -> None:
        """Say that the file is there, if nothing has been drawn."""
        if self._enabled and self._bar is None:
            tell(f"{self._file_name}: {total_bytes / BYTES_PER_MB:.1f} MB fetched.")


def _receive(download: Download, bar: _DownloadBar) -> Path:
    """Try once."""
    import requests

    path = download.folder / download.file_name
    # The pin is on the packed file: nobody on the way shall unpack or pack it again.
    headers = {"Accept-Encoding": "identity"}
    with requests.get(download.url, stream=True, timeout=TIMEOUT_S, headers=headers) as response:
        response.raise_for_status()
        with replacing(path) as temporary:
            received_bytes = _save(response, temporary, download, bar)
            found = git_blob_id(temporary)
            if found != download.git_blob:
                raise download.failure(
                    f"the server sent another or an altered file ({received_bytes} bytes "
                    f"with the git blob id {found})"
                )
    bar.tell(received_bytes)
    return path


def _save(response: requests.Response, path: Path, download: Download, bar: _DownloadBar) -> int:
    """Write what is received to a file, drawing a bar, and return how many bytes that was."""
    announced = response.headers.get("Content-Length", "")  # for the bar alone: it is not to be relied on
    bar.begin(int(announced) if announced.isdecimal() else None)
    received_bytes = 0
    with path.open("xb") as file:
        for chunk in response.iter_content(CHUNK_BYTES):
            received_bytes += len(chunk)
            if received_bytes > MAX_PACKED_BYTES:
                raise download.failure(
                    f"the server sent more than {MAX_PACKED_BYTES} bytes, the limit; "
                    f"no published file has as many"
                )
            file.write(chunk)
            bar.add(len(chunk))
    return received_bytes


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


@cache
def _attribute_once() -> None:
    """Name the authors and the licence; cached, so that a process does it once."""
    tell(ATTRIBUTION)
