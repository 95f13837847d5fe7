"""Training by candidates as a whole: what is learned from, the choice of the objective, the end."""

import json
import os
import subprocess
import sys
import textwrap
import time
from concurrent.futures import ThreadPoolExecutor

import numba
import numpy as np
import pytest

import cbow
from cbow.config import Config
from cbow.errors import ConfigError
from cbow.network import initialise
from cbow.system import compiled
from cbow.text import encode_corpus
from cbow.training import DivergenceError, Interrupted, Observer, losses
from cbow.training.composed import themselves
from cbow.training.defaults import fit
from cbow.training.examples import ExampleSource, Tally
from cbow.training.sampled import trainer as module
from cbow.training.sampled.trainer import SampledTrainer, cut_up
from cbow.training.state import Measures, State

pytestmark = pytest.mark.kernels

WORDS = ["the", "king", "queen", "rules", "a", "land", "dog", "barks"]


def story(lines=60, seed=0):
    rng = np.random.default_rng(seed)
    return [" ".join(rng.choice(WORDS, rng.integers(1, 9))) for _ in range(lines)]


SMALL = {
    "objective": "sampled", "candidates": 3, "block": 16, "batch": 48, "dimension": 4,
    "epochs": 2, "sample": 0.0, "min_count": 1, "window": 2,
}  # fmt: skip


class Recorder(Observer):
    def __init__(self):
        self.plans, self.steps, self.epochs, self.compiled = [], [], [], 0

    def planned(self, plan):
        self.plans.append(plan)

    def stepped(self, step):
        self.steps.append(step)

    def finished_epoch(self, epoch):
        self.epochs.append(epoch)

    def compiling(self):
        self.compiled += 1


def source_of(tmp_path, **settings):
    config = Config(**{**SMALL, **settings})
    corpus = encode_corpus(story(), config, folder=tmp_path)
    source = ExampleSource(corpus, config.window, config.sample, config.heldout, config.seed)
    return config, source


def trainer_of(config, source, pool, threads=1):
    V = len(source.corpus.vocabulary)
    parameters = initialise(V, config.dimension, config.seed)
    fitted = fit(config, len(source.corpus.ids), V)
    return SampledTrainer(config, fitted, parameters, source, themselves(V), pool, threads)


