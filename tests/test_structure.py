"""The shape of the package: who may import whom, what is public, how light the import is."""

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

import cbow
import cbow.text

ROOT = Path(cbow.__file__).parent

BASE = {"errors", "config", "system"}
ALLOWED = {
    "errors": set(),
    "other_names": set(),
    "__main__": {"cli"},
    "config": {"errors", "other_names"},
    "system": {"errors"},
    "text": {*BASE},
    "network": {*BASE},
    "vectors": {*BASE, "other_names", "text"},  # of the text only its n-grams
    "model": {*BASE, "other_names", "text", "network", "vectors"},
    "training": {*BASE, "text", "network", "vectors", "model"},
    "evaluation": {*BASE, "vectors"},
    "explore": {*BASE, "vectors"},
    "vectorizer": {*BASE, "text", "network", "vectors", "model", "training"},
    "plot": {*BASE},
    "explain": {*BASE, "text", "network"},
    "cli": {
        *BASE, "text", "network", "vectors", "model", "training", "evaluation", "plot", "explain",
        "explore",
    },
}  # fmt: skip
"""cli → training → model → {text, network, vectors} → {config, errors, system}; the terminal's
pictures and pages, plot, explain and explore, stand beside them, and so does the vectorizer, which
is scikit-learn's view of all."""


def modules():
    return sorted(path for path in ROOT.rglob("*.py") if path != ROOT / "__init__.py")


def part_of(path):
    """The place of a module in the table: its folder, or its own name at the top."""
    return path.relative_to(ROOT).parts[0].removesuffix(".py")


def imported_parts(path):
    """Parts of cbow that a module imports when it runs, anywhere in it."""
    found = set()
    tree = ast.parse(path.read_text(encoding="utf-8"))
    typing_only = {
        id(inner)
        for node in ast.walk(tree)
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.dump(node.test)
        for inner in ast.walk(node)
    }
    for node in ast.walk(tree):
        if id(node) in typing_only:
            continue
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            module = node.module or ""
            names = [f"cbow.{a.name}" for a in node.names] if module == "cbow" else [module]
        else:
            continue
        found |= {name.split(".")[1] for name in names if name.startswith("cbow.")}
    return found


@pytest.mark.parametrize("path", modules(), ids=lambda p: str(p.relative_to(ROOT)))
def test_imports_follow_the_table(path):
    part = part_of(path)
    assert imported_parts(path) <= ALLOWED[part] | {part}


def test_the_table_is_whole():
    assert {part_of(path) for path in modules()} == set(ALLOWED)


def test_public_names():
    assert cbow.__all__ == [
        "CBOWError",
        "Config",
        "Model",
        "Vocabulary",
        "WordVectors",
        "evaluate",
        "load",
        "load_vectors",
        "resume",
        "tokenize",
        "train",
    ]
    assert all(getattr(cbow, name).__doc__ for name in cbow.__all__)
    assert {*cbow.__all__, "CBOWVectorizer"} <= set(dir(cbow))


def test_an_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="no attribute 'trian'"):
        _ = cbow.trian
    with pytest.raises(AttributeError, match=r"'cbow.text' has no attribute 'tokenise'"):
        _ = cbow.text.tokenise


HEAVY = "numba", "nltk", "scipy", "matplotlib", "regex", "zstandard", "tqdm", "numpy"


@pytest.mark.parametrize(
    ("statement", "unwanted"),
    [
        ("import cbow", HEAVY),
        ("from cbow import evaluate", ("numba", "nltk", "scipy", "matplotlib", "tqdm")),
        ("from cbow import load_vectors", ("numba", "nltk", "scipy", "matplotlib", "tqdm")),
        ("import cbow.cli.train as c; c._parser()", ("numba", "nltk", "scipy", "numpy", "tqdm")),
    ],
)
def test_importing_is_light(statement, unwanted):
    code = f"{statement}; import sys; print(*(n for n in {unwanted!r} if n in sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == []


@pytest.mark.slow
def test_no_pickle_anywhere():
    for path in modules():
        words = set(re.findall(r"\w+", path.read_text(encoding="utf-8")))
        code = ast.parse(path.read_text(encoding="utf-8"))
        names = {n.name for i in ast.walk(code) if isinstance(i, ast.Import) for n in i.names}
        if path.name == "jit.py":  # numba's own format; see there what is read of it
            names.remove("pickle")
        assert not names & {"pickle", "marshal", "shelve", "dill", "joblib"}, path
        assert "allow_pickle" not in words, path
