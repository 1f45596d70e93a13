"""The two runs that a comparison is of: where each export and its evaluation lie, and what was exported."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from l3embed.disk.seals import is_sealed
from l3embed.errors import OpenL3Error
from l3embed.export.manifest import MANIFEST_CSV, ManifestRow, manifest_path, read_manifest
from l3embed.variants import Modality

EXPORT, EVALUATION = "export", "evaluation"
"""Folders of a run, as the pipeline names them."""

WANTED = (
    "Name the data folder of a run, its folder 'export', or the folder of one job of l3embed-pipeline, "
    "as sweeps/DATE/0."
)


@dataclass(frozen=True)
class Run:
    """What one run has exported.

    Parameters
    ----------
    name : str
        The folder as the user named it.
    export : Path
        The export's folder.
    rows : tuple of ManifestRow
        Its manifest, which is not empty.
    """

    name: str
    export: Path
    rows: tuple[ManifestRow, ...]

    @property
    def folder(self) -> Path | None:
        """The run's folder; None if the export was taken out of it."""
        named = self.export if self.export.name not in ("", "..") else self.export.resolve()
        return named.parent if named.name == EXPORT else None

    @property
    def evaluation(self) -> Path | None:
        """The folder of its evaluation, which may be missing; None if it cannot be known."""
        return self.folder / EVALUATION if self.folder else None

    @property
    def modalities(self) -> tuple[Modality, ...]:
        """Which networks its embeddings are from."""
        done = {row.modality for row in self.rows if row.is_ok}
        return tuple(modality for modality in Modality if modality.value in done)

    def rows_of(self, modality: Modality) -> dict[str, ManifestRow]:
        """Return the inputs of one modality by their files' paths, in the manifest's order."""
        return {row.path: row for row in self.rows if row.modality == modality.value}


def read_run(named: Path) -> Run:
    """Find the export that a folder is or has, and read its manifest.

    Raises
    ------
    OpenL3Error
        If there is none, it is damaged, or it holds nothing.
    """
    export = _export_of(named)
    rows = tuple(read_manifest(export))
    if not any(row.is_ok for row in rows):
        raise OpenL3Error(f"{export} has no embeddings to compare: of {len(rows)} inputs, none was embedded.")
    return Run(str(named), export, rows)


def _export_of(named: Path) -> Path:
    if not named.exists():
        raise OpenL3Error(f"There is no {named}. {WANTED}")
    if not named.is_dir():
        raise OpenL3Error(f"{named} is no folder. {WANTED}")
    for folder in (named, named / EXPORT, named / "data" / EXPORT):
        if _is_export(folder):
            return folder
    jobs = sorted(path for path in named.iterdir() if _is_export(path / EXPORT))
    if jobs:
        raise OpenL3Error(f"{named} holds several runs. Name one of them, as {jobs[0]}.")
    raise OpenL3Error(f"{named} holds no export: there is no {MANIFEST_CSV} in it. {WANTED}")


def _is_export(folder: Path) -> bool:
    """Tell whether there is a manifest, or has to be one."""
    path = manifest_path(folder)
    return path.exists() or is_sealed(path)
