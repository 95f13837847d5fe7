"""Asking line by line at a terminal: history from one session to the next, words completed by Tab.

Both are readline's. Where there is none, or the history cannot be kept, one can ask all the same.
"""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, Final

from cbow.cli.common import tell, visible
from cbow.system.files import expanded, name_of, same

#: Lines of history that are kept.
LONGEST_HISTORY: Final = 1000


@contextlib.contextmanager
def session(
    name: str, words: Callable[[], Iterable[str]], models: Sequence[str] = ()
) -> Iterator[None]:
    """Keep a history and complete words while lines are asked for.

    Parameters
    ----------
    name : str
        Of the command: its history is kept by itself.
    words : callable
        Gives the words that Tab completes, the most frequent first.
    models : sequence of str
        Files that are read, in which no history is kept.
    """
    try:
        import readline
    except ImportError:
        yield
        return
    path = history_file(name)
    if path and any(same(path, model) for model in models):
        tell(f"note: no history is kept, for its place {name_of(path)} is that of a model")
        path = None
    with contextlib.suppress(OSError):
        if path:
            readline.read_history_file(path)
    before = readline.get_current_history_length()
    readline.set_history_length(LONGEST_HISTORY)
    readline.set_completer(completer(words))
    readline.set_completer_delims(" \t\n")
    libedit = "libedit" in (readline.__doc__ or "")
    readline.parse_and_bind("bind ^I rl_complete" if libedit else "tab: complete")
    try:
        yield
    finally:
        readline.set_completer(None)
        with contextlib.suppress(OSError):
            if path:
                _keep(readline, path, readline.get_current_history_length() - before)
        readline.clear_history()


def _keep(readline: Any, path: Path, lines: int) -> None:
    """Add the last lines to a file, which other sessions may have open too."""
    if lines > 0:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        path.touch(mode=0o600)
        readline.append_history_file(lines, path)


def history_file(name: str) -> Path | None:
    """Return the place of a history, as the XDG base directories say; None without a home."""
    given = os.environ.get("XDG_STATE_HOME", "")
    state = Path(given) if os.path.isabs(given) else expanded("~/.local/state")
    return state / "cbow" / f"{name}_history" if state.is_absolute() else None


def completer(words: Callable[[], Iterable[str]]) -> Callable[[str, int], str | None]:
    """Return a function for readline: the state-th word that begins with a text, None behind them.

    Words that would steer the terminal are left out.
    """
    found: list[str] = []

    def complete(text: str, state: int) -> str | None:
        if state == 0:
            found[:] = [
                word for word in words() if text and word.startswith(text) and visible(word) == word
            ]
        return found[state] if state < len(found) else None

    return complete


def typed() -> Iterator[str]:
    """Ask for one line after the other until Ctrl-D."""
    with contextlib.suppress(EOFError):
        while True:
            yield _ask()
    print(file=sys.stderr)


def _ask() -> str:
    """Prompt for a line; never onto standard output when that is no terminal."""
    if sys.stdout.isatty():
        return input("> ")
    print("> ", end="", file=sys.stderr, flush=True)
    return input()
