"""A text dealt out to workers: nothing lost, nothing twice, lines whole, sizes alike."""

import gzip
import os
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cbow.config import Config
from cbow.errors import ConfigError, CorpusError
from cbow.text import find_sources
from cbow.text.encoded import Seen
from cbow.text.numbering import EMPTY
from cbow.text.reading import TextReader
from cbow.text.shards import deal, merged, seen_together
from cbow.text.sources import Part, Sources, opened

lines = st.lists(st.text("ab é", max_size=30), max_size=30)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("texts")


def files(folder, texts):
    paths = []
    for i, text in enumerate(texts):
        paths.append(folder / f"{i}.txt")
        paths[-1].write_bytes(text.encode())
    return find_sources(paths)


def read(sources, config=None):
    """The text of a shard."""
    reader = TextReader((config or Config()).encoding)
    return "".join("".join(parts) for parts in reader.texts(sources))


def sizes(shards):
    return [
        sum(i.stop - i.start if isinstance(i, Part) else i.stat().st_size for i in shard.items)
        for shard in shards
    ]


@given(
    st.lists(st.tuples(lines, st.sampled_from(["\n", "\r\n"])), min_size=1, max_size=3),
    st.integers(1, 9),
    st.booleans(),
)
def test_the_shards_are_the_text(folder, texts, workers, ended):
    texts = [end.join(each) + end * (ended and bool(each)) for each, end in texts]
    sources = files(folder, texts)
    shards = deal(sources, workers, Config())
    assert len(shards) == workers
    assert "".join(map(read, shards)) == read(sources)
    assert sizes(shards) == [shard.size or 0 for shard in shards]
    longest = max(len(line) for text in texts for line in [b"", *text.encode().splitlines(True)])
    total = sum(sizes(shards))
    for k, before in enumerate(np.cumsum([0, *sizes(shards)]).tolist()):
        assert 0 <= before - total * k // workers <= longest


def test_one_worker_has_the_files_as_they_are(folder):
    sources = files(folder, ["a b\n", "c\n"])
    assert deal(sources, 1, Config())[0].items == sources.items


def test_a_file_of_one_line_is_not_cut(folder, monkeypatch):
    monkeypatch.setattr("cbow.text.shards.BLOCK", 4)
    first, *others = deal(files(folder, ["a" * 50]), 4, Config())
    assert [str(item) for item in first.items] == [str(folder / "0.txt")]
    assert [other.items for other in others] == [()] * 3
    assert read(others[0]) == ""


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_what_cannot_be_cut_goes_to_whom_its_middle_belongs(folder, encoding):
    paths = []
    for i, repeats in enumerate((1, 3, 1)):
        text = f"{i} is here\n" * 100 * repeats
        path = folder / f"{encoding}{i}.txt"
        data = text.encode(encoding)
        path.write_bytes(gzip.compress(data, 0) if encoding == "utf-8" else data)
        paths.append(path)
    config = Config(encoding=encoding)
    shards = deal(find_sources(paths), 3, config)
    assert [shard.items for shard in shards] == [(path,) for path in paths]
    assert read(shards[1], config) == "1 is here\n" * 300
    fields = deal(files(folder, ["t,u\n" * 40]), 3, Config(field="t"))
    assert [len(shard.items) for shard in fields] == [0, 1, 0]  # it has a header


@pytest.mark.parametrize("corpus", ["-", "nltk:brown", ["a b", "c d"], Sources(texts=iter("a"))])
def test_only_files_are_dealt_out(corpus):
    with pytest.raises(CorpusError, match="is not a file, but each of 2 workers reads its own"):
        deal(find_sources(corpus), 2, Config())


def test_an_encoding_must_be_known(folder):
    with pytest.raises(ConfigError, match="encoding is 'klingon'"):
        deal(files(folder, ["a b\n"]), 2, Config(encoding="klingon"))


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_that_must_not_be_read(folder):
    sources = files(folder, ["a b\n"])
    sources.items[0].chmod(0)
    with pytest.raises(CorpusError, match="cannot be opened"):
        deal(sources, 2, Config())


def test_a_file_that_is_gone(folder, monkeypatch):
    sources = files(folder, ["a b\n"])
    monkeypatch.setattr(Path, "open", lambda *_: (_ for _ in ()).throw(OSError(2, "it is gone")))
    with pytest.raises(CorpusError, match=r"cannot be opened \(it is gone\); check"):
        deal(sources, 2, Config())


def test_a_file_that_became_shorter_is_told(folder):
    sources = files(folder, ["a b\n" * 10])
    shard = deal(sources, 2, Config())[1]
    sources.items[0].write_text("a b\n" * 7)
    with pytest.raises(CorpusError, match="ends 12 bytes before byte 40, where the part of a work"):
        read(shard)


def test_a_part_is_read_to_its_end_at_once_too(folder):
    files(folder, ["a b\nc d\n"])
    with opened(Part(folder / "0.txt", 4, 8)) as part:
        assert part.read() == b"c d\n"
        assert part.read(5) == b""


def test_words_are_counted_in_all_shards():
    numbering = merged([(["", "b", "a"], np.array([2, 3, 1])), (["a", "c"], np.array([4, 1]))])
    numbers = np.arange(4)
    counts = dict(zip(numbering.words(numbers), numbering.counts().tolist(), strict=True))
    assert counts == {"": 2, "b": 3, "a": 5, "c": 1}
    assert numbering.words(numbers)[EMPTY] == ""


def test_what_is_seen_adds_up():
    one, other = Seen(1, 2, 3, False, 4, 5, 6), Seen(10, 20, 30, True, 40, 50, 60)
    assert seen_together([one, other]) == Seen(11, 22, 33, True, 44, 55, 66)
    assert not seen_together([one, one]).paired
