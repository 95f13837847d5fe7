"""``cbow-train``: from a text to a file of embeddings."""

from __future__ import annotations

import argparse
import shlex
import time
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from cbow.cli.common import DONE, FAILED, command_parser, complain, run, tell, visible
from cbow.cli.flags import add_settings, word_lists
from cbow.cli.outputs import (
    beside,
    check_ending,
    check_outputs,
    corpus_files,
    guard,
    named,
    save_somewhere,
    size,
)
from cbow.cli.task import Task, command_to_go_on, new_task, plain_name, task_to_go_on
from cbow.errors import OutputWarning
from cbow.system.interrupts import END_OF_SESSION, INTERRUPTED, interrupts

if TYPE_CHECKING:
    from cbow.cli.scoring import Scoring
    from cbow.evaluation import Evaluation
    from cbow.model import Model
    from cbow.training import Observer

#: A loss above this share of the word frequencies' is hardly better than theirs.
LITTLE: Final = 0.98

EXAMPLES = """\
examples:
  cbow-train corpus.txt                          writes corpus.safetensors
  cbow-train books/ -o books.safetensors         every .txt file in a folder
  xz -dc corpus.txt.xz | cbow-train - --dimension 200
  cbow-train books/ --checkpoint-every 60        writes a checkpoint every minute
  cbow-train --resume books.safetensors.checkpoint
  cbow-train books/ --evaluate pairs.txt         scores the vectors after every epoch
  cbow-train books/ --resume books.safetensors --epochs 3 -o more.safetensors
  cbow-nearest corpus.safetensors king           what to do next
"""


def main(argv: Sequence[str] | None = None) -> int:
    """Run ``cbow-train`` and return its exit code."""
    return run(_train, _parser(), argv)


def _parser() -> argparse.ArgumentParser:
    parser = command_parser("cbow-train", "Train CBOW word embeddings on a text.", EXAMPLES)
    parser.add_argument(
        "corpus",
        nargs="*",
        metavar="CORPUS",
        help="a file (plain, .gz, .bz2, .xz, .zst), a glob, a folder, nltk:NAME, or - for stdin",
    )
    parser.add_argument(
        "-o",
        "--output",
        metavar="FILE",
        help="where to write the model (default: the name of the corpus with .safetensors, in "
        "the current folder; from a checkpoint, its name without .checkpoint)",
    )
    parser.add_argument(
        "--log-json", metavar="FILE", help="write the account and every epoch as JSON lines"
    )
    parser.add_argument(
        "--evaluate",
        metavar="FILE",
        action="append",
        default=[],
        help="score the vectors after every epoch by a file of word pairs or of analogies (see "
        "cbow-evaluate --help); may be repeated",
    )
    _add_going_on(parser)
    parser.add_argument("--quiet", action="store_true", help="print nothing but errors")
    add_settings(parser)
    parser.set_defaults(wrong_usage=parser.error)
    return parser


def _add_going_on(parser: argparse.ArgumentParser) -> None:
    """Add what it takes to stop and to go on."""
    parser.add_argument(
        "--checkpoint-every",
        metavar="SECONDS",
        type=float,
        help="write OUT.checkpoint beside the output, at most so often, to go on from after "
        "Ctrl-C or a crash; removed at the end",
    )
    parser.add_argument(
        "--resume",
        metavar="FILE",
        help="go on: from a checkpoint, which knows its text and settings, or with --epochs more "
        "epochs of a finished model, whose text stands as CORPUS",
    )


def _train(arguments: argparse.Namespace) -> int:
    # Imported here, so that --help is quick.
    from cbow.cli.log import Complaints, JSONLog, Several
    from cbow.cli.progress import Display, clock

    if arguments.quiet:
        warnings.simplefilter("ignore", OutputWarning)
    task = _task(arguments)
    display = None if arguments.quiet else Display(task.config.epochs)
    log = None if arguments.log_json is None else JSONLog(arguments.log_json)
    scoring = _scoring(arguments.evaluate, [each.scored for each in (display, log) if each])
    observers: list[Observer] = [each for each in (display, log, Complaints(), scoring) if each]
    began = time.monotonic()
    # Ctrl-C waits from the first step until the model is saved; so does the end of a session.
    with interrupts(*END_OF_SESSION):
        try:
            model, failure = _trained(task, Several(*observers))
        finally:
            if display:
                display.close()
        if failure:
            complain("cbow-train", failure)
        output, trouble = save_somewhere(model, beside(task.output) if failure else task.output)
        if task.checkpoint and not failure:
            task.checkpoint.unlink(missing_ok=True)
    if trouble:
        complain("cbow-train", trouble)
        failure = failure or trouble
    lines = _stopped(model)
    lines += [f"saved {output} ({size(output)}) after {clock(time.monotonic() - began)}"]
    lines += _next(task, failure, output, model, arguments)
    if failure or not arguments.quiet:  # where the model is then, everybody wants to know
        for line in lines:
            tell(line)
    if log and (lost := log.close()):
        complain("cbow-train", lost)
        failure = failure or lost
    return _exit_code(failure or (scoring.trouble if scoring else None))


