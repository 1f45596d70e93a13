"""Proofs of many inputs: drawn by their checksums, told by groups, in memory and files that do not grow."""

from __future__ import annotations

import hashlib
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from conftest import run_child

from l3embed.disk.rows import RowSpool
from l3embed.export.manifest import ManifestRow, write_manifest, write_packed_manifest
from l3embed.proof import input_groups, summed_manifest
from l3embed.proof.compared_inputs import compare_inputs
from l3embed.proof.drawing import drawn_places
from l3embed.proof.proving import make_proof
from l3embed.proof.summed_manifest import drawn_frames, sum_manifest

COMMON: dict[str, Any] = {
    "variant": "audio_mel128_music_512_kapre",
    "weights": "random:7",
    "precision": "float32",
    "runtime": "ncnn",
    "packages": "l3embed 0.0.1, numpy 2.2.6",
    "dimension": 4,
}
VIDEO_FRAMES = 3


def rows_of(contents: dict[str, bytes]) -> list[ManifestRow]:
    """The manifest of sounds of two windows each, and of videos that also have frames."""
    rows = []
    for path in sorted(contents):
        digest = hashlib.sha256(contents[path]).hexdigest()
        facts = {"path": path, "sha256": digest, **COMMON}
        rows.append(ManifestRow(modality="audio", frames=2, duration_s=1.0, output=f"{path}.npz", **facts))
        if path.endswith(".mp4"):
            image = facts | {"variant": "image_mel128_music_512"}
            rows.append(
                ManifestRow(modality="image", frames=VIDEO_FRAMES, output=f"{path}_image.npz", **image)
            )
    return rows


def write_export(folder: Path, contents: dict[str, bytes]) -> Path:
    folder.mkdir()
    for row in rows_of(contents):
        with RowSpool(folder) as spool:
            spool.append(np.full((row.frames, 4), len(row.path), np.float32))
            times_s = 0.5 * np.arange(row.frames)
            spool.save_npz(folder / row.output, "embedding", {"timestamps": times_s})
    write_manifest(folder, rows_of(contents))
    return folder


def test_places_are_drawn_as_the_documentation_says() -> None:
    def number(draw: int) -> int:
        return int.from_bytes(hashlib.sha256(f"seed {draw}".encode()).digest()[:8], "big")

    expected = list(dict.fromkeys(number(draw) % 50 for draw in range(200)))[:30]
    assert drawn_places(50, 30, "seed") == expected


def test_all_places_are_taken_if_there_are_no_more() -> None:
    assert sorted(drawn_places(7, 7, "seed")) == sorted(drawn_places(7, 100, "seed")) == list(range(7))


def test_every_place_is_drawn_about_as_often() -> None:
    """Within five standard deviations of what chance gives."""
    counts = Counter(place for seed in range(500) for place in drawn_places(20, 5, str(seed)))
    assert sorted(counts) == list(range(20))
    assert all(abs(count - 125) < 5 * (500 * 0.25 * 0.75) ** 0.5 for count in counts.values())


def test_drawn_places_are_embeddings_in_the_manifest_s_order(tmp_path: Path) -> None:
    contents = {"a.wav": b"1", "b.mp4": b"2", "c.wav": b"3"}
    write_manifest(tmp_path, rows_of(contents))
    drawn, inputs = drawn_frames(tmp_path, [8, 0, 4, 6])
    assert [(each.row.path, each.row.modality, each.frame) for each in drawn] == [
        ("c.wav", "audio", 1),
        ("a.wav", "audio", 0),
        ("b.mp4", "image", 0),
        ("b.mp4", "image", 2),
    ]
    assert [each.path for each in inputs] == ["a.wav", "b.mp4", "c.wav"]
    assert inputs[1].frames == {"audio": 2, "image": VIDEO_FRAMES}


@pytest.fixture
def many(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Path, Path]:
    """A dataset of 40 files, and an export of it: more than a proof lists."""
    monkeypatch.setattr(summed_manifest, "MOST_LISTED", 10)
    contents = {f"{number:02}.{'mp4' if number % 9 == 0 else 'wav'}": b"%d" % number for number in range(40)}
    dataset = tmp_path / "dataset"
    dataset.mkdir()
    for name, content in contents.items():
        (dataset / name).write_bytes(content)
    return dataset, write_export(tmp_path / "export", contents)


