"""The bar of tqdm for Python: what it shows, and that it never costs a training."""

import sys
from types import SimpleNamespace

import pytest

import cbow
from cbow.errors import CorpusWarning
from cbow.text import Progress
from cbow.training import ProgressBar

TEXT = [["old", "king"], ["old", "queen"]] * 40
SMALL = {"dimension": 4, "sample": 0, "epochs": 2}


def test_what_it_shows(capsys, tmp_path):
    path = tmp_path / "text.txt"
    path.write_text("old king\nold queen\n" * 40)
    watch = ProgressBar()
    model = cbow.train(path, **SMALL, observer=watch)
    shown = capsys.readouterr().err
    loss, baseline = model.report["epochs"][-1]["loss"], model.report["baselines"]["unigram"]
    assert "reading" in shown
    assert "training, epoch 2: " in shown
    assert f"loss {loss:.3f}, word frequencies {baseline:.3f}" in shown
    assert "320/320" in shown
    assert watch._bar is None
    assert cbow.train(path, **SMALL).parameters.W1.tolist() == model.parameters.W1.tolist()
    assert capsys.readouterr().err == ""


def test_what_goes_on_begins_where_it_was(tmp_path, monkeypatch):
    bars = []

    class Bar:
        def __init__(self, **settings):
            self.total, self.n = settings["total"], settings["initial"]
            self.began = self.n
            bars.append(self)

        def update(self, more):
            self.n += more

        def set_description_str(self, text, refresh=True):
            pass

        set_postfix_str = set_description_str

        def close(self):
            pass

    monkeypatch.setitem(sys.modules, "tqdm.auto", SimpleNamespace(tqdm=Bar))
    model = cbow.train(TEXT, **SMALL)
    model.save(tmp_path / "m.safetensors")
    watch = ProgressBar()
    watch._advance("of a run that was stopped", 0, 7)
    watch._advance("of a run that was stopped", 3, 7)
    cbow.resume(tmp_path / "m.safetensors", corpus=TEXT, epochs=3, observer=watch)
    assert [(bar.began, bar.n, bar.total) for bar in bars if bar.total] == [
        (0, 3, 7),
        (400, 800, 800),
    ]


def test_no_bar_costs_a_training(monkeypatch):
    monkeypatch.setitem(sys.modules, "tqdm.auto", None)
    model = cbow.train(TEXT, **SMALL, observer=ProgressBar())
    assert len(model.report["epochs"]) == 2


def test_it_warns_of_what_a_text_looks_like():
    with pytest.warns(CorpusWarning, match="JSON"):
        ProgressBar().noticed("it looks like JSON")
    ProgressBar().encoded(None)


def test_a_bar_of_which_nobody_knows_the_length(capsys):
    watch = ProgressBar()
    watch.reading(Progress(5, 20, None))
    watch.encoded(None)
    assert "reading: 20.0B" in capsys.readouterr().err
