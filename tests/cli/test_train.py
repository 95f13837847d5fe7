"""``cbow-train``: what it prints, writes and returns; and every kind of bad input."""

import errno
import gzip
import io
import json
import os
import signal
import subprocess
import sys
import time
import types
from pathlib import Path

import numpy as np
import pytest

import cbow
from cbow.cli import progress as progress_module
from cbow.cli.progress import Display, JSONLog, Several
from cbow.cli.train import END_OF_SESSION, default_output, main, next_command
from cbow.errors import ClusterError, OutputError
from cbow.training import Baselines, Epoch, Observer, Plan, Step
from cbow.training.defaults import Fitted

TEXT = "the king rules the land\nthe queen rules the land\nthe dog eats the hay\n" * 40
FITTED = Fitted("exact", 2, 5, 0.0, 512, "adam", 0.005, 128, "")
SMALL = ["--dimension", "4", "--epochs", "2", "--sample", "0", "--min-count", "1"]


@pytest.fixture
def corpus(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "corpus.txt"
    path.write_text(TEXT, encoding="utf-8")
    return path


def listing(folder):
    return sorted(path.name for path in Path(folder).iterdir())


def test_it_writes_the_model_and_says_what_happened(corpus, capsys):
    assert main(["corpus.txt", *SMALL, "--heldout", "0.2"]) == 0
    out, err = capsys.readouterr()
    assert out == ""
    assert "120 lines, 600 tokens read, 600 kept" in err
    assert "baselines: 2.0794 nats (uniform), " in err
    assert "epoch 2/2: loss " in err
    assert "held out" in err
    assert "saved corpus.safetensors (" in err
    assert "next: cbow-nearest corpus.safetensors the" in err
    assert listing(".") == ["corpus.safetensors", "corpus.txt"]
    model = cbow.load("corpus.safetensors")
    assert model.config.dimension == 4
    assert model.config.heldout == 0.2


WORKERS = ["--workers", "2", "--cluster", "serial", "--candidates", "4"]


def test_workers_share_the_text(corpus, capsys):
    assert main(["corpus.txt", *SMALL, *WORKERS, "--rounds", "3"]) == 0
    err = capsys.readouterr().err
    assert err.startswith("reading: 2 workers, each its part of 0.0 MB ...\n120 lines, 600 tokens ")
    assert "\nrounds: 3 an epoch (as rounds / --rounds says)\n" in err
    assert "epoch 2/2: loss " in err
    model = cbow.load("corpus.safetensors")
    assert (model.config.workers, model.config.cluster) == (2, None)
    assert model.report["workers"] == {"rounds": 3, "tokens": [300, 300]}


def test_workers_that_are_lost(corpus, capsys, monkeypatch):
    def lost(*_):
        raise ClusterError("the cluster is lost")

    monkeypatch.setattr("cbow.training.rounds.combine", lost)
    assert main(["corpus.txt", *SMALL, *WORKERS, "--checkpoint-every", "1000"]) == 1
    err = capsys.readouterr().err
    assert "cbow-train: error: the cluster is lost\n" in err
    resume = "cbow-train --resume corpus.safetensors.checkpoint --cluster serial"
    assert f"to resume: {resume}\n" in err
    monkeypatch.undo()
    monkeypatch.chdir(corpus.parent)
    assert main(resume.split()[1:]) == 0


@pytest.mark.parametrize("ends", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("mark", ["", "\ufeff"])
@pytest.mark.parametrize("pack", [bytes, gzip.compress])
def test_lists_of_words(corpus, capsys, ends, mark, pack):
    Path("stop").write_bytes(pack((mark + ends.join(["The", "", " land ", ""])).encode()))
    Path("keep").write_bytes(pack((mark + ends.join(["king", "gnu"])).encode()))
    flags = ["--stop-words", "stop", "--keep-words", "keep", "--min-count", "50"]
    Path("extra.txt").write_text("king " * 5 + "\n" + "queen cow " * 60)
    assert main(["extra.txt", "corpus.txt", *SMALL, *flags, "-o", "m.safetensors"]) == 0
    model = cbow.load("m.safetensors")
    assert sorted(model.vocabulary) == ["cow", "king", "queen", "rules"]
    assert model.config.stop_words == ("The", "land")
    assert model.config.keep_words == ("gnu", "king")
    err = capsys.readouterr().err
    assert "320 tokens left out: their words are among stop_words" in err
    assert "1 word of keep_words not found in the text" in err


def test_lists_of_words_in_the_encoding_of_the_text(corpus):
    Path("stop").write_text("hér\n", encoding="latin-1")
    Path("a.txt").write_text("hér là hér là\n", encoding="latin-1")
    flags = ["--stop-words", "stop", "--encoding", "latin-1"]
    assert main(["a.txt", "corpus.txt", *SMALL, *flags, "-o", "m"]) == 0
    assert "hér" not in cbow.load("m").vocabulary


def test_case_and_normal_form(corpus):
    Path("a.txt").write_text("Cafe\u0301 Au Lait\n" * 9)
    assert main(["a.txt", *SMALL, "--keep-case", "--normalise", "nfc", "-o", "m"]) == 0
    model = cbow.load("m")
    assert model.vocabulary.words == ("Au", "Café", "Lait")
    assert (model.config.keep_case, model.config.normalise) == (True, "nfc")


@pytest.mark.slow
def test_a_run_that_learned_next_to_nothing_says_so(corpus, capsys):
    assert main(["corpus.txt", *SMALL, "--epochs", "1", "--learning-rate", "1e-9"]) == 0
    assert "hint: the loss, " in capsys.readouterr().err
    assert main(["corpus.txt", *SMALL, "--epochs", "60", "--heldout", "0.2"]) == 0
    assert "hint:" not in capsys.readouterr().err


def test_quiet_prints_nothing(corpus, capsys):
    assert main(["corpus.txt", *SMALL, "--quiet"]) == 0
    assert capsys.readouterr() == ("", "")


def test_the_command_twice_gives_the_same_bytes_and_python_the_same_vectors(corpus):
    assert main(["corpus.txt", *SMALL, "-o", "1.safetensors", "--threads", "1"]) == 0
    assert main(["corpus.txt", *SMALL, "-o", "2.safetensors", "--threads", "2"]) == 0
    assert Path("1.safetensors").read_bytes() == Path("2.safetensors").read_bytes()
    model = cbow.train("corpus.txt", dimension=4, epochs=2, sample=0, min_count=1)
    loaded = cbow.load_vectors("1.safetensors")
    assert list(loaded) == list(model.vectors)
    assert np.array_equal(loaded.matrix, model.vectors.matrix)


def test_standard_input(corpus, monkeypatch, capsys):
    stdin = io.TextIOWrapper(io.BytesIO(TEXT.encode()))
    monkeypatch.setattr(sys, "stdin", stdin)
    assert main(["-", *SMALL]) == 0
    assert "600 tokens read" in capsys.readouterr().err
    assert len(cbow.load("stdin.safetensors").vocabulary) == 8


def test_several_files_and_the_log(corpus):
    Path("more.txt.gz").write_bytes(gzip.compress(b"a b c\n" * 20))
    assert main(["corpus.txt", "more.txt.gz", *SMALL, "--log-json", "log.jsonl"]) == 0
    events = [json.loads(line) for line in Path("log.jsonl").read_text().splitlines()]
    assert [event["event"] for event in events] == ["account", "plan", "epoch", "epoch"]
    assert events[0]["read"] == 660
    assert events[1]["baselines"]["uniform"] == pytest.approx(np.log(11))
    assert events[3]["loss"] < events[1]["baselines"]["uniform"]
    assert events[3]["seconds"] >= events[2]["seconds"] >= 0


def test_phrases_are_shown_logged_and_kept(corpus, capsys):
    command = ["corpus.txt", *SMALL, "--phrases", "1", "--phrase-threshold", "0.2"]
    assert main([*command, "--log-json", "log.jsonl"]) == 0
    err = capsys.readouterr().err
    assert "3 phrases found, the most frequent dog_eats, king_rules, queen_rules\n" in err
    assert "\n120 tokens joined to the token before, in phrases\n" in err
    event = json.loads(Path("log.jsonl").read_text().splitlines()[0])
    model = cbow.load("corpus.safetensors")
    assert event == {"event": "phrases", **model.report["phrases"]}
    assert event["found"] == 3
    assert event["best"][0] == {"word": "dog_eats", "score": 39 / 1600 * 18, "times": 40}
    assert model.config.phrases == 1
    assert "dog_eats" in model.vectors
    assert (
        main(
            [
                *command,
                "--phrase-score",
                "npmi",
                "-o",
                "b.safetensors",
                "--phrase-threshold",
                "0.999",
            ]
        )
        == 0
    )
    assert "1 phrase found, the most frequent dog_eats\n" in capsys.readouterr().err
    assert main([*command, "--phrase-threshold", "9", "-o", "c.safetensors"]) == 0
    assert "0 phrases found\n" in capsys.readouterr().err


@pytest.mark.parametrize(
    "wrong",
    [
        "--phrases -1",
        "--phrases 1 --phrase-threshold 0",
        "--phrase-threshold 2",
        "--phrases 1 --phrase-threshold inf",
    ],
)
def test_phrases_that_make_no_sense(corpus, capsys, wrong):
    assert main(["corpus.txt", *SMALL, *wrong.split()]) == 1
    assert ", but " in capsys.readouterr().err


def test_the_log_on_standard_output(corpus, capsys):
    assert main(["corpus.txt", *SMALL, "--quiet", "--log-json", "-"]) == 0
    assert len(capsys.readouterr().out.splitlines()) == 4


def test_help_shows_defaults_and_exits_with_0(capsys):
    assert main(["--help"]) == 0
    assert "numbers per word: the hidden units (default: 100)" in " ".join(
        capsys.readouterr().out.split()
    )


@pytest.mark.parametrize(
    "arguments",
    [[], ["corpus.txt", "--dimension", "ten"], ["corpus.txt", "--nonsense"],
     ["corpus.txt", "--activation", "tanh"], ["corpus.txt", "--tokenizer", "custom"]],
)  # fmt: skip
def test_wrong_usage_exits_with_2(corpus, arguments, capsys):
    assert main(arguments) == 2
    assert "usage: cbow-train" in capsys.readouterr().err


@pytest.mark.slow
def test_the_file_on_standard_input_is_not_written_over(corpus):
    with corpus.open() as stdin:
        process = run_command("-", *SMALL, "-o", "corpus.txt", stdin=stdin)
        err = process.communicate()[1]
    assert process.returncode == 1
    assert "corpus.txt would be written over" in err
    assert corpus.read_text() == TEXT


def test_a_finished_model_is_saved_elsewhere_rather_than_lost(corpus, capsys, monkeypatch):
    Path("out").mkdir()
    save = cbow.Model.save

    def once_full(model, path):
        if Path(path).parent == Path("out"):
            raise OutputError("the disk is full")
        save(model, path)

    monkeypatch.setattr(cbow.Model, "save", once_full)
    assert main(["corpus.txt", *SMALL, "-o", "out/m.safetensors", "--quiet"]) == 1
    err = capsys.readouterr().err
    assert "error: the disk is full" in err
    assert "saved m.safetensors (" in err
    assert len(cbow.load("m.safetensors").vocabulary) == 8


def test_a_diverging_run_keeps_the_good_state_and_any_older_model(corpus, capsys):
    wild = [*SMALL, "--optimizer", "sgd", "--learning-rate", "1e9", "--activation", "identity",
            "--epochs", "50", "--batch", "16"]  # fmt: skip
    Path("corpus.safetensors").write_bytes(b"the old one")
    assert main(["corpus.txt", *wild]) == 1
    err = capsys.readouterr().err
    assert "the loss became" in err
    assert "train again with 1 or less" in err
    assert "next:" not in err
    assert "saved corpus.partial.safetensors" in err
    assert Path("corpus.safetensors").read_bytes() == b"the old one"
    assert len(cbow.load("corpus.partial.safetensors").vocabulary) == 8
    assert main(["corpus.txt", *wild]) == 1
    assert "saved corpus.partial-2.safetensors" in capsys.readouterr().err


def run_command(*arguments, **more):
    code = "import sys; from cbow.cli.train import main; sys.exit(main())"
    return subprocess.Popen(
        [sys.executable, "-c", code, *arguments],
        **{"stderr": subprocess.PIPE, "text": True, **more},
        # A job in the background of a shell ignores Ctrl-C, one under nohup the end of the session,
        # and so would their children.
        preexec_fn=heed_signals,
    )


def heed_signals():
    for number in (signal.SIGINT, *END_OF_SESSION):
        signal.signal(number, signal.SIG_DFL)


def wait_for(stream, text):
    for line in stream:
        if text in line:
            return
    raise AssertionError(f"{text!r} never came")


def test_what_ends_a_session():
    names = ("SIGTERM", "SIGHUP", "SIGXCPU", "SIGUSR1", "SIGUSR2")
    assert {each.name for each in END_OF_SESSION} == set(names).intersection(dir(signal))


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGINT, END_OF_SESSION[-1]])
def test_ctrl_c_while_training_saves_and_exits_with_130(corpus, number):
    process = run_command("corpus.txt", *SMALL, "--epochs", "1000000")
    wait_for(process.stderr, "epoch 1/1000000")
    process.send_signal(number)
    err = process.communicate()[1]
    assert process.returncode == 130
    assert "error: interrupted after " in err
    assert "saved corpus.safetensors" in err
    assert cbow.load("corpus.safetensors").report["stopped"]["reason"] == "interrupted"


