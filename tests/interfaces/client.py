"""A virtual environment with what is not installed where the tests run."""

from __future__ import annotations

import os
import sysconfig
import venv
from pathlib import Path

from conftest import run_child

import l3embed

ROOT = Path(__file__).parents[2]
BESIDE_OUR_PINS = ["--constraint", str(ROOT / "constraints.txt")]


class Client:
    """A virtual environment that sees this one's packages, with a client in it."""

    def __init__(self, folder: Path, *installations: list[str]) -> None:
        venv.create(folder / "venv", with_pip=True)
        self._folder = folder
        self.python = folder / "venv" / ("Scripts" if os.name == "nt" else "bin") / "python"
        self.packages = Path(self._ask("import sysconfig; print(sysconfig.get_path('purelib'))"))
        ours = {sysconfig.get_path(name) for name in ("purelib", "platlib")}
        (self.packages / "ours.pth").write_text("\n".join(sorted(ours)), encoding="utf-8")
        for arguments in installations:
            self.run("-m", "pip", "install", "--quiet", *arguments)

    def run(self, *arguments: str | Path) -> str:
        """Run Python in its folder and return what it wrote to standard output."""
        environment = {**os.environ, "PYTHONPATH": str(Path(l3embed.__file__).parents[1])}
        return run_child([self.python, *arguments], cwd=self._folder, env=environment).stdout

    def _ask(self, code: str) -> str:
        return run_child([self.python, "-c", code]).stdout.strip()
