#!/usr/bin/env python3
"""Time a step under the exact softmax beside its matrix products and PyTorch; print JSON lines.

    scripts/bench_exact.py [--vocabulary 5000 20000 46000] [--batch 1024] [--dimension 100]
        [--threads N] [--runs 15] [--torch PYTHON] [--preload LIBRARY] [--only NAME ...]

Each program is a process of its own that has the same network and the same examples. They take
turns, in each run a few steps each, so that a busy machine slows all of them. The programs:

cbow             this package: loss and gradients of a batch, and the same with a step of Adam
cbow-readable    the specification, cbow.network: numpy, with as many threads in BLAS
products         W2 H, dZ2 Hᵀ and W2ᵀ dZ2 alone, into memory that is there: the best of three ways
torch            PyTorch: EmbeddingBag, ReLU, Linear, cross_entropy, backward; Adam(fused=True)
torch-tuned      the same with an allocator that keeps its memory
torch-compiled   as torch-tuned, by torch.compile

--torch names the Python that has PyTorch, if it is not the one that runs this script. --preload
names an allocator (jemalloc or tcmalloc) for the last two; without it glibc's is told to keep its
memory by environment variables. OPENBLAS_CORETYPE and OPENBLAS_L2_SIZE are shown and unset: where
they do not fit the processor, they halve the speed of products.

The first line tells of the machine; then comes a line for each program and vocabulary: medians and
minima over the runs of milliseconds, the median of processor milliseconds, examples per second,
the most memory of the process, and `to_products`, the median over the runs of the time divided by
that of the products in the same run. `J` shows that all compute the same.
"""

from __future__ import annotations

import argparse
import contextlib
import importlib.metadata
import json
import os
import platform
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any, NamedTuple

import numpy as np

UNSET = "OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE"
REMEMBERED = "BENCH_EXACT_FOUND"  # what those variables were
KEEP = {"MALLOC_MMAP_THRESHOLD_": "4294967296", "MALLOC_TRIM_THRESHOLD_": "4294967296"}
JEMALLOC = {"MALLOC_CONF": "oversize_threshold:1,dirty_decay_ms:-1,muzzy_decay_ms:-1"}
LONGEST = 10  # words in a context
RATE = 1e-6  # small: every measurement is of the same network
WARM = 0.1  # seconds before, for caches to fill and threads to find their processors
REPEATED = 3  # steps that are timed together

Measures = dict[str, Callable[[], Any]]  # by name, what is to be timed; "step" gives J


class Problem(NamedTuple):
    """A network and a batch, the same in every process."""

    table: Any  #: (V, N) W1ᵀ
    b1: Any  #: (N,)
    W2: Any  #: (V, N)
    b2: Any  #: (V,)
    indices: Any  #: words of all contexts
    indptr: Any  #: (m + 1,)
    y: Any  #: (m,)


def draw(V: int, N: int, m: int) -> Problem:
    """Draw a network, and words as often as words of that rank are."""
    random = np.random.default_rng(1)
    share = 1 / np.arange(1, V + 1)
    share /= share.sum()
    sizes = random.integers(1, LONGEST + 1, m)
    return Problem(
        random.uniform(-0.05, 0.05, (V, N)).astype(np.float32),
        np.full(N, 0.1, np.float32),
        random.normal(0, 0.1, (V, N)).astype(np.float32),
        np.log(share).astype(np.float32),
        random.choice(V, sizes.sum(), p=share).astype(np.int32),
        np.concatenate(([0], np.cumsum(sizes))),
        random.choice(V, m, p=share).astype(np.int32),
    )


@contextlib.contextmanager
def cbow(problem: Problem, threads: int) -> Iterator[Measures]:
    """Prepare this package."""
    from cbow.network import Adam, Parameters, cbow_network
    from cbow.system.threads import single_threaded_blas
    from cbow.training.exact.step import Workspace, batch_gradients, batch_loss
    from cbow.training.exact.trainer import update
    from cbow.training.examples import Batch

    table, b1, W2, b2, *batch = problem
    parameters = Parameters(table.T, b1[:, None], W2, b2[:, None])
    workspace = Workspace(cbow_network(), parameters)
    with single_threaded_blas(), ThreadPoolExecutor(threads) as pool:
        adam = Adam(parameters)

        def step() -> Any:
            return batch_gradients(workspace, Batch(*batch), pool)

        yield {
            "step": lambda: step().J,
            "step_and_adam": lambda: update(adam, parameters, step().gradients, RATE, pool),
            "loss": lambda: batch_loss(workspace, Batch(*batch), pool),
        }


