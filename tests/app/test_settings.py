"""The settings: every value is checked, and what comes out is plain and typed."""

from __future__ import annotations

import ast
import copy
from pathlib import Path
from typing import Any

import pytest
from stages.conftest import REPOSITORY

from l3embed.app.settings import Settings, parse_settings, read_settings
from l3embed.errors import OpenL3Error
from l3embed.export.card.licences import LICENCES
from l3embed.export.formats import Dtype, Pooling, RowLayout, Rows
from l3embed.export.labels import FolderLabels, LabelTable
from l3embed.inputs.preparation import Samples, Spectrograms
from l3embed.inputs.windows import Framing
from l3embed.runtimes.base import Placement
from l3embed.stages.dataset import Selection
from l3embed.stages.results import OnError
from l3embed.variants import (
    AudioVariant,
    ContentType,
    Device,
    Frontend,
    InputRepr,
    Media,
    Modality,
)
from l3embed.weights.source import PublishedWeights, RandomWeights, WeightsDirectory, WeightsSource

VALID: dict[str, Any] = {
    "dataset": {
        "name": "mine",
        "path": "some/folder",
        "modality": "all",
        "include": [],
        "exclude": ["*.bak.wav"],
        "synthesised": {},
    },
    "labels": {"source": "folders", "definition": "a/file"},
    "model": {
        "content_type": "env",
        "input_repr": "mel128",
        "audio_embedding_size": 512,
        "image_embedding_size": 8192,
        "precision": "float32",
    },
    "frontend": {"name": "kapre", "preprocessed": {"kind": "samples"}},
    "device": {"name": "cpu", "batch_size": 8, "threads": 3},
    "runtime": {"name": "openvino"},
    "weights": {"source": "random", "seed": 3, "definition": "a/file"},
    "windows": {"hop_s": 0.5, "center": False},
    "export": {"formats": ["npz", "parquet"], "rows": "files", "pooling": "mean_std", "dtype": "float16"},
    "card": {"title": "Bells"},
    "layout": {"name": "files", "dtype": "float32", "parts_depend_on": {"definition": "a/file"}},
    "evaluation": {"folds": 4, "neighbours": 3, "seed": 1},
    "report": {"projection": "pca", "previews_mb": 5, "neighbours": 6, "seed": 2},
    "on_error": "fail",
    "profile": False,
}
LIBROSA = {"kind": "spectrograms", "input_repr": "mel128", "hop_s": 0.5, "center": False}

