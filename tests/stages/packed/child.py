"""``python -m stages.packed.child PROJECT FOLDER``: a packed run with stand-ins, in a process of its own."""

from __future__ import annotations

import sys
from pathlib import Path

from stages import standin
from stages.packed.conftest import Packed
from stages.standin import Project

if __name__ == "__main__":
    standin.install()
    Packed(Project(Path(sys.argv[1])), Path(sys.argv[2])).run()
