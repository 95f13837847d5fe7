#!/usr/bin/env python3
"""Hold what is chosen for a text against other settings that take no longer; print JSON lines.

    scripts/bench_defaults.py corpora/alder.txt --families families.txt
    scripts/bench_defaults.py text.txt --first 1000000 --pairs WS353.txt --analogies questions.txt
    scripts/bench_defaults.py manual.de.txt                 any language: twins are made
    scripts/bench_defaults.py shop:200000                   baskets of a made-up shop
    scripts/bench_defaults.py zipf:100000000 --runs rule    time and memory alone

The score of a run is a number from 0 to 100:

- with --pairs and --analogies, the mean of *similarity*, the mean Spearman correlation, times 100,
  and the per cent of the analogies right by 3CosAdd among the 30,000 most frequent words;
- with --families, a file with a family a line, and for a shop, the share of the nearest words of
  each member that are of its family;
- else *twins*: before training each occurrence of some words of middle frequency becomes, by the
  toss of a coin, one of two words. The share of those whose nearest word is their twin.

The runs are the rule and its neighbours: one setting changed at a time, and some pairs. Where
`sample` keeps more of the text or less, the epochs are fitted so that as many tokens are learned
from. `processor_seconds` are those of all threads for the whole training. The first line tells of
the machine, the last how far the rule is behind the best mean of the runs that took no longer
(within a tenth).
"""

from __future__ import annotations

import argparse
import contextlib
import json
import resource
import statistics
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from bench_train import machine, score

import cbow
from cbow.training import Observer, Plan
from cbow.training.defaults import fit
from cbow.training.examples import keep_probability

#: What stands between a word and the number of its twin; no tokenizer of the texts lets it through.
MARK = "¦"

#: Words that get a twin, at most, and how often each comes at least, in tokens and as a share of
#: the text at most.
TWINS, SELDOM, OFTEN = 1_000, 25, 1e-3

#: A shop: of the products of a group, a basket has some; the rest is what everybody buys.
GROUP, BASKET, OWN = 8, (3, 9), 0.3

#: How much longer than the rule a run may take that is compared with it.
SLACK = 1.1


class Chosen(Observer):
    """Keeps the plan."""

    def planned(self, plan: Plan) -> None:
        """Keep it."""
        self.plan = plan


def main() -> None:
    """Train all runs, and print."""
    arguments = parse()
    here = machine()
    del here["left_out"]
    print(json.dumps(here), flush=True)
    with tempfile.TemporaryDirectory() as folder:
        text = Path(folder, "text.txt")
        with text.open("w", encoding="utf-8") as file:
            families = write_text(arguments, file)
        results: dict[str, list[dict[str, Any]]] = {}
        for name, settings in runs(text, arguments):
            for seed in range(1, arguments.seeds + 1):
                result = run(text, arguments, families, {**settings, "seed": seed})
                print(json.dumps({"run": name, "seed": seed, **result}), flush=True)
                results.setdefault(name, []).append(result)
    means = {name: summary(of) for name, of in results.items()}
    for name, mean in means.items():
        print(json.dumps({"mean": name, **mean}), flush=True)
    if "rule" in means and "score" in means["rule"]:
        allowed = SLACK * means["rule"]["processor_seconds"]
        fair = {name: m for name, m in means.items() if m["processor_seconds"] <= allowed}
        fair["rule"] = means["rule"]
        best = max(fair, key=lambda name: fair[name]["score"])
        behind = round(fair[best]["score"] - means["rule"]["score"], 2)
        print(json.dumps({"best": best, "rule_behind": behind}), flush=True)


def parse() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("text", metavar="TEXT", help="a file, shop:TOKENS or zipf:TOKENS")
    parser.add_argument("--first", type=int, metavar="WORDS", help="take only so many words")
    parser.add_argument("--pairs", nargs="*", default=[], help="files of: word word score")
    parser.add_argument("--analogies", help="a file of: a is to b as c is to d; a b c d")
    parser.add_argument("--families", type=Path, help="a file with a family of words a line")
    parser.add_argument("--seeds", type=int, default=1, help="runs of each (default: 1)")
    parser.add_argument("--threads", type=int, default=1, help="of each (default: 1)")
    parser.add_argument(
        "--runs", nargs="+", metavar="RUN",
        help="only these: names of runs, or settings of your own, as epochs=4,learning_rate=0.08",
    )  # fmt: skip
    return parser.parse_args()


