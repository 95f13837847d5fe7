"""The same training by several workers: one after another in this process, which is quick."""

import functools

import numpy as np
import pytest
import threadpoolctl

import cbow
from cbow.config import Config
from cbow.errors import ClusterError, ConfigError, CorpusError, OutputError
from cbow.system import safetensors_file
from cbow.text import Vocabulary, find_sources
from cbow.text.shards import deal
from cbow.training import (
    DivergenceError,
    Interrupted,
    Observer,
    WorkersLostError,
    engines,
    rounds,
    workers,
)
from cbow.training.combining import changed, cut
from cbow.training.engines import engine
from cbow.training.engines.engine import ValueLostError
from cbow.training.kernels import Tables
from cbow.training.rounds import reason_for, rounds_of
from cbow.training.sampled import trainer

WORDS = ["the", "king", "queen", "rules", "a", "land", "dog", "barks"]
SMALL = {
    "objective": "sampled", "candidates": 3, "block": 16, "batch": 48, "dimension": 4,
    "epochs": 2, "sample": 0.0, "min_count": 1, "window": 2, "threads": 1,
}  # fmt: skip
SERIAL = {**SMALL, "cluster": "serial"}


@pytest.fixture(autouse=True)
def many_portions(monkeypatch):
    monkeypatch.setattr(trainer, "STRETCH", 40)
    monkeypatch.setattr(trainer, "POOL", 2)


@pytest.fixture
def text(tmp_path):
    rng = np.random.default_rng(0)
    lines = [" ".join(rng.choice(WORDS, rng.integers(1, 9))) for _ in range(90)]
    path = tmp_path / "text.txt"
    path.write_text("\n".join(lines) + "\n")
    return path


def bytes_of(model):
    return b"".join(array.tobytes() for array in model.parameters)


class Keep(Observer):
    """Keeps what is told, and a copy of every checkpoint."""

    def __init__(self, path=None):
        self.path, self.steps, self.epochs, self.copies, self.notes = path, [], [], [], []

    def stepped(self, step):
        self.steps.append(step)

    def finished_epoch(self, epoch):
        self.epochs.append(epoch)

    def noticed(self, note):
        self.notes.append(note)

    def checkpointed(self, trouble):
        assert trouble is None
        self.copies.append(self.path.with_name(f"{self.path.name}-{len(self.copies)}"))
        self.copies[-1].write_bytes(self.path.read_bytes())


@pytest.fixture
def disturbed(monkeypatch):
    """Let something happen before the n-th round."""

    def disturb(n, what):
        start, seen = engines.Serial.start, []

        def wrapped(self, function, *arguments):
            seen.append(function is workers.learn)
            if seen[-1] and sum(seen) == n:
                what()
            return start(self, function, *arguments)

        monkeypatch.setattr(engines.Serial, "start", wrapped)

    return disturb


def die():
    """Forget every shard, as a process does that is killed."""
    while workers._kept:
        workers._kept.popitem()[1].stack.close()


@pytest.mark.parametrize(
    "more",
    [{}, {"heldout": 0.2}, {"ngrams": (2, 3)}, {"sample": 0.05, "activation": "leaky_relu"}],
    ids=["plain", "heldout", "ngrams", "leaky"],
)
def test_one_worker_does_what_is_done_without_any(text, more):
    plain = cbow.train(text, **{**SMALL, **more})
    one = cbow.train(text, **{**SERIAL, **more})
    assert bytes_of(one) == bytes_of(plain)
    assert one.vocabulary == plain.vocabulary
    said = one.report.pop("workers")
    assert said == {"rounds": 7, "tokens": [plain.report["account"]["kept"]]}
    assert one.report == plain.report


