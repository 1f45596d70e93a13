"""Few, large files hold what many small ones hold, and are computed as seldom."""

from __future__ import annotations

import os
import pickle
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest

import l3embed
from l3embed.evaluation.evaluation import EvaluationOptions, evaluate
from l3embed.export.formats import Dtype
from l3embed.export.labels import FolderLabels
from l3embed.export.manifest import read_manifest
from l3embed.stages.packed import part_computing
from l3embed.stages.packed.direct_inputs import direct_inputs
from l3embed.stages.packed.packed_embed import part_runs
from l3embed.stages.packed.part_computing import compute_part
from l3embed.stages.packed.part_work import PartJob
from l3embed.stages.packed.partitions import Shard, part_count, part_of
from l3embed.stages.packed.plan import Plan
from l3embed.store.entries import Store
from l3embed.store.recipe import Recipe
from l3embed.variants import Modality
from stages.conftest import write_audio
from stages.standin import Project

from .conftest import Packed, WriteSounds


@dataclass(frozen=True)
class Listed(Project):
    """A project whose dataset is a listing."""

    listing: Path = field(default_factory=Path)

    @property
    def dataset(self) -> Path:
        return self.listing


def manifest_facts(export: Path) -> list[dict[str, Any]]:
    """What a manifest says, but for the time that it took and the files that the embeddings are in."""
    own = ("seconds", "output")
    return [
        {name: value for name, value in vars(row).items() if name not in own} for row in read_manifest(export)
    ]


def test_packed_outputs_are_those_of_files_to_the_bit(all_kinds: Packed) -> None:
    files = replace(
        all_kinds.project, export_options=replace(all_kinds.project.export_options, labels=FolderLabels())
    )
    files.run()
    all_kinds.run("npz")
    assert manifest_facts(all_kinds.export_folder) == manifest_facts(files.export_folder)
    for modality in ("audio", "image"):
        for rows in ("frames", "files"):
            ours = l3embed.load_export(all_kinds.export_folder, modality, rows)
            theirs = l3embed.load_export(files.export_folder, modality, rows)
            for mine, other in zip(ours, theirs, strict=True):
                np.testing.assert_array_equal(mine, other)
    same = [
        Path("doubts.csv"),
        *(path.relative_to(files.export_folder) for path in files.export_folder.rglob("*.npz")),
    ]
    assert len(same) == 12
    for name in same:
        assert (all_kinds.export_folder / name).read_bytes() == (files.export_folder / name).read_bytes()


def test_packed_outputs_are_evaluated_as_those_of_files(packed: Packed, write_sounds: WriteSounds) -> None:
    write_sounds(12)
    files = replace(
        packed.project, export_options=replace(packed.project.export_options, labels=FolderLabels())
    )
    files.run()
    packed.run()
    options = EvaluationOptions(folds=2)
    ours, theirs = (evaluate(each.export_folder, options)[Modality.AUDIO] for each in (packed, files))
    assert ours.files == 12
    assert ours.predictions == theirs.predictions
    assert ours.scores == theirs.scores


def test_parts_have_a_row_for_each_window_with_path_label_time_and_embedding(
    packed: Packed, write_sounds: WriteSounds
) -> None:
    write_sounds(3)
    write_audio(packed.dataset / "class 0" / "long.wav", seconds=2)
    packed.run()
    (part,) = sorted((packed.folder / "embeddings" / "audio").glob("part-*.parquet"))
    table = pq.read_table(part)
    rows = table.select(["path", "label", "timestamp_s"]).to_pylist()
    assert [row["timestamp_s"] for row in rows if row["path"] == "class 0/long.wav"] == [0, 0.5, 1, 1.5]
    assert {row["label"] for row in rows} == {"class 0", "class 1"}
    assert str(table.schema.field("embedding").type) == "fixed_size_list<element: float not null>[512]"


