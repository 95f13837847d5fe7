import bz2
import codecs
import errno
import gzip
import io
import lzma
import re
import tarfile
import threading
import zipfile
from pathlib import Path

import nltk
import nltk.corpus
import numpy as np
import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st
from nltk.corpus.reader import (
    BracketParseCorpusReader,
    PlaintextCorpusReader,
    TaggedCorpusReader,
    WordListCorpusReader,
)
from nltk.corpus.util import LazyCorpusLoader

import cbow.text.reading as reading_module
from cbow.config import Config
from cbow.errors import ConfigError, CorpusError
from cbow.text import encode_corpus, find_sources
from cbow.text.reading import TextReader, decompressed, ending_lines, nltk_text
from cbow.text.sniffing import BINARY_MAGIC, compression


def zst(data):
    return zstandard.ZstdCompressor(write_checksum=True).compress(data)


PACK = {"gzip": gzip.compress, "bz2": bz2.compress, "xz": lzma.compress, "zst": zst}
TEXT = "Der König grüßt\nthe queen\n" * 5000


class Pipe(io.RawIOBase):
    """A stream that cannot be sought and gives a few bytes at a time."""

    def __init__(self, data, step=1):
        self.data = io.BytesIO(data)
        self.step = step

    def read(self, size=-1):
        return self.data.read(min(size, self.step))


def unpack(data, kind, step=2**15):
    """Decompress data that come in blocks of some size."""
    return list(decompressed((data[i : i + step] for i in range(0, len(data), step)), kind, "a"))


def read(data, encoding="utf-8", errors="strict", name="a.txt"):
    reader = TextReader(encoding, errors)
    text = "".join(reader.read(io.BytesIO(data), name))
    return text, reader


# compression


@pytest.mark.parametrize("kind", PACK)
@pytest.mark.parametrize("step", [1, 7, 2**20])
def test_compressed_is_read_by_its_content(kind, step):
    packed = PACK[kind](TEXT.encode())
    reader = TextReader()
    assert "".join(reader.read(Pipe(packed, step), "a.txt")) == TEXT
    assert reader.bytes_read == len(packed)


@pytest.mark.parametrize("kind", PACK)
def test_several_streams_in_one_file_are_all_read(kind):
    packed = PACK[kind](b"one\n") + PACK[kind](b"") + PACK[kind](b"two\n")
    assert read(packed)[0] == "one\ntwo\n"


@pytest.mark.parametrize("kind", PACK)
def test_compressed_nothing_is_nothing(kind):
    assert read(PACK[kind](b""))[0] == ""


@pytest.mark.parametrize("kind", PACK)
def test_what_follows_compressed_text_is_not_ignored(kind):
    with pytest.raises(CorpusError, match="damaged"):
        read(PACK[kind](b"one\n") + b"two\n")
    with pytest.raises(CorpusError, match="damaged"):
        unpack(PACK[kind](b"one\n") + b"two two\n", kind, 1)


@pytest.mark.parametrize("step", [1, 2**20])
@pytest.mark.parametrize("kind", ["gzip", "bz2", "xz"])
def test_padding_with_zeros_is_no_damage(kind, step):
    data = PACK[kind](b"one\n") + bytes(8) + PACK[kind](b"two\n") + bytes(4)
    assert b"".join(unpack(data, kind, step)) == b"one\ntwo\n"


def test_zstd_frame_to_skip_is_skipped():
    skip = b"\x50\x2a\x4d\x18" + (3).to_bytes(4, "little") + b"abc"
    assert read(skip + zst(b"one\n") + skip)[0] == "one\n"


