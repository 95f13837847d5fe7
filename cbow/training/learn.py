"""From an encoded text to a model: what every training does, a new one or one that goes on."""

from __future__ import annotations

import contextlib
import dataclasses
import math
import threading
from collections.abc import Iterator, Mapping
from concurrent.futures import Executor
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from cbow.config import Config
from cbow.errors import CorpusError, DivergenceError, Interrupted, counted
from cbow.model import Model
from cbow.network import Parameters, cbow_network, initialise
from cbow.system.blas import single_threaded_blas
from cbow.system.compiled import KernelCache
from cbow.system.interrupts import Interrupts, interrupts
from cbow.system.processors import processors, thread_pool
from cbow.text import EncodedCorpus
from cbow.training.batches import BatchTrainer
from cbow.training.checkpoint import (
    Checkpoint,
    CorpusRecord,
    fill,
    fingerprint,
    settings_of,
)
from cbow.training.exact.step import Workspace
from cbow.training.examples import ExampleSource
from cbow.training.loop import Loop, Stop
from cbow.training.losses import PROBE, Losses
from cbow.training.objective import Objective, choose_objective, usual_rate
from cbow.training.observer import Baselines, Epoch, Observer, Plan, Resumed
from cbow.training.sampled.trainer import SampledTrainer
from cbow.training.saving import Checkpoints, NoCheckpoints, Saving
from cbow.training.state import State, Trainer, copy
from cbow.training.subsampling import entropy, target_distribution

#: Seconds within which kernels come out of their cache.
QUICK: Final = 1.0


class Start(NamedTuple):
    """Where a training begins that goes on with an earlier one."""

    parameters: Parameters
    state: State
    objective: Mapping[str, Any]  #: settings that make it the same again
    optimizer: Mapping[str, NDArray[Any]] | None = None  #: None: it begins afresh


class Task(NamedTuple):
    """What is to be trained, and how."""

    corpus: EncodedCorpus
    config: Config
    observer: Observer
    saving: Saving | None = None
    start: Start | None = None


@np.errstate(under="ignore")
def learn(task: Task) -> Model:
    """Train on an encoded corpus; raise if that ended early."""
    corpus, config, observer, start = task.corpus, task.config, task.observer, task.start
    source = ExampleSource(corpus, config.window, config.sample, config.heldout, config.seed)
    threads = config.threads or processors()
    objective = _objective(task, source, threads)
    p = target_distribution(corpus.vocabulary.counts, source.keep)  # (V,)
    parameters = _start_parameters(task, objective, p)
    plan = _plan(source, objective, parameters, p)
    with workers(threads) as (pool, started), interrupts() as asked:
        asked.deferred = True
        if started < threads:
            observer.short_of_threads(started, threads)
        job = Job(config, objective, source, parameters, pool, started, asked)
        trainer, losses = job.trainer(observer), job.losses()
        observer.planned(plan)  # now, so that no clock counts the compiling
        loop = Loop(config, trainer, losses, objective.rate, len(corpus.ids), observer)
        if start:
            _go_on(loop, start)
        checkpoints = _checkpoints(task, trainer, objective, plan)

        def so_far() -> Model:
            return _model(task, plan, loop, None)

        def after_epoch(epoch: Epoch) -> None:
            observer.learned(epoch, so_far)

        stop = loop.run(asked, checkpoints.after_portion, after_epoch)
        if stop and stop.reason == "interrupted":
            checkpoints.write(loop.state)
    model = _model(task, plan, loop, stop)
    if stop and stop.reason != "patience":
        raise _explained(stop, model, objective)
    return model


def _model(task: Task, plan: Plan, loop: Loop, stop: Stop | None) -> Model:
    """Return the model as far as it is trained."""
    report = _report(task.corpus, plan, loop.state, stop)
    return Model(task.config, task.corpus.vocabulary, loop.parameters, report)


def _objective(task: Task, source: ExampleSource, threads: int) -> Objective:
    """Choose the objective; that of an earlier training stays."""
    if task.start is None:
        return choose_objective(task.config, source, threads)
    objective = choose_objective(task.config.replace(task.start.objective), source, threads)
    return objective._replace(reason="as before")


def _start_parameters(task: Task, objective: Objective, p: NDArray[np.float64]) -> Parameters:
    """Return the parameters that training starts from."""
    if task.start is not None:
        return copy(task.start.parameters)
    return initialise(
        len(p), task.config.dimension, task.config.seed, log_unigram=np.log(p),
        b1_start=objective.b1_start,
    )  # fmt: skip


def _plan(
    source: ExampleSource, objective: Objective, parameters: Parameters, p: NDArray[np.float64]
) -> Plan:
    """Say what is about to be trained."""
    heldout = _heldout_unigram(source, np.log(p), objective.batch) if source.heldout else None
    size = sum(array.size for array in parameters)
    return Plan(
        len(p), size, len(source.corpus.ids), objective.batch,
        Baselines(math.log(len(p)), entropy(p), heldout), objective.name, objective.reason,
    )  # fmt: skip


