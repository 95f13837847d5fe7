"""Words as vectors: look-up, nearest words, analogies."""

from cbow.vectors.expression import parse_expression
from cbow.vectors.word_vectors import WordVectors

__all__ = ["WordVectors", "parse_expression"]
