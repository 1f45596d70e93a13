"""One benchmark in a process of its own: ``python -m benchmarks.worker NAME SIZES OUTPUT``."""

from __future__ import annotations

import json
import os
import sys
import tempfile
import warnings
from collections.abc import Sequence
from pathlib import Path

from benchmarks import registry, sizes

SIZES = {"full": sizes.FULL, "short": sizes.SHORT}


def main(arguments: Sequence[str]) -> None:
    """Measure, and write what was found out to a file."""
    name, size, output = arguments
    with tempfile.TemporaryDirectory(prefix="l3embed-benchmark-") as folder:
        os.environ["L3EMBED_STORE"] = str(Path(folder, "store"))
        # Random weights are what is measured with; every process would say so.
        warnings.filterwarnings("ignore", message=".*untrained")
        report = registry.find(name)(SIZES[size], Path(folder))
    Path(output).write_text(json.dumps(report.as_json()), encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
