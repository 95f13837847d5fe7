"""CBOWVectorizer: means of vectors, and a good citizen of scikit-learn."""

import dataclasses
import importlib
import inspect
import pickle
import sys
from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import cbow
from cbow.config import DEFAULT_EMBEDDING, Config
from cbow.errors import CBOWError, ConfigError, CorpusError, ModelFileError, QueryError
from cbow.vectors import WordVectors

pytest.importorskip("sklearn", minversion="1.6")

import joblib
from sklearn.base import clone
from sklearn.exceptions import NotFittedError, SkipTestWarning
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.utils.estimator_checks import check_estimator, parametrize_with_checks
from sklearn.utils.validation import check_is_fitted, validate_data

from cbow.vectorizer import CBOWVectorizer

DOCUMENTS = ["The king rules the land.", "a fox runs\nover the land", "a king, a fox"] * 20
QUICK = {"dimension": 4, "sample": 0, "epochs": 1, "threads": 1}

READY = WordVectors(
    ["the", "king", "naïve", "fox", "o"],
    np.random.default_rng(0).normal(size=(5, 3)).astype(np.float32),
)


@pytest.fixture(scope="module")
def fitted():
    return CBOWVectorizer(**QUICK).fit(DOCUMENTS)


def topics(n, seed=0):
    """Documents of two kinds, which share some of their words."""
    rng = np.random.default_rng(seed)
    of = [["ox", "cow", "sheep", "goat"], ["sail", "mast", "deck", "rope"]]
    y = rng.integers(2, size=n)
    return [" ".join(rng.choice([*of[kind], "the", "a", "of"], size=12)) for kind in y], y


# -- what it computes --------------------------------------------------------------------------


def plain_means(documents, vectors):
    rows = []
    for words in documents:
        known = [vectors[word].astype(np.float64) for word in words if word in vectors]
        rows.append(sum(known) / len(known) if known else np.zeros(vectors.dimension))
    return np.array(rows).reshape(-1, vectors.dimension)


WORDS = st.sampled_from([*READY.words, "unknown", ""])


@pytest.mark.filterwarnings("ignore:.*no word of the vocabulary")
@given(st.lists(st.lists(WORDS, max_size=9), max_size=6))
def test_a_document_is_the_mean_of_its_words(documents):
    vectorizer = CBOWVectorizer(vectors=READY, tokenizer="whitespace").fit([])
    expected = plain_means(documents, READY)
    means = vectorizer.transform(documents)
    assert means.dtype == np.float32
    assert means.shape == expected.shape
    np.testing.assert_allclose(means, expected, atol=1e-6)
    np.testing.assert_array_equal(vectorizer.transform(map(" ".join, documents)), means)


def test_the_order_of_the_words_changes_no_bit():
    vectorizer = CBOWVectorizer(vectors=READY).fit([])
    rng = np.random.default_rng(1)
    words = rng.choice(READY.words, size=1000)
    rows = vectorizer.transform([list(rng.permutation(words)) for _ in range(5)])
    assert (rows == rows[0]).all()
    np.testing.assert_allclose(rows[0], plain_means([words], READY)[0], rtol=1e-5)


@pytest.fixture(scope="module")
def with_ngrams():
    """Trained with n-grams, without the word land."""
    vectorizer = CBOWVectorizer(**QUICK, ngrams="4,5", buckets=64, stop_words=["Land"])
    return vectorizer.fit(DOCUMENTS)


def test_words_that_are_not_known_are_made_of_ngrams(with_ngrams):
    vectors = with_ngrams.vectors_
    assert with_ngrams.model_.config.ngrams == (4, 5)
    documents = [["king", "kings", "foxes"], ["rule"], ["king"], "Kings!"]
    means = with_ngrams.transform(documents)
    expected = [
        vectors[["king", "kings", "foxes"]].mean(axis=0),
        vectors["rule"],
        vectors["king"],
        vectors["kings"],
    ]
    np.testing.assert_allclose(means, expected, rtol=1e-5)
    # Whichever word comes first, and among whatever other documents: no bit changes.
    (other,) = with_ngrams.transform([["foxes", "king", "", "kings"]])
    np.testing.assert_array_equal(other, means[0])


