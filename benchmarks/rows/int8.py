"""How far int8 is from float32 on the sample dataset, what that does to its classes, and what it gains."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from benchmarks.networks import bare_network
from benchmarks.operations import Variant
from benchmarks.report import Check, Report
from benchmarks.rounds import middle, ratios, side_by_side, spread
from benchmarks.sizes import Sizes
from l3embed.errors import OpenL3Error
from l3embed.evaluation.classifiers import Classifier, predict_held_out
from l3embed.evaluation.evaluation import EvaluationOptions
from l3embed.evaluation.folds import FoldOptions, Split, split_files
from l3embed.export.manifest import ManifestRow
from l3embed.inputs import sound
from l3embed.inputs.media import SourceFile, network_inputs
from l3embed.inputs.windows import Framing
from l3embed.models.running import load_network
from l3embed.runtimes.base import Placement
from l3embed.runtimes.choice import choose_runtime
from l3embed.runtimes.quantization import centred_cosines
from l3embed.sample.carried_files import write_sample_dataset
from l3embed.variants import AudioVariant, Device, ImageVariant, InputRepr, Media, Precision
from l3embed.weights.source import RandomWeights

VARIANTS: dict[str, Variant] = {
    "mel128": AudioVariant(InputRepr.MEL128),
    "mel256": AudioVariant(InputRepr.MEL256),
    "linear": AudioVariant(InputRepr.LINEAR),
    "image": ImageVariant(),
}
ON_CPU = Placement(Device.CPU)
HOP_S = 0.5
FOLD_SEEDS = range(4)
"""Ways to part the files: one file more or less is 4 points of one way's."""

FEWER = 4
"""How many times fewer items go through the bare networks than in the steady state's rows."""

PHOTOGRAPHS = "photographs"
SOUNDS = (".wav", ".ogg", ".flac")

Embeddings = npt.NDArray[np.float32]
Comparison = tuple[npt.NDArray[np.float32], float]


def measure(sizes: Sizes, folder: Path) -> Report:
    """Embed the sample's sounds and photographs with as many seeds of random weights as there are rounds."""
    try:
        choose_runtime(_in_int8(VARIANTS["mel128"]), ON_CPU)
    except OpenL3Error as error:
        return Report(_checks(None, None, None, None, str(error)))
    sample = sorted(write_sample_dataset(folder / "sample"))
    figures: dict[str, Any] = {}
    for name, variant in VARIANTS.items():
        files = [path for path in sample if _is_for(variant, path)]
        inputs = [_inputs(variant, path) for path in files]
        compared, refused = _compare_seeds(variant, files, inputs, range(sizes.rounds))
        cosines = np.concatenate([each for each, _ in compared])
        figures[name] = {
            "median": float(np.median(cosines)),
            "smallest": float(cosines.min()),
            "probe_points": float(np.mean([points for _, points in compared])),
            "inputs": len(cosines),
            "refused_seeds": refused,
        }
    median, smallest = (min(each[key] for each in figures.values()) for key in ("median", "smallest"))
    change = max(abs(each["probe_points"]) for each in figures.values())
    how = _how(figures)
    figures["speed_ups"] = _speed_ups(VARIANTS["mel128"], sizes)
    return Report(_checks(median, smallest, change, figures["speed_ups"], how), figures)


def _checks(
    median: float | None,
    smallest: float | None,
    change: float | None,
    speed_ups: Sequence[float] | None,
    how: str,
) -> list[Check]:
    sample = "of the sample's windows and photographs"
    gain = None if speed_ups is None else middle(speed_ups)
    runs = how if speed_ups is None else spread(speed_ups)
    return [
        Check(f"int8 (opt-in): centred cosine to float32, median {sample}", 0.99, median, "",
              at_least=True, how=how, label="int8, centred cosine, median"),
        Check(f"int8 (opt-in): centred cosine to float32, smallest {sample}", 0.97, smallest, "",
              at_least=True, how=how, label="int8, centred cosine, smallest"),
        Check("int8 (opt-in): change of the linear probe's accuracy on the sample", 1, change, "points",
              at_least=False, how=how, label="int8, change of the probe"),
        Check("int8 (opt-in), bare network, mel128/6144", 1.5, gain, "x ncnn in float32",
              at_least=True, how=runs, label="int8, bare network"),
    ]  # fmt: skip


