"""The index of moments: what is read again, what is not, and what becomes of a run that was killed."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pytest

from l3embed.errors import OpenL3Error
from l3embed.export import parquet
from l3embed.search import Index, moments_index
from l3embed.search.embedded_inputs import Frames
from l3embed.search.exported_rows import ExportedRows
from l3embed.search.moments_files import TABLE
from l3embed.search.moments_index import index_folder
from l3embed.search.npz_files import NpzFiles
from l3embed.variants import Modality

from .conftest import DIMENSION, Array, centred_cosines, frames_of, rows_of, write_export, write_npz

FRAMES = frames_of(12)


@pytest.fixture
def read(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The paths of inputs that are read, as they are."""
    paths: list[str] = []
    for kind in (ExportedRows, NpzFiles):
        whole = kind.frames

        def frames(self: ExportedRows, places: Sequence[int], whole: object = whole) -> Iterator[Frames]:
            paths.extend(self.inputs[place].path for place in places)
            return whole(self, places)  # type: ignore[operator, no-any-return]

        monkeypatch.setattr(kind, "frames", frames)
    return paths


def found(folder: Path, query: Array) -> list[tuple[str, float | None]]:
    return [(hit.path, hit.time_s) for hit in Index(folder, rows="frames").search(query, 999)]


def expected(frames: Sequence[Array], query: Array, paths: Sequence[str]) -> list[tuple[str, float]]:
    """All moments in their order."""
    order = np.argsort(-centred_cosines(np.concatenate(frames), query))
    every = [
        (path, 0.5 * place) for path, each in zip(paths, frames, strict=True) for place in range(len(each))
    ]
    return [every[place] for place in order]


