"""A worker of `benchmarks.engines` that says what it begins with; in a module that other processes import."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable

from l3embed.stages.packed.part_work import PartTask
from l3embed.stages.packed.part_worker import PartWorker
from l3embed.stages.packed.plan import PartId
from l3embed.store.entries import Store

LOG_FILE = "begun.jsonl"
"""Beside the store."""


class LoggedWorker(PartWorker):
    """Writes a line with the parts that it begins with: those that the store lacks."""

    def compute(self, tasks: Iterable[PartTask]) -> list[tuple[PartId, str]]:
        """Compute parts."""
        tasks = list(tasks)
        with Store(self.store) as store:
            begun = [task.part.number for task in tasks if not store.find(self.work.recipe(task))]
        if begun:
            line = json.dumps({"process": os.getpid(), "parts": begun})
            with (self.store.parent / LOG_FILE).open("a", encoding="utf-8") as log:
                log.write(f"{line}\n")
        return super().compute(tasks)
