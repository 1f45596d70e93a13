"""What a project is made of: a template, the files it is about, and settings; and the texts that follow."""

from __future__ import annotations

import json
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Any

from l3embed.errors import OpenL3Error
from l3embed.listings.listing_table import LISTING_SUFFIXES
from l3embed.project.templating_files import config_yaml, dvc_yaml, render
from l3embed.variants import Media
from l3embed.version import __version__

RECORD_FILE = ".l3embed.json"
"""What the project was made from, and the checksums of what was written: so that an upgrade knows edits."""

OWN_FOLDER = "data/raw"
"""Where a project's files lie if nothing else is said."""

EXPERIMENT = "experiment"
CHOSEN = "mine"
"""The choices, of datasets and of experiments, that hold what is this project's own."""


class Template(str, Enum):
    """Kinds of projects."""

    SOUNDS = "sounds"
    PICTURES = "pictures"
    VIDEOS = "videos"
    SWEEP = "sweep"


MEDIA = {
    Template.SOUNDS: Media.AUDIO,
    Template.PICTURES: Media.IMAGE,
    Template.VIDEOS: Media.VIDEO,
    Template.SWEEP: Media.AUDIO,
}
"""The kind of files that a project of a template is about."""

FILES_IN_WORDS = {Media.AUDIO: "sounds", Media.IMAGE: "pictures", Media.VIDEO: "videos"}

SWEEPS = {
    Media.AUDIO: "l3embed-pipeline -m model.audio_embedding_size=512,6144",
    Media.IMAGE: "l3embed-pipeline -m model.image_embedding_size=512,8192",
    Media.VIDEO: "l3embed-pipeline -m model=music,environment",
}


@dataclass(frozen=True)
class ProjectPlan:
    """What a project is made from.

    Parameters
    ----------
    title : str
        The folder's name.
    template : Template
        Which kind of project.
    dataset : str
        The folder or listing of its files: absolute, or as seen from the project's folder.
    settings : tuple of str
        Further settings in Hydra's notation, which differ from the defaults.
    uses_git : bool
        Whether the project is in a git repository.
    """

    title: str
    template: Template = Template.SOUNDS
    dataset: str = OWN_FOLDER
    settings: tuple[str, ...] = ()
    uses_git: bool = False

    @property
    def media(self) -> Media:
        """The kind of files."""
        return MEDIA[self.template]

    def as_json(self) -> dict[str, Any]:
        """Return what the record says of it."""
        return {
            "template": self.template.value,
            "dataset": self.dataset,
            "settings": list(self.settings),
            "title": self.title,
        }


def project_files(plan: ProjectPlan) -> dict[str, str]:
    """Return the texts of the files that are written once and may be edited, by their paths."""
    files = {
        ".dvc/.gitignore": render("dvc_gitignore"),
        ".dvc/config": render("dvc_config"),
        ".dvcignore": render("dvcignore"),
        ".gitignore": render("gitignore"),
        "README.md": _readme(plan),
        "conf/config.yaml": _config(plan),
        f"conf/dataset/{CHOSEN}.yaml": _dataset(plan),
        "data/.gitignore": render("data_gitignore"),
        f"{OWN_FOLDER}/.gitignore": render("raw_gitignore"),
        "dvc.yaml": dvc_yaml(in_clone=False),
        "requirements.txt": render("requirements.txt", version=__version__),
    }
    if plan.template is Template.SWEEP:
        files[f"conf/{EXPERIMENT}/variants.yaml"] = render("variants.yaml")
    if plan.settings:
        files[f"conf/{EXPERIMENT}/{CHOSEN}.yaml"] = _experiment(plan.settings)
    return files


def _readme(plan: ProjectPlan) -> str:
    is_sweep = plan.template is Template.SWEEP
    return render(
        "README.md",
        title=plan.title,
        what=f"{FILES_IN_WORDS[plan.media].capitalize()} in `{plan.dataset}`",
        sweep="l3embed-pipeline -m +experiment=variants" if is_sweep else SWEEPS[plan.media],
        needs_git="" if plan.uses_git else " (needs git: `git init`, and remove `.dvc/config.local`)",
    )


def _config(plan: ProjectPlan) -> str:
    text = config_yaml(in_clone=False)
    chosen = CHOSEN if plan.settings else "null"
    return text.replace("- experiment: null", f"- experiment: {chosen}", 1)


def _dataset(plan: ProjectPlan) -> str:
    is_listing = Path(plan.dataset).suffix.lower() in LISTING_SUFFIXES
    return render(
        "mine.yaml",
        name=json.dumps(plan.title, ensure_ascii=False),
        path=json.dumps(plan.dataset, ensure_ascii=False),
        modality=plan.media.value,
        elsewhere="  # on this machine" if Path(plan.dataset).is_absolute() else "",
        on_names=", on names in outputs" if is_listing else "",
    )


def _experiment(settings: tuple[str, ...]) -> str:
    """Return settings as a file of ``conf/experiment``: choices of groups, and values."""
    import yaml

    from l3embed.project.setting_groups import group_choices

    groups = group_choices()
    defaults: list[Any] = []
    values: dict[str, Any] = {}
    for setting in settings:
        key, equals, value = setting.partition("=")
        if not equals or not key.replace("_", "").replace(".", "").isalnum():
            raise OpenL3Error(
                f"Settings must be written KEY=VALUE, as in windows.hop_s=0.5; got {setting!r}."
            )
        if key == EXPERIMENT:
            defaults.insert(0, value)
        elif key in groups:
            defaults.append({f"override /{key}": value})
        else:
            _put(values, key, _read_value(setting, value))
    parts = [{"defaults": defaults}] if defaults else []
    body = "\n".join(
        yaml.safe_dump(part, sort_keys=False, allow_unicode=True) for part in [*parts, values] if part
    )
    return f"# @package _global_\n# What this project sets, besides its files.\n{body}"


def _read_value(setting: str, value: str) -> Any:
    import yaml

    try:
        return yaml.safe_load(value)
    except yaml.YAMLError as error:
        raise OpenL3Error(f"{setting!r} is no setting: its value is not valid YAML.") from error


def _put(values: dict[str, Any], key: str, value: Any) -> None:
    """Put a value under the groups that its key names."""
    *groups, name = key.split(".")
    for group in groups:
        values = values.setdefault(group, {})
    values[name] = value
