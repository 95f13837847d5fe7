"""A page to look at word vectors in the browser. ``docs/explore.md`` shows it."""

from cbow.explore.data import Choices, PageData, page_data
from cbow.explore.page import page

__all__ = ["Choices", "PageData", "page", "page_data"]
