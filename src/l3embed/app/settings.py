"""The pipeline's settings: typed, checked, and turned into what the stages and the library take."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, is_dataclass
from functools import cache
from pathlib import Path
from typing import Any, cast, get_type_hints

from omegaconf import MISSING, DictConfig, OmegaConf
from omegaconf.errors import ConfigKeyError, OmegaConfBaseException
from yaml import YAMLError

from l3embed.app.engine_settings import EngineSettings
from l3embed.app.groups import (
    DatasetSettings,
    DeviceSettings,
    EvaluationSettings,
    FrontendSettings,
    LabelSettings,
    ModelSettings,
    ReportSettings,
    RuntimeSettings,
    WeightsSettings,
    WindowsSettings,
)
from l3embed.app.output_settings import CardSettings, ExportSettings, LayoutSettings
from l3embed.app.rules import at_least, check_rules, one_of
from l3embed.app.schema_file import PARAMS_FILE
from l3embed.app.suggestions import did_you_mean
from l3embed.decoding.reading import MAX_MEGAPIXELS, OnDamage, Reading
from l3embed.errors import OpenL3Error
from l3embed.export.timed_labels import TimedLabels
from l3embed.inputs.media import MODALITIES
from l3embed.inputs.preparation import Samples, Spectrograms
from l3embed.runtimes.base import Placement
from l3embed.stages.results import OnError
from l3embed.variants import (
    AudioVariant,
    Device,
    Frontend,
    ImageVariant,
    Modality,
    Variant,
    parse_audio_variant,
    parse_image_variant,
)


@dataclass
class Settings:
    """All settings of a run."""

    dataset: DatasetSettings = MISSING
    labels: LabelSettings = MISSING
    model: ModelSettings = MISSING
    frontend: FrontendSettings = MISSING
    device: DeviceSettings = MISSING
    runtime: RuntimeSettings = MISSING
    weights: WeightsSettings = MISSING
    windows: WindowsSettings = MISSING
    export: ExportSettings = MISSING
    card: CardSettings = field(default_factory=CardSettings)
    layout: LayoutSettings = field(default_factory=LayoutSettings)
    engine: EngineSettings = field(default_factory=EngineSettings)
    evaluation: EvaluationSettings = MISSING
    report: ReportSettings = MISSING
    on_error: str = one_of(OnError)
    on_damage: str = one_of(OnDamage, OnDamage.USE.value)
    exif_rotation: bool = False
    max_megapixels: float = at_least(1, MAX_MEGAPIXELS)
    profile: bool = MISSING
    shard: str | None = None

    def __post_init__(self) -> None:
        check_rules("", self)
        self._check_packed()
        self._check_card()
        repeated = self.frontend.preprocessed
        meant = (self.model.input_repr, self.windows.hop_s, self.windows.center)
        if self.variant.frontend is Frontend.LIBROSA and meant != (
            repeated.input_repr,
            repeated.hop_s,
            repeated.center,
        ):
            raise OpenL3Error(
                "frontend.preprocessed repeats model.input_repr, windows.hop_s and windows.center, which are "
                f"{meant}; got {repeated.input_repr, repeated.hop_s, repeated.center}. Compose params.yaml "
                "(l3embed-params) rather than editing it."
            )

    def _check_packed(self) -> None:
        """Check what goes together with few, large files."""
        if self.shard is not None and not self.layout.is_packed:
            raise OpenL3Error(f"shard={self.shard} goes with layout=packed; got layout={self.layout.name}.")
        if not self.engine.is_local and not self.layout.is_packed:
            raise OpenL3Error(
                f"engine={self.engine.name} goes with layout=packed; got layout={self.layout.name}."
            )
        if not self.engine.is_local and self.shard is not None:
            raise OpenL3Error(
                f"shard={self.shard} goes with engine=local; got engine={self.engine.name}, which makes "
                "its own."
            )
        if self.layout.is_packed and "lance" in self.export.chosen_formats():
            raise OpenL3Error(
                "With layout=packed there is no format lance; got export.formats with it. Set export=none, "
                "or layout=files."
            )
        if self.layout.is_packed and isinstance(self.labels.parse(), TimedLabels):
            raise OpenL3Error(
                f"labels={self.labels.source} labels parts of sounds, which layout=packed does not; set "
                "labels=folders, table, listing or none, or layout=files."
            )
        if self.layout.is_packed and "parquet" in self.export.chosen_formats():
            raise OpenL3Error(
                "With layout=packed the export is Parquet already, with a row for each frame; got the format "
                "parquet once more. Set export=none, or export=npz for one .npz an input besides."
            )

    def _check_card(self) -> None:
        """Check that there is what a card describes."""
        formats = self.export.chosen_formats()
        if self.export.card and not self.layout.is_packed and "parquet" not in formats:
            raise OpenL3Error(
                "export.card=true describes Parquet datasets, which is what others load; got "
                f"export.formats=[{','.join(formats)}]. Set export=parquet, export.formats=[parquet] or "
                "layout=packed."
            )

    @property
    def variant(self) -> AudioVariant:
        """The audio model."""
        model, frontend = self.model, self.frontend.name
        words = (model.input_repr, model.content_type, model.audio_embedding_size, frontend)
        return parse_audio_variant(*words, model.precision)

    @property
    def failures(self) -> OnError:
        """What to do about files that cannot be processed."""
        return OnError(self.on_error)

    @property
    def reading(self) -> Reading:
        """How files are read."""
        return Reading(OnDamage(self.on_damage), self.exif_rotation, self.max_megapixels)

    @property
    def image_variant(self) -> ImageVariant:
        """The image model."""
        model = self.model
        words = (model.input_repr, model.content_type, model.image_embedding_size)
        return parse_image_variant(*words, model.image_precision or model.precision)

    @property
    def placement(self) -> Placement:
        """Where the networks run."""
        return Placement(Device(self.device.name), self.runtime.name, self.device.threads)

    @property
    def variants(self) -> dict[Modality, Variant]:
        """The models that the selected kinds of files need."""
        needed = {modality for media in self.dataset.parse().media for modality in MODALITIES[media]}
        both: dict[Modality, Variant] = {Modality.AUDIO: self.variant, Modality.IMAGE: self.image_variant}
        return {modality: variant for modality, variant in both.items() if modality in needed}

    @property
    def preprocessed(self) -> Samples | Spectrograms:
        """What the preprocess stage writes."""
        if self.variant.frontend is Frontend.LIBROSA:
            return Spectrograms(self.variant.input_repr, self.windows.framing())
        return Samples()


@cache
def setting_keys() -> frozenset[str]:
    """Return the names of all settings, with those of their groups: ``windows.hop_s``."""
    return frozenset(_keys(Settings))


def _keys(group: type) -> Iterator[str]:
    for name, kind in get_type_hints(group).items():
        if is_dataclass(kind):
            yield from (f"{name}.{key}" for key in _keys(cast("type", kind)))
        else:
            yield name


def parse_settings(values: Any) -> Settings:
    """Check composed settings and return them typed.

    Parameters
    ----------
    values : DictConfig or dict
        As composed from ``conf/``, or read from ``params.yaml``.

    Raises
    ------
    OpenL3Error
        Naming the setting, what came and what is allowed.
    """
    if not isinstance(values, (dict, DictConfig)):
        raise OpenL3Error("The settings must be a mapping of groups, as 'make params' writes it.")
    try:
        merged = OmegaConf.merge(OmegaConf.structured(Settings), values)
        _refuse_missing(OmegaConf.missing_keys(values) | OmegaConf.missing_keys(merged))
        for key in ("dataset.path", "labels.table", "weights.path", "evaluation.reference"):
            _refuse_number(key, OmegaConf.select(OmegaConf.create(values), key))
        settings: Any = OmegaConf.to_object(merged)
    except OmegaConfBaseException as error:
        key = f"{error.full_key}: " if error.full_key else ""
        reason = str(error.msg or error).splitlines()[0]
        is_unknown = isinstance(error, ConfigKeyError)
        meant = did_you_mean(str(error.full_key), _names()) if is_unknown else ""
        raise OpenL3Error(f"The settings are wrong. {key}{reason}.{meant}") from error
    return cast("Settings", settings)


def _names() -> list[str]:
    """Return the names of settings and groups."""
    return sorted({*setting_keys(), *get_type_hints(Settings)})


def _refuse_missing(keys: set[str]) -> None:
    """Check that no setting is left without a value, which is written ``???``."""
    if keys:
        names = sorted(keys)
        raise OpenL3Error(
            f"These settings have no value: {', '.join(names)}. Set each of them, as in {names[0]}=VALUE."
        )


def _refuse_number(key: str, value: object) -> None:
    """Check that a path is not a number in YAML: DVC would stumble over it."""
    if value is not None and not isinstance(value, str):
        kind = "file" if key == "labels.table" else "folder"
        raise OpenL3Error(
            f"{key} must be the path of a {kind}; got {value}, which is no text. Write ./{value}."
        )


def read_settings(path: Path = PARAMS_FILE) -> Settings:
    """Read and check ``params.yaml``.

    Raises
    ------
    OpenL3Error
        If the file is missing or a setting in it is wrong.
    """
    if not path.is_file():
        raise OpenL3Error(f"There is no {path} here. Run this in the project's folder, after 'make params'.")
    try:
        return parse_settings(OmegaConf.load(path))
    except (YAMLError, OSError, ValueError) as error:
        raise OpenL3Error(f"{path} could not be read: {error}") from error