@pytest.mark.slow
def test_ctrl_c_while_reading_says_so(corpus):
    os.mkfifo("pipe.txt")
    process = run_command("pipe.txt", *SMALL)
    with open("pipe.txt", "w") as pipe:  # the command is reading once this opens
        pipe.write(TEXT)
        pipe.flush()
        time.sleep(0.3)
        process.send_signal(signal.SIGINT)
        assert process.wait() == 130
    assert process.stderr.read().strip() == "cbow-train: error: interrupted"
    process.stderr.close()
    assert listing(".") == ["corpus.txt", "pipe.txt"]


@pytest.mark.parametrize(
    ("corpus_name", "output"),
    [
        ("corpus.txt", "corpus.safetensors"),
        ("a/b/text.txt.gz", "text.safetensors"),
        ("notes.md", "notes.md.safetensors"),
        ("books/", "books.safetensors"),
        ("books/*.txt", "cbow.safetensors"),
        ("-", "stdin.safetensors"),
        ("/dev/stdin", "stdin.safetensors"),
        ("/dev/fd/63", "stdin.safetensors"),
        ("/proc/self/fd/11", "stdin.safetensors"),
        ("/proc/123/fd/11", "stdin.safetensors"),
        ("/home/fd/11", "11.safetensors"),
        ("nltk:brown", "brown.safetensors"),
        ("https://host/a/b.txt.gz?key=a/b#c", "b.safetensors"),
        ("s3://bucket/a/b.txt", "b.safetensors"),
        ("s3://bucket/a/?.txt", "cbow.safetensors"),
        (".", "cbow.safetensors"),
    ],
)
def test_the_output_is_named_after_the_corpus(corpus_name, output):
    assert default_output(corpus_name) == output


