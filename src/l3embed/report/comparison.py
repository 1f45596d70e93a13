"""What changed from one export to another: files, settings, neighbours, scores and doubts."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from l3embed.errors import OpenL3Error
from l3embed.export.doubts import DOUBTS_CSV, Doubt, read_doubts
from l3embed.export.manifest import ManifestRow
from l3embed.report.changed_neighbours import MOST_FILES, NeighbourChanges, compare_neighbours
from l3embed.report.changed_scores import ScoreChanges, compare_scores
from l3embed.report.changed_settings import SettingChange, compare_settings
from l3embed.report.compared_runs import Run
from l3embed.report.file_matching import Matching, Pair, files_of, match_files
from l3embed.variants import Modality


@dataclass(frozen=True)
class ModalityChanges:
    """What changed in the embeddings of one modality, and in what can be told from them."""

    modality: Modality
    neighbours: NeighbourChanges
    scores: ScoreChanges


@dataclass(frozen=True)
class DoubtChanges:
    """Doubts that one run has and the other has not.

    Parameters
    ----------
    came, went : tuple of Doubt
        Of the second run alone, and of the first.
    kept : int
        How many both have.
    missing : tuple of str
        Runs without a list of doubts, by their names: nothing is said then.
    """

    came: tuple[Doubt, ...]
    went: tuple[Doubt, ...]
    kept: int
    missing: tuple[str, ...] = ()


@dataclass(frozen=True)
class Comparison:
    """All that changed from one run to another.

    Parameters
    ----------
    a, b : Run
        The two runs.
    counts : (int, int)
        How many files each has, of the modalities that are compared.
    files : Matching
        Which of them are in both.
    failed, recovered : tuple of ManifestRow
        What has embeddings in the first run alone or in the second run alone, though it is in both: the
        rows that tell the failures.
    settings : tuple of SettingChange
        What they differ in.
    modalities : tuple of ModalityChanges
        Of each modality that is compared.
    left_out : tuple of str
        What is not compared and why, in sentences.
    doubts : DoubtChanges
        Doubts that came and went.
    """

    a: Run
    b: Run
    counts: tuple[int, int]
    files: Matching
    failed: tuple[ManifestRow, ...]
    recovered: tuple[ManifestRow, ...]
    settings: tuple[SettingChange, ...]
    modalities: tuple[ModalityChanges, ...]
    left_out: tuple[str, ...]
    doubts: DoubtChanges


def compare_runs(a: Run, b: Run, wanted: Modality | None = None, most_files: int = MOST_FILES) -> Comparison:
    """Compare two runs.

    Parameters
    ----------
    a, b : Run
        The two runs; their embeddings may have different sizes.
    wanted : Modality or None
        What to compare; None means whatever both have.
    most_files : int
        The neighbours of more files than that are compared for a sample of so many.

    Raises
    ------
    OpenL3Error
        If they have no modality or no file in common, or one of them is damaged.
    """
    modalities = _modalities(a, b, wanted)
    names = {modality.value for modality in modalities}
    rows_a, rows_b = ([row for row in run.rows if row.modality in names] for run in (a, b))
    files_a, files_b = files_of(rows_a), files_of(rows_b)
    matching = match_files(files_a, files_b)
    if not matching.pairs:
        raise OpenL3Error(
            f"No file is in both {a.name} and {b.name}, neither by its path nor by its bytes: the first has "
            f"{files_a[0].path}, the second {files_b[0].path}. Compare two runs over the same dataset."
        )
    return Comparison(
        a=a,
        b=b,
        counts=(len(files_a), len(files_b)),
        files=matching,
        failed=tuple(_failures(a, b, matching.pairs, modalities, in_a=False)),
        recovered=tuple(_failures(a, b, matching.pairs, modalities, in_a=True)),
        settings=compare_settings(a, b, modalities),
        modalities=tuple(
            ModalityChanges(
                modality,
                compare_neighbours(a, b, matching.pairs, modality, most_files),
                compare_scores(a, b, matching.pairs, modality),
            )
            for modality in modalities
        ),
        left_out=tuple(_left_out(a, b, wanted)),
        doubts=_compare_doubts(a, b, matching.pairs, names),
    )


def _modalities(a: Run, b: Run, wanted: Modality | None) -> list[Modality]:
    for run in (a, b):
        if wanted and wanted not in run.modalities:
            raise OpenL3Error(
                f"{run.name} has no embeddings of {wanted.value}, only of {_named(run)}. "
                "Leave --modality out, or name what both have."
            )
    both = [modality for modality in Modality if modality in a.modalities and modality in b.modalities]
    if not both:
        raise OpenL3Error(
            f"{a.name} has embeddings of {_named(a)}, and {b.name} of {_named(b)}: nothing can be compared. "
            "Name two runs that have a modality in common."
        )
    return [wanted] if wanted else both


def _named(run: Run) -> str:
    return " and ".join(modality.value for modality in run.modalities)


def _left_out(a: Run, b: Run, wanted: Modality | None) -> Iterator[str]:
    if wanted:
        return
    for name, run, other in (("A", a, b), ("B", b, a)):
        for modality in run.modalities:
            if modality not in other.modalities:
                files = sum(row.is_ok for row in run.rows_of(modality).values())
                yield f"Only {name} has embeddings of {modality.value} ({files:,}): they are not compared."


def _failures(
    a: Run, b: Run, pairs: Sequence[Pair], modalities: Sequence[Modality], *, in_a: bool
) -> Iterator[ManifestRow]:
    """Yield the rows of one run that have failed, while the other has embeddings of the same file."""
    for modality in modalities:
        rows_a, rows_b = a.rows_of(modality), b.rows_of(modality)
        for pair in pairs:
            found = rows_a.get(pair.a.path), rows_b.get(pair.b.path)
            failed, done = found if in_a else reversed(found)
            if failed and done and done.is_ok and not failed.is_ok:
                yield failed


def _compare_doubts(a: Run, b: Run, pairs: Sequence[Pair], modalities: set[str]) -> DoubtChanges:
    missing = tuple(run.name for run in (a, b) if not (run.export / DOUBTS_CSV).exists())
    doubts_a, doubts_b = (
        [doubt for doubt in read_doubts(run.export) if doubt.modality.value in modalities] for run in (a, b)
    )
    if missing:
        return DoubtChanges((), (), 0, missing)
    called_in_b = {pair.a.path: pair.b.path for pair in pairs}
    keys_a = [(called_in_b.get(doubt.path), doubt.kind, doubt.modality) for doubt in doubts_a]
    keys_b = [(doubt.path, doubt.kind, doubt.modality) for doubt in doubts_b]
    known_a, known_b = set(keys_a), set(keys_b)
    return DoubtChanges(
        came=tuple(doubt for doubt, key in zip(doubts_b, keys_b, strict=True) if key not in known_a),
        went=tuple(doubt for doubt, key in zip(doubts_a, keys_a, strict=True) if key not in known_b),
        kept=len(known_a & known_b),
    )
