"""Vectors scored by files: held against gensim, and counted to the last line."""

import json
import math
import re
import subprocess
import sys
from dataclasses import asdict

import numpy as np
import pytest

import cbow
from cbow.errors import ConfigError, QueryError
from cbow.evaluation import Rules, evaluate, prepare, read_analogies, read_pairs, read_set
from cbow.evaluation.measures import pair_cosines
from cbow.text.ngrams import Ngrams
from cbow.vectors import WordVectors
from cbow.vectors.embeddings import Subwords

FAMILIES = 12

PAIRS = """\
# of a made language
low1 HIGH1 9.5
low1\tlow2\t6
low2 low2 10
high3\tlow3\t8.25
LOW4 high5 3
low5 low6 3
high7\tmissing\t2
absent missing 1
rare1 high2 0
"""


def analogies(spelled=str):
    """All questions of families of two words; a section for even ones, one for all, one of none."""
    both = [(spelled(f"low{i}"), f"high{i}") for i in range(FAMILIES)]
    lines = [": even"]
    for section in (both[::2], both):
        lines += [f"{a} {b} {c} {d}" for a, b in section for c, d in section if a != c]
        lines.append(": all")
    lines[-1] = ": none"
    return "\n".join(
        [*lines, "low1 high1 low2 missing", "low1 high1 absent missing", ": empty", ""]
    )


@pytest.fixture(scope="module")
def vectors():
    """Families in which the step from low to high is nearly the same, among other words."""
    rng = np.random.default_rng(1)
    step = rng.standard_normal(8)
    low = rng.standard_normal((FAMILIES, 8))
    high = low + step + 0.6 * rng.standard_normal((FAMILIES, 8))
    other = rng.standard_normal((60, 8))
    other[57] = low[2] + step  # HIGH2 is often the answer where high2 is asked for
    words = [f"low{i}" for i in range(FAMILIES)] + [f"high{i}" for i in range(FAMILIES)]
    words += [f"other{i}" for i in range(55)] + ["LOW1", "High1", "HIGH2", "rare1", "rare2"]
    return WordVectors(words, np.concatenate([low, high, other]).astype(np.float32))


@pytest.fixture
def files(tmp_path):
    pairs, questions = tmp_path / "pairs.txt", tmp_path / "questions.txt"
    pairs.write_text(PAIRS)
    questions.write_text(analogies())
    return pairs, questions


@pytest.fixture
def gensims(vectors):
    models = pytest.importorskip("gensim.models")
    theirs = models.KeyedVectors(vectors.dimension, dtype=np.float64)
    theirs.add_vectors(list(vectors.words), vectors.matrix.astype(np.float64))
    return theirs


@pytest.mark.parametrize("oov", ["skip", "zero"])
@pytest.mark.parametrize("fold", [True, False])
@pytest.mark.parametrize("restrict", [20, 24, 80, 300_000])
def test_analogies_are_scored_as_gensim_does(vectors, gensims, tmp_path, oov, fold, restrict):
    path = tmp_path / "questions.txt"
    path.write_text(analogies(lambda word: word.capitalize() if word == "low1" else word))
    given = {"restrict": restrict, "oov": oov, "fold": fold}
    [found] = evaluate(vectors, analogies=path, **given).analogies
    share, sections = gensims.evaluate_word_analogies(
        str(path), restrict_vocab=min(restrict, len(vectors)), case_insensitive=fold,
        dummy4unknown=oov == "zero",
    )  # fmt: skip
    *sections, total = sections
    assert found.accuracy("3CosAdd").share == share
    assert found.accuracy("3CosAdd").counted == len(total["correct"]) + len(total["incorrect"])
    assert [each["section"] for each in sections] == list(found.set.sections)
    key = str.upper if fold else str
    for i, each in enumerate(sections):
        right = found.right["3CosAdd"] & found.members(i)
        ours = [
            tuple(map(key, q))
            for q, ok in zip(found.set.words, right, strict=True) if ok
        ]  # fmt: skip
        assert ours == each["correct"]
        assert found.accuracy("3CosAdd", i).counted == len(each["correct"]) + len(each["incorrect"])
    assert 0 < share < 1