def test_stop_words_and_words_without_ngrams_stay_out(with_ngrams):
    with pytest.warns(UserWarning, match="^2 of 3 documents have no word of the vocabulary"):
        means = with_ngrams.transform(["land LAND king", ["land"], ["", "x"]])
    np.testing.assert_array_equal(means[0], with_ngrams.vectors_["king"])
    assert not means[1:].any()


def test_fit_trains_as_train_does(fitted):
    model = cbow.train(iter(DOCUMENTS), **QUICK)
    for ours, theirs in zip(fitted.model_.parameters, model.parameters, strict=True):
        np.testing.assert_array_equal(ours, theirs)
    np.testing.assert_array_equal(fitted.vectors_.matrix, model.vectors.matrix)
    assert fitted.vocabulary_ == {word: i for i, word in enumerate(model.vocabulary)}
    words = Counter(word for text in DOCUMENTS for word in cbow.tokenize(text))
    assert dict(zip(model.vocabulary, model.vocabulary.counts.tolist(), strict=True)) == words


@pytest.mark.parametrize("embedding", ["input", "output", "mean", "joint"])
def test_the_embedding_is_chosen(fitted, embedding):
    other = CBOWVectorizer(**QUICK, embedding=embedding).fit(DOCUMENTS)
    expected = fitted.model_.embedding(embedding).matrix
    np.testing.assert_array_equal(other.vectors_.matrix, expected)


def test_the_tokenizer_of_fit_is_that_of_transform():
    for tokenizer in ("whitespace", str.split):
        vectorizer = CBOWVectorizer(**QUICK, tokenizer=tokenizer).fit(DOCUMENTS)
        assert "land." in vectorizer.vocabulary_
        np.testing.assert_allclose(
            vectorizer.transform(["land. The"])[0],
            vectorizer.vectors_[["land.", "The"]].mean(axis=0),
            rtol=1e-5,
        )


def test_documents_of_any_iterable(fitted):
    expected = fitted.transform(DOCUMENTS)
    for same in (iter(DOCUMENTS), np.array(DOCUMENTS), np.array(DOCUMENTS, object)):
        np.testing.assert_array_equal(fitted.transform(same), expected)
    both = CBOWVectorizer(**QUICK).fit_transform(text for text in DOCUMENTS)  # read once
    np.testing.assert_array_equal(both, expected)
    words = [tuple(cbow.tokenize(text)) for text in DOCUMENTS]
    np.testing.assert_array_equal(fitted.transform(words), expected)


def test_whole_numbers_are_words(fitted):
    vectorizer = CBOWVectorizer(**QUICK, min_count=1)
    vectorizer.fit([[7, 17], ["7", np.int64(8)]] * 9)
    assert sorted(vectorizer.vocabulary_) == ["17", "7", "8"]
    assert vectorizer.transform([[17]]).any()


def test_documents_are_text_even_if_a_file_has_that_name(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "king").write_text("not read " * 50)
    vectorizer = CBOWVectorizer(**QUICK).fit(["king", "king fox"] * 20)
    assert set(vectorizer.vocabulary_) == {"king", "fox"}


def test_documents_without_a_known_word_are_zeros_and_counted(fitted):
    with pytest.warns(UserWarning, match=r"^2 of 3 documents have no word of the voc") as seen:
        rows = fitted.transform(["", "the king", ["unheard"]])
    assert [str(warning.filename) for warning in seen] == [__file__]
    assert rows.any(axis=1).tolist() == [False, True, False]
    assert fitted.transform([]).shape == (0, 4)


def test_ready_vectors_are_used_and_nothing_is_trained(tmp_path, fitted):
    fitted.model_.save(tmp_path / "m.safetensors")
    for ready in (tmp_path / "m.safetensors", str(tmp_path / "m.safetensors"), fitted.model_):
        vectorizer = CBOWVectorizer(vectors=ready, embedding="output").fit(["nothing of use"])
        assert not hasattr(vectorizer, "model_")
        np.testing.assert_array_equal(vectorizer.vectors_.matrix, fitted.model_.parameters.W2)
    assert CBOWVectorizer(vectors=READY).fit([]).vectors_ is READY
    again = clone(fitted).fit(DOCUMENTS).set_params(vectors=READY).fit(DOCUMENTS)
    assert not hasattr(again, "model_")
    wide = WordVectors(["a"], np.array([[1.0, 2.0]]))
    assert CBOWVectorizer(vectors=wide).fit_transform(["a"]).dtype == np.float32
    with pytest.raises(ModelFileError):
        CBOWVectorizer(vectors=tmp_path / "none.safetensors").fit([])


