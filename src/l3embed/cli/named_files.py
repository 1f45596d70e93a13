"""The files that a command's arguments name, where each is embedded to, and what is said in the end."""

from __future__ import annotations

import argparse
import os
import sys
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from l3embed.errors import FilesError, OpenL3Error
from l3embed.progress import counted


@dataclass(frozen=True)
class Found:
    """The files that arguments name.

    Parameters
    ----------
    outputs : dict[str, str]
        The output of each.
    failures : dict[str, str]
        Folders that cannot be read, and why.
    """

    outputs: dict[str, str]
    failures: dict[str, str]


def files_of(args: argparse.Namespace, kind: str, suffixes: frozenset[str], part: str = "") -> Found:
    """Return the output of each file that the arguments name, those in folders included.

    Parameters
    ----------
    args : argparse.Namespace
        With inputs, output_dir, suffix and recursive.
    kind : str
        What the files are, for messages.
    suffixes : frozenset[str]
        Endings by which they are known in folders.
    part : str
        What of a file the output is of, if it has several: a word in the output's name.

    Raises
    ------
    OpenL3Error
        If there are no files.
    """
    folders: dict[str, str | None] = {}
    failures: dict[str, str] = {}
    for path in map(Path, args.inputs):
        if not os.path.isdir(path):  # noqa: PTH112 (pathlib's raises where it may not look)
            folders[str(path)] = args.output_dir
            continue
        for file in _files_in(path, suffixes, failures, recursive=args.recursive):
            below = args.output_dir and str(Path(args.output_dir) / file.parent.relative_to(path))
            folders[str(file)] = below
    if not folders and not failures:
        hint = "" if args.recursive else " Subfolders are searched with --recursive."
        endings = ", ".join(sorted(suffixes))
        raise OpenL3Error(
            f"There are no {kind} files in {', '.join(args.inputs)}, known by their endings: {endings}.{hint}"
        )
    ending = "_".join(word for word in (part, args.suffix) if word) + ".npz"
    return Found(_outputs(folders, ending), failures)


def _outputs(folders: Mapping[str, str | None], ending: str) -> dict[str, str]:
    """Return the output of each file, in the folder that is said; those that share one keep their endings."""
    from l3embed.core.outputs import get_output_path

    kept: set[str] = set()
    while True:
        names = {file: f"{file}." if file in kept else file for file in folders}
        outputs = {file: get_output_path(names[file], ending, folder) for file, folder in folders.items()}
        counts = Counter(map(_key, outputs.values()))
        shared = {file for file, output in outputs.items() if counts[_key(output)] > 1}
        if shared <= kept:  # the same names in different folders are refused later
            return outputs
        kept |= shared


def _key(output: str) -> str:
    """Return by what an output is told from others: regardless of case, as some file systems have it."""
    return os.path.abspath(output).casefold()  # noqa: PTH100 (pathlib's raises over odd names)


def _files_in(
    folder: Path, suffixes: frozenset[str], failures: dict[str, str], *, recursive: bool
) -> list[Path]:
    """Return a folder's files of a kind, and put folders that cannot be read among the failures."""

    def note(error: OSError) -> None:
        failures[str(error.filename)] = f"The folder could not be read: {error.strerror}."

    files: list[Path] = []
    for place, folders, names in os.walk(folder, onerror=note):
        if not recursive:
            folders.clear()
        files += (Path(place, name) for name in names if Path(name).suffix.lower() in suffixes)
    return sorted(files)


def run_on_files(found: Found, process: Callable[[], None], *, quiet: bool) -> int:
    """Process files, and say how many were done; a table at the end says which were not, and why.

    Returns
    -------
    int
        The exit status: 0 only if every file was done.

    Raises
    ------
    OpenL3Error
        If the one file there is failed, or nothing could be done.
    """
    total = len(found.outputs)
    failures = found.failures
    try:
        if found.outputs:
            process()
    except FilesError as error:
        if total == 1 and not failures:
            raise
        failures = {**error.failures, **failures}
    if failures:
        done = sum(path not in failures for path in found.outputs)
        sys.stderr.write(f"l3embed: {done:,} of {counted(total, 'file')} done, {len(failures):,} failed:\n")
        width = max(map(len, failures))
        for path, reason in failures.items():
            sys.stderr.write(f"  {path:{width}}  {reason}\n")
        return 1
    if not quiet:
        sys.stderr.write(f"l3embed: {total:,} of {counted(total, 'file')} done.\n")
    return 0
