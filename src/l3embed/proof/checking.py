"""A proof against what this machine has and computes."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from l3embed.errors import OpenL3Error
from l3embed.proof.closeness import Kind, difference_of, kind_of, tolerance_of
from l3embed.proof.compared_inputs import ComparedInputs, compare_inputs
from l3embed.proof.compared_networks import Difference, NetworkHere, differing_packages
from l3embed.proof.recomputing import Recomputation, Recomputed
from l3embed.proof.statement import Proof, ProvenWindow
from l3embed.runtimes.base import Placement


@dataclass(frozen=True)
class CheckOptions:
    """How a proof is checked.

    Parameters
    ----------
    dataset : Path or None
        Where the inputs lie, a folder or a listing; None: where the proof says, if that is here.
    sample : int or None
        How many embeddings are recomputed; None: all that the proof holds.
    weights : str or None
        Where the weights are, if their identity does not say so.
    placement : Placement
        Where networks run.
    verbose : bool
        Whether to draw bars.
    """

    dataset: Path | None = None
    sample: int | None = None
    weights: str | None = None
    placement: Placement = field(default_factory=Placement)
    verbose: bool = False


@dataclass(frozen=True)
class ComparedWindow:
    """What became of one embedding.

    Parameters
    ----------
    window : ProvenWindow
        As the proof has it.
    kind : Kind
        What it is of.
    tolerance : float
        How far it may be off.
    difference : float or None
        Largest difference over largest magnitude; None if it was not computed.
    fault : str
        Why not.
    """

    window: ProvenWindow
    kind: Kind
    tolerance: float
    difference: float | None = None
    fault: str = ""

    @property
    def is_within(self) -> bool:
        """Whether it is near enough; one that is no number is not."""
        return self.difference is not None and self.difference <= self.tolerance


@dataclass
class Checked:
    """What a check came to.

    Parameters
    ----------
    dataset : Path or None
        Where inputs were looked for.
    inputs : ComparedInputs or None
        What became of them; None without a dataset.
    weights : dict of str to str
        What is wrong with the weights or the network of a modality; nothing if it is as proven.
    windows : list of ComparedWindow
        What became of the embeddings; none without a dataset.
    differences : list of Difference
        What else is not the same here, which is no fault.
    """

    dataset: Path | None
    inputs: ComparedInputs | None
    weights: dict[str, str]
    windows: list[ComparedWindow]
    differences: list[Difference]

    @property
    def within(self) -> int:
        """How many embeddings are near enough."""
        return sum(window.is_within for window in self.windows)

    @property
    def is_ok(self) -> bool:
        """Whether all that the proof says was found to be so."""
        is_computed = bool(self.windows) and self.within == len(self.windows)
        return is_computed and not any(self.weights.values()) and bool(self.inputs and self.inputs.are_same)


def check_proof(proof: Proof, options: CheckOptions) -> Checked:
    """Compare inputs and weights with a proof, and recompute some of its embeddings.

    Raises
    ------
    OpenL3Error
        If a dataset was named that is none.
    """
    dataset = options.dataset or _stated_dataset(proof)
    windows = proof.windows[: options.sample]
    inputs = None
    if dataset:
        sampled = {window.path for window in windows}
        threads, verbose = options.placement.threads, options.verbose
        inputs = compare_inputs(proof, dataset, sampled, threads=threads, verbose=verbose)
    here, weights = _networks(proof, options)
    compared: list[ComparedWindow] = []
    if dataset and inputs:
        compared = list(_Windows(proof, here, weights, inputs, dataset, options).compare(windows))
    differences = [each for modality, network in here.items() for each in network.differences(modality)]
    return Checked(dataset, inputs, weights, compared, [*differences, *differing_packages(proof)])


def _stated_dataset(proof: Proof) -> Path | None:
    """Return the dataset that a proof names, if it is here."""
    path = Path(proof.settings.dataset) if proof.settings.dataset else None
    return path if path and path.exists() else None


def _networks(proof: Proof, options: CheckOptions) -> tuple[dict[str, NetworkHere], dict[str, str]]:
    """Return the networks that can be had, and what is wrong with each."""
    here: dict[str, NetworkHere] = {}
    faults: dict[str, str] = {}
    for modality, proven in proof.networks.items():
        try:
            network = here[modality] = NetworkHere(proven, options.weights, options.placement)
            faults[modality] = "" if network.has_same_weights else "other numbers than in the proof"
        except OpenL3Error as error:
            faults[modality] = str(error)
    return here, faults


@dataclass(frozen=True)
class _Windows:
    """The embeddings of a proof on their way through the networks here; what fails is put to `faults`."""

    proof: Proof
    here: dict[str, NetworkHere]
    faults: dict[str, str]
    inputs: ComparedInputs
    dataset: Path
    options: CheckOptions

    def compare(self, windows: Sequence[ProvenWindow]) -> Iterator[ComparedWindow]:
        """Yield what becomes of each."""
        found = {
            modality: self._recompute(modality, [each for each in windows if each.modality == modality])
            for modality in self.here
        }
        for window in windows:
            kind = kind_of(window.path, window.modality)
            tolerance = tolerance_of(kind, self.proof.networks[window.modality])
            outcome = self._outcome(window, found.get(window.modality, {}))
            if isinstance(outcome, str):
                yield ComparedWindow(window, kind, tolerance, fault=outcome)
            else:
                yield ComparedWindow(window, kind, tolerance, outcome)

    def _recompute(self, modality: str, windows: Sequence[ProvenWindow]) -> dict[str, Recomputed]:
        wanted: defaultdict[str, set[int]] = defaultdict(set)
        for window in windows:
            if window.path in self.inputs.here:
                wanted[window.path].add(window.frame)
        if not wanted:
            return {}
        own = self.here[modality]
        try:
            recomputation = Recomputation(
                own.variant,
                own.network,
                self.proof.settings,
                self.dataset,
                self.options.placement.threads,
                self.options.verbose,
            )
        except OpenL3Error as error:
            self.faults[modality] = str(error)
            return {}
        return recomputation.run(wanted, self.inputs.here)

    def _outcome(self, window: ProvenWindow, found: dict[str, Recomputed]) -> float | str:
        """Return how far an embedding is off, or why it was not computed."""
        if fault := self.inputs.fault_of(window.path):
            return fault
        embeddings = found.get(window.path)
        if embeddings is None:
            return "its network cannot be had here"
        if isinstance(embeddings, OpenL3Error):
            return str(embeddings)
        if window.frame not in embeddings:
            return f"its input has fewer embeddings here: {len(embeddings)} of those asked for"
        return difference_of(embeddings[window.frame], window.vector)
