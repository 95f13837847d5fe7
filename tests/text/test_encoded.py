import functools
import gc
import glob
import gzip
import importlib
import io
import itertools
import lzma
import mmap
import os
import shutil
import sys
import tracemalloc
import weakref
from pathlib import Path
from types import MappingProxyType, SimpleNamespace

import naive_text
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import cbow.text.encoded as encoded_module
import cbow.text.kernels as kernels_module
import cbow.text.numbering as numbering_module
import cbow.text.reading as reading_module
from cbow.config import Config
from cbow.errors import ConfigError, CorpusError, OutputError
from cbow.text import EncodedCorpus, TokenAccount, Vocabulary, encode_corpus
from cbow.text.encoded import Spool
from cbow.text.numbering import LINE_END
from cbow.text.reading import PIECE, Cutter, TextReader
from cbow.text.sources import find_sources
from cbow.text.tokenizers import rule_of

ALL = Config(min_count=1)
cached_rule = functools.cache(rule_of)
LINES = ["The king, the queen.", "", "...", "The king!"]
TEXT = "\n".join(LINES) + "\n"


def lines_of(encoded):
    """Return the stored lines as words again, and check what must hold of every encoded corpus."""
    starts = encoded.line_starts
    assert encoded.ids.dtype == np.int32
    assert starts.dtype == np.int64
    assert isinstance(encoded.ids.base, mmap.mmap)
    assert isinstance(starts.base, mmap.mmap)
    assert starts[0] == 0
    assert starts[-1] == len(encoded.ids) == encoded.account.kept
    assert (np.diff(starts) > 0).all()
    counts = np.bincount(encoded.ids, minlength=len(encoded.vocabulary))
    assert counts.tolist() == encoded.vocabulary.counts.tolist()
    words = [encoded.vocabulary.word(i) for i in encoded.ids]
    return [words[a:b] for a, b in itertools.pairwise(starts)]


def encode(corpus, config=ALL, **more):
    return encode_corpus(corpus, config, **more)


def test_lines_tokens_and_account(tmp_path):
    encoded = encode(LINES, folder=tmp_path)
    assert lines_of(encoded) == [["the", "king", "the", "queen"], ["the", "king"]]
    assert encoded.vocabulary.words == ("the", "king", "queen")
    assert encoded.account == TokenAccount(lines=4, read=6, kept=6)
    assert sorted(os.listdir(tmp_path)) == ["ids.int32", "line_starts.int64"]


# the same text in every form gives the same corpus


def a_file(folder):
    (folder / "a.txt").write_text(TEXT)
    return str(folder / "a.txt")


def a_compressed_file_without_last_line_end(folder):
    (folder / "a").write_bytes(gzip.compress(TEXT.rstrip("\n").encode()))
    return folder / "a"


def two_files(folder):
    (folder / "a").write_bytes(TEXT[:21].encode())
    (folder / "b").write_bytes(b"\xef\xbb\xbf" + TEXT[21:].replace("\n", "\r\n").encode())
    return [folder / "a", str(folder / "b")]


def a_folder(folder):
    (folder / "t" / "u").mkdir(parents=True)
    (folder / "t" / "a.txt").write_text(LINES[0])
    (folder / "t" / "u" / "b.txt.xz").write_bytes(lzma.compress("\r".join(LINES[1:]).encode()))
    return folder / "t"


def a_glob(folder):
    a_folder(folder)
    return str(folder / "**" / "*.txt*")


FORMS = [
    a_file,
    a_compressed_file_without_last_line_end,
    two_files,
    a_folder,
    a_glob,
    lambda folder: LINES,
    lambda folder: tuple(LINES),
    lambda folder: [TEXT],
    lambda folder: iter(LINES),
    lambda folder: (line + "\n" for line in LINES),
    lambda folder: [line + "\r\n" for line in LINES],
    lambda folder: [naive_text.tokens(line) for line in LINES],
    lambda folder: (tuple(naive_text.tokens(line)) for line in LINES),
    lambda folder: [LINES[0], [], "...", ["the", "king"]],
    lambda folder: [["the", "king", "the", "queen"], "\n...\nThe king"],
    lambda folder: io.StringIO(TEXT),
    lambda folder: np.array(LINES),
]


@pytest.fixture(params=["readable", "compiled, 1 thread", "compiled, 3 threads"])
def way(request, monkeypatch):
    """Count by readable code, or from the first word on by compiled code."""
    monkeypatch.setattr(numbering_module, "rule_of", cached_rule)
    monkeypatch.setattr(numbering_module, "FEW", 0)
    monkeypatch.setattr(kernels_module, "COMPILED", request.param != "readable")
    monkeypatch.setattr(numbering_module, "processors", lambda: int(request.param[10:11] or 1))


