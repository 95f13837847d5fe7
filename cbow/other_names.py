"""What gensim, fastText, word2vec and scikit-learn call a thing, and what to use here instead.

Whoever uses such a name gets an error that says what to use in its place, not a second name for it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final, NamedTuple, TypeVar

_Class = TypeVar("_Class", bound=type)


class Here(NamedTuple):
    """What to use here for a name of another package."""

    use: str  #: code; empty if there is nothing of the kind
    differs: str = ""  #: in what its meaning differs, or why there is nothing of the kind

    def __str__(self) -> str:
        """Return the advice, which ends an error message."""
        if not self.use:
            return self.differs
        return f"use {self.use}" + (f" ({self.differs})" if self.differs else "")


_dimension = Here("dimension")
_threads = Here("threads", "all processors by default; the result is the same at any number")
_rate = Here("learning_rate", "on another scale; at first leave it out, for it fits the objective")
_candidates = Here(
    "candidates", "shared by a block of tokens, not drawn for each; at first leave it out"
)
_ngrams = Here("ngrams", "the fewest and the most characters together, as in ngrams=(3, 6)")
_only_cbow = Here("", "only CBOW is trained, no skip-gram; leave it out")
_epochs = Here("epochs")

#: Settings of `cbow.train` and fields of `Config`.
SETTINGS: Final[Mapping[str, Here]] = {
    # gensim
    "vector_size": _dimension,
    "alpha": _rate,
    "min_alpha": Here("", "the learning rate always falls to nearly 0; leave it out"),
    "negative": _candidates,
    "ns_exponent": Here("", "candidates are drawn by frequency to the power 0.75; leave it out"),
    "sg": _only_cbow,
    "hs": Here("", "there is no hierarchical softmax; see objective"),
    "cbow_mean": Here("", "a context is always the mean of its words; leave it out"),
    "shrink_windows": Here("", "how far a window reaches is always drawn; leave it out"),
    "max_final_vocab": Here("max_vocabulary"),
    "max_vocab_size": Here("max_vocabulary", "it limits what is kept; nothing is lost in counting"),
    "trim_rule": Here("keep_words and stop_words", "lists of words, not a function"),
    "sorted_vocab": Here("", "words are always sorted by frequency; leave it out"),
    "batch_words": Here("batch", "examples for each update of the parameters"),
    "compute_loss": Here("", "the loss is always in model.report; leave it out"),
    "callbacks": Here("observer=cbow.training.Observer()", "a subclass of it"),
    "size": _dimension,
    "iter": _epochs,
    # fastText
    "dim": _dimension,
    "ws": Here("window"),
    "lr": _rate,
    "epoch": _epochs,
    "minCount": Here("min_count"),
    "neg": _candidates,
    "thread": _threads,
    "t": Here("sample"),
    "loss": Here("objective", "'exact' for softmax; 'sampled' is nearest to ns"),
    "minn": _ngrams,
    "maxn": _ngrams,
    "bucket": Here("buckets", "with ngrams"),
    "model": _only_cbow,
    "verbose": Here("observer=cbow.training.ProgressBar()"),
    # scikit-learn
    "n_components": _dimension,
    "n_jobs": _threads,
    "max_iter": _epochs,
    "batch_size": Here("batch"),
    "random_state": Here("seed", "a whole number; 1 by default"),
    "max_features": Here("max_vocabulary"),
    "min_df": Here("min_count", "occurrences of a word, not documents with it"),
    "lowercase": Here("keep_case", "True where lowercase was False"),
}

_FASTTEXT: Final = {
    "get_words": Here("vectors.words"),
    "get_word_vector": Here("vectors[word]", "words of the text only"),
    "get_word_id": Here("vectors.ids[word]"),
    "get_sentence_vector": Here("vectors.get_mean_vector", "of a list of words"),
    "get_nearest_neighbors": Here("vectors.most_similar", "the word before the cosine"),
    "get_analogies": Here("vectors.most_similar", "as in ([a, c], [b])"),
}

#: Attributes of a `Model`.
MODEL: Final[Mapping[str, Here]] = {
    **{
        name: Here(f"model.config.{here.use}")
        for name, here in SETTINGS.items()
        if here.use.isidentifier()
    },
    # gensim
    "wv": Here("model.vectors"),
    "layer1_size": Here("model.config.dimension"),
    "syn1neg": Here("model.parameters.W2", "with biases, model.parameters.b2"),
    "predict_output_word": Here("model.predict_center"),
    "get_latest_training_loss": Here('model.report["epochs"][-1]["loss"]', "nats per token"),
    "build_vocab": Here("cbow.train", "it reads the text once, for words and for training"),
    "train": Here("cbow.resume", "for more epochs on the same text"),
    "most_similar": Here("model.vectors.most_similar"),
    "similarity": Here("model.vectors.similarity"),
    # fastText
    **{name: here._replace(use=f"model.{here.use}") for name, here in _FASTTEXT.items()},
    "words": Here("model.vectors.words"),
    "get_input_matrix": Here('model.embedding("input").matrix'),
    "get_output_matrix": Here('model.embedding("output").matrix'),
    "get_dimension": Here("model.config.dimension"),
    "save_model": Here("model.save"),
}

#: Attributes of `WordVectors`.
VECTORS: Final[Mapping[str, Here]] = {
    # gensim
    "key_to_index": Here("vectors.ids"),
    "index_to_key": Here("vectors.words"),
    "vector_size": Here("vectors.dimension"),
    "vectors": Here("vectors.matrix"),
    "get_index": Here("vectors.ids[word]", "or vectors.ids.get(word, default)"),
    "has_index_for": Here("word in vectors"),
    "get_vecattr": Here("vectors.counts[vectors.ids[word]]", "there are counts and nothing else"),
    "get_normed_vectors": Here("cbow.vectors.nearest.unit(vectors.matrix)"),
    "fill_norms": Here("", "lengths are computed when they are first needed; leave it out"),
    "init_sims": Here("", "lengths are computed when they are first needed; leave it out"),
    "similar_by_key": Here("vectors.similar_by_word"),
    "add_vector": Here("cbow.WordVectors(words, matrix)", "vectors cannot be changed"),
    "add_vectors": Here("cbow.WordVectors(words, matrix)", "vectors cannot be changed"),
    "save_word2vec_format": Here(
        "vectors.save(path)", 'of the name .txt or .bin, or with format="word2vec-binary"'
    ),
    "evaluate_word_pairs": Here("cbow.evaluate(vectors, pairs=path)"),
    "evaluate_word_analogies": Here("cbow.evaluate(vectors, analogies=path)"),
    "wmdistance": Here("vectors.to_gensim().wmdistance"),
    "rank_by_centrality": Here("vectors.to_gensim().rank_by_centrality"),
    "relative_cosine_similarity": Here("vectors.to_gensim().relative_cosine_similarity"),
    # gensim before 4
    "vocab": Here("vectors.ids"),
    "index2word": Here("vectors.words"),
    "index2entity": Here("vectors.words"),
    "syn0": Here("vectors.matrix"),
    "word_vec": Here("vectors.get_vector"),
    "words_closer_than": Here("vectors.closer_than"),
    # fastText
    **_FASTTEXT,
    "get_dimension": Here("vectors.dimension"),
}

#: Names in the package.
PACKAGE: Final[Mapping[str, Here]] = {
    "Word2Vec": Here("cbow.train(corpus)", "it returns a cbow.Model; cbow.load opens one"),
    "FastText": Here("cbow.train(corpus)", "with ngrams=(3, 6) for n-grams"),
    "Phrases": Here("cbow.train(corpus, phrases=1)", "it joins the words and trains on them"),
    "KeyedVectors": Here("cbow.WordVectors", "cbow.load_vectors(path) opens any format"),
    "LineSentence": Here("cbow.train(path)", "files are read as they are"),
    "PathLineSentences": Here("cbow.train(path)", "folders are read as they are"),
    "train_unsupervised": Here("cbow.train(corpus)"),
    "load_model": Here("cbow.load(path)"),
}


def absent(thing: str, name: str, names: Mapping[str, Here]) -> AttributeError:
    """Create the error about a name of another package."""
    return AttributeError(f"{thing} has no {name}; {names[name]}")


def explaining(thing: str, names: Mapping[str, Here]) -> Callable[[_Class], _Class]:
    """Let the objects of a class explain the names of other packages.

    As a decorator it stays unseen by type checkers, which go on to reject unknown attributes.
    """

    def decorate(cls: _Class) -> _Class:
        def __getattr__(self: object, name: str) -> Any:  # noqa: N807  # it becomes one
            if name in names:
                raise absent(thing, name, names)
            return object.__getattribute__(self, name)  # raises what Python raises

        cls.__getattr__ = __getattr__  # type: ignore[attr-defined]
        return cls

    return decorate
