"""``l3embed init``: a project of one's own, with its settings, stages and version."""

from __future__ import annotations

import argparse
import os
from pathlib import Path
from typing import TYPE_CHECKING

from l3embed.cli.flags import write_line
from l3embed.errors import OpenL3Error
from l3embed.progress import say

if TYPE_CHECKING:
    from l3embed.project.project_plan import ProjectPlan
    from l3embed.project.upgrade import Upgrade

    Subparsers = argparse._SubParsersAction[argparse.ArgumentParser]

TEMPLATES = ("sounds", "pictures", "videos", "sweep")

EXAMPLES = """\
examples:
  l3embed init mystudy --dataset sounds           a project of the files in sounds/
  l3embed init mystudy --dataset sounds weights=random model=music_512 --git
  l3embed init pilot --template sweep --dataset clips.parquet
  l3embed init --upgrade mystudy                  what another version brings
"""


def add_parser(subparsers: Subparsers) -> None:
    """Add the ``init`` command; it sets ``run``, a function from arguments to an exit status."""
    parser = subparsers.add_parser(
        "init",
        help="make a project of your own for 'dvc repro', sweeps and experiments",
        description="Make a project of your own: settings in conf/, the stages in dvc.yaml, the version of "
        "l3embed, and a README with the commands. Nothing that is there is overwritten.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "folder", metavar="FOLDER", type=Path, nargs="?", help="new, or without files of these names"
    )
    parser.add_argument(
        "settings", metavar="KEY=VALUE", nargs="*", help="settings that differ from the defaults"
    )
    parser.add_argument(
        "--dataset", metavar="PATH", help="the folder or listing of your files; default: data/raw in it"
    )
    parser.add_argument(
        "--template",
        choices=TEMPLATES,
        default=None,
        help="what it is about (default: sounds); sweep: sounds, with a sweep",
    )
    parser.add_argument(
        "--git", action="store_true", help="make a git repository of it, if need be, and commit"
    )
    parser.add_argument(
        "--upgrade", action="store_true", help="show what this version would write differently"
    )
    parser.add_argument(
        "--write", action="store_true", help="with --upgrade: write the files anew that you have not edited"
    )
    parser.set_defaults(run=_run)


def _run(args: argparse.Namespace) -> int:
    if args.upgrade:
        return _upgrade(args)
    if args.write:
        raise OpenL3Error("--write goes with --upgrade; a new project is written anyway.")
    if args.folder is None:
        raise OpenL3Error("Name the new project's folder: l3embed init FOLDER.")
    from l3embed.project.creation import create_project
    from l3embed.project.git_repository import check_git, commit

    if args.git:
        check_git()
    plan = _plan(args)
    files = create_project(args.folder, plan)
    _warn_of_nothing(args.folder, plan)
    if args.git:
        commit(args.folder, [name for name in files if not name.endswith("config.local")])
    write_line(f"{args.folder} is a project now: {plan.template.value}, {plan.dataset}. Go on with")
    write_line(f"  cd {args.folder}\n  dvc repro")
    return 0


def _plan(args: argparse.Namespace) -> ProjectPlan:
    from l3embed.project.creation import in_git
    from l3embed.project.project_plan import OWN_FOLDER, ProjectPlan, Template

    title = args.folder.absolute().name
    if not title:
        raise OpenL3Error(f"FOLDER must have a name; got {args.folder}.")
    return ProjectPlan(
        title=title,
        template=Template(args.template or Template.SOUNDS.value),
        dataset=OWN_FOLDER if args.dataset is None else _dataset(args.dataset, args.folder),
        settings=tuple(args.settings),
        uses_git=args.git or in_git(args.folder),
    )


def _dataset(path: str, folder: Path) -> str:
    """Return the path of the dataset as the project has it: absolute, unless it lies inside.

    ``dvc exp run --queue`` works in copies of the project, from which ``../sounds`` would lead elsewhere.
    """
    if not os.path.lexists(path):
        raise OpenL3Error(
            f"--dataset must be the path of a folder or a listing; got {path}, which is not there."
        )
    dataset, project = Path(path).absolute(), folder.absolute()
    if dataset.is_relative_to(project):
        return dataset.relative_to(project).as_posix() or "."
    return str(Path(os.path.normpath(dataset)))


def _warn_of_nothing(folder: Path, plan: ProjectPlan) -> None:
    """Say if there is no file yet of the kind that the project is about."""
    from l3embed.project.project_plan import FILES_IN_WORDS
    from l3embed.stages.dataset import SUFFIXES

    place = folder / plan.dataset
    if not place.is_dir():
        return
    suffixes = SUFFIXES[plan.media]
    for _, _, names in os.walk(place):
        if any(Path(name).suffix.lower() in suffixes for name in names):
            return
    say(f"l3embed: warning: {place} has no {FILES_IN_WORDS[plan.media]} yet.")


def _upgrade(args: argparse.Namespace) -> int:
    from l3embed.project.upgrade import find_upgrade, write_upgrade

    if args.settings or args.dataset or args.template or args.git:
        raise OpenL3Error("--upgrade takes the folder alone: the project knows what it was made from.")
    folder = args.folder or Path()
    upgrade = find_upgrade(folder)
    for change in upgrade.changes:
        write_line(change.difference)
    _tell(upgrade, write_upgrade(folder, upgrade) if args.write else None)
    return 0


def _tell(upgrade: Upgrade, written: list[str] | None) -> None:
    from l3embed.project.upgrade import Standing

    edited = [change.path for change in upgrade.changes if change.standing is Standing.EDITED]
    outdated = [change.path for change in upgrade.changes if change.standing is Standing.OUTDATED]
    write_line(f"Written by l3embed {upgrade.before}; installed is {upgrade.after}.")
    if written:
        write_line(f"Written anew: {', '.join(written)}.")
    elif outdated and written is None:
        write_line(
            f"Not edited by you, 'l3embed init --upgrade --write' writes them anew: {', '.join(outdated)}."
        )
    if edited:
        write_line(f"Edited by you, so that they are left alone: {', '.join(edited)}.")
    if not upgrade.changes:
        write_line("The files are as this version would write them.")
    if upgrade.stages:
        write_line(f"dvc repro will run again, because of their code: {', '.join(upgrade.stages)}.")