WRONG: list[tuple[str, object, str]] = [
    ("dataset.path", "", r"dataset\.path must be the path of a folder"),
    ("dataset.path", None, r"dataset\.path: .*None"),
    ("dataset.path", 2024, r"dataset\.path must be the path of a folder; got 2024.* Write \./2024"),
    ("dataset.modality", "sound", r"dataset\.modality must be one of all, audio, image, video; got 'sound'"),
    ("dataset.modality", ["audio", "text"], r"dataset\.modality must be one of .*; got 'text'"),
    ("dataset.modality", [], r"dataset\.modality must be one of .*; got None"),
    ("dataset.include", "*.wav", r"dataset\.include: "),
    (
        "labels.source",
        "names",
        r"labels\.source must be one of folders, table, listing, raven, audacity, none; got 'names'",
    ),
    ("labels.source", "table", r"labels\.table must be the path of a CSV file; got null"),
    ("labels.definition", None, r"labels\.definition must be .*labels=folders"),
    ("labels.table", 5, r"labels\.table must be the path of a file; got 5.* Write \./5"),
    ("export.formats", ["npz", "hdf5"], r"export\.formats must be one of npz, parquet, lance; got 'hdf5'"),
    ("layout.name", "shards", r"layout\.name must be one of files, packed; got 'shards'"),
    ("layout.dtype", "int8", r"layout\.dtype must be one of float32, float16; got 'int8'"),
    ("export.rows", "windows", r"export\.rows must be one of frames, files; got 'windows'"),
    ("export.pooling", "max", r"export\.pooling must be one of mean, mean_std; got 'max'"),
    ("export.card", "maybe", r"export\.card: .*'maybe'.* bool"),
    ("card.title", "Two\nlines", r"card\.title must be one line of text; got 'Two"),
    ("card.license", "cc-by", r"card\.license must be one of cc0-1\.0, .*; got 'cc-by'"),
    ("card.license", "https://a.place", r"card\.license is the address https://a\.place"),
    ("card.url", "a.place", r"card\.url must be null or an https:// .*; got 'a\.place'"),
    ("card.version", "1.0", r"card\.version must be null or three numbers, as in 1\.0\.0; got '1\.0'"),
    ("card.published", "20261129", r"card\.published must be null or a day.*; got '20261129'"),
    ("card.published", "2026-13-01", r"card\.published must be null or a day.*; got '2026-13-01'"),
    ("card.authors", "Ada Lovelace", r"card\.authors: "),
    ("export.dtype", "int8", r"export\.dtype must be one of float32, float16; got 'int8'"),
    ("evaluation.folds", 1, r"evaluation\.folds must be at least 2; got 1"),
    ("evaluation.neighbours", 0, r"evaluation\.neighbours must be at least 1; got 0"),
    ("report.projection", "tsne", r"report\.projection must be one of auto, pca, umap; got 'tsne'"),
    ("evaluation.seed", -1, r"evaluation\.seed must be at least 0; got -1\.$"),
    ("report.previews_mb", -1, r"report\.previews_mb must be at least 0; got -1"),
    ("report.neighbours", 0, r"report\.neighbours must be at least 1; got 0\.$"),
    ("report.seed", -1, r"report\.seed must be at least 0; got -1\.$"),
    ("on_error", "stop", r"on_error must be one of skip, fail; got 'stop'"),
    ("model.content_type", "noise", r"model\.content_type must be one of music, env; got 'noise'"),
    ("model.input_repr", "mel64", r"model\.input_repr must be one of linear, mel128, mel256; got 'mel64'"),
    ("model.audio_embedding_size", 513, r"model\.audio_embedding_size must be one of 6144, 512; got 513"),
    ("model.audio_embedding_size", "big", r"model\.audio_embedding_size: .*'big'.* Integer"),
    ("model.image_precision", "int4", r"model\.image_precision must be one of float32, .*; got 'int4'"),
    ("model.image_embedding_size", 6144, r"model\.image_embedding_size must be one of 8192, 512; got 6144"),
    (
        "frontend.name",
        "essentia",
        r"frontend\.name must be one of kapre, librosa, kapre_graph; got 'essentia'",
    ),
    ("frontend.name", "librosa", r"do not go together.* frontend=librosa"),
    ("frontend.preprocessed.kind", "notes", r"frontend\.preprocessed\.kind 'notes'.* frontend=kapre"),
    ("device.name", "tpu", r"device\.name must be one of auto, cpu, gpu; got 'tpu'"),
    ("device.batch_size", 0, r"device\.batch_size must be at least 1; got 0"),
    ("device.batch_size", 1.5, r"device\.batch_size: .*1\.5.* Integer"),
    ("weights.source", "web", r"weights\.source must be one of published, random, directory; got 'web'"),
    ("weights.seed", None, r"weights\.seed must be an integer from 0 on; got null"),
    ("weights.seed", -1, r"weights\.seed must be an integer from 0 on; got -1"),
    ("weights.definition", None, r"weights\.definition must be .*weights=random"),
    ("weights.path", 7, r"weights\.path must be the path of a folder; got 7.* Write \./7"),
    ("windows.hop_s", 0, r"windows\.hop_s must be .* from 1/48000 on; got 0"),
    ("windows.hop_s", 0.00002, r"windows\.hop_s must be .* from 1/48000 on; got 2e-05"),
    ("windows.hop_s", float("nan"), r"windows\.hop_s must be .*; got nan"),
    ("windows.hop_s", float("inf"), r"windows\.hop_s must be .*; got inf"),
    ("windows.hop_s", "short", r"windows\.hop_s: .*'short'.* Float"),
    ("windows.center", "maybe", r"windows\.center: .*'maybe'.* bool"),
    ("model.colour", "red", r"model\.colour: .*not in"),
    ("model.inputrepr", "linear", r"model\.inputrepr: .*\. Did you mean model\.input_repr\?$"),
    ("windos", {"hop_s": 1}, r"windos: .*\. Did you mean windows\?$"),
    ("model", 3, r"model: "),
]


