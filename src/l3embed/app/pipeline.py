"""The pipeline's stages with their folders: what DVC runs one by one, and ``l3embed-pipeline`` in one go."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path
from typing import Any

from l3embed.app.paths import without_effect
from l3embed.app.settings import Settings
from l3embed.disk.json_files import write_json
from l3embed.engines.engine_table import batch_engine
from l3embed.export.formats import Dtype, Rows
from l3embed.profiling import Phase, Profile, profiling
from l3embed.progress import say
from l3embed.stages import (
    check,
    embed,
    evaluate,
    export,
    preprocess,
    report,
    weights,
)
from l3embed.stages.forecast import Following, Written
from l3embed.stages.output_folder import Layout
from l3embed.stages.packed import packed_embed, packed_export, packed_preprocess
from l3embed.stages.study_card import CardOptions
from l3embed.store.entries import Store


def run_check(settings: Settings, layout: Layout, store: Store) -> str:
    """Run the stage ``check``."""
    options = check.CheckOptions(
        settings.dataset.parse(),
        settings.labels.parse(),
        settings.variants,
        settings.weights.parse(),
        settings.placement,
        settings.report.parse().projection,
        settings.export.chosen_formats(),
        settings.evaluation.reference_path,
        settings.windows.hop_s,
    )
    batch_engine(settings.engine.name, settings.engine.parse())  # if there is none for stages, it says so
    for sentence in without_effect(settings):
        say(f"check: warning: {sentence}")
    return check.run(Path(settings.dataset.path), options, layout)


def run_weights(settings: Settings, layout: Layout, store: Store) -> str:
    """Run the stage ``weights``, for what the dataset holds."""
    held = check.read_modalities(layout)
    needed = [variant.weight_set for modality, variant in settings.variants.items() if modality in held]
    left_out = [modality for modality in settings.variants if modality not in held]
    return weights.run(needed, settings.weights.parse(), layout.folder("weights"), left_out)


def run_preprocess(settings: Settings, layout: Layout, store: Store) -> str:
    """Run the stage ``preprocess``."""
    options = preprocess.PreprocessOptions(
        settings.dataset.parse(),
        settings.preprocessed,
        settings.reading,
        settings.failures,
        settings.device.threads,
        _following(settings),
    )
    dataset = Path(settings.dataset.path)
    if settings.layout.is_packed:
        return packed_preprocess.run(dataset, options, layout, store)
    return preprocess.run(dataset, options, layout, store)


def _following(settings: Settings) -> Following:
    """Return what the stages behind ``preprocess`` write."""
    layout = settings.export.layout()
    sizes = {modality: variant.embedding_size for modality, variant in settings.variants.items()}
    written = [Written(modality, size) for modality, size in sizes.items()]
    others = {"parquet": " in Parquet", "lance": " in LanceDB"} if layout.rows is Rows.FRAMES else {}
    for words in (words for name, words in others.items() if name in settings.export.chosen_formats()):
        number_bytes = layout.dtype.bytes
        written += [Written(modality, size, number_bytes, words) for modality, size in sizes.items()]
    return Following(settings.windows.framing(), tuple(written))


def run_embed(settings: Settings, layout: Layout, store: Store) -> str:
    """Run the stage ``embed``."""
    options = embed.EmbedOptions(
        variants=settings.variants,
        framing=settings.windows.framing(),
        placement=settings.placement,
        batch_size=settings.device.batch_size,
        on_error=settings.failures,
    )
    if layout.shard:
        return packed_embed.run_shard(_packed(settings, options), layout, store)
    if settings.layout.is_packed:
        return packed_embed.run(_packed(settings, options), layout, store)
    return embed.run(options, layout, store)


def _packed(settings: Settings, options: embed.EmbedOptions) -> packed_embed.PackedOptions:
    """Return how files become parts."""
    return packed_embed.PackedOptions(
        Path(settings.dataset.path),
        options,
        settings.preprocessed,
        settings.reading,
        settings.labels.parse(),
        Dtype(settings.layout.dtype),
        batch_engine(settings.engine.name, settings.engine.parse()),
    )


def run_export(settings: Settings, layout: Layout, store: Store) -> str:
    """Run the stage ``export``."""
    options = export.ExportOptions(
        settings.labels.parse(),
        settings.export.chosen_formats(),
        settings.export.layout(),
        settings.failures,
        settings.windows.center,
        _card(settings),
    )
    if settings.layout.is_packed:
        return packed_export.run(options, layout, store)
    return export.run(options, layout, store)


def _card(settings: Settings) -> CardOptions | None:
    """Return what the card of the study says, if one is asked for."""
    if not settings.export.card:
        return None
    return CardOptions(settings.card.parse(), settings.windows.hop_s, settings.windows.center)


def run_evaluate(settings: Settings, layout: Layout, store: Store) -> str:
    """Run the stage ``evaluate``."""
    return evaluate.run(settings.evaluation.parse(), layout, settings.evaluation.reference_path)


def run_report(settings: Settings, layout: Layout, store: Store) -> str:
    """Run the stage ``report``, which tells of the stages up to itself."""
    stages = tuple(STAGES)[: list(STAGES).index("report") + 1]
    return report.run(Path(settings.dataset.path), stages, settings.report.parse(), layout, store)


Run = Callable[[Settings, Layout, Store], str]
"""Turns settings into a stage's arguments, runs it, and returns its summary."""

STAGES: dict[str, Run] = {
    "check": run_check,
    "weights": run_weights,
    "preprocess": run_preprocess,
    "embed": run_embed,
    "export": run_export,
    "evaluate": run_evaluate,
    "report": run_report,
}
"""The stages after ``sample``, in the order in which they run."""


PACKING = ("preprocess", "embed", "export")
"""The stages that share a store with the shards of their run, where there are any."""


def run_stage(name: str, settings: Settings, layout: Layout) -> str:
    """Run a stage, and return its summary; its metrics tell of its phases, if the settings ask for them."""
    started_s = time.perf_counter()
    layout.tidy()
    with (
        Store(layout.store if name in PACKING else None) as store,
        profiling() if settings.profile else nullcontext() as profile,
    ):
        summary = STAGES[name](settings, layout, store)
    if profile and profile.seconds:
        _add_profile(layout.metrics_of(name), profile, time.perf_counter() - started_s)
    return summary


def _add_profile(path: Path, profile: Profile, elapsed_s: float) -> None:
    figures: dict[str, Any] = dict(profile.seconds)
    if Phase.NETWORK.value in figures:
        figures["network_busy"] = profile.share(Phase.NETWORK, elapsed_s)
    write_json(path, {**json.loads(path.read_text(encoding="utf-8")), "profile": figures})
