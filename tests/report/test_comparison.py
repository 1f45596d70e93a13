"""What changed between two runs: each finding against what is known by hand, or by another library."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import yaml
from sklearn.neighbors import NearestNeighbors

from l3embed.errors import OpenL3Error
from l3embed.export.doubts import Doubt
from l3embed.report.changed_neighbours import NeighbourChanges
from l3embed.report.changed_scores import ScoreChanges
from l3embed.report.comparison import Comparison
from l3embed.report.comparison_json import comparison_content
from l3embed.report.comparison_text import text_lines
from l3embed.report.comparison_words import judgement_words, neighbour_words, number_words, reason_words
from l3embed.report.file_matching import File, match_files
from l3embed.variants import DoubtKind, Modality

from .compared import (
    AUDIO,
    GROUPED,
    compared,
    in_groups,
    sound_row,
    sound_rows,
    write_evaluation,
    write_run,
)


def neighbours_of(comparison: Comparison) -> NeighbourChanges:
    return comparison.modalities[0].neighbours


def scores_of(comparison: Comparison) -> ScoreChanges:
    return comparison.modalities[0].scores


# Files


def matched(a: list[File], b: list[File]) -> tuple[dict[str, str], list[str], list[str]]:
    found = match_files(a, b)
    pairs = {pair.a.path: pair.b.path for pair in found.pairs}
    return pairs, [file.path for file in found.removed], [file.path for file in found.added]


def test_files_come_and_go() -> None:
    a, b = [File("a", "", "1"), File("b", "", "2")], [File("b", "", "2"), File("c", "", "3")]
    assert matched(a, b) == ({"b": "b"}, ["a"], ["c"])


def test_the_same_bytes_under_another_name_are_the_same_file() -> None:
    found = match_files([File("a", "dog", "1")], [File("moved/a", "dog", "1")])
    assert [(pair.a.path, pair.b.path) for pair in found.renamed] == [("a", "moved/a")]
    assert not found.added
    assert not found.removed


def test_files_that_move_up_by_one_are_renamed_and_not_rewritten() -> None:
    a = [File("1", "", "x"), File("2", "", "y")]
    b = [File("2", "", "x"), File("3", "", "y")]
    assert matched(a, b) == ({"1": "2", "2": "3"}, [], [])
    assert not match_files(a, b).rewritten


def test_of_copies_each_has_a_file_of_its_own() -> None:
    a = [File("x/1", "", "same"), File("x/2", "", "same")]
    b = [File("y/2", "", "same"), File("y/1", "", "same"), File("y/3", "", "same")]
    assert matched(a, b) == ({"x/1": "y/1", "x/2": "y/2"}, [], ["y/3"])


def test_a_file_with_other_bytes_is_the_same_file_rewritten() -> None:
    found = match_files([File("a", "", "1")], [File("a", "", "2")])
    assert [pair.b.path for pair in found.rewritten] == ["a"]


def test_files_that_nobody_could_read_go_by_their_paths_alone() -> None:
    found = match_files([File("a", "", ""), File("b", "", "")], [File("c", "", ""), File("b", "", "")])
    assert [pair.a.path for pair in found.pairs] == ["b"]
    assert not found.rewritten


def test_a_file_of_another_class_is_relabelled(tmp_path: Path) -> None:
    rows = sound_rows()
    a = write_run(tmp_path / "a", rows, in_groups("0123"))
    b = write_run(tmp_path / "b", [sound_row("0.wav", "dog"), *rows[1:]], in_groups("0123"))
    assert [(pair.a.label, pair.b.label) for pair in compared(a, b).files.relabelled] == [("", "dog")]


def test_what_failed_in_one_run_alone_is_told_with_the_reason(tmp_path: Path) -> None:
    rows = sound_rows()
    a = write_run(tmp_path / "a", rows, in_groups("0123"))
    failed = sound_row("0.wav", status="failed", reason="It is cut short.")
    b = write_run(tmp_path / "b", [failed, *rows[1:]], in_groups("0123")[1:])
    there, back = compared(a, b), compared(b, a)
    assert [(row.path, row.reason) for row in there.failed] == [("0.wav", "It is cut short.")]
    assert [(row.path, row.reason) for row in back.recovered] == [("0.wav", "It is cut short.")]
    assert not there.recovered
    assert neighbours_of(there).files == len(GROUPED) - 1


# Neighbours


def test_neighbours_that_are_kept_are_counted_whatever_the_embeddings_sizes(tmp_path: Path) -> None:
    """Files 3 and 4 change groups: they lose all three neighbours, and the six others one each."""
    a = write_run(tmp_path / "a", sound_rows(), in_groups("0123"))
    b = write_run(tmp_path / "b", sound_rows(), in_groups("0124", dimension=5))
    found = neighbours_of(compared(a, b))
    assert found.count == 3
    assert found.kept.tolist() == [2, 2, 2, 0, 0, 2, 2, 2]
    assert found.shares.mean() == pytest.approx(0.5)
    assert found.by_chance == pytest.approx(3 / 7)
    assert found.distribution == [2, 0, 6, 0]
    assert found.most_changed[:2] == [3, 4]
    assert set(found.a[3]) == {0, 1, 2}
    assert set(found.b[3]) == {5, 6, 7}


def test_files_of_one_run_alone_change_no_neighbours(tmp_path: Path) -> None:
    """Though the one that is added lies in the midst of a group."""
    a = write_run(tmp_path / "a", sound_rows(), in_groups("0123"))
    means = np.vstack([in_groups("0123")[0], in_groups("0123")])
    b = write_run(tmp_path / "b", sound_rows(["new.wav", *GROUPED]), means)
    found = neighbours_of(compared(a, b))
    assert len(found.pairs) == len(GROUPED)
    assert found.kept.tolist() == [3] * len(GROUPED)


def test_a_renamed_file_keeps_its_neighbours(tmp_path: Path) -> None:
    a = write_run(tmp_path / "a", sound_rows(), in_groups("0123"))
    renamed = sound_row("z/moved.wav", sha256="sha of 0.wav")
    b = write_run(tmp_path / "b", [*sound_rows()[1:], renamed], np.roll(in_groups("0123"), -1, axis=0))
    found = neighbours_of(compared(a, b))
    assert found.kept.tolist() == [3] * len(GROUPED)
    assert found.pairs[0].b.path == "z/moved.wav"


def test_ten_neighbours_are_those_that_scikit_learn_finds(tmp_path: Path) -> None:
    random = np.random.default_rng(0)
    a = random.normal(size=(60, 7)).astype(np.float32)
    b = np.hstack([a + 0.5 * random.normal(size=a.shape), np.ones((60, 2))]).astype(np.float32)
    sets = []
    for vectors in (a, b):
        search = NearestNeighbors(n_neighbors=10, metric="cosine").fit(vectors - vectors.mean(axis=0))
        sets.append([set(row) for row in search.kneighbors(return_distance=False)])
    expected = [len(one & other) for one, other in zip(*sets, strict=True)]
    rows = sound_rows([f"{number:02}.wav" for number in range(60)])
    found = neighbours_of(compared(write_run(tmp_path / "a", rows, a), write_run(tmp_path / "b", rows, b)))
    assert found.kept.tolist() == expected
    assert 0 < min(expected) < max(expected)


def test_of_many_files_a_sample_is_compared_and_that_is_said(tmp_path: Path) -> None:
    rows = sound_rows([f"{number:02}.wav" for number in range(40)])
    means = np.random.default_rng(0).normal(size=(40, 4))
    a, b = (write_run(tmp_path / name, rows, means) for name in "ab")
    found = neighbours_of(compared(a, b, most_files=15))
    assert len({pair.b.path for pair in found.pairs}) == 15
    assert found.a.max() < 15
    assert next(neighbour_words(found)).startswith("Neighbours are compared for a sample: 15 of 40 files")


def test_an_embedding_that_is_not_finite_is_left_out_and_named(tmp_path: Path) -> None:
    a = write_run(tmp_path / "a", sound_rows(), in_groups("0123"))
    means = in_groups("0123")
    means[2] = np.nan
    found = neighbours_of(compared(a, write_run(tmp_path / "b", sound_rows(), means)))
    assert found.not_finite == ("2.wav",)
    assert len(found.pairs) == len(GROUPED) - 1
    assert next(neighbour_words(found)).endswith("not finite: 1 file, as 2.wav.")


def test_two_files_have_no_neighbours_to_compare(tmp_path: Path) -> None:
    a, b = (write_run(tmp_path / name, sound_rows(GROUPED[:2]), in_groups("0")[:2]) for name in "ab")
    found = neighbours_of(compared(a, b))
    assert list(neighbour_words(found)) == [
        "Nothing can be said of neighbours: that needs 3 files with embeddings in both; got 2."
    ]


def test_the_same_network_s_numbers_are_compared(tmp_path: Path) -> None:
    means = in_groups("0123")
    a = write_run(tmp_path / "a", sound_rows(), means)
    changed = means * 1
    changed[5, 0] += 1e-4
    b = write_run(tmp_path / "b", sound_rows(), changed)
    numbers = neighbours_of(compared(a, b)).same_numbers
    assert numbers is not None
    assert (numbers.files, numbers.identical) == (8, 7)
    assert numbers.largest == pytest.approx(1e-4, rel=1e-2)
    assert number_words(neighbours_of(compared(a, a))) == "The mean embeddings are the same, to the last bit."


def test_two_networks_numbers_are_not_compared(tmp_path: Path) -> None:
    a = write_run(tmp_path / "a", sound_rows(), in_groups("0123"))
    others = [replace(row, weights="random:2") for row in sound_rows()]
    b = write_run(tmp_path / "b", others, in_groups("0123"))
    assert neighbours_of(compared(a, b)).same_numbers is None


# Scores


@pytest.fixture
def evaluated(tmp_path: Path) -> tuple[Path, Path]:
    """Of dogs and cats, one is told worse in the second run, and one better; a third class is new."""
    a, b = (write_run(tmp_path / name, sound_rows(), in_groups("0123")) for name in "ab")
    write_evaluation(
        a,
        {
            "0.wav": ("dog", "dog"),
            "1.wav": ("dog", "dog"),
            "2.wav": ("cat", "dog"),
            "3.wav": ("cat", "dog"),
            "4.wav": ("cat", "cat"),
        },
        [("cat", 3, 1 / 3, 1.0, 0.5), ("dog", 2, 1.0, 0.5, 2 / 3)],
        accuracy=0.6,
    )
    write_evaluation(
        b,
        {
            "0.wav": ("dog", "dog"),
            "1.wav": ("dog", "cat"),
            "2.wav": ("cat", "cat"),
            "3.wav": ("cat", "dog"),
            "5.wav": ("owl", "owl"),
        },
        [("cat", 2, 0.5, 0.5, 0.5), ("dog", 2, 0.5, 0.5, 0.5), ("owl", 1, 1.0, 1.0, 1.0)],
        accuracy=0.6,
    )
    return a, b


def test_files_that_are_right_in_one_run_alone_are_found(evaluated: tuple[Path, Path]) -> None:
    scores = scores_of(compared(*evaluated))
    assert [each.b.path for each in scores.judgements] == ["0.wav", "1.wav", "2.wav", "3.wav"]
    assert [each.b.path for each in scores.judged(a=True, b=False)] == ["1.wav"]
    assert [each.b.path for each in scores.judged(a=False, b=True)] == ["2.wav"]
    assert scores.chance == 1.0


def test_classes_are_compared_those_that_fell_most_first(evaluated: tuple[Path, Path]) -> None:
    changes = scores_of(compared(*evaluated)).classes
    assert [each.label for each in changes] == ["dog", "cat", "owl"]
    assert changes[0].recall_difference == pytest.approx(-0.5)
    assert changes[0].f1_difference == pytest.approx(-1 / 6)
    assert changes[2].a is None
    assert changes[2].f1_difference is None


def test_a_relabelled_file_is_judged_by_the_label_that_it_has(evaluated: tuple[Path, Path]) -> None:
    a, b = evaluated
    write_evaluation(b, {"3.wav": ("dog", "dog")}, [], accuracy=1.0)
    assert [each.b.path for each in scores_of(compared(a, b)).judged(a=False, b=True)] == ["3.wav"]


def test_mcnemar_s_test_is_the_sign_test_of_the_files_that_changed_sides(
    evaluated: tuple[Path, Path],
) -> None:
    """Four files, all to one side: 2 / 2 ** 4."""
    a, b = evaluated
    paths = ("0.wav", "1.wav", "2.wav", "3.wav", "4.wav")
    write_evaluation(a, dict.fromkeys(paths, ("dog", "cat")), [], accuracy=0.0)
    write_evaluation(b, dict.fromkeys(paths[1:], ("dog", "dog")) | {"0.wav": ("dog", "cat")}, [], 0.8)
    assert scores_of(compared(a, b)).chance == pytest.approx(2 / 2**4)


@pytest.fixture
def of_windows(tmp_path: Path) -> tuple[Path, Path]:
    """Windows of dogs and cats, at more times in one run than in the other, which renames a file."""
    a = write_run(tmp_path / "a", sound_rows(), in_groups("0123"))
    renamed = [replace(row, path=row.path.replace("0", "new@0")) for row in sound_rows()]
    b = write_run(tmp_path / "b", renamed, in_groups("0123"))
    words = {"0.wav@0": "dog", "0.wav@0.5": "dog", "0.wav@1": "cat", "1.wav@0": "cat"}
    classes = [("cat", 2, 0.5, 0.5, 0.5), ("dog", 2, 0.5, 0.5, 0.5)]
    write_evaluation(a, {path: (word, "dog") for path, word in words.items()}, classes, 0.5, "window")
    in_b = {path.replace("0.wav", "new@0.wav"): (word, "cat") for path, word in words.items() if "." in path}
    del in_b["new@0.wav@0.5"]
    write_evaluation(b, in_b, classes, 0.5, "window")
    return a, b


def test_windows_are_judged_at_the_same_times_of_the_same_files(of_windows: tuple[Path, Path]) -> None:
    scores = scores_of(compared(*of_windows))
    assert [each.b.path for each in scores.judgements] == ["new@0.wav@0", "new@0.wav@1", "1.wav@0"]
    assert [each.b.path for each in scores.judged(a=True, b=False)] == ["new@0.wav@0"]


def test_windows_are_called_so_and_have_no_probability(of_windows: tuple[Path, Path]) -> None:
    comparison = compared(*of_windows)
    (words,) = judgement_words(scores_of(comparison))
    assert words.startswith("Of the 3 windows evaluated in both, the linear probe is right about")
    assert any(line.split()[:4] == ["class", "windows", "A", "B"] for line in text_lines(comparison))
    content = comparison_content(comparison)["modalities"]["audio"]["evaluation"]
    assert (content["unit"], content["files"]) == ("window", 3)


def test_files_and_windows_are_not_compared_one_by_one(of_windows: tuple[Path, Path]) -> None:
    write_evaluation(of_windows[1], {"1.wav": ("cat", "cat")}, [("cat", 1, 1.0, 1.0, 1.0)], 1.0)
    comparison = compared(*of_windows)
    assert list(judgement_words(scores_of(comparison))) == [
        "In A windows were evaluated, in B files: they cannot be compared one by one."
    ]
    assert any("windows A  files B" in line for line in text_lines(comparison))
    assert comparison_content(comparison)["modalities"]["audio"]["evaluation"]["unit"] is None


def test_only_one_run_was_evaluated(evaluated: tuple[Path, Path], tmp_path: Path) -> None:
    c = write_run(tmp_path / "c", sound_rows(), in_groups("0123"))
    scores = scores_of(compared(evaluated[0], c))
    assert reason_words(scores) == f"Only A was evaluated. B: there is no evaluation in {c / 'evaluation'}."
    (accuracy,) = scores.scores
    assert accuracy.a is not None
    assert accuracy.difference is None


def test_neither_run_was_evaluated(tmp_path: Path) -> None:
    a, b = (write_run(tmp_path / name, sound_rows(), in_groups("0123")) for name in "ab")
    for folder in (a, b):
        (folder / "evaluation").mkdir()
        (folder / "evaluation" / "metrics.json").write_text('{"audio": {"files": 8, "reason": "no labels"}}')
    assert reason_words(scores_of(compared(a, b))) == "Neither run was evaluated: no labels."


def test_an_export_taken_out_of_its_run_has_no_evaluation(
    evaluated: tuple[Path, Path], tmp_path: Path
) -> None:
    """It would be that of whatever lies beside."""
    alone = (evaluated[0] / "export").rename(evaluated[0] / "mine")
    assert "only the export was named" in reason_words(scores_of(compared(alone, evaluated[1])))


@pytest.mark.parametrize("where", [".", ".."])
def test_an_export_that_is_named_from_within_has_its_evaluation(
    where: str, evaluated: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    inside = evaluated[0] / "export" / ("folder" if where == ".." else "")
    inside.mkdir(exist_ok=True)
    monkeypatch.chdir(inside)
    assert not any(scores_of(compared(Path(where), evaluated[1])).reasons)


# Doubts


def test_doubts_come_and_go_by_file_and_kind(tmp_path: Path) -> None:
    def doubt(path: str, kind: DoubtKind, words: str = "") -> Doubt:
        return Doubt(path, AUDIO, "", kind, words)

    silent, short, outlier = DoubtKind.SILENT, DoubtKind.SHORT, DoubtKind.OUTLIER
    before = [doubt("0.wav", silent), doubt("1.wav", short), doubt("2.wav", outlier, "by 0.1")]
    after = [doubt("0.wav", short), doubt("moved.wav", short), doubt("2.wav", outlier, "by 0.2")]
    moved = sound_row("moved.wav", sha256="sha of 1.wav")
    rows = sound_rows()
    a = write_run(tmp_path / "a", rows, in_groups("0123"), before)
    b = write_run(tmp_path / "b", [rows[0], moved, *rows[2:]], in_groups("0123"), after)
    found = compared(a, b).doubts
    assert [(each.path, each.kind) for each in found.came] == [("0.wav", short)]
    assert [(each.path, each.kind) for each in found.went] == [("0.wav", silent)]
    assert found.kept == 2


def test_doubts_of_an_export_without_a_list_are_not_compared(tmp_path: Path) -> None:
    a = write_run(tmp_path / "a", sound_rows(), in_groups("0123"), doubts=None)
    b = write_run(
        tmp_path / "b", sound_rows(), in_groups("0123"), [Doubt("0.wav", AUDIO, "", DoubtKind.SHORT, "")]
    )
    found = compared(a, b).doubts
    assert found.missing == (str(a),)
    assert not found.came


# Settings


def test_settings_of_two_jobs_differ_by_their_names(tmp_path: Path) -> None:
    folders = []
    for name, size in (("0", 512), ("1", 6144)):
        folder = write_run(tmp_path / name, sound_rows(), in_groups("0123"))
        (folder / ".hydra").mkdir()
        content = {
            "model": {"size": size, "kind": "music"},
            "include": [name],
            "profile": name == "0",
            "seed": 0,
        }
        (folder / ".hydra" / "config.yaml").write_text(yaml.safe_dump(content))
        folders.append(folder)
    found = [(each.name, each.a, each.b) for each in compared(*folders).settings]
    assert found == [("include", "[0]", "[1]"), ("model.size", "512", "6144"), ("profile", "true", "false")]


def test_settings_of_dvc_are_those_that_its_stages_ran_with(tmp_path: Path) -> None:
    """Not those of params.yaml, which may have been changed since; and not where the lock is another's."""
    folders = []
    for name, hop_s in (("one", 0.1), ("two", 0.5)):
        folder = write_run(tmp_path / name / "data", sound_rows(), in_groups("0123"))
        stages = {
            "embed": {"params": {"params.yaml": {"windows": {"hop_s": hop_s}}}},
            "export": {"outs": [{"path": "data/export"}]},
        }
        (tmp_path / name / "dvc.lock").write_text(yaml.safe_dump({"stages": stages}))
        folders.append(folder)
    found = [(each.name, each.a, each.b) for each in compared(*folders).settings]
    assert found == [("windows.hop_s", "0.1", "0.5")]
    (folders[0]).rename(tmp_path / "one" / "other")
    assert compared(tmp_path / "one" / "other", folders[1]).settings == ()


