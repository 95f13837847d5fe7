"""Two models by the same sets, held against tests of scipy."""

import json

import numpy as np
import pytest
from scipy import stats

from cbow.errors import QueryError
from cbow.evaluation import METHODS, compare, evaluate
from cbow.vectors import WordVectors

WORDS = [f"w{i}" for i in range(40)]


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """Scores that follow hidden vectors, and questions about their steps."""
    rng = np.random.default_rng(1)
    hidden = rng.standard_normal((40, 6))
    hidden[20:] = hidden[:20] + rng.standard_normal(6)
    folder = tmp_path_factory.mktemp("compare")
    pairs, questions = folder / "pairs.txt", folder / "questions.txt"
    a, b = rng.integers(0, 40, (2, 80))
    scores = (hidden[a] * hidden[b]).sum(axis=1).round(1)
    pairs.write_text("".join(f"w{i} w{j} {s}\n" for i, j, s in zip(a, b, scores, strict=True)))
    questions.write_text(
        "".join(f"w{i} w{i + 20} w{j} w{j + 20}\n" for i in range(20) for j in range(20) if i != j)
    )
    return pairs, questions, hidden


@pytest.fixture(scope="module")
def models(files):
    """A good model, and a worse one that lacks four words."""
    rng = np.random.default_rng(2)
    good = files[2] + 0.3 * rng.standard_normal((40, 6))
    worse = files[2] + 0.9 * rng.standard_normal((40, 6))
    return WordVectors(WORDS, good), WordVectors(WORDS[2:], worse[2:])


@pytest.fixture(scope="module")
def scored(files, models):
    return [evaluate(model, *files[:2], resamples=4000) for model in models]


@pytest.mark.slow
def test_pairs_that_both_have(scored):
    [found, *_] = compare(*scored)
    first, second = (each.pairs[0] for each in scored)
    common = first.known & second.known
    assert 0 < common.sum() == found.common < len(common)
    y = first.set.scores[common]
    x1, x2 = first.cosines[common], second.cosines[common]
    assert found.first == pytest.approx(stats.spearmanr(x1, y).statistic, abs=1e-12)
    assert found.second == pytest.approx(stats.spearmanr(x2, y).statistic, abs=1e-12)
    assert found.difference == found.first - found.second

    def difference(x1, x2, y):
        return stats.spearmanr(x1, y).statistic - stats.spearmanr(x2, y).statistic

    expected = stats.bootstrap(
        (x1, x2, y), difference, paired=True, vectorized=False, method="percentile",
        n_resamples=999, rng=np.random.default_rng(1),
    )  # fmt: skip
    low, high, resamples = found.interval
    assert [low, high] == pytest.approx(list(expected.confidence_interval), abs=0.03)
    assert resamples == 4000
    d = expected.bootstrap_distribution
    assert found.p == pytest.approx(2 * min((d <= 0).mean(), (d >= 0).mean()), abs=0.02)


def test_questions_that_both_could_answer(scored):
    [_, add, mul] = compare(*scored)
    for found, method in ((add, "3CosAdd"), (mul, "3CosMul")):
        first, second = (each.analogies[0] for each in scored)
        common = first.known & second.known
        a, b = first.right[method][common], second.right[method][common]
        assert (found.measure, found.common, found.interval) == (method, common.sum(), None)
        assert [found.first, found.second] == [a.mean(), b.mean()]
        assert found.only == ((a > b).sum(), (b > a).sum())
        assert min(found.only) > 0
        assert found.p == stats.binomtest(found.only[0], sum(found.only)).pvalue


def test_a_model_does_not_differ_from_itself(scored):
    for found in compare(scored[0], scored[0]):
        assert (found.difference, found.p) == (0, 1)
        assert found.interval in (None, (0, 0, 4000))
        assert found.only in (None, (0, 0))


def test_the_order_turns_the_signs(scored):
    for found, turned in zip(compare(*scored), compare(*scored[::-1]), strict=True):
        assert found.difference == -turned.difference
        assert found.p == turned.p
        if found.interval:
            assert found.interval[:2] == pytest.approx([-x for x in turned.interval[1::-1]])