@pytest.mark.parametrize("more", [{}, {"heldout": 0.2}, {"ngrams": (2, 3)}])
def test_several_have_one_result_and_lose_no_token(text, more):
    keep = Keep()
    model = cbow.train(text, **SERIAL, workers=3, rounds=4, observer=keep, **more)
    again = cbow.train(text, **{**SERIAL, **more, "threads": 3}, workers=3, rounds=4)
    plain = cbow.train(text, **SMALL, **more)
    assert bytes_of(again) == bytes_of(model) != bytes_of(plain)
    assert (again.vocabulary, again.report) == (plain.vocabulary, model.report)
    assert model.report["account"] == plain.report["account"]
    tokens = model.report["workers"]["tokens"]
    assert sum(tokens) == plain.report["account"]["kept"]
    for epoch in keep.epochs:
        assert epoch.tokens == sum(tokens)
        assert epoch.tokens == epoch.heldout + epoch.subsampled + epoch.isolated + epoch.examples
        assert (epoch.heldout > 0) == ("heldout" in more)
    assert len(keep.steps) == 2 * 4
    assert keep.steps[-1].tokens_done == keep.steps[-1].tokens_total == 2 * sum(tokens)
    assert model.report["baselines"]["unigram"] == plain.report["baselines"]["unigram"]
    assert keep.epochs[-1].loss == pytest.approx(plain.report["epochs"][-1]["loss"], abs=0.3)
    assert not workers._kept


def test_they_learn(tmp_path):
    rng = np.random.default_rng(1)
    kinds = (
        [["dog", "cat", "cow"], ["hay", "field"]],
        [["king", "queen", "lord"], ["crown", "land"]],
    )
    lines = []
    for _ in range(400):
        who, what = kinds[rng.integers(2)]
        lines.append(f"{rng.choice(who)} {rng.choice(what)} {rng.choice(who)} {rng.choice(what)}")
    (tmp_path / "text.txt").write_text("\n".join(lines))
    settings = {**SERIAL, "dimension": 8, "epochs": 20, "candidates": 8}
    model = cbow.train(tmp_path / "text.txt", **settings, workers=3)
    for group in kinds:
        for word in group[0]:
            near = [other for other, _ in model.vectors.most_similar(word, topn=2)]
            assert set(near) == set(group[0]) - {word}


def test_a_worker_that_dies_changes_nothing(text, disturbed):
    model = cbow.train(text, **SERIAL, workers=3, rounds=4)
    disturbed(3, die)
    assert bytes_of(cbow.train(text, **SERIAL, workers=3, rounds=4)) == bytes_of(model)


def test_a_worker_that_dies_before_it_encodes_changes_nothing(text, monkeypatch):
    model = cbow.train(text, **SERIAL, workers=3, rounds=4)
    call_all = engines.call_all

    def dying(engine, function, *arguments):
        if function is workers.encode:
            die()
        return call_all(engine, function, *arguments)

    monkeypatch.setattr(rounds, "call_all", dying)
    assert bytes_of(cbow.train(text, **SERIAL, workers=3, rounds=4)) == bytes_of(model)


def test_another_text_after_a_death_is_rejected(text, disturbed):
    def change():
        die()
        words = text.read_text().split(" ")
        words[:2] = words[1::-1]
        text.write_text(" ".join(words))

    disturbed(3, change)
    with pytest.raises(
        CorpusError, match=r"worker 1, .*text.txt, was read again .* not what it was"
    ):
        cbow.train(text, **SERIAL, workers=3, rounds=4)
    assert not workers._kept


@pytest.mark.parametrize("number", [1, 2])
def test_a_work_folder_that_is_not_there(text, number):
    """The sentence is the same for any number of workers."""
    with pytest.raises(OutputError, match=r"can be made in no/folder \(No such .*--work-folder$"):
        cbow.train(text, **SERIAL, workers=number, work_folder="no/folder")


def test_more_workers_than_lines(tmp_path):
    (tmp_path / "text.txt").write_text("a king rules\nalone\na queen rules a land\n")
    model = cbow.train(tmp_path / "text.txt", **SERIAL, workers=9)
    assert sorted(model.report["workers"]["tokens"]) == [0] * 6 + [1, 3, 5]
    assert model.report["workers"]["rounds"] == 16
    epoch = model.report["epochs"][-1]
    assert (epoch["tokens"], epoch["isolated"], epoch["examples"]) == (9, 1, 8)
    with pytest.raises(CorpusError, match="keeps back no line with two words"):
        cbow.train(tmp_path / "text.txt", **SERIAL, workers=9, heldout=1e-9)


