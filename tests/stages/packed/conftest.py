"""Projects whose outputs are packed, beside the same projects whose outputs are files."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from l3embed.export.formats import Dtype
from l3embed.export.labels import FolderLabels, LabelSource
from l3embed.stages.output_folder import Layout
from l3embed.stages.packed import packed_embed, packed_export, packed_preprocess
from l3embed.stages.packed.partitions import Shard
from l3embed.store.entries import Store
from stages.conftest import BAD_FILES, write_audio, write_image, write_video
from stages.standin import Counts, Project, write_weights


@dataclass(frozen=True)
class Packed:
    """A project whose stages pack what they compute into a folder of its own."""

    project: Project
    folder: Path
    labels: LabelSource = field(default_factory=FolderLabels)
    dtype: Dtype = Dtype.FLOAT32

    @property
    def export_folder(self) -> Path:
        return self.folder / "export"

    @property
    def dataset(self) -> Path:
        return self.project.dataset

    def layout(self, shard: Shard | None = None) -> Layout:
        root = self.folder / "shards" / f"{shard.number}" if shard else self.folder
        if not (root / "weights").is_dir():
            write_weights(root / "weights")
        return Layout(root, shard=shard)

    def plan(self, shard: Shard | None = None) -> None:
        with Store() as store:
            packed_preprocess.run(self.dataset, self.project.preprocess_options, self.layout(shard), store)

    def options(self) -> packed_embed.PackedOptions:
        before = self.project.preprocess_options
        return packed_embed.PackedOptions(
            self.dataset, self.project.embed_options, before.sound, before.reading, self.labels, self.dtype
        )

    def embed(self) -> Counts:
        """Run `preprocess` and `embed`; return what was computed, reused and lost."""
        self.plan()
        with Store() as store:
            packed_embed.run(self.options(), self.layout(), store)
        return replace(self.project, folder=self.folder).counts("embed")

    def embed_shard(self, shard: Shard) -> Counts:
        """Do the same for a shard."""
        self.plan(shard)
        with Store() as store:
            packed_embed.run_shard(self.options(), self.layout(shard), store)
        return replace(self.project, folder=self.layout(shard).root).counts("embed")

    def run(self, *formats: str) -> Counts:
        """Run all stages up to `export`; return the counts of `embed`."""
        counts = self.embed()
        options = replace(self.project.export_options, formats=formats)
        with Store() as store:
            packed_export.run(options, self.layout(), store)
        return counts


@pytest.fixture
def packed(project: Project, tmp_path: Path) -> Packed:
    """A project without any files yet."""
    return Packed(project, tmp_path / "packed")


WriteSounds = Callable[[int], None]


@pytest.fixture
def write_sounds(project: Project) -> WriteSounds:
    """Write so many sounds into two folders of the project's dataset."""

    def write(count: int) -> None:
        for number in range(count):
            write_audio(project.dataset / f"class {number % 2}" / f"{number:03d}.wav", seconds=0.2)

    return write


@pytest.fixture
def all_kinds(packed: Packed) -> Packed:
    """A dataset with everything that files can be, damage included."""
    folder = packed.dataset / "kinds"
    folder.mkdir(parents=True)
    for name, (write, _) in BAD_FILES.items():
        write(folder / name)
    write_audio(folder / "long.flac", seconds=12.3, sample_rate_hz=44_100, channels=2)
    write_audio(folder / "one.wav", seed=1)
    write_audio(packed.dataset / "others" / "copy.wav", seed=1)
    write_image(folder / "picture.png")
    write_video(folder / "both.mp4")
    write_video(folder / "silent.mp4", sound=False)
    return packed
