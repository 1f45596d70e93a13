"""What became of each input: the table that each stage hands on, and how a stage tells of it."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import Enum
from pathlib import Path

from l3embed.disk.seals import reading, seal
from l3embed.disk.tables import FAILED, OK, read_rows, write_rows
from l3embed.errors import OpenL3Error
from l3embed.export.doubts import Doubt, doubtful_files
from l3embed.progress import counted, say
from l3embed.variants import DoubtKind, Media, Modality

RESULTS_FILE = "results.csv"
WRITERS = {"preprocessed": "preprocess", "embeddings": "embed"}
"""The stage that writes each folder with such a table."""

SEPARATOR = ": "
"""Between a doubt's kind and its words."""

NAMED = 20
"""Inputs of one kind that a stage names on the terminal; the manifest names all that failed."""

DOUBTFUL_NAMED = 5
"""Files of one kind of doubt that a stage names, since short clips come in thousands."""


class OnError(str, Enum):
    """What to do about an input that cannot be processed: leave it out and name it, or end at once."""

    SKIP = "skip"
    FAIL = "fail"


@dataclass(frozen=True)
class Result:
    """One input in one modality.

    Parameters
    ----------
    path : str
        Below the dataset's folder, with slashes.
    modality : Modality
        Which network it is for.
    media : Media
        What kind of file it is.
    status, reason : str
        ``ok``, or ``failed`` and why.
    warnings : str
        What is odd about it, one thing a line: its kind, and words that follow the input's name.
    sha256 : str
        Of the input's bytes.
    duration_s, sample_rate_hz : float or None
        Of the recording or video, and its sound.
    channels : int or None
        Of the sound.
    frames, dimension : int
        Of the embeddings; 0 until they are computed.
    runtime : str
        What computed the network.
    preprocessed, embedded : str
        Keys of what was computed, in the store.
    location : str
        Where its file lies, as a listing has it; nothing in a folder, where that is the path.
    start_s, end_s : float or None
        Which section of the file it is.
    label, fold : str
        As a listing has them.
    """

    path: str
    modality: Modality
    media: Media = Media.AUDIO
    status: str = OK
    reason: str = ""
    warnings: str = ""
    sha256: str = ""
    duration_s: float | None = None
    sample_rate_hz: float | None = None
    channels: int | None = None
    frames: int = 0
    dimension: int = 0
    runtime: str = ""
    preprocessed: str = ""
    embedded: str = ""
    location: str = ""
    start_s: float | None = None
    end_s: float | None = None
    label: str = ""
    fold: str = ""

    @property
    def is_ok(self) -> bool:
        """Whether the input is there for the next stage."""
        return self.status == OK

    def failed(self, reason: str) -> Result:
        """Return the same input, failed."""
        return replace(self, status=FAILED, reason=reason, frames=0, dimension=0)

    def doubted(self, kind: DoubtKind, words: str) -> Result:
        """Return the same input, with one more thing that is odd about it."""
        line = f"{kind.value}{SEPARATOR}{' '.join(words.split())}"
        return replace(self, warnings="\n".join(filter(None, (self.warnings, line))))

    @property
    def doubts(self) -> list[Doubt]:
        """What is odd about it, as the list of an export has it, without the label."""
        lines = (line.partition(SEPARATOR) for line in filter(None, self.warnings.split("\n")))
        return [Doubt(self.path, self.modality, "", DoubtKind(kind), words) for kind, _, words in lines]


def write_results(results: Iterable[Result], folder: Path) -> None:
    """Write the table into a stage's output folder."""
    write_rows(folder / RESULTS_FILE, Result, results)
    seal(folder / RESULTS_FILE)


def read_results(folder: Path) -> list[Result]:
    """Read the table of a stage's output folder.

    Raises
    ------
    OpenL3Error
        If it is not there, or not as the stage has written it.
    """
    with reading(folder / RESULTS_FILE, WRITERS[folder.name]):
        results = read_rows(folder / RESULTS_FILE, Result)
        if not results:
            raise OpenL3Error("It has no rows.")
    return results


def check_failure(result: Result, on_error: OnError) -> None:
    """End the stage with a failed input's reason, if that is what is to be done about it.

    Raises
    ------
    OpenL3Error
        Naming the input.
    """
    if on_error is OnError.FAIL and not result.is_ok:
        raise OpenL3Error(f"{result.path}: {result.reason} (on_error=skip would go on with the others.)")


def name_failures(stage: str, results: Iterable[Result]) -> None:
    """Name the failed inputs on the terminal, with reasons."""
    failed = list(dict.fromkeys((result.path, result.reason) for result in results if not result.is_ok))
    for path, reason in failed[:NAMED]:
        say(f"{stage}: failed: {path}: {reason}")
    if len(failed) > NAMED:
        say(f"{stage}: failed: {len(failed) - NAMED} more; data/export/manifest.csv will name them all")


def name_doubts(stage: str, doubts: Iterable[Doubt]) -> None:
    """Tell of doubtful files on the terminal: one line a kind, the worst first."""
    by_kind: defaultdict[DoubtKind, dict[str, str]] = defaultdict(dict)
    for doubt in doubts:
        by_kind[doubt.kind].setdefault(doubt.path, doubt.words)  # a video is two inputs
    for kind in DoubtKind:
        if found := by_kind[kind]:
            say(f"{stage}: warning: {_sentence(kind, found)}")


def count_doubts(doubts: Iterable[Doubt]) -> dict[str, dict[str, int]]:
    """Return how many files each kind of doubt is about, the worst first, as a stage's metrics have it."""
    counts = Counter(kind for kind, _ in {(doubt.kind, doubt.path) for doubt in doubts})
    return {"doubts": {kind.value: counts[kind] for kind in DoubtKind if counts[kind]}}


def count_inputs(results: Collection[Result]) -> str:
    """Return how many inputs there are, and of how many files, if those are fewer."""
    inputs, files = counted(len(results), "input"), len({result.path for result in results})
    if files == len(results):
        return inputs
    return f"{inputs} of {counted(files, 'file')} (a video counts twice: its sound and its frames)"


def _sentence(kind: DoubtKind, found: Mapping[str, str]) -> str:
    if len(found) == 1:
        ((path, words),) = found.items()
        return f"{path} {words}"
    paths = sorted(found)
    more = len(paths) - DOUBTFUL_NAMED
    others = f" and {more:,} more, which data/export/doubts.csv will name" if more > 0 else ""
    return f"{doubtful_files(kind, len(paths))}: {', '.join(paths[:DOUBTFUL_NAMED])}{others}"


def require_one(stage: str, results: Sequence[Result]) -> None:
    """Check that at least one input is left.

    Raises
    ------
    OpenL3Error
        If all have failed.
    """
    if not any(result.is_ok for result in results):
        first = f"{results[0].path}: {results[0].reason}"
        which = f"all of {len(results):,} inputs" if len(results) > 1 else "the one input"
        raise OpenL3Error(f"{stage}: {which} failed. The first: {first}")
