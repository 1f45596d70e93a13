"""Files that are asked for, embedded as the folder's were: same network, weights, frontend and hop."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import numpy.typing as npt

from l3embed.decoding import image, recording, video
from l3embed.errors import OpenL3Error, warn
from l3embed.exchange.onnx_file import parse_variant_name
from l3embed.inputs import media, sound
from l3embed.inputs.findings import Findings
from l3embed.inputs.windows import Framing
from l3embed.models.running import Network, load_network
from l3embed.runtimes.base import Placement
from l3embed.runtimes.batching import embed_sources
from l3embed.runtimes.processor import available_threads
from l3embed.search.asked import Part
from l3embed.search.embedded_inputs import MadeWith, Times, Vectors
from l3embed.variants import SAMPLE_RATE_HZ, WINDOW_SAMPLES, Media, Modality, Variant
from l3embed.weights.source import WeightsSource, as_weights_source, source_of_identity

BATCH_SIZE = 32

NAMES = {Media.AUDIO: "a sound", Media.IMAGE: "a picture", Media.VIDEO: "a video"}
OF = {Modality.AUDIO: "sounds", Modality.IMAGE: "pictures"}

ROUNDING_S = 0.001
"""By so much a part may end behind its file: lengths are written with three digits."""

Samples = npt.NDArray[np.floating]


def media_of(path: str) -> Media | None:
    """Return the kind of a file by its ending; None of an unknown one."""
    suffix = Path(path).suffix.lower()
    kinds = ((Media.IMAGE, image.SUFFIXES), (Media.VIDEO, video.SUFFIXES), (Media.AUDIO, recording.SUFFIXES))
    return next((kind for kind, suffixes in kinds if suffix in suffixes), None)


@dataclass(frozen=True)
class QueryEmbedder:
    """Embeds files as a folder's were.

    Parameters
    ----------
    made_with : MadeWith
        What the folder's embeddings were computed with.
    modality : Modality
        Which of a file's embeddings are compared.
    framing : Framing
        How its sounds were cut into windows.
    weights : str or None
        Where the weights are, if their identity does not say so: ``published``, ``random:SEED`` or a folder.
    placement : Placement
        Where the network runs.
    """

    made_with: MadeWith
    modality: Modality
    framing: Framing
    weights: str | WeightsSource | None = None
    placement: Placement = field(default_factory=Placement)

    def embed(self, path: str, part: Part | None) -> Vectors:
        """Return the embeddings of a file, or of a part of it, ``(T, D)``.

        Raises
        ------
        OpenL3Error
            If it cannot be read, is of another kind, ends before the part does, or if the network that the
            folder was computed with cannot be had.
        """
        kind = self._check_kind(path, part)
        network = self._network()
        findings = Findings()
        source = media.SourceFile(Path(path), kind, findings=findings)
        inputs = self._inputs(source, part, network)
        workers = available_threads(self.placement.threads)
        found = []
        for piece in embed_sources(network.embedder, [(path, inputs)], BATCH_SIZE, workers):
            if piece.error:
                raise piece.error
            found.append(piece.embeddings.copy())
        rows = np.concatenate(found)
        if part and self.modality is Modality.IMAGE:
            rows = rows[_frames_in(part, findings.frame_times_s, path)]
        elif not part:
            findings.warn(path)
        elif part.end_s - part.begin_s < WINDOW_SAMPLES / SAMPLE_RATE_HZ:
            warn(f"The part {part} of {path} is shorter than one window (1 second): it is padded with zeros.")
        if not len(rows):
            raise OpenL3Error(f"It has nothing for the network of {OF[self.modality]}.")
        return rows

    def _check_kind(self, path: str, part: Part | None) -> Media:
        kind = media_of(path) or Media(self.modality.value)
        if self.modality not in media.MODALITIES[kind]:
            raise OpenL3Error(
                f"It is {NAMES[kind]}, and what is searched are {OF[self.modality]}, whose embeddings "
                "can't be compared with it."
            )
        if part and kind is Media.IMAGE:
            raise OpenL3Error("A picture has no parts. Leave out what stands behind @.")
        return kind

    def _network(self) -> Network:
        variant, source = self._variant(), self._source()
        network = load_network(variant, source, self.placement)
        found = MadeWith(network.origin.variant, network.origin.weights)
        if found != self.made_with:
            raise OpenL3Error(
                f"The folder was embedded by {self.made_with}, and what is to be had is {found}: these "
                "can't be compared. Name the weights that it was embedded with (--weights)."
            )
        return network

    def _variant(self) -> Variant:
        try:
            return parse_variant_name(self.made_with.variant)
        except OpenL3Error as error:
            raise OpenL3Error(
                f"The folder was embedded by {self.made_with}, which is no network of l3embed's: only rows "
                "of the folder can be asked for, as its hits name them."
            ) from error

    def _source(self) -> WeightsSource:
        """Return where the weights come from: as it is said, or as their identity says."""
        if self.weights is not None:
            return as_weights_source(self.weights)
        return source_of_identity(self.made_with.weights) or as_weights_source(None)

    def _inputs(self, source: media.SourceFile, part: Part | None, network: Network) -> sound.Inputs:
        if self.modality is Modality.IMAGE:
            return media.network_inputs(source)
        prepare = sound.prepare_for(network.embedder.input_shape, network.frontend)
        mono: Iterator[Samples] = media.mono_samples(source)
        return sound.network_inputs(_cut(mono, part) if part else mono, self.framing, prepare)


def _cut(blocks: Iterator[Samples], part: Part) -> Iterator[Samples]:
    """Yield the samples of a part, of blocks of 48 kHz; what lies behind it is not read.

    Raises
    ------
    OpenL3Error
        If the sound ends before the part does.
    """
    first, last = round(part.begin_s * SAMPLE_RATE_HZ), round(part.end_s * SAMPLE_RATE_HZ)
    start = 0
    for block in blocks:
        yield block[max(0, first - start) : max(0, last - start)]
        start += len(block)
        if start >= last:
            return
    if start < last - ROUNDING_S * SAMPLE_RATE_HZ:
        raise OpenL3Error(f"It is {start / SAMPLE_RATE_HZ:.3f} s long, and the part asked for is {part}.")


def _frames_in(part: Part, times_s: Times | None, path: str) -> npt.NDArray[np.intp]:
    times = np.empty(0) if times_s is None else times_s
    found = np.flatnonzero((times >= part.begin_s) & (times <= part.end_s))
    if not len(found):
        last = f"its last is at {times[-1]:.3f} s" if len(times) else "it has none"
        raise OpenL3Error(f"No frame of it lies in the part asked for, {part}: {last}.")
    return found
