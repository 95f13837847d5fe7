"""What all commands share: exit codes, one-sentence errors, printing and tables.

Results go to standard output, everything else to standard error. A command exits with

    0    success (also when the reader of its output stops early, as ``head`` does)
    1    an error that the user can mend, reported in one sentence, without a traceback
    2    wrong usage, as argparse reports it
    130  Ctrl-C
"""

from __future__ import annotations

import argparse
import contextlib
import errno
import io
import json
import os
import re
import shutil
import sys
import textwrap
import traceback
import unicodedata
import warnings
from collections.abc import Callable, Sequence
from typing import Any, Final, NoReturn

import cbow
from cbow.cli.start import COMMANDS
from cbow.errors import LONGEST_SHOWN, CBOWError, OutputError, OutputWarning, VectorsWarning, shown
from cbow.system.interrupts import INTERRUPTED, ignore_more

DONE, FAILED, USAGE = 0, 1, 2


#: Columns of a terminal into which every help fits.
COLUMNS: Final = 80


class Parser(argparse.ArgumentParser):
    """The parser of a command: ``--`` works anywhere, and error messages are short."""

    _arguments: Sequence[str] = ()

    def parse_intermixed_args(  # type: ignore[override]
        self, args: Sequence[str] | None = None, namespace: Any = None
    ) -> argparse.Namespace:
        """Parse options and positional arguments in any order; none after ``--`` is an option."""
        arguments = list(sys.argv[1:] if args is None else args)
        self._arguments = arguments.copy()
        if "--" in arguments:
            after = arguments.index("--") + 1
            # argparse parses these twice, the second time without the --. With a NUL in front,
            # which no argument of a process can hold, it never takes one for an option.
            arguments[after:] = [f"\0{each}" for each in arguments[after:]]
        parsed: argparse.Namespace = super().parse_intermixed_args(arguments, namespace)
        return parsed

    def _get_value(self, action: argparse.Action, arg_string: str) -> Any:
        return super()._get_value(action, arg_string.removeprefix("\0"))

    def format_help(self) -> str:
        """Return the help, in which commands have the names that this one was called by."""
        return called(super().format_help())

    def error(self, message: str) -> NoReturn:
        """Print the usage and the message, with long arguments shortened, and exit with 2."""
        for argument in self._arguments:
            for part in (argument, argument.partition("=")[2]):
                if len(part) > LONGEST_SHOWN:
                    message = message.replace(repr(part), shown(part)).replace(part, shown(part))
        message = visible(message.replace("\0", ""))
        if len(message) > 4 * LONGEST_SHOWN:  # of many arguments
            message = message[: 4 * LONGEST_SHOWN] + "..."
        super().error(message)


#: Errors that the system raises, without a file name, when standard output cannot be written.
_WRITING: Final = (
    errno.EAGAIN, errno.EBADF, errno.EDQUOT, errno.EFBIG, errno.EINVAL, errno.EIO, errno.ENOSPC,
    errno.ENXIO,
)  # fmt: skip


def command_parser(prog: str, description: str, examples: str = "") -> argparse.ArgumentParser:
    """Create the argument parser of a command, ``cbow-NAME``, with ``--help`` and ``--version``.

    `examples` are printed verbatim below the options. Options cannot be abbreviated, so that a new
    option never changes the meaning of an old script.
    """
    parser = Parser(
        prog=called(prog),
        description=wrapped(description, COLUMNS),
        epilog=examples,
        allow_abbrev=False,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--version",
        action="version",
        version=f"%(prog)s {cbow.__version__}",
        help="show the version and exit",
    )
    return parser


def called(text: str) -> str:
    """Name the commands in `text` as this process was called: ``cbow train`` for ``cbow-train``."""
    if not sys.argv[0].startswith("cbow "):
        return text
    return re.sub(rf"\bcbow-(?=({'|'.join(COMMANDS)})\b)", "cbow ", text)


