"""First in PYTHONPATH: with this, the stages of all processes that a test starts use the stand-in network."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[3]))

from l3embed.stages.network import Network
from tests.pipeline.standin import load

Network.load = load  # type: ignore[assignment, method-assign]
