"""``l3embed weights``: what the cache holds of the published weights, fetching and verifying them."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

from l3embed.cli.flags import write_line
from l3embed.errors import OpenL3Error
from l3embed.variants import ALL_WEIGHT_SETS, WeightSet
from l3embed.weights.locating import PublishedState, locate_weights, packed_path, published_state
from l3embed.weights.registry import PUBLISHED_FILES
from l3embed.weights.source import URL_VARIABLE, PublishedWeights

if TYPE_CHECKING:
    Subparsers = argparse._SubParsersAction[argparse.ArgumentParser]

NAMES_HELP = "weight sets such as audio_mel256_music, or file names; none: all"


def add_parser(subparsers: Subparsers) -> None:
    """Add the ``weights`` command; its commands set ``run``, a function from arguments to an exit status."""
    parser = subparsers.add_parser("weights", help="list, fetch and verify the published weights")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)

    listing = commands.add_parser(
        "list", help="say which weights the cache holds, and where; fetches nothing"
    )
    listing.set_defaults(run=_run_list)

    fetch = commands.add_parser("fetch", help="fetch weights into the cache")
    fetch.add_argument("names", nargs="*", metavar="NAME", help=NAMES_HELP)
    fetch.add_argument(
        "--url", help=f"base address to fetch from (otherwise {URL_VARIABLE}, or the OpenL3 project)"
    )
    fetch.set_defaults(run=_run_fetch)

    verify = commands.add_parser("verify", help="compare the cache with the published weights, byte for byte")
    verify.add_argument("names", nargs="*", metavar="NAME", help=NAMES_HELP)
    verify.set_defaults(run=_run_verify)


def _run_list(args: argparse.Namespace) -> int:
    width = max(len(weight_set.name) for weight_set in ALL_WEIGHT_SETS)
    write_line(f"{'name':{width}}  {'state':8}  path")
    for weight_set in ALL_WEIGHT_SETS:
        state = published_state(weight_set)
        write_line(f"{weight_set.name:{width}}  {state.value:8}  {packed_path(weight_set)}")
    return 0


def _run_fetch(args: argparse.Namespace) -> int:
    source = PublishedWeights(base_url=args.url)
    failures: dict[str, OpenL3Error] = {}
    for weight_set in _parse_names(args.names):
        try:
            write_line(f"{weight_set.name}: {locate_weights(weight_set, source).path}")
        except OpenL3Error as error:
            # The others may still be had: a fault can concern one file alone.
            failures[weight_set.name] = error
            sys.stderr.write(f"{weight_set.name}: {error}\n")
    if failures:
        sys.stderr.write(f"Not fetched: {', '.join(failures)}.\n")
    return 1 if failures else 0


def _run_verify(args: argparse.Namespace) -> int:
    weight_sets = _parse_names(args.names)
    states = {weight_set: published_state(weight_set, thorough=True) for weight_set in weight_sets}
    for weight_set, state in states.items():
        label = "not fetched" if state is PublishedState.MISSING else state.value
        write_line(f"{weight_set.name}: {label}  {packed_path(weight_set)}")
    if PublishedState.DAMAGED in states.values():
        sys.stderr.write("Run 'l3embed weights fetch' with the names of the damaged ones to mend them.\n")
        return 1
    if PublishedState.VERIFIED not in states.values():
        sys.stderr.write("None of these weights has been fetched; run 'l3embed weights fetch'.\n")
        return 1
    # With names given, all of them are wanted; without, what has not been fetched is not missed.
    return 1 if args.names and PublishedState.MISSING in states.values() else 0


def _parse_names(names: Sequence[str]) -> tuple[WeightSet, ...]:
    """Turn names of weight sets or files into weight sets; no name means all of them."""
    return tuple(_parse_name(name) for name in names) or ALL_WEIGHT_SETS


def _parse_name(name: str) -> WeightSet:
    for weight_set, file in PUBLISHED_FILES.items():
        if name in (weight_set.name, file.unpacked_name) or file.file_name in (name, f"{name}.gz"):
            return weight_set
    allowed = ", ".join(weight_set.name for weight_set in ALL_WEIGHT_SETS)
    raise OpenL3Error(
        f"The name of a weight set must be one of {allowed}; got {name!r}. Correct it, or give none."
    )
