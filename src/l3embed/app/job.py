"""One job of ``l3embed-pipeline``, and what a launch of jobs prepares for all of them."""

from __future__ import annotations

import logging
import os
import time
import warnings
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from hydra.core.hydra_config import HydraConfig
from hydra.experimental.callback import Callback
from omegaconf import DictConfig

from l3embed.app.pipeline import STAGES, run_stage
from l3embed.app.settings import parse_settings
from l3embed.app.sweep import forget_jobs, write_outcome
from l3embed.cli.main import show_warning
from l3embed.errors import OpenL3Error
from l3embed.runtimes.processor import CORES_VARIABLE, available_threads
from l3embed.sample import write_sample_dataset
from l3embed.stages.output_folder import Layout
from l3embed.store.claims import only_writer

log = logging.getLogger(__name__)


def limit_threads(jobs: int) -> None:
    """Leave this job its share of the cores, if `jobs` run at once; -1: one for each core.

    ``device.threads`` counts for more, and so does an environment that says otherwise. NumPy's libraries are
    limited by joblib.
    """
    cores = available_threads()
    share = max(1, cores // (cores if jobs < 1 else jobs))
    os.environ.setdefault(CORES_VARIABLE, str(share))


def run_job(config: DictConfig) -> None:
    """Run all stages with composed settings, in the folder that Hydra has made for them."""
    warnings.showwarning = show_warning
    if jobs := HydraConfig.get().launcher.get("n_jobs"):
        limit_threads(jobs)
    folder = Path(os.path.relpath(HydraConfig.get().runtime.output_dir))
    started_s = time.perf_counter()
    reason = ""
    try:
        settings = parse_settings(config)
        with only_writer(folder):
            for stage in STAGES:
                log.info(run_stage(stage, settings, Layout(folder)))
    except (OpenL3Error, OSError) as error:
        reason = str(error)
        log.error(reason)
    except Exception as fault:
        write_outcome(folder, f"{type(fault).__name__}: {fault}", time.perf_counter() - started_s)
        raise
    write_outcome(folder, reason, time.perf_counter() - started_s)


class Launch(Callback):
    """Prepares what all jobs share, and remembers where they write: Hydra tells it when it begins.

    ``conf/config.yaml`` names it.
    """

    run_folder: Path | None = None
    sweep_folder: Path | None = None
    claims = ExitStack()

    def on_run_start(self, config: DictConfig, **kwargs: Any) -> None:
        """Begin a single run."""
        Launch.run_folder = Path(config.hydra.run.dir)
        _synthesise(config)

    def on_multirun_start(self, config: DictConfig, **kwargs: Any) -> None:
        """Begin a sweep."""
        Launch.sweep_folder = Path(config.hydra.sweep.dir)
        Launch.claims.enter_context(only_writer(Launch.sweep_folder))
        forget_jobs(Launch.sweep_folder)
        _synthesise(config)


def _synthesise(config: DictConfig) -> None:
    for folder in config.dataset.synthesised.values():
        write_sample_dataset(Path(folder))