@pytest.mark.parametrize("form", FORMS)
def test_every_form_of_corpus(form, tmp_path, way):
    corpus = form(tmp_path)
    (tmp_path / "out").mkdir()
    encoded = encode(corpus, folder=tmp_path / "out")
    assert lines_of(encoded) == [["the", "king", "the", "queen"], ["the", "king"]]
    assert encoded.account == TokenAccount(lines=4, read=6, kept=6)


@pytest.mark.parametrize(
    ("data", "config", "lines"),
    [
        (b"\xef\xbb\xbfa B\r\nc\rd", ALL, [["a", "b"], ["c"], ["d"]]),
        ("caf\xe9 a\n".encode("latin-1"), Config(min_count=1, encoding="latin-1"), [["café", "a"]]),
        ("a Ǆ\n".encode("utf-16"), Config(min_count=1, encoding="utf-16"), [["a", "ǆ"]]),
        (b"a\xffb \xe2\x80a\n", Config(min_count=1, errors="replace"), [["a", "b", "a"]]),
        (b"a\x00b", ALL, [["a", "b"]]),
        (b"A\x00b c", Config(min_count=1, tokenizer="whitespace"), [["A\x00b", "c"]]),
        ("a \u2028 b\x0cc\u0085d\n".encode(), ALL, [["a", "b", "c", "d"]]),
        ("ΟΔΟΣ ΣΑΣ.Σ\nİ a".encode(), ALL, [["οδος", "σασ", "ς"], ["i\u0307", "a"]]),
        (b"x" * 300 + b" y " + b"x" * 300, ALL, [["x" * 300, "y", "x" * 300]]),
    ],
)
def test_texts_of_every_kind(data, config, lines, tmp_path, way):
    (tmp_path / "a.txt").write_bytes(data)
    encoded = encode(tmp_path / "a.txt", config, folder=tmp_path)
    assert lines_of(encoded) == lines


@pytest.mark.slow
@pytest.mark.parametrize("tokenizer", ["word", "whitespace"])
def test_same_bytes_at_any_number_of_threads(tokenizer, tmp_path, monkeypatch):
    rng = np.random.default_rng(3)
    letters = np.array(list("abCD'’  \n.éΣİक\u0301👍"))
    text = "".join(rng.choice(letters, 3000))
    (tmp_path / "a.txt").write_text(text, encoding="utf-8")
    monkeypatch.setattr(numbering_module, "PORTION", 50)
    found = set()
    for few, threads in [(10**6, 1), (0, 1), (0, 2), (0, 3), (0, 8), (1000, 3)]:
        monkeypatch.setattr(numbering_module, "FEW", few)
        monkeypatch.setattr(kernels_module, "COMPILED", True)
        config = Config(min_count=2, tokenizer=tokenizer, threads=threads)
        encoded = encode(tmp_path / "a.txt", config, folder=tmp_path)
        written = [(tmp_path / name).read_bytes() for name in ("ids.int32", "line_starts.int64")]
        counts = tuple(encoded.vocabulary.counts.tolist())
        found.add((*written, encoded.vocabulary.words, counts, encoded.account))
    assert len(found) == 1


@pytest.mark.parametrize("threads", [1, 3])
def test_threads_of_the_config(threads, tmp_path, monkeypatch):
    made = []

    class Spy(numbering_module.Numberer):
        def __init__(self, tokenizer, threads):
            made.append(threads)
            super().__init__(tokenizer, threads)

    monkeypatch.setattr(encoded_module, "Numberer", Spy)
    encode(LINES, Config(min_count=1, threads=threads), folder=tmp_path)
    assert made == [threads]


@pytest.mark.parametrize("pack", [bytes, gzip.compress, lzma.compress])
def test_standard_input(pack, tmp_path, monkeypatch):
    stdin = SimpleNamespace(buffer=io.BytesIO(pack(TEXT.encode())))
    monkeypatch.setattr(sys, "stdin", stdin)
    seen = []
    encoded = encode("-", folder=tmp_path, progress=seen.append)
    assert lines_of(encoded) == [["the", "king", "the", "queen"], ["the", "king"]]
    assert seen[-1] == (6, len(stdin.buffer.getvalue()), None)


def test_standard_input_from_a_device_and_a_file(tmp_path, monkeypatch):
    with open("/dev/zero") as stdin:
        monkeypatch.setattr(sys, "stdin", stdin)
        with pytest.raises(CorpusError, match=r"^the standard input is a device or .* no end;"):
            encode("-", folder=tmp_path)
    (tmp_path / "a.txt").write_text(TEXT)
    with open(tmp_path / "a.txt") as stdin:
        monkeypatch.setattr(sys, "stdin", stdin)
        assert encode("-", folder=tmp_path).account.kept == 6


def test_standard_input_that_is_closed(tmp_path, monkeypatch):
    closed = io.BytesIO()
    closed.close()
    for stdin in (None, SimpleNamespace(buffer=closed)):
        monkeypatch.setattr(sys, "stdin", stdin)
        with pytest.raises(CorpusError, match="standard input is closed"):
            encode("-", folder=tmp_path)


