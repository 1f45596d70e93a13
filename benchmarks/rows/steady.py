"""The steady state: the naive way, the bare network and the whole way, side by side in one process."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from benchmarks import inputs, naive
from benchmarks.machine import has_amx
from benchmarks.networks import bare_network, product_operations, products
from benchmarks.operations import Variant, operations
from benchmarks.report import Check, Report
from benchmarks.rounds import Seconds, middle, profiled, rates, ratios, side_by_side, spread
from benchmarks.sizes import Sizes
from l3embed.core import process_audio_file, process_image_file
from l3embed.inputs import sound as audio
from l3embed.inputs.media import SourceFile, mono_samples
from l3embed.inputs.pixels import preprocess_images
from l3embed.inputs.windows import Framing
from l3embed.models.running import load_network
from l3embed.runtimes.base import Placement
from l3embed.runtimes.choice import RUNTIMES
from l3embed.runtimes.processor import has_bfloat16
from l3embed.variants import AudioVariant, Frontend, ImageVariant, InputRepr, Media, Precision
from l3embed.weights.source import RandomWeights

HOP_S = 0.1
READY_ITEMS = 32

BARE_GOAL_PERCENT = 92
BFLOAT16_GOAL = 6
OPENVINO_GOAL = 1.7
GIGA = 1e9


@dataclass(frozen=True)
class Subject:
    """A network, and the three ways to feed it.

    Parameters
    ----------
    variant : AudioVariant or ImageVariant
        In float32.
    ready : np.ndarray [shape=(n, *variant.network_shape)]
        Some of what it takes in.
    naive, naive_items
        Runs the naive way, on so many items.
    whole, whole_items
        Runs the whole way in a precision, on so many items.
    """

    variant: Variant
    ready: npt.NDArray[np.float32]
    naive: Callable[[], object]
    naive_items: int
    whole: Callable[[Precision], object]
    whole_items: int


def measure_mel128(sizes: Sizes, folder: Path) -> Report:
    """Measure the variant that most goals are about."""
    subject = _audio_subject(InputRepr.MEL128, sizes, folder)
    report = _measure(subject, sizes)
    figures = report.figures
    share = [
        100 * part for part in ratios(figures["whole_float32"], figures[f"bare_{figures['fastest']}_float32"])
    ]
    check = Check(
        "float32, steady state over a long file, mel128/6144, hop 0.1",
        BARE_GOAL_PERCENT,
        middle(share),
        "% of the bare network",
        at_least=True,
        how=f"whole way against {figures['fastest']} on ready spectrograms; {spread(share, 1)}",
        label="float32, steady state",
    )
    report.checks = [check, *_openvino_check(subject, report), _bfloat16_check(subject, report)]
    return report


def measure_mel256(sizes: Sizes, folder: Path) -> Report:
    """Measure the default variant, whose network takes twice the operations."""
    subject = _audio_subject(InputRepr.MEL256, sizes.halved(), folder)
    report = _measure(subject, sizes.halved())
    report.checks = [*_openvino_check(subject, report), _bfloat16_check(subject, report)]
    return report


def measure_linear(sizes: Sizes, folder: Path) -> Report:
    """Measure the third variant."""
    subject = _audio_subject(InputRepr.LINEAR, sizes.halved(), folder)
    report = _measure(subject, sizes.halved())
    report.checks = _openvino_check(subject, report)
    return report


def measure_image(sizes: Sizes, folder: Path) -> Report:
    """Measure the image network; the goals about it are those of whole processes."""
    return _measure(_image_subject(sizes.halved(), folder), sizes.halved())


def _audio_subject(input_repr: InputRepr, sizes: Sizes, folder: Path) -> Subject:
    variant = AudioVariant(input_repr)
    long = inputs.write_recording(folder / "long.wav", sizes.steady_s)
    short = inputs.write_recording(folder / "short.wav", sizes.steady_naive_s)
    framing = Framing(HOP_S)
    model = naive.load_audio_model(input_repr.value)
    naive.embed_audio(model, short, folder / "naive.npz", hop_s=HOP_S)

    def embed(precision: Precision) -> None:
        process_audio_file(
            str(long),
            folder / precision.value,
            input_repr=input_repr.value,
            hop_size=HOP_S,
            overwrite=True,
            verbose=False,
            weights="random",
            precision=precision.value,
        )

    def spectrograms() -> Iterator[Any]:
        mono = mono_samples(SourceFile(short, Media.AUDIO))
        prepare = audio.as_spectrograms(input_repr, Frontend.KAPRE)
        return audio.compute_here(audio.network_inputs(mono, framing, prepare))

    return Subject(
        variant,
        np.concatenate(list(spectrograms()))[:READY_ITEMS].astype(np.float32),
        lambda: naive.embed_audio(model, short, folder / "naive.npz", hop_s=HOP_S),
        framing.frames(round(48_000 * sizes.steady_naive_s)),
        embed,
        framing.frames(round(48_000 * sizes.steady_s)),
    )


def _image_subject(sizes: Sizes, folder: Path) -> Subject:
    photographs = folder / "photographs"
    inputs.write_photographs(photographs, sizes.steady_photographs)
    paths = sorted(photographs.iterdir())
    some = paths[: max(READY_ITEMS, len(paths) // 4)]
    (folder / "naive").mkdir()
    model = naive.load_image_model()
    naive.embed_images(model, some, folder / "naive")

    def embed(precision: Precision) -> None:
        process_image_file(
            [str(path) for path in paths],
            folder / precision.value,
            overwrite=True,
            verbose=False,
            weights="random",
            precision=precision.value,
        )

    ready = np.concatenate([preprocess_images(_read(path)) for path in paths[:READY_ITEMS]])
    return Subject(
        ImageVariant(),
        ready,
        lambda: naive.embed_images(model, some, folder / "naive"),
        len(some),
        embed,
        len(paths),
    )


def _read(path: Path) -> Any:
    from skimage.io import imread

    return imread(path)


@dataclass
class _Plan:
    """What is measured of a subject: functions by name, how many items each takes, and the last profiles."""

    subject: Subject
    sizes: Sizes
    measurements: dict[str, Callable[[], object]] = field(default_factory=dict)
    items: dict[str, float] = field(default_factory=dict)
    profiles: dict[str, dict[str, float]] = field(default_factory=dict)

    def add(self, name: str, run: Callable[[], object], items: float) -> None:
        """Add something to measure."""
        self.measurements[name], self.items[name] = run, items

    def add_precision(self, precision: Precision) -> None:
        """Add the products, the bare network and the whole way in a precision."""
        subject, word = self.subject, precision.value
        variant = replace(subject.variant, precision=precision)
        for runtime, multiply in products(precision, self.sizes.product_side).items():
            self.add(f"product_{runtime}_{word}", multiply, 1)
        bare_items = self.sizes.bare_items
        bare = {
            runtime: bare_network(variant, Placement(runtime=runtime), subject.ready, bare_items)
            for runtime in _runtimes(precision)
        }
        load_network(variant, RandomWeights(), Placement())  # the whole way's: loading is no part of it
        for runtime, run in bare.items():
            self.add(f"bare_{runtime}_{word}", run, bare_items)
        self.add(f"whole_{word}", partial(self._profile, precision), subject.whole_items)
        for runtime, run in bare.items():
            self.add(f"behind_{runtime}_{word}", run, bare_items)

    def _profile(self, precision: Precision) -> None:
        self.profiles[precision.value] = profiled(lambda: self.subject.whole(precision))


def _measure(subject: Subject, sizes: Sizes) -> Report:
    """Run everything side by side, and return items a second, round by round."""
    plan = _Plan(subject, sizes)
    plan.add("naive", subject.naive, subject.naive_items)
    precisions = [Precision.FLOAT32, *([Precision.BFLOAT16] if has_bfloat16() else [])]
    for precision in precisions:
        plan.add_precision(precision)
    seconds = side_by_side(plan.measurements, sizes.rounds)
    figures: dict[str, Any] = {name: rates(each, plan.items[name]) for name, each in seconds.items()}
    _join_bare(figures)
    bare = {runtime: figures[f"bare_{runtime}_float32"] for runtime in _runtimes(Precision.FLOAT32)}
    figures["fastest"] = max(bare, key=lambda runtime: middle(bare[runtime]))
    figures |= _peaks(seconds, sizes.product_side)
    figures |= {"operations": operations(subject.variant), "phases": plan.profiles}
    return Report(figures=figures)


def _runtimes(precision: Precision) -> list[str]:
    """Return the runtimes that are worth while: ncnn has float32 alone, TensorFlow is slow in bfloat16."""
    able = ("ncnn", "openvino", "keras") if precision is Precision.FLOAT32 else ("openvino",)
    return [runtime for runtime in able if RUNTIMES[runtime].is_installed] or ["keras"]


def _join_bare(figures: dict[str, Any]) -> None:
    """Make one figure of the bare network's runs before and behind each run of the whole way."""
    for name in [name for name in figures if name.startswith("behind_")]:
        before = name.replace("behind_", "bare_")
        pairs = zip(figures[before], figures.pop(name), strict=True)
        figures[before] = [sum(pair) / 2 for pair in pairs]


