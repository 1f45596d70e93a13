"""Distances between sets that are embedded already: folders of ``.npz``, exports, statistics."""

from __future__ import annotations

import shutil
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from distances.given import Frames, apart, frames, write_npz, write_set
from l3embed.distances import (
    Comparison,
    DistanceOptions,
    RunningStatistics,
    frechet_distance,
    kernel_distance,
    measure_distances,
    write_statistics,
)
from l3embed.errors import OpenL3Error, OpenL3Warning
from l3embed.export.formats import Embedded, RowLayout
from l3embed.export.manifest import ManifestRow, write_manifest, write_packed_manifest
from l3embed.export.parquet import write as write_parquet

REFERENCE = frames(60, seed=1)
CANDIDATE = frames(48, seed=2, shift=0.3)


@pytest.fixture(autouse=True)
def sets(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Two sets, ``ref`` of 5 files and ``mine`` of 6, in the folder where all is done."""
    monkeypatch.chdir(tmp_path)
    write_set(Path("ref"), apart(REFERENCE, 5))
    write_set(Path("mine"), apart(CANDIDATE, 6))
    with warnings.catch_warnings():
        warnings.simplefilter("error", OpenL3Warning)
        yield


def measure(*candidates: str, reference: str = "ref", **options: Any) -> Comparison:
    chosen = DistanceOptions(verbose=False, **{"resamples": 0, **options})
    return measure_distances(reference, list(candidates or ("mine",)), chosen)


def fd(one: Frames, other: Frames) -> float:
    moments = [
        moment
        for set_ in (one, other)
        for moment in (set_.astype(float).mean(axis=0), np.cov(set_.astype(float), rowvar=False))
    ]
    return frechet_distance(*moments)


def test_the_frechet_distance_is_that_of_all_frames_together() -> None:
    (found,) = measure().distances
    assert found.value == pytest.approx(fd(REFERENCE, CANDIDATE), rel=1e-9)
    assert (found.candidate, found.measure.value, found.frames, found.files) == ("mine", "fd", 48, 6)
    assert (found.low, found.high) == (None, None)


def test_kad_is_that_of_all_frames_together() -> None:
    (found,) = measure(measures=("kad",)).distances
    assert found.value == pytest.approx(kernel_distance(REFERENCE, CANDIDATE), rel=1e-9)


def test_several_candidates_and_measures_come_in_their_order() -> None:
    found = measure("mine", "ref", measures=("kad", "fd")).distances
    told = [(distance.candidate, distance.measure.value) for distance in found]
    assert told == [("mine", "kad"), ("mine", "fd"), ("ref", "kad"), ("ref", "fd")]
    assert found[3].value == pytest.approx(0, abs=1e-9)


@pytest.mark.parametrize("measure_name", ["fd", "kad"])
def test_an_interval_surrounds_the_distance(measure_name: str) -> None:
    (found,) = measure(measures=(measure_name,), resamples=50).distances
    assert found.low is not None
    assert found.high is not None
    assert found.low < found.value < found.high


def test_of_few_files_there_is_no_interval() -> None:
    write_set(Path("few"), apart(CANDIDATE, 3))
    comparison = measure("few", resamples=50)
    assert comparison.distances[0].low is None
    assert comparison.notes == ("few has no interval: that takes at least 5 files, and it has 3.",)


def test_fad_infinity_tells_how_well_its_line_fits() -> None:
    write_set(Path("many"), apart(frames(700, seed=4), 3))
    (found,) = measure("many", measures=("fad-inf",)).distances
    assert found.r_squared is not None
    assert found.r_squared <= 1
    assert found.value < fd(REFERENCE, frames(700, seed=4)) * 1.1


def test_a_measure_that_cannot_be_had_costs_no_other() -> None:
    comparison = measure(measures=("fad-inf", "fd"))
    assert [found.measure.value for found in comparison.distances] == ["fd"]
    assert comparison.failures == {
        "mine (FAD-inf)": "FAD-infinity needs more than 500 frames; mine has 48. Take more sounds, or a "
        "smaller hop."
    }


def save(name: str, embeddings: Frames) -> None:
    running = RunningStatistics(embeddings.shape[1])
    running.add(embeddings)
    write_statistics(name, running.statistics())


def test_statistics_take_the_place_of_the_reference_but_for_kad() -> None:
    save("ref.npz", REFERENCE)
    with pytest.warns(OpenL3Warning, match=r"ref\.npz does not say what it was computed with"):
        comparison = measure(reference="ref.npz", measures=("fd", "kad"))
    assert comparison.distances[0].value == pytest.approx(fd(REFERENCE, CANDIDATE), rel=1e-9)
    assert "ref.npz holds nothing but their statistics" in comparison.failures["mine (KAD)"]


def test_statistics_of_all_sides_are_returned_if_asked_for() -> None:
    found = measure_distances("ref", ["mine"], DistanceOptions(verbose=False), with_statistics=True)
    np.testing.assert_allclose(
        found.statistics["mine"].covariance, np.cov(CANDIDATE, rowvar=False), rtol=1e-5
    )
    assert found.statistics["ref"].made.weights == "random:7"


def test_a_file_that_cannot_be_used_is_named_and_the_rest_is_measured() -> None:
    broken = frames(4)
    broken[2, 1] = np.nan
    write_npz(Path("mine/bad.npz"), broken)
    write_npz(Path("mine/other.npz"), frames(4, 5))
    Path("mine/torn.npz").write_bytes(Path("mine/0.npz").read_bytes()[:300])
    np.savez("mine/strange.npz", a=np.zeros(3))
    comparison = measure()
    assert comparison.distances[0].value == pytest.approx(fd(REFERENCE, CANDIDATE), rel=1e-9)
    reasons = {Path(name).name: reason for name, reason in comparison.failures.items()}
    assert reasons["bad.npz"] == "Its embeddings must be finite numbers; row 2 holds NaN or infinite ones."
    assert reasons["other.npz"] == "Its embeddings have 5 numbers; those of 0.npz have 8."
    assert reasons["strange.npz"] == "It holds no array 'embedding'; its arrays: a."
    assert reasons["torn.npz"].startswith("It could not be read")


def test_arrays_of_others_may_be_laid_out_in_any_way() -> None:
    shutil.rmtree("mine")
    for number, part in enumerate(apart(CANDIDATE, 2)):
        others: dict[str, Any] = dict.fromkeys(("variant", "weights", "runtime", "version"))
        write_npz(Path(f"mine/{number}.npz"), np.asfortranarray(part), **others)
    with pytest.warns(OpenL3Warning, match="mine does not say what it was computed with"):
        comparison = measure()
    assert comparison.distances[0].value == pytest.approx(fd(REFERENCE, CANDIDATE), rel=1e-9)


def test_each_file_has_a_distance_of_its_own_and_outliers_are_marked() -> None:
    files = [frames(6, seed=seed) for seed in range(24)]
    files[13] += 5
    write_set(Path("many"), files)
    comparison = measure("many", per_file=True)
    first, *others = comparison.per_file["many"]
    assert (first.file, first.is_outlier) == ("13.npz", True)
    assert first.value == pytest.approx(fd(REFERENCE, files[13]), rel=1e-6)
    assert not any(file.is_outlier for file in others)


@pytest.mark.filterwarnings("ignore")
def test_a_file_of_one_frame_has_no_distance_of_its_own() -> None:
    write_npz(Path("mine/one.npz"), frames(1))
    comparison = measure(per_file=True)
    assert len(comparison.per_file["mine"]) == 6
    assert comparison.notes == ("mine: 1 of 7 files have a single frame, and so no distance of their own.",)


def export(folder: Path, embeddings: list[Frames], kind: str = "npz") -> Path:
    """An export: ``npz``, ``parquet``, or ``packed``, whose parts have an order of their own."""
    facts: dict[str, Any] = {"variant": "audio_mel256_music_512_kapre", "weights": "random:7", "dimension": 8}
    rows, items = [], []
    for number, embedding in enumerate(embeddings):
        path = write_npz(folder / f"{number}.wav.npz", embedding)
        output = path.name if kind == "npz" else "parquet/audio/part-00000.parquet" * (kind == "packed")
        rows.append(ManifestRow(f"{number}.wav", "audio", "a", frames=len(embedding), output=output, **facts))
        items.append(Embedded(rows[-1], path, path))
    if kind != "npz":
        write_parquet(folder, items if kind == "parquet" else items[::-1], RowLayout())
        for item in items:
            item.embeddings.unlink()
    rows.append(ManifestRow("bad.wav", "audio", status="failed", reason="It is empty."))
    (write_packed_manifest if kind == "packed" else write_manifest)(folder, rows)
    return folder


@pytest.mark.parametrize("kind", ["npz", "parquet", "packed"])
def test_an_export_is_measured_in_any_layout(kind: str) -> None:
    parts = apart(CANDIDATE, 6)
    export(Path("run/export"), parts, kind)
    comparison = measure("run/export", per_file=True)
    (found,) = comparison.distances
    own = {file.file: file.value for file in comparison.per_file["run/export"]}
    assert own["0.wav"] == pytest.approx(fd(REFERENCE, parts[0]), rel=1e-9)
    assert found.value == pytest.approx(fd(REFERENCE, CANDIDATE), rel=1e-9)
    assert found.files == 6


def test_the_folder_of_an_export_is_pointed_to_the_export() -> None:
    export(Path("run/export"), apart(CANDIDATE, 6))
    with pytest.raises(OpenL3Error, match=r"run is no export, but the folder of one\. Name run/export"):
        measure("run")


@pytest.mark.parametrize(
    ("others", "words"),
    [
        (
            {"variant": "audio_mel256_env_512_kapre"},
            "the network: audio_mel256_music_512_kapre in ref",
        ),
        ({"weights": "random:8"}, "the weights: random:7 in ref, random:8 in other"),
        ({"hop_s": 0.1}, r"the hop in seconds: 0\.5 in ref, 0\.1 in other"),
        ({"channels": 2}, "channels embedded apart: 1 in ref, 2 in other"),
        ({"protocol": "kadtk"}, "the protocol: openl3 in ref, kadtk in other"),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else "",
)
def test_sides_that_were_not_computed_alike_are_refused(others: dict[str, Any], words: str) -> None:
    write_set(Path("other"), apart(CANDIDATE, 6), **others)
    with pytest.raises(OpenL3Error, match=f"ref and other were not computed alike.*{words}"):
        measure("mine", "other")


def test_files_of_one_set_have_to_be_computed_alike_too() -> None:
    write_npz(Path("mine/z.npz"), frames(5), weights="random:9")
    with pytest.raises(OpenL3Error, match=r"mine: 0\.npz and z\.npz were not computed alike"):
        measure()


def test_sides_of_different_dimensions_are_refused() -> None:
    write_set(Path("other"), apart(frames(20, 5), 3))
    with pytest.raises(OpenL3Error, match="ref has embeddings of 8 numbers, and other of 5"):
        measure("other")


def test_the_published_weights_of_others_are_the_published_ones() -> None:
    """Their files do not say which checksum those have."""
    write_set(Path("one"), apart(CANDIDATE, 6), weights="published:abc")
    write_set(Path("two"), apart(REFERENCE, 6), weights="published")
    assert measure("two", reference="one").distances


@pytest.mark.parametrize(
    ("side", "words"),
    [
        ("missing", r"There is no missing\. A side must be a folder of sounds"),
        ("empty", r"There is nothing in empty to measure.*Subfolders are searched with --recursive"),
        ("one", r"A set needs at least 2 files; one has 1\."),
        (
            "mine/0.npz",
            r"mine/0\.npz holds the embeddings of one file, and a set needs two\.",
        ),
        ("a.wav", r"a\.wav is a single file, and a set needs two"),
        ("text.npz", r"text\.npz could not be read"),
    ],
)
def test_what_is_no_set_is_refused(side: str, words: str) -> None:
    Path("empty").mkdir()
    write_set(Path("one"), [frames(30)])
    Path("a.wav").write_bytes(b"")
    Path("text.npz").write_text("none")
    with pytest.raises(OpenL3Error, match=words):
        measure(side)


def test_a_set_that_lost_all_but_one_file_says_which_it_lost() -> None:
    write_npz(Path("few/a.npz"), frames(5))
    write_npz(Path("few/b.npz"), np.full((5, 8), np.inf, np.float32))
    with pytest.raises(OpenL3Error, match=r"few has 1, and 1 that could not be used:\n  b\.npz: .*finite"):
        measure("few")


def test_fewer_frames_than_dimensions_are_warned_of() -> None:
    write_set(Path("few"), apart(frames(6), 3))
    with pytest.warns(OpenL3Warning, match=r"no more frames than the 8 numbers of an embedding in few \(6\)"):
        measure("few")


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"measures": ("fid",)}, "measures must be one of fd, kad, fad-inf; got 'fid'"),
        ({"measures": "fd"}, r"measures must be a tuple"),
        ({"bandwidth": "median"}, "bandwidth must be one of candidate, reference"),
        ({"resamples": -1}, "resamples must be at least 0"),
    ],
    ids=["measure", "text", "bandwidth", "resamples"],
)
def test_options_are_checked(options: dict[str, Any], words: str) -> None:
    with pytest.raises(OpenL3Error, match=words):
        DistanceOptions(**options)


def test_many_frames_are_resampled_by_groups_of_files(monkeypatch: pytest.MonkeyPatch) -> None:
    """The distance itself comes out of the same pass, whatever the groups."""
    monkeypatch.setattr("l3embed.distances.bootstrap.MOST_GROUPS", 7)
    write_set(Path("many"), apart(frames(300, seed=5, shift=0.3), 20))
    (found,) = measure("many", resamples=50).distances
    assert found.value == pytest.approx(fd(REFERENCE, frames(300, seed=5, shift=0.3)), rel=1e-9)
    assert found.low is not None
    assert found.low < found.value


def test_of_large_embeddings_with_many_frames_there_is_no_interval(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("l3embed.distances.bootstrap.MOST_BYTES", 4 * 8 * 8**2)
    (note,) = measure(resamples=50).notes
    assert note.startswith("FD of mine has no interval: 48 frames of 8 numbers would take hours.")
