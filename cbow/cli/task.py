"""What the command line of ``cbow-train`` asks for: a new training, or to go on with one."""

from __future__ import annotations

import argparse
import shlex
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

from cbow.cli.flags import given_settings
from cbow.cli.outputs import default_output, named
from cbow.config import Config
from cbow.errors import CorpusError, OutputError
from cbow.system.files import name_of, same

if TYPE_CHECKING:
    from cbow.model import Model
    from cbow.training import Observer
    from cbow.training.run import Run

#: Ends the name of a checkpoint; before it stands that of the model to come.
CHECKPOINT: Final = ".checkpoint"


class Task(NamedTuple):
    """What is to be done."""

    sources: list[str | Path]
    config: Config
    output: Path
    checkpoint: Path | None
    train: Callable[[Observer], Model]


def command_to_go_on(checkpoint: Path, task: Task, arguments: argparse.Namespace) -> str:
    """Return the command that goes on from a checkpoint."""
    words = ["cbow-train", "--resume", plain_name(checkpoint)]
    if task.output != _output_of(checkpoint):
        words += ["-o", plain_name(task.output)]
    if arguments.log_json is not None:
        words += ["--log-json", arguments.log_json]
    for file in arguments.evaluate:
        words += ["--evaluate", file]
    if "-" in task.sources:
        words += map(str, task.sources)
    return shlex.join(words)


def new_task(arguments: argparse.Namespace) -> Task:
    """Return a new training.

    Raises
    ------
    OutputError
        If there is a checkpoint of an earlier run, which would be written over.
    """
    from cbow.training import train

    config = Config.from_dict(given_settings(arguments))
    sources = make_sources(arguments.corpus)
    output = _given_output(arguments) or Path(default_output(arguments.corpus[0]))
    every = arguments.checkpoint_every
    checkpoint = None if every is None else _checkpoint_of(output)

    def start(observer: Observer) -> Model:
        return train(
            sources, config, observer=observer, checkpoint=checkpoint, checkpoint_every=every
        )

    return Task(sources, config, output, checkpoint, start)


def task_to_go_on(arguments: argparse.Namespace) -> Task:
    """Go on with a checkpoint or a finished model.

    Raises
    ------
    ModelFileError
        If the file is neither.
    ConfigError
        If a setting is given that differs from that of the earlier training.
    CorpusError
        If the text is not named and the file does not know it.
    OutputError
        If the model to go on with would be written over without being asked for.
    """
    from cbow.training.run import run_from

    run = run_from(arguments.resume, given_settings(arguments))
    given = make_sources(arguments.corpus) if arguments.corpus else None
    sources = given or run.sources()
    output = _given_output(arguments) or _next_output(run, arguments)
    every = arguments.checkpoint_every
    checkpoint = None
    if run.is_more_epochs and every is not None:
        checkpoint = _checkpoint_of(output)
    run = run.saved_to(checkpoint, every, given)

    def start(observer: Observer) -> Model:
        return run.train(sources, None, observer)

    checkpoint = run.saving.path if run.saving else None
    return Task(sources, run.config, output, checkpoint, start)


def make_sources(names: Sequence[str]) -> list[str | Path]:
    """Make paths of what is neither standard input nor an NLTK corpus: none of it is text."""
    if "" in names:
        raise CorpusError("the name of a corpus is empty; give a file, a folder, nltk:NAME or -")
    return [n if n == "-" or n.startswith("nltk:") else Path(n) for n in names]


def plain_name(path: Path) -> str:
    """Write a path so that no command takes it for an option."""
    return f"./{path}" if str(path).startswith("-") else str(path)


def _given_output(arguments: argparse.Namespace) -> Path | None:
    """Return the output if it is named."""
    return None if arguments.output is None else named("-o", arguments.output)


def _next_output(run: Run, arguments: argparse.Namespace) -> Path:
    """Choose where the model goes if nobody says."""
    if not run.is_more_epochs:
        output = _output_of(run.path)
        if output is None:
            raise OutputError(
                f"the name {name_of(run.path)} does not end in {CHECKPOINT}, and so does not "
                "tell where the model goes; say with -o"
            )
        return output
    output = Path(default_output(arguments.corpus[0]))
    if same(output, run.path):
        raise OutputError(
            f"{name_of(output)} would be written over; say with -o where the model with more "
            "epochs goes"
        )
    return output


def _output_of(checkpoint: Path) -> Path | None:
    """Return the model that a checkpoint is beside, by its name."""
    name = checkpoint.name.removesuffix(CHECKPOINT)
    return checkpoint.with_name(name) if name and name != checkpoint.name else None


def _checkpoint_of(output: Path) -> Path:
    """Name the checkpoint after the model; never write over that of an earlier run."""
    checkpoint = output.with_name(output.name + CHECKPOINT)
    if checkpoint.exists():
        raise OutputError(
            f"{name_of(checkpoint)} is there from an earlier run; go on with it: cbow-train "
            f"--resume {name_of(shlex.quote(plain_name(checkpoint)))}, or delete it"
        )
    return checkpoint
