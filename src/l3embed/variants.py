"""The domain's words and figures: which model variants exist, and the shapes that follow from each.

Source of the figures: the OpenL3 0.4.2 release and its documentation. Everything else in the
package asks here; nothing repeats them.
"""

from dataclasses import dataclass
from enum import Enum
from typing import Literal, TypeVar

from l3embed.errors import OpenL3Error

SAMPLE_RATE_HZ = 48_000
"""Rate at which the audio network hears; other rates are resampled to it."""

WINDOW_SAMPLES = 48_000
"""Samples in one analysis window: one second."""

SAMPLES_SHAPE = (1, WINDOW_SAMPLES)
"""Shape of one window of samples as a model with a kapre frontend takes it: (channel, samples)."""

CENTER_PAD_SAMPLES = WINDOW_SAMPLES // 2
"""Zeros put in front of centred audio, so that a timestamp is the centre of its window."""

SPECTROGRAM_HOP_SAMPLES = 242
"""Samples from one spectrogram frame to the next."""

IMAGE_SIDE_PIXELS = 224
"""Height and width of the image network's input."""

IMAGE_INPUT_SHAPE = (IMAGE_SIDE_PIXELS, IMAGE_SIDE_PIXELS, 3)
"""Shape of one image as the network takes it: (height, width, channel)."""


class Modality(str, Enum):
    """Which of the two networks that were trained together."""

    AUDIO = "audio"
    IMAGE = "image"


class Media(str, Enum):
    """The kinds of files. A video has inputs for both networks: its sound and its frames."""

    AUDIO = "audio"
    IMAGE = "image"
    VIDEO = "video"


class DoubtKind(str, Enum):
    """What may be wrong with a file that can be embedded, the worst first."""

    CONFLICT = "conflict"
    DAMAGED = "damaged"
    SILENT = "silent"
    BLACK = "black"
    INCOMPLETE = "incomplete"
    OUTLIER = "outlier"
    COPY = "copy"
    SHORT = "short"
    TURNED = "turned"


class ContentType(str, Enum):
    """What the videos of the training set showed."""

    MUSIC = "music"
    ENV = "env"


class InputRepr(str, Enum):
    """Spectrogram that the audio network was trained on."""

    LINEAR = "linear"
    MEL128 = "mel128"
    MEL256 = "mel256"


class Frontend(str, Enum):
    """What turns samples into spectrograms.

    ``kapre_graph`` is kapre as layers of the network, where that runs. In Keras on a GPU this is another
    Fourier transform than the reference's: bins at rounding level move by up to 20 dB, and embeddings with
    them. In PyTorch it is the reference's, written out.
    """

    KAPRE = "kapre"
    LIBROSA = "librosa"
    KAPRE_GRAPH = "kapre_graph"


class Device(str, Enum):
    """Where the network is to run."""

    AUTO = "auto"
    CPU = "cpu"
    GPU = "gpu"


class Precision(str, Enum):
    """What the convolutions compute in. Only float32 gives the reference's numbers.

    ``tf32`` is NVIDIA's: float32 whose products are computed with 10 bits of mantissa. ``int8`` is 256 steps
    between the least and the largest of what each layer gave for the files that a network is calibrated with.
    """

    FLOAT32 = "float32"
    TF32 = "tf32"
    BFLOAT16 = "bfloat16"
    FLOAT16 = "float16"
    INT8 = "int8"

    @property
    def suffix(self) -> str:
        """What it adds to a variant's name: nothing, where the numbers are the reference's."""
        return "" if self is Precision.FLOAT32 else f"_{self.value}"


ContentTypeName = Literal["music", "env"]
InputReprName = Literal["linear", "mel128", "mel256"]
FrontendName = Literal["kapre", "librosa", "kapre_graph"]
DeviceName = Literal["auto", "cpu", "gpu"]
PrecisionName = Literal["float32", "tf32", "bfloat16", "float16", "int8"]
AudioSize = Literal[6144, 512]
ImageSize = Literal[8192, 512]
"""The same words and figures as type checkers and editors know them."""


@dataclass(frozen=True)
class SpectrogramShape:
    """Figures of one input representation."""

    fft_samples: int
    bins: int
    frames: int
    is_mel: bool

    @property
    def input_shape(self) -> tuple[int, int, int]:
        """Shape of one spectrogram as the network takes it: (frequency, time, 1)."""
        return (self.bins, self.frames, 1)


SPECTROGRAMS = {
    InputRepr.LINEAR: SpectrogramShape(fft_samples=512, bins=257, frames=197, is_mel=False),
    InputRepr.MEL128: SpectrogramShape(fft_samples=2048, bins=128, frames=199, is_mel=True),
    InputRepr.MEL256: SpectrogramShape(fft_samples=2048, bins=256, frames=199, is_mel=True),
}

AUDIO_POOLS = {
    InputRepr.LINEAR: {6144: (8, 8), 512: (32, 24)},
    InputRepr.MEL128: {6144: (4, 8), 512: (16, 24)},
    InputRepr.MEL256: {6144: (8, 8), 512: (32, 24)},
}
"""Max-pooling of the audio head, (frequency, time), by representation and embedding size."""

IMAGE_POOLS = {8192: (7, 7), 512: (28, 28)}
"""Max-pooling of the image head, (height, width), by embedding size."""

AUDIO_EMBEDDING_SIZES = tuple(AUDIO_POOLS[InputRepr.MEL256])
IMAGE_EMBEDDING_SIZES = tuple(IMAGE_POOLS)


