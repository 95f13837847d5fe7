"""``cbow-plot``: the loss of a training run, or words along principal components, as a picture."""

from __future__ import annotations

import argparse
import math
import re
import sys
from collections.abc import Sequence
from io import BufferedReader
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from cbow.cli.arguments import (
    MODEL_HELP,
    OPENING,
    add_options,
    check_outputs,
    open_vectors,
    vector_files,
    write_output,
)
from cbow.cli.common import DONE, command_parser, run, tell, visible
from cbow.cli.start import COMMANDS
from cbow.errors import ModelFileError, OutputError, QueryError, counted, shown
from cbow.plot import ENDINGS, check_matplotlib, percent
from cbow.system.files import expanded, name_of, to_read, unopened

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from cbow.plot.loss import History
    from cbow.plot.words import Projection
    from cbow.vectors import WordVectors

PROG: Final = "cbow-plot"

#: Words that are drawn by default: pairs and families that most English texts have.
WORDS: Final = ["king", "queen", "lord", "man", "woman", "dog", "wolf", "rich", "happy", "sad"]

#: Fewer words have no second component; a picture of more is illegible.
FEWEST, MOST = 3, 200

#: No line of a log is as long, in bytes.
LONGEST_LINE: Final = 2**20

EXAMPLES = """\
examples:
  cbow-plot loss corpus.safetensors -o loss.png
  cbow-plot words corpus.safetensors -o words.svg

See also cbow-plot loss --help and cbow-plot words --help.
"""

LOSS_EXAMPLES = """\
examples:
  cbow-plot loss corpus.safetensors -o loss.png  from the finished model
  cbow-plot loss log.jsonl -o loss.svg           from the log, in training too
"""

WORDS_EXAMPLES = """\
examples:
  cbow-plot words corpus.safetensors -o words.png
  cbow-plot words corpus.safetensors monday tuesday red blue -o words.svg
  cbow-plot words corpus.safetensors -o words.png --components 4,2
"""


def main(argv: Sequence[str] | None = None) -> int:
    """Run ``cbow-plot`` and return its exit code."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    if arguments[:1] == ["loss"]:
        return run(_loss, _loss_parser(), arguments[1:])
    if arguments[:1] == ["words"]:
        return run(_words, _words_parser(), arguments[1:])
    return run(lambda parsed: main([parsed.picture]), _parser(), arguments)


def _parser() -> argparse.ArgumentParser:
    parser = command_parser(PROG, COMMANDS["plot"], EXAMPLES)
    parser.usage = "%(prog)s [-h] [--version] {loss,words} ..."
    parser.add_argument(
        "picture",
        choices=("loss", "words"),
        help="the loss of each epoch, or words along two principal components of their vectors",
    )
    return parser


def _loss_parser() -> argparse.ArgumentParser:
    parser = command_parser(
        f"{PROG} loss",
        "Draw the loss of each epoch beside two losses that need no training.",
        LOSS_EXAMPLES,
    )
    parser.add_argument("source", metavar="FILE", help="a model, or a log of cbow-train --log-json")
    _add_output(parser)
    return parser


def _words_parser() -> argparse.ArgumentParser:
    parser = command_parser(
        f"{PROG} words",
        "Draw words along two principal components of their vectors.",
        WORDS_EXAMPLES,
    )
    parser.add_argument("source", metavar="MODEL", help=MODEL_HELP)
    parser.add_argument(
        "words",
        metavar="WORD",
        nargs="*",
        default=[],
        help=f"words to draw (default: {' '.join(WORDS)}, as far as the model knows them)",
    )
    _add_output(parser)
    parser.add_argument(
        "--components",
        type=_two_numbers,
        default="1,2",
        metavar="A,B",
        help="principal components on the two axes, the largest is 1 (default: %(default)s)",
    )
    add_options(parser, OPENING)
    return parser


def _add_output(parser: argparse.ArgumentParser) -> None:
    *most, last = ENDINGS
    parser.add_argument(
        "-o",
        "--output",
        metavar="FILE",
        required=True,
        help=f"the picture to write; its ending selects the kind: {', '.join(most)} or {last}",
    )


def _two_numbers(text: str) -> tuple[int, int]:
    """Read ``4,2``."""
    match = re.fullmatch(r"([1-9][0-9]{0,8}),([1-9][0-9]{0,8})", text)
    if not match or match[1] == match[2]:
        raise argparse.ArgumentTypeError(
            f"{shown(text)} is not two different numbers from 1 with a comma between, such as 4,2"
        )
    return int(match[1]), int(match[2])


def _checked_output(arguments: argparse.Namespace) -> Path:
    """Check, before anything is read, that the picture can be drawn and written."""
    output = expanded(arguments.output)
    if output.suffix.lower() not in ENDINGS:
        *most, last = ENDINGS
        raise OutputError(
            f"-o is {shown(arguments.output)}, but must end in {', '.join(most)} or {last}; "
            "give such a name"
        )
    check_outputs(vector_files(arguments.source), [output])
    check_matplotlib()
    return output


# --- the loss -------------------------------------------------------------------------------------


def _loss(arguments: argparse.Namespace) -> int:
    source, output = to_read(arguments.source), _checked_output(arguments)
    from cbow.plot.loss import loss_picture  # here, so that --help is quick

    history = read_history(source)
    write_output(output, loss_picture(history, output.suffix.lower()))
    epochs = counted(len(history.epochs), "epoch")
    tell(f"wrote {output} ({epochs}; last loss {history.loss[-1]:.4f})")
    return DONE


class _Entry(NamedTuple):
    """Values of a model's report or of a log, and where they are."""

    place: str
    values: dict[str, Any]