# equal to the plain way, whatever the sizes of pieces and chunks

TOKEN = st.sampled_from(["a", "b", "c", "d", "e", "'", ""])
LINE = st.lists(TOKEN, max_size=6)


@pytest.mark.slow
@given(
    lines=st.lists(LINE, min_size=1, max_size=8),
    as_text=st.lists(st.booleans(), min_size=8, max_size=8),
    min_count=st.integers(1, 3),
    limit=st.none() | st.integers(2, 4),
    piece=st.integers(2, 9),
    few=st.sampled_from([0, 5, 10**6]),
    threads=st.sampled_from([1, 2]),
)
def test_equals_the_plain_way(
    lines, as_text, min_count, limit, piece, few, threads, tmp_path_factory
):
    corpus = [" ".join(line) if text else line for line, text in zip(lines, as_text, strict=False)]
    tokens = [
        [word for word in line if word.strip("'")] if text else line
        for line, text in zip(lines, as_text, strict=False)
    ]
    expected = naive_text.encoded(tokens, min_count, limit)
    order, counts = naive_text.vocabulary(tokens, min_count, limit)
    config = Config(min_count=min_count, max_vocabulary=limit, threads=threads)
    folder = tmp_path_factory.mktemp("encoded")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(numbering_module, "rule_of", cached_rule)
        patch.setattr(numbering_module, "FEW", few)
        patch.setattr(kernels_module, "COMPILED", True)
        patch.setattr(reading_module, "PIECE", piece)
        patch.setattr(Cutter.__init__, "__defaults__", (piece,))
        patch.setattr(encoded_module, "CHUNK", piece)
        if len(order) < 2 or max(map(len, expected)) < 2:
            with pytest.raises(CorpusError):
                encode(corpus, config, folder=folder)
            return
        encoded = encode(corpus, config, folder=folder)
    assert [[order.index(word) for word in line] for line in lines_of(encoded)] == expected
    assert list(encoded.vocabulary) == order
    assert encoded.vocabulary.counts.tolist() == counts
    flat = [token for line in tokens for token in line]
    all_counts = {word: flat.count(word) for word in flat if word}
    assert (
        encoded.account.to_dict()
        == TokenAccount(
            lines=len(lines),
            read=len(flat),
            kept=sum(counts),
            rare=sum(n for n in all_counts.values() if n < min_count),
            beyond=sum(n for w, n in all_counts.items() if n >= min_count and w not in order),
            empty=flat.count(""),
        ).to_dict()
    )


@pytest.mark.slow
def test_many_distinct_words(tmp_path):
    lines = [[f"w{i}", "x", f"w{i}"] for i in range(70_000)]  # more than the counts start with
    encoded = encode(iter(lines), folder=tmp_path)
    assert len(encoded.vocabulary) == 70_001
    assert encoded.vocabulary.counts[:2].tolist() == [70_000, 2]
    assert lines_of(encoded) == lines