def test_variants_and_versions_of_packages_differ(tmp_path: Path) -> None:
    rows = sound_rows()
    older = [replace(row, packages="numpy 2.1, scipy 1") for row in rows]
    newer = [replace(row, packages="numpy 2.2, scipy 1", precision="bfloat16") for row in rows]
    a = write_run(tmp_path / "a", older, in_groups("0123"))
    b = write_run(tmp_path / "b", newer, in_groups("0123"))
    found = [(each.name, each.a, each.b) for each in compared(a, b).settings]
    assert found == [("precision (audio)", "", "bfloat16"), ("numpy", "2.1", "2.2")]


# What cannot be compared


def test_runs_without_a_file_in_common_are_refused_with_an_example_of_each(tmp_path: Path) -> None:
    a = write_run(tmp_path / "a", sound_rows(), in_groups("0123"))
    b = write_run(tmp_path / "b", sound_rows([f"x{path}" for path in GROUPED]), in_groups("0123"))
    with pytest.raises(OpenL3Error, match=r"No file is in both .* the first has 0\.wav, the second x0\.wav"):
        compared(a, b)


@pytest.fixture
def of_two_modalities(tmp_path: Path) -> tuple[Path, Path, Path]:
    """A run of sounds, one of pictures, and one of both."""
    sounds = sound_rows()
    pictures = [replace(row, modality="image") for row in sounds]
    means = in_groups("0123")
    return (
        write_run(tmp_path / "sounds", sounds, means),
        write_run(tmp_path / "pictures", pictures, {Modality.IMAGE: means}),
        write_run(tmp_path / "both", [*sounds, *pictures], {AUDIO: means, Modality.IMAGE: means}),
    )


