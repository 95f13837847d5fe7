"""A page to look at word vectors in the browser. ``docs/explore.md`` shows it."""

from cbow.explore.content import Choices, Content, collect
from cbow.explore.page import page

__all__ = ["Choices", "Content", "collect", "page"]
