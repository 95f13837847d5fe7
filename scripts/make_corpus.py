"""Make a text of invented words in which the truth about every planted word is known.

A sentence holds 8 to 20 words: filler drawn from a Zipf distribution, and in three of four
sentences one *planted* word with companions at distances 1 to 3. The members of a family share
twelve companions and never share a sentence: what makes them alike is only the company they keep,
which is what an embedding has to find. A family lends six of its companions, each to one other
family, so that a companion keeps mixed company and is not itself the nearest word to the members.
A word of the analogy grid has six companions of its stem and six of its form, so that
``a : a' :: b : b'`` holds between any two stems.

A text has exactly the tokens asked for: its last sentence, and no other, is cut short for it.
"""

import argparse
import json
import os
import secrets
import sys
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, field, fields
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

SHORTEST, LONGEST = 8, 20  # words in a sentence
REACH = 3  # companions stand at most this far from their planted word
COMPANIONS = 12  # of each planted word; on the grid, half are its stem's and half its form's
FORMS = 2
FAMILY_SHARE, ANALOGY_SHARE = 0.55, 0.2  # of the sentences
COMPANION_SHARE = 0.6  # of the places within REACH: a third of a sentence is about its topic
RIVALS = 9  # stems each stem is questioned against, so that the questions grow with the stems
# Two letters each, so that every spelling is unique, and no tokenizer finds a "gonna" to split.
SYLLABLES = [c + v for c in "bdfghjklmnprstvz" for v in "aeiou"]
MOST_WORDS = 10_000_000  # a quarter of the spellings of two to four syllables
WORD_STREAM, LENGTH_STREAM, SENTENCE_STREAM = range(3)


def _option(default: int, meaning: str, *refused: int) -> int:
    return field(default=default, metadata={"meaning": meaning, "refused": refused})


