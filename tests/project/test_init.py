"""``l3embed init``: what it writes, what it refuses, and that it overwrites nothing."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest
import yaml
from conftest import WriteWav

from l3embed.app.params import compose_params
from l3embed.cli.main import main
from l3embed.project import code_file
from l3embed.version import __version__


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project of an empty folder, with settings of its own; nobody may change it."""
    folder = tmp_path_factory.mktemp("projects")
    (folder / "sounds").mkdir()
    arguments = ["init", str(folder / "study"), "--dataset", str(folder / "sounds")]
    assert main([*arguments, "weights=random", "windows.hop_s=0.5"]) == 0
    return folder / "study"


@pytest.fixture
def project(made: Path, tmp_path: Path) -> Path:
    """A copy of it."""
    shutil.copytree(made, tmp_path / "study")
    return tmp_path / "study"


def test_a_project_has_all_that_its_readme_names(made: Path) -> None:
    files = {path.relative_to(made).as_posix() for path in made.rglob("*") if path.is_file()}
    assert files == {
        *(".dvc/.gitignore", ".dvc/config", ".dvc/config.local", ".dvcignore", ".gitignore", ".l3embed.json"),
        *("README.md", "code.yaml", "conf/config.yaml", "conf/dataset/mine.yaml"),
        *("conf/experiment/mine.yaml", "data/.gitignore", "data/raw/.gitignore", "dvc.yaml", "params.yaml"),
        "requirements.txt",
    }


def test_settings_of_the_command_line_hold_for_whatever_is_composed_later(made: Path) -> None:
    params = yaml.safe_load(compose_params(made / "conf"))
    assert params == yaml.safe_load((made / "params.yaml").read_text())
    assert (params["weights"]["source"], params["windows"]["hop_s"]) == ("random", 0.5)
    assert params["dataset"]["path"] == str(made.parent / "sounds")


def test_a_choice_of_one_s_own_stands_beside_the_package_s(project: Path) -> None:
    (project / "conf" / "model").mkdir()
    (project / "conf" / "model" / "tiny.yaml").write_text(
        "content_type: music\ninput_repr: mel128\naudio_embedding_size: 512\nimage_embedding_size: 512\n"
        "precision: float32\n"
    )
    params = yaml.safe_load(compose_params(project / "conf", ["model=tiny", "export=parquet"]))
    assert params["model"]["input_repr"] == "mel128"


MEDIA = {"sounds": "audio", "pictures": "image", "videos": "video", "sweep": "audio"}


@pytest.mark.parametrize(("template", "media"), MEDIA.items(), ids=MEDIA)
def test_a_template_says_which_files_a_project_is_about(
    template: str, media: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["init", str(tmp_path / "study"), "--template", template]) == 0
    params = yaml.safe_load((tmp_path / "study" / "params.yaml").read_text())
    assert (params["dataset"]["modality"], params["dataset"]["path"]) == (media, "data/raw")
    assert "yet" in capsys.readouterr().err


def test_files_of_the_project_s_kind_are_no_reason_to_warn(
    tmp_path: Path, write_wav: WriteWav, capsys: pytest.CaptureFixture[str]
) -> None:
    write_wav("sounds/a.wav", 1.0)
    assert main(["init", str(tmp_path / "study"), "--dataset", str(tmp_path / "sounds")]) == 0
    assert not capsys.readouterr().err


def test_a_dataset_inside_the_project_is_named_as_seen_from_there(tmp_path: Path) -> None:
    (tmp_path / "study" / "sounds").mkdir(parents=True)
    assert main(["init", str(tmp_path / "study"), "--dataset", str(tmp_path / "study" / "sounds")]) == 0
    params = yaml.safe_load((tmp_path / "study" / "params.yaml").read_text())
    assert params["dataset"]["path"] == "sounds"


def test_what_is_there_is_never_overwritten(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "README.md").write_text("mine")
    assert main(["init", str(tmp_path)]) == 1
    assert "has README.md already; nothing was written" in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == ["README.md"]


