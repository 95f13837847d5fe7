"""What the argument `corpus` means: files, addresses, stdin, NLTK corpora, or text itself.

Folders and globs are not read with the library's ``glob``, which passes over a folder that it
cannot list and follows a link that leads back until the name is too long. Here each folder is
entered once, whatever the number of links that lead to it.
"""

from __future__ import annotations

import errno
import fnmatch
import glob
import io
import os
import stat
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from cbow.errors import CorpusError, shown
from cbow.text.remote import Remote, find_remote, scheme

STDIN: Final = "-"
NLTK: Final = "nltk:"

#: Endings of the files of a folder that are read.
SUFFIXES: Final = (".txt", ".txt.gz", ".txt.bz2", ".txt.xz", ".txt.zst")


@dataclass(frozen=True)
class Part:
    """Some lines of a file: its bytes from `start` to before `stop`."""

    file: Path | Remote
    start: int
    stop: int

    def __str__(self) -> str:
        return str(self.file)


def opened(item: Path | Part | Remote, *, whole: bool = True) -> Any:
    """Open a file, or a part of one, for reading bytes; `whole`: from the first to the last."""
    if isinstance(item, Path):
        return item.open("rb")
    return item.open(whole=whole) if isinstance(item, Remote) else _PartOfFile(item)


class _PartOfFile(io.RawIOBase):
    """The bytes of a `Part`, for a reader that goes from their first to their last."""

    def __init__(self, part: Part) -> None:
        super().__init__()
        self.part, self.left = part, part.stop - part.start
        self.file = opened(part.file)
        self.file.seek(part.start)

    def readinto(self, buffer: Any) -> int:
        """Read some of the bytes that are left."""
        size = min(len(buffer), self.left)
        block: bytes = self.file.read(size)
        if size and not block:
            raise CorpusError(
                f"{self.part} ends {self.left:,} bytes before byte {self.part.stop:,}, where the "
                "part of a worker ends; do not change a text while it is read"
            )
        self.left -= len(block)
        buffer[: len(block)] = block
        return len(block)

    def close(self) -> None:
        """Close the file."""
        self.file.close()
        super().close()


@dataclass(frozen=True)
class Sources:
    """Where the text of a corpus comes from: sources, or the corpus if it is text itself."""

    #: What is read, in this order: a Path is a file, a Part some lines of one, a Remote a file
    #: behind an address; a str is ``"-"`` or ``"nltk:NAME"``.
    items: tuple[Path | Part | Remote | str, ...] = ()
    #: Files of folders that are left out because of their names, and what folders hold and globs
    #: match that is no regular file, such as a pipe: it may make its reader wait for ever.
    skipped: int = 0
    #: The names in the corpus, as they were before folders and patterns were looked into.
    as_named: tuple[str, ...] = ()
    #: The corpus, if it is text itself; there are no items then.
    texts: Any = None

    @property
    def name(self) -> str:
        """What a message calls the text."""
        if len(self.items) == 1:
            return source_name(self.items[0])
        return f"the text ({len(self.items)} sources)" if self.items else "the text"

    @property
    def files(self) -> list[Path]:
        """The files among the sources."""
        return [item for item in self.items if isinstance(item, Path)]

    @property
    def names(self) -> list[str] | None:
        """Absolute names by which the text can be read again; None if it can be read only once."""
        if not self.items or STDIN in self.items:
            return None
        return [
            name if is_no_path(name) else str(Path(at_home(name)).absolute())
            for name in self.as_named
        ]

    @property
    def size(self) -> int | None:
        """Bytes of the files; None if something has no size beforehand."""
        total = 0
        for item in self.items:
            if isinstance(item, Path) and item.is_file():
                total += item.stat().st_size
            elif isinstance(item, Part):
                total += item.stop - item.start
            elif isinstance(item, Remote) and item.size is not None:
                total += item.size
            else:
                return None
        return total if self.items else None


#: What can be trained on.
Corpus = str | os.PathLike[str] | Iterable[Any] | Sources


def source_name(item: Path | Part | Remote | str) -> str:
    """Return what a message calls a source."""
    return "the standard input" if item == STDIN else str(item)


def is_no_path(name: str) -> bool:
    """Tell whether a name is that of standard input, of an NLTK corpus, or an address."""
    return name == STDIN or name.startswith(NLTK) or (scheme(name) is not None and "://" in name)


