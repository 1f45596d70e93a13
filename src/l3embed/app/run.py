"""``l3embed-pipeline``: the whole pipeline in one process; with ``-m`` a run for each of many settings."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from l3embed.app.schema_file import add_overrides
from l3embed.cli.completion import complete
from l3embed.cli.interruption import answering

PROGRAM = "l3embed-pipeline"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the pipeline or a sweep, and return the exit status: 0 if nothing failed as a whole."""
    complete(_completed())
    if arguments is None:
        return answering(PROGRAM, _run)
    sys.argv = [PROGRAM, *arguments]
    return _run()


def _completed() -> argparse.ArgumentParser:
    """Return what shells complete; the command line itself is read by Hydra."""
    parser = argparse.ArgumentParser(prog=PROGRAM)
    add_overrides(parser, "as in weights=random model.input_repr=mel128")
    parser.add_argument("-m", "--multirun", action="store_true", help="a run for each of many settings")
    parser.add_argument("--cfg", choices=("job", "hydra", "all"), help="show the settings instead of running")
    return parser


def _run() -> int:
    from l3embed.app.launch import run_pipeline  # Hydra takes a second, in which Ctrl-C is answered already

    return run_pipeline()


if __name__ == "__main__":
    sys.exit(main())
