"""Layouts: what is chosen and why, that the same input gives the same map, that neighbours stay."""

import importlib.util
import sys
import types
import warnings

import numpy as np
import pytest

from cbow.errors import CBOWError, QueryError
from cbow.explore import layout
from cbow.explore.layout import METHODS, choose, lay_out

LIBRARIES = {"tsne": "sklearn", "umap": "umap"}


def families(n=120, N=20, many=6, seed=1):
    """Vectors in families, (n, N), and the family of each."""
    rng = np.random.default_rng(seed)
    family = np.arange(n) % many
    rows = 3 * rng.standard_normal((many, N))[family] + rng.standard_normal((n, N)) / 2
    return rows.astype(np.float32), family


def kept_together(places, family):
    """The share of nearest places that are of the same family."""
    distances = np.linalg.norm(places[:, None] - places[None], axis=2)
    np.fill_diagonal(distances, np.inf)
    return float((family[distances.argmin(axis=1)] == family).mean())


@pytest.fixture
def installed(monkeypatch):
    """Say which libraries are installed."""

    def say(*modules):
        monkeypatch.setattr(
            importlib.util, "find_spec", lambda name: name if name in modules else None
        )

    return say


def test_auto_takes_what_is_installed(installed):
    installed("sklearn", "umap")
    assert choose("auto", 100) == ("tsne", "chosen because scikit-learn is installed")
    installed("umap")
    assert choose("auto", 100) == ("umap", "chosen because umap-learn is installed")
    installed()
    why = "chosen because neither scikit-learn nor umap-learn is installed"
    assert choose("auto", 100) == ("pca", why)


def test_auto_takes_pca_for_few_words(installed):
    installed("sklearn", "umap")
    assert choose("auto", 99) == ("pca", "chosen because 99 words are few")


@pytest.mark.parametrize("choice", list(METHODS))
def test_what_the_user_chooses_needs_no_reason(installed, choice):
    installed()
    assert choose(choice, 100) == (choice, "")


@pytest.mark.parametrize(("choice", "name"), [("tsne", "t-SNE"), ("umap", "UMAP")])
def test_too_few_words(choice, name):
    sentence = f"{name} needs 100 words or more on the map, but there are 99; choose --layout pca"
    with pytest.raises(QueryError, match=sentence):
        lay_out(np.ones((99, 3)), choice, 1)


@pytest.mark.parametrize("choice", LIBRARIES)
def test_a_library_that_is_missing(monkeypatch, choice):
    monkeypatch.setitem(sys.modules, LIBRARIES[choice], None)
    package = METHODS[choice].package
    with pytest.raises(CBOWError, match=f"needs {package}, which .* pip install {package}, or"):
        lay_out(families()[0], choice, 1)


def test_pca_is_the_two_largest_components_of_the_directions():
    rows, _ = families()
    found = lay_out(rows * np.linspace(1, 50, len(rows))[:, None], "pca", 1)
    X = rows / np.linalg.norm(rows, axis=1, keepdims=True)
    X = X - X.mean(axis=0)
    values, axes = np.linalg.eigh(X.T @ X)
    expected = X @ axes[:, [-1, -2]]
    np.testing.assert_allclose(np.abs(found.places), np.abs(expected), atol=1e-5)
    share = round(100 * values[-2:].sum() / values.sum())
    assert found.remark == f"it shows {share} % of the variance"
    assert found.method == "PCA"


def test_the_reason_is_told(installed):
    installed()
    assert lay_out(families()[0], "auto", 1).remark.endswith(
        "% of the variance; chosen because neither scikit-learn nor umap-learn is installed"
    )


@pytest.mark.parametrize("rows", [np.ones((5, 3)), np.zeros((4, 2)), np.array([[1.0]])])
def test_words_in_one_place(rows):
    found = lay_out(rows, "pca", 1)
    np.testing.assert_array_equal(found.places, np.zeros((len(rows), 2)))


def test_words_along_one_line():
    found = lay_out(np.array([[1.0], [-1.0], [2.0]]), "pca", 1)
    np.testing.assert_allclose(found.places, [[2 / 3, 0], [-4 / 3, 0], [2 / 3, 0]])


def test_numbers_that_are_not_finite():
    with pytest.raises(QueryError, match="must be finite numbers"):
        lay_out(np.array([[1.0, np.nan]]), "pca", 1)


@pytest.mark.slow
def test_tsne():
    pytest.importorskip("sklearn")
    rows, family = families()
    one, again, other = (lay_out(rows, "tsne", 1) for _ in range(3))
    np.testing.assert_array_equal(one.places, again.places)
    np.testing.assert_array_equal(one.places, other.places)
    assert kept_together(one.places, family) == 1
    np.testing.assert_allclose(one.places.mean(axis=0), [0, 0], atol=1e-4)
    assert (one.method, one.remark) == ("t-SNE", layout.BENT)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")  # umap-learn warns of what its own libraries will change
def test_umap():
    pytest.importorskip("umap")
    rows, family = families()
    one, again = (lay_out(rows, "umap", 1) for _ in range(2))
    np.testing.assert_array_equal(one.places, again.places)
    assert kept_together(one.places, family) > 0.9


def test_umap_is_asked_for_the_same_map_each_time(monkeypatch):
    """Also where umap-learn is not installed."""
    asked = {}

    class UMAP:
        def __init__(self, **settings):
            asked.update(settings)

        def fit_transform(self, X):
            warnings.warn("this will change", FutureWarning, stacklevel=1)  # is not shown
            asked["X"] = X
            return X[:, :2].astype(np.float32) + 5

    module = types.ModuleType("umap")
    module.UMAP = UMAP
    monkeypatch.setitem(sys.modules, "umap", module)
    rows, _ = families(N=80)
    found = lay_out(rows, "umap", 7)
    assert asked["X"].shape == (120, layout.COMPONENTS)
    assert (asked["random_state"], asked["n_jobs"]) == (7, 1)
    assert np.abs(asked["init"]).max() == pytest.approx(layout.UMAP_START)
    np.testing.assert_allclose(found.places, asked["X"][:, :2], atol=1e-6)  # centred again
    assert found.method == "UMAP"


@pytest.mark.parametrize("choice", LIBRARIES)
def test_words_that_are_all_alike_have_a_start_too(monkeypatch, choice):
    module = pytest.importorskip("sklearn.manifold") if choice == "tsne" else None
    given = {}

    class Asked:
        def __init__(self, **settings):
            given.update(settings)

        def fit_transform(self, X):
            return given["init"]

    if module is None:
        module = types.ModuleType("umap")
        monkeypatch.setitem(sys.modules, "umap", module)
    monkeypatch.setattr(module, choice.upper(), Asked, raising=False)
    found = lay_out(np.ones((100, 4)), choice, 1)
    np.testing.assert_array_equal(found.places, np.zeros((100, 2)))
