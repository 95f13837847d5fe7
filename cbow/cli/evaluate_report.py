"""What ``cbow-evaluate`` found, set in tables: one for each file, one for each comparison."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Final, NamedTuple

from cbow.cli.common import table, tell, visible, wrapped
from cbow.evaluation import (
    Analogies,
    AnalogiesResult,
    Comparison,
    Evaluation,
    Pairs,
    PairsResult,
    Rules,
)
from cbow.evaluation.similarity import Interval

#: What stands for a number that there is not.
NONE: Final = "-"


class Scored(NamedTuple):
    """A model, by the name of its file, and its scores."""

    model: str
    found: Evaluation


class Compared(NamedTuple):
    """Two models, by the names of their files, and how they differ."""

    first: str
    second: str
    found: list[Comparison]


def as_text(
    scored: Sequence[Scored], compared: Sequence[Compared], sections: bool, columns: int | None
) -> str:
    """Write the tables, and below them what the numbers are.

    Parameters
    ----------
    scored : sequence of Scored
        By the same sets and rules.
    compared : sequence of Compared
    sections : bool
        Whether to show the sections of the analogies too.
    columns : int, optional
        Room there is.
    """
    rules = scored[0].found.rules
    names = [visible(model) for model, _ in scored]
    parts = [_models(scored, columns)]
    notes = []
    for pairs in zip(*(found.pairs for _, found in scored), strict=True):
        parts += _pairs(names, pairs, columns)
    if scored[0].found.pairs:
        notes.append(_about_pairs(rules, [each for _, found in scored for each in found.pairs]))
    for analogies in zip(*(found.analogies for _, found in scored), strict=True):
        parts += _analogies(names, analogies, sections, columns)
    if scored[0].found.analogies:
        notes.append(_about_analogies(rules))
    for each in compared:
        parts += _comparison(each, columns)
    if compared:
        notes.append(_about_comparisons(rules, scored[0].found))
    return "\n\n".join([*parts, *(wrapped(note, columns) for note in notes)])


def _models(scored: Sequence[Scored], columns: int | None) -> str:
    rows = [(visible(model), f"{found.words:,}", str(found.dimension)) for model, found in scored]
    return table(("model", "words", "dimension"), rows, "<>>", columns)


def _pairs(names: list[str], results: Sequence[PairsResult], columns: int | None) -> list[str]:
    """Return the title and the table of one file of word pairs, a row per model."""
    rows = [
        (
            name,
            f"{result.known.sum():,}",
            _decimal(result.spearman),
            _interval(result.interval),
            _decimal(result.pearson),
        )
        for name, result in zip(names, results, strict=True)
    ]
    asked = results[0].set
    title = f"{visible(asked.file)}: {len(asked.words):,} word pairs"
    return [title, table(("model", "found", "Spearman", "95 %", "Pearson"), rows, "<>>>>", columns)]


def _analogies(
    names: list[str], results: Sequence[AnalogiesResult], sections: bool, columns: int | None
) -> list[str]:
    """Return the title and the table of one file of analogies, a row per section and model."""
    asked, methods = results[0].set, list(results[0].right)
    header = [*(["section"] if sections else []), "model", "found"]
    for method in methods:
        header += [f"{method} %", "95 %"]
    rows = []
    for section in [*(range(len(asked.sections)) if sections else []), None]:
        label = "all" if section is None else visible(asked.sections[section]) or NONE
        for name, result in zip(names, results, strict=True):
            rows.append([*([label] if sections else []), name, *_shares(result, section)])
    numbers = 1 + 2 * len(methods)
    align = "<" * (len(header) - numbers) + ">" * numbers
    title = f"{visible(asked.file)}: {len(asked.words):,} questions"
    return [title, table(header, rows, align, columns)]


def _shares(result: AnalogiesResult, section: int | None) -> Iterator[str]:
    """Yield the cells of one model: what it could be asked, and what it answered rightly."""
    yield f"{result.members(section)[result.known].sum():,}"
    for method in result.right:
        found = result.accuracy(method, section)
        yield _percent(found.share)
        yield _range(found.low, found.high, _percent)


def _comparison(compared: Compared, columns: int | None) -> list[str]:
    """Return the title and the table of two models, a row per file and measure."""
    header = "set", "measure", "both", "first", "second", "difference", "95 %", "p"
    rows = [
        (
            visible(each.file),
            each.measure,
            f"{each.common:,}",
            *(_decimal(value) for value in (each.first, each.second, each.difference)),
            _interval(each.interval),
            _p(each.p),
        )
        for each in compared.found
    ]
    title = f"first: {visible(compared.first)}\nsecond: {visible(compared.second)}"
    return [title, table(header, rows, "<<>>>>>>", columns)]


def _about_pairs(rules: Rules, results: Sequence[PairsResult]) -> str:
    """Say what the numbers about word pairs are."""
    text = "Spearman: rank correlation of cosine and score; equal values share their mean rank. "
    text += "found: pairs with both words in the model; the others "
    text += "are left out (--oov skip)." if rules.oov == "skip" else "have cosine 0 (--oov zero)."
    if rules.resamples:
        text += f" 95 %: bootstrap, {rules.resamples:,} resamples, seed {rules.seed}"
        fewest = min(each.interval.resamples if each.interval else 0 for each in results)
        if fewest < rules.resamples:
            text += f"; those without a correlation are left out, so that {fewest:,} or more count"
        text += "."
    return text


def _about_analogies(rules: Rules) -> str:
    """Say what the numbers about analogies are."""
    text = "Analogies, found: questions with all four words among the first "
    text += f"{rules.restrict:,} of the model, which are also the answers to choose from; the "
    text += "others "
    text += "are left out (--oov skip)." if rules.oov == "skip" else "count as wrong (--oov zero)."
    return text + " 95 %: Wilson's interval, as if no two questions shared a word."


def _about_comparisons(rules: Rules, found: Evaluation) -> str:
    """Say what was compared, and how."""
    tests = []
    if found.pairs and rules.resamples:
        tests.append(
            "of Spearman by a bootstrap that draws the same pairs for both "
            f"({rules.resamples:,} resamples, seed {rules.seed})"
        )
    if found.analogies:
        tests.append("of analogies by McNemar's exact test")
    text = "Models are compared on what counts for both (both)."
    if tests:
        text += f" p: how rare so large a difference is by chance; {', '.join(tests)}. "
        text += "No allowance is made for testing more than once."
    return text


def _decimal(value: float | None) -> str:
    return NONE if value is None else f"{round(value, 3) + 0:.3f}"  # no -0.000


def _percent(share: float | None) -> str:
    return NONE if share is None else f"{100 * share:.1f}"


def _range(low: float | None, high: float | None, write: Callable[[float | None], str]) -> str:
    """Write an interval."""
    return NONE if low is None else f"{write(low)} to {write(high)}"


def _interval(interval: Interval | None) -> str:
    return NONE if interval is None else _range(interval.low, interval.high, _decimal)


def _p(p: float | None) -> str:
    if p is None:
        return NONE
    return "<0.001" if p < 0.001 else f"{p:.3f}"


def tell_of_reading(asked: Pairs | Analogies) -> None:
    """Say how many lines of a file were passed over, and which of many columns has the scores."""
    skipped = [f"{name} {n}" for name, n in asked.skipped._asdict().items() if n]
    if skipped:
        tell(f"{asked.file}: lines passed over ({', '.join(skipped)})")
    if isinstance(asked, Pairs) and asked.column is not None:
        tell(f"{asked.file}: the scores are those of the column {asked.column}")
