"""The stage ``export``: names of outputs, tables and means, of embeddings that were made up."""

from __future__ import annotations

import csv
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from l3embed.disk.rows import RowSpool
from l3embed.disk.seals import is_sealed
from l3embed.export.formats import FORMATS, Dtype, Embedded, RowLayout, Rows
from l3embed.export.manifest import read_manifest
from l3embed.models.origin import Origin, write_origins
from l3embed.stages.export import ExportOptions, output_names
from l3embed.stages.output_folder import array_path
from l3embed.stages.results import Result, read_results, write_results
from l3embed.variants import Media, Modality

from .conftest import write_audio, write_video
from .standin import Project


@pytest.mark.parametrize(
    ("paths", "outputs"),
    [
        (["a.wav", "b.ogg"], ["a.npz", "b.npz"]),
        (["one/a.wav", "two/a.wav"], ["one/a.npz", "two/a.npz"]),
        (["v1.2.final.wav"], ["v1.2.final.npz"]),
        (["a.wav", "a.ogg"], ["a.wav.npz", "a.ogg.npz"]),
        (["a.ogg", "a.wav", "a.wav.wav"], ["a.ogg.npz", "a.wav.npz", "a.wav.wav.npz"]),
        (["A.wav", "a.ogg"], ["A.wav.npz", "a.ogg.npz"]),
        (["A.wav", "a.wav"], ["A.wav.npz", "a.wav.npz"]),
    ],
    ids=["plain", "folders", "dots", "same stem", "same stem twice", "case", "case alone"],
)
def test_no_two_recordings_share_an_output(paths: list[str], outputs: list[str]) -> None:
    results = [Result(path, Modality.AUDIO, Media.AUDIO) for path in paths]
    assert output_names(results) == outputs


def test_no_input_shares_an_output_with_one_of_another_kind() -> None:
    results = [
        Result("a.mp4", Modality.AUDIO, Media.VIDEO),
        Result("a.mp4", Modality.IMAGE, Media.VIDEO),
        Result("a.png", Modality.IMAGE, Media.IMAGE),
        Result("a.wav", Modality.AUDIO, Media.AUDIO),
        Result("a_audio.wav", Modality.AUDIO, Media.AUDIO),
    ]
    assert output_names(results) == [
        "a.mp4_audio.npz",
        "a_image.npz",
        "a.png.npz",
        "a.wav.npz",
        "a_audio.wav.npz",
    ]


@pytest.mark.parametrize(
    ("path", "output"),
    [
        ("a.npz/b.wav", "a.npz_/b.npz"),
        ("a.npz_/b.wav", "a.npz__/b.npz"),
        ("one/A.WAV.NPY/b.wav", "one/A.WAV.NPY_/b.npz"),
        ("manifest.csv/b.wav", "manifest.csv_/b.npz"),
        ("manifest.csv_/b.wav", "manifest.csv__/b.npz"),
        ("Parquet/audio/b.wav", "Parquet_/audio/b.npz"),
        ("image_mean.npy/b.wav", "image_mean.npy_/b.npz"),
        ("audio_mean.csv/b.wav", "audio_mean.csv_/b.npz"),
        ("README.md/b.wav", "README.md_/b.npz"),
        ("readme.MD_/b.wav", "readme.MD__/b.npz"),
        ("croissant.json/b.wav", "croissant.json_/b.npz"),
        ("one/parquet/manifest.csv/b.wav", "one/parquet/manifest.csv/b.npz"),
        ("npz/a.npz.old/_/b.wav", "npz/a.npz.old/_/b.npz"),
        ("parquet.wav", "parquet.npz"),
    ],
)
def test_no_folder_meets_a_file_of_the_export(path: str, output: str) -> None:
    assert output_names([Result(path, Modality.AUDIO)]) == [output]


