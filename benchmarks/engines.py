"""``python -m benchmarks.engines``: Ray's actors against plain processes, and what kills cost.

``speed`` embeds one-second clips by two plain processes of one thread (each a shard), and by two actors of
one thread, in turns; it counts from when a fifth of the inputs is done, so that start-up is left out. With
``--together`` all four run at once, so that whatever else the machine does is the same for both.

``kills`` embeds clips undisturbed, and then kills (SIGKILL) an actor, a machine of two (a raylet with all
that it has started) and the driver, which is started again; the parts must have the undisturbed run's bytes.
It counts the batches that were begun twice.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.inputs import write_clips
from benchmarks.logged_worker import LOG_FILE, LoggedWorker
from l3embed.decoding.reading import Reading
from l3embed.engines.contract import EngineOptions
from l3embed.engines.engine_table import batch_engine
from l3embed.inputs.preparation import Samples
from l3embed.inputs.windows import Framing
from l3embed.runtimes.base import Placement
from l3embed.stages import embed, preprocess, weights
from l3embed.stages.dataset import Selection
from l3embed.stages.output_folder import Layout
from l3embed.stages.packed import packed_embed, packed_preprocess, part_worker
from l3embed.stages.packed.partitions import Shard
from l3embed.store.entries import Store
from l3embed.store.recipe import Step
from l3embed.variants import AudioVariant, InputRepr, Modality
from l3embed.weights.source import RandomWeights

VARIANT = AudioVariant(InputRepr.MEL128, embedding_size=512)
WORKERS = 2
CLIP_S = 1.0
PATIENCE_S = 900.0
LEAST_PARTS = 10
ENVIRONMENT = {**os.environ, "RAY_worker_niceness": "0"}
"""Ray gives way to all other processes of a machine otherwise (15), which the plain ones do not."""

LEFT_OUT = 0.2
"""Share of the inputs before which the clock does not run."""


@dataclass(frozen=True)
class Run:
    """One way through a dataset, with a store of its own."""

    dataset: Path
    folder: Path

    @property
    def store(self) -> Path:
        """Where results lie."""
        return self.folder / "store"

    @property
    def log(self) -> Path:
        """Where workers say what they begin with."""
        return self.folder / LOG_FILE

    def begun(self) -> list[dict[str, Any]]:
        """Return what workers have said."""
        return [json.loads(line) for line in self.log.read_text().splitlines()] if self.log.exists() else []

    def start(self, *arguments: object) -> subprocess.Popen[str]:
        """Start a process that embeds."""
        self.folder.mkdir(parents=True, exist_ok=True)
        own = ["embed", self.dataset, self.folder, *arguments]
        command = [sys.executable, "-m", "benchmarks.engines", *own]
        with (self.folder / "stderr.txt").open("a") as said:
            return subprocess.Popen(list(map(str, command)), text=True, stderr=said, env=ENVIRONMENT)

    def parts(self) -> dict[str, bytes]:
        """Return the content of all parts."""
        return {
            path.name: path.read_bytes()
            for path in sorted((self.folder / "embeddings").rglob("*.parquet"))
            if path.name.startswith("part-")
        }

    def done(self) -> list[tuple[float, int]]:
        """Return when parts came into the store, and how many inputs they have."""
        notes = sorted((self.store / Step.PACK.value).rglob("*.json"), key=lambda note: note.stat().st_mtime)
        return [(note.stat().st_mtime, json.loads(note.read_text())["facts"]["inputs"]) for note in notes]


def _begin_s(done: Sequence[tuple[float, int]]) -> float:
    """Return when the share of the inputs was done before which the clock does not run."""
    total, count = sum(inputs for _, inputs in done), 0
    for moment_s, inputs in done:
        count += inputs
        if count >= LEFT_OUT * total:
            return moment_s
    raise SystemExit("Nothing was embedded.")


def _inputs_a_second(done: Sequence[tuple[float, int]], begin_s: float, end_s: float) -> float:
    """Return the speed between the first and the last part that came within some time."""
    within = [(moment_s, inputs) for moment_s, inputs in done if begin_s <= moment_s <= end_s]
    if len(within) < LEAST_PARTS:
        raise SystemExit("They were hardly at work at the same time: take more clips.")
    return sum(inputs for _, inputs in within[1:]) / (within[-1][0] - within[0][0])


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, print what came of it, and return 0 only if it is as it has to be."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.engines", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    speed = commands.add_parser("speed")
    speed.add_argument("--clips", type=int, default=2000)
    speed.add_argument("--rounds", type=int, default=3)
    speed.add_argument("--together", action="store_true", help="both at once: where others use the machine")
    kills = commands.add_parser("kills")
    kills.add_argument("--clips", type=int, default=300)
    kills.add_argument("--only", nargs="+", default=list(KILLS), choices=list(KILLS))
    one = commands.add_parser("embed", help="what the others start")
    one.add_argument("dataset", type=Path)
    one.add_argument("folder", type=Path)
    one.add_argument("--shard", type=int)
    one.add_argument("--address")
    args = parser.parse_args(arguments)
    if args.command == "embed":
        return _embed(args)
    home = Path(tempfile.mkdtemp(prefix="l3embed-engines-"))  # it stays where something goes wrong
    write_clips(home / "dataset", args.clips, CLIP_S, CLIP_S)
    if args.command == "speed":
        status = _speed(home / "dataset", args.rounds, together=args.together)
    else:
        status = _kills(home / "dataset", args.only)
    if not status:
        shutil.rmtree(home)
    return status


def _embed(args: argparse.Namespace) -> int:
    """Embed in this process, or by Ray; a shard of two, or all."""
    vars(part_worker)["PartWorker"] = LoggedWorker
    shard = None if args.shard is None else Shard(args.shard, WORKERS)
    layout = Layout(args.folder / f"shard-{args.shard}" if shard else args.folder, shard=shard)
    weights.run([VARIANT.weight_set], RandomWeights(), layout.folder("weights"))
    options = EngineOptions(address=args.address, actors=WORKERS)
    packed = packed_embed.PackedOptions(
        args.dataset,
        embed.EmbedOptions({Modality.AUDIO: VARIANT}, Framing(hop_s=1.0), Placement(threads=1), 32),
        Samples(),
        Reading(),
        engine=None if shard else batch_engine("ray", options),
    )
    with Store(args.folder / "store") as store:
        planned = preprocess.PreprocessOptions(Selection(), Samples())
        packed_preprocess.run(args.dataset, planned, layout, store)
        stage = packed_embed.run_shard if shard else packed_embed.run
        print(stage(packed, layout, store))
    return 0


def _speed(dataset: Path, rounds: int, *, together: bool) -> int:
    for number in range(rounds):
        plain = Run(dataset, dataset.parent / f"plain-{number}")
        ray = Run(dataset, dataset.parent / f"ray-{number}")
        by_ray = ray.start() if together else None
        if by_ray:  # which takes longer to start
            _wait_for(lambda run=ray: bool(run.begun()), by_ray)  # type: ignore[misc]
        for process in [plain.start("--shard", shard) for shard in range(WORKERS)]:
            _finish(process)
        _finish(by_ray or ray.start())
        both = [run.done() for run in (plain, ray)]
        spans = [(_begin_s(done), done[-1][0]) for done in both]
        if together:  # while both were at work
            spans = [(max(begin_s for begin_s, _ in spans), min(end_s for _, end_s in spans))] * 2
        speeds = [_inputs_a_second(done, *span) for done, span in zip(both, spans, strict=True)]
        ratio = speeds[1] / speeds[0]
        print(f"plain processes {speeds[0]:.2f} clips/s, Ray's actors {speeds[1]:.2f}: {ratio:.1%}")
    return 0


def _kills(dataset: Path, names: Sequence[str]) -> int:
    undisturbed = Run(dataset, dataset.parent / "undisturbed")
    _finish(undisturbed.start())
    batch = max(len(line["parts"]) for line in undisturbed.begun())
    is_well = True
    for name in names:
        run = Run(dataset, dataset.parent / name)
        KILLS[name](run, len(undisturbed.begun()))
        begun = Counter(part for line in run.begun() for part in line["parts"])
        twice = sum(count - 1 for count in begun.values())
        is_equal = run.parts() == undisturbed.parts()
        is_well &= is_equal and twice <= 2 * batch
        print(
            f"{name} killed: parts {'equal' if is_equal else 'DIFFERENT'}; {twice} of {len(begun)} parts "
            f"begun twice, {twice / batch:.1f} batches of {batch} parts"
        )
    return 0 if is_well else 1


def _kill_worker(run: Run, batches: int) -> None:
    process = run.start()
    _wait_for(lambda: len(run.begun()) > batches // 2, process)
    os.kill(run.begun()[-1]["process"], signal.SIGKILL)
    _finish(process)


def _kill_driver(run: Run, batches: int) -> None:
    process = run.start()
    _wait_for(lambda: len(run.begun()) > batches // 2, process)
    process.kill()
    process.wait()
    _wait_for(lambda: not any(_is_alive(line["process"]) for line in run.begun()))
    _finish(run.start())


def _kill_node(run: Run, batches: int) -> None:
    with _two_nodes() as (cluster, nodes):
        process = run.start("--address", cluster.address)
        _wait_for(lambda: len(run.begun()) > batches // 2, process)
        cluster.remove_node(nodes[-1], allow_graceful=False)
        _finish(process)


@contextmanager
def _two_nodes() -> Iterator[tuple[Any, list[Any]]]:
    """Start a head without cores, and two machines of one core; all are this one."""
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
    from ray.cluster_utils import Cluster

    cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 0, "include_dashboard": False})
    try:
        yield cluster, [cluster.add_node(num_cpus=1) for _ in range(WORKERS)]
    finally:
        cluster.shutdown()


KILLS: dict[str, Callable[[Run, int], None]] = {
    "worker": _kill_worker,
    "node": _kill_node,
    "driver": _kill_driver,
}


def _finish(process: subprocess.Popen[str]) -> None:
    if process.wait(PATIENCE_S):
        raise SystemExit(f"It ended with status {process.returncode}; see stderr.txt.")


def _wait_for(is_so: Callable[[], bool], process: subprocess.Popen[str] | None = None) -> None:
    ends_s = time.monotonic() + PATIENCE_S
    while not is_so():
        if time.monotonic() > ends_s or (process and process.poll() is not None):
            raise SystemExit("It came to its end before, or never came so far.")
        time.sleep(0.05)


def _is_alive(process: int) -> bool:
    return Path(f"/proc/{process}").exists()


if __name__ == "__main__":
    sys.exit(main())
