"""The reproduction of the course's numbers; all of them where CBOW_SHAKESPEARE names the text."""

import hashlib
import importlib
import importlib.util
import json
import os
import subprocess
import sys
from itertools import islice
from pathlib import Path

import numpy as np
import pytest

SCRIPTS = Path(__file__).parents[2] / "scripts"
SCRIPT = SCRIPTS / "reproduce_course.py"


def load(name, file, **places):
    """Import a module from outside the package, without a change to sys.path."""
    spec = importlib.util.spec_from_file_location(name, file, **places)
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


PACKAGE = SCRIPTS / "course"
load("course", PACKAGE / "__init__.py", submodule_search_locations=[str(PACKAGE)])
batches, published, runs, source, tables, tokens = (
    importlib.import_module(f"course.{name}")
    for name in ("batches", "published", "runs", "source", "tables", "tokens")
)
reproduce = load("reproduce_course", SCRIPT)


# --- tokens ---------------------------------------------------------------------------------------

# Each case by the rules as NLTK 3.5 has them. None of these sentences is from the course's text.
CASES = {
    # every stop is a period, and stands apart where a sentence ends
    "Stay, my friend; are you cold? Yes!": "stay . my friend . are you cold . yes .",
    "They left. Exeunt.": "they left . exeunt .",
    "It is late - too late.": "it is late . too late .",
    "\nThey left\n\nand slept\n": "they left and slept",
    # two periods are lost, and so is a word with one inside
    "He came -- slowly.": "he came slowly .",
    "Sir--why now?": "sir why now .",
    "A well-made door.": "a door .",
    # brackets and quotes
    "[Enter a (tall) man] <<now>>": "enter a tall man now",
    '"Go," said he. "Now." Then she': "go . said he . now . then she",
    "(They left.) She": "they left . she",
    "He went. ' ) She": "he went . she",
    'They left. " she said': "they she said",  # taken for an opening quote that ends the sentence
    "<<DONE.>> She left": "she left",
    "wait: at:3 or a:b": "wait or a b",
    # what follows a quote leaves its word before a space, not before a line end or a lost period
    "They lov'd him, they lov'd\nher": "they lov him . they her",
    "She lov'd.": "she lov .",
    "The queen's man and we'll and they've not": "the queen man and we and they not",
    "The boys' dog.": "the boys dog .",
    "They 'lov'd' her": "they her",
    "They lov'd' her": "they lov her",
    "I'm here, I don't know, by't": "i here . i do know .",
    "He said: 'a fool.' Then": "he said a fool . then",
    "go i' the wood, o'er it": "go i the wood . it",
    # words that are two
    "We cannot stay, d'ye hear?": "we can not stay . d hear .",
    "gonna wanna gotta gimme lemme": "gon na wan na got ta gim me lem me",
    "and mor'n that": "and mor n that",
    "'Tis late and 'twas\n'tis early": "is late and was early",
    "late and\n'twas early": "late and early",
    # a lone letter keeps its period before a small letter or a rare word
    "O, pardon me.": "pardon me .",
    "O, Bertha.": "bertha .",
    "O! First we eat.": "o . first we eat .",
    "(O, stay)": "stay",
    "O, 'tis so": "o . is so",
    "Act V, Scene. Act V. So": "act scene . act so",
    # so do an abbreviation, and a number before a small letter
    "No ill, To him no ill, so be it.": "no to him no so be it .",
    "We are ill. This is it.": "we are ill . this is it .",
    "He is ill.": "he is ill .",
    "ILL. To him": "to him",
    "when they wed. To him": "when they to him",
    "In 1599. they came in 1601. They": "in they came in . they",
}


@pytest.mark.parametrize("text", CASES)
def test_tokens(text):
    assert " ".join(tokens.tokens(text)) == CASES[text]


def test_sentences_keep_their_closing_marks():
    found = list(tokens.sentences("(One.) Two.' Three.'four. \n"))
    assert found == ["(One.)", "Two.'", "Three.", "'four."]