def changed(key: str, value: object) -> dict[str, Any]:
    """The valid settings with one of them changed."""
    values: dict[str, Any] = copy.deepcopy(VALID)
    *groups, name = key.split(".")
    inner = values
    for group in groups:
        inner = inner[group]
    inner[name] = value
    return values


def parsed(**groups: dict[str, Any]) -> Settings:
    return parse_settings({**VALID, **groups})


@pytest.mark.parametrize(
    ("key", "value", "message"), WRONG, ids=[f"{key}={value}" for key, value, _ in WRONG]
)
def test_a_wrong_value_is_named_with_what_is_allowed(key: str, value: object, message: str) -> None:
    with pytest.raises(OpenL3Error, match=message):
        parse_settings(changed(key, value))


@pytest.mark.parametrize(
    ("weights", "message"),
    [
        ({"source": "directory"}, r"weights\.path must be the path of a folder; got null"),
        (
            {"source": "published", "base_url": "mirror"},
            r"weights\.base_url must be null or an http.*'mirror'",
        ),
    ],
    ids=["directory without a path", "published from no address"],
)
def test_a_source_of_weights_needs_what_belongs_to_it(weights: dict[str, Any], message: str) -> None:
    with pytest.raises(OpenL3Error, match=message):
        parsed(weights={"definition": "a/file", **weights})


@pytest.mark.parametrize(
    "key",
    [
        f"{group}.{name}"
        for group, values in VALID.items()
        if isinstance(values, dict)
        for name in values
        if name != "preprocessed"
    ]
    + ["weights.path", "frontend.preprocessed.kind", "on_error"],
)
def test_a_question_mark_value_is_named(key: str) -> None:
    with pytest.raises(OpenL3Error, match=rf"no value: .*{key}"):
        parse_settings(changed(key, "???"))


@pytest.mark.parametrize(
    ("precisions", "names"),
    [
        (
            {"precision": "bfloat16"},
            ("audio_mel128_env_512_kapre_bfloat16", "image_mel128_env_8192_bfloat16"),
        ),
        (
            {"precision": "int8", "image_precision": "float32"},
            ("audio_mel128_env_512_kapre_int8", "image_mel128_env_8192"),
        ),
        (
            {"precision": "float32", "image_precision": "int8"},
            ("audio_mel128_env_512_kapre", "image_mel128_env_8192_int8"),
        ),
    ],
    ids=["one for both", "of sound alone", "of images alone"],
)
def test_each_network_has_its_precision(precisions: dict[str, str], names: tuple[str, str]) -> None:
    settings = parsed(model={**VALID["model"], **precisions})
    assert (settings.variant.name, settings.image_variant.name) == names


def test_a_missing_group_is_named() -> None:
    with pytest.raises(OpenL3Error, match="no value: model"):
        parse_settings({name: group for name, group in VALID.items() if name != "model"})


@pytest.mark.parametrize(
    "preprocessed",
    [{**LIBROSA, "input_repr": "linear"}, {**LIBROSA, "hop_s": 0.4}, {**LIBROSA, "center": True}],
    ids=["input_repr", "hop_s", "center"],
)
def test_what_is_preprocessed_must_be_what_is_embedded(preprocessed: dict[str, Any]) -> None:
    with pytest.raises(OpenL3Error, match=r"frontend\.preprocessed repeats"):
        parsed(frontend={"name": "librosa", "preprocessed": preprocessed})


