"""The clone's own files and those of a project come from the same templates."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from l3embed.project.stage_code import STAGE_SOURCES, stage_checksums
from l3embed.project.templating_files import config_yaml, dvc_yaml, render
from l3embed.store import code

REPOSITORY = Path(__file__).parents[2]

COPIES = {
    "dvc_config": ".dvc/config",
    "dvc_gitignore": ".dvc/.gitignore",
    "dvcignore": ".dvcignore",
    "data_gitignore": "data/.gitignore",
    "raw_gitignore": "data/raw/.gitignore",
}


def test_the_clone_s_stages_are_the_template_s() -> None:
    assert dvc_yaml(in_clone=True) == (REPOSITORY / "dvc.yaml").read_text(encoding="utf-8")


def test_the_clone_s_settings_are_the_template_s() -> None:
    assert config_yaml(in_clone=True) == (REPOSITORY / "conf" / "config.yaml").read_text(encoding="utf-8")


@pytest.mark.parametrize(("template", "copy"), COPIES.items(), ids=COPIES.values())
def test_the_clone_s_small_files_are_the_template_s(template: str, copy: str) -> None:
    assert render(template) == (REPOSITORY / copy).read_text(encoding="utf-8")


def test_a_project_names_no_source() -> None:
    assert "src/" not in dvc_yaml(in_clone=False)


def test_a_project_has_the_clone_s_stages_and_the_one_that_keeps_their_code() -> None:
    own, clone = (yaml.safe_load(dvc_yaml(in_clone=is_clone))["stages"] for is_clone in (False, True))
    assert set(own) == {"code", *clone}


@pytest.mark.parametrize("stage", sorted(set(STAGE_SOURCES) - {"sample"}))
def test_a_stage_of_a_project_depends_on_the_line_of_its_code(stage: str) -> None:
    own, clone = (yaml.safe_load(dvc_yaml(in_clone=is_clone))["stages"] for is_clone in (False, True))
    sources = [name for name in clone[stage]["deps"] if name.startswith("src/l3embed")]
    assert own[stage]["params"] == [{"code.yaml": [stage]}, *clone[stage].get("params", [])]
    assert own[stage]["deps"] == [name for name in clone[stage]["deps"] if name not in sources]
    assert len(sources) == len(STAGE_SOURCES[stage])


def test_a_changed_module_changes_the_checksums_of_the_stages_that_use_it_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import shutil

    package = tmp_path / "l3embed"
    shutil.copytree(code.PACKAGE, package, ignore=shutil.ignore_patterns("__pycache__"))
    monkeypatch.setattr(code, "PACKAGE", package)
    before = stage_checksums()
    with (package / "evaluation" / "folds.py").open("a") as file:
        file.write("# Changed.\n")
    after = stage_checksums()
    assert {stage for stage in before if before[stage] != after[stage]} == {"check", "evaluate", "report"}
