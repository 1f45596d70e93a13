"""``l3embed verify``: compute what the reference computed, and say whether the figures are the same."""

from __future__ import annotations

import argparse
from dataclasses import replace
from typing import TYPE_CHECKING

from l3embed.cli.flags import add_placement_options, placement_of, write_line
from l3embed.errors import OpenL3Error
from l3embed.verification.regression_files import REGRESSION_URL_VARIABLE
from l3embed.weights.source import URL_VARIABLE

if TYPE_CHECKING:
    from l3embed.verification.cases import Suite

    Subparsers = argparse._SubParsersAction[argparse.ArgumentParser]


def add_parser(subparsers: Subparsers) -> None:
    """Add the ``verify`` command."""
    parser = subparsers.add_parser(
        "verify",
        help="compare what is computed here with what openl3 0.4.2 computed",
        description="Compute embeddings here, and compare them with those that openl3 0.4.2 computed. With "
        "the published weights, that is its own regression data; they and the weights are fetched and "
        f"verified, the weights from where {URL_VARIABLE} says. With random weights, it is data that l3embed "
        "carries, and no network is needed. The exit status is 1 if a case is out or failed.",
    )
    parser.add_argument(
        "--weights",
        choices=["published", "random"],
        default="published",
        help="which weights to compute with (default: %(default)s)",
    )
    parser.add_argument(
        "--url",
        help="base address to fetch the regression data from "
        f"(otherwise {REGRESSION_URL_VARIABLE}, or the OpenL3 project)",
    )
    add_placement_options(parser)
    parser.add_argument("--only", nargs="+", metavar="CASE", default=[], help="cases to run (default: all)")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Run the cases and write the table; the status is 0 only if none is out or failed."""
    from l3embed.verification.runner import verify
    from l3embed.verification.text_table import Table

    suite = replace(_suite(args).only(args.only), placement=placement_of(args))
    table = Table(suite)
    write_line(table.header())
    results = []
    for result in verify(suite):
        results.append(result)
        write_line(table.row(result))
    write_line(table.footer(results))
    return 1 if any(result.verdict.is_bad for result in results) else 0


def _suite(args: argparse.Namespace) -> Suite:
    if args.weights == "published":
        from l3embed.verification.published import published_suite

        return published_suite(args.url)
    if args.url is not None:
        raise OpenL3Error("--url goes with --weights published: with random weights nothing is fetched.")
    from l3embed.verification.carried import carried_suite

    return carried_suite()