def write_text(arguments: argparse.Namespace, file: Any) -> list[list[str]]:
    """Write the text as words between spaces; return the families that are to be found."""
    kind, _, tokens = arguments.text.partition(":")
    if kind == "shop" and tokens.isdigit():
        baskets, families = shop(int(tokens))
        file.writelines(" ".join(basket) + "\n" for basket in baskets)
        return families
    if kind == "zipf" and tokens.isdigit():
        file.writelines(zipf(int(tokens)))
        return []
    lines = list(first_words(arguments.text, arguments.first))
    families = []
    if arguments.families:
        families = [line.split() for line in arguments.families.read_text().splitlines()]
    elif not (arguments.pairs or arguments.analogies):
        lines, families = with_twins(lines)
    file.writelines(" ".join(line) + "\n" for line in lines)
    return families


def first_words(path: str, most: int | None) -> Iterator[list[str]]:
    """Yield the lines of a text as words, until there are as many words as asked for."""
    left = most
    with open(path, encoding="utf-8") as file:
        for line in file:
            words = cbow.tokenize(line)[:left]
            yield words
            if left is not None:
                left -= len(words)
                if left == 0:
                    return


def with_twins(lines: list[list[str]]) -> tuple[list[list[str]], list[list[str]]]:
    """Give some words a twin each; return the new text, and the pairs."""
    counts = Counter(word for line in lines for word in line)
    most = OFTEN * counts.total()
    middle = sorted(word for word, count in counts.items() if SELDOM <= count <= most)
    generator = np.random.default_rng(0)
    some = generator.permutation(middle)[: min(TWINS, len(middle) // 2)].tolist()
    twins = {word: (f"{word}{MARK}1", f"{word}{MARK}2") for word in some}
    coins = iter(generator.integers(0, 2, sum(counts[word] for word in some)).tolist())
    tossed = [
        [twins[word][next(coins)] if word in twins else word for word in line] for line in lines
    ]
    return tossed, [list(pair) for pair in twins.values()]


def shop(tokens: int) -> tuple[list[list[str]], list[list[str]]]:
    """Return baskets, of a group of products each, and the groups; some groups sell far better."""
    generator = np.random.default_rng(0)
    products = max(10 * GROUP, tokens // 60)
    groups = [
        [f"sku{n:07d}" for n in range(begin, begin + GROUP)]
        for begin in range(0, products - GROUP, GROUP)
    ]
    own = len(groups) // 2  # the products of the others are what everybody buys
    share = 1 / np.arange(5, 5 + own)
    everybody = [product for group in groups[own:] for product in group]
    weight = np.cumsum(1 / np.arange(3, 3 + len(everybody)))
    baskets, left = [], tokens
    while left > 0:
        group = groups[generator.choice(own, p=share / share.sum())]
        basket = []
        for chance in generator.random(generator.integers(*BASKET)):
            if chance < OWN:
                basket.append(group[int(chance / OWN * GROUP)])
            else:
                place = np.searchsorted(weight, (chance - OWN) / (1 - OWN) * weight[-1])
                basket.append(everybody[place])
        baskets.append(basket)
        left -= len(basket)
    return baskets, groups[:own]


def zipf(tokens: int, words: int = 250_000, together: int = 10**6) -> Iterator[str]:
    """Yield lines of 20 words, drawn independently by the law of Zipf and Mandelbrot."""
    generator = np.random.default_rng(0)
    weight = np.cumsum(1 / (np.arange(words) + 3.7))
    names = np.array([f"w{n:x}" for n in range(words)])
    for begin in range(0, tokens, together):
        drawn = generator.random(min(together, tokens - begin)) * weight[-1]
        chosen = names[np.searchsorted(weight, drawn)].tolist()
        for start in range(0, len(chosen), 20):
            yield " ".join(chosen[start : start + 20]) + "\n"


def runs(text: Path, arguments: argparse.Namespace) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield the settings of each run by its name."""
    named = neighbours(text)
    for name in arguments.runs or named:
        if name not in named:
            given = (setting.partition("=") for setting in name.split(","))
            named[name] = {key: value_of(value) for key, _, value in given}
        yield name, named[name]


def value_of(text: str) -> Any:
    """Return a setting's value: a number, true, false or null, or else the name that it is."""
    with contextlib.suppress(json.JSONDecodeError):
        return json.loads(text)
    return text


def neighbours(text: Path) -> dict[str, dict[str, Any]]:
    """Return the rule, which is nothing given, and what stands around it."""
    counts = Counter(word for line in text.open(encoding="utf-8") for word in line.split())
    kept = np.array([count for count in counts.values() if count >= cbow.Config().min_count])
    fitted = fit(cbow.Config(), int(kept.sum()), len(kept))

    def share(sample: float) -> float:
        return float((kept * keep_probability(kept, sample)).sum() / kept.sum())

    def sampled(factor: float) -> dict[str, Any]:
        sample = float(f"{factor * fitted.sample:.2g}")
        epochs = fitted.epochs * share(fitted.sample) / share(sample)
        return {"sample": sample, "epochs": max(1, round(epochs))}

    rate, half = fitted.learning_rate, {"epochs": max(1, round(fitted.epochs / 2))}
    return {
        "rule": {},
        "half the epochs": half,
        "a third of sample": sampled(1 / 3),
        "three times sample": sampled(3),
        "a smaller window": {"window": fitted.window - 2},
        "a larger window": {"window": fitted.window + 3},
        "half the rate": {"learning_rate": rate / 2},
        "twice the rate": {"learning_rate": 2 * rate},
        "half the epochs, twice the rate": {**half, "learning_rate": 2 * rate},
        "a third of sample, twice the rate": {**sampled(1 / 3), "learning_rate": 2 * rate},
    }


def run(
    text: Path, arguments: argparse.Namespace, families: list[list[str]], settings: dict[str, Any]
) -> dict[str, Any]:
    """Train once, and score."""
    watch = Chosen()
    began = time.process_time()
    model = cbow.train(
        text, tokenizer="whitespace", threads=arguments.threads, observer=watch, **settings
    )
    seconds = time.process_time() - began
    scores = score(arguments, model.vectors)
    measured = [scores[name] for name in ("similarity", "analogies") if name in scores]
    if families:
        measured = [recovered(model.vectors, families)]
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e6
    plan = watch.plan
    return {
        "tokens": plan.tokens, "words": len(model.vectors), **plan.fitted.settings(),
        "processor_seconds": round(seconds, 1), "peak_MB": round(peak),
        "loss": round(model.report["epochs"][-1]["loss"], 3),
        "unigram": round(plan.baselines.unigram, 3), **scores,
        **({"score": round(statistics.mean(measured), 2)} if measured else {}),
    }  # fmt: skip


def recovered(vectors: cbow.WordVectors, families: list[list[str]], most: int = 5) -> float:
    """Return the per cent of the nearest words of each member that are of its family."""
    shares = []
    for family in families:
        known = {word for word in family if word in vectors}
        nearest = min(most, len(known) - 1)
        for word in known if nearest > 0 else ():
            near = vectors.most_similar(word, topn=nearest)
            shares.append(statistics.mean(other in known for other, _ in near))
    return 100 * statistics.mean(shares)


def summary(results: list[dict[str, Any]]) -> dict[str, Any]:
    """Return the mean of the numbers that differ from seed to seed."""
    names = ("processor_seconds", "similarity", "analogies", "score")
    return {
        name: round(statistics.mean(result[name] for result in results), 2)
        for name in names
        if name in results[0]
    }


if __name__ == "__main__":
    main()
