"""The git repository that a project lies in, or that is made for it."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterable
from pathlib import Path

from l3embed.errors import OpenL3Error

LIMIT_S = 120.0
"""After which git has failed: it only takes up a few small files."""

MESSAGE = "Start a project of embeddings with l3embed"


def find_repository(folder: Path) -> Path | None:
    """Return the root of the repository that a folder lies, or would lie, in."""
    for place in (folder.absolute(), *folder.absolute().parents):
        if (place / ".git").exists():
            return place
    return None


def check_git() -> None:
    """Check that git is there and knows whom commits are by.

    Raises
    ------
    OpenL3Error
        If it is not, or does not.
    """
    if shutil.which("git") is None:
        raise OpenL3Error("--git needs git, which is not installed. Install it, or leave --git out.")
    for key in ("user.name", "user.email"):
        known = key == "user.name" and _has_variable("GIT_AUTHOR_NAME", "GIT_COMMITTER_NAME")
        known = known or (key == "user.email" and _has_variable("GIT_AUTHOR_EMAIL", "GIT_COMMITTER_EMAIL"))
        if not known and _git(Path.cwd(), "config", key).returncode:
            raise OpenL3Error(
                f"git does not know whom a commit is by: {key} is not set. Set it (git config --global {key} "
                "...), or leave --git out."
            )


def commit(folder: Path, names: Iterable[str]) -> None:
    """Make a repository of a folder, if it lies in none, and commit files of it.

    Raises
    ------
    OpenL3Error
        If git fails, in its words; the files stay.
    """
    if find_repository(folder) is None:
        _run(folder, "init", "--quiet")
    paths = list(names)
    _run(folder, "add", "--", *paths)
    _run(folder, "commit", "--quiet", "-m", MESSAGE, "--", *paths)


def _has_variable(*names: str) -> bool:
    import os

    return all(os.environ.get(name) for name in names)


def _run(folder: Path, *arguments: str) -> None:
    done = _git(folder, *arguments)
    if done.returncode:
        words = (done.stderr or done.stdout).decode(errors="replace").strip()
        raise OpenL3Error(
            f"The project is written, but 'git {arguments[0]}' failed in {folder}: {words or done.returncode}"
        )


def _git(folder: Path, *arguments: str) -> subprocess.CompletedProcess[bytes]:
    try:
        return subprocess.run(  # noqa: S603 - git, with our own arguments
            ["git", *arguments],  # noqa: S607 - the user's own git
            cwd=folder,
            check=False,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=LIMIT_S,
        )
    except subprocess.TimeoutExpired as error:
        raise OpenL3Error(f"'git {arguments[0]}' did not end within {LIMIT_S:.0f} s.") from error
