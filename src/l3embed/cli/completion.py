"""``l3embed completion``: what a shell needs to complete commands, options, settings and their choices."""

from __future__ import annotations

import argparse
import os
from typing import TYPE_CHECKING

from l3embed.cli.flags import write_line

if TYPE_CHECKING:
    Subparsers = argparse._SubParsersAction[argparse.ArgumentParser]

PROGRAMS = ("l3embed", "l3embed-params", "l3embed-pipeline")
SHELLS = ("bash", "zsh", "fish")

ASKED = "_ARGCOMPLETE"
"""Environment variable that a shell sets where it wants completions rather than the command."""

EXAMPLES = """\
One script serves l3embed, l3embed-params and l3embed-pipeline. In ~/.bashrc, ~/.zshrc (behind compinit) or
~/.config/fish/config.fish:

  eval "$(l3embed completion bash)"
  eval "$(l3embed completion zsh)"
  l3embed completion fish | source

Or once into a file, which costs nothing when a shell starts:

  l3embed completion bash > ~/.local/share/bash-completion/completions/l3embed
  l3embed completion zsh > ~/.zfunc/_l3embed        (with fpath+=~/.zfunc before compinit)
  l3embed completion fish > ~/.config/fish/completions/l3embed.fish

bash and fish look for the other two by their names there, as in l3embed-params.fish: link these to it.
"""


def add_parser(subparsers: Subparsers) -> None:
    """Add the ``completion`` command; it sets ``run``, a function from arguments to an exit status."""
    parser = subparsers.add_parser(
        "completion",
        help="write what a shell needs to complete commands, options and settings",
        description="Write a script that has a shell complete commands, options, settings and choices.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("shell", choices=SHELLS, help="which shell")
    parser.set_defaults(run=_run)


def complete(parser: argparse.ArgumentParser) -> None:
    """Answer a shell that asks for completions, and end; do nothing where none does."""
    if ASKED in os.environ:
        import argcomplete

        argcomplete.autocomplete(parser)


def _run(args: argparse.Namespace) -> int:
    from argcomplete.shell_integration import shellcode

    write_line(shellcode(PROGRAMS, shell=args.shell))
    return 0
