"""What a check came to, in lines and as JSON."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from l3embed.progress import counted
from l3embed.proof.checking import Checked, ComparedWindow
from l3embed.proof.closeness import Kind
from l3embed.proof.compared_inputs import ComparedInputs
from l3embed.proof.statement import Proof
from l3embed.proof.typed_json import to_json

NAMED = 10
"""Inputs and embeddings of one kind that are named."""

MEASURE = "Differences are the largest difference over the largest magnitude of each embedding in the proof."


def check_lines(proof: Proof, checked: Checked) -> Iterator[str]:
    """Yield the lines of a check: what became of inputs, weights and embeddings; the verdict last."""
    yield from _input_lines(proof, checked)
    for modality, network in proof.networks.items():
        fault = checked.weights[modality]
        told = fault or ("the same" if network.numbers_sha256 else "the same by their name")
        yield f"weights of {network.variant}, {network.weights}: {told}"
    yield from _kind_lines(checked)
    out = [window for window in checked.windows if not window.is_within]
    yield from _named("not within:", (_window_words(window) for window in out), len(out))
    if checked.differences:
        yield "what else differs, which need not matter:"
        rows = [("", "in the proof", "here")]
        rows += [(each.what, each.proven, each.here) for each in checked.differences]
        yield from _table(rows)
    if checked.windows:
        yield MEASURE
    yield _verdict(checked)


def _input_lines(proof: Proof, checked: Checked) -> Iterator[str]:
    inputs, count = checked.inputs, proof.inputs.count
    if inputs is None:
        named = proof.settings.dataset
        where = f" (the proof's, {named}, is not here)" if named else ""
        yield f"inputs: none of {count:,} looked at, without a dataset{where}"
        return
    words = [f"{len(inputs.here):,} of {len(proof.inputs.rows):,} the same"]
    words += [counted(inputs.elsewhere, "input") + " elsewhere, not fetched"] if inputs.elsewhere else []
    words += [f"{inputs.unknown:,} whose bytes the proof does not know"] if inputs.unknown else []
    if proof.inputs.groups:
        words[0] = f"of {count:,}, those of the sample: {words[0]}"
        words += _group_words(proof, inputs)
    yield f"inputs in {checked.dataset}: {'; '.join(words)}"
    yield from _named("missing:", inputs.missing, len(inputs.missing))
    yield from _named("other bytes:", inputs.changed, len(inputs.changed))
    unreadable = (f"{path}: {reason}" for path, reason in inputs.unreadable.items())
    yield from _named("could not be read:", unreadable, len(inputs.unreadable))
    groups = (f"{number}, with {', '.join(names) or 'none here'}" for number, names in inputs.groups.items())
    title = "groups in which something was changed, added or removed:"
    yield from _named(title, groups, len(inputs.groups))


def _group_words(proof: Proof, inputs: ComparedInputs) -> list[str]:
    total = len(proof.inputs.groups)
    if not inputs.are_groups_compared:
        return ["the others were not looked at"]
    return [f"{total - len(inputs.groups):,} of {total:,} groups of all inputs the same"]


def _named(title: str, words: Iterable[str], count: int) -> Iterator[str]:
    """Yield the first of some things below a title, and how many more there are."""
    if count:
        yield f"  {title}"
        yield from (f"    {each}" for _, each in zip(range(NAMED), words, strict=False))
        if count > NAMED:
            yield f"    and {count - NAMED:,} more"


def _kind_lines(checked: Checked) -> Iterator[str]:
    for kind in Kind:
        own = [window for window in checked.windows if window.kind is kind]
        if not own:
            continue
        known = [window.difference for window in own if window.difference is not None]
        largest = f"largest difference {max(known):.1e}" if known else "none was computed"
        within = sum(window.is_within for window in own)
        yield f"{kind.value}: {within} of {len(own)} within {_bound(own[0].tolerance)}, {largest}"


def _window_words(window: ComparedWindow) -> str:
    own = window.window
    place = f"number {own.frame}" if own.time_s is None else f"{own.time_s:g} s"
    told = window.fault or f"off by {window.difference:.1e}"
    return f"{own.path}, {own.modality}, {place}: {told}"


def _table(rows: Sequence[tuple[str, ...]]) -> Iterator[str]:
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    for row in rows:
        cells = (f"{cell:{width}}" for cell, width in zip(row, widths, strict=True))
        yield f"  {'  '.join(cells)}".rstrip()


def _verdict(checked: Checked) -> str:
    if checked.dataset is None:
        return "Nothing was recomputed: name the dataset's folder or listing (--dataset PATH)."
    told = f"{checked.within} of {len(checked.windows)} within {_common_bound(checked.windows)}."
    if checked.is_ok:
        return told
    faults = []
    if checked.inputs and not checked.inputs.are_same:
        faults.append("inputs")
    faults += [f"weights ({modality})" for modality, fault in checked.weights.items() if fault]
    return f"{told} What differs: {', '.join(faults) or 'the embeddings alone'}."


def _common_bound(windows: Sequence[ComparedWindow]) -> str:
    """Return the bound that all that are within keep: the narrowest, or else each one's own."""
    tolerances = sorted({window.tolerance for window in windows})
    reached = [window.difference for window in windows if window.is_within and window.difference is not None]
    if not reached or max(reached) <= tolerances[0]:
        return _bound(tolerances[0])
    return f"their tolerances, {_bound(tolerances[0])} to {_bound(tolerances[-1])}"


def _bound(tolerance: float) -> str:
    """Return a tolerance as people write it: ``1e-5``."""
    digits, _, exponent = f"{tolerance:.0e}".partition("e")
    return f"{digits}e{int(exponent)}"


def check_json(checksum: str, checked: Checked) -> dict[str, Any]:
    """Return all of a check."""
    inputs = checked.inputs
    return {
        "checksum": checksum,
        "ok": checked.is_ok,
        "dataset": str(checked.dataset) if checked.dataset else None,
        "inputs": inputs and _input_json(inputs),
        "weights": {modality: fault or "same" for modality, fault in checked.weights.items()},
        "within": checked.within,
        "of": len(checked.windows),
        "measure": MEASURE,
        "embeddings": [_window_json(window) for window in checked.windows],
        "differences": [to_json(each) for each in checked.differences],
    }


def _input_json(inputs: ComparedInputs) -> dict[str, Any]:
    return {
        "same": len(inputs.here),
        "missing": inputs.missing,
        "changed": inputs.changed,
        "unreadable": inputs.unreadable,
        "elsewhere": inputs.elsewhere,
        "unknown": inputs.unknown,
        "groups_differing": inputs.groups,
        "groups_compared": inputs.are_groups_compared,
    }


def _window_json(window: ComparedWindow) -> dict[str, Any]:
    own = window.window
    return {
        "path": own.path,
        "modality": own.modality,
        "frame": own.frame,
        "time_s": own.time_s,
        "kind": window.kind.value,
        "tolerance": window.tolerance,
        "difference": window.difference,
        "within": window.is_within,
        "fault": window.fault,
    }
