"""Where the commands start: they take the signals over before anything large is loaded."""

import sys
from functools import partial
from importlib import import_module

from cbow.cli.commands import COMMANDS
from cbow.system.interrupts import Ending


def main() -> int:
    """Run ``cbow COMMAND ...``; the command learns by ``sys.argv[0]`` how it was called."""
    if sys.argv[1:2] and sys.argv[1] in COMMANDS:
        name = sys.argv.pop(1)
        sys.argv[0] = f"cbow {name}"
        return start(name, sys.argv[0])
    return start("commands", "cbow")


def start(name: str, prog: str = "") -> int:
    """Load ``cbow.cli.NAME`` and return the exit code of its `main`.

    Parameters
    ----------
    name : str
    prog : str, optional
        What messages call the command; ``cbow-NAME`` by default.
    """
    ending = Ending(prog or f"cbow-{name}")
    ending.take_over()
    return ending.call(import_module(f"cbow.cli.{name}").main)


train = partial(start, "train")
nearest = partial(start, "nearest")
gradcheck = partial(start, "gradcheck")
explain = partial(start, "explain")
plot = partial(start, "plot")
convert = partial(start, "convert")
evaluate = partial(start, "evaluate")
explore = partial(start, "explore")
