"""``conf/`` and ``params.yaml``: choices, overrides, and that the two agree."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest
import yaml
from omegaconf import OmegaConf
from stages.conftest import REPOSITORY

from l3embed.app.params import compose_params, main
from l3embed.app.settings import Settings, parse_settings
from l3embed.errors import OpenL3Error

CONF = REPOSITORY / "conf"
CHOICE_FOLDER = REPOSITORY / "src" / "l3embed" / "conf"
GROUPS = sorted(path.name for path in CONF.iterdir() if path.is_dir() and path.name != "hydra")
CHOICES = [(path.parent.name, path.stem) for path in sorted(CHOICE_FOLDER.glob("*/*.yaml"))]


def composed(*overrides: str) -> Settings:
    return parse_settings(OmegaConf.create(compose_params(CONF, overrides)))


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with the settings, as the current one."""
    shutil.copytree(CONF, tmp_path / "conf")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_the_committed_params_file_agrees_with_conf(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(REPOSITORY)
    assert main(["--check"]) == 0


@pytest.mark.parametrize(("group", "choice"), CHOICES, ids=[f"{group}={choice}" for group, choice in CHOICES])
def test_every_choice_composes(group: str, choice: str) -> None:
    others = ["layout=packed"] if group == "engine" else []  # engines compute the parts of packed runs
    composed(f"{group}={choice}", *others)


@pytest.mark.parametrize("group", GROUPS)
def test_the_root_config_names_the_choices(group: str) -> None:
    text = (CONF / "config.yaml").read_text(encoding="utf-8")
    comment = re.search(rf"^  - {group}: \w+ .*: (.*)$", text, re.MULTILINE)
    assert comment
    assert sorted(comment[1].split(", ")) == [choice for of, choice in CHOICES if of == group]


@pytest.mark.parametrize(
    "overrides",
    [("model=environment_512",), ("model.content_type=env", "model.audio_embedding_size=512")],
    ids=["preset", "plain"],
)
def test_a_model_is_chosen_by_preset_or_value_by_value(overrides: tuple[str, ...]) -> None:
    assert composed(*overrides).variant.name == "audio_mel256_env_512_kapre"


def test_an_experiment_changes_groups_and_windows() -> None:
    settings = composed("experiment=quick")
    assert (settings.windows.hop_s, settings.weights.source) == (1.0, "random")
    assert settings.variant.name == "audio_mel256_music_512_kapre"


def test_an_override_goes_before_an_experiment() -> None:
    settings = composed("experiment=quick", "windows.hop_s=0.25", "weights=published")
    assert (settings.windows.hop_s, settings.weights.source) == (0.25, "published")


@pytest.mark.parametrize(
    ("frontend", "changes"), [("kapre", False), ("librosa", True)], ids=["kapre", "librosa"]
)
@pytest.mark.parametrize("override", ["model.input_repr=linear", "windows.hop_s=0.3", "windows.center=false"])
def test_what_preprocess_depends_on_changes_with_librosa_alone(
    frontend: str, changes: bool, override: str
) -> None:
    before, after = (
        yaml.safe_load(compose_params(CONF, [f"frontend={frontend}", *more]))["frontend"]["preprocessed"]
        for more in ([], [override])
    )
    assert (before != after) is changes


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        (["model=musik"], r"^model must be one of .*, music_512; got 'musik'\. Did you mean music\?$"),
        (["modl.input_repr=mel128"], r"no setting modl\.input_repr\. Did you mean model\.input_repr\?$"),
        (["model.input_repr=mel64"], "one of linear, mel128, mel256; got 'mel64'"),
        (["dataset=folder", "dataset.path=???"], r"no value: dataset\.path"),
        (["weights=directory", "weights.path=???"], r"no value: .*weights\.path"),
        (["windows.hop_s=${hop}"], "'hop' not found"),
        (["dataset.include=[~mine]"], "in quotes, twice"),
        (["model=null"], "could not be composed"),
        (["model=[music,[music]]"], "could not be composed: TypeError"),
        (["windows.hop_s=0.1,0.2"], "could not be composed.*Ambiguous"),
        (["=3"], "must be written KEY=VALUE.*got '=3'"),
        (["windows.hop_s"], "must be written KEY=VALUE.*got 'windows.hop_s'"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_overrides_that_are_wrong_are_explained(overrides: list[str], message: str) -> None:
    with pytest.raises(OpenL3Error, match=message):
        compose_params(CONF, overrides)


def test_there_must_be_a_conf_folder(tmp_path: Path) -> None:
    with pytest.raises(OpenL3Error, match=r"There is no .*config\.yaml here"):
        compose_params(tmp_path / "conf")


def test_the_command_writes_what_conf_and_overrides_say(project: Path) -> None:
    assert main(["weights=random", "windows.hop_s=0.5"]) == 0
    written = yaml.safe_load((project / "params.yaml").read_text(encoding="utf-8"))
    assert (written["weights"]["source"], written["windows"]["hop_s"]) == ("random", 0.5)


def test_the_written_file_holds_no_placeholders(project: Path) -> None:
    (project / "data" / "raw" / "weights").mkdir(parents=True)
    main(["frontend=librosa", "weights=directory"])
    assert "${" not in (project / "params.yaml").read_text(encoding="utf-8")


def test_a_wrong_override_leaves_the_file_as_it_is(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (project / "params.yaml").write_text("before")
    assert main(["model.input_repr=mel64"]) == 1
    assert capsys.readouterr().err.startswith("l3embed-params: error: model.input_repr must be one of")
    assert (project / "params.yaml").read_text() == "before"


def test_check_tells_when_conf_has_changed_since(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([]) == 0
    config = project / "conf" / "config.yaml"
    config.write_text(config.read_text(encoding="utf-8").replace("hop_s: 0.1", "hop_s: 0.2"))
    assert main(["--check"]) == 1
    assert "params.yaml does not agree with conf/" in capsys.readouterr().err


def test_check_tells_when_the_file_is_missing(project: Path) -> None:
    assert main(["--check"]) == 1
    assert not (project / "params.yaml").exists()


def test_a_second_call_says_what_it_changes(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    main(["windows.hop_s=0.5"])
    capsys.readouterr()
    main(["windows.hop_s=0.25", "labels=none"])
    assert capsys.readouterr().out.splitlines() == [
        "params.yaml is written; 'dvc repro' computes what it asks for.",
        "Changed:",
        "  windows.hop_s: 0.5 -> 0.25",
        "  labels.source: folders -> none",
    ]


def test_a_second_call_that_changes_nothing_says_so(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for _ in range(2):
        main(["windows.hop_s=0.5"])
    assert capsys.readouterr().out.endswith("\nNothing changed.\n")


def test_what_an_earlier_call_said_does_not_count_and_is_named(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (project / "mine").mkdir()
    main(["dataset=folder", "dataset.path=mine"])
    main(["weights=random"])
    assert "\n  dataset.path: mine -> data/raw/sample\n" in capsys.readouterr().out


@pytest.mark.parametrize("before", [b"a: [", b"\xff", b"3", b""], ids=ascii)
def test_a_file_that_cannot_be_read_is_written_anew(project: Path, before: bytes) -> None:
    (project / "params.yaml").write_bytes(before)
    assert main([]) == 0
    assert main(["--check"]) == 0


def test_where_no_file_can_be_written_it_is_said(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (project / "params.yaml").mkdir()
    assert main([]) == 1
    assert capsys.readouterr().err.startswith("l3embed-params: error: ")


def test_settings_that_are_no_yaml_are_explained(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (project / "conf" / "model").mkdir()
    (project / "conf" / "model" / "music.yaml").write_text("a: [")
    assert main([]) == 1
    assert "could not be composed" in capsys.readouterr().err
