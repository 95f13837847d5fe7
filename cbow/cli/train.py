"""``cbow-train``: from a text to a file of embeddings."""

from __future__ import annotations

import argparse
import contextlib
import re
import shlex
import tempfile
import time
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

from cbow.cli.arguments import (
    add_options,
    check_distinct,
    check_outputs,
    output_path,
    passed_settings,
    settings,
    size,
    word_lists,
)
from cbow.cli.common import DONE, FAILED, command_parser, complain, run, tell, visible
from cbow.cli.start import COMMANDS
from cbow.config import Config
from cbow.errors import CorpusError, OutputError, OutputWarning
from cbow.system.files import expanded, name_of, same
from cbow.system.interrupts import END_OF_SESSION, INTERRUPTED, interrupts

if TYPE_CHECKING:
    from cbow.model import Model
    from cbow.training import Observer

PROG: Final = "cbow-train"

#: Ends the name of a checkpoint, after the name of the model.
CHECKPOINT: Final = ".checkpoint"

EXAMPLES = """\
examples:
  cbow-train corpus.txt                        writes corpus.safetensors
  cbow-train books/ -o books.safetensors       every .txt file in a folder
  xz -dc corpus.txt.xz | cbow-train - --dimension 200
  cbow-train books/ --checkpoint-every 60      writes a checkpoint every minute
  cbow-train --resume books.safetensors.checkpoint
  cbow-train books/ --evaluate pairs.txt       scores vectors after every epoch
  cbow-train books/ --resume books.safetensors --epochs 3 -o more.safetensors
  cbow-nearest corpus.safetensors king         what to do next
"""


class Training(NamedTuple):
    """A training to be run: a new one, or the rest of an earlier one."""

    sources: list[str | Path]
    config: Config
    output: Path
    checkpoint: Path | None
    start: Callable[[Observer], Model]


def main(argv: Sequence[str] | None = None) -> int:
    """Run ``cbow-train`` and return its exit code."""
    return run(_train, _parser(), argv)


def _parser() -> argparse.ArgumentParser:
    parser = command_parser(PROG, COMMANDS["train"], EXAMPLES)
    parser.add_argument(
        "corpus",
        nargs="*",
        metavar="CORPUS",
        help="a file (plain, .gz, .bz2, .xz, .zst; with --field .jsonl, .csv, .parquet, .arrow), "
        "a glob, a folder, an address (https://..., s3://...), nltk:NAME, or - for stdin",
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
        help="score the vectors after every epoch by a file of word pairs or analogies (see "
        "cbow-evaluate --help); may be repeated",
    )
    parser.add_argument(
        "--checkpoint-every",
        metavar="SECONDS",
        type=float,
        help="write OUT.checkpoint beside the output, at most this often, to resume from after "
        "Ctrl-C or a crash; removed at the end",
    )
    parser.add_argument(
        "--copy-to",
        metavar="ADDRESS",
        help="a folder such as s3://bucket/models, which the model, and before it each checkpoint, "
        "is copied to",
    )
    parser.add_argument(
        "--resume",
        metavar="FILE",
        help="continue from a checkpoint, which knows its text and settings, or with --epochs add "
        "epochs to a finished model, whose text is given as CORPUS; from an address it is copied "
        "here first",
    )
    parser.add_argument("--quiet", action="store_true", help="print nothing but errors")
    add_options(parser.add_argument_group("settings"), settings())
    parser.set_defaults(wrong_usage=parser.error)
    return parser


