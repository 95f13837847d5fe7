"""Every setting of a training run, with its default, its range and its help text, written once.

The flags of ``cbow-train``, their help, the table in ``docs/settings.md`` and the metadata of a
model file all derive from `Config`.
"""

from __future__ import annotations

import dataclasses
import functools
import math
import operator
import os
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from cbow.errors import ConfigError, shown
from cbow.other_names import SETTINGS

NORMAL_FORMS: Final = ("none", "nfc", "nfkc")
TOKENIZERS: Final = ("word", "whitespace", "nltk", "custom")

#: The thresholds of the scores of phrases when none is given.
PHRASE_THRESHOLDS: Final[Mapping[str, float]] = {"counts": 10.0, "npmi": 0.5}
PHRASE_SCORES: Final = tuple(PHRASE_THRESHOLDS)

OBJECTIVES: Final = ("auto", "exact", "sampled")
EMBEDDINGS: Final = ("input", "output", "mean", "joint")

#: The activations of `cbow.network` for hidden layers, and those that a run can train, under both
#: objectives. Here are their names alone, so that --help needs no numpy.
HIDDEN_ACTIVATIONS: Final = ("relu", "leaky_relu", "sigmoid", "tanh", "identity")
ACTIVATIONS: Final = ("relu", "leaky_relu", "identity")

#: The costs of `cbow.network`, with the activations of the output layer that each fits.
COSTS: Final = {
    "cross-entropy": ("softmax",),
    "logistic": ("sigmoid",),
    "squared-error": HIDDEN_ACTIVATIONS,
}

#: What may be done about rows of a file of vectors that cannot be read.
BAD_ROWS: Final = ("raise", "skip")

#: The most characters of an n-gram.
LONGEST_NGRAM: Final = 20

#: How many times its size on disk a file of vectors may become in memory, if nothing else is said.
MAX_EXPANSION: Final = 50.0

#: Which vectors a query uses when it does not say.
DEFAULT_EMBEDDING: Final = "joint"

#: The update rules of `cbow.network`.
OPTIMIZERS: Final = ("adam", "adagrad", "sgd")

#: How much time a training may take: the epochs that are chosen where none are given.
EFFORTS: Final = ("quick", "normal", "best")

#: What the default is of a setting that is chosen by `cbow.training.defaults`.
FITTED: Final = "fitted to the text"


@dataclass(frozen=True)
class Range:
    """The numbers a setting may take, and the sentence that names them."""

    accepts: Callable[[Any], bool]
    expected: str


POSITIVE = Range(lambda x: 1 <= x < 2**31, "a whole number from 1 to 2^31 - 1")
PASSES = Range(lambda x: 0 <= x <= 5, "a whole number from 0 to 5")
SEED = Range(lambda x: 0 <= x < 2**63, "a whole number from 0 to 2^63 - 1")
RATE = Range(lambda x: math.isfinite(x) and x > 0, "a finite number above 0")
YES_OR_NO = Range(lambda x: isinstance(x, bool), "True or False")
WORDS = Range(
    lambda x: all(isinstance(word, str) and word for word in x),
    "a list of words (on the command line a file, one word a line)",
)
LENGTHS = Range(
    lambda x: x is None or 1 <= x[0] <= x[1] <= LONGEST_NGRAM,
    f"the fewest and the most characters, from 1 to {LONGEST_NGRAM}, such as 3,6; or 0 for none",
)
WORKERS = Range(lambda x: 1 <= x <= 2**16, "a whole number from 1 to 65,536")
BUCKETS = Range(lambda x: 1 <= x <= 2**30, "a whole number from 1 to 2^30")
SHARE = Range(lambda x: math.isfinite(x) and 0 <= x < 1, "a number from 0 to below 1")


def _lengths(value: Any) -> tuple[int, int] | None:
    """Read lengths of n-grams: 0 for none, "3,6", or two numbers.

    Raises
    ------
    ValueError, TypeError
        If they are something else.
    """
    if isinstance(value, int | str) and value in (0, "0"):
        return None
    numbers = value.split(",") if isinstance(value, str) else value
    shortest, longest = (int(n) if isinstance(n, str) else operator.index(n) for n in numbers)
    return shortest, longest


