"""A worked example as numbers, words and lists of them, for programs."""

from __future__ import annotations

from typing import Any

from cbow.explain.worked import Moved, Worked


def as_json(worked: Worked) -> dict[str, Any]:
    """Return everything in a worked example, for JSON.

    Parameters
    ----------
    worked : Worked

    Returns
    -------
    dict
        Numbers are not rounded. ``arrays`` holds lists of rows, or of numbers, by name.
    """
    parameters, pass_ = worked.parameters, worked.pass_
    arrays = {
        "X": worked.X,
        **dict(zip(parameters.names, parameters, strict=True)),
        "Z1": pass_.Z1,
        "slopes": worked.slopes,
        "H": pass_.H,
        "Z2": pass_.Z2,
        "Yhat": pass_.Yhat,
        "losses": worked.losses,
        "dZ2": worked.dZ[2],
        "arriving": worked.arriving,
        "dZ1": worked.dZ[1],
        **dict(zip(worked.gradients.names, worked.gradients, strict=True)),
        "measured_db1": worked.measured_db1,
        "mistaken_dZ1": worked.mistaken_dZ1,
        "mistaken_dW1": worked.mistaken.dW1,
        "mistaken_db1": worked.mistaken.db1,
    }
    return {
        "settings": worked.settings._asdict(),
        "lines": [list(line) for line in worked.lines],
        "words": list(worked.vocabulary.words),
        "counts": worked.vocabulary.counts.tolist(),
        "examples": [{"target": e.target, "context": list(e.context)} for e in worked.examples],
        "targets": worked.y.tolist(),
        "arrays": {name: array.tolist() for name, array in arrays.items()},
        "cost": worked.cost,
        "after": _moved_as_json(worked.after),
        "after_mistaken": _moved_as_json(worked.after_mistaken),
    }


def _moved_as_json(moved: Moved) -> dict[str, Any]:
    named = zip(moved.parameters.names, moved.parameters, strict=True)
    return {"cost": moved.cost, "arrays": {name: array.tolist() for name, array in named}}
