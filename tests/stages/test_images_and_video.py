"""Recordings, images and videos in one run: the reference's numbers, and the library's."""

from __future__ import annotations

import csv
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal

import imageio.v3
import numpy as np
import pytest
from conftest import reference, reference_inputs
from skimage.io import imread

import l3embed
from l3embed.inputs.windows import Framing
from l3embed.runtimes.base import Placement
from l3embed.stages import weights
from l3embed.stages.results import read_results
from l3embed.variants import AudioVariant, ImageVariant, InputRepr, Modality
from l3embed.weights.source import RandomWeights

from .conftest import BAD_PICTURES, write_image, write_video
from .standin import Project

SEED = 20260101
HOP_S = 0.5
VARIANTS: dict[Modality, AudioVariant | ImageVariant] = {
    Modality.AUDIO: AudioVariant(InputRepr.MEL256, embedding_size=512),
    Modality.IMAGE: ImageVariant(InputRepr.MEL256, embedding_size=512),
}
MODEL: dict[str, Any] = {
    "input_repr": "mel256",
    "content_type": "music",
    "weights": f"random:{SEED}",
    "verbose": False,
}

SAME = 1e-5
SAME_FRAMES = 1e-4
RESAMPLED = 1e-2
"""Largest difference from the reference over the largest magnitude: as in the tests of the library."""

REFERENCE_AUDIO = {
    "blip_16k_mono.wav": RESAMPLED,
    "notes_44k_stereo.wav": RESAMPLED,
    "notes_48k_mono.flac": SAME,
}
REFERENCE_IMAGES = ["discs_224.png", "discs_240x250.png", "discs_300x420.png"]
MADE_IMAGES = ["grey.png", "alpha.png", "large.jpg", "pages.tif"]


def write_images(folder: Path) -> None:
    rng = np.random.default_rng(0)
    imageio.v3.imwrite(folder / "grey.png", rng.integers(0, 256, (300, 280), np.uint8))
    imageio.v3.imwrite(folder / "alpha.png", rng.integers(0, 256, (250, 240, 4), np.uint8))
    write_image(folder / "large.jpg", 700, 400)
    imageio.v3.imwrite(folder / "pages.tif", rng.integers(0, 256, (3, 240, 240, 3), np.uint8))


@pytest.fixture(scope="module", params=[pytest.param(SEED, marks=pytest.mark.slow, id="seeded weights")])
def run(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Project]:
    """All kinds of files, sound and damaged, through all stages with the seeded weights."""
    folder = tmp_path_factory.mktemp("mixed")
    project = Project(folder).with_embed(
        variants=VARIANTS, framing=Framing(HOP_S), placement=Placement(), batch_size=7
    )
    project.dataset.mkdir(parents=True)
    for path in reference_inputs():
        shutil.copy(path, project.dataset)
    (project.dataset / "rain_22k_mono.wav").unlink()
    write_images(project.dataset)
    write_video(project.dataset / "sound only.mp4", frames=False)
    write_video(project.dataset / "frames only.mp4", sound=False)
    for name, (write, _) in BAD_PICTURES.items():
        write(project.dataset / name)
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("L3EMBED_STORE", str(folder / "store"))
        weight_sets = [variant.weight_set for variant in VARIANTS.values()]
        weights.run(weight_sets, RandomWeights(request.param), folder / "weights")
        project.run()
        yield project


def arrays_of(path: Path) -> dict[str, Any]:
    with np.load(path) as arrays:
        return dict(arrays)


def manifest(project: Project) -> dict[tuple[str, str], dict[str, str]]:
    with (project.export_folder / "manifest.csv").open(newline="", encoding="utf-8") as file:
        return {(row["path"], row["modality"]): row for row in csv.DictReader(file)}


def exported(project: Project, path: str, modality: str) -> dict[str, Any]:
    return arrays_of(project.export_folder / manifest(project)[path, modality]["output"])


def difference(ours: Any, theirs: Any) -> float:
    assert ours.shape == theirs.shape
    return float(np.abs(ours.astype(float) - theirs).max() / np.abs(theirs).max())


@pytest.mark.parametrize(("name", "tolerance"), REFERENCE_AUDIO.items(), ids=REFERENCE_AUDIO)
def test_recordings_give_the_reference_s_numbers(run: Project, name: str, tolerance: float) -> None:
    case = f"audio__{Path(name).stem}__mel256_music_512_kapre_c_0.5.npz"
    ours, theirs = exported(run, name, "audio"), arrays_of(reference(f"outputs/{case}"))
    assert difference(ours["embedding"], theirs["embedding"]) < tolerance
    np.testing.assert_allclose(ours["timestamps"], theirs["timestamps"], atol=1e-6)


