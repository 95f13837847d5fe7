"""The sets that come with the package are what their README says."""

import hashlib
import itertools
from collections import Counter
from pathlib import Path

import pytest

import cbow
from cbow.evaluation import read_analogies, read_pairs, read_set

FOLDER = Path(__file__).parents[2] / "corpora"
README = (FOLDER / "README.md").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def frequent():
    """The words that the stories have as often as the default of min_count asks for."""
    counts = Counter(cbow.tokenize((FOLDER / "alder.txt").read_text(encoding="utf-8")))
    return {word for word, count in counts.items() if count >= cbow.Config().min_count}


@pytest.mark.parametrize("name", ["pairs.txt", "analogies.txt"])
def test_the_readme_tells_size_and_checksum(name):
    data = (FOLDER / name).read_bytes()
    [row] = [line for line in README.splitlines() if line.startswith(f"| `{name}`")]
    assert hashlib.sha256(data).hexdigest() in row
    assert f"{len(data):,} bytes" in row
    assert data.isascii()
    assert type(read_set(FOLDER / name)).__name__ == name.removesuffix(".txt").capitalize()


def test_pairs(frequent):
    pairs = read_pairs(FOLDER / "pairs.txt")
    assert f"{len(pairs.words)} pairs;" in README
    assert len({frozenset(words) for words in pairs.words}) == len(pairs.words)
    assert all(0 <= score <= 10 for score in pairs.scores)
    assert len(set(pairs.scores)) > 50  # ties say little
    known = sum(frequent.issuperset(words) for words in pairs.words)
    assert f"Of the pairs, {known} are of words" in README


def test_analogies(frequent):
    asked = read_analogies(FOLDER / "analogies.txt")
    assert f"{len(asked.words)} questions in {len(asked.sections)} sections;" in README
    assert len(set(asked.sections)) == len(asked.sections)
    known = sum(frequent.issuperset(map(str.lower, words)) for words in asked.words)
    assert f"of the questions, {known}, nearly all in the first five sections" in README.replace(
        "\n", " "
    )


def test_a_section_has_all_questions_of_its_pairs():
    asked = read_analogies(FOLDER / "analogies.txt")
    for section in range(len(asked.sections)):
        own = [w for w, s in zip(asked.words, asked.section_of, strict=True) if s == section]
        pairs = list(dict.fromkeys(words[:2] for words in own))
        assert own == [(*p, *q) for p, q in itertools.permutations(pairs, 2)]
        assert len({word for pair in pairs for word in pair}) == 2 * len(pairs)
