"""The weights and packages of a proof against those that are here."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

from l3embed.errors import OpenL3Error
from l3embed.models.running import Network, build_network
from l3embed.proof.proving import machine_words
from l3embed.proof.statement import Proof, ProvenNetwork
from l3embed.proof.weight_numbers import numbers_sha256, variant_of
from l3embed.runtimes.base import Placement
from l3embed.runtimes.choice import choose_runtime
from l3embed.store.code import all_versions, code_checksum
from l3embed.store.recipe import Step
from l3embed.variants import Precision, Variant
from l3embed.weights.file import WeightFile
from l3embed.weights.locating import locate_in_silence
from l3embed.weights.source import as_weights_source, source_of_identity

NOT_HERE = "not installed"
SHOWN_DIGITS = 12


@dataclass(frozen=True)
class Difference:
    """Something that differs, and need not matter: where, and what it is in the proof and here."""

    what: str
    proven: str
    here: str


class NetworkHere:
    """A proven network on this machine.

    Parameters
    ----------
    proven : ProvenNetwork
        What it is to be.
    weights : str or None
        Where its weights are, if their identity does not say so.
    placement : Placement
        Where it is to run.

    Raises
    ------
    OpenL3Error
        If its weights cannot be had, or it cannot run here.
    """

    def __init__(self, proven: ProvenNetwork, weights: str | None, placement: Placement) -> None:
        self._proven, self._placement = proven, placement
        self.variant: Variant = variant_of(proven.variant, Precision(proven.precision))
        choose_runtime(self.variant, placement)  # before weights are fetched for what cannot run here
        source = as_weights_source(weights) if weights else source_of_identity(proven.weights)
        self.file: WeightFile = locate_in_silence(
            self.variant.weight_set, source or as_weights_source(None), verbose=False
        )
        self._numbers_sha256 = numbers_sha256(self.file.path, self.variant.weight_set)

    @property
    def has_same_weights(self) -> bool:
        """Whether the weights' numbers are those of the proof, or, if it does not know them, their name."""
        if self._proven.numbers_sha256 is None:
            return self.file.identity == self._proven.weights
        return self._numbers_sha256 == self._proven.numbers_sha256

    @cached_property
    def network(self) -> Network:
        """The network, ready to run."""
        network = build_network(self.variant, self.file, self._placement)
        if network.embedder.embedding_size != self._proven.dimension:
            raise OpenL3Error(
                f"{self._proven.variant} has embeddings of {network.embedder.embedding_size} numbers here, "
                f"and of {self._proven.dimension} in the proof."
            )
        return network

    def differences(self, modality: str) -> Iterator[Difference]:
        """Yield in what it differs, if it has run."""
        if self.file.identity != self._proven.weights:
            yield Difference(f"weights ({modality})", self._proven.weights, self.file.identity)
        if "network" in vars(self):
            own = self.network.embedder.runtime
            if (own,) != self._proven.runtimes:
                yield Difference(f"runtime ({modality})", ", ".join(self._proven.runtimes), own)


def differing_packages(proof: Proof) -> Iterator[Difference]:
    """Yield in what code, packages and machine differ; what only this machine has does not matter."""
    here = dict(package.split(" ", 1) for package in all_versions().split(", "))
    for name, versions in proof.packages.items():
        if versions != (here.get(name),):
            yield Difference(name, ", ".join(versions), here.get(name, NOT_HERE))
    yield from _differing_code(proof.code)
    if proof.machine != machine_words():
        yield Difference("machine", proof.machine, machine_words())


def _differing_code(code: Mapping[str, str]) -> Iterator[Difference]:
    known = {step.value: step for step in Step}
    for name, proven in code.items():
        own = code_checksum(known[name]) if name in known else ""
        if own != proven:
            yield Difference(f"code of {name}", proven[:SHOWN_DIGITS], own[:SHOWN_DIGITS] or "none")