def setting(default: Any, kind: type, allowed: Range | None, help: str, **more: Any) -> Any:
    """Declare one field of `Config`.

    Parameters
    ----------
    default : object
        The value used when none is given; None where "none" is a value of its own.
    kind : type
        int, float, str, bool, or tuple for words.
    allowed : Range, optional
        What the value must satisfy; by default it is one of the ``choices``, if there are any.
    help : str
        One line for ``--help`` and the documentation.
    **more
        ``choices`` (what the command offers), ``convert`` (a function to the type of the setting,
        where `kind` is only that of its flag), ``symbol`` (in the mathematics), ``unset`` (what
        None means, in words), ``saved`` (False keeps the setting out of model files, "changed" lets
        it in where it differs from the default: such settings came later, and the files of those
        who do not use them stay as they were).
    """
    if allowed is None and (choices := more.get("choices")):
        allowed = Range(lambda x: x in choices, f"one of {', '.join(choices)}")
    return dataclasses.field(
        default=default, metadata={"kind": kind, "allowed": allowed, "help": help, **more}
    )


@dataclass(frozen=True)
class Config:
    """The settings of one training run; see ``docs/settings.md`` for the table.

    Raises
    ------
    ConfigError
        If there is no such setting, or a value is outside its range. The message names the setting,
        the value, the range; of a setting of gensim, fastText or scikit-learn, what it is here.

    Examples
    --------
    >>> Config(dimension=50).min_count
    5
    >>> Config(dimension=0)
    Traceback (most recent call last):
    ...
    cbow.errors.ConfigError: dimension is 0, but must be a whole number from 1 to 2^31 - 1
    """

    tokenizer: str = setting(
        "word",
        str,
        Range(lambda x: x in TOKENIZERS, f"one of {', '.join(TOKENIZERS)}"),
        "how a line is cut into words",
        choices=TOKENIZERS[:-1],
    )
    normalise: str = setting(
        "none",
        str,
        None,
        "Unicode normal form to bring the text into before it is cut into words",
        choices=NORMAL_FORMS,
        saved="changed",
    )
    keep_case: bool = setting(
        False,
        bool,
        YES_OR_NO,
        "do not make words lower case (the tokenizer word does, no other)",
        saved="changed",
    )
    keep_words: tuple[str, ...] | None = setting(
        None, tuple, WORDS, "keep these words, however rare they are", unset="none", saved="changed"
    )
    stop_words: tuple[str, ...] | None = setting(
        None, tuple, WORDS, "leave out these words", unset="none", saved="changed"
    )
    phrases: int = setting(
        0,
        int,
        PASSES,
        "passes that join words which stand together more often than by chance, to new_york",
        saved="changed",
    )
    phrase_score: str = setting(
        "counts",
        str,
        None,
        "how far two words are from chance: Mikolov's counts, or normalised mutual information",
        choices=PHRASE_SCORES,
        saved="changed",
    )
    phrase_threshold: float | None = setting(
        None,
        float,
        RATE,
        "join what scores higher than this",
        unset=", ".join(f"{value:g} for {name}" for name, value in PHRASE_THRESHOLDS.items()),
        saved="changed",
    )
    encoding: str = setting("utf-8", str, None, "character encoding of the text")
    field: str | None = setting(
        None,
        str,
        Range(bool, "the name of a field"),
        "read this field of JSON lines, CSV, TSV, Parquet and Arrow, and nothing else",
        unset="read all as text",
        saved="changed",
    )
    errors: str = setting(
        "strict",
        str,
        None,
        "what to do with bytes that are no text: stop, or put U+FFFD there and count it",
        choices=("strict", "replace"),
    )
    min_count: int = setting(5, int, POSITIVE, "leave out words that occur less often")
    max_vocabulary: int | None = setting(
        None, int, POSITIVE, "keep only so many words, the most frequent", unset="no limit"
    )
    heldout: float = setting(
        0.0, float, SHARE, "share of the lines kept back to measure the loss on unseen text"
    )
    window: int | None = setting(
        None,
        int,
        POSITIVE,
        "words of context on each side, drawn anew from 1 to this",
        symbol="C",
        unset=FITTED,
    )
    sample: float | None = setting(
        None,
        float,
        SHARE,
        "thin out words that are a larger share of the text than this; 0 keeps all",
        unset=FITTED,
    )
    dimension: int = setting(100, int, POSITIVE, "numbers per word: the hidden units", symbol="N")
    ngrams: tuple[int, int] | None = setting(
        None,
        str,
        LENGTHS,
        "learn vectors of the character n-grams of these lengths, too, as 3,6; 0 for none",
        unset="none",
        saved="changed",
        convert=_lengths,
    )
    buckets: int | None = setting(
        None,
        int,
        BUCKETS,
        "vectors that the n-grams share; the more, the fewer share one",
        unset="fitted to the words",
        saved="changed",
    )
    activation: str = setting(
        "relu", str, None, "activation of the hidden layer", choices=ACTIVATIONS, symbol="g"
    )
    objective: str = setting(
        "auto",
        str,
        None,
        "softmax over the vocabulary, or over a sample of candidates; auto chooses by the cost",
        choices=OBJECTIVES,
    )
    candidates: int | None = setting(
        None,
        int,
        POSITIVE,
        "words a block of text is asked to tell apart (sampled)",
        symbol="S",
        unset="128, with n-grams 64",
    )
    block: int = setting(
        128, int, POSITIVE, "tokens that share their candidates, about (sampled)", symbol="B"
    )
    optimizer: str | None = setting(
        None, str, None, "update rule", choices=OPTIMIZERS, unset="adam (exact), sgd (sampled)"
    )
    learning_rate: float | None = setting(
        None,
        float,
        RATE,
        "step size at the start; falls in a straight line to nearly 0",
        unset="that of the objective and the optimizer",
    )
    batch: int | None = setting(None, int, POSITIVE, "examples per step", symbol="m", unset=FITTED)
    epochs: int | None = setting(None, int, POSITIVE, "passes over the text", unset=FITTED)
    effort: str = setting(
        "normal",
        str,
        None,
        "how long to train, if epochs is not given: a third of what fits the text, that, or three "
        "times as long",
        choices=EFFORTS,
        saved="changed",
    )
    patience: int | None = setting(
        None,
        int,
        POSITIVE,
        "stop when the held-out loss has not fallen for so many epochs; needs heldout",
        unset="train all epochs",
    )
    seed: int = setting(1, int, SEED, "same seed, same bytes, at any number of threads")
    threads: int | None = setting(
        None, int, POSITIVE, "threads to use", unset="one per processor", saved=False
    )
    workers: int = setting(
        1,
        int,
        WORKERS,
        "workers that share the text and learn together; each number has its own result",
        saved="changed",
    )
    rounds: int | None = setting(
        None,
        int,
        POSITIVE,
        "times in an epoch that workers put together what they learned",
        unset="16 to 64, by the text and the workers",
        saved="changed",
    )
    cluster: str | None = setting(
        None,
        str,
        Range(bool, "the address of a cluster, ray, or serial"),
        "where workers run: the address of a Dask scheduler, ray, ray:ADDRESS of a running Ray, or "
        "serial for one after another here",
        unset="in processes of this machine",
        saved=False,
    )
    work_folder: str | None = setting(
        None,
        str,
        Range(bool, "the name of a folder"),
        "keep the encoded text in this folder while training, about as large as the text",
        unset="that of temporary files, TMPDIR",
        saved=False,
        convert=os.fsdecode,
    )

    def __post_init__(self) -> None:
        for entry in dataclasses.fields(self):
            object.__setattr__(self, entry.name, _checked(entry, getattr(self, entry.name)))
        if self.patience is not None and self.heldout == 0:
            raise ConfigError(
                f"patience is {self.patience}, but heldout is 0, so that there is no loss to "
                "watch; set heldout, for example to 0.05, or leave patience out"
            )
        if self.phrases == 0 and self.phrase_threshold is not None:
            raise ConfigError(
                f"phrase_threshold is {self.phrase_threshold:g}, but phrases is 0, so that none "
                "are joined; set phrases, for example to 1, or leave phrase_threshold out"
            )
        if self.phrase_score == "npmi" and (self.phrase_threshold or 0) >= 1:
            raise ConfigError(
                f"phrase_threshold is {self.phrase_threshold:g}, but phrase_score is npmi, which "
                "is 1 at most; set a threshold below 1, for example 0.5"
            )
        if self.rounds is not None and self.workers == 1 and not self.cluster:
            raise ConfigError(
                f"rounds is {self.rounds}, but there is one worker, which puts nothing together; "
                "set workers, for example to 8, or leave rounds out"
            )
        if self.buckets is not None and self.ngrams is None:
            raise ConfigError(
                f"buckets is {self.buckets}, but there are no n-grams to share them; set ngrams, "
                "for example to 3,6, or leave buckets out"
            )
        if both := set(self.keep_words or ()) & set(self.stop_words or ()):
            raise ConfigError(
                f"{shown(min(both))} is among both keep_words and stop_words; take it out of one"
            )

    def to_dict(self) -> dict[str, Any]:
        """Return the settings a model file records: those that change the result."""
        return {
            entry.name: getattr(self, entry.name)
            for entry in dataclasses.fields(self)
            if (saved := entry.metadata.get("saved", True))
            and (saved != "changed" or getattr(self, entry.name) != entry.default)
        }

    def replace(self, settings: Mapping[str, Any]) -> Config:
        """Return a configuration with some settings changed.

        Raises
        ------
        ConfigError
            If there is no such setting, or a value is outside its range.
        """
        return dataclasses.replace(self, **settings)

    @classmethod
    def from_dict(cls, settings: Mapping[str, Any]) -> Config:
        """Rebuild a configuration from `to_dict`; see `replace`."""
        return cls().replace(settings)


