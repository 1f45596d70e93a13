"""`load_export`: an export back into arrays, from each of its formats."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import l3embed
from l3embed.disk.seals import seal
from l3embed.errors import OpenL3Error
from l3embed.export import loading, npz, parquet
from l3embed.export.formats import Dtype, Embedded, RowLayout, Rows
from l3embed.export.manifest import ManifestRow, mean_path, write_manifest
from l3embed.variants import Modality

from .conftest import DIMENSION, EMBEDDINGS, INPUTS, PARTS, One

FAILED = ManifestRow(
    "rain/broken.wav", "audio", "rain", status="failed", reason="The file is empty (0 bytes)."
)
MEANS = np.array([embeddings.mean(axis=0, dtype=np.float64) for embeddings in EMBEDDINGS], np.float32)

WriteExport = Callable[..., Path]
"""Takes the inputs and a format."""


@pytest.fixture
def write_export(tmp_path: Path) -> WriteExport:
    """Write an export as the stage does: in one format, with the means, and with an input that has failed."""

    def write(inputs: list[Embedded], name: str = "npz", layout: RowLayout | None = None) -> Path:
        folder = tmp_path / "export"
        folder.mkdir()
        done = [replace(item, row=replace(item.row, output=f"{item.row.path}.npz")) for item in inputs]
        if name == "npz":
            npz.write(folder, done, RowLayout())
        else:
            done = inputs
            parquet.write(folder, done, layout or RowLayout())
        write_manifest(folder, [done[0].row, FAILED, *(item.row for item in done[1:])])
        np.save(mean_path(folder, Modality.AUDIO), MEANS)
        seal(mean_path(folder, Modality.AUDIO))
        return folder

    return write


@pytest.mark.parametrize("name", ["npz", "parquet"])
@pytest.mark.usefixtures("small_parts")
def test_frames_come_in_the_manifest_s_order_from_either_format(
    write_export: WriteExport, inputs: list[Embedded], name: str
) -> None:
    """What failed has none."""
    export = l3embed.load_export(write_export(inputs, name))
    np.testing.assert_array_equal(export.embeddings, np.concatenate(EMBEDDINGS))
    assert export.embeddings.dtype == np.float32
    assert export.labels.tolist() == ["bells"] * 5 + ["rain"] * 40 + [""]
    assert export.groups.tolist() == [0] * 5 + [1] * 40 + [2]
    assert export.times.tolist() == [0.5 * frame for frames in (5, 40, 1) for frame in range(frames)]
    assert export.paths.tolist() == ["bells/a.wav"] * 5 + ["rain/Глава 日本.flac"] * 40 + ["loose.ogg"]


def test_files_have_their_means_and_lengths(write_export: WriteExport, inputs: list[Embedded]) -> None:
    embeddings, labels, groups, times, paths = l3embed.load_export(write_export(inputs), "audio", "files")
    np.testing.assert_array_equal(embeddings, MEANS)
    assert labels.tolist() == ["bells", "rain", ""]
    assert groups.tolist() == [0, 1, 2]
    assert times.tolist() == [2.5, 20.0, 0.1]
    assert paths.tolist() == ["bells/a.wav", "rain/Глава 日本.flac", "loose.ogg"]


def test_means_are_mapped_and_not_held(write_export: WriteExport, inputs: list[Embedded]) -> None:
    assert isinstance(l3embed.load_export(write_export(inputs), rows="files").embeddings, np.memmap)


def test_half_floats_become_floats(write_export: WriteExport, inputs: list[Embedded]) -> None:
    export = l3embed.load_export(write_export(inputs, "parquet", RowLayout(dtype=Dtype.FLOAT16)))
    assert export.embeddings.dtype == np.float32
    np.testing.assert_array_equal(export.embeddings, np.concatenate(EMBEDDINGS).astype(np.float16))


@pytest.mark.parametrize("name", ["npz", "parquet"])
def test_images_have_no_times(write_export: WriteExport, one: One, name: str) -> None:
    row = replace(INPUTS[0], path="a.png", modality="image", duration_s=None)
    export = l3embed.load_export(write_export(one(row, EMBEDDINGS[0]), name), modality="image")
    assert np.isnan(export.times).all()
    assert len(export.times) == 5


def test_a_data_frame_has_a_column_for_each_number(write_export: WriteExport, inputs: list[Embedded]) -> None:
    export = l3embed.load_export(write_export(inputs))
    frame = export.to_pandas()
    assert list(frame.columns) == ["path", "label", "time", *(f"e{number}" for number in range(DIMENSION))]
    assert frame["path"].tolist() == export.paths.tolist()
    assert frame["label"].tolist() == export.labels.tolist()
    assert frame["time"].tolist() == export.times.tolist()
    np.testing.assert_array_equal(frame.loc[:, "e0":].to_numpy(), export.embeddings)


def test_a_data_frame_does_not_copy_the_embeddings(write_export: WriteExport, inputs: list[Embedded]) -> None:
    export = l3embed.load_export(write_export(inputs))
    assert np.shares_memory(export.to_pandas()["e7"].to_numpy(), export.embeddings)


# What is wrong


def test_a_folder_that_is_no_export_is_refused(tmp_path: Path) -> None:
    with pytest.raises(OpenL3Error, match=r"There is no .*manifest\.csv\. Name the folder of an export"):
        l3embed.load_export(tmp_path)


def test_the_folder_above_an_export_names_it(write_export: WriteExport, inputs: list[Embedded]) -> None:
    folder = write_export(inputs)
    with pytest.raises(OpenL3Error, match=r"is no export, but the folder of one\. Name .*export\."):
        l3embed.load_export(folder.parent)


@pytest.mark.parametrize(
    ("option", "message"),
    [
        ({"modality": "video"}, "modality must be one of audio, image; got 'video'"),
        ({"rows": "file"}, "rows must be one of frames, files; got 'file'"),
    ],
    ids=["modality", "rows"],
)
def test_what_is_misspelt_is_told_with_what_is_allowed(
    write_export: WriteExport, inputs: list[Embedded], option: dict[str, str], message: str
) -> None:
    folder = write_export(inputs)
    with pytest.raises(OpenL3Error, match=message):
        l3embed.load_export(folder, **option)  # type: ignore[arg-type]


def test_a_modality_that_is_absent_is_told_with_those_that_are_there(
    write_export: WriteExport, inputs: list[Embedded]
) -> None:
    folder = write_export(inputs)
    with pytest.raises(OpenL3Error, match="has no image embeddings; its modalities: audio"):
        l3embed.load_export(folder, modality="image")


def test_an_export_in_which_all_failed_says_so(tmp_path: Path) -> None:
    write_manifest(tmp_path, [FAILED])
    with pytest.raises(OpenL3Error, match=r"All 1 audio inputs of .* failed: manifest\.csv says why"):
        l3embed.load_export(tmp_path)


def test_rows_of_files_have_no_frames(write_export: WriteExport, inputs: list[Embedded]) -> None:
    folder = write_export(inputs, "parquet", RowLayout(Rows.FILES))
    with pytest.raises(OpenL3Error, match=r"no row for each frame.*rows='files'.*export\.rows=frames"):
        l3embed.load_export(folder)
    assert len(l3embed.load_export(folder, rows="files").paths) == 3


def invert_a_byte(path: Path, place: float) -> None:
    content = bytearray(path.read_bytes())
    content[round(len(content) * place)] ^= 0xFF
    path.unlink()  # it is a further name of the store's file
    path.write_bytes(content)


@pytest.mark.parametrize("place", [0.2, 0.5])
@pytest.mark.parametrize("name", ["npz", "parquet"])
def test_damaged_embeddings_are_named_with_the_remedy(
    write_export: WriteExport, inputs: list[Embedded], name: str, place: float
) -> None:
    """By the checksums that both formats bring."""
    folder = write_export(inputs, name)
    pattern = "rain/*.npz" if name == "npz" else PARTS
    (path,) = folder.glob(pattern)
    invert_a_byte(path, place)
    with pytest.raises(OpenL3Error, match=rf"{path.name}: .* Run 'dvc repro -f export'"):
        l3embed.load_export(folder)


def test_damaged_means_are_named_with_the_remedy(write_export: WriteExport, inputs: list[Embedded]) -> None:
    folder = write_export(inputs)
    invert_a_byte(folder / "audio_mean.npy", 0.99)
    with pytest.raises(OpenL3Error, match=r"audio_mean\.npy: It is not as it was written"):
        l3embed.load_export(folder, rows="files")


def test_embeddings_that_are_gone_are_missed(write_export: WriteExport, inputs: list[Embedded]) -> None:
    folder = write_export(inputs)
    (folder / "bells" / "a.wav.npz").unlink()
    with pytest.raises(OpenL3Error, match=r"a\.wav\.npz: It could not be read: No such file"):
        l3embed.load_export(folder)


@pytest.mark.parametrize("change", [lambda a: a[:-1], lambda a: np.vstack([a, a]), lambda a: a[:, 1:]])
def test_an_npz_of_another_shape_is_not_used(
    write_export: WriteExport, inputs: list[Embedded], change: Callable[..., object]
) -> None:
    folder = write_export(inputs)
    np.savez(folder / "other.npz", embedding=change(EMBEDDINGS[0]))  # type: ignore[arg-type]
    (folder / "other.npz").replace(folder / "bells" / "a.wav.npz")
    with pytest.raises(OpenL3Error, match=r"a\.wav\.npz: It must hold an array \(5, 8\)"):
        l3embed.load_export(folder)


def test_parquet_of_another_export_is_not_used(write_export: WriteExport, inputs: list[Embedded]) -> None:
    folder = write_export(inputs, "parquet")
    parquet.write(folder, inputs[1:], RowLayout())
    with pytest.raises(OpenL3Error, match=r"other rows than manifest\.csv says"):
        l3embed.load_export(folder)


def test_frames_that_no_memory_holds_are_refused(
    write_export: WriteExport, inputs: list[Embedded], monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = write_export(inputs)
    monkeypatch.setattr(loading, "_memory_bytes", lambda: 46 * DIMENSION * 4 - 1)
    with pytest.raises(OpenL3Error, match=r"46 frames x 8 x 4 bytes are .* memory .*rows='files'"):
        l3embed.load_export(folder)
