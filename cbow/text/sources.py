"""What the argument `corpus` means: files, folders, globs, stdin, NLTK corpora, or text itself."""

from __future__ import annotations

import glob
import os
import re
import stat
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple

from cbow.errors import CorpusError, shown
from cbow.text.folders import distinct, files_below, files_matching, is_special

STDIN: Final = "-"
NLTK: Final = "nltk:"

#: Endings of the files of a folder that are read.
SUFFIXES: Final = (".txt", ".txt.gz", ".txt.bz2", ".txt.xz", ".txt.zst")

# The scheme of an address; a path has made one / of its two. One letter would be a drive.
_ADDRESS: Final = re.compile(r"([a-z][a-z0-9+.-]+):/+(?=[^/\s])\S+", re.IGNORECASE)

# What writes the content of an address to the standard output.
_FETCH: Final = {
    **dict.fromkeys(("http", "https", "ftp"), "curl -fL URL"),
    "s3": "aws s3 cp URL -",
    "gs": "gcloud storage cat URL",
}

#: What can be trained on.
Corpus = str | os.PathLike[str] | Iterable[Any]


class Sources(NamedTuple):
    """Where text is read from, in this order.

    Attributes
    ----------
    items : tuple of Path or str
        A Path is a file; a str is ``"-"`` or ``"nltk:NAME"``.
    skipped : int
        Files of folders that are left out because of their names, and what folders hold and globs
        match that is no regular file, such as a pipe: it may make its reader wait for ever.
    """

    items: tuple[Path | str, ...]
    skipped: int

    @property
    def name(self) -> str:
        """How to call the text in a message."""
        if len(self.items) == 1:
            return source_name(self.items[0])
        return f"the text ({len(self.items)} sources)"


def source_name(item: Path | str) -> str:
    """Return what a message calls a source."""
    return "the standard input" if item == STDIN else str(item)


def find_sources(corpus: Corpus) -> Sources | None:
    """Find what `corpus` names; None if it is text itself.

    Parameters
    ----------
    corpus : str, path or iterable
        A str or a path always names sources. So does a list or tuple of them whose first element
        is a path object, ``"-"``, ``"nltk:..."``, or a str that names something there is or is a
        pattern that something matches.

    Raises
    ------
    CorpusError
        If a source is not there, or a folder or glob holds no file to read.
    """
    if isinstance(corpus, str | os.PathLike):
        return _joined([_find(corpus, "put it in a list: cbow.train([text])")])
    if not isinstance(corpus, list | tuple):
        return None
    if not (corpus and all(isinstance(element, str | os.PathLike) for element in corpus)):
        return None
    if _names_source(corpus[0], search=True):
        return _joined([_find(element, "give an iterator: iter([...])") for element in corpus])
    stray = next((element for element in corpus if _names_source(element)), None)
    if stray is not None:
        raise CorpusError(
            f"{shown(corpus[0])} names no file, but {shown(stray)} does; give the names of files "
            "only, or, if these are texts, an iterator over them: iter([...])"
        )
    return None


def _names_source(element: str | os.PathLike[str], search: bool = False) -> bool:
    """Tell whether an element of a list is a source rather than a text.

    Only with `search` is what looks like a pattern looked for: a list may be of very many texts.
    """
    if not isinstance(element, str) or element == STDIN or element.startswith(NLTK):
        return True
    if "\n" in element or "\r" in element:
        return False
    name = at_home(element)
    if os.path.exists(name):
        return True
    if not (search and glob.has_magic(name)):
        return False
    # With a blank it may be a sentence or code: that is looked for in no folder at any depth.
    blank = any(map(str.isspace, name))
    if blank and "**" in Path(name).parts:
        return False
    try:
        return bool(files_matching(name))
    except CorpusError:  # a folder cannot be listed
        if blank:
            return False
        raise


def check_texts(first: Sequence[object]) -> None:
    """Raise `CorpusError` if all elements at the start of a corpus name files, or are addresses.

    Paths do so, names that are there, and single words that end as the name of a text file does,
    which may be one of another folder.
    """
    names = [os.fspath(element) for element in first if isinstance(element, str | os.PathLike)]
    if not names or len(names) < len(first):
        return
    if all(isinstance(name, str) and _ADDRESS.fullmatch(name) for name in names):
        raise _is_address(names[0])
    if all(
        isinstance(element, os.PathLike)
        or os.path.isfile(name)
        or (name.lower().endswith(SUFFIXES) and len(name.split()) == 1)
        for element, name in zip(first, names, strict=True)
    ):
        raise CorpusError(
            f"the corpus begins with {shown(names[0])}, the name of a file and not a text; give "
            "texts, or give cbow.train the folder or a list of the names, with their folders: "
            "sorted(...)"
        )


