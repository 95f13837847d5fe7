"""``cbow-train --checkpoint-every`` and ``--resume``: killed, interrupted, moved and misused."""

import errno
import io
import json
import os
import shlex
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

import cbow
from cbow.cli.progress import Display
from cbow.cli.train import main, resume_command
from cbow.system import files
from cbow.training import Baselines, Plan, Resumed, Step
from cbow.training.defaults import Fitted
from cbow.training.sampled import trainer

WORDS = ["the", "king", "queen", "rules", "a", "land", "dog", "barks"]
SMALL = {
    "exact": "--objective exact --batch 16",
    "sampled": "--objective sampled --candidates 3 --block 16 --batch 48",
}
FITTED = Fitted("exact", 2, 5, 0.0, 512, "adam", 0.005, 128, "")
ALWAYS = "--dimension 4 --epochs 2 --sample 0 --min-count 1 --window 2 --heldout 0.1 --quiet"

CODE = """
import sys
from cbow.cli.train import main
from cbow.training.defaults import Fitted
from cbow.training.sampled import trainer
trainer.STRETCH, trainer.POOL = 16, 1  # many portions of little work
sys.exit(main())
"""


@pytest.fixture
def corpus(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(trainer, "STRETCH", 16)
    monkeypatch.setattr(trainer, "POOL", 1)
    rng = np.random.default_rng(0)
    lines = [" ".join(rng.choice(WORDS, rng.integers(2, 9))) for _ in range(150)]
    (tmp_path / "corpus.txt").write_text("\n".join(lines), encoding="utf-8")
    return tmp_path


def train(command):
    return main(shlex.split(command))


def settings(objective="exact"):
    return f"{SMALL[objective]} {ALWAYS}"


def listing():
    return sorted(path.name for path in Path().iterdir())


def started(command, code=CODE):
    return subprocess.Popen(
        [sys.executable, "-c", code, *shlex.split(command)],
        stderr=subprocess.PIPE,
        text=True,
        # A job in the background of a shell ignores Ctrl-C, and so would its children.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )


def wait_for_checkpoints(process, path, count):
    """Wait until a file was replaced so many times, or the process has ended."""
    before = path.stat().st_mtime_ns if path.exists() else None
    while count and process.poll() is None:
        time.sleep(0.0005)
        try:
            now = path.stat().st_mtime_ns
        except FileNotFoundError:
            continue
        if now != before:
            before, count = now, count - 1


def killed(command, path, checkpoints, delay):
    """Run a command and kill it a moment after some checkpoints; False if it came to its end."""
    process = started(command)
    wait_for_checkpoints(process, path, checkpoints)
    time.sleep(delay)
    process.kill()
    err = process.communicate()[1]
    assert err == ""
    assert process.returncode in (0, -signal.SIGKILL)
    return process.returncode != 0


@pytest.mark.parametrize("objective", ["exact", "sampled"])
@pytest.mark.slow
def test_killed_at_random_and_resumed_gives_the_same_bytes(corpus, objective):
    assert train(f"corpus.txt {settings(objective)} -o whole.safetensors") == 0
    rng = np.random.default_rng(["exact", "sampled"].index(objective))
    path = Path("cut.safetensors.checkpoint")
    command = f"corpus.txt {settings(objective)} -o cut.safetensors --checkpoint-every 0"
    kills = 0
    while kills < 4 and killed(command, path, rng.integers(1, 8), rng.uniform(0, 0.004)):
        kills += 1
        command = f"--resume {path} --quiet --threads {rng.integers(1, 4)}"
    assert kills >= 2
    if kills == 4:
        assert train(command) == 0
    assert Path("cut.safetensors").read_bytes() == Path("whole.safetensors").read_bytes()
    assert listing() == ["corpus.txt", "cut.safetensors", "whole.safetensors"]


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_ctrl_c_says_how_to_go_on(corpus, capsys, number):
    longer = settings().replace("--epochs 2", "--epochs 2000")
    process = started(f"corpus.txt {longer} --checkpoint-every 1000 --log-json 'a log'")
    log = Path("a log")
    while process.poll() is None and not (log.exists() and '"event": "epoch"' in log.read_text()):
        time.sleep(0.001)
    process.send_signal(number)
    err = process.communicate()[1]
    assert process.returncode == 130
    assert "saved corpus.safetensors" in err
    command = "cbow-train --resume corpus.safetensors.checkpoint --log-json 'a log'"
    assert err.endswith(f"to resume: {command}\n")
    assert cbow.load("corpus.safetensors").report["stopped"]["reason"] == "interrupted"
    saved = cbow.training.checkpoint.read("corpus.safetensors.checkpoint")
    assert saved.model.report["stopped"] is None
    assert saved.state.steps > 0


def stopped(monkeypatch, *commands):
    """Run commands; Ctrl-C comes with the fifth portion of each."""
    steps = []

    def stepped(self, step):
        steps.append(step)
        if len(steps) == 5:
            signal.raise_signal(signal.SIGINT)

    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    with monkeypatch.context() as patched:
        patched.setattr("cbow.cli.progress.Several.stepped", stepped)
        codes = []
        for command in commands:
            steps.clear()
            codes.append(train(command))
    signal.signal(signal.SIGINT, before)
    return codes


def test_interrupted_again_and_again(corpus, monkeypatch, capsys):
    run = f"corpus.txt {settings()} --batch 64"
    assert train(f"{run} -o whole.safetensors --log-json whole.log") == 0
    first = f"{run} --checkpoint-every 100 -o out.safetensors"
    again = "--resume out.safetensors.checkpoint --quiet"
    assert stopped(monkeypatch, first, again, again) == [130, 130, 130]
    capsys.readouterr()
    assert train("--resume out.safetensors.checkpoint --log-json log") == 0
    assert "resuming in epoch 2/2\n" in capsys.readouterr().err
    assert Path("out.safetensors").read_bytes() == Path("whole.safetensors").read_bytes()
    one, other = (
        [json.loads(line) for line in Path(name).read_text().splitlines()]
        for name in ("whole.log", "log")
    )
    assert [event["event"] for event in other] == ["account", "plan", "epoch", "epoch"]
    assert other[2]["seconds"] is None
    for event in (*one, *other):
        event.pop("seconds", None)
        event.pop("loss_seconds", None)
        event.pop("chosen", None)
    assert one == other
    assert listing() == [
        "corpus.txt", "log", "out.partial-2.safetensors", "out.partial.safetensors",
        "out.safetensors", "whole.log", "whole.safetensors",
    ]  # fmt: skip


def test_a_checkpoint_that_was_renamed_or_whose_text_moved(corpus, monkeypatch, capsys):
    assert train(f"corpus.txt {settings()} -o whole.safetensors") == 0
    stopped(monkeypatch, f"corpus.txt {settings()} --checkpoint-every 100 -o o.safetensors")
    Path("o.safetensors.checkpoint").rename("renamed")
    assert train("--resume renamed --quiet") == 1
    assert "does not end in .checkpoint" in capsys.readouterr().err
    Path("elsewhere").mkdir()
    Path("corpus.txt").rename("elsewhere/text.txt")
    assert train("--resume renamed --quiet -o m.safetensors") == 1
    assert "there is no file" in capsys.readouterr().err
    moved = "elsewhere/text.txt --resume renamed --quiet -o m.safetensors --log-json log"
    assert stopped(monkeypatch, moved) == [130]
    command = "cbow-train --resume renamed -o m.safetensors --log-json log"
    assert f"to resume: {command}\n" in capsys.readouterr().err
    assert train("--resume renamed --quiet -o m.safetensors") == 0
    assert Path("m.safetensors").read_bytes() == Path("whole.safetensors").read_bytes()


def test_standard_input_is_given_again(corpus, monkeypatch, capsys):
    def stdin():
        monkeypatch.setattr(
            sys, "stdin", io.TextIOWrapper(io.BytesIO(Path("corpus.txt").read_bytes()))
        )

    assert train(f"corpus.txt {settings()} -o whole.safetensors") == 0
    stdin()
    stopped(monkeypatch, f"- {settings()} --checkpoint-every 100")
    command = "cbow-train --resume stdin.safetensors.checkpoint -\n"
    assert f"to resume: {command}" in capsys.readouterr().err
    assert train("--resume stdin.safetensors.checkpoint") == 1
    assert "give the text again" in capsys.readouterr().err
    stdin()
    assert train(f"{command.removeprefix('cbow-train')} --quiet") == 0
    assert Path("stdin.safetensors").read_bytes() == Path("whole.safetensors").read_bytes()


def test_an_earlier_checkpoint_is_not_written_over(corpus, monkeypatch, capsys):
    first = f"corpus.txt {settings()} --checkpoint-every 0"
    stopped(monkeypatch, first)
    before = Path("corpus.safetensors.checkpoint").read_bytes()
    capsys.readouterr()
    assert train(first) == 1
    err = capsys.readouterr().err
    assert "continue it: cbow-train --resume corpus.safetensors.checkpoint, or delete it" in err
    assert Path("corpus.safetensors.checkpoint").read_bytes() == before


def test_what_differs_is_named(corpus, monkeypatch, capsys):
    stopped(monkeypatch, f"corpus.txt {settings()} --checkpoint-every 100")
    resume = "--resume corpus.safetensors.checkpoint"
    before = {path: path.read_bytes() for path in Path().iterdir()}
    for more, part in [
        ("--window 3", "window is 3, but corpus.safetensors.checkpoint was trained with 2; leave"),
        ("--epochs 4", "epochs is 4, but corpus.safetensors.checkpoint was trained with 2"),
        ("--max-vocabulary 9", "max_vocabulary is 9, but corpus.safetensors.checkpoint was trai"),
        ("--checkpoint-every nan", "checkpoint_every is nan, but must be seconds, 0 or more"),
        ("-o corpus.safetensors.checkpoint", "would be written over"),
        ("corpus.txt corpus.txt", "the corpus had 758 tokens when corpus.safetensors.checkpoint"),
    ]:
        capsys.readouterr()
        assert train(f"{resume} {more}") == 1
        err = capsys.readouterr().err
        assert part in err.splitlines()[-1]
        assert "Traceback" not in err
    assert {path: path.read_bytes() for path in Path().iterdir()} == before


def test_more_epochs_of_a_finished_model(corpus, monkeypatch, capsys):
    assert train(f"corpus.txt {settings()}") == 0
    more = "corpus.txt --resume corpus.safetensors --epochs 3 --quiet"
    assert train(more) == 1
    assert "corpus.safetensors would be written over; say with -o" in capsys.readouterr().err
    assert train("--resume corpus.safetensors --quiet") == 1
    assert "say with epochs / --epochs how many more" in capsys.readouterr().err
    assert train("--resume corpus.safetensors --epochs 3 -o x --quiet") == 1
    assert "give the text again" in capsys.readouterr().err
    assert train(f"{more} -o more.safetensors") == 0
    model = cbow.load("more.safetensors")
    assert [epoch["epoch"] for epoch in model.report["epochs"]] == [1, 2, 3, 4, 5]
    cut = f"{more} -o cut.safetensors --checkpoint-every 0"
    assert stopped(monkeypatch, cut, "--resume cut.safetensors.checkpoint --quiet") == [130, 130]
    assert train("--resume cut.safetensors.checkpoint --quiet") == 0
    assert Path("cut.safetensors").read_bytes() == Path("more.safetensors").read_bytes()
    Path("texts").mkdir()
    Path("corpus.txt").rename("texts/t.txt")
    assert train("texts/t.txt --resume corpus.safetensors --epochs 3 --quiet") == 0
    assert Path("t.safetensors").read_bytes() == Path("more.safetensors").read_bytes()
    assert train("texts/t.txt --resume t.safetensors --epochs 1 -o t.safetensors --quiet") == 0
    assert cbow.load("t.safetensors").report["restarts"] == [2, 5]


def test_a_full_disk_costs_the_checkpoint_only(corpus, monkeypatch, capsys):
    assert train(f"corpus.txt {settings()} -o whole.safetensors") == 0
    write = files.os.replace

    def replace(source, target):
        if str(target).endswith(".checkpoint"):
            raise OSError(errno.ENOSPC, "No space left on device")
        write(source, target)

    monkeypatch.setattr(files.os, "replace", replace)
    command = f"corpus.txt {settings()} -o cut.safetensors --checkpoint-every 0"
    assert train(command) == 0
    err = capsys.readouterr().err
    assert "error: no checkpoint, but training goes on: the disk is full" in err
    assert Path("cut.safetensors").read_bytes() == Path("whole.safetensors").read_bytes()
    assert stopped(monkeypatch, command) == [130]
    assert "to resume" not in capsys.readouterr().err


KILLED = """
import os, signal
replace, last = os.replace, sys.argv.pop()
def once_killed(source, target):
    if str(target) == last:
        os.kill(os.getpid(), signal.SIGKILL)
    replace(source, target)
os.replace = once_killed
"""


@pytest.mark.slow
def test_what_a_killed_process_left_is_removed(corpus):
    command = f"corpus.txt {settings()} -o a.safetensors --checkpoint-every 0"
    killer = CODE.replace("sys.exit", f"{KILLED}\nsys.exit")
    for name in ("a.safetensors.checkpoint", "a.safetensors"):
        process = started(f"{command} {name}", killer)
        assert process.communicate()[1] == ""
        assert process.returncode == -signal.SIGKILL
        assert any(left.endswith(".tmp") for left in listing())
        if name == "a.safetensors.checkpoint":
            assert not Path(name).exists()
    Path(".cbow-of-another.tmp").touch()
    assert train("--resume a.safetensors.checkpoint --quiet") == 0
    assert listing() == [".cbow-of-another.tmp", "a.safetensors", "corpus.txt"]
    assert not os.listdir(os.environ["TMPDIR"])  # where the encoded texts were


def test_nothing_to_train_on_is_wrong_usage(capsys):
    assert main(["--epochs", "2"]) == 2
    assert "give a CORPUS, or --resume FILE" in capsys.readouterr().err


def test_the_speed_is_that_of_this_run(monkeypatch):
    now = [0.0]
    monkeypatch.setattr("cbow.cli.progress.time.monotonic", lambda: now[0])
    stream = io.StringIO()
    display = Display(stream=stream)
    display.planned(Plan(7, 80, 10_000, Baselines(2.0, 1.5), FITTED))
    display.resumed(Resumed(1, 2, 5000, []))
    now[0] = 10.0
    display.stepped(Step(1, 6000, 20_000, 3.0))
    assert stream.getvalue().splitlines()[2:] == [
        "resuming in epoch 1/2",
        "time left: about 2:20, by the first 10.0 s",
        "training 30 % (epoch 1/2): loss 3.0000, 100 tokens/s, 2:20 left",
    ]


def test_the_command_that_goes_on_names_the_work_folder():
    training = SimpleNamespace(
        output=Path("m.safetensors"), config=cbow.Config(), sources=["a.txt"]
    )
    arguments = SimpleNamespace(
        log_json=None, evaluate=[], copy_to="s3://b", work_folder="big disk"
    )
    command = resume_command(training, Path("m.checkpoint"), arguments)
    assert shlex.split(command)[-4:] == ["--copy-to", "s3://b", "--work-folder", "big disk"]
