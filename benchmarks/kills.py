"""``python -m benchmarks.kills``: runs killed (SIGKILL) at random moments, run to their end, and compared.

Each kind of run is first left undisturbed and measured. Then, in fresh copies of its folder, it is begun and
killed with its whole process group, once or twice, at moments drawn uniformly from that duration; the same
commands are run to their end, and all outputs have to be an undisturbed run's, bit for bit. What may differ
stands in `benchmarks.kept_outputs`. No temporary file and no process may be left.
"""

from __future__ import annotations

import argparse
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import cycle
from pathlib import Path

from benchmarks.kept_outputs import differences, outputs, temporary_files
from benchmarks.killed_runs import Kind, all_kinds, environment

KILLS_IN_A_ROW = 2
"""How often a run is killed at most before it is left in peace."""

PATIENCE_S = 900.0
"""How long a run may take that is not killed: nothing hangs for ever."""

GONE_AFTER_S = 30.0
"""How long killed processes may take to be gone."""


@dataclass
class Tally:
    """What came of the kills of one kind of run."""

    kind: Kind
    seconds: float
    statuses: list[int]
    expected: dict[str, bytes]
    kills: int = 0
    equal: int = 0
    faults: dict[str, list[str]] = field(default_factory=dict)


def main(arguments: Sequence[str] | None = None) -> int:
    """Kill runs, print what came of it, and return 0 only if nothing differed."""
    args = _parser().parse_args(arguments)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("ended"))  # and what is running with it
    home = Path(tempfile.mkdtemp(prefix="l3embed-kills-"))
    chance = random.Random(args.seed)
    with all_kinds(home) as kinds:
        tallies = [_undisturbed(kind, home) for kind in kinds if kind.name in args.only or not args.only]
        for number, tally in enumerate(cycle(tallies)):
            left = args.kills - sum(each.kills for each in tallies)
            if left <= 0:
                break
            _try(tally, home / f"run_{number}", chance, min(left, KILLS_IN_A_ROW))
    print(_table(tallies))
    faulty = {name: faults for tally in tallies for name, faults in tally.faults.items()}
    if not faulty:
        shutil.rmtree(home)
    for name, faults in faulty.items():
        print(f"\n{home / name}:", *faults, sep="\n  ")
    return 1 if faulty else 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.kills", description=__doc__)
    parser.add_argument("--kills", type=int, default=200, metavar="N", help="how many (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=0, help="of the moments (default: %(default)s)")
    parser.add_argument(
        "--only", nargs="+", default=(), metavar="KIND", help="kinds of runs, as in the table"
    )
    return parser


def _undisturbed(kind: Kind, home: Path) -> Tally:
    folder = _copy(kind, home / f"undisturbed_{kind.name.replace(' ', '_')}")
    started_s = time.monotonic()
    statuses = _run(kind, folder, PATIENCE_S)
    seconds = time.monotonic() - started_s
    if statuses is None or _living(folder):
        raise SystemExit(f"{kind.name} did not come to its end undisturbed; see {folder}.")
    _say(f"{kind.name}: {seconds:.1f} s undisturbed, exit status {statuses}")
    return Tally(kind, seconds, statuses, outputs(folder, kind.roots))


def _try(tally: Tally, folder: Path, chance: random.Random, kills: int) -> None:
    """Kill a run up to so many times, run it to its end, and compare."""
    _copy(tally.kind, folder)
    moments_s = []
    for _ in range(kills):
        moments_s.append(chance.uniform(0, tally.seconds))
        if _run(tally.kind, folder, moments_s[-1]) is not None:
            break  # it came to its end before
        tally.kills += 1
    statuses = _run(tally.kind, folder, PATIENCE_S)
    faults = [] if statuses == tally.statuses else [f"exit status {statuses} instead of {tally.statuses}"]
    faults += differences(outputs(folder, tally.kind.roots), tally.expected)
    faults += [f"{name} is left" for name in temporary_files(folder, tally.kind.roots)]
    faults += [f"process {process} is left" for process in _living(folder)]
    told = ", ".join(f"{moment_s:.2f}" for moment_s in moments_s)
    _say(f"{tally.kind.name}, killed at {told} s: {'; '.join(faults) or 'equal'}")
    if faults:
        tally.faults[folder.name] = [f"{tally.kind.name}, killed at {told} s", *faults]
    else:
        tally.equal += 1
        shutil.rmtree(folder)


def _copy(kind: Kind, folder: Path) -> Path:
    return Path(shutil.copytree(kind.template, folder, symlinks=True))


def _run(kind: Kind, folder: Path, patience_s: float) -> list[int] | None:
    """Run the commands, and return their exit statuses; kill them after a time, and return None."""
    ends_s = time.monotonic() + patience_s
    statuses = []
    for command in kind.commands:
        with (folder / "said.txt").open("ab") as said:
            process = subprocess.Popen(
                command,
                cwd=folder,
                env=environment(folder),
                stdin=subprocess.DEVNULL,
                stdout=said,
                stderr=said,
                start_new_session=True,
            )
        try:
            statuses.append(process.wait(max(0.0, ends_s - time.monotonic())))
        except subprocess.TimeoutExpired:
            return None
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()
    return statuses


def _living(folder: Path) -> list[int]:
    """Return the processes that were started for a folder and do not go; kill them."""
    ends_s = time.monotonic() + GONE_AFTER_S
    while (found := _processes_of(folder)) and time.monotonic() < ends_s:
        time.sleep(0.05)
    for process in found:
        with suppress(ProcessLookupError):
            os.kill(process, signal.SIGKILL)
    return found


def _processes_of(folder: Path) -> list[int]:
    """Find processes by their environment, where the system shows it."""
    mark = f"L3EMBED_STORE={folder / 'store'}\0".encode()
    found = []
    for path in Path("/proc").glob("[0-9]*/environ"):
        with suppress(OSError):
            if mark in path.read_bytes():
                found.append(int(path.parent.name))
    return found


def _table(tallies: Sequence[Tally]) -> str:
    counts = {each.kind.name: (each.kills, each.equal, len(each.faults)) for each in tallies}
    counts["all"] = tuple(map(sum, zip(*counts.values(), strict=True)))  # type: ignore[assignment]
    rows = {"kind": ("kills", "equal", "differing"), **counts}
    return "\n".join(f"{name:18}" + "".join(f"{cell:>11}" for cell in cells) for name, cells in rows.items())


def _say(line: str) -> None:
    sys.stderr.write(f"{line}\n")


if __name__ == "__main__":
    sys.exit(main())
