r"""Scores every kind of word vectors of trained models, each with every post-processing.

    python scripts/bench_embeddings.py 1.safetensors 2.safetensors 3.safetensors \
        --pairs WS353.txt SimLex.txt MTurk.txt --analogies questions.txt

The models are one network trained with several seeds; ``--vectors`` takes those of others, as one
group. A JSON line tells the machine, one the scores of each, and one, for each combination, the
medians with the smallest and the largest. The measures are those of ``bench_train.py``. *unit mean*
is the mean of the unit rows of both matrices; *joint P* are joint vectors whose singular values are
raised to the power P.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator, Sequence

import numpy as np
from bench_train import machine, score, spread

import cbow
from cbow.vectors.embeddings import embed, joint_vectors
from cbow.vectors.postprocess import centred, unit_rows, without_top_components


def main() -> None:
    """Score all, and print."""
    arguments = parse()
    here = machine()
    del here["left_out"]  # there, runs of their own begin without these variables
    print(json.dumps(here), flush=True)
    results: dict[tuple[str, str], list[dict]] = {}
    for path, words, embedding, raw in sources(arguments):
        for steps, matrix in processed(raw, arguments.components):
            scores = score(arguments, cbow.WordVectors(words, matrix))
            result = {"embedding": embedding, "processing": steps, "file": path, **scores}
            print(json.dumps(result), flush=True)
            results.setdefault((embedding, steps), []).append(result)
    for (embedding, steps), runs in results.items():
        names = {"median": embedding, "processing": steps}
        print(json.dumps({**names, **spread(runs)}), flush=True)


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
    parser.add_argument(
        "--components", nargs="*", type=int, default=[1, 2, 3, 5],
        help="numbers of components to take away (default: 1 2 3 5)",
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
    yield "unit mean", (unit_rows(W1T) + unit_rows(W2)) / 2
    for power in powers:
        yield f"joint {power:g}", joint_vectors(W1T, W2, power)


def processed(matrix, components) -> Iterator[tuple[str, np.ndarray]]:
    """Yield a matrix raw, centred, and without each number of components."""
    yield "raw", matrix
    centre = centred(matrix)
    yield "centred", centre
    for d in components:
        yield f"centred, less {d}", without_top_components(centre, d)


if __name__ == "__main__":
    main()
