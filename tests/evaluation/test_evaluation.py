"""How well classes can be told from embeddings, on data of which that is known."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from l3embed.disk.tables import FAILED
from l3embed.errors import OpenL3Error
from l3embed.evaluation.classifiers import Classifier
from l3embed.evaluation.evaluation import Evaluation, EvaluationOptions, evaluate
from l3embed.export.manifest import ManifestRow
from l3embed.variants import Modality

from .exported import file_rows, write_export

# A solver that has not converged warns, and so do divisions by zero.
pytestmark = pytest.mark.filterwarnings("error")

OPTIONS = EvaluationOptions(resamples=200)
DIMENSION = 24


def noise(files: int, seed: int = 0, dimension: int = DIMENSION) -> npt.NDArray[np.float64]:
    return np.random.default_rng(seed).normal(size=(files, dimension))


def audio_of(folder: Path, rows: list[ManifestRow], means: npt.ArrayLike) -> Evaluation:
    return evaluate(write_export(folder, rows, means), OPTIONS)[Modality.AUDIO]


def accuracy(found: Evaluation, kind: Classifier) -> float:
    assert found.reason == ""
    return found.performances[kind].accuracy.value


def noisy_classes(files: int, classes: int, seed: int = 0) -> tuple[list[str], npt.NDArray[np.float64]]:
    """Labels, and embeddings that do not quite give them away."""
    numbers = np.arange(files) % classes
    centres = noise(classes, seed)
    return [f"class {number}" for number in numbers], centres[numbers] + 1.5 * noise(files, seed + 1)


@pytest.mark.parametrize("kind", Classifier)
@pytest.mark.parametrize("classes", [2, 6])
def test_classes_far_apart_are_all_told(tmp_path: Path, kind: Classifier, classes: int) -> None:
    numbers = np.arange(60) % classes
    means = 1000 + 10 * noise(classes, seed=1)[numbers] + noise(60)
    found = audio_of(tmp_path, file_rows([f"class {number}" for number in numbers]), means)
    assert found.performances[kind].confusion.tolist() == (np.eye(classes) * 60 // classes).tolist()
    assert (found.files, found.folds) == (60, 5)
    assert found.chance == pytest.approx(1 / classes)


@pytest.mark.parametrize("kind", Classifier)
def test_embeddings_that_say_nothing_are_at_chance(tmp_path: Path, kind: Classifier) -> None:
    found = audio_of(tmp_path, file_rows(["dog", "cat"] * 200), noise(400))
    # Four standard deviations of a fair coin.
    assert accuracy(found, kind) == pytest.approx(0.5, abs=4 * 0.5 / np.sqrt(400))


@pytest.mark.parametrize("kind", Classifier)
def test_copies_of_a_file_do_not_give_its_label_away(tmp_path: Path, kind: Classifier) -> None:
    contents = list(range(100)) * 4
    labels = ["dog" if content % 2 else "cat" for content in contents]
    found = audio_of(tmp_path, file_rows(labels, contents=contents), noise(100)[contents])
    # Four standard deviations of a fair coin tossed for each of 100 different files.
    assert accuracy(found, kind) == pytest.approx(0.5, abs=4 * 0.5 / np.sqrt(100))


@pytest.mark.parametrize("kind", Classifier)
def test_copies_in_other_of_the_labels_folds_do_not_either(
    tmp_path: Path, kind: Classifier, capsys: pytest.CaptureFixture[str]
) -> None:
    contents = [*range(100), *range(50)]
    labels = ["dog" if content % 2 else "cat" for content in contents]
    folds = [str(number // 30) for number in range(150)]
    found = audio_of(tmp_path, file_rows(labels, contents=contents, folds=folds), noise(100)[contents])
    assert accuracy(found, kind) == pytest.approx(0.5, abs=4 * 0.5 / np.sqrt(100))
    assert "evaluate: audio: 100 files have copies in other folds" in capsys.readouterr().err


@pytest.mark.parametrize("kind", Classifier)
def test_the_labels_folds_are_held_out_one_at_a_time(tmp_path: Path, kind: Classifier) -> None:
    """What one fold teaches is the opposite of what holds in the other: no mixed folds score 0."""
    signs = np.array([1, -1] * 20)
    folds = np.repeat(["here", "there"], 20)
    means = 0.1 * noise(40) + 10 * (signs * np.where(folds == "here", 1, -1))[:, np.newaxis]
    labels = ["dog" if sign > 0 else "cat" for sign in signs]
    found = audio_of(tmp_path, file_rows(labels, folds=folds.tolist()), means)
    assert (accuracy(found, kind), found.folds) == (0.0, 2)
    assert {prediction.fold for prediction in found.predictions[:20]} == {"here"}


@pytest.mark.parametrize("kind", Classifier)
def test_longer_embeddings_that_say_the_same_are_neither_favoured_nor_held_back(
    tmp_path: Path, kind: Classifier
) -> None:
    labels, means = noisy_classes(90, 6)
    short = audio_of(tmp_path / "short", file_rows(labels), means)
    long = audio_of(tmp_path / "long", file_rows(labels), np.tile(means, 12))
    assert 0.5 < accuracy(short, kind) < 1
    assert accuracy(long, kind) == pytest.approx(accuracy(short, kind), abs=1.5 / 90)


def test_units_of_the_numbers_do_not_matter(tmp_path: Path) -> None:
    labels, means = noisy_classes(90, 6)
    units = 10.0 ** np.random.default_rng(1).integers(-3, 4, size=DIMENSION)
    plain = audio_of(tmp_path / "plain", file_rows(labels), means)
    scaled = audio_of(tmp_path / "scaled", file_rows(labels), means * units + 5 * units)
    for kind in Classifier:
        assert accuracy(scaled, kind) == pytest.approx(accuracy(plain, kind), abs=1.5 / 90)


def test_the_probe_reads_off_what_neighbours_do_not_show(tmp_path: Path) -> None:
    """One number in 64 tells, faintly: a plane finds it, nearness does not."""
    means = noise(300, dimension=64)
    labels = ["dog" if value > 0 else "cat" for value in means[:, 0]]
    found = audio_of(tmp_path, file_rows(labels), means)
    assert accuracy(found, Classifier.LINEAR_PROBE) > accuracy(found, Classifier.KNN) + 0.15


def test_neighbours_show_what_no_plane_reads_off(tmp_path: Path) -> None:
    """Two opposite corners are dogs, the others cats."""
    corners = np.random.default_rng(3).choice([-1, 1], size=(200, 2))
    labels = ["dog" if x == y else "cat" for x, y in corners]
    found = audio_of(tmp_path, file_rows(labels), corners + 0.05 * noise(200, dimension=2))
    assert accuracy(found, Classifier.KNN) == 1
    assert accuracy(found, Classifier.LINEAR_PROBE) < 0.7


def test_more_neighbours_outvote_a_wrong_one(tmp_path: Path) -> None:
    """Some of two groups have the wrong label: most neighbours never do, and one neighbour as often."""
    sides = np.array([1, -1] * 100)
    is_wrong = np.random.default_rng(4).random(200) < 0.2
    labels = ["dog" if side > 0 else "cat" for side in np.where(is_wrong, -sides, sides)]
    export = write_export(tmp_path, file_rows(labels), 10 * sides[:, np.newaxis] + noise(200))
    reached = [
        accuracy(evaluate(export, replace(OPTIONS, neighbours=neighbours))[Modality.AUDIO], Classifier.KNN)
        for neighbours in (1, 25)
    ]
    wrong = is_wrong.mean()
    assert reached == [
        pytest.approx((1 - wrong) ** 2 + wrong**2, abs=0.06),
        pytest.approx(1 - wrong, abs=0.02),
    ]


def test_there_may_be_fewer_files_than_neighbours(tmp_path: Path) -> None:
    export = write_export(tmp_path, file_rows(["dog", "cat"] * 3), 10 * np.array([[1], [-1]] * 3) + noise(6))
    found = evaluate(export, replace(OPTIONS, neighbours=100))[Modality.AUDIO]
    assert accuracy(found, Classifier.KNN) == 1


def test_predictions_are_those_of_the_confusion_matrix_in_the_manifests_order(tmp_path: Path) -> None:
    labels, means = noisy_classes(60, 3)
    found = audio_of(tmp_path, file_rows(labels), means)
    assert [prediction.path for prediction in found.predictions] == [
        f"{number:03}.wav" for number in range(60)
    ]
    assert [prediction.actual for prediction in found.predictions] == labels
    matrix = np.zeros((3, 3), int)
    for prediction in found.predictions:
        matrix[found.labels.index(prediction.actual), found.labels.index(prediction.predicted)] += 1
    assert matrix.tolist() == found.performances[Classifier.LINEAR_PROBE].confusion.tolist()
    assert np.trace(matrix) < 60


def test_files_that_failed_or_have_no_label_leave_the_others_where_they_are(tmp_path: Path) -> None:
    rows = file_rows(["dog", "cat", "", "cat", *["dog", "cat"] * 8])
    rows[0] = replace(rows[0], status=FAILED)
    done = rows[1:]
    means = [[{"dog": 1.0, "cat": -1.0}.get(row.label, 0.0)] * 3 for row in done]
    found = audio_of(tmp_path, rows, means)
    assert accuracy(found, Classifier.LINEAR_PROBE) == 1
    assert [prediction.path for prediction in found.predictions] == [row.path for row in done if row.label]


def test_where_there_is_one_class_to_learn_it_is_predicted(tmp_path: Path) -> None:
    """Held out with 1, the copy of 0 is not learnt from, which leaves cats."""
    labels, contents, folds = ["dog", "dog", "dog", "cat", "cat"], [0, 1, 0, 2, 3], [*"11221"]
    found = audio_of(tmp_path, file_rows(labels, contents=contents, folds=folds), noise(5))
    assert [prediction.predicted for prediction in found.predictions if prediction.fold == "1"] == ["cat"] * 3


def test_a_file_that_is_known_twice_under_two_labels_is_right_at_most_once(tmp_path: Path) -> None:
    contents = list(range(30)) * 2
    labels = [*["dog", "cat"] * 15, *["cat", "dog"] * 15]
    found = audio_of(tmp_path, file_rows(labels, contents=contents), noise(30)[contents])
    assert accuracy(found, Classifier.LINEAR_PROBE) == 0.5


def test_chance_is_the_largest_classs_share(tmp_path: Path) -> None:
    found = audio_of(tmp_path, file_rows([*["dog"] * 30, *["cat"] * 10]), noise(40))
    assert found.chance == 0.75


def test_each_modality_is_evaluated_by_itself(tmp_path: Path) -> None:
    audio = file_rows(["dog", "cat"] * 5)
    images = file_rows(["", ""], modality=Modality.IMAGE)
    write_export(tmp_path, [*audio, *images], noise(2), Modality.IMAGE)
    write_export(tmp_path, [*audio, *images], noise(10), Modality.AUDIO)
    found = evaluate(tmp_path, OPTIONS)
    assert (found[Modality.AUDIO].files, found[Modality.AUDIO].reason) == (10, "")
    assert (found[Modality.IMAGE].files, found[Modality.IMAGE].reason) == (2, "no labels")


def test_without_enough_classes_the_others_are_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    found = audio_of(tmp_path, file_rows(["dog", "dog", "owl"]), noise(3))
    assert found.files == 3
    assert found.reason == "fewer than two classes have 2 different files"
    assert "evaluate: audio: left out, since a class needs 2 different files: owl" in capsys.readouterr().err


def test_embeddings_that_are_not_finite_are_a_reason(tmp_path: Path) -> None:
    means = noise(10)
    means[3, 5] = np.nan
    found = audio_of(tmp_path, file_rows(["dog", "cat"] * 5), means)
    assert found.reason == "the embedding of 003.wav is not finite"


def test_progress_counts_the_folds_of_both_classifiers(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    audio_of(tmp_path, file_rows(["dog", "cat"] * 5), noise(10))
    assert "Evaluating audio (fit): 10 of 10" in capsys.readouterr().err


def test_there_must_be_an_export(tmp_path: Path) -> None:
    with pytest.raises(OpenL3Error, match="Name the folder of an export"):
        evaluate(tmp_path, OPTIONS)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"folds": 1}, r"evaluation\.folds must be at least 2; got 1\."),
        ({"neighbours": 0}, r"evaluation\.neighbours must be at least 1; got 0\."),
        ({"seed": -1}, r"evaluation\.seed must be at least 0; got -1\."),
    ],
    ids=["folds", "neighbours", "seed"],
)
def test_options_that_make_no_sense_are_errors(values: dict[str, int], message: str) -> None:
    with pytest.raises(OpenL3Error, match=message):
        EvaluationOptions(**values)
