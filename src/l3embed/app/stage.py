"""``python -m l3embed.app.stage NAME``: run one stage with the settings of ``params.yaml``, as DVC does."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence

from l3embed.console.interruption import EXIT_INTERRUPTED, answering


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a stage and return the exit status."""
    if arguments is None:
        return answering("l3embed", lambda: _run(sys.argv[1:]))
    return _run(arguments)


def _run(arguments: Sequence[str]) -> int:
    import warnings

    from l3embed.console.answers import EXIT_FAILURE, show_warning
    from l3embed.errors import OpenL3Error

    name, work = _work(arguments)
    warnings.showwarning = show_warning
    try:
        work()
    except (OpenL3Error, OSError) as error:
        sys.stderr.write(f"{name}: error: {error}\n")
        return EXIT_FAILURE
    except KeyboardInterrupt:
        sys.stderr.write(
            f"{name}: interrupted; what was computed is kept, and 'dvc repro' goes on with the rest.\n"
        )
        return EXIT_INTERRUPTED
    return 0


def _work(arguments: Sequence[str]) -> tuple[str, Callable[[], None]]:
    """Return the name of the stage that is asked for, and what does its work."""
    from l3embed.store.kept_code import CODE_STAGE

    if list(arguments) == [CODE_STAGE]:
        return CODE_STAGE, _keep_code
    # Imported here, which takes a second, because Ctrl-C is answered already, and that stage needs none of it.
    import argparse

    from l3embed.app.pipeline import STAGES

    parser = argparse.ArgumentParser(
        prog="python -m l3embed.app.stage", description="Run one stage of dvc.yaml."
    )
    parser.add_argument("stage", choices=[CODE_STAGE, *STAGES])
    stage = parser.parse_args(arguments).stage
    return stage, lambda: _compute(stage)


def _keep_code() -> None:
    from l3embed.store.kept_code import keep_code

    sys.stderr.write(f"{keep_code()}\n")


def _compute(stage: str) -> None:
    from l3embed.app.pipeline import run_stage
    from l3embed.app.settings import read_settings
    from l3embed.progress import say
    from l3embed.stages.output_folder import Layout
    from l3embed.store.claims import only_writer
    from l3embed.store.kept_code import check_code

    check_code(stage)
    settings, layout = read_settings(), Layout()
    with only_writer(layout.root):
        say(run_stage(stage, settings, layout))


if __name__ == "__main__":
    sys.exit(main())
