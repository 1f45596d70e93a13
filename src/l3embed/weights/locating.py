"""Locate the file of a weight set, making it first where that is needed."""

from collections.abc import Iterable
from enum import Enum
from pathlib import Path

from l3embed.disk.atomic import remove_abandoned, remove_left_behind, replacing
from l3embed.disk.checksums import git_blob_id, sha256
from l3embed.disk.folders import explaining_disk_errors
from l3embed.disk.seals import reading
from l3embed.errors import OpenL3Error, warn
from l3embed.progress import say
from l3embed.variants import WeightSet
from l3embed.weights.cache import (
    WEIGHTS,
    exclusively,
    explaining_cache_errors,
    packed_folder,
    published_folder,
    random_folder,
)
from l3embed.weights.directory import MANIFEST_NAME, read_weights_manifest
from l3embed.weights.file import WeightFile, describe_weights
from l3embed.weights.random import write_random_weights
from l3embed.weights.registry import PUBLISHED_FILES, VERSION_TAG, PublishedFile
from l3embed.weights.source import (
    SOURCE_VARIABLE,
    PublishedWeights,
    RandomWeights,
    WeightsFile,
    WeightsSource,
)
from l3embed.weights.unpack import has_same_content, is_unpacked, unpack


class PublishedState(str, Enum):
    """What the cache holds of a published file."""

    VERIFIED = "verified"
    MISSING = "missing"
    DAMAGED = "damaged"


def locate_weights(weight_set: WeightSet, source: WeightsSource, verbose: bool = True) -> WeightFile:
    """Return the file of a weight set: fetched, generated or found, as the source says.

    Published and random weights are kept in the cache (``L3EMBED_CACHE``). What is there and whole is
    used without writing anything; several processes may ask at once, and one of them makes the file.

    Parameters
    ----------
    weight_set
        Which network's weights.
    source
        Where they come from.
    verbose
        Whether to draw a progress bar while fetching.

    Raises
    ------
    OpenL3Error
        If the file cannot be had; the message says what to do.

    Warns
    -----
    OpenL3Warning
        If the weights are untrained.
    """
    found = locate_in_silence(weight_set, source, verbose)
    if not found.trained:
        _warn_untrained(found)
    return found


def locate_in_silence(weight_set: WeightSet, source: WeightsSource, verbose: bool = True) -> WeightFile:
    """Do the same without the warning, for whoever warns once of several."""
    if isinstance(source, PublishedWeights):
        return _locate_published(PUBLISHED_FILES[weight_set], source, verbose)
    if isinstance(source, RandomWeights):
        return _locate_random(weight_set, source.seed)
    if isinstance(source, WeightsFile):
        return _describe_file(source.path)
    return _locate_in_directory(weight_set, source.path)


def locate_written(weight_set: WeightSet, directory: Path) -> tuple[WeightFile, str]:
    """Return a file that the stage ``weights`` has written, and its checksum.

    Raises
    ------
    OpenL3Error
        If it is not there, or not as it was written.
    """
    with reading(directory / MANIFEST_NAME, "weights"):
        entries = read_weights_manifest(directory)
    with reading(directory, "weights"):
        found = _locate_in_directory(weight_set, directory)
    with reading(found.path, "weights"):
        entry, checksum = entries.get(found.path.name), sha256(found.path)
        if entry is None or entry.sha256 != checksum:
            raise OpenL3Error("It is not as it was written.")
    return found, checksum


def warn_of_untrained(stage: str, files: Iterable[WeightFile]) -> None:
    """Say once that weights are untrained, if any are."""
    identities = sorted({file.identity for file in files if not file.trained})
    if identities:
        say(
            f"{stage}: warning: the weights ({', '.join(identities)}) are untrained: what they give are "
            "random features, good for trying things out alone; weights=published gets the trained ones"
        )


def packed_path(weight_set: WeightSet) -> Path:
    """Return where the cache keeps the published file, which need not exist."""
    return packed_folder() / PUBLISHED_FILES[weight_set].file_name


def published_state(weight_set: WeightSet, *, thorough: bool = False) -> PublishedState:
    """Tell what the cache holds of a published file, without changing it.

    Parameters
    ----------
    weight_set
        Which file.
    thorough
        Compare the unpacked file byte for byte, rather than by its checksum alone.
    """
    file = PUBLISHED_FILES[weight_set]
    packed, unpacked = packed_path(weight_set), published_folder() / file.unpacked_name
    with explaining_cache_errors(packed.parent):
        if not packed.is_file():
            return PublishedState.MISSING
        compare = has_same_content if thorough else is_unpacked
        # Without the unpacked file nothing is damaged: it is made when it is asked for.
        whole = git_blob_id(packed) == file.git_blob and (not unpacked.exists() or compare(packed, unpacked))
        return PublishedState.VERIFIED if whole else PublishedState.DAMAGED


