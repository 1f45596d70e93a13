"""A new project: everything is written into a folder beside, and only what is whole gets its name."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

from l3embed.disk.atomic import replacing_folder
from l3embed.errors import OpenL3Error
from l3embed.project.code_file import CODE_FILE, code_text
from l3embed.project.git_repository import find_repository
from l3embed.project.project_plan import OWN_FOLDER, RECORD_FILE, ProjectPlan, project_files
from l3embed.project.written_record import record_text

PARAMS_FILE = "params.yaml"
NO_GIT = "[core]\n    no_scm = true\n"
LOCAL_CONFIG = ".dvc/config.local"

COMPOSING_LIMIT_S = 300.0
"""After which composing the settings has failed: it takes a second or two."""

NEEDED = ("dvc", "hydra", "jinja2", "yaml")


def create_project(folder: Path, plan: ProjectPlan) -> list[str]:
    """Make a project.

    Parameters
    ----------
    folder : Path
        New, or there without any of the project's files in it.
    plan : ProjectPlan
        What it is made from.

    Returns
    -------
    list of str
        The files that were written.

    Raises
    ------
    OpenL3Error
        If a file is there already, the pipeline's packages are missing, the folder is in another project of
        DVC's, or a setting is wrong; nothing is written then.
    """
    check_installed()
    _refuse_nested(folder)
    files = project_files(plan)
    _refuse_present(folder, (*files, PARAMS_FILE, RECORD_FILE, str(CODE_FILE)))
    folder.parent.mkdir(parents=True, exist_ok=True)
    # Beside the folder, so that paths mean the same from both.
    draft = folder.with_name(f".{folder.name}.new")
    with replacing_folder(draft) as temporary:
        temporary.mkdir()
        files |= {RECORD_FILE: record_text(plan, files), str(CODE_FILE): code_text()}
        if not plan.uses_git:
            files[LOCAL_CONFIG] = NO_GIT
        write_files(temporary, files)
        _stand_in_for(folder, plan.dataset, temporary)
        compose(temporary)
    try:
        _move(draft, folder, (*files, PARAMS_FILE))
    finally:
        _remove(draft)
    return sorted((*files, PARAMS_FILE))


def check_installed() -> None:
    """Check that the pipeline's packages are there.

    Raises
    ------
    OpenL3Error
        If one of them is not.
    """
    missing = [name for name in NEEDED if importlib.util.find_spec(name) is None]
    if missing:
        raise OpenL3Error(
            f"A project needs {', '.join(missing)}, which is not installed: pip install 'l3embed[pipeline]'."
        )


def write_files(folder: Path, files: dict[str, str]) -> None:
    """Write texts into a folder, by their paths in it."""
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8", newline="\n")


def compose(folder: Path) -> None:
    """Write a project's ``params.yaml`` from its ``conf``.

    Raises
    ------
    OpenL3Error
        If a setting is wrong, or a path is not there.
    """
    command = [sys.executable, "-m", "l3embed.app.params"]
    try:
        done = subprocess.run(  # noqa: S603 - our own program
            command,
            cwd=folder,
            check=False,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=COMPOSING_LIMIT_S,
        )
    except subprocess.TimeoutExpired as error:
        raise OpenL3Error(
            f"The settings were not composed within {COMPOSING_LIMIT_S:.0f} s. Try again."
        ) from error
    if done.returncode:
        words = done.stderr.decode(errors="replace").strip()
        raise OpenL3Error(words.removeprefix("l3embed-params: error: "))


def _refuse_nested(folder: Path) -> None:
    for parent in folder.absolute().parents:
        if (parent / ".dvc" / "config").is_file():
            raise OpenL3Error(
                f"{folder} would lie in another project of DVC's, {parent}. Choose a folder outside of it."
            )


def _refuse_present(folder: Path, names: Iterable[str]) -> None:
    if os.path.lexists(folder) and not folder.is_dir():
        raise OpenL3Error(f"{folder} must be the name of a new folder; there is a file of this name.")
    present = sorted(name for name in names if os.path.lexists(folder / name))
    if present:
        is_project = RECORD_FILE in present
        remedy = "l3embed init --upgrade shows what is new." if is_project else "Choose another folder."
        raise OpenL3Error(f"{folder} has {', '.join(present)} already; nothing was written. {remedy}")


def _move(draft: Path, folder: Path, names: Iterable[str]) -> None:
    """Give what was drafted its place: at once, unless the folder is there already."""
    if not folder.exists():
        draft.replace(folder)
        return
    for name in names:
        target = folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        (draft / name).replace(target)
    (folder / OWN_FOLDER).mkdir(parents=True, exist_ok=True)


def _stand_in_for(folder: Path, dataset: str, draft: Path) -> None:
    """Put an empty folder or file where the draft's settings look for a dataset that lies in the project."""
    place = draft / dataset
    if not place.exists():
        place.parent.mkdir(parents=True, exist_ok=True)
        place.mkdir() if (folder / dataset).is_dir() else place.touch()


def _remove(draft: Path) -> None:
    import shutil

    shutil.rmtree(draft, ignore_errors=True)


def in_git(folder: Path) -> bool:
    """Tell whether a folder lies, or would lie, in a git repository."""
    return find_repository(folder) is not None