class TestCuttingUp:
    """Blocks, pools and rates."""

    def test_blocks_are_of_equal_size_and_whole(self):
        geometry = cut_up(1000, 0.5, 50, 200)
        assert np.diff(geometry.bounds).tolist() == [100] * 10
        assert (geometry.per_stretch, geometry.blocks_per_step) == (41, 4)

    def test_a_step_has_no_more_blocks_than_the_text(self):
        assert cut_up(1000, 0.5, 50, 2**31 - 1).blocks_per_step == 10

    @pytest.mark.parametrize(("tokens", "block"), [(1, 128), (5, 1), (5, 128), (3, 1)])
    def test_small_texts_and_blocks(self, tokens, block):
        geometry = cut_up(tokens, 1.0, block, 1)
        assert geometry.bounds[0] == 0
        assert geometry.bounds[-1] == tokens
        assert (np.diff(geometry.bounds) > 0).all()
        assert geometry.blocks_per_step == 1

    def test_every_block_is_learned_once_an_epoch_in_another_order(self, tmp_path, monkeypatch):
        monkeypatch.setattr(module, "STRETCH", 40)
        monkeypatch.setattr(module, "POOL", 2)
        config, source = source_of(tmp_path)
        trainer = trainer_of(config, source, None)
        first, second = trainer.pools(1), trainer.pools(2)
        blocks = len(trainer.geometry.bounds) - 1
        assert len(first) > 2
        for pools in (first, second):
            assert sorted(np.concatenate(pools)) == list(range(blocks))
        assert np.concatenate(first).tolist() != np.concatenate(second).tolist()
        assert np.concatenate(first).tolist() == np.concatenate(trainer.pools(1)).tolist()

    @pytest.mark.parametrize("settings", [{}, {"heldout": 0.3}, {"sample": 0.05}])
    def test_the_account_is_that_of_the_exact_objective(self, tmp_path, settings):
        config, source = source_of(tmp_path, **settings)
        expected = Tally()
        for _ in source.epoch(1, 10**6, expected):
            pass
        state = State(1, Measures(config.dimension))
        with ThreadPoolExecutor(1) as pool:
            trainer = trainer_of(config, source, pool)
            portions = list(trainer.portions(state, lambda share: 0.1))
        assert vars(state.tally) == vars(expected)
        assert portions[-1].share == 1
        assert state.portions == len(portions)
        assert state.measures.examples == expected.examples

    def test_rates_fall_step_by_step(self, tmp_path, monkeypatch):
        monkeypatch.setattr(module, "STRETCH", 40)
        monkeypatch.setattr(module, "POOL", 2)
        config, source = source_of(tmp_path)
        shares = []
        with ThreadPoolExecutor(1) as pool:
            trainer = trainer_of(config, source, pool)
            state = State(1, Measures(config.dimension))
            list(trainer.portions(state, lambda share: shares.append(share) or 0.1))
        assert shares == sorted(shares)
        assert shares[0] == 0
        assert shares[-1] < 1
        blocks = len(trainer.geometry.bounds) - 1
        assert len(shares) == state.measures.steps >= blocks / 3

    def test_it_goes_on_where_it_stopped(self, tmp_path, monkeypatch):
        monkeypatch.setattr(module, "STRETCH", 40)
        monkeypatch.setattr(module, "POOL", 2)
        config, source = source_of(tmp_path)
        with ThreadPoolExecutor(1) as pool:
            whole = trainer_of(config, source, pool)
            list(whole.portions(State(1, Measures(4)), lambda share: 0.1 - 0.05 * share))
            state, halves = State(1, Measures(4)), trainer_of(config, source, pool)
            for _ in halves.portions(state, lambda share: 0.1 - 0.05 * share):
                break
            assert state.portions == 1
            again = trainer_of(config, source, pool)
            for old, new in zip(halves.parameters, again.parameters, strict=True):
                new[:] = old
            list(again.portions(state, lambda share: 0.1 - 0.05 * share))
        for one, other in zip(whole.parameters, again.parameters, strict=True):
            np.testing.assert_array_equal(one, other)
        assert again.optimizer_arrays() == {}


