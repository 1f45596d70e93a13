"""``engine=ray``: batches of tasks to a pool of Ray's actors, by Ray Data.

Only tasks and names of results go through Ray's object store: actors read files and write results themselves.
"""

from __future__ import annotations

import logging
import math
import os
import pickle
import socket
import traceback
import warnings
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from typing import Any

from l3embed.engines.contract import Done, EngineOptions, Task, Worker
from l3embed.errors import OpenL3Error
from l3embed.progress import counted, say

ROUNDS = 3
"""How often what dying actors have left is begun again with nothing coming of it: a batch that makes its
process crash would have that done for ever."""

LOGS = "/tmp/ray/session_latest/logs"  # noqa: S108 - Ray's own
"""Where Ray writes them, unless its user says otherwise."""

OBJECT_STORE_BYTES = 256 * 2**20
"""Of a cluster of this machine alone. A million inputs take 53 MB of it; what is more goes to disk."""

ANSWER_S = 10.0
"""How long the head of a cluster may take to answer."""

QUEUED_BATCHES = 2
"""Batches that an actor has at once, the one that it computes among them: so it never waits for the next."""

ENVIRONMENT = {
    "RAY_USAGE_STATS_ENABLED": "0",  # nothing is reported to anybody
    "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",  # else it warns of what will change
    "RAY_BACKEND_LOG_LEVEL": "fatal",  # else it warns of arguments of actors that would go if we did
}
"""What Ray reads when it is imported, unless its user says otherwise."""


def batch_engine(options: EngineOptions) -> RayEngine:
    """Return the engine."""
    return RayEngine(options)


class RayEngine(AbstractContextManager["RayEngine"]):
    """Ray, on this machine or a cluster: a `BatchEngine`. It is reached when the first batch is computed."""

    def __init__(self, options: EngineOptions) -> None:
        self._options = options
        self._opened = ExitStack()

    def compute(
        self, batches: Iterable[Sequence[Task]], worker: Worker[Task, Done]
    ) -> Iterator[Sequence[Done]]:
        """Yield what came of each batch; see `BatchEngine`.

        What an actor or a machine had under way when it died is done in a further round, behind all others:
        where Ray itself would try again, it would wait for a machine that may never come back.
        """
        waiting = {number: _packed(list(batch)) for number, batch in enumerate(batches)}
        if not waiting:
            return
        ray = self._opened.enter_context(_cluster(self._options))
        idle_rounds, reason = 0, "It said nothing."
        least = self._options.actors or 1
        while waiting and idle_rounds < ROUNDS:
            actors = min(_room(ray, self._options, least), len(waiting))
            say(f"Ray: {counted(actors, 'actor')} on {counted(_machines(ray), 'machine')}.")
            before, least = len(waiting), 1
            try:
                for number, done in _results(waiting, worker, self._options, actors):
                    if waiting.pop(number, None):  # not what came twice, since a machine was lost with it
                        yield done
            except ray.exceptions.RayError as error:
                reason = _death(error)
            idle_rounds = idle_rounds + 1 if len(waiting) == before else 0
            if waiting:
                say(f"Ray: workers died; {counted(len(waiting), 'batch', 'batches')} to be done again.")
        if waiting:
            raise _given_up(len(waiting), reason)

    def __exit__(self, *_: object) -> None:
        self._opened.close()


def _results(
    waiting: Mapping[int, bytes], worker: Worker[Any, Done], options: EngineOptions, actors: int
) -> Iterator[tuple[int, Sequence[Done]]]:
    """Yield what came of each batch, by its number; a batch whose actor died is missing."""
    import ray.data

    context = ray.data.DataContext.get_current()
    context.enable_progress_bars = False  # the stage has its own
    context.enable_operator_progress_bars = False
    context.max_errored_blocks = -1  # as many as have died with their actors
    logging.getLogger("ray.data").setLevel(logging.CRITICAL)  # it writes pages of traces of each
    threads = max(1, int(options.num_cpus))
    rows = [{"number": number, "tasks": tasks} for number, tasks in waiting.items()]
    given = ray.data.from_items(rows, override_num_blocks=len(rows))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # from Ray 2.64 on the retries are to be set in another way
        done = given.map_batches(
            _Actor,
            fn_constructor_args=(pickle.dumps(worker), threads),
            batch_size=None,
            zero_copy_batch=True,
            compute=ray.data.ActorPoolStrategy(size=actors, max_tasks_in_flight_per_actor=QUEUED_BATCHES),
            num_cpus=options.num_cpus,
            num_gpus=options.num_gpus,
            max_task_retries=0,
        )
    for row in done.iter_rows():
        if row["fault"]:
            raise OpenL3Error(row["fault"])
        if row["trace"]:
            raise RuntimeError(f"An actor of Ray raised:\n{row['trace']}")
        yield row["number"], pickle.loads(row["done"])  # noqa: S301 - what our own actor has pickled


def _packed(tasks: object) -> bytes:
    """Return tasks as bytes: paths and checksums, of which paths are alike."""
    return zlib.compress(pickle.dumps(tasks), level=1)


