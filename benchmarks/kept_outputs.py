"""What runs leave behind, without what tells of time and of luck: equal after any kill."""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from l3embed.disk.checksums import sha256
from l3embed.disk.seals import SEALS_FILE

NOT_COMPARED = {
    ".hydra": "Hydra's record of its own start",
    ".log": "Hydra's log, with the time of each line",
}
"""Files that no reader of results looks into, by their folder's name or their suffix."""

LUCK = {
    "seconds": "how long it took",
    "run_s": "how long it took",
    "computed": "a run that goes on computes what is missing and takes the rest: the sum is compared",
    "reused": "see `computed`",
}
"""Facts that are others after a kill, and rightly so: fields of metrics, columns of the manifest. Speeds are,
too: what ends in ``_per_s``."""

STAGE_ROW = re.compile(
    r'(<th scope="row">\w+</th>\s*<td class="number">[^<]*</td>\s*)'  # the stage and its inputs
    r'<td class="number">[^<]*</td>\s*<td class="number">[^<]*</td>'  # computed, reused
    r'(\s*<td class="number[^"]*">[^<]*</td>\s*)'  # failed
    r'<td class="number">[^<]*</td>\s*<td class="number">[^<]*</td>'  # seconds, speed
)
"""The same facts where the report shows them: in its table of stages."""


def outputs(folder: Path, roots: Sequence[str]) -> dict[str, bytes]:
    """Return what is to be compared of all files below some folders, by name."""
    paths = (path for root in roots for path in sorted((folder / root).rglob("*")) if path.is_file())
    names = {path.relative_to(folder): path for path in paths}
    return {name.as_posix(): _settled(path) for name, path in names.items() if _is_compared(name)}


def temporary_files(folder: Path, roots: Sequence[str]) -> list[str]:
    """Return the names of what is still being written, or was when its process was killed."""
    paths = (path for root in roots for path in (folder / root).rglob(".*.tmp"))
    return sorted(path.relative_to(folder).as_posix() for path in paths)


def differences(found: Mapping[str, bytes], expected: Mapping[str, bytes]) -> list[str]:
    """Return in words how outputs differ from those of an undisturbed run."""
    told = [f"{name} is missing" for name in sorted(expected.keys() - found.keys())]
    told += [f"{name} is too many" for name in sorted(found.keys() - expected.keys())]
    same = sorted(found.keys() & expected.keys())
    return told + [f"{name} is another" for name in same if found[name] != expected[name]]


def _is_compared(name: Path) -> bool:
    return not ({*name.parts, name.suffix} & NOT_COMPARED.keys()) and name.suffix not in (".tmp", ".lock")


def _settled(path: Path) -> bytes:
    for pattern, settle in SETTLE.items():
        if path.match(pattern):
            return settle(path)
    return path.read_bytes()


def _csv(path: Path) -> bytes:
    with path.open(newline="", encoding="utf-8") as file:
        return repr([_without_luck(row) for row in csv.DictReader(file)]).encode()


def _parquet(path: Path) -> bytes:
    import pyarrow.parquet

    return repr([_without_luck(row) for row in pyarrow.parquet.read_table(path).to_pylist()]).encode()


def _json(path: Path) -> bytes:
    figures = json.loads(path.read_text(encoding="utf-8"))
    inputs = {"inputs": figures["computed"] + figures["reused"]} if "computed" in figures else {}
    return json.dumps(_without_luck(figures) | inputs).encode()


def _seals(path: Path) -> bytes:
    """Return which files are sealed and whether rightly so: their checksums tell of the same luck."""
    seals = (line.split("  ", 1) for line in path.read_text(encoding="utf-8").splitlines())
    return repr(sorted((name, sha256(path.with_name(name)) == digest) for digest, name in seals)).encode()


def _page(path: Path) -> bytes:
    return STAGE_ROW.sub(r"\1\2", path.read_text(encoding="utf-8")).encode()


def _without_luck(facts: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in facts.items() if name not in LUCK and not name.endswith("_per_s")}


SETTLE: dict[str, Callable[[Path], bytes]] = {
    "manifest.csv": _csv,
    "manifest.parquet": _parquet,
    "metrics/*.json": _json,
    "outcome.json": _json,
    "report/index.html": _page,
    SEALS_FILE: _seals,
}
"""What takes the luck out of the files that tell of it; all others are compared byte for byte."""