# --- batches --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("batching", "chosen"),
    [
        ("A", [[2, 2], [2, 2], [2, 2], [2, 2], [2, 2], [2, 2], [2, 2]]),
        ("B", [[2, 2], [3, 3], [4, 4], [5, 5], [6, 6], [7, 7]]),
        ("C", [[2, 3], [5, 6]]),  # 4 and 7 are left out
    ],
)
def test_batchings_of_ten_words(batching, chosen):
    places = batches.centres(10)
    found = islice(batches.BATCHINGS[batching](places, 2), 7)
    assert [list(batch) for batch in found] == chosen


def test_a_batch_waits_for_one_more_example():
    assert list(batches.distinct(np.arange(3), 3)) == []


def test_words_are_numbered_by_the_alphabet():
    corpus = batches.encode(["the", "king", ".", "the", "cat"])
    assert corpus.words == [".", "cat", "king", "the"]
    assert list(corpus.ids) == [3, 2, 0, 3, 1]


def test_contexts_are_counts_divided_by_four():
    corpus = batches.encode(list("abcaa"))
    X, y = batches.batch(corpus, np.array([2]))
    assert list(y) == [2]
    np.testing.assert_array_equal(X.toarray()[:, 0], [0.75, 0.25, 0])


def test_copies_are_shown_once():
    corpus = batches.encode(list("abcdefghij"))
    shapes = {
        name: [batch.X.shape for batch in islice(batches.batches(corpus, name, 3), 2)]
        for name in "ABC"
    }
    assert shapes == {"A": [(10, 1)] * 2, "B": [(10, 1)] * 2, "C": [(10, 3)]}


# --- runs -----------------------------------------------------------------------------------------


def test_parameters_are_drawn_as_the_course_draws_them():
    before = np.random.get_state()
    np.random.seed(282)
    drawn = [np.random.rand(*shape) for shape in ((50, 7), (7, 50), (50, 1), (7, 1))]
    np.random.set_state(before)
    W1, b1, W2, b2 = runs.course_start(7)
    for ours, theirs in zip((W1, W2, b1, b2), drawn, strict=True):
        np.testing.assert_array_equal(ours, theirs)


def test_the_centred_start():
    W1, b1, W2, b2 = runs.centred_start(7)
    first = runs.course_start(7)
    np.testing.assert_allclose(W1, (first.W1 - 0.5) * 0.4)
    np.testing.assert_allclose(W2, (first.W2 - 0.5) * 0.4)
    assert not b1.any()
    assert not b2.any()


def test_the_learning_rate_falls_every_hundred_iterations():
    rates = [runs.course_rate(i) for i in (0, 99, 100, 199, 200)]
    assert rates == pytest.approx([0.03, 0.03, 0.0198, 0.0198, 0.013068])


class Naive:
    """The course's network as its assignment has it: dense one-hot columns, copies and all."""

    def __init__(self, words, gradient, seed, extra_term=False, centred=False):
        self.ids = {word: id_ for id_, word in enumerate(sorted(set(words)))}
        self.words, self.gradient, self.extra_term = words, gradient, extra_term
        random, V = np.random.RandomState(seed), len(self.ids)
        self.W1, self.W2 = random.rand(50, V), random.rand(V, 50)
        self.b1, self.b2 = random.rand(50, 1), random.rand(V, 1)
        if centred:
            self.W1, self.W2 = ((W - 0.5) * 0.4 for W in (self.W1, self.W2))
            self.b1, self.b2 = 0 * self.b1, 0 * self.b2

    def one_hot(self, word):
        return np.eye(len(self.ids))[self.ids[word]]

    def step(self, places, rate):
        """Return the cost on a batch, and whether each unit fired; then learn from the batch."""
        words, m = self.words, len(places)
        around = [[words[t - 2], words[t - 1], words[t + 1], words[t + 2]] for t in places]
        x = np.array([sum(map(self.one_hot, four)) / 4 for four in around]).T
        y = np.array([self.one_hot(words[t]) for t in places]).T
        z1 = self.W1 @ x + self.b1
        h = np.maximum(z1, 0)
        z2 = self.W2 @ h + self.b2
        yhat = np.exp(z2) / np.exp(z2).sum(axis=0)
        J = -(y * np.log(yhat)).sum() / m
        if self.extra_term:
            J -= ((1 - y) * np.log(1 - yhat)).sum() / m
        l1 = self.W2.T @ (yhat - y)
        l1 = np.maximum(0, l1) if self.gradient == "mistaken" else l1 * (z1 > 0)
        self.W2 -= rate * (yhat - y) @ h.T / m
        self.b2 -= rate * (yhat - y).sum(axis=1, keepdims=True) / m
        self.W1 -= rate * l1 @ x.T / m
        self.b1 -= rate * l1.sum(axis=1, keepdims=True) / m
        return J, (z1 > 0).any(axis=1)