class Terminal(io.StringIO):
    def isatty(self):
        return True


def some_epoch(number, **more):
    values = {
        "epoch": number, "loss": 2.0, "heldout_loss": None, "tokens": 10, "heldout": 0,
        "subsampled": 0, "isolated": 0, "examples": 10, "steps": 1, "learning_rate": 0.1,
        "active": 0.5, "dead": 0, "gradient_norms": {"dW1": 1.0}, **more,
    }  # fmt: skip
    return Epoch(**values)


@pytest.mark.parametrize(
    ("left_out", "line"),
    [
        (0, "n-grams: 1,024 buckets, 37 % share one\n"),
        (3000, "37 % share one; 3,000 left out, too far behind in long words\n"),
    ],
)
def test_what_became_of_ngrams(left_out, line):
    stream = io.StringIO()
    ngrams = {"buckets": 1024, "sharing": 0.371, "left_out": left_out}
    Display(stream=stream).planned(Plan(7, 80, 10, Baselines(2.0, 1.5), FITTED, ngrams=ngrams))
    assert line in stream.getvalue()


def test_bars_on_a_terminal():
    stream = Terminal()
    display = Display(stream=stream)
    display.reading(cbow.text.Progress(10, 500, 1000))
    display.encoded(cbow.text.TokenAccount(lines=1, read=10, kept=10))
    display.planned(Plan(7, 80, 10, Baselines(2.0, 1.5), FITTED))
    display.stepped(Step(1, 5, 20, 3.0))
    display.stepped(Step(1, 10, 20, 2.0))
    display.finished_epoch(some_epoch(1, heldout_loss=1.0))
    display.finished_epoch(some_epoch(2))
    shown = stream.getvalue()
    assert "reading 50 %: 10 tokens" in shown
    assert "1 line, 10 tokens read, 10 kept" in shown
    assert "training 25 % (epoch 1/2): loss 3.0000, " in shown
    assert "training 50 % (epoch 1/2): loss 2.9800, " in shown
    assert "epoch 1/2: loss 2.0000 nats per token, perplexity 7.4; held out 1.0000, 2.7" in shown


