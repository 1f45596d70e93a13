"""``l3embed``: the commands, and how their errors and warnings reach the user."""

from __future__ import annotations

import argparse
import sys
import warnings
from collections.abc import Sequence

from l3embed.cli import (
    completion,
    distance,
    doctor,
    embedding,
    export_model,
    listing,
    report_comparison,
    sample,
    search,
    store,
    verify,
    weights_cache,
)
from l3embed.cli.flags import write_line
from l3embed.console.answers import EXIT_FAILURE, show_warning
from l3embed.console.interruption import EXIT_INTERRUPTED, answering
from l3embed.errors import OpenL3Error
from l3embed.version import __version__


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command.

    Returns
    -------
    int
        0 if all was done, 1 if something failed, 130 if it was interrupted; wrong usage exits with 2.
    """
    if arguments is None:
        return answering("l3embed", lambda: main(sys.argv[1:]))
    parser = _parser()
    completion.complete(parser)
    args = parser.parse_args(arguments)
    warnings.showwarning = show_warning
    try:
        status: int = args.run(args)
    except (OpenL3Error, OSError) as error:
        sys.stderr.write(f"l3embed: error: {error}\n")
        return EXIT_FAILURE
    except KeyboardInterrupt:
        sys.stderr.write("l3embed: interrupted; what was saved stays, and the same command goes on.\n")
        return EXIT_INTERRUPTED
    return status


class _Version(argparse.Action):
    """Writes the version, and those of the installed runtimes, which decide about speed and rounding."""

    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> None:
        from l3embed.runtimes.choice import runtime_packages
        from l3embed.store.code import installed_versions

        write_line(f"l3embed {__version__} ({', '.join(installed_versions(runtime_packages()))})")
        parser.exit()


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="l3embed", description="Deep audio and image embeddings (OpenL3: Look, Listen and Learn)."
    )
    parser.add_argument("--version", action=_Version, nargs=0, help="show the versions, and exit")
    subparsers = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    for command in (
        embedding,
        search,
        weights_cache,
        store,
        verify,
        sample,
        listing,
        report_comparison,
        export_model,
        doctor,
        completion,
        distance,
    ):
        command.add_parser(subparsers)
    return parser
