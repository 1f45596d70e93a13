"""Which files of two runs are the same: by path and bytes, by bytes alone, and at last by path alone."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

from l3embed.export.manifest import ManifestRow


@dataclass(frozen=True)
class File:
    """What one run knows of a file, which may have embeddings in both modalities."""

    path: str
    label: str
    sha256: str


@dataclass(frozen=True)
class Pair:
    """The same file in both runs."""

    a: File
    b: File

    @property
    def was_renamed(self) -> bool:
        """Whether it has another path."""
        return self.a.path != self.b.path

    @property
    def was_relabelled(self) -> bool:
        """Whether it has another class, or lost or got one."""
        return self.a.label != self.b.label

    @property
    def was_rewritten(self) -> bool:
        """Whether it has other bytes, as far as both are known."""
        return bool(self.a.sha256 and self.b.sha256) and self.a.sha256 != self.b.sha256


@dataclass(frozen=True)
class Matching:
    """The files of two runs, those of both in the order of the first."""

    pairs: tuple[Pair, ...]
    removed: tuple[File, ...]
    added: tuple[File, ...]

    @property
    def renamed(self) -> list[Pair]:
        """Files with the same bytes under another path."""
        return [pair for pair in self.pairs if pair.was_renamed]

    @property
    def relabelled(self) -> list[Pair]:
        """Files with another class."""
        return [pair for pair in self.pairs if pair.was_relabelled]

    @property
    def rewritten(self) -> list[Pair]:
        """Files with other bytes under the same path."""
        return [pair for pair in self.pairs if pair.was_rewritten]


def files_of(rows: Iterable[ManifestRow]) -> list[File]:
    """Return the files of a manifest's rows, each once."""
    files: dict[str, File] = {}
    for row in rows:
        known = files.get(row.path)
        files[row.path] = File(row.path, row.label, row.content or (known.sha256 if known else ""))
    return list(files.values())


def match_files(a: Sequence[File], b: Sequence[File]) -> Matching:
    """Find each file of one run in the other.

    What has the same bytes is the same file, whatever it is called: first under the same path, then under
    the same name in another folder, then under any. What is left is the same file if it has the same path.
    """
    found: dict[str, File] = {}
    rest_a, rest_b = list(a), list(b)
    for key in (_path_and_bytes, _name_and_bytes, _bytes, _path):
        found |= _matched(rest_a, rest_b, key)
        taken = {file.path for file in found.values()}
        rest_a = [file for file in rest_a if file.path not in found]
        rest_b = [file for file in rest_b if file.path not in taken]
    pairs = tuple(Pair(file, found[file.path]) for file in a if file.path in found)
    return Matching(pairs, tuple(rest_a), tuple(rest_b))


def _matched(
    a: Sequence[File], b: Sequence[File], key: Callable[[File], Hashable | None]
) -> Mapping[str, File]:
    """Return files of the second run by their paths in the first; those of one key in their order."""
    waiting: defaultdict[Hashable, list[File]] = defaultdict(list)
    for file in reversed(b):
        waiting[key(file)].append(file)
    keyed = ((file, key(file)) for file in a)
    return {file.path: waiting[own].pop() for file, own in keyed if own is not None and waiting.get(own)}


def _path_and_bytes(file: File) -> Hashable | None:
    return (file.path, file.sha256)


def _name_and_bytes(file: File) -> Hashable | None:
    return (PurePosixPath(file.path).name, file.sha256) if file.sha256 else None


def _bytes(file: File) -> Hashable | None:
    return file.sha256 or None


def _path(file: File) -> Hashable | None:
    return file.path
