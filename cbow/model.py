"""A trained model: configuration, vocabulary, parameters and report; its file, its predictions.

The network itself guesses a missing word. The columns of a batch are answered together:

    x    = mean of the one-hot vectors of the words around the gap    (V, 1)
    Z1   = W1 x + b1        H    = g(Z1)                              (N, 1)
    Z2   = W2 H + b2        Yhat = softmax(Z2)                        (V, 1)
"""

from __future__ import annotations

import contextlib
import os
import warnings
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any, Final, TypeAlias, overload

import numpy as np

from cbow.config import DEFAULT_EMBEDDING, MAX_EXPANSION, Config
from cbow.errors import (
    TRAIN_AGAIN,
    ModelFileError,
    QueryError,
    UnknownWordError,
    VectorsWarning,
    shown,
)
from cbow.other_names import MODEL, explaining
from cbow.system.arrays import Floats, Ids
from cbow.system.files import to_read
from cbow.vectors import WordVectors, formats
from cbow.vectors.formats import native as file
from cbow.vectors.nearest import may_be_largest
from cbow.vectors.query import check_integer, described
from cbow.vectors.word_vectors import html_table
from cbow.vectors.words import distinct, spelled_like

if TYPE_CHECKING:
    from cbow.network import Network, Parameters
    from cbow.text import Vocabulary

#: A word and its probability.
Guess: TypeAlias = tuple[str, float]

#: Probabilities held at once for a batch of contexts (16 MiB in float32).
HELD: Final = 2**22


