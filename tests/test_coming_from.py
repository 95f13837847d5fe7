"""The pages for those who come from other packages: the lines of both sides of their tables run."""

import re
import warnings
from pathlib import Path

import numpy as np
import pytest

import cbow
from cbow.other_names import SETTINGS

DOCS = Path(__file__).parents[1] / "docs"
WORDS = ["the", "old", "king", "queen", *(f"word{i}" for i in range(46))]
LINES = [" ".join(row) for row in np.random.default_rng(1).choice(WORDS, (100, 8))]


def lines_of(page, side):
    """The code of a side of the tables of a page."""
    text = (DOCS / f"coming_from_{page}.md").read_text("utf-8")
    rows = re.findall(r"^\| `([^`]+)` \| `([^`]+)` \|", text, flags=re.M)
    assert len(rows) == len(re.findall(r"^\| `", text, flags=re.M)) > 10
    return [row[side] for row in rows]


@pytest.fixture
def ours(tmp_path, monkeypatch):
    """What the lines of this package are about."""
    monkeypatch.chdir(tmp_path)
    Path("text.txt").write_text("\n".join(LINES))
    model = cbow.train("text.txt", dimension=10, sample=0, epochs=3)
    names = {"cbow": cbow, "np": np, "model": model, "vectors": model.vectors}
    return {**names, "sentences": [line.split() for line in LINES], "documents": LINES}


@pytest.mark.slow
@pytest.mark.parametrize("page", ["gensim", "fasttext", "sklearn"])
def test_our_lines_run(page, ours):
    if page == "sklearn":
        pytest.importorskip("sklearn", minversion="1.6")
        ours["CBOWVectorizer"] = cbow.CBOWVectorizer
        ours["vectorizer"] = cbow.CBOWVectorizer(dimension=4, sample=0, epochs=1).fit(LINES)
    for line in lines_of(page, 1):
        exec(line, ours)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_gensims_lines_run(ours):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        models = pytest.importorskip("gensim.models")
    model = models.Word2Vec(ours["sentences"], vector_size=10, min_count=1)
    names = {each: getattr(models, each) for each in ("Word2Vec", "KeyedVectors", "Phrases")}
    for line in lines_of("gensim", 0):
        exec(line, {**names, "model": model, "wv": model.wv, "sentences": ours["sentences"]})


@pytest.mark.slow
def test_scikit_learns_lines_run(ours):
    pytest.importorskip("sklearn", minversion="1.6")
    names = {**ours, "matrix": ours["vectors"].matrix}
    for line in (
        "from sklearn.decomposition import TruncatedSVD",
        "from sklearn.feature_extraction.text import CountVectorizer",
        "from sklearn.linear_model import LogisticRegression",
        "from sklearn.metrics.pairwise import cosine_similarity",
        "from sklearn.neighbors import NearestNeighbors",
        "from sklearn.neural_network import MLPClassifier",
        "from sklearn.preprocessing import normalize",
        "counts = CountVectorizer().fit(documents)",
    ):
        exec(line, names)
    for line in lines_of("sklearn", 0):
        if line.startswith("LogisticRegression"):
            continue  # newer ones have no use for n_jobs
        if line.startswith("NearestNeighbors"):
            line = line.replace('"cosine"', '"cosine", n_neighbors=2')
        exec(line, names)


@pytest.mark.parametrize("page", ["gensim", "fasttext", "sklearn"])
def test_settings_beside_each_other_are_those_of_the_errors(page):
    for old, new in zip(lines_of(page, 0), lines_of(page, 1), strict=True):
        for name in re.findall(r"(\w+)=", old):
            here = SETTINGS.get(name)
            if here and here.use.isidentifier() and "train(" in new:
                assert f"{here.use}=" in new or name == "model", (old, new)
