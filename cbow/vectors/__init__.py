"""Words as vectors: look them up, compare them, find the nearest; analogies."""

from cbow.vectors.embeddings import Subwords
from cbow.vectors.query import parse_expression
from cbow.vectors.word_vectors import WordVectors

__all__ = ["Subwords", "WordVectors", "parse_expression"]
