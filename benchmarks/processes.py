"""Commands as processes of their own: how long they take, start-up included, and how much memory."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass

MB = 1e6
MAXRSS_BYTES = 1 if sys.platform == "darwin" else 1024
"""Unit of ``ru_maxrss``."""


@dataclass(frozen=True)
class Run:
    """What a process took.

    Parameters
    ----------
    seconds : float
        From its start to its end.
    peak_mb : float
        Most memory that it held at once.
    output : str
        What it wrote to its standard output.
    """

    seconds: float
    peak_mb: float
    output: str


def run_python(*arguments: object) -> Run:
    """Run this Python with arguments.

    Raises
    ------
    subprocess.CalledProcessError
        If it fails.
    """
    return run([sys.executable, *map(str, arguments)])


def run(command: Sequence[str]) -> Run:
    """Run a command.

    The caller must be small itself, because Linux counts the memory that a process holds between its fork
    and its start as the new one's.

    Raises
    ------
    subprocess.CalledProcessError
        If it fails.
    """
    started_s = time.perf_counter()
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        output = process.stdout.read()
        _, status, usage = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - started_s
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, command, output)
    return Run(seconds, usage.ru_maxrss * MAXRSS_BYTES / MB, output)
