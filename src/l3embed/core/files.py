"""Files to ``.npz`` files: each whole or not at all, and none at the cost of another."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from l3embed.core.claimed_outputs import ClaimedOutputs
from l3embed.core.options import Request
from l3embed.core.outputs import refuse_shared_outputs
from l3embed.decoding.reading import AS_OPENL3, Reading
from l3embed.disk.rows import RowSpool
from l3embed.errors import FilesError, warn
from l3embed.inputs.estimates import Unread, estimate
from l3embed.inputs.findings import LACKS, Findings
from l3embed.inputs.media import SourceFile, network_inputs
from l3embed.inputs.sound import Inputs, prepare_for
from l3embed.inputs.windows import Framing
from l3embed.models.running import Network
from l3embed.progress import FileProgress, Workload
from l3embed.runtimes.batching import embed_sources
from l3embed.runtimes.saving import save_each
from l3embed.store.estimate import MOST_FRAMES_PER_S, Amount, may_be_large, measure, tell_of_amounts
from l3embed.variants import SAMPLE_RATE_HZ, DoubtKind, Media, Modality


@dataclass(frozen=True)
class FileJob:
    """Which files to embed, and how.

    Parameters
    ----------
    outputs : dict[str, str]
        The output of each input.
    request : Request
        By which network, and how it is to run.
    overwrite : bool
        Whether to compute what has an output already.
    """

    outputs: dict[str, str]
    request: Request
    overwrite: bool


@dataclass(frozen=True)
class Medium:
    """What one network takes from a kind of files.

    Parameters
    ----------
    media : Media
        Which kind.
    modality : Modality
        Which network.
    framing : Framing or None
        How sound is cut into windows; None if it is not sound that is wanted.
    reading : Reading
        How the files are read.
    """

    media: Media
    modality: Modality
    framing: Framing | None = None
    reading: Reading = AS_OPENL3

    @property
    def description(self) -> str:
        """What is being done, for the progress bar."""
        parts = {Modality.AUDIO: " sound", Modality.IMAGE: " frames"}
        return f"Embedding{parts[self.modality] if self.media is Media.VIDEO else ''}"

    @property
    def unit(self) -> str:
        """What one of the network's inputs is called."""
        if self.modality is Modality.AUDIO:
            return "window"
        return "frame" if self.media is Media.VIDEO else "image"

    @property
    def units(self) -> str:
        """What several of them are called."""
        return f"{self.unit}s"

    def inputs(self, path: str, network: Network, findings: Findings) -> Inputs:
        """Return what reads a file, when it is asked for its first block: faults are the file's own."""
        prepare = prepare_for(network.embedder.input_shape, network.frontend) if self.framing else None
        source = SourceFile(Path(path), self.media, self.reading, findings)
        return network_inputs(source, self.framing, prepare)

    def workload(self, paths: Iterable[str]) -> Workload[str]:
        """Return how many inputs of the network files are likely to make."""
        files = {path: Unread(Path(path), self.media, self.modality) for path in paths}
        return estimate(files, self._windows)

    def _windows(self, seconds: float) -> int:
        return self.framing.frames(round(seconds * SAMPLE_RATE_HZ)) if self.framing else 0

    def warn(self, path: str, rows: int, findings: Findings, told: set[DoubtKind]) -> None:
        """Warn of what was found in a file that was read."""
        if not rows:
            warn(f"{path} {LACKS[self.modality]}")
        is_videos_sound = self.framing and self.media is Media.VIDEO
        findings.warn(f"The sound of {path}" if is_videos_sound else path, told)

    def others(self, rows: int, findings: Findings) -> dict[str, Any]:
        """Return what is saved next to the embeddings of a file that was read."""
        if self.framing:
            return {"timestamps": self.framing.timestamps_s(rows)}
        return {"timestamps": findings.frame_times_s} if self.media is Media.VIDEO else {}


