"""`l3embed.torch`: the reference's numbers in a module that can be trained, saved and exported."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import soundfile
from conftest import reference
from skimage.io import imread

from l3embed import OpenL3Error, models, preprocess_audio
from l3embed.inputs.pixels import preprocess_images
from l3embed.networks.keras_model import build_keras_model
from l3embed.variants import AudioVariant, Frontend, ImageVariant, InputRepr, Precision
from l3embed.weights.file import describe_weights, read_layers

torch = pytest.importorskip("torch")
l3embed_torch = pytest.importorskip("l3embed.torch")

Items = npt.NDArray[np.float32]

SAME_NUMBERS = 1e-5
SMALLEST = AudioVariant(InputRepr.MEL128, embedding_size=512, frontend=Frontend.LIBROSA)
CASES: list[dict[str, Any]] = json.loads(reference("outputs/index.json").read_text())


def cases(kind: str, **wanted: str) -> pytest.MarkDecorator:
    chosen = [case for case in CASES if case["kind"] == kind and wanted.items() <= case.items()]
    assert chosen
    return pytest.mark.parametrize("case", chosen, ids=lambda case: case["case"])


def stored(case: dict[str, Any]) -> Items:
    with np.load(reference(f"outputs/{case['case']}.npz")) as arrays:
        embedding: Items = arrays["embedding"]
        return embedding


def relative_difference(ours: Items, theirs: Items) -> float:
    assert ours.shape == theirs.shape
    return float(np.abs(ours - theirs).max() / np.abs(theirs).max())


def compute(model: Any, items: npt.NDArray[np.floating]) -> Items:
    with torch.inference_mode():
        embeddings: Items = model(torch.from_numpy(items.astype(np.float32))).numpy()
        return embeddings


def channels_first(items: npt.NDArray[np.floating]) -> npt.NDArray[np.floating]:
    return np.ascontiguousarray(np.moveaxis(items, -1, 1))


def slim(variant: AudioVariant | ImageVariant, weights: Path) -> Any:
    """A model of a slim network, in evaluation."""
    path = weights / f"openl3_{variant.weight_set.name}.h5"
    return l3embed_torch.OpenL3(variant).load_weights(path).eval()


def some_items(model: Any, count: int) -> Any:
    """Noise of the shape and the size of what the model takes in."""
    low, high = (-80, 0) if isinstance(model.variant, AudioVariant) and not model.has_frontend else (-1, 1)
    shape = (count, *model.input_shape)
    return torch.from_numpy(np.random.default_rng(0).uniform(low, high, shape).astype(np.float32))


@cases("audio", file="notes_48k_mono.flac")
def test_a_window_of_sound_gives_the_reference_s_embedding(case: dict[str, Any]) -> None:
    samples, rate_hz = soundfile.read(reference(f"inputs/{case['file']}"))
    is_librosa = case["frontend"] == "librosa"
    windows = preprocess_audio(
        samples,
        rate_hz,
        hop_size=case["hop_size"],
        center=case["center"],
        input_repr=case["input_repr"] if is_librosa else None,
    )
    words = [case[name] for name in ("input_repr", "content_type", "embedding_size", "frontend")]
    model = l3embed_torch.load_audio_embedding_model(*words)

    embedding = compute(model, channels_first(windows) if is_librosa else windows)

    assert relative_difference(embedding, stored(case)) < SAME_NUMBERS


@cases("image", file="discs_224.png")
def test_a_picture_gives_the_reference_s_embedding(case: dict[str, Any]) -> None:
    pixels = preprocess_images(imread(reference(f"inputs/{case['file']}")))
    words = [case[name] for name in ("input_repr", "content_type", "embedding_size")]
    model = l3embed_torch.load_image_embedding_model(*words)

    assert relative_difference(compute(model, channels_first(pixels)), stored(case)) < SAME_NUMBERS


@pytest.mark.parametrize(
    "variant",
    [
        *(AudioVariant(input_repr, frontend=Frontend.LIBROSA) for input_repr in InputRepr),
        SMALLEST,
        ImageVariant(),
        ImageVariant(embedding_size=512),
    ],
    ids=lambda variant: variant.name,
)
def test_it_is_the_keras_model(variant: AudioVariant | ImageVariant, slim_weights: Path) -> None:
    model = slim(variant, slim_weights)
    weights = read_layers(slim_weights / f"openl3_{variant.weight_set.name}.h5", variant.weight_set)
    items = some_items(model, 2).numpy()

    expected = build_keras_model(variant, weights).predict(np.moveaxis(items, 1, -1), verbose=0)

    assert relative_difference(compute(model, items), expected) < SAME_NUMBERS


def test_a_step_down_the_gradient_lowers_a_loss(slim_weights: Path) -> None:
    model = slim(SMALLEST, slim_weights).train()
    items = some_items(model, 4)
    optimizer = torch.optim.SGD(model.parameters(), lr=1e-4)

    def loss() -> Any:
        return (model(items) - 1).square().mean()

    before = loss()
    before.backward()
    optimizer.step()

    assert all(parameter.grad is not None for parameter in model.parameters())
    assert loss().item() < before.item()


def test_training_moves_the_averages_of_batch_norms_as_keras_does(slim_weights: Path) -> None:
    model = slim(SMALLEST, slim_weights).train()
    mean = model.network.input_norm.running_mean.clone()
    items = some_items(model, 2)

    model(items)

    expected = 0.99 * mean + 0.01 * items.mean()
    torch.testing.assert_close(model.network.input_norm.running_mean, expected)


@pytest.mark.parametrize("sound", ["noise", "silence"])
def test_samples_have_a_finite_gradient(sound: str, slim_weights: Path) -> None:
    model = slim(AudioVariant(InputRepr.MEL128, embedding_size=512), slim_weights)
    samples = some_items(model, 1) * (1 if sound == "noise" else 0)
    samples.requires_grad_()

    model(samples).sum().backward()

    assert samples.grad.isfinite().all()
    assert samples.grad.any() == (sound == "noise")


def test_saved_weights_are_those_that_were_loaded(slim_weights: Path, tmp_path: Path) -> None:
    path = slim_weights / f"openl3_{SMALLEST.weight_set.name}.h5"

    slim(SMALLEST, slim_weights).save_weights(tmp_path / "saved.h5")

    ours, theirs = (read_layers(file, SMALLEST.weight_set) for file in (tmp_path / "saved.h5", path))
    for our_layer, their_layer in zip(ours, theirs, strict=True):
        for our_array, their_array in zip(our_layer, their_layer, strict=True):
            np.testing.assert_array_equal(our_array, their_array)
    assert describe_weights(tmp_path / "saved.h5").identity == "random:20260101"


def test_weights_that_were_trained_run_in_all_of_l3embed(slim_weights: Path, tmp_path: Path) -> None:
    model = slim(SMALLEST, slim_weights)
    with torch.no_grad():
        model.network.block1_conv1.weight.mul_(1.1)
    items = some_items(model, 2)

    model.save_weights(tmp_path / "trained.h5")

    keras_model = models.load_audio_embedding_model_from_path(
        tmp_path / "trained.h5", "mel128", 512, "librosa"
    )
    predicted = keras_model.predict(np.moveaxis(items.numpy(), 1, -1), verbose=0)
    assert relative_difference(compute(model, items.numpy()), predicted) < SAME_NUMBERS
    assert describe_weights(tmp_path / "trained.h5").trained


def test_a_state_dict_carries_the_weights_and_nothing_else(slim_weights: Path) -> None:
    model = slim(AudioVariant(InputRepr.MEL128, embedding_size=512), slim_weights)
    state = model.state_dict()

    other = l3embed_torch.OpenL3(model.variant).eval()
    other.load_state_dict(state)

    assert all(name.startswith("network.") for name in state)
    items = some_items(model, 1).numpy()
    np.testing.assert_array_equal(compute(other, items), compute(model, items))


@pytest.mark.parametrize("frontend", [Frontend.KAPRE, Frontend.LIBROSA])
def test_it_exports_with_batches_of_any_size(frontend: Frontend, slim_weights: Path) -> None:
    model = slim(AudioVariant(InputRepr.MEL128, embedding_size=512, frontend=frontend), slim_weights)
    items = some_items(model, 3)

    exported = torch.export.export(
        model, (items[:2],), dynamic_shapes=({0: torch.export.Dim("batch", min=1)},)
    )

    torch.testing.assert_close(exported.module()(items), model(items), rtol=0, atol=1e-5)


@pytest.mark.filterwarnings("ignore:.*torch.jit.*:DeprecationWarning")
def test_it_can_be_traced(slim_weights: Path) -> None:
    model = slim(SMALLEST, slim_weights)
    items = some_items(model, 3)

    traced = torch.jit.trace(model, (items[:2],))

    torch.testing.assert_close(traced(items), model(items), rtol=0, atol=1e-5)


def test_weights_that_are_not_finite_are_not_saved(slim_weights: Path, tmp_path: Path) -> None:
    model = slim(SMALLEST, slim_weights)
    with torch.no_grad():
        model.network.block1_conv1.bias[0] = torch.nan

    with pytest.raises(OpenL3Error, match=r"was not written: the weights are not finite"):
        model.save_weights(tmp_path / "saved.h5")

    assert not list(tmp_path.iterdir())


def test_another_network_s_weights_are_an_error(slim_weights: Path) -> None:
    with pytest.raises(OpenL3Error, match="holds the weights of an image network"):
        l3embed_torch.OpenL3(SMALLEST).load_weights(slim_weights / "openl3_image_mel128_music.h5")


def test_less_precision_is_pytorch_s_to_give() -> None:
    with pytest.raises(OpenL3Error, match=r"made in float32; got precision bfloat16\. Use torch\.autocast"):
        l3embed_torch.OpenL3(AudioVariant(precision=Precision.BFLOAT16))
