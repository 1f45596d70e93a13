"""``code.yaml``: which code the results of a project of one's own are of, as its ``dvc.yaml`` depends on it.

A clone's stages depend on ``src/l3embed``. A project has no such folder: there, a stage depends on its line of
this small file, which is committed. ``l3embed init`` writes it, and the stage ``code``, which DVC runs each time,
before all others, compares it with what is installed. That takes a fifth of a second. It may find

- the same code, of whatever version: nothing happens;
- other code of the same version, as where l3embed is being developed: the file is written anew, and DVC runs the
  stages again whose lines have changed, as it does in a clone;
- other code of another version: nothing is run, and the error says which stages it is about, and both ways out.

So an upgrade is never overlooked: without such a stage DVC says that all is up to date, and results of the old
code would be taken for those of the new. Nor does a project compute everything anew because a colleague, or a
machine of a cluster, has another version than ``requirements.txt`` pins. ``l3embed init --upgrade --write`` goes
over to the installed version, and ``dvc repro`` then runs exactly the stages whose code is another. The price is
that ``dvc status`` names the stage ``code`` at all times. What DVC runs without it (``dvc repro --single-item``)
looks at its own line before it computes anything.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from l3embed.disk.atomic import replacing
from l3embed.errors import OpenL3Error
from l3embed.store.sources import STAGE_SOURCES, stage_checksum
from l3embed.version import __version__

CODE_FILE = Path("code.yaml")
CODE_STAGE = "code"
"""The stage that keeps it."""

DIGITS = 16
"""Of a checksum: enough to tell versions apart, and to be read in a table of experiments."""

HEAD = """\
# The code that the results here are of. 'l3embed init' writes this, the stage `code` of dvc.yaml keeps it current.
"""


@dataclass(frozen=True)
class KeptCode:
    """The code that results are of.

    Parameters
    ----------
    version : str
        Of l3embed.
    checksums : mapping of str to str
        Of the code of each stage.
    """

    version: str
    checksums: Mapping[str, str]

    @property
    def text(self) -> str:
        """What the file holds."""
        lines = [f"  {stage}: '{checksum}'\n" for stage, checksum in self.checksums.items()]
        return f"{HEAD}version: '{self.version}'\ncode:\n{''.join(lines)}"

    def differing(self, other: KeptCode) -> list[str]:
        """Return the stages whose code is another there."""
        return [stage for stage, checksum in other.checksums.items() if self.checksums.get(stage) != checksum]


def installed_code() -> KeptCode:
    """Return the code that is here."""
    return KeptCode(__version__, {stage: stage_checksum(stage)[:DIGITS] for stage in STAGE_SOURCES})


def read_kept_code(path: Path = CODE_FILE) -> KeptCode:
    """Read the file.

    Raises
    ------
    OpenL3Error
        If it is missing, or is none.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, ValueError) as error:
        raise OpenL3Error(f"{path} could not be read ({error}). {_remedy(path)}") from error
    # As this module writes it, so that a stage of a fifth of a second needs no package to read it.
    version = re.search(r"^version: '([^'\s]+)'$", text, re.MULTILINE)
    lines = re.findall(r"^  (\w+): '([0-9a-f]+)'$", text, re.MULTILINE)
    if not version or not lines:
        raise OpenL3Error(
            f"{path} must hold a version and the code of each stage, and does not. {_remedy(path)}"
        )
    return KeptCode(version[1], dict(lines))


def _remedy(path: Path) -> str:
    return f"Have it written anew: l3embed init --upgrade --write {path.parent}"


def keep_code(path: Path = CODE_FILE) -> str:
    """Compare the file with what is installed, write it anew if it may be, and return what there is to say.

    Raises
    ------
    OpenL3Error
        If another version is installed, with other code.
    """
    kept, installed = read_kept_code(path), installed_code()
    stages = kept.differing(installed)
    if not stages:
        return f"code: that of l3embed {kept.version}"
    if kept.version != installed.version:
        raise OpenL3Error(
            f"The results here are of l3embed {kept.version}, and {installed.version} is installed, in which "
            f"there is other code for {', '.join(stages)}. To go over to it, and have these run again: "
            f"l3embed init --upgrade --write. To stay: pip install -r requirements.txt"
        )
    write_code(path, installed)
    return f"code: changed since for {', '.join(stages)}"


def write_code(path: Path, code: KeptCode) -> None:
    """Write the file."""
    with replacing(path) as temporary:
        temporary.write_text(code.text, encoding="utf-8")


def check_code(stage: str, path: Path = CODE_FILE) -> None:
    """Check that a stage's code is what the file says, where there is one: its results are known by that.

    Raises
    ------
    OpenL3Error
        If it is not.
    """
    if stage not in STAGE_SOURCES or not path.is_file():
        return
    if read_kept_code(path).checksums.get(stage) != stage_checksum(stage)[:DIGITS]:
        raise OpenL3Error(
            f"The code of the stage {stage} is another than {path} says. Run 'dvc repro {CODE_STAGE}', which says "
            "what to do."
        )
