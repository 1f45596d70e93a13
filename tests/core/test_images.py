"""Images in memory and in files: shapes, times, outputs, and errors."""

from __future__ import annotations

from pathlib import Path
from threading import Event
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image, ImageOps
from skimage.io import imsave

from l3embed import OpenL3Error, OpenL3Warning, get_image_embedding, models, process_image_file
from l3embed.cli.main import main
from l3embed.decoding.image import read_image
from l3embed.errors import FilesError
from l3embed.runtimes.keras import KerasEmbedder


@pytest.fixture(scope="session")
def model() -> Any:
    """A Keras model from images to the means of their channels, times two."""
    import keras

    inputs = keras.Input((224, 224, 3))
    return keras.Model(inputs, keras.layers.GlobalAveragePooling2D()(inputs) * 2.0)


def picture(seed: int = 0, height: int = 224, width: int = 224, channels: int = 3) -> npt.NDArray[np.uint8]:
    return np.random.default_rng(seed).integers(0, 256, (height, width, channels), np.uint8)


def test_one_image_gives_one_row(model: Any) -> None:
    embedding = get_image_embedding(picture(), model=model, verbose=0)

    np.testing.assert_allclose(
        embedding, [2 * (picture() / 127.5 - 1).mean(axis=(0, 1))], atol=1e-6, strict=False
    )


def test_a_sequence_with_a_frame_rate_has_times(model: Any) -> None:
    sequence = np.stack([picture(seed) for seed in range(3)])

    embedding, timestamps = get_image_embedding(sequence, frame_rate=30000 / 1001, model=model, verbose=0)

    assert embedding.shape == (3, 3)
    np.testing.assert_allclose(timestamps, [0, 1001 / 30000, 2002 / 30000])


def test_every_sequence_has_its_own_frame_rate(model: Any) -> None:
    sequences = [np.stack([picture(seed)] * 2) for seed in range(2)]

    embeddings, timestamps = get_image_embedding(sequences, frame_rate=[10, 25], model=model, verbose=0)

    assert [embedding.shape for embedding in embeddings] == [(2, 3), (2, 3)]
    np.testing.assert_allclose(timestamps, [[0, 0.1], [0, 0.04]])


def test_a_list_without_frame_rates_gives_embeddings_alone(model: Any) -> None:
    embeddings = get_image_embedding([picture(), np.stack([picture()] * 3)], model=model, verbose=0)

    assert [embedding.shape for embedding in embeddings] == [(1, 3), (3, 3)]


def test_images_of_several_sizes_are_embedded_each_as_if_alone(model: Any) -> None:
    images = [picture(1, 240, 260), picture(2, 300, 500)]

    together = get_image_embedding(images, model=model, verbose=0)

    alone = [get_image_embedding(image, model=model, verbose=0) for image in images]
    np.testing.assert_allclose(together, alone, atol=1e-6)


def test_a_black_image_is_warned_of(model: Any) -> None:
    with pytest.warns(OpenL3Warning, match="The image is all zeros"):
        get_image_embedding(np.zeros((224, 224, 3), np.uint8), model=model, verbose=0)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"image": "picture.png"}, "image must be a NumPy array or a list of them; got str"),
        ({"frame_rate": 0}, "frame_rate must be a positive number"),
        ({"frame_rate": [1, 2]}, "one for each of 1 inputs; got 2"),
        ({"embedding_size": 6144}, "embedding_size must be one of 8192, 512; got 6144"),
        ({"content_type": "speech"}, "content_type must be one of music, env; got 'speech'"),
        ({"input_repr": "mel64"}, "input_repr must be one of linear, mel128, mel256; got 'mel64'"),
        ({"batch_size": 0}, "batch_size must be a positive integer; got 0"),
        ({"verbose": 2}, "verbose must be one of True, False; got 2"),
        ({"model": "model.h5"}, "model must be a keras.Model or None; got str"),
    ],
    ids=["image", "rate", "rates", "size", "content", "repr", "batch", "verbose", "model"],
)
def test_wrong_arguments_are_named(options: dict[str, Any], message: str) -> None:
    with pytest.raises(OpenL3Error, match=message):
        get_image_embedding(**{"image": picture(), **options})


def test_an_audio_model_is_refused(tiny_model: Any) -> None:
    with pytest.raises(OpenL3Error, match=r"must take in the shape \(224, 224, 3\); it takes \(1, 48000\)"):
        get_image_embedding(picture(), model=tiny_model)


@pytest.mark.parametrize(("channels", "name"), [(1, "grey"), (2, "grey-alpha"), (3, "rgb"), (4, "rgba")])
def test_files_are_read_as_rgb_without_alpha(tmp_path: Path, channels: int, name: str) -> None:
    stored = picture(3, 230, 240, channels)
    imsave(tmp_path / f"{name}.png", stored.squeeze(), check_contrast=False)

    image = read_image(tmp_path / f"{name}.png")

    expected = stored[..., :3] if channels > 2 else np.repeat(stored[..., :1], 3, axis=-1)
    np.testing.assert_array_equal(image, expected)


def test_a_file_s_output_is_what_its_array_gives(tmp_path: Path, model: Any) -> None:
    imsave(tmp_path / "a.png", picture(), check_contrast=False)

    process_image_file(str(tmp_path / "a.png"), suffix="x", model=model, verbose=False)

    with np.load(tmp_path / "a_x.npz") as arrays:
        assert sorted(arrays) == ["embedding", "precision", "runtime", "variant", "version", "weights"]
        np.testing.assert_array_equal(
            arrays["embedding"], get_image_embedding(picture(), model=model, verbose=0)
        )