@pytest.mark.parametrize("oov", ["skip", "zero"])
@pytest.mark.parametrize("fold", [True, False])
def test_pairs_are_scored_as_gensim_does(vectors, gensims, tmp_path, oov, fold):
    path = tmp_path / "pairs.txt"
    path.write_text("\n".join("\t".join(line.split()) for line in PAIRS.splitlines()[1:]) + "\n")
    [found] = evaluate(vectors, pairs=path, oov=oov, fold=fold).pairs
    pearson, spearman, unknown = gensims.evaluate_word_pairs(
        str(path), case_insensitive=fold, dummy4unknown=oov == "zero"
    )
    assert found.spearman == pytest.approx(spearman.statistic, abs=1e-12)
    assert found.pearson == pytest.approx(pearson.statistic, abs=1e-12)
    assert 100 * (1 - found.known.mean()) == pytest.approx(unknown)


def test_a_word_is_scored_as_it_is_spelled(vectors, tmp_path):
    path = tmp_path / "pairs.txt"
    path.write_text("low1 High1 3\nlow1 HIGH1 2\nlow1 high1 1\n")
    cosines = evaluate(vectors, path, resamples=0).pairs[0].cosines
    assert cosines.tolist() == pair_cosines(
        vectors.matrix, np.array([[1, vectors.ids[word]] for word in ("High1", "high1", "high1")])
    ).tolist()  # fmt: skip
    exact = evaluate(vectors, path, resamples=0, fold=False).pairs[0]
    assert exact.known.tolist() == [True, False, True]


@pytest.mark.parametrize(
    ("answer", "right"), [("maße", True), ("Maße", True), ("masse", False), ("Masse", False)]
)
def test_an_answer_is_right_in_other_letter_case_but_not_as_another_word(tmp_path, answer, right):
    path = tmp_path / "questions.txt"
    path.write_text("eins zwei drei maße\nEins zwei drei MAẞE\n")
    words = ["eins", "zwei", "drei", *dict.fromkeys([answer, "maße"])]
    matrix = np.array([[1, 0, 0], [0, 1, 0], [0, 0, 1], [-0.3, 1, 1], [1, 0, 0.1]])[: len(words)]
    found = evaluate(WordVectors(words, matrix), analogies=path).analogies[0]
    for method in found.right:
        assert found.right[method].tolist() == [right, right]


def test_what_is_counted(vectors, files):
    found = evaluate(vectors, [files[0]], [files[1]]).to_dict()
    n, even = FAMILIES, FAMILIES // 2
    [pairs], [questions] = found["pairs"], found["analogies"]
    assert (pairs["asked"], pairs["found"], pairs["counted"]) == (9, 7, 7)
    assert pairs["coverage"] == 7 / 9
    assert pairs["lines_skipped"] == {"comments": 1, "blank": 0, "headers": 0}
    assert pairs["interval"]["low"] < pairs["spearman"] < pairs["interval"]["high"]
    assert 0 < pairs["interval"]["resamples"] <= 1000
    asked = even * (even - 1) + n * (n - 1)
    assert (questions["asked"], questions["found"]) == (asked + 2, asked)
    assert [each["section"] for each in questions["sections"]] == ["even", "all", "none", "empty"]
    assert [each["asked"] for each in questions["sections"]] == [30, 132, 2, 0]
    assert [each["found"] for each in questions["sections"]] == [30, 132, 0, 0]
    assert [each["coverage"] for each in questions["sections"]] == [1, 1, 0, None]
    for method in ("3CosAdd", "3CosMul"):
        parts = [each[method] for each in questions["sections"]]
        assert sum(each["right"] for each in parts) == questions[method]["right"]
        assert [each["share"] for each in parts[2:]] == [None, None]
        low, share, high = (questions[method][name] for name in ("low", "share", "high"))
        assert low < share < high
    assert found["rules"] == {**asdict(Rules()), "methods": ("3CosAdd", "3CosMul")}
    assert (found["words"], found["dimension"]) == (84, 8)
    json.dumps(found, allow_nan=False)