@contextlib.contextmanager
def readable(problem: Problem, threads: int) -> Iterator[Measures]:
    """Prepare the specification."""
    from threadpoolctl import threadpool_limits

    from cbow import network

    table, b1, W2, b2, indices, indptr, y = problem
    parameters = network.Parameters(table.T, b1[:, None], W2, b2[:, None])
    adam, relu = network.Adam(parameters), network.cbow_network()
    gradients: Any = None

    def step() -> float:
        nonlocal gradients
        pass_ = network.forward(relu, parameters, network.contexts(indices, indptr, len(W2)))
        gradients = network.backward(relu, parameters, pass_, y)
        return network.cost(relu, pass_, y)

    def step_and_adam() -> None:
        step()
        adam.update(parameters, gradients, RATE)

    with threadpool_limits(threads):
        yield {"step": step, "step_and_adam": step_and_adam}


@contextlib.contextmanager
def products(problem: Problem, threads: int) -> Iterator[Measures]:
    """Prepare the three products, with examples as rows or columns; by numpy or scipy."""
    from scipy.linalg.blas import sgemm
    from threadpoolctl import threadpool_limits

    W2, m = problem.W2, len(problem.y)
    (V, N), random = W2.shape, np.random.default_rng(2)
    HT = random.uniform(0, 1, (m, N)).astype(np.float32)
    memory = np.zeros(V * m, np.float32)
    ZT, Z = memory.reshape(m, V), memory.reshape(V, m)
    dW2, dHT = np.zeros((V, N), np.float32), np.zeros((m, N), np.float32)

    def rows() -> None:
        np.matmul(HT, W2.T, out=ZT)
        np.matmul(ZT.T, HT, out=dW2)
        np.matmul(ZT, W2, out=dHT)

    def columns() -> None:
        np.matmul(W2, HT.T, out=Z)
        np.matmul(Z, HT, out=dW2)
        np.matmul(Z.T, W2, out=dHT)

    def by_scipy() -> None:
        """As `rows`: Fortran order, so all is transposed."""
        sgemm(1, W2.T, HT.T, trans_a=1, c=ZT.T, overwrite_c=1)
        sgemm(1, HT.T, ZT.T, trans_b=1, c=dW2.T, overwrite_c=1)
        sgemm(1, W2.T, ZT.T, c=dHT.T, overwrite_c=1)

    with threadpool_limits(threads):
        yield {"rows": rows, "columns": columns, "by_scipy": by_scipy}


@contextlib.contextmanager
def torch_eager(problem: Problem, threads: int, *, compiled: bool = False) -> Iterator[Measures]:
    """Prepare PyTorch."""
    import torch

    torch.set_num_threads(threads)
    table, b1, W2, b2, indices, indptr, y = map(torch.from_numpy, problem)
    parameters = [torch.nn.Parameter(array) for array in (table, b1, W2, b2)]
    offsets, y = indptr[:-1].to(indices.dtype), y.long()
    adam = torch.optim.Adam(parameters, lr=RATE, fused=True)
    F = torch.nn.functional

    def loss() -> Any:
        W1T, b1, W2, b2 = parameters
        H = torch.relu(F.embedding_bag(indices, W1T, offsets, mode="mean") + b1)
        return F.cross_entropy(F.linear(H, W2, b2), y)

    cost = torch.compile(loss) if compiled else loss

    def step() -> float:
        adam.zero_grad()
        J = cost()
        J.backward()
        return J.item()  # type: ignore[no-any-return]

    def step_and_adam() -> None:
        step()
        adam.step()

    def loss_alone() -> float:
        with torch.no_grad():
            return cost().item()  # type: ignore[no-any-return]

    yield {"step": step, "step_and_adam": step_and_adam, "loss": loss_alone}


