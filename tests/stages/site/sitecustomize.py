"""First in PYTHONPATH: with this, the stages of all processes that a test starts use the stand-in network."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from stages import standin

standin.install()
