"""All commands: ``cbow`` without one lists them, ``cbow completion`` lets a shell complete them."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping, Sequence
from importlib import import_module
from typing import Final

from cbow.cli.common import DONE, USAGE, command_parser, run, show
from cbow.cli.start import COMMANDS
from cbow.errors import shown

SHELLS: Final = ("bash", "zsh", "fish")

#: What the help calls values that are names of files.
FILES: Final = {"FILE", "MODEL", "OTHER", "CORPUS", "IN", "OUT"}

EXAMPLES = """\
examples, each a line for the file that the shell reads when it starts:
  eval "$(cbow completion bash)"      in ~/.bashrc
  eval "$(cbow completion zsh)"       in ~/.zshrc, below compinit
  cbow completion fish | source       in ~/.config/fish/config.fish
"""


def list_commands(argv: Sequence[str] | None = None) -> int:
    """Run ``cbow`` with anything but a command first, and return the exit code."""
    lines = "\n".join(f"  {name:11} {line}" for name, line in COMMANDS.items())
    parser = command_parser(
        "cbow",
        "Train, query and examine CBOW word embeddings.",
        f"commands:\n{lines}\n\ncbow COMMAND --help shows the options of a command.",
    )
    parser.usage = "%(prog)s COMMAND ..."
    parser.add_argument(
        "command", metavar="COMMAND", nargs="?", type=_reject, help="one of those below"
    )

    def body(_: argparse.Namespace) -> int:
        parser.print_help(sys.stderr)
        return USAGE

    return run(body, parser, argv)


def _reject(name: str) -> str:
    """Raise an error that names the command that was meant."""
    from rapidfuzz.distance import OSA

    if name in COMMANDS:
        message = f"{name} stands behind an option, but must come first"
    else:
        meant = min(COMMANDS, key=lambda each: OSA.distance(name, each))
        message = f"{shown(name)} is not a command; did you mean {meant}? --help lists all"
    raise argparse.ArgumentTypeError(message)


def main(argv: Sequence[str] | None = None) -> int:
    """Run ``cbow completion`` and return its exit code."""
    return run(_completion, _parser(), argv)


def _parser() -> argparse.ArgumentParser:
    parser = command_parser("cbow-completion", COMMANDS["completion"], EXAMPLES)
    parser.add_argument("shell", metavar="SHELL", choices=SHELLS, help=", ".join(SHELLS))
    return parser


def _completion(arguments: argparse.Namespace) -> int:
    import shtab

    parsers = {name: _parser_of(name) for name in COMMANDS}
    scripts = [shtab.complete(_joined("cbow", parsers), arguments.shell)]
    del parsers["completion"]  # which has no other name
    for name, parser in parsers.items():
        parser.prog = f"cbow-{name}"
        scripts.append(shtab.complete(parser, arguments.shell, f"cbow__{name}"))
    show("\n".join(scripts))
    return DONE


def _parser_of(name: str) -> argparse.ArgumentParser:
    """Return the parser of a command, whose arguments tell which of them are files."""
    import shtab

    if name == "plot":  # which has a parser for each kind of picture
        from cbow.cli import plot

        pictures = {"loss": plot._loss_parser(), "words": plot._words_parser()}
        parser = _joined(plot.PROG, pictures)
    else:
        pictures = {}
        parser = import_module(f"cbow.cli.{name}")._parser()
    for each in (parser, *pictures.values()):
        for action in each._actions:
            if action.metavar in FILES:
                action.complete = shtab.FILE  # type: ignore[attr-defined]
            if action.option_strings and action.nargs == "+":
                action.nargs = None  # so that shtab completes more options behind the first file
    return parser


def _joined(prog: str, parsers: Mapping[str, argparse.ArgumentParser]) -> argparse.ArgumentParser:
    """Make a parser of which others are the subcommands."""
    whole = command_parser(prog, "")
    commands = whole.add_subparsers()
    for name, parser in parsers.items():
        line = (parser.description or "").partition(". ")[0]
        commands.add_parser(name, parents=[parser], add_help=False, help=line)
    return whole
