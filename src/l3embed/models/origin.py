"""What embeddings are computed with, as every file of them records it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from l3embed.disk.json_files import read_whole_object, write_json
from l3embed.disk.seals import reading, seal
from l3embed.variants import Modality, Variant
from l3embed.version import __version__
from l3embed.weights.file import WeightFile

ORIGIN_FILE = "origin.json"
"""Where a folder of embeddings says what they were computed with."""


@dataclass(frozen=True)
class Origin:
    """What embeddings are computed with, but for the runtime.

    Parameters
    ----------
    variant : str
        As in ``audio_mel256_music_6144_kapre``.
    weights : str
        The weights' identity: ``published:...``, ``random:SEED`` or ``sha256:...``.
    trained : bool
        Whether they are other than random.
    precision : str
        What the convolutions compute in.
    """

    variant: str
    weights: str
    trained: bool = True
    precision: str = "unknown"

    def arrays(self, runtime: str) -> dict[str, str]:
        """Return what an ``.npz`` says of its making, next to the embeddings."""
        return {
            "variant": self.variant,
            "weights": self.weights,
            "precision": self.precision,
            "runtime": runtime,
            "version": __version__,
        }


FOREIGN_MODEL = Origin(variant="custom", weights="unknown")
"""What is known of a model that was not loaded by l3embed."""


def variant_origin(variant: Variant, file: WeightFile) -> Origin:
    """Return what a variant with the weights of a file is."""
    return Origin(variant.name, file.identity, file.trained, variant.precision.value)


def write_origins(origins: Mapping[Modality, Origin], embeddings: Path) -> None:
    """Write what the embeddings of a folder were computed with."""
    content = {modality.value: asdict(origin) for modality, origin in origins.items()}
    write_json(embeddings / ORIGIN_FILE, content)
    seal(embeddings / ORIGIN_FILE)


def read_origins(embeddings: Path) -> dict[Modality, Origin]:
    """Read what the embeddings of a folder were computed with.

    Raises
    ------
    OpenL3Error
        If it does not say so any more.
    """
    with reading(embeddings / ORIGIN_FILE, "embed"):
        content = read_whole_object(embeddings / ORIGIN_FILE)
        return {Modality(modality): Origin(**origin) for modality, origin in content.items()}