def _train(arguments: argparse.Namespace) -> int:
    # Imported here, so that --help is quick.
    from cbow.cli.progress import Complaints, Copies, Display, JSONLog, Scores, Several, hint
    from cbow.text.remote import RemoteFolder
    from cbow.training import DivergenceError, Interrupted, WorkersLostError
    from cbow.training.progress import clock

    if arguments.quiet:
        warnings.simplefilter("ignore", OutputWarning)
    if not arguments.corpus and arguments.resume is None:
        arguments.wrong_usage("give a CORPUS, or --resume FILE")
    training = new_training(arguments) if arguments.resume is None else resumed_training(arguments)
    _check_files(training, arguments)
    folder = RemoteFolder(arguments.copy_to) if arguments.copy_to is not None else None
    copies = Copies(folder, training.checkpoint) if folder and training.checkpoint else None
    display = None if arguments.quiet else Display()
    log = None if arguments.log_json is None else JSONLog(arguments.log_json)
    scores = None
    if arguments.evaluate:
        scores = Scores(arguments.evaluate, [each.scored for each in (display, log) if each])
    heard = (display, log, Complaints(), copies, scores)
    observers: list[Observer] = [each for each in heard if each]
    began = time.monotonic()
    failure: BaseException | None = None
    # Ctrl-C and the end of a session wait from the first step until the model is saved.
    with interrupts(*END_OF_SESSION):
        try:
            model = training.start(Several(*observers))
        except (DivergenceError, Interrupted, WorkersLostError) as error:
            # With what has been learned until then.
            model, failure = error.model, error
        finally:
            if display:
                display.close()
        if failure:
            complain(PROG, failure)
        wanted = beside(training.output) if failure else training.output
        output, lost = save_somewhere(model, wanted)
        if training.checkpoint and not failure:
            training.checkpoint.unlink(missing_ok=True)
    if lost:
        complain(PROG, lost)
        failure = failure or lost
    lines = []
    stop = model.report["stopped"]
    if stop is not None and stop["reason"] == "patience":
        lines.append(f"stopped after epoch {stop['epoch']}: {stop['found']}")
    lines.append(f"saved {output} ({size(output)}) after {clock(time.monotonic() - began)}")
    if folder and not failure:
        try:
            lines.append(f"copied to {folder.copy(output)}")
            if training.checkpoint:
                folder.remove(training.checkpoint.name)
        except OutputError as error:
            complain(PROG, error)
            failure = error
    if failure is None and not arguments.quiet:
        lines += [*hint(model.config, model.report), f"next: {next_command(output)}"]
    elif (
        isinstance(failure, KeyboardInterrupt | WorkersLostError)
        and training.checkpoint
        and training.checkpoint.exists()
    ):
        lines.append("to resume: " + resume_command(training, training.checkpoint, arguments))
    if failure or not arguments.quiet:  # where the model is then, everybody wants to know
        for line in lines:
            tell(line)
    if log and (lost_log := log.close()):
        complain(PROG, lost_log)
        failure = failure or lost_log
    if isinstance(failure, KeyboardInterrupt):
        return INTERRUPTED
    return FAILED if failure or (scores and scores.error) else DONE


# --- what to train --------------------------------------------------------------------------------


def new_training(arguments: argparse.Namespace) -> Training:
    """Return a new training, which no checkpoint of an earlier run may stand in the way of."""
    from cbow.training import train

    config = Config.from_dict(passed_settings(arguments))
    sources = corpus_sources(arguments.corpus)
    if arguments.output is None:
        output = Path(default_output(arguments.corpus[0]))
    else:
        output = output_path("-o", arguments.output)
    every = arguments.checkpoint_every
    checkpoint = None if every is None else _new_checkpoint(output)

    def start(observer: Observer) -> Model:
        return train(
            sources, config, observer=observer, checkpoint=checkpoint, checkpoint_every=every
        )

    return Training(sources, config, output, checkpoint, start)


def resumed_training(arguments: argparse.Namespace) -> Training:
    """Return the rest of a training, from a checkpoint, or more epochs of a finished model.

    Raises
    ------
    ModelFileError
        If the file is neither.
    ConfigError
        If a setting differs from that of the earlier training.
    CorpusError
        If the text is not named and the file does not know it.
    OutputError
        If the model to add epochs to would be written over, and ``-o`` does not name it.
    """
    from cbow.text.remote import download, scheme
    from cbow.training.run import run_from

    if scheme(arguments.resume) is not None:
        arguments.resume = str(download(arguments.resume, Path()))
    earlier = run_from(arguments.resume, passed_settings(arguments))
    named = corpus_sources(arguments.corpus) if arguments.corpus else None
    sources = named or earlier.sources()
    if arguments.output is not None:
        output = output_path("-o", arguments.output)
    elif earlier.is_more_epochs:
        output = Path(default_output(arguments.corpus[0]))
        if same(output, earlier.path):
            raise OutputError(
                f"{name_of(output)} would be written over; say with -o where the model with more "
                "epochs goes"
            )
    elif (model := _model_beside(earlier.path)) is not None:
        output = model
    else:
        raise OutputError(
            f"the name {name_of(earlier.path)} does not end in {CHECKPOINT}, and so does not say "
            "where the model goes; say so with -o"
        )
    every = arguments.checkpoint_every
    checkpoint = None
    if earlier.is_more_epochs and every is not None:
        checkpoint = _new_checkpoint(output)
    earlier = earlier.saved_to(checkpoint, every, named)
    checkpoint = earlier.saving.path if earlier.saving else None

    def start(observer: Observer) -> Model:
        return earlier.train(sources, None, observer)

    return Training(sources, earlier.config, output, checkpoint, start)


def corpus_sources(names: Sequence[str]) -> list[str | Path]:
    """Turn all names into paths but those of standard input and NLTK corpora, and addresses."""
    from cbow.text.sources import is_no_path

    if "" in names:
        raise CorpusError("the name of a corpus is empty; give a file, a folder, nltk:NAME or -")
    return [n if is_no_path(n) else Path(n) for n in names]