@pytest.fixture
def tqdm_anew():
    """Let tqdm be imported anew, for it reads its settings then, and never stay as it is here."""

    def taken_out():
        names = [name for name in sys.modules if name.split(".")[0] == "tqdm"]
        return {name: sys.modules.pop(name) for name in names}

    before = taken_out()
    yield
    taken_out()
    sys.modules.update(before)


@pytest.mark.usefixtures("tqdm_anew")
@pytest.mark.parametrize(
    "setting",
    [
        "MININTERVAL=abc", "NCOLS=x", "POSITION=x", "GUI=1", "WRITE_BYTES=1", "LOCK_ARGS=3",
        "DISABLE=1", "UNIT_DIVISOR=0", "COLOUR=none", "NONSENSE=1",
    ],
)  # fmt: skip
@pytest.mark.filterwarnings("ignore")
def test_no_setting_of_the_bar_stops_a_training(corpus, monkeypatch, setting):
    monkeypatch.setenv(*f"TQDM_{setting}".split("="))
    monkeypatch.setattr(progress_module, "QUIET_SECONDS", 0)
    monkeypatch.setattr(sys, "stderr", Terminal())
    assert main(["corpus.txt", *SMALL]) == 0
    shown = sys.stderr.getvalue()
    assert "saved corpus.safetensors" in shown
    assert "Traceback" not in shown
    if setting in ("MININTERVAL=abc", "NCOLS=x", "WRITE_BYTES=1"):
        assert "loss" in next(line for line in shown.splitlines() if "tokens/s" in line)


