"""The arguments of the mirrored functions, packed, and checked into what the rest works with."""

from __future__ import annotations

from dataclasses import dataclass
from numbers import Integral
from typing import Any

from l3embed.core.arguments import is_positive_number
from l3embed.decoding.reading import MAX_MEGAPIXELS, OnDamage, Reading
from l3embed.errors import OpenL3Error
from l3embed.inputs.sound import prepare_for
from l3embed.inputs.windows import Framing
from l3embed.models.built import loaded_model
from l3embed.models.running import Network, load_network, model_network
from l3embed.progress import quietly
from l3embed.runtimes.base import Placement
from l3embed.runtimes.choice import model_runtime, parse_runtime
from l3embed.runtimes.processor import available_threads
from l3embed.runtimes.tensorflow import import_tensorflow
from l3embed.variants import (
    IMAGE_INPUT_SHAPE,
    AudioVariant,
    Device,
    Frontend,
    ImageVariant,
    check_one_of,
    parse_audio_variant,
    parse_choice,
    parse_image_variant,
)
from l3embed.weights.source import WeightsSource, as_weights_source


@dataclass(frozen=True)
class Request:
    """A model, and how it is to be run: checked."""

    variant: AudioVariant | ImageVariant
    model: Any
    weights: str | WeightsSource | None
    batch_size: int
    verbose: bool
    placement: Placement

    @property
    def workers(self) -> int:
        """Threads that prepare what the network takes in."""
        return available_threads(self.placement.threads)

    @property
    def embedding_size(self) -> int:
        """Numbers in each embedding; of a model that does not tell before it runs, the variant's."""
        if self.model is not None and isinstance(self.model.output_shape[-1], int):
            return self.model.output_shape[-1]
        return self.variant.embedding_size

    def load(self) -> Network:
        """Return the given model, or the variant's, ready to run."""
        with quietly(not self.verbose):
            if self.model is not None:
                return model_network(self.model, self.placement)
            return load_network(self.variant, as_weights_source(self.weights), self.placement)


@dataclass(frozen=True)
class RunOptions:
    """What all functions that run a network take: its weights, and where and how it runs."""

    weights: str | WeightsSource | None = None
    device: str = "auto"
    runtime: str = "auto"
    precision: str = "float32"
    threads: int = 0


@dataclass(frozen=True)
class AudioOptions:
    """The options of the audio functions, as their arguments bring them; see `get_audio_embedding`."""

    model: Any = None
    input_repr: str | None = None
    content_type: str = "music"
    embedding_size: int = 6144
    center: bool = True
    hop_size: float = 0.1
    batch_size: int = 32
    frontend: str = "kapre"
    verbose: bool | int = True
    run: RunOptions = RunOptions()

    def parse(self) -> Request:
        """Check the options that choose a model and its run.

        Raises
        ------
        OpenL3Error
            Naming the argument, what came and what is allowed.
        """
        variant = parse_audio_variant(
            self.input_repr, self.content_type, self.embedding_size, self.frontend, self.run.precision
        )
        request = _parse_request(self, variant)
        if self.model is not None:
            _check_audio_model(self.model, variant.frontend)
        return request

    def parse_framing(self) -> Framing:
        """Check the options that say how audio is cut into windows, with errors as `parse` has them."""
        return parse_framing(self.hop_size, self.center)


@dataclass(frozen=True)
class ImageOptions:
    """The options of the image functions, as their arguments bring them; see `get_image_embedding`."""

    model: Any = None
    input_repr: str = "mel256"
    content_type: str = "music"
    embedding_size: int = 8192
    batch_size: int = 32
    verbose: bool | int = True
    run: RunOptions = RunOptions()

    def parse(self) -> Request:
        """Check the options.

        Raises
        ------
        OpenL3Error
            Naming the argument, what came and what is allowed.
        """
        variant = parse_image_variant(
            self.input_repr, self.content_type, self.embedding_size, self.run.precision
        )
        request = _parse_request(self, variant)
        if self.model is not None and tuple(self.model.input_shape[1:]) != IMAGE_INPUT_SHAPE:
            raise OpenL3Error(
                f"The model must take in the shape {IMAGE_INPUT_SHAPE}; it takes "
                f"{tuple(self.model.input_shape[1:])}. Load one with load_image_embedding_model."
            )
        return request


def parse_framing(hop_size: Any, center: object) -> Framing:
    """Check the arguments that say how audio is cut into windows.

    Raises
    ------
    OpenL3Error
        If the hop is not a positive number of seconds, or `center` neither True nor False.
    """
    if not is_positive_number(hop_size):
        raise OpenL3Error(f"hop_size must be a positive number of seconds; got {hop_size!r}.")
    check_one_of("center", center, (True, False))
    return Framing(hop_s=float(hop_size), center=bool(center))


def parse_reading(
    on_damage: object = OnDamage.USE.value,
    exif_rotation: object = False,
    max_megapixels: Any = MAX_MEGAPIXELS,
) -> Reading:
    """Check the arguments that say how files are read.

    Raises
    ------
    OpenL3Error
        If one is none of its allowed values.
    """
    check_one_of("exif_rotation", exif_rotation, (True, False))
    if not is_positive_number(max_megapixels):
        raise OpenL3Error(f"max_megapixels must be a positive number; got {max_megapixels!r}.")
    return Reading(parse_choice(OnDamage, "on_damage", on_damage), bool(exif_rotation), float(max_megapixels))


def _parse_request(options: AudioOptions | ImageOptions, variant: AudioVariant | ImageVariant) -> Request:
    batch_size: object = options.batch_size
    if not isinstance(batch_size, Integral) or isinstance(batch_size, bool) or batch_size < 1:
        raise OpenL3Error(f"batch_size must be a positive integer; got {batch_size!r}.")
    check_one_of("verbose", options.verbose, (True, False))
    if options.model is not None:
        import_tensorflow()
        import keras

        if not isinstance(options.model, keras.Model):
            raise OpenL3Error(f"model must be a keras.Model or None; got {type(options.model).__name__}.")
    placement = _parse_placement(options.run)
    if options.model is not None and loaded_model(options.model) is None:
        model_runtime(placement.runtime)
    weights, verbose = options.run.weights, bool(options.verbose)
    return Request(variant, options.model, weights, int(batch_size), verbose, placement)


def _parse_placement(run: RunOptions) -> Placement:
    threads: object = run.threads
    if not isinstance(threads, Integral) or isinstance(threads, bool):
        raise OpenL3Error(f"threads must be a positive integer, or 0 for all; got {threads!r}.")
    return Placement(
        device=parse_choice(Device, "device", run.device),
        runtime=parse_runtime("runtime", run.runtime),
        threads=int(threads),
    )


def _check_audio_model(model: Any, frontend: Frontend) -> None:
    """Check that a model is an audio model, and of the frontend that it is used with."""
    prepare_for(tuple(model.input_shape[1:]))
    takes_samples = len(model.input_shape) == len(("batch", "channel", "samples"))
    found = Frontend.KAPRE if takes_samples else Frontend.LIBROSA
    if takes_samples is (frontend is Frontend.LIBROSA):
        raise OpenL3Error(
            f"The model takes in {'samples' if takes_samples else 'spectrograms'}, which is the "
            f"{found.value} frontend; got frontend={frontend.value!r}. Pass frontend={found.value!r}."
        )
