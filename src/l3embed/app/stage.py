"""``python -m l3embed.app.stage NAME``: run one stage with the settings of ``params.yaml``, as DVC does."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from l3embed.cli.interruption import EXIT_INTERRUPTED, answering


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a stage and return the exit status."""
    if arguments is None:
        return answering("l3embed", lambda: _run(sys.argv[1:]))
    return _run(arguments)


def _run(arguments: Sequence[str]) -> int:
    # Imported here, which takes a second, because Ctrl-C is answered already.
    import argparse
    import warnings

    from l3embed.app.pipeline import STAGES, run_stage
    from l3embed.app.settings import read_settings
    from l3embed.cli.main import EXIT_FAILURE, show_warning
    from l3embed.errors import OpenL3Error
    from l3embed.progress import say
    from l3embed.stages.output_folder import Layout
    from l3embed.store.claims import only_writer

    parser = argparse.ArgumentParser(
        prog="python -m l3embed.app.stage", description="Run one stage of dvc.yaml."
    )
    parser.add_argument("stage", choices=STAGES)
    args = parser.parse_args(arguments)
    warnings.showwarning = show_warning
    try:
        settings, layout = read_settings(), Layout()
        with only_writer(layout.root):
            say(run_stage(args.stage, settings, layout))
    except (OpenL3Error, OSError) as error:
        sys.stderr.write(f"{args.stage}: error: {error}\n")
        return EXIT_FAILURE
    except KeyboardInterrupt:
        sys.stderr.write(
            f"{args.stage}: interrupted; what was computed is kept, and 'dvc repro' goes on with the rest.\n"
        )
        return EXIT_INTERRUPTED
    return 0


if __name__ == "__main__":
    sys.exit(main())