class TestRuns:
    """From a text to a model."""

    @pytest.mark.slow
    def test_the_same_bytes_at_any_number_of_threads(self, tmp_path):
        saved = []
        for threads in (1, 2, 3, 8):
            path = tmp_path / f"{threads}.safetensors"
            cbow.train(story(), **SMALL, threads=threads).save(path)
            saved.append(path.read_bytes())
        assert saved[1:] == saved[:1] * 3

    @pytest.mark.slow
    def test_what_is_told(self):
        watch = Recorder()
        model = cbow.train(story(), **{**SMALL, "heldout": 0.3}, observer=watch)
        (plan,) = watch.plans
        assert plan.fitted.objective == model.report["objective"] == "sampled"
        assert (plan.fitted.batch, model.report["batch"]) == (48, 48)
        for epoch in watch.epochs:
            assert epoch.tokens == (
                epoch.heldout + epoch.subsampled + epoch.isolated + epoch.examples
            )
            assert 0 < epoch.candidate_loss < epoch.loss
            assert epoch.gradient_norms == {}
            assert 0 < epoch.active <= 1
            assert epoch.heldout_loss > 0
        assert watch.steps[-1].tokens_done == watch.steps[-1].tokens_total
        json.dumps(model.report, allow_nan=False)

    @pytest.mark.slow
    def test_the_loss_is_the_exact_one(self):
        """Nothing to learn from random words: the loss stays about that of their frequencies."""
        watch = Recorder()
        model = cbow.train(story(), **{**SMALL, "epochs": 1, "learning_rate": 1e-6}, observer=watch)
        base = model.report["baselines"]["unigram"]
        assert watch.epochs[0].loss == pytest.approx(base, abs=0.05)

    def test_a_probe_stands_for_the_rest(self, monkeypatch):
        monkeypatch.setattr(losses, "PROBE", (20, 20))
        monkeypatch.setattr(losses, "TOGETHER", 15)
        sizes = []
        measure = losses.batch_loss
        monkeypatch.setattr(
            losses, "batch_loss", lambda w, b, p: (sizes.append(len(b.y)), measure(w, b, p))[1]
        )
        cbow.train(story(), **{**SMALL, "epochs": 1, "heldout": 0.3})
        measured = sizes[-4:]  # two of the epoch, two of the held-out lines; before, for the time
        assert len(sizes) == 8
        assert all(size in (15, 16) for size in measured)

    @pytest.mark.slow
    def test_leaky_units_are_always_active(self):
        watch = Recorder()
        cbow.train(story(), **{**SMALL, "activation": "leaky_relu"}, observer=watch)
        assert {epoch.active for epoch in watch.epochs} == {1.0}

    def test_compiling_is_told_when_it_takes_long(self, monkeypatch):
        watch, slow = Recorder(), Recorder()
        monkeypatch.setattr(SampledTrainer, "compile", lambda self: None)
        cbow.train(story(), **SMALL, observer=watch)
        monkeypatch.setattr("cbow.training.run.QUICK", 0)
        monkeypatch.setattr(SampledTrainer, "compile", lambda self: time.sleep(0.05))
        monkeypatch.setattr(compiled, "made_here", [])
        cbow.train(story(), **SMALL, observer=watch)  # all come out of their cache, but slowly
        monkeypatch.setattr(compiled, "made_here", ["a kernel"])
        cbow.train(story(), **SMALL, observer=slow)
        assert (watch.compiled, slow.compiled) == (0, 1)

    def test_divergence(self):
        with pytest.raises(DivergenceError, match="with learning rate 1e") as caught:
            cbow.train(story(), **{**SMALL, "activation": "identity", "learning_rate": 1e18})
        assert all(np.isfinite(array).all() for array in caught.value.model.parameters)

    def test_a_portion_of_an_infinite_loss_does_not_count(self):
        state = State(1, Measures(4))
        learned = module.Learned(np.inf, Tally(10, examples=10), np.zeros(4, np.int64), 1, 0.1)
        assert learned.add_to(state, 0.5) == (0.5, np.inf, 1)
        assert (state.portions, state.tally, state.measures.examples) == (0, Tally(), 0)

    @pytest.mark.slow
    def test_text_that_says_the_same_again_and_again_is_learned_at_a_high_rate(self):
        lines = [f"w{i} x{i} y{i} " * 6 for i in range(50)] * 40
        settings = {**SMALL, "candidates": 64, "dimension": 16, "block": 128, "batch": 512}
        model = cbow.train(lines, **{**settings, "epochs": 4, "learning_rate": 0.2})
        assert model.report["epochs"][-1]["loss"] < 2 < model.report["baselines"]["unigram"]

    def test_interrupted(self, monkeypatch, ctrl_c):
        monkeypatch.setattr(module, "STRETCH", 40)
        monkeypatch.setattr(module, "POOL", 2)

        class Stopper(Observer):
            def stepped(self, step):
                ctrl_c()

        with pytest.raises(Interrupted, match="after 1 step, in epoch 1 of 2"):
            cbow.train(story(), **SMALL, observer=Stopper())

    @pytest.mark.parametrize("thread", [0, 1, 2])
    def test_nobody_waits_for_a_thread_that_failed(self, monkeypatch, thread):
        steps = module.run_steps

        def failing(work, order, number, reached, sums):
            if number == thread and len(order):  # none are for compiling
                raise MemoryError
            steps(work, order, number, reached, sums)

        monkeypatch.setattr(module, "run_steps", failing)
        with pytest.raises(MemoryError):
            cbow.train(story(), **{**SMALL, "threads": 3})

    @pytest.mark.parametrize("handed_out", [0, 1, 2])
    def test_nobody_waits_for_a_thread_that_never_began(self, monkeypatch, handed_out):
        steps = module.share_out

        class Half(ThreadPoolExecutor):
            def submit(self, *what):
                if self.left == 0:
                    raise KeyboardInterrupt
                self.left -= 1
                return super().submit(*what)

        def interrupted(pool, work, pieces):
            if not done:
                done.append(True)  # compiled
                steps(pool, work, pieces)
            else:
                steps(half, work, pieces)

        done, half = [], Half(3)
        half.left = handed_out
        monkeypatch.setattr(module, "share_out", interrupted)
        with pytest.raises(KeyboardInterrupt):
            cbow.train(story(), **{**SMALL, "threads": 3})
        half.shutdown()

    @pytest.mark.parametrize("settings", [{"block": 1}, {"block": 10**6}, {"batch": 1}])
    def test_blocks_of_any_size(self, settings):
        cbow.train(story(20), **{**SMALL, "epochs": 1, **settings})

    def test_a_text_of_three_tokens(self):
        cbow.train(["a b c"], **{**SMALL, "epochs": 1, "candidates": 2})