def at_home(name: str) -> str:
    """Return a name with the home folder for ``~``, unless it names something as it is."""
    if not name.startswith("~") or os.path.exists(name):
        return name
    try:
        return os.path.expanduser(name)
    except ValueError:  # a text, with characters that no name of a user has
        return name


def check_readable(path: str, name: str | None = None) -> None:
    """Raise `CorpusError` for what may give bytes for ever, or make its reader wait for ever.

    Such are devices, but for the null device and the terminal, and files of the kernel's, which say
    that they are regular files. A message calls it `name`.
    """
    try:
        status = os.stat(path)
    except OSError:
        return  # to open it tells more
    if stat.S_ISREG(status.st_mode):
        endless = os.path.realpath(path).startswith(("/proc/", "/sys/"))
    elif stat.S_ISCHR(status.st_mode):
        usual = [os.stat(each) for each in (os.devnull, "/dev/tty") if os.path.exists(each)]
        usual += [os.fstat(file) for file in (0, 1, 2) if os.isatty(file)]
        endless = status.st_rdev not in [each.st_rdev for each in usual]
    else:
        endless = stat.S_ISBLK(status.st_mode)
    if endless:
        raise CorpusError(
            f"{name or path} is a device or a file of the system's own, which may have no end; "
            "give a text file, or pipe a text into cbow-train -"
        )


def _joined(found: Sequence[Sources]) -> Sources:
    """Put several findings into one."""
    items = tuple(item for sources in found for item in sources.items)
    return Sources(items, sum(sources.skipped for sources in found))


def _find(given: str | os.PathLike[str], as_text: str) -> Sources:
    """Find the sources that one str or path names; `as_text` says how to pass text itself."""
    name = os.fspath(given)
    if not isinstance(name, str):
        raise CorpusError(f"the path {shown(name)} is of type bytes; give a str")
    if name == STDIN or name.startswith(NLTK):
        return Sources((name,), 0)
    if not name:
        raise CorpusError(
            "an empty name names no file; give the name of one, or . for the current folder"
        )
    name = at_home(name)
    if os.path.isdir(name):
        return _folder(name)
    if os.path.exists(name):
        check_readable(name)
        return Sources((Path(name),), 0)
    if _ADDRESS.fullmatch(name):
        raise _is_address(name)
    if glob.has_magic(name):
        found = files_matching(name)
        if files := [path for path in found if not is_special(path)]:
            for path in files:
                check_readable(path)
            return Sources(tuple(map(Path, files)), len(found) - len(files))
        if found:
            raise CorpusError(
                f"all that matches {shown(name)} are pipes, sockets or devices, such as "
                f"{shown(found[0])}, which are not read unless named themselves; name it"
            )
        raise CorpusError(
            f"no file matches {shown(name)}; check the pattern (** goes into folders)"
        )
    if os.path.islink(name):
        raise CorpusError(f"{name} is a link to a file that is not there; mend it")
    remedy = "check the name"
    if isinstance(given, str):  # a Path cannot have been meant as text
        remedy += f", or, to pass text itself, {as_text}"
    raise CorpusError(f"there is no file {shown(name)}; {remedy}")


def _is_address(name: str) -> CorpusError:
    """Return the error for an address, such as that of a page, in place of a file."""
    scheme, rest = re.split(":/+", name, maxsplit=1)
    if scheme.lower() == "file":
        return CorpusError(f"{shown(name)} is an address; give the name of the file: /{rest}")
    if fetch := _FETCH.get(scheme.lower()):
        how = f", for example: {fetch} | cbow-train -"
    else:
        how = " and give the name of the file"
    return CorpusError(f"{shown(f'{scheme}://{rest}')} is an address; fetch it first{how}")


def _folder(folder: str) -> Sources:
    """Find the text files in a folder and the folders in it."""
    found = files_below(folder)
    if not found:
        raise CorpusError(
            f"the folder {folder} holds no file, hidden ones aside; put texts into it, with names "
            "ending in .txt, or give another folder"
        )
    texts = [entry.path for entry in found if entry.name.lower().endswith(SUFFIXES)]
    others = [entry.name for entry in found if not entry.name.lower().endswith(SUFFIXES)]
    special = list(filter(is_special, texts))
    files = distinct({*texts} - {*special})
    if special and not files:
        raise CorpusError(
            f"the folder {folder} holds no text but pipes, sockets or devices, such as "
            f"{shown(special[0])}, which are not read unless named themselves; name it"
        )
    if not files:
        raise CorpusError(
            f"the folder {folder} holds no file ending in .txt (or .txt.gz, .txt.bz2, .txt.xz, "
            f".txt.zst) but {len(others)} other, such as {shown(others[0])}; name other files with "
            f"a glob: {shown(os.path.join(folder, '**', '*'))}"
        )
    for path in files:
        check_readable(path)
    return Sources(tuple(sorted(map(Path, files))), len(others) + len(special))
