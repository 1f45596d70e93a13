"""Which files a page has previews of; the previews themselves are made up."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from l3embed.errors import OpenL3Error
from l3embed.report.media_files import MediaFile, media_files
from l3embed.report.preview_budget import Previews, collect_previews, spread_over_labels
from l3embed.report.previews import Preview, Subject
from l3embed.variants import Media

from .conftest import audio_row

SOUND = b"123" * 100
PAGE_BYTES = 400
"""What the sound takes in a page."""


def previews_of(subjects: Sequence[Subject]) -> list[Preview | OpenL3Error]:
    """A sound of each file, but for those that are bad by name."""
    return [
        OpenL3Error("no sound") if "bad" in subject.path else Preview(sound=SOUND) for subject in subjects
    ]


def files_of(*names: str) -> list[MediaFile]:
    """Recordings, each with other bytes, whose labels are their first letters."""
    return [MediaFile(name, name[0], Media.AUDIO, sha256=f"of {name}") for name in names]


def collected(files: Sequence[MediaFile], budget_bytes: int = 10**7) -> Previews:
    return collect_previews(files, previews_of, budget_bytes, seed=0)


LETTERS = [f"{label}{number}" for label in "abc" for number in range(8)]


def test_files_that_cannot_be_previewed_stop_nothing() -> None:
    previews = collected(files_of("a", "bad", "c"))
    assert previews.made == {0: Preview(SOUND), 2: Preview(SOUND)}
    assert previews.reasons == {1: "no sound"}


def test_a_budget_is_kept_and_shared_by_the_labels() -> None:
    previews = collected(files_of(*LETTERS), budget_bytes=round(6.5 * PAGE_BYTES))
    labels = [LETTERS[place][0] for place in previews.made]
    assert {label: labels.count(label) for label in "abc"} == {"a": 2, "b": 2, "c": 2}


def test_without_a_budget_nothing_is_previewed() -> None:
    previews = collected(files_of("a", "bad"), budget_bytes=0)
    assert (previews.made, previews.reasons) == ({}, {})


def test_every_beginning_of_the_order_has_all_labels_alike() -> None:
    labels = ["a"] * 50 + ["b"] * 3 + ["c"] * 7
    files = files_of(*(f"{label}{number}" for number, label in enumerate(labels)))
    order = spread_over_labels(files, seed=0)
    assert sorted(order) == list(range(60))
    assert sorted(labels[place] for place in order[:9]) == list("aaabbbccc")
    assert order == spread_over_labels(files, seed=0)
    assert order != spread_over_labels(files, seed=1)


def test_one_more_file_takes_the_place_of_one_other_at_most() -> None:
    files = files_of(*LETTERS)
    budget_bytes = 12 * PAGE_BYTES
    for number in range(20):
        before = {files[place].path for place in collected(files, budget_bytes).made}
        files.append(*files_of(f"a new {number}"))
        after = {files[place].path for place in collected(files, budget_bytes).made}
        assert len(before - after) <= 1


def test_other_names_leave_the_order_as_it_is() -> None:
    files = files_of(*LETTERS)
    renamed = [replace(file, path=f"{number}") for number, file in enumerate(files)]
    assert spread_over_labels(renamed, seed=0) == spread_over_labels(files, seed=0)


def test_a_file_of_two_modalities_is_one_file() -> None:
    rows = [audio_row("a.mp4"), audio_row("a.mp4", modality="image", sample_rate_hz=None)]
    (file,) = media_files(rows)
    assert (file.has_sound, file.has_picture, file.sample_rate_hz) == (True, True, 16_000.0)


def test_failed_inputs_are_no_files_of_the_page() -> None:
    files: list[MediaFile] = media_files([audio_row("a.wav", status="failed"), audio_row("b.wav")])
    assert [file.path for file in files] == ["b.wav"]