def test_half_floats_are_the_rounded_numbers(packed: Packed, write_sounds: WriteSounds) -> None:
    write_sounds(2)
    packed.run()
    whole = l3embed.load_export(packed.export_folder)
    assert replace(packed, dtype=Dtype.FLOAT16).run() == (2, 0, 0)
    half = l3embed.load_export(packed.export_folder)
    np.testing.assert_array_equal(half.embeddings, whole.embeddings.astype(np.float16).astype(np.float32))
    means = l3embed.load_export(packed.export_folder, rows="files").embeddings
    assert (means.astype(np.float16) != means).any()  # of the numbers before they were rounded


def test_what_is_there_is_not_computed_again(packed: Packed, write_sounds: WriteSounds) -> None:
    write_sounds(40)
    assert packed.run() == (40, 0, 0)
    assert packed.run() == (0, 40, 0)
    write_audio(packed.dataset / "class 0" / "new.wav")
    assert packed.run() == (1, 40, 0)
    (packed.dataset / "class 0" / "new.wav").rename(packed.dataset / "class 1" / "moved.wav")
    assert packed.run() == (0, 41, 0)
    write_audio(packed.dataset / "class 1" / "moved.wav", seed=99)
    (packed.dataset / "class 0" / "000.wav").unlink()
    assert packed.run() == (1, 39, 0)
    found = set(l3embed.load_export(packed.export_folder).paths)
    assert {"class 0/new.wav", "class 0/000.wav"}.isdisjoint(found)
    assert "class 1/moved.wav" in found


def test_other_labels_cost_no_computation(packed: Packed, write_sounds: WriteSounds) -> None:
    write_sounds(4)
    packed.run()
    assert replace(packed, labels=None).run() == (0, 4, 0)
    assert set(l3embed.load_export(packed.export_folder).labels) == {""}


