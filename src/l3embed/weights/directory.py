"""``weights.json``: what the weight files of a directory are, for those who did not put them there."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from l3embed.disk.atomic import replacing
from l3embed.disk.checksums import sha256
from l3embed.disk.folders import explaining_disk_errors
from l3embed.errors import OpenL3Error
from l3embed.weights.cache import WEIGHTS
from l3embed.weights.file import WeightFile

MANIFEST_NAME = "weights.json"


@dataclass(frozen=True)
class ManifestEntry:
    """What is known about one file: its identity, whether it was trained, and its bytes' checksum."""

    identity: str
    trained: bool
    sha256: str


def write_weights_manifest(directory: Path, files: Iterable[WeightFile]) -> Path:
    """Record files that lie in a directory in its ``weights.json``, and return that file's path.

    Entries of other files that are still there stay; entries of files that are gone do not.
    """
    import json

    kept = {
        name: entry for name, entry in read_weights_manifest(directory).items() if (directory / name).exists()
    }
    recorded = {
        file.path.name: ManifestEntry(file.identity, file.trained, sha256(directory / file.path.name))
        for file in files
    }
    content = {name: asdict(entry) for name, entry in {**kept, **recorded}.items()}
    manifest = directory / MANIFEST_NAME
    with replacing(manifest) as temporary:
        temporary.write_text(json.dumps(content, indent=2, sort_keys=True) + "\n", encoding="utf-8")
    return manifest


def read_weights_manifest(directory: Path) -> dict[str, ManifestEntry]:
    """Read a directory's ``weights.json``, by file name; there are no entries where there is no such file.

    Raises
    ------
    OpenL3Error
        If the file is not what ``write_weights_manifest`` writes.
    """
    import json

    path = directory / MANIFEST_NAME
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        return {name: _parse_entry(entry) for name, entry in content.items()}
    except FileNotFoundError:
        return {}
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise OpenL3Error(
            f"{path} must map file names to an identity, trained and sha256; got something else ({error!r}). "
            f"Remove it, or write it anew with the pipeline's weights stage."
        ) from error


def copy_weights(weight_file: WeightFile, directory: Path) -> WeightFile:
    """Copy a weight file into a directory under its name, and record it in the directory's manifest.

    Returns
    -------
    WeightFile
        The copy, with the identity of the original.

    Raises
    ------
    OpenL3Error
        If the directory cannot be written to, or its manifest is none.
    """
    import shutil

    copy = WeightFile(directory / weight_file.path.name, weight_file.identity, weight_file.trained)
    with explaining_disk_errors(directory, WEIGHTS, "name another directory"):
        directory.mkdir(parents=True, exist_ok=True)
        with replacing(copy.path) as temporary:
            shutil.copyfile(weight_file.path, temporary)
        write_weights_manifest(directory, [copy])
    return copy


def _parse_entry(entry: Any) -> ManifestEntry:
    parsed = ManifestEntry(identity=entry["identity"], trained=entry["trained"], sha256=entry["sha256"])
    if not (isinstance(parsed.identity, str) and isinstance(parsed.trained, bool)):
        raise TypeError(entry)
    return parsed
