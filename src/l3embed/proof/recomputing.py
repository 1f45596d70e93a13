"""Single embeddings of files, computed as the pipeline does: nothing is computed that is not asked for."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from l3embed.decoding.reading import OnDamage, Reading
from l3embed.errors import OpenL3Error
from l3embed.inputs import sound
from l3embed.inputs.media import SourceFile, image_pixels, mono_samples, video_frames
from l3embed.inputs.pixels import frame_pixels
from l3embed.inputs.windows import Framing
from l3embed.models.running import Network
from l3embed.progress import progress_bar
from l3embed.proof.statement import ProvenSettings, Vector
from l3embed.runtimes.batching import embed_sources
from l3embed.runtimes.processor import available_threads
from l3embed.stages.dataset_input import Input
from l3embed.stages.opening import opened
from l3embed.stages.planning import section_of
from l3embed.variants import AudioVariant, Frontend, Media, Variant

BATCH_SIZE = 32

Array = npt.NDArray[Any]
Recomputed = dict[int, Vector] | OpenL3Error
"""An input's embeddings by their numbers, or why there are none."""


@dataclass(frozen=True)
class Recomputation:
    """How single embeddings are computed again.

    Parameters
    ----------
    variant, network : Variant and Network
        Which network, and the same ready to run.
    settings : ProvenSettings
        How files are read, and sound is cut.
    dataset : Path
        Where the inputs lie.
    threads : int
        For preparing what the network takes in; 0: as many as there are.
    verbose : bool
        Whether to draw a bar.
    """

    variant: Variant
    network: Network
    settings: ProvenSettings
    dataset: Path
    threads: int = 0
    verbose: bool = False

    def run(self, wanted: Mapping[str, set[int]], inputs: Mapping[str, Input]) -> dict[str, Recomputed]:
        """Return the embeddings of inputs by their paths; one that cannot be read costs no other.

        Parameters
        ----------
        wanted : mapping of str to set of int
            Which embeddings of each input.
        inputs : mapping of str to Input
            The inputs.
        """
        sources = ((path, self._inputs(inputs[path], frames)) for path, frames in wanted.items())
        found: dict[str, list[Vector]] = {path: [] for path in wanted}
        done: dict[str, Recomputed] = {}
        workers = available_threads(self.threads)
        total = sum(map(len, wanted.values()))
        with progress_bar("Recomputing", total=total, unit="embedding", enabled=self.verbose) as bar:
            for piece in embed_sources(self.network.embedder, sources, BATCH_SIZE, workers):
                found[piece.key] += list(piece.embeddings.copy())
                bar.update(len(piece.embeddings))
                if piece.error:
                    done[piece.key] = piece.error
                elif piece.is_last:
                    # Of a file that ends sooner here, the last ones are lacking.
                    done[piece.key] = dict(zip(sorted(wanted[piece.key]), found[piece.key], strict=False))
        return done

    def _inputs(self, input_: Input, frames: set[int]) -> sound.Inputs:
        with opened(input_, self.dataset) as path:
            reading = Reading(OnDamage.USE, self.settings.exif_rotation, self.settings.max_megapixels)
            source = SourceFile(path, input_.media, reading, section=section_of(input_))
            yield from self._of_source(source, _Picked(frames))

    def _of_source(self, source: SourceFile, picked: _Picked) -> sound.Inputs:
        if not isinstance(self.variant, AudioVariant):
            is_video = source.media is Media.VIDEO
            blocks = video_frames(source, frame_pixels) if is_video else image_pixels(source)
            for block in picked.until_done(blocks):
                yield picked.of(block)
            return
        prepare = sound.prepare_for(self.network.embedder.input_shape, self.network.frontend)
        framing = Framing(self.settings.hop_s or 0.0, self.settings.center is not False)
        samples: Iterable[Array] = picked.until_done(mono_samples(source))
        if self.variant.frontend is not Frontend.LIBROSA:  # of which the pipeline keeps samples in float32
            samples = (block.astype(np.float32) for block in samples)
        yield from sound.network_inputs(samples, framing, picked.before(prepare))


class _Picked:
    """Some of the items of a file, by their numbers, as blocks of them come by."""

    def __init__(self, numbers: Iterable[int]) -> None:
        self._numbers = np.array(sorted(numbers))
        self._passed = 0

    def of(self, block: Array) -> Array:
        """Return those of a block that were asked for."""
        places = self._numbers - self._passed
        self._passed += len(block)
        chosen: Array = block[places[(places >= 0) & (places < len(block))]]
        return chosen

    def until_done(self, blocks: Iterable[Array]) -> Iterator[Array]:
        """Yield blocks as long as any of what was asked for is to come: the rest of a file is not read."""
        for block in blocks:
            if self._passed > self._numbers[-1]:
                return
            yield block

    def before(self, prepare: sound.Prepare) -> Callable[[Array], sound.Inputs]:
        """Return what prepares the windows that were asked for alone."""

        def prepare_some(windows: Array) -> sound.Inputs:
            chosen = self.of(windows)
            if len(chosen):
                yield from prepare(chosen)

        return prepare_some
