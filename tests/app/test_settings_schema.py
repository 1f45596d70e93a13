"""The JSON schema of ``params.yaml`` and ``conf/``: what editors accept, refuse and say."""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml
from stages.conftest import REPOSITORY

from l3embed.app.conf_comments import read_comments
from l3embed.app.params import compose_params, main
from l3embed.app.schema_file import SCHEMA_FILE
from l3embed.app.settings import setting_keys
from l3embed.app.settings_schema import schema_text, settings_schema

CONF = REPOSITORY / "conf"
FILES = sorted([*CONF.glob("*.yaml"), *CONF.glob("*/*.yaml")])
PARAMS = REPOSITORY / "params.yaml"

MODELINE = re.compile(r"^# yaml-language-server: \$schema=(\S+)#/definitions/(\w+)$", re.MULTILINE)
SCHEMA: dict[str, Any] = json.loads(SCHEMA_FILE.read_text(encoding="utf-8"))


def faults(values: object, definition: str | None = None) -> list[str]:
    """What is wrong with values by the schema, or by one of its definitions: the places."""
    schema = {**SCHEMA, **SCHEMA["definitions"][definition]} if definition else SCHEMA
    if definition:
        schema.pop("required")
    found = jsonschema.Draft7Validator(schema).iter_errors(values)
    return [".".join(map(str, error.absolute_path)) for error in found]


def named_definition(file: Path) -> str:
    """The definition that a file's own line names."""
    (_, definition) = MODELINE.findall(file.read_text(encoding="utf-8"))[0]
    return str(definition)


def changed(key: str, value: object) -> Any:
    """The project's ``params.yaml`` with one setting changed."""
    values = copy.deepcopy(yaml.safe_load(PARAMS.read_text(encoding="utf-8")))
    *groups, name = key.split(".")
    inner = values
    for group in groups:
        inner = inner[group]
    inner[name] = value
    return values


def test_the_schema_is_one() -> None:
    jsonschema.Draft7Validator.check_schema(SCHEMA)


def test_the_committed_schema_is_what_make_params_writes() -> None:
    defaults = yaml.safe_load(PARAMS.read_text(encoding="utf-8"))
    written = schema_text(settings_schema(read_comments(CONF), defaults))
    assert SCHEMA_FILE.read_text(encoding="utf-8") == written


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.relative_to(CONF).as_posix())
def test_every_file_of_conf_names_the_schema_and_keeps_to_it(file: Path) -> None:
    ((path, definition),) = MODELINE.findall(file.read_text(encoding="utf-8"))
    assert (file.parent / path).resolve() == SCHEMA_FILE
    assert faults(yaml.safe_load(file.read_text(encoding="utf-8")), definition) == []


@pytest.mark.parametrize(
    "choices",
    [
        (),
        ("frontend=librosa", "weights=random", "labels=raven"),
        ("layout=packed", "engine=ray", "dataset=listing", "labels=table"),
        ("layout=packed", "engine=slurm", "experiment=quick", "weights=directory"),
        ("dataset.modality=[audio,video]", "export.formats=parquet", "evaluation.min_class_files=3"),
    ],
    ids=lambda choices: " ".join(choices) or "as committed",
)
def test_what_is_composed_keeps_to_the_schema(
    choices: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("l3embed.engines.engine_table.importlib.util.find_spec", lambda name: name)
    assert faults(yaml.safe_load(compose_params(CONF, choices))) == []


def test_the_committed_params_keep_to_the_schema() -> None:
    assert faults(yaml.safe_load(PARAMS.read_text(encoding="utf-8"))) == []


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("model.input_repr", "mel64"),
        ("model.audio_embedding_size", 513),
        ("model.audio_embedding_size", "big"),
        ("dataset.modality", "sound"),
        ("dataset.modality", ["audio", "text"]),
        ("dataset.include", "*.wav"),
        ("export.formats", ["npz", "hdf5"]),
        ("export.parquet", "perhaps"),
        ("windows.hop_s", 0),
        ("windows.hop_s", "short"),
        ("windows.center", 1),
        ("device.batch_size", 1.5),
        ("evaluation.folds", 1),
        ("weights.seed", -1),
        ("engine.num_cpus", 1.5),
        ("engine.num_gpus", -0.5),
        ("model.colour", "red"),
        ("frontend.preprocessed.kind", "notes"),
        ("on_error", "stop"),
        ("profile", "yes"),
        ("windos", {"hop_s": 1}),
        ("model", 3),
        ("dataset.path", None),
    ],
    ids=str,
)
def test_what_is_wrong_is_refused(key: str, value: object) -> None:
    assert faults(changed(key, value))


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("windows.hop_s", 1),
        ("evaluation.min_class_files", None),
        ("engine.num_gpus", 0.5),
        ("engine.num_gpus", 4),
        ("weights.base_url", None),
        ("dataset.synthesised", {"mine": "data/raw/mine"}),
        ("engine.job", {"timeout_min": 10, "slurm_account": None}),
        ("labels.table", "my/labels.csv"),
    ],
    ids=str,
)
def test_what_is_right_is_accepted(key: str, value: object) -> None:
    assert faults(changed(key, value)) == []


