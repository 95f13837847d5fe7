"""Text: from files, folders, streams and lists to a vocabulary and word ids on disk.

`encode_corpus` does it all; `tokenize` shows what a tokenizer makes of a text.

The names below are loaded when they are first used: vectors of words need only `cbow.text.ngrams`.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from cbow.text.encoded import EncodedCorpus, Progress, encode_corpus
    from cbow.text.phrases import Phrase
    from cbow.text.sources import Corpus, Sources, find_sources
    from cbow.text.tokenizers import Tokenizer, tokenize
    from cbow.text.vocabulary import TokenAccount, Vocabulary

__all__ = [
    "Corpus",
    "EncodedCorpus",
    "Phrase",
    "Progress",
    "Sources",
    "TokenAccount",
    "Tokenizer",
    "Vocabulary",
    "encode_corpus",
    "find_sources",
    "tokenize",
]

_HOME = {
    **dict.fromkeys(["EncodedCorpus", "Progress", "encode_corpus"], "cbow.text.encoded"),
    "Phrase": "cbow.text.phrases",
    **dict.fromkeys(["Corpus", "Sources", "find_sources"], "cbow.text.sources"),
    **dict.fromkeys(["Tokenizer", "tokenize"], "cbow.text.tokenizers"),
    **dict.fromkeys(["TokenAccount", "Vocabulary"], "cbow.text.vocabulary"),
}


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module 'cbow.text' has no attribute {name!r}")
    value = getattr(importlib.import_module(_HOME[name]), name)
    globals()[name] = value
    return value
