"""Asks models of cbow and of gensim for missing words, and prints how much they knew.

    python scripts/bench_center.py corpus.txt

Both are trained on the same file of lower-case words between spaces, with the settings of
``bench_train.py``; the vocabulary is the same. The gaps are drawn from the text as training draws
them: frequent words thinned out, 1 to 5 words on each side. *nats* is the mean of -log p of the
word that stood there, p being what `predict_center` and `predict_output_word` give it; *first* and
*first_10* are the per cent of gaps where it came first, or among the first ten. A JSON line for
each, with the nats of the word frequencies, which need no context. Needs the extra `bench`.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
from gensim.models import Word2Vec
from gensim.models.word2vec import LineSentence

import cbow

WINDOW, SAMPLE, MIN_COUNT, DIMENSION = 5, 1e-4, 5, 100
AT_ONCE = 50  # gaps

Gap = tuple[list[str], str]  # the words around it, and the one that stood there
Predict = Callable[[list[list[str]], int], list[list[tuple[str, float]]]]


def main() -> None:
    """Train, ask, print."""
    arguments = parse()
    with tempfile.TemporaryDirectory() as folder:
        text = Path(folder, "text.txt")
        lines = 0
        with open(arguments.corpus, encoding="utf-8") as source, text.open("w") as target:
            for line in source:
                print(*cbow.tokenize(line), file=target)
                lines += 1
        for seed in range(1, arguments.seeds + 1):
            ours = cbow.train(
                text, epochs=3, window=WINDOW, sample=SAMPLE, min_count=MIN_COUNT, seed=seed,
                dimension=DIMENSION, threads=arguments.threads, learning_rate=0.08,
            )  # fmt: skip
            theirs = Word2Vec(
                LineSentence(str(text)), epochs=5, window=WINDOW, sample=SAMPLE, seed=seed,
                min_count=MIN_COUNT, vector_size=DIMENSION, sg=0, negative=5, alpha=0.05,
                workers=arguments.threads,
            )  # fmt: skip
            gaps = draw(text, lines, ours.vocabulary, arguments.gaps, seed)
            frequencies = ours.report["baselines"]["unigram"]
            both: dict[str, Predict] = {
                "cbow": ours.predict_center,
                "gensim": lambda asked, topn, theirs=theirs: [
                    theirs.predict_output_word(words, topn) for words in asked
                ],
            }
            for name, predict in both.items():
                found = score(predict, gaps, len(ours.vocabulary))
                result = {"model": name, "seed": seed, "gaps": len(gaps), **found}
                print(json.dumps({**result, "word_frequencies": round(frequencies, 3)}), flush=True)


def parse() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("corpus", help="a text file")
    parser.add_argument("--seeds", type=int, default=3, help="models of each (default: 3)")
    parser.add_argument("--gaps", type=int, default=2000, help="missing words (default: 2000)")
    parser.add_argument("--threads", type=int, default=2, help="of each (default: 2)")
    return parser.parse_args()


def draw(text: Path, lines: int, vocabulary: cbow.Vocabulary, count: int, seed: int) -> list[Gap]:
    """Draw gaps, one of a line, as training does."""
    rng = np.random.default_rng(seed)
    wanted = set(rng.permutation(lines)[: 2 * count].tolist())  # some lines are too short
    shares = vocabulary.counts / vocabulary.counts.sum()  # (V,)
    keep = np.sqrt(SAMPLE / shares) + SAMPLE / shares  # (V,)
    gaps: list[Gap] = []
    with text.open() as source:
        for number, line in enumerate(source):
            if number not in wanted:
                continue
            words = [w for w in line.split() if w in vocabulary]
            words = [w for w in words if rng.random() < keep[vocabulary[w]]]
            if len(words) < 2:
                continue
            i, reach = rng.integers(len(words)), rng.integers(1, WINDOW + 1)
            near = words[max(0, i - reach) : i] + words[i + 1 : i + reach + 1]
            gaps.append((near, words[i]))
    return [gaps[i] for i in rng.permutation(len(gaps))[:count]]


def score(predict: Predict, gaps: list[Gap], V: int) -> dict[str, float]:
    """Ask for each gap, and look where the word that stood there is."""
    nats, ranks = [], []
    for start in range(0, len(gaps), AT_ONCE):
        asked = gaps[start : start + AT_ONCE]
        for guesses, (_, wanted) in zip(
            predict([near for near, _ in asked], V), asked, strict=True
        ):
            rank = next(i for i, (word, _) in enumerate(guesses) if word == wanted)
            ranks.append(rank)
            nats.append(-np.log(guesses[rank][1]))
    return {
        "nats": round(float(np.mean(nats)), 3),
        "first": round(100 * float(np.mean(np.array(ranks) == 0)), 1),
        "first_10": round(100 * float(np.mean(np.array(ranks) < 10)), 1),
    }


if __name__ == "__main__":
    main()