def find_sources(corpus: Corpus) -> Sources:
    """Find what `corpus` names.

    Parameters
    ----------
    corpus : str, path, iterable or Sources
        A str or a path always names sources. So does a list or tuple of them whose first element
        is a path object, ``"-"``, ``"nltk:..."``, or a str that names something there is or is a
        pattern that something matches; or is an address, without sentences in the list. All else
        is text itself. `Sources` are returned as they are.

    Raises
    ------
    CorpusError
        If a source is not there, a folder or glob holds no file to read, or an address cannot be
        reached.
    """
    if isinstance(corpus, Sources):
        return corpus
    if isinstance(corpus, str | os.PathLike):
        return _find_all([corpus], "put it in a list: cbow.train([text])")
    texts = Sources(texts=corpus)
    if not isinstance(corpus, list | tuple) or not corpus:
        return texts
    if not all(isinstance(element, str | os.PathLike) for element in corpus):
        return texts
    if isinstance(corpus[0], str) and scheme(corpus[0]):
        # Among sentences it is one of them.
        named = all(_names_source(element) or len(element.split()) == 1 for element in corpus)
    else:
        named = _names_source(corpus[0], search=True)
    if named:
        return _find_all(corpus, "give an iterator: iter([...])")
    stray = next((element for element in corpus if _names_source(element)), None)
    if stray is not None:
        raise CorpusError(
            f"{shown(corpus[0])} names no file, but {shown(stray)} does; give the names of files "
            "only, or, if these are texts, an iterator over them: iter([...])"
        )
    return texts


