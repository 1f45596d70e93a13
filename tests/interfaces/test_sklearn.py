"""`l3embed.interfaces.sklearn`: a transformer as scikit-learn's are, with l3embed's numbers."""

from __future__ import annotations

import io
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from conftest import WriteWav, noise

import l3embed
from l3embed import OpenL3Error
from l3embed.core.audio_files import process_audio_outputs
from l3embed.errors import FilesError, OpenL3Warning
from l3embed.interfaces import pooled_files

pytest.importorskip("sklearn")

from sklearn.base import clone
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import Pipeline
from sklearn.utils.estimator_checks import check_estimator

from l3embed.interfaces.sklearn import OpenL3Transformer

OPTIONS: dict[str, Any] = {"input_repr": "mel128", "embedding_size": 512, "hop_size": 0.5}


@pytest.fixture
def transformer(slim_weights: Path) -> OpenL3Transformer:
    return OpenL3Transformer(weights=str(slim_weights), **OPTIONS)


@pytest.fixture
def embedded(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The paths of all files that are embedded from now on."""
    paths: list[str] = []
    embed = process_audio_outputs

    def note(outputs: dict[str, str], *arguments: Any) -> None:
        paths.extend(outputs)
        embed(outputs, *arguments)

    monkeypatch.setattr(pooled_files, "process_audio_outputs", note)
    return paths


def embedding(path: Path, slim_weights: Path) -> Any:
    samples, rate_hz = soundfile.read(path)
    return l3embed.get_audio_embedding(samples, rate_hz, weights=str(slim_weights), verbose=False, **OPTIONS)[
        0
    ]


@pytest.mark.parametrize("pooling", ["mean", "mean_std"])
def test_a_row_is_pooled_from_a_file_s_embeddings(
    pooling: str, transformer: OpenL3Transformer, slim_weights: Path, write_wav: WriteWav
) -> None:
    paths = [write_wav("a.wav", 1.5), write_wav("b.wav", 2.2, 22_050, seed=1)]

    rows = transformer.set_params(pooling=pooling).fit_transform(paths)

    assert rows.dtype == np.float32
    for row, path in zip(rows, paths, strict=True):
        expected = embedding(path, slim_weights).astype(np.float64)
        parts = [expected.mean(axis=0), expected.std(axis=0)][: 1 if pooling == "mean" else 2]
        np.testing.assert_allclose(row, np.concatenate(parts), rtol=0, atol=1e-6 * np.abs(expected).max())


def test_rows_stand_in_the_order_of_the_paths_as_often_as_they_come(
    transformer: OpenL3Transformer, write_wav: WriteWav, embedded: list[str]
) -> None:
    a, b = str(write_wav("a.wav")), str(write_wav("b.wav", seed=1))

    rows = transformer.transform([b, a, b])

    np.testing.assert_array_equal(rows[0], rows[2])
    assert (rows[0] != rows[1]).any()
    assert embedded == [b, a]


@pytest.mark.parametrize("kind", ["list of paths", "array", "column", "data frame"])
def test_paths_come_in_any_container(
    kind: str, transformer: OpenL3Transformer, write_wav: WriteWav, tmp_path: Path
) -> None:
    path = write_wav("a.wav")
    containers = {"list of paths": [path], "array": np.array([str(path)]), "column": [[str(path)]]}
    if kind == "data frame":
        pandas = pytest.importorskip("pandas")
        containers[kind] = pandas.DataFrame({"path": [str(path)]})

    assert transformer.fit_transform(containers[kind]).shape == (1, 512)


def test_it_clones_and_pickles(transformer: OpenL3Transformer, write_wav: WriteWav) -> None:
    paths = [write_wav("a.wav")]
    expected = transformer.transform(paths)

    assert clone(transformer).get_params() == transformer.get_params()
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(transformer)).transform(paths), expected)


def test_a_search_over_variants_embeds_each_file_once_a_variant(
    slim_weights: Path, tmp_path: Path, embedded: list[str]
) -> None:
    labels = [number % 2 for number in range(8)]
    paths = [tmp_path / f"{number}.wav" for number in range(8)]
    for number, path in enumerate(paths):
        tone = np.sin(np.arange(48_000) * (0.02 if labels[number] else 0.4)) + 0.1 * noise(1.0, seed=number)
        soundfile.write(path, 0.3 * tone, 48_000)
    transformer = OpenL3Transformer(
        embedding_size=512, hop_size=1, weights=str(slim_weights), cache_dir=tmp_path / "cache"
    )
    pipeline = Pipeline([("embed", transformer), ("classify", LogisticRegression())])
    grid = {"embed__input_repr": ["linear", "mel128"], "embed__pooling": ["mean", "mean_std"]}

    search = GridSearchCV(pipeline, grid, cv=2, error_score="raise").fit(paths, labels)

    assert search.score(paths, labels) == 1
    assert sorted(embedded) == sorted([str(path) for path in paths] * 2)


def test_what_is_kept_is_told_apart_by_bytes_and_parameters(
    transformer: OpenL3Transformer, tmp_path: Path, write_wav: WriteWav, embedded: list[str]
) -> None:
    path = str(write_wav("a.wav"))
    keeping = transformer.set_params(cache_dir=tmp_path / "cache")
    first = keeping.transform([path])

    copy = write_wav("copy.wav")  # the same bytes
    np.testing.assert_array_equal(keeping.transform([copy]), first)
    assert embedded == [path]
    keeping.set_params(hop_size=0.4).transform([path])
    write_wav("a.wav", seed=7)
    keeping.transform([path])
    assert embedded == [path] * 3


@pytest.mark.parametrize("how", ["a bit", "cut short"])
def test_what_is_damaged_in_the_folder_is_computed_anew(
    how: str, transformer: OpenL3Transformer, tmp_path: Path, write_wav: WriteWav
) -> None:
    path = write_wav("a.wav")
    keeping = transformer.set_params(cache_dir=tmp_path / "cache")
    expected = keeping.transform([path])
    (kept,) = (tmp_path / "cache").iterdir()
    content = bytearray(kept.read_bytes())
    whole = bytes(content)
    content[1000] ^= 1 if how == "a bit" else 0
    kept.write_bytes(content[: 200 if how == "cut short" else None])

    np.testing.assert_array_equal(keeping.transform([path]), expected)
    assert np.load(kept)["moments"].tolist() == np.load(io.BytesIO(whole))["moments"].tolist()


@pytest.mark.parametrize("cached", [False, True])
def test_files_that_fail_are_named_together_when_all_others_are_done(
    cached: bool, transformer: OpenL3Transformer, tmp_path: Path, write_wav: WriteWav, embedded: list[str]
) -> None:
    good, bad, missing = str(write_wav("good.wav")), str(tmp_path / "bad.wav"), str(tmp_path / "no.wav")
    Path(bad).write_text("no sound")
    transformer.set_params(cache_dir=tmp_path / "cache" if cached else None)

    with pytest.raises(FilesError, match=r"2 of 3 files could not be processed") as raised:
        transformer.transform([bad, good, missing])

    assert set(raised.value.failures) == {bad, missing}
    assert good in embedded


def test_files_that_fail_can_be_rows_of_nan_and_a_warning(
    transformer: OpenL3Transformer, tmp_path: Path, write_wav: WriteWav
) -> None:
    paths = [str(tmp_path / "no.wav"), str(write_wav("good.wav"))]

    with pytest.warns(OpenL3Warning, match=r"Rows of NaN stand for files that failed\. .*\n.*no\.wav: There"):
        rows = transformer.set_params(on_error="nan").transform(paths)

    assert np.isnan(rows[0]).all()
    assert np.isfinite(rows[1]).all()


@pytest.mark.parametrize(
    ("paths", "words"),
    [
        ("a.wav", r"must hold paths of sounds in one dimension; got the shape \(\)"),
        ([], r"got the shape \(0,\)"),
        ([["a.wav", "b.wav"]], r"got the shape \(1, 2\)"),
        ([1.0, 2.0], "must hold paths of sounds; got float in it"),
    ],
    ids=["one path", "none", "two columns", "numbers"],
)
def test_what_holds_no_paths_is_an_error(paths: Any, words: str, transformer: OpenL3Transformer) -> None:
    with pytest.raises(OpenL3Error, match=words):
        transformer.fit(paths)


@pytest.mark.parametrize(
    ("parameter", "words"),
    [
        ({"pooling": "max"}, "pooling must be one of mean, mean_std; got 'max'"),
        ({"on_error": "skip"}, "on_error must be one of raise, nan; got 'skip'"),
        ({"hop_size": 0}, "hop_size must be a positive number of seconds; got 0"),
        ({"weights": "nowhere"}, "The source of the weights must be"),
    ],
    ids=["pooling", "errors", "hop", "weights"],
)
def test_fitting_checks_the_parameters(
    parameter: dict[str, Any], words: str, transformer: OpenL3Transformer
) -> None:
    with pytest.raises(OpenL3Error, match=words):
        transformer.set_params(**parameter).fit(["a.wav"])


def test_features_have_names_for_data_frames(transformer: OpenL3Transformer, write_wav: WriteWav) -> None:
    pytest.importorskip("pandas")
    frame = transformer.set_output(transform="pandas").fit_transform([write_wav("a.wav")])

    assert list(frame.columns[[0, -1]]) == ["openl3transformer0", "openl3transformer511"]


NO_PATHS = "X must hold paths of sounds"

WANT_WORDS_ABOUT_NUMBERS = {
    "check_positive_only_tag_during_fit",
    "check_estimators_empty_data_messages",
    "check_estimators_nan_inf",
    "check_estimator_sparse_tag",
    "check_estimator_sparse_array",
    "check_estimator_sparse_matrix",
}
"""Checks of how matrices of numbers are refused: as OpenL3 refuses all of them, its words are others."""


def test_scikit_learn_s_own_checks_pass_as_far_as_they_apply(transformer: OpenL3Transformer) -> None:
    """Of what takes strings scikit-learn checks next to nothing, so it is told that this takes numbers: what
    then needs any fails for that alone, and all that looks at the estimator itself passes."""

    class Numbers(OpenL3Transformer):
        def __sklearn_tags__(self) -> Any:
            tags = super().__sklearn_tags__()
            tags.input_tags.two_d_array, tags.input_tags.string = True, False
            return tags

    with pytest.warns(UserWarning, match="Can't test estimator OpenL3Transformer which requires input"):
        assert {result["status"] for result in check_estimator(transformer)} == {"passed"}
    results = check_estimator(Numbers(**transformer.get_params()), on_fail=None, on_skip=None)

    passed = {result["check_name"] for result in results if result["status"] == "passed"}
    failed = {result["check_name"]: result["exception"] for result in results if result["exception"]}
    assert {
        "check_estimator_cloneable",
        "check_no_attributes_set_in_init",
        "check_do_not_raise_errors_in_init_or_set_params",
        "check_parameters_default_constructible",
        "check_get_params_invariance",
        "check_set_params",
        "check_mixin_order",
    } <= passed
    assert {name for name, error in failed.items() if NO_PATHS not in str(error)} <= WANT_WORDS_ABOUT_NUMBERS