@pytest.fixture
def words():
    """Ninety words of eleven different ones, drawn at random."""
    return [f"w{n:02}" for n in np.random.default_rng(4).integers(11, size=90)]


PLACES = {
    "A": lambda i: [2, 2, 2],
    "B": lambda i: [i + 2] * 3,
    "C": lambda i: [4 * i + 2, 4 * i + 3, 4 * i + 4],
}


@pytest.mark.parametrize("era", published.ERAS, ids=lambda era: era.years)
def test_each_era_equals_the_course_written_out(words, era, monkeypatch):
    monkeypatch.setattr(runs, "BATCH_SIZE", 3)
    monkeypatch.setattr(runs, "ITERATIONS", 20)
    seen = []
    found = tables.era_table(batches.encode(words), era, seen.append)
    assert len(seen) == 2
    expected = {}
    for gradient in ("mistaken", "right"):
        naive = Naive(words, gradient, 282, era.extra_term)
        costs = [naive.step(PLACES[era.batching](i), 0.03)[0] for i in range(20)]
        expected |= {("10", gradient): f"{costs[9]:.6f}", ("20", gradient): f"{costs[19]:.6f}"}
    assert {(row, column): ours for row, column, ours, _ in found.figures} == expected
    known = {figure.column: figure.known for figure in found.figures if figure.row == "10"}
    assert known == {gradient: costs[10] for gradient, costs in era.costs.items()}
    assert found.published == (era.gradient,)


def test_initial_costs_equal_the_course_written_out(words):
    found = tables.initial_table(batches.encode(words))
    first = {"A": [2] * 4, "B": [2] * 4, "C": [2, 3, 4, 5]}
    costs = [
        Naive(words, "right", 1, era.extra_term).step(first[era.batching], 0)[0]
        for era in published.ERAS
    ]
    assert [figure.ours for figure in found.figures] == [f"{cost:.4f}" for cost in costs]


def test_longer_runs_equal_the_course_written_out(words, monkeypatch):
    monkeypatch.setattr(runs, "BATCH_SIZE", 3)
    monkeypatch.setattr(published, "LONGER_ITERATIONS", 15)
    monkeypatch.setattr(published, "LONGER_MEAN_OF", 6)
    found = tables.longer_table(batches.encode(words), lambda line: None)
    expected, some_dead = [], []
    for run in published.LONGER:
        naive = Naive(words, run.gradient, 282, centred=run.start == "centred")
        steps = [naive.step(PLACES["C"](i), run.rate) for i in range(15)]
        dead = 50 - np.any([firing for _, firing in steps[9:]], axis=0).sum()
        expected += [f"{np.mean([cost for cost, _ in steps[9:]]):.3f}", f"{dead} of 50"]
        some_dead.append(0 < dead < 50)
    assert [figure.ours for figure in found.figures] == expected
    assert any(some_dead)