@pytest.mark.parametrize("name", REFERENCE_IMAGES)
def test_images_give_the_reference_s_numbers(run: Project, name: str) -> None:
    theirs = arrays_of(reference(f"outputs/image__{Path(name).stem}__mel256_music_512.npz"))
    assert difference(exported(run, name, "image")["embedding"], theirs["embedding"]) < SAME


@pytest.mark.parametrize(
    ("modality", "tolerance"), [("audio", RESAMPLED), ("image", SAME_FRAMES)], ids=["sound", "frames"]
)
def test_a_video_gives_the_reference_s_numbers(run: Project, modality: str, tolerance: float) -> None:
    ours = exported(run, "clip_12fps.mp4", modality)
    theirs = arrays_of(reference("outputs/video__clip_12fps.npz"))
    assert difference(ours["embedding"], theirs[f"{modality}_embedding"]) < tolerance
    np.testing.assert_allclose(ours["timestamps"], theirs[f"{modality}_timestamps"], atol=1e-6)


@pytest.mark.parametrize("name", [*REFERENCE_IMAGES, *MADE_IMAGES])
def test_images_give_the_library_s_numbers(run: Project, name: str) -> None:
    image = imread(run.dataset / name)
    if image.ndim == 2:
        image = np.stack([image] * 3, axis=-1)
    expected = l3embed.get_image_embedding(image[..., :3], embedding_size=512, **MODEL)
    ours = exported(run, name, "image")
    assert difference(ours["embedding"], expected) <= 1e-6
    assert "timestamps" not in ours


@pytest.fixture(scope="module")
def by_library(run: Project) -> Path:
    """What the library makes of the videos' files."""
    output = run.folder / "library"
    l3embed.process_video_file(
        [str(run.dataset / name) for name in ("clip_12fps.mp4", "sound only.mp4", "frames only.mp4")],
        output_dir=output,
        audio_embedding_size=512,
        image_embedding_size=512,
        audio_hop_size=HOP_S,
        **MODEL,
    )
    return output


@pytest.mark.parametrize(
    ("name", "modality"),
    [
        ("clip_12fps.mp4", "audio"),
        ("clip_12fps.mp4", "image"),
        ("sound only.mp4", "audio"),
        ("frames only.mp4", "image"),
    ],
)
@pytest.mark.filterwarnings("ignore::l3embed.errors.OpenL3Warning")
def test_a_video_s_file_holds_what_the_library_s_does(
    run: Project, by_library: Path, name: str, modality: str
) -> None:
    ours = exported(run, name, modality)
    theirs = arrays_of(by_library / f"{Path(name).stem}_{modality}.npz")
    assert {key: array.dtype for key, array in ours.items()} == {
        key: array.dtype for key, array in theirs.items()
    }
    assert difference(ours["embedding"], theirs["embedding"]) <= 1e-6
    for key in theirs.keys() - {"embedding"}:
        np.testing.assert_array_equal(ours[key], theirs[key])


def test_a_video_that_lacks_a_part_has_one_row(run: Project) -> None:
    rows = manifest(run)
    assert ("sound only.mp4", "image") not in rows
    assert ("frames only.mp4", "audio") not in rows
    assert rows["sound only.mp4", "audio"]["status"] == "ok"
    assert rows["frames only.mp4", "image"]["status"] == "ok"


@pytest.mark.parametrize(("name", "reason"), [(name, reason) for name, (_, reason) in BAD_PICTURES.items()])
def test_a_damaged_file_is_named_with_a_reason(run: Project, name: str, reason: str) -> None:
    modalities = ["audio", "image"] if name.endswith(".mp4") else ["image"]
    rows = {modality: row for (path, modality), row in manifest(run).items() if path == name}
    assert list(rows) == modalities
    for row in rows.values():
        assert (row["status"], row["frames"], row["output"]) == ("failed", "0", "")
        assert reason in row["reason"]


EXPECTED_FACTS = {
    ("clip_12fps.mp4", "audio"): ("1.5", "48000.0", "2", "3"),
    ("clip_12fps.mp4", "image"): ("1.5", "", "", "18"),
    ("discs_224.png", "image"): ("", "", "", "1"),
    ("pages.tif", "image"): ("", "", "", "3"),
    ("notes_48k_mono.flac", "audio"): ("1.7", "48000.0", "1", "4"),
    ("notes_44k_stereo.wav", "audio"): ("2.6", "44100.0", "2", "6"),
}