@dataclass(frozen=True)
class Settings:
    """What the text is to be; the same settings give the same bytes.

    Parameters
    ----------
    tokens, vocabulary, families, family_size, analogies, seed : int
        Each is explained beside its default below. A value that cannot be is a ValueError.
    """

    tokens: int = _option(1_000_000, "words in the text, 0 or more")
    vocabulary: int = _option(5_000, "distinct words, planted ones included")
    families: int = _option(20, "families of interchangeable words, 0 or more")
    family_size: int = _option(8, "members of each family, 2 or more", 0, 1)
    analogies: int = _option(10, "stems of the analogy grid, 0, or 2 or more", 1)
    seed: int = _option(1, "same seed, same bytes; 0 or more")

    def __post_init__(self) -> None:
        for option in fields(self):
            name, value, meta = option.name, getattr(self, option.name), option.metadata
            if type(value) is not int or value < 0 or value in meta["refused"]:
                expected = f"expected a whole number ({meta['meaning']})"
                raise ValueError(f"{name} is {value!r}, {expected}: change {name}")
        if not self.reserved < self.vocabulary <= MOST_WORDS:
            raise ValueError(
                f"vocabulary is {self.vocabulary}, expected {self.reserved + 1} to {MOST_WORDS} to "
                "hold what is planted and some filler: change the vocabulary, or plant fewer words"
            )

    @property
    def members(self) -> int:
        """Words that belong to a family."""
        return self.families * self.family_size

    @property
    def planted(self) -> int:
        """Members of families and words of the analogy grid."""
        return self.members + self.analogies * FORMS

    @property
    def reserved(self) -> int:
        """Words that are not filler: the planted ones and their companions."""
        of_grid = (self.analogies + FORMS) * (COMPANIONS // 2) if self.analogies else 0
        return self.planted + self.families * (COMPANIONS - self.lent) + of_grid

    @property
    def lent(self) -> int:
        """Companions a family lends, each to another family: six, where there are so many."""
        return max(min(COMPANIONS // 2, self.families - 1), 0)


class _Language(NamedTuple):
    """Word ids: planted words first, then their companions, then filler by falling frequency."""

    words: list[str]
    companions: Ints  # (planted, COMPANIONS)
    topics: Floats  # (planted,), cumulative; the rest of 1 is sentences without a planted word
    filler: Floats  # (vocabulary - reserved,), cumulative


def _stream(settings: Settings, which: int) -> np.random.PCG64:
    return np.random.PCG64(np.random.SeedSequence(settings.seed, spawn_key=(which,)))


def _uniforms(stream: np.random.PCG64, count: int) -> Floats:
    # NumPy promises that raw numbers never change, but not what its Generator makes of them.
    return (stream.random_raw(count) >> np.uint64(11)).astype(np.float64) * 2.0**-53


def _words(settings: Settings) -> list[str]:
    """Spell the vocabulary: distinct words of two to four syllables."""
    stream, base = _stream(settings, WORD_STREAM), len(SYLLABLES)
    words: dict[str, None] = {}  # a set that keeps its order
    while len(words) < settings.vocabulary:
        for raw in stream.random_raw(settings.vocabulary - len(words)).tolist():
            number, extra = divmod(raw, 3)
            places = range(2 + extra)
            words["".join([SYLLABLES[number // base**p % base] for p in places])] = None
    return list(words)


def _language(settings: Settings) -> _Language:
    lent, half = settings.lent, COMPANIONS // 2
    own: Ints = settings.planted + np.arange(settings.families * (COMPANIONS - lent))
    of_grid = settings.planted + own.size + np.arange((settings.analogies + FORMS) * half)
    own = own.reshape(settings.families, COMPANIONS - lent)
    borrowed = [np.roll(own[:, k], k + 1) for k in range(lent)]  # never from the same family twice
    family = np.repeat(np.column_stack([own, *borrowed]), settings.family_size, axis=0)
    stems, forms = np.split(of_grid.reshape(-1, half), [settings.analogies])
    grid = np.hstack([np.repeat(stems, FORMS, axis=0), np.tile(forms, (settings.analogies, 1))])
    counts = np.array([settings.members, settings.planted - settings.members])
    shares = np.array([FAMILY_SHARE, ANALOGY_SHARE]) / np.maximum(counts, 1)
    topics = np.cumsum(np.repeat(shares, counts))
    weights = np.cumsum(1.0 / np.arange(1, settings.vocabulary - settings.reserved + 1))
    return _Language(_words(settings), np.vstack([family, grid]), topics, weights / weights[-1])


def _lengths(settings: Settings, batch: int) -> Iterator[Ints]:
    """Yield the lengths of the sentences, ``batch`` at a time; they sum to the tokens asked for."""
    stream = _stream(settings, LENGTH_STREAM)  # its own: lines can be counted without their words
    left = settings.tokens
    while left:
        spread = _uniforms(stream, batch) * (LONGEST - SHORTEST + 1)
        lengths: Ints = SHORTEST + spread.astype(np.int64)
        ends = np.cumsum(lengths)
        if ends[-1] >= left:
            last = int(np.searchsorted(ends, left))
            lengths = lengths[: last + 1]
            lengths[last] -= ends[last] - left
        yield lengths
        left -= int(lengths.sum())


def _word_ids(language: _Language, chances: Floats, lengths: Ints) -> Ints:
    """Turn the uniforms of a batch, (n, 2 + LONGEST), into word ids, (n, LONGEST)."""
    topic = np.searchsorted(language.topics, chances[:, 0], side="right")
    # REACH places on both sides of the planted word, so that none is short of company.
    room = np.maximum(lengths - 2 * REACH, 1)
    slot = REACH + (chances[:, 1] * room).astype(np.int64)
    distance = np.abs(np.arange(LONGEST) - slot[:, None])
    near = (distance <= REACH) & (topic < len(language.topics))[:, None]
    chance = chances[:, 2:]
    # One uniform decides whether a companion stands here and, stretched again, which word does.
    companion = near & (chance < COMPANION_SHARE)
    rest = np.where(near, (chance - COMPANION_SHARE) / (1.0 - COMPANION_SHARE), chance)
    reserved = len(language.words) - len(language.filler)
    ids: Ints = reserved + np.searchsorted(language.filler, rest, side="right")
    which = (chance[companion] / COMPANION_SHARE * COMPANIONS).astype(np.int64)
    ids[companion] = language.companions[topic[np.nonzero(companion)[0]], which]
    return np.where(near & (distance == 0), topic[:, None], ids)


def sentences(settings: Settings, batch: int = 4096) -> Iterator[str]:
    """Yield the text sentence by sentence, without line ends.

    Parameters
    ----------
    settings : Settings
        What the text is to be.
    batch : int
        Sentences made at a time, 1 or more: it bounds the memory and does not change the text.

    Yields
    ------
    str
        Words with one space between them.
    """
    if batch < 1:
        raise ValueError(f"batch is {batch}, expected at least 1: give a larger batch")
    language, stream = _language(settings), _stream(settings, SENTENCE_STREAM)
    for lengths in _lengths(settings, batch):
        chances = _uniforms(stream, len(lengths) * (2 + LONGEST)).reshape(len(lengths), -1)
        ids = _word_ids(language, chances, lengths)[np.arange(LONGEST) < lengths[:, None]]
        words = map(language.words.__getitem__, ids.tolist())
        for length in lengths.tolist():
            yield " ".join(islice(words, length))


def truth(settings: Settings) -> dict[str, Any]:
    """Tell what is planted in the text of these settings.

    Parameters
    ----------
    settings : Settings
        What the text is to be.

    Returns
    -------
    dict
        ``settings``, ``families`` (lists of members), ``analogies`` (questions [a, a2, b, b2]),
        ``tokens`` and ``lines`` of the text.
    """
    words, size, count = _words(settings), settings.family_size, settings.analogies
    families = [words[i : i + size] for i in range(0, settings.members, size)]
    pairs = [words[i : i + FORMS] for i in range(settings.members, settings.planted, FORMS)]
    ahead = range(1, min(count, RIVALS + 1))
    questions = [pair + pairs[(i + k) % count] for i, pair in enumerate(pairs) for k in ahead]
    lines = sum(len(lengths) for lengths in _lengths(settings, batch=4096))
    planted = {"settings": asdict(settings), "families": families, "analogies": questions}
    return planted | {"tokens": settings.tokens, "lines": lines}


def _write_all(contents: dict[Path, Iterable[str]]) -> None:
    """Write files whole or not at all; none is renamed before all of them are on disk."""
    temporaries = {p: p.with_name(f".{p.name}.{secrets.token_hex(4)}.tmp") for p in contents}
    try:
        for path, temporary in temporaries.items():
            with temporary.open("x", encoding="ascii", newline="\n") as file:
                file.writelines(contents[path])
                file.flush()
                os.fsync(file.fileno())
        for path, temporary in temporaries.items():
            temporary.replace(path)
    finally:
        for temporary in temporaries.values():
            temporary.unlink(missing_ok=True)


def _target(name: str) -> Path:
    """Follow links, and refuse what a rename would destroy (a device, a pipe) or cannot reach."""
    path = Path(os.path.realpath(name))
    if name == "-" or not path.parent.is_dir() or (path.exists() and not path.is_file()):
        found = "not a regular file" if path.parent.is_dir() else "in no existing folder"
        raise ValueError(f"{name} is {found}, expected a file or a new name: choose another path")
    return path


def _parser() -> argparse.ArgumentParser:
    about, shown = "Make a text in which words are planted.", argparse.ArgumentDefaultsHelpFormatter
    parser = argparse.ArgumentParser(description=about, formatter_class=shown)
    parser.add_argument("out", metavar="OUT", help="file for the text, or - for standard output")
    for option in fields(Settings):
        flag, meaning = "--" + option.name.replace("_", "-"), option.metadata["meaning"]
        parser.add_argument(flag, type=int, metavar="N", default=option.default, help=meaning)
    where = "file for the truth (default: OUT.truth.json for OUT.txt, none for -)"
    parser.add_argument("--truth", metavar="PATH", default=argparse.SUPPRESS, help=where)
    return parser


def _run(out: str, truth_name: str | None, settings: Settings) -> None:
    lines = (sentence + "\n" for sentence in sentences(settings))
    contents: dict[Path, Iterable[str]] = {} if out == "-" else {_target(out): lines}
    if truth_name or out != "-":
        path = _target(truth_name or out.removesuffix(".txt") + ".truth.json")
        if path in contents:
            raise ValueError("--truth is the text itself, expected another path: choose one")
        contents[path] = [json.dumps(truth(settings)), "\n"]
    if out == "-":
        # A file of its own: sys.stdout may be unbuffered, and would fail again at exit if it fails.
        with open(sys.stdout.fileno(), "w", encoding="ascii", newline="\n", closefd=False) as file:
            file.writelines(lines)
    _write_all(contents)


def main(argv: list[str] | None = None) -> int:
    """Run the command on ``argv``: 0, 1 after an error the user can mend, 130 after Ctrl-C."""
    given = vars(_parser().parse_args(argv))
    try:
        _run(given.pop("out"), given.pop("truth", None), Settings(**given))
    except (ValueError, OSError) as error:
        advice = ", expected to write the whole text: choose another place or fewer --tokens"
        print(f"make_corpus: {error}{advice * isinstance(error, OSError)}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