def test_settings_come_out_as_the_librarys_words() -> None:
    settings = parsed()
    assert settings.variant == AudioVariant(InputRepr.MEL128, ContentType.ENV, 512, Frontend.KAPRE)
    assert settings.windows.framing() == Framing(hop_s=0.5, center=False)
    assert settings.placement == Placement(Device.CPU, "openvino", threads=3)
    assert settings.dataset.parse() == Selection(tuple(Media), (), ("*.bak.wav",))
    assert settings.labels.parse() == FolderLabels()
    assert settings.export.layout() == RowLayout(Rows.FILES, Pooling.MEAN_STD, Dtype.FLOAT16)
    assert settings.failures is OnError.FAIL


@pytest.mark.parametrize(
    ("modality", "media", "modalities"),
    [
        ("all", tuple(Media), {Modality.AUDIO, Modality.IMAGE}),
        ("audio", (Media.AUDIO,), {Modality.AUDIO}),
        (["image"], (Media.IMAGE,), {Modality.IMAGE}),
        ("video", (Media.VIDEO,), {Modality.AUDIO, Modality.IMAGE}),
        (["image", "audio"], (Media.AUDIO, Media.IMAGE), {Modality.AUDIO, Modality.IMAGE}),
    ],
    ids=["all", "audio", "image", "video", "a list"],
)
def test_the_kinds_of_files_say_which_networks_are_needed(
    modality: object, media: tuple[Media, ...], modalities: set[Modality]
) -> None:
    settings = parse_settings(changed("dataset.modality", modality))
    assert settings.dataset.parse().media == media
    assert set(settings.variants) == modalities


def test_labels_may_come_from_a_table_or_not_at_all() -> None:
    table = {"source": "table", "table": "my/labels.csv", "definition": "my/labels.csv"}
    assert parsed(labels=table).labels.parse() == LabelTable(Path("my/labels.csv"))
    assert parsed(labels={"source": "none", "definition": "a/file"}).labels.parse() is None


@pytest.mark.parametrize(
    ("export", "formats"),
    [
        ({}, ("npz",)),
        ({"formats": ["parquet"]}, ("parquet",)),
        ({"formats": "parquet"}, ("parquet",)),
        ({"formats": ["parquet", "npz", "npz"]}, ("npz", "parquet")),
        ({"formats": []}, ()),
    ],
    ids=["unless told otherwise", "one", "one without brackets", "in the table's order, once", "none"],
)
def test_formats_are_those_that_are_asked_for(export: dict[str, Any], formats: tuple[str, ...]) -> None:
    layout = {name: value for name, value in VALID["export"].items() if name != "formats"}
    assert parsed(export={**layout, **export}).export.chosen_formats() == formats


@pytest.mark.parametrize(
    ("named", "parquet", "formats"),
    [
        (["npz"], True, ("npz", "parquet")),
        (["npz"], False, ("npz",)),
        (["npz"], None, ("npz",)),
        (["npz", "parquet"], True, ("npz", "parquet")),
        (["npz", "parquet"], False, ("npz",)),
        (["npz", "parquet"], None, ("npz", "parquet")),
    ],
)
def test_the_older_word_adds_parquet_or_takes_it_away(
    named: list[str], parquet: bool | None, formats: tuple[str, ...]
) -> None:
    export = {**VALID["export"], "formats": named, "parquet": parquet}
    assert parsed(export=export).export.chosen_formats() == formats


@pytest.mark.parametrize(("parquet", "formats"), [(True, ("npz", "parquet")), (False, ("npz",))])
def test_settings_from_before_there_were_formats_are_read(parquet: bool, formats: tuple[str, ...]) -> None:
    export = {"parquet": parquet, "rows": "frames", "pooling": "mean", "dtype": "float32"}
    assert parsed(export=export).export.chosen_formats() == formats


