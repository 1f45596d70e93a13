"""Parts computed by engines are those of a run without one."""

from __future__ import annotations

import pickle
import sys
import types
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from l3embed.disk.seals import SEALS_FILE
from l3embed.engines import engine_table
from l3embed.engines.contract import BatchEngine, EngineOptions
from l3embed.engines.engine_table import Row, batch_engine
from l3embed.errors import OpenL3Error
from l3embed.stages.packed import part_worker
from l3embed.stages.packed.part_worker import PartWorker
from l3embed.stages.packed.partitions import Shard
from l3embed.store.identity import store_identity
from stages.standin import SITE

from .conftest import Packed, WriteSounds
from .test_packed import manifest_facts


class Copies(nullcontext[None]):
    """An engine whose workers are copies, as those of other processes are; it does the last batch first."""

    def __init__(self, disturb: Callable[[PartWorker], None] = lambda _: None) -> None:
        super().__init__()
        self.disturb = disturb

    def compute(self, batches: Iterable[Sequence[Any]], worker: Any) -> Iterator[Any]:
        copy = pickle.loads(pickle.dumps(worker))
        self.disturb(copy)
        copy.prepare(1)
        for batch in reversed(list(batches)):
            yield copy.compute(pickle.loads(pickle.dumps(batch)))


@dataclass(frozen=True)
class ByEngine(Packed):
    """The same project, its parts computed by an engine, into a folder of its own."""

    engine: BatchEngine | None = None

    def options(self) -> Any:
        return replace(super().options(), engine=self.engine)


def by(engine: BatchEngine | None, packed: Packed) -> ByEngine:
    return ByEngine(packed.project, packed.folder.with_name("elsewhere"), packed.labels, packed.dtype, engine)


def exported(packed: Packed) -> dict[str, bytes]:
    """All files of an export, less what tells of time."""
    folder = packed.export_folder
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and not path.name.startswith(("manifest.", SEALS_FILE))
    }


def fresh_store(monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    monkeypatch.setenv("L3EMBED_STORE", str(folder))


def test_an_engine_is_a_row_and_a_module(
    all_kinds: Packed, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    module = types.ModuleType("standin_engine")
    vars(module)["batch_engine"] = lambda options: Copies()
    monkeypatch.setitem(sys.modules, "standin_engine", module)
    monkeypatch.setitem(engine_table.ENGINES, "standin", Row("standin_engine", requires="sys", extra="none"))
    counts = all_kinds.run()

    fresh_store(monkeypatch, tmp_path / "another store")
    elsewhere = by(batch_engine("standin", EngineOptions()), all_kinds)
    computed, reused, failed = elsewhere.run()
    assert (computed + reused, failed) == (counts[0], counts[2])  # a copy may have been there before
    assert exported(elsewhere) == exported(all_kinds)
    assert manifest_facts(elsewhere.export_folder) == manifest_facts(all_kinds.export_folder)


def test_what_is_done_is_not_given_to_workers_again(packed: Packed, write_sounds: WriteSounds) -> None:
    write_sounds(3)
    packed.run()

    def refuse(worker: PartWorker) -> None:
        worker.compute = None  # type: ignore[assignment, method-assign]

    assert by(Copies(refuse), packed).run() == (0, 3, 0)


def test_a_worker_that_sees_another_store_is_refused(packed: Packed, write_sounds: WriteSounds) -> None:
    write_sounds(3)

    def lose(worker: PartWorker) -> None:
        worker.store = packed.folder / "a store of this machine alone"
        store_identity_of_its_own(worker.store)

    with pytest.raises(OpenL3Error, match=r"The machine .* does not see the store of this run at .* alone"):
        by(Copies(lose), packed).run()


def store_identity_of_its_own(folder: Path) -> None:
    folder.mkdir(parents=True)
    assert store_identity(folder) == store_identity(folder)


def test_a_worker_that_lacks_the_run_s_folder_is_refused(packed: Packed, write_sounds: WriteSounds) -> None:
    write_sounds(3)

    def lose(worker: PartWorker) -> None:
        worker.folder = Path("/no/such/folder")

    with pytest.raises(OpenL3Error, match=r"does not have the folder /no/such/folder"):
        by(Copies(lose), packed).run()


def test_a_worker_of_another_version_is_refused(
    packed: Packed, write_sounds: WriteSounds, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_sounds(3)

    class Another(Copies):
        def compute(self, batches: Iterable[Sequence[Any]], worker: Any) -> Iterator[Any]:
            for done in super().compute(batches, worker):
                yield [(part, f"{key[:-1]}!") for part, key in done]

    with pytest.raises(OpenL3Error, match="Install the same on all machines"):
        by(Another(), packed).run()


def test_a_result_that_does_not_arrive_is_missed(
    packed: Packed, write_sounds: WriteSounds, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_sounds(3)
    monkeypatch.setattr(part_worker, "PATIENCE_S", 0.0)

    class Losing(Copies):
        def compute(self, batches: Iterable[Sequence[Any]], worker: Any) -> Iterator[Any]:
            for done in super().compute(batches, worker):
                for note in worker.store.glob("*/*/*.json"):
                    note.unlink()
                yield done

    with pytest.raises(OpenL3Error, match=r"has computed part 0, and it did not come into"):
        by(Losing(), packed).run()


@pytest.mark.slow
def test_files_packed_shards_and_ray_give_the_same_to_the_bit(
    all_kinds: Packed, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """That files give what packed outputs hold is said in ``test_packed.py``."""
    pytest.importorskip("ray")
    all_kinds.run()
    expected, facts = exported(all_kinds), manifest_facts(all_kinds.export_folder)

    fresh_store(monkeypatch, tmp_path / "store of shards")
    sharded = replace(all_kinds, folder=tmp_path / "sharded")
    for number in range(4):
        sharded.embed_shard(Shard(number, 4))
    sharded.run()
    assert exported(sharded) == expected
    assert manifest_facts(sharded.export_folder) == facts

    fresh_store(monkeypatch, tmp_path / "store of Ray")
    monkeypatch.setenv("PYTHONPATH", SITE["PYTHONPATH"])
    rays = by(batch_engine("ray", EngineOptions(actors=2)), all_kinds)
    computed, reused, failed = rays.run()
    assert exported(rays) == expected
    assert manifest_facts(rays.export_folder) == facts
    assert (computed + reused, failed) == (12, 5)
