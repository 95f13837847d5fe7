"""The tree of exceptions: what each one can be caught as, and what it says."""

import copy

import pytest

from cbow import errors, training
from cbow.errors import CBOWError, UnknownWordError


@pytest.mark.parametrize(
    ("name", "builtin"),
    [
        ("ConfigError", ValueError),
        ("CorpusError", ValueError),
        ("ModelFileError", ValueError),
        ("OutputError", OSError),
        ("QueryError", ValueError),
        ("UnknownWordError", KeyError),
        ("ClusterError", ConnectionError),
        ("DivergenceError", ArithmeticError),
    ],
)
def test_each_is_one_of_ours_and_a_builtin(name, builtin):
    kind = getattr(errors, name, None) or getattr(training, name)
    assert issubclass(kind, CBOWError)
    assert issubclass(kind, builtin)
    assert name in errors.__doc__


def test_the_docstring_names_every_exception():
    ours = [n for n, e in vars(errors).items() if isinstance(e, type) and issubclass(e, CBOWError)]
    assert all(name in errors.__doc__ for name in ours)


def test_an_unknown_word_suggests_only_when_it_is_shown():
    asked = []

    def suggest():
        asked.append(1)
        return ["king", "kind"]

    error = UnknownWordError("kign", suggest)
    assert asked == []
    expected = "the word 'kign' is not in the vocabulary; did you mean king, kind?"
    assert str(error) == expected
    assert error.word == "kign"
    assert error.suggestions == ["king", "kind"]


@pytest.mark.parametrize("suggest", [None, list])
def test_an_unknown_word_without_a_like(suggest):
    message = str(UnknownWordError("xyzzy", suggest))
    assert "'xyzzy' is not in the vocabulary, and no word of it is spelled alike" in message


@pytest.mark.parametrize(
    "kind", [training.Interrupted, training.DivergenceError, training.WorkersLostError]
)
def test_stopped_training_brings_its_model(kind):
    error = kind("stopped", model="the model")
    assert (str(error), error.model) == ("stopped", "the model")


def test_ctrl_c_is_not_swallowed_with_the_errors():
    assert issubclass(training.Interrupted, KeyboardInterrupt)
    assert not issubclass(training.Interrupted, Exception)
    assert "Interrupted" in errors.__doc__


@pytest.mark.parametrize(
    "error",
    [
        errors.ConfigError("a"),
        UnknownWordError("kign", lambda: ["king"]),
        training.DivergenceError("a", "the model"),
        training.Interrupted("a", "the model"),
    ],
)
def test_an_error_comes_back_from_another_process(error):
    # As multiprocessing and joblib send it.
    again = copy.copy(error)
    assert type(again) is type(error)
    assert vars(again).get("model") == vars(error).get("model")
