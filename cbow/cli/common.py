"""What the commands share: exit codes, errors as one sentence, tables.

Results go to standard output, all else to standard error. A command ends with

    0    done (also when whoever reads the output stops early, as ``head`` does)
    1    an error of the user's, told in one sentence, without a traceback
    2    wrong usage, as argparse tells it
    130  Ctrl-C
"""

from __future__ import annotations

import argparse
import contextlib
import errno
import io
import json
import os
import shutil
import sys
import textwrap
import traceback
import unicodedata
import warnings
from collections.abc import Callable, Sequence
from typing import Any, Final, NoReturn

import cbow
from cbow.errors import LONGEST_SHOWN, CBOWError, OutputError, OutputWarning, shown
from cbow.system.files import name_of
from cbow.system.interrupts import INTERRUPTED, ignore_more

DONE, FAILED, USAGE = 0, 1, 2


class Parser(argparse.ArgumentParser):
    """The parser of a command: ``--`` works wherever it stands, and complaints are short."""

    _arguments: Sequence[str] = ()

    def parse_intermixed_args(  # type: ignore[override]
        self, args: Sequence[str] | None = None, namespace: Any = None
    ) -> argparse.Namespace:
        """Parse options and positional arguments in any order; behind ``--`` are no options."""
        arguments = list(sys.argv[1:] if args is None else args)
        self._arguments = arguments.copy()
        if "--" in arguments:
            behind = arguments.index("--") + 1
            # argparse looks at them twice, the second time without the --. Behind a NUL, which no
            # argument of a process can hold, they look like no option then either.
            arguments[behind:] = [f"\0{each}" for each in arguments[behind:]]
        parsed: argparse.Namespace = super().parse_intermixed_args(arguments, namespace)
        return parsed

    def _get_value(self, action: argparse.Action, arg_string: str) -> Any:
        return super()._get_value(action, arg_string.removeprefix("\0"))

    def error(self, message: str) -> NoReturn:
        """Exit with 2, after the usage and a message in which no argument is long."""
        for argument in self._arguments:
            for part in (argument, argument.partition("=")[2]):
                if len(part) > LONGEST_SHOWN:
                    message = message.replace(repr(part), shown(part)).replace(part, shown(part))
        message = visible(message.replace("\0", ""))
        if len(message) > 4 * LONGEST_SHOWN:  # of many arguments
            message = message[: 4 * LONGEST_SHOWN] + "..."
        super().error(message)


#: What the system says when standard output cannot be written, without naming it.
_WRITING: Final = (
    errno.EAGAIN, errno.EBADF, errno.EDQUOT, errno.EFBIG, errno.EINVAL, errno.EIO, errno.ENOSPC,
    errno.ENXIO,
)  # fmt: skip