def test_the_policy_about_unknown_words(vectors, files):
    skip = evaluate(vectors, files[0], files[1], oov="skip")
    zero = evaluate(vectors, files[0], files[1], oov="zero")
    np.testing.assert_array_equal(skip.pairs[0].known, zero.pairs[0].known)
    assert np.isnan(skip.pairs[0].cosines[-3:-1]).all()
    assert zero.pairs[0].cosines[-3:-1].tolist() == [0, 0]
    assert zero.pairs[0].to_dict()["counted"] == 9
    for method in ("3CosAdd", "3CosMul"):
        left, all_ = (each.analogies[0].accuracy(method) for each in (skip, zero))
        assert all_.right == left.right
        assert all_.counted == left.counted + 2


def test_one_call_for_either_kind_and_any_number_of_matrices(vectors, files):
    sets = [read_set(path) for path in files]
    prepared = prepare(vectors.words, sets, Rules(resamples=0, methods=("3CosAdd",)))
    for scale in (1, -1):
        matrix = vectors.matrix * np.linspace(1, scale, 8, dtype=np.float32)
        found = prepared.score(matrix)
        whole = evaluate(WordVectors(vectors.words, matrix), *files)
        assert found.pairs[0].interval is None
        assert list(found.analogies[0].right) == ["3CosAdd"]
        assert found.summary() == whole.summary() == {
            str(files[0]): whole.pairs[0].spearman,
            str(files[1]): whole.analogies[0].accuracy("3CosAdd").share,
        }  # fmt: skip


def test_sets_that_were_read_before(vectors, files):
    pairs, questions = read_pairs(files[0]), read_analogies(files[1])
    found = evaluate(vectors, [pairs, files[0]], [questions], seed=7)
    assert found.pairs[0].to_dict() == found.pairs[1].to_dict()
    assert found.summary() == evaluate(vectors, *files).summary()
    assert evaluate(vectors, pairs, questions).summary() == found.summary()


def test_the_seed_is_that_of_the_bootstrap(vectors, files):
    def interval(**rules):
        return evaluate(vectors, files[0], **rules).pairs[0].interval

    assert interval() == interval(seed=1) != interval(seed=2)
    assert interval(resamples=0) is None


def test_restrict_limits_questions_and_answers(vectors, files):
    found = evaluate(vectors, analogies=files[1], restrict=FAMILIES + 4).analogies[0]
    assert found.known.sum() == 2 + 12  # two families of even number, four in all
    # With four answers less the three words asked about, one is left: it is right.
    assert found.accuracy("3CosAdd").share < 1


def test_questions_with_the_only_word_left(tmp_path):
    path = tmp_path / "q"
    path.write_text("a b c d\na b a b\na a a d\n")
    found = evaluate(WordVectors(list("abcd"), np.eye(4)), analogies=path).analogies[0]
    assert found.right["3CosAdd"].tolist() == [True, False, False]
    path.write_text("a b c c\n")  # an answer from its own words, and no other word
    found = evaluate(WordVectors(list("abc"), np.eye(3)), analogies=path).analogies[0]
    assert found.accuracy("3CosAdd")[:2] == (0, 1)


def test_equal_cosines_have_no_correlation(files, vectors):
    found = evaluate(WordVectors(vectors.words, np.ones((84, 2))), files[0]).pairs[0]
    assert (found.spearman, found.pearson, found.interval) == (None, None, None)
    found = evaluate(WordVectors(vectors.words, np.zeros((84, 2))), *files)
    assert found.pairs[0].spearman is None
    assert found.analogies[0].accuracy("3CosAdd").share < 0.2


@pytest.mark.parametrize("broken", [np.nan, np.inf, -np.inf])
def test_vectors_that_are_not_finite(vectors, files, broken):
    matrix = vectors.matrix.copy()
    matrix[3, 2] = broken
    sick = WordVectors(vectors.words, matrix)
    with pytest.raises(QueryError, match="vector of 'high3' or 'low3' holds numbers that are not"):
        evaluate(sick, files[0])
    with pytest.raises(QueryError, match="vector of 'low3' holds numbers that are not finite"):
        evaluate(sick, analogies=files[1])
    matrix[3] = 0
    matrix[50, 1] = broken  # a word that no question has could be an answer
    with pytest.raises(QueryError, match="vector of 'other26' holds"):
        evaluate(WordVectors(vectors.words, matrix), analogies=files[1])
    assert evaluate(WordVectors(vectors.words, matrix), *files, restrict=50)


