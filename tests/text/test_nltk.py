import zipfile

import nltk
import nltk.corpus
import pytest
from nltk.corpus.reader import (
    BracketParseCorpusReader,
    PlaintextCorpusReader,
    TaggedCorpusReader,
    WordListCorpusReader,
)
from nltk.corpus.util import LazyCorpusLoader

from cbow.config import Config
from cbow.errors import CorpusError
from cbow.text import encode_corpus
from cbow.text.nltk_corpora import nltk_text

BROWN = "The/at Fulton/np Jury/nn said/vbd\n\nIt/pps ``/`` did/dod\n"


@pytest.fixture
def corpora(tmp_path, monkeypatch):
    """Folder of an installation of NLTK's data that holds nothing else."""
    monkeypatch.setattr(nltk.data, "path", [str(tmp_path)])
    folder = tmp_path / "corpora"
    folder.mkdir()
    return folder


def install(corpora, monkeypatch, name, reader, files, *arguments):
    """Write a corpus and put a loader of it, not loaded yet, where NLTK has its own."""
    (corpora / name).mkdir()
    for file, text in files.items():
        (corpora / name / file).write_text(text, encoding="utf-8")
    loader = LazyCorpusLoader(name, reader, *arguments)
    monkeypatch.setattr(nltk.corpus, name, loader, raising=False)


def test_tagged_corpus_gives_its_sentences(corpora, monkeypatch):
    install(corpora, monkeypatch, "brown", TaggedCorpusReader, {"ca01": BROWN}, r"c.*")
    assert list(nltk_text("brown")) == ["The Fulton Jury said\n", "It `` did\n"]


def test_bracketed_corpus_gives_its_sentences(corpora, monkeypatch):
    tree = "(S (NP (DT The) (NN king)) (VP (VBD said)))\n"
    install(corpora, monkeypatch, "tb", BracketParseCorpusReader, {"a.mrg": tree}, r".*\.mrg")
    assert list(nltk_text("tb")) == ["The king said\n"]


def test_plain_corpus_gives_its_files(corpora, monkeypatch):
    files = {"b.txt": "A king.\nA queen", "a.txt": "Über alles\n"}
    install(corpora, monkeypatch, "plain", PlaintextCorpusReader, files, r".*\.txt")
    assert list(nltk_text("plain")) == ["Über alles\n\n", "A king.\nA queen\n"]


def test_encoded_with_the_tokenizer_of_choice(corpora, monkeypatch, tmp_path):
    install(corpora, monkeypatch, "brown", TaggedCorpusReader, {"ca01": BROWN * 5}, r"c.*")
    seen = []
    encoded = encode_corpus("nltk:brown", Config(), folder=tmp_path, progress=seen.append)
    assert encoded.vocabulary.words == ("did", "fulton", "it", "jury", "said", "the")
    assert len(encoded.line_starts) == 11
    assert seen[-1].bytes_total is None


def test_corpus_within_a_zip_file(corpora, monkeypatch):
    with zipfile.ZipFile(corpora / "brown.zip", "w") as archive:
        archive.writestr("brown/ca01", BROWN)
    loader = LazyCorpusLoader("brown", TaggedCorpusReader, ["ca01"])
    monkeypatch.setattr(nltk.corpus, "brown", loader)
    assert list(nltk_text("brown"))[1] == "It `` did\n"


def test_not_installed(corpora, monkeypatch):
    loader = LazyCorpusLoader("brown", TaggedCorpusReader, ["ca01"])
    monkeypatch.setattr(nltk.corpus, "brown", loader)
    with pytest.raises(CorpusError, match=r"not whole; run: python -m nltk\.downloader brown$"):
        list(nltk_text("brown"))


@pytest.mark.filterwarnings("ignore")
def test_installed_without_what_it_needs(corpora, monkeypatch):
    class Needy(TaggedCorpusReader):
        def sents(self, fileids=None):
            return nltk.data.find("tokenizers/punkt_tab/english")

    install(corpora, monkeypatch, "needy", Needy, {"ca01": BROWN}, r"c.*")
    with pytest.raises(CorpusError, match=r"run: python -m nltk\.downloader punkt_tab$"):
        list(nltk_text("needy"))


def test_error_that_names_nothing_to_fetch(corpora, monkeypatch):
    class Broken(TaggedCorpusReader):
        def sents(self, fileids=None):
            raise LookupError("gone")

    install(corpora, monkeypatch, "broken", Broken, {"ca01": BROWN}, r"c.*")
    with pytest.raises(CorpusError, match=r"run: python -m nltk\.downloader broken$"):
        list(nltk_text("broken"))


def test_file_that_cannot_be_decoded(corpora, monkeypatch):
    install(corpora, monkeypatch, "plain", PlaintextCorpusReader, {"a.txt": ""}, r".*\.txt")
    (corpora / "plain" / "a.txt").write_bytes(b"caf\xe9 caf\xe9\n")
    with pytest.raises(CorpusError, match=r"cannot be decoded .*--force plain$"):
        list(nltk_text("plain"))


def test_no_running_text(corpora, monkeypatch):
    install(corpora, monkeypatch, "wordlist", WordListCorpusReader, {"a": "x\n"}, ["a"])
    with pytest.raises(CorpusError, match="holds no running text"):
        list(nltk_text("wordlist"))


@pytest.mark.parametrize("name", ["brownn", "", "reader", "LazyCorpusLoader", "__name__", "a b"])
def test_no_such_corpus(name):
    with pytest.raises(CorpusError, match=f"NLTK has no corpus named '{name}'"):
        list(nltk_text(name))