@pytest.mark.parametrize(("task", "expected"), EXPECTED_FACTS.items(), ids=map(" ".join, EXPECTED_FACTS))
def test_the_manifest_tells_what_was_found_out(
    run: Project, task: tuple[str, str], expected: tuple[str, ...]
) -> None:
    row = manifest(run)[task]
    assert (row["duration_s"], row["sample_rate_hz"], row["channels"], row["frames"]) == expected
    assert row["dimension"] == "512"


def test_counts_are_of_inputs_and_modalities(run: Project) -> None:
    # Three recordings, seven images, a whole video and two halves; of the bad ones three are videos.
    assert run.counts("preprocess") == (3 + 7 + 2 + 1 + 1 + 2, 0, 4 + 2 * 3)
    done = len([row for row in manifest(run).values() if row["status"] == "ok"])
    assert run.counts("embed") == run.counts("export") == (done, 0, 10)


def test_the_mean_is_that_of_the_frames(run: Project) -> None:
    means = np.load(run.export_folder / "image_mean.npy")
    rows = [
        row for (_, modality), row in manifest(run).items() if modality == "image" and row["status"] == "ok"
    ]
    expected = [
        arrays_of(run.export_folder / row["output"])["embedding"].mean(axis=0, dtype=float) for row in rows
    ]
    assert difference(means, np.array(expected)) < 1e-6


@pytest.mark.parametrize("modality", ["audio", "image"])
def test_a_video_is_loaded_in_both_modalities(run: Project, modality: Literal["audio", "image"]) -> None:
    export = l3embed.load_export(run.export_folder, modality)
    own = [row for (_, kind), row in manifest(run).items() if kind == modality and row["status"] == "ok"]
    assert export.paths.tolist() == [row["path"] for row in own for _ in range(int(row["frames"]))]
    video = export.paths == "clip_12fps.mp4"
    saved = arrays_of(run.export_folder / f"clip_12fps_{modality}.npz")
    np.testing.assert_array_equal(export.embeddings[video], saved["embedding"])
    np.testing.assert_array_equal(export.times[video], saved["timestamps"])


def test_frames_are_kept_as_bytes(run: Project) -> None:
    frames = np.load(run.folder / "preprocessed" / "image" / "clip_12fps.mp4.npy")
    assert (frames.dtype, frames.shape) == (np.uint8, (18, 224, 224, 3))


def test_all_results_are_in_one_table(run: Project) -> None:
    results = read_results(run.folder / "embeddings")
    tasks = [(result.path, result.modality.value) for result in results]
    assert tasks == sorted(tasks) == sorted(manifest(run))


def test_a_run_of_images_alone_needs_no_weights_for_audio(project: Project) -> None:
    write_image(project.dataset / "a.png")
    project.preprocess()
    image = VARIANTS[Modality.IMAGE]
    weights.run([image.weight_set], RandomWeights(SEED), project.folder / "weights")
    assert project.with_embed(variants={Modality.IMAGE: image}).embed() == (1, 0, 0)
    assert project.export() == (1, 0, 0)
    assert not (project.export_folder / "audio_mean.npy").exists()


def test_frames_times_survive_a_varying_rate(project: Project) -> None:
    from l3embed.decoding.video import open_video

    write_video(project.dataset / "a.mp4", 1.0, rate="30000/1001")
    assert project.run()[0] == (2, 0, 0)
    times = arrays_of(project.export_folder / "a_image.npz")["timestamps"]
    np.testing.assert_allclose(times, np.arange(len(times)) * 1001 / 30000, atol=1e-4)
    with open_video(project.dataset / "a.mp4") as video:
        assert len(times) == sum(len(block) for block in video.frames())


def test_videos_with_the_same_frames_and_other_times_are_two_results(
    project: Project, store_folder: Path
) -> None:
    # What the network takes in is the same to the byte; what is written next to its embeddings is not.
    write_video(project.dataset / "a.mp4", sound=False)
    project.run()
    times_path = project.folder / "preprocessed" / "image" / "a.mp4.times.npy"
    times = np.load(times_path)
    shutil.rmtree(store_folder / "preprocess")  # or the file would be put into its place again
    times_path.unlink()
    np.save(times_path, 2 * times)
    assert project.embed() == (1, 0, 0)
    with np.load(project.folder / "embeddings" / "image" / "a.mp4.npz") as arrays:
        np.testing.assert_array_equal(arrays["timestamps"], 2 * times)


def test_metrics_tell_of_both_modalities(run: Project) -> None:
    metrics = run.metrics("export")
    assert metrics["audio"]["variant"] == "audio_mel256_music_512_kapre"
    assert metrics["image"]["variant"] == "image_mel256_music_512"
    assert metrics["image"]["embeddings"] == 3 + 3 + 3 + 18 + 4