def test_a_bar_that_cannot_be_drawn_gives_way_to_lines(monkeypatch):
    monkeypatch.setitem(sys.modules, "tqdm", None)
    monkeypatch.setattr(progress_module, "QUIET_SECONDS", 0)
    stream = Terminal()
    display = Display(stream=stream)
    for done in (100, 200):
        display.reading(cbow.text.Progress(10, done, 1000))
    display.close()
    assert stream.getvalue().startswith("reading 20 %: 10 tokens, ")


def test_a_bar_without_an_end():
    stream = Terminal()
    display = Display(stream=stream)
    display.reading(cbow.text.Progress(10, 500, None))
    display.close()
    assert "reading" in stream.getvalue()


def test_plain_lines_elsewhere(monkeypatch):
    now = [0.0]
    monkeypatch.setattr(progress_module.time, "monotonic", lambda: now[0])
    stream = io.StringIO()
    display = Display(stream=stream)
    for second in range(0, 25, 5):
        now[0] = second
        display.reading(cbow.text.Progress(1000 * second, 100 * second, 10_000))
        display.reading(cbow.text.Progress(1000 * second, 100 * second, None))
    display.planned(Plan(7, 80, 5000, Baselines(2.0, 1.5), FITTED, loss_seconds=3.0))
    for second in range(20, 50, 5):
        now[0] = second
        display.stepped(Step(1, 100 * (second - 20), 10_000, 3.0))
    display.stepped(Step(2, 10_000, 10_000, 3.0))
    assert stream.getvalue().splitlines() == [
        "reading 10 %: 10,000 tokens, 1,000 tokens/s, 1:30 left",
        "reading 20 %: 20,000 tokens, 1,000 tokens/s, 1:20 left",
        "training: 7 words, 80 parameters, 2 epochs of 5,000 tokens, batches of 512, "
        "exact objective",
        "baselines: 2.0000 nats (uniform), 1.5000 (word frequencies)",
        "time left: about 1:41, by the first 5.0 s",
        "training 10 % (epoch 1/2): loss 3.0000, 100 tokens/s, 1:36 left",
        "training 20 % (epoch 1/2): loss 3.0000, 100 tokens/s, 1:26 left",
    ]


class Full(io.StringIO):
    """A file on a full disk."""

    def write(self, text):
        raise OSError(errno.ENOSPC, "No space left on device")


class FullPath(type(Path())):
    """A place on a full disk."""

    def open(self, *_, **__):
        return Full()


def test_a_log_that_is_lost_does_not_cost_the_model(corpus, capsys, monkeypatch):
    monkeypatch.setattr(progress_module, "expanded", FullPath)
    assert main(["corpus.txt", *SMALL, "--log-json", "log"]) == 1
    err = capsys.readouterr().err
    assert err.count("the disk is full: log could not be written") == 1
    assert len(cbow.load("corpus.safetensors").vocabulary) == 8


@pytest.mark.slow
def test_a_reader_of_the_log_may_stop_early(corpus):
    process = run_command("corpus.txt", *SMALL, "--log-json", "-", stdout=subprocess.PIPE)
    process.stdout.close()
    err = process.stderr.read()
    process.stderr.close()
    assert process.wait() == 0, err
    assert "error" not in err
    assert len(cbow.load("corpus.safetensors").vocabulary) == 8


