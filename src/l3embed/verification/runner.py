"""Run cases: compute what the reference computed, and compare."""

from __future__ import annotations

import warnings
import zipfile
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import numpy.typing as npt

from l3embed.core.outputs import get_output_path
from l3embed.disk.leftovers import temporary_path
from l3embed.errors import OpenL3Error, OpenL3Warning
from l3embed.variants import Media, Modality
from l3embed.verification.cases import Case, Computation, Suite
from l3embed.verification.compare import BAD_SOUND, Comparison, Verdict, compare

Arrays = dict[str, npt.NDArray[Any]]


def verify(suite: Suite) -> Iterator[Comparison]:
    """Run the cases of a suite, one after the other; one that fails does not stop the others.

    Yields
    ------
    Comparison
        As soon as it is there, in the order of the suite's cases.
    """
    with TemporaryDirectory(prefix="l3embed-verify-") as folder, temporary_path(Path(folder)):
        bench = _Bench(suite, Path(folder))
        for case in suite.cases:
            yield _result(case, bench)


def _result(case: Case, bench: _Bench) -> Comparison:
    if case.trusted_windows == 0:
        reason = f"no window ends within its first {case.trusted_s:g} s: {BAD_SOUND} behind that"
        return Comparison(case, Verdict.NOT_COMPARED, note=reason)
    try:
        # What is fetched is fetched first: without it there is no use in computing.
        stored = _read(bench.suite.locate(case.expected), case.array_prefix)
        return compare(case, bench.compute(case), stored)
    except OpenL3Error as error:
        return Comparison(case, Verdict.FAILED, note=str(error))


class _Bench:
    """Where files are embedded: each computation once, whatever number of cases asks for it."""

    def __init__(self, suite: Suite, folder: Path) -> None:
        self.suite = suite
        self._folder = folder
        self._done: dict[Computation, Path | OpenL3Error] = {}

    def compute(self, case: Case) -> Arrays:
        """Return the arrays that are computed for a case.

        Raises
        ------
        OpenL3Error
            If they cannot be computed.
        """
        computation = case.computation
        if computation not in self._done:
            self._done[computation] = self._run(computation)
        outcome = self._done[computation]
        if isinstance(outcome, OpenL3Error):
            raise outcome
        return _read(_output(computation, case.modality, outcome))

    def _run(self, computation: Computation) -> Path | OpenL3Error:
        folder = self._folder / str(len(self._done))
        try:
            path = self.suite.locate(computation.file)
            with warnings.catch_warnings():
                # Whoever asks for the seeded weights here knows what they are good for.
                warnings.filterwarnings("ignore", message=".*untrained", category=OpenL3Warning)
                _process(computation, path, folder, self.suite)
        except OpenL3Error as error:
            return error
        return folder


def _process(computation: Computation, path: Path, folder: Path, suite: Suite) -> None:
    """Embed a file by the mirrored function for its kind."""
    from l3embed import core

    run: dict[str, Any] = {
        "input_repr": computation.input_repr,
        "content_type": computation.content_type,
        "verbose": False,
        "weights": suite.weights,
        "device": suite.placement.device.value,
        "runtime": suite.placement.runtime,
        "threads": suite.placement.threads,
    }
    framing = computation.framing
    sound: dict[str, Any] = {
        "center": framing.center,
        "hop_size": framing.hop_s,
        "frontend": computation.frontend,
    }
    sound |= {"frontend": computation.frontend, "embedding_size": computation.audio_size}
    if computation.media is Media.AUDIO:
        core.process_audio_file(path, folder, **sound, **run)
    elif computation.media is Media.IMAGE:
        core.process_image_file(path, folder, embedding_size=computation.image_size, **run)
    else:
        run |= {f"audio_{name}": value for name, value in sound.items()}
        core.process_video_file(path, folder, image_embedding_size=computation.image_size, **run)


def _output(computation: Computation, modality: Modality, folder: Path) -> Path:
    """Return the file that a computation's embeddings of one modality were saved to."""
    suffix = f"{modality.value}.npz" if computation.media is Media.VIDEO else ".npz"
    return Path(get_output_path(Path(computation.file).name, suffix, str(folder)))


def _read(path: Path, prefix: str = "") -> Arrays:
    """Read the embeddings, and the timestamps if there are any, of an ``.npz``."""
    try:
        with np.load(path) as arrays:
            names = [name for name in ("embedding", "timestamps") if prefix + name in arrays]
            found = {name: arrays[prefix + name] for name in names}
    except (OSError, ValueError, zipfile.BadZipFile) as error:
        raise OpenL3Error(
            f"{path} must be a file of embeddings (.npz); reading it failed: {error}."
        ) from error
    if "embedding" not in found:
        raise OpenL3Error(f"{path} must hold the array {prefix}embedding; it does not.")
    return found
