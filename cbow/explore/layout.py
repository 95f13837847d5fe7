"""Where words lie on the map: many dimensions laid out in two.

    pca    the two principal components of largest variance: a straight view, needs nothing else
    tsne   van der Maaten & Hinton 2008, "Visualizing Data using t-SNE", by scikit-learn
    umap   McInnes, Healy & Melville 2018, arXiv 1802.03426, by umap-learn

The last two bend the space so that neighbours stay neighbours; what is far apart on their map says
little. Both start from the principal components (Kobak & Linderman 2021, "Initialization is
critical for preserving global data structure in both t-SNE and UMAP").
"""

from __future__ import annotations

import importlib
import importlib.util
import warnings
from collections.abc import Callable
from typing import Any, Final, NamedTuple

import numpy as np

from cbow.errors import CBOWError, QueryError
from cbow.system.arrays import Doubles, Floats
from cbow.vectors.embeddings import principal_components
from cbow.vectors.nearest import unit

#: t-SNE and UMAP start from at most this many principal components: there is little in the others,
#: and the search for neighbours takes half the time.
COMPONENTS: Final = 50

#: Neighbours of a word that t-SNE (its perplexity) and UMAP take into account: the defaults.
PERPLEXITY, NEIGHBOURS = 30, 15

#: With fewer words there are no neighbourhoods to keep.
FEWEST: Final = 100

#: The largest coordinate at the start of UMAP, that of its own start.
UMAP_START: Final = 10.0

#: The standard deviation at the start of t-SNE, so small that words can pass each other.
TSNE_START: Final = 1e-4

#: Of t-SNE: steps, and how coarsely far words are taken together (Barnes-Hut). The library's own,
#: 1000 and 0.5, take three and a half times as long and keep no more neighbours together.
STEPS, ANGLE = 500, 0.8

BENT: Final = "near words are neighbours, but what is far apart says little"


class Layout(NamedTuple):
    """Places of n words, and how they were found."""

    places: Doubles  #: (n, 2), their mean is 0
    method: str  #: its name for people
    remark: str  #: what it shows, and why it was chosen


class Method(NamedTuple):
    """A way to lay words out."""

    name: str  #: for people
    module: str | None  #: that has to be installed
    package: str  #: its name for pip
    place: Callable[[Doubles, int], Doubles]  #: from principal components (n, K) and a seed, (n, 2)


def lay_out(rows: Floats, choice: str, seed: int) -> Layout:
    """Lay words out in two dimensions. The same input gives the same places.

    Parameters
    ----------
    rows : ndarray, (n, N)
        The vectors; only their directions count.
    choice : str
        A key of `METHODS`, or ``auto``: the first whose library is installed; principal components
        for few words.
    seed : int
        For t-SNE and UMAP, from 0 to 2^32 - 1.

    Raises
    ------
    CBOWError
        If the library for `choice` is not installed.
    QueryError
        If there are too few words for `choice`, or numbers that are not finite.
    """
    key, why = choose(choice, len(rows))
    method = METHODS[key]
    try:
        if method.module:
            importlib.import_module(method.module)
    except ImportError as error:
        raise CBOWError(
            f"{method.name} needs {method.package}, which cannot be imported ({error}); install it "
            f"with: pip install {method.package}, or choose --layout pca"
        ) from error
    coordinates, _, shares = principal_components(unit(rows))  # (n, K), (K, N), (K,)
    with warnings.catch_warnings():  # of libraries about changes to come
        warnings.simplefilter("ignore")
        places = method.place(coordinates[:, :COMPONENTS], seed)  # (n, 2)
    shows = BENT if method.module else f"it shows {100 * shares[:2].sum():.0f} % of the variance"
    remark = f"{shows}; {why}" if why else shows
    return Layout(places - places.mean(axis=0), method.name, remark)


def choose(choice: str, n: int) -> tuple[str, str]:
    """Choose a method for n words.

    Returns
    -------
    key : str
        Of `METHODS`.
    why : str
        Empty if the user has chosen.

    Raises
    ------
    QueryError
        If there are too few words for `choice`.
    """
    libraries = {key: method for key, method in METHODS.items() if method.module}
    if choice in libraries and n < FEWEST:
        raise QueryError(
            f"{METHODS[choice].name} needs {FEWEST} words or more on the map, but there are {n}; "
            "choose --layout pca"
        )
    if choice != "auto":
        return choice, ""
    if n < FEWEST:
        return "pca", f"chosen because {n} words are few"
    for key, method in libraries.items():
        if importlib.util.find_spec(str(method.module)) is not None:
            return key, f"chosen because {method.package} is installed"
    packages = " nor ".join(method.package for method in libraries.values())
    return "pca", f"chosen because neither {packages} is installed"


def _by_components(coordinates: Doubles, seed: int = 0) -> Doubles:
    """Return the first two principal components, zeros where there are fewer, (n, 2)."""
    places = np.zeros((len(coordinates), 2))
    places[:, : coordinates.shape[1]] = coordinates[:, :2]
    return places


def _by_tsne(coordinates: Doubles, seed: int) -> Doubles:
    """Lay out by t-SNE, (n, 2)."""
    from sklearn.manifold import TSNE
    from threadpoolctl import threadpool_limits

    start = _by_components(coordinates)
    start *= TSNE_START / (start[:, 0].std() or 1)
    # One thread: with more, the order of some additions varies, and with it every place.
    with threadpool_limits(1, "openmp"):
        tsne: Any = TSNE(
            perplexity=PERPLEXITY, init=start, random_state=seed, max_iter=STEPS, angle=ANGLE
        )
        places: Doubles = tsne.fit_transform(coordinates).astype(np.float64)
    return places


def _by_umap(coordinates: Doubles, seed: int) -> Doubles:
    """Lay out by UMAP, (n, 2)."""
    from umap import UMAP

    start = _by_components(coordinates)
    start *= UMAP_START / (np.abs(start).max() or 1)
    # One thread: with more, the same seed gives other places.
    umap: Any = UMAP(n_neighbors=NEIGHBOURS, init=start, random_state=seed, n_jobs=1)
    places: Doubles = umap.fit_transform(coordinates).astype(np.float64)
    return places


#: In the order in which ``auto`` takes them; docs/explore.md has what chose it.
METHODS: Final = {
    "tsne": Method("t-SNE", "sklearn", "scikit-learn", _by_tsne),
    "umap": Method("UMAP", "umap", "umap-learn", _by_umap),
    "pca": Method("PCA", None, "", _by_components),
}