def test_a_group_that_is_missing_is_refused() -> None:
    values = yaml.safe_load(PARAMS.read_text(encoding="utf-8"))
    del values["model"]
    assert faults(values) == [""]


@pytest.mark.parametrize("reference", ["${windows.hop_s}", "${oc.env:MINE,3}", "data-${name}", "???"])
@pytest.mark.parametrize("key", sorted(setting_keys()))
def test_any_setting_may_refer_to_another(key: str, reference: str) -> None:
    assert faults(changed(key, reference)) == []


def test_a_part_of_a_group_is_enough_in_conf() -> None:
    assert faults({"defaults": ["music"], "precision": "bfloat16"}, "model_file") == []
    assert faults({"defaults": [{"override /model": "mine"}], "windows": {"hop_s": 1}}, "config") == []


@pytest.mark.parametrize(
    ("values", "definition"),
    [
        ({"hop_s": 1}, "model_file"),
        ({"hydra": {}}, "model_file"),
        ({"windos": {"hop_s": 1}}, "config"),
        ({"defaults": [{"model": "music", "device": "cpu"}]}, "config"),
    ],
    ids=str,
)
def test_what_is_wrong_in_conf_is_refused(values: object, definition: str) -> None:
    assert faults(values, definition)


def described(schema: Any, prefix: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    """All settings in a schema, by their names."""
    for name, value in schema["properties"].items():
        inner = SCHEMA["definitions"][name] if "$ref" in value else value
        if "properties" in inner:
            yield from described(inner, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", inner


def test_every_setting_is_in_the_schema_with_a_description() -> None:
    found = dict(described(SCHEMA))
    assert set(found) == setting_keys()
    assert [key for key, value in found.items() if not value["description"]] == []


@pytest.mark.parametrize("group", sorted(path.name for path in CONF.iterdir() if path.is_dir()))
def test_the_choices_of_each_group_are_completed(group: str) -> None:
    if group == "hydra":  # which has choices of its own besides
        return
    (_, one) = SCHEMA["definitions"]["defaults"]["items"]["anyOf"]
    for name in (group, f"override /{group}"):
        (known, _) = one["properties"][name]["anyOf"]
        assert known["enum"] == sorted(path.stem for path in (CONF / group).glob("*.yaml"))
        assert all(known["enumDescriptions"])


@pytest.mark.parametrize(
    ("text", "key", "comment"),
    [
        ("a: 1  # seconds\n", "a", "seconds"),
        ("a:\n  b: x  # of a\nc: 2\n", "a.b", "of a"),
        ("b: 1\n# What it is,\n# and why.\na: 1\n", "a", "What it is, and why."),
        ("a: 'x # y'  # both\n", "a", "both"),
        ("a: x#y  # sign\n", "a", "sign"),
        ("# About the file.\na: 1\n", "a", None),
        ("b: 1\n# Something else.\n\na: 1\n", "a", None),
        ("defaults:\n  - a: b  # a choice\n", "defaults.a", None),
    ],
    ids=["behind", "nested", "above", "quoted sign", "sign within", "header", "apart", "list"],
)
def test_comments_are_read_as_they_stand(tmp_path: Path, text: str, key: str, comment: str | None) -> None:
    (tmp_path / "config.yaml").write_text(text, encoding="utf-8")
    assert read_comments(tmp_path).settings.get(key) == comment


@pytest.mark.parametrize(
    ("arguments", "file"), [([], "conf/settings.schema.json"), (["mine.json"], "mine.json")], ids=["", "FILE"]
)
def test_the_command_writes_the_schema_for_a_project(
    arguments: list[str], file: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "conf").mkdir()
    assert main(["--schema", *arguments]) == 0
    assert (tmp_path / file).read_bytes() == SCHEMA_FILE.read_bytes()
    assert not (tmp_path / "params.yaml").exists()


def test_where_the_schema_cannot_be_written_it_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["--schema"]) == 1
    assert capsys.readouterr().err.startswith("l3embed-params: error: ")
