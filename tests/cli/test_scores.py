"""``cbow-train --evaluate``: scores after every epoch, which change nothing about the training."""

import json
from pathlib import Path

import numpy as np
import pytest

import cbow
from cbow import evaluation
from cbow.cli import progress, train
from cbow.evaluation import evaluate, prepare

FLAGS = ["--dimension", "8", "--epochs", "2", "--sample", "0", "--batch", "64"]


@pytest.fixture(autouse=True)
def text(tmp_path, monkeypatch):
    """A folder with a text, word pairs and analogies."""
    monkeypatch.chdir(tmp_path)
    rng = np.random.default_rng(0)
    words = ["king", "queen", "man", "woman", "dog", "cat", "hay", "land"]
    lines = (" ".join(rng.choice(words, 6)) for _ in range(200))
    Path("text.txt").write_text("\n".join(lines))
    Path("pairs.txt").write_text("king queen 9\ndog cat 8\nking hay 1\nking unicorn 5\n")
    Path("analogies.txt").write_text(": family\nman king woman queen\nman king woman unicorn\n")


def run(*flags):
    return train.main(["text.txt", *FLAGS, *flags])


def events(name):
    return [json.loads(line) for line in Path(name).read_text().splitlines()]


def test_scores_are_told_after_each_epoch(capsys):
    assert run("--evaluate", "pairs.txt", "--evaluate", "analogies.txt") == 0
    lines = [line for line in capsys.readouterr().err.splitlines() if "Spearman" in line]
    assert [line.split(":")[0] for line in lines] == ["epoch 1/2", "epoch 2/2"]
    assert all("pairs.txt Spearman " in line for line in lines)
    assert all("(3 of 4 pairs); analogies.txt " in line for line in lines)
    assert all(line.endswith(" % right (1 of 2 questions)") for line in lines)


def test_the_log_has_the_scores_that_the_model_has():
    assert run("--evaluate", "pairs.txt", "--quiet", "--log-json", "log.jsonl") == 0
    scores = [event for event in events("log.jsonl") if event["event"] == "scores"]
    assert [each["epoch"] for each in scores] == [1, 2]
    vectors = cbow.load_vectors("text.safetensors")
    found = evaluate(vectors, pairs="pairs.txt", resamples=0)
    assert scores[-1]["pairs"] == found.to_dict()["pairs"]


def test_the_words_are_looked_up_once(monkeypatch):
    calls = []
    monkeypatch.setattr(evaluation, "prepare", lambda *a: calls.append(a) or prepare(*a))
    assert run("--evaluate", "pairs.txt") == 0
    assert len(calls) == 1


def test_names_of_files_cannot_steer_the_terminal(capsys):
    Path("\x1b[2J.txt").write_text("king queen 9\ndog cat 8\n")
    assert run("--evaluate", "\x1b[2J.txt") == 0
    err = capsys.readouterr().err
    assert "\\x1b[2J.txt Spearman" in err
    assert "\x1b" not in err


def test_scores_change_nothing_about_the_model():
    run("-o", "one.safetensors")
    run("-o", "two.safetensors", "--evaluate", "pairs.txt")
    assert Path("one.safetensors").read_bytes() == Path("two.safetensors").read_bytes()


@pytest.mark.parametrize("content", ["", "king queen\n", "king queen nan\n"])
def test_a_bad_file_is_told_before_the_text_is_read(capsys, content):
    Path("bad.txt").write_text(content)
    assert run("--evaluate", "bad.txt") == 1
    assert "bad.txt" in capsys.readouterr().err
    assert not Path("text.safetensors").exists()


def test_words_that_the_text_lacks_cost_no_training(capsys):
    Path("other.txt").write_text("un deux 1\ntrois quatre 2\n")
    assert run("--evaluate", "other.txt") == 1
    err = capsys.readouterr().err
    assert err.count("no scores, but training goes on: other.txt: of its word pairs, 2 in all") == 1
    assert "saved text.safetensors" in err
    assert len(cbow.load_vectors("text.safetensors")) == 8


def test_equal_scores_have_no_correlation(capsys):
    Path("flat.txt").write_text("king queen 1\ndog cat 1\n")
    assert run("--evaluate", "flat.txt") == 0
    assert "flat.txt Spearman none (2 of 2 pairs)" in capsys.readouterr().err


def test_the_command_to_go_on_scores_too(monkeypatch, capsys, ctrl_c):
    class Stopper(progress.Scores):
        def learned(self, epoch, model):
            super().learned(epoch, model)
            ctrl_c()

    monkeypatch.setattr(progress, "Scores", Stopper)
    assert run("--evaluate", "pairs.txt", "--checkpoint-every", "0") == 130
    line = next(x for x in capsys.readouterr().err.splitlines() if x.startswith("to resume: "))
    assert line.endswith("--resume text.safetensors.checkpoint --evaluate pairs.txt")


def test_the_column_of_the_scores_is_told(capsys):
    """Where a file has more columns than three; also what is skipped."""
    names = "word1\tword2\tPOS\tSimLex999\tSD\n"
    rows = "king\tqueen\tN\t9\t1\ndog\tcat\tN\t8\t1\nking\thay\tN\t1\t1\n"
    Path("simlex.txt").write_text(names + rows)
    assert run("--evaluate", "simlex.txt") == 0
    err = capsys.readouterr().err
    assert "simlex.txt: skipped lines (headers 1)\n" in err
    assert "simlex.txt: the scores are those of the column SimLex999\n" in err
