"""Where the commands start: they take the signals over before anything large is loaded."""

from functools import partial
from importlib import import_module

from cbow.system.interrupts import Ending


def start(name: str) -> int:
    """Load ``cbow.cli.NAME`` and return the exit code of its `main`."""
    ending = Ending(f"cbow-{name}")
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
