"""Distances to a reference, as the stages ``check`` and ``evaluate`` know them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from distances.given import Frames, apart, frames, write_npz, write_set

from l3embed.app.sweep_tables import Job, markdown, write_sweep
from l3embed.distances import RunningStatistics, frechet_distance, write_statistics
from l3embed.errors import OpenL3Error
from l3embed.evaluation.evaluation import EvaluationOptions
from l3embed.evaluation.file_format import read_figures
from l3embed.export.manifest import ManifestRow, mean_path, write_manifest
from l3embed.report.reference_rows import reference_tables
from l3embed.stages import evaluate
from l3embed.stages.output_folder import Layout
from l3embed.stages.reference_distances import check_reference
from l3embed.variants import Modality, Variant, parse_audio_variant

LABELS = ["dog"] * 6 + ["cat"] * 2 + ["owl"]
OWN = frames(90, seed=2, shift=0.3)
REFERENCE = frames(60, seed=1)
VARIANTS: dict[Modality, Variant] = {Modality.AUDIO: parse_audio_variant("mel256", "music", 512, "kapre")}


def write_export(folder: Path, embeddings: Frames = OWN, **others: Any) -> Path:
    """An export of nine sounds."""
    rows, means = [], []
    for number, (label, own) in enumerate(zip(LABELS, apart(embeddings, 9), strict=True)):
        output = write_npz(folder / f"{number}.wav.npz", own, **others).name
        facts: dict[str, Any] = {"variant": "audio_mel256_music_512_kapre", "weights": "random:7"}
        facts |= {"sha256": str(number), "frames": len(own), "dimension": own.shape[1], "output": output}
        rows.append(ManifestRow(f"{number}.wav", "audio", label, **facts))
        means.append(own.mean(axis=0))
    write_manifest(folder, rows)
    np.save(mean_path(folder, Modality.AUDIO), np.array(means, np.float32))
    return folder


def fd(one: Frames, other: Frames) -> float:
    found = []
    for set_ in (one, other):
        running = RunningStatistics(8)
        running.add(set_)
        found.append(running.statistics())
    return frechet_distance(found[0].mean, found[0].covariance, found[1].mean, found[1].covariance)


@pytest.fixture
def layout(tmp_path: Path) -> Layout:
    """The folders of a run whose export is there; ``ref`` beside it is a reference."""
    write_set(tmp_path / "ref", apart(REFERENCE, 5))
    write_export(tmp_path / "data" / "export")
    return Layout(tmp_path / "data")


def run(layout: Layout, reference: Path | None) -> tuple[str, dict[str, Any]]:
    line = evaluate.run(EvaluationOptions(resamples=20), layout, reference)
    return line, json.loads((layout.folder("evaluation") / "metrics.json").read_text(encoding="utf-8"))


def test_all_files_and_each_class_are_measured(layout: Layout, tmp_path: Path) -> None:
    line, metrics = run(layout, tmp_path / "ref")
    found = metrics["audio"]["distances"]
    rows = {(row["label"], row["measure"]): row for row in found["rows"]}
    assert list(rows) == [(label, name) for label in ("", "cat", "dog") for name in ("fd", "kad")]
    assert rows["", "fd"]["value"] == pytest.approx(fd(REFERENCE, OWN), abs=1e-6)
    assert rows["dog", "fd"]["value"] == pytest.approx(fd(REFERENCE, OWN[:60]), abs=1e-6)
    assert rows["dog", "fd"]["low"] < rows["dog", "fd"]["value"] < rows["dog", "fd"]["high"]
    assert rows["cat", "fd"]["low"] is None
    assert "owl has a single file, and so no distance" in found["notes"]
    assert f"FD {rows['', 'fd']['value']:,.4g}, KAD {rows['', 'kad']['value']:,.4g} to the reference" in line


def test_experiments_are_compared_by_the_distances_of_all_files(layout: Layout, tmp_path: Path) -> None:
    _, metrics = run(layout, tmp_path / "ref")
    headline = json.loads(layout.metrics_of("evaluate").read_text(encoding="utf-8"))["audio"]
    assert headline["fd"] == metrics["audio"]["distances"]["rows"][0]["value"]


def test_without_a_reference_there_are_none(layout: Layout) -> None:
    _, metrics = run(layout, None)
    assert "distances" not in metrics["audio"]
    assert reference_tables(layout.folder("evaluation")) == []


def test_what_is_written_is_read_again_for_the_report(layout: Layout, tmp_path: Path) -> None:
    run(layout, tmp_path / "ref")
    (table,) = reference_tables(layout.folder("evaluation"))
    assert table.headings == ("Fréchet distance (FD)", "Kernel distance (KAD)")
    assert (table.rows[0].label, table.rows[0].files) == ("", 9)
    values = [row.distances[0].value for row in table.rows[1:] if row.distances[0]]
    assert values == sorted(values, reverse=True)


def test_a_reference_of_statistics_has_no_kad(layout: Layout, tmp_path: Path) -> None:
    running = RunningStatistics(8)
    running.add(REFERENCE)
    write_statistics(tmp_path / "ref.npz", running.statistics())
    _, metrics = run(layout, tmp_path / "ref.npz")
    found = metrics["audio"]["distances"]
    assert {row["measure"] for row in found["rows"]} == {"fd"}
    assert "There is no KAD: the reference holds nothing but statistics" in found["notes"]


def test_an_export_of_another_run_is_a_reference(layout: Layout, tmp_path: Path) -> None:
    other = write_export(tmp_path / "other" / "export")
    _, metrics = run(layout, other)
    assert metrics["audio"]["distances"]["rows"][0]["value"] == pytest.approx(0, abs=1e-6)


def test_a_reference_that_was_computed_otherwise_is_refused(layout: Layout, tmp_path: Path) -> None:
    other = write_set(tmp_path / "other", apart(REFERENCE, 5), weights="random:8")
    with pytest.raises(OpenL3Error, match=r"evaluation\.reference \(.*other\) and this run were not"):
        run(layout, other)


def check(reference: Path, **changed: Any) -> None:
    arguments: dict[str, Any] = {"variants": VARIANTS, "hop_s": 0.5, "weights": "random:7", **changed}
    check_reference(reference, **arguments)


def test_a_reference_that_fits_passes_the_check(layout: Layout, tmp_path: Path) -> None:
    check(tmp_path / "ref")
    check(tmp_path / "ref", weights=None)
    check(layout.folder("export"))


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"hop_s": 0.1}, r"the hop in seconds: 0\.5 in .*, 0\.1 in this run"),
        ({"weights": "published"}, "the weights: random:7 in .*, published in this run"),
        (
            {"variants": {Modality.AUDIO: parse_audio_variant("mel128", "music", 512, "kapre")}},
            "the network: audio_mel256_music_512_kapre in",
        ),
    ],
    ids=["hop", "weights", "network"],
)
@pytest.mark.parametrize("kind", ["npz", "export"])
def test_one_that_was_computed_otherwise_is_found_before_anything_is_replaced(
    layout: Layout, tmp_path: Path, changed: dict[str, Any], words: str, kind: str
) -> None:
    with pytest.raises(OpenL3Error, match=words):
        check(tmp_path / "ref" if kind == "npz" else layout.folder("export"), **changed)


def test_a_folder_of_sounds_is_no_reference(tmp_path: Path) -> None:
    (tmp_path / "a.wav").write_bytes(b"")
    with pytest.raises(OpenL3Error, match=r"evaluation\.reference must be embedded already"):
        check(tmp_path)


def test_a_sweep_has_a_column_for_each_distance(tmp_path: Path) -> None:
    jobs = [
        Job(0, {"dataset.path": "a"}, "ok", distances={Modality.AUDIO: {"fd": 12.3456, "kad": 0.5}}),
        Job(1, {"dataset.path": "b"}, "ok"),
    ]
    lines = markdown(jobs, ["dataset.path"]).splitlines()
    assert lines[0] == "| job | path | sounds, FD | sounds, KAD | seconds | MB |"
    assert lines[2].startswith("| 0 | a | 12.35 | 0.5 |")
    assert lines[3].startswith("| 1 | b |  |  |")
    write_sweep(tmp_path, jobs)
    header, first, _ = (tmp_path / "sweep.csv").read_text(encoding="utf-8").splitlines()
    assert dict(zip(header.split(","), first.split(","), strict=True))["audio_fd"] == "12.3456"


def test_the_figures_of_a_sweep_s_job_are_those_of_all_files(layout: Layout, tmp_path: Path) -> None:
    _, metrics = run(layout, tmp_path / "ref")
    found = read_figures(layout.folder("evaluation"))[Modality.AUDIO].distances
    assert found is not None
    assert found.of_all["fd"] == metrics["audio"]["distances"]["rows"][0]["value"]
