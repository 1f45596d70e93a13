"""What the audio functions refuse, what they warn of, and that their parts fit together."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from conftest import WriteWav, noise, tiny_embedding

import l3embed as openl3
from l3embed import OpenL3Error, OpenL3Warning
from l3embed.variants import FrontendName, InputReprName

AUDIO = noise(1.2)

BAD_VARIANTS = [
    pytest.param(
        {"content_type": "speech"}, r"content_type must be one of music, env; got 'speech'", id="content type"
    ),
    pytest.param({"content_type": None}, "content_type must be .*got None", id="no content type"),
    pytest.param(
        {"input_repr": "mel64"},
        r"input_repr must be one of linear, mel128, mel256; got 'mel64'",
        id="input representation",
    ),
    pytest.param({"input_repr": ""}, "input_repr must be .*got ''", id="empty input representation"),
    pytest.param({"input_repr": 128}, "input_repr must be .*got 128", id="number as input representation"),
    pytest.param(
        {"embedding_size": 1024}, r"embedding_size must be one of 6144, 512; got 1024", id="embedding size"
    ),
    pytest.param({"embedding_size": 8192}, "embedding_size must be .*got 8192", id="an image's size"),
    pytest.param({"embedding_size": "512"}, "embedding_size must be .*got '512'", id="text as size"),
    pytest.param(
        {"frontend": "essentia"},
        r"frontend must be one of kapre, librosa, kapre_graph; got 'essentia'",
        id="frontend",
    ),
]

BAD_OPTIONS = [
    pytest.param({"verbose": "yes"}, "verbose must be one of True, False; got 'yes'", id="verbose"),
    pytest.param({"verbose": -1}, "verbose must be .*got -1", id="verbose -1"),
    *(
        pytest.param(
            {"batch_size": value},
            f"batch_size must be a positive integer; got {value!r}",
            id=f"batch {value!r}",
        )
        for value in (0, -1, 1.5, "32", None, True)
    ),
]

BAD_FRAMINGS = [
    *(
        pytest.param(
            {"hop_size": value},
            f"hop_size must be a positive number of seconds; got {value!r}",
            id=f"hop {value!r}",
        )
        for value in (0, -0.1, "0.1", None, float("nan"), float("inf"), True, "")
    ),
    pytest.param({"hop_size": 1e-6}, "hop_size must be at least one sample", id="hop below a sample"),
    *(
        pytest.param(
            {"center": value}, f"center must be one of True, False; got {value!r}", id=f"center {value!r}"
        )
        for value in ("yes", None, 2)
    ),
]

BAD_AUDIO = [
    pytest.param("audio.wav", 48_000, "audio must be a NumPy array or a list of them; got str", id="a path"),
    pytest.param(None, 48_000, "audio must be .*got NoneType", id="nothing"),
    pytest.param([0.0, 0.1], 48_000, "audio must be .*got float", id="a list of numbers"),
    pytest.param([AUDIO, "b.wav"], 48_000, "audio must be .*got str", id="an array and a path"),
    *(
        pytest.param(
            AUDIO,
            rate,
            f"sr must be a positive number of Hz, or a list of them; got {rate!r}",
            id=f"rate {rate!r}",
        )
        for rate in (0, -1, "48000", None, float("nan"), float("inf"), True)
    ),
    pytest.param([AUDIO, AUDIO], [48_000, "x"], "sr must be .*got 'x'", id="one bad rate"),
    pytest.param([AUDIO, AUDIO], [48_000], "one for each of 2 .*got 1", id="too few rates"),
    pytest.param([AUDIO, AUDIO], [48_000] * 3, "one for each of 2 .*got 3", id="too many rates"),
    pytest.param(AUDIO, [48_000] * 2, "one for each of 1 .*got 2", id="two rates for an array"),
]

BAD_SAMPLES = [
    pytest.param(np.zeros(0), "audio is empty: it has no samples", id="empty"),
    pytest.param(np.zeros((0, 2)), "audio is empty: it has no samples", id="empty stereo"),
    pytest.param(
        np.zeros((3, 4, 5)), r"shape \(samples,\) or \(samples, channels\); got \(3, 4, 5\)", id="3-D"
    ),
    pytest.param(np.array(1.0), r"shape .* got a single number", id="a number"),
    pytest.param(np.array([0.0, np.nan]), "finite numbers; got NaN or infinite", id="NaN"),
    pytest.param(np.zeros(10, complex), "real numbers; got the type complex128", id="complex"),
    pytest.param(np.array(["a"]), "real numbers; got the type <U1", id="text"),
]


def spectrogram_model(*input_shape: int) -> Any:
    """A model that takes in arrays of a shape, and says little about them."""
    import keras

    inputs = keras.Input(input_shape)
    return keras.Model(inputs, keras.layers.Flatten()(inputs))


@pytest.mark.parametrize(("options", "message"), BAD_VARIANTS + BAD_OPTIONS + BAD_FRAMINGS)
def test_options_of_get_audio_embedding(options: dict[str, Any], message: str) -> None:
    with pytest.raises(OpenL3Error, match=message):
        openl3.get_audio_embedding(AUDIO, 48_000, **options)


@pytest.mark.parametrize(("options", "message"), BAD_VARIANTS + BAD_OPTIONS + BAD_FRAMINGS)
def test_options_of_process_audio_file(options: dict[str, Any], message: str, write_wav: WriteWav) -> None:
    path = write_wav("a.wav")
    with pytest.raises(OpenL3Error, match=message):
        openl3.process_audio_file(str(path), **options)
    assert list(path.parent.iterdir()) == [path]


@pytest.mark.parametrize(("options", "message"), BAD_FRAMINGS)
def test_options_of_preprocess_audio(options: dict[str, Any], message: str) -> None:
    with pytest.raises(OpenL3Error, match=message):
        openl3.preprocess_audio(AUDIO, 48_000, **options)


def test_preprocess_audio_knows_its_representations() -> None:
    with pytest.raises(OpenL3Error, match="input_repr must be one of linear, mel128, mel256; got 'mel64'"):
        openl3.preprocess_audio(AUDIO, 48_000, input_repr="mel64")  # type: ignore[arg-type]


def test_preprocess_audio_needs_something_to_preprocess() -> None:
    with pytest.raises(OpenL3Error, match="a list of at least one; got an empty list"):
        openl3.preprocess_audio([], 48_000)


def test_preprocess_audio_does_not_swallow_misspelt_options() -> None:
    with pytest.raises(OpenL3Error, match="takes no further options; got hopsize"):
        openl3.preprocess_audio(AUDIO, 48_000, hopsize=0.5)


@pytest.mark.parametrize(("options", "message"), BAD_VARIANTS)
def test_options_of_load_audio_embedding_model(options: dict[str, Any], message: str) -> None:
    good = {"input_repr": "mel128", "content_type": "music", "embedding_size": 512}
    with pytest.raises(OpenL3Error, match=message):
        openl3.models.load_audio_embedding_model(**{**good, **options})


def test_a_bad_embedding_size_is_not_called_a_bad_content_type() -> None:
    """As the release calls it."""
    with pytest.raises(OpenL3Error) as caught:
        openl3.get_audio_embedding(AUDIO, 48_000, embedding_size=1024)  # type: ignore[call-overload]
    assert "content" not in str(caught.value)


@pytest.mark.parametrize(("audio", "sr", "message"), BAD_AUDIO)
def test_audio_and_rates(audio: Any, sr: Any, message: str, tiny_model: Any) -> None:
    with pytest.raises(OpenL3Error, match=message):
        openl3.get_audio_embedding(audio, sr, model=tiny_model)
    with pytest.raises(OpenL3Error, match=message):
        openl3.preprocess_audio(audio, sr)


@pytest.mark.parametrize(("audio", "message"), BAD_SAMPLES)
def test_samples(audio: Any, message: str, tiny_model: Any) -> None:
    with pytest.raises(OpenL3Error, match=message):
        openl3.get_audio_embedding(audio, 44_100, model=tiny_model)
    with pytest.raises(OpenL3Error, match=message):
        openl3.preprocess_audio([AUDIO, audio], 48_000)


@pytest.mark.parametrize("model", ["model.h5", 5, dict], ids=["a path", "a number", "a class"])
def test_a_model_is_a_keras_model(model: Any) -> None:
    expected = f"model must be a keras.Model or None; got {type(model).__name__}"
    with pytest.raises(OpenL3Error, match=expected):
        openl3.get_audio_embedding(AUDIO, 48_000, model=model)


def test_a_model_takes_in_audio() -> None:
    expected = r"must take in one of the shapes \(1, 48000\), .*\(256, 199, 1\); it takes \(224, 224, 3\)"
    with pytest.raises(OpenL3Error, match=expected):
        openl3.get_audio_embedding(AUDIO, 48_000, model=spectrogram_model(224, 224, 3))


def test_a_model_with_kapre_is_not_used_with_librosa(tiny_model: Any) -> None:
    with pytest.raises(
        OpenL3Error, match=r"takes in samples, .*got frontend='librosa'. Pass frontend='kapre'"
    ):
        openl3.get_audio_embedding(AUDIO, 48_000, model=tiny_model, frontend="librosa")


def test_a_model_without_frontend_is_not_used_with_kapre() -> None:
    model = spectrogram_model(128, 199, 1)
    expected = "takes in spectrograms, .*got frontend='kapre'. Pass frontend='librosa'"
    with pytest.raises(OpenL3Error, match=expected):
        openl3.get_audio_embedding(AUDIO, 48_000, model=model)


@pytest.mark.parametrize("filepath", [None, 5, b"a.wav", ["a.wav", None], ("a.wav",)], ids=repr)
def test_a_filepath_is_a_path_or_a_list_of_paths(filepath: Any) -> None:
    with pytest.raises(OpenL3Error, match="filepath must be a path or a list of paths; got"):
        openl3.process_audio_file(filepath)


@pytest.mark.parametrize(
    ("audio", "message"),
    [
        pytest.param(np.zeros(48_000), "The audio is silent: all of its samples are zero", id="silent"),
        pytest.param(noise(0.9), "The audio is shorter than one window", id="short"),
        pytest.param([AUDIO, np.zeros(50_000)], "Audio 1 is silent", id="one of two silent"),
        pytest.param([noise(0.5), AUDIO], "Audio 0 is shorter", id="one of two short"),
    ],
)
def test_odd_audio_is_warned_of(audio: Any, message: str, tiny_model: Any) -> None:
    with pytest.warns(OpenL3Warning, match=message):
        openl3.get_audio_embedding(audio, 48_000, model=tiny_model)
    with pytest.warns(OpenL3Warning, match=message):
        openl3.preprocess_audio(audio, 48_000)


def test_odd_files_are_warned_of_by_name(write_wav: WriteWav, tiny_model: Any) -> None:
    path = write_wav("brief.wav", seconds=0.4)
    with pytest.warns(OpenL3Warning, match=r"brief\.wav is shorter than one window"):
        openl3.process_audio_file(str(path), model=tiny_model)


def test_good_audio_is_not_warned_of(tiny_model: Any, write_wav: WriteWav) -> None:
    path = str(write_wav("a.wav"))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        openl3.get_audio_embedding([AUDIO, np.stack([AUDIO, -AUDIO], axis=1)], 48_000, model=tiny_model)
        openl3.process_audio_file(path, model=tiny_model)


def test_untrained_weights_are_warned_of() -> None:
    with pytest.warns(
        OpenL3Warning, match=r"\(random:3\) are untrained: embeddings made with them are random"
    ):
        openl3.models.load_audio_embedding_model("mel128", "env", 512, weights="random:3")


@pytest.mark.parametrize("batch_size", [1, 4, 32])
def test_embeddings_are_the_models_of_each_window(batch_size: int, tiny_model: Any) -> None:
    clips = [noise(seconds, seed=seed) for seed, seconds in enumerate([1.2, 0.3, 2.1])]
    with pytest.warns(OpenL3Warning, match="Audio 1 is shorter"):
        embeddings, timestamps = openl3.get_audio_embedding(
            clips, 48_000, model=tiny_model, hop_size=0.25, batch_size=batch_size
        )
    for clip, embedding, times_s in zip(clips, embeddings, timestamps, strict=True):
        np.testing.assert_allclose(embedding, tiny_embedding(clip, 0.25), rtol=0, atol=1e-6)
        np.testing.assert_array_equal(times_s, np.arange(len(embedding)) * 0.25)


def test_each_recording_has_its_own_rate(tiny_model: Any) -> None:
    """A constant stays one at every rate, so that the first whole window tells nothing but the time."""
    clips = [np.ones(96_000), np.ones(88_200)]
    (first, second), _ = openl3.get_audio_embedding(
        clips, [48_000, 44_100], model=tiny_model, hop_size=0.5, center=False
    )
    assert first.shape == second.shape == (3, 4)
    np.testing.assert_allclose(second[1], 1.0, atol=1e-3)


@pytest.mark.parametrize("frontend", ["kapre", "librosa"])
def test_preprocessed_audio_through_the_model_is_the_embedding(frontend: FrontendName) -> None:
    audio = np.stack([noise(1.1, 44_100, seed=1), noise(1.1, 44_100, seed=2)], axis=1)
    model = openl3.models.load_audio_embedding_model("mel128", "music", 512, frontend=frontend)
    embedding, _ = openl3.get_audio_embedding(
        audio, 44_100, model=model, hop_size=0.4, center=False, frontend=frontend
    )
    input_repr: InputReprName | None = "mel128" if frontend == "librosa" else None
    inputs = openl3.preprocess_audio(audio, 44_100, hop_size=0.4, input_repr=input_repr, center=False)
    predicted = model.predict(inputs, verbose=0)
    assert isinstance(embedding, np.ndarray)
    assert embedding.shape == (2, 512)
    np.testing.assert_allclose(predicted, embedding, rtol=0, atol=1e-5 * np.abs(embedding).max())


def test_preprocessed_recordings_follow_one_another() -> None:
    clips = [AUDIO, noise(2.0, seed=5)]
    together = openl3.preprocess_audio(clips, 48_000, hop_size=0.5)
    apart = [openl3.preprocess_audio(clip, 48_000, hop_size=0.5) for clip in clips]
    np.testing.assert_array_equal(together, np.concatenate(apart))
    assert together.shape == (3 + 4, 1, 48_000)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    path = tmp_path / "missing.wav"
    with pytest.raises(OpenL3Error, match=r"missing\.wav: There is no such file"):
        openl3.process_audio_file(str(path))


def test_errors_and_warnings_are_found_where_openl3_has_them() -> None:
    assert openl3.openl3_exceptions.OpenL3Error is OpenL3Error
    assert openl3.openl3_warnings.OpenL3Warning is OpenL3Warning


@pytest.mark.parametrize("shape", [(2, 48_000), (1, 480_000)], ids=str)
@pytest.mark.filterwarnings("ignore:.*shorter than one window")
def test_channels_in_front_are_taken_for_samples_with_a_warning(
    shape: tuple[int, int], tiny_model: Any
) -> None:
    audio = np.ones(shape)
    with pytest.warns(OpenL3Warning, match=rf"{shape[0]} samples of {shape[1]} channels .* audio\.T"):
        embedding, _ = openl3.get_audio_embedding(audio, 48_000, model=tiny_model, verbose=False)
    assert len(embedding) == 1


@pytest.mark.parametrize("shape", [(20, 32), (100, 64)], ids=str)
def test_few_samples_of_plausible_channels_are_taken_in_silence(
    shape: tuple[int, int], tiny_model: Any
) -> None:
    with warnings.catch_warnings(record=True) as shown:
        warnings.simplefilter("always")
        openl3.get_audio_embedding(np.ones(shape), 48_000, model=tiny_model, verbose=False)
    assert not [warning for warning in shown if "channels" in str(warning.message)]


IMPLAUSIBLE = [
    pytest.param(lambda: np.asmatrix(np.ones((1, 9))), "must be an array, not a matrix", id="matrix"),
    pytest.param(lambda: np.ones(9).view(np.ma.MaskedArray), "must not be masked", id="masked"),
    pytest.param(lambda: np.ones((9, 0)), r"has no channels: its shape is \(9, 0\)", id="no channels"),
    pytest.param(lambda: np.ones(0), "The audio is empty", id="no samples"),
    pytest.param(lambda: np.ones((0, 2)), "The audio is empty", id="no samples of two channels"),
]


@pytest.mark.parametrize(("make", "words"), IMPLAUSIBLE)
@pytest.mark.filterwarnings("ignore:the matrix subclass")
def test_implausible_arrays_are_refused(make: Callable[[], Any], words: str, tiny_model: Any) -> None:
    with pytest.raises(OpenL3Error, match=words):
        openl3.get_audio_embedding(make(), 48_000, model=tiny_model, verbose=False)
    with pytest.raises(OpenL3Error, match=words):
        openl3.preprocess_audio(make(), 48_000)


@pytest.mark.parametrize("rate_hz", [1, 999.9])
def test_a_rate_that_would_make_hours_of_samples_is_refused(rate_hz: float, tiny_model: Any) -> None:
    with pytest.raises(OpenL3Error, match=f"sr must be at least 1000 Hz; got {rate_hz} Hz"):
        openl3.get_audio_embedding(AUDIO, rate_hz, model=tiny_model)


def test_a_file_s_rate_is_checked_too(write_wav: WriteWav, tiny_model: Any) -> None:
    path = str(write_wav("a.wav", 12_000, 1))
    with pytest.raises(OpenL3Error, match="The sample rate must be at least 1000 Hz; got 1 Hz"):
        openl3.process_audio_file(path, model=tiny_model, verbose=False)


def test_a_word_for_damage_that_is_none_is_refused(write_wav: WriteWav) -> None:
    with pytest.raises(OpenL3Error, match="on_damage must be one of use, skip; got 'ignore'"):
        openl3.process_audio_file(str(write_wav("a.wav")), on_damage="ignore")  # type: ignore[arg-type]
