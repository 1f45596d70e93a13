"""``l3embed``: the commands, and how their errors and warnings reach the user."""

from __future__ import annotations

import argparse
import sys
import warnings
from collections.abc import Sequence
from typing import TextIO

from l3embed.cli import (
    completion,
    distance,
    doctor,
    embedding,
    export_model,
    init,
    listing,
    report_comparison,
    sample,
    search,
    store,
    verify,
    weights_cache,
)
from l3embed.cli.flags import write_line
from l3embed.cli.interruption import EXIT_INTERRUPTED, answering
from l3embed.errors import OpenL3Error, OpenL3Warning
from l3embed.progress import say
from l3embed.version import __version__

EXIT_FAILURE = 1


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
    args = _parsed(parser, arguments)
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


def _parsed(parser: argparse.ArgumentParser, arguments: Sequence[str]) -> argparse.Namespace:
    """Return what a command line says; settings may stand before and behind options, which argparse can't."""
    args, rest = parser.parse_known_args(arguments)
    if rest and (not hasattr(args, "settings") or any(word.startswith("-") for word in rest)):
        parser.error(f"unrecognized arguments: {' '.join(rest)}")
    if rest:
        args.settings += rest
    return args


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
        init,
        doctor,
        completion,
        distance,
    ):
        command.add_parser(subparsers)
    return parser


def show_warning(
    message: Warning | str,
    category: type[Warning],
    filename: str,
    lineno: int,
    file: TextIO | None = None,
    line: str | None = None,
) -> None:
    """Show our own warnings as a line; others are about code, which a user of commands cannot change."""
    if issubclass(category, OpenL3Warning):
        say(f"l3embed: warning: {message}")
