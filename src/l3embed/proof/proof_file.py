"""A proof as a JSON file, which is known to be as it was written by a checksum over what it says.

The checksum is SHA-256 over the canonical JSON of all but itself: keys sorted, no spaces, ASCII. So spaces
and line ends do not matter, and any other change does.
"""

from __future__ import annotations

import json
from hashlib import sha256
from pathlib import Path
from typing import Any

from l3embed.disk.json_files import read_whole_object, write_json
from l3embed.errors import OpenL3Error, source_faults
from l3embed.proof.statement import Proof
from l3embed.proof.typed_json import from_json, to_json

FORMAT = "l3embed proof"
VERSION = 1

CHECKSUM = "checksum"
WRITTEN_BY = "Name a file that 'l3embed prove' has written."


def write_proof(path: Path, proof: Proof) -> str:
    """Write a proof, and return its checksum: the same proof makes the same bytes."""
    content = {"format": FORMAT, "format_version": VERSION, **to_json(proof)}
    checksum = checksum_of(content)
    write_json(path, {**content, CHECKSUM: checksum})
    return checksum


def checksum_of(content: dict[str, Any]) -> str:
    """Return the checksum of what a proof says, as in ``sha256:...``."""
    others = {name: value for name, value in content.items() if name != CHECKSUM}
    words = json.dumps(others, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return f"sha256:{sha256(words.encode()).hexdigest()}"


def read_proof(path: Path) -> tuple[Proof, str]:
    """Read a proof and its checksum.

    Raises
    ------
    OpenL3Error
        If the file cannot be read, is none, is of another version, or is not as it was written.
    """
    if not path.is_file():
        raise OpenL3Error(f"There is no file {path}. {WRITTEN_BY}")
    with source_faults(f"{path} is no proof that can be read, but another file or cut short"):
        content = read_whole_object(path)
    if content.get("format") != FORMAT:
        raise OpenL3Error(f"{path} is JSON, and no proof. {WRITTEN_BY}")
    if content.get("format_version") != VERSION:
        raise OpenL3Error(
            f"{path} is a proof of the format {content.get('format_version')!r}, and this l3embed reads "
            f"{VERSION}. Take the l3embed that wrote it, or have it written anew."
        )
    said, own = content.get(CHECKSUM), checksum_of(content)
    if said != own:
        raise OpenL3Error(
            f"{path} was changed since it was written: it says {said}, and what it holds has {own}. Get it "
            "once more from where it was published."
        )
    statement = {
        name: value for name, value in content.items() if name not in ("format", "format_version", CHECKSUM)
    }
    try:
        return from_json(Proof, statement), own
    except OpenL3Error as error:
        raise OpenL3Error(f"{path} is not as a proof is written: {error}. {WRITTEN_BY}") from error
