"""``cbow``: subcommands beside the old names, and a list of them that comes at once."""

import runpy
import subprocess
import sys
from importlib import import_module

import numpy as np
import pytest

import cbow
from cbow.cli import start
from cbow.cli.common import called, complain
from cbow.cli.completion import list_commands
from cbow.cli.start import COMMANDS


@pytest.fixture
def call(monkeypatch, capsys):
    """Call ``python -m cbow`` in this process, whose signals stay as they are."""
    monkeypatch.setattr(start.Ending, "take_over", lambda self: None)
    monkeypatch.setattr(start.Ending, "call", lambda self, main: progs.append(self.prog) or main())
    progs = []

    def call(*arguments):
        monkeypatch.setattr(sys, "argv", ["/x/__main__.py", *arguments])
        with pytest.raises(SystemExit) as stop:
            runpy.run_module("cbow", run_name="__main__")
        return stop.value.code, *capsys.readouterr(), progs[-1]

    return call


def test_the_list_has_a_line_for_each_command(call):
    code, out, err, prog = call("--help")
    assert (code, err, prog) == (0, "", "cbow")
    for name, line in COMMANDS.items():
        assert f"\n  {name:11} {line}\n" in out


@pytest.mark.parametrize("command", ["", *COMMANDS, "plot loss", "plot words"])
def test_every_help_fits_into_80_columns(call, command, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    code, out, _, _ = call(*command.split(), "--help")
    assert code == 0
    assert [line for line in out.splitlines() if len(line) > 80] == []


def test_no_help_loads_what_takes_long():
    code = (
        "import sys, importlib\n"
        f"for name in {list(COMMANDS)!r}:\n"
        "    importlib.import_module(f'cbow.cli.{name}').main(['--help'])\n"
        "slow = ('numpy', 'scipy', 'numba', 'nltk', 'matplotlib', 'safetensors')\n"
        "print([each for each in slow if each in sys.modules])\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.endswith("[]\n")


@pytest.mark.slow
def test_a_query_loads_no_more_than_it_needs(tmp_path):
    model = tmp_path / "m.safetensors"
    cbow.WordVectors(["king", "queen"], np.eye(2, dtype=np.float32)).save(model)
    code = (
        "import sys\n"
        "from cbow.cli.nearest import main\n"
        f"code = main([{str(model)!r}, 'king'])\n"
        "slow = ('scipy', 'numba', 'llvmlite', 'concurrent.futures', 'safetensors', 'rapidfuzz')\n"
        "print(code, [each for each in slow if each in sys.modules])\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.endswith("0 []\n")


def test_the_version(call):
    assert call("--version") == (0, f"cbow {cbow.__version__}\n", "", "cbow")


def test_without_a_command_the_list_is_shown_as_an_error(call):
    code, out, err, _ = call()
    assert (code, out) == (2, "")
    assert "\n  nearest     Show the words" in err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["trian", "x.txt", "--epochs", "3"], "'trian' is not a command; did you mean train?"),
        (["gradchek"], "'gradchek' is not a command; did you mean gradcheck? --help lists all"),
        (["nosuch"], "'nosuch' is not a command; did you mean "),
        (["--quiet", "train"], "train stands behind an option, but must come first"),
        (["--quiet"], "unrecognized arguments: --quiet"),
    ],
)
def test_the_nearest_name_is_proposed(call, arguments, message):
    code, out, err, _ = call(*arguments)
    assert (code, out) == (2, "")
    assert err.startswith("usage: cbow COMMAND ...\ncbow: error: ")
    assert message in err


@pytest.mark.parametrize("name", COMMANDS)
def test_a_subcommand_is_the_command_and_shows_the_name_it_was_called_by(call, name):
    code, out, _, prog = call(name, "--help")
    assert (code, prog) == (0, f"cbow {name}")
    assert out.startswith(f"usage: cbow {name} ")
    assert f"\n  cbow {name}" in out  # in the examples
    assert f"cbow-{name}" not in out


def test_arguments_and_errors_are_those_of_the_command(call):
    code, out, err, _ = call("nearest", "/no/such/model", "--topn", "3", "king")
    assert (code, out) == (1, "")
    assert err.startswith("cbow nearest: error: ")
    code, _, err, _ = call("plot", "loss")
    assert code == 2
    assert err.startswith("usage: cbow plot loss [-h]")
    assert "\ncbow plot loss: error: " in err


def test_the_old_names_show_themselves(monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["/bin/cbow-nearest", "--version"])
    assert import_module("cbow.cli.nearest").main() == 0
    assert capsys.readouterr().out == f"cbow-nearest {cbow.__version__}\n"
    complain("cbow-nearest", "x")
    assert capsys.readouterr().err == "cbow-nearest: error: x\n"


def test_only_names_of_commands_are_respelled(monkeypatch):
    text = "cbow-train, cbow-trains, my-cbow-trainer, cbow-nearest; xcbow-train"
    assert called(text) == text
    monkeypatch.setattr(sys, "argv", ["cbow plot"])
    assert called(text) == "cbow train, cbow-trains, my-cbow-trainer, cbow nearest; xcbow-train"


def test_the_list_is_light():
    """What is loaded before the first line of help, in a process of its own."""
    code = """
import sys
from cbow.cli.completion import list_commands
assert list_commands(["--help"]) == 0
print(*{"numpy", "scipy", "numba", "nltk", "tqdm", "rapidfuzz"}.intersection(sys.modules))
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == ""


def test_main_takes_arguments(capsys):
    assert list_commands(["--version"]) == 0
    assert capsys.readouterr().out.startswith("cbow ")
