"""Which of the package's code each stage depends on, in a clone by its files, elsewhere by their checksum."""

from __future__ import annotations

from l3embed.store.code import files_checksum, source_files

WHOLE_PACKAGE = ""

STAGE_SOURCES = {
    "sample": ("sample",),
    "check": (WHOLE_PACKAGE,),
    "weights": ("networks", "stages/weights.py", "variants.py", "weights"),
    "preprocess": (
        *("decoding", "disk/rows.py", "frontends", "inputs", "stages/dataset.py", "stages/packed"),
        *("stages/preprocess.py", "variants.py"),
    ),
    "embed": (
        *("disk/rows.py", "export", "frontends", "inputs", "models", "networks", "runtimes"),
        *("stages/embed.py", "stages/network.py", "stages/packed", "variants.py", "weights/file.py"),
    ),
    "export": (
        *("disk/rows.py", "export", "stages/export.py", "stages/packed", "stages/pooling.py", "variants.py"),
    ),
    "evaluate": (
        *("disk/rows.py", "distances", "evaluation", "export", "stages/evaluate.py"),
        *("stages/reference_distances.py", "variants.py"),
    ),
    "report": (
        *("decoding", "disk/rows.py", "evaluation", "export", "inputs", "report", "stages/report.py"),
        *("stages/stored_previews.py", "variants.py"),
    ),
}
"""Folders and modules of the package, relative to it, by the stage of ``dvc.yaml`` that depends on them."""


def stage_checksums() -> dict[str, str]:
    """Return the SHA-256 of each stage's code, as it is installed."""
    return {
        stage: files_checksum(file for name in sources for file in source_files(name))
        for stage, sources in STAGE_SOURCES.items()
    }