def test_of_many_inputs_those_of_the_sample_are_listed(many: tuple[Path, Path]) -> None:
    dataset, export = many
    proof = make_proof(export, 5)
    assert {row.path for row in proof.inputs.rows} == {window.path for window in proof.windows}
    assert (proof.inputs.count, len(proof.inputs.groups)) == (40, input_groups.GROUPS)
    found = compare_inputs(proof, dataset, {row.path for row in proof.inputs.rows})
    assert found.are_same
    assert found.are_groups_compared


@pytest.mark.parametrize("change", ["changed", "added", "removed"])
def test_what_differs_among_many_is_narrowed_down_to_its_group(many: tuple[Path, Path], change: str) -> None:
    dataset, export = many
    proof = make_proof(export, 1)
    listed = {row.path for row in proof.inputs.rows}
    name = "x.wav" if change == "added" else next(f"{n}.wav" for n in (37, 38) if f"{n}.wav" not in listed)
    if change == "removed":
        (dataset / name).unlink()
    else:
        (dataset / name).write_bytes(b"other")
    found = compare_inputs(proof, dataset, listed)
    group = int(hashlib.sha256(name.encode()).hexdigest()[:3], 16)
    assert list(found.groups) == [group]
    assert (name in found.groups[group]) is (change != "removed")
    assert not found.are_same


def many_rows(count: int) -> Iterator[ManifestRow]:
    for number in range(count):
        digest = hashlib.sha256(str(number).encode()).hexdigest()
        path = f"folder-{number // 1000:05}/recording-{number:08}.wav"
        yield ManifestRow(path, "audio", sha256=digest, frames=10, duration_s=5.0, **COMMON)


MEASURE = """
import resource, sys
from pathlib import Path
from l3embed.proof.drawing import drawn_places
from l3embed.proof.proof_file import to_json
from l3embed.proof.summed_manifest import drawn_frames, sum_manifest
summed = sum_manifest(Path(sys.argv[1]))
places = drawn_places(summed.inputs.embeddings, 100, summed.inputs.digest)
drawn, inputs = drawn_frames(Path(sys.argv[1]), places)
print(len(drawn), len(inputs), summed.inputs.count, len(str(to_json(summed.inputs))))
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
"""


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="needs the module resource")
def test_a_million_inputs_take_no_more_memory_or_room_than_some(tmp_path: Path) -> None:
    peaks, sizes = [], []
    for count in (30_000, 1_000_000):
        export = tmp_path / str(count)
        export.mkdir()
        write_packed_manifest(export, many_rows(count))
        lines = run_child([sys.executable, "-c", MEASURE, str(export)]).stdout.splitlines()
        drawn, inputs, counted, size = map(int, lines[0].split())
        assert drawn == 100
        assert inputs <= 100
        assert counted == count
        peaks.append(int(lines[1]))
        sizes.append(size)
    assert peaks[1] < peaks[0] * 1.5
    assert sizes[1] < sizes[0] + 1000 < 1_000_000


def test_a_manifest_of_two_ways_of_computing_is_refused(tmp_path: Path) -> None:
    rows = rows_of({"a.wav": b"1", "c.wav": b"3"})
    write_manifest(tmp_path, [rows[0], ManifestRow(**{**vars(rows[1]), "weights": "random:8"})])
    with pytest.raises(Exception, match=r"a.wav has the weights random:7, and c.wav random:8"):
        sum_manifest(tmp_path)


def test_an_export_in_which_all_failed_is_refused(tmp_path: Path) -> None:
    (row, _) = rows_of({"a.wav": b"1", "c.wav": b"3"})
    write_manifest(tmp_path, [ManifestRow(row.path, "audio", status="failed", reason="It is empty.")])
    with pytest.raises(Exception, match="has no embeddings to prove: of 1 inputs, none was embedded"):
        sum_manifest(tmp_path)