# --- tables ---------------------------------------------------------------------------------------


def test_the_smallest_example():
    found = {figure.row: (figure.ours, figure.known) for figure in tables.example_table().figures}
    assert found == {
        "cost": ("1.465015",) * 2,
        "z1": ("0.3648 0.6371 -0.3237",) * 2,
        "l1": ("-0.0859 -0.1031 0.1705",) * 2,
        "db1, mistaken": ("0.0000 0.0000 0.1705",) * 2,
        "db1, right": ("-0.0859 -0.1031 0.0000",) * 2,
        "db1, numeric": ("-0.0859 -0.1031 0.0000",) * 2,
    }


def test_the_table_of_the_text():
    words = ["the", "king", "and", "the", "queen"]
    found = tables.text_table(words, batches.encode(words))
    ours = {figure.row: figure.ours for figure in found.figures}
    assert ours == {
        "tokens": "5",
        "different ones, V": "4",
        "id of king": "1",
        'count of "."': "0",
        'count of "the"': "2",
        'count of "and"': "1",
        'count of "i"': "0",
        'count of "to"': "0",
        'count of "of"': "0",
        "from token 0": "the king and the",
        "from token 4": "queen",
        "from token 8": "",
        "from token 12": "",
    }
    assert [figure.known for figure in found.figures[:4]] == ["60996", "5778", "2745", "9630"]


def test_a_text_without_a_king():
    found = tables.text_table(["queen"], batches.encode(["queen"]))
    assert [figure.ours for figure in found.figures if figure.row == "id of king"] == ["none"]


def test_zero_has_no_sign():
    assert tables._digits(np.array([[-0.0], [-0.00001], [-0.5]])) == "0.0000 0.0000 -0.5000"


def test_what_nobody_gave_does_not_differ():
    assert not tables.Figure("20", "right", "0.084878", "").differs
    assert tables.Figure("20", "right", "0.084878", "0.084879").differs


# --- the command ----------------------------------------------------------------------------------

EQUAL = tables.Table(
    "2020: two gradients",
    "iteration",
    [
        tables.Figure("10", "mistaken", "0.5", "0.5"),
        tables.Figure("20", "mistaken", "0.4", ""),
        tables.Figure("10", "right", "0.3", "0.3"),
        tables.Figure("20", "right", "0.2", "0.2"),
    ],
    ("mistaken",),
)
DIFFERENT = tables.Table("Counts", "figure", [tables.Figure("tokens", "", "9", "8")], ("",))


@pytest.fixture
def text(tmp_path, monkeypatch):
    """Path of a file that passes for the course's text."""
    file = tmp_path / "text.txt"
    file.write_bytes(b"The king came.\n")
    monkeypatch.setattr(source, "SHA256", hashlib.sha256(file.read_bytes()).hexdigest())
    return file


@pytest.fixture
def computed(monkeypatch):
    """Let the command have these tables."""

    def compute(*done):
        monkeypatch.setattr(reproduce, "tables", lambda words, progress: iter(done))

    return compute


def test_equal_figures(text, computed, capsys):
    computed(EQUAL)
    assert reproduce.main([str(text)]) == 0
    out = capsys.readouterr().out
    assert out == (
        "2020: two gradients\n"
        "iteration  mistaken  published  right  known\n"
        "10              0.5        0.5    0.3    0.3\n"
        "20              0.4               0.2    0.2\n"
        "\n"
        "Published: the course printed it. Known: computed elsewhere, independently of this "
        "script.\n"
        "All 3 figures are equal, in every digit.\n"
    )


def test_a_figure_that_differs(text, computed, capsys):
    computed(EQUAL, DIFFERENT)
    assert reproduce.main([str(text)]) == 1
    lines = capsys.readouterr().out.splitlines()
    assert "tokens     9  8 differs" in lines
    assert lines[-1] == "1 of 4 figures differ: tokens."