def test_datasets_may_have_folders_called_like_outputs(project: Project) -> None:
    paths = [
        *("a.wav", "a.npz/a.wav", "a.npz_/a.wav", "a.wav.npy/a.wav", "a.wav.npz/a.wav"),
        *("manifest.csv/a.wav", "manifest.parquet/a.wav", "audio_mean.npy/a.wav", "parquet/audio/a.wav"),
        *("c.mp4.times.npy/a.wav", "one/manifest.csv/a.wav", "results.csv/a.wav", "origin.json/a.wav"),
    ]
    for seed, path in enumerate(paths):
        write_audio(project.dataset / path, seed=seed)
    write_video(project.dataset / "c.mp4")
    options = ExportOptions(formats=("npz", "parquet"))
    count = len(paths) + 2
    assert replace(project, export_options=options).run() == ((count, 0, 0),) * 3
    rows = read_manifest(project.export_folder)
    sounds = [row for row in rows if row.path in paths]
    assert sorted(row.path for row in sounds) == sorted(paths)
    means = np.load(project.export_folder / "audio_mean.npy")[
        [row.path in paths for row in rows if row.modality == "audio"]
    ]
    for row, mean in zip(sounds, means, strict=True):
        with np.load(project.export_folder / row.output) as arrays:
            np.testing.assert_allclose(arrays["embedding"].mean(axis=0), mean, rtol=1e-5)
    assert len(np.unique(means, axis=0)) == len(paths)
    assert len({row.output for row in rows}) == count


REASONS = {"b.wav": 'A "reason", in\nlines.', "c.wav": "Another\rkind of line."}


@pytest.fixture
def embedded(project: Project) -> Project:
    """A project as the stage ``embed`` leaves it, with embeddings that were made up."""
    folder = project.folder / "embeddings"
    results = [
        Result("a.wav", Modality.AUDIO, Media.AUDIO, frames=3, dimension=4),
        Result("a.ogg", Modality.AUDIO, Media.AUDIO, frames=2, dimension=4),
    ]
    for number, result in enumerate(results, start=1):
        path = array_path(folder, result, ".npz")
        path.parent.mkdir(parents=True, exist_ok=True)
        with RowSpool(folder) as spool:
            spool.append(number * np.arange(result.frames * 4, dtype=np.float32).reshape(-1, 4))
            spool.save_npz(path, "embedding", {"timestamps": 0.5 * np.arange(result.frames)})
    failed = [Result(path, Modality.AUDIO, Media.AUDIO).failed(reason) for path, reason in REASONS.items()]
    write_results([*results, *failed], folder)
    write_origins(
        {Modality.AUDIO: Origin("audio_mel128_music_512_kapre", "random:7", False, "float32")}, folder
    )
    return project


def test_recordings_of_one_stem_are_both_exported(embedded: Project) -> None:
    embedded.export()
    folder = embedded.export_folder
    with np.load(folder / "a.wav.npz") as wav, np.load(folder / "a.ogg.npz") as ogg:
        np.testing.assert_array_equal(wav["embedding"], np.arange(12).reshape(3, 4))
        np.testing.assert_array_equal(ogg["embedding"], 2 * np.arange(8).reshape(2, 4))
        np.testing.assert_array_equal(wav["timestamps"], [0.0, 0.5, 1.0])


def test_means_are_in_the_manifest_s_order(embedded: Project) -> None:
    embedded.export()
    expected = [[4, 5, 6, 7], [4, 6, 8, 10]]
    np.testing.assert_array_equal(np.load(embedded.export_folder / "audio_mean.npy"), expected)


def test_the_means_index_names_the_file_of_each_row(embedded: Project) -> None:
    embedded.export()
    with (embedded.export_folder / "audio_mean.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert rows == [
        {"row": "0", "path": "a.wav", "label": ""},
        {"row": "1", "path": "a.ogg", "label": ""},
    ]
    assert is_sealed(embedded.export_folder / "audio_mean.csv")


def test_the_manifest_keeps_any_reason_in_one_field(embedded: Project) -> None:
    embedded.export()
    with (embedded.export_folder / "manifest.csv").open(newline="", encoding="utf-8") as file:
        reasons = [row["reason"] for row in csv.DictReader(file)]
    assert reasons == ["", "", *REASONS.values()]


def test_the_stages_table_is_read_as_it_was_written(embedded: Project) -> None:
    folder = embedded.folder / "embeddings"
    results = read_results(folder)
    before = (folder / "results.csv").read_bytes()
    write_results(results, folder)
    assert (folder / "results.csv").read_bytes() == before
    assert [result.reason for result in results] == ["", "", *REASONS.values()]


