"""The files of a dataset as the page shows them: one each, whichever modalities it has."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath
from urllib.parse import quote

from l3embed.decoding import image, video
from l3embed.export.manifest import ManifestRow
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


def media_files(rows: Iterable[ManifestRow]) -> list[MediaFile]:
    """Return the files that have embeddings in any modality, in the manifest's order."""
    files: dict[str, MediaFile] = {}
    for row in rows:
        if row.is_ok:
            known = files.get(row.path, MediaFile(row.path, row.label, _media(row.path), row.sha256))
            files[row.path] = _with(known, row)
    return list(files.values())


def failed_files(rows: Sequence[ManifestRow]) -> list[MediaFile]:
    """Return the files that have no embeddings in any modality, in the manifest's order."""
    done = {row.path for row in rows if row.is_ok}
    failed = {row.path: row for row in rows if row.path not in done}
    return [MediaFile(row.path, row.label, _media(row.path), row.sha256) for row in failed.values()]


def relative_address(dataset: Path, page_folder: Path) -> str:
    """Return how the page's links to the dataset have to begin: the way to its folder, and a slash."""
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