def _locate_published(file: PublishedFile, source: PublishedWeights, verbose: bool) -> WeightFile:
    from l3embed.weights.fetch import fetch_published

    folder = packed_folder()
    packed, unpacked = folder / file.file_name, published_folder() / file.unpacked_name
    located = WeightFile(unpacked, file.identity, trained=True)
    with explaining_cache_errors(folder):
        if is_whole(packed, file.git_blob) and is_unpacked(packed, unpacked):
            return located
        with exclusively(folder, file.file_name):
            for own in (packed, unpacked):
                remove_abandoned(own.parent)
                remove_left_behind(own)
            if not is_whole(packed, file.git_blob):
                base_url = source.resolve_base_url()
                discard_damaged(packed, file.git_blob)
                fetch_published(file, base_url, folder, verbose=verbose)
            if not is_unpacked(packed, unpacked):
                unpacked.parent.mkdir(exist_ok=True)
                unpack(packed, unpacked)
    return located


def is_whole(path: Path, git_blob: str) -> bool:
    """Tell whether a file is there and has the git blob id."""
    return path.is_file() and git_blob_id(path) == git_blob


def discard_damaged(path: Path, git_blob: str) -> None:
    """Remove a file that is not the published one, which may have been put there by hand: say so."""
    if path.is_file():
        warn(
            f"{path} has the git blob id {git_blob_id(path)} instead of {git_blob}: it is truncated "
            f"or another file. It is removed, and the published file fetched.",
        )
        path.unlink()


def _locate_random(weight_set: WeightSet, seed: int) -> WeightFile:
    folder = random_folder(seed)
    path = folder / f"openl3_{weight_set.name}.h5"
    with explaining_cache_errors(folder):
        if not _agrees_with_checksum(path):
            with exclusively(folder, path.name):
                remove_abandoned(folder)
                remove_left_behind(path)
                remove_left_behind(_checksum_path(path))
                if not _agrees_with_checksum(path):
                    write_random_weights(path, weight_set, seed)
                    _write_checksum(path)
    return WeightFile(path, f"random:{seed}", trained=False)


def _checksum_path(path: Path) -> Path:
    return path.with_name(f"{path.name}.sha256")


def _agrees_with_checksum(path: Path) -> bool:
    checksum = _checksum_path(path)
    return path.is_file() and checksum.is_file() and checksum.read_bytes() == _checksum_line(path)


def _write_checksum(path: Path) -> None:
    with replacing(_checksum_path(path)) as temporary:
        temporary.write_bytes(_checksum_line(path))


def _checksum_line(path: Path) -> bytes:
    """Return the line that ``sha256sum`` writes and checks."""
    return f"{sha256(path)}  {path.name}\n".encode()


def _locate_in_directory(weight_set: WeightSet, directory: Path) -> WeightFile:
    names = (f"openl3_{weight_set.name}-{VERSION_TAG}.h5", f"openl3_{weight_set.name}.h5")
    with explaining_disk_errors(directory, WEIGHTS, "name another directory"):
        path = next((directory / name for name in names if (directory / name).is_file()), None)
        if path is None:
            present = ", ".join(sorted(file.name for file in directory.glob("openl3_*.h5"))) or "none"
            raise OpenL3Error(
                f"The weights directory {directory} must hold {names[0]} or {names[1]}; its openl3_*.h5 "
                f"files: {present}. Put the file there, or set {SOURCE_VARIABLE}=published to fetch it."
            )
        entry = read_weights_manifest(directory).get(path.name)
        if entry is None or entry.sha256 != sha256(path):
            return describe_weights(path)
    return WeightFile(path, entry.identity, entry.trained)


def _describe_file(path: Path) -> WeightFile:
    with explaining_disk_errors(path, WEIGHTS, "name another file"):
        if not path.is_file():
            raise OpenL3Error(f"There is no weight file {path}. Name one, or a folder of them.")
        return describe_weights(path)


def _warn_untrained(file: WeightFile) -> None:
    warn(
        f"The weights in {file.path} ({file.identity}) are untrained: embeddings made with them are random "
        f"features, good for trying things out and for nothing else. Set {SOURCE_VARIABLE}=published (in "
        f"the pipeline weights=published) to get the trained ones.",
    )
