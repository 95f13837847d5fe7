"""``cbow-plot``: the loss of a training run, or words along principal components, as a picture."""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final

from cbow.cli.common import DONE, command_parser, run, tell, visible
from cbow.cli.opening import MODEL_HELP, add_opening_flags, open_vectors
from cbow.cli.outputs import check_outputs, vector_files
from cbow.errors import OutputError, QueryError, shown
from cbow.plot.canvas import ENDINGS, check_matplotlib, percent
from cbow.system.files import expanded, replacing, to_read

if TYPE_CHECKING:
    from cbow.plot.fonts import Text
    from cbow.plot.words import Map
    from cbow.vectors import WordVectors
    from cbow.vectors.nearest import Floats

PROG: Final = "cbow-plot"

#: Words to draw when none are given: pairs and families that most English texts have.
WORDS: Final = ["king", "queen", "lord", "man", "woman", "dog", "wolf", "rich", "happy", "sad"]

#: Fewer words have no second component; of more, no picture is legible.
FEWEST, MOST = 3, 200

EXAMPLES = """\
examples:
  cbow-plot loss corpus.safetensors -o loss.png
  cbow-plot words corpus.safetensors -o words.svg

cbow-plot loss --help and cbow-plot words --help tell more.
"""

LOSS_EXAMPLES = """\
examples:
  cbow-plot loss corpus.safetensors -o loss.png   from the finished model
  cbow-plot loss log.jsonl -o loss.svg            from the log, also while training goes on
"""

WORDS_EXAMPLES = """\
examples:
  cbow-plot words corpus.safetensors -o words.png
  cbow-plot words corpus.safetensors monday tuesday red blue -o words.svg
  cbow-plot words corpus.safetensors -o words.png --components 4,2
"""


def main(argv: Sequence[str] | None = None) -> int:
    """Run ``cbow-plot`` and return its exit code."""
    given = list(sys.argv[1:] if argv is None else argv)
    if given[:1] == ["loss"]:
        return run(_loss, _loss_parser(), given[1:])
    if given[:1] == ["words"]:
        return run(_words, _words_parser(), given[1:])
    return run(lambda arguments: main([arguments.picture]), _parser(), given)


def _parser() -> argparse.ArgumentParser:
    parser = command_parser(PROG, "Draw the loss of a training run, or words, to a file.", EXAMPLES)
    parser.usage = f"{PROG} [-h] [--version] {{loss,words}} ..."
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
    add_opening_flags(parser)
    return parser


def _add_output(parser: argparse.ArgumentParser) -> None:
    *most, last = ENDINGS
    parser.add_argument(
        "-o",
        "--output",
        metavar="FILE",
        required=True,
        help=f"the picture to write; its ending says what: {', '.join(most)} or {last}",
    )


def _two_numbers(text: str) -> tuple[int, int]:
    """Read ``4,2``."""
    found = re.fullmatch(r"([1-9][0-9]{0,8}),([1-9][0-9]{0,8})", text)
    if not found or found[1] == found[2]:
        raise argparse.ArgumentTypeError(
            f"{shown(text)} is not two different numbers from 1 with a comma between, such as 4,2"
        )
    return int(found[1]), int(found[2])


def _loss(arguments: argparse.Namespace) -> int:
    source, output = to_read(arguments.source), _checked_output(arguments)
    from cbow.cli.history import read_history  # here, so that --help comes at once
    from cbow.plot.loss import loss_picture

    history = read_history(source)
    _write(output, loss_picture(history, output.suffix.lower()))
    epochs = "1 epoch" if len(history.epochs) == 1 else f"{len(history.epochs)} epochs"
    tell(f"wrote {output} ({epochs}; last loss {history.loss[-1]:.4f})")
    return DONE


def _words(arguments: argparse.Namespace) -> int:
    output = _checked_output(arguments)
    from cbow.plot.fonts import legible
    from cbow.plot.words import words_picture

    vectors = open_vectors(arguments.source, arguments)
    words = _named_once(arguments.words) if arguments.words else _known(vectors)
    drawn = _project(vectors, words, arguments.components)
    text = legible([visible(word) for word in words])
    _write(output, words_picture(drawn, text, output.suffix.lower()))
    _tell_of_letters(text)
    share = percent(sum(drawn.shares))
    tell(f"wrote {output} ({len(words)} words; {share} of the variance)")
    return DONE


def _checked_output(arguments: argparse.Namespace) -> Path:
    """See, before anything is read, that the picture can be drawn and written."""
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


def _known(vectors: WordVectors) -> list[str]:
    """Return the words drawn by default that the model knows; tell of the others."""
    if unknown := [word for word in WORDS if word not in vectors]:
        tell(f"left out, because the model does not know them: {', '.join(unknown)}")
    return [word for word in WORDS if word in vectors]


def _named_once(words: Sequence[str]) -> list[str]:
    """Return each word once; tell of those that were named again."""
    once = dict.fromkeys(words, 0)
    for word in words:
        once[word] += 1
    if again := [visible(word) for word, times in once.items() if times > 1]:
        tell(f"drawn once, though named more than once: {', '.join(again)}")
    return list(once)


def _project(vectors: WordVectors, words: Sequence[str], components: tuple[int, int]) -> Map:
    """Find the places of the words along two principal components of their vectors."""
    from cbow.plot.words import Map
    from cbow.vectors.projection import principal_components

    rows = vectors[words]  # (n, N)
    if not FEWEST <= len(words) <= MOST:
        remedy = "more words that the model knows" if len(words) < FEWEST else "fewer"
        raise QueryError(
            f"the number of words to draw is {len(words)}, but must be from {FEWEST} to {MOST}; "
            f"name {remedy}"
        )
    _check_finite(rows, words)
    coordinates, _, shares = principal_components(rows)  # (n, K), (K, N), (K,)
    if max(components) > len(shares):
        raise QueryError(
            f"the number of principal components of these {len(words)} words is {len(shares)}, "
            f"but component {max(components)} is to be drawn; name more words or others, or "
            "choose other --components"
        )
    chosen = [number - 1 for number in components]
    return Map(coordinates[:, chosen], components, (shares[chosen[0]], shares[chosen[1]]))


def _check_finite(rows: Floats, words: Sequence[str]) -> None:
    """Refuse vectors of a training that went wrong."""
    import numpy as np

    from cbow.vectors.nearest import inverse_lengths

    broken = np.flatnonzero(np.isnan(inverse_lengths(rows)))
    if len(broken):
        raise QueryError(
            f"the vector of {shown(words[broken[0]])} holds numbers that are not finite, or far "
            "too large; train the model again with a smaller learning rate"
        )


def _write(output: Path, picture: bytes) -> None:
    """Write the picture, which appears whole or not at all."""
    with replacing(output) as temporary:
        temporary.write_bytes(picture)


def _tell_of_letters(text: Text) -> None:
    """Say where a picture does not show a word as it is."""
    if text.lacking:
        first = text.lacking[0]
        escape = first.encode("unicode_escape").decode()
        tell(
            f"no font here has {len(text.lacking)} of the characters, such as {first}, drawn as "
            f"{escape}; install a font for them, such as one of the Noto fonts"
        )
    if text.cut:
        tell(f"too long to be drawn to their end: {', '.join(text.cut)}")
