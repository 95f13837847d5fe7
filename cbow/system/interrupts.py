"""What Ctrl-C and the end of a session do to a command, and to a training that can be stopped."""

from __future__ import annotations

import contextlib
import os
import signal
import sys

TYPE_CHECKING = False  # as `typing` has it, which is not loaded: no signal is handled before this
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import FrameType
    from typing import Any, Final, NoReturn

#: Signals that end a session, where the system has them; schedulers send the last three.
END_OF_SESSION: Final = [
    getattr(signal, name)
    for name in ("SIGTERM", "SIGHUP", "SIGXCPU", "SIGUSR1", "SIGUSR2")
    if hasattr(signal, name)
]

#: The exit code of a command that was interrupted.
INTERRUPTED: Final = 130


class Ending:
    """What the signals do to a command: end it with one line and exit code 130, at any time.

    While modules are loaded the process ends at once: an exception there may come out of an
    extension module as another one, or be printed and forgotten. Else the first signal raises
    KeyboardInterrupt, so that temporary files are removed, and the next one ends the process.

    Parameters
    ----------
    prog : str
        Name of the command.
    """

    def __init__(self, prog: str) -> None:
        self.prog = prog
        self.at_once = True

    def take_over(self) -> None:
        """Handle the signals from now on, but for those that are ignored."""
        sys.unraisablehook = self._unraisable
        for number in (signal.SIGINT, *END_OF_SESSION):
            if signal.getsignal(number) in (signal.default_int_handler, signal.SIG_DFL):
                signal.signal(number, self)

    def call(self, main: Callable[[], int]) -> int:
        """Call `main`; afterwards signals do nothing, for its exit code stands."""
        try:
            self.at_once = False
            code = main()
            self.at_once = True
        except KeyboardInterrupt:  # outside of what `main` itself handles
            self.end()
        ignore_more()
        return code

    def __call__(self, number: int, frame: FrameType | None) -> None:
        """Handle a signal."""
        if self.at_once or _is_loading(frame):
            self.end()
        self.at_once = True
        raise KeyboardInterrupt

    def end(self) -> NoReturn:
        """Say so and end the process."""
        ignore_more()
        if sys.stderr is not None:  # else its descriptor may be that of another file
            with contextlib.suppress(OSError, ValueError):
                os.write(sys.stderr.fileno(), f"{self.prog}: error: interrupted\n".encode())
        os._exit(INTERRUPTED)

    def _unraisable(self, what: sys.UnraisableHookArgs) -> None:
        """End the process where Python would print a KeyboardInterrupt and go on."""
        if issubclass(what.exc_type, KeyboardInterrupt):
            self.end()
        sys.__unraisablehook__(what)


def ignore_more() -> None:
    """Let signals do nothing to a command any more: how it ends is settled and told once."""
    for number in (signal.SIGINT, *END_OF_SESSION):
        if isinstance(signal.getsignal(number), Ending):
            signal.signal(number, signal.SIG_IGN)


def _is_loading(frame: FrameType | None) -> bool:
    """Whether a module is being loaded."""
    while frame is not None:
        if frame.f_code.co_filename == "<frozen importlib._bootstrap>":
            return True
        frame = frame.f_back
    return False


class Interrupts:
    """What Ctrl-C does while there is something to save: it waits to be asked about.

    Attributes
    ----------
    deferred : bool
        Once set, signals are only noted, but for a second Ctrl-C. That, and what comes before, has
        the effect that it would have without this object; for a signal that would kill the
        process this is a KeyboardInterrupt.
    before : dict
        The handlers in whose place this one stands.
    """

    def __init__(self) -> None:
        self.deferred = False
        self.before: dict[int, Any] = {}
        self._asked = False

    def asked(self) -> bool:
        """Whether a signal came since they are deferred."""
        return self._asked

    def __call__(self, number: int, frame: FrameType | None) -> None:
        """Handle a signal."""
        # A terminal that is closed may send SIGHUP twice: that is nobody's impatience.
        if self.deferred and not (self._asked and number == signal.SIGINT):
            self._asked = True
        else:
            handler = self.before[number]
            (handler if callable(handler) else signal.default_int_handler)(number, frame)


#: That of the outermost block of the main thread.
_current: Interrupts | None = None


@contextlib.contextmanager
def interrupts(*more: signal.Signals) -> Iterator[Interrupts]:
    """Take Ctrl-C over, and give it back at the end.

    Inside another such block the outer one goes on, whatever its signals mean: so a command can
    hold them back from the first step until the model is saved. A signal that means something else
    already (a job in the background ignores Ctrl-C) is left alone, and so are all of them outside
    the main thread.

    Parameters
    ----------
    *more : Signals
        Other signals to treat like Ctrl-C, such as SIGTERM.
    """
    global _current
    if _current is not None:
        yield _current
        return
    import threading  # here, for a command handles its signals before it loads more

    ours = Interrupts()
    if threading.current_thread() is not threading.main_thread():
        yield ours
        return
    try:
        _current = ours
        for number in (signal.SIGINT, *more):
            handler = signal.getsignal(number)
            if isinstance(handler, Ending) or handler in (
                signal.default_int_handler,
                signal.SIG_DFL,
            ):
                ours.before[number] = handler
                signal.signal(number, ours)
        yield ours
    finally:
        _current = None
        for before, handler in ours.before.items():
            signal.signal(before, handler)