def checked(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Return settings as a configuration holds them, each for itself.

    Raises
    ------
    ConfigError
        If there is no such setting, or a value is outside its range; not if two do not go together.
    """
    entries = {entry.name: entry for entry in dataclasses.fields(Config)}
    Config(**{name: value for name, value in settings.items() if name not in entries})
    return {name: _checked(entries[name], value) for name, value in settings.items()}


def _explaining(init: Callable[..., None]) -> Callable[..., None]:
    """Raise `ConfigError` for the names that Python would reject with a `TypeError`."""

    @functools.wraps(init)
    def __init__(self: Config, *values: Any, **settings: Any) -> None:  # noqa: N807
        known = [entry.name for entry in dataclasses.fields(Config)]
        unknown = [shown(name) for name in settings if name not in known]
        others = [f"{shown(name)}: {SETTINGS[name]}" for name in settings if name in SETTINGS]
        if others:
            raise ConfigError(f"there is no setting {'; no setting '.join(others)}")
        if unknown:
            raise ConfigError(
                f"there is no setting {unknown[0]}; the settings are {', '.join(known)}"
            )
        init(self, *values, **settings)

    return __init__


# Not in the class, where it would stand in the way of the one that `dataclass` makes.
Config.__init__ = _explaining(Config.__init__)  # type: ignore[method-assign]


def _checked(entry: dataclasses.Field[Any], value: Any) -> Any:
    """Return `value` as the setting's own type, or raise the sentence that explains."""
    kind, allowed = entry.metadata["kind"], entry.metadata["allowed"]
    if value is None and entry.default is None:
        return None
    expected = allowed.expected if allowed else "text"
    refusal = ConfigError(f"{entry.name} is {shown(value)}, but must be {expected}")
    try:
        if convert := entry.metadata.get("convert"):
            converted: Any = convert(value)
        elif kind is tuple:
            if isinstance(value, str | bytes | Mapping) or not isinstance(value, Iterable):
                raise refusal
            converted = tuple(sorted(set(value)))  # a set has no order that stays
        elif isinstance(value, bool) != (kind is bool) or isinstance(value, str) != (kind is str):
            raise refusal
        else:
            converted = operator.index(value) if kind is int else kind(value)
    except (TypeError, ValueError, OverflowError):
        raise refusal from None
    if allowed and not allowed.accepts(converted):
        raise refusal
    return converted