def test_sets_the_model_knows_too_little_of(vectors, tmp_path):
    path = tmp_path / "set"
    path.write_text("low1 low2 5\nlow1 nobody 3\n")
    with pytest.raises(
        QueryError, match="set: of its word pairs, 2 in all, the model has the words of 1,"
    ):
        evaluate(vectors, path)
    path.write_text("low1 low2 low3 nobody\n")
    with pytest.raises(QueryError, match="set: of its questions, 1 in all, none has"):
        evaluate(vectors, analogies=path)
    path.write_text("low1 low2 low3 high1\n")
    with pytest.raises(QueryError, match="four words among the first 12 of the model"):
        evaluate(vectors, analogies=path, restrict=12)
    with pytest.raises(QueryError, match="nothing to score by; give files"):
        evaluate(vectors)


def test_matrices_that_do_not_fit(vectors, files):
    prepared = prepare(vectors.words, [read_pairs(files[0])])
    for shape in ((83, 8), (84,)):
        with pytest.raises(QueryError, match="but must have 84 rows, one for each"):
            prepared.score(np.ones(shape))


@pytest.mark.parametrize(
    ("rules", "message"),
    [
        ({"restrict": 0}, "restrict is 0, but must be a whole number from 1"),
        ({"restrict": 2.5}, "restrict is 2.5, but must be a whole number from 1"),
        ({"restrict": True}, "restrict is True, but"),
        ({"resamples": -1}, "resamples is -1, but must be a whole number from 0"),
        ({"seed": -1}, "seed is -1, but must be a whole number from 0"),
        ({"oov": "drop"}, "oov is 'drop', but must be one of skip, zero"),
        ({"methods": ("3CosDiv",)}, r"methods is \('3CosDiv',\), but must be a tuple of 3CosAdd"),
        ({"methods": "3CosAdd"}, "methods is '3CosAdd', but must be a tuple"),
        ({"methods": ()}, r"methods is \(\), but must be a tuple"),
    ],
)
def test_rules_outside_their_range(vectors, rules, message):
    with pytest.raises(ConfigError, match=message):
        evaluate(vectors, "none.txt", **rules)


