"""A whole run by an engine that runs command lines: a job for each shard, and one that puts all together."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from hydra.core.override_parser.types import Quote, QuotedString

from l3embed.app.paths import check_paths
from l3embed.app.run_shards import ALL
from l3embed.app.settings import Settings
from l3embed.engines.engine_table import LOCAL, command_engine
from l3embed.errors import OpenL3Error
from l3embed.progress import counted

LOGS = "jobs"
"""Folder of a run, with what its jobs write to their terminals."""

OWN = ("engine", "shard")
"""Settings that are the jobs' own."""


def submit(settings: Settings, folder: Path, overrides: Sequence[str]) -> str:
    """Have all shards of a run computed by jobs, wait for them, and return what there is to say.

    Parameters
    ----------
    settings : Settings
        Of the run.
    folder : Path
        The run's own.
    overrides : sequence of str
        By which the settings were composed, as Hydra has them.

    Raises
    ------
    OpenL3Error
        If jobs cannot be submitted, or one has failed.
    """
    check_paths(settings)
    engine, shards = settings.engine, settings.engine.shards
    commands = [_command(overrides, folder, f"{number}/{shards}") for number in range(shards)]
    running = command_engine(engine.name, engine.parse())
    running.run(commands, _command(overrides, folder, ALL), folder / LOGS)
    return f"{counted(shards, 'shard')} computed and put together in {folder}"


def check_can_be_submitted(settings: Settings, pattern: str, *, is_sweep: bool) -> None:
    """Check that jobs get a folder that the same command finds again.

    Parameters
    ----------
    settings : Settings
        Of the run.
    pattern : str
        The setting ``hydra.run.dir``, as it is before anything is put into it.
    is_sweep : bool
        Whether this is one of many runs.

    Raises
    ------
    OpenL3Error
        If it is, or the folder is another one at each time.
    """
    name = settings.engine.name
    if is_sweep:
        raise OpenL3Error(
            f"engine={name} shares out one run. For a sweep set hydra/launcher={name}: a job for each run."
        )
    if "${now" in pattern:
        raise OpenL3Error(
            f"engine={name} needs a folder that all jobs have, and that the same command finds again: set "
            "hydra.run.dir=runs/NAME."
        )


def _command(overrides: Sequence[str], folder: Path, shard: str) -> list[str]:
    """Return the command line of one job."""
    quoted = QuotedString(str(folder), Quote.single).with_quotes()
    own = [f"engine={LOCAL}", f"shard={shard}", f"hydra.run.dir={quoted}"]
    return [sys.executable, "-m", "l3embed.app.run", *_others(overrides), *own]


def _others(overrides: Sequence[str]) -> Iterator[str]:
    """Yield the overrides that are not about what jobs have of their own."""
    for override in overrides:
        name = override.partition("=")[0].lstrip("+~")
        if name.partition(".")[0] not in OWN:
            yield override
