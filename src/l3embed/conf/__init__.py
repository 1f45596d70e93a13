"""Groups of settings and their choices, and what belongs to none: YAML that Hydra finds by this name."""

from pathlib import Path

FOLDER = Path(__file__).parent