def test_a_worker_without_text_measures_nothing(tmp_path, monkeypatch):
    (tmp_path / "text.txt").write_text("a king rules a land\na queen rules a land\n" * 2)
    losses = []
    for together in (1, rounds.TOGETHER):  # one example at a time: then all workers are asked
        monkeypatch.setattr(rounds, "TOGETHER", together)
        model = cbow.train(tmp_path / "text.txt", **SERIAL, workers=5)
        assert 0 in model.report["workers"]["tokens"]
        losses.append(model.report["epochs"][-1]["loss"])
    assert losses[0] == pytest.approx(losses[1], abs=0.5)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (" \n", "holds no word"),
        ("a\nb\n", "no line of .* holds two words"),
        ("a a\n", "only one word"),
    ],
)
def test_what_nothing_can_be_learned_from(tmp_path, content, message):
    (tmp_path / "text.txt").write_text(content)
    for settings in (SMALL, {**SERIAL, "workers": 2}):
        with pytest.raises(CorpusError, match=message):
            cbow.train(tmp_path / "text.txt", **settings)
    assert not workers._kept


def test_the_look_of_a_text_is_told_once(tmp_path):
    (tmp_path / "text.txt").write_text('{"text": "a king rules a land"}\n' * 200)
    keep = Keep()
    cbow.train(tmp_path / "text.txt", **SERIAL, workers=3, observer=keep)
    assert len(keep.notes) == 1


def test_a_tokenizer_of_ones_own(text):
    plain = cbow.train(text, **SMALL, tokenizer=str.split)
    model = cbow.train(text, **SERIAL, workers=2, tokenizer=str.split)
    assert model.vocabulary == plain.vocabulary


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"phrases": 1}, "phrases is 1, but workers is 2, and each counts only the pairs"),
        ({"objective": "exact"}, "objective is exact, but workers is 2, and they learn by cand"),
        ({"optimizer": "adam"}, "optimizer is adam, but the sampled objective has sgd only"),
    ],
)
def test_what_workers_cannot_do(text, settings, message):
    with pytest.raises(ConfigError, match=message):
        cbow.train(text, **{**SERIAL, "workers": 2, **settings})


def test_the_objective_that_is_chosen_is_theirs(text):
    settings = {**SERIAL, "objective": "auto"}
    assert cbow.train(text, **settings, workers=2).config.objective == "sampled"


def test_rounds_need_workers(text):
    with pytest.raises(ConfigError, match="rounds is 4, but there is one worker"):
        cbow.train(text, **SMALL, rounds=4)


def test_no_more_rounds_than_blocks(text):
    with pytest.raises(
        ConfigError, match=r"rounds is 100,000, but .* no more than [\d,]+ blocks of"
    ):
        cbow.train(text, **SERIAL, workers=2, rounds=100_000)


def test_the_rule_of_rounds():
    assert rounds_of(1, 2) == rounds_of(17_000_000, 8) == 16
    assert rounds_of(10**9, 2) == 64
    assert rounds_of(10**9, 64) == 16
    assert rounds_of(40 * 8 * 2**20, 8) == 40


@pytest.mark.parametrize(
    ("rounds", "settings", "reason"),
    [
        (16, {"workers": 8}, "the fewest: a worker has less than"),
        (40, {"workers": 8}, "a worker has about a million"),
        (64, {"workers": 8}, "the most: a worker has a million tokens or more"),
        (16, {"workers": 8, "rounds": 16}, "as rounds"),
        (7, {"cluster": "serial"}, "one worker"),
    ],
)
def test_why_so_many_rounds(rounds, settings, reason):
    assert reason_for(rounds, Config(**settings)).startswith(reason)


THREE = {**SERIAL, "workers": 3, "rounds": 4, "heldout": 0.1}


