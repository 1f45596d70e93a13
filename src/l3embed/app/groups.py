"""The groups of settings: checked when they are made, and turned into the stages' words."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path
from typing import Any

from omegaconf import MISSING

from l3embed.app.rules import at_least, check_rules, one_of, rules_of
from l3embed.errors import OpenL3Error
from l3embed.evaluation.evaluation import LEAST as LEAST_OF_EVALUATION
from l3embed.evaluation.evaluation import EvaluationOptions
from l3embed.export.labels import FolderLabels, LabelSource, LabelTable, ListingLabels
from l3embed.export.timed_labels import TimedKind, TimedLabels
from l3embed.inputs.windows import Framing
from l3embed.report.choices import LEAST as LEAST_OF_REPORT
from l3embed.report.choices import Projection, ReportOptions
from l3embed.runtimes.choice import runtime_names
from l3embed.stages.dataset import Selection
from l3embed.variants import (
    AUDIO_EMBEDDING_SIZES,
    IMAGE_EMBEDDING_SIZES,
    SAMPLE_RATE_HZ,
    ContentType,
    Device,
    Frontend,
    InputRepr,
    Media,
    Precision,
    check_one_of,
    parse_choice,
)
from l3embed.weights.source import PublishedWeights, RandomWeights, WeightsDirectory, WeightsSource


class SourceKind(str, Enum):
    """Where weights come from."""

    PUBLISHED = "published"
    RANDOM = "random"
    DIRECTORY = "directory"


class LabelKind(str, Enum):
    """Where labels come from."""

    FOLDERS = "folders"
    TABLE = "table"
    LISTING = "listing"
    RAVEN = "raven"
    AUDACITY = "audacity"
    NONE = "none"

    @property
    def names_files(self) -> bool:
        """Whether labels are in files, which ``labels.table`` names."""
        return self in (LabelKind.TABLE, LabelKind.RAVEN, LabelKind.AUDACITY)


ALL = "all"
"""The word for every kind of files."""

SAMPLES, SPECTROGRAMS = "samples", "spectrograms"
"""What the preprocess stage may write of sound."""

LEAST_HOP_S = 1 / SAMPLE_RATE_HZ


@dataclass
class DatasetSettings:
    """Which files."""

    name: str = MISSING
    path: str = MISSING
    modality: Any = one_of((ALL, *Media), ALL, is_list_too=True)  # noqa: RUF009 (a field)
    include: list[str] = field(default_factory=list)
    exclude: list[str] = field(default_factory=list)
    synthesised: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not self.path:
            raise OpenL3Error("dataset.path must be the path of a folder or a listing; got nothing.")
        self.parse()

    def parse(self) -> Selection:
        """Return the stages' word for it."""
        named = self.modality if isinstance(self.modality, list) else [self.modality]
        check_one_of("dataset.modality", named[0] if named else None, rules_of(self)["modality"].words)
        if named == [ALL]:
            return Selection(tuple(Media), tuple(self.include), tuple(self.exclude))
        media = {parse_choice(Media, "dataset.modality", name) for name in named}
        chosen = tuple(kind for kind in Media if kind in media)
        return Selection(chosen, tuple(self.include), tuple(self.exclude))


@dataclass
class LabelSettings:
    """Which class each file is of."""

    source: str = one_of(LabelKind)
    table: str | None = None
    definition: str | None = MISSING

    def __post_init__(self) -> None:
        self.parse()
        _check_definition("labels", "export", self)

    def parse(self) -> LabelSource:
        """Return the reports' word for it."""
        kind = parse_choice(LabelKind, "labels.source", self.source)
        if kind is LabelKind.FOLDERS:
            return FolderLabels()
        if kind is LabelKind.LISTING:
            return ListingLabels()
        if kind is LabelKind.NONE:
            return None
        if not self.table:
            what = "a CSV file" if kind is LabelKind.TABLE else "a text file or a folder of them"
            raise OpenL3Error(f"labels.table must be the path of {what}; got null. Set labels={kind.value}.")
        if kind is LabelKind.TABLE:
            return LabelTable(Path(self.table))
        return TimedLabels(TimedKind(kind.value), Path(self.table))


@dataclass
class ModelSettings:
    """Which networks."""

    content_type: str = one_of(ContentType)
    input_repr: str = one_of(InputRepr)
    audio_embedding_size: int = one_of(AUDIO_EMBEDDING_SIZES)
    image_embedding_size: int = one_of(IMAGE_EMBEDDING_SIZES)
    precision: str = one_of(Precision)
    image_precision: str | None = one_of(Precision, None)

    def __post_init__(self) -> None:
        check_rules("model.", self)


@dataclass
class PreprocessedSettings:
    """What the preprocess stage writes."""

    kind: str = one_of((SAMPLES, SPECTROGRAMS))
    input_repr: str | None = one_of(InputRepr, None)
    hop_s: float | None = at_least(LEAST_HOP_S, None)
    center: bool | None = None


