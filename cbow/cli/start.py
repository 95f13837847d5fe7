"""Where the commands start: each by its own name, and as a subcommand of ``cbow``.

They take the signals over before anything large is loaded.
"""

from __future__ import annotations

import sys
from functools import partial
from importlib import import_module

from cbow.system.interrupts import Ending

#: Each command with a line that says what it does. All but the last are ``cbow-NAME``, too.
COMMANDS = {
    "train": "Train CBOW word embeddings on a text.",
    "nearest": "Show the words nearest to a word or to a sum of words.",
    "evaluate": "Score models by word pairs and analogies.",
    "convert": "Convert a file of word vectors to another format.",
    "explore": "Make a page to look at word vectors.",
    "plot": "Draw the loss of a training run, or words, to a file.",
    "explain": "Show every number of one step of the network, on a few words.",
    "gradcheck": "Compare the gradients of a network with differences of its cost.",
    "completion": "Print what makes bash, zsh or fish complete commands with Tab.",
}


def main() -> int:
    """Run ``cbow COMMAND ...``; the command learns by ``sys.argv[0]`` how it was called."""
    if sys.argv[1:2] and sys.argv[1] in COMMANDS:
        name = sys.argv.pop(1)
        sys.argv[0] = f"cbow {name}"
        return start(name, sys.argv[0])
    return start("", "cbow")


def start(name: str, prog: str = "") -> int:
    """Load ``cbow.cli.NAME`` and return the exit code of its `main`.

    Parameters
    ----------
    name : str
        Empty for `cbow.cli.completion.list_commands`.
    prog : str, optional
        What messages call the command; ``cbow-NAME`` by default.
    """
    ending = Ending(prog or f"cbow-{name}")
    ending.take_over()
    module = import_module(f"cbow.cli.{name or 'completion'}")
    return ending.call(module.main if name else module.list_commands)


train = partial(start, "train")
nearest = partial(start, "nearest")
gradcheck = partial(start, "gradcheck")
explain = partial(start, "explain")
plot = partial(start, "plot")
convert = partial(start, "convert")
evaluate = partial(start, "evaluate")
explore = partial(start, "explore")
