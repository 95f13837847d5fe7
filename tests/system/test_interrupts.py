"""Ctrl-C and the end of a session: what they do, to a training and to every command at any time."""

import os
import random
import re
import signal
import subprocess
import sys
import threading
import time
import tomllib
from importlib import import_module
from pathlib import Path

import pytest

import cbow
from cbow.cli import start
from cbow.system.interrupts import Ending, interrupts

ROOT = Path(__file__).parents[2]
SCRIPTS = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["scripts"]
COMMANDS = {name: entry for name, entry in SCRIPTS.items() if name != "cbow"}
SIGNALS = [
    signal.SIGINT,
    *(getattr(signal, n) for n in ("SIGTERM", "SIGHUP") if hasattr(signal, n)),
]


def test_ctrl_c_raises_at_once_until_it_is_deferred(ctrl_c):
    with interrupts() as asked:
        with pytest.raises(KeyboardInterrupt):
            ctrl_c()
        assert not asked.asked()
        asked.deferred = True
        ctrl_c()
        assert asked.asked()
        with pytest.raises(KeyboardInterrupt):
            ctrl_c()
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_the_outer_block_goes_on_inside(ctrl_c):
    with interrupts() as outer:
        with interrupts() as inner:
            assert inner is outer
            inner.deferred = True
        ctrl_c()
        assert outer.asked()


@pytest.fixture(params=["SIGTERM", "SIGHUP"])
def end_of_session(request):
    """Return such a signal its usual meaning, which it lacks if the tests run under nohup."""
    number = getattr(signal, request.param)
    before = signal.signal(number, signal.SIG_DFL)
    yield number
    signal.signal(number, before)


@pytest.mark.parametrize("meaning", [signal.default_int_handler, signal.SIG_IGN])
def test_other_signals_are_treated_alike_and_given_back(ctrl_c, end_of_session, meaning):
    signal.signal(signal.SIGINT, meaning)
    with interrupts(end_of_session) as outer:
        with interrupts() as inner:
            assert inner is outer
            inner.deferred = True
        for _ in range(3):  # somebody may send it again, out of no impatience
            signal.raise_signal(end_of_session)
            assert outer.asked()
    assert signal.getsignal(end_of_session) is signal.SIG_DFL
    assert signal.getsignal(signal.SIGINT) is meaning


def test_a_signal_that_would_kill_raises_while_nothing_is_deferred(ctrl_c, end_of_session):
    with interrupts(end_of_session) as asked, pytest.raises(KeyboardInterrupt):
        signal.raise_signal(end_of_session)
    assert not asked.asked()


def test_a_second_ctrl_c_is_impatience_whatever_came_first(ctrl_c, end_of_session):
    with interrupts(end_of_session) as asked:
        asked.deferred = True
        signal.raise_signal(end_of_session)
        with pytest.raises(KeyboardInterrupt):
            ctrl_c()


def test_a_signal_that_means_something_else_is_left_alone(ctrl_c):
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    with interrupts() as asked:
        ctrl_c()
        assert not asked.asked()
        assert signal.getsignal(signal.SIGINT) is signal.SIG_IGN


def test_outside_the_main_thread_nothing_is_touched(ctrl_c):
    seen = []

    def other():
        with interrupts() as asked:
            seen.append((asked.asked(), signal.getsignal(signal.SIGINT)))

    thread = threading.Thread(target=other)
    thread.start()
    thread.join()
    assert seen == [(False, signal.default_int_handler)]


def test_every_command_starts_with_the_signals():
    assert set(COMMANDS) == {f"cbow-{name}" for name in LINES}
    for command, entry in COMMANDS.items():
        name = command.removeprefix("cbow-")
        assert entry == f"cbow.cli.start:{name}"
        assert getattr(start, name).args == (name,)
        assert callable(import_module(f"cbow.cli.{name}").main)
    assert SCRIPTS["cbow"] == "cbow.cli.start:main"
    assert set(COMMANDS) == {f"cbow-{name}" for name in start.COMMANDS} - {"cbow-completion"}


def test_nothing_large_is_loaded_before_the_signals_are_handled():
    code = """
import sys
from cbow.system.interrupts import Ending
Ending.take_over = lambda self: sys.exit(" ".join(sys.modules))
from cbow.cli.start import train
train()
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    loaded = set(done.stderr.split())
    assert {each for each in loaded if each.startswith("cbow")} == {
        "cbow", "cbow.cli", "cbow.cli.start", "cbow.system",
        "cbow.system.interrupts",
    }  # fmt: skip
    bare = subprocess.run(  # what the environment loads by itself
        [sys.executable, "-c", "import sys; print(*sys.modules)"], capture_output=True, text=True,
        check=True,
    )  # fmt: skip
    large = {"argparse", "json", "numpy", "pathlib", "tempfile", "threading", "typing"}
    assert not loaded & large - set(bare.stdout.split())


CODE = """
import os, sys
from cbow.system.interrupts import Ending
take_over = Ending.take_over
def taken_over(self):
    take_over(self)
    os.write(1, b"ready\\n")
