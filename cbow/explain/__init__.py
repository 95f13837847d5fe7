"""The network explained on a few words: every number of one step. ``docs/explain.md`` shows it."""

from cbow.explain.explanation import Explanation, Section, Table, page
from cbow.explain.sections import explain
from cbow.explain.worked import Settings, Worked, as_json, work_out

__all__ = [
    "Explanation",
    "Section",
    "Settings",
    "Table",
    "Worked",
    "as_json",
    "explain",
    "page",
    "work_out",
]
