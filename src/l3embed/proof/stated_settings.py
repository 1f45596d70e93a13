"""The settings that an export was computed with: as its run has written them down, or as it shows itself."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from l3embed.decoding.reading import AS_OPENL3, OnDamage
from l3embed.errors import source_faults
from l3embed.inputs.windows import Framing
from l3embed.proof.statement import ProvenSettings, ProvenWindow
from l3embed.report.recorded_settings import recorded_settings
from l3embed.search.exported_rows import ExportedRows
from l3embed.search.window_times import framing_of
from l3embed.variants import Media, Modality

FROM_EMBEDDINGS = "the embeddings"
"""Where settings are from if none were written down: the hop from times, and how files were read as usual."""

TIME_TOLERANCE_S = 1e-6

ALL = "all"


def stated_settings(export: Path, run_folder: Path | None, windows: Iterable[ProvenWindow]) -> ProvenSettings:
    """Return the settings of an export.

    Those that its run has written down count if the times of the embeddings agree with them.

    Raises
    ------
    OpenL3Error
        If what was written down cannot be read.
    """
    sounds = [window for window in windows if window.modality == Modality.AUDIO.value]
    recorded = recorded_settings(run_folder) if run_folder else None
    if recorded:
        with source_faults(f"{recorded.file} does not hold the settings of a run"):
            found = _recorded(recorded.file, recorded.values)
        if _fit(found, sounds):
            return found
    return _shown(export, has_sound=bool(sounds))


def _recorded(name: str, values: Mapping[str, Any]) -> ProvenSettings:
    modality = values["dataset.modality"]
    named = modality if isinstance(modality, list) else [modality]
    return ProvenSettings(
        known_from=name,
        dataset=str(values["dataset.path"]),
        media=tuple(media.value for media in Media if named == [ALL] or media.value in named),
        include=tuple(map(str, values["dataset.include"])),
        exclude=tuple(map(str, values["dataset.exclude"])),
        hop_s=float(values["windows.hop_s"]),
        center=bool(values["windows.center"]),
        on_damage=OnDamage(values["on_damage"]).value,
        exif_rotation=bool(values["exif_rotation"]),
        max_megapixels=float(values["max_megapixels"]),
    )


def _fit(settings: ProvenSettings, sounds: Iterable[ProvenWindow]) -> bool:
    """Tell whether sounds have the times that their hop gives them."""
    hop_s = settings.hop_s or 0.0
    return all(
        window.time_s is not None and abs(window.time_s - window.frame * hop_s) <= TIME_TOLERANCE_S
        for window in sounds
    )


def _shown(export: Path, *, has_sound: bool) -> ProvenSettings:
    """Return the settings that an export itself shows; what it does not show is as OpenL3 has it."""
    framing: Framing | None = None
    if has_sound:
        source = ExportedRows(export, Modality.AUDIO)
        framing = framing_of(source, source.frame_counts())
    return ProvenSettings(
        known_from=FROM_EMBEDDINGS,
        dataset=None,
        media=tuple(media.value for media in Media),
        include=(),
        exclude=(),
        hop_s=framing.hop_s if framing else None,
        center=framing.center if framing else None,
        on_damage=AS_OPENL3.on_damage.value,
        exif_rotation=AS_OPENL3.exif_rotation,
        max_megapixels=float(AS_OPENL3.max_megapixels),
    )