@pytest.mark.parametrize(
    ("frontend", "preprocessed"),
    [
        ({"name": "kapre", "preprocessed": {"kind": "samples"}}, Samples()),
        (
            {"name": "librosa", "preprocessed": LIBROSA},
            Spectrograms(InputRepr.MEL128, Framing(hop_s=0.5, center=False)),
        ),
    ],
    ids=["kapre", "librosa"],
)
def test_the_frontend_says_what_is_preprocessed(
    frontend: dict[str, Any], preprocessed: Samples | Spectrograms
) -> None:
    assert parsed(frontend=frontend).preprocessed == preprocessed


@pytest.mark.parametrize("formats", [["npz"], ["npz", "lance"], []], ids=str)
def test_a_card_needs_parquet(formats: list[str]) -> None:
    with pytest.raises(OpenL3Error, match=r"export\.card=true describes Parquet .* Set export=parquet"):
        parsed(export={**VALID["export"], "formats": formats, "card": True})


@pytest.mark.parametrize("formats", [[], ["npz"]], ids=str)
def test_a_packed_export_is_parquet_enough_for_a_card(formats: list[str]) -> None:
    layout = {"name": "packed", "parts_depend_on": {"source": "folders", "definition": "a/file"}}
    settings = parsed(export={**VALID["export"], "formats": formats, "card": True}, layout=layout)
    assert settings.export.card


def test_a_card_says_what_the_settings_say() -> None:
    stated = {"title": " Bells ", "authors": ["Ada Lovelace"], "license": "CC-BY-4.0", "version": "1.0.0"}
    study = parsed(card=stated).card.parse()
    assert (study.title, study.authors, study.version) == ("Bells", ("Ada Lovelace",), "1.0.0")
    assert study.licence == LICENCES["cc-by-4.0"]
    assert (study.description, study.url, study.published, study.citation) == ("", "", "", "")


@pytest.mark.parametrize(
    ("weights", "source"),
    [
        ({"source": "published"}, PublishedWeights()),
        ({"source": "published", "base_url": "https://a.mirror/x"}, PublishedWeights("https://a.mirror/x")),
        ({"source": "random", "seed": 3}, RandomWeights(3)),
        ({"source": "directory", "path": "some/weights"}, WeightsDirectory(Path("some/weights"))),
    ],
    ids=["published", "mirror", "random", "directory"],
)
def test_weights_come_from_where_the_settings_say(weights: dict[str, Any], source: WeightsSource) -> None:
    assert parsed(weights={"definition": "a/file", **weights}).weights.parse() == source


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "no value: .*model"),
        ("[1, 2]", "must be a mapping"),
        ("3", "could not be read"),
        ("a: b: c", "could not be read"),
        ("model: {input_repr: mel64}", "no value: "),
    ],
    ids=["empty", "list", "number", "no YAML", "part"],
)
def test_a_params_file_edited_wrongly_is_explained(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "params.yaml"
    path.write_text(text)
    with pytest.raises(OpenL3Error, match=message):
        read_settings(path)


def test_a_missing_params_file_is_explained(tmp_path: Path) -> None:
    with pytest.raises(OpenL3Error, match=r"There is no .*params\.yaml here.*make params"):
        read_settings(tmp_path / "params.yaml")


@pytest.mark.parametrize(
    ("package", "importers"),
    [
        (
            "hydra",
            {"app/job.py", "app/launch.py", "app/overrides.py", "app/params.py", "app/submission.py"},
        ),
        (
            "omegaconf",
            {
                *("app/groups.py", "app/job.py", "app/params.py", "app/rules.py"),
                *("app/settings.py", "app/settings_schema.py", "app/sweep.py"),
            },
        ),
        ("dvc", set()),
    ],
)
def test_a_framework_of_settings_is_imported_in_its_place_alone(package: str, importers: set[str]) -> None:
    source = REPOSITORY / "src" / "l3embed"
    found = {path for path in source.rglob("*.py") if package in imported_packages(path)}
    assert {path.relative_to(source).as_posix() for path in found} == importers


def imported_packages(path: Path) -> set[str]:
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            names.add(node.module or "")
    return {name.split(".")[0] for name in names}
