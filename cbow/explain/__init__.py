"""The network explained on a few words: every number of one step. ``docs/explain.md`` shows it."""

from cbow.explain.content import Explanation, Step, Table
from cbow.explain.html import page
from cbow.explain.record import as_json
from cbow.explain.steps import explain
from cbow.explain.worked import Settings, Worked, work_out

__all__ = [
    "Explanation",
    "Settings",
    "Step",
    "Table",
    "Worked",
    "as_json",
    "explain",
    "page",
    "work_out",
]