def test_bad_files_are_named_and_the_good_one_is_done(tmp_path: Path, model: Any) -> None:
    imsave(tmp_path / "good.png", picture(), check_contrast=False)
    imsave(tmp_path / "small.png", picture(0, 100, 300), check_contrast=False)
    whole = (tmp_path / "good.png").read_bytes()
    (tmp_path / "cut.png").write_bytes(whole[: len(whole) // 2])
    (tmp_path / "text.jpg").write_text("not a picture")
    (tmp_path / "empty.png").write_bytes(b"")
    paths = [str(tmp_path / name) for name in ("cut.png", "small.png", "good.png", "text.jpg", "empty.png")]

    with pytest.raises(FilesError, match="4 of 5 files") as failed:
        process_image_file(paths, model=model, verbose=False)

    reasons = {Path(path).name: reason for path, reason in failed.value.failures.items()}
    assert set(reasons) == {"cut.png", "small.png", "text.jpg", "empty.png"}
    assert "224 x 224" in reasons["small.png"]
    assert "empty" in reasons["empty.png"]
    assert [path.name for path in tmp_path.glob("*.npz")] == ["good.npz"]


def test_batch_size_reaches_the_network(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, model: Any) -> None:
    batches: list[int] = []
    compute = KerasEmbedder.embed

    def embed(
        self: KerasEmbedder, batch: npt.NDArray[np.float32], stop: Event | None = None
    ) -> npt.NDArray[np.float32]:
        batches.append(len(batch))
        return compute(self, batch)

    monkeypatch.setattr(KerasEmbedder, "embed", embed)
    for name in "abcde":
        imsave(tmp_path / f"{name}.png", picture(), check_contrast=False)

    process_image_file(sorted(map(str, tmp_path.glob("*.png"))), model=model, batch_size=2, verbose=False)

    assert batches == [2, 2, 1]


def test_the_command_embeds_a_folder_s_images(tmp_path: Path) -> None:
    imsave(tmp_path / "a.png", picture(), check_contrast=False)
    (tmp_path / "notes.txt").write_text("no image")

    status = main(["image", str(tmp_path), "--embedding-size", "512", "-o", str(tmp_path / "out"), "-q"])

    assert status == 0
    with np.load(tmp_path / "out" / "a.npz") as arrays:
        assert arrays["embedding"].shape == (1, 512)
        assert str(arrays["variant"]) == "image_mel256_music_512"
        assert str(arrays["weights"]).startswith("random:")


def test_weights_of_a_path_are_known_as_untrained_by_the_file() -> None:
    path = models.get_image_embedding_model_path("mel256", "music")

    model = models.load_image_embedding_model_from_path(path, 512)

    assert model.output_shape == (None, 512)
    assert models.model_origin(model) == models.ModelOrigin(
        "image_mel256_music_512", "random:20260101", trained=False, precision="float32"
    )


def turned(path: Path) -> Path:
    """Write a photograph that asks to be turned by 90 degrees."""
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.fromarray(picture(height=240, width=300)).save(path, exif=exif, quality=95)
    return path


def test_photographs_that_are_not_turned_are_told_of_once(
    tmp_path: Path, model: Any, recwarn: pytest.WarningsRecorder
) -> None:
    paths = [str(turned(tmp_path / f"{name}.jpg")) for name in "abc"]
    process_image_file(paths, model=model, verbose=False)
    told = [str(warning.message) for warning in recwarn if "EXIF" in str(warning.message)]
    words = "has an EXIF orientation, and is not turned, as OpenL3 has it: exif_rotation would turn it."
    assert told == [f"{paths[0]} {words}"]


def test_photographs_are_turned_if_asked_for(tmp_path: Path, model: Any) -> None:
    path = turned(tmp_path / "a.jpg")
    process_image_file(str(path), model=model, verbose=False, exif_rotation=True)
    with Image.open(path) as stored:
        upright = np.asarray(ImageOps.exif_transpose(stored))
    expected = get_image_embedding(upright, model=model, verbose=False)
    np.testing.assert_array_equal(np.load(tmp_path / "a.npz")["embedding"], expected)


def test_each_page_has_an_embedding_and_all_are_divided_by_one_value(tmp_path: Path, model: Any) -> None:
    """As the frames of one video are: pages that need no scaling keep bytes until then."""
    dark, bright = picture(height=230, width=240) // 4, picture(seed=1, height=230, width=240)
    Image.fromarray(dark).save(tmp_path / "a.tif", save_all=True, append_images=[Image.fromarray(bright)])
    process_image_file(str(tmp_path / "a.tif"), model=model, verbose=False)
    expected = get_image_embedding(np.stack([dark, bright]), model=model, verbose=False)
    np.testing.assert_array_equal(np.load(tmp_path / "a.npz")["embedding"], expected)


def test_a_picture_above_the_limit_is_told_with_the_option(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    Image.new("L", (1200, 1000)).save(tmp_path / "a.png")
    assert main(["image", str(tmp_path / "a.png"), "-q", "--max-megapixels", "1"]) == 1
    assert "1200 x 1000 pixels, 1 megapixels; the limit is max_megapixels=1." in capsys.readouterr().err


@pytest.mark.parametrize("value", [0, -1, float("nan"), "300"])
def test_a_limit_that_is_none_is_refused(value: Any, tmp_path: Path) -> None:
    with pytest.raises(OpenL3Error, match="max_megapixels must be a positive number; got"):
        process_image_file(str(tmp_path / "a.png"), max_megapixels=value)