Ending.take_over = taken_over
import cbow.cli.start
sys.exit(getattr(cbow.cli.start, sys.argv.pop(1))())
"""


def command(name, *arguments, code=CODE, ignored=(), **more):
    """Start a command that heeds all signals but some, whatever the tests run under."""

    def meanings():
        for number in SIGNALS:
            signal.signal(number, signal.SIG_IGN if number in ignored else signal.SIG_DFL)

    return subprocess.Popen(
        [sys.executable, "-c", code, name, *arguments],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        preexec_fn=meanings,
        **more,
    )


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    path = tmp_path_factory.mktemp("model") / "m.safetensors"
    lines = ["the king rules the land", "the queen rules the land"] * 20
    cbow.train(lines, dimension=4, epochs=1, sample=0).save(path)
    return str(path)


#: Each command with something to do. Those that read a pipe go on for ever.
LINES = {
    "train": ["-"],
    "nearest": ["MODEL"],
    "gradcheck": ["--dimension", "40"],
    "explain": ["-"],
    "plot": ["loss", "/dev/stdin", "-o", "x.svg"],
    "convert": ["MODEL", "x.txt"],
    "evaluate": ["MODEL", "--pairs", "/dev/stdin"],
    "explore": ["MODEL"],
}


@pytest.mark.slow
@pytest.mark.parametrize(("place", "name"), [*enumerate(LINES)])
@pytest.mark.parametrize("times", [1, 2])
def test_a_signal_at_any_time_ends_a_command_with_one_line(tmp_path, model, place, name, times):
    number = SIGNALS[(place + times) % len(SIGNALS)]
    draw = random.Random(f"{name} {number} {times}")
    arguments = [model if each == "MODEL" else each for each in LINES[name]]
    with command(name, *arguments, cwd=tmp_path) as process:
        assert process.stdout.readline() == b"ready\n"
        time.sleep(draw.choice([0, draw.uniform(0, 0.2), draw.uniform(0, 2)]))
        for _ in range(times):
            process.send_signal(number)
            time.sleep(draw.choice([0, draw.uniform(0, 0.02)]))
        _, err = process.communicate(timeout=120)
    if process.returncode != 0:  # else it was done
        assert process.returncode == 130
        last = err.splitlines(keepends=True)[-1]  # a command of commands names which, once it knows
        assert re.fullmatch(rf"cbow-{name}( loss)?: error: interrupted\n", last.decode()), err
    assert b"Traceback" not in err
    assert err.count(b"error: ") == (process.returncode != 0)


class Ended(BaseException):
    """Stands for the end of the process."""


@pytest.fixture
def ending(monkeypatch):
    """Handle the signals as a command does, in the process of the tests."""

    def end(code):
        raise Ended(code)

    before = {number: signal.signal(number, signal.SIG_DFL) for number in SIGNALS}
    monkeypatch.setattr(sys, "unraisablehook", sys.unraisablehook)
    monkeypatch.setattr(os, "_exit", end)
    ending = Ending("cbow-x")
    yield ending
    for number, handler in before.items():
        signal.signal(number, handler)


def raising(number=signal.SIGINT, code=0):
    def main():
        signal.raise_signal(number)
        return code

    return main


@pytest.mark.parametrize("number", SIGNALS)
def test_a_signal_while_modules_are_loaded_ends_at_once(ending, capfd, number):
    ending.take_over()
    with pytest.raises(Ended, match="130"):
        signal.raise_signal(number)
    assert capfd.readouterr() == ("", "cbow-x: error: interrupted\n")


@pytest.mark.parametrize("number", SIGNALS)
def test_a_signal_while_a_command_loads_more_ends_at_once(
    ending, capfd, number, tmp_path, monkeypatch
):
    code = f"import signal\nsignal.raise_signal({int(number)})\n"
    (tmp_path / "module_that_is_interrupted.py").write_text(code)
    monkeypatch.syspath_prepend(tmp_path)
    ending.take_over()
    with pytest.raises(Ended, match="130"):
        ending.call(lambda: import_module("module_that_is_interrupted"))
    assert capfd.readouterr() == ("", "cbow-x: error: interrupted\n")


@pytest.mark.parametrize("number", SIGNALS)
def test_the_first_signal_raises_and_the_second_ends(ending, capfd, number):
    def main():
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(number)
        assert capfd.readouterr() == ("", "")
        signal.raise_signal(number)

    ending.take_over()
    with pytest.raises(Ended, match="130"):
        ending.call(main)
    assert capfd.readouterr() == ("", "cbow-x: error: interrupted\n")


def test_an_interrupt_that_nobody_handles_is_told(ending, capfd):
    ending.take_over()
    with pytest.raises(Ended, match="130"):
        ending.call(raising())
    assert capfd.readouterr() == ("", "cbow-x: error: interrupted\n")


def test_the_exit_code_of_what_is_done_stands(ending, capfd):
    ending.take_over()
    assert ending.call(lambda: 7) == 7
    for number in SIGNALS:
        signal.raise_signal(number)
    assert capfd.readouterr() == ("", "")


def test_ignored_signals_stay_ignored(ending):
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    ending.take_over()
    assert ending.call(raising(code=3)) == 3
    assert signal.getsignal(signal.SIGINT) is signal.SIG_IGN


def test_a_training_takes_the_signals_from_a_command_and_gives_them_back(ending):
    def main():
        with interrupts(*SIGNALS[1:]) as asked:
            asked.deferred = True
            for number in SIGNALS:
                signal.raise_signal(number)
                assert asked.asked()
                asked._asked = False
            signal.raise_signal(signal.SIGINT)
            with pytest.raises(KeyboardInterrupt):
                signal.raise_signal(signal.SIGINT)
            with pytest.raises(Ended):
                signal.raise_signal(signal.SIGINT)
        assert {signal.getsignal(number) for number in SIGNALS} == {ending}
        return 0

    ending.take_over()
    assert ending.call(main) == 0


def test_an_interrupt_where_nothing_can_be_raised_ends_too(ending, capfd):
    class Forgetful:
        def __del__(self):
            signal.raise_signal(signal.SIGINT)

    def main():
        Forgetful()
        return 0

    ending.take_over()
    hook, seen = sys.unraisablehook, []

    def watched(what):
        with pytest.raises(Ended):
            hook(what)
        seen.append(what.exc_type)

    sys.unraisablehook = watched
    assert ending.call(main) == 0
    assert seen == [KeyboardInterrupt]
    assert capfd.readouterr() == ("", "cbow-x: error: interrupted\n")


def test_what_else_cannot_be_raised_is_printed_as_ever(ending, monkeypatch):
    class Failing:
        def __del__(self):
            raise ValueError

    seen = []
    monkeypatch.setattr(sys, "__unraisablehook__", lambda what: seen.append(what.exc_type))
    ending.take_over()
    Failing()
    assert seen == [ValueError]


@pytest.mark.parametrize("closed", [None, "closed"])
def test_the_end_without_standard_error(ending, tmp_path, monkeypatch, closed):
    """Its descriptor may be that of a file by now."""
    stream = None
    if closed:
        stream = (tmp_path / "x").open("w")
        stream.close()
    monkeypatch.setattr(sys, "stderr", stream)
    with pytest.raises(Ended, match="130"):
        ending.end()


TEXT = "the king rules the land\nthe queen rules the land\n" * 40


@pytest.mark.slow
@pytest.mark.parametrize(
    ("number", "ignored", "times"),
    [
        (SIGNALS[-1], [], 3), (SIGNALS[-1], [signal.SIGINT], 1),
        (signal.SIGTERM, [], 1), (signal.SIGTERM, [signal.SIGINT], 3),
    ],
)  # fmt: skip
def test_the_end_of_a_session_loses_no_model(tmp_path, number, ignored, times):
    """A shell lets the jobs that a script starts in the background ignore Ctrl-C."""
    (tmp_path / "corpus.txt").write_text(TEXT)
    few = ["--dimension", "4", "--batch", "16", "--sample", "0", "--epochs", "1000000"]
    checkpoint = ["--checkpoint-every", "3600"]
    with command(
        "train", "corpus.txt", *few, *checkpoint, cwd=tmp_path, ignored=ignored
    ) as process:
        for line in process.stderr:
            if b"epoch 1/" in line:
                break
        for _ in range(times):
            process.send_signal(number)
        err = process.communicate(timeout=120)[1].decode()
    assert process.returncode == 130
    assert "error: interrupted after " in err
    assert "to resume: cbow-train --resume corpus.safetensors.checkpoint" in err
    model = cbow.load(tmp_path / "corpus.safetensors")
    assert model.report["stopped"]["reason"] == "interrupted"


def test_a_command_from_its_start_to_its_end(ending, monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["cbow-gradcheck", "--version"])
    assert start.gradcheck() == 0
    assert capsys.readouterr() == (f"cbow-gradcheck {cbow.__version__}\n", "")
    assert {signal.getsignal(number) for number in SIGNALS} == {signal.SIG_IGN}