def test_a_line_of_many_pieces_is_one_line(tmp_path):
    text = "king queen " * (PIECE // 4)
    encoded = encode([text + "\nking"], folder=tmp_path)
    assert encoded.line_starts.tolist() == [0, PIECE // 2, PIECE // 2 + 1]
    assert encoded.account.lines == 2
    assert encoded.account.cut == 0


def test_a_line_that_ends_where_a_piece_ends(tmp_path):
    text = "a" * (PIECE - 1) + "\nb\n" + "c " * PIECE + "\nd"
    encoded = encode([text], Config(min_count=1), folder=tmp_path)
    assert np.diff(encoded.line_starts).tolist() == [1, 1, PIECE, 1]


def test_word_of_a_megabyte_is_whole_and_a_longer_one_is_cut_and_counted(tmp_path):
    encoded = encode(["a b", "x" * 10**6], folder=tmp_path)
    assert max(map(len, encoded.vocabulary)) == 10**6
    encoded = encode(["a b", "x" * (2 * PIECE + 5)], folder=tmp_path)
    assert sorted(map(len, encoded.vocabulary)) == [1, 1, 5, PIECE]
    assert encoded.account.cut == 1
    assert len(encoded.line_starts) == 3


# tokenizers


def test_tokenizer_of_the_config(tmp_path):
    encoded = encode(
        ["The king, a\x00b"], Config(min_count=1, tokenizer="whitespace"), folder=tmp_path
    )
    assert encoded.vocabulary.words == ("The", "a\x00b", "king,")


def test_case_is_kept(tmp_path, way):
    config = Config(min_count=1, keep_case=True)
    encoded = encode(["The KING’S İ ΣΑΣ the\u00adm Ǆ"], config, folder=tmp_path)
    assert lines_of(encoded) == [["The", "KING'S", "İ", "ΣΑΣ", "them", "Ǆ"]]


@pytest.mark.parametrize(
    ("form", "found"),
    [
        ("none", ["cafe\u0301", "café", "h\u0331", "ﬁn", "e\u0301"]),
        ("nfc", ["café", "café", "\u1e96", "ﬁn", "é"]),
        ("nfkc", ["café", "café", "\u1e96", "fin", "é"]),
    ],
)
def test_normal_forms(form, found, tmp_path, way):
    """H̱ is two characters, ẖ is one; and a soft hyphen stands between two that compose."""
    text = "Cafe\u0301 café H\u0331 ﬁn e\u00ad\u0301"
    config = Config(min_count=1, normalise=form)
    assert lines_of(encode([text], config, folder=tmp_path)) == [found]
    tokens = ["Cafe\u0301", "ﬁn", "A\u00adb"]
    expected = [tokens if form == "none" else ["Café", {"nfc": "ﬁn"}.get(form, "fin"), "A\u00adb"]]
    assert lines_of(encode([tokens], config, folder=tmp_path)) == expected


@pytest.mark.parametrize("tokenizer", ["whitespace", str.split])
def test_normal_forms_for_other_tokenizers(tokenizer, tmp_path, way):
    config = Config(min_count=1, normalise="nfkc", tokenizer="whitespace")
    function = None if tokenizer == "whitespace" else tokenizer
    encoded = encode(["Cafe\u0301\u00a0ﬁn"], config, folder=tmp_path, tokenizer=function)
    assert lines_of(encoded) == [["Café", "fin"]]


def test_words_to_leave_out(tmp_path, way):
    lines = ["The king's men run", "the king’s dog", "a the"]
    config = Config(min_count=2, stop_words=["THE", "king’s", "a", "men dog", "nowhere"])
    with pytest.raises(
        CorpusError, match=r"^every word of the text that occurs 2 times is among sto"
    ):
        encode(lines, config, folder=tmp_path)
    config = config.replace({"min_count": 1})
    encoded = encode(lines, config, folder=tmp_path)
    assert lines_of(encoded) == [["men", "run"], ["dog"]]
    assert encoded.account == TokenAccount(lines=3, read=9, kept=3, stop=6)


def test_rare_words_to_leave_out_are_rare(tmp_path, way):
    config = Config(min_count=2, stop_words=["the", "dog"])
    encoded = encode(["the king king", "the men men dog cat"], config, folder=tmp_path)
    assert encoded.account == TokenAccount(lines=2, read=8, kept=4, stop=2, rare=2)


def test_words_to_keep(tmp_path, way):
    lines = ["the king's men", "the dog and the cat", "the dog a b"]
    config = Config(min_count=2, max_vocabulary=3, keep_words=["King’s", "MEN", "gnu", "a b"])
    encoded = encode(lines, config, folder=tmp_path)
    assert encoded.vocabulary.words == ("the", "king's", "men")
    assert encoded.account == TokenAccount(lines=3, read=12, kept=6, rare=4, beyond=2, absent=2)
    config = config.replace({"stop_words": ["the", "cat", "a"], "max_vocabulary": None})
    encoded = encode(lines, config, folder=tmp_path)
    assert encoded.vocabulary.words == ("dog", "king's", "men")
    assert encoded.account == TokenAccount(lines=3, read=12, kept=4, rare=4, stop=4, absent=2)


def test_lists_of_words_beside_lists_of_tokens(tmp_path):
    """A token is as it is: a word of the list is one, whatever the tokenizer makes of it."""
    config = Config(min_count=2, keep_words=["King", "u.s.a"], stop_words=["The", "e\u0301"])
    lines = [["The", "King", "the"], ["u.s.a", "x", "x", "The", "the"]]
    encoded = encode(lines, config, folder=tmp_path)
    assert encoded.vocabulary.words == ("x", "King", "u.s.a")
    assert encoded.account == TokenAccount(lines=2, read=8, kept=4, stop=4)


def test_lists_of_words_are_not_for_a_function_to_cut(tmp_path):
    seen = []
    config = Config(min_count=2, keep_words=["A"], stop_words=["b"])
    encode(["A b c c b"], config, folder=tmp_path, tokenizer=lambda x: seen.append(x) or x.split())
    assert seen == ["A b c c b"]


def test_all_words_are_left_out(tmp_path):
    with pytest.raises(CorpusError, match=r"is among stop_words; shorten stop_words"):
        encode(["a a"], Config(min_count=3, stop_words=["a"]), folder=tmp_path)


def test_callable_overrides_the_config(tmp_path):
    seen = []

    def letters(line):
        seen.append(line)
        return (*line, "")

    encoded = encode(["ab", "", "b\rc\n"], Config(min_count=1), folder=tmp_path, tokenizer=letters)
    assert seen == ["ab", "b", "c"]
    assert lines_of(encoded) == [["a", "b"], ["b"], ["c"]]
    assert encoded.account == TokenAccount(lines=4, read=7, kept=4, empty=3)


def test_callable_gets_pieces_of_a_long_line(tmp_path):
    seen = []
    text = "ab cd " * (PIECE // 4)
    encode([text], folder=tmp_path, tokenizer=lambda line: seen.append(line) or line.split())
    assert "".join(seen) == text
    assert max(map(len, seen)) <= PIECE


def test_callable_that_is_false_is_still_used(tmp_path):
    class Empty(list):
        def __call__(self, line):
            return line.split("n")

    assert encode(["anb"], folder=tmp_path, tokenizer=Empty()).vocabulary.words == ("a", "b")


@pytest.mark.parametrize("token", ["\n", "a b", "\r\n", "\x00"])
def test_a_token_may_hold_any_character(token, tmp_path):
    encoded = encode([[token, "x"], ["x", token]], folder=tmp_path)
    assert lines_of(encoded) == [[token, "x"], ["x", token]]


class Series:
    """One column of texts, as pandas has it."""

    ndim = 1

    def __iter__(self):
        return iter(LINES)


@pytest.mark.parametrize("corpus", [Series(), np.array(LINES, object), np.array(LINES)])
def test_a_column_of_texts(corpus, tmp_path):
    assert encode(corpus, folder=tmp_path).vocabulary.words == ("the", "king", "queen")


@pytest.mark.parametrize("number", [int, np.int8, np.uint64])
def test_whole_numbers_as_tokens(number, tmp_path):
    encoded = encode([[number(17), number(3)], (number(17), "x")], folder=tmp_path)
    assert lines_of(encoded) == [["17", "3"], ["17", "x"]]


# errors

NAMES_OF_FILES = {
    "iglob": lambda: glob.iglob("chap/*.txt"),
    "set": lambda: set(glob.glob("chap/*.txt")),
    "array": lambda: np.array(glob.glob("chap/*.txt")),
    "array of objects": lambda: np.array(glob.glob("chap/*.txt"), object),
    "map": lambda: map(str, Path("chap").glob("*.txt")),
    "keys": lambda: dict.fromkeys(glob.glob("chap/*.txt")).keys(),
    "one": lambda: iter(["chap/1.txt"]),
    "another folder": lambda: os.listdir("chap"),
    "no such files": lambda: ["a.TXT", "b.txt.gz"],
    "another ending": lambda: iter(["chap/text 4", "chap/text 5"]),
    "paths": lambda: Path("chap").glob("*"),
    "entries": lambda: iter([*os.scandir("chap")]),
}


@pytest.mark.parametrize("field", [None, "text"])
@pytest.mark.parametrize("names", NAMES_OF_FILES.values(), ids=NAMES_OF_FILES)
def test_names_of_files_are_no_texts(names, field, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("chap").mkdir()
    for name in ("1.txt", "2.txt", "3.txt"):
        Path("chap", name).write_text("the king and the queen\n")
    if names is NAMES_OF_FILES["another ending"]:
        for name in ("text 4", "text 5"):
            Path("chap", name).write_text("the king and the queen\n")
    said = r"^the corpus begins with '.*', the name of a file and .* the folder or .*: sorted\("
    with pytest.raises(CorpusError, match=said):
        encode(names(), Config(min_count=1, field=field), folder=tmp_path)


@pytest.mark.parametrize("corpus", [iter, set, np.array])
def test_addresses_are_no_texts(corpus, tmp_path):
    addresses = corpus([f"https://host/{i}.txt" for i in range(4)])
    with pytest.raises(CorpusError, match=r"^the corpus begins with 'https://host/\d\.txt', an"):
        encode(addresses, folder=tmp_path)


@pytest.mark.parametrize(
    "corpus",
    [
        iter(["a.txt", "b.txt", "and so on", "c.txt"]),
        ["https://host/1", "a b"],
        iter(["see a.txt", "b.txt"]),
        iter(["a.txt\n", "see b.txt\n"]),
        iter([["a.txt", "b.txt"]]),
        iter(["a.txt", ["b.txt", "c"]]),
        iter(["\0 a b", "\ud800 b"]),
    ],
)
def test_texts_that_look_a_little_like_names(corpus, tmp_path):
    assert encode(corpus, folder=tmp_path).vocabulary


class Frame:
    """A table, as pandas has it."""

    ndim = 2

    def __init__(self, columns):
        self.columns = columns


@pytest.mark.parametrize(
    ("corpus", "said"),
    [
        ([], "the text is empty"),
        (iter([]), "the text is empty"),
        (["..."], "holds no word, lines read: 1;"),
        (["", "\n"], "holds no word, lines read: 2;"),
        ([[]], "holds no word"),
        ([["", ""]], "holds no word"),
        (["a b b"], "times, the most frequent, 'b', only 2; .*lower min_count / --min-count to 1$"),
        (["b a"], "the most frequent, 'a', only 1;"),
        (["a " * 9 + "b"], "only one word of the text is left, 'a'"),
        (["... !"], r"or choose another tokenizer / --tokenizer$"),
        ([7], "element 0 of the corpus is of type int"),
        (["a", "b", None], "element 2 of the corpus is of type NoneType"),
        (["a", b"b"], "element 1 of the corpus is of type bytes"),
        (b"ab", "the corpus is of type bytes"),
        (["a", {"b"}], "element 1 of the corpus is of type set: {'b'}; give a str"),
        ([["a"], ["b", 7.0]], r"element 1 of the corpus holds a token of type float: 7\.0; give"),
        ([["a"], ["b", True]], "element 1 of the corpus holds a token of type bool: True; give"),
        ({"a b": "c d"}, r"type dict, .*: corpus\.values\(\), or .* such as corpus\['a b'\]$"),
        ({}, "of type dict, .*or what is under one key$"),
        (MappingProxyType({"a": 1}), "of type mappingproxy, whose keys"),
        (Frame(["review body", "stars"]), r"type Frame, a table, .* as corpus\['review body'\]$"),
        (Frame([]), r"type Frame, a table, .* such as corpus\[:, 0\]$"),
        (Frame(lambda: ["a"]), r"of type Frame, a table"),
        (SimpleNamespace(column_names=["text"]), r"a table, .* such as corpus\['text'\]$"),
        (np.array([["a b"], ["c d"]]), r"of type ndarray, a table, .* as corpus\[:, 0\]$"),
        (np.array("a b"), "of type ndarray; give a list of texts"),
        ([{"text": "a b"}], r"type dict, .* in them: \(row\['text'\] for row in corpus\)$"),
        (["a", {}], r"element 1 .* of type dict, .*: \(row\[NAME\] for row in corpus\)$"),
        (bytearray(b"a"), "the corpus is of type bytearray; give"),
        ([["a"], "b", [["c"]]], "element 2 of the corpus holds a token of type list"),
        (["a", ("b", b"c")], "element 1 of the corpus holds a token of type bytes"),
        (7, "the corpus is of type int"),
        (None, "the corpus is of type NoneType"),
        (["a \ud800 b", "\udc80x"], "holds '.*', half of a character"),
        ([["a", "x\udfff"]], "half of a character"),
    ],
)
def test_what_cannot_be_learned_from(corpus, said, tmp_path, way):
    config = Config(tokenizer="word" if "half" not in said else "whitespace")
    with pytest.raises(CorpusError, match=said):
        encode(corpus, config, folder=tmp_path)
    assert not list(tmp_path.glob("provisional*"))


@pytest.mark.parametrize(
    ("text", "config", "remedy"),
    [
        ("a a", Config(min_count=1), "give more text"),
        ("a b a b", Config(min_count=2, stop_words=["b"]), "shorten stop_words / --stop-words"),
        ("a a b", Config(min_count=2), "give more text or lower min_count / --min-count"),
        ("a b", Config(min_count=1, max_vocabulary=1), "raise max_vocabulary / --max-vocabulary"),
        (
            "a",
            Config(min_count=1, max_vocabulary=1),
            "raise max_vocabulary / --max-vocabulary and give more text",
        ),
        (
            "a a b",
            Config(min_count=2, max_vocabulary=1),
            "raise max_vocabulary / --max-vocabulary and give more text or lower min_count / "
            "--min-count",
        ),
        (
            "a a b",
            Config(min_count=2, max_vocabulary=9),
            "give more text or lower min_count / --min-count",
        ),
    ],
)
def test_one_word_left_and_what_helps(text, config, remedy, tmp_path, way):
    with pytest.raises(CorpusError) as caught:
        encode([text], config, folder=tmp_path)
    what = "only one word of the text is left, 'a', and one word has no context"
    assert str(caught.value) == f"{what}; {remedy}"


REST = "and the context of a word is the rest of its line"


@pytest.mark.parametrize(
    ("text", "remedy"),
    [
        ("the\nking\nthe\nqueen\n", r"join the lines to sentences, for example: tr '\\n' ' ' < FI"),
        (
            "the.\n\nking\nqueen\n",
            r"sentences, which blank lines separate, .*: awk -v RS= '\{\$1=\$1\}1'",
        ),
    ],
)
def test_a_file_with_one_word_on_each_line(text, remedy, tmp_path, way):
    (tmp_path / "a.txt").write_text(text)
    said = f"^no line of {tmp_path}/a.txt holds two words, {REST}; .*{remedy}.* cbow-train -$"
    with pytest.raises(CorpusError, match=said):
        encode(tmp_path / "a.txt", folder=tmp_path)


@pytest.mark.parametrize("corpus", [["the", "king"], ["the", ["king"]], iter(["the\nking\n\n"])])
def test_a_list_of_words(corpus, tmp_path):
    said = rf"^no line of the text holds two words, {REST}; .* of a list of words, \[words\]$"
    with pytest.raises(CorpusError, match=said):
        encode(corpus, folder=tmp_path)


def test_lines_of_which_one_word_is_left(tmp_path, way):
    said = rf"^no line of the text holds two of the words that are left, {REST}; .*lower min_count"
    with pytest.raises(CorpusError, match=said):
        encode(["a b", "a c", "d e", "d f"], Config(min_count=2), folder=tmp_path)


@pytest.mark.parametrize("piece", [2, 3, 5])
@pytest.mark.parametrize("text", ["a\nb c", "a\nb\nc a", "a b\nc", "a\n\nb\n c d"])
def test_two_words_on_a_line_wherever_it_is_cut(text, piece, tmp_path, monkeypatch):
    monkeypatch.setattr(Cutter.__init__, "__defaults__", (piece,))
    assert max(map(len, lines_of(encode([text], folder=tmp_path)))) == 2


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "a.txt is empty"),
        (b"\xef\xbb\xbf", "a.txt is empty"),
        (gzip.compress(b"", mtime=0), "a.txt is empty"),
        (b"\n\n", "a.txt holds no word, lines read: 2;"),
        (b"the king \xff", "a.txt is not utf-8 text at byte 9"),
        (bytes(99), "a.txt looks like a binary file"),
        (gzip.compress(bytes(99), mtime=0), "a.txt looks like a binary file"),
        (gzip.compress(b"words " * 9, mtime=0)[:-9], "a.txt is cut short"),
    ],
)
def test_file_that_cannot_be_learned_from(data, said, tmp_path):
    path = tmp_path / "a.txt"
    path.write_bytes(data)
    with pytest.raises(CorpusError, match=f"^{tmp_path}/{said}"):
        encode(path, folder=tmp_path)


def test_an_empty_file_beside_others_is_no_error(tmp_path):
    (tmp_path / "a.txt").write_text("")
    (tmp_path / "b.txt").write_text("king queen")
    (tmp_path / "c.md").write_text("left out")
    assert encode(tmp_path, folder=tmp_path).account.to_dict()["skipped_files"] == 1


def test_file_that_cannot_be_opened(tmp_path, monkeypatch):
    path = tmp_path / "a.txt"
    path.write_text("text")
    sources = find_sources(path)

    def refused(self, mode="r"):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "open", refused)
    with pytest.raises(CorpusError, match=r"a\.txt cannot be opened \(Permission denied\)"):
        list(next(TextReader().texts(sources)))


