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
from hydra.types import RunMode
from omegaconf import DictConfig, OmegaConf

from l3embed.app.pipeline import STAGES, run_stage
from l3embed.app.run_shards import STAGES as SHARD_STAGES
from l3embed.app.run_shards import (
    begin_shard,
    check_folder_is_fixed,
    chosen_shard,
    end_shard,
    shard_layout,
    whole_layout,
)
from l3embed.app.settings import Settings, parse_settings
from l3embed.app.submission import check_can_be_submitted, submit
from l3embed.app.sweep import forget_jobs, write_outcome
from l3embed.console.answers import show_warning
from l3embed.engines.engine_table import runs_commands
from l3embed.errors import OpenL3Error
from l3embed.runtimes.processor import CORES_VARIABLE, available_threads
from l3embed.sample import write_sample_dataset
from l3embed.stages.output_folder import Layout
from l3embed.stages.packed.partitions import Shard
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
        shard = _shard(settings)
        if runs_commands(settings.engine.name):
            log.info(_submit(settings, folder))
        elif shard:
            layout = shard_layout(folder, shard)
            folder = Launch.run_folder = layout.root
            _run_shard(settings, layout)
        else:
            with only_writer(folder):
                layout = whole_layout(folder)
                for stage in STAGES:
                    log.info(run_stage(stage, settings, layout))
    except (OpenL3Error, OSError) as error:
        reason = str(error)
        log.error(reason)
    except Exception as fault:
        write_outcome(folder, f"{type(fault).__name__}: {fault}", time.perf_counter() - started_s)
        raise
    write_outcome(folder, reason, time.perf_counter() - started_s)


def _submit(settings: Settings, folder: Path) -> str:
    """Have jobs run the stages."""
    own = HydraConfig.get()
    raw: Any = OmegaConf.to_container(own, resolve=False)
    check_can_be_submitted(settings, raw["run"]["dir"], is_sweep=own.mode is RunMode.MULTIRUN)
    return submit(settings, folder, list(own.overrides.task))


def _shard(settings: Settings) -> Shard | None:
    """Return the shard that this job is, if it is one."""
    own = HydraConfig.get()
    shard = chosen_shard(settings, os.environ, is_sweep=own.mode is RunMode.MULTIRUN)
    if shard and own.mode is RunMode.MULTIRUN:
        raise OpenL3Error(f"A sweep's jobs are whole runs; got shard={shard}. Run the shards without -m.")
    if shard:
        raw: Any = OmegaConf.to_container(own, resolve=False)
        check_folder_is_fixed(shard, raw["run"]["dir"])
    return shard


def _run_shard(settings: Settings, layout: Layout) -> None:
    """Run what a shard takes part in."""
    with only_writer(layout.root):
        begin_shard(layout)
        for stage in SHARD_STAGES:
            log.info(run_stage(stage, settings, layout))
        end_shard(layout)


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
