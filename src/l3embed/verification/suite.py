"""Cases that are run together."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from l3embed.errors import OpenL3Error
from l3embed.runtimes.base import Placement
from l3embed.verification.cases import Case
from l3embed.weights.source import WeightsSource


@dataclass(frozen=True)
class Suite:
    """Cases, and where their files and weights come from.

    Parameters
    ----------
    cases : tuple of Case
        In the order in which they are run.
    locate : callable
        Returns where a case's file is on this machine; raises `OpenL3Error` if it cannot be had.
    weights : WeightsSource
        The weights that the stored figures were computed with.
    footnote : str
        What a reader of the results should know.
    placement : Placement
        Where the networks are to run.
    """

    cases: tuple[Case, ...]
    locate: Callable[[str], Path]
    weights: WeightsSource
    footnote: str
    placement: Placement = field(default_factory=Placement)

    def only(self, names: Sequence[str]) -> Suite:
        """Return a suite of the cases with these names, or of all if there are none.

        Raises
        ------
        OpenL3Error
            If there is no case of a name.
        """
        known = [case.name for case in self.cases]
        for name in names:
            if name not in known:
                raise OpenL3Error(f"There is no case {name!r} here. There are: {', '.join(known)}.")
        chosen = tuple(case for case in self.cases if not names or case.name in names)
        return replace(self, cases=chosen)