def _go_on(loop: Loop, start: Start) -> None:
    """Take up an earlier training, and tell."""
    if start.optimizer is not None:
        fill(loop.trainer.optimizer_arrays(), start.optimizer)
    loop.go_on(start.state)
    epoch, tokens = start.state.epoch, loop.tokens
    done = round((epoch.epoch - 1 + epoch.share) * tokens)
    loop.observer.resumed(
        Resumed(epoch.epoch, loop.config.epochs, done, list(start.state.finished))
    )


def _checkpoints(
    task: Task, trainer: Trainer, objective: Objective, plan: Plan
) -> Checkpoints | NoCheckpoints:
    """Make what writes the checkpoints."""
    corpus, saving = task.corpus, task.saving
    if saving is None:
        return NoCheckpoints()
    record = CorpusRecord(saving.names, fingerprint(corpus))

    def make(state: State) -> Checkpoint:
        report = _report(corpus, plan, state, None)
        return Checkpoint(
            Model(task.config, corpus.vocabulary, trainer.parameters, report),
            state, trainer.optimizer_arrays(), settings_of(objective), record,
            saving.every,
        )  # fmt: skip

    return Checkpoints(saving, make, task.observer)


@contextlib.contextmanager
def workers(threads: int) -> Iterator[tuple[Executor, int]]:
    """Provide threads, each of which does its own matrix products; see `thread_pool`."""
    with single_threaded_blas(), thread_pool(threads) as pool:
        yield pool


class Job(NamedTuple):
    """What is to be trained, and with what."""

    config: Config
    objective: Objective
    source: ExampleSource
    parameters: Parameters
    pool: Executor
    threads: int
    interrupts: Interrupts

    def trainer(self, observer: Observer) -> Trainer:
        """Make the trainer of the objective; compile its kernels if they are not."""
        trainer = self._trainer()

        def tell() -> None:
            if KernelCache.compiled:  # else they are loaded, which a busy machine may be slow at
                observer.compiling()

        telling = threading.Timer(QUICK, tell)
        with contextlib.suppress(RuntimeError):  # no more threads: then nobody is told
            telling.start()
        try:
            trainer.compile()
        finally:
            telling.cancel()
        return trainer

    def _trainer(self) -> BatchTrainer | SampledTrainer:
        """Make the trainer of the objective."""
        batch = self.objective.batch
        if self.objective.name == "exact":
            return BatchTrainer(
                cbow_network(self.config.activation), self.parameters, self.source, batch,
                self.objective.optimizer, self.pool,
            )  # fmt: skip
        return SampledTrainer(
            self.config, self.parameters, self.source, batch, self.pool, self.threads
        )

    def losses(self) -> Losses:
        """Make what measures the losses of the objective."""
        probe = None if self.objective.name == "exact" else PROBE
        workspace = Workspace(cbow_network(self.config.activation), self.parameters)
        return Losses(workspace, self.source, self.pool, self.interrupts, probe)


def _report(corpus: EncodedCorpus, plan: Plan, state: State, stop: Stop | None) -> dict[str, Any]:
    """Put what was counted and measured into plain numbers, without times."""
    return {
        "account": corpus.account.to_dict(),
        "objective": plan.objective,
        "batch": plan.batch,
        "baselines": dataclasses.asdict(plan.baselines),
        "epochs": [epoch.to_dict() for epoch in state.finished],
        "restarts": list(state.restarts),
        "stopped": stop.to_dict() if stop else None,
    }


def _heldout_unigram(source: ExampleSource, log_p: NDArray[np.float64], batch: int) -> float:
    """Loss of the word frequencies on the held-out lines; see that there are such lines."""
    total, examples = 0.0, 0
    for drawn in source.heldout_batches(batch):
        total -= float(log_p[drawn.y].sum())
        examples += len(drawn.y)
    if not examples:
        lines = len(source.corpus.line_starts) - 1
        raise CorpusError(
            f"heldout {source.heldout:g} of {lines} lines keeps back no line with two words or "
            "more; expected at least one; raise it, or set it to 0"
        )
    return total / examples


def _explained(stop: Stop, model: Model, objective: Objective) -> DivergenceError | Interrupted:
    """Put into a sentence why training ended early, and what to do."""
    config = model.config
    where = f"after {counted(stop.step, 'step')}, in epoch {stop.epoch} of {config.epochs}"
    if stop.reason == "interrupted":
        return Interrupted(f"interrupted {where}", model)
    lower = min(objective.rate / 10, usual_rate(objective.name, objective.optimizer))
    return DivergenceError(
        f"{stop.found} {where}, with learning rate {objective.rate:g}; train again with "
        f"{lower:g} or less (the state after {counted(stop.kept_step, 'step')} is kept)",
        model,
    )
