"""``python -m benchmarks.packed_standin LISTING FOLDER``: a packed run, with a stand-in for the network.

It writes the seconds that its stages took, up to ``export``.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from pathlib import Path

from benchmarks.project import BATCH_SIZE
from benchmarks.standin import SIZE, install
from l3embed.decoding.reading import AS_OPENL3
from l3embed.export.labels import FolderLabels
from l3embed.inputs.preparation import Samples
from l3embed.inputs.windows import Framing
from l3embed.report.choices import Projection
from l3embed.runtimes.base import Placement
from l3embed.stages import check, embed, export, preprocess, weights
from l3embed.stages.dataset import Selection
from l3embed.stages.output_folder import Layout
from l3embed.stages.packed import packed_embed, packed_export, packed_preprocess
from l3embed.store.entries import Store
from l3embed.variants import AudioVariant, InputRepr, Modality
from l3embed.weights.source import RandomWeights

VARIANT = AudioVariant(InputRepr.MEL128, embedding_size=SIZE)


def main(arguments: Sequence[str]) -> None:
    """Run the stages."""
    install()
    listing, layout = Path(arguments[0]), Layout(Path(arguments[1]))
    weights.run([VARIANT.weight_set], RandomWeights(), layout.folder("weights"))
    placement, labels = Placement(), FolderLabels()
    embedding = embed.EmbedOptions({Modality.AUDIO: VARIANT}, Framing(), placement, BATCH_SIZE)
    checked = check.CheckOptions(
        Selection(), labels, {Modality.AUDIO: VARIANT}, RandomWeights(), placement, Projection.PCA
    )
    started_s = time.perf_counter()
    check.run(listing, checked, layout)
    with Store() as store:
        packed_preprocess.run(listing, preprocess.PreprocessOptions(Selection(), Samples()), layout, store)
        packed = packed_embed.PackedOptions(listing, embedding, Samples(), AS_OPENL3, labels)
        packed_embed.run(packed, layout, store)
        packed_export.run(export.ExportOptions(labels, ()), layout, store)
    sys.stdout.write(f"{time.perf_counter() - started_s}\n")


if __name__ == "__main__":
    main(sys.argv[1:])
