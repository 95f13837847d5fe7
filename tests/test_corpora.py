"""The text that comes with the package is what its README says."""

import hashlib
from pathlib import Path

import cbow

FOLDER = Path(__file__).parents[1] / "corpora"


def test_the_readme_tells_size_and_checksum():
    data = (FOLDER / "alder.txt").read_bytes()
    page = (FOLDER / "README.md").read_text(encoding="utf-8")
    assert hashlib.sha256(data).hexdigest() in page
    assert f"{len(data):,} bytes" in page
    assert f"{len(data.split()):,} words" in page
    lines = data.count(b"\n")
    assert f"{lines:,} paragraphs" in page


def test_the_book_is_plain_connected_prose():
    text = (FOLDER / "alder.txt").read_text(encoding="ascii")
    lines = text.splitlines()
    assert len(text.split()) > 20_000
    assert all(line.strip() == line and len(line.split()) > 5 for line in lines)
    assert len(set(lines)) == len(lines)
    assert len(set(cbow.tokenize(text))) < 1500
