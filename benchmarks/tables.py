"""The tables of ``README.md``, made from the results."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from benchmarks import results
from benchmarks.report import Check, Verdict
from benchmarks.results import Results
from benchmarks.rounds import middle
from benchmarks.rows.length import duration

GIGA = 1e9
STEADY = {
    "steady_linear": "linear/6144",
    "steady_mel128": "mel128/6144",
    "steady_mel256": "mel256/6144",
    "steady_image": "image/8192",
}
"""Benchmarks of the steady state, and what the tables and the chart call their networks."""

PRECISIONS = ("float32", "bfloat16")
PHASES = ("decode", "resample", "frontend", "network", "write", "idle")
LENGTH_NAMES = {
    "network": "l3embed, hop 10 s",
    "stand_in": "l3embed, stand-in for the network, hop 1 s",
    "naive": "naive, hop 0.1 s",
}
"""Ways of the memory's rows, and what the table calls them."""

BARE = ("ncnn", "openvino", "keras")
"""Runtimes whose bare networks are measured."""


def markdown(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a table whose first column is left-aligned text."""
    lines = [_line(header), _line(["---"] * len(header)), *map(_line, rows)]
    return "\n".join(lines)


def goals(found: Results) -> str:
    """Return the table of goals, with the command that measures each."""
    rows = []
    for name, result in found.items():
        for check in results.checks(result):
            command = f"`python -m benchmarks --only {name}`"
            rows.append([check.what, _goal(check), _got(check), check.verdict.value, check.how, command])
    return markdown(["what", "reach", "got", "verdict", "how", "command"], rows)


def reasons(found: Results, why: Mapping[str, str]) -> str:
    """Return why goals are not reached, as far as somebody has written that down."""
    lines = []
    for result in found.values():
        for check in results.checks(result):
            if check.verdict is not Verdict.REACHED:
                text = why.get(check.what, "Nobody has written down why yet.")
                lines.append(f"- **{check.what}** ({check.verdict.value}): {text}")
    return "\n".join(lines) or "All goals are reached."


def throughput(found: Results) -> str:
    """Return items a second of each network, against the bare network and the peak of a product."""
    header = ["network", "precision", "naive", "whole way", "bare, ncnn", "bare, OpenVINO", "bare, Keras"]
    header += ["peak, GFLOP/s", "the peak's items/s", "whole way / bare", "bare / peak"]
    rows = []
    for name, network in STEADY.items():
        figures = results.figures(found, name)
        for precision in PRECISIONS:
            if f"whole_{precision}" in figures:
                rows.append([network, precision, *_throughput_cells(figures, precision)])
    return markdown(header, rows)


def _throughput_cells(figures: Mapping[str, Any], precision: str) -> list[str]:
    whole = middle(figures[f"whole_{precision}"])
    bare = {runtime: _rate(figures, f"bare_{runtime}_{precision}") for runtime in BARE}
    best = max(rate for rate in bare.values() if rate)
    peak = peak_rate(figures, precision)
    naive = middle(figures["naive"]) if precision == "float32" else None
    rates = [naive, whole, *bare.values()]
    return [
        *("" if rate is None else f"{rate:.1f}" for rate in rates),
        f"{figures['peak_gflops'][precision]:.0f}",
        f"{peak:.1f}",
        f"{100 * whole / best:.0f} %",
        f"{100 * best / peak:.0f} %",
    ]


def _rate(figures: Mapping[str, Any], name: str) -> float | None:
    return middle(figures[name]) if name in figures else None


def peak_rate(figures: Mapping[str, Any], precision: str) -> float:
    """Return the items a second that a network would do at the speed of a large matrix product."""
    return float(figures["peak_gflops"][precision] * GIGA / figures["operations"])


def threads(found: Results) -> str:
    """Return the bare network's speed and memory by the number of threads."""
    figures = results.figures(found, "threads")
    rows = []
    for name, figure in figures.items():
        runtime, count = name.rsplit("_", 1)
        items_s = middle(figure["items_s"])
        rows.append([runtime, count, f"{items_s:.1f}", f"{figure['peak_mb']:,}"])
    if not rows:
        return "This has not been measured."
    return markdown(["runtime", "threads", "windows a second", "memory of the process, MB"], rows)


def memory(found: Results) -> str:
    """Return the peaks of memory by the length of a recording and by the number of files."""
    peaks = {name: dict(pairs) for name, pairs in results.figures(found, "length").items()}
    lengths_s = sorted({seconds for each in peaks.values() for seconds in each})
    rows = [
        [duration(seconds), *(_mb(peaks[name].get(seconds)) for name in LENGTH_NAMES)]
        for seconds in lengths_s
    ]
    counts = results.figures(found, "count").get("peak_mb", [])
    rows += [[f"{count:,} files", "", _mb(peak), ""] for count, peak in counts]
    return markdown(["input", *LENGTH_NAMES.values()], rows)


def phases(found: Results) -> str:
    """Return where the time goes, in seconds."""
    rows = [
        [name, f"{elapsed:.1f}", *(f"{seconds.get(phase, 0):.1f}" for phase in PHASES)]
        for name, elapsed, seconds in phase_rows(found)
    ]
    return markdown(["what", "in all", *PHASES], rows)


def phase_rows(found: Results) -> list[tuple[str, float, dict[str, float]]]:
    """Return what was profiled: its name, the seconds that it took, and those of its phases."""
    rows = []
    for name, network in STEADY.items():
        figures = results.figures(found, name)
        for precision, seconds in figures.get("phases", {}).items():
            rows.append((f"{network}, {precision}", seconds["elapsed"], seconds))
    for stage, seconds in results.figures(found, "pipeline").items():
        if set(seconds) & set(PHASES):
            rows.append((f"clips, stage {stage}", seconds["elapsed"], seconds))
    return rows


def gpu(found: Results) -> str:
    """Return items a second on the GPU, or that there was none."""
    figures = results.figures(found, "gpu")
    if not figures:
        return "This has not been measured."
    if not figures["device"]:
        return "There was no GPU where this was measured: no figures."
    rows = []
    for name, rates in figures["items_per_s"].items():
        cells = [f"{rate:,.0f}" for rate in rates.values()]
        operations_per_s = rates["bfloat16"] * figures["operations"][name]
        rows.append(
            [name, *cells, f"{100 * operations_per_s / GIGA / figures['peak_gflops']['bfloat16']:.0f} %"]
        )
    header = ["the bare network", *figures["peak_gflops"], "bfloat16's share of its peak"]
    peaks = ", ".join(f"{name} {peak / 1000:,.1f}" for name, peak in figures["peak_gflops"].items())
    text = f"{figures['device']}; windows or images a second; peak of a product in TFLOP/s: {peaks}."
    for frontend, rates in figures["whole_items_per_s"].items():
        cells = [f"{rate:,.0f}" for rate in rates.values()]
        rows.append([f"mel128/6144, the whole way, frontend {frontend}", *cells, ""])
    return f"{text}\n\n{markdown(header, rows)}"


def machines(found: Results) -> str:
    """Return what the figures were measured on, and when."""
    names: dict[str, list[str]] = {}
    for name, result in found.items():
        names.setdefault(_machine(result["machine"]), []).append(name)
    if len(names) == 1:
        return next(iter(names))
    return "\n".join(f"- {', '.join(measured)}: {machine}" for machine, measured in names.items())


def _machine(machine: Mapping[str, Any]) -> str:
    versions = ", ".join(f"{name} {version}" for name, version in machine["versions"].items())
    blas = (
        f"; NumPy's products held to those of {machine['blas']} by OPENBLAS_CORETYPE"
        if machine["blas"]
        else ""
    )
    has = {flag: flag in machine["flags"] for flag in ("amx_bf16", "avx512_bf16")}
    bfloat16 = ", ".join(
        f"{name} {'yes' if has[flag] else 'no'}"
        for name, flag in (("AMX", "amx_bf16"), ("AVX512_BF16", "avx512_bf16"))
    )
    return (
        f"{machine['processor']}, {machine['cores']} cores ({bfloat16}){blas}; {machine['date']}; "
        f"Python {machine['python']}, {versions}."
    )


def _goal(check: Check) -> str:
    return f"{'at least' if check.at_least else 'at most'} {check.goal:g} {check.unit}".strip()


def _got(check: Check) -> str:
    return "" if check.got is None else f"**{check.got:g}** {check.unit}".strip()


def _mb(peak: float | None) -> str:
    return "" if peak is None else f"{peak:,.0f} MB"


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |"