def test_replacements_reach_the_account(tmp_path):
    (tmp_path / "a.txt").write_bytes(b"king king \xff\n")
    (tmp_path / "b.txt").write_bytes(b"queen\xfe \xfd\n")
    config = Config(min_count=1, errors="replace")
    assert encode(tmp_path, config, folder=tmp_path).account.replaced == 3


def test_settings_that_are_not_known(tmp_path):
    with pytest.raises(ConfigError, match="encoding"):
        encode(["a b"], Config(encoding="utf-9"), folder=tmp_path)
    with pytest.raises(ConfigError, match="custom"):
        encode(["a b"], Config(tokenizer="custom"), folder=tmp_path)


def test_folder_that_cannot_be_written_to(tmp_path):
    said = (
        r"nowhere cannot be used \(No such file or directory\); mend it, or name .* --work-folder$"
    )
    with pytest.raises(OutputError, match=said):
        encode(["a b"], folder=tmp_path / "nowhere")


def test_error_of_the_callers_own_iterator_stays_his_own(tmp_path):
    def texts():
        yield "a b"
        raise FileNotFoundError(2, "mine")

    with pytest.raises(FileNotFoundError, match="mine"):
        encode(texts(), folder=tmp_path)
    assert not list(tmp_path.iterdir())


def test_too_little_room_is_noticed_before(tmp_path, monkeypatch):
    """What it takes is reckoned by the first lines, and comes true where the rest is like them."""
    text = tmp_path / "a.txt"
    text.write_text("the king rules the land\n" * 300_000)
    monkeypatch.setattr(encoded_module, "_SAMPLE", 2**20)
    free, placed = [10**9], []
    usage = shutil.disk_usage(tmp_path)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage._replace(free=free[0]))
    folder = tmp_path / "work"
    folder.mkdir()

    def run(corpus):
        return encode_corpus(
            corpus, Config(), folder=folder, placed=lambda *what: placed.append(what)
        )

    found = run(text)
    [(where, size)] = placed
    assert where == folder
    taken = 4 * (len(found.ids) + len(found.line_starts)) + 8 * len(found.line_starts)
    assert size == pytest.approx(taken, rel=0.05)  # what is read ahead counts
    free[0] = size // 2
    said = (
        r"^the encoded text needs about 0\.01 GB more in .*work, but only 0\.00 GB are free there; "
    )
    with pytest.raises(OutputError, match=said + r"free some .* with work_folder / --work-folder$"):
        run(text)
    with text.open() as lines:
        run(lines)  # its size is not known
    assert len(placed) == 2
    with pytest.raises(OutputError, match=said):  # also if nobody wants to be told
        encode_corpus(text, Config(), folder=folder)