def test_a_killed_run_loses_no_finished_part(
    packed: Packed, write_sounds: WriteSounds, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_sounds(32)
    put = Store.put
    finished: list[int] = []

    def put_two(store: Store, recipe: Recipe, *result: Any) -> Any:
        if len(finished) == 2:
            raise KeyboardInterrupt
        finished.append(result[1]["inputs"])
        return put(store, recipe, *result)

    with monkeypatch.context() as killed:
        killed.setattr(Store, "put", put_two)
        with pytest.raises(KeyboardInterrupt):
            packed.run()
    assert 0 < sum(finished) < 32
    assert packed.run() == (32 - sum(finished), sum(finished), 0)


def test_what_failed_is_tried_again_and_costs_no_other(
    packed: Packed, write_sounds: WriteSounds, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_sounds(6)
    (packed.dataset / "bad.wav").write_bytes(b"RIFF")

    def read_all_but_one(source: Any, *others: Any) -> Any:
        if source.path.name == "003.wav":
            raise MemoryError
        return direct_inputs(source, *others)

    with monkeypatch.context() as busy:
        busy.setattr(part_computing, "direct_inputs", read_all_but_one)
        assert packed.run() == (5, 0, 2)
        assert packed.run() == (0, 5, 2)
    failed = [row for row in read_manifest(packed.export_folder) if not row.is_ok]
    assert [(row.path, row.reason[:34]) for row in failed] == [
        ("bad.wav", "It could not be read as audio (lib"),
        ("class 1/003.wav", "It could not be read: MemoryError."),
    ]
    assert packed.run() == (1, 5, 1)


def test_eight_shards_of_which_one_was_missing(packed: Packed, write_sounds: WriteSounds) -> None:
    write_sounds(64)
    shards = [Shard(number, 8) for number in range(8)]
    computed = [packed.embed_shard(shard)[0] for shard in shards[:5] + shards[6:]]
    again = [packed.embed_shard(shard)[:2] for shard in shards]
    missing = 64 - sum(computed)
    assert missing > 0
    assert again == [(0, count) for count in computed[:5]] + [(missing, 0)] + [
        (0, count) for count in computed[5:]
    ]
    assert packed.run() == (0, 64, 0)


def test_an_engine_can_hand_a_part_to_another_process(packed: Packed, write_sounds: WriteSounds) -> None:
    write_sounds(20)
    packed.plan()
    with Store() as store:
        (run,) = part_runs(packed.options(), Plan(packed.folder / "preprocessed"), packed.layout(), store)
        tasks = [run.task(part) for part in run.recipes()]
        keys = [compute_part(*pickle.loads(pickle.dumps((task, run.work, store.folder)))) for task in tasks]
        assert keys == [run.recipes()[task.part].key for task in tasks]
    assert packed.run() == (0, 20, 0)


def test_a_file_that_changes_after_it_was_planned_fails_by_name(
    packed: Packed, write_sounds: WriteSounds, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_sounds(2)

    def change_then_plan(*arguments: Any) -> Any:
        path = packed.dataset / "class 0" / "000.wav"
        write_audio(path, seed=5)
        os.utime(path, (1, 1))
        return PartJob(*arguments)

    monkeypatch.setattr(part_computing, "PartJob", change_then_plan)
    assert packed.run() == (1, 0, 1)
    (failed,) = (row for row in read_manifest(packed.export_folder) if not row.is_ok)
    assert failed.reason.startswith("The file changed since the run began.")


@pytest.mark.parametrize(
    ("inputs", "parts"), [(1, 1), (8, 1), (9, 2), (512, 64), (100_000, 64), (200_000, 128), (10**6, 512)]
)
def test_how_many_parts_there_are(inputs: int, parts: int) -> None:
    assert part_count(inputs) == parts


def test_a_part_becomes_two_when_there_are_twice_as_many() -> None:
    paths = [f"a folder/{number}.wav" for number in range(2000)]
    for path in paths:
        assert part_of(path, 128) // 2 == part_of(path, 64)
    counts = np.bincount([part_of(path, 8) for path in paths], minlength=8)
    assert counts.min() > 200  # 250 each, were they even


def test_two_copies_in_a_part_both_have_rows(packed: Packed) -> None:
    for name in ("a.wav", "b.wav"):
        write_audio(packed.dataset / name, seed=3)
    packed.run()
    export = l3embed.load_export(packed.export_folder)
    assert list(export.paths) == ["a.wav", "b.wav"]
    np.testing.assert_array_equal(export.embeddings[0], export.embeddings[1])


def test_sections_of_a_listing_are_packed_as_they_are_kept_in_files(packed: Packed, tmp_path: Path) -> None:
    write_audio(packed.dataset / "long.wav", seconds=5)
    write_audio(packed.dataset / "short.wav")
    listing = tmp_path / "clips.csv"
    folder = packed.dataset.relative_to(tmp_path).as_posix()
    listing.write_text(
        "path,start_s,end_s,label\n"
        f"{folder}/long.wav,0.5,2,first\n{folder}/long.wav,2,,second\n{folder}/short.wav,,,third\n"
        f"{folder}/gone.wav,,,third\n"
    )
    project = Listed(packed.project.folder, listing=listing)
    ours = replace(packed, project=project)
    assert ours.run() == (3, 0, 1)
    files = replace(project, export_options=replace(project.export_options, labels=FolderLabels()))
    files.run()
    assert manifest_facts(ours.export_folder) == manifest_facts(files.export_folder)
    theirs = l3embed.load_export(files.export_folder)
    for mine, other in zip(l3embed.load_export(ours.export_folder), theirs, strict=True):
        np.testing.assert_array_equal(mine, other)
    assert set(theirs.labels) == {"first", "second", "third"}
    # Rows that are taken from another part are those of the section, not of its file.
    assert replace(ours, labels=None).run() == (0, 3, 1)
    taken = l3embed.load_export(ours.export_folder)
    np.testing.assert_array_equal(taken.embeddings, theirs.embeddings)
    assert set(taken.labels) == {""}