class TestResuming:
    @pytest.fixture
    def run(self, text, tmp_path):
        keep = Keep(tmp_path / "c")
        model = cbow.train(text, **THREE, checkpoint=keep.path, checkpoint_every=0, observer=keep)
        return model, keep.copies

    def test_from_any_round_the_same_bytes(self, run):
        model, copies = run
        assert len(copies) == 8
        for copy in copies:
            again = cbow.resume(copy, cluster="serial")
            assert bytes_of(again) == bytes_of(model)
            assert again.report == model.report

    def test_the_number_of_workers_is_that_of_the_beginning(self, run):
        with pytest.raises(ConfigError, match=r"workers is 2, but .* was trained with 3; leave"):
            cbow.resume(run[1][0], cluster="serial", workers=2)
        with pytest.raises(ConfigError, match=r"rounds is 5, but .* was trained with 4; leave"):
            cbow.resume(run[1][0], cluster="serial", rounds=5)

    def test_another_text_is_rejected(self, run, text):
        words = text.read_text().split(" ")
        words[:2] = words[1::-1]
        text.write_text(" ".join(words))
        with pytest.raises(CorpusError, match="but its text differs"):
            cbow.resume(run[1][0], cluster="serial")

    def test_more_epochs(self, run, text, tmp_path):
        run[0].save(tmp_path / "m.safetensors")
        more = cbow.resume(tmp_path / "m.safetensors", corpus=text, cluster="serial", epochs=1)
        assert [epoch["epoch"] for epoch in more.report["epochs"]] == [1, 2, 3]

    def test_one_worker_goes_on_alone(self, text, tmp_path):
        keep = Keep(tmp_path / "c")
        model = cbow.train(text, **SERIAL, checkpoint=keep.path, checkpoint_every=0, observer=keep)
        assert bytes_of(cbow.resume(keep.copies[2])) == bytes_of(model)

    def test_workers_that_are_lost_lose_nothing(self, run, text, tmp_path, disturbed):
        model, copies = run

        def lose():
            raise ClusterError("the cluster is lost")

        disturbed(4, lose)
        path = tmp_path / "lost"
        settings = {**THREE, "checkpoint": path, "checkpoint_every": 1e9}
        with pytest.raises(WorkersLostError, match="the cluster is lost") as caught:
            cbow.train(text, **settings)
        at = safetensors_file.read(copies[2])[0]
        assert caught.value.model.parameters.b2.tobytes() == at["b2"].tobytes()
        assert caught.value.model.report["stopped"]["reason"] == "lost"
        assert bytes_of(cbow.resume(path, cluster="serial")) == bytes_of(model)

    @pytest.mark.parametrize("when", [2, 4, 7])
    @pytest.mark.parametrize("often", [1, 2])
    def test_machines_that_are_lost_lose_nothing(self, run, text, monkeypatch, when, often):
        """What they had of the parameters is made again from where it was here last."""
        start, seen = engines.Serial.start, []

        def losing(self, function, *arguments):
            if function is workers.learn:
                seen.append(function)
                if when <= len(seen) < when + often:
                    raise ValueLostError("a machine is lost")
            return start(self, function, *arguments)

        monkeypatch.setattr(engines.Serial, "start", losing)
        monkeypatch.setattr(engine, "PAUSES", (0.0, 0.0))
        monkeypatch.setattr(rounds, "FEW_ROWS", 0)
        assert bytes_of(cbow.train(text, **THREE)) == bytes_of(run[0])

    def test_what_is_lost_for_ever_is_told(self, text, monkeypatch, disturbed):
        def lose():
            monkeypatch.setattr(engines.Serial, "fetch", never)

        def never(self, handles):
            raise ValueLostError("a machine is lost")

        disturbed(2, lose)
        monkeypatch.setattr(engine, "PAUSES", (0.0, 0.0))
        with pytest.raises(WorkersLostError, match="a machine is lost"):
            cbow.train(text, **THREE)

    @pytest.mark.parametrize("when", ["round", "losses"])
    def test_a_cluster_that_is_lost_with_the_parameters(
        self, run, text, tmp_path, monkeypatch, when
    ):
        """Where they come here seldom, state and parameters go back to when they did."""
        monkeypatch.setattr(rounds, "FEW_ROWS", 0)
        start, seen = engines.Serial.start, []

        def losing(self, function, *arguments):
            seen.append(function)
            wanted = workers.learn if when == "round" else workers.measure
            if function is wanted and seen.count(workers.learn) >= 4 + (when == "round") * 3:
                raise ClusterError("the cluster is lost")
            return start(self, function, *arguments)

        monkeypatch.setattr(engines.Serial, "start", losing)
        path = tmp_path / "lost"
        settings = {**THREE, "checkpoint": path, "checkpoint_every": 1e9}
        with pytest.raises(WorkersLostError, match="the cluster is lost") as caught:
            cbow.train(text, **settings)
        epochs = caught.value.model.report["epochs"]
        assert [each["epoch"] for each in epochs] == ([1] if when == "round" else [])
        monkeypatch.setattr(engines.Serial, "start", start)
        assert bytes_of(cbow.resume(path, cluster="serial")) == bytes_of(run[0])

    def test_ctrl_c(self, run, text, tmp_path, ctrl_c):
        class Impatient(Observer):
            def stepped(self, step):
                ctrl_c()

        path = tmp_path / "stopped"
        settings = {**THREE, "checkpoint": path, "checkpoint_every": 1e9}
        with pytest.raises(Interrupted):
            cbow.train(text, **settings, observer=Impatient())
        assert bytes_of(cbow.resume(path, cluster="serial")) == bytes_of(run[0])


