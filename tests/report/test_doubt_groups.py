"""Doubts by kind: which there are, of how many files, and how many of these were mistaken."""

from __future__ import annotations

from l3embed.evaluation.evaluation import Prediction
from l3embed.export.doubts import Doubt
from l3embed.report.doubt_groups import MOST_LISTED, doubt_groups
from l3embed.variants import DoubtKind, Modality


def doubt(path: str, kind: DoubtKind, modality: Modality = Modality.AUDIO) -> Doubt:
    return Doubt(path, modality, "a", kind, "is so.")


def test_the_worst_kind_comes_first() -> None:
    found = doubt_groups([doubt("a.wav", DoubtKind.SHORT), doubt("b.wav", DoubtKind.CONFLICT)], {})
    assert [group.kind for group in found] == [DoubtKind.CONFLICT, DoubtKind.SHORT]


def test_a_video_is_one_file() -> None:
    (group,) = doubt_groups([doubt("a.mp4", DoubtKind.OUTLIER, modality) for modality in Modality], {})
    assert (group.files, len(group.listed), group.more) == (1, 2, 0)


def test_mistakes_are_counted_among_the_files_that_were_evaluated() -> None:
    predictions = [
        Prediction("a.wav", "a", "b", "0", 0.9),
        Prediction("b.wav", "a", "a", "0", 0.9),
        Prediction("sound.wav", "a", "b", "0", 0.9),
    ]
    doubts = [doubt(path, DoubtKind.SILENT) for path in ("a.wav", "b.wav", "not evaluated.wav")]
    (group,) = doubt_groups(doubts, {Modality.AUDIO: predictions})
    assert (group.files, group.evaluated, group.mistakes) == (3, 2, 1)


def test_of_many_files_the_first_are_listed() -> None:
    (group,) = doubt_groups([doubt(f"{n}.wav", DoubtKind.COPY) for n in range(MOST_LISTED + 7)], {})
    assert (group.files, len(group.listed), group.more) == (MOST_LISTED + 7, MOST_LISTED, 7)
