"""A page to look at word vectors in the browser. ``docs/explore.md`` shows it."""

from cbow.explore.page import Choices, PageData, page, page_data

__all__ = ["Choices", "PageData", "page", "page_data"]