def test_other_files_in_the_folder_stay(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("mine")
    assert main(["init", str(tmp_path)]) == 0
    assert (tmp_path / "notes.txt").read_text() == "mine"
    assert (tmp_path / "dvc.yaml").is_file()


WRONG = {
    "dataset": (["--dataset", "nowhere"], "--dataset must be .* got nowhere, which is not there"),
    "choice": (["weights=rndom"], "rndom"),
    "value": (["windows.hop_s=-1"], "windows.hop_s must be"),
    "setting": (["windows.hops=1"], "windows.hops"),
    "no setting": (["=1"], "KEY=VALUE"),
    "write": (["--write"], "--write goes with --upgrade"),
}


@pytest.mark.parametrize(("arguments", "words"), WRONG.values(), ids=WRONG)
def test_what_is_wrong_is_said_and_leaves_nothing(
    arguments: list[str], words: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    import re

    assert main(["init", str(tmp_path / "study"), *arguments]) == 1
    assert re.search(words, capsys.readouterr().err)
    assert not list(tmp_path.iterdir())


def test_a_project_inside_another_is_refused(made: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["init", str(made / "inner")]) == 1
    assert "another project of DVC's" in capsys.readouterr().err


def test_git_has_the_project_in_its_first_commit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for role in ("AUTHOR", "COMMITTER"):
        monkeypatch.setenv(f"GIT_{role}_NAME", "A")
        monkeypatch.setenv(f"GIT_{role}_EMAIL", "a@example.org")
    assert main(["init", str(tmp_path / "study"), "--git"]) == 0
    git = ["git", "-C", str(tmp_path / "study")]
    listed = subprocess.check_output([*git, "ls-files"], text=True, timeout=60).split()
    assert {"dvc.yaml", "params.yaml", "code.yaml", "conf/config.yaml", ".dvc/config"} <= set(listed)
    assert not subprocess.check_output([*git, "status", "--porcelain"], text=True, timeout=60)


def test_the_code_file_says_which_stages_have_other_code(tmp_path: Path) -> None:
    path = tmp_path / "code.yaml"
    path.write_text(code_file.code_text().replace("\nembed: ", "\nembed: 0"))
    assert code_file.update(path) == f"l3embed {__version__}: the code of embed has changed."
    assert path.read_text() == code_file.code_text()
    assert code_file.update(path).endswith("no stage's code has changed.")


def test_an_upgrade_of_what_is_current_says_so(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["init", "--upgrade", str(project)]) == 0
    assert "The files are as this version would write them." in capsys.readouterr().out


def test_an_upgrade_shows_what_differs_and_leaves_edits_alone(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    stages, readme = project / "dvc.yaml", project / "README.md"
    current = stages.read_text()
    old = current.replace("Compute the embeddings", "Embed")
    _write_as_an_older_version(project, stages, old)
    readme.write_text("My own words.\n")
    assert main(["init", "--upgrade", str(project)]) == 0
    said = capsys.readouterr().out
    assert "-    desc: Embed\n+    desc: Compute the embeddings" in said
    assert "writes them anew: dvc.yaml." in said
    assert "left alone: README.md." in said
    assert stages.read_text() == old

    assert main(["init", "--upgrade", "--write", str(project)]) == 0
    assert stages.read_text() == current
    assert readme.read_text() == "My own words.\n"


def _write_as_an_older_version(project: Path, path: Path, text: str) -> None:
    import json

    from l3embed.project.written_record import text_checksum

    path.write_text(text)
    record = json.loads((project / ".l3embed.json").read_text())
    record["written"][path.relative_to(project).as_posix()] = text_checksum(text)
    (project / ".l3embed.json").write_text(json.dumps(record))


def test_an_upgrade_of_another_folder_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["init", "--upgrade", str(tmp_path)]) == 1
    assert "is no project that 'l3embed init' has made" in capsys.readouterr().err