def _peaks(seconds: Seconds, side: int) -> dict[str, Any]:
    """Return the most operations a second that products reached, in GFLOP/s, by precision."""
    peaks = {}
    for precision in Precision:
        quickest = [
            min(each)
            for name, each in seconds.items()
            if name.startswith("product_") and name.endswith(f"_{precision.value}")
        ]
        if quickest:
            peaks[precision.value] = round(product_operations(side) / min(quickest) / GIGA, 1)
    return {"peak_gflops": peaks}


def _openvino_check(subject: Subject, report: Report) -> list[Check]:
    """Return how the whole way compares with direct convolutions alone, where both can be had."""
    figures = report.figures
    if "bare_openvino_float32" not in figures:
        return []
    speedup = ratios(figures["whole_float32"], figures["bare_openvino_float32"])
    variant = subject.variant
    what = f"float32, steady state, {variant.input_repr.value}/{variant.embedding_size}, hop {HOP_S}"
    how = f"whole way against OpenVINO on ready spectrograms; {spread(speedup)}"
    if "bare_ncnn_float32" in figures:
        bare = ratios(figures["bare_ncnn_float32"], figures["bare_openvino_float32"])
        how += f"; ncnn on the same {middle(bare):.2f} x, {spread(bare)}"
    return [
        Check(
            f"{what}, against OpenVINO",
            OPENVINO_GOAL,
            middle(speedup),
            "x OpenVINO's bare network",
            at_least=True,
            how=how,
            label=f"float32, {variant.input_repr.value}, against OpenVINO",
        )
    ]


def _bfloat16_check(subject: Subject, report: Report) -> Check:
    variant = subject.variant
    repr_, size = variant.input_repr.value, variant.embedding_size
    what = f"bfloat16 (opt-in), steady state, {repr_}/{size}, hop {HOP_S}"
    got, how = None, "this processor has no instructions for bfloat16"
    if "whole_bfloat16" in report.figures:
        speedup = ratios(report.figures["whole_bfloat16"], report.figures["naive"])
        got, how = middle(speedup), f"whole way against the naive one; {spread(speedup)}"
        if not has_amx():
            got, how = (
                None,
                f"the goal is for AMX, which this processor lacks: {got:.2f} x naive on its AVX-512; {how}",
            )
    label = f"bfloat16, {repr_}, steady state"
    return Check(what, BFLOAT16_GOAL, got, "x naive", at_least=True, how=how, label=label)