def test_a_log_on_a_closed_pipe_ends_quietly(monkeypatch):
    class Gone(io.StringIO):
        def write(self, text):
            raise BrokenPipeError(errno.EPIPE, "Broken pipe")

    monkeypatch.setattr(sys, "stdout", Gone())
    log = JSONLog("-")
    log.finished_epoch(some_epoch(1))
    log.finished_epoch(some_epoch(2))
    assert log.close() is None


def test_the_place_of_the_encoded_text_is_told(tmp_path, capsys):
    log = JSONLog(str(tmp_path / "log"))
    for each in (Display(), log):
        each.placed(Path("/tmp/x"), 1_234_567_890)
    log.close()
    said = "encoded text: about 1.23 GB in /tmp/x until the end of the training (--work-folder "
    assert said in capsys.readouterr().err
    line = json.loads((tmp_path / "log").read_text())
    assert line == {"event": "placed", "folder": "/tmp/x", "bytes": 1_234_567_890}


def test_fewer_threads_are_told(capsys):
    Display().short_of_threads(1, 4)
    assert "note: 1 of 4 threads are used (1,024 at most; ulimit -u " in capsys.readouterr().err


def test_a_bar_that_cannot_be_drawn_any_more_is_let_go():
    display = Display()
    display.bar = bar = types.SimpleNamespace(disable=False)
    with display._drawing():
        raise OSError(5, "Input/output error")
    assert display.bar is None
    assert bar.disable


def test_a_terminal_that_is_gone_does_not_cost_the_model(corpus, monkeypatch):
    monkeypatch.setattr(sys, "stderr", Full())
    assert main(["corpus.txt", *SMALL]) == 0
    monkeypatch.setattr(sys, "stderr", None)
    assert main(["corpus.txt", *SMALL]) == 0
    assert len(cbow.load("corpus.safetensors").vocabulary) == 8


@pytest.mark.parametrize(
    ("words", "output", "command"),
    [
        (["--", "+", "king"], "m.safetensors", "cbow-nearest m.safetensors king"),
        (["--", "a;b"], "m.safetensors", "cbow-nearest m.safetensors --"),
        (["king", "a"], "-m.safetensors", "cbow-nearest ./-m.safetensors king"),
        (["king", "a"], "my model.safetensors", "cbow-nearest 'my model.safetensors' king"),
    ],
)
def test_the_next_command_can_be_typed_as_it_stands(words, output, command, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    cbow.WordVectors(words, np.eye(len(words), dtype=np.float32)).save(output)
    assert next_command(Path(output)) == command


def test_several_observers_hear_the_same():
    heard = []

    class Ear(Observer):
        def reading(self, progress):
            heard.append(progress)

    ears = Several(Ear(), Ear(), Observer())
    ears.reading(1)
    ears.encoded(None)
    ears.planned(None)
    ears.stepped(None)
    ears.finished_epoch(None)
    assert heard == [1, 1]


def test_a_sampled_run_says_what_it_does(tmp_path, capsys):
    from cbow.cli.progress import Display, Several

    display = Display()
    display.told = -1e9
    both = Several(display)
    fitted = Fitted("sampled", 2, 5, 1e-3, 512, "sgd", 0.05, 128, "chosen for this text: epochs 2")
    both.planned(Plan(7, 80, 100, Baselines(2.0, 1.5), fitted))
    both.compiling()
    display.told = -1e9
    both.stepped(Step(1, 50, 200, 1.25))
    err = capsys.readouterr().err
    assert "chosen for this text: epochs 2\n" in err
    assert "2 epochs of 100 tokens, batches of 512, sampled objective\n" in err
    assert "compiling the kernels; they are kept for next time ..." in err
    assert "training 25 % (epoch 1/2): loss among candidates 1.2500, " in err


def test_a_run_that_gains_nothing_ends_and_says_so(corpus, capsys, monkeypatch):
    coming = iter([2.0, 3.0])
    monkeypatch.setattr("cbow.training.losses.Losses.heldout", lambda self: next(coming))
    flags = ["--epochs", "5", "--heldout", "0.2", "--patience", "1"]
    assert main(["corpus.txt", *SMALL, *flags]) == 0
    err = capsys.readouterr().err
    assert "stopped after epoch 2: the held-out loss has not fallen for 1 epoch\n" in err
    assert "epoch 3/5" not in err
    assert "saved corpus.safetensors" in err
    assert len(cbow.load("corpus.safetensors").report["epochs"]) == 2