def command_parser(prog: str, description: str, examples: str = "") -> argparse.ArgumentParser:
    """Create the argument parser of a command.

    Parameters
    ----------
    prog : str
        Name of the command.
    description : str
        What it does, in a sentence.
    examples : str, optional
        Printed as it stands below the options.

    Returns
    -------
    argparse.ArgumentParser
        With ``--help`` and ``--version``. Options must be written out, so that a new option never
        changes what an old script means.
    """
    parser = Parser(
        prog=prog,
        description=description,
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


def run(
    body: Callable[[argparse.Namespace], int],
    parser: argparse.ArgumentParser,
    argv: Sequence[str] | None = None,
) -> int:
    """Parse the arguments, call `body` with them and turn whatever happens into an exit code.

    Parameters
    ----------
    body : callable
        The command: takes the parsed arguments, prints, gives the exit code.
    parser : argparse.ArgumentParser
        Options may stand before, between and after its positional arguments.
    argv : sequence of str, optional
        The arguments without the program's name; by default those of the process.

    Returns
    -------
    int
        0, 1, 2 or 130, or what `body` returns.
    """
    _never_fail_to_encode(sys.stdout)
    try:
        code = _call(body, parser, argv)
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
    """Complain of what the machine or its installation lacks, and return the exit code.

    Raises
    ------
    Exception
        The error itself if it is a mistake of ours, which is not to be hidden.
    """
    sentence = _sentence(error)
    if sentence is None:
        raise error
    complain(prog, sentence)
    if isinstance(error, OSError):
        discard(sys.stdout)
    return FAILED


def _call(
    body: Callable[[argparse.Namespace], int],
    parser: argparse.ArgumentParser,
    argv: Sequence[str] | None,
) -> int:
    """Call `body` with the arguments; tell what it notes of the places of files."""
    with warnings.catch_warnings():
        warnings.simplefilter("default", OutputWarning)
        show_warning = warnings.showwarning

        def show_note(message: Any, category: Any, *where: Any, **_: Any) -> None:
            if issubclass(category, OutputWarning):
                tell(f"note: {message}")
            else:
                show_warning(message, category, *where)

        warnings.showwarning = show_note
        try:
            return body(parser.parse_intermixed_args(argv))
        except SystemExit as stop:  # argparse has printed its help or its complaint
            return stop.code if isinstance(stop.code, int) else DONE


def show(result: str) -> None:
    """Print a result on standard output, at once.

    Raises
    ------
    OutputError
        If there is no standard output, as after ``>&-`` in a shell.
    """
    if sys.stdout is None:
        raise OutputError("the standard output is closed; open it, or send it to a file or a pipe")
    print(result, flush=True)


def tell(line: str) -> None:
    """Print a line about the work on standard error, if somebody can read it.

    Control characters, as names of files may have them, are shown as escapes.
    """
    if sys.stderr is not None:  # `print` would take standard output instead
        with contextlib.suppress(OSError, ValueError):
            print(visible(line), file=sys.stderr, flush=True)


def complain(prog: str, error: object) -> None:
    """Print one error on standard error, as every command does it."""
    tell(f"{prog}: error: {error}")


def _sentence(error: Exception) -> str | None:
    """Say what the machine or its installation lacks, and what to do; None if it is not that."""
    if isinstance(error, MemoryError) or getattr(error, "errno", None) == errno.ENOMEM:
        return (
            "there is not enough memory for this; choose a smaller dimension, batch or vocabulary, "
            "or end other programs"
        )
    if isinstance(error, FileNotFoundError) and error.filename is None:
        try:
            os.getcwd()
        except FileNotFoundError:
            return "the current folder is gone (it was removed or replaced); change to another one"
    if library := _library(error):
        reason = shown(str(error) or type(error).__name__)
        return (
            f"the library {library} cannot be loaded ({reason}), but is needed for this; install "
            f"it again, as by pip install --force-reinstall {library}"
        )
    if not isinstance(error, OSError):
        return None
    if error.errno is None:  # Python's own, such as that a library cannot be loaded
        return (
            f"a part of Python or of a package cannot be loaded or used ({shown(str(error))}); "
            "install cbow and the packages that it needs again"
        )
    if error.filename is None and error.errno not in _WRITING:
        return (
            f"the system refused something that is needed ({error.strerror}); end other programs, "
            "or raise the limits it sets (ulimit -a)"
        )
    where = "the output" if error.filename is None else name_of(error.filename)
    reason = error.strerror or str(error)
    return f"{where} could not be read or written ({reason}); use another place or free some space"


def _library(error: Exception) -> str | None:
    """Name the library that could not be loaded, if the error came while one was."""
    name = error.name if isinstance(error, ImportError) else None
    frames = traceback.walk_tb(error.__traceback__)
    loaded = [each.f_globals["__name__"] for each, _ in frames if each.f_code.co_name == "<module>"]
    library: str = (name or (loaded[-1] if loaded else "cbow")).partition(".")[0]
    return None if library in ("cbow", "__main__") else library


def _never_fail_to_encode(stream: Any) -> None:
    """Let a terminal that is not UTF-8 show an escape where it has no é."""
    if isinstance(stream, io.TextIOWrapper):
        stream.reconfigure(errors="backslashreplace")


def discard(stream: Any) -> None:
    """Send what is still buffered nowhere, so that Python's own last flush cannot fail."""
    with (
        contextlib.suppress(OSError, ValueError, AttributeError),
        open(os.devnull, "wb") as nowhere,
    ):
        os.dup2(nowhere.fileno(), stream.fileno())


def json_line(value: Any) -> str:
    """Write `value` as one line of JSON that standard output can show.

    Raises
    ------
    ValueError
        If `value` holds NaN or infinity, for which JSON has no word.
    """
    encoding = getattr(sys.stdout, "encoding", None) or "ascii"
    plain = not encoding.lower().startswith("utf")
    return json.dumps(value, ensure_ascii=plain, allow_nan=False)


def terminal_width() -> int | None:
    """Return the columns there are to print on; None when a file or a pipe takes any width."""
    if "COLUMNS" in os.environ or (sys.stdout is not None and sys.stdout.isatty()):
        return shutil.get_terminal_size().columns
    return None


def wrapped(text: str, columns: int | None) -> str:
    """Break `text` between words into lines of at most `columns`; one line if that is None."""
    if columns is None:
        return text
    return textwrap.fill(text, columns, break_long_words=False, break_on_hyphens=False)


def visible(text: str) -> str:
    r"""Show control characters as escapes, so that no word can steer the terminal.

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
    """Count the columns `text` takes: two for wide characters, none for marks.

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
    """Set rows of text in columns.

    Parameters
    ----------
    header : sequence of str
        Names of the columns.
    rows : sequence of sequences of str
        One cell per column.
    align : str
        ``<`` or ``>`` per column.
    columns : int, optional
        Room there is. A table that is wider is set as a list, a line per cell, which any width
        can show; nothing is cut off.

    Returns
    -------
    str
        Lines without white space at their ends.

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
        return _as_list(header, rows)
    return "\n".join("  ".join(map(padded, line, widths, align)).rstrip() for line in lines)


def padded(cell: str, size: int, side: str) -> str:
    """Fill a cell with spaces up to `size` columns; ``>`` puts them in front."""
    spaces = " " * (size - width(cell))
    return spaces + cell if side == ">" else cell + spaces


def _as_list(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Set each row as lines ``name: cell``, with a blank line between rows."""
    return "\n\n".join(
        "\n".join(f"{name}: {cell}".rstrip() for name, cell in zip(header, row, strict=True))
        for row in rows
    )