def test_full_disk(tmp_path):
    spool = Spool(tmp_path / "provisional")
    numbers = np.array([1, LINE_END], np.int32)
    spool._file.close()
    spool._file = open("/dev/full", "w+b", buffering=0)  # noqa: SIM115
    said = f"^the temporary folder {tmp_path} is full; free .* / --work-folder$"
    with pytest.raises(OutputError, match=said), spool:
        spool.add(numbers)
    assert not list(tmp_path.iterdir())


def test_full_disk_in_the_second_pass(tmp_path):
    """Where the line starts go: nobody asked for this file either."""
    full = tmp_path / "starts"
    full.symlink_to("/dev/full")
    with Spool(tmp_path / "provisional") as spool:
        spool.add(np.array([0, LINE_END] * 9000, np.int32))
        with pytest.raises(OutputError, match=f"^the temporary folder {tmp_path} is full; "):
            spool.write(np.array([0, LINE_END], np.int32), tmp_path / "ids", full)
    assert not (tmp_path / "provisional").exists()


def test_an_error_is_explained_once(tmp_path):
    (tmp_path / "ids").mkdir()
    with Spool(tmp_path / "provisional") as spool:
        (tmp_path / "provisional").unlink()
        with pytest.raises(OutputError, match=r"^[^;]* cannot be used \(No such [^(]*\); mend it"):
            spool.write(np.array([0, LINE_END], np.int32), tmp_path / "ids", tmp_path / "starts")


