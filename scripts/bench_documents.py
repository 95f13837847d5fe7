"""Tells documents apart by mean vectors and by counted words, and prints how often each is right.

    python scripts/bench_documents.py

The documents are the sentences of ``corpora/alder.txt`` that hold a word of one of two groups, such
as weekdays and seasons; these words are taken out, and a logistic regression has to say which
group it was. Vectors of the whole book are learned from it without these words: their company would
tell the answer. A JSON line for each task and kind of features: the mean of ten repetitions of five
folds, in per cent, with the mean of the smallest and of the largest repetition. Needs the extra
`sklearn`.
"""

import json
import re
from pathlib import Path

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.feature_extraction.text import CountVectorizer, TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import RepeatedStratifiedKFold, cross_val_score
from sklearn.pipeline import make_pipeline

import cbow
from cbow.vectorizer import CBOWVectorizer

CORPUS = Path(__file__).parents[1] / "corpora" / "alder.txt"
TASKS = {
    "weekday or season": [
        "monday tuesday wednesday thursday friday saturday sunday",
        "spring summer autumn winter",
    ],
    "animal or title": [
        "dog cat horse cow sheep goat wolf bear fox deer",
        "king queen prince princess lord lady lords ladies",
    ],
}
SETTINGS = {"dimension": 50, "window": 2, "sample": 0.01, "epochs": 8}
FOLDS, REPEATS = 5, 10


def main() -> None:
    """Score all, and print."""
    folds = RepeatedStratifiedKFold(n_splits=FOLDS, n_repeats=REPEATS, random_state=1)
    for task, groups in TASKS.items():
        documents, y = sentences(groups)
        for name, vectorizer in features(groups).items():
            pipeline = make_pipeline(vectorizer, LogisticRegression(C=100, max_iter=5000))
            right = cross_val_score(pipeline, documents, y, cv=folds)  # (REPEATS * FOLDS,)
            means = 100 * right.reshape(REPEATS, FOLDS).mean(axis=1)  # (REPEATS,)
            line = {"task": task, "documents": len(y), "features": name}
            line["right"] = [round(f(means), 1) for f in (np.mean, np.min, np.max)]
            line["more_frequent"] = round(100 * max(np.mean(y), 1 - np.mean(y)), 1)
            print(json.dumps(line), flush=True)


def features(groups: list[str]) -> dict[str, BaseEstimator]:
    """Return each kind of features by its name."""
    names = set(" ".join(groups).split())
    lines = CORPUS.read_text(encoding="utf-8").splitlines()
    book = [[word for word in cbow.tokenize(line) if word not in names] for line in lines]
    return {
        "TfidfVectorizer": TfidfVectorizer(analyzer=list),
        "CountVectorizer, binary": CountVectorizer(analyzer=list, binary=True),
        "CBOWVectorizer, trained on the documents": CBOWVectorizer(
            batch=64, min_count=2, **SETTINGS
        ),
        "CBOWVectorizer, vectors of the whole book": CBOWVectorizer(
            vectors=cbow.train(book, batch=128, **SETTINGS)
        ),
    }


def sentences(groups: list[str]) -> tuple[list[list[str]], list[int]]:
    """Return the other words of each sentence that knows one group only, and which group."""
    first, second = (set(group.split()) for group in groups)
    documents, y = [], []
    for sentence in re.split(r"(?<=[.!?])\s", CORPUS.read_text(encoding="utf-8")):
        words = cbow.tokenize(sentence)
        if first.isdisjoint(words) != second.isdisjoint(words):
            documents.append([word for word in words if word not in first | second])
            y.append(int(first.isdisjoint(words)))
    return documents, y


if __name__ == "__main__":
    main()
