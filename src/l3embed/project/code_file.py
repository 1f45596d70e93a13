"""``code.yaml``: which code a project's results are of; the first stage of its ``dvc.yaml`` keeps it true.

In a clone, stages depend on the package's files. A project of one's own has none, and DVC records the
absolute path of a dependency outside of it, which is another one on each machine. So each stage depends on
its line of this file instead. The stage that keeps the file runs at every ``dvc repro``, for a fraction of a
second, because only so an upgrade of l3embed can be noticed; it writes only what has changed.
"""

from __future__ import annotations

import sys
from pathlib import Path

from l3embed.disk.atomic import replacing
from l3embed.project.stage_code import stage_checksums
from l3embed.version import __version__

CODE_FILE = Path("code.yaml")

HEAD = "# The code that the stages were run with, as SHA-256; 'dvc repro' keeps this file. Commit it."
SEPARATOR = ": "


def code_text() -> str:
    """Return what the file says of the l3embed that is installed."""
    lines = (f"{stage}{SEPARATOR}{checksum}" for stage, checksum in stage_checksums().items())
    return "\n".join((HEAD, f"version{SEPARATOR}{__version__}", *lines, ""))


def recorded(text: str) -> dict[str, str]:
    """Return what such a file says, by its keys; a line that says nothing is left out."""
    pairs = (line.split(SEPARATOR, 1) for line in text.splitlines() if not line.startswith("#"))
    return {pair[0]: pair[1] for pair in pairs if len(pair) > 1}


def changed_stages(text: str) -> list[str]:
    """Return the stages whose code is not what such a file says."""
    before = recorded(text)
    return [stage for stage, checksum in stage_checksums().items() if before.get(stage) != checksum]


def update(path: Path = CODE_FILE) -> str:
    """Write the file where it is not true any more, and return what has changed, in a sentence."""
    old = path.read_text(encoding="utf-8", errors="replace") if path.is_file() else ""
    new = code_text()
    if old == new:
        return f"l3embed {__version__}: no stage's code has changed."
    with replacing(path) as temporary:
        temporary.write_text(new, encoding="utf-8")
    changed = changed_stages(old)
    before = recorded(old).get("version", __version__)
    versions = __version__ if before == __version__ else f"{before} -> {__version__}"
    stages = f"the code of {', '.join(changed)} has changed" if changed else "no stage's code has changed"
    return f"l3embed {versions}: {stages}."


def main() -> int:
    """Keep the file of the project in this folder, and say what has changed."""
    try:
        sys.stderr.write(f"{update()}\n")
    except OSError as error:
        sys.stderr.write(f"code: error: {CODE_FILE} could not be written: {error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
