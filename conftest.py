"""What pytest leaves out where a package is missing: examples that cannot run without it."""

from importlib.util import find_spec

collect_ignore = [] if find_spec("sklearn") else ["cbow/vectorizer.py", "docs/vectorizer.md"]