def run(
    body: Callable[[argparse.Namespace], int],
    parser: argparse.ArgumentParser,
    argv: Sequence[str] | None = None,
) -> int:
    """Parse the arguments, call `body` with them and turn every outcome into an exit code.

    Parameters
    ----------
    body : callable
        The command: takes the parsed arguments, prints, returns the exit code.
    parser : argparse.ArgumentParser
        Options may stand before, between and after its positional arguments.
    argv : sequence of str, optional
        The arguments without the program's name; by default those of the process.
    """
    if isinstance(sys.stdout, io.TextIOWrapper):
        # A terminal whose encoding lacks a letter shows an escape, and no error ends the command.
        sys.stdout.reconfigure(errors="backslashreplace")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("default", OutputWarning)
            warnings.simplefilter("always", VectorsWarning)
            show_warning = warnings.showwarning

            def show_note(message: Any, category: Any, *where: Any, **_: Any) -> None:
                if issubclass(category, OutputWarning | VectorsWarning):
                    tell(f"note: {message}")
                else:
                    show_warning(message, category, *where)

            warnings.showwarning = show_note
            try:
                code = body(parser.parse_intermixed_args(argv))
            except SystemExit as stop:  # argparse has printed its help or its error
                code = stop.code if isinstance(stop.code, int) else DONE
        if sys.stdout is not None:
            sys.stdout.flush()
    except KeyboardInterrupt as error:  # `Interrupted` brings a sentence, a bare Ctrl-C none
        ignore_more()
        complain(parser.prog, str(error) or "interrupted")
        return INTERRUPTED
    except BrokenPipeError:
        discard(sys.stdout)
        return DONE
    except CBOWError as error:
        complain(parser.prog, error)
        return FAILED
    except Exception as error:
        return failed(parser.prog, error)
    return code


def failed(prog: str, error: Exception) -> int:
    """Report what the machine or its installation lacks, and return the exit code.

    Raises
    ------
    Exception
        The error itself if it is a bug of ours, which must not be hidden.
    """
    sentence = _sentence(error)
    if sentence is None:
        raise error
    complain(prog, sentence)
    if isinstance(error, OSError):
        discard(sys.stdout)
    return FAILED


def show(result: str) -> None:
    """Print a result on standard output, at once; raise `OutputError` if that is closed."""
    check_stdout()
    print(result, flush=True)


def check_stdout() -> None:
    """Raise `OutputError` if there is no standard output, as after ``>&-`` in a shell."""
    if sys.stdout is None:
        raise OutputError("the standard output is closed; open it, or send it to a file or a pipe")


def tell(line: str) -> None:
    """Print a line about the work on standard error, unless that is closed.

    Control characters, which file names may hold, are shown as escapes.
    """
    if sys.stderr is not None:  # else `print` would take standard output
        with contextlib.suppress(OSError, ValueError):
            print(visible(line), file=sys.stderr, flush=True)


def complain(prog: str, error: object) -> None:
    """Print an error on standard error, in the form that all commands use."""
    tell(f"{called(prog)}: error: {error}")


def _sentence(error: Exception) -> str | None:
    """Say what the machine or its installation lacks, and what to do; None for other errors."""
    if isinstance(error, MemoryError) or getattr(error, "errno", None) == errno.ENOMEM:
        return (
            "there is not enough memory for this; choose a smaller dimension, batch or vocabulary, "
            "fewer buckets of n-grams, or end other programs"
        )
    if isinstance(error, FileNotFoundError) and error.filename is None:
        try:
            os.getcwd()
        except FileNotFoundError:
            return "the current folder is gone (removed or replaced); change to another one"
    # The library that could not be loaded, if the error came while loading one.
    name = error.name if isinstance(error, ImportError) else None
    frames = traceback.walk_tb(error.__traceback__)
    loaded = [each.f_globals["__name__"] for each, _ in frames if each.f_code.co_name == "<module>"]
    library: str = (name or (loaded[-1] if loaded else "cbow")).partition(".")[0]
    if library not in ("cbow", "__main__"):
        reason = shown(str(error) or type(error).__name__)
        return (
            f"the library {library} cannot be loaded ({reason}), but is needed for this; install "
            f"it again: pip install --force-reinstall {library}"
        )
    if not isinstance(error, OSError):
        return None
    if error.errno is None:  # raised by Python itself, as when a library cannot be loaded
        return (
            f"a part of Python or of a package cannot be loaded or used ({shown(str(error))}); "
            "reinstall cbow and the packages it needs"
        )
    if error.filename is None and error.errno not in _WRITING:
        return (
            f"the system refused a resource ({error.strerror}); end other programs, or raise its "
            "limits (ulimit -a)"
        )
    from cbow.system.files import name_of  # here, so that ``cbow --help`` is quick

    where = "the output" if error.filename is None else name_of(error.filename)
    reason = error.strerror or str(error)
    return f"{where} could not be read or written ({reason}); use another place or free some space"


