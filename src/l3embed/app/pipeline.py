"""The pipeline's stages with their folders: what DVC runs one by one, and ``l3embed-pipeline`` in one go."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from l3embed.app.settings import Settings
from l3embed.disk.json_files import write_json
from l3embed.profiling import Phase, Profile, profiling
from l3embed.report import ReportInputs
from l3embed.stages import embed, evaluate, export, preprocess, report, weights
from l3embed.store.entries import Store


@dataclass(frozen=True)
class Layout:
    """Where the stages write: folders below one, named as in ``dvc.yaml``."""

    root: Path = Path("data")

    def folder(self, name: str) -> Path:
        """Return a folder of what stages write, such as ``export`` or ``metrics``."""
        return self.root / name

    def metrics_of(self, stage: str) -> Path:
        """Return the file with what a stage counted."""
        return self.folder("metrics") / f"{stage}.json"


def run_weights(settings: Settings, layout: Layout) -> str:
    """Run the stage ``weights``."""
    weight_sets = [variant.weight_set for variant in settings.variants.values()]
    return weights.run(weight_sets, settings.weights.parse(), layout.folder("weights"))


def run_preprocess(settings: Settings, layout: Layout) -> str:
    """Run the stage ``preprocess``."""
    folders = preprocess.PreprocessFolders(
        Path(settings.dataset.path), layout.folder("preprocessed"), layout.metrics_of("preprocess")
    )
    options = preprocess.PreprocessOptions(
        settings.dataset.parse(), settings.preprocessed, settings.failures, settings.device.threads
    )
    with Store() as store:
        return preprocess.run(folders, options, store)


def run_embed(settings: Settings, layout: Layout) -> str:
    """Run the stage ``embed``."""
    folders = embed.EmbedFolders(
        layout.folder("preprocessed"),
        layout.folder("weights"),
        layout.folder("embeddings"),
        layout.metrics_of("embed"),
    )
    options = embed.EmbedOptions(
        variants=settings.variants,
        framing=settings.windows.framing(),
        placement=settings.placement,
        batch_size=settings.device.batch_size,
        on_error=settings.failures,
    )
    with Store() as store:
        return embed.run(folders, options, store)


def run_export(settings: Settings, layout: Layout) -> str:
    """Run the stage ``export``."""
    folders = export.ExportFolders(
        layout.folder("embeddings"), layout.folder("export"), layout.metrics_of("export")
    )
    options = export.ExportOptions(
        settings.labels.parse(), settings.export.chosen_formats(), settings.export.layout()
    )
    with Store() as store:
        return export.run(folders, options, store)


def run_evaluate(settings: Settings, layout: Layout) -> str:
    """Run the stage ``evaluate``."""
    return evaluate.run(
        layout.folder("export"),
        settings.evaluation.parse(),
        layout.folder("evaluation"),
        layout.metrics_of("evaluate"),
    )


def run_report(settings: Settings, layout: Layout) -> str:
    """Run the stage ``report``."""
    inputs = ReportInputs(
        export=layout.folder("export"),
        evaluation=layout.folder("evaluation"),
        metrics=layout.folder("metrics"),
        dataset=Path(settings.dataset.path),
        stages=tuple(STAGES)[: list(STAGES).index("report") + 1],
    )
    folders = report.ReportFolders(inputs, layout.folder("report"), layout.metrics_of("report"))
    with Store() as store:
        return report.run(folders, settings.report.parse(), store)


STAGES: dict[str, Callable[[Settings, Layout], str]] = {
    "weights": run_weights,
    "preprocess": run_preprocess,
    "embed": run_embed,
    "export": run_export,
    "evaluate": run_evaluate,
    "report": run_report,
}
"""The stages after ``sample``, in the order in which they run."""


def run_stage(name: str, settings: Settings, layout: Layout) -> str:
    """Run a stage, and return its summary; its metrics tell of its phases, if the settings ask for them."""
    if not settings.profile:
        return STAGES[name](settings, layout)
    started_s = time.perf_counter()
    with profiling() as profile:
        summary = STAGES[name](settings, layout)
    if profile.seconds:
        _add_profile(layout.metrics_of(name), profile, time.perf_counter() - started_s)
    return summary


def _add_profile(path: Path, profile: Profile, elapsed_s: float) -> None:
    figures: dict[str, Any] = dict(profile.seconds)
    if Phase.NETWORK.value in figures:
        figures["network_busy"] = profile.share(Phase.NETWORK, elapsed_s)
    write_json(path, {**json.loads(path.read_text(encoding="utf-8")), "profile": figures})
