"""Names of other packages: each is told with something that is here, and nothing else changes."""

import copy
import dataclasses
import inspect
import pickle
import re
import subprocess
import sys

import numpy as np
import pytest

import cbow
from cbow.config import Config
from cbow.other_names import MODEL, PACKAGE, SETTINGS, VECTORS

SETTABLE = {
    *(field.name for field in dataclasses.fields(Config)),
    *inspect.signature(cbow.train).parameters,
}


@pytest.fixture(scope="module")
def model():
    return cbow.train([["old", "king"], ["old", "queen"]] * 40, dimension=4, epochs=1, sample=0)


@pytest.mark.parametrize("name", SETTINGS)
def test_a_setting_of_another_package_leads_to_one_that_is_here(name):
    assert name not in SETTABLE
    for new in SETTINGS[name].use.split(" and ") if SETTINGS[name].use else ():
        assert new.partition("=")[0] in SETTABLE
        if "=" in new:
            eval(new.partition("=")[2])
    with pytest.raises(cbow.CBOWError, match=re.escape(f"no setting {name!r}: {SETTINGS[name]}")):
        cbow.train([["a", "b"]], **{name: 1})


@pytest.mark.parametrize(
    ("kind", "name"),
    [
        *(("Model", name) for name in MODEL),
        *(("WordVectors", name) for name in VECTORS),
        *(("cbow", name) for name in PACKAGE),
    ],
)
def test_what_is_to_be_used_works(model, tmp_path, kind, name):
    names = {"Model": MODEL, "WordVectors": VECTORS, "cbow": PACKAGE}[kind]
    if "to_gensim" in names[name].use:
        pytest.importorskip("gensim.models")
    thing = {"Model": model, "WordVectors": model.vectors, "cbow": cbow}[kind]
    assert not hasattr(thing, name)
    assert name not in dir(thing)
    with pytest.raises(AttributeError, match=re.escape(f"{kind} has no {name}; {names[name]}")):
        getattr(thing, name)
    code = names[name].use
    assert code or names[name].differs
    path = tmp_path / "m.safetensors"
    model.save(path)
    if code and "corpus" not in code and "cbow.train(path)" not in code:
        code = code if "evaluate" not in code else code.partition("(")[0]
        more = {"matrix": np.eye(2), "words": ["a", "b"], "word": "king", "path": path}
        eval(code, {"cbow": cbow, "model": model, "vectors": model.vectors, **more})


def test_all_else_is_as_without_such_names(model):
    for thing in (model, model.vectors, Config()):
        for name in ("colour", "__wrapped__", "_ipython_display_", "__setstate__x"):
            assert not hasattr(thing, name)
            said = f"^'{type(thing).__name__}' object has no attribute '{name}'$"
            with pytest.raises(AttributeError, match=said):
                getattr(thing, name)
    for copied in (copy.copy(model), copy.deepcopy(model), pickle.loads(pickle.dumps(model))):
        assert copied.config == model.config
        assert copied.vectors.most_similar("king") == model.vectors.most_similar("king")
        again = pickle.loads(pickle.dumps(copied.vectors))
        assert again.most_similar("king") == model.vectors.most_similar("king")


def test_an_error_within_a_property_is_told_as_it_is(model):
    class Broken(cbow.WordVectors):
        @property
        def broken(self):
            return self.colour

    with pytest.raises(AttributeError, match="no attribute 'colour'"):
        _ = Broken(["a"], np.eye(1)).broken


def test_an_unknown_name_of_the_package_in_a_new_process():
    code = "import cbow, sys; print(hasattr(cbow, 'x'), hasattr(cbow, 'Word2Vec')); cbow.FastText"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stdout.split() == ["False", "False"]
    said = "cbow has no FastText; use cbow.train(corpus) (with ngrams=(3, 6) for n-grams)"
    assert done.stderr.endswith(f"AttributeError: {said}\n")
