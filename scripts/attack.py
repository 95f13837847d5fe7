#!/usr/bin/env python3
"""Attack the package, for as long as you like, and count what it did not bear.

    scripts/attack.py all                      every attack, 20 rounds each
    scripts/attack.py kills fuzz --rounds 100 --seed 7 --json
    scripts/attack.py fuzz --seed 7 --first 42 --rounds 1     one round again

    kills     cbow-train killed at random moments, with nothing compiled or all, and resumed
    calls     a writer of each kind killed at each of its calls to the system (with strace where
              it is installed, else at each event that Python reports)
    signals   SIGINT, SIGTERM and SIGHUP for every command, from its start on, once and twice
    fuzz      damaged models, checkpoints, vectors, pairs, analogies, texts and queries
    bombs     files made to fill the memory, and values of a megabyte, under a limit of memory
    disks     full, read-only and lost folders and drives without fsync, for every writer
    caches    compiled code damaged, opened to others, removed and written by two at once

What a round does depends on the seed, the attack and its number alone, but for how the system
schedules processes. A round may consist of several tries; both are counted. The exit status is 1 if
anything failed. Nothing is needed but the repository and a place for temporary files.
"""

from __future__ import annotations

import argparse
import bz2
import contextlib
import errno
import functools
import gzip
import hashlib
import importlib
import itertools
import json
import lzma
import os
import random
import re
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import tomllib
import traceback
import warnings
import zipfile
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, NamedTuple, NoReturn

import fuzz_formats
import numpy as np
import zstandard

import cbow
from cbow.system import safetensors_file
from cbow.training import Observer
from cbow.vectors import formats

ROOT = Path(cbow.__file__).parents[1]
ALDER, PAIRS, ANALOGIES = (ROOT / "corpora" / f"{n}.txt" for n in ("alder", "pairs", "analogies"))

#: Commands by name: the module and the function where each starts.
COMMANDS = {
    name.removeprefix("cbow-"): place.split(":")
    for name, place in tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"][
        "scripts"
    ].items()
}

#: Seconds after which a command hangs.
PATIENCE = 240

#: Characters that a complaint may have.
LONGEST = 2000


class Skip(Exception):
    """A round cannot be made here."""


# -- running commands --------------------------------------------------------------------------


class Ended(NamedTuple):
    """How a command ended."""

    code: int  #: below 0: by that signal
    out: str
    err: str


def check(holds: Any, *what: object) -> None:
    """Fail the round unless something holds."""
    if not holds:
        raise AssertionError("; ".join(str(each)[-1500:] for each in what))


def environment(folder: Path, **more: str) -> dict[str, str]:
    """Return an environment in which temporary files and homes lie below a folder."""
    (folder / "tmp").mkdir(exist_ok=True)
    (folder / "home").mkdir(exist_ok=True)
    names = {"TMPDIR": folder / "tmp", "HOME": folder / "home", "PYTHONPATH": ROOT}
    return {**os.environ, **{name: str(path) for name, path in names.items()}, **more}


def started(
    name: str, arguments: Sequence[object], folder: Path, **more: Any
) -> subprocess.Popen[str]:
    """Start a command in a process of its own, in a folder."""
    module, function = COMMANDS[name]
    # As the script that pip installs; a byte on descriptor `TOLD` says that the command begins.
    code = (
        "import os, sys\n"
        f"from {module} import {function}\n"
        f"sys.argv[0] = 'cbow-{name}'\n"
        "if told := os.environ.pop('TOLD', None): os.write(int(told), b'.')\n"
        f"sys.exit({function}())"
    )
    return subprocess.Popen(
        [sys.executable, "-c", code, *map(str, arguments)],
        cwd=folder, text=True, errors="replace", stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        **{"env": environment(folder.parent), "stdin": subprocess.DEVNULL, **more},
    )  # fmt: skip


def ended(process: subprocess.Popen[str]) -> Ended:
    """Wait for a process; fail the round if it hangs."""
    try:
        out, err = process.communicate(timeout=PATIENCE)
    except subprocess.TimeoutExpired:
        process.kill()
        process.communicate()
        raise AssertionError(f"hangs: {process.args[3:]}") from None  # type: ignore[index]
    return Ended(process.returncode, out, err)


def forked(
    work: Callable[[], object], folder: Path, memory: int | None = None, given: bytes = b""
) -> Ended:
    """Do work in a child, which has all modules and kernels already; fail the round if it hangs.

    Parameters
    ----------
    work : callable
        Its result is the exit code.
    folder : Path
        Where it is done.
    memory : int, optional
        Bytes that it may take beyond what this process has.
    given : bytes, optional
        The standard input.
    """
    with tempfile.TemporaryFile() as stdin, ThreadPoolExecutor(2) as readers:
        stdin.write(given)
        stdin.seek(0)
        pipes = [os.pipe(), os.pipe()]  # no files: their size may be limited
        process = os.fork()
        if not process:
            _be_child(work, folder, memory, [stdin.fileno(), *(inlet for _, inlet in pipes)])
        for _, inlet in pipes:
            os.close(inlet)
        texts = [readers.submit(_read_all, outlet) for outlet, _ in pipes]
        code = waited(process)
        return Ended(code, *(text.result() for text in texts))


def _be_child(
    work: Callable[[], object], folder: Path, memory: int | None, streams: Sequence[int]
) -> NoReturn:
    """Do what `forked` does in the child, and end the process."""
    code = 70
    try:
        for number, stream in enumerate(streams):
            os.dup2(stream, number)
        os.closerange(3, 100)
        sys.stdin, sys.stdout, sys.stderr = (
            open(n, "r" if n == 0 else "w", encoding="utf-8", closefd=False)  # noqa: SIM115
            for n in range(3)
        )
        os.environ.update(environment(folder.parent))
        tempfile.tempdir = None
        os.chdir(folder)
        if memory is not None:
            pages = int(Path("/proc/self/statm").read_text().split()[0])
            limit = pages * resource.getpagesize() + memory
            resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
        code = int(work() or 0)  # type: ignore[call-overload]
        sys.stdout.flush()
    except BaseException:
        traceback.print_exc()
    finally:
        with contextlib.suppress(BaseException):
            sys.stderr.flush()
        os._exit(code)


