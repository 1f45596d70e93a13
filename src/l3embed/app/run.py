"""``l3embed-pipeline``: the whole pipeline in one process; with ``-m`` a run for each of many settings."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from l3embed.console.interruption import answering

PROGRAM = "l3embed-pipeline"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the pipeline or a sweep, and return the exit status: 0 if nothing failed as a whole."""
    if arguments is None:
        return answering(PROGRAM, _run)
    sys.argv = [PROGRAM, *arguments]
    return _run()


def _run() -> int:
    from l3embed.app.launch import run_pipeline  # Hydra takes a second, in which Ctrl-C is answered already

    return run_pipeline()


if __name__ == "__main__":
    sys.exit(main())
