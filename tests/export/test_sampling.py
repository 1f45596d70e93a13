"""Which files are drawn where there are too many: the same ones in all modalities, and next time."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from l3embed.evaluation import evaluation
from l3embed.evaluation.evaluation import EvaluationOptions, evaluate
from l3embed.export.copies import doubts_about_copies
from l3embed.export.manifest import ManifestRow, mean_path, write_packed_manifest
from l3embed.export.manifest_table import ManifestTable, read_table
from l3embed.export.sampling import draw
from l3embed.variants import Modality


def rows(count: int, modality: str = "audio") -> list[ManifestRow]:
    return [
        ManifestRow(f"{number:04d}.mp4", modality, label=f"class {number % 2}", frames=1, dimension=2)
        for number in range(count)
    ]


def test_few_files_are_all_there() -> None:
    sample = draw(rows(10), 10)
    assert sample.rows(rows(10)) == rows(10)
    assert sample.words == ""


def test_as_many_as_are_wanted_are_drawn_in_both_modalities() -> None:
    sample = draw([*rows(300), *rows(300, "image")], 100)
    sounds, pictures = sample.rows(rows(300)), sample.rows(rows(300, "image"))
    assert [row.path for row in sounds] == [row.path for row in pictures]
    assert len(sounds) == 100
    assert sample.words == "100 of 300 files, drawn at random"


def test_another_file_takes_the_place_of_one_at_most() -> None:
    before = {row.path for row in draw(rows(300), 100).rows(rows(300))}
    after = {row.path for row in draw(rows(301), 100).rows(rows(301))}
    assert len(before - after) <= 1


def test_rows_come_from_columns_as_they_were_written(tmp_path: Path) -> None:
    written = [*rows(5000), ManifestRow("z.wav", "audio", status="failed", reason="It is empty.", end_s=2.5)]
    write_packed_manifest(tmp_path, iter(written))
    table = read_table(tmp_path / "manifest.parquet")
    assert isinstance(table, ManifestTable)
    assert list(table) == written
    assert table[-1] == written[-1]
    assert list(table[4998:]) == written[4998:]
    assert list(table.embedded_in(Modality.AUDIO)) == written[:-1]
    assert draw(table, 100).rows(table) == draw(written, 100).rows(written)


def test_many_packed_files_are_evaluated_by_a_sample_and_a_note_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(evaluation, "MOST_NUMBERS", 80)
    write_packed_manifest(tmp_path, rows(100))
    np.save(mean_path(tmp_path, Modality.AUDIO), np.random.default_rng(0).normal(size=(100, 2)).astype("f4"))
    found = evaluate(tmp_path, EvaluationOptions(folds=2))[Modality.AUDIO]
    assert found.files == 40
    assert found.notes[0] == "evaluated on 40 of 100 files, drawn at random"


def test_copies_are_found_in_columns_as_in_rows(tmp_path: Path) -> None:
    written = [
        ManifestRow(
            f"{number:03d}.mp4",
            modality,
            label=("", "dog", "cat")[number % 3],
            sha256=f"{number * 7 % 20:064d}",
            start_s=(None, 0.0, 1.0)[number * 7 % 20 % 3],
            end_s=(None, 2.0)[number // 20 % 2],
        )
        for number in range(120)
        for modality in (("audio", "image") if number % 5 == 0 else ("audio",))
    ]
    write_packed_manifest(tmp_path, written)
    expected = list(doubts_about_copies(list(read_table(tmp_path / "manifest.parquet"))))
    assert len(expected) > 60
    assert list(doubts_about_copies(read_table(tmp_path / "manifest.parquet"))) == expected
