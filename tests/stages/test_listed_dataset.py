"""A listing as a dataset, through the stages: the same as a folder, wherever its files lie."""

from __future__ import annotations

import csv
import tarfile
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from listings.servers import WebServer, web_server

from l3embed.decoding.reading import OnDamage, Reading
from l3embed.errors import OpenL3Error
from l3embed.export.labels import FolderLabels, LabelSource, ListingLabels
from l3embed.export.loading import load_export
from l3embed.export.manifest import ManifestRow, read_manifest
from l3embed.listings import remote
from l3embed.stages.dataset import Input, Selection, find_inputs
from l3embed.stages.network import ChosenNetwork
from l3embed.variants import Media

from . import standin
from .conftest import write_audio, write_image, write_video
from .standin import Project

Rows = list[dict[str, Any]]


@dataclass(frozen=True)
class Listed(Project):
    """A project whose dataset is a listing."""

    @property
    def dataset(self) -> Path:
        return self.folder / "clips.csv"

    def write(self, rows: Rows) -> Listed:
        names = list(dict.fromkeys(name for row in rows for name in row))
        with self.dataset.open("w", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, names)
            writer.writeheader()
            writer.writerows(rows)
        return self

    def with_labels(self, labels: LabelSource) -> Listed:
        return replace(self, export_options=replace(self.export_options, labels=labels))

    def manifest(self) -> dict[str, ManifestRow]:
        return {row.path: row for row in read_manifest(self.export_folder)}


@pytest.fixture
def project(tmp_path: Path, store_folder: Path, monkeypatch: pytest.MonkeyPatch) -> Listed:
    """A project without a listing yet, whose networks take no time."""
    monkeypatch.setattr(ChosenNetwork, "load", standin.load)
    return Listed(tmp_path)


@pytest.fixture
def files(tmp_path: Path) -> Path:
    """A sound, a picture and a video, beside the listing."""
    write_audio(tmp_path / "dataset" / "a" / "one.wav", 1.5)
    write_image(tmp_path / "dataset" / "b" / "two.png")
    write_video(tmp_path / "dataset" / "three.mp4", 0.6)
    return tmp_path / "dataset"


