"""Bad input, all of it in one table: a sentence with a remedy, exit 1, nothing written over.

What looks bad but is not (byte order marks, CRLF, NUL, a word of a megabyte, emoji, right-to-left
text) is in ``test_text_tokenizers.py`` and ``test_text_encoded.py``.
"""

import gzip
import io
import re
import shlex
import sys
import tarfile
from pathlib import Path

import pytest
from bad_places import contents, full_disk, nothing, read_only
from safetensors import safe_open
from safetensors.numpy import load_file, save_file

import cbow
from cbow.cli import convert, evaluate, explain, explore, gradcheck, nearest, plot, train

MAIN = {
    "cbow-train": train.main,
    "cbow-nearest": nearest.main,
    "cbow-gradcheck": gradcheck.main,
    "cbow-explain": explain.main,
    "cbow-plot": plot.main,
    "cbow-convert": convert.main,
    "cbow-evaluate": evaluate.main,
    "cbow-explore": explore.main,
}
TEXT = "the king rules the land\nthe queen rules the land\nthe dog eats the hay\n" * 40
LATIN1 = b"good\n" * 9 + b"caf\xe9 cafe\n"


def bad(content):
    """Make bad.txt with this content."""
    return lambda monkeypatch: Path("bad.txt").write_bytes(content)


def tar(gzip):
    """An archive with a text in it."""
    with io.BytesIO() as file:
        with tarfile.open(fileobj=file, mode="w:gz" if gzip else "w") as archive:
            member = tarfile.TarInfo("a.txt")
            member.size = len(TEXT)
            archive.addfile(member, io.BytesIO(TEXT.encode()))
        return file.getvalue()


def folder(monkeypatch):
    Path("bad.txt").mkdir()


def model(change):
    """Make bad.safetensors, a model whose bytes were changed."""
    return lambda monkeypatch: Path("bad.safetensors").write_bytes(
        change(Path("good.safetensors").read_bytes())
    )


def other_shapes(monkeypatch):
    tensors = load_file("good.safetensors")
    with safe_open("good.safetensors", "numpy") as file:
        metadata = file.metadata()
    save_file({**tensors, "W2": tensors["W2"][:, 1:].copy()}, "bad.safetensors", metadata)


