"""Stage ``check``: what is refused before any folder is emptied, and what it hands on."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from distances.given import frames, write_npz

from l3embed.app.params import compose_params
from l3embed.app.stage import main as stage_main
from l3embed.errors import OpenL3Error
from l3embed.export.labels import LabelTable, ListingLabels
from l3embed.report.choices import Projection
from l3embed.runtimes.base import Placement
from l3embed.stages import check
from l3embed.stages.check import CheckOptions, read_modalities
from l3embed.stages.dataset import Selection
from l3embed.stages.output_folder import Layout
from l3embed.variants import AudioVariant, Device, ImageVariant, Media, Modality, Precision
from l3embed.weights.source import RandomWeights, WeightsDirectory

from .conftest import REPOSITORY
from .standin import VARIANTS

USUAL = CheckOptions(Selection(), None, VARIANTS, RandomWeights(), Placement())


@pytest.fixture
def dataset(tmp_path: Path) -> Path:
    """A folder with a sound and a text, by their names; what is in files is not looked at."""
    folder = tmp_path / "sounds"
    folder.mkdir()
    for name in ("a.wav", "notes.txt"):
        (folder / name).touch()
    return folder


@pytest.fixture
def layout(tmp_path: Path) -> Layout:
    return Layout(tmp_path / "data")


@pytest.mark.parametrize(
    ("added", "expected"),
    [
        ([], [Modality.AUDIO]),
        (["b.png"], [Modality.AUDIO, Modality.IMAGE]),
        (["b.mp4"], [Modality.AUDIO, Modality.IMAGE]),
    ],
    ids=["sounds", "sounds and pictures", "sounds and videos"],
)
def test_it_hands_on_what_the_dataset_has_files_for(
    dataset: Path, layout: Layout, added: list[str], expected: list[Modality]
) -> None:
    for name in added:
        (dataset / name).touch()
    check.run(dataset, USUAL, layout)
    assert read_modalities(layout) == expected


def test_files_that_are_not_asked_for_do_not_count(dataset: Path, layout: Layout) -> None:
    (dataset / "b.png").touch()
    check.run(dataset, replace(USUAL, selection=Selection((Media.AUDIO,))), layout)
    assert read_modalities(layout) == [Modality.AUDIO]


def test_a_reference_that_was_computed_otherwise_is_refused(dataset: Path, layout: Layout) -> None:
    """By its weights, which are others than the settings' seed gives."""
    variant = VARIANTS[Modality.AUDIO].name
    made: dict[str, Any] = {
        "variant": variant,
        "weights": f"random:{RandomWeights().seed + 1}",
        "version": "0.1",
    }
    for number in range(2):
        write_npz(layout.root.parent / "ref" / f"{number}.npz", frames(5), **made)
    options = replace(USUAL, reference=layout.root.parent / "ref", hop_s=0.5)
    with pytest.raises(OpenL3Error, match=r"the weights: random:\d+ in evaluation\.reference .* this run"):
        check.run(dataset, options, layout)
    assert not layout.folder("check").exists()


def test_what_this_run_writes_anew_is_no_reference(dataset: Path, layout: Layout) -> None:
    options = replace(USUAL, reference=layout.folder("export"))
    with pytest.raises(OpenL3Error, match=r"evaluation\.reference must be another run's export"):
        check.run(dataset, options, layout)


def test_what_it_writes_is_the_same_however_many_files_there_are(dataset: Path, layout: Layout) -> None:
    def outputs() -> dict[str, bytes]:
        return {path.name: path.read_bytes() for path in layout.folder("check").iterdir()}

    check.run(dataset, USUAL, layout)
    before = outputs()
    (dataset / "another.flac").touch()
    check.run(dataset, replace(USUAL, weights=RandomWeights(3)), layout)
    assert outputs() == before


def test_it_tells_what_there_is(dataset: Path, layout: Layout) -> None:
    told = check.run(dataset, USUAL, layout)
    assert told == "check: 1 audio, 1 other file left out; weights are needed for audio"


def table(text: str) -> Callable[[Path], CheckOptions]:
    def options(folder: Path) -> CheckOptions:
        path = folder / "labels.csv"
        path.write_text(text)
        return replace(USUAL, labels=LabelTable(path))

    return options


def empty_weights(folder: Path) -> CheckOptions:
    (folder / "weights").mkdir()
    return replace(USUAL, weights=WeightsDirectory(folder / "weights"))


def other_weights(folder: Path) -> CheckOptions:
    options = empty_weights(folder)
    (folder / "weights" / "openl3_audio_mel128_music.h5").write_text("no weights")
    return options


