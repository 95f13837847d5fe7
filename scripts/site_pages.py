"""Lay out the pages of the site: README.md and all it leads to, in the folders of the repository.

The pages are written to be read on a code host, so their links name files. The site is built from a
copy in which they still do: what a page links to is brought along, a page or a picture as it is,
any other file as a page that shows its text. The pages of the reference need only the names of
what they document, and are made here.
"""

from __future__ import annotations

import argparse
import re
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[1]
START: Final = "README.md"
STYLE: Final = "docs/site.css"
PICTURES: Final = (".svg", ".png")
LINK: Final = re.compile(r"(?<=\]\()(?!https?:)([^)#\s]+)")
CODE: Final = re.compile(r"(?s:^```.*?^```$)|^    .*$|`[^`\n]*`", re.M)
LANGUAGES: Final = {".py": "python", ".cff": "yaml", ".yml": "yaml", ".toml": "toml"}

#: The pages of the reference: title, a sentence, and the names in `cbow` that they document.
REFERENCE: Final = {
    "training": (
        "Training",
        "From a text to a model, and what can be heard of it on the way.",
        [
            "train",
            "resume",
            "Config",
            "CBOWVectorizer",
            "training.Observer",
            "training.Epoch",
            "training.ProgressBar",
        ],
    ),
    "vectors": (
        "Models and vectors",
        "What training returns, and files of vectors from anywhere.",
        ["load", "load_vectors", "Model", "WordVectors"],
    ),
    "evaluation": ("Evaluation", "How good vectors are.", ["evaluate"]),
    "text": ("Text", "Words, and which of them are kept.", ["tokenize", "Vocabulary"]),
    "errors": (
        "Errors",
        "Every error that the package raises on purpose is a `CBOWError`.",
        [
            "CBOWError",
            "errors.ConfigError",
            "errors.CorpusError",
            "errors.ModelFileError",
            "errors.OutputError",
            "errors.QueryError",
            "errors.UnknownWordError",
            "training.DivergenceError",
            "training.Interrupted",
        ],
    ),
    "network": ("cbow.network", "The mathematics as functions of arrays.", ["network"]),
}


def linked(page: str, text: str) -> list[str]:
    """Return the files of the repository that a page links to, as paths from its root."""
    names = LINK.findall(CODE.sub("", text))
    folder = (ROOT / page).parent
    return [(folder / name).resolve().relative_to(ROOT).as_posix() for name in names]


def shown_as_page(path: str) -> bool:
    """Return whether a file is neither a page nor a picture, so that a page has to show it."""
    return not path.endswith((".md", *PICTURES))


def with_links_to_pages(page: str, text: str) -> str:
    """Return the text of a page with each link to a file that a page shows leading to that page."""
    for name in set(LINK.findall(CODE.sub("", text))):
        if shown_as_page(name):
            text = text.replace(f"]({name}", f"]({name}.md")
    return text


def page_of(path: str) -> str:
    """Return a page that shows the text of a file."""
    text = (ROOT / path).read_text(encoding="utf-8")
    return f"# {path}\n\n~~~~~~{LANGUAGES.get(Path(path).suffix, 'text')}\n{text}~~~~~~\n"


def reference_page(title: str, sentence: str, names: Sequence[str]) -> str:
    """Return a page that asks for the docstrings of these names."""
    return "\n\n".join([f"# {title}", sentence, *(f"::: cbow.{name}" for name in names)]) + "\n"


def pages() -> dict[str, str | Path]:
    """Return every file of the site's source: its text, or the file to copy."""
    made: dict[str, str | Path] = {
        f"reference/{name}.md": reference_page(*about) for name, about in REFERENCE.items()
    }
    made[STYLE] = ROOT / STYLE
    left = [START]
    while left:
        path = left.pop()
        if path.endswith(PICTURES):
            made[path] = ROOT / path
        elif shown_as_page(path):
            made[f"{path}.md"] = page_of(path)
        elif path not in made:
            text = (ROOT / path).read_text(encoding="utf-8")
            made[path] = with_links_to_pages(path, text)
            left += linked(path, text)
    return made


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command."""
    parser = argparse.ArgumentParser("site_pages.py", description="Lay out the pages of the site.")
    parser.add_argument("folder", type=Path, help="where to; what is in it is removed")
    folder: Path = parser.parse_args(argv).folder
    shutil.rmtree(folder, ignore_errors=True)
    for path, content in pages().items():
        target = folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(content, Path):
            shutil.copyfile(content, target)
        else:
            target.write_text(content, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
