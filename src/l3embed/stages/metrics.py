"""What a stage counts and how long it takes, as DVC's metrics and in its summary."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from l3embed.disk.json_files import write_json


@dataclass
class Counts:
    """How many inputs a stage has computed itself, taken from the store, and lost."""

    computed: int = 0
    reused: int = 0
    failed: int = 0

    def add(self, was_computed: bool, *, failed: bool = False) -> None:
        """Count one input."""
        if failed:
            self.failed += 1
        elif was_computed:
            self.computed += 1
        else:
            self.reused += 1

    @property
    def figures(self) -> dict[str, int]:
        """The same, as a stage's metrics have it."""
        return asdict(self)

    def __str__(self) -> str:
        return f"{self.computed:,} computed, {self.reused:,} reused, {self.failed:,} failed"


class StageMetrics:
    """What a stage counts, and the seconds that it takes: from here on until it is written.

    Parameters
    ----------
    path : Path
        The file of metrics.
    """

    def __init__(self, path: Path) -> None:
        self._path, self._started_s = path, time.perf_counter()

    def write(self, figures: Mapping[str, Any]) -> None:
        """Write figures, with the seconds behind them."""
        seconds = round(time.perf_counter() - self._started_s, 3)
        write_json(self._path, {**figures, "seconds": seconds})