def discard(stream: Any) -> None:
    """Drop what is still buffered, so that Python's own last flush cannot fail."""
    with (
        contextlib.suppress(OSError, ValueError, AttributeError),
        open(os.devnull, "wb") as nowhere,
    ):
        os.dup2(nowhere.fileno(), stream.fileno())


def json_line(value: Any) -> str:
    """Write `value`, of finite numbers, as a line of JSON that standard output can encode."""
    encoding = getattr(sys.stdout, "encoding", None) or "ascii"
    ascii_only = not encoding.lower().startswith("utf")
    return json.dumps(value, ensure_ascii=ascii_only, allow_nan=False)


def terminal_width() -> int | None:
    """Return the width of the terminal; None for a file or a pipe, which take any width."""
    if "COLUMNS" in os.environ or (sys.stdout is not None and sys.stdout.isatty()):
        return shutil.get_terminal_size().columns
    return None


def wrapped(text: str, columns: int | None) -> str:
    """Break `text` between words into lines of at most `columns`; if None, into a single line."""
    if columns is None:
        return text
    return textwrap.fill(text, columns, break_long_words=False, break_on_hyphens=False)


def visible(text: str) -> str:
    r"""Show control characters as escapes, so that no word can control the terminal.

    Examples
    --------
    >>> print(visible("a\tb\x1b[2J"))
    a\tb\x1b[2J
    """
    return "".join(
        char.encode("unicode_escape").decode()
        if unicodedata.category(char) in ("Cc", "Cs", "Zl", "Zp")
        else char
        for char in text
    )


def width(text: str) -> int:
    """Return how many columns `text` takes: two for wide characters, none for marks.

    Examples
    --------
    >>> width("naïve"), width("nai\u0308ve"), width("王")
    (5, 5, 2)
    """
    return sum(
        0 if unicodedata.category(char) in ("Mn", "Me", "Cf")
        else 2 if unicodedata.east_asian_width(char) in "WF"
        else 1
        for char in text
    )  # fmt: skip


def table(
    header: Sequence[str], rows: Sequence[Sequence[str]], align: str, columns: int | None = None
) -> str:
    """Lay rows of text out in columns.

    Parameters
    ----------
    header : sequence of str
        Names of the columns.
    rows : sequence of sequences of str
        One cell per column.
    align : str
        ``<`` or ``>`` per column.
    columns : int, optional
        The width there is. A wider table becomes a list with a line per cell, which fits any
        width; nothing is cut off.

    Returns
    -------
    str
        Lines without trailing white space.

    Examples
    --------
    >>> print(table(("word", "cosine"), [("queen", "0.81"), ("王", "0.79")], "<>"))
    word   cosine
    queen    0.81
    王       0.79
    """
    lines = [list(header), *(list(row) for row in rows)]
    widths = [max(width(cell) for cell in column) for column in zip(*lines, strict=True)]
    if columns is not None and sum(widths) + 2 * (len(widths) - 1) > columns:
        return "\n\n".join(
            "\n".join(f"{name}: {cell}".rstrip() for name, cell in zip(header, row, strict=True))
            for row in rows
        )
    return "\n".join("  ".join(map(padded, line, widths, align)).rstrip() for line in lines)


def padded(cell: str, size: int, side: str) -> str:
    """Pad a cell with spaces to `size` columns, in front if `side` is ``>``."""
    spaces = " " * (size - width(cell))
    return spaces + cell if side == ">" else cell + spaces
