"""What another version of l3embed would write into a project, against what is there."""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

from l3embed.disk.atomic import replacing
from l3embed.project.code_file import CODE_FILE, changed_stages
from l3embed.project.creation import check_installed
from l3embed.project.project_plan import RECORD_FILE, project_files
from l3embed.project.written_record import read_record, record_text, text_checksum
from l3embed.version import __version__


class Standing(str, Enum):
    """How a file of a project stands to what would be written today."""

    SAME = "same"
    OUTDATED = "outdated"
    EDITED = "edited"


@dataclass(frozen=True)
class FileChange:
    """A file of a project, and what would be written today.

    Parameters
    ----------
    path : str
        In the project.
    standing : Standing
        `OUTDATED` if nobody has edited it, so that it may be written anew.
    difference : str
        As ``diff -u`` shows it, from what is there to what would be written.
    text : str
        What would be written.
    """

    path: str
    standing: Standing
    difference: str
    text: str


@dataclass(frozen=True)
class Upgrade:
    """What an upgrade brings.

    Parameters
    ----------
    before, after : str
        Versions: of what wrote the project, and of what is installed.
    changes : list of FileChange
        Files that differ.
    stages : list of str
        Stages whose code is another one, which ``dvc repro`` runs again.
    """

    before: str
    after: str
    changes: list[FileChange]
    stages: list[str]


def find_upgrade(folder: Path) -> Upgrade:
    """Compare a project with what would be written today; nothing is written.

    Raises
    ------
    OpenL3Error
        If the folder is no project of ``l3embed init``.
    """
    check_installed()
    record = read_record(folder)
    changes = [
        change
        for path, text in project_files(record.plan).items()
        if (change := _compare(folder, path, text, record.checksums.get(path))).standing is not Standing.SAME
    ]
    code_file = folder / CODE_FILE
    code = code_file.read_text(encoding="utf-8", errors="replace") if code_file.is_file() else ""
    return Upgrade(record.version, __version__, changes, changed_stages(code))


def write_upgrade(folder: Path, upgrade: Upgrade) -> list[str]:
    """Write the files anew that nobody has edited, and the record; return their paths.

    An edited file stays as it is, and stays edited in the record: its differences are shown next time, too.
    """
    record = read_record(folder)
    written = [change for change in upgrade.changes if change.standing is Standing.OUTDATED]
    for change in written:
        _replace(folder / change.path, change.text)
    texts = project_files(record.plan)
    _replace(folder / RECORD_FILE, record_text(record.plan, texts))
    return [change.path for change in written]


def _compare(folder: Path, path: str, text: str, checksum: str | None) -> FileChange:
    file = folder / path
    there = file.read_text(encoding="utf-8", errors="replace") if file.is_file() else None
    if there is not None and text_checksum(there) == text_checksum(text):
        return FileChange(path, Standing.SAME, "", text)
    is_untouched = checksum is None if there is None else text_checksum(there) == checksum
    difference = difflib.unified_diff(
        (there or "").splitlines(),
        text.splitlines(),
        f"{path} (here)" if there is not None else "/dev/null",
        f"{path} (l3embed {__version__})",
        lineterm="",
    )
    standing = Standing.OUTDATED if is_untouched else Standing.EDITED
    return FileChange(path, standing, "\n".join(difference), text)


def _replace(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with replacing(path) as temporary:
        temporary.write_text(text, encoding="utf-8", newline="\n")