@pytest.mark.parametrize("kind", PACK)
def test_compressed_and_cut_short(kind):
    packed = PACK[kind](TEXT.encode())
    assert compression(packed) == kind
    for end in {10, 11, 20, len(packed) // 2, len(packed) - 5, len(packed) - 1}:
        with pytest.raises(CorpusError, match=r"^a\.txt is cut short.*again$"):
            read(packed[:end])


@pytest.mark.parametrize("kind", PACK)
def test_compressed_and_damaged(kind):
    packed = bytearray(PACK[kind](TEXT.encode()))
    for place in range(12, len(packed), max(1, len(packed) // 7)):
        packed[place] ^= 0x55
    with pytest.raises(CorpusError, match=r"^a\.txt is (damaged|cut short).*again$"):
        read(bytes(packed))


@given(st.sampled_from(sorted(PACK)), st.integers(0), st.integers(1, 255))
def test_any_damage_is_a_corpus_error_or_text(kind, place, flip):
    packed = bytearray(PACK[kind](b"the king and the queen\n" * 9))
    packed[place % len(packed)] ^= flip
    try:
        read(bytes(packed))
    except CorpusError as error:
        assert str(error).startswith("a.txt ")  # noqa: PT017


@pytest.mark.slow
@pytest.mark.parametrize("kind", PACK)
def test_a_small_file_of_zeros_stays_small_in_memory(kind):
    sizes = list(map(len, unpack(PACK[kind](bytes(4 * 10**7)), kind)))
    assert sum(sizes) == 4 * 10**7
    assert max(sizes) <= 2**24


@pytest.mark.parametrize("text", ["BZh is no file", "BZh9 is none", "PK", "%PDF in a text", "MZ"])
def test_text_that_begins_like_something_else(text):
    assert read(text.encode())[0] == text + "\n"


# decoding


@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=40), st.integers(1, 9))
def test_text_arrives_as_it_was(text, step):
    text = re.sub("^\ufeff+", "", text.replace("\r", "").replace("\x00", ""), flags=re.M) + "\n"
    for encoding in ("utf-8", "utf-16", "utf-8-sig", "gb18030"):
        parts = TextReader(encoding).read(Pipe(text.encode(encoding), step), "a")
        assert "".join(parts) == text


@pytest.mark.parametrize("mark", ["utf-8-sig", "utf-16"])
def test_byte_order_mark_is_dropped(mark):
    text = "the king\n".encode(mark)
    assert read(text, "utf-8" if mark == "utf-8-sig" else mark)[0] == "the king\n"
    assert read("a\ufeffb".encode())[0] == "a\ufeffb\n"


@pytest.mark.parametrize("step", [1, 2, 5, 100])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_files_put_one_behind_the_other_leave_no_mark(step, end):
    text = f"the king{end}".encode("utf-8-sig") * 3
    assert "".join(TextReader().read(Pipe(text, step), "a")) == "the king\n" * 3
    parts = ["a\r", "\ufeff", "b\ufeffc\n", "\ufeffd"]
    assert "".join(ending_lines(parts)) == "a\nb\ufeffc\nd\n"


@pytest.mark.parametrize("before", [0, 5, 8191, 8192, 2**18 - 1, 2**18, 2**18 + 1, 3 * 2**18 + 2])
@pytest.mark.parametrize("bad", [b"\xff", b"\xe4\xb8", b"\xf0\x9f\x91"])
def test_invalid_bytes_are_named_by_their_place(before, bad):
    data = b"x" * before + bad + b" and more"
    with pytest.raises(CorpusError) as caught:
        read(data)
    assert f"a.txt is not utf-8 text at byte {before} ({bad[:1].hex()} hex)" in str(caught.value)
    assert "name its encoding / --encoding" in str(caught.value)
    assert "errors='replace' / --errors replace" in str(caught.value)


@pytest.mark.parametrize(
    ("data", "encoding", "place"),
    [
        (gzip.compress(b"\n" * 300001 + b"\xff\n", mtime=0), "utf-8", 300001),  # uncompressed
        (codecs.BOM_UTF8 + b"a\xff", "utf-8", 4),
        (codecs.BOM_UTF8 + b"a\xff", "utf-8-sig", 4),
        (b"ab\xe4\xb8", "utf-8", 2),  # stops within a character
    ],
)
def test_place_of_invalid_bytes(data, encoding, place):
    with pytest.raises(CorpusError, match=f"at byte {place} "):
        read(data, encoding)


@pytest.mark.parametrize(
    "data", [b"a\xffb", b"\xe4\xb8", b"a\xff\xfe\xfdb", b"\xef\xbf\xbd", b"x" * 2**18 + b"\xe4"]
)
def test_replacements_are_those_of_python_and_counted(data):
    text, reader = read(data, errors="replace")
    expected = data.decode(errors="replace")
    assert text == expected + "\n"
    assert reader.replaced == expected.count("\ufffd") - data.count(b"\xef\xbf\xbd")


def test_replacements_in_another_thread_are_not_counted():
    before = reading_module._replacements.count
    other = threading.Thread(target=lambda: read(b"\xff\xff", errors="replace"))
    other.start()
    other.join()
    assert reading_module._replacements.count == before
    assert read(b"a\xff\n", errors="replace")[1].replaced == 1


@pytest.mark.parametrize("name", ["utf-9", "", "rot13", "hex", "a\x00b", "ütf"])
def test_encoding_that_there_is_not(name):
    with pytest.raises(ConfigError, match="not known; give a known one"):
        TextReader(name)


@pytest.mark.parametrize("encoding", ["undefined", "utf-16", "utf-32", "idna"])
def test_encoding_that_does_not_fit(encoding):
    with pytest.raises(CorpusError, match=f"is not {encoding} text|binary"):
        read("the king\nand 王 queen\n".encode(), encoding)


@pytest.mark.parametrize(
    ("encoding", "errors"), [("utf-16", "strict"), ("utf-16", "replace"), ("utf-32", "replace")]
)
def test_no_byte_order_mark_where_there_must_be_one(encoding, errors):
    said = (
        rf"^a\.txt is not {encoding} text from byte 0 on \(.*BOM\); "
        "name its encoding / --encoding, such as utf-8$"  # to replace is no remedy
    )
    with pytest.raises(CorpusError, match=said):
        read(b"the king and the queen\n", encoding, errors)


# binary files


@pytest.mark.parametrize("magic", BINARY_MAGIC)
def test_known_binary_files_are_refused(magic):
    with pytest.raises(CorpusError, match=r"^a\.txt looks like a binary file"):
        read(magic + b"\xff\xfe words words words")


PACKED_TEXT = TEXT.encode()


def tar(form=tarfile.USTAR_FORMAT, name="king.txt", text=PACKED_TEXT):
    with io.BytesIO() as file:
        with tarfile.open(fileobj=file, mode="w", format=form) as archive:
            member = tarfile.TarInfo(name)
            member.size = len(text)
            archive.addfile(member, io.BytesIO(text))
        return file.getvalue()


def old_tar(signed):
    """As version 7 of Unix wrote it, unmarked; the sum is of signed or unsigned bytes."""
    header = bytearray(tar(name="könig.txt")[:512])
    header[257:512] = bytes(255)
    header[148:156] = b" " * 8
    total = sum(header) - 256 * signed * sum(byte > 127 for byte in header)
    header[148:156] = b"%6o\0 " % total
    return bytes(header) + b"the king".ljust(512, b"\0")


TARS = [
    *[tar(form) for form in (tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT)],
    *[tar(tarfile.GNU_FORMAT, "n" * 300), tar(tarfile.PAX_FORMAT, "ö" * 300), tar(text=b"")],
    *[old_tar(signed=False), old_tar(signed=True)],
]


@pytest.mark.parametrize("data", TARS)
@pytest.mark.parametrize("kind", [None, *PACK])
def test_tar_archives_are_refused_with_a_way_to_read_them(data, kind):
    packed = PACK.get(kind, bytes)(data)
    with pytest.raises(CorpusError, match=r"^a b is a tar .*: tar -xOf 'a b' \| cbow-train -$"):
        read(packed, name="a b")
    flag = {None: "-xO", "gzip": "-xzO", "bz2": "-xjO", "xz": "-xJO", "zst": "--zstd -xO"}[kind]
    with pytest.raises(
        CorpusError, match=rf"^the standard input is .*: tar {flag} \| cbow-train -$"
    ):
        read(packed, "latin-1", name="the standard input")


def test_a_text_like_a_tar_archive_is_read():
    header = tar()[:512].replace(b"\0", b" ")
    for text in (header[:156], header.replace(b"ustar", b"utter"), b"7 " * 300, b" " * 600):
        assert read(text)[0] == text.decode() + "\n"


HOLDERS = {
    "lz4": (b"\x04\x22\x4d\x18\x64\x40\xa7\x09\x00\x00\x80the king", "lz4 -dc FILE | cbow-train -"),
    "lz4 -l": (b"\x02\x21\x4c\x18\x09\x00\x00\x00\x80the king", "lz4 -dc FILE | cbow-train -"),
    "lzma": (lzma.compress(PACKED_TEXT, lzma.FORMAT_ALONE), "xz -dc FILE | cbow-train -"),
    "lzip": (b"LZIP\x01\x0c\x00\x3a", "lzip -dc FILE | cbow-train -"),
    "compress": (b"\x1f\x9d\x90t\xd0\x94\x01", "gzip -dc FILE | cbow-train -"),
    "PDF": (b"%PDF-1.7\nplain as it may be", "pdftotext FILE - | cbow-train -"),
    "Parquet": (b"PAR1\x15\x04\x15\x18\x15\x1cL", "--field NAME"),
    "Arrow file": (b"ARROW1\0\0\xff\xff\xff\xff", "--field NAME"),
    "Arrow stream": (b"\xff\xff\xff\xff\xa8\0\0\0\x10", "--field NAME"),
    "Git LFS": (
        b"version https://git-lfs.github.com/spec/v1\noid sha256:" + b"0" * 64 + b"\nsize 9\n",
        "git lfs pull",
    ),
}


@pytest.mark.parametrize("what", HOLDERS)
@pytest.mark.parametrize("encoding", ["utf-8", "latin-1"])
def test_what_holds_a_text_is_named_with_the_way_to_it(what, encoding):
    data, way = HOLDERS[what]
    for name, file in (("a b", "'a b'"), ("the standard input", "-")):
        with pytest.raises(CorpusError) as caught:
            read(data, encoding, "replace", name=name)
        said = str(caught.value)
        assert said.startswith(f"{name} is a")
        assert what.split()[0] in said
        assert said.endswith(": " + way.replace("FILE", file))


def test_a_file_that_fails_at_its_first_byte(tmp_path, monkeypatch):
    class Failing(io.RawIOBase):
        def seekable(self):
            return True

        def readable(self):
            return True

        def readinto(self, _):
            raise OSError(errno.EIO, "Input/output error")

    (tmp_path / "a").touch()
    monkeypatch.setattr(Path, "open", lambda *_: io.BufferedReader(Failing()))
    [parts] = TextReader().texts(find_sources(tmp_path / "a"))
    with pytest.raises(CorpusError, match=r"a cannot be read \(Input/output error\); check the f"):
        next(parts)


def test_what_holds_a_text_may_be_compressed_besides():
    with pytest.raises(CorpusError, match="is a PDF file"):
        read(gzip.compress(HOLDERS["PDF"][0]))


@pytest.mark.parametrize("text", ["PAR1 and PAR2", "]", "%PDF", "LZIP", "version https://git"])
def test_a_text_that_begins_like_a_holder_is_read(text):
    for encoding in ("utf-8", "utf-32-le", "utf-16-be"):
        assert read(text.encode(encoding), encoding)[0] == text + "\n"


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
@pytest.mark.parametrize("text", [None, b"the king"])
def test_zip_archives_are_refused_with_a_way_to_read_them(method, text):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", method) as archive:
        if text:
            archive.writestr("a.txt", text)
    for errors in ("strict", "replace"):
        with pytest.raises(CorpusError, match=r"^a is a zip .*: unzip -p a \| cbow-train -$"):
            read(file.getvalue(), errors=errors, name="a")
    with pytest.raises(CorpusError, match=r"^the standard input is a zip .*, unzip it first$"):
        read(gzip.compress(file.getvalue()), name="the standard input")


@pytest.mark.parametrize(
    "data",
    [
        bytes(1000),
        bytes(range(256)) * 9,
        b"\x00\x01\x02\x03" * 5,
        "the king".encode("utf-16-le") * 9,
    ],
)
@pytest.mark.parametrize("encoding", ["utf-8", "latin-1"])
@pytest.mark.parametrize("errors", ["strict", "replace"])
def test_control_characters_in_plenty_are_refused(data, encoding, errors):
    with pytest.raises(CorpusError, match="looks like a binary file"):
        read(data, encoding, errors)


def test_a_few_control_characters_are_text():
    assert read(b"a\x00b\n")[0] == "a\x00b\n"
    assert read(b"the king \x00 is here\n" * 1000)[0].count("\x00") == 1000
    assert read(b"\x1b[1mbold\x1b[0m N\x08NA\x08A" * 100)[0]
    assert read(b"\x93quoted\x94 \x85 " * 100, "cp1252")[0]


def test_wide_encodings_are_text_when_named():
    text = "the king and the queen\n" * 100
    assert read(text.encode("utf-16-le"), "utf-16-le")[0] == text
    assert read(text.encode("utf-32"), "utf-32")[0] == text


def test_invalid_bytes_in_a_text_are_no_binary_file():
    with pytest.raises(CorpusError, match="at byte 4 "):
        read("caf\xe9 and more\n".encode("latin-1").replace(b"f", b"ff"))


def test_a_stream_that_fails_while_reading():
    class Failing(io.BytesIO):
        def read(self, size=-1):
            if self.tell() > 20:
                raise OSError(5, "Input/output error")
            return super().read(min(size, 11))

    with pytest.raises(CorpusError, match=r"^tape cannot be read \(Input/output error\)"):
        "".join(TextReader().read(Failing(b"words " * 99), "tape"))


# line ends


@given(st.lists(st.text(st.sampled_from("a\r\n\x0b\x85\u2028"))))
def test_line_ends_are_unified_and_the_last_line_ended(parts):
    text = "".join(parts).replace("\r\n", "\n").replace("\r", "\n")
    expected = text if not text or text.endswith("\n") else text + "\n"
    assert "".join(ending_lines(parts)) == expected


def test_line_end_across_blocks():
    data = b"x" * (2**18 - 1) + b"\r\n" + b"y\r"
    assert read(data)[0] == "x" * (2**18 - 1) + "\ny\n"


# what only small buffers and odd frames show


def test_only_the_head_is_looked_at_for_binary_content():
    data = b"a" * 8192 + bytes(5000)
    assert len(read(data)[0]) == 13193


@pytest.mark.parametrize("kind", PACK)
@pytest.mark.parametrize("step", [1, 100])
def test_no_block_is_empty(kind, step):
    text = np.random.default_rng(1).bytes(10_000).hex().encode()  # hard to compress
    blocks = unpack(PACK[kind](text), kind, step)
    assert all(blocks)
    assert b"".join(blocks) == text


def test_zstd_with_a_large_window():
    parameters = zstandard.ZstdCompressionParameters(window_log=23)
    packer = zstandard.ZstdCompressor(compression_params=parameters).compressobj()
    packed = packer.compress(TEXT.encode()) + packer.flush()
    assert read(packed)[0] == TEXT


# corpora of NLTK

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
    with pytest.raises(CorpusError, match=r"only in part; run: python -m nltk\.downloader brown$"):
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
