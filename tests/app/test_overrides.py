"""Settings as people write them on a command line: paths with any signs, and words that are misspelt."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import pytest
import yaml
from conftest import run_child
from hypothesis import given, settings
from hypothesis import strategies as st
from stages.conftest import REPOSITORY

from l3embed.app import run as program
from l3embed.app.overrides import prepare_overrides
from l3embed.app.params import compose_params, main
from l3embed.errors import OpenL3Error

CONF = REPOSITORY / "conf"

ODD = (
    "my recordings",
    "Größe/日本語",
    "it's",
    '"mine"',
    "'quoted'",
    "a=b",
    "a,b",
    "a#b",
    "[a]",
    "{a: b}",
    "(a)",
    "glob(a)",
    "~mine",
    "$mine",
    "a\\b",
    "a\\",
    "a: b",
    "&a *b !c %d @e ^f `g` |h <i> ?",
    "2024",
    "1e3",
    "true",
    "null",
    " a ",
)
"""Names that folders and files may have."""


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with the settings, as the current one."""
    shutil.copytree(CONF, tmp_path / "conf")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def written() -> dict[str, dict[str, object]]:
    content: dict[str, dict[str, object]] = yaml.safe_load(Path("params.yaml").read_text(encoding="utf-8"))
    return content


@pytest.mark.parametrize("name", ODD)
def test_a_path_is_taken_as_it_is(project: Path, name: str) -> None:
    (project / name).mkdir(parents=True)
    (project / f"{name}.csv").touch()
    arguments = ["dataset=folder", f"dataset.path={name}", "labels=table", f"labels.table={name}.csv"]
    assert main([*arguments, "weights=directory", f"weights.path={name}"]) == 0
    assert written()["dataset"]["path"] == name
    assert written()["labels"]["table"] == written()["labels"]["definition"] == f"{name}.csv"
    assert written()["weights"]["path"] == written()["weights"]["definition"] == name


@settings(deadline=None, max_examples=50)
@given(st.text(st.characters(exclude_categories=["Cc", "Cs", "Zl", "Zp"])).map("/{}".format))
def test_any_text_is_a_path(text: str) -> None:
    if "${" in text:
        return
    composed = compose_params(CONF, ["dataset=folder", f"dataset.path={text}"])
    assert yaml.safe_load(composed)["dataset"]["path"] == text


@pytest.mark.parametrize("quoted", ["'my, recordings'", '"my, recordings"', "my\\, recordings"])
def test_a_path_may_be_written_by_hydras_rules_as_well(project: Path, quoted: str) -> None:
    (project / "my, recordings").mkdir()
    assert main(["dataset=folder", f"dataset.path={quoted}"]) == 0
    assert written()["dataset"]["path"] == "my, recordings"