def test_a_second_export_writes_the_same_bytes(embedded: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    embedded.export()
    before = {path.name: path.read_bytes() for path in embedded.export_folder.iterdir()}
    monkeypatch.setenv("L3EMBED_STORE", str(embedded.folder / "other store"))
    embedded.export()
    assert {path.name: path.read_bytes() for path in embedded.export_folder.iterdir()} == before


def test_trained_weights_are_not_called_untrained(embedded: Project) -> None:
    folder = embedded.folder / "embeddings"
    origin = Origin("audio_mel128_music_512_kapre", "sha256:abc", trained=True, precision="float32")
    write_origins({Modality.AUDIO: origin}, folder)
    embedded.export()
    assert embedded.metrics("export")["weights"] == "sha256:abc"


# Formats


def exported_as(project: Project, *formats: str, layout: RowLayout | None = None) -> set[str]:
    """Export in formats; return the names of what is there besides tables, means and the mark."""
    options = ExportOptions(formats=formats, row_layout=layout or RowLayout())
    replace(project, export_options=options).export()
    return {
        path.name
        for path in project.export_folder.iterdir()
        if not path.name.startswith(("manifest.", "audio_mean.", "doubts.", "."))
    }


@pytest.mark.parametrize(
    ("formats", "names"),
    [
        (("npz",), {"a.wav.npz", "a.ogg.npz"}),
        (("npz", "parquet"), {"a.wav.npz", "a.ogg.npz", "parquet"}),
        (("parquet",), {"parquet"}),
        ((), set()),
    ],
    ids=lambda value: " ".join(sorted(value)) or "none",
)
def test_the_formats_that_are_asked_for_are_written(
    embedded: Project, formats: Sequence[str], names: set[str]
) -> None:
    assert exported_as(embedded, *formats) == names


def test_without_npz_the_manifest_names_no_outputs(embedded: Project) -> None:
    exported_as(embedded, "parquet")
    assert [row.output for row in read_manifest(embedded.export_folder)] == [""] * 4


def test_without_npz_there_are_means_all_the_same(embedded: Project) -> None:
    exported_as(embedded)
    expected = [[4, 5, 6, 7], [4, 6, 8, 10]]
    np.testing.assert_array_equal(np.load(embedded.export_folder / "audio_mean.npy"), expected)


def test_the_rows_of_files_are_their_means(embedded: Project) -> None:
    import pyarrow.dataset

    exported_as(embedded, "parquet", layout=RowLayout(Rows.FILES))
    rows = pyarrow.dataset.dataset(embedded.export_folder / "parquet" / "audio").to_table().to_pydict()
    assert rows["path"] == ["a.wav", "a.ogg"]
    assert rows["frames"] == [3, 2]
    np.testing.assert_array_equal(rows["embedding"], np.load(embedded.export_folder / "audio_mean.npy"))


def test_half_floats_are_rounded_from_exact_means(embedded: Project) -> None:
    """In float32, this mean lies halfway between two half floats."""
    import pyarrow.dataset

    embeddings = np.ones((3, 4), np.float32)
    embeddings[0] += 3 * 2.0**-11
    embeddings[1] += 2.0**-23
    path = embedded.folder / "embeddings" / "audio" / "a.wav.npz"
    np.savez(path, embedding=embeddings, timestamps=np.arange(3))
    exported_as(embedded, "parquet", layout=RowLayout(Rows.FILES, dtype=Dtype.FLOAT16))
    rows = pyarrow.dataset.dataset(embedded.export_folder / "parquet" / "audio").to_table().to_pydict()
    np.testing.assert_array_equal(rows["embedding"][0], [1 + 2.0**-10] * 4)


def test_a_further_format_is_written(embedded: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    """One module and one row of the table make it."""

    def write(folder: Path, inputs: Sequence[Embedded], layout: RowLayout) -> None:
        (folder / "paths.txt").write_text(" ".join(item.row.path for item in inputs))

    module = ModuleType("paths_format")
    module.write = write  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, module.__name__, module)
    monkeypatch.setitem(FORMATS, "paths", module.__name__)
    assert exported_as(embedded, "npz", "paths") == {"a.wav.npz", "a.ogg.npz", "paths.txt"}
    assert (embedded.export_folder / "paths.txt").read_text() == "a.wav a.ogg"
