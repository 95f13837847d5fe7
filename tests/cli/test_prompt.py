"""The prompt: its history, and words completed by Tab."""

import os
import pty
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from cbow.cli import nearest as prompt

readline = pytest.importorskip("readline")
WORDS = ["queen", "king", "queens", "kin\x1bg", "ki\tng", "naïve", "kingdom"]


@pytest.fixture
def state(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    return tmp_path / "state" / "cbow"


def type_in(*lines):
    for line in lines:
        readline.add_history(line)


def history():
    return [readline.get_history_item(i + 1) for i in range(readline.get_current_history_length())]


def hold_session(*lines):
    """Open a session, type, and give the history it found."""
    with prompt.session("nearest", lambda: WORDS):
        found = history()
        type_in(*lines)
    return found


def test_a_session_goes_on_where_the_last_one_ended(state):
    assert hold_session("king", "naïve - man") == []
    assert hold_session("queen") == ["king", "naïve - man"]
    assert hold_session() == ["king", "naïve - man", "queen"]
    assert history() == []
    with prompt.session("other", lambda: WORDS):
        assert history() == []


def test_sessions_side_by_side_keep_what_both_typed(state):
    with prompt.session("nearest", lambda: WORDS):
        type_in("king")
        (state).mkdir(parents=True)
        (state / "nearest_history").write_text("typed elsewhere\n")
    assert hold_session() == ["typed elsewhere", "king"]


def test_old_lines_are_forgotten(state, monkeypatch):
    monkeypatch.setattr(prompt, "LONGEST_HISTORY", 3)
    hold_session(*"abcde")
    assert hold_session("f") == ["c", "d", "e"]
    assert hold_session() == ["d", "e", "f"]


def test_nobody_else_may_read_it(state):
    hold_session("king")
    assert stat.S_IMODE((state / "nearest_history").stat().st_mode) == 0o600
    assert stat.S_IMODE(state.stat().st_mode) == 0o700


def test_a_session_that_ends_with_an_error_is_kept(state):
    def fail():
        with prompt.session("nearest", lambda: WORDS):
            type_in("king")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fail()
    assert hold_session() == ["king"]


def test_nothing_is_written_if_nothing_was_typed(state):
    hold_session()
    assert not state.exists()


@pytest.mark.parametrize("made", ["file", "folder"])
def test_a_history_that_cannot_be_kept_does_no_harm(state, made):
    if made == "file":  # where its folder should be
        state.parent.mkdir()
        state.write_text("")
    else:  # where itself should be
        (state / "nearest_history").mkdir(parents=True)
    assert hold_session("king") == []
    assert hold_session() == []


def test_where_the_history_is(monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_STATE_HOME", "/a")
    assert prompt.history_file("nearest") == Path("/a/cbow/nearest_history")
    monkeypatch.setenv("HOME", "/home/x")
    for value in ("", "relative"):
        monkeypatch.setenv("XDG_STATE_HOME", value)
        assert prompt.history_file("n") == Path("/home/x/.local/state/cbow/n_history")
    monkeypatch.delenv("XDG_STATE_HOME")
    assert prompt.history_file("n") == Path("/home/x/.local/state/cbow/n_history")


@pytest.mark.parametrize("way", ["symlink_to", "hardlink_to"])
def test_no_history_is_written_into_a_model(state, tmp_path, capsys, way):
    model = tmp_path / "model"
    model.write_bytes(b"precious")
    state.mkdir(parents=True)
    getattr(state / "nearest_history", way)(model)
    with prompt.session("nearest", lambda: WORDS, ["none", str(model)]):
        assert history() == []
        type_in("king")
    assert model.read_bytes() == b"precious"
    assert "note: no history is kept, because its place" in capsys.readouterr().err


def test_without_a_home_one_can_ask_all_the_same(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("HOME", raising=False)
    monkeypatch.delenv("XDG_STATE_HOME", raising=False)
    monkeypatch.setattr("pwd.getpwuid", raising_key_error)
    assert prompt.history_file("nearest") is None
    assert hold_session("king") == []
    assert hold_session() == []
    assert list(tmp_path.iterdir()) == []


def raising_key_error(uid):
    raise KeyError(uid)


def test_words_are_completed():
    asked = []
    complete = prompt.completer(lambda: asked.append(1) or WORDS)

    def all_of(text):
        found, state = [], 0
        while (word := complete(text, state)) is not None:
            found.append(word)
            state += 1
        return found

    assert all_of("que") == ["queen", "queens"]
    assert all_of("ki") == ["king", "kingdom"]  # not those that would steer the terminal
    assert all_of("naï") == ["naïve"]
    assert all_of("x") == []
    assert all_of("") == []
    assert len(asked) == 5


def test_readline_is_left_as_it_was(state):
    with prompt.session("nearest", lambda: WORDS):
        assert readline.get_completer()("kingd", 0) == "kingdom"
    assert readline.get_completer() is None


def test_editline_is_told_in_its_own_words(state, monkeypatch):
    told = []
    monkeypatch.setattr(readline, "__doc__", "uses libedit")
    monkeypatch.setattr(readline, "parse_and_bind", told.append)
    hold_session()
    assert told == ["bind ^I rl_complete"]


def test_without_readline(monkeypatch, state):
    monkeypatch.setitem(sys.modules, "readline", None)
    with prompt.session("nearest", lambda: WORDS):
        pass
    assert not state.exists()


@pytest.mark.slow
@pytest.mark.skipif("libedit" in (readline.__doc__ or ""), reason="editline completes otherwise")
def test_a_true_terminal(state, tmp_path):
    """Tab completes, and what was typed can be had again in the next session."""
    path = tmp_path / "vectors.txt"
    path.write_text("3 2\nking 1 0\nqueens 3 4\nduke 0 1\n")
    environment = {**os.environ, "TERM": "dumb"}
    code = "import sys; from cbow.cli.nearest import main; sys.exit(main())"

    def type_at_a_terminal(keys):
        ours, theirs = pty.openpty()
        command = [sys.executable, "-c", code, str(path), "--format", "tsv"]
        process = subprocess.Popen(command, stdin=theirs, stdout=theirs, env=environment)
        os.close(theirs)
        seen = b""
        for each in (keys, b"\x04"):
            prompts = seen.count(b"> ")
            while seen.count(b"> ") == prompts:
                seen += os.read(ours, 1000)
            os.write(ours, each)
        assert process.wait() == 0
        os.close(ours)
        return seen.decode()

    first = type_at_a_terminal(b"que\t\n")
    assert "queens\tduke\t0.800000" in first
    assert (state / "nearest_history").read_text() == "queens\n"
    again = type_at_a_terminal(b"\x10\n")  # Ctrl-P: the line before
    assert "queens\tduke\t0.800000" in again
