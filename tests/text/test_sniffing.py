"""Texts that look like JSON lines, tables or markup, or have no spaces: told, with what to do."""

import json
from pathlib import Path

import pytest

import cbow
from cbow.cli.train import main
from cbow.errors import CorpusWarning
from cbow.text.sniffing import SAMPLE, notice
from cbow.training import Observer

PROSE = "The king, they say, ruled the land; and the queen, who was wise, ruled the king.\n"
JSON = '{"id": 7, "text": "The king rules"}\n'
CHINESE = "国王统治着这片广袤的土地而王后则统治着国王\n"
THAI = "พระราชาปกครองแผ่นดินส่วนพระราชินีทรงปกครองพระราชา\n"
JAPANESE = "王様はこの国をおさめていて女王様は王様をおさめています。\n"

LOOKS = {
    "JSON lines": [JSON * 6, "\n" + JSON.replace("\n", "\n\n") * 9],
    "a table": [
        "id,text,stars\n" + '1,"The king, the queen",5\n' * 9,
        "id;text;stars\n" + "1;The king, they say;5\n" * 9,
        "id\ttext\n" + "1\tThe king, they say\n" * 9,
        'id,text,stars\n1,"The\nking",5\n' + "2,b,4\n" * 9 + '3,"not ended\n',
    ],
    "a JSON array": [
        f"[{JSON}, {JSON}]",
        json.dumps([json.loads(JSON)] * 9, indent=1),
        " [\n" + JSON,
    ],
    "markup": [
        "<html><body>" + "<p>The king rules the land</p>\n" * 9,
        "<doc>" + '<w pos="N">king</w>\n' * 99,
        "The king<br/>rules<br/>\n" * 9,
        "<!DOCTYPE html><title>404</title>Not found\n",
        '\n <?xml version="1.0"?>\n<!-- <p>\n -->\n<HTML lang=en>\n' + PROSE * 9,
        "<head>\n<script>" + "f(1);\n" * 999,
    ],
    "spaces": [CHINESE * 9, THAI * 9, JAPANESE * 9, "ACGT" * 99 + "\n" + "TTGA" * 999],
}


@pytest.mark.parametrize(
    ("kind", "text"), [(kind, text) for kind, texts in LOOKS.items() for text in texts]
)
def test_what_a_text_looks_like(kind, text):
    seen = notice(text, "a.txt")
    assert seen.kind == kind
    assert seen.sentence.startswith("a.txt ")


def test_pages_that_came_in_place_of_a_file():
    for text in LOOKS["markup"]:
        page = "is an HTML page" in notice(text, "a").sentence
        assert page == ("html" in text.lower() or "<head>" in text)
    assert "fetch that again from its own address" in notice("<html>", "a").sentence


@pytest.mark.parametrize("kind", ["JSON lines", "a table"])
def test_the_fields_are_named(kind):
    for text in LOOKS[kind]:
        assert notice(text, "a").sentence.count("'text'") == 1
        assert "with field / --field: 'id', 'text'" in notice(text, "a").sentence


@pytest.mark.parametrize(
    "text",
    [
        "",
        "\n\n",
        PROSE * 9,
        "{" + PROSE * 9,
        '{"text": "one"}\n{"text": "two"}\n' + PROSE * 9,
        "{\n" * 99,
        "[1]\n" * 9,
        "[{laughs}] " + PROSE,
        "<html5 is no tag\n" + PROSE,
        "<" * 9999,
        "<!-- " * 999 + PROSE,
        "a < b and c > d, if <unk> </unk> is small\n" + PROSE * 9,
        "the, old, king\n" * 99,  # no names: a row like others
        "the, old, old\n" + "the, old, king\n" * 99,
        "a\tb\nc\td\n",
        "a\t\n" + "c\td\n" * 9,
        "国王 统治 着 这 片 广袤 的 土地 而 王后 则 统治 着 国王\n" * 9,
        "พระราชา ปกครอง แผ่นดิน ส่วน พระราชินี ทรง ปกครอง พระราชา\n" * 9,
        "国王\n",
        "Donaudampfschifffahrtsgesellschaft " * 9 + PROSE,
        "한국어는 띄어쓰기를 한다 그리고 문장을 쓴다\n" * 9,
    ],
)
def test_texts_that_look_like_texts(text):
    assert notice(text, "a") is None


def test_the_corpora_look_like_texts():
    for path in (Path(__file__).parents[2] / "corpora").glob("*.txt"):
        assert notice(path.read_text(encoding="utf-8")[:SAMPLE], "a") is None


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("a.txt").write_text(PROSE * 20)
    Path("b.txt").write_text(JSON * 20)
    Path("c.txt").write_text(JSON * 20)
    Path("d.txt").write_text(LOOKS["markup"][0])
    return tmp_path


class Ear(Observer):
    def __init__(self):
        self.notes = []

    def noticed(self, note):
        self.notes.append(note.partition(",")[0])


SMALL = {"dimension": 2, "epochs": 1, "sample": 0, "min_count": 1}
FLAGS = ["--dimension", "2", "--epochs", "1", "--sample", "0", "--min-count", "1", "-o", "m"]
TOLD = ["b.txt looks like JSON lines", "d.txt is an HTML page"]


def test_each_kind_is_told_once(folder):
    ear = Ear()
    cbow.train("*.txt", **SMALL, observer=ear)
    assert ear.notes == TOLD


def test_whoever_brings_a_function_knows_what_it_gets(folder):
    ear = Ear()
    cbow.train("*.txt", **SMALL, observer=ear, tokenizer=str.split)
    assert ear.notes == []


def test_without_an_observer_there_are_warnings(folder):
    with pytest.warns(CorpusWarning, match="^c.txt looks like JSON lines") as caught:
        model = cbow.train("c.txt", **SMALL)
    assert len(caught) == 1
    model.save("m")
    with pytest.warns(CorpusWarning, match="^c.txt looks like JSON lines"):
        cbow.resume("m", corpus="c.txt", epochs=1)
    with pytest.warns(CorpusWarning, match="^the text has almost no spaces"):
        cbow.train([CHINESE + "王 王\n"] * 9, **SMALL)


def test_a_field_of_them_is_text(folder):
    cbow.train("c.txt", **SMALL, field="text")  # warnings are errors


def test_the_command_tells(folder, capsys):
    assert main(["b.txt", "d.txt", *FLAGS, "--log-json", "log"]) == 0
    err = capsys.readouterr().err
    for told in TOLD:
        assert f"note: {told}" in err
    lines = [json.loads(line) for line in Path("log").read_text().splitlines()]
    assert [line["note"].partition(",")[0] for line in lines if line["event"] == "note"] == TOLD
    assert main(["b.txt", *FLAGS, "--quiet"]) == 0
    assert capsys.readouterr().err == ""
