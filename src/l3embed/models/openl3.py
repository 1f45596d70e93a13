"""Models: weights, networks and frontends put together. Mirrors ``openl3.models``."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from l3embed.errors import OpenL3Error
from l3embed.frontends.decibel import magnitude_tensors_to_decibels
from l3embed.models.built import build_model, load_variant
from l3embed.runtimes.tensorflow import prepare_tensorflow
from l3embed.variants import (
    AudioSize,
    ContentType,
    ContentTypeName,
    FrontendName,
    ImageSize,
    ImageVariant,
    InputRepr,
    InputReprName,
    Modality,
    PrecisionName,
    WeightSet,
    parse_audio_variant,
    parse_choice,
    parse_image_variant,
)
from l3embed.weights.file import WeightFile, describe_weights
from l3embed.weights.locating import locate_weights
from l3embed.weights.source import WeightsSource, as_weights_source, weights_source_from_environment


def load_audio_embedding_model(
    input_repr: InputReprName,
    content_type: ContentTypeName,
    embedding_size: AudioSize,
    frontend: FrontendName = "kapre",
    *,
    weights: str | WeightsSource | None = None,
    precision: PrecisionName = "float32",
) -> Any:
    """Return an audio model; it is loaded when it is first asked for, and kept for the process.

    Parameters
    ----------
    input_repr : "linear", "mel128", or "mel256"
        Spectrogram that the model was trained on.
    content_type : "music" or "env"
        What the videos of the training set showed.
    embedding_size : 6144 or 512
        Embedding dimension.
    frontend : "kapre" or "librosa"
        With "kapre" (and "kapre_graph", which is the same here) the model computes the spectrograms
        itself; with "librosa" it takes them in.
    weights : "published", "random", "random:SEED", a directory's path, or None
        Where the weights come from; None: as the environment variable ``L3EMBED_WEIGHTS`` says.
    precision : "float32", "tf32", "bfloat16", "float16" or "int8"
        What the convolutions compute in; see `l3embed.variants.Precision`. int8 is none of Keras's: the model
        itself computes in float32 then, and in int8 where it is given to l3embed's functions.

    Returns
    -------
    keras.Model
        From ``(batch, 1, 48000)`` (kapre) or ``(batch, frequency, time, 1)`` (librosa) to
        ``(batch, embedding_size)``.

    Raises
    ------
    OpenL3Error
        If an argument is none of the allowed values, or the weights cannot be had.

    Examples
    --------
    >>> import l3embed
    >>> model = l3embed.models.load_audio_embedding_model("mel128", "music", 512)
    >>> model.input_shape, model.output_shape
    ((None, 1, 48000), (None, 512))
    """
    variant = parse_audio_variant(input_repr, content_type, embedding_size, frontend, precision)
    return load_variant(variant, as_weights_source(weights))


def load_audio_embedding_model_from_path(
    model_path: str | Path,
    input_repr: InputReprName,
    embedding_size: AudioSize,
    frontend: FrontendName = "kapre",
) -> Any:
    """Load an audio model with the weights of a file.

    Parameters
    ----------
    model_path : str
        An HDF5 weight file in the layout of the published ones. Its name does not matter.
    input_repr : "linear", "mel128", or "mel256"
        Spectrogram that the model was trained on.
    embedding_size : 6144 or 512
        Embedding dimension.
    frontend : "kapre" or "librosa"
        As in `load_audio_embedding_model`.

    Returns
    -------
    keras.Model
        As `load_audio_embedding_model` returns it.

    Raises
    ------
    OpenL3Error
        If an argument is none of the allowed values, or the file is no such weight file.

    Examples
    --------
    >>> import l3embed
    >>> path = l3embed.models.get_audio_embedding_model_path("mel128", "music")
    >>> model = l3embed.models.load_audio_embedding_model_from_path(path, "mel128", 512, frontend="librosa")
    >>> model.input_shape, model.output_shape
    ((None, 128, 199, 1), (None, 512))
    """
    path = Path(model_path)
    variant = parse_audio_variant(input_repr, content_type_in_name(path), embedding_size, frontend)
    return build_model(variant, _weight_file(path))


def get_audio_embedding_model_path(input_repr: InputReprName, content_type: ContentTypeName) -> str:
    """Return the path of an audio model's weight file, which is fetched if it is not there.

    Parameters
    ----------
    input_repr : "linear", "mel128", or "mel256"
        Spectrogram that the model was trained on.
    content_type : "music" or "env"
        What the videos of the training set showed.

    Raises
    ------
    OpenL3Error
        If an argument is none of the allowed values, or the weights cannot be had.

    Examples
    --------
    >>> import l3embed
    >>> l3embed.models.get_audio_embedding_model_path("mel128", "music").endswith(".h5")
    True
    """
    return _model_path(Modality.AUDIO, input_repr, content_type)


def load_image_embedding_model(
    input_repr: InputReprName,
    content_type: ContentTypeName,
    embedding_size: ImageSize,
    *,
    weights: str | WeightsSource | None = None,
    precision: PrecisionName = "float32",
) -> Any:
    """Return an image model; it is loaded when it is first asked for, and kept for the process.

    Parameters
    ----------
    input_repr : "linear", "mel128", or "mel256"
        Spectrogram that the audio network was trained on, together with this one.
    content_type : "music" or "env"
        What the videos of the training set showed.
    embedding_size : 8192 or 512
        Embedding dimension.
    weights, precision
        As in `load_audio_embedding_model`.

    Returns
    -------
    keras.Model
        From ``(batch, 224, 224, 3)`` to ``(batch, embedding_size)``.

    Raises
    ------
    OpenL3Error
        If an argument is none of the allowed values, or the weights cannot be had.

    Examples
    --------
    >>> import l3embed
    >>> model = l3embed.models.load_image_embedding_model("mel128", "music", 512)
    >>> model.input_shape, model.output_shape
    ((None, 224, 224, 3), (None, 512))
    """
    variant = parse_image_variant(input_repr, content_type, embedding_size, precision)
    return load_variant(variant, as_weights_source(weights))


def load_image_embedding_model_from_path(model_path: str | Path, embedding_size: ImageSize) -> Any:
    """Load an image model with the weights of a file.

    Parameters
    ----------
    model_path : str
        An HDF5 weight file in the layout of the published ones.
    embedding_size : 8192 or 512
        Embedding dimension.

    Returns
    -------
    keras.Model
        As `load_image_embedding_model` returns it.

    Raises
    ------
    OpenL3Error
        If `embedding_size` is not allowed, or the file is no such weight file.

    Examples
    --------
    >>> import l3embed
    >>> path = l3embed.models.get_image_embedding_model_path("mel128", "music")
    >>> model = l3embed.models.load_image_embedding_model_from_path(path, 512)
    >>> model.output_shape
    (None, 512)
    """
    path = Path(model_path)
    variant = ImageVariant(input_repr_in_name(path), content_type_in_name(path), embedding_size)
    return build_model(variant, _weight_file(path))


def get_image_embedding_model_path(input_repr: InputReprName, content_type: ContentTypeName) -> str:
    """Return the path of an image model's weight file, which is fetched if it is not there.

    Parameters and errors are those of `get_audio_embedding_model_path`.

    Examples
    --------
    >>> import l3embed
    >>> l3embed.models.get_image_embedding_model_path("mel128", "music").endswith(".h5")
    True
    """
    return _model_path(Modality.IMAGE, input_repr, content_type)


def kapre_v0_1_4_magnitude_to_decibel(
    x: Any, ref_value: float = 1.0, amin: float = 1e-10, dynamic_range: float = 80.0
) -> Any:
    """Return magnitudes in decibels below their maximum, as kapre 0.1.4 did and the networks expect.

    Parameters
    ----------
    x : tensor [shape=(batch, ...)]
        Magnitudes.
    ref_value : float
        Has no effect, here as in the reference: the maximum is the reference value.
    amin : float
        Magnitudes below this count as this.
    dynamic_range : float
        Decibels below the maximum at which the result is floored.

    Returns
    -------
    tensor [shape as x]
        Decibels, from ``-dynamic_range`` to 0.

    Examples
    --------
    >>> import l3embed
    >>> decibels = l3embed.models.kapre_v0_1_4_magnitude_to_decibel([[0.0, 0.1, 1.0]])
    >>> decibels.numpy().round(3).tolist()
    [[-80.0, -10.0, 0.0]]
    """
    tf = prepare_tensorflow()
    return magnitude_tensors_to_decibels(
        tf.convert_to_tensor(x), smallest=amin, dynamic_range_db=dynamic_range
    )


def content_type_in_name(path: Path) -> ContentType:
    """Return the content type that a weight file's name tells, or music: it is only recorded, not used."""
    return ContentType.ENV if ContentType.ENV.value in _words(path) else ContentType.MUSIC


def input_repr_in_name(path: Path) -> InputRepr:
    """Return the representation that a weight file's name tells, or mel256: it is only recorded, not used."""
    named = [input_repr for input_repr in InputRepr if input_repr.value in _words(path)]
    return named[0] if named else InputRepr.MEL256


def _words(path: Path) -> list[str]:
    return re.split(r"[._-]", path.name)


def _model_path(modality: Modality, input_repr: str, content_type: str) -> str:
    weight_set = WeightSet(
        modality,
        parse_choice(InputRepr, "input_repr", input_repr),
        parse_choice(ContentType, "content_type", content_type),
    )
    return str(locate_weights(weight_set, weights_source_from_environment()).path)


def _weight_file(path: Path) -> WeightFile:
    try:
        if path.is_file():
            return describe_weights(path)
    except OSError as error:
        raise OpenL3Error(
            f"model_path must be the path of a weight file (.h5); {path} cannot be read ({error}). "
            "Give yourself access to it, or name another file."
        ) from error
    raise OpenL3Error(f"model_path must be the path of a weight file (.h5); {path} is none.")
