"""Settings of all tests."""

import signal

import pytest
from hypothesis import settings

# The same examples every time, and no limit on the time of one: machines are slow and busy.
settings.register_profile("cbow", deadline=None, derandomize=True, max_examples=40)
settings.register_profile("thorough", deadline=None, max_examples=1000)  # --hypothesis-profile
settings.load_profile("cbow")


def pytest_collection_modifyitems(items):
    """Begin with slow tests and pages, so that none is left at the end, and without coverage.

    To measure it would make them slower, and quick tests reach all code.
    """
    for item in items:
        if item.get_closest_marker("slow") or item.path.suffix == ".md":
            item.add_marker("no_cover")
    items.sort(key=lambda item: not item.get_closest_marker("no_cover"))


@pytest.fixture
def ctrl_c():
    """Return Ctrl-C its usual meaning, which it lacks if the tests run in the background."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield lambda: signal.raise_signal(signal.SIGINT)
    signal.signal(signal.SIGINT, before)
