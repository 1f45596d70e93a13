"""The yardstick: what openl3 does, on today's libraries.

Files are read whole, one after the other; audio is resampled by resampy with the release's filter, and all of
its windows are held at once; the Keras model has kapre's layers inside, and ``model.predict`` runs it 32
windows at a time. Of l3embed only that model is used.

``python -m benchmarks.naive audio REPR HOP_S OUTPUT FILE...`` and ``... image OUTPUT FILE...`` embed files in
a process of their own.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from l3embed.variants import AudioSize, ImageSize, InputRepr, InputReprName

SAMPLE_RATE_HZ = 48_000
BATCH_SIZE = 32
SCALED_SIDE_PIXELS = 256
SIDE_PIXELS = 224

Array = npt.NDArray[Any]


def load_audio_model(input_repr: InputReprName, embedding_size: AudioSize = 6144) -> Any:
    """Return the Keras model from samples to embeddings."""
    from l3embed import models

    return models.load_audio_embedding_model(input_repr, "music", embedding_size, weights="random")


def load_image_model(embedding_size: ImageSize = 8192) -> Any:
    """Return the Keras model from pixels to embeddings."""
    from l3embed import models

    return models.load_image_embedding_model("mel256", "music", embedding_size, weights="random")


def embed_audio(model: Any, path: Path, output: Path, hop_s: float) -> int:
    """Embed one file, save its embeddings, and return how many there are."""
    import soundfile

    audio, sample_rate_hz = soundfile.read(path)
    if audio.ndim > 1:
        audio = audio.mean(axis=1)
    if sample_rate_hz != SAMPLE_RATE_HZ:
        audio = resample(audio, sample_rate_hz)
    embedding = model.predict(windows(audio, hop_s), batch_size=BATCH_SIZE, verbose=0)
    np.savez(output, embedding=embedding, timestamps=np.arange(len(embedding)) * hop_s)
    return len(embedding)


def resample(audio: Array, sample_rate_hz: int) -> Array:
    """Resample to 48 kHz as resampy before 0.3 did when it was asked for ``kaiser_best``."""
    import resampy
    from scipy.signal.windows import kaiser

    resampled: Array = resampy.resample(
        audio,
        sample_rate_hz,
        SAMPLE_RATE_HZ,
        filter="sinc_window",
        num_zeros=64,
        precision=9,
        rolloff=0.9475937167399596,
        window=lambda samples: kaiser(samples, 14.769656459379492),
    )
    return resampled


def windows(audio: Array, hop_s: float) -> Array:
    """Return all windows of one second, half a second of zeros in front, shape ``(T, 1, 48000)``."""
    hop = int(hop_s * SAMPLE_RATE_HZ)
    audio = np.pad(audio, (SAMPLE_RATE_HZ // 2, 0))
    count = 1 + int(np.ceil(max(0, len(audio) - SAMPLE_RATE_HZ) / hop))
    audio = np.pad(audio, (0, (count - 1) * hop + SAMPLE_RATE_HZ - len(audio)))
    views = np.lib.stride_tricks.sliding_window_view(audio, SAMPLE_RATE_HZ)[::hop]
    return np.ascontiguousarray(views[:, np.newaxis, :], np.float32)


def embed_images(model: Any, paths: Sequence[Path], output: Path) -> int:
    """Embed image files, read one after the other until a batch is full; return how many there are."""
    for start in range(0, len(paths), BATCH_SIZE):
        some = paths[start : start + BATCH_SIZE]
        embeddings = model.predict(
            np.stack([pixels(path) for path in some]), batch_size=BATCH_SIZE, verbose=0
        )
        for path, embedding in zip(some, embeddings, strict=True):
            np.savez(output / f"{path.stem}.npz", embedding=embedding[np.newaxis])
    return len(paths)


def pixels(path: Path) -> Array:
    """Read a photograph, scale its shorter side to 256, and cut out its centre, shape ``(224, 224, 3)``."""
    from skimage.io import imread
    from skimage.transform import rescale

    image = imread(path)
    scale = SCALED_SIDE_PIXELS / min(image.shape[:2])
    image = rescale(image, scale, order=1, anti_aliasing=False, channel_axis=-1)
    top, left = (side // 2 - SIDE_PIXELS // 2 for side in image.shape[:2])
    cut: Array = image[top : top + SIDE_PIXELS, left : left + SIDE_PIXELS].astype(np.float32)
    return cut


def main(arguments: Sequence[str]) -> None:
    """Embed the files that the arguments name."""
    kind, *others = arguments
    if kind == "audio":
        input_repr, hop_s, output, *files = others
        model = load_audio_model(InputRepr(input_repr).value)
        for file in map(Path, files):
            embed_audio(model, file, Path(output) / f"{file.stem}.npz", float(hop_s))
    else:
        output, folder = others
        embed_images(load_image_model(), sorted(Path(folder).iterdir()), Path(output))


if __name__ == "__main__":
    main(sys.argv[1:])