class _DamageError(Exception):
    """What is wrong with a file, said without its name."""


def read_history(path: Path) -> History:
    """Read the loss of every epoch.

    Parameters
    ----------
    path : Path
        A model, or a log that ``cbow-train --log-json`` wrote; its first bytes show which.

    Raises
    ------
    ModelFileError
        If the file cannot be opened, is neither or is damaged.
    QueryError
        If it holds no epoch.
    """
    from cbow.system.safetensors_file import LONGEST_HEADER

    try:
        opened = path.open("rb")
    except (OSError, ValueError) as error:  # ValueError: a name that no file can have
        raise ModelFileError(unopened(path, error)) from error
    try:
        with opened as file:
            # A model begins with the length of its header; text makes a far larger number.
            start = file.peek(8)[:8].ljust(8, b"\xff")
            is_log = int.from_bytes(start, "little") > LONGEST_HEADER
            epochs, baselines = _log_entries(file) if is_log else _report_entries(path)
        if epochs:
            return _history(epochs, baselines)
    except _DamageError as error:
        raise ModelFileError(f"{name_of(path)} {error}") from None
    raise QueryError(
        f"{name_of(path)} holds no epoch, but a curve needs one; wait for the first to end, or "
        "give the model or log of another run"
    )


def _report_entries(path: Path) -> tuple[list[_Entry], _Entry]:
    """Return the epochs of a model's report, and the baselines."""
    from cbow.vectors.formats.native import read_model

    report = read_model(path).report
    epochs, baselines = report.get("epochs", []), report.get("baselines", {})
    if not isinstance(epochs, list) or not all(isinstance(e, dict) for e in [*epochs, baselines]):
        raise _DamageError(
            "has a report in which epochs or baselines are not as cbow-train writes them; give "
            "the log of the run, or train again"
        )
    entries = [_Entry(f"epoch {number} of its report", e) for number, e in enumerate(epochs, 1)]
    return entries, _Entry("its report", baselines)


def _log_entries(file: BufferedReader) -> tuple[list[_Entry], _Entry]:
    """Return the epochs of a log, and the baselines; other events have no part in a curve."""
    from cbow.system.safetensors_file import strict_json

    events: list[_Entry] = []
    while line := file.readline(LONGEST_LINE):
        number = len(events) + 1
        try:
            event = strict_json(line)
        except ValueError:  # of which UnicodeDecodeError is a kind
            event = None
        if not isinstance(event, dict) or not isinstance(event.get("event"), str):
            if number == 1:
                raise _DamageError(
                    "is neither a model nor a log, because it does not begin like one; give a file "
                    "that cbow-train wrote by -o or --log-json"
                )
            raise _DamageError(
                f"is damaged in line {number}, which is no complete JSON object with an event; "
                "delete that line, or log the run again"
            )
        events.append(_Entry(f"line {number}", event))
    if not events:
        raise _DamageError("is empty; give a model or log of cbow-train, once training has begun")
    epochs = [entry for entry in events if entry.values["event"] == "epoch"]
    plans = [entry for entry in events if entry.values["event"] == "plan"]
    if epochs and len(plans) != 1:
        raise _DamageError(
            f"holds the plans of {len(plans)} runs, but must hold that of one; give the complete "
            "log of one run"
        )
    baselines = plans[0].values.get("baselines") if plans else None
    return epochs, _Entry("its plan", baselines if isinstance(baselines, dict) else {})