@pytest.mark.parametrize("value", ["~/mine", "'~/mine'", "~/my, recordings"])
def test_a_tilde_is_the_home_folder(project: Path, monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    home = project / "home"
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("USERPROFILE", str(home))
    path = home / value.strip("'").removeprefix("~/")
    path.mkdir(parents=True)
    assert main(["dataset=folder", f"dataset.path={value}"]) == 0
    assert Path(str(written()["dataset"]["path"])) == path


def test_a_path_may_name_what_hydra_looks_up(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOUNDS", str(project))
    assert main(["dataset=folder", "dataset.path=${oc.env:SOUNDS}"]) == 0
    assert written()["dataset"]["path"] == str(project)


def test_an_address_is_taken_as_it_is(project: Path) -> None:
    address = "https://a.mirror/x?y=1,2&z=%20#'"
    assert main([f"weights.base_url={address}"]) == 0
    assert written()["weights"]["base_url"] == address


@pytest.mark.parametrize("text", ["Bells, rain", "@misc{a, title = {It's #1: 'a', \"b\"}}", "(a) [b] c?"])
def test_what_a_card_says_is_taken_as_it_is(project: Path, text: str) -> None:
    names = ("title", "description", "license_name", "citation")
    arguments = ["export=parquet", "export.card=true", "card.license=https://a.place"]
    assert main([*arguments, *(f"card.{name}={text}" for name in names)]) == 0
    assert [written()["card"][name] for name in names] == [text] * len(names)


@pytest.mark.parametrize(
    ("arguments", "key", "kind", "name"),
    [
        (["dataset=folder", "dataset.path=muzic"], "dataset.path", "folder", "music"),
        (["dataset=listing", "dataset.path=label.csv"], "dataset.path", "file", "labels.csv"),
        (["labels=table", "labels.table=label.csv"], "labels.table", "file", "labels.csv"),
        (["weights=directory", "weights.path=weigths"], "weights.path", "folder", "weights"),
    ],
    ids=["dataset", "listing", "labels", "weights"],
)
def test_a_path_that_is_not_there_is_refused_with_its_neighbour(
    project: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], key: str, kind: str, name: str
) -> None:
    (project / "music").mkdir()
    (project / "weights").mkdir()
    (project / "labels.csv").touch()
    assert main(arguments) == 1
    assert capsys.readouterr().err == (
        f"l3embed-params: error: {key} must be the path of a {kind}; got {arguments[1].partition('=')[2]}, "
        f"which is not there. Did you mean {name}?\n"
    )
    assert not (project / "params.yaml").exists()


def test_a_file_is_no_folder(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (project / "sounds").touch()
    assert main(["dataset=folder", "dataset.path=sounds"]) == 1
    assert "got sounds, which is no folder. Set dataset.path=..." in capsys.readouterr().err


def test_a_folder_has_no_labels_of_a_listing(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (project / "clips.csv").touch()
    assert main(["dataset=listing", "dataset.path=clips.csv", "labels=listing"]) == 0
    assert main(["dataset=folder", "dataset.path=.", "labels=listing"]) == 1
    assert "labels=listing takes labels from the dataset's listing, and" in capsys.readouterr().err


def test_what_dvc_tracks_need_not_be_there_yet(project: Path) -> None:
    (project / "sounds.dvc").touch()
    assert main(["dataset=folder", "dataset.path=sounds"]) == 0


def test_the_sample_need_not_be_there_yet(project: Path) -> None:
    assert main(["dataset=sample"]) == 0


@pytest.mark.parametrize(
    ("arguments", "warning"),
    [
        (["dataset.path=."], "dataset.path is set without dataset=folder: it keeps the name 'sample'"),
        (["labels.table=a.csv"], "labels.table is set without labels=table"),
        (["weights.path=."], "weights.path is set without weights=directory"),
        (["card.license=mit"], "Set without export.card=true, by which a card is written: card.license."),
    ],
    ids=["dataset", "labels", "weights", "card"],
)
def test_a_path_without_its_choice_is_warned_of(
    project: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], warning: str
) -> None:
    assert main(arguments) == 0
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith(f"l3embed-params: warning: {warning}")


def test_a_name_that_is_no_text_is_refused(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["dataset=folder", "dataset.path=a\udcff"]) == 1
    assert "dataset.path must be valid UTF-8, which 'a\\udcff' is not" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("override", "suggestion"),
    [
        ("modl.input_repr=mel128", "model.input_repr"),
        ("model.inputrepr=mel128", "model.input_repr"),
        ("+model.inputrepr=mel128", "model.input_repr"),
        ("input_repr=mel128", "model.input_repr"),
        ("hop=0.5", "windows.hop_s"),
        ("path=/music", "dataset.path or weights.path"),
        ("onerror=fail", "on_error"),
        ("modle=music", "model"),
        ("model=musik", "music"),
        ("experiment=quik", "quick"),
    ],
)
def test_a_misspelt_word_is_answered_with_what_is_like_it(override: str, suggestion: str) -> None:
    with pytest.raises(OpenL3Error, match=rf"\. Did you mean {suggestion}\?$"):
        prepare_overrides([override], CONF)


def test_a_word_that_is_like_none_gets_no_suggestion() -> None:
    with pytest.raises(OpenL3Error, match=r"^There is no setting colour\. .*conf/ has them all\.$"):
        prepare_overrides(["colour=red"], CONF)


@pytest.mark.parametrize(
    "override",
    [
        "hydra.run.dir=a",
        "hydra/launcher=cores",
        "dataset.synthesised.mine=a",
        "windows={hop_s: 1}",
        "experiment=null",
        "~experiment",
        "model@model=music",
        "dataset.path=${oc.env:HOME}",
        "dataset.path=null",
    ],
)
def test_what_is_hydras_is_left_to_hydra(override: str) -> None:
    assert prepare_overrides([override], CONF) == [override]


def test_a_sweep_goes_over_paths_unless_one_is_called_so(project: Path) -> None:
    swept = ["dataset.path=a,b", "model=music,music_512"]
    assert prepare_overrides(swept, CONF, is_sweep=True) == swept
    (project / "a,b").mkdir()
    assert prepare_overrides(swept, CONF, is_sweep=True) == ["dataset.path='a,b'", swept[1]]


@pytest.mark.parametrize("sweep", [[], ["-m"]], ids=["run", "sweep"])
@pytest.mark.parametrize(
    ("override", "suggestion"),
    [("modl.input_repr=linear", "model.input_repr"), ("model=music,musik", "music")],
)
def test_the_whole_pipeline_suggests_too(
    project: Path, capsys: pytest.CaptureFixture[str], sweep: list[str], override: str, suggestion: str
) -> None:
    assert program.main([*sweep, override]) == 1
    assert capsys.readouterr().err.endswith(f" Did you mean {suggestion}?\n")
    assert not (project / "sweeps").exists()


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--cfg", "job", "--package", "model", "model=music_512"], "\ninput_repr: mel256\n"),
        (["--info", "defaults"], "model/music"),
        (["--shell-completion", "install=bash"], "hydra_bash_completion"),
    ],
    ids=["cfg", "info", "shell completion"],
)
def test_options_of_hydra_keep_their_values(arguments: list[str], says: str, project: Path) -> None:
    command = [sys.executable, "-m", "l3embed.app.run", *arguments]
    assert says in run_child(command, cwd=project).stdout
