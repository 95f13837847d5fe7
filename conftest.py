"""For tests and examples: what cannot run without a package, and a place for temporary files."""

import itertools
import os
import tempfile
from importlib.util import find_spec

import pytest

# xdist tells its workers the width of the terminal, for which commands would break their lines.
os.environ.pop("COLUMNS", None)

NEEDS_SKLEARN = ["cbow/vectorizer.py", "docs/vectorizer.md", "docs/coming_from_sklearn.md"]
collect_ignore = [] if find_spec("sklearn") else NEEDS_SKLEARN

_NUMBERS = itertools.count()


def _temporary_files_in(place, monkeypatch):
    monkeypatch.setenv("TMPDIR", str(place))
    monkeypatch.setattr(tempfile, "tempdir", str(place))


@pytest.fixture(autouse=True, scope="session")
def place_for_shared_temporary_files():
    """Keep what others left in the system's folder from what many tests share."""
    # Not in pytest's own folder: the sockets of a browser are there, whose names must be short.
    root = os.environ.get("PYTEST_DEBUG_TEMPROOT")
    with (
        tempfile.TemporaryDirectory(dir=root) as place,
        pytest.MonkeyPatch.context() as monkeypatch,
    ):
        _temporary_files_in(place, monkeypatch)
        yield


@pytest.fixture(autouse=True)
def place_for_temporary_files(tmp_path_factory, monkeypatch):
    """Keep what processes leave that a test kills from the next test, and from the system's."""
    place = tmp_path_factory.getbasetemp() / f"temporary-{next(_NUMBERS)}"
    place.mkdir()
    _temporary_files_in(place, monkeypatch)
