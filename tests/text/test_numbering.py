"""Readable and compiled code give the same numbers, whatever the pieces and the threads."""

import functools
import subprocess
import sys

import naive_text
import numba
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import cbow.text.kernels as kernels_module
import cbow.text.numbering as numbering_module
from cbow.errors import CorpusError
from cbow.text.kernels import WordTable
from cbow.text.numbering import Lines, Numberer, TokenNumbering, portions
from cbow.text.tokenizers import cased_words, rule_of, words

pytestmark = pytest.mark.kernels

cached_rule = functools.cache(rule_of)


def use_compiled_code(patch, few=0, portion=5):
    """Let compiled code work on small texts, too."""
    patch.setattr(kernels_module, "COMPILED", True)
    patch.setattr(numbering_module, "FEW", few)
    patch.setattr(numbering_module, "PORTION", portion)
    patch.setattr(numbering_module, "rule_of", cached_rule)


@pytest.fixture
def compiled(monkeypatch):
    use_compiled_code(monkeypatch)


def numbers_of(pieces, tokenizer=words, threads=1):
    numberer = Numberer(tokenizer, threads)
    found = [*numberer.number((piece, i) for i, piece in enumerate(pieces))]
    assert [i for _, i in found] == sorted(i for _, i in found)
    assert all(part.dtype == np.int32 for part, _ in found)
    numbering = numberer.numbering
    counts = numbering.counts().tolist()
    flat = [n for part, _ in found for n in part.tolist()]
    return flat, numbering.words(np.arange(len(counts))), counts, type(numbering)


ATTACHING = "\u0301\ufe0f\u20e3\u200c\u200d\u180e\u00ad\u2060\ufeff\u200b\u200f\u0600\u3164"
TEXT = st.text(st.sampled_from("aB'’\n .éİΣ👍\x00" + ATTACHING), max_size=30)
TOKENS = st.lists(st.sampled_from(["a", "b", "", "a b", "\n", "é" * 9]), max_size=4)
PIECES = st.lists(TEXT | TOKENS.map(lambda t: Lines(t, [0, len(t)])), max_size=6)


@pytest.mark.slow
@given(
    pieces=PIECES,
    tokenizer=st.sampled_from([words, cased_words, str.split]),
    few=st.integers(0, 40),
    portion=st.integers(1, 12),
    threads=st.sampled_from([1, 2, 3, 8]),
)
def test_compiled_code_gives_the_numbers_of_readable_code(pieces, tokenizer, few, portion, threads):
    with pytest.MonkeyPatch.context() as patch:
        use_compiled_code(patch, few, portion)
        *found, kind = numbers_of(pieces, tokenizer, threads)
        patch.setattr(kernels_module, "COMPILED", False)
        *expected, readable = numbers_of(pieces, tokenizer, threads)
    assert found == expected
    assert readable is TokenNumbering
    texts = [piece for piece in pieces if isinstance(piece, str)]
    assert kind is (WordTable if sum(map(len, texts)) > few else TokenNumbering)


@pytest.mark.parametrize("distinct", [1023, 1024, 2048])
def test_counts_grow_with_the_words(distinct):
    tokens = [str(n) for n in range(distinct)]
    _, known, counts, _ = numbers_of([Lines(tokens, []), Lines(tokens, [])])
    assert known == ["", *tokens]
    assert counts == [0, *[2] * distinct]


@given(TEXT)
def test_readable_code_gives_the_plain_numbers(text):
    *found, _ = numbers_of([text])
    lines = [naive_text.tokens(line) for line in text.split("\n")]
    assert found == [*naive_text.numbers(lines)]


@pytest.mark.slow
def test_compiled_code_knows_every_character(compiled, monkeypatch):
    """Of the thousands of ideographs and later, and of all without the compiler, only some."""
    step, first = (211, 0) if numba.config.DISABLE_JIT else (23, 0x3400)
    places = [*range(first), *range(first, 0x110000, step)]
    every = (chr(c) for c in places if not 0xD800 <= c < 0xE000)
    text = "\n".join(f"{c}a{c}{c}b'{c}c" for c in every if c not in "\r\n")
    monkeypatch.setattr(numbering_module, "PORTION", 2**17)
    found = numbers_of([text])
    monkeypatch.setattr(kernels_module, "COMPILED", False)
    assert found[:-1] == numbers_of([text])[:-1]


def test_a_text_cut_at_every_place(compiled, monkeypatch):
    text = "The king’s\nΣίσυφος, queen's \u200dx İ\n\n'a' cafe\u0301.\n"
    monkeypatch.setattr(numbering_module, "PORTION", 10**6)
    expected = numbers_of([text])
    for size in range(1, len(text) + 1):
        monkeypatch.setattr(numbering_module, "PORTION", size)
        assert numbers_of([text]) == expected
        assert numbers_of([text], threads=2) == expected
    for place in range(len(text)):
        if text[place].isspace():  # as a Cutter would
            assert numbers_of([text[:place], text[place:]]) == expected


@pytest.mark.parametrize("threads", [1, 2, 3])
def test_errors_come_in_the_order_of_the_text(compiled, threads):
    def pieces():
        yield "a b"
        yield "c \ud800 d"
        raise OSError("later")

    with pytest.raises(CorpusError, match="half of a character"):
        numbers_of(pieces(), str.split, threads)
    with pytest.raises(OSError, match="later"):
        numbers_of(pieces(), words, threads)
    with pytest.raises(CorpusError, match="half of a character"):
        numbers_of(["a", Lines(["\udc80"], [])], words, threads)


def test_other_tokenizers_stay_readable(compiled):
    assert numbers_of(["a-b"] * 9, lambda line: line.split("-"))[-1] is TokenNumbering


def test_without_a_compiler_all_is_readable(compiled, monkeypatch):
    monkeypatch.setattr(kernels_module, "COMPILED", False)
    assert numbers_of(["a b"] * 9)[-1] is TokenNumbering


def test_lists_of_tokens_stay_readable(compiled):
    assert numbers_of([Lines(["a"], [1])] * 9)[-1] is TokenNumbering


def test_as_many_threads_as_processors_unless_told(monkeypatch):
    monkeypatch.setattr(numbering_module, "processors", lambda: 5)
    assert Numberer(words)._threads == 5
    assert Numberer(words, 2)._threads == 2


@given(st.text("ab \n\u3000"), st.integers(1, 9))
def test_portions_laid_end_to_end_are_the_text_and_cut_no_stretch(text, size):
    found = list(portions(text, size))
    assert "".join(found) == text
    assert found == [text] or len(text) > size
    assert all(part[-1] in " \n" for part in found[:-1])
    for part in found:
        assert len(part) <= size or not {" ", "\n"} & set(part[:size])


@pytest.mark.slow
def test_numba_is_not_loaded_for_a_small_text():
    code = (
        "import sys, tempfile, pathlib; from cbow.text import encode_corpus; "
        "from cbow.config import Config; folder = tempfile.TemporaryDirectory(); "
        "encode_corpus(['the king'] * 1000, Config(), folder=pathlib.Path(folder.name)); "
        "print('numba' in sys.modules); folder.cleanup()"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["False"]