def test_runs_of_other_modalities_are_refused(of_two_modalities: tuple[Path, Path, Path]) -> None:
    sounds, pictures, _ = of_two_modalities
    with pytest.raises(OpenL3Error, match=r"of audio, and .*pictures of image: nothing can be compared"):
        compared(sounds, pictures)


def test_what_one_run_alone_has_is_left_out_and_told(of_two_modalities: tuple[Path, Path, Path]) -> None:
    sounds, _, both = of_two_modalities
    found = compared(sounds, both)
    assert [each.modality for each in found.modalities] == [AUDIO]
    assert found.left_out == ("Only B has embeddings of image (8): they are not compared.",)


def test_a_modality_that_a_run_lacks_is_refused(of_two_modalities: tuple[Path, Path, Path]) -> None:
    sounds, _, both = of_two_modalities
    with pytest.raises(OpenL3Error, match=r"sounds has no embeddings of image, only of audio\. Leave"):
        compared(sounds, both, wanted=Modality.IMAGE)


def test_only_the_modality_that_is_wanted_is_compared(of_two_modalities: tuple[Path, Path, Path]) -> None:
    _, _, both = of_two_modalities
    assert [each.modality for each in compared(both, both).modalities] == [AUDIO, Modality.IMAGE]
    found = compared(both, both, wanted=Modality.IMAGE)
    assert [each.modality for each in found.modalities] == [Modality.IMAGE]
    assert not found.left_out