@pytest.mark.slow
def test_a_score_needs_no_compiler(files, tmp_path):
    path = tmp_path / "model.safetensors"
    cbow.train([["low1", "high1"], ["low2", "high2"]] * 9, dimension=2, sample=0).save(path)
    code = f"""
import sys, cbow, cbow.evaluation
found = cbow.evaluation.evaluate(cbow.load_vectors({str(path)!r}), {str(files[0])!r}, fold=False,
                                 oov="zero")
print(*(name for name in ("numba", "nltk") if name in sys.modules))
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == []


def test_what_is_not_vectors_is_rejected(files):
    with pytest.raises(QueryError, match=r"str is not word vectors; give .* model\.vectors"):
        evaluate("model.safetensors", *files)


JUDGED = [("king", "queen", 9.0), ("king", "apple", 1), ("queen", "apple", np.float32(2))]
QUESTIONS = [("king", "queen", "man", "woman"), ["man", "woman", "king", "queen"]]
NAMED = ["king", "queen", "man", "woman", "apple"]


@pytest.mark.parametrize(
    "make", [list, tuple, iter, lambda rows: (tuple(row) for row in rows), lambda r: map(list, r)]
)
def test_sets_in_memory_score_as_those_of_files(tmp_path, make):
    vectors = WordVectors(NAMED, np.random.default_rng(3).standard_normal((5, 4)))
    pairs, analogies = tmp_path / "pairs", tmp_path / "analogies"
    pairs.write_text("".join(f"{a} {b} {score}\n" for a, b, score in JUDGED))
    analogies.write_text("".join(" ".join(words) + "\n" for words in QUESTIONS))
    of_files = evaluate(vectors, str(pairs), analogies)
    in_memory = evaluate(vectors, make(JUDGED), make(QUESTIONS))
    assert in_memory.pairs[0].spearman == of_files.pairs[0].spearman
    assert in_memory.pairs[0].cosines.tolist() == of_files.pairs[0].cosines.tolist()
    for method, right in of_files.analogies[0].right.items():
        assert in_memory.analogies[0].right[method].tolist() == right.tolist()
    assert in_memory.to_dict()["pairs"][0]["file"] == "the pairs"
    assert in_memory.to_dict()["analogies"][0]["file"] == "the analogies"
    rows = np.array(QUESTIONS)
    assert len(evaluate(vectors, analogies=rows).analogies[0].known) == 2
    again = evaluate(vectors, pairs=[pairs, read_pairs(pairs)], analogies=None)
    assert len(again.pairs) == 2
    assert evaluate(vectors, read_pairs(pairs), []).analogies == ()


@pytest.mark.parametrize(
    ("sets", "says"),
    [
        ({"pairs": {("king", "queen"): 5.0}}, "pairs is dict .* tuples (word, word, score)"),
        ({"pairs": 5}, "pairs is int 5, but must be a file name"),
        ({"analogies": 5}, "analogies is int 5, .* tuples (a, b, c, d)"),
        ({"pairs": [*JUDGED, "pairs.txt"]}, "pairs is list"),
        ({"pairs": [("king", "queen")]}, "pair 0 is ('king', 'queen'), but must be (word, word, s"),
        ({"pairs": [*JUDGED, ("king", 1, "queen")]}, "pair 3 is ('king', 1, 'queen'), but must be"),
        ({"pairs": [("king", "queen", "5")]}, "pair 0 .* score must be a finite number such as"),
        ({"pairs": [("king", "queen", math.nan)]}, "must be a finite number"),
        ({"pairs": [("king", "queen", True)]}, "must be a finite number"),
        ({"pairs": [5]}, "pair 0 is 5, but must be"),
        ({"pairs": [b"abc"]}, "pair 0 is b'abc', but must be"),
        ({"analogies": [("king", "queen", "man")]}, "question 0 is .* but must be (a, b, c, d)"),
        ({"analogies": [QUESTIONS[0], ("a", "b", "c", 4)]}, "question 1 is"),
        ({"analogies": read_pairs}, "analogies is function"),
        ({"pairs": None}, "there is nothing to score by"),
        ({"pairs": [], "analogies": iter(())}, "there is nothing to score by"),
    ],
)
def test_sets_that_are_none(sets, says):
    vectors = WordVectors(NAMED, np.eye(5))
    with pytest.raises(QueryError, match=re.escape(says).replace(re.escape(".*"), ".*")):
        evaluate(vectors, **sets)


class TestNgrams:
    """Words of pairs that are made from n-grams."""

    PAIRS = (
        ("walk", "talk", 1.0),
        ("Walk", "walking", 2.0),
        ("talk", "talked", 3.0),
        ("x", "y", 4),
    )

    @staticmethod
    def vectors(subwords=True):
        rng = np.random.default_rng(0)
        ngrams = Subwords(Ngrams(4, 5, 20), rng.normal(size=(20, 3)))
        return WordVectors(
            ["walk", "talk"], rng.normal(size=(2, 3)), None, ngrams if subwords else None
        )

    def test_they_count_and_the_vocabulary_stays(self):
        vectors = self.vectors()
        made = evaluate(vectors, self.PAIRS, oov="ngrams", resamples=0)
        (result,) = made.pairs
        assert result.known.tolist() == [True, True, True, False]  # <x> has three characters
        expected = [vectors.similarity(*pair) for pair in (("walk", "walking"), ("talk", "talked"))]
        np.testing.assert_allclose(result.cosines[1:3], expected)
        assert (made.words, made.rules.oov) == (2, "ngrams")

    def test_they_are_no_answers_to_analogies(self):
        question = ("walk", "talk", "talk", "walk")
        made = evaluate(self.vectors(), self.PAIRS, [question], oov="ngrams", resamples=0)
        assert made.analogies[0].known.tolist() == [True]

    def test_without_ngrams_it_is_an_error(self):
        with pytest.raises(QueryError, match="oov is ngrams, but the vectors have no n-grams"):
            evaluate(self.vectors(subwords=False), self.PAIRS, oov="ngrams")
