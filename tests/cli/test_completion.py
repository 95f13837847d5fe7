"""``cbow completion``: what the shells make of its scripts, those that are installed."""

import os
import shutil
import subprocess
from importlib import import_module

import pytest

from cbow.cli import completion, plot
from cbow.cli.start import COMMANDS

#: What is typed before Tab, and what it may become.
TYPED = {
    "cbow tr": {"train"},
    "cbow train --obj": {"--objective"},
    "cbow train --objective ex": {"exact"},
    "cbow-train x.txt --epo": {"--epochs"},
    "cbow-nearest corp": {"corpus.safetensors"},
    "cbow nearest x king --with corp": {"corpus.safetensors"},
    "cbow-plot lo": {"loss"},
    "cbow plot words x --embedding jo": {"joint"},
    "cbow plot loss corp": {"corpus.safetensors"},
    "cbow evaluate x --pairs corp": {"corpus.safetensors"},
    "cbow evaluate x --pairs y --meth": {"--method"},
    "cbow completion z": {"zsh"},
}

#: Programs that read the script and print what Tab makes of each argument.
CODE = {
    "bash": """
. ./script
for line in "$@"; do
    COMP_WORDS=($line); COMP_CWORD=$((${#COMP_WORDS[@]} - 1)); COMPREPLY=()
    ready=($(complete -p ${COMP_WORDS[0]}))
    for i in ${!ready[@]}; do [ ${ready[i]} = -F ] && ${ready[i + 1]}; done
    echo ${COMPREPLY[@]}
done
""",
    "fish": """
source ./script
for line in $argv
    echo (complete -C $line | string replace -r '\\t.*' '')
end
""",
}


@pytest.fixture(scope="module")
def scripts():
    return {shell: written(shell) for shell in completion.SHELLS}


def written(shell):
    with pytest.MonkeyPatch.context() as patch:
        shown = []
        patch.setattr(completion, "show", shown.append)
        assert completion.main([shell]) == 0
        return shown[0]


def shell(name):
    return shutil.which(name) or pytest.skip(f"{name} is not installed")


@pytest.mark.parametrize("name", CODE)
def test_tab_completes(tmp_path, scripts, name):
    (tmp_path / "script").write_text(scripts[name], encoding="utf-8")
    (tmp_path / "corpus.safetensors").touch()
    zeroth = ["-"] if name == "bash" else []
    done = subprocess.run(
        [shell(name), "-c", CODE[name], *zeroth, *TYPED],
        capture_output=True,
        text=True,
        check=False,
        cwd=tmp_path,
        env={"HOME": str(tmp_path), "PATH": os.environ["PATH"], "LANG": "C.UTF-8"},
    )
    answers = [set(answer.split()) for answer in done.stdout.splitlines()]
    assert dict(zip(TYPED, answers, strict=True)) == TYPED
    assert done.stderr == ""


@pytest.mark.parametrize("name", completion.SHELLS)
def test_a_shell_can_read_the_script(tmp_path, scripts, name):
    path = tmp_path / "script"
    path.write_text(scripts[name], encoding="utf-8")
    done = subprocess.run([shell(name), "-n", path], capture_output=True, text=True, check=True)
    assert (done.stdout, done.stderr) == ("", "")


@pytest.mark.parametrize("name", completion.SHELLS)
def test_every_command_is_completed_by_both_its_names(scripts, name):
    for command in COMMANDS:
        old = f"cbow-{command}"
        found = {
            "bash": f"\ncomplete -o bashdefault -F _shtab_cbow__{command} {old}",
            "zsh": f"\n#compdef {old}\n",
            "fish": f"\ncomplete -c {old} ",
        }
        assert (found[name] in scripts[name]) == (command != "completion")
        assert f"_shtab_cbow_{command}_" in scripts[name] or name == "fish"


def test_each_kind_of_value_is_known_as_a_file_or_not():
    others = {
        "N",
        "N,N",
        "N,N,...",
        "A,B",
        "X",
        "NAME",
        "NAME[,NAME]",
        "WORD",
        "SECONDS",
        "FORMAT",
        "SHELL",
        "ADDRESS",
    }
    parsers = [import_module(f"cbow.cli.{name}")._parser() for name in COMMANDS]
    parsers += [plot._loss_parser(), plot._words_parser()]
    metavars = {action.metavar for parser in parsers for action in parser._actions} - {None}
    assert metavars == completion.FILES | others


def test_another_shell_is_wrong_usage(capsys):
    assert completion.main(["tcsh"]) == 2
    assert "invalid choice: 'tcsh'" in capsys.readouterr().err
