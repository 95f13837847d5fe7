"""CBOW vectors for scikit-learn: from documents to the means of their words' vectors.

    X = mean of the one-hot vectors of a document's words    (V, n), column by column
    transform(documents) = Xᵀ vectors                        (n, N)

Needs scikit-learn, the extra ``sklearn``.
"""

from __future__ import annotations

import os
import warnings
from array import array
from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from cbow.config import DEFAULT_EMBEDDING, SEED, Config
from cbow.errors import CBOWError, ConfigError, CorpusError, QueryError
from cbow.model import Model, load_vectors
from cbow.network import contexts
from cbow.text import Tokenizer, tokenize
from cbow.text.encoded import spellings
from cbow.text.phrases import join_known
from cbow.text.reading import check_corpus, checked_tokens
from cbow.text.tokenizers import line_tokenizer, normalised, split_lines
from cbow.vectors import WordVectors
from cbow.vectors.embeddings import check_kind

try:
    from sklearn.base import BaseEstimator, ClassNamePrefixFeaturesOutMixin, TransformerMixin
    from sklearn.utils import Tags, check_random_state
    from sklearn.utils.validation import check_is_fitted
except ImportError as error:
    raise CBOWError(
        f"CBOWVectorizer needs scikit-learn 1.6 or later, which cannot be imported ({error}); "
        'install it with: python -m pip install "scikit-learn>=1.6"'
    ) from None

#: Arguments that are not settings of a training run.
_OWN: Final = {"embedding", "vectors", "random_state"}