@pytest.mark.parametrize("rate", [1e30, 1e38])  # the latter as that of W1 is more than float32 has
@pytest.mark.parametrize("workers", [1, 2])
@np.errstate(all="raise")
def test_divergence_is_noticed(text, workers, rate):
    settings = {**SERIAL, "workers": workers, "learning_rate": rate, "epochs": 3}
    with pytest.raises(DivergenceError) as caught:
        cbow.train(text, **settings)
    assert all(np.isfinite(array).all() for array in caught.value.model.parameters)


def test_to_combine_takes_one_thread_of_blas(monkeypatch):
    """With more it adds in another order, and a process of a cluster may have any number."""
    threads = []

    def combine_rows(piece, changes):
        threads.extend(
            each["num_threads"]
            for each in threadpoolctl.threadpool_info()
            if each["user_api"] == "blas"
        )

    monkeypatch.setattr(workers, "combine_rows", combine_rows)
    tables = Tables(*(np.zeros(shape, np.float32) for shape in [(4, 2), 2, (4, 2), 4]))
    (piece,) = cut(tables, np.full(4, 0.25), 1)
    with threadpoolctl.threadpool_limits(2, user_api="blas"):
        workers.combine(0, piece, [changed(tables, tables)] * 2)
    assert set(threads) <= {1}


def test_only_who_measures_gets_the_parameters(text, monkeypatch):
    start, seen = engines.Serial.start, []

    def watched(self, function, arguments, parts=1):
        if function is workers.measure:
            seen.append([(len(pieces), batches) for _, pieces, batches, _ in arguments])
        return start(self, function, arguments, parts)

    monkeypatch.setattr(engines.Serial, "start", watched)
    cbow.train(text, **SERIAL, workers=3, heldout=0.2)
    assert len(seen) == 2 * 2
    assert all(sorted(each) == [(0, 0), (0, 0), (1, 1)] for each in seen)


class TestWhatIsUnderWayWhenAllIsOver:
    """An error of one worker ends the training; Dask lets the calls of the others go on."""

    @pytest.fixture
    def shards(self, text):
        config = Config(**SERIAL)
        dealt = deal(find_sources(text), 1, config)
        yield workers.Shards("over", config, None, dealt)
        workers._over.discard("over")
        assert not workers._kept
        assert not workers._under_way

    def test_what_was_read_is_not_kept(self, shards, monkeypatch):
        class Slow(workers.Shard):
            def __init__(self, k, shards):
                super().__init__(k, shards)
                workers.forget(shards.run)  # as another thread does meanwhile

        monkeypatch.setattr(workers, "Shard", Slow)
        assert workers.count(0, shards).words
        assert not workers._kept
        with pytest.raises(ClusterError, match="the training is over"):
            workers.count(0, shards)

    def test_what_is_used_is_kept_until_then(self, shards):
        """A kernel would read what is not there."""
        vocabulary = Vocabulary.from_counts(dict.fromkeys(WORDS, 1))
        workers.encode(0, shards, vocabulary)
        ((_, shard),) = workers._kept.items()
        with workers._keeping("over"):
            workers.forget("over")
            assert len(shard.corpus.ids) == shard.tokens > 0
        assert len(shard.corpus.ids) == 0


def test_seeds_of_workers_differ():
    assert workers.seed_of(7, 0) == 7
    seeds = {workers.seed_of(seed, k) for seed in (0, 7, 2**63 - 1) for k in range(50)}
    assert len(seeds) == 3 * 50
    assert all(0 <= seed < 2**63 for seed in seeds)


def test_an_engine_calls_for_every_worker_in_order():
    three = engines.Serial(3)
    assert engines.call_all(three, functools.partial(max, 1)) == [1, 1, 2]
    assert engines.call_all(three, lambda k, more: k + more, 5) == [5, 6, 7]
