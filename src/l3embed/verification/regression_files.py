"""The reference's published regression data and their pins.

Source: the git tree of the OpenL3 project; ``published_regression.tsv`` beside this module says where
each figure was read.
"""

from pathlib import Path

from l3embed.disk.checksums import read_pins

REGRESSION_COMMIT = "b0bf9b627ed943414324af2ba350917d764207c3"
"""Commit of the OpenL3 project that the pins were read at."""

DEFAULT_REGRESSION_URL = f"https://raw.githubusercontent.com/marl/openl3/{REGRESSION_COMMIT}"
"""Address that the table's paths are relative to."""

REGRESSION_URL_VARIABLE = "L3EMBED_REGRESSION_URL"
"""Environment variable with the address of a mirror of the regression data."""


REGRESSION_FILES = read_pins(Path(__file__).with_name("published_regression.tsv"))
"""The git blob id of each file, by its path in the OpenL3 project."""