REFUSED: dict[str, tuple[Callable[[Path], CheckOptions], str]] = {
    "a table of another dataset": (table("path,label\nb.wav,x\n"), "is a file of the dataset"),
    "a table without labels": (table("path\na.wav\n"), "must have the columns path and label"),
    "a table that contradicts itself": (table("path,label\na.wav,x\na.wav,y\n"), "disagree on 'a.wav'"),
    "no table": (lambda folder: replace(USUAL, labels=LabelTable(folder / "no.csv")), "no table of labels"),
    "a pattern that is none": (lambda _: replace(USUAL, selection=Selection(include=("[",))), "no files"),
    "no such files": (lambda _: replace(USUAL, selection=Selection((Media.VIDEO,))), "no files of the kinds"),
    "a folder without weights": (empty_weights, "must hold openl3_audio_mel128_music"),
    "weights that are none": (other_weights, "must be an HDF5 file"),
    "a runtime for the CPU on the GPU": (
        lambda _: replace(USUAL, placement=Placement(Device.GPU, "openvino")),
        "openvino is for the CPU",
    ),
    "a GPU's precision on the CPU": (
        lambda _: replace(
            USUAL,
            placement=Placement(Device.CPU),
            variants={
                Modality.AUDIO: AudioVariant(precision=Precision.TF32),
                Modality.IMAGE: ImageVariant(),
            },
        ),
        "tf32 is NVIDIA GPUs' alone",
    ),
}


@pytest.mark.parametrize(("options", "message"), REFUSED.values(), ids=REFUSED)
def test_what_cannot_be_had_is_refused(
    dataset: Path,
    layout: Layout,
    tmp_path: Path,
    options: Callable[[Path], CheckOptions],
    message: str,
) -> None:
    with pytest.raises(OpenL3Error, match=message):
        check.run(dataset, options(tmp_path), layout)
    assert not layout.root.exists()


def test_a_projection_that_is_not_installed_is_refused(
    dataset: Path, layout: Layout, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("l3embed.report.projection.find_spec", lambda name: None)
    with pytest.raises(OpenL3Error, match="needs umap-learn"):
        check.run(dataset, replace(USUAL, projection=Projection.UMAP), layout)


def test_weights_that_are_not_needed_may_be_missing(dataset: Path, layout: Layout, tmp_path: Path) -> None:
    from l3embed.weights.random import write_random_weights

    folder = tmp_path / "weights"
    folder.mkdir()
    weight_set = VARIANTS[Modality.AUDIO].weight_set
    write_random_weights(folder / f"openl3_{weight_set.name}.h5", weight_set)
    check.run(dataset, replace(USUAL, weights=WeightsDirectory(folder)), layout)
    assert read_modalities(layout) == [Modality.AUDIO]


@pytest.mark.parametrize("content", ["", "[]", '{"modalities": []}', '{"modalities": ["smell"]}'])
def test_what_it_wrote_is_known_to_be_damaged(dataset: Path, layout: Layout, content: str) -> None:
    check.run(dataset, USUAL, layout)
    path = layout.folder("check") / "modalities.json"
    path.write_text(content)
    with pytest.raises(OpenL3Error, match=r"modalities\.json: .* Run 'dvc repro -f check'"):
        read_modalities(layout)


@pytest.fixture
def project(dataset: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project's folder as the current one, for a dataset of sounds and untrained weights."""
    chosen = ["dataset=folder", f"dataset.path={dataset}", "weights=random", "model.input_repr=mel128"]
    (tmp_path / "params.yaml").write_text(compose_params(REPOSITORY / "conf", chosen), encoding="utf-8")
    monkeypatch.setenv("L3EMBED_STORE", str(tmp_path / "store"))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_weights_of_networks_that_are_not_needed_are_left_out_and_named(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert [stage_main([stage]) for stage in ("check", "weights")] == [0, 0]
    assert [path.name for path in project.glob("data/weights/*.h5")] == ["openl3_audio_mel128_music.h5"]
    told = capsys.readouterr().err
    assert told.endswith("; none for image: the dataset has neither pictures nor videos\n")


def test_without_a_check_there_are_no_weights(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert stage_main(["weights"]) == 1
    assert "Run 'dvc repro -f check'" in capsys.readouterr().err


def write_listing(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "clips.csv"
    path.write_text(text, encoding="utf-8")
    return path


def test_a_listing_s_names_and_packages_are_checked(
    tmp_path: Path, layout: Layout, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("l3embed.listings.remote.find_spec", lambda name: name)
    listing = write_listing(tmp_path, "path,speaker\ns3://bucket/a.wav,x\ns3://bucket/a.wav,x\n")
    assert check.run(listing, USUAL, layout).startswith("check: 1 audio;")
    said = capsys.readouterr().err
    assert "rows of the listing that repeat others, and count once: 1" in said
    assert "these columns of the listing are not used: speaker" in said

    monkeypatch.setattr("l3embed.listings.remote.find_spec", lambda name: None)
    with pytest.raises(OpenL3Error, match=r"pip install 'l3embed\[remote\]'"):
        check.run(listing, USUAL, layout)


def test_labels_of_a_listing_have_to_be_in_it(tmp_path: Path, layout: Layout) -> None:
    options = replace(USUAL, labels=ListingLabels())
    with pytest.raises(OpenL3Error, match=r"clips\.csv has none. Give it the column label"):
        check.run(write_listing(tmp_path, "path\na.wav\n"), options, layout)
    check.run(write_listing(tmp_path, "path,label\na.wav,x\n"), options, layout)


def test_a_format_that_cannot_be_written_here_is_found_before_anything_is_replaced(
    dataset: Path, layout: Layout, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("l3embed.export.formats.find_spec", lambda _: None)
    with pytest.raises(OpenL3Error, match=r"lance needs lancedb"):
        check.run(dataset, replace(USUAL, formats=("npz", "lance")), layout)