def torch_compiled(problem: Problem, threads: int) -> Any:
    """Prepare PyTorch, compiled."""
    return torch_eager(problem, threads, compiled=True)


PROGRAMS: dict[str, Callable[[Problem, int], Any]] = {
    "products": products,
    "cbow": cbow,
    "cbow-readable": readable,
    "torch": torch_eager,
    "torch-tuned": torch_eager,
    "torch-compiled": torch_compiled,
}


def main() -> int:
    """Parse the command line and run what it asks for."""
    given = parse()
    if given.here:
        work(given)
        return 0
    if any(name in os.environ for name in UNSET):
        start_again_without_them()
    show(machine(given))
    names = [name for name in given.only if not name.startswith("torch") or has_torch(given)]
    if names != given.only:
        print(f"{given.torch} has no PyTorch (pip install torch); left out", file=sys.stderr)
    for V in given.vocabulary:
        found = take_turns(V, names, given)
        for name in names:
            show(summary(name, V, found, given))
    return 0


def parse() -> argparse.Namespace:
    """Parse the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--vocabulary", type=int, nargs="+", default=[5_000, 20_000, 46_000])
    parser.add_argument("--batch", type=int, default=1024)
    parser.add_argument("--dimension", type=int, default=100)
    parser.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument("--runs", type=int, default=15)
    parser.add_argument("--torch", default=sys.executable, help="a Python that has PyTorch")
    parser.add_argument("--preload", help="the shared library of an allocator")
    parser.add_argument("--only", nargs="+", choices=PROGRAMS, default=list(PROGRAMS))
    parser.add_argument("--here", choices=PROGRAMS, help=argparse.SUPPRESS)
    return parser.parse_args()


def work(given: argparse.Namespace) -> None:
    """Be one of the programs: time everything once for each line read."""
    problem = draw(given.vocabulary[0], given.dimension, given.batch)
    with PROGRAMS[given.here](problem, given.threads) as measures:
        for _ in range(2):  # the first time compiles
            J, *_ = [measure() for measure in measures.values()]
        show({"J": J})
        for _ in sys.stdin:
            show({name: time_of(measure) for name, measure in measures.items()})
        show({"peak_mb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000)})


def time_of(measure: Callable[[], Any]) -> tuple[float, float]:
    """Return milliseconds, and those of processors, after going on for `WARM`."""
    until = time.perf_counter() + WARM
    while time.perf_counter() < until:
        measure()
    cpu, begin = time.process_time(), time.perf_counter()
    for _ in range(REPEATED):
        measure()
    seconds, cpu = time.perf_counter() - begin, time.process_time() - cpu
    return 1000 * seconds / REPEATED, 1000 * cpu / REPEATED


def take_turns(V: int, names: list[str], given: argparse.Namespace) -> dict[str, Any]:
    """Start the programs, let them measure in turn, and end them."""
    with contextlib.ExitStack() as stack:
        processes = {name: stack.enter_context(start(name, V, given)) for name in names}
        found: dict[str, Any] = {name: ask(process) for name, process in processes.items()}
        for name in names:
            found[name]["runs"] = []
        for _ in range(given.runs):
            for name, process in processes.items():
                found[name]["runs"].append(ask(process, "measure\n"))
        for name, process in processes.items():
            process.stdin.close()
            found[name] |= ask(process)
    return found


def start(name: str, V: int, given: argparse.Namespace) -> Any:
    """Start a program."""
    python = given.torch if name.startswith("torch") else sys.executable
    sizes = ["--batch", given.batch, "--dimension", given.dimension, "--threads", given.threads]
    command = [python, __file__, "--here", name, "--vocabulary", V, *sizes]
    return subprocess.Popen(
        [str(part) for part in command],
        env={**os.environ, **environment(name, given)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def environment(name: str, given: argparse.Namespace) -> dict[str, str]:
    """Return what is set for a program."""
    threads = {"OMP_NUM_THREADS": str(given.threads)}
    if name not in ("torch-tuned", "torch-compiled"):
        return threads
    return threads | ({"LD_PRELOAD": given.preload, **JEMALLOC} if given.preload else KEEP)


def ask(process: Any, line: str = "") -> dict[str, Any]:
    """Let a program measure, if a line is given, and read its answer."""
    if line:
        process.stdin.write(line)
        process.stdin.flush()
    answer = process.stdout.readline()
    if not answer:
        raise SystemExit(f"a program ended early: {' '.join(process.args)}")
    return json.loads(answer)  # type: ignore[no-any-return]


def summary(name: str, V: int, found: dict[str, Any], given: argparse.Namespace) -> dict[str, Any]:
    """Put the runs of a program into a line."""
    runs = found[name]["runs"]
    line: dict[str, Any] = {"program": name, "V": V, "m": given.batch, "N": given.dimension}
    for measure in runs[0]:
        times = [run[measure][0] for run in runs]
        line[measure] = {
            "ms": round(statistics.median(times), 1),
            "least_ms": round(min(times), 1),
            "cpu_ms": round(statistics.median(run[measure][1] for run in runs), 1),
            "examples_per_second": round(1000 * given.batch / statistics.median(times)),
        }
        if "products" in found:
            line[measure]["to_products"] = ratios(times, found["products"]["runs"])
    line |= {"J": found[name]["J"], "peak_mb": found[name]["peak_mb"]}
    return line | {"environment": environment(name, given), "load": os.getloadavg()[0]}


def ratios(times: list[float], of_products: list[dict[str, Any]]) -> dict[str, float]:
    """Divide times by those of the way to multiply that has the least median."""
    ways = {
        way: [run[way][0] for run in of_products] for way in of_products[0]
    }  # by way, milliseconds
    best = min(ways.values(), key=statistics.median)
    each = [one / other for one, other in zip(times, best, strict=True)]
    return {
        "median": round(statistics.median(each), 2),
        "of_least": round(min(times) / min(min(way) for way in ways.values()), 2),
    }


def machine(given: argparse.Namespace) -> dict[str, Any]:
    """Tell where and with what this runs."""
    with open("/proc/cpuinfo", encoding="utf-8") as lines:
        model = next((line.split(":")[1].strip() for line in lines if "model name" in line), "")
    packages = "cbow", "numpy", "scipy", "numba"
    return {
        "command": " ".join(["scripts/bench_exact.py", *sys.argv[1:]]),
        "date": time.strftime("%Y-%m-%d"),
        "processor": model,
        "processors": len(os.sched_getaffinity(0)),
        "threads": given.threads,
        "load": os.getloadavg()[0],
        "python": platform.python_version(),
        **{name: importlib.metadata.version(name) for name in packages},
        "torch": torch_version(given),
        "unset": json.loads(os.environ.get(REMEMBERED, "{}")),
        "blas": blas(),
    }


def blas() -> list[str]:
    """Name the libraries for products that numpy and scipy have, and the processor they see."""
    import scipy.linalg  # noqa: F401
    from threadpoolctl import threadpool_info

    return [
        f"{library['internal_api']} {library['version']} {library['architecture']}"
        for library in threadpool_info()
        if library["user_api"] == "blas"
    ]


def torch_version(given: argparse.Namespace) -> str | None:
    """Ask the other Python for its PyTorch."""
    ask_it = [given.torch, "-c", "import torch; print(torch.__version__)"]
    answer = subprocess.run(ask_it, capture_output=True, text=True, check=False)
    return answer.stdout.strip() or None


def has_torch(given: argparse.Namespace) -> bool:
    """Whether the other Python has PyTorch."""
    return torch_version(given) is not None


def start_again_without_them() -> None:
    """Run this script anew in an environment without the variables of `UNSET`."""
    found = {name: os.environ[name] for name in UNSET if name in os.environ}
    kept = {name: value for name, value in os.environ.items() if name not in UNSET}
    os.execve(sys.executable, [sys.executable, *sys.argv], kept | {REMEMBERED: json.dumps(found)})


def show(value: dict[str, Any]) -> None:
    """Print a line of JSON at once."""
    print(json.dumps(value), flush=True)


if __name__ == "__main__":
    sys.exit(main())
