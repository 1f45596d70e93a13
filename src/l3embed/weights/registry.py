"""The published weight files and their pins.

Source: the git tree of the OpenL3 project's ``models`` branch; ``published_weights.tsv`` beside this
module says where each figure was read.
"""

from dataclasses import dataclass
from pathlib import Path

from l3embed.disk.checksums import read_pins
from l3embed.variants import ALL_WEIGHT_SETS, WeightSet

VERSION_TAG = "v0_4_0"
"""The part of a published file's name that tells its release."""

PUBLISHED_COMMIT = "c2321e8c1e68213357431f1868380a0ef224ce03"
"""Commit of the ``models`` branch that the pins were read at."""

DEFAULT_BASE_URL = f"https://github.com/marl/openl3/raw/{PUBLISHED_COMMIT}"
"""Address of the folder that holds the published files."""

ATTRIBUTION = (
    "The OpenL3 weights are by Aurora Cramer, Ho-Hsiang Wu, Justin Salamon and Juan Pablo Bello "
    "(the OpenL3 project, https://github.com/marl/openl3), under the licence CC BY 4.0 "
    "(https://creativecommons.org/licenses/by/4.0/)."
)
"""What the licence of the published weights asks to be told."""


@dataclass(frozen=True)
class PublishedFile:
    """One published weight file and the git blob id that its bytes must have."""

    weight_set: WeightSet
    file_name: str
    git_blob: str

    @property
    def unpacked_name(self) -> str:
        """Name of the file once it is unpacked, as openl3 has it."""
        return f"openl3_{self.weight_set.name}.h5"

    @property
    def identity(self) -> str:
        """What results that were computed with these weights are keyed by."""
        return f"published:{VERSION_TAG}:{self.git_blob}"


def _published_files() -> dict[WeightSet, PublishedFile]:
    pins = read_pins(Path(__file__).with_name("published_weights.tsv"))
    names = {weight_set: f"openl3_{weight_set.name}-{VERSION_TAG}.h5.gz" for weight_set in ALL_WEIGHT_SETS}
    return {weight_set: PublishedFile(weight_set, name, pins[name]) for weight_set, name in names.items()}


PUBLISHED_FILES = _published_files()
"""The published file of each weight set."""
