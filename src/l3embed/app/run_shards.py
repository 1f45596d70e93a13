"""Which shard of a run a call is, and what the shards of a run leave for the call that puts them together."""

from __future__ import annotations

import re
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from l3embed.app.settings import Settings
from l3embed.disk.json_files import read_object, write_json
from l3embed.errors import OpenL3Error
from l3embed.stages.output_folder import Layout
from l3embed.stages.packed.partitions import Shard, parse_shard

ALL = "all"
"""The word for a call that is no shard, whatever Slurm says."""

TASK_ID, TASK_COUNT, TASK_MIN = (f"SLURM_ARRAY_TASK_{name}" for name in ("ID", "COUNT", "MIN"))
"""What Slurm tells each job of an array."""

FOLDER = "shards"
"""Of a run, in which each shard has a folder, and all have one store."""

STORE = "store"
DONE_FILE = "done.json"
OWN_FOLDERS = ("check", "weights", "preprocessed")
"""What a shard needs while it works, and nobody afterwards."""

STAGES = ("check", "weights", "preprocess", "embed")
"""The stages that a shard takes part in."""


def chosen_shard(settings: Settings, environment: Mapping[str, str], *, is_sweep: bool) -> Shard | None:
    """Return the shard that a call is to compute; None, if it is to compute all there is.

    Parameters
    ----------
    settings : Settings
        What they say goes first.
    environment : mapping
        What Slurm says counts for packed runs.
    is_sweep : bool
        Whether this is a job of a sweep: those are no shards, though Slurm may run them as an array.

    Raises
    ------
    OpenL3Error
        If there is no such shard, or the array's numbers do not name shards.
    """
    if settings.shard == ALL:
        return None
    if settings.shard is not None:
        return parse_shard(settings.shard)
    if not settings.layout.is_packed or is_sweep or TASK_ID not in environment:
        return None
    return _array_shard(environment)


def _array_shard(environment: Mapping[str, str]) -> Shard:
    task, count, first = (environment.get(name, "") for name in (TASK_ID, TASK_COUNT, TASK_MIN))
    is_whole = task.isdecimal() and count.isdecimal() and int(task) < int(count) and first in ("", "0")
    if not is_whole:
        raise OpenL3Error(
            f"An array's jobs are the shards of a run if it begins at 0 and leaves none out, as --array=0-7 "
            f"does for 8; got {TASK_ID}={task or 'nothing'}, {TASK_COUNT}={count or 'nothing'}, "
            f"{TASK_MIN}={first or 'nothing'}. For an array of some of the shards, say of how many: "
            f"shard=${TASK_ID}/8. shard={ALL} has nothing to do with the array."
        )
    return Shard(int(task), int(count))


def check_folder_is_fixed(shard: Shard, pattern: str) -> None:
    """Check that all shards of a run get the same folder.

    Parameters
    ----------
    shard : Shard
        Which.
    pattern : str
        The setting ``hydra.run.dir``, as it is before anything is put into it.

    Raises
    ------
    OpenL3Error
        If it is another one at each time.
    """
    if "${now" in pattern:
        raise OpenL3Error(
            f"Shard {shard} needs the folder of its run, the same as all others: set hydra.run.dir=runs/NAME."
        )


def shard_layout(run: Path, shard: Shard) -> Layout:
    """Return where a shard writes, below the run's folder; nothing but the store is shared with others."""
    own = run / FOLDER / f"{shard.number}-of-{shard.count}"
    return Layout(own, store=run / FOLDER / STORE, shard=shard)


def whole_layout(run: Path) -> Layout:
    """Return where a call writes that puts together what shards have computed, if any have.

    Raises
    ------
    OpenL3Error
        If some are missing: it says which.
    """
    if not (run / FOLDER).is_dir():
        return Layout(run)
    missing = _missing(run)
    if missing and all(missing.values()):
        named = "; ".join(
            f"of {count} shards: {', '.join(map(str, numbers))}" for count, numbers in missing.items()
        )
        count, numbers = next(iter(missing.items()))
        raise OpenL3Error(
            f"Some shards of {run} are missing: they are still running, were killed, or were never started "
            f"({named}). Start them (again), as in shard={numbers[0]}/{count} hydra.run.dir={run}; what they "
            f"have finished is not computed again. Or remove {run / FOLDER}, to compute all in one call."
        )
    return Layout(run, store=run / FOLDER / STORE)


def _missing(run: Path) -> dict[int, list[int]]:
    """Return which shards have not come to their end, by the number of shards: some may have begun anew."""
    counts: dict[int, set[int]] = {}
    for path in (run / FOLDER).iterdir():
        if found := re.fullmatch(r"(\d+)-of-(\d+)", path.name):
            done = counts.setdefault(int(found[2]), set())
            if read_object(path / DONE_FILE):
                done.add(int(found[1]))
    return {count: sorted(set(range(count)) - done) for count, done in sorted(counts.items())}


def begin_shard(layout: Layout) -> None:
    """Take it that a shard is not done any more."""
    layout.root.mkdir(parents=True, exist_ok=True)
    (layout.root / DONE_FILE).unlink(missing_ok=True)


def end_shard(layout: Layout) -> None:
    """Take it that a shard is done, and remove what it needed while it worked."""
    for name in OWN_FOLDERS:
        shutil.rmtree(layout.folder(name), ignore_errors=True)
    figures: dict[str, Any] = read_object(layout.metrics_of("embed"))
    write_json(layout.root / DONE_FILE, {"shard": str(layout.shard), **figures})
