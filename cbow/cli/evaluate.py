"""``cbow-evaluate``: score models by word pairs and analogies, and compare them."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Final

from cbow.cli.arguments import MODEL_HELP, OPENING, Option, add_options, chosen, open_vectors
from cbow.cli.common import (
    DONE,
    command_parser,
    json_line,
    run,
    show,
    table,
    tell,
    terminal_width,
    visible,
    wrapped,
)
from cbow.cli.start import COMMANDS
from cbow.errors import ConfigError, QueryError
from cbow.evaluation import METHODS, OOV, Rules

if TYPE_CHECKING:
    from cbow.evaluation import (
        Analogies,
        AnalogiesResult,
        Comparison,
        Evaluation,
        Pairs,
        PairsResult,
    )
    from cbow.evaluation.measures import Accuracy, Interval

PROG: Final = "cbow-evaluate"

#: Stands for a number that there is not.
NONE: Final = "-"

EXAMPLES = """\
examples:
  cbow-evaluate corpus.safetensors --pairs pairs.txt --analogies questions.txt
  cbow-evaluate ours.safetensors theirs.txt --pairs pairs.txt    a paired test
  cbow-evaluate corpus.safetensors --analogies questions.txt --sections --json

word pairs: lines "word word score", or a table with a header such as
word1,word2,similarity; analogies: lines "a b c d" below lines ": section".
"""

#: The rules of an evaluation, which check their own ranges.
RULES: Final = {
    "restrict": Option(
        int, Rules.restrict, "restrict analogies to the N most frequent words of the model"
    ),
    "oov": Option(
        str,
        Rules.oov,
        "leave out items with a word that the model lacks (skip), count such a pair as cosine 0 "
        "and such a question as wrong (zero), or make words of pairs from n-grams (ngrams)",
        choices=OOV,
    ),
    "resamples": Option(int, Rules.resamples, "of the bootstrap, 0 for none"),
    "seed": Option(int, Rules.seed, "of the bootstrap"),
}


def main(argv: Sequence[str] | None = None) -> int:
    """Run ``cbow-evaluate`` and return its exit code."""
    return run(_evaluate, _parser(), argv)


def _parser() -> argparse.ArgumentParser:
    parser = command_parser(
        PROG, f"{COMMANDS['evaluate']} Several are each compared with the first.", EXAMPLES
    )
    # argparse would write the models last, where --pairs takes them for its own.
    parser.usage = "%(prog)s MODEL... [--pairs FILE...] [--analogies FILE...] [options]"
    parser.add_argument("models", metavar="MODEL", nargs="+", help=MODEL_HELP)
    for name, lines in (("--pairs", "word word score"), ("--analogies", "a b c d")):
        parser.add_argument(
            name, metavar="FILE", nargs="+", action="extend", default=[], help=f"lines: {lines}"
        )
    add_options(parser, RULES)
    parser.add_argument(
        "--case-sensitive",
        action="store_true",
        help="match words only as they are spelled (default: a word that the model lacks matches "
        "one in other letter case)",
    )
    parser.add_argument(
        "--method", choices=METHODS, action="append", dest="methods",
        help="how to answer analogies; may be repeated (default: both)",
    )  # fmt: skip
    add_options(parser, OPENING)
    parser.add_argument("--sections", action="store_true", help="show the sections of analogies")
    parser.add_argument(
        "--json", action="store_true", help="print a JSON object per model and comparison"
    )
    return parser


def _evaluate(arguments: argparse.Namespace) -> int:
    from cbow.evaluation import compare, read_analogies, read_pairs, score

    if not arguments.pairs and not arguments.analogies:
        raise ConfigError(
            "there is nothing to score by; give --pairs FILE, --analogies FILE or both"
        )
    rules = Rules(
        **chosen(arguments, RULES),
        methods=tuple(dict.fromkeys(arguments.methods or Rules.methods)),
        fold=not arguments.case_sensitive,
    )
    sets: list[Pairs | Analogies] = [
        *map(read_pairs, arguments.pairs), *map(read_analogies, arguments.analogies)
    ]  # fmt: skip
    for each in sets:
        tell_of_reading(each)

    def scores_of(path: str) -> Evaluation:
        vectors = open_vectors(path, arguments)  # one model in memory at a time
        try:
            return score(vectors, sets, rules)
        except QueryError as error:
            raise QueryError(f"{path}: {error}") from None

    scored = [(path, scores_of(path)) for path in arguments.models]
    (first, ours), *others = scored
    compared = [(first, other, compare(ours, theirs)) for other, theirs in others]
    if not arguments.json:
        show(as_text(scored, compared, arguments.sections, terminal_width()))
        return DONE
    embedding = chosen(arguments, OPENING)["embedding"]
    for model, evaluation in scored:
        show(json_line({"model": model, "embedding": embedding, **evaluation.to_dict()}))
    for one, other, comparisons in compared:
        for comparison in comparisons:
            show(json_line({"models": [one, other], **comparison.to_dict()}))
    return DONE


def tell_of_reading(items: Pairs | Analogies) -> None:
    """Say how many lines of a file were skipped, and which of many columns has the scores."""
    skipped = [f"{name} {n}" for name, n in items.skipped._asdict().items() if n]
    if skipped:
        tell(f"{items.file}: skipped lines ({', '.join(skipped)})")
    column = getattr(items, "column", None)
    if column is not None:
        tell(f"{items.file}: the scores are those of the column {column}")


# --- the tables -----------------------------------------------------------------------------------


def as_text(
    scored: Sequence[tuple[str, Evaluation]],
    compared: Sequence[tuple[str, str, list[Comparison]]],
    sections: bool,
    columns: int | None,
) -> str:
    """Write the tables, and below them what their numbers are.

    Parameters
    ----------
    scored : sequence of (str, Evaluation)
        Models, by the names of their files, scored by the same sets and rules.
    compared : sequence of (str, str, list of Comparison)
        Two models, by the names of their files, and how they differ.
    sections : bool
        Whether to show the sections of the analogies too.
    columns : int, optional
        The width there is.
    """
    evaluations = [evaluation for _, evaluation in scored]
    rules = evaluations[0].rules
    names = [visible(model) for model, _ in scored]
    models = [
        (name, f"{each.words:,}", str(each.dimension))
        for name, each in zip(names, evaluations, strict=True)
    ]
    parts, notes = [table(("model", "words", "dimension"), models, "<>>", columns)], []
    for pairs in zip(*(each.pairs for each in evaluations), strict=True):
        parts += _pairs(names, pairs, columns)
    if evaluations[0].pairs:
        note = (
            "Spearman: rank correlation of cosine and score; equal values share their mean rank. "
        )
        note += "found: pairs with both words in the model; the others "
        note += {
            "skip": "are left out (--oov skip).",
            "zero": "have cosine 0 (--oov zero).",
            "ngrams": "are left out, unless n-grams make them (--oov ngrams).",
        }[rules.oov]
        if rules.resamples:
            note += f" 95 %: bootstrap, {rules.resamples:,} resamples, seed {rules.seed}"
            intervals = [pairs.interval for each in evaluations for pairs in each.pairs]
            fewest = min(interval.resamples if interval else 0 for interval in intervals)
            if fewest < rules.resamples:
                note += f"; those without a correlation are left out, so that {fewest:,} or more "
                note += "count"
            note += "."
        notes.append(note)
    for analogies in zip(*(each.analogies for each in evaluations), strict=True):
        parts += _analogies(names, analogies, sections, columns)
    if evaluations[0].analogies:
        wrong = "count as wrong (--oov zero)."
        notes.append(
            "Analogies, found: questions with all four words among the first "
            f"{rules.restrict:,} of the model, which are also the candidate answers; the others "
            + (wrong if rules.oov == "zero" else f"are left out (--oov {rules.oov}).")
            + " 95 %: Wilson's interval, as if no two questions shared a word."
        )
    for first, second, comparisons in compared:
        parts.append(f"first: {visible(first)}\nsecond: {visible(second)}")
        rows = []
        for each in comparisons:
            p = NONE if each.p is None else "<0.001" if each.p < 0.001 else f"{each.p:.3f}"
            values = map(decimal, (each.first, each.second, each.difference))
            interval = _range(each.interval, decimal)
            row = visible(each.file), each.measure, f"{each.common:,}", *values, interval, p
            rows.append(row)
        header = "set", "measure", "both", "first", "second", "difference", "95 %", "p"
        parts.append(table(header, rows, "<<>>>>>>", columns))
    if compared:
        tests = []
        if evaluations[0].pairs and rules.resamples:
            tests.append(
                "of Spearman by a bootstrap that draws the same pairs for both "
                f"({rules.resamples:,} resamples, seed {rules.seed})"
            )
        if evaluations[0].analogies:
            tests.append("of analogies by McNemar's exact test")
        note = "Models are compared on the items that count for both (both)."
        if tests:
            note += f" p: probability of so large a difference by chance; {', '.join(tests)}. "
            note += "It is not corrected for multiple tests."
        notes.append(note)
    return "\n\n".join([*parts, *(wrapped(note, columns) for note in notes)])


def _pairs(names: list[str], results: Sequence[PairsResult], columns: int | None) -> list[str]:
    """Return the title and the table of one file of word pairs, a row per model."""
    rows = [
        (
            name,
            f"{result.known.sum():,}",
            decimal(result.spearman),
            _range(result.interval, decimal),
            decimal(result.pearson),
        )
        for name, result in zip(names, results, strict=True)
    ]
    items = results[0].set
    title = f"{visible(items.file)}: {len(items.words):,} word pairs"
    return [title, table(("model", "found", "Spearman", "95 %", "Pearson"), rows, "<>>>>", columns)]


def _analogies(
    names: list[str], results: Sequence[AnalogiesResult], sections: bool, columns: int | None
) -> list[str]:
    """Return the title and the table of one file of analogies, a row per section and model."""
    items, methods = results[0].set, list(results[0].right)
    header = [*(["section"] if sections else []), "model", "found"]
    for method in methods:
        header += [f"{method} %", "95 %"]

    def cells(result: AnalogiesResult, section: int | None) -> Iterator[str]:
        """Yield how many questions the model knows, and the share of right answers."""
        yield f"{result.members(section)[result.known].sum():,}"
        for method in methods:
            accuracy = result.accuracy(method, section)
            yield _percent(accuracy.share)
            yield _range(accuracy, _percent)

    rows = []
    for section in [*(range(len(items.sections)) if sections else []), None]:
        label = "all" if section is None else visible(items.sections[section]) or NONE
        for name, result in zip(names, results, strict=True):
            rows.append([*([label] if sections else []), name, *cells(result, section)])
    numbers = 1 + 2 * len(methods)
    align = "<" * (len(header) - numbers) + ">" * numbers
    title = f"{visible(items.file)}: {len(items.words):,} questions"
    return [title, table(header, rows, align, columns)]


def decimal(value: float | None) -> str:
    """Write a number with three decimals, and never -0.000."""
    return NONE if value is None else f"{round(value, 3) + 0:.3f}"


def _percent(share: float | None) -> str:
    return NONE if share is None else f"{100 * share:.1f}"


def _range(interval: Interval | Accuracy | None, write: Callable[[float | None], str]) -> str:
    """Write an interval, of which there may be none."""
    if interval is None or interval.low is None:
        return NONE
    return f"{write(interval.low)} to {write(interval.high)}"