@dataclass(frozen=True)
class WeightSet:
    """One trained network: what a weight file holds."""

    modality: Modality
    input_repr: InputRepr
    content_type: ContentType

    @property
    def name(self) -> str:
        """The part of the published file name that tells the sets apart, as in ``audio_mel256_music``."""
        return f"{self.modality.value}_{self.input_repr.value}_{self.content_type.value}"


ALL_WEIGHT_SETS = tuple(
    WeightSet(modality, input_repr, content_type)
    for modality in Modality
    for input_repr in InputRepr
    for content_type in ContentType
)


@dataclass(frozen=True)
class AudioVariant:
    """One audio model: which weights, which head, which frontend."""

    input_repr: InputRepr = InputRepr.MEL256
    content_type: ContentType = ContentType.MUSIC
    embedding_size: int = 6144
    frontend: Frontend = Frontend.KAPRE
    precision: Precision = Precision.FLOAT32

    def __post_init__(self) -> None:
        check_one_of("embedding_size", self.embedding_size, AUDIO_EMBEDDING_SIZES)
        object.__setattr__(self, "embedding_size", int(self.embedding_size))  # 512.0 is the same size

    @property
    def weight_set(self) -> WeightSet:
        """The weights that this model loads."""
        return WeightSet(Modality.AUDIO, self.input_repr, self.content_type)

    @property
    def spectrogram(self) -> SpectrogramShape:
        """The shape of the spectrograms that the network takes in."""
        return SPECTROGRAMS[self.input_repr]

    @property
    def network_shape(self) -> tuple[int, ...]:
        """Shape of one item as the network itself takes it: (frequency, time, 1)."""
        return self.spectrogram.input_shape

    @property
    def pool(self) -> tuple[int, int]:
        """Max-pooling of the head, (frequency, time)."""
        return AUDIO_POOLS[self.input_repr][self.embedding_size]

    @property
    def name(self) -> str:
        """All of the variant in one word, as in ``audio_mel256_music_6144_kapre``."""
        return f"{self.weight_set.name}_{self.embedding_size}_{self.frontend.value}{self.precision.suffix}"


@dataclass(frozen=True)
class ImageVariant:
    """One image model: which weights and which head."""

    input_repr: InputRepr = InputRepr.MEL256
    content_type: ContentType = ContentType.MUSIC
    embedding_size: int = 8192
    precision: Precision = Precision.FLOAT32

    def __post_init__(self) -> None:
        check_one_of("embedding_size", self.embedding_size, IMAGE_EMBEDDING_SIZES)
        object.__setattr__(self, "embedding_size", int(self.embedding_size))

    @property
    def weight_set(self) -> WeightSet:
        """The weights that this model loads."""
        return WeightSet(Modality.IMAGE, self.input_repr, self.content_type)

    @property
    def network_shape(self) -> tuple[int, ...]:
        """Shape of one item as the network takes it: (height, width, channel)."""
        return IMAGE_INPUT_SHAPE

    @property
    def pool(self) -> tuple[int, int]:
        """Max-pooling of the head, (height, width)."""
        return IMAGE_POOLS[self.embedding_size]

    @property
    def name(self) -> str:
        """All of the variant in one word, as in ``image_mel256_music_8192``."""
        return f"{self.weight_set.name}_{self.embedding_size}{self.precision.suffix}"


Variant = AudioVariant | ImageVariant


def check_one_of(name: str, value: object, allowed: tuple[object, ...]) -> None:
    """Check that an argument is one of the allowed values.

    Raises
    ------
    OpenL3Error
        Naming the argument, what came and what is allowed.
    """
    if value not in allowed:
        choices = ", ".join(str(choice) for choice in allowed)
        raise OpenL3Error(f"{name} must be one of {choices}; got {value!r}.")


def check_at_least(name: str, value: float, least: float) -> None:
    """Check that a number is not too small.

    Raises
    ------
    OpenL3Error
        Naming the argument, what came and what is allowed.
    """
    if value < least:
        raise OpenL3Error(f"{name} must be at least {least}; got {value}.")


Choice = TypeVar("Choice", bound=Enum)


def parse_choice(kind: type[Choice], name: str, value: object) -> Choice:
    """Turn a user's word into the enum member that it names.

    Raises
    ------
    OpenL3Error
        Naming the argument, what came and what is allowed.
    """
    if isinstance(value, kind):
        return value
    check_one_of(name, value, tuple(member.value for member in kind))
    return kind(value)


def parse_audio_variant(
    input_repr: str | None,
    content_type: str,
    embedding_size: int,
    frontend: str,
    precision: str = "float32",
) -> AudioVariant:
    """Turn the arguments of the mirrored functions into a variant; no `input_repr` is the release's, mel256.

    Raises
    ------
    OpenL3Error
        If an argument is none of the allowed values.
    """
    return AudioVariant(
        input_repr=parse_choice(
            InputRepr, "input_repr", InputRepr.MEL256 if input_repr is None else input_repr
        ),
        content_type=parse_choice(ContentType, "content_type", content_type),
        embedding_size=embedding_size,
        frontend=parse_choice(Frontend, "frontend", frontend),
        precision=parse_choice(Precision, "precision", precision),
    )


def parse_image_variant(
    input_repr: str, content_type: str, embedding_size: int, precision: str = "float32"
) -> ImageVariant:
    """Turn the arguments of the mirrored functions into a variant.

    Raises
    ------
    OpenL3Error
        If an argument is none of the allowed values.
    """
    return ImageVariant(
        input_repr=parse_choice(InputRepr, "input_repr", input_repr),
        content_type=parse_choice(ContentType, "content_type", content_type),
        embedding_size=embedding_size,
        precision=parse_choice(Precision, "precision", precision),
    )