@pytest.fixture
def web(files: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[WebServer]:
    pytest.importorskip("aiohttp")
    monkeypatch.setattr(remote, "RETRY_WAITS_S", (0.0,))
    with tarfile.open(files / "shard.tar", "w") as shard:
        for name in ("a/one.wav", "b/two.png", "three.mp4"):
            shard.add(files / name, name)
    with web_server(files) as server:
        yield server


def arrays(project: Project) -> dict[str, dict[str, np.ndarray[Any, Any]]]:
    """What was exported, by the last parts of names."""
    found = {}
    for path in sorted(project.export_folder.rglob("*.npz")):
        with np.load(path) as content:
            found[path.name] = {
                name: content[name] for name in ("embedding", "timestamps") if name in content
            }
    return found


@pytest.mark.parametrize(
    "place",
    [
        "dataset/{}",
        "./dataset/../dataset/{}",
        "{web}/{}",
        "tar://{}::dataset/shard.tar",
        "tar://{}::{web}/shard.tar",
    ],
    ids=["path", "roundabout", "web", "shard", "shard on the web"],
)
def test_files_have_the_same_embeddings_wherever_they_lie(
    place: str, project: Listed, files: Path, web: WebServer, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    names = ["a/one.wav", "b/two.png", "three.mp4"]
    project.write([{"path": place.format(name, web=web.address)} for name in names])
    assert project.run() == ((4, 0, 0), (4, 0, 0), (4, 0, 0))
    found = arrays(project)

    monkeypatch.setenv("L3EMBED_STORE", str(tmp_path / "another store"))
    (files / "shard.tar").unlink()
    as_folder = Project(tmp_path / "folder")
    (tmp_path / "folder").mkdir()
    files.rename(as_folder.dataset)
    as_folder.run()
    np.testing.assert_equal(found, arrays(as_folder))


def test_a_section_is_as_a_file_of_its_own(project: Listed, files: Path, tmp_path: Path) -> None:
    samples = np.random.default_rng(0).uniform(-0.5, 0.5, (44_100 * 5, 2))
    soundfile.write(tmp_path / "long.wav", samples, 44_100, subtype="FLOAT")
    whole, rate_hz = soundfile.read(tmp_path / "long.wav")
    soundfile.write(
        tmp_path / "cut.wav", whole[round(1.2345 * rate_hz) : round(3.7 * rate_hz)], rate_hz, "FLOAT"
    )
    sections: Rows = [{"path": "cut.wav"}, {"path": "long.wav", "start_s": 1.2345, "end_s": 3.7}]
    project.write(sections).run()
    found = arrays(project)
    np.testing.assert_equal(found["long@1.2345-3.7.npz"], found["cut.npz"])

    row = project.manifest()["long@1.2345-3.7.wav"]
    assert (row.location, row.start_s, row.end_s) == ("long.wav", 1.2345, 3.7)
    assert row.duration_s == pytest.approx(3.7 - 1.2345, abs=1e-4)


def test_sections_of_one_file_are_no_copies_of_each_other(project: Listed, tmp_path: Path) -> None:
    write_audio(tmp_path / "a.wav", 3)
    project.write([{"path": "a.wav", "start_s": start} for start in (0, 1, 2)]).run()
    assert not (project.export_folder / "doubts.csv").read_text(encoding="utf-8").count("same bytes")
    assert len({row.sha256 for row in project.manifest().values()}) == 1


@pytest.mark.parametrize("labels", [FolderLabels(), ListingLabels()])
def test_labels_and_folds_come_along(labels: LabelSource, project: Listed, files: Path) -> None:
    rows: Rows = [{"path": "dataset/a/one.wav", "label": "dog", "fold": "2"}, {"path": "dataset/b/two.png"}]
    project.with_labels(labels).write(rows).run()
    found = {path: (row.label, row.fold) for path, row in project.manifest().items()}
    assert found == {"dataset/a/one.wav": ("dog", "2"), "dataset/b/two.png": ("", "")}
    _, labels_of_rows, *_ = load_export(project.export_folder)
    assert set(labels_of_rows) == {"dog"}


def test_without_labels_folders_are_labels(project: Listed, files: Path) -> None:
    project.with_labels(FolderLabels()).write([{"path": "dataset/a/one.wav"}]).run()
    assert project.manifest()["dataset/a/one.wav"].label == "a"


BAD_ROWS: dict[str, tuple[dict[str, Any], str]] = {
    "gone": ({"path": "dataset/gone.wav"}, "No such file"),
    "gone elsewhere": ({"path": "{web}/gone.wav"}, "There is no http://"),
    "gone from its shard": ({"path": "tar://gone.wav::dataset/shard.tar"}, "There is no gone.wav in the"),
    "unknown scheme": ({"path": "az://box/a.wav"}, "must be a path, or begin with one of"),
    "negative": ({"path": "dataset/a/one.wav", "start_s": -1}, "start_s must be a number of seconds from 0"),
    "turned round": ({"path": "dataset/a/one.wav", "start_s": 1, "end_s": 0.5}, "end_s must be"),
    "behind the end": (
        {"path": "dataset/a/one.wav", "start_s": 9},
        "begins at 9 s, and the file ends",
    ),
    "of a picture": ({"path": "dataset/b/two.png", "end_s": 1}, "A picture has no seconds"),
    "other checksum": ({"path": "dataset/a/one.wav", "start_s": 0.1, "sha256": "0" * 64}, "says 0000"),
    "other checksum elsewhere": ({"path": "{web}/a/one.wav", "sha256": "0" * 64}, "and not 0000"),
    "no checksum": ({"path": "dataset/a/one.wav", "start_s": 0.2, "sha256": "12"}, "64 hexadecimal digits"),
    "other size": ({"path": "{web}/a/one.wav", "start_s": 0.3, "bytes": 3}, "and the listing says 3. Make"),
}
"""Rows that come to nothing, and words of the reason that is to be given."""


def test_one_bad_row_never_costs_another(project: Listed, files: Path, web: WebServer) -> None:
    rows = [row | {"path": row["path"].format(web=web.address)} for row, _ in BAD_ROWS.values()]
    project.write([*rows, {"path": "dataset/three.mp4"}]).run_preprocess()
    assert project.counts("preprocess") == (2, 0, len(BAD_ROWS))
    with (project.folder / "preprocessed" / "results.csv").open(newline="", encoding="utf-8") as file:
        reasons = [one["reason"] for one in csv.DictReader(file) if one["status"] == "failed"]
    for name, (_, words) in BAD_ROWS.items():
        assert sum(words in reason for reason in reasons) == 1, (name, reasons)


def test_a_section_that_ends_behind_the_end_is_damage(project: Listed, files: Path) -> None:
    project.write([{"path": "dataset/a/one.wav", "start_s": 0.5, "end_s": 9}, {"path": "dataset/b/two.png"}])
    project.run()
    row = project.manifest()["dataset/a/one@0.5-9.wav"]
    assert row.warnings.startswith("ends at 1.50 s, before its section does at 9 s; what is there is used")
    skipping = replace(
        project, preprocess_options=replace(project.preprocess_options, reading=Reading(OnDamage.SKIP))
    )
    assert skipping.preprocess() == (0, 1, 1)


def test_a_file_elsewhere_is_fetched_once_and_again_when_it_has_changed(
    project: Listed, files: Path, web: WebServer
) -> None:
    project.write([{"path": f"{web.address}/a/one.wav"}])
    assert project.preprocess() == (1, 0, 0)
    assert web.asked["/a/one.wav"] == 1
    assert project.preprocess() == (0, 1, 0)
    assert web.asked["/a/one.wav"] == 1

    write_audio(files / "a" / "one.wav", 1.5, seed=7)
    assert project.preprocess() == (1, 0, 0)
    assert web.asked["/a/one.wav"] == 2


def test_nothing_is_asked_of_servers_whose_state_the_listing_says(
    project: Listed, files: Path, web: WebServer
) -> None:
    row = {"path": f"{web.address}/a/one.wav", "version": "1", "bytes": (files / "a/one.wav").stat().st_size}
    project.write([row]).preprocess()
    web.faults.extend([500] * 9)
    assert project.preprocess() == (0, 1, 0)
    assert len(web.faults) == 9


def test_bytes_that_have_changed_since_they_were_listed_are_not_taken_for_the_old_ones(
    project: Listed, files: Path, web: WebServer, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    size = (files / "a" / "one.wav").stat().st_size
    project.write([{"path": f"{web.address}/a/one.wav", "version": "1", "bytes": size}]).preprocess()
    write_audio(files / "a" / "one.wav", 1.5, seed=7)
    assert (files / "a" / "one.wav").stat().st_size == size
    with pytest.raises(OpenL3Error, match=r"and not .*, as it should\. Make the listing anew"):
        project.with_sound(Halved()).run_preprocess()


@dataclass(frozen=True)
class Halved:
    """Another kind of rows, of which none are kept."""

    parameters: Any = None
    seconds_a_row: float = 1 / 48_000

    def __post_init__(self) -> None:
        object.__setattr__(self, "parameters", {"kind": "halved"})

    def rows(self, mono: Any) -> Any:
        return (block / 2 for block in mono)


def test_a_picture_or_two_may_be_left_out(project: Listed) -> None:
    project.write([{"path": name} for name in ("a.wav", "b.png", "c.txt", "d?x=1")])
    found = find_inputs(project.dataset, Selection((Media.AUDIO,)))
    assert list(found.inputs) == [Input("a.wav", Media.AUDIO, "a.wav")]
    assert found.left_out == 3


def test_rows_that_repeat_another_count_once(project: Listed) -> None:
    rows: Rows = [{"path": "b.wav", "label": "x"}, {"path": "a.wav"}, {"path": "b.wav", "label": "x"}]
    found = find_inputs(project.write(rows).dataset, Selection())
    assert [input_.path for input_ in found.inputs] == ["a.wav", "b.wav"]
    assert found.repeated == 1


@pytest.mark.parametrize(
    ("rows", "reason"),
    [
        (
            [{"path": "a.wav", "label": "x"}, {"path": "a.wav", "label": "y"}],
            r"Row 2 and row 3 of .* disagree on 'a\.wav': label is 'x', and 'y'",
        ),
        (
            [{"path": "../a.wav", "label": ""}, {"path": "a.wav", "label": ""}],
            r"Row 2 and row 3 of .* would have one name in outputs, 'a\.wav': they are '\.\./a\.wav' and",
        ),
        ([{"path": "a.txt"}], "There are no files of the kinds"),
    ],
)
def test_rows_that_contradict_one_another_are_refused(rows: Rows, reason: str, project: Listed) -> None:
    with pytest.raises(OpenL3Error, match=reason):
        find_inputs(project.write(rows).dataset, Selection())


def test_inputs_are_made_as_they_are_asked_for(project: Listed) -> None:
    project.write([{"path": f"{number:05}.wav"} for number in range(9000)])
    inputs = find_inputs(project.dataset, Selection()).inputs
    assert not isinstance(inputs, (list, tuple))
    assert [input_.path for input_ in inputs] == [inputs[place].path for place in range(len(inputs))]
    assert inputs[-1].path == "08999.wav"
    assert [input_.path for input_ in inputs[10:12]] == ["00010.wav", "00011.wav"]