@pytest.mark.parametrize("formats", ["npz", "parquet", "packed"])
def test_only_new_and_changed_files_are_read(
    tmp_path: Path, read: list[str], formats: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    query = FRAMES[2][0]
    paths = [row.path for row in rows_of(FRAMES)]
    export = write_export(tmp_path / "export", FRAMES[:10], formats=formats)
    Index(export, rows="frames")
    assert read == paths[:10]
    read.clear()
    Index(export, rows="frames")
    assert not read
    changed = [*FRAMES[:4], FRAMES[4] + np.float32(1), *FRAMES[5:]]
    write_export(export, changed, formats=formats)
    assert found(export, query) == expected(changed, query, paths)
    assert read[:3] == ["04.wav", "10.wav", "11.wav"]


def test_files_that_are_gone_are_found_no_more(tmp_path: Path, read: list[str]) -> None:
    for number, each in enumerate(FRAMES):
        write_npz(tmp_path / "mine" / f"{number:02}.npz", each)
    query = FRAMES[2][0]
    paths = [f"{number:02}.npz" for number in range(12)]
    assert found(tmp_path / "mine", query) == expected(FRAMES, query, paths)
    read.clear()
    (tmp_path / "mine" / "05.npz").unlink()
    left = [*FRAMES[:5], *FRAMES[6:]]
    Index(tmp_path / "mine", rows="frames")
    assert not read
    assert found(tmp_path / "mine", query) == expected(left, query, [*paths[:5], *paths[6:]])


def test_rows_that_count_no_more_are_cleared_away_without_reading_others(
    tmp_path: Path, read: list[str]
) -> None:
    folder = tmp_path / "mine"
    for number, each in enumerate(FRAMES):
        write_npz(folder / f"{number:02}.npz", each)
    Index(folder, rows="frames")
    read.clear()
    for number in range(6):
        (folder / f"{number:02}.npz").unlink()
    index = Index(folder, rows="frames")
    assert not read
    names = [path.name for path in index_folder(folder, Modality.AUDIO).glob("halves-*")]
    assert names == ["halves-2.rows"]
    rows = sum(map(len, FRAMES[6:]))
    path = index_folder(folder, Modality.AUDIO) / names[0]
    assert path.stat().st_size == rows * DIMENSION * 2
    query = FRAMES[7][1]
    paths = [f"{number:02}.npz" for number in range(6, 12)]
    assert [(hit.path, hit.time_s) for hit in index.search(query, 999)] == expected(FRAMES[6:], query, paths)


def test_a_run_that_ends_halfway_goes_on_from_there(
    tmp_path: Path, read: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(moments_index, "COMMIT_ROWS", 8)
    export = write_export(tmp_path / "export", FRAMES)
    whole = moments_index._append

    def killed(source: object, frames: Frames, writer: object) -> OpenL3Error | None:
        if frames.place == 7:
            raise KeyboardInterrupt
        return whole(source, frames, writer)  # type: ignore[arg-type]

    with monkeypatch.context() as patch:
        patch.setattr(moments_index, "_append", killed)
        with pytest.raises(KeyboardInterrupt):
            Index(export, rows="frames")
    read.clear()
    Index(export, rows="frames")
    assert "07.wav" in read
    assert "00.wav" not in read
    query = FRAMES[2][0]
    assert found(export, query) == expected(FRAMES, query, [row.path for row in rows_of(FRAMES)])


def test_a_damaged_file_costs_no_other_and_is_tried_again(tmp_path: Path) -> None:
    folder = tmp_path / "mine"
    for number, each in enumerate(FRAMES[:4]):
        write_npz(folder / f"{number:02}.npz", each)
    (folder / "01.npz").write_bytes(b"PK damaged")
    np.savez(folder / "other.npz", weights=np.ones(3))
    np.savez(folder / "empty.npz", embedding=FRAMES[0][:0], timestamps=np.empty(0))
    write_npz(folder / "nan.npz", np.where(np.arange(3)[:, np.newaxis] == 1, np.nan, FRAMES[0][:3]))
    for _ in range(2):
        index = Index(folder, rows="frames")
        assert set(index.failures) == {"01.npz", "other.npz", "nan.npz", "empty.npz"}
        assert "None of its embeddings are there" in index.failures["empty.npz"]
        assert "holds no array 'embedding', but weights" in index.failures["other.npz"]
        assert "embedding 1 (from 0) holds numbers that are not finite" in index.failures["nan.npz"]
        assert {hit.path for hit in index.search(FRAMES[0][0], 999)} == {"00.npz", "02.npz", "03.npz"}
    write_npz(folder / "01.npz", FRAMES[1])
    index = Index(folder, rows="frames")
    assert "01.npz" in {hit.path for hit in index.search(FRAMES[0][0], 999)}


def test_a_damaged_index_is_built_anew(tmp_path: Path) -> None:
    export = write_export(tmp_path / "export", FRAMES)
    query = FRAMES[2][0]
    before = found(export, query)
    folder = index_folder(export, Modality.AUDIO)
    (folder / TABLE).write_bytes(b"damaged")
    assert found(export, query) == before
    halves = next(folder.glob("halves-*"))
    os.truncate(halves, 7)
    assert found(export, query) == before


def test_embeddings_of_another_network_begin_an_index_anew(tmp_path: Path) -> None:
    export = write_export(tmp_path / "export", FRAMES)
    Index(export, rows="frames")
    others = frames_of(12, seed=1)
    write_export(export, others, rows_of(others, weights="random:8"))
    index = Index(export, rows="frames")
    assert index.made_with.weights == "random:8"
    query = others[2][0]
    assert found(export, query) == expected(others, query, [row.path for row in rows_of(FRAMES)])


def test_an_index_lies_beside_its_folder_or_in_the_cache(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    export = write_export(tmp_path / "export", FRAMES)
    before = {path: path.stat().st_mtime_ns for path in export.rglob("*")}
    assert index_folder(export, Modality.AUDIO) == tmp_path / "export.search" / "audio"
    monkeypatch.setattr(os, "access", lambda *_: False)
    folder = index_folder(export, Modality.AUDIO)
    assert folder.parents[1] == tmp_path / "cache" / "search"
    assert len(Index(export, rows="frames").search(FRAMES[0][0])) == 10
    assert (folder / TABLE).is_file()
    assert {path: path.stat().st_mtime_ns for path in export.rglob("*")} == before


def test_row_groups_without_wanted_files_are_not_decoded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(parquet, "GROUP_BYTES", 5 * DIMENSION * 4)
    export = write_export(tmp_path / "export", FRAMES, formats="parquet")
    blocks = list(parquet.read_frames(export, Modality.AUDIO, {"07.wav"}))
    paths = [path for block in blocks for path in block.paths]
    assert set(paths) > {"07.wav"}
    assert len(set(paths)) <= 4
    mine = np.concatenate(
        [block.embeddings[np.array(block.paths)[block.path_of] == "07.wav"] for block in blocks]
    )
    np.testing.assert_array_equal(mine, FRAMES[7])
