"""README.md: its commands run and answer what it shows; badges and citation are true."""

import re
import shlex
import tomllib
import xml.etree.ElementTree as ET
from importlib import import_module
from pathlib import Path

import pytest
import yaml

import cbow

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text("utf-8")
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
CITATION = yaml.safe_load((ROOT / "CITATION.cff").read_text("utf-8"))


def console(heading):
    """The commands below a heading, each with what is shown below it."""
    section = README.partition(f"\n## {heading}\n")[2]
    block = re.search(r"```console\n(.*?)```", section, flags=re.S)[1]
    return [each.partition("\n")[::2] for each in block.removeprefix("$ ").split("\n$ ")]


def shape(printed):
    """What a table says first and how large it is: digits and later ranks depend on rounding."""
    tables = [table.splitlines() for table in printed.strip().split("\n\n")]
    return [(rows[0].split(), rows[1].split()[:-1], len(rows)) for rows in tables]


@pytest.mark.slow
def test_the_commands_run_and_answer_what_is_shown(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    Path("corpora").symlink_to(ROOT / "corpora")
    commands = console("Three commands")
    assert len(commands) == 3
    for command, shown in commands:
        name, *arguments = shlex.split(command)
        assert name in PROJECT["project"]["scripts"]
        assert import_module(f"cbow.cli.{name.removeprefix('cbow-')}").main(arguments) == 0
        printed = capsys.readouterr().out
        assert not shown or shape(printed) == shape(shown)


def test_the_badges_are_true():
    said = {}
    for path in (ROOT / "docs").glob("badge_*.svg"):
        title = ET.parse(path).getroot().findtext("{http://www.w3.org/2000/svg}title")
        assert f"![{title}](docs/{path.name})" in README
        left, _, right = title.partition(": ")
        said[left] = right
    versions = re.findall(r"Python :: (3\.\d+)", "\n".join(PROJECT["project"]["classifiers"]))
    assert said == {
        "Python": " | ".join(versions),
        "licence": PROJECT["project"]["license"]["text"],
        "branch coverage": f"{PROJECT['tool']['coverage']['report']['fail_under']} %",
    }
    assert PROJECT["tool"]["coverage"]["run"]["branch"]


def test_the_citation_is_that_of_the_package():
    [author], title = CITATION["authors"], CITATION["title"]
    assert CITATION["version"] == cbow.__version__
    assert CITATION["license"] == PROJECT["project"]["license"]["text"]
    assert [author] == PROJECT["project"]["authors"]
    assert author["name"].lower() in (ROOT / "LICENSE").read_text("utf-8").lower()
    bibtex = README.partition("```bibtex\n")[2].partition("```")[0]
    for field in (f"{{{{{author['name']}}}}}", f"{{{title}}}", f"{{{cbow.__version__}}}"):
        assert field in bibtex
