"""An export to a proof of it."""

from __future__ import annotations

import platform
from dataclasses import replace
from pathlib import Path

from l3embed.errors import OpenL3Error
from l3embed.export.manifest import STAGE, is_export, is_packed
from l3embed.proof.drawing import drawn_places
from l3embed.proof.exported_windows import read_windows
from l3embed.proof.stated_settings import stated_settings
from l3embed.proof.statement import Proof, ProvenNetwork
from l3embed.proof.summed_manifest import ModalityFacts, drawn_frames, sum_manifest
from l3embed.proof.weight_numbers import numbers_beside, variant_of
from l3embed.report.compared_runs import Run
from l3embed.runtimes.processor import processor_name
from l3embed.store.code import code_checksum
from l3embed.store.recipe import Step
from l3embed.variants import Precision, parse_choice
from l3embed.version import __version__

STEPS = {False: (Step.PREPROCESS, Step.EMBED), True: (Step.PACK,)}
"""The steps from a file to its embeddings, by whether an export is packed."""


def make_proof(folder: Path, sample: int) -> Proof:
    """Return a proof of an export, with some of its embeddings in full.

    Parameters
    ----------
    folder : Path
        The export's, in either layout, or that of its run.
    sample : int
        How many embeddings.

    Raises
    ------
    OpenL3Error
        If there is no export with a row for each moment, or it is damaged where it is looked at.
    """
    export = _export_in(folder)
    summed = sum_manifest(export)
    places = drawn_places(summed.inputs.embeddings, sample, summed.inputs.digest)
    drawn, rows = drawn_frames(export, places)
    windows, dtypes = read_windows(export, drawn)
    run_folder = Run(str(folder), export, ()).folder
    settings = stated_settings(export, run_folder, windows)
    networks = {
        modality: _network(facts, dtypes.get(modality, "float32"), run_folder)
        for modality, facts in summed.modalities.items()
    }
    is_own = summed.packages.get("l3embed") == (__version__,)
    return Proof(
        summed.inputs if summed.inputs.rows else replace(summed.inputs, rows=tuple(rows)),
        settings,
        networks,
        {step.value: code_checksum(step) for step in STEPS[is_packed(export)]} if is_own else {},
        summed.packages,
        machine_words(),
        tuple(windows),
    )


def _export_in(folder: Path) -> Path:
    found = next((each for each in (folder, folder / STAGE) if is_export(each)), None)
    if found:
        return found
    if any(folder.glob("*.npz")):
        raise OpenL3Error(
            f"{folder} holds .npz files, and no manifest: they do not say which bytes they were computed "
            "from, so that nothing can be proven of them. Embed the dataset by the pipeline (dvc repro or "
            "l3embed-pipeline), and name its folder data/export."
        )
    what = "is no export" if folder.is_dir() else "is no folder" if folder.exists() else "does not exist"
    raise OpenL3Error(f"{folder} {what}. Name the folder of an export, such as data/export.")


def _network(facts: ModalityFacts, dtype: str, run_folder: Path | None) -> ProvenNetwork:
    row = facts.row
    variant = variant_of(row.variant, parse_choice(Precision, "precision", row.precision))
    return ProvenNetwork(
        row.variant,
        row.precision,
        row.dimension,
        dtype,
        row.weights,
        numbers_beside(run_folder, variant, row.weights),
        tuple(sorted(facts.runtimes)),
    )


def machine_words() -> str:
    """Return what this machine is, in words."""
    return f"{platform.system()} {platform.machine()}, {processor_name()}, Python {platform.python_version()}"