def test_numbers_for_json(scored):
    pairs, add, _ = (each.to_dict() for each in compare(*scored))
    json.dumps([pairs, add], allow_nan=False)
    assert pairs["interval"]["resamples"] == 4000
    assert (pairs["measure"], pairs["right_only"]) == ("Spearman", None)
    assert (add["measure"], add["interval"]) == ("3CosAdd", None)
    assert len(add["right_only"]) == 2
    assert add["test"] == "McNemar, exact"


def test_models_that_have_nothing_in_common(files, models):
    half = [WordVectors(model.words[k::2], model.matrix[k::2]) for k, model in enumerate(models)]
    half[0] = WordVectors(WORDS[:20:2] + WORDS[20::2], models[0].matrix[::2])
    half[1] = WordVectors(WORDS[1::2], models[0].matrix[1::2])
    for found in compare(*(evaluate(model, *files[:2]) for model in half)):
        assert found.common == 0
        assert (found.first, found.second, found.difference, found.p) == (None,) * 4
        assert found.interval is None


def test_without_resamples_there_is_no_test_of_pairs(files, models):
    [found] = compare(*(evaluate(model, files[0], resamples=0) for model in models))
    assert found.difference > 0
    assert (found.interval, found.p) == (None, None)


def test_equal_cosines_cannot_be_compared(files, models):
    flat = WordVectors(WORDS, np.ones((40, 2)))
    [found] = compare(*(evaluate(model, files[0]) for model in (models[0], flat)))
    assert found.first is not None
    assert (found.second, found.difference, found.interval, found.p) == (None,) * 4


def test_unknown_words_count_where_the_policy_says_so(files, models):
    found = compare(*(evaluate(model, *files[:2], oov="zero") for model in models))
    assert [each.common for each in found] == [80, 380, 380]


def test_only_what_was_scored_alike_is_compared(files, models, tmp_path):
    model = models[0]
    other = tmp_path / "other.txt"
    other.write_text(files[0].read_text().replace(".", "1.", 1))
    scored = evaluate(model, files[0])
    for another in (
        evaluate(model, files[0], seed=2),
        evaluate(model, other),
        evaluate(model, analogies=files[1]),
        evaluate(model, [files[0]] * 2),
    ):
        with pytest.raises(QueryError, match="by the same sets and rules; evaluate both"):
            compare(scored, another)


def test_an_evaluation_shows_its_figures(files, models, monkeypatch):
    monkeypatch.chdir(files[0].parent)
    found = evaluate(models[1], "pairs.txt", "questions.txt", resamples=100)
    spearman, interval = found.pairs[0].spearman, found.pairs[0].interval
    shares = [100 * found.analogies[0].accuracy(method).share for method in METHODS]
    known = found.pairs[0].known.sum(), found.analogies[0].known.sum()
    assert repr(found) == (
        "Evaluation of 38 words, 6 dimensions\n"
        f"  pairs.txt: Spearman {spearman:.3f} ({interval.low:.3f} to {interval.high:.3f}), "
        f"{known[0]} of 80 pairs\n"
        f"  questions.txt: 3CosAdd {shares[0]:.1f} %, 3CosMul {shares[1]:.1f} %, "
        f"{known[1]} of 380 questions"
    )
    assert repr(found.pairs[0].set) == "Pairs('pairs.txt', 80 pairs)"
    assert repr(found.analogies[0].set) == "Analogies('questions.txt', 380 questions)"


def test_figures_that_there_are_not(files, models):
    found = evaluate(WordVectors(WORDS, np.ones((40, 6))), files[0])
    assert repr(found.pairs[0]).endswith("pairs.txt: no correlation, 80 of 80 pairs")
    found = evaluate(models[0], files[0], resamples=0)
    assert f": Spearman {found.pairs[0].spearman:.3f}, 80 of 80 pairs" in repr(found.pairs[0])


def test_an_evaluation_fits_a_screen(models, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    names = ["a" * 70 + f"{i}.txt" for i in range(30)]
    for name in names:
        (tmp_path / name).write_text("w2 w3 1\nw4 w5 2\nw6 w7 3\n")
    for n in (1, 11, 12, 30):
        lines = repr(evaluate(models[1], names[:n], resamples=10)).splitlines()
        assert len(lines) == min(1 + n, 12)
        assert max(map(len, lines)) == 80
        assert lines[1].startswith("  ...aaa")
        assert all(f"a{i}.txt: Spearman" in line for i, line in enumerate(lines[1:11]))
        assert n < 12 or lines[11] == f"  ... and {n - 10} more"
