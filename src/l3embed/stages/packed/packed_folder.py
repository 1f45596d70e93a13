"""What a packed run leaves in its folder of embeddings: parts, and which of the store's results they are."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from l3embed.disk.json_files import read_whole_object, write_json
from l3embed.disk.seals import reading, seal
from l3embed.stages.packed.plan import PartId
from l3embed.variants import Modality

PARTS_FILE = "parts.json"
"""The keys of the parts that have rows."""

TABLE_FILE = "results.parquet"
"""What became of each input, sorted by path."""

STAGE = "embed"
"""Which stage writes all of it."""


def part_path(folder: Path, part: PartId) -> Path:
    """Return the file of a part's rows in an output folder."""
    return folder / part.modality.value / f"part-{part.number:05d}.parquet"


def write_part_keys(folder: Path, keys: Mapping[PartId, str]) -> None:
    """Write which of the store's results the parts are."""
    content: dict[str, dict[str, str]] = {}
    for part, key in keys.items():
        content.setdefault(part.modality.value, {})[str(part.number)] = key
    write_json(folder / PARTS_FILE, content)
    seal(folder / PARTS_FILE)


def read_part_keys(folder: Path) -> dict[PartId, str]:
    """Read the same again.

    Raises
    ------
    OpenL3Error
        If it is not there, or not as it was written.
    """
    with reading(folder / PARTS_FILE, STAGE):
        return {
            PartId(Modality(modality), int(number)): str(key)
            for modality, keys in read_whole_object(folder / PARTS_FILE).items()
            for number, key in keys.items()
        }