def _read_all(outlet: int) -> str:
    """Read a pipe to its end."""
    with open(outlet, "rb") as file:
        return file.read().decode(errors="replace")


def waited(process: int) -> int:
    """Wait for a child and return its exit code; fail the round if it hangs."""
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        pid, status = os.waitpid(process, os.WNOHANG)
        if pid:
            return os.waitstatus_to_exitcode(status)
        time.sleep(0.005)
    os.kill(process, signal.SIGKILL)
    os.waitpid(process, 0)
    raise AssertionError("hangs")


def called(name: str, arguments: Sequence[object], folder: Path, **limits: Any) -> Ended:
    """Call a command in a child, see that it ends as commands do, and return how."""
    main = importlib.import_module(f"cbow.cli.{name}").main
    result = forked(lambda: main([str(each) for each in arguments]), folder, **limits)
    told = f"cbow-{name} {' '.join(str(each)[:80] for each in arguments)}: exit {result.code}"
    check(result.code in (0, 1, 2), told, result.err)
    check("Traceback" not in result.err, told, result.err)
    if result.code:
        complaints = re.findall(r"^cbow-\w+(?: \w+)?: error: .*", result.err, re.MULTILINE)
        check(complaints, told, "no sentence", result.err)
    check(len(result.err) < LONGEST, told, f"{len(result.err)} characters", result.err[:500])
    return result


def digest(path: Path) -> str:
    """Return the SHA-256 of a model's parameters."""
    parameters = cbow.load(path).parameters
    return hashlib.sha256(b"".join(each.tobytes() for each in parameters)).hexdigest()


def listing(folder: Path) -> list[str]:
    """Return the names of all that is in a folder, and below it."""
    return sorted(str(each.relative_to(folder)) for each in folder.rglob("*"))


# -- what is attacked --------------------------------------------------------------------------

#: Where the files that rounds share are made.
MATERIAL = Path(tempfile.gettempdir(), f"cbow-attack-{os.getpid()}")

SMALL = [
    *["--dimension", "8", "--epochs", "2", "--min-count", "2", "--seed", "3"],
    *["--quiet", "--objective"],
]
OBJECTIVES = {"exact": ["exact", "--batch", "256"], "sampled": ["sampled", "--block", "64"]}


class Dies(Observer):
    """Ends the process after a checkpoint in the second epoch."""

    epochs = 0

    def finished_epoch(self, epoch: Any) -> None:
        """Count."""
        self.epochs += 1

    def checkpointed(self, trouble: Any) -> None:
        """End the process."""
        if self.epochs:
            os._exit(9)


@functools.cache
def material() -> Path:
    """Make a model, its vectors in each format and a checkpoint; return their folder.

    It is done in this process, which so has all kernels, and its children too.
    """
    folder = MATERIAL / "files"
    folder.mkdir(parents=True)
    for objective in OBJECTIVES:
        path = folder / f"{objective}.safetensors"
        main = importlib.import_module("cbow.cli.train").main
        check(main([str(ALDER), "-o", str(path), *SMALL, *OBJECTIVES[objective]]) == 0)
    shutil.copy(folder / "sampled.safetensors", folder / "m.safetensors")
    model = cbow.load(folder / "m.safetensors")
    for name, place in PLACES.items():
        model.vectors.save(folder / place, format=name)
        formats.read(folder / place)
    settings = {"objective": "sampled", "dimension": 8, "epochs": 2, "min_count": 2, "block": 64}
    code = forked(
        lambda: cbow.train(
            str(ALDER), **settings, checkpoint=folder / "c.checkpoint", checkpoint_every=0,
            observer=Dies(),
        ),
        folder,
    ).code  # fmt: skip
    check(code == 9, f"no checkpoint: exit {code}")
    cbow.resume(folder / "c.checkpoint").save(folder / "resumed.safetensors")
    shutil.copytree(fuzz_formats.GOLDEN, folder / "golden")
    return folder


#: A name for vectors in each format.
PLACES = {
    "word2vec-text": "v.txt",
    "word2vec-binary": "v.bin",
    "fasttext": "v.vec.gz",
    "glove": "glove.txt",
    "projector": "v.tsv",
    "npz": "v.npz",
    "safetensors": "v.safetensors",
    "model2vec": "v",
}


# -- kills -------------------------------------------------------------------------------------


def kills(number: int, source: random.Random, folder: Path) -> int:
    """Kill a training at random moments, and resume it at other numbers of threads."""
    objective = list(OBJECTIVES)[number % 2]
    cold = number % 4 >= 2
    shutil.copy(ALDER, folder / "text.txt")
    command: list[object] = [
        "text.txt", "-o", "m.safetensors", *SMALL, *OBJECTIVES[objective],
        "--checkpoint-every", "0", "--threads", source.randint(1, 3),
    ]  # fmt: skip
    first = list(command)
    checkpoint = folder / "m.safetensors.checkpoint"
    tries = 0
    # The first process finds nothing compiled in every other pair of rounds; those behind it do.
    settings = {"NUMBA_CACHE_DIR": str(folder.parent / "cache")} if cold else {}
    for _ in range(source.randint(1, 3)):
        process = started("train", command, folder, env=environment(folder.parent, **settings))
        if source.random() < 0.6:  # else in the first seconds, where modules are loaded
            end = time.monotonic() + PATIENCE
            while process.poll() is None and not checkpoint.exists() and time.monotonic() < end:
                time.sleep(0.002)
            time.sleep(source.uniform(0, 0.5))
        else:
            time.sleep(source.uniform(0, 4))
        process.kill()
        result = ended(process)
        check(result.code in (0, -signal.SIGKILL), result)
        tries += 1
        if result.code == 0:
            break
        threads = source.randint(1, 3)
        command = [*first[:-1], threads]
        if checkpoint.exists():
            command = ["--resume", checkpoint.name, "--quiet", "--threads", threads]
        settings = {}
    else:
        result = ended(started("train", command, folder))
        check(result.code == 0 and not result.err, command, result)
    check(
        digest(folder / "m.safetensors") == digest(material() / f"{objective}.safetensors"),
        f"other parameters, {objective}, {'cold' if cold else 'warm'}, last: {command}",
    )
    check(listing(folder) == ["m.safetensors", "text.txt"], listing(folder))
    left = listing(folder.parent / "tmp")
    check(not left, "left in the temporary folder", left)
    return tries


