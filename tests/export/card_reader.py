"""Reads an export by its card, in a process of its own: ``python card_reader.py PACKAGE``, in the folder.

PACKAGE is what to read it with: ``snippets`` runs the programs that the card shows. What was read is saved
as ``PACKAGE.npz`` beside the folder.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np


def by_mlcroissant() -> Iterator[tuple[str, Any]]:
    """The embeddings of each set of records, and how many records of the manifest there are."""
    import mlcroissant

    dataset = mlcroissant.Dataset("croissant.json")
    for record_set in ("audio", "image"):
        records = list(dataset.records(record_set))
        yield f"{record_set}_embedding", [record[f"{record_set}/embedding"] for record in records]
        yield f"{record_set}_path", [record[f"{record_set}/path"].decode() for record in records]
    yield (
        "failed",
        [
            record["manifest/path"].decode()
            for record in dataset.records("manifest")
            if record["manifest/status"] == b"failed"
        ],
    )


def by_datasets() -> Iterator[tuple[str, Any]]:
    """The embeddings of each configuration, and those of the one that comes unasked."""
    from datasets import load_dataset

    folder = str(Path.cwd())
    for name in ("audio", "image"):
        dataset = load_dataset(folder, name, split="train")
        yield f"{name}_embedding", dataset.with_format("numpy")[:]["embedding"]
        yield f"{name}_path", dataset[:]["path"]
    yield "unasked", load_dataset(folder)["train"].with_format("numpy")[:]["embedding"]


def by_snippets() -> Iterator[tuple[str, Any]]:
    """What each program of the card gives, by the package that it imports last."""
    for program in re.findall(
        r"```python\n(.*?)```", Path("README.md").read_text(encoding="utf-8"), re.DOTALL
    ):
        package = re.findall(r"^(?:import|from) (\w+)", program, re.MULTILINE)[-1]
        names: dict[str, Any] = {}
        try:
            exec(program, names)
        except ModuleNotFoundError as error:
            if error.name != package:
                raise
            continue
        yield package, names["embeddings"] if "embeddings" in names else names["embedding"]


READERS = {"mlcroissant": by_mlcroissant, "datasets": by_datasets, "snippets": by_snippets}

if __name__ == "__main__":
    found = dict(READERS[sys.argv[1]]())
    np.savez(Path("..", f"{sys.argv[1]}.npz"), **found)
