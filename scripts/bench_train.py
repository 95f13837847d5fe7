"""Trains with cbow, gensim and fastText on one text, in one go; prints what each took and gave.

    python scripts/bench_train.py corpus.txt --pairs WS353.txt SimLex.txt --analogies questions.txt

Both read the same file of lower-case words between spaces, made before the clock starts. Every
is a process of its own, with two threads; runs of the two take turns. A JSON line tells the
machine, one each run, and one the medians with the smallest and the largest. *whole* is the
command from start to end, *training* the epochs alone. Similarity is the mean Spearman
correlation, times 100, over the files of word pairs; analogies the per cent right by 3CosAdd,
asked where all four words are among the 30,000 most frequent. Needs the extra `bench`, and for
--fasttext its package, which is built from source; fastText takes no seed.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from importlib.metadata import distributions
from pathlib import Path

import numpy as np

import cbow
from cbow.evaluation import evaluate

TOP = 30_000

#: What each run says at its end: the most memory it had, from the system's own account. (What a
#: parent is told of its children counts the parent's memory in.)
PEAK = """
def peak():
    with open("/proc/self/status") as status:
        lines = dict(line.split(":", 1) for line in status)
    return round(int(lines["VmHWM"].split()[0]) / 1000, 1)
"""

CBOW = """
import json, sys, numpy, numba, scipy.linalg, scipy.sparse
import cbow.training
imports = peak()
from cbow.cli.train import main
code = main()
print(json.dumps({"peak_MB": peak(), "of_which_imports_MB": imports}))
sys.exit(code)
"""

#: gensim's best trade-off on the classics corpus of those that were tried.
GENSIM = """
import sys, time, json
from gensim.models import Word2Vec
from gensim.models.word2vec import LineSentence
text, out, seed, threads, epochs, settings = sys.argv[1:]
given = dict(sg=0, vector_size=100, window=5, min_count=5, sample=1e-4, negative=5, alpha=0.05)
given.update(json.loads(settings))
model = Word2Vec(**given, workers=int(threads), seed=int(seed))
model.build_vocab(LineSentence(text))
began = time.perf_counter()
model.train(LineSentence(text), total_examples=model.corpus_count, epochs=int(epochs))
training = time.perf_counter() - began
model.wv.save_word2vec_format(out, binary=True)
print(json.dumps({"training": round(training, 2), "peak_MB": peak()}))
"""


#: fastText as it comes, but for the threads. Its clock counts what reads the text, too. (With fewer
#: than ten it leaves part of its input matrix as memory was: each fills a tenth.)
FASTTEXT = """
import sys, time, json
import fasttext
text, out, threads, settings = sys.argv[1:]
given = {"model": "cbow", "epoch": 5, "thread": int(threads), **json.loads(settings)}
began = time.perf_counter()
model = fasttext.train_unsupervised(text, verbose=0, **given)
training = time.perf_counter() - began
model.save_model(out)
print(json.dumps({"training": round(training, 2), "epochs": given["epoch"], "peak_MB": peak()}))
"""


def main() -> None:
    """Run all, in turns, and print."""
    arguments = parse()
    print(json.dumps(machine()), flush=True)
    with tempfile.TemporaryDirectory() as folder:
        text, tokens = Path(folder, "text.txt"), 0
        with open(arguments.corpus, encoding="utf-8") as source, text.open("w") as target:
            for line in source:
                words = cbow.tokenize(line)
                tokens += len(words)
                print(*words, file=target)
        results: dict[str, list[dict]] = {}
        for seed in range(1, arguments.seeds + 1):
            for name, run in contenders(arguments):
                result = {"run": name, "seed": seed, **run(text, Path(folder), seed)}
                result["tokens_per_second"] = round(result["epochs"] * tokens / result["training"])
                print(json.dumps(result), flush=True)
                results.setdefault(name, []).append(result)
    for name, runs in results.items():
        print(json.dumps({"median": name, **spread(runs)}), flush=True)


def parse() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("corpus", help="a text file")
    parser.add_argument("--pairs", nargs="*", default=[], help="files of: word word score")
    parser.add_argument("--analogies", help="a file of: a is to b as c is to d; a b c d")
    parser.add_argument("--seeds", type=int, default=3, help="runs of each (default: 3)")
    parser.add_argument("--threads", type=int, default=2, help="of each (default: 2)")
    parser.add_argument(
        "--cbow", action="append", metavar="FLAGS",
        help="flags of cbow-train, as one word; may be repeated (default: none)",
    )  # fmt: skip
    parser.add_argument(
        "--gensim", action="append", metavar="JSON",
        help='settings of Word2Vec, such as \'{"negative": 10}\', with "epochs" too; may be '
        "repeated (default: {}); none leaves gensim out",
    )  # fmt: skip
    parser.add_argument(
        "--fasttext", action="append", metavar="JSON",
        help="settings of train_unsupervised, such as '{}' or '{\"maxn\": 0}'; may be repeated "
        "(default: fastText is left out)",
    )  # fmt: skip
    parser.add_argument(
        "--beside", metavar="CHECKOUT",
        help="run the cbow of this other checkout too, in turns with the one that is installed",
    )  # fmt: skip
    arguments = parser.parse_args()
    arguments.cbow = arguments.cbow or [""]
    arguments.gensim = ["{}"] if arguments.gensim is None else arguments.gensim
    return arguments


def machine() -> dict[str, object]:
    """Tell where this runs."""
    packages = ("cbow", "fasttext", "gensim", "numpy", "numba", "scipy")
    return {
        "machine": platform.processor() or platform.machine(),
        "processors": os.cpu_count(),
        "load": os.getloadavg()[0],
        "python": platform.python_version(),
        "versions": {each.name: each.version for each in distributions() if each.name in packages},
        "environment": {k: v for k, v in os.environ.items() if k.startswith("OPENBLAS")},
        "left_out": "OPENBLAS_CORETYPE, OPENBLAS_L2_SIZE: unset for the runs",
        "command": sys.argv,
    }


def contenders(arguments):
    """Yield each run by its name."""
    for flags in arguments.cbow:
        for checkout in filter(None, (arguments.beside, Path(cbow.__file__).parents[1])):
            name = f"cbow {flags}".strip() + (f" of {checkout}" if arguments.beside else "")
            yield name, lambda *a, f=flags, c=checkout: run_cbow(arguments, f, c, *a)
    for settings in arguments.fasttext or []:
        yield f"fastText {settings}", lambda *a, s=settings: run_fasttext(arguments, s, *a)
    for settings in arguments.gensim:
        if settings != "none":
            yield f"gensim {settings}", lambda *a, s=settings: run_gensim(arguments, s, *a)


def run_cbow(arguments, flags, checkout, text, folder, seed):
    """Run the cbow-train of a checkout once."""
    out, log = folder / "cbow.safetensors", folder / "log.jsonl"
    command = [
        sys.executable, "-c", PEAK + CBOW,
        str(text), "-o", str(out), "--log-json", str(log), "--quiet",
        "--seed", str(seed), "--threads", str(arguments.threads), *flags.split(),
    ]  # fmt: skip
    cost = measure(command, PYTHONPATH=str(checkout))
    events = [json.loads(line) for line in log.read_text().splitlines()]
    epochs = [event for event in events if event["event"] == "epoch"]
    vectors = cbow.load_vectors(out)
    scores = score(arguments, vectors)
    return {
        **cost, "training": epochs[-1]["seconds"], "epochs": len(epochs),
        "vocabulary": len(vectors), "loss": epochs[-1]["loss"], **scores,
    }  # fmt: skip


def run_gensim(arguments, settings, text, folder, seed):
    """Run gensim once."""
    from gensim.models import KeyedVectors

    given = json.loads(settings)
    epochs = given.pop("epochs", 5)
    out = folder / "gensim.bin"
    command = [
        sys.executable, "-c", PEAK + GENSIM, str(text), str(out), str(seed), str(arguments.threads),
        str(epochs), json.dumps(given),
    ]  # fmt: skip
    cost = measure(command)
    vectors = KeyedVectors.load_word2vec_format(str(out), binary=True)
    scores = score(arguments, cbow.WordVectors(vectors.index_to_key, vectors.vectors))
    return {
        **cost, "epochs": epochs, "vocabulary": len(vectors), **scores,
    }  # fmt: skip


def run_fasttext(arguments, settings, text, folder, seed):
    """Run fastText once."""
    import fasttext

    out = folder / "fasttext.bin"
    more = str(text), str(out), str(arguments.threads), settings
    command = [sys.executable, "-c", PEAK + FASTTEXT, *more]
    cost = measure(command)
    model = fasttext.load_model(str(out))
    words = [word for word in model.words if word != "</s>"]
    vectors = np.array([model.get_word_vector(word) for word in words])
    scores = score(arguments, cbow.WordVectors(words, vectors))
    return {**cost, "vocabulary": len(words), **scores}


def measure(command: list[str], **settings: str) -> dict[str, object]:
    """Return a process's wall time, share of processor time, and what it printed as JSON."""
    unset = ("OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE")
    environment = {k: v for k, v in os.environ.items() if k not in unset} | settings
    began = time.perf_counter()
    with tempfile.TemporaryFile("w+") as said:
        process = subprocess.Popen(command, stdout=said, env=environment)
        _, status, usage = os.wait4(process.pid, 0)
        whole = time.perf_counter() - began
        if status:
            sys.exit(f"{command[:3]} ended with {status}")
        said.seek(0)
        words = said.read()
    return {
        "whole": round(whole, 2),
        "processors_busy": round((usage.ru_utime + usage.ru_stime) / whole, 2),
        **json.loads(words),
    }


def score(arguments, vectors: cbow.WordVectors) -> dict[str, float]:
    """Score vectors, in order of frequency, by similarity and analogies."""
    if not (arguments.pairs or arguments.analogies):
        return {}
    found = evaluate(
        vectors, arguments.pairs, [arguments.analogies] if arguments.analogies else [],
        restrict=TOP, methods=("3CosAdd",), resamples=0,
    )  # fmt: skip
    scores: dict[str, float] = {}
    if found.pairs:
        scores["similarity"] = round(100 * statistics.mean(p.spearman for p in found.pairs), 2)
        scores |= {Path(p.set.file).stem: round(100 * p.spearman, 2) for p in found.pairs}
    for answered in found.analogies:
        accuracy = answered.accuracy("3CosAdd")
        scores["analogies"] = round(100 * accuracy.share, 2)
        scores["questions"] = accuracy.counted
    return scores


def spread(runs: list[dict]) -> dict[str, object]:
    """Return the median of each number, with the smallest and the largest."""
    names = [k for k, v in runs[0].items() if isinstance(v, (int, float)) and k != "seed"]
    return {
        name: [round(f([run[name] for run in runs]), 2) for f in (statistics.median, min, max)]
        for name in names
    }


if __name__ == "__main__":
    main()