# -- kills by call to the system ---------------------------------------------------------------

CALLS = [
    *["openat", "write", "pwrite64", "fsync", "rename", "renameat2", "unlink", "unlinkat"],
    *["rmdir", "mkdir", "chmod", "chown", "flock"],
]


def calls(number: int, source: random.Random, folder: Path) -> int:
    """Kill a writer at each of its calls of one kind."""
    strace = shutil.which("strace")
    kinds = [*PLACES, "model", "checkpoint"]
    kind = kinds[number % len(kinds)]
    call = CALLS[number // len(kinds) % len(CALLS)] if strace else "any event"
    path = folder / PLACES.get(kind, f"{kind}.safetensors")
    before = source.random() < 0.7
    versions = {name: written(kind, name) for name in ("old", "new", "next")}
    for K in itertools.count(1):
        shutil.rmtree(folder)
        folder.mkdir()
        if before:
            versions["old"](path)
        code = killed(functools.partial(versions["new"], path), K, call, strace)
        check(code in (0, -signal.SIGKILL), f"{kind}, {call} {K}: exit {code}")
        now = content(kind, path)
        allowed = ["new", "old" if before else None] if code else ["new"]
        check(now in allowed, f"{kind}, {call} {K}: there is {now}", listing(folder))
        versions["next"](path)
        check(content(kind, path) == "next", f"{kind}, {call} {K}: next is not there")
        parts = {path.name, *(each.name for each in formats.FORMATS[kind].outputs(path))}
        more = set(os.listdir(folder)) - parts
        check(not more, f"{kind}, {call} {K}: left over", more)
        if code == 0:
            return K
    raise AssertionError


def written(kind: str, name: str) -> Callable[[Path], object]:
    """Return a function that writes a file of a kind; `content` finds `name` in it."""
    words = [name, *(f"w{i}" for i in range(40))]
    matrix = np.arange(41 * 6, dtype=np.float32).reshape(41, 6) + len(name)
    if kind in PLACES:
        return lambda path: formats.write(path, words, matrix, format=kind)
    stored = safetensors_file.read(material() / "c.checkpoint", check=2**40)
    if kind == "checkpoint":
        tensors = {**stored.tensors, "name": np.frombuffer(name.encode(), np.uint8)}
        return lambda path: safetensors_file.write(path, tensors, stored.metadata)
    model = cbow.load(material() / "m.safetensors")
    model.report["name"] = name
    return model.save


def content(kind: str, path: Path) -> str | None:
    """Return which file is there, all of which is read; None if there is none."""
    if kind in PLACES:
        with contextlib.suppress(cbow.errors.ModelFileError):
            read = formats.read(path)
            check(len(read.words) == 41 and float(read.matrix[40, 5]) == 245 + len(read.words[0]))
            return read.words[0]
        return "damaged" if os.path.lexists(path) else None
    if not path.exists():
        return None
    if kind == "checkpoint":
        return safetensors_file.read(path, check=2**40).tensors["name"].tobytes().decode()
    name: str = cbow.load(path).report["name"]
    return name


def killed(work: Callable[[], object], K: int, call: str, strace: str | None) -> int:
    """Work in a process that is killed as it enters its call of that number; return its code."""
    inlet, outlet = os.pipe()
    process = os.fork()
    if not process:
        code = 70
        try:
            if strace:
                os.read(inlet, 1)
            else:
                sys.addaudithook(_killer(K))
            work()
            code = 0
        except BaseException:
            traceback.print_exc()
        finally:
            os._exit(code)
    if not strace:
        return waited(process)
    tracer = subprocess.Popen(
        [strace, "-f", "-p", str(process), "-o", os.devnull,
         "-e", f"trace=?{call}", "-e", f"inject=?{call}:signal=KILL:when={K}"],
        stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert tracer.stderr is not None
    said = tracer.stderr.readline()
    if "attached" not in said:
        os.kill(process, signal.SIGKILL)
        waited(process)
        raise Skip(f"strace cannot trace: {said.strip()}")
    os.write(outlet, b".")
    os.close(outlet)
    os.close(inlet)
    code = waited(process)
    tracer.communicate()
    return code


def _killer(K: int) -> Callable[[str, Any], None]:
    """Return an audit hook that kills the process at the K-th event that concerns files."""
    left = K

    def hook(event: str, _: Any) -> None:
        nonlocal left
        if event.startswith(("os.", "shutil.", "open", "fcntl.")):
            left -= 1
            if not left:
                os.kill(os.getpid(), signal.SIGKILL)

    return hook


# -- signals -----------------------------------------------------------------------------------


def patient(made: Path) -> dict[str, list[object]]:
    """Return arguments for each command with which it takes a while."""
    model = made / "m.safetensors"
    train = [ALDER, "-o", "m.safetensors", *SMALL, "sampled", "--checkpoint-every", "0"]
    train[train.index("--epochs") + 1] = "4000"
    return {
        "train": [*train, "--log-json", "log"],
        "nearest": [model],
        "explore": [model, "--layout", "pca"],
        "evaluate": [
            *[model, model, "--pairs", PAIRS, "--analogies", ANALOGIES, "--resamples", 200000]
        ],
        "convert": [model, "v.txt"],
        "plot": ["words", model, "-o", "w.svg"],
        "explain": ["--html", "page.html"],
        "gradcheck": ["--dimension", 50, "--vocabulary", 200, "--batch", 4],
    }


def signals(number: int, source: random.Random, folder: Path) -> None:
    """Send a command a signal, or two, at a random moment."""
    # Every other round a training, which has something to lose.
    commands = patient(material())
    name = "train" if number % 2 else list(commands)[number // 2 % len(commands)]
    way = source.choice(["once", "twice", "ignored"])
    sent = source.choice([signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
    if way == "ignored" and sent == signal.SIGINT:
        sent = signal.SIGTERM
    delay = source.uniform(0, 3)
    inlet, outlet = os.pipe()
    handler = signal.SIG_IGN if way == "ignored" else signal.SIG_DFL

    def as_a_shell_does() -> None:
        # A job in the background ignores Ctrl-C, and so would its children.
        signal.signal(signal.SIGINT, handler)

    process = started(
        name, commands[name], folder, stdin=subprocess.PIPE, preexec_fn=as_a_shell_does,
        pass_fds=[outlet], env=environment(folder.parent, TOLD=str(outlet)),
    )  # fmt: skip
    os.close(outlet)
    time.sleep(delay)
    began = has_epoch(folder / "log")
    if way == "ignored":
        process.send_signal(signal.SIGINT)
        time.sleep(0.05)
    process.send_signal(sent)
    if way == "twice":
        time.sleep(source.uniform(0, 0.1))
        process.send_signal(sent)
    result = ended(process)
    ready = os.read(inlet, 1) == b"."
    os.close(inlet)
    told = f"cbow-{name}, {sent.name} {way} after {delay:.2f} s: exit {result.code}"
    if not ready:  # Python was starting; the package cannot handle a signal there
        raise Skip("ended before the command began")
    check(result.code in (0, 130), told, result.err)
    check("Traceback" not in result.err, told, result.err)
    lines = result.err.splitlines()
    check(sum(": error: " in line for line in lines) <= 1, told, result.err)
    if result.code == 130 and name != "train":
        check(lines and lines[-1] == f"cbow-{name}: error: interrupted", told, result.err)
    if name == "train" and began:
        kept = [*folder.glob("m*.safetensors"), *folder.glob("*.checkpoint")]
        check(kept, told, "neither a model nor a checkpoint", listing(folder), result.err)
        for path in kept:
            safetensors_file.read(path, check=2**40)
    if way != "twice":  # the second signal may leave temporary files to the next run
        left = [each for each in listing(folder.parent) if each.endswith((".tmp", ".new"))]
        check(not left, told, left)


def has_epoch(log: Path) -> bool:
    """Whether a training has told of an epoch."""
    return log.exists() and '"event": "epoch"' in log.read_text("utf-8")


# -- fuzz --------------------------------------------------------------------------------------

MEMORY = 2**31


def fuzz(number: int, source: random.Random, folder: Path) -> None:
    """Read a damaged file."""
    kinds = ["vectors", "model", "checkpoint", "pairs", "analogies", "text", "table", "queries"]
    kind = kinds[number % len(kinds)]
    made = material()
    damaged = fuzz_formats.damaged
    if kind == "vectors":
        name = list(fuzz_formats.READERS)[number // len(kinds) % len(fuzz_formats.READERS)]
        seed = str(source.random())
        reader = fuzz_formats.READERS[name]
        result = forked(lambda: fuzz_formats.one_run(reader, seed, folder), folder, memory=MEMORY)
        check(result.code == 0, f"{name}: exit {result.code}", result.err)
        return
    if kind == "model":
        path = folder / "m.safetensors"
        path.write_bytes(damaged((made / path.name).read_bytes(), source))
        command = source.choice(
            [["nearest", path.name, "the", "--json"], ["convert", path.name, "v.txt"],
             ["convert", "--check", path.name], ["plot", "loss", path.name, "-o", "l.svg"]]
        )  # fmt: skip
        result = called(command[0], command[1:], folder, memory=MEMORY)
        if result.code == 0:  # then nothing that matters was damaged
            right = folder / "right"
            right.mkdir()
            shutil.copy(made / path.name, right)
            expected = called(command[0], command[1:], right)
            check(result.out == expected.out, f"{command}: another answer", result.out)
            for each in right.iterdir():
                if each.name != path.name:
                    same = each.read_bytes() == (folder / each.name).read_bytes()
                    check(same, f"{command}: another {each.name}")
        return
    if kind == "checkpoint":
        path = folder / "c.checkpoint"
        path.write_bytes(damaged((made / path.name).read_bytes(), source))
        arguments = ["--resume", path.name, "-o", "m.safetensors", "--quiet"]
        if called("train", arguments, folder, memory=MEMORY).code == 0:
            right = digest(made / "resumed.safetensors")
            check(digest(folder / "m.safetensors") == right, "resumed to other parameters")
        return
    if kind in ("pairs", "analogies"):
        file = {"pairs": PAIRS, "analogies": ANALOGIES}[kind]
        (folder / "items").write_bytes(damaged(file.read_bytes(), source))
        arguments = [made / "m.safetensors", f"--{kind}", "items", "--resamples", "5"]
        called("evaluate", arguments, folder, memory=MEMORY)
        return
    text = ALDER.read_bytes()[:30000]
    if kind == "table":
        rows = text.decode().splitlines()
        name = source.choice(list(TABLES))
        (folder / name).write_bytes(damaged(TABLES[name](rows).encode(), source))
        (folder / "words").write_bytes(damaged(b"\n".join(text.split()[:50]), source))
        more = ["--field", "text", source.choice(["--keep-words", "--stop-words"]), "words"]
        arguments = [name, "-o", "m.safetensors", *SMALL, "sampled", "--epochs", "1", *more]
        called("train", arguments, folder, memory=MEMORY)
        return
    if kind == "text":
        text = damaged(text, source) if source.random() < 0.5 else text
        name, pack = source.choice(list(PACKED.items()))
        (folder / name).write_bytes(damaged(pack(text), source))
        more = source.choice([[], ["--errors", "replace"], ["--normalise", "nfkc"]])
        arguments = [name, "-o", "m.safetensors", *SMALL, "sampled", "--epochs", "1", *more]
        called("train", arguments, folder, memory=MEMORY)
        return
    words = b"\n".join(text.split()[:20])
    lines = damaged(words.replace(b"\n", source.choice([b"\n", b" + ", b" - "])), source)
    arguments = [made / "m.safetensors", "--format", source.choice(["table", "tsv", "json"])]
    result = called("nearest", arguments, folder, memory=MEMORY, given=lines)


TABLES: dict[str, Callable[[list[str]], str]] = {
    "t.jsonl": lambda rows: "\n".join(json.dumps({"n": 1, "text": each}) for each in rows),
    "t.csv": lambda rows: "n,text\n" + "\n".join(f'1,"{each}"' for each in rows),
    "t.tsv": lambda rows: "n\ttext\n" + "\n".join(f"1\t{each}" for each in rows),
}

PACKED: dict[str, Callable[[bytes], bytes]] = {
    "text.txt": bytes,
    "text.txt.gz": gzip.compress,
    "text.txt.bz2": bz2.compress,
    "text.txt.xz": lzma.compress,
    "text.txt.zst": lambda data: zstandard.ZstdCompressor().compress(data),
}


# -- bombs -------------------------------------------------------------------------------------


def bombs(number: int, source: random.Random, folder: Path) -> None:
    """Open a file made to fill the memory, or one that holds a value of a megabyte."""
    if number % 2:
        command, given = hostile(source, folder)
        called(command[0], command[1:], folder, memory=2**30, given=given)
        return
    every = bomb_files()
    name = list(every)[number // 2 % len(every)]
    memory = source.choice([2**29, 2**30])
    if "corpus" in name:
        command = ["train", every[name], "-o", "m.safetensors", *SMALL, "sampled"]
    else:
        ways = [["nearest", every[name], "king"], ["convert", every[name], "v.npz"]]
        command = source.choice(ways)
    try:
        result = called(command[0], command[1:], folder, memory=memory)
        if not every[name].name.startswith("sound"):
            check(result.code == 1 or "corpus" in name, "it was taken", result)
    except AssertionError as error:
        raise AssertionError(f"{name}, {memory >> 20} MiB: {error}") from None


@functools.cache
def bomb_files() -> dict[str, Path]:
    """Make the bombs; return them by name."""
    folder = MATERIAL / "bombs"
    folder.mkdir(parents=True)
    made: dict[str, Path] = {}

    def make(name: str, content: bytes, under: str | None = None) -> None:
        made[name] = folder / (under or name.replace(" ", "-"))
        made[name].write_bytes(content)

    word = b"a" * 2**28
    make("corpus of one word.txt.gz", gzip.compress(word, 1))
    make("corpus of one word.txt.bz2", bz2.compress(word, 1))
    make("corpus of one word.txt.xz", lzma.compress(word, preset=0))
    make("corpus of one word.txt.zst", zstandard.ZstdCompressor(1).compress(word))
    many = b" ".join(b"w%d" % i for i in range(3_000_000))
    make("corpus of many words.txt.gz", gzip.compress(many, 1))
    make("corpus in a window of 2 GB.txt.zst", b"\x28\xb5\x2f\xfd\0" + b"\xa8" + word[:99])
    rows = b"a 1\n" * 25_000_000
    make("rows.txt.gz", gzip.compress(b"25000000 1\n" + rows, 1))
    make("rows in two members.txt.gz", gzip.compress(rows, 1) + gzip.compress(b"b 1\n"))
    binary = (b"a " + bytes(4000)) * 30_000
    make("rows.bin.gz", gzip.compress(b"30000 1000\n" + binary, 1))
    zeros = np.zeros((9, 5_000_000), np.float32)
    np.savez_compressed(folder / "zeros.npz", words=np.array(list("abcdefghi")), vectors=zeros)
    made["zeros.npz"] = folder / "zeros.npz"
    make("text that promises.txt", b"1000000000000 300\n" + b"a 1 2 3\n" * 9)
    make("binary that promises.bin", b"1000000000000 300\n" + b"a " + bytes(1200))
    make("binary of wide rows.bin", b"2 900000000000\n" + b"a " + bytes(1200))
    header = b"{'descr': '<f4', 'fortran_order': False, 'shape': (1099511627776, 300), }"
    array = b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header
    with zipfile.ZipFile(folder / "promises.npz", "w") as file:
        file.writestr("words.npy", array)
        file.writestr("vectors.npy", array)
    made["promises.npz"] = folder / "promises.npz"
    make("long header.safetensors", (2**60).to_bytes(8, "little") + b"{}" + bytes(99))
    nested = b"[" * 20_000_000
    make("nested header.safetensors", len(nested).to_bytes(8, "little") + nested)
    nested = b'{"a":' * 5_000_000
    make("nested objects.safetensors", len(nested).to_bytes(8, "little") + nested)
    for name, tokenizer in {
        "mapping of a row to many": json.dumps(
            {"model": {"vocab": {f"w{i}": i for i in range(3000)}}}
        ).encode(),
        "nested tokenizer": b'{"model":' * 3_000_000,
    }.items():
        place = folder / name.replace(" ", "-")
        place.mkdir()
        tensors = {
            "embeddings": np.zeros((1, 300_000), np.float32),
            "mapping": np.zeros(3000, np.int64),
        }
        safetensors_file.write(place / "model.safetensors", tensors, {})
        (place / "tokenizer.json").write_bytes(tokenizer)
        made[name] = place
    return made


#: Where a value of a megabyte may stand.
HOSTILE = [
    *["model", "checkpoint", "native", "tensor", "header", "binary", "npz", "metadata"],
    *["tokenizer", "row", "word", "pairs", "analogies", "query", "argument", "encoding"],
    *["name", "text", "field", "list"],
]


def hostile(source: random.Random, folder: Path) -> tuple[list[object], bytes]:
    """Make a file with a value of a megabyte; return a command that reads it, and its input."""
    made = material()
    long = source.choice(["x" * 2**20, "9" * 2**20, "\x1b]0;" * 2**18, "é" * 2**19])
    raw = long.encode()
    kind = source.choice(HOSTILE)
    model = made / "m.safetensors"
    path = folder / "bad.safetensors"
    if kind in ("model", "checkpoint", "native"):
        names = {"model": model.name, "checkpoint": "c.checkpoint", "native": PLACES["safetensors"]}
        sound = made / names[kind]
        tensors, metadata = safetensors_file.read(sound, check=0)[:2]
        metadata = {k: v for k, v in metadata.items() if k != safetensors_file.CHECKSUMS}
        key = source.choice(list(metadata))
        with contextlib.suppress(ValueError):
            metadata[key] = json.dumps(with_long(json.loads(metadata[key]), long, source))
        safetensors_file.write(path, tensors, metadata)
        if kind == "checkpoint":
            return ["train", "--resume", path, "-o", "m.safetensors", "--quiet"], b""
        return ["nearest", path, "the", "--topn", "2"], b""
    if kind == "tensor":
        header = json.dumps({long[: 2**19]: {"dtype": long, "shape": [1], "data_offsets": [0, 4]}})
        path.write_bytes(len(header.encode()).to_bytes(8, "little") + header.encode() + bytes(4))
    elif kind in ("header", "binary"):
        path = folder / {"header": "bad.txt", "binary": "bad.bin"}[kind]
        path.write_bytes(raw + b" " + source.choice([b"3", raw]) + b"\na 1 2 3\n")
    elif kind == "npz":
        path = folder / "bad.npz"
        np.savez(path, **{long[: 2**15]: np.zeros(3), "vectors": np.array([long[: 2**18]])})
    elif kind == "metadata":
        path = folder / "bad.tsv"
        path.write_text("1\t2\n3\t" + source.choice(["4", long]) + "\n")
        (folder / "bad_metadata.tsv").write_text(f"{long}\t{long}\n{long}\tb\n")
    elif kind == "tokenizer":
        path = folder / "bad"
        shutil.copytree(made / "golden" / "model2vec", path)
        tokenizer = json.loads((path / "tokenizer.json").read_text("utf-8"))
        bad = json.dumps(with_long(tokenizer, long, source))
        (path / "tokenizer.json").write_text(bad, "utf-8")
    elif kind in ("row", "word"):
        path = folder / "bad.txt"
        path.write_bytes(b"2 3\n" + {"row": b"a 1 2 " + raw, "word": raw + b" 1 2"}[kind] + b"\n")
    elif kind in ("pairs", "analogies"):
        line = {"pairs": f"{long} b {source.choice(['1', long])}", "analogies": f": {long}\na b c"}
        (folder / "items").write_text(line[kind] + source.choice(["", " d\n", f" {long}\n"]))
        return ["evaluate", model, f"--{kind}", "items"], b""
    elif kind == "query":
        way = source.choice(["table", "tsv", "json"])
        return ["nearest", model, "--format", way], raw + b"\nthe + " + raw + b"\n"
    elif kind == "argument":
        flag = source.choice(["--dimension", "--objective", "--seed", "--sample", "--unknown"])
        return ["train", ALDER, "-o", "m.safetensors", "--quiet", flag, long[:100_000]], b""
    elif kind == "encoding":
        return ["train", ALDER, "-o", "m.safetensors", "--encoding", long[:100_000]], b""
    elif kind == "name":
        name = long[:100_000]
        return source.choice(
            [["train", name], ["nearest", name, "the"], ["convert", model, name + ".txt"],
             ["explain", "--file", name], ["plot", "loss", name, "-o", "p.svg"],
             ["explore", model, "-o", name], ["evaluate", model, "--pairs", name]]
        ), b""  # fmt: skip
    elif kind == "field":
        (folder / "t.csv").write_text(f"n,{long}\n1,{long}\n")
        return ["train", "t.csv", "--field", source.choice(["text", long[:100_000]])], b""
    elif kind == "list":
        (folder / "list").write_text(source.choice([long, f"{long} b\n" * 2]))
        flag = source.choice(["--keep-words", "--stop-words"])
        return ["train", ALDER, "-o", "m.safetensors", *SMALL, "sampled", flag, "list"], b""
    else:
        (folder / "text.txt").write_bytes(raw + b"\xff\n")
        return ["train", "text.txt", "-o", "m.safetensors", *SMALL, "sampled"], b""
    return ["nearest", path, "the", "--topn", "2"], b""


def with_long(value: Any, long: str, source: random.Random) -> Any:
    """Return parsed JSON with something in it replaced by a long value."""
    if isinstance(value, dict) and value and source.random() < 0.9:
        key = source.choice(list(value))
        return {**value, key: with_long(value[key], long, source)}
    if isinstance(value, list) and value and source.random() < 0.9:
        i = source.randrange(len(value))
        return [*value[:i], with_long(value[i], long, source), *value[i + 1 :]]
    return source.choice([long, [long], {long: 1}, list(range(2**17)), 10**4000])


# -- disks -------------------------------------------------------------------------------------


def writers(made: Path) -> dict[str, tuple[list[object], list[str]]]:
    """Return commands that write, and the names of what each writes."""
    model = made / "m.safetensors"
    train = ["train", ALDER, "-o", "m.safetensors", *SMALL, "sampled"]
    ways: dict[str, tuple[list[object], list[str]]] = {
        "model": (train, ["m.safetensors"]),
        "checkpoint": ([*train, "--checkpoint-every", "0"], ["m.safetensors"]),
        "log": ([*train, "--log-json", "log"], ["m.safetensors"]),
        "page": (["explore", model, "-o", "p.html", "--layout", "pca"], ["p.html"]),
        "explanation": (["explain", "--html", "e.html"], ["e.html"]),
        "words": (["plot", "words", model, "-o", "w.svg"], ["w.svg"]),
        "loss": (["plot", "loss", model, "-o", "l.svg"], ["l.svg"]),
    }
    for name, place in PLACES.items():
        parts = [str(each) for each in formats.FORMATS[name].outputs(Path(place))]
        ways[name] = (["convert", model, place, "--to", name], parts)
    return ways


def disks(number: int, source: random.Random, folder: Path) -> None:
    """Write to a disk that refuses."""
    ways = writers(material())
    troubles = ["full", "large", "read-only", "removed", "no fsync", "broken fsync"]
    trouble = troubles[number % len(troubles)]
    name = list(ways)[number // len(troubles) % len(ways)]
    command, parts = ways[name]
    before = source.random() < 0.5
    place = folder / "place"
    place.mkdir()
    mounted = trouble in ("full", "read-only") and mount(place, "size=4m")
    try:
        if before:
            check(called(command[0], command[1:], place).code == 0, "cannot be written at all")
            if command[0] == "train":  # so that the new is another
                command = [*command, "--seed", "4"]
        old = contents(place)
        if trouble == "full" and mounted:
            room = source.choice([0, 4096, source.randint(0, 60_000), source.randint(0, 400_000)])
            fill(place / "filler", room)
        elif trouble == "read-only" and not (mounted and mount(place, "remount,ro")):
            if os.geteuid() == 0:
                raise Skip("root may write in every folder, and cannot mount one")
            place.chmod(0o555)
        main = importlib.import_module(f"cbow.cli.{command[0]}").main
        size = source.choice([0, 1, 5000, source.randint(0, 100_000)])

        def work() -> Any:
            spoil(trouble, size, place)
            return main([str(each) for each in command[1:]])

        result = forked(work, place)
        told = f"{name}, {trouble}, {'replaced' if before else 'new'}: exit {result.code}"
        check(result.code in (0, 1), told, result.err)
        check("Traceback" not in result.err, told, result.err)
        check(result.code == 0 or f"cbow-{command[0]}" in result.err, told, "no sentence")
        if trouble == "no fsync":
            quiet = command[0] == "train"
            check(result.code == 0 and (quiet or "note: " in result.err), told, result.err)
        if trouble == "removed":
            if name in ("model", "checkpoint", "log"):
                kept = [each for each in folder.parent.rglob("m*.safetensors") if each.is_file()]
                check(kept, told, "the model is lost", listing(folder.parent), result.err)
            return
        now = contents(place)
        if result.code and command[0] == "train" and name != "log":
            now = {k: v for k, v in now.items() if ".partial" not in k}
        for part in parts:  # each file is the old one or a new one
            inside = {k: v for k, v in now.items() if k == part or k.startswith(f"{part}/")}
            if result.code and before and "log" not in name and "saved" not in result.err:
                was = {k: v for k, v in old.items() if k == part or k.startswith(f"{part}/")}
                check(inside == was, told, f"{part} is not as it was", result.err)
            elif result.code == 0:
                check(inside, told, f"{part} is not there")
        if trouble == "read-only":
            check(result.code == 1 and now == old, told, result.err)
        left = [each for each in listing(folder.parent) if each.endswith((".tmp", ".new"))]
        check(not left, told, left)
    finally:
        if mounted:
            subprocess.run(["umount", "--lazy", str(place)], check=True)
        with contextlib.suppress(OSError):
            place.chmod(0o755)


def mount(place: Path, options: str) -> bool:
    """Mount a disk of its own on a folder, or another way; whether that can be."""
    if os.geteuid() != 0:
        return False
    command = ["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(place)]
    return subprocess.run(command, capture_output=True, check=False).returncode == 0


def fill(path: Path, room: int) -> None:
    """Fill a disk, but for some bytes."""
    with path.open("wb", buffering=0) as file:
        with contextlib.suppress(OSError):
            while True:
                file.write(bytes(4096))
        file.truncate(max(0, file.tell() - room))


def contents(folder: Path) -> dict[str, bytes]:
    """Return what every file in a folder holds."""
    every = (each for each in folder.rglob("*") if each.is_file() and each.name != "filler")
    return {str(each.relative_to(folder)): each.read_bytes() for each in every}


def spoil(trouble: str, size: int, place: Path) -> None:
    """Let this process have trouble with the disk."""
    if trouble == "large":
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))
    elif trouble == "full" and not os.path.ismount(place):
        resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))
    elif trouble == "removed":
        going = False

        def hook(event: str, _: Any) -> None:
            nonlocal going
            if event == "os.rename" and not going:
                going = True
                shutil.rmtree(place)

        sys.addaudithook(hook)
    elif trouble.endswith("fsync"):
        number = errno.EINVAL if trouble == "no fsync" else errno.EIO

        def refuse(_: int) -> None:
            raise OSError(number, os.strerror(number))

        os.fsync = refuse  # type: ignore[assignment]


# -- caches ------------------------------------------------------------------------------------

TRAIN_BOTH = """
import hashlib, json, warnings
import cbow
from cbow.system.compiled import made_here
lines = open(%r, encoding="utf-8").read().splitlines()[:60]
digest = hashlib.sha256()
for objective in ("exact", "sampled"):
    model = cbow.train(lines, objective=objective, dimension=6, epochs=1, min_count=1, seed=2)
    for array in model.parameters:
        digest.update(array.tobytes())
print(digest.hexdigest(), len(made_here))
"""


@functools.cache
def sound_cache() -> tuple[Path, str]:
    """Return a folder in which all is compiled for the training, and what comes out of it."""
    folder = MATERIAL / "cache"
    return folder, trained(folder)[0][0]


def trained(cache: Path, processes: int = 1, after: Callable[[], object] = int) -> list[list[str]]:
    """Train in processes that begin at once; return what each prints."""
    command = [sys.executable, "-c", TRAIN_BOTH % str(ALDER)]
    settings = environment(cache.parent, NUMBA_CACHE_DIR=str(cache))
    every = [
        subprocess.Popen(
            command, env=settings, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        for _ in range(processes)
    ]
    after()
    results = [ended(process) for process in every]
    for result in results:
        check(result.code == 0 and not result.err, f"exit {result.code}", result.err)
    return [result.out.split() for result in results]


def caches(number: int, source: random.Random, folder: Path) -> None:
    """Damage compiled code, or let others write it, or two write it at once, or remove it."""
    sound, right = sound_cache()
    cache = folder / "cache"
    shutil.copytree(sound, cache)
    entries = sorted(cache.rglob("*.kernel"))
    some = source.sample(entries, source.randint(1, 4))
    ways = ["flip", "cut", "empty", "swap", "junk", "modes", "two", "removed"]
    way = ways[number % len(ways)]
    processes, after = 1, int
    for path in some:
        content = path.read_bytes()
        place = source.randrange(len(content))
        if way == "flip":
            flipped = bytes([content[place] ^ (1 << source.randrange(8))])
            path.write_bytes(content[:place] + flipped + content[place + 1 :])
        elif way == "cut":
            path.write_bytes(content[:place])
        elif way == "empty":
            path.write_bytes(b"")
        elif way == "swap":
            path.write_bytes(source.choice(entries).read_bytes())
        elif way == "junk":
            path.write_bytes(content[:32] + source.randbytes(place))
        elif way == "modes":
            source.choice([path, path.parent]).chmod(source.choice([0o777, 0o620, 0o602, 0]))
        elif way == "two":
            path.unlink(missing_ok=True)
    if way == "two":
        processes = 2
    elif way == "removed":
        delay = source.uniform(0, 2)

        def after() -> None:  # type: ignore[misc]
            time.sleep(delay)
            shutil.rmtree(cache, ignore_errors=True)

    for printed in trained(cache, processes, after):
        check(printed[0] == right, f"{way}: other bytes", [each.name for each in some])
    if way not in ("modes", "removed"):
        printed = trained(cache)[0]
        check(printed == [right, "0"], f"{way}: not all was kept", printed)


# -- the count ---------------------------------------------------------------------------------

ATTACKS: dict[str, Callable[[int, random.Random, Path], int | None]] = {
    each.__name__: each for each in (kills, calls, signals, fuzz, bombs, disks, caches)
}


def rounds(name: str, seed: int, numbers: range) -> Iterator[dict[str, Any]]:
    """Make rounds of an attack; yield what became of each."""
    for number in numbers:
        with tempfile.TemporaryDirectory(prefix="attack-", dir=MATERIAL) as above:
            folder = Path(above, "here")
            folder.mkdir()
            report: dict[str, Any] = {"round": number, "tries": 1}
            try:
                source = random.Random(f"{seed} {name} {number}")
                report["tries"] = ATTACKS[name](number, source, folder) or 1
            except Skip as reason:
                report["skipped"] = str(reason)
            except Exception as error:
                said = str(error) if isinstance(error, AssertionError) else traceback.format_exc()
                report["failed"] = said
        yield report


def main() -> int:
    """Make the attacks that are named; return 1 if anything failed."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("attacks", nargs="+", choices=["all", *ATTACKS], metavar="ATTACK")
    parser.add_argument("--rounds", type=int, default=20, help="of each attack (default: 20)")
    parser.add_argument("--first", type=int, default=0, help="number of the first (default: 0)")
    parser.add_argument("--seed", type=int, default=1, help="(default: 1)")
    parser.add_argument("--json", action="store_true", help="print a JSON object for each attack")
    arguments = parser.parse_args()
    warnings.simplefilter("ignore")
    names = list(ATTACKS) if "all" in arguments.attacks else arguments.attacks
    MATERIAL.mkdir()
    failures = 0
    try:
        for name in names:
            began = time.monotonic()
            reports = []
            for report in rounds(
                name, arguments.seed, range(arguments.first, arguments.first + arguments.rounds)
            ):
                reports.append(report)
                if "failed" in report:
                    print(f"{name}, round {report['round']}: {report['failed']}", file=sys.stderr)
            failed = [report for report in reports if "failed" in report]
            skipped = [report["skipped"] for report in reports if "skipped" in report]
            failures += len(failed)
            row = {
                "attack": name,
                "seed": arguments.seed,
                "rounds": len(reports) - len(skipped),
                "tries": sum(report["tries"] for report in reports) - len(skipped),
                "failures": len(failed),
                "skipped": len(skipped),
                "seconds": round(time.monotonic() - began),
            }
            if arguments.json:
                print(json.dumps({**row, "failed": failed}), flush=True)
            else:
                print("  ".join(f"{key} {value}" for key, value in row.items()), flush=True)
                for reason in sorted(set(skipped)):
                    print(f"  skipped: {reason}", flush=True)
    finally:
        shutil.rmtree(MATERIAL, ignore_errors=True)
    return int(failures > 0)


if __name__ == "__main__":
    sys.exit(main())
