"""``engine=slurm``: an array of jobs and a last one behind it, submitted by submitit."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from l3embed.engines.contract import EngineOptions
from l3embed.errors import OpenL3Error
from l3embed.progress import counted, progress_bar, say

POLL_S = {"slurm": 10.0, "local": 0.5}
"""How often to look for jobs that are done; submitit itself asks Slurm once a minute."""

CORES_VARIABLE = "LOKY_MAX_CPU_COUNT"
"""joblib's: how many cores a process may use. Slurm gives its jobs their own."""

ERROR_WORDS = re.compile(r"(?:\[ERROR\] - |: error: )(.*)")
"""How a command line names its reason in its log."""


def command_engine(options: EngineOptions) -> SlurmEngine:
    """Return the engine."""
    return SlurmEngine(options)


@dataclass(frozen=True)
class Command:
    """A command line as a job. One that ran out of time is submitted again, and goes on where it was."""

    arguments: tuple[str, ...]
    cores: int | None = None

    def __call__(self) -> int:
        """Run it, and return its exit status; what it writes goes into the job's log."""
        own = {CORES_VARIABLE: str(self.cores)} if self.cores else {}
        done = subprocess.run(self.arguments, check=False, env=own | dict(os.environ))  # noqa: S603 - our own
        return done.returncode

    def checkpoint(self) -> Any:
        """Return what submitit is to submit when Slurm takes the job's machine away."""
        import submitit

        return submitit.helpers.DelayedSubmission(self)


@dataclass(frozen=True)
class SlurmEngine:
    """Slurm, or processes of this machine in its place: a `CommandEngine`."""

    options: EngineOptions

    def run(self, commands: Sequence[Sequence[str]], last: Sequence[str], logs: Path) -> None:
        """Run commands side by side and then a last one; see `CommandEngine`."""
        jobs: list[Any] = []
        try:
            jobs += self._submit_array(commands, logs)
            number = f" as {_array(jobs[0])}" if self._is_slurm else ""
            say(f"Submitted {counted(len(jobs), 'job')}{number}; a last one puts all together.")
            if self._is_slurm:  # which starts the last one, whether this process still is there or not
                jobs.append(self._submit_last(last, logs, after=_array(jobs[0])))
                self._wait(jobs[:-1])
            else:
                self._wait(jobs)
                jobs.append(self._submit_last(last, logs))
            self._wait(jobs[-1:])
        except KeyboardInterrupt:
            for job in jobs:
                job.cancel(check=False)
            say("The jobs are cancelled.")
            raise

    @property
    def _is_slurm(self) -> bool:
        return self.options.executor == "slurm"

    def _submit_array(self, commands: Sequence[Sequence[str]], logs: Path) -> list[Any]:
        share = max(1, (os.cpu_count() or 1) // len(commands))
        cores = None if self._is_slurm else share
        with _explaining():
            executor = self._executor(logs, "l3embed")
            with executor.batch():
                return [executor.submit(Command(tuple(command), cores)) for command in commands]

    def _submit_last(self, command: Sequence[str], logs: Path, after: str = "") -> Any:
        with _explaining():
            executor = self._executor(logs, "l3embed-last")
            if after:  # all have ended, well or not: it names those that are missing
                executor.update_parameters(slurm_additional_parameters={"dependency": f"afterany:{after}"})
            return executor.submit(Command(tuple(command)))

    def _executor(self, logs: Path, name: str) -> Any:
        import submitit

        executor = submitit.AutoExecutor(folder=logs, cluster=self.options.executor)
        executor.update_parameters(name=name, **dict(self.options.job))
        return executor

    def _wait(self, jobs: Sequence[Any]) -> None:
        """Wait for jobs, and tell of those that have failed.

        Raises
        ------
        OpenL3Error
            If any has.
        """
        from submitit.helpers import as_completed

        failed = []
        with progress_bar("Jobs", total=len(jobs), unit="job") as bar:
            for job in as_completed(jobs, poll_frequency=POLL_S[self.options.executor]):
                if reason := _failure(job):
                    failed.append(f"job {job.job_id}: {reason} Its log: {job.paths.stdout}")
                    say(failed[-1])
                bar.update()
        if failed:
            raise OpenL3Error(f"{counted(len(failed), 'job')} of {len(jobs)} failed. The first: {failed[0]}")


def _failure(job: Any) -> str:
    """Return why a job has failed; nothing if it has not."""
    fault = job.exception()
    if fault is not None:  # it was cancelled, or its machine is gone
        return f"{str(fault).strip().splitlines()[0].rstrip('.:')}."
    status = job.result()
    if not status:
        return ""
    words = ERROR_WORDS.findall(f"{job.stdout() or ''}\n{job.stderr() or ''}")
    return words[-1] if words else f"It ended with status {status}."


def _array(job: Any) -> str:
    """Return the number of the array that a job is of."""
    return str(job.job_id).partition("_")[0]


@contextmanager
def _explaining() -> Iterator[None]:
    """Put submitit's complaints into words of the settings."""
    try:
        yield
    except (RuntimeError, ValueError, NameError, AssertionError, subprocess.SubprocessError) as error:
        words = " ".join(str(error).split()).rstrip(".?")
        raise OpenL3Error(
            f"The jobs could not be submitted: {words}. Settings of jobs are those below engine.job; "
            "engine.executor=local runs them as processes of this machine."
        ) from error
