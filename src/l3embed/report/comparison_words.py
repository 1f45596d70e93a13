"""What a comparison says in sentences, on the terminal and on its page alike."""

from __future__ import annotations

from collections.abc import Iterator

from l3embed.progress import counted
from l3embed.report.changed_neighbours import FEWEST_FILES, NeighbourChanges
from l3embed.report.changed_scores import ScoreChanges
from l3embed.report.comparison import Comparison, DoubtChanges
from l3embed.report.formatting import format_count, format_share

FEWEST_CHANCE = 0.0001
"""Smaller probabilities are all the same to a reader."""


def file_words(comparison: Comparison) -> str:
    """Return how many files there are, and how many are in both runs."""
    a, b = comparison.counts
    both = len(comparison.files.pairs)
    return f"{format_count(a)} in A, {format_count(b)} in B, {format_count(both)} in both"


def neighbour_words(changes: NeighbourChanges) -> Iterator[str]:
    """Yield sentences on how far files keep their nearest neighbours."""
    if changes.not_finite:
        yield (
            f"Left out, since their embeddings are not finite: {counted(len(changes.not_finite), 'file')}, "
            f"as {changes.not_finite[0]}."
        )
    if not changes.count:
        few = len(changes.pairs)
        yield (
            f"Nothing can be said of neighbours: that needs {FEWEST_FILES} files with embeddings in both; "
            f"got {few}."
        )
        return
    if len(changes.pairs) < changes.files - len(changes.not_finite):
        yield (
            f"Neighbours are compared for a sample: {format_count(len(changes.pairs))} of "
            f"{counted(changes.files, 'file')} in both, drawn at random, and sought among these."
        )
    nearest = f"{changes.count} nearest neighbours" if changes.count > 1 else "nearest neighbour"
    yield (
        f"Of their {nearest} among the {counted(len(changes.pairs), 'file')} compared, files keep "
        f"{format_share(changes.shares.mean())} on average (by chance {format_share(changes.by_chance)}); "
        f"{format_count(changes.distribution[-1])} keep all, {format_count(changes.distribution[0])} none."
    )


def number_words(changes: NeighbourChanges) -> str:
    """Return how far the embeddings themselves differ; nothing where that has no meaning."""
    numbers = changes.same_numbers
    if numbers is None or not numbers.files:
        return ""
    if numbers.identical == numbers.files:
        return "The mean embeddings are the same, to the last bit."
    return (
        f"Both are of one network: the mean embeddings of {format_count(numbers.identical)} of "
        f"{counted(numbers.files, 'file')} are the same, to the last bit; the others differ by up to "
        f"{numbers.largest:.1e} of the largest magnitude."
    )


def reason_words(scores: ScoreChanges) -> str:
    """Return which run has no figures, and why; nothing if both have some."""
    a, b = (reason.rstrip(".") for reason in scores.reasons)
    if a and b:
        return f"Neither run was evaluated: {a}." if a == b else f"Neither run was evaluated: A: {a}; B: {b}."
    if a or b:
        return f"Only {'B' if a else 'A'} was evaluated. {'A' if a else 'B'}: {a or b}."
    return ""


def judgement_words(scores: ScoreChanges) -> Iterator[str]:
    """Yield sentences on the files or windows that were evaluated in both runs."""
    if not scores.unit:
        a, b = scores.units
        yield f"In A {a}s were evaluated, in B {b}s: they cannot be compared one by one."
        return
    if not scores.judgements:
        if not any(scores.reasons):
            yield f"No {scores.unit} was evaluated in both runs."
        return
    files = len(scores.judgements)
    lost, won = len(scores.judged(a=True, b=False)), len(scores.judged(a=False, b=True))
    both = len(scores.judged(a=True, b=True))
    yield (
        f"Of the {counted(files, scores.unit)} evaluated in both, the linear probe is right about "
        f"{format_share((both + lost) / files)} in A and {format_share((both + won) / files)} in B: "
        f"{format_count(lost)} right in A alone, {format_count(won)} in B alone."
    )
    chance = scores.chance
    if chance is not None:
        much = f"less than {FEWEST_CHANCE:.4f}" if chance < FEWEST_CHANCE else f"{chance:.2g}"
        yield (
            "Between two runs that are equally good, chance alone would part files so unevenly, or more, "
            f"with a probability of {much} (McNemar's exact test)."
        )


def doubt_words(doubts: DoubtChanges) -> str:
    """Return how many doubts came, went and stayed."""
    if doubts.missing:
        without = " and ".join(doubts.missing)
        return f"Doubts are not compared: no list in {without}. Run 'dvc repro -f export', which writes it."
    return f"{len(doubts.came):,} came, {len(doubts.went):,} went, {doubts.kept:,} are in both"
