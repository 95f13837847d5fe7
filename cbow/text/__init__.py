"""Text: from files, folders, streams and lists to a vocabulary and word ids on disk.

`encode_corpus` does it all; `tokenize` shows what a tokenizer makes of a text.
"""

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
