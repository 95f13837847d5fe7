r"""Score every kind of word vectors of trained models.

    python scripts/bench_embeddings.py 1.safetensors 2.safetensors 3.safetensors \
        --pairs WS353.txt SimLex.txt MTurk.txt --analogies questions.txt

The models are one network trained with several seeds; ``--vectors`` takes those of others, as one
group. A JSON line tells the machine, one the scores of each file and kind, and one, for each kind,
the medians with the smallest and the largest. The measures are those of ``bench_train.py``. *unit
mean* is the mean of the unit rows of both matrices; *joint P* are joint vectors whose singular
values are raised to the power P.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator, Sequence

import numpy as np
from bench_train import machine, score, spread

import cbow
from cbow.vectors.embeddings import embed, joint_vectors
from cbow.vectors.nearest import unit


def main() -> None:
    """Score all, and print."""
    arguments = parse()
    here = machine()
    del here["left_out"]  # there, runs of their own begin without these variables
    print(json.dumps(here), flush=True)
    results: dict[str, list[dict]] = {}
    for path, words, embedding, matrix in sources(arguments):
        scores = score(arguments, cbow.WordVectors(words, matrix))
        print(json.dumps({"embedding": embedding, "file": path, **scores}), flush=True)
        results.setdefault(embedding, []).append(scores)
    for embedding, runs in results.items():
        print(json.dumps({"median": embedding, **spread(runs)}), flush=True)


def parse() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("models", nargs="*", help="files of cbow-train")
    parser.add_argument(
        "--vectors", nargs="*", default=[], help="files of vectors, the most frequent word first"
    )
    parser.add_argument("--pairs", nargs="*", default=[], help="files of: word word score")
    parser.add_argument("--analogies", help="a file of: a is to b as c is to d; a b c d")
    parser.add_argument(
        "--powers", nargs="*", type=float, default=[0.5, 0.7, 0.85, 1.0],
        help="of the singular values of joint vectors (default: 0.5 0.7 0.85 1)",
    )  # fmt: skip
    return parser.parse_args()


def sources(arguments) -> Iterator[tuple[str, Sequence[str], str, np.ndarray]]:
    """Yield each file, its words, and the name of its vectors with the vectors."""
    for path in arguments.models:
        model = cbow.load(path)
        W1T, W2 = model.parameters.W1.T, model.parameters.W2  # (V, N), (V, N)
        for embedding, matrix in embeddings(W1T, W2, arguments.powers):
            yield path, model.vocabulary.words, embedding, matrix
    for path in arguments.vectors:
        vectors = cbow.load_vectors(path)
        yield path, vectors.words, "as read", vectors.matrix


def embeddings(W1T, W2, powers) -> Iterator[tuple[str, np.ndarray]]:
    """Yield the vectors of each kind by name."""
    for kind in ("input", "output", "mean"):
        yield kind, embed(W1T, W2, kind)
    yield "unit mean", (unit(W1T) + unit(W2)) / 2
    for power in powers:
        yield f"joint {power:g}", joint_vectors(W1T, W2, power)


if __name__ == "__main__":
    main()