def _task(arguments: argparse.Namespace) -> Task:
    """Say what is to be done, and see that its results can be written."""
    if not arguments.corpus and arguments.resume is None:
        arguments.wrong_usage("give a CORPUS, or --resume FILE")
    task = new_task(arguments) if arguments.resume is None else task_to_go_on(arguments)
    checkpoint = [task.checkpoint] if task.checkpoint else []
    log = _log_file(arguments)
    # A model may be replaced by the same with more epochs, a checkpoint by the next.
    guard([] if arguments.resume is None else [arguments.resume], log)
    check_outputs(
        [*corpus_files(task.sources), *arguments.evaluate, *word_lists(arguments).values()],
        [task.output, *log, *checkpoint],
    )
    if arguments.output is not None:
        check_ending(task.output)
    return task


def _scoring(
    files: Sequence[str], heard: Sequence[Callable[[int, Evaluation], None]]
) -> Scoring | None:
    """Make what scores the vectors after each epoch, if that is asked for; read its files."""
    if not files:
        return None
    from cbow.cli.scoring import Scoring

    return Scoring(files, heard)


def _trained(task: Task, observer: Observer) -> tuple[Model, BaseException | None]:
    """Train; if that ends early, return the model so far and why."""
    from cbow.training import DivergenceError, Interrupted

    try:
        return task.train(observer), None
    except (DivergenceError, Interrupted) as stopped:
        return stopped.model, stopped


def _next(
    task: Task,
    failure: BaseException | None,
    output: Path,
    model: Model,
    arguments: argparse.Namespace,
) -> list[str]:
    """Say what to do next."""
    if failure is None:
        hint = _hint(model.report)
        command = next_command(output, list(model.vocabulary))
        return [*([hint] if hint else []), f"next: {command}"]
    if isinstance(failure, KeyboardInterrupt) and task.checkpoint and task.checkpoint.exists():
        return ["to go on: " + command_to_go_on(task.checkpoint, task, arguments)]
    return []


def _stopped(model: Model) -> list[str]:
    """Say so if training ended of itself before the last epoch."""
    stop = model.report["stopped"]
    if stop is None or stop["reason"] != "patience":
        return []
    return [f"stopped after epoch {stop['epoch']}: {stop['found']}"]


def _exit_code(failure: BaseException | None) -> int:
    """Return the exit code of a run that ended early, or did not."""
    if failure is None:
        return DONE
    return INTERRUPTED if isinstance(failure, KeyboardInterrupt) else FAILED


def _hint(report: dict[str, Any]) -> str | None:
    """Say so if the network learned next to nothing from context."""
    last, base = report["epochs"][-1], report["baselines"]
    loss, baseline = last["loss"], base["unigram"]
    if last["heldout_loss"] is not None:
        loss, baseline = last["heldout_loss"], base["heldout_unigram"]
    if loss < LITTLE * baseline:
        return None
    return (
        f"hint: the loss {loss:.4f} is hardly below {baseline:.4f} (word frequencies): give more "
        "text, more epochs (--epochs 20), or keep more of the frequent words (--sample 0.001)"
    )


def next_command(output: Path, words: list[str]) -> str:
    """Return a command that asks for a word: neither the likes of "the" nor a rare one."""
    plain = [word for word in words if word.isalpha()] or words
    word = plain[min(200, len(plain) // 10)]
    return f"cbow-nearest {shlex.quote(plain_name(output))} {shlex.quote(visible(word))}"


def _log_file(arguments: argparse.Namespace) -> list[Path]:
    """Return the log's file, if it is one."""
    if arguments.log_json in (None, "-"):
        return []
    return [named("--log-json", arguments.log_json)]