def _how(figures: dict[str, Any]) -> str:
    return "; ".join(
        f"{name} {each['median']:.4f}, {each['smallest']:.4f}, {each['probe_points']:+.2f} points, "
        f"{each['inputs']} inputs ({len(each['refused_seeds'])} seeds refused)"
        for name, each in figures.items()
    )


def _compare_seeds(
    variant: Variant, files: Sequence[Path], inputs: Sequence[Embeddings], seeds: Iterable[int]
) -> tuple[list[Comparison], list[int]]:
    """Compare by each seed; also return those whose network is refused as too far from float32."""
    compared, refused = [], []
    for seed in seeds:
        try:
            compared.append(_compare(variant, files, inputs, seed))
        except OpenL3Error:
            refused.append(seed)
    return compared, refused


def _compare(variant: Variant, files: Sequence[Path], inputs: Sequence[Embeddings], seed: int) -> Comparison:
    """Return the cosines of one seed's embeddings, and by how many points the probe's accuracy changes."""
    exact, found = (
        [load_network(each, RandomWeights(seed), ON_CPU).embedder.embed(items) for items in inputs]
        for each in (variant, _in_int8(variant))
    )
    cosines = centred_cosines(np.concatenate(found), np.concatenate(exact))
    return cosines, 100 * (_accuracy(files, found) - _accuracy(files, exact))


def _accuracy(files: Sequence[Path], embeddings: Sequence[Embeddings]) -> float:
    """Return the share of files that the linear probe of the stage ``evaluate`` gets right."""
    rows = [ManifestRow(str(path), "", path.parent.name, sha256=path.name) for path in files]
    means = np.stack([each.mean(axis=0) for each in embeddings])
    right = []
    for seed in FOLD_SEEDS:
        split = split_files(rows, FoldOptions(seed=seed))
        assert isinstance(split, Split), split.reason
        neighbours = EvaluationOptions().neighbours
        predicted, _ = predict_held_out(Classifier.LINEAR_PROBE, means, split, neighbours, lambda: None)
        right.append(np.mean(predicted == split.actual))
    return float(np.mean(right))


def _speed_ups(variant: Variant, sizes: Sizes) -> list[float]:
    items = -(-sizes.bare_items // FEWER)
    ready = np.random.default_rng(0).uniform(-80, 0, (1, *variant.network_shape)).astype(np.float32)
    measurements = {
        each.precision.value: bare_network(each, ON_CPU, ready, items)
        for each in (variant, _in_int8(variant))
    }
    seconds = side_by_side(measurements, sizes.rounds)
    return ratios(seconds[Precision.FLOAT32.value], seconds[Precision.INT8.value])


def _inputs(variant: Variant, path: Path) -> Embeddings:
    """Read a file as what a network takes in."""
    read = partial(network_inputs, SourceFile(path, Media.IMAGE))
    if isinstance(variant, AudioVariant):
        prepare = sound.as_spectrograms(variant.input_repr, variant.frontend)
        read = partial(network_inputs, SourceFile(path, Media.AUDIO), Framing(HOP_S), prepare)
    return np.concatenate(list(sound.compute_here(read()))).astype(np.float32)


def _is_for(variant: Variant, path: Path) -> bool:
    if isinstance(variant, ImageVariant):
        return PHOTOGRAPHS in path.parts
    return path.suffix in SOUNDS


def _in_int8(variant: Variant) -> Variant:
    return replace(variant, precision=Precision.INT8)
