"""The reference's own regression tests: published inputs and outputs, with the published weights."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from l3embed.inputs.windows import Framing
from l3embed.variants import ContentType, Frontend, InputRepr, Media, Modality
from l3embed.verification.cases import RESAMPLED_AUDIO, SAME_IMAGE, VIDEO_FRAMES, Case, Computation, Suite
from l3embed.verification.regression_files import (
    DEFAULT_REGRESSION_URL,
    REGRESSION_FILES,
    REGRESSION_URL_VARIABLE,
)
from l3embed.weights.cache import exclusively, explaining_cache_errors, regression_folder
from l3embed.weights.fetch import Download, fetch
from l3embed.weights.locating import discard_damaged, is_whole
from l3embed.weights.source import PublishedWeights, resolve_base_url

TRUSTED_VIDEO_SOUND_S = 0.5
"""moviepy 1.0, which the published figures were computed with, corrupts the sound of a video behind this."""

OUTPUTS = "tests/data/regression/"
LINEAR = "_linear"

CHIRP = Computation(Media.AUDIO, "tests/data/audio/chirp_44k.wav")
BENTO = Computation(Media.VIDEO, "tests/data/video/bento.mp4")
DAISY = Computation(Media.IMAGE, "tests/data/image/daisy.jpg")

TEMPLATES = (
    Case("chirp_44k", CHIRP, Modality.AUDIO, "", RESAMPLED_AUDIO),
    Case("bento_audio", BENTO, Modality.AUDIO, "", RESAMPLED_AUDIO, trusted_s=TRUSTED_VIDEO_SOUND_S),
    Case("bento_image", BENTO, Modality.IMAGE, "", VIDEO_FRAMES, rate_was_cut=True),
    Case("daisy", DAISY, Modality.IMAGE, "", SAME_IMAGE),
)
"""What the outputs whose names begin so have in common."""

FOOTNOTE = (
    "The published audio figures come from an older TensorFlow, whose FFT rounds otherwise. At the bottom of "
    "the 80 dB range that moves spectrograms by up to 20 dB, so kapre cases may be out for that reason alone."
)


def published_suite(base_url: str | None = None) -> Suite:
    """Return the published cases, whose files and weights are fetched into the cache when they are needed.

    Parameters
    ----------
    base_url : str or None
        Address that the paths of the regression data are relative to; without one,
        ``L3EMBED_REGRESSION_URL`` says it, and without that, they come from the OpenL3 project.

    Raises
    ------
    OpenL3Error
        If it is no http or https address.
    """
    url = resolve_base_url("regression data", base_url, REGRESSION_URL_VARIABLE, DEFAULT_REGRESSION_URL)
    return Suite(published_cases(), lambda path: fetched(path, url), PublishedWeights(), FOOTNOTE)


def published_cases() -> tuple[Case, ...]:
    """Return a case for each output of the registry."""
    return tuple(_case(path) for path in REGRESSION_FILES if path.startswith(OUTPUTS))


def fetched(path: str, base_url: str) -> Path:
    """Return the file of a path in the registry: verified if it is in the cache, otherwise fetched.

    Raises
    ------
    OpenL3Error
        If it cannot be had, or the cache cannot be written to.
    """
    location, _, name = path.rpartition("/")
    folder, git_blob = regression_folder(), REGRESSION_FILES[path]
    file = folder / name
    last_resort = "run 'l3embed verify --weights random', which needs no network"
    with explaining_cache_errors(folder, "the regression data"):
        if is_whole(file, git_blob):
            return file
        with exclusively(folder, name):
            if not is_whole(file, git_blob):
                discard_damaged(file, git_blob)
                source = f"{base_url}/{location}"
                fetch(Download(name, git_blob, source, folder, REGRESSION_URL_VARIABLE, last_resort))
    return file


def _case(path: str) -> Case:
    """Read off an output's name how it was computed."""
    name = Path(path).stem
    template = next(template for template in TEMPLATES if name.startswith(template.name))
    frontend = Frontend.LIBROSA if Frontend.LIBROSA.value in name else Frontend.KAPRE
    computation = replace(template.computation, frontend=frontend)
    if name.endswith(LINEAR):
        computation = replace(
            computation,
            input_repr=InputRepr.LINEAR,
            content_type=ContentType.ENV,
            audio_size=512,
            image_size=512,
            framing=Framing(hop_s=0.5, center=False),
        )
    return replace(template, name=name, expected=path, computation=computation)