@pytest.mark.parametrize("wrong", [np.nan, np.inf, 1e300])
def test_vectors_that_are_not_finite_give_no_means(wrong):
    matrix = READY.matrix.astype(np.float64)
    matrix[1, 2] = wrong
    vectorizer = CBOWVectorizer(vectors=WordVectors(READY.words, matrix)).fit([])
    assert np.isfinite(vectorizer.transform(["the fox"])).all()
    with pytest.raises(QueryError, match=r"^the mean of document 1 is not finite.*; mend the"):
        vectorizer.transform(["the fox", "the king"])


# -- its arguments -----------------------------------------------------------------------------


def test_the_arguments_are_the_settings_with_their_defaults():
    parameters = inspect.signature(CBOWVectorizer).parameters
    defaults = {name: parameter.default for name, parameter in parameters.items()}
    assert defaults.pop("embedding") == DEFAULT_EMBEDDING
    assert defaults.pop("vectors") is None
    assert defaults.pop("random_state") == Config().seed
    settings = {entry.name: entry.default for entry in dataclasses.fields(Config)}
    reading = {"encoding", "errors", "field", "seed", "workers", "rounds", "cluster"}  # of files
    reading.add("work_folder")
    assert defaults == {name: each for name, each in settings.items() if name not in reading}


def test_every_setting_reaches_the_training():
    other = {
        "min_count": 2, "max_vocabulary": 6, "heldout": 0.25, "window": 2, "sample": 0.5,
        "dimension": 3, "activation": "identity", "objective": "exact", "candidates": 16,
        "block": 64, "optimizer": "sgd", "learning_rate": 0.5, "batch": 8, "epochs": 2,
        "patience": 1, "ngrams": (3, 4), "buckets": 32, "phrases": 1, "phrase_score": "npmi",
        "phrase_threshold": 0.9,
    }  # fmt: skip
    config = CBOWVectorizer(**other, random_state=7, threads=1).fit(DOCUMENTS).model_.config
    assert {**other, "seed": 7, "threads": 1}.items() <= vars(config).items()


def test_settings_of_the_words_hold_for_new_documents():
    lists = {"keep_words": ["Fox"], "stop_words": ["A"], "min_count": 2}
    vectorizer = CBOWVectorizer(**{**QUICK, **lists}, keep_case=True, normalise="nfc")
    vectorizer.fit(["A cafe\u0301 Fox", "A Café in A cafe\u0301", ["cafe\u0301", "in"]])
    assert sorted(vectorizer.vocabulary_) == ["Fox", "café", "in"]
    means = vectorizer.transform(["café", "cafe\u0301", ["cafe\u0301"], "CAFE\u0301 Fox"])
    assert (means[:3] == vectorizer.vectors_["café"]).all()
    assert (means[3] == vectorizer.vectors_["Fox"]).all()


def test_phrases_of_new_documents():
    documents = ["the new york rules", "new york the", "the old york new the"] * 9
    vectorizer = CBOWVectorizer(**QUICK, phrases=1, phrase_threshold=0.22).fit(documents)
    assert "new_york" in vectorizer.vocabulary_
    means = vectorizer.transform(["New York", ["new", "york"], "new\nYork", ["york", "new"]])
    assert (means[:2] == vectorizer.vectors_["new_york"]).all()
    assert (means[2] == means[3]).all()
    assert (means[2] != means[0]).any()