@dataclass
class FrontendSettings:
    """What computes the spectrograms."""

    name: str = one_of(Frontend)
    preprocessed: PreprocessedSettings = field(default_factory=PreprocessedSettings)

    def __post_init__(self) -> None:
        check_rules("frontend.", self)
        kind = SPECTROGRAMS if self.name == Frontend.LIBROSA else SAMPLES
        if self.preprocessed.kind != kind:
            raise OpenL3Error(
                f"frontend.name is {self.name!r} and frontend.preprocessed.kind {self.preprocessed.kind!r}, "
                f"which do not go together. Set the group as a whole: frontend={self.name}."
            )


@dataclass
class WindowsSettings:
    """How recordings are cut into windows."""

    hop_s: float = at_least(LEAST_HOP_S)
    center: bool = MISSING

    def __post_init__(self) -> None:
        if not LEAST_HOP_S <= self.hop_s < float("inf"):
            raise OpenL3Error(
                f"windows.hop_s must be a number of seconds from 1/{SAMPLE_RATE_HZ} on; got {self.hop_s}."
            )

    def framing(self) -> Framing:
        """Return the library's word for it."""
        return Framing(hop_s=self.hop_s, center=self.center)


@dataclass
class DeviceSettings:
    """Where the network runs, and how much of it at once."""

    name: str = one_of(Device)
    batch_size: int = at_least(1)
    threads: int = at_least(0)

    def __post_init__(self) -> None:
        check_rules("device.", self)


@dataclass
class RuntimeSettings:
    """What computes the network."""

    name: str = one_of(runtime_names())

    def __post_init__(self) -> None:
        check_rules("runtime.", self)


@dataclass
class WeightsSettings:
    """Where the network's weights come from."""

    source: str = one_of(SourceKind)
    base_url: str | None = None
    seed: int | None = at_least(0, None)
    path: str | None = None
    definition: str | None = MISSING

    def __post_init__(self) -> None:
        self.parse()
        check_rules("weights.", self)
        _check_definition("weights", "weights", self)

    def parse(self) -> WeightsSource:
        """Return the library's word for it."""
        kind = parse_choice(SourceKind, "weights.source", self.source)
        if kind is SourceKind.PUBLISHED:
            if self.base_url is not None and not self.base_url.startswith(("http://", "https://")):
                raise OpenL3Error(
                    f"weights.base_url must be null or an http:// or https:// address; got {self.base_url!r}."
                )
            return PublishedWeights(self.base_url)
        if kind is SourceKind.RANDOM:
            if self.seed is None or self.seed < 0:
                got = "null" if self.seed is None else self.seed
                raise OpenL3Error(
                    f"weights.seed must be an integer from 0 on; got {got}. Set weights=random."
                )
            return RandomWeights(self.seed)
        if not self.path:
            raise OpenL3Error("weights.path must be the path of a folder; got null. Set weights=directory.")
        return WeightsDirectory(Path(self.path))


@dataclass
class EvaluationSettings:
    """How the embeddings are evaluated."""

    folds: int = at_least(LEAST_OF_EVALUATION["folds"])
    min_class_files: int | None = at_least(LEAST_OF_EVALUATION["min_class_files"], None)
    neighbours: int = at_least(LEAST_OF_EVALUATION["neighbours"])
    seed: int = at_least(LEAST_OF_EVALUATION["seed"])
    reference: str | None = None
    definitions: dict[str, str] = field(default_factory=dict)
    definition: str | None = None

    def __post_init__(self) -> None:
        self.parse()

    def parse(self) -> EvaluationOptions:
        """Return the evaluation's word for it."""
        return EvaluationOptions(self.folds, self.min_class_files, self.neighbours, self.seed)

    @property
    def reference_path(self) -> Path | None:
        """What distances are measured to, if any are."""
        return Path(self.reference) if self.reference else None


@dataclass
class ReportSettings:
    """What the report shows."""

    projection: str = one_of(Projection)
    previews_mb: float = at_least(LEAST_OF_REPORT["previews_mb"])
    neighbours: int = at_least(LEAST_OF_REPORT["neighbours"])
    seed: int = at_least(LEAST_OF_REPORT["seed"])

    def __post_init__(self) -> None:
        self.parse()

    def parse(self) -> ReportOptions:
        """Return the report's word for it."""
        return ReportOptions(**vars(self))


def _check_definition(group: str, stage: str, settings: LabelSettings | WeightsSettings) -> None:
    """Check that a group says what its stage depends on: DVC would stumble over nothing."""
    if not settings.definition:
        raise OpenL3Error(
            f"{group}.definition must be the path of what the {stage} stage depends on; got null. "
            f"Set the group as a whole: {group}={settings.source}."
        )
