"""CBOW word embeddings: the ReLU/softmax network, its gradients checked, its results reproducible.

>>> import cbow
>>> model = cbow.train([["old", "king"], ["old", "queen"]] * 40, dimension=4, epochs=2, sample=0)
>>> [word for word, cosine in model.vectors.most_similar("king", topn=2)] != ["king"]
True

The names below are loaded when they are first used, so that ``import cbow`` stays quick.
"""

from __future__ import annotations

import importlib

TYPE_CHECKING = False  # as `typing` has it, which takes longer to load than all that is here
if TYPE_CHECKING:
    from typing import Any

    from cbow.config import Config
    from cbow.errors import CBOWError
    from cbow.evaluation import evaluate
    from cbow.model import Model, load, load_vectors
    from cbow.text import Vocabulary, tokenize
    from cbow.training import resume, train
    from cbow.vectorizer import CBOWVectorizer as CBOWVectorizer
    from cbow.vectors import WordVectors

__all__ = [
    "CBOWError",
    "Config",
    "Model",
    "Vocabulary",
    "WordVectors",
    "evaluate",
    "load",
    "load_vectors",
    "resume",
    "tokenize",
    "train",
]

__version__ = "0.1.0"

# `CBOWVectorizer` is not in `__all__`: a star must not need scikit-learn.
_HOME = {
    "CBOWError": "cbow.errors",
    "CBOWVectorizer": "cbow.vectorizer",
    "Config": "cbow.config",
    "Model": "cbow.model",
    "Vocabulary": "cbow.text",
    "WordVectors": "cbow.vectors",
    "evaluate": "cbow.evaluation",
    "load": "cbow.model",
    "load_vectors": "cbow.model",
    "resume": "cbow.training",
    "tokenize": "cbow.text",
    "train": "cbow.training",
}


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        other_names = importlib.import_module("cbow.other_names")
        if name in other_names.PACKAGE:
            raise other_names.absent("cbow", name, other_names.PACKAGE)
        raise AttributeError(f"module 'cbow' has no attribute {name!r}")
    value = getattr(importlib.import_module(_HOME[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *_HOME})