class CBOWVectorizer(ClassNamePrefixFeaturesOutMixin, TransformerMixin, BaseEstimator):  # type: ignore[misc]
    """Learn word vectors from documents; turn each document into the mean of its words' vectors.

    A document is a str, cut into words by the tokenizer, or a list of words. Every occurrence of a
    word counts; words that are not in the vocabulary do not, unless the vectors have n-grams to
    make them of. A document without any such word becomes zeros; a warning says how many there are.

    Parameters
    ----------
    tokenizer : str or callable
        The name of a tokenizer, or a function that cuts a line into words.
    normalise, keep_case, keep_words, stop_words, phrases, phrase_score, phrase_threshold, \
min_count, max_vocabulary, heldout, window, sample, dimension, ngrams, buckets, activation, \
objective, candidates, block, optimizer, learning_rate, batch, epochs, effort, patience, threads
        The settings of a training run, with their defaults; see `cbow.Config`. Epochs, `sample` and
        the like are fitted to the documents where they are None; few documents may need a smaller
        `min_count`.
    embedding : str
        Which vectors: ``input``, ``output``, ``mean`` or ``joint``; see `cbow.Model.embedding`.
    vectors : str or PathLike, WordVectors or Model, optional
        Trained vectors, in any form that `cbow.load_vectors` opens. `fit` then trains nothing, and
        the settings of training have no effect. In a grid search give a path, because objects are
        copied for every fit.
    random_state : int, RandomState or None
        An int is the seed: same documents, same vectors. The others draw a new seed at every fit.

    Attributes
    ----------
    vectors_ : WordVectors
        A vector for each word.
    model_ : Model
        What `fit` has trained, with ``model_.report``; absent if there are `vectors`.
    vocabulary_ : mapping of str to int
        The row of each word in ``vectors_.matrix``.

    Raises
    ------
    CBOWError
        If it is imported without scikit-learn.

    Examples
    --------
    >>> documents = ["the king rules the land", "a fox runs over the land"] * 60
    >>> vectorizer = CBOWVectorizer(dimension=3, sample=0, epochs=2)
    >>> vectorizer.fit_transform(documents).shape
    (120, 3)
    >>> vectorizer.get_feature_names_out().tolist()
    ['cbowvectorizer0', 'cbowvectorizer1', 'cbowvectorizer2']
    """

    # scikit-learn reads the parameters off the signature; the defaults are those of Config.
    def __init__(
        self,
        *,
        tokenizer: str | Tokenizer = Config.tokenizer,
        normalise: str = Config.normalise,
        keep_case: bool = Config.keep_case,
        keep_words: Iterable[str] | None = Config.keep_words,
        stop_words: Iterable[str] | None = Config.stop_words,
        phrases: int = Config.phrases,
        phrase_score: str = Config.phrase_score,
        phrase_threshold: float | None = Config.phrase_threshold,
        min_count: int = Config.min_count,
        max_vocabulary: int | None = Config.max_vocabulary,
        heldout: float = Config.heldout,
        window: int | None = Config.window,
        sample: float | None = Config.sample,
        dimension: int = Config.dimension,
        ngrams: tuple[int, int] | str | None = Config.ngrams,
        buckets: int | None = Config.buckets,
        activation: str = Config.activation,
        objective: str = Config.objective,
        candidates: int | None = Config.candidates,
        block: int = Config.block,
        optimizer: str | None = Config.optimizer,
        learning_rate: float | None = Config.learning_rate,
        batch: int | None = Config.batch,
        epochs: int | None = Config.epochs,
        effort: str = Config.effort,
        patience: int | None = Config.patience,
        threads: int | None = Config.threads,
        embedding: str = DEFAULT_EMBEDDING,
        vectors: str | os.PathLike[str] | WordVectors | Model | None = None,
        random_state: int | np.random.RandomState | None = Config.seed,
    ) -> None:
        self.__dict__.update({name: each for name, each in locals().items() if name != "self"})

    def fit(self, documents: Iterable[Any], y: object = None) -> CBOWVectorizer:
        """Train on documents, or open `vectors`.

        Parameters
        ----------
        documents : iterable of str or of lists of str or of int
            Read once. A str may have several lines; no context crosses the end of a line.
        y : ignored

        Raises
        ------
        ConfigError
            If a setting is outside its range.
        CorpusError
            If something is not a document, or nothing can be learned from them.
        ModelFileError
            If the file of the vectors cannot be used.
        """
        texts = _documents(documents)
        check_kind(self.embedding)  # before the training, not after
        if self.vectors is None:
            from cbow.training import train  # here, because it loads the compiler

            self.model_ = train(texts, **self._settings())
            self.vectors_ = self.model_.embedding(self.embedding)
        else:
            self.vectors_ = _ready(self.vectors, self.embedding)
            self.__dict__.pop("model_", None)  # of an earlier fit
        return self

    def transform(self, documents: Iterable[Any]) -> NDArray[np.float32]:
        """Return for each of n documents the mean of the vectors of its words.

        Words that are not in the vocabulary, nor among `stop_words`, have a vector where those of
        the vocabulary come with n-grams.

        Parameters
        ----------
        documents : iterable of str or of lists of str or of int

        Returns
        -------
        (n, N) array of float32
            Zeros for a document without any such word.

        Raises
        ------
        CorpusError
            If something is not a document.
        QueryError
            If the mean of a document is not finite, as after a training that diverged.
        NotFittedError
            Before `fit`.

        Warns
        -----
        UserWarning
            If documents have no such word.
        """
        check_is_fitted(self)
        known, subwords = self.vocabulary_, self.vectors_.subwords
        V, made = len(known), dict[str, int]()  # ids of other words, behind those
        stop: Set[str] = frozenset()
        if subwords:  # the words that `stop_words` leaves out, as documents may have them
            config = Config(normalise=self.normalise, phrases=self.phrases)
            cut = line_tokenizer(self.tokenizer, self.keep_case)
            stop = frozenset().union(*spellings(self.stop_words, config, cut))

        def id_of(word: str) -> int | None:
            if word in known or subwords is None:
                return known.get(word)
            if word not in made and (word in stop or not subwords.has(word)):
                return None
            return made.setdefault(word, V + len(made))

        ids, ends = array("i"), array("q", [0])
        for document in _documents(documents):
            if isinstance(document, str):
                lines = [
                    tokenize(
                        line, self.tokenizer, keep_case=self.keep_case, normalise=self.normalise
                    )
                    for line in split_lines(document)
                ]
            else:
                lines = [[normalised(word, self.normalise) for word in document]]
            for words in lines:
                if self.phrases:
                    words = join_known(words, known, self.phrases)
                ids.extend(id for id in map(id_of, words) if id is not None)
            ends.append(len(ids))
        indptr = np.array(ends)  # (n + 1,)
        # Not as they came, for the order of the documents, too, changes nothing.
        others = sorted(made)
        place = np.arange(V + len(made))
        place[np.array([made[word] for word in others], np.intp)] = np.arange(V, len(place))
        X = contexts(place[np.array(ids)], indptr, len(place), np.float32)  # (V + others, n)
        X.sum_duplicates()  # so that the order of the words does not change even the rounding
        if empty := int((np.diff(indptr) == 0).sum()):
            warnings.warn(
                f"{empty} of {len(indptr) - 1} documents have no word of the vocabulary, and "
                "become zeros",
                stacklevel=3,  # transform is wrapped by scikit-learn
            )
        with np.errstate(under="ignore", over="ignore"):  # an overflow is reported below
            matrix = self.vectors_.matrix.astype(np.float32, copy=False)  # (V, N)
            means: NDArray[np.float32] = X[:V].T @ matrix
            if subwords and made:
                means += X[V:].T @ subwords.vectors(others).astype(np.float32)
        broken = np.flatnonzero(~np.isfinite(means).all(axis=1))
        if len(broken):
            raise QueryError(
                f"the mean of document {broken[0]} is not finite, because the vectors of its words "
                "are not, or are far too large; mend the vectors, or train them again with a "
                "smaller learning rate"
            )
        return means

    def fit_transform(
        self, documents: Iterable[Any], y: object = None, **parameters: Any
    ) -> NDArray[np.float32]:
        """Fit, and transform the same documents."""
        documents = list(_documents(documents))  # read twice
        means: NDArray[np.float32] = super().fit_transform(documents, y, **parameters)
        return means

    @property
    def vocabulary_(self) -> Mapping[str, int]:
        """The row of each word in ``vectors_.matrix``."""
        return self.vectors_.ids

    @property
    def _n_features_out(self) -> int:
        """The number of features, from which scikit-learn makes their names."""
        return self.vectors_.dimension

    def _settings(self) -> dict[str, Any]:
        """Return the settings of the training run by their names in `Config`."""
        own = {name: each for name, each in self.get_params().items() if name not in _OWN}
        seed = self.random_state
        if seed is None or isinstance(seed, np.random.RandomState):  # draw one
            seed = check_random_state(seed).randint(2**31 - 1)
        integer = isinstance(seed, int | np.integer) and not isinstance(seed, bool)
        if not integer or not SEED.accepts(seed):
            raise ConfigError(
                f"random_state is {seed!r}, but must be {SEED.expected}, a RandomState or None"
            )
        return {**own, "seed": int(seed)}

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.input_tags.string = True
        tags.input_tags.two_d_array = False
        tags.transformer_tags.preserves_dtype = []  # float32, whatever comes in
        return tags


def _documents(documents: Iterable[Any]) -> Iterator[str | Sequence[str]]:
    """Check documents one by one, and yield each as a str or a list of str."""
    if isinstance(documents, str):
        raise CorpusError("the corpus is of type str, one text; give a list of documents: [text]")
    for position, document in enumerate(check_corpus(documents)):
        is_text = isinstance(document, str)
        yield document if is_text else checked_tokens(document, f"document {position}")


def _ready(vectors: Any, embedding: str) -> WordVectors:
    """Return trained vectors from what `vectors` may be."""
    if isinstance(vectors, WordVectors):
        return vectors
    if isinstance(vectors, Model):
        return vectors.embedding(embedding)
    if isinstance(vectors, str | os.PathLike):
        return load_vectors(vectors, embedding)
    raise ConfigError(
        f"vectors is of type {type(vectors).__name__}; give the name of a file, WordVectors or a "
        "Model, or leave it out to train vectors"
    )