def _names_source(element: str | os.PathLike[str], search: bool = False) -> bool:
    """Tell whether an element of a list is a source rather than a text.

    Files that match a pattern are looked for only with `search`: a list may hold very many texts.
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
    if all(isinstance(name, str) and scheme(name) for name in names):
        raise CorpusError(
            f"the corpus begins with {shown(names[0])}, an address and not a text; give texts, or "
            "give cbow.train the address or a list of them"
        )
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

    These are devices, except for the null device and the terminal, and files of the kernel, which
    pretend to be regular files. A message calls it `name`.
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


def _find_all(corpus: Iterable[str | os.PathLike[str]], as_text: str) -> Sources:
    """Find the sources that some names stand for; `as_text` says how to pass text itself."""
    items: list[Path | Remote | str] = []
    names: list[str] = []
    skipped = 0
    for element in corpus:
        name = os.fspath(element)
        if not isinstance(name, str):
            raise CorpusError(f"the path {shown(name)} is of type bytes; give a str")
        names.append(name)
        if name == STDIN or name.startswith(NLTK):
            items.append(name)
            continue
        # A Path cannot have been meant as text.
        remedy = f", or, to pass text itself, {as_text}" if isinstance(element, str) else ""
        files: Sequence[Path | Remote]
        if is_no_path(name) and scheme(name) != "file" and not os.path.exists(name):
            files, left_out = find_remote(name, SUFFIXES)
        else:
            files, left_out = _find_files(at_home(name), remedy)
        items += files
        skipped += left_out
    return Sources(tuple(items), skipped, tuple(names))


def _find_files(name: str, remedy: str) -> tuple[list[Path], int]:
    """Find the files that a name stands for, and count what is left out."""
    if not name:
        raise CorpusError("an empty name names no file; name one, or . for the current folder")
    if os.path.isdir(name):
        below = [
            path
            for folder in _folders_below(name)
            for path in _members(folder)
            if not os.path.isdir(path)
        ]
        if not below:
            raise CorpusError(
                f"the folder {name} holds no file, hidden ones aside; put texts into it, with "
                "names ending in .txt, or give another folder"
            )
        texts = [path for path in below if path.lower().endswith(SUFFIXES)]
        others = [path for path in below if not path.lower().endswith(SUFFIXES)]
        if not texts:
            raise CorpusError(
                f"the folder {name} holds no file ending in .txt (or .txt.gz, .txt.bz2, .txt.xz, "
                f".txt.zst) but {len(others)} other, such as {shown(os.path.basename(others[0]))}; "
                f"name other files with a glob: {shown(os.path.join(name, '**', '*'))}"
            )
        files, special = _regular(texts, f"the folder {name} holds no text but")
        return sorted(files), len(others) + special
    if os.path.exists(name):
        check_readable(name)
        return [Path(name)], 0
    if scheme(name):
        raise _is_address(name)
    if glob.has_magic(name):
        if not (matching := files_matching(name)):
            raise CorpusError(
                f"no file matches {shown(name)}; check the pattern (** goes into folders)"
            )
        return _regular(matching, f"{shown(name)} matches nothing but")
    if os.path.islink(name):
        raise CorpusError(f"{name} is a link to a file that is not there; mend it")
    raise CorpusError(f"there is no file {shown(name)}; check the name{remedy}")


def _regular(paths: Iterable[str], where: str) -> tuple[list[Path], int]:
    """Return the regular files among some paths, each once, and count the others.

    A link to nothing stays: to open it tells more.
    """
    special = [path for path in paths if os.path.exists(path) and not os.path.isfile(path)]
    files = _distinct({*paths} - {*special})
    if special and not files:
        raise CorpusError(
            f"{where} pipes, sockets or devices, such as {shown(special[0])}, which are not read "
            "unless they are named themselves; name it"
        )
    for path in files:
        check_readable(path)
    return list(map(Path, files)), len(special)


def _is_address(name: str) -> CorpusError:
    """Return the error for an address in place of a file, or as a path, which loses a slash."""
    kind, rest = name.split(":", 1)
    rest = rest.lstrip("/")
    if kind.lower() == "file":
        return CorpusError(f"{shown(name)} is an address; give the name of the file: /{rest}")
    address = shown(f"{kind}://{rest}")
    return CorpusError(f"{shown(name)} was an address; give it as a str: {address}")


def files_matching(pattern: str) -> list[str]:
    """List the files that match a pattern, sorted by path; each once, however many links match.

    The pattern is as a shell has it: ``*``, ``?`` and ``[...]`` stand for parts of a name, and none
    for the dot of a hidden one; ``**`` stands for any number of folders. A folder where files may
    match, but that cannot be listed, is a `CorpusError`.
    """
    path = Path(pattern)
    parts = path.parts[len(path.anchor) > 0 :]
    if pattern.endswith(("/", os.sep)):  # only folders match
        return []
    if parts[-1] == "**":  # at the end it stands for files, too
        parts += ("*",)
    places = [path.anchor]
    for part in parts:
        matches: list[str] = []
        for place in places:
            if part == "**":
                matches += _folders_below(place)
            elif glob.has_magic(part):
                matches += _members(place, part)
            elif _is_there(os.path.join(place, part)):
                matches.append(os.path.join(place, part))
        # Folders reached by two names hold the same: what matches below is found from either.
        places = _distinct(matches)
    return [place for place in places if not os.path.isdir(place)]


def _folders_below(folder: str) -> Iterator[str]:
    """Yield a folder and those in it, at any depth, without the hidden ones; each once.

    The nearest come first, as with os.walk they would not: a folder that links lead to, too, gets
    its shortest name.
    """
    seen: set[str] = set()
    waiting = [folder]
    for place in waiting:  # grows on the way
        if (real := os.path.realpath(place)) not in seen:
            seen.add(real)
            yield place
            waiting += filter(os.path.isdir, _members(place))


def _members(folder: str, pattern: str = "*") -> list[str]:
    """List what a folder holds that matches a pattern, sorted; nothing if it is no folder."""
    try:
        names = os.listdir(folder or ".")
    except OSError as error:
        if error.errno in (errno.ENOENT, errno.ENOTDIR, errno.ELOOP):
            return []
        raise CorpusError(
            f"the folder {folder or '.'} cannot be listed ({error.strerror}); check its permissions"
        ) from None
    visible = (name for name in names if not name.startswith(".") or pattern.startswith("."))
    return [os.path.join(folder, name) for name in sorted(fnmatch.filter(visible, pattern))]


def _is_there(path: str) -> bool:
    """Tell whether there is something of this name, be it a link to nothing."""
    try:
        os.lstat(path)
    except PermissionError as error:
        raise CorpusError(
            f"{path} cannot be looked for ({error.strerror}); check the permissions of its folder"
        ) from None
    except (OSError, ValueError):  # ValueError: a name that no file can have
        return False
    return True


def _distinct(paths: Iterable[str]) -> list[str]:
    """Sort paths and keep one, the first, for each thing that there is."""
    first = {os.path.realpath(path): path for path in sorted(paths, reverse=True)}
    return sorted(first.values())
