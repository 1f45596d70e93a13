"""LanceDB's tables, against plain comparisons; skipped where LanceDB is not installed."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from l3embed.cli.main import main
from l3embed.errors import OpenL3Error
from l3embed.export import lance
from l3embed.export.formats import Dtype, Embedded, RowLayout, Rows
from l3embed.export.manifest import ManifestRow
from l3embed.search import Index
from l3embed.search.lance_index import LanceIndex
from l3embed.variants import Modality

from .conftest import Array, centred_cosines, frames_of, rows_of, write_export

pytest.importorskip("lancedb")

FRAMES = frames_of(30)
LABELS = ["bells", "rain's", "", "drums", "bells"] * 6


def with_table(
    folder: Path,
    frames: Sequence[Array] = FRAMES,
    kind: Rows = Rows.FRAMES,
    rows: Sequence[ManifestRow] | None = None,
    dtype: Dtype = Dtype.FLOAT32,
) -> Path:
    """An export with a LanceDB table."""
    rows = rows or rows_of(frames, LABELS[: len(frames)])
    export = write_export(folder, frames, rows)
    items = []
    for row, each in zip(rows, frames, strict=True):
        exact = each.astype(np.float64)
        moments = export.parent / f"{row.output}.npy"
        np.save(moments, [exact.mean(axis=0), exact.std(axis=0)])
        items.append(Embedded(row, export / row.output, moments))
    lance.write(export, items, RowLayout(kind, dtype=dtype))
    return export


@pytest.mark.parametrize("kind", Rows)
@pytest.mark.parametrize("dtype", Dtype)
def test_without_an_index_hits_are_those_of_a_plain_comparison(
    tmp_path: Path, kind: Rows, dtype: Dtype
) -> None:
    export = with_table(tmp_path / "export", kind=kind, dtype=dtype)
    found = LanceIndex(export)
    assert (found.facts.partitions, found.facts.recall) == (0, 1)
    expected = Index(export, rows=kind.value).search("03.wav", top=7)
    hits = found.search("03.wav", top=7)
    assert [(hit.path, hit.time_s) for hit in hits] == [(hit.path, hit.time_s) for hit in expected]
    np.testing.assert_allclose(
        [hit.similarity for hit in hits], [hit.similarity for hit in expected], atol=2e-3
    )


def test_options_mean_the_same(tmp_path: Path) -> None:
    export = with_table(tmp_path / "export")
    one, other = LanceIndex(export), Index(export, rows="frames")
    for options in (
        {"label": ["rain's", "drums"]},
        {"without": ["rain's"]},
        {"without": ["07.wav"]},
        {"one_per_file": True, "top": 20},
        {"top": 999},
    ):
        for query in ("05.wav", "05.wav@0.4-1.1"):
            hits, expected = (index.search(query, **options) for index in (one, other))
            assert {(hit.path, hit.time_s) for hit in hits} == {(hit.path, hit.time_s) for hit in expected}
            np.testing.assert_allclose(
                [hit.similarity for hit in hits], [hit.similarity for hit in expected], atol=1e-3
            )


def test_the_recall_is_measured_on_the_table_and_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(lance, "FEWEST_INDEXED", 500)
    monkeypatch.setattr(lance, "ROWS_PER_PARTITION", 40)
    frames = frames_of(150, seed=2)
    export = with_table(tmp_path / "export", frames, rows=rows_of(frames))
    facts, centre = lance.read_facts(export, Modality.AUDIO)
    every = np.concatenate(frames)
    assert (facts.count, facts.partitions) == (len(every), len(every) // 40)
    np.testing.assert_allclose(centre, every.mean(axis=0, dtype=np.float64), rtol=1e-6)
    assert facts.recall >= lance.RECALL
    assert f"looks at {facts.looked_at} of them" in capsys.readouterr().err
    # Once more with plain NumPy, for rows that the measurement did not draw alone.
    index, shares = LanceIndex(export), []
    paths = np.repeat([row.path for row in rows_of(frames)], [len(each) for each in frames])
    for row in every[::9]:
        exact = np.argsort(-centred_cosines(every, row))[:10]
        found = {(hit.path, round(hit.similarity, 3)) for hit in index.search(row, top=10)}
        cosines = centred_cosines(every, row)
        shares.append(len(found & {(paths[place], round(cosines[place], 3)) for place in exact}) / 10)
    assert np.mean(shares) >= lance.RECALL - 0.1


def test_an_export_without_a_table_says_how_to_get_one(tmp_path: Path) -> None:
    export = write_export(tmp_path / "export", FRAMES)
    with pytest.raises(
        OpenL3Error, match=r"no LanceDB table of audio\. Export with export\.formats=\[npz,lance\]"
    ):
        LanceIndex(export)


def test_the_command_asks_for_what_the_table_has(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    export = with_table(tmp_path / "export")
    words = ["search", "00.wav", "--in", str(export), "--lance"]
    assert main(words) == 1
    assert "has a row for each of the frames. Add --moments" in capsys.readouterr().err
    assert main([*words, "--moments"]) == 0
    assert "like 00.wav:" in capsys.readouterr().out