def embed_files(job: FileJob, medium: Medium) -> None:
    """Embed the files that need it; the model is loaded only if there is one.

    Raises
    ------
    OpenL3Error
        Before anything is done, if two inputs have one output, or the model cannot be had.
    FilesError
        At the end, if files failed.
    """
    refuse_shared_outputs(job.outputs.items())
    failures: dict[str, str] = {}
    with ClaimedOutputs(job.outputs, overwrite=job.overwrite, verbose=job.request.verbose) as claimed:
        todo = _inputs_to_do(job, claimed, failures)
        if todo:
            _foretell(todo, job, medium)
        while todo:
            _embed(todo, job, medium, claimed, failures)
            todo = claimed.left()
    if failures:
        raise FilesError(failures, done=len(job.outputs) - len(failures))


def _inputs_to_do(job: FileJob, claimed: ClaimedOutputs, failures: dict[str, str]) -> list[str]:
    """Return the inputs without an output, or all; name what is missing before the model is loaded."""
    todo = []
    for source in job.outputs:
        if not _is_there(source):
            failures[source] = "There is no such file."
        elif claimed.is_to_do(source):
            todo.append(source)
    return todo


def _foretell(todo: list[str], job: FileJob, medium: Medium) -> None:
    """Say how much is going to be written, if it is much."""
    framing, numbers = medium.framing or Framing(), job.request.embedding_size
    windows_per_s = SAMPLE_RATE_HZ / framing.hop_samples
    rows_per_s = windows_per_s if medium.framing else MOST_FRAMES_PER_S
    files = [(Path(path), medium.media) for path in todo]
    rows = {Media.AUDIO: rows_per_s, Media.VIDEO: rows_per_s, Media.IMAGE: 1}
    row_bytes = Amount(1, medium.units, numbers).bytes
    if may_be_large(files, {media: row_bytes * most for media, most in rows.items()}):
        contents = measure(files, framing)
        found = contents.windows if medium.framing else contents.frames + contents.pictures
        tell_of_amounts(
            "l3embed",
            [Amount(round(found), medium.units, numbers)],
            Path(job.outputs[todo[0]]).parent,
            source=contents.source,
            remedy="choose another folder for the outputs",
            verbose=job.request.verbose,
        )


def _embed(
    todo: list[str], job: FileJob, medium: Medium, claimed: ClaimedOutputs, failures: dict[str, str]
) -> None:
    request = job.request
    network = request.load()
    findings = {path: Findings() for path in todo}
    sources = ((path, medium.inputs(path, network, findings[path])) for path in claimed.mine(todo))
    told: set[DoubtKind] = set()

    def save(path: str, spool: RowSpool) -> None:
        medium.warn(path, spool.rows, findings[path], told)
        others = medium.others(spool.rows, findings.pop(path))
        if spool.rows:  # a video without sound has no embeddings of it, which `finish` has warned of
            others |= network.origin.arrays(network.embedder.runtime)
            spool.save_npz(Path(job.outputs[path]), "embedding", others)

    workload = medium.workload(todo if request.verbose else ())
    with FileProgress(medium.description, workload, medium.unit, enabled=request.verbose) as progress:
        pieces = embed_sources(network.embedder, sources, request.batch_size, request.workers)
        saved = save_each(pieces, lambda path: Path(job.outputs[path]).parent, save, progress.add)
        for path, _, fault in saved:
            if isinstance(fault, OSError):
                target = job.outputs[path]
                failures[path] = f"{target} could not be written: {fault.strerror or fault}."
            elif fault:
                failures[path] = str(fault)
            claimed.release(path)
            progress.end(path)


def _is_there(source: str) -> bool:
    """Tell whether an input exists, even if it cannot be read: what is wrong with it then is told later."""
    try:
        Path(source).lstat()
    except (FileNotFoundError, NotADirectoryError):
        return False
    except (OSError, ValueError):
        return True
    return True
