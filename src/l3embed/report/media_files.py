"""The files of a dataset as the page shows them: one each, whichever modalities it has."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath
from urllib.parse import quote

from l3embed.decoding import image, video
from l3embed.export.manifest import ManifestRow
from l3embed.listings.listing_table import is_listing
from l3embed.listings.location import scheme_of
from l3embed.variants import Media, Modality


@dataclass(frozen=True)
class MediaFile:
    """A file that has embeddings: of its sound, of its picture or its frames, or of both."""

    path: str  # below the dataset's folder, with slashes
    label: str
    media: Media  # as its ending says
    sha256: str = ""
    duration_s: float | None = None
    sample_rate_hz: float | None = None
    channels: int | None = None
    has_sound: bool = False
    has_picture: bool = False
    location: str = ""  # as a listing has it; empty if the path says it
    start_s: float | None = None
    end_s: float | None = None

    @property
    def link(self) -> str | None:
        """Where a page may link to; empty if nothing can be opened there, None if the path says it."""
        is_section = self.start_s is not None or self.end_s is not None
        if self.location in ("", self.path) and not is_section:
            return None
        scheme = scheme_of(self.location)
        if scheme not in ("", "http", "https"):
            return ""
        end = "" if self.end_s is None else f",{self.end_s:g}"
        seconds = f"#t={self.start_s or 0:g}{end}" if is_section else ""
        return (self.location if scheme else quote(Path(self.location or self.path).as_posix())) + seconds


def media_files(rows: Iterable[ManifestRow]) -> list[MediaFile]:
    """Return the files that have embeddings in any modality, in the manifest's order."""
    files: dict[str, MediaFile] = {}
    for row in rows:
        if row.is_ok:
            files[row.path] = _with(files.get(row.path) or _first(row), row)
    return list(files.values())


def failed_files(rows: Sequence[ManifestRow]) -> list[MediaFile]:
    """Return the files that have no embeddings in any modality, in the manifest's order."""
    done = {row.path for row in rows if row.is_ok}
    failed = {row.path: row for row in rows if row.path not in done}
    return [_first(row) for row in failed.values()]


def _first(row: ManifestRow) -> MediaFile:
    """Return a file with what any row of the manifest knows of it."""
    return MediaFile(
        row.path,
        row.label,
        _media(row.path),
        row.sha256,
        location=row.location,
        start_s=row.start_s,
        end_s=row.end_s,
    )


def relative_address(dataset: Path, page_folder: Path) -> str:
    """Return how the page's links to the dataset have to begin: the way to its folder, and a slash.

    Paths of a listing count from the folder that it lies in.
    """
    dataset = dataset.parent if is_listing(dataset) else dataset
    try:
        path = Path(os.path.relpath(dataset.absolute(), page_folder.absolute())).as_posix()
    except ValueError:  # on another drive of Windows
        return f"{dataset.absolute().as_uri()}/"
    return f"{quote(path)}/"


def _media(path: str) -> Media:
    suffix = PurePosixPath(path).suffix.lower()
    if suffix in video.SUFFIXES:
        return Media.VIDEO
    return Media.IMAGE if suffix in image.SUFFIXES else Media.AUDIO


def _with(file: MediaFile, row: ManifestRow) -> MediaFile:
    """Return what is known of a file, and what another row of the manifest knows of it."""
    return replace(
        file,
        duration_s=file.duration_s if row.duration_s is None else row.duration_s,
        sample_rate_hz=file.sample_rate_hz if row.sample_rate_hz is None else row.sample_rate_hz,
        channels=file.channels if row.channels is None else row.channels,
        has_sound=file.has_sound or row.modality == Modality.AUDIO.value,
        has_picture=file.has_picture or row.modality == Modality.IMAGE.value,
    )
