"""A folder to search and what a search of it takes: ``python -m benchmarks.searched FOLDER FILES ADDED``."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from threading import Event, Thread

import numpy as np

from l3embed.search import Index

FRAMES, DIMENSION = 100, 512
"""Moments of each file, and numbers of each moment: 10,000 files have a million."""

QUERIES = 20
SEEDS = 0
STATUS = Path("/proc/self/status")
SAMPLED_S = 0.02

MADE_WITH = {"variant": "audio_mel128_music_512_kapre", "weights": "random:1"}


def write_files(folder: Path, numbers: range) -> None:
    """Write made-up embeddings, as ``l3embed audio`` would: a part that all share, and noise."""
    folder.mkdir(parents=True, exist_ok=True)
    shared = np.random.default_rng(SEEDS).normal(size=DIMENSION).astype(np.float32)
    times_s = 0.1 * np.arange(FRAMES)
    for number in numbers:
        noise = np.random.default_rng([SEEDS, number]).standard_normal((FRAMES, DIMENSION), np.float32)
        path = folder / f"{number:07}.npz"
        np.savez(path, embedding=shared + noise, timestamps=times_s, **MADE_WITH)  # type: ignore[arg-type]


def main(arguments: Sequence[str]) -> None:
    """Build an index, search it, add files, and print what each took, as JSON."""
    folder, files, added = Path(arguments[0]), int(arguments[1]), int(arguments[2])
    with _held_mb() as held:
        write_files(folder / "few", range(added))
        few_s = _timed(lambda: Index(folder / "few", rows="frames"))
        write_files(folder / "many", range(files))
        build_s = _timed(lambda: Index(folder / "many", rows="frames"))
        open_s = _timed(lambda: Index(folder / "many", rows="frames"))
        write_files(folder / "many", range(files, files + added))
        add_s = _timed(lambda: Index(folder / "many", rows="frames"))
        index = Index(folder / "many", rows="frames")
        rng = np.random.default_rng(1)
        queries = rng.standard_normal((QUERIES + 1, DIMENSION), np.float32)
        index.search(queries[0])  # the first reads the index from the disk
        started_s = time.process_time()
        query_s = [_timed(lambda query=query: index.search(query)) for query in queries[1:]]
        cpu_s = round((time.process_time() - started_s) / QUERIES, 4)
    found = {"few_s": few_s, "build_s": build_s, "open_s": open_s, "add_s": add_s, "query_s": query_s}
    found |= {"query_cpu_s": cpu_s}
    sys.stdout.write(json.dumps({**found, "held_mb": max(held, default=None)}) + "\n")


def _timed(run: object) -> float:
    assert callable(run)
    started_s = time.perf_counter()
    run()
    return round(time.perf_counter() - started_s, 4)


@contextmanager
def _held_mb() -> Iterator[list[float]]:
    """Yield a list of how much memory is held at each moment, without what is mapped from files (Linux)."""
    held: list[float] = []
    ended = Event()

    def sample() -> None:
        while not ended.wait(SAMPLED_S):
            fields = dict(line.split(":", 1) for line in STATUS.read_text().splitlines())
            held.append(int(fields["RssAnon"].split()[0]) / 1000)

    thread = Thread(target=sample, daemon=True)
    if STATUS.exists():
        thread.start()
    yield held
    ended.set()
    if STATUS.exists():
        thread.join()


if __name__ == "__main__":
    main(sys.argv[1:])