def _history(epochs: list[_Entry], baselines: _Entry) -> History:
    """Put the numbers of all epochs into arrays."""
    from cbow.plot.loss import History

    numbers = _series(epochs, "epoch", required=True)
    for (place, _), one, next_ in zip(epochs[1:], numbers, numbers[1:], strict=False):
        if next_ <= one:
            raise _DamageError(
                f"has in {place} epoch {next_:g} after epoch {one:g}; give the file of one run"
            )
    norms = []
    for place, values in epochs:
        table = values.get("gradient_norms")
        if not isinstance(table, dict | None):
            raise _DamageError(
                f"has in {place} {shown(table)} for gradient_norms, but must have a table of "
                "numbers; give a file that cbow-train wrote"
            )
        norms.append(_Entry(place, table or {}))
    names = sorted({name for _, values in norms for name in values})
    return History(
        epochs=numbers,
        loss=_series(epochs, "loss", required=True),
        heldout_loss=_series(epochs, "heldout_loss"),
        active=_series(epochs, "active"),
        gradient_norms={name: _series(norms, name) for name in names},
        uniform=_number(baselines, "uniform", required=True),
        unigram=_number(baselines, "unigram", required=True),
        heldout_unigram=_number(baselines, "heldout_unigram"),
    )


def _series(entries: list[_Entry], key: str, required: bool = False) -> npt.NDArray[np.float64]:
    """Return one number of each entry."""
    import numpy as np

    return np.array([_number(entry, key, required) for entry in entries])


def _number(entry: _Entry, key: str, required: bool = False) -> float:
    """Return a number of an entry; NaN if it has none and none is required."""
    value: Any = entry.values.get(key)
    if value is None and not required:
        return math.nan
    # `abs`: a whole number may have any number of digits, and no float is as large.
    if type(value) not in (int, float) or abs(value) > 1e300:
        raise _DamageError(
            f"has in {entry.place} {shown(value)} for {key}, but must have a number; give a file "
            "that cbow-train wrote"
        )
    return float(value)


# --- words ----------------------------------------------------------------------------------------


def _words(arguments: argparse.Namespace) -> int:
    output = _checked_output(arguments)
    from cbow.plot import legible
    from cbow.plot.words import words_picture

    vectors = open_vectors(arguments.source, arguments)
    words = list(dict.fromkeys(arguments.words or WORDS))
    if again := [visible(word) for word in words if arguments.words.count(word) > 1]:
        tell(f"drawn once, though named more than once: {', '.join(again)}")
    if not arguments.words:
        if unknown := [word for word in words if word not in vectors]:
            tell(f"left out, because the model does not know them: {', '.join(unknown)}")
        words = [word for word in words if word in vectors]
    projection = _project(vectors, words, arguments.components)
    labels = legible([visible(word) for word in words])
    write_output(output, words_picture(projection, labels, output.suffix.lower()))
    if labels.lacking:
        first = labels.lacking[0]
        escape = first.encode("unicode_escape").decode()
        tell(
            f"no font here has {len(labels.lacking)} of the characters, such as {first}, drawn as "
            f"{escape}; install a font for them, such as one of the Noto fonts"
        )
    if labels.cut:
        tell(f"too long to be drawn to their end: {', '.join(labels.cut)}")
    share = percent(sum(projection.shares))
    tell(f"wrote {output} ({len(words)} words; {share} of the variance)")
    return DONE


def _project(vectors: WordVectors, words: Sequence[str], components: tuple[int, int]) -> Projection:
    """Project words on two principal components of their vectors."""
    import numpy as np

    from cbow.plot.words import Projection
    from cbow.vectors.embeddings import principal_components
    from cbow.vectors.nearest import inverse_lengths

    rows = vectors[words]  # (n, N)
    if not FEWEST <= len(words) <= MOST:
        remedy = "more words that the model knows" if len(words) < FEWEST else "fewer"
        raise QueryError(
            f"the number of words to draw is {len(words)}, but must be from {FEWEST} to {MOST}; "
            f"name {remedy}"
        )
    broken = np.flatnonzero(np.isnan(inverse_lengths(rows)))
    if len(broken):
        raise QueryError(
            f"the vector of {shown(words[broken[0]])} holds numbers that are not finite, or far "
            "too large; train the model again with a smaller learning rate"
        )
    coordinates, _, shares = principal_components(rows)  # (n, K), (K, N), (K,)
    if max(components) > len(shares):
        raise QueryError(
            f"these {len(words)} words have {counted(len(shares), 'principal component')}, but "
            f"component {max(components)} is to be drawn; name more words or others, or choose "
            "other --components"
        )
    chosen = [number - 1 for number in components]
    return Projection(coordinates[:, chosen], components, (shares[chosen[0]], shares[chosen[1]]))
