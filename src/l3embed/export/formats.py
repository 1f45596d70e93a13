"""The formats that embeddings are exported in: a new one is one module, and one row of the table.

Importing this loads neither NumPy nor a format's own packages.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, cast

from l3embed.errors import OpenL3Error
from l3embed.variants import check_one_of

if TYPE_CHECKING:
    from l3embed.export.manifest import ManifestRow

FORMATS = {
    "npz": "l3embed.export.npz",
    "parquet": "l3embed.export.parquet",
    "lance": "l3embed.export.lance",
}
"""Each format's module, which has a function ``write`` (see `Write`) and is loaded when it is needed."""


EXTRAS = {"lance": "lancedb"}
"""The package that a format needs beyond those of the pipeline; the extra that brings it is named as it."""


class Rows(str, Enum):
    """What has a row: each frame (a window of sound, an image, a frame of a video), or each file."""

    FRAMES = "frames"
    FILES = "files"


class Pooling(str, Enum):
    """How a file's frames become one row: their mean, or their mean followed by their standard deviation."""

    MEAN = "mean"
    MEAN_STD = "mean_std"


class Dtype(str, Enum):
    """What the numbers are stored as."""

    FLOAT32 = "float32"
    FLOAT16 = "float16"

    @property
    def bytes(self) -> int:
        """Of each number."""
        return {Dtype.FLOAT32: 4, Dtype.FLOAT16: 2}[self]


@dataclass(frozen=True)
class RowLayout:
    """How a format that has rows lays them out; `pooling` counts only where files have rows."""

    rows: Rows = Rows.FRAMES
    pooling: Pooling = Pooling.MEAN
    dtype: Dtype = Dtype.FLOAT32

    @property
    def pooling_name(self) -> str:
        """The pooling as the formats state it: none where frames have rows."""
        return self.pooling.value if self.rows is Rows.FILES else "none"

    def width(self, dimension: int) -> int:
        """Return how many numbers a row's embedding has."""
        return 2 * dimension if self.pooling_name == Pooling.MEAN_STD else dimension


@dataclass(frozen=True)
class Embedded:
    """The embeddings of one input in one modality.

    Parameters
    ----------
    row : ManifestRow
        What the manifest says of them.
    embeddings : Path
        An ``.npz`` file with ``embedding``, shape ``(T, D)``, for `read_npz_rows`, and, but for images,
        ``timestamps`` in seconds, shape ``(T,)``.
    moments : Path
        An ``.npy`` file with the mean and the standard deviation over the frames, ``(2, D)`` in float64.
    """

    row: ManifestRow
    embeddings: Path
    moments: Path


class Write(Protocol):
    """What a format's module calls ``write``."""

    def __call__(self, folder: Path, inputs: Sequence[Embedded], layout: RowLayout) -> None:
        """Write the embeddings of all inputs.

        Parameters
        ----------
        folder : Path
            The export's. A format that has files of its own names them, or a folder of them, after itself.
        inputs : sequence of Embedded
            In the manifest's order, without those that failed; of all modalities.
        layout : RowLayout
            For formats that have rows.
        """


def check_format(name: str) -> None:
    """Check that there is such a format.

    Raises
    ------
    OpenL3Error
        Naming those that there are.
    """
    check_one_of("export.formats", name, tuple(FORMATS))


def check_installed(name: str) -> None:
    """Check that what a format is written with is installed.

    Raises
    ------
    OpenL3Error
        With the command that installs it.
    """
    if name in EXTRAS and find_spec(EXTRAS[name]) is None:
        raise OpenL3Error(
            f"The format {name} needs {EXTRAS[name]}, which is not installed. "
            f"Run pip install 'l3embed[{name}]'."
        )


def format_writer(name: str) -> Write:
    """Load what writes a format.

    Raises
    ------
    OpenL3Error
        If there is no such format.
    """
    check_format(name)
    return cast("Write", import_module(FORMATS[name]).write)