def test_random_state():
    def W1(state):
        return CBOWVectorizer(**QUICK, random_state=state).fit(DOCUMENTS).model_.parameters.W1

    np.testing.assert_array_equal(W1(5), W1(np.int64(5)))
    assert (W1(5) != W1(6)).any()
    np.testing.assert_array_equal(W1(np.random.RandomState(3)), W1(np.random.RandomState(3)))
    state = np.random.RandomState(3)
    assert (W1(state) != W1(state)).any()
    assert (W1(None) != W1(None)).any()


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"dimension": 0}, "dimension is 0, but must be a whole number"),
        ({"window": 2.5}, "window is 2.5, but must be"),
        ({"tokenizer": "spaces"}, "tokenizer is 'spaces', but must be one of word"),
        ({"embedding": "both"}, "embedding is 'both', but must be one of input, output, mean"),
        ({"random_state": -1}, "random_state is -1, but must be a whole number from 0"),
        ({"random_state": True}, "random_state is True, but must be"),
        ({"random_state": "one"}, "random_state is 'one', but must be"),
        ({"vectors": 3}, "vectors is of type int; give the name of a file, WordVectors or a"),
    ],
)
def test_wrong_settings(parameters, message):
    with pytest.raises(ConfigError, match=message):
        CBOWVectorizer(**parameters).fit(DOCUMENTS)


@pytest.mark.parametrize(
    ("documents", "message"),
    [
        ("the king", "the corpus is of type str, one text; give a list of documents"),
        (b"the king", "the corpus is of type bytes; give a list"),
        (None, "the corpus is of type NoneType; give a list"),
        (
            ["the king", np.nan],
            r"document 1 is of type float: nan; give a str \(a text\), or a list",
        ),
        ([b"the king"], "document 0 is of type bytes: b'the king'; give"),
        ([["the", 3.5]], r"document 0 holds a token of type float: 3\.5; give"),
        ([np.zeros(3)], r"document 0 is of type ndarray: array\(\[0\., 0\., 0\.\]\); give"),
        (np.array([["the"], ["king"]]), "the corpus is of type ndarray, a table"),
        ({"the": "king"}, "the corpus is of type dict, whose keys"),
        ([{"the": "king"}], r"document 0 is of type dict, .*: \(row\['the'\] for row in corpus\)$"),
    ],
)
def test_what_are_no_documents(fitted, documents, message):
    for method in (fitted.fit, fitted.transform, fitted.fit_transform):
        with pytest.raises(CorpusError, match=message):
            method(documents)
    fitted.transform(["the"])  # a fit that fails leaves the vectors of the earlier one


def test_a_text_from_which_nothing_can_be_learned():
    with pytest.raises(CorpusError, match="lower min_count"):
        CBOWVectorizer().fit(["the king"])


# -- as one of scikit-learn's ------------------------------------------------------------------


class OfNumbers(CBOWVectorizer):
    """Takes rows of numbers for documents: scikit-learn checks nothing that takes only text."""

    def _rows(self, X, reset):
        X = validate_data(self, X, reset=reset)
        return [[f"{j}{'+' if x > 0 else '-'}" for j, x in enumerate(row)] for row in X]

    def fit(self, X, y=None):
        return super().fit(self._rows(X, reset=True), y)

    def transform(self, X):
        check_is_fitted(self)
        return super().transform(self._rows(X, reset=False))

    def fit_transform(self, X, y=None):
        return self.fit(X, y).transform(X)

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.two_d_array = True
        return tags


#: Checks that are about something else, each with the reason.
EXPECTED_TO_FAIL = {
    "check_fit2d_1feature": "rows of one number are documents of one word, from which nothing can "
    "be learned; a sentence says so, but does not speak of features",
}


@parametrize_with_checks(
    [OfNumbers(**QUICK, min_count=1)], expected_failed_checks=lambda _: EXPECTED_TO_FAIL
)
def test_scikit_learn_checks(estimator, check):
    check(estimator)


def test_scikit_learn_says_that_text_cannot_be_checked():
    with pytest.warns(SkipTestWarning, match="Can't test estimator CBOWVectorizer"):
        check_estimator(CBOWVectorizer())


def test_before_fit():
    for ask in (lambda v: v.transform(["a"]), lambda v: v.get_feature_names_out()):
        with pytest.raises(NotFittedError):
            ask(CBOWVectorizer())
    assert not hasattr(CBOWVectorizer(), "vocabulary_")


def test_clone_and_parameters(fitted):
    copy = clone(fitted)
    assert copy.get_params() == fitted.get_params()
    assert not hasattr(copy, "vectors_")
    assert copy.set_params(window=2).window == 2
    assert repr(copy) == "CBOWVectorizer(dimension=4, epochs=1, sample=0, threads=1, window=2)"
    with pytest.raises(ValueError, match="Invalid parameter 'windows'"):
        copy.set_params(windows=2)