def test_json(text, computed, capsys):
    computed(EQUAL, DIFFERENT)
    assert reproduce.main([str(text), "--json"]) == 1
    (line,) = capsys.readouterr().out.splitlines()
    answer = json.loads(line)
    assert (answer["compared"], answer["different"]) == (4, 1)
    assert [table["title"] for table in answer["tables"]] == ["2020: two gradients", "Counts"]
    figures = answer["tables"][0]["figures"]
    assert figures[0] == {
        "row": "10",
        "column": "mistaken",
        "ours": "0.5",
        "known": "0.5",
        "published": True,
        "differs": False,
    }
    assert [figure["published"] for figure in figures] == [True, False, False, False]


def test_a_narrow_terminal(text, computed, capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "40")
    computed(EQUAL, DIFFERENT)
    reproduce.main([str(text)])
    out = capsys.readouterr().out
    assert max(map(len, out.splitlines())) <= 40
    assert "known: 0.2" in out


def test_the_command_hands_on_tokens_and_progress(text, monkeypatch, capsys):
    def tables_of(words, progress):
        progress("under way")
        return iter([tables.Table("Tokens", "n", [tables.Figure("1", "", " ".join(words), "")])])

    monkeypatch.setattr(reproduce, "tables", tables_of)
    assert reproduce.main([str(text)]) == 0
    out, err = capsys.readouterr()
    assert "the king came ." in out
    assert err == "under way\n"


def refused(argument, capsys):
    """Run the command on a file that it must refuse, and give its one sentence."""
    assert reproduce.main([str(argument)]) == 1
    out, err = capsys.readouterr()
    assert out == ""
    assert err.count("\n") == 1
    assert err.startswith("reproduce_course.py: error: ")
    assert "give shakespeare.txt as it comes with the assignment" in err
    return err


def test_another_text(tmp_path, capsys):
    file = tmp_path / "other.txt"
    file.write_bytes(b"Once upon a time.\n")
    error = refused(file, capsys)
    assert "has 18 bytes" in error
    assert hashlib.sha256(file.read_bytes()).hexdigest() in error
    assert "306,996 bytes" in error
    assert "fca7572af9206e6abb75483c5dbead770385b18f62c024e190a61d0dd4166a0c" in error


def test_no_such_file(tmp_path, capsys):
    assert "No such file" in refused(tmp_path / "missing.txt", capsys)


def test_a_folder(tmp_path, capsys):
    assert "is a folder, but must be a file" in refused(tmp_path, capsys)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no named pipes")
def test_a_pipe(tmp_path, capsys):
    os.mkfifo(tmp_path / "pipe")
    assert "is no regular file" in refused(tmp_path / "pipe", capsys)


def test_a_file_that_cannot_be_read(text, monkeypatch, capsys):
    def denied(*arguments):
        raise PermissionError(13, "Permission denied", str(text))

    monkeypatch.setattr(hashlib, "file_digest", denied)
    assert f"{text} cannot be read (Permission denied)" in refused(text, capsys)


def test_a_name_that_cannot_be(capsys):
    assert "cannot be read" in refused("x" * 5000, capsys)


def test_no_argument_is_wrong_usage(capsys):
    assert reproduce.main([]) == 2
    assert "SHAKESPEARE.TXT" in capsys.readouterr().err


@pytest.mark.slow
def test_as_a_program(tmp_path):
    done = subprocess.run(
        [sys.executable, str(SCRIPT), str(tmp_path / "missing.txt")],
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("reproduce_course.py: error: ")
    assert done.stderr.count("\n") == 1


# --- the whole ------------------------------------------------------------------------------------


@pytest.mark.skipif("CBOW_SHAKESPEARE" not in os.environ, reason="CBOW_SHAKESPEARE names no file")
def test_every_digit_of_the_course(capsys):
    assert reproduce.main([os.environ["CBOW_SHAKESPEARE"]]) == 0
    assert "All 70 figures are equal, in every digit." in capsys.readouterr().out
