"""``README.md`` of the benchmarks: a frame that people write, and the figures between two marks."""

from __future__ import annotations

import json
from pathlib import Path

from benchmarks import tables
from benchmarks.results import Results

FILE = "README.md"
WHY_FILE = Path(__file__).with_name("why.json")
BEGIN, END = "<!-- figures: begin -->", "<!-- figures: end -->"


def write(found: Results, frame: Path, output: Path) -> None:
    """Write a file with the frame of another, or of itself, and with the figures of the results."""
    why = json.loads(WHY_FILE.read_text(encoding="utf-8"))
    output.write_text(fill(frame.read_text(encoding="utf-8"), sections(found, why)), encoding="utf-8")


def fill(text: str, figures: str) -> str:
    """Return a text with other figures between its marks.

    Raises
    ------
    ValueError
        If the text has not each mark once, in their order.
    """
    if text.count(BEGIN) != 1 or text.count(END) != 1 or text.index(BEGIN) > text.index(END):
        raise ValueError(f"The frame must have {BEGIN} and behind it {END}, each once.")
    before, behind = text.split(BEGIN)[0], text.split(END)[1]
    return f"{before}{BEGIN}\n\n{figures}\n\n{END}{behind}"


def sections(found: Results, why: dict[str, str]) -> str:
    """Return all figures, in sections."""
    if not found:
        return "Nothing has been measured yet."
    parts = {
        "Goals": tables.goals(found),
        "Where it falls short, and why": tables.reasons(found, why),
        "Windows a second": tables.throughput(found),
        "Bare network mel128/6144 by the number of threads": tables.threads(found),
        "On a GPU": tables.gpu(found),
        "Memory": tables.memory(found),
        "Where the time goes, in seconds": tables.phases(found),
        "Measured on": tables.machines(found),
    }
    return "\n\n".join(f"## {title}\n\n{content}" for title, content in parts.items())