@explaining("Model", MODEL)
@dataclass(frozen=True, eq=False, repr=False)
class Model:
    """What training has learned, and how.

    Parameters
    ----------
    config : Config
        The settings of the training run; N is its dimension.
    vocabulary : Vocabulary
        V words.
    parameters : Parameters
        W1 (N, V), b1 (N, 1), W2 (V, N), b2 (V, 1), all float32 or all float64. If the words are
        made of n-grams, W1 is (N, V + buckets); see `cbow.network.compose`.
    report : dict
        What happened, as JSON has it: the account of the tokens, the loss of each epoch.

    Raises
    ------
    ModelFileError
        If the parts do not fit each other.
    """

    config: Config
    vocabulary: Vocabulary
    parameters: Parameters
    report: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        N, V, dtype = self.config.dimension, len(self.vocabulary), self.parameters.W1.dtype
        if dtype not in (np.float32, np.float64):
            raise ModelFileError(f"W1 is {dtype}; give parameters of float32 or float64")
        if self.parameters.depth != 2:
            raise ModelFileError(
                f"there are parameters of {self.parameters.depth} layers, but CBOW has 2; "
                "give W1, b1, W2, b2"
            )
        columns = V + (self.config.buckets or 0)
        shapes = {"W1": (N, columns), "b1": (N, 1), "W2": (V, N), "b2": (V, 1)}
        for name, array in zip(self.parameters.names, self.parameters, strict=True):
            if array.shape != shapes[name] or array.dtype != dtype:
                raise ModelFileError(
                    f"{name} is {array.dtype} of shape {array.shape}, but for {V} words and "
                    f"dimension {N} must be {dtype} of shape {shapes[name]}; "
                    "give parts of one model"
                )

    def __repr__(self) -> str:
        V, N = len(self.vocabulary), self.config.dimension
        return f"Model({V} words, {N} dimensions, {self.config.activation})"

    def _repr_html_(self) -> str:
        """Return a table for a notebook: sizes, changed settings, losses beside the baselines."""
        report, default = self.report, Config().to_dict()
        changed = [
            f"{name}={shown(value, most=40)}"
            for name, value in self.config.to_dict().items()
            if name not in default or value != default[name]
        ]
        rows = [
            ["numbers learned", f"{sum(array.size for array in self.parameters):,}"],
            ["settings", ", ".join(changed) or "the defaults"],
        ]
        # What a file says of the training may lack anything.
        with contextlib.suppress(LookupError, TypeError, ValueError):
            rows.append(["objective", report["objective"]])
            last, baselines = report["epochs"][-1], report["baselines"]
            rows.append(["epochs", f"{len(report['epochs']):,}"])
            losses = {
                "loss, nats per token": last["loss"],
                "loss of the word frequencies": baselines["unigram"],
                "held-out loss": last["heldout_loss"],
                "held-out loss of the word frequencies": baselines["heldout_unigram"],
                "loss of equal probabilities": baselines["uniform"],
            }
            rows += [[of, f"{loss:.4f}"] for of, loss in losses.items() if loss is not None]
        return html_table(repr(self), [], rows)

    @cached_property
    def vectors(self) -> WordVectors:
        """The word vectors, of the default kind."""
        return self.embedding()

    def embedding(self, kind: str = DEFAULT_EMBEDDING) -> WordVectors:
        """Return the word vectors of a kind.

        Parameters
        ----------
        kind : str
            ``input``: the rows of W1ᵀ, with n-grams of (W1 F)ᵀ; ``output``: the rows of W2, both
            without a copy; ``mean``: half their sum, computed anew; ``joint``: principal components
            of both, see `joint`.

        Raises
        ------
        ConfigError
            If there is no such kind.
        """
        stored = self.stored()
        matrix, to = self._joint if kind == "joint" else file.embedded(stored, kind)
        return WordVectors(stored.words, matrix, stored.counts, file.subwords(stored, to))

    @cached_property
    def composed(self) -> Parameters:
        """The parameters for whole words: those of the model, or with n-grams W1 F, b1, W2, b2.

        See `cbow.network.compose`.
        """
        stored = self.stored()
        if stored.ngrams is None:
            return self.parameters
        E, _ = file.embedded(stored, "input")  # (V, N)
        return type(self.parameters)(E.T, *self.parameters[1:])

    @property
    def joint(self) -> Floats:
        """The joint vectors, (V, N): those of the file, else computed once and kept.

        See `cbow.vectors.embeddings.joint_vectors`.
        """
        return self._joint[0]

    @cached_property
    def _joint(self) -> tuple[Floats, Floats | None]:
        """The joint vectors, and what takes means of n-grams to them."""
        return file.embedded(self.stored(), "joint")

    @overload
    def predict_center(self, context_words: Sequence[str], topn: int = 10) -> list[Guess]: ...
    @overload
    def predict_center(
        self, context_words: Sequence[list[str]], topn: int = 10
    ) -> list[list[Guess]]: ...

    def predict_center(
        self, context_words: Sequence[str] | Sequence[list[str]], topn: int = 10
    ) -> list[Guess] | list[list[Guess]]:
        """Ask the network for the word that is missing among others.

        This is the forward pass of training, with the softmax over the whole vocabulary. The
        probabilities are those of the text as training saw it: with `sample` above 0, frequent
        words are rarer there.

        Parameters
        ----------
        context_words : list of str, or list of lists
            The words around the gap, any number in any order; one that comes twice counts twice.
            They may be guessed as well. A list of lists is many gaps.
        topn : int
            How many words to return; all of them if there are fewer.

        Returns
        -------
        list of (word, probability)
            The most probable first; equals by falling frequency. For many gaps, a list of such
            lists.

        Raises
        ------
        UnknownWordError
            If a word is not in the vocabulary. Leave it out:
            ``[word for word in words if word in model.vocabulary]``.
        QueryError
            If there is no word, a value is not a word, or a number of the model is not finite.
        """
        from cbow.network import cbow_network  # here, for `load_vectors` does without

        check_integer("topn", topn, 0)
        vocabulary, ids = self.vocabulary, []
        lists, many = _lists(context_words)
        for words in lists:
            for word in words:
                if word not in vocabulary:
                    raise UnknownWordError(word, partial(spelled_like, word, vocabulary))
            ids.append(np.array([vocabulary[word] for word in words], np.intp))
        network = cbow_network(self.config.activation)
        guesses = [
            [(vocabulary.word(id), float(p)) for id, p in zip(outputs, probabilities, strict=True)]
            for outputs, probabilities in most_probable(network, self.composed, ids, int(topn))
        ]
        return guesses if many else guesses[0]

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the model to one file, with its joint vectors. Equal models give equal bytes.

        Raises
        ------
        OutputError
            If the file cannot be written.
        ModelFileError
            If the report cannot be written as JSON.
        """
        # Parameters that can be changed, unlike those of a file, may have been since the first use.
        if any(array.flags.writeable for array in self.parameters):
            self.__dict__.pop("composed", None)
            self.__dict__.pop("_joint", None)
        joint, joint_to = self._joint
        file.write_model(path, self.stored()._replace(joint=joint, joint_to=joint_to))

    def stored(self) -> file.Stored:
        """Return the model as it lies in a file, without its joint vectors."""
        W1, b1, W2, b2 = self.parameters
        words, counts = self.vocabulary.words, self.vocabulary.counts
        return file.Stored(self.config, self.report, words, counts, W1.T, b1[:, 0], W2, b2[:, 0])

    @classmethod
    def from_stored(cls, stored: file.Stored) -> Model:
        """Return the model that lies in a file; nothing is copied."""
        from cbow.network import Parameters  # here, for `load_vectors` does without
        from cbow.text import Vocabulary

        W1 = stored.W1T.T  # (N, V), in Fortran order as it lies in the file
        parameters = Parameters(W1, stored.b1[:, None], stored.W2, stored.b2[:, None])
        vocabulary = Vocabulary(distinct(stored.words), stored.counts)
        model = cls(stored.config, vocabulary, parameters, stored.report)
        if stored.joint is not None:
            model.__dict__["_joint"] = stored.joint, stored.joint_to  # as if computed
        return model


def load(path: str | os.PathLike[str]) -> Model:
    """Open a model; its parameters are read-only and stay on disk until they are used.

    Parameters
    ----------
    path : str or PathLike
        A file that `Model.save` or ``cbow-train`` wrote.

    Raises
    ------
    ModelFileError
        If the file is missing, damaged, of another kind or of a later version of cbow.
    """
    return Model.from_stored(file.read_model(path))


def load_vectors(
    path: str | os.PathLike[str],
    embedding: str = DEFAULT_EMBEDDING,
    errors: str = "strict",
    on_bad_rows: str = "raise",
    max_expansion: float = MAX_EXPANSION,
) -> WordVectors:
    """Open the word vectors of a model, or a file of vectors in any format of `formats.FORMATS`.

    Parameters
    ----------
    path : str or PathLike
        A file that `Model.save` or ``cbow-train`` wrote, a file of vectors of word2vec, fastText,
        GloVe, the Embedding Projector, numpy or this package, or a folder of model2vec; the
        content tells which.
    embedding : str
        Of a model: ``joint``, ``input`` or ``output``, which stay on disk until they are used, or
        ``mean``, which is computed, as ``joint`` is from a file of format 1; see
        `Model.embedding`. Other files hold one kind only.
    errors : {"strict", "replace"}
        Whether a word that is not UTF-8 is rejected, or kept with U+FFFD for its bad bytes.
    on_bad_rows : {"raise", "skip"}
        Whether a row that cannot be read is rejected, or left out and counted.
    max_expansion : float
        How many times its size on disk a file may become where it is packed; `math.inf` for no
        limit.

    Raises
    ------
    ModelFileError
        If the file is missing, damaged, of another kind or of a later version of cbow.
    ConfigError
        If there is no such kind of vectors, or another argument is something else.

    Warns
    -----
    VectorsWarning
        If something of a file of vectors is left out, or read otherwise than it stands there.
    """
    source = formats.Source(to_read(path))
    name = formats.recognise(source)
    words, matrix, counts, account, subwords = formats.read(
        source,
        name,
        errors=errors,
        on_bad_rows=on_bad_rows,
        max_expansion=max_expansion,
        embedding=embedding,
    )
    notes = list(account.notes())
    if embedding != DEFAULT_EMBEDDING and not formats.FORMATS[name].kinds:
        notes.append(
            f"there is one kind of vectors in it, so embedding={shown(embedding)} says nothing"
        )
    for note in notes:
        warnings.warn(f"{source.path}: {note}", VectorsWarning, stacklevel=2)
    return WordVectors(words, matrix, counts, subwords)


def most_probable(
    network: Network, parameters: Parameters, context_ids: Sequence[Ids], topn: int
) -> list[tuple[Ids, Floats]]:
    """Find the outputs of largest probability for each context.

    Parameters
    ----------
    network : Network
        Whose output is softmax.
    parameters : Parameters
        W1 (N, V), b1 (N, 1), W2 (V, N), b2 (V, 1).
    context_ids : sequence of m arrays of int
        The ids of the words of each context, none empty; an id that comes twice counts twice.
    topn : int
        How many to find; all V if that is fewer.

    Returns
    -------
    list of m pairs of ndarray
        Ids and their probabilities, the largest first; equals by rising id.

    Raises
    ------
    QueryError
        If a probability is not a number.
    """
    from cbow.network import contexts, forward  # here, for `load_vectors` does without

    V = len(parameters.W2)
    step, results = max(1, HELD // V), []
    for start in range(0, len(context_ids), step):
        block = context_ids[start : start + step]
        ends = np.cumsum([0, *map(len, block)])  # (m + 1,)
        X = contexts(np.concatenate(block), ends, V, parameters.W1.dtype)  # (V, m)
        with np.errstate(all="ignore"):  # the next line says what is wrong
            done = forward(network, parameters, X)
        if np.isnan(done.Yhat[0]).any():  # one that is not a number makes its whole column so
            raise QueryError(
                "the model holds numbers that are not finite, or far too large, so that it has no "
                f"probabilities; {TRAIN_AGAIN}"
            )
        for p in done.Yhat.T:  # (V,)
            ids = may_be_largest(p, min(topn, V), slack=0) if topn else np.empty(0, np.intp)
            ids = ids[np.argsort(-p[ids], kind="stable")[:topn]]
            results.append((ids, p[ids]))
    return results


def _lists(context_words: Iterable[str | Iterable[str]]) -> tuple[list[list[str]], bool]:
    """Return the words of each context, and whether they came as a list of lists."""
    gaps = _listed(context_words)
    single = [isinstance(each, str) for each in gaps]
    if all(single):
        return [_checked(gaps, "the context")], False
    if any(single):
        raise QueryError(
            f"of {len(gaps)} contexts {sum(single)} are single words; give words, or a list of "
            "words for each gap"
        )
    lists = [_listed(each) for each in gaps]
    return [_checked(words, f"context {i}") for i, words in enumerate(lists)], True


def _listed(words: object) -> list[str]:
    """Put a single word into a list, and the words of any other iterable."""
    if isinstance(words, str):
        return [words]
    if not isinstance(words, Iterable) or isinstance(words, bytes):
        raise QueryError(
            f"{described(words)} is not a context; give a list of the words around the gap, or a "
            "list of such lists"
        )
    return list(words)


def _checked(words: list[str], name: str) -> list[str]:
    """Reject a context without words, or with something else."""
    if not words:
        raise QueryError(f"{name} is empty; give at least one of the words around the gap")
    for word in words:
        if not isinstance(word, str):
            raise QueryError(
                f"{shown(word)} in {name} is not a word; ask for words by their spelling"
            )
    return words
