"""What the jobs of a sweep leave in their folders, and reading it when all have ended."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from omegaconf import OmegaConf

from l3embed.app.sweep_tables import COUNTS, Job
from l3embed.disk.json_files import read_object, read_whole_object, write_json
from l3embed.disk.seals import reading
from l3embed.disk.tables import FAILED, OK
from l3embed.errors import OpenL3Error, source_faults
from l3embed.evaluation.file_format import read_figures
from l3embed.export.manifest import read_manifest
from l3embed.stages.output_folder import Layout

OUTCOME_FILE = "outcome.json"
OVERRIDES_FILE = Path(".hydra", "overrides.yaml")
HYDRA_FILE = Path(".hydra", "hydra.yaml")
BYTES_A_NUMBER = 4
BYTES_A_MEGABYTE = 1e6


def write_outcome(folder: Path, reason: str, run_s: float) -> None:
    """Write down how a job ended: with a reason if it failed."""
    content = {"status": FAILED if reason else OK, "reason": reason, "run_s": round(run_s, 1)}
    write_json(folder / OUTCOME_FILE, content)


def read_failure(folder: Path) -> str:
    """Return why a job failed; nothing if it did not."""
    outcome = read_object(folder / OUTCOME_FILE)
    return str(outcome["reason"]) if "reason" in outcome else f"It did not come to its end; see {folder}."


def forget_jobs(folder: Path) -> None:
    """Remove what an earlier sweep in the same folder said of its jobs; their results stay."""
    for name in (OUTCOME_FILE, str(OVERRIDES_FILE)):
        for path in folder.rglob(name):
            path.unlink()


def read_jobs(folder: Path) -> list[Job]:
    """Read the jobs of a sweep, in their order; one that never ended has failed."""
    folders = [path.parent.parent for path in folder.rglob(str(OVERRIDES_FILE))]
    return sorted((_read_job(path) for path in folders), key=lambda job: job.number)


def _read_job(folder: Path) -> Job:
    """Read a job; one whose files are damaged has failed, and the others have not."""
    # Its folder is called by its number, unless the settings say otherwise.
    number, choices = int(folder.name) if folder.name.isdecimal() else 0, dict[str, str]()
    outcome = read_object(folder / OUTCOME_FILE)
    try:
        with source_faults():
            number = int(OmegaConf.load(folder / HYDRA_FILE).hydra.job.num)
            overrides = [str(override).partition("=") for override in OmegaConf.load(folder / OVERRIDES_FILE)]
            choices = {key.lstrip("+"): value for key, _, value in overrides}
            if outcome.get("status") == OK:
                return replace(_read_results(number, choices, folder), run_s=outcome.get("run_s"))
    except OpenL3Error as error:
        return Job(number, choices, FAILED, f"{folder} is damaged. {error}", run_s=outcome.get("run_s"))
    return Job(number, choices, FAILED, read_failure(folder), run_s=outcome.get("run_s"))


def _read_results(number: int, choices: Mapping[str, str], folder: Path) -> Job:
    layout = Layout(folder)
    evaluated = read_figures(layout.folder("evaluation"))
    with reading(layout.metrics_of("embed"), "embed"):
        embedded = read_whole_object(layout.metrics_of("embed"))
        counts = {name: int(embedded[name]) for name in COUNTS}
    rows = [row for row in read_manifest(layout.folder("export")) if row.is_ok]
    known = [row.seconds for row in rows if row.seconds is not None]
    return Job(
        number,
        choices,
        OK,
        quality={modality: found for modality, found in evaluated.items() if found.scores},
        distances={key: found.distances.of_all for key, found in evaluated.items() if found.distances},
        compute_s=round(sum(known), 3) if len(known) == len(rows) else None,
        size_mb=round(sum(row.frames * row.dimension for row in rows) * BYTES_A_NUMBER / BYTES_A_MEGABYTE, 3),
        counts=counts,
    )
