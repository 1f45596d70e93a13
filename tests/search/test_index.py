"""What is most like a query, against a plain comparison with all."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Literal

import numpy as np
import pytest

from l3embed.disk.tables import write_rows
from l3embed.errors import OpenL3Error
from l3embed.export.manifest import mean_path
from l3embed.export.window_labels import WINDOWS_CSV, WindowLabel
from l3embed.report.neighbours import nearest
from l3embed.search import Index
from l3embed.variants import Modality

from .conftest import (
    DIMENSION,
    HOP_S,
    centred_cosines,
    frames_of,
    rows_of,
    write_export,
    write_npz,
)

FRAMES = frames_of(20)
LABELS = ["bells", "rain", "", "drums"] * 5
MEANS = np.array([each.mean(axis=0) for each in FRAMES])
EVERY = np.concatenate(FRAMES)
OWNERS = np.repeat(np.arange(20), [len(each) for each in FRAMES])
FORMATS = ["npz", "parquet", "packed"]


@pytest.fixture
def export(tmp_path: Path) -> Path:
    return write_export(tmp_path / "export", FRAMES, rows_of(FRAMES, LABELS))


def paths(places: Iterable[int]) -> list[str]:
    return [f"{place:02}.wav" for place in places]


def test_the_best_files_are_those_with_the_largest_centred_cosines(export: Path) -> None:
    hits = Index(export).search("03.wav", top=5)
    cosines = centred_cosines(MEANS, MEANS[3])
    cosines[3] = -2
    expected = np.argsort(-cosines)[:5]
    assert [hit.path for hit in hits] == paths(expected)
    assert [hit.rank for hit in hits] == [1, 2, 3, 4, 5]
    assert [hit.label for hit in hits] == [LABELS[place] for place in expected]
    np.testing.assert_allclose([hit.similarity for hit in hits], cosines[expected], atol=1e-5)


def test_hits_are_the_neighbours_that_the_report_shows(export: Path) -> None:
    shown = nearest(np.load(mean_path(export, Modality.AUDIO)), 8)
    index = Index(export)
    for place in range(20):
        hits = index.search(f"{place:02}.wav", top=8)
        assert [hit.path for hit in hits] == paths(shown.index[place])
        np.testing.assert_allclose([hit.similarity for hit in hits], shown.similarity[place], atol=2e-5)


@pytest.mark.parametrize("formats", FORMATS)
def test_the_best_moments_are_those_with_the_largest_centred_cosines(tmp_path: Path, formats: str) -> None:
    export = write_export(tmp_path / "export", FRAMES, formats=formats)
    query = np.random.default_rng(5).normal(30, 1, DIMENSION).astype(np.float32)
    hits = Index(export, rows="frames").search(query, top=12)
    cosines = centred_cosines(EVERY, query)
    expected = np.argsort(-cosines)[:12]
    assert [hit.path for hit in hits] == paths(OWNERS[expected])
    np.testing.assert_allclose([hit.similarity for hit in hits], cosines[expected], atol=1e-3)


def test_a_folder_of_npz_files_is_searched_as_an_export_is(tmp_path: Path, export: Path) -> None:
    for number, each in enumerate(FRAMES):
        write_npz(tmp_path / "mine" / f"{number:02}.npz", each)
    kinds: tuple[Literal["files"], Literal["frames"]] = ("files", "frames")
    for rows in kinds:
        hits, others = (
            Index(folder, rows=rows).search(MEANS[3].astype(np.float32), top=9)
            for folder in (export, tmp_path / "mine")
        )
        assert [hit.path.replace(".wav", ".npz") for hit in hits] == [hit.path for hit in others]
        np.testing.assert_allclose(
            [hit.similarity for hit in hits], [hit.similarity for hit in others], atol=1e-4
        )


def test_one_hit_a_file_is_its_best_moment(export: Path) -> None:
    index = Index(export, rows="frames")
    query = EVERY[0]
    hits = index.search(query, top=20, one_per_file=True)
    cosines = centred_cosines(EVERY, query)
    best = {f"{place:02}.wav": cosines[place == OWNERS].max() for place in range(20)}
    assert [hit.path for hit in hits] == sorted(best, key=lambda path: -best[path])
    np.testing.assert_allclose([hit.similarity for hit in hits], sorted(best.values())[::-1], atol=1e-3)


def test_labels_choose_and_leave_out(export: Path) -> None:
    index = Index(export)
    everything = index.search("00.wav", top=99)
    assert len(everything) == 19
    chosen = index.search("00.wav", top=99, label=["bells", "rain"])
    assert chosen
    assert {hit.label for hit in chosen} == {"bells", "rain"}
    left = index.search("00.wav", top=99, without=["bells"])
    assert [hit.path for hit in left] == [hit.path for hit in everything if hit.label != "bells"]


def test_what_is_more_like_a_query_of_not_is_no_hit(export: Path) -> None:
    hits = Index(export).search("00.wav", top=99, without=["07.wav"])
    own, other = (centred_cosines(MEANS, MEANS[place]) for place in (0, 7))
    own[0] = -2
    assert [hit.path for hit in hits] == paths(
        [place for place in np.argsort(-own) if own[place] >= other[place]]
    )
    assert 0 < len(hits) < 18


def test_a_moment_says_what_was_heard(export: Path) -> None:
    """Windows of a second around their times, as far as there is sound."""
    index = Index(export, rows="frames")
    hits = {hit.time_s: hit for hit in index.search(FRAMES[4][0], top=999) if hit.path == "04.wav"}
    last_s = HOP_S * (len(FRAMES[4]) - 1)
    assert (hits[0.0].begin_s, hits[0.0].end_s) == (0, 0.5)
    assert (hits[0.5].begin_s, hits[0.5].end_s) == (0, 1)
    assert (hits[last_s].begin_s, hits[last_s].end_s) == (last_s - 0.5, last_s + 0.5)


def test_windows_that_are_not_centred_begin_at_their_times(tmp_path: Path) -> None:
    """As the lengths of files tell: with n windows, they are a second and n - 1 hops long."""
    rows = [type(row)(**{**vars(row), "duration_s": 1 + HOP_S * (row.frames - 1)}) for row in rows_of(FRAMES)]
    export = write_export(tmp_path / "export", FRAMES, rows)
    hit = next(hit for hit in Index(export, rows="frames").search(EVERY[0], 999) if hit.time_s == 0.5)
    assert (hit.begin_s, hit.end_s) == (0.5, 1.5)


@pytest.mark.parametrize("rows", ["files", "frames"])
def test_a_part_of_a_row_is_the_mean_of_its_moments(export: Path, rows: str) -> None:
    index = Index(export, rows=rows)  # type: ignore[arg-type]
    found = index.search("05.wav@0.4-1.1", top=6)
    expected = index.search(FRAMES[5][1:3], top=20)
    own = {("05.wav", 0.5), ("05.wav", 1.0)} if rows == "frames" else {("05.wav", None)}
    left = [hit for hit in expected if (hit.path, hit.time_s) not in own]
    assert [(hit.path, hit.time_s) for hit in found] == [(hit.path, hit.time_s) for hit in left][:6]


def test_a_query_is_no_hit_of_itself_and_other_moments_of_its_file_are(export: Path) -> None:
    index = Index(export, rows="frames")
    assert "05.wav" not in {hit.path for hit in index.search("05.wav", top=999)}
    hits = index.search("05.wav@0.4-0.6", top=999)
    assert {hit.time_s for hit in hits if hit.path == "05.wav"} == {
        HOP_S * place for place in range(len(FRAMES[5])) if place != 1
    }


def test_equal_files_are_all_as_like(tmp_path: Path) -> None:
    same = [FRAMES[0], *[FRAMES[1]] * 6, FRAMES[2]]
    hits = Index(write_export(tmp_path / "export", same)).search("03.wav", top=5)
    assert {hit.path for hit in hits} == {"01.wav", "02.wav", "04.wav", "05.wav", "06.wav"}
    np.testing.assert_allclose([hit.similarity for hit in hits], 1, atol=1e-4)


def test_a_mean_that_is_not_finite_costs_no_other(tmp_path: Path) -> None:
    frames = [*FRAMES[:5], np.full((3, DIMENSION), np.nan, np.float32)]
    export = write_export(tmp_path / "export", frames)
    index = Index(export)
    assert len(index.search("00.wav", 99)) == 4
    assert list(index.failures) == ["05.wav"]
    with pytest.raises(OpenL3Error, match="not finite"):
        index.search("05.wav")
    moments = Index(export, rows="frames")
    assert {hit.path for hit in moments.search(EVERY[0], 99)} == {f"0{place}.wav" for place in range(5)}
    assert "embedding 0 (from 0)" in moments.failures["05.wav"]


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("nope.wav", "no such file, and .* no row of that name"),
        ("5.wav", r"Did you mean 0?\d?5\.wav"),
        ("05.wav@3-2", "must end after it begins; got 3-2"),
        ("05.wav@0.5", "as song.wav@12.5-14, in seconds"),
        ("05.wav@1-99", "s long, and the part asked for is 1-99"),
    ],
)
def test_a_query_that_cannot_be_answered_says_why(export: Path, query: str, words: str) -> None:
    with pytest.raises(OpenL3Error, match=words):
        Index(export).search(query)


def test_an_embedding_of_another_dimension_is_refused(export: Path) -> None:
    with pytest.raises(OpenL3Error, match=r"must have the shape \(12,\) or \(T, 12\); got \(7,\)"):
        Index(export).search(np.ones(7, np.float32))


def test_an_unknown_label_is_named_with_those_that_there_are(export: Path) -> None:
    with pytest.raises(OpenL3Error, match="the label 'bels'; its labels: bells, drums, rain"):
        Index(export).search("00.wav", label=["bels"])


def test_whole_files_alone_have_no_moments(tmp_path: Path) -> None:
    export = write_export(tmp_path / "export", FRAMES, formats="parquet files")
    assert len(Index(export).search("00.wav")) == 10
    with pytest.raises(OpenL3Error, match="no row for each moment"):
        Index(export, rows="frames")


@pytest.mark.parametrize("facts", [{"variant": "audio_mel256_music_512_kapre"}, {"weights": "random:8"}])
def test_an_export_that_was_computed_in_two_ways_is_refused_with_both_named(
    tmp_path: Path, facts: dict[str, str]
) -> None:
    rows = rows_of(FRAMES)
    rows[3] = type(rows[3])(**{**vars(rows[3]), **facts})
    export = write_export(tmp_path / "export", FRAMES, rows)
    with pytest.raises(OpenL3Error, match=rf"00\.wav was .*, 03\.wav by .*{next(iter(facts.values()))}"):
        Index(export)


def test_a_folder_of_files_that_were_computed_in_two_ways_is_refused_with_both_named(tmp_path: Path) -> None:
    write_npz(tmp_path / "mine" / "a.npz", FRAMES[0])
    write_npz(tmp_path / "mine" / "b.npz", FRAMES[1], weights="random:8")
    with pytest.raises(OpenL3Error, match=r"b\.npz was .*random:8 .*, a\.npz by .*random:7"):
        Index(tmp_path / "mine")


def test_folders_without_embeddings_are_refused(tmp_path: Path) -> None:
    with pytest.raises(OpenL3Error, match="nope does not exist"):
        Index(tmp_path / "nope")
    (tmp_path / "empty").mkdir()
    with pytest.raises(OpenL3Error, match=r"neither an export .* nor has it any \.npz"):
        Index(tmp_path / "empty")


def test_pictures_are_sought_among_pictures(tmp_path: Path, export: Path) -> None:
    with pytest.raises(OpenL3Error, match="no image embeddings; its modalities: audio"):
        Index(export, "image")
    rows = rows_of(FRAMES, modality="image", variant="image_mel128_music_512")
    pictures = write_export(tmp_path / "pictures", FRAMES, rows)
    assert len(Index(pictures, "image").search("03.wav")) == 10


def test_moments_have_their_own_labels_where_parts_of_sounds_have(export: Path) -> None:
    windows = [WindowLabel("03.wav", 1, 0.5, "wren"), WindowLabel("05.wav", 0, 0.0, "owl")]
    write_rows(export / WINDOWS_CSV, WindowLabel, windows)
    index = Index(export, rows="frames")
    assert index.labels == {"wren", "owl"}
    found = index.search(EVERY[0], top=999)
    labelled = {(hit.path, hit.time_s): hit.label for hit in found if hit.label}
    assert labelled == {("03.wav", 0.5): "wren", ("05.wav", 0.0): "owl"}
    assert [hit.path for hit in index.search(EVERY[0], label=["wren"])] == ["03.wav"]
    assert len(index.search(EVERY[0], top=999, without=["wren"])) == len(EVERY) - 1