def _unpacked(tasks: bytes) -> Any:
    return pickle.loads(zlib.decompress(tasks))  # noqa: S301 - what our own driver has packed


class _Actor:
    """A process of Ray's that keeps a worker."""

    def __init__(self, worker: bytes, threads: int) -> None:
        self._worker: Worker[Any, Any] = pickle.loads(worker)  # noqa: S301 - by our own driver
        self._threads = threads
        self._is_ready = False

    def __call__(self, batch: dict[str, Any]) -> dict[str, list[Any]]:
        """Compute one batch; what it raises is told as a row, since Ray would take it for a dead actor."""
        done, fault, trace = b"", "", ""
        try:
            if not self._is_ready:
                self._worker.prepare(self._threads)
                self._is_ready = True
            (tasks,) = batch["tasks"]
            done = pickle.dumps(self._worker.compute(_unpacked(tasks)))
        except (OpenL3Error, OSError) as error:
            fault = str(error)
        except Exception:  # noqa: BLE001 - the driver raises it
            trace = traceback.format_exc()
        return {"number": list(batch["number"]), "done": [done], "fault": [fault], "trace": [trace]}


@contextmanager
def _cluster(options: EngineOptions) -> Iterator[Any]:
    """Connect to a cluster, or start one on this machine; leave or end it at last, Ctrl-C included."""
    os.environ.update(ENVIRONMENT | os.environ)
    import ray

    if ray.is_initialized():  # by who calls us, who will end it
        yield ray
        return
    try:
        _connect(ray, options)
        yield ray
    finally:
        ray.shutdown()


def _connect(ray: Any, options: EngineOptions) -> None:
    own: dict[str, Any] = {}
    address = options.address or os.environ.get("RAY_ADDRESS")
    if address:
        check_answers(address)
    else:
        wanted = math.ceil((options.actors or 1) * options.num_cpus)
        own = {"num_cpus": max(wanted, _cores()), "object_store_memory": OBJECT_STORE_BYTES}
        own |= {"include_dashboard": False}
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            ray.init(options.address, log_to_driver=False, logging_level=logging.ERROR, **own)
    except (ConnectionError, RuntimeError, ValueError, TimeoutError) as error:
        raise OpenL3Error(_not_there(address or "this machine", _first_line(error))) from error


def check_answers(address: str) -> None:
    """Check that somebody is at an address, since Ray would go on trying for minutes.

    Raises
    ------
    OpenL3Error
        If nobody answers.
    """
    host, _, port = address.rpartition(":")
    if "://" in address or not port.isdecimal():
        return
    try:
        socket.create_connection((host, int(port)), timeout=ANSWER_S).close()
    except (OSError, OverflowError) as error:
        raise OpenL3Error(_not_there(address, _first_line(error))) from error


def _not_there(where: str, words: str) -> str:
    return (
        f"Ray could not be reached or started on {where}: {words} Start it there ('ray start --head'), or "
        "set engine.address=null for a cluster of this machine alone."
    )


def _cores() -> int:
    from joblib import cpu_count

    return int(cpu_count())


def _room(ray: Any, options: EngineOptions, least: int) -> int:
    """Return how many actors to start, of at least so many.

    Raises
    ------
    OpenL3Error
        If the cluster has no room for them: Ray would wait for ever.
    """
    shares = {"CPU": options.num_cpus, "GPU": options.num_gpus}
    nodes = [node["Resources"] for node in ray.nodes() if node["Alive"]]
    room = sum(
        min(int(node.get(kind, 0) / share) for kind, share in shares.items() if share) for node in nodes
    )
    if room < least:
        has = ray.cluster_resources()
        held = f"{has.get('CPU', 0):g} CPUs and {has.get('GPU', 0):g} GPUs"
        raise OpenL3Error(
            f"Ray has room for {counted(room, 'actor')} of engine.num_cpus={options.num_cpus:g} and "
            f"engine.num_gpus={options.num_gpus:g}: there are {held} in "
            f"{counted(len(nodes), 'machine')}. Set engine.actors to no more, or smaller shares."
        )
    return min(options.actors or room, room)


def _given_up(batches: int, reason: str) -> OpenL3Error:
    return OpenL3Error(
        f"Ray's actors died {ROUNDS} times in which nothing was done; left: "
        f"{counted(batches, 'batch', 'batches')}. {reason} What is done is kept. Ray's logs are in {LOGS} of "
        "each machine; if a file makes its reader crash, engine=local crashes there."
    )


def _machines(ray: Any) -> int:
    """Return how many machines there are that compute."""
    return sum(node["Alive"] and node["Resources"].get("CPU", 0) > 0 for node in ray.nodes())


def _death(error: BaseException) -> str:
    """Return why actors have died."""
    if "creation task" in str(error):
        words = str(error).strip().splitlines()[-1].strip()
        return f"Ray could not start an actor: {words}. Install the same l3embed on all machines."
    return _first_line(error)


def _first_line(error: BaseException) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return f"{lines[0].rstrip('.')}." if lines else f"{type(error).__name__}."
