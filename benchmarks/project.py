"""The pipeline's stages on a folder of sounds, as ``dvc repro`` would run them, in this process."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from l3embed.inputs.preparation import Samples
from l3embed.inputs.windows import Framing
from l3embed.runtimes.base import Placement
from l3embed.stages import embed, export, preprocess, weights
from l3embed.stages.dataset import Selection
from l3embed.stages.output_folder import Layout
from l3embed.store.entries import Store
from l3embed.variants import AudioVariant, Modality
from l3embed.weights.source import RandomWeights

BATCH_SIZE = 32


@dataclass(frozen=True)
class Project:
    """A folder whose ``dataset`` is embedded; the store is where ``L3EMBED_STORE`` says."""

    folder: Path
    variant: AudioVariant
    framing: Framing = field(default_factory=Framing)

    @property
    def dataset(self) -> Path:
        """Where the sounds lie."""
        return self.folder / "dataset"

    def run(self) -> None:
        """Run the stages that work on single files, the weights being there."""
        self.preprocess()
        self.embed()
        self.export()

    def weights(self) -> None:
        """Put random weights where the stage ``embed`` looks for them."""
        weights.run([self.variant.weight_set], RandomWeights(), self.folder / "weights")

    def preprocess(self) -> None:
        """Run the stage ``preprocess``."""
        with Store() as store:
            options = preprocess.PreprocessOptions(Selection(), Samples())
            preprocess.run(self.dataset, options, Layout(self.folder), store)

    def embed(self) -> None:
        """Run the stage ``embed``."""
        options = embed.EmbedOptions({Modality.AUDIO: self.variant}, self.framing, Placement(), BATCH_SIZE)
        with Store() as store:
            embed.run(options, Layout(self.folder), store)

    def export(self) -> None:
        """Run the stage ``export``."""
        with Store() as store:
            export.run(export.ExportOptions(), Layout(self.folder), store)
