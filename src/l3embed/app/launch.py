"""What ``l3embed-pipeline`` does: has Hydra run the jobs, and concludes a sweep."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Sequence
from pathlib import Path

import hydra

from l3embed.app.job import Launch, run_job
from l3embed.app.overrides import prepare_overrides
from l3embed.app.params import CONFIG_NAME, check_project
from l3embed.app.run import PROGRAM
from l3embed.app.schema_file import CONFIG_FOLDER
from l3embed.app.sweep import read_failure, read_jobs
from l3embed.app.sweep_tables import CHART_FILE, CSV_FILE, MARKDOWN_FILE, write_sweep
from l3embed.cli.interruption import EXIT_INTERRUPTED
from l3embed.cli.main import EXIT_FAILURE
from l3embed.errors import OpenL3Error
from l3embed.progress import counted

SWEEP_OPTIONS = ("-m", "--multirun")
SHELL_OPTIONS = ("-sc", "--shell-completion")
"""With which Hydra takes words that are no settings."""

LAUNCHER_EXTRAS = {
    "cores": ("hydra_plugins.hydra_joblib_launcher", "joblib"),
    "joblib": ("hydra_plugins.hydra_joblib_launcher", "joblib"),
    "slurm": ("hydra_plugins.hydra_submitit_launcher", "slurm"),
    "slurm_local": ("hydra_plugins.hydra_submitit_launcher", "slurm"),
}
"""The module that each launcher of ``conf/hydra/launcher`` needs, and the extra that brings it."""


def run_pipeline() -> int:
    """Run the pipeline or a sweep as the command line says; return the exit status: 0 if nothing failed."""
    try:
        check_project()
        _check_launcher(sys.argv)
        sys.argv[1:] = _prepared(sys.argv[1:])
        with Launch.claims:
            status = _launch()
            if Launch.sweep_folder:
                return max(status, _conclude(Launch.sweep_folder))
        if Launch.run_folder and not status:
            return EXIT_FAILURE if read_failure(Launch.run_folder) else 0
    except (OpenL3Error, OSError) as error:
        sys.stderr.write(f"{PROGRAM}: error: {error}\n")
        return EXIT_FAILURE
    except KeyboardInterrupt:
        sys.stderr.write(
            f"{PROGRAM}: interrupted; what was computed is kept, and the same command goes on.\n"
        )
        return EXIT_INTERRUPTED
    return status


def _launch() -> int:
    """Let Hydra run the jobs; it ends the process when settings cannot be composed."""
    wrapped = hydra.main(
        version_base="1.3", config_path=str(CONFIG_FOLDER.resolve()), config_name=CONFIG_NAME
    )
    try:
        wrapped(run_job)()
    except SystemExit as end:
        return int(end.code or 0)
    return 0


def _prepared(arguments: Sequence[str]) -> list[str]:
    """Return a command line with its settings as Hydra understands them; options stay as they are."""
    if any(argument in SHELL_OPTIONS for argument in arguments):
        return list(arguments)
    is_sweep = any(argument in SWEEP_OPTIONS for argument in arguments)
    prepared = []
    before = ""
    for argument in arguments:
        is_option = argument.startswith("-")
        # What stands behind another option without a sign may be its value: --cfg job.
        is_value = before.startswith("-") and before not in SWEEP_OPTIONS and "=" not in argument
        own = [] if is_option or is_value else [argument]
        prepared += prepare_overrides(own, CONFIG_FOLDER, is_sweep=is_sweep) or [argument]
        before = argument
    return prepared


def _conclude(folder: Path) -> int:
    """Write the sweep's tables and chart, show the table, and return the exit status."""
    jobs = read_jobs(folder)
    if not jobs:
        return EXIT_FAILURE
    write_sweep(folder, jobs)
    failed = sum(not job.is_ok for job in jobs)
    sys.stdout.write((folder / MARKDOWN_FILE).read_text(encoding="utf-8"))
    written = ", ".join(
        str(folder / name) for name in (CSV_FILE, MARKDOWN_FILE, CHART_FILE) if (folder / name).exists()
    )
    sys.stdout.write(f"\n{counted(len(jobs), 'job')}, {failed} failed: {written}\n")
    return EXIT_FAILURE if failed else 0


def _check_launcher(arguments: Sequence[str]) -> None:
    """Check that the launcher that was chosen is installed: Hydra's own words name no remedy."""
    for argument in arguments:
        key, _, launcher = argument.partition("=")
        if key == "hydra/launcher" and launcher in LAUNCHER_EXTRAS:
            module, extra = LAUNCHER_EXTRAS[launcher]
            if not _is_installed(module):
                raise OpenL3Error(
                    f"hydra/launcher={launcher} needs another package: pip install 'l3embed[{extra}]'."
                )


def _is_installed(module: str) -> bool:
    try:
        return importlib.util.find_spec(module) is not None
    except ModuleNotFoundError:
        return False