class TestObjective:
    """What fits the sampled objective, and how long it takes."""

    @pytest.mark.parametrize(
        ("settings", "message"),
        [
            (
                {"candidates": 9},
                "has 8 words; give fewer candidates, or set the objective to exact",
            ),
            (
                {"candidates": 9, "workers": 2, "cluster": "serial"},
                "candidates is 9, .*; give fewer candidates, or leave workers out",
            ),
            ({"optimizer": "adam"}, "optimizer is adam, but the sampled objective has sgd only"),
        ],
    )
    def test_what_does_not_fit(self, settings, message, tmp_path):
        text = tmp_path / "text.txt"
        text.write_text("\n".join(story()))
        with pytest.raises(ConfigError, match=message):
            cbow.train(text, **{**SMALL, **settings})

    @pytest.mark.slow
    def test_the_biases_of_the_hidden_layer_start_high(self):
        model = cbow.train(story(), **{**SMALL, "epochs": 1, "learning_rate": 1e-9})
        np.testing.assert_allclose(model.parameters.b1, 1.0)


PLAIN = """
    import sys
    sys.path = sys.argv[2:]
    import numpy as np, cbow
    from test_sampled_trainer import SMALL, story
    for activation in ("relu", "leaky_relu", "identity"):
        one, two = (
            cbow.train(story(), **{**SMALL, "activation": activation}, threads=threads)
            for threads in (1, 3)
        )
        for a, b in zip(one.parameters, two.parameters):
            assert a.tobytes() == b.tobytes()
        np.savez(f"{sys.argv[1]}/{activation}.npz", *one.parameters)
    import test_sampled_step as step
    for activation in step.SLOPES:
        step.test_with_every_word_a_candidate_it_is_the_exact_softmax(activation, 2, step.PARTS)
    single, double = step.steps(2), step.steps(2, np.float64)
    np.savez(f"{sys.argv[1]}/step.npz", *double[0])
"""


@pytest.mark.slow
@pytest.mark.skipif(numba.config.DISABLE_JIT, reason="needs compiled kernels to compare with")
def test_compiled_and_plain_kernels_agree(tmp_path):
    """The kernels as plain Python, in a process of its own, against what runs here."""
    import test_sampled_step as step

    environment = {**os.environ, "NUMBA_DISABLE_JIT": "1"}
    subprocess.run(
        [sys.executable, "-W", "error", "-c", textwrap.dedent(PLAIN), str(tmp_path), *sys.path],
        check=True, env=environment,
    )  # fmt: skip
    for one, other in zip(
        np.load(tmp_path / "step.npz").values(), step.steps(2, np.float64)[0], strict=True
    ):
        np.testing.assert_allclose(one, other, atol=1e-10)
    for activation in ("relu", "leaky_relu", "identity"):
        plain = np.load(tmp_path / f"{activation}.npz").values()
        compiled = cbow.train(story(), **{**SMALL, "activation": activation}).parameters
        for one, other in zip(compiled, plain, strict=True):
            np.testing.assert_allclose(one, other, atol=1e-4)
