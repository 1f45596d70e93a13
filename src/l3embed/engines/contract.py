"""What an engine is given and what it gives back. It knows nothing of what is computed.

A row of `l3embed.engines.engine_table` names a module that has one of two functions: ``batch_engine``, if the
engine runs functions, or ``command_engine``, if it runs command lines.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, TypeVar

Task = TypeVar("Task")
Done = TypeVar("Done")
Task_contra = TypeVar("Task_contra", contravariant=True)
Done_co = TypeVar("Done_co", covariant=True)


@dataclass(frozen=True)
class EngineOptions:
    """How an engine runs. Each engine reads what is meant for it.

    Parameters
    ----------
    address : str or None
        Of a Ray cluster, as in ``10.0.0.1:6379``; None: a cluster of this machine alone.
    actors : int or None
        Processes of Ray that compute; None: as many as the cluster has room for.
    num_cpus, num_gpus : float
        What each of them has of its machine.
    shards : int
        Jobs of the Slurm array.
    executor : str
        ``slurm``, or ``local`` for processes of this machine in place of jobs, to try it out.
    job : mapping
        What each job asks Slurm for, in submitit's words.
    """

    address: str | None = None
    actors: int | None = None
    num_cpus: float = 1.0
    num_gpus: float = 0.0
    shards: int = 8
    executor: str = "slurm"
    job: tuple[tuple[str, object], ...] = ()


class Worker(Protocol[Task_contra, Done_co]):
    """What computes, in whichever process. It can be pickled, and so can its tasks and what comes of them."""

    def prepare(self, threads: int) -> None:
        """Get ready in the process that computes, before the first task.

        Parameters
        ----------
        threads : int
            How many it may use, where the settings leave that open.

        Raises
        ------
        OpenL3Error
            If this process cannot do what is asked for.
        """

    def compute(self, tasks: Sequence[Task_contra]) -> Sequence[Done_co]:
        """Compute some tasks, and return what came of each, in their order.

        It may be called again with tasks that were computed before, in part or as a whole: after its process
        or its machine has died.

        Raises
        ------
        OpenL3Error
            If no task can be computed, here or anywhere.
        """


class BatchEngine(Protocol):
    """Runs workers: a context, in which what it needs to start is kept."""

    def __enter__(self) -> object: ...

    def __exit__(self, *fault: Any) -> bool | None: ...

    def compute(
        self, batches: Iterable[Sequence[Task]], worker: Worker[Task, Done]
    ) -> Iterator[Sequence[Done]]:
        """Yield what came of each batch, in whatever order they are done.

        Raises
        ------
        OpenL3Error
            If there is no worker to be had, one has died too often, or as `Worker.compute` does.
        """


class CommandEngine(Protocol):
    """Runs command lines, each on whichever machine."""

    def run(self, commands: Sequence[Sequence[str]], last: Sequence[str], logs: Path) -> None:
        """Run commands side by side and, when all have come to their end, a last one.

        Parameters
        ----------
        commands, last : sequences of str
            What to run, in the folder that this process runs in.
        logs : Path
            Where what they write to their terminals is kept.

        Raises
        ------
        OpenL3Error
            If one of them fails: with its words, and where its log is.
        """