def default_output(corpus: str) -> str:
    """Name the model after its corpus: ``texts/corpus.txt.gz`` gives ``corpus.safetensors``."""
    if corpus in ("-", "/dev/stdin") or re.fullmatch(r"(/dev|/proc/(self|\d+))/fd/\d+", corpus):
        return "stdin.safetensors"
    if corpus.startswith(("http://", "https://")):
        corpus = re.split("[?#]", corpus)[0]  # what follows is no part of a name
    name = Path(corpus.removeprefix("nltk:")).name
    for ending in (".gz", ".bz2", ".xz", ".zst"):
        name = name.removesuffix(ending)
    stem = "".join(char for char in name.removesuffix(".txt") if char not in "*?[]").strip(".")
    return f"{stem or 'cbow'}.safetensors"


def _model_beside(checkpoint: Path) -> Path | None:
    """Return the model that a checkpoint belongs to, by its name; None if it does not say."""
    name = checkpoint.name.removesuffix(CHECKPOINT)
    return checkpoint.with_name(name) if name and name != checkpoint.name else None


def _new_checkpoint(output: Path) -> Path:
    """Name the checkpoint after the model; reject the name if an earlier run left a checkpoint."""
    checkpoint = output.with_name(output.name + CHECKPOINT)
    if checkpoint.exists():
        raise OutputError(
            f"{name_of(checkpoint)} is there from an earlier run; continue it: cbow-train "
            f"--resume {name_of(shlex.quote(plain_name(checkpoint)))}, or delete it"
        )
    return checkpoint


# --- where the model goes -------------------------------------------------------------------------


def _check_files(training: Training, arguments: argparse.Namespace) -> None:
    """Check, before anything is read, that all results can be written and destroy nothing."""
    log = []
    if arguments.log_json not in (None, "-"):
        log = [output_path("--log-json", arguments.log_json)]
    # A model may be replaced by itself with more epochs, a checkpoint by the next.
    check_distinct([] if arguments.resume is None else [arguments.resume], log)
    from cbow.text import find_sources

    checkpoint = [training.checkpoint] if training.checkpoint else []
    corpus = find_sources(training.sources).files
    check_outputs(
        [*corpus, *arguments.evaluate, *word_lists(arguments).values()],
        [training.output, *log, *checkpoint],
    )
    if arguments.output is not None:
        check_ending(training.output)


def check_ending(output: Path) -> None:
    """Raise `OutputError` if the name for a model has the ending of another format."""
    from cbow.vectors.formats import ENDINGS

    ending = output.suffix.lower()
    if ending == ".gz" or (ending in ENDINGS and ENDINGS[ending].name != "safetensors"):
        model = f"{output.name.split('.')[0]}.safetensors"
        raise OutputError(
            f"-o is {name_of(output)}, but a model is a .safetensors file; give it such a name, "
            f"and convert it: cbow-convert {name_of(model)} {name_of(output)}"
        )


def beside(output: Path) -> Path:
    """Return where to save a training that ended early: never over what an earlier run left."""
    endings = ["", ".partial", *(f".partial-{n}" for n in range(2, 1000))]
    names = (output.with_name(output.stem + ending + output.suffix) for ending in endings)
    return next(name for name in names if not name.exists())


def save_somewhere(model: Model, output: Path) -> tuple[Path, OutputError | None]:
    """Save a model; if that fails, save it somewhere else rather than lose it.

    The other places are the current folder, the temporary folder and the home: only if it cannot be
    saved there either is an `OutputError` raised.

    Returns
    -------
    Path
        Where the model is.
    OutputError or None
        Why it is not at `output`.
    """
    try:
        model.save(output)
    except OutputError as error:
        places: list[Callable[[], str | Path]] = [Path, tempfile.gettempdir, lambda: expanded("~")]
        for place in places:
            with contextlib.suppress(OSError):  # it may not exist
                elsewhere = beside(Path(place(), output.name))
                model.save(elsewhere)
                return elsewhere, error
        raise
    return output, None


# --- what to do next ------------------------------------------------------------------------------


def next_command(output: Path) -> str:
    """Return a command that asks a saved model for the neighbours of a word."""
    from cbow.cli.progress import word_to_ask
    from cbow.model import load_vectors

    word = word_to_ask(load_vectors(output))
    return f"cbow-nearest {shlex.quote(plain_name(output))} {shlex.quote(visible(word))}"


def resume_command(training: Training, checkpoint: Path, arguments: argparse.Namespace) -> str:
    """Return the command that continues from a checkpoint."""
    words = [PROG, "--resume", plain_name(checkpoint)]
    if training.output != _model_beside(checkpoint):
        words += ["-o", plain_name(training.output)]
    if arguments.log_json is not None:
        words += ["--log-json", arguments.log_json]
    for file in arguments.evaluate:
        words += ["--evaluate", file]
    if training.config.cluster is not None:
        words += ["--cluster", training.config.cluster]
    if arguments.copy_to is not None:
        words += ["--copy-to", arguments.copy_to]
    if folder := getattr(arguments, "work_folder", None):
        words += ["--work-folder", folder]
    if "-" in training.sources:
        words += map(str, training.sources)
    return shlex.join(words)


def plain_name(path: Path) -> str:
    """Write a path so that no command takes it for an option."""
    return f"./{path}" if str(path).startswith("-") else str(path)