def test_fit_and_transform_change_no_parameter_and_transform_nothing(fitted):
    vectorizer = CBOWVectorizer(**QUICK)
    before = dict(vars(vectorizer))
    assert vectorizer.fit(DOCUMENTS, [0] * 60) is vectorizer
    assert before.items() <= vars(vectorizer).items()
    assert set(vars(vectorizer)) - set(before) == {"model_", "vectors_"}
    between = dict(vars(vectorizer))
    vectorizer.transform(DOCUMENTS)
    assert vars(vectorizer) == between
    np.testing.assert_array_equal(
        vectorizer.fit(DOCUMENTS).transform(DOCUMENTS), fitted.transform(DOCUMENTS)
    )


def test_feature_names_and_tags(fitted):
    names = [f"cbowvectorizer{i}" for i in range(4)]
    assert fitted.get_feature_names_out().tolist() == names
    assert not hasattr(fitted, "n_features_in_")
    tags = fitted.__sklearn_tags__()
    assert tags.input_tags.string
    assert not tags.input_tags.two_d_array


def test_output_as_a_table(fitted):
    pandas = pytest.importorskip("pandas")
    vectorizer = clone(fitted).set_output(transform="pandas").fit(DOCUMENTS)
    table = vectorizer.transform(pandas.Series(DOCUMENTS, index=range(7, 67)))
    assert list(table.columns) == list(vectorizer.get_feature_names_out())
    assert table.index.tolist() == list(range(7, 67))


def test_it_survives_the_pickling_of_others(fitted, tmp_path):
    expected = fitted.transform(DOCUMENTS)
    joblib.dump(fitted, tmp_path / "v.joblib")
    for copy in (joblib.load(tmp_path / "v.joblib"), pickle.loads(pickle.dumps(fitted))):
        np.testing.assert_array_equal(copy.transform(DOCUMENTS), expected)
        assert copy.vocabulary_ == fitted.vocabulary_
        assert copy.model_.predict_center(["king"]) == fitted.model_.predict_center(["king"])
        assert copy.model_.report == fitted.model_.report


@pytest.mark.slow
def test_in_a_pipeline_it_tells_topics_apart():
    texts, y = topics(300)
    vectorizer = CBOWVectorizer(dimension=8, sample=0, epochs=4, threads=1)
    pipeline = make_pipeline(vectorizer, LogisticRegression(C=100))
    unseen, wanted = topics(200, seed=1)
    assert pipeline.fit(texts, y).score(unseen, wanted) > 0.95
    shuffled = np.random.default_rng(2).permutation(y)
    assert pipeline.fit(texts, shuffled).score(unseen, wanted) < 0.75


@pytest.mark.slow
@pytest.mark.parametrize("backend", ["sequential", "threading"])
def test_in_a_grid_search(backend):
    texts, y = topics(120)
    pipeline = make_pipeline(CBOWVectorizer(**QUICK), LogisticRegression(C=100))
    grid = {
        "cbowvectorizer__dimension": np.array([2, 6]),
        "cbowvectorizer__embedding": ["input", "joint"],
    }
    with joblib.parallel_config(backend, n_jobs=2):
        search = GridSearchCV(pipeline, grid, cv=2, error_score="raise").fit(texts, y)
    assert search.best_score_ > 0.8
    assert search.best_estimator_[0].transform(["ox"]).shape in [(1, 2), (1, 6)]


def test_frozen_it_is_not_trained_again(fitted):
    texts, y = topics(60)
    pipeline = make_pipeline(FrozenEstimator(fitted), LogisticRegression())
    with pytest.warns(UserWarning, match="no word of the vocabulary"):
        pipeline.fit([*texts, "unheard"], [*y, 0])
    assert clone(pipeline)[0].vectors_ is fitted.vectors_


def test_without_scikit_learn_a_sentence_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "sklearn.base", None)
    monkeypatch.delitem(sys.modules, "cbow.vectorizer")
    with pytest.raises(CBOWError, match=r"^CBOWVectorizer needs scikit-learn.*pip install"):
        importlib.import_module("cbow.vectorizer")