def test_line_end_is_the_last_place_of_a_table():
    assert np.arange(5)[LINE_END] == 4


# progress and memory


def test_progress_of_files(tmp_path):
    (tmp_path / "a.txt").write_text("king queen\n" * 200_000)
    (tmp_path / "b.txt.gz").write_bytes(gzip.compress(b"king queen\n" * 100_000))
    total = sum(path.stat().st_size for path in tmp_path.iterdir())
    seen = []
    encode(tmp_path, folder=tmp_path, progress=seen.append)
    assert len(seen) >= 4
    assert seen == sorted(seen)
    assert seen[0].bytes_done < total
    assert seen[-1] == (600_000, total, total)


def test_size_of_what_has_none(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    assert find_sources(tmp_path / "pipe").size is None
    assert find_sources("-").size is None


@pytest.fixture
def small_pieces(monkeypatch):
    """Work in small pieces, so that a text of two megabytes is long beside them."""
    monkeypatch.setattr(reading_module, "PIECE", 2**14)
    monkeypatch.setattr(Cutter.__init__, "__defaults__", (2**14,))
    monkeypatch.setattr(encoded_module, "CHUNK", 2**14)


def peak(corpus, folder):
    """Return the most memory in use at once while encoding, in bytes."""
    importlib.import_module("cbow.text.kernels")  # it takes memory, but once
    tracemalloc.start()
    encode(corpus, Config(), folder=folder)
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return most


@pytest.mark.slow
@pytest.mark.slow
@pytest.mark.parametrize("end", ["\n", " "])
def test_memory_does_not_grow_with_the_text(tmp_path, end, small_pieces):
    path = tmp_path / "a.txt"
    sizes = []
    for times in (30_000, 90_000):
        path.write_text(("the king and the queen" + end) * times)
        sizes.append(peak(path, tmp_path))
    assert sizes[1] < 1.2 * sizes[0]


@pytest.mark.slow
def test_memory_of_one_shot_generators_does_not_grow(tmp_path, small_pieces):
    sizes = [peak((["the", "king", "and"] for _ in range(n)), tmp_path) for n in (15_000, 60_000)]
    assert sizes[1] < 2 * sizes[0]  # by how many pieces are under way at once, it varies


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="counts pages as Linux does")
def test_pages_that_were_read_are_let_go(tmp_path):
    size = 2**23  # 32 MB
    np.arange(size, dtype=np.int32).tofile(tmp_path / "ids")
    ids = np.memmap(tmp_path / "ids", np.int32, mode="r")
    plain = np.array([0, size])
    corpus = EncodedCorpus(ids, plain, Vocabulary(["a"], np.array([1])), TokenAccount())

    def resident():
        return int(Path("/proc/self/statm").read_text().split()[1])

    total = int(ids.sum())
    before = resident()
    corpus.release()
    assert (before - resident()) * mmap.PAGESIZE > 20e6
    assert int(ids.sum()) == total


def test_what_was_counted_is_let_go_at_once(tmp_path, monkeypatch):
    """It knows all words, rare ones too: to wait for the garbage collector costs memory."""
    kept = []

    class Watched(encoded_module.CountedText):
        def __init__(self, *arguments):
            super().__init__(*arguments)
            kept.append(weakref.ref(self))

    monkeypatch.setattr(encoded_module, "CountedText", Watched)
    gc.disable()
    try:
        encode(LINES, folder=tmp_path, noticed=list)
        assert [text() for text in kept] == [None]
    finally:
        gc.enable()
