"""Results as a table of plain text, line by line as they come."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from l3embed.verification.cases import Suite
from l3embed.verification.compare import Comparison, Verdict

MEASURE = "Differences are the largest difference over the largest magnitude of the stored embeddings."


class Table:
    """A table whose columns are as wide as the cases of a suite need."""

    def __init__(self, suite: Suite) -> None:
        self._suite = suite
        self._name_width = max([len("case"), *(len(case.name) for case in suite.cases)])
        self._verdict_width = max(len(verdict.value) for verdict in Verdict)

    def header(self) -> str:
        """Return the line above all others."""
        return self._line("case", "largest difference", "tolerance", "verdict", "")

    def row(self, result: Comparison) -> str:
        """Return the line of a result."""
        difference = "-" if result.difference is None else f"{result.difference:.1e}"
        note = " ".join(result.note.split())
        return self._line(
            result.case.name, difference, f"{result.case.tolerance:.0e}", result.verdict.value, note
        )

    def footer(self, results: Sequence[Comparison]) -> str:
        """Return the lines below all others: how many came to what, and what a reader should know."""
        counts = Counter(result.verdict for result in results)
        summary = ", ".join(f"{counts[verdict]} {verdict.value}" for verdict in Verdict if counts[verdict])
        return "\n".join(
            ["", f"{len(results)} in all: {summary or 'no case was run'}.", MEASURE, self._suite.footnote]
        )

    def _line(self, name: str, difference: str, tolerance: str, verdict: str, note: str) -> str:
        columns = (
            f"{name:{self._name_width}}",
            f"{difference:>{len('largest difference')}}",
            f"{tolerance:>{len('tolerance')}}",
            f"{verdict:{self._verdict_width}}",
            note,
        )
        return "  ".join(columns).rstrip()
