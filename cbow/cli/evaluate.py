"""``cbow-evaluate``: score models by word pairs and analogies, and hold them against each other."""

from __future__ import annotations

import argparse
import dataclasses
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

from cbow.cli.common import (
    DONE,
    command_parser,
    failed,
    json_line,
    run,
    show,
    terminal_width,
)
from cbow.cli.opening import MODEL_HELP, add_opening_flags, open_vectors
from cbow.errors import ConfigError, QueryError

if TYPE_CHECKING:
    from cbow.cli.evaluate_report import Compared, Scored
    from cbow.evaluation import Analogies, Evaluation, Pairs, Rules

PROG: Final = "cbow-evaluate"

EXAMPLES = """\
examples:
  cbow-evaluate corpus.safetensors --pairs corpora/pairs.txt --analogies corpora/analogies.txt
  cbow-evaluate ours.safetensors theirs.txt --pairs pairs.txt    two models and a paired test
  cbow-evaluate corpus.safetensors --analogies questions.txt --sections --json

word pairs: lines "word word score", or a table with names such as word1,word2,similarity;
analogies: lines "a b c d" below lines ": section".
"""


def main(argv: Sequence[str] | None = None) -> int:
    """Run ``cbow-evaluate`` and return its exit code."""
    try:
        parser = _parser()  # loads the rules and what they need
    except Exception as error:
        return failed(PROG, error)
    return run(_body, parser, argv)


def _parser() -> argparse.ArgumentParser:
    parser = command_parser(
        PROG,
        "Score models by word pairs and analogies. Several are compared, each with the first.",
        EXAMPLES,
    )
    # argparse would write the models last, where --pairs takes them for its own.
    parser.usage = f"{PROG} MODEL... [--pairs FILE...] [--analogies FILE...] [options]"
    parser.add_argument("models", metavar="MODEL", nargs="+", help=MODEL_HELP)
    for name, lines in (("--pairs", "word word score"), ("--analogies", "a b c d")):
        parser.add_argument(
            name, metavar="FILE", nargs="+", action="extend", default=[], help=f"lines: {lines}"
        )
    _add_rules(parser)
    add_opening_flags(parser)
    parser.add_argument("--sections", action="store_true", help="show the sections of analogies")
    parser.add_argument(
        "--json", action="store_true", help="print a JSON object per model and comparison"
    )
    return parser


def _add_rules(parser: argparse.ArgumentParser) -> None:
    """Add a flag for each of the rules, with its default."""
    from cbow.evaluation.analogies import METHODS
    from cbow.evaluation.results import OOV, Rules

    parser.add_argument(
        "--restrict", type=int, metavar="N", default=Rules.restrict,
        help="ask analogies among the N most frequent words (default: %(default)s)",
    )  # fmt: skip
    parser.add_argument(
        "--oov", choices=OOV, default=Rules.oov,
        help="an item with a word that the model lacks is left out (skip), or is a pair of cosine "
        "0 or a question answered wrongly (zero) (default: %(default)s)",
    )  # fmt: skip
    parser.add_argument(
        "--case-sensitive",
        action="store_true",
        help="take a word only as it is spelled (default: where the model lacks it so, in other "
        "letter case)",
    )
    parser.add_argument(
        "--method", choices=METHODS, action="append", dest="methods",
        help="how to answer analogies; may be repeated (default: both)",
    )  # fmt: skip
    parser.add_argument(
        "--resamples", type=int, metavar="N", default=Rules.resamples,
        help="of the bootstrap, 0 for none (default: %(default)s)",
    )  # fmt: skip
    parser.add_argument(
        "--seed", type=int, metavar="N", default=Rules.seed,
        help="of the bootstrap (default: %(default)s)",
    )  # fmt: skip


def _body(arguments: argparse.Namespace) -> int:
    from cbow.cli.evaluate_report import Compared, Scored, as_text, tell_of_reading
    from cbow.evaluation import compare, read_analogies, read_pairs

    if not arguments.pairs and not arguments.analogies:
        raise ConfigError(
            "there is nothing to score by; give --pairs FILE, --analogies FILE or both"
        )
    rules = _rules(arguments)
    sets: list[Pairs | Analogies] = [
        *map(read_pairs, arguments.pairs), *map(read_analogies, arguments.analogies)
    ]  # fmt: skip
    for each in sets:
        tell_of_reading(each)
    scored = [Scored(path, _score(path, sets, rules, arguments)) for path in arguments.models]
    first, *others = scored
    compared = [Compared(first[0], each[0], compare(first[1], each[1])) for each in others]
    if arguments.json:
        _print_json(scored, compared, arguments.embedding)
    else:
        show(as_text(scored, compared, arguments.sections, terminal_width()))
    return DONE


def _rules(arguments: argparse.Namespace) -> Rules:
    """Collect the rules that were asked for."""
    from cbow.evaluation import Rules

    given: dict[str, Any] = {
        entry.name: getattr(arguments, entry.name)
        for entry in dataclasses.fields(Rules)
        if getattr(arguments, entry.name, None) is not None
    }
    if arguments.methods:
        given["methods"] = tuple(dict.fromkeys(arguments.methods))
    return Rules(**given, fold=not arguments.case_sensitive)


def _score(
    path: str, sets: list[Pairs | Analogies], rules: Rules, arguments: argparse.Namespace
) -> Evaluation:
    """Score one model; only one is in memory at a time."""
    from cbow.evaluation import prepare

    vectors = open_vectors(path, arguments)
    try:
        return prepare(vectors.words, sets, rules).score(vectors.matrix)
    except QueryError as error:
        raise QueryError(f"{path}: {error}") from None


def _print_json(scored: list[Scored], compared: list[Compared], embedding: str) -> None:
    """Print an object per model, then one per comparison."""
    for model, found in scored:
        show(json_line({"model": model, "embedding": embedding, **found.to_dict()}))
    for first, second, comparisons in compared:
        for each in comparisons:
            show(json_line({"models": [first, second], **each.to_dict()}))