BAD_INPUT = {
    # what is bad: how it is made, the command, what the sentence must say
    "missing file": (nothing, "cbow-train none.txt", ["none.txt", "check the name"]),
    "glob": (nothing, "cbow-train '*.text'", ["no file matches", "check the pattern"]),
    "empty name": (nothing, "cbow-train ''", ["name of a corpus is empty", "give a file"]),
    "folder without text": (folder, "cbow-train bad.txt", ["bad.txt", "give another folder"]),
    "empty file": (bad(b""), "cbow-train bad.txt", ["bad.txt"]),
    "only punctuation": (bad(b"... !!! --\n" * 5), "cbow-train bad.txt", ["no "]),
    "all words rare": (bad(b"a b c d\n"), "cbow-train bad.txt", ["5 times", "min_count"]),
    "one distinct word": (bad(b"a a a a a a\n"), "cbow-train bad.txt", ["one", "'a'"]),
    "invalid UTF-8": (
        bad(LATIN1),
        "cbow-train bad.txt",
        ["byte 48", "--encoding", "--errors replace"],
    ),
    "unknown encoding": (bad(b"a b\n"), "cbow-train bad.txt --encoding utf-9", ["utf-9", "utf-8"]),
    "binary file": (bad(b"\x7fELF" + bytes(range(256)) * 8), "cbow-train bad.txt", ["binary"]),
    "tar": (bad(tar(gzip=False)), "cbow-train bad.txt", ["tar", "tar -xOf bad.txt | cbow-train"]),
    "tar.gz": (bad(tar(gzip=True)), "cbow-train bad.txt", ["tar", "tar -xOf bad.txt | cbow-train"]),
    "zip": (bad(b"PK\x03\x04 and more"), "cbow-train bad.txt", ["zip", "unzip -p bad.txt"]),
    "one word a line": (
        bad(b"the\nking\n" * 9),
        "cbow-train bad.txt",
        ["line", "two words", "tr "],
    ),
    "a device": (nothing, "cbow-train /dev/zero", ["/dev/zero is a device"]),
    "truncated gzip": (bad(gzip.compress(TEXT.encode())[:-9]), "cbow-train bad.txt", ["gzip"]),
    "nltk corpus not installed": (nothing, "cbow-train nltk:brown", ["nltk.downloader brown"]),
    "no such nltk corpus": (nothing, "cbow-train nltk:nonsense", ["nonsense"]),
    "dimension -1": (nothing, "cbow-train corpus.txt --dimension -1", ["is -1", "from 1 to"]),
    "dimension 0": (nothing, "cbow-train corpus.txt --dimension 0", ["is 0", "from 1 to"]),
    "dimension huge": (nothing, f"cbow-train corpus.txt --dimension {9**30}", ["2^31 - 1"]),
    "window -2": (nothing, "cbow-train corpus.txt --window -2", ["window is -2", "from 1 to"]),
    "window 0": (nothing, "cbow-train corpus.txt --window 0", ["window is 0", "from 1 to"]),
    "epochs 0": (nothing, "cbow-train corpus.txt --epochs 0", ["epochs is 0", "from 1 to"]),
    "epochs -1": (nothing, "cbow-train corpus.txt --epochs -1", ["epochs is -1", "from 1 to"]),
    "rate nan": (nothing, "cbow-train corpus.txt --learning-rate nan", ["is nan", "above 0"]),
    "threads 0": (nothing, "cbow-train corpus.txt --threads 0", ["threads is 0", "from 1 to"]),
    "heldout 1": (nothing, "cbow-train corpus.txt --heldout 1", ["heldout is 1", "below 1"]),
    "no list of words": (
        nothing,
        "cbow-train corpus.txt --stop-words none.txt",
        ["there is no file 'none.txt'", "check the name", "a file with one word a line"],
    ),
    "words in place of a list": (
        nothing,
        "cbow-train corpus.txt --stop-words the,of",
        ["there is no file 'the,of'", "give a file with one word a line"],
    ),
    "a text without fields": (
        bad(("of old " * 99 + ", the king\n").encode() * 2),
        "cbow-train bad.txt --field text",
        [
            "no row of bad.txt has a text as field 'text'",
            " 'of old of old of old of old of old o..., ' the king'",
        ],
    ),
    "an address": (
        nothing,
        "cbow-train memory://host/a.txt",
        ["there is nothing at 'memory://host/a.txt'; check the address"],
    ),
    "a pointer": (
        bad(b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 9\n"),
        "cbow-train bad.txt",
        ["bad.txt is a pointer", "git lfs pull"],
    ),
    "a list of lines": (
        bad(b"the\nking of\n"),
        "cbow-train corpus.txt --keep-words bad.txt",
        ["line 2 of bad.txt holds more than one word: 'king of'", "one word a line"],
    ),
    "a list of bytes": (
        bad(b"caf\xe9"),
        "cbow-train corpus.txt --keep-words bad.txt",
        ["bad.txt is not utf-8 text at byte 3"],
    ),
    "a word on both lists": (
        bad(b"the"),
        "cbow-train corpus.txt --keep-words bad.txt --stop-words bad.txt",
        ["'the' is among both keep_words and stop_words", "take it out of one"],
    ),
    "output a list of words": (
        bad(b"the"),
        "cbow-train corpus.txt --stop-words bad.txt -o bad.txt",
        ["bad.txt would be written over bad.txt"],
    ),
    "output folder missing": (
        nothing,
        "cbow-train corpus.txt -o no/x.safetensors",
        ["the folder no does not exist", "create it"],
    ),
    "output folder read-only": (
        read_only,
        "cbow-train corpus.txt",
        ["the folder . is read-only for you", "elsewhere"],
    ),
    "output empty": (nothing, "cbow-train corpus.txt -o ''", ["-o is ''", "give the name"]),
    "output a new folder": (nothing, "cbow-train corpus.txt -o new/", ["'new/'", "of a file to"]),
    "log a new folder": (
        nothing,
        "cbow-train corpus.txt --log-json new/",
        ["is 'new/'"],
    ),
    "output a stream": (nothing, "cbow-train corpus.txt -o -", ["-o is '-'", "give the name"]),
    "output a folder": (nothing, "cbow-train corpus.txt -o .", [". is a folder", "give the name"]),
    "output in a file": (nothing, "cbow-train corpus.txt -o corpus.txt/x", ["is not a folder"]),
    "output a device": (nothing, "cbow-train corpus.txt -o /dev/null", ["not a regular file"]),
    "output the corpus": (nothing, "cbow-train corpus.txt -o ./corpus.txt", ["written over"]),
    "output in the corpus": (nothing, "cbow-train books -o books/b.txt", ["written over books"]),
    "output in a glob": (nothing, "cbow-train 'b*/*.txt' -o books/b.txt", ["written over books"]),
    "log the corpus": (nothing, "cbow-train corpus.txt --log-json corpus.txt", ["written over"]),
    "log in the corpus": (nothing, "cbow-train books --log-json books/b.txt", ["written over"]),
    "log the output": (nothing, "cbow-train corpus.txt -o a --log-json a", ["written over a;"]),
    "log in no folder": (nothing, "cbow-train corpus.txt --log-json no/log", ["no does not exist"]),
    "log empty": (nothing, "cbow-train corpus.txt --log-json ''", ["is ''", "give the name"]),
    "disk full": (
        full_disk("corpus.safetensors"),
        "cbow-train corpus.txt --sample 0",
        ["the disk is full: corpus.s"],
    ),
    "missing model": (nothing, "cbow-nearest none.safetensors king", ["none.safetensors"]),
    "truncated model": (
        model(lambda content: content[:-7]),
        "cbow-nearest bad.safetensors king",
        ["bad.safetensors"],
    ),
    "truncated header": (
        model(lambda content: content[:50]),
        "cbow-nearest bad.safetensors king",
        ["bad.safetensors"],
    ),
    "no model but a text": (nothing, "cbow-nearest corpus.txt king", ["corpus.txt"]),
    "row of vectors without a number": (
        bad(b"2 2\nking 0.5 1\nqueen 1\n"),
        "cbow-nearest bad.txt king",
        ["bad.txt, row 2", "of length 1, but 2 is expected", "--skip-bad-rows"],
    ),
    "big-endian vectors": (
        bad(b"2 2\nking \x3d\xd4\x53\xb2\x3e\x7c\x66\xafqueen \x3d\xcb\x05\x42\xbe\xc8\x2a\x3b"),
        "cbow-nearest bad.txt king",
        ["bad.txt begins with numbers such as", "big-endian", "swap"],
    ),
    "newer model": (
        model(
            lambda c: c.replace(b'format_version\\": 2', b'format_version\\": 4').replace(
                b'"sha256":', b'"other": '
            )
        ),
        "cbow-nearest bad.safetensors king",
        ["format 4", "newer cbow"],
    ),
    "model with a bit turned": (
        model(lambda content: content[:-1] + bytes([content[-1] ^ 1])),
        "cbow-nearest bad.safetensors king",
        ["bad.safetensors", "checksum of 'words' differs", "give a whole file"],
    ),
    "shapes that disagree": (other_shapes, "cbow-nearest bad.safetensors king", ["W2"]),
    "unknown word": (nothing, "cbow-nearest good.safetensors quen", ["'quen'", "queen"]),
    "sum that does not parse": (nothing, "cbow-nearest good.safetensors 'king - + dog'", ["king"]),
    "sum of zero": (nothing, "cbow-nearest good.safetensors 'king - king'", ["zero"]),
    "topn 0": (nothing, "cbow-nearest good.safetensors king --topn 0", ["topn is 0"]),
    "gradcheck dimension 0": (nothing, "cbow-gradcheck --dimension 0", ["dimension is 0"]),
    "gradcheck batch -1": (nothing, "cbow-gradcheck --batch -1", ["batch is -1"]),
    "layers that are none": (nothing, "cbow-gradcheck --layers 4,x", ["'4,x'", "such as 4,5,3"]),
    "layers and activations": (
        nothing,
        "cbow-gradcheck --layers 4,5,3 --activation relu,tanh",
        ["names 2 activations", "there is 1 hidden layer", "name one"],
    ),
    "softmax in a hidden layer": (
        nothing,
        "cbow-gradcheck --layers 4,5,3 --activation softmax",
        ["hidden layer 1 is softmax", "use one of relu"],
    ),
    "cost that does not fit": (
        nothing,
        "cbow-gradcheck --layers 4,5,3 --output relu --cost logistic",
        ["logistic fits sigmoid", "the cost squared-error"],
    ),
    "explain one word": (nothing, "cbow-explain king", ["'king'", "give two different words"]),
    "explain a book": (nothing, "cbow-explain --file corpus.txt", ["600 tokens", "shorter text"]),
    "explain no file": (nothing, "cbow-explain --file none.txt", ["none.txt", "check the name"]),
    "explain over the text": (
        nothing,
        "cbow-explain --file corpus.txt --html corpus.txt",
        ["written over", "another name"],
    ),
    "plot no log": (nothing, "cbow-plot loss corpus.txt -o x.png", ["neither a model nor a log"]),
    "plot of a kind": (nothing, "cbow-plot loss corpus.txt -o x.gif", ["'x.gif'", ".png, .svg"]),
    "plot over its source": (
        nothing,
        "cbow-plot words good.pdf -o good.pdf",
        ["written over", "another name"],
    ),
    "plot unknown word": (
        nothing,
        "cbow-plot words good.safetensors king quen -o x.png",
        ["'quen'", "queen"],
    ),
    "plot two words": (
        nothing,
        "cbow-plot words good.safetensors king queen -o x.png",
        ["is 2", "from 3 to 200"],
    ),
}


@pytest.fixture(scope="module")
def good_model(tmp_path_factory):
    path = tmp_path_factory.mktemp("model") / "good.safetensors"
    cbow.train(TEXT.splitlines(), dimension=4, epochs=2, sample=0, min_count=1).save(path)
    return path.read_bytes()


@pytest.fixture
def place(tmp_path, monkeypatch, good_model):
    """A folder with a corpus, a folder of texts and a model."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("NLTK_DATA", str(tmp_path))
    Path("corpus.txt").write_text(TEXT)
    Path("books").mkdir()
    Path("books/b.txt").write_text(TEXT)
    for name in ("good.safetensors", "good.pdf"):
        Path(name).write_bytes(good_model)
    return tmp_path


@pytest.mark.parametrize("case", BAD_INPUT)
def test_bad_input(case, place, capsys, monkeypatch):
    make, command, parts = BAD_INPUT[case]
    make(monkeypatch)
    before = contents()
    name, *arguments = shlex.split(command)
    assert MAIN[name](arguments) == 1
    out, err = capsys.readouterr()
    assert out == ""
    assert "Traceback" not in err
    sentence = err.strip().splitlines()[-1]
    assert re.match(rf"{name}( loss| words)?: error: ", sentence)
    for part in parts:
        assert part in sentence
    assert contents() == before


@pytest.mark.parametrize(
    "name", ["9" * 100_000, "\x1b]0;" * 25_000, "é/" * 3000], ids=["digits", "escapes", "folders"]
)
@pytest.mark.parametrize(
    "command",
    [
        "cbow-train {}",
        "cbow-train --resume {}",
        "cbow-train corpus.txt -o {}.safetensors",
        "cbow-train corpus.txt -o {}.txt",
        "cbow-train corpus.txt --log-json {}",
        "cbow-train corpus.txt --evaluate {}",
        "cbow-train corpus.txt --keep-words {}",
        "cbow-train corpus.txt --encoding {}",
        "cbow-train corpus.txt --field {}",
        "cbow-nearest {} king",
        "cbow-nearest good.safetensors {}",
        "cbow-nearest good.safetensors king --with {}",
        "cbow-plot loss {} -o x.svg",
        "cbow-plot words {} -o x.svg",
        "cbow-plot loss good.safetensors -o {}.svg",
        "cbow-explain --file {}",
        "cbow-explain --html {} the king",
        "cbow-convert {} x.txt",
        "cbow-convert good.safetensors {}",
        "cbow-convert good.safetensors {}.txt",
        "cbow-evaluate {} --pairs corpus.txt",
        "cbow-evaluate good.safetensors --pairs {}",
        "cbow-evaluate good.safetensors --analogies {}",
        "cbow-explore {}",
        "cbow-explore good.safetensors -o {}",
    ],
)
def test_what_is_long_is_cut(command, name, place, capsys):
    main, *arguments = command.split()
    arguments = [each.format(name) for each in arguments]
    assert MAIN[main](arguments) == 1
    [sentence] = re.findall(rf"^{main}(?: \w+)?: error: .*", capsys.readouterr().err, re.MULTILINE)
    assert len(sentence) < 2000


@pytest.mark.slow
def test_the_good_input_is_good(place, capsys):
    # Or the table would prove nothing.
    assert train.main(["corpus.txt", "--sample", "0", "-o", "x.safetensors"]) == 0
    assert nearest.main(["good.safetensors", "king - the + dog"]) == 0
    assert gradcheck.main([]) == 0
    assert explain.main(["the", "king"]) == 0
    assert plot.main(["words", "good.safetensors", "king", "queen", "dog", "-o", "x.png"]) == 0


def test_the_file_behind_standard_input_is_not_written_over(place, monkeypatch):
    with open("corpus.txt") as stdin:
        monkeypatch.setattr(sys, "stdin", stdin)
        with pytest.raises(cbow.errors.OutputError, match="would be written over"):
            train.check_outputs(["-"], [Path("corpus.txt")])
    monkeypatch.setattr(sys, "stdin", io.StringIO())  # no file, as in a notebook
    train.check_outputs(["-"], [Path("other")])


def test_an_output_that_is_a_link_to_the_corpus_is_refused(place, capsys):
    Path("link.safetensors").hardlink_to("corpus.txt")
    assert train.main(["corpus.txt", "-o", "link.safetensors"]) == 1
    assert "would be written over corpus.txt" in capsys.readouterr().err
    assert Path("corpus.txt").read_text() == TEXT


def test_a_corpus_that_cannot_be_read_spares_the_old_log(place):
    Path("log").write_text("old")
    assert train.main(["none.txt", "--log-json", "log"]) == 1
    assert Path("log").read_text() == "old"
