"""A text in as many shards as workers learn from it: files, and parts of large ones.

Each shard is a stretch of the text, and all have about as many bytes. Files may be behind
addresses. A plain one is cut behind line ends. One that is compressed, or in an encoding whose line
ends are not the byte 0x0A alone, is in one shard: how far the shards differ then depends on the
sizes of such files.
"""

from __future__ import annotations

import codecs
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, Final

from cbow.config import Config
from cbow.errors import CorpusError
from cbow.system.arrays import Counts
from cbow.text.encoded import Seen
from cbow.text.numbering import TokenNumbering
from cbow.text.reading import BLOCK, TextReader
from cbow.text.remote import Remote
from cbow.text.sniffing import HEAD, compression
from cbow.text.sources import Part, Sources, opened, source_name

#: Encodings in which the byte 0x0A is a line end and part of nothing else.
CUT: Final = ("utf-8", "ascii", "iso8859-1", "cp1252")


def deal(sources: Sources, workers: int, config: Config) -> list[Sources]:
    """Deal a text out to workers.

    Returns
    -------
    list of Sources
        One for each worker; those of a text with too few lines may have no items.

    Raises
    ------
    CorpusError
        If a source is not a file, or cannot be read.
    """
    files: list[tuple[Path | Remote, int]] = []
    for item in sources.items:
        if isinstance(item, Remote):
            if item.size is None:
                raise CorpusError(
                    f"the server does not tell the size of {item}, by which a text is dealt out to "
                    f"{workers} workers; copy it to a file, or leave out workers / --workers"
                )
            files.append((item, item.size))
        elif isinstance(item, Path) and item.is_file():
            files.append((item, item.stat().st_size))
    if not files or len(files) < len(sources.items):
        other = [item for item in sources.items if item not in dict(files)]
        name = source_name(other[0]) if other else "the text"
        raise CorpusError(
            f"{name} is not a file, but each of {workers} workers reads its own part of the files; "
            "write the text to a file, or leave out workers / --workers"
        )
    TextReader(config.encoding)  # rejects an encoding that is not known
    shards: list[list[Path | Part | Remote]] = [[] for _ in range(workers)]
    total, before = sum(size for _, size in files), 0  # bytes
    for file, size in files:
        # Shard k is the file from places[k] to places[k + 1].
        places = [total * k // workers - before for k in range(workers + 1)]
        places = [min(max(0, place), size) for place in places]
        if set(places) <= {0, size}:
            pass  # as most of many small files, which need not be looked into
        elif _can_be_cut(file, config):
            places = [_next_line(file, place, size) for place in places]
        else:  # it goes to whom its middle belongs to
            places = [size * (2 * place > size) for place in places]
        for shard, start, stop in zip(shards, places[:-1], places[1:], strict=True):
            if start < stop:
                shard.append(file if stop - start == size else Part(file, start, stop))
        before += size
    return [Sources(tuple(items), texts=() if not items else None) for items in shards]


def _can_be_cut(file: Path | Remote, config: Config) -> bool:
    """Whether every byte 0x0A of a file is the end of a line that stands for itself."""
    if config.field is not None or codecs.lookup(config.encoding).name not in CUT:
        return False
    with _opened(file) as bytes_:
        return compression(bytes_.read(HEAD)) is None


def _next_line(file: Path | Remote, place: int, size: int) -> int:
    """Return where the first line begins that begins at a byte or behind it."""
    if place in (0, size):
        return place
    with _opened(file) as bytes_:
        bytes_.seek(place - 1)
        while (piece := bytes_.readline(BLOCK)) and not piece.endswith(b"\n"):
            pass
        end: int = bytes_.tell()
        return end


def _opened(file: Path | Remote) -> Any:
    try:
        return opened(file)
    except OSError as error:
        raise CorpusError(
            f"{file} cannot be opened ({error.strerror}); check its permissions"
        ) from None


def merged(shards: Iterable[tuple[Sequence[str], Counts]]) -> TokenNumbering:
    """Return what knows the words of all shards, by those of each and how often it has them."""
    numbering = TokenNumbering()
    for words, counts in shards:
        numbers = numbering.number(words, [])  # each is counted once
        numbering.counts()[numbers] += counts - 1
    return numbering


def seen_together(shards: Sequence[Seen]) -> Seen:
    """Return what was seen of a text, from what was seen of its shards."""
    sums = [sum(column) for column in zip(*shards, strict=True)]
    return Seen(*sums)._replace(paired=any(each.paired for each in shards))
