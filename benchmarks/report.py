"""What a benchmark hands back: figures, and how they compare with the goals."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from enum import Enum
from typing import Any


class Verdict(str, Enum):
    """What became of a goal."""

    REACHED = "reached"
    MISSED = "falls short"
    NOT_MEASURED = "not measured here"


@dataclass(frozen=True)
class Check:
    """One row of the table.

    Parameters
    ----------
    what : str
        What was measured; the texts in ``why.json`` go by it.
    goal : float
        What to reach.
    got : float or None
        What was reached; None: nothing to measure it on, and `how` says why.
    unit : str
        Of both, as in ``x naive``.
    at_least : bool
        Whether more is better.
    how : str
        What was divided by what, over how many runs, and how far those lay apart.
    label : str
        `what` in the few words that the chart has room for.
    """

    what: str
    goal: float
    got: float | None
    unit: str
    at_least: bool
    how: str
    label: str

    @property
    def verdict(self) -> Verdict:
        """Whether the goal was reached, by the figure as the table shows it."""
        if self.got is None:
            return Verdict.NOT_MEASURED
        is_reached = self.got >= self.goal if self.at_least else self.got <= self.goal
        return Verdict.REACHED if is_reached else Verdict.MISSED


@dataclass
class Report:
    """What one benchmark has measured.

    Parameters
    ----------
    checks : list of Check
        Rows of the table.
    figures : dict
        All figures, for the other tables and the chart.
    """

    checks: list[Check] = field(default_factory=list)
    figures: dict[str, Any] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        """Return it as ``results.json`` has it."""
        return {"checks": [asdict(check) for check in self.checks], "figures": self.figures}
