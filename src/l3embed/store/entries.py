"""The store: a folder with a result's files and a note of what they are, under the key of its recipe."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from l3embed.disk.atomic import place, replacing
from l3embed.disk.checksums import sha256
from l3embed.disk.folders import STORE_VARIABLE, FolderError, explaining_disk_errors, store_folder
from l3embed.disk.json_files import read_object
from l3embed.errors import OpenL3Error
from l3embed.store.claims import Claims
from l3embed.store.digests import Digests
from l3embed.store.recipe import Recipe, Step
from l3embed.store.row_index import RowIndex

NOTE_SUFFIX = ".json"
DIGESTS_FILE = "digests.sqlite"
CLAIMS_FILE = "claims.lock"
ROWS_FILE = "rows.sqlite"
SEAL = "sha256"
"""In a note: the checksum of all else that it says."""

READ_ONLY = 0o444
"""Outputs are further names of the store's files, and nobody is to write into both by accident."""


@dataclass(frozen=True)
class Mark:
    """By which a stored file is known to be as it was written."""

    bytes: int
    modified_ns: int
    sha256: str


@dataclass(frozen=True)
class Entry:
    """One stored result.

    Parameters
    ----------
    key : str
        The key of its recipe.
    files : mapping of str to Path
        Its files by their names.
    facts : mapping
        What else was found out while it was computed.
    """

    key: str
    files: Mapping[str, Path]
    facts: Mapping[str, Any]


class Store(AbstractContextManager["Store"]):
    """Results of single inputs by what they were computed from, shared by all projects and runs.

    A context, in which nothing that it finds is removed to make room, and in whose end newly computed
    checksums are written.

    Parameters
    ----------
    folder : Path, optional
        Where; as ``L3EMBED_STORE`` says, or in the user's cache, if it is not given.

    Raises
    ------
    OpenL3Error
        If the folder cannot be made.
    """

    def __init__(self, folder: Path | None = None) -> None:
        self.folder = folder or store_folder()
        with self.explaining_disk_errors(OpenL3Error):
            self.folder.mkdir(parents=True, exist_ok=True)
        self.claims = Claims(self.folder / CLAIMS_FILE)
        self.digests = Digests(self.folder / DIGESTS_FILE)
        self.rows = RowIndex(self.folder / ROWS_FILE)

    def __enter__(self) -> Store:
        self.claims.enter()
        return self

    def explaining_disk_errors(self, kind: type[Exception] = FolderError) -> AbstractContextManager[None]:
        """Name the store, and the variable that moves it, where its disk is full or not to be written to."""
        return explaining_disk_errors(
            self.folder, "the pipeline's results", f"set {STORE_VARIABLE} to another folder", kind
        )

    def find(self, recipe: Recipe) -> Entry | None:
        """Return the result of a recipe, if it is there and whole; it counts as used now."""
        note = self._note(recipe.step.value, recipe.key)
        entry = read_entry(note)
        if entry is not None:
            with suppress(OSError):  # another user's store
                os.utime(note)
        return entry

    def entry(self, step: Step, key: str) -> Entry | None:
        """Return a result by its key, if it is there and whole."""
        return read_entry(self._note(step.value, key))

    def facts(self, step: str, key: str) -> Mapping[str, Any]:
        """Return what is known of a result; nothing if it is not there any more."""
        entry = read_entry(self._note(step, key)) if key else None
        return entry.facts if entry else {}

    def path(self, recipe: Recipe, name: str) -> Path:
        """Return where a file of a result is to be written, its folder being there.

        Raises
        ------
        FolderError
            If the store cannot be written to.
        """
        path = self._note(recipe.step.value, recipe.key).with_name(f"{recipe.key}.{name}")
        with self.explaining_disk_errors():
            _make_way(path)
        return path

    def put(self, recipe: Recipe, names: Sequence[str], facts: Mapping[str, Any]) -> Entry:
        """Take in a result whose files have been written to `path`.

        It is there from the moment that its note is, and that is the last thing to be written.

        Raises
        ------
        FolderError
            If the store cannot be written to.
        """
        files = {name: self.path(recipe, name) for name in names}
        with self.explaining_disk_errors():
            for path in files.values():
                path.chmod(READ_ONLY)
            marks = {name: asdict(self._mark(path)) for name, path in files.items()}
            content = {"recipe": asdict(recipe), "files": marks, "facts": dict(facts)}
            note = self._note(recipe.step.value, recipe.key)
            _make_way(note)
            with replacing(note) as temporary:
                temporary.write_text(json.dumps(content | {SEAL: _seal(content)}), encoding="utf-8")
        return Entry(recipe.key, files, facts)

    def restore(self, step: Step, key: str, name: str, path: Path) -> None:
        """Put a file of a result again where it was placed, if what is there now is not that file.

        What the store does not know any more stays as it is.

        Raises
        ------
        OpenL3Error
            If the store's own file is damaged too.
        """
        note = self._note(step.value, key)
        mark = _marks(_read_note(note)).get(name) if key else None
        if mark is None or (path.is_file() and self.digests.sha256(path) == mark.sha256):
            return
        stored = _beside(note, name)
        if not (stored.is_file() and _is_as_marked(stored, mark)):
            raise OpenL3Error("It is not as it was written, and neither is the store's own file.")
        place(stored, path)

    def _mark(self, path: Path) -> Mark:
        status, digest = path.stat(), sha256(path)
        self.digests.keep(path, digest)
        return Mark(status.st_size, status.st_mtime_ns, digest)

    def __exit__(self, *_: object) -> None:
        self.claims.release_all()
        self.claims.leave()
        self.digests.close()

    def _note(self, step: str, key: str) -> Path:
        return self.folder / step / key[:2] / f"{key}{NOTE_SUFFIX}"


def read_entry(note: Path) -> Entry | None:
    """Read an entry by its note; None if it is not there, or a file of it is not as it was written."""
    content = _read_note(note)
    marks = _marks(content)
    files = {name: _beside(note, name) for name in marks}
    try:
        is_whole = all(_is_as_marked(files[name], mark) for name, mark in marks.items())
    except OSError:  # gone
        return None
    return Entry(note.stem, files, content["facts"]) if content and is_whole else None


def _read_note(note: Path) -> dict[str, Any]:
    """Return what a note says; nothing if it is not as it was written."""
    content = read_object(note)
    seal = content.pop(SEAL, None)
    return content if seal == _seal(content) else {}


def _marks(content: Mapping[str, Any]) -> dict[str, Mark]:
    return {name: Mark(**mark) for name, mark in content.get("files", {}).items()}


def _seal(content: Mapping[str, Any]) -> str:
    """Return the checksum of what a note says, for a number in it may be damaged too."""
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def _beside(note: Path, name: str) -> Path:
    return note.with_name(f"{note.stem}.{name}")


def _make_way(path: Path) -> None:
    """Make the folder of a file that is to be written, and remove a folder that has come into its place.

    Raises
    ------
    OpenL3Error
        If that cannot be.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.is_dir():
            shutil.rmtree(path)
    except (FileExistsError, NotADirectoryError) as error:
        raise OpenL3Error(
            f"The store cannot write {path} ({error.strerror}). Remove what is in its way, or set "
            f"{STORE_VARIABLE} to another folder."
        ) from error


def _is_as_marked(path: Path, mark: Mark) -> bool:
    status = path.stat()
    if status.st_size != mark.bytes:
        return False
    # The date changes with a copy of the whole store, and with whoever writes into the file.
    return status.st_mtime_ns == mark.modified_ns or sha256(path) == mark.sha256
