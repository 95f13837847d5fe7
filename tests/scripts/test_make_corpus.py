"""The corpus maker: the same bytes always, exactly the size asked for, and a truth that holds."""

import hashlib
import importlib.util
import itertools
import json
import os
import subprocess
import sys
import tracemalloc
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

SCRIPT = Path(__file__).parents[2] / "scripts" / "make_corpus.py"


def load_script() -> Any:
    spec = importlib.util.spec_from_file_location("make_corpus", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["make_corpus"] = module  # dataclasses look their module up there
    spec.loader.exec_module(module)
    return module


make_corpus = load_script()
Settings = make_corpus.Settings
SMALL = Settings(tokens=5_000, vocabulary=800, seed=7)
LARGE = Settings(tokens=300_000, vocabulary=2_000, seed=3)
GOLDEN = "999e04fc4612e64fac7002386cb702b19544dbb8eb41133a584076093ef49be2"  # of SMALL


@pytest.fixture(scope="module")
def text() -> list[list[str]]:
    return [line.split() for line in make_corpus.sentences(LARGE)]


@pytest.fixture(scope="module")
def truth() -> dict[str, Any]:
    answer: dict[str, Any] = make_corpus.truth(LARGE)
    return answer


def command(*arguments: object) -> subprocess.CompletedProcess[bytes]:
    words = [sys.executable, str(SCRIPT), *map(str, arguments)]
    return subprocess.run(words, capture_output=True, check=False, timeout=120)


# --- the same bytes -------------------------------------------------------------------------------


def test_same_settings_give_the_same_text_and_another_seed_another() -> None:
    first = list(make_corpus.sentences(SMALL))
    assert first == list(make_corpus.sentences(SMALL))
    other = Settings(tokens=5_000, vocabulary=800, seed=8)
    assert first != list(make_corpus.sentences(other))
    assert make_corpus.truth(SMALL)["families"] != make_corpus.truth(other)["families"]


@pytest.mark.parametrize("batch", [1, 7, 100, 100_000])
def test_the_batch_does_not_change_the_text(batch: int) -> None:
    assert list(make_corpus.sentences(SMALL, batch)) == list(make_corpus.sentences(SMALL))


def test_a_batch_of_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="batch is 0, expected at least 1"):
        next(make_corpus.sentences(SMALL, 0))


def test_the_text_is_the_same_on_every_machine_and_numpy() -> None:
    text = "\n".join(make_corpus.sentences(SMALL)).encode()
    assert hashlib.sha256(text).hexdigest() == GOLDEN


# --- the size and the shape -----------------------------------------------------------------------


@pytest.mark.parametrize("tokens", [0, 1, 7, 8, 21, 1_000, 123_457])
def test_the_text_has_exactly_the_tokens_asked_for(tokens: int) -> None:
    settings = Settings(tokens=tokens)
    lengths = [len(line.split(" ")) for line in make_corpus.sentences(settings)]
    answer = make_corpus.truth(settings)
    assert sum(lengths) == tokens == answer["tokens"]
    assert len(lengths) == answer["lines"]
    # Only the last sentence is cut.
    assert all(8 <= length <= 20 for length in lengths[:-1])
    assert all(1 <= length <= 20 for length in lengths)


def test_every_length_of_sentence_is_about_as_frequent(text: list[list[str]]) -> None:
    counts = Counter(map(len, text[:-1]))
    assert sorted(counts) == list(range(8, 21))
    expected = len(text) / 13
    assert all(abs(n - expected) < 5 * expected**0.5 for n in counts.values())


def test_words_are_distinct_and_made_of_syllables() -> None:
    # Two-syllable spellings run out at 6,400, so that this vocabulary has to reject repeats.
    words = make_corpus._words(Settings(vocabulary=30_000))
    assert len(set(words)) == len(words) == 30_000
    for word in words:
        assert len(word) in (4, 6, 8)
        assert word.isascii()
        assert word.isalpha()
        assert word.islower()
        assert set(word[1::2]) <= set("aeiou")
        assert not set(word[::2]) & set("aeiou")


def test_the_text_stays_inside_its_vocabulary(text: list[list[str]]) -> None:
    seen = {word for line in text for word in line}
    assert seen <= set(make_corpus._words(LARGE))
    assert len(seen) > 0.95 * LARGE.vocabulary


def test_filler_follows_zipf(text: list[list[str]]) -> None:
    filler = make_corpus._words(LARGE)[LARGE.reserved :]
    counts = Counter(word for line in text for word in line)
    frequency = np.array([counts[word] for word in filler[:300]])
    slope, _ = np.polyfit(np.log(np.arange(1, 301)), np.log(frequency), 1)
    assert slope == pytest.approx(-1.0, abs=0.05)


@pytest.mark.slow
def test_memory_does_not_grow_with_the_text() -> None:
    def peak(tokens: int) -> int:
        tracemalloc.start()
        for _ in make_corpus.sentences(Settings(tokens=tokens, vocabulary=800), batch=256):
            pass
        _, most = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        return most

    assert peak(400_000) < 1.1 * peak(40_000)


# --- the truth ------------------------------------------------------------------------------------


def test_truth_has_the_size_asked_for(truth: dict[str, Any]) -> None:
    assert list(truth) == ["settings", "families", "analogies", "tokens", "lines"]
    assert Settings(**truth["settings"]) == LARGE
    assert [len(family) for family in truth["families"]] == [8] * 20
    words = [word for family in truth["families"] for word in family]
    grid = {word for question in truth["analogies"] for word in question}
    assert len(set(words)) == 160
    assert len(grid) == 20
    assert not grid & set(words)


def test_questions_are_every_ordered_pair_of_ten_stems(truth: dict[str, Any]) -> None:
    questions = truth["analogies"]
    assert len({tuple(question) for question in questions}) == 90
    form = dict(question[:2] for question in questions)
    assert len(form) == 10
    assert all(form[a] == a2 and form[b] == b2 and a != b for a, a2, b, b2 in questions)


@pytest.mark.parametrize(("stems", "questions"), [(0, 0), (2, 2), (9, 72), (30, 270)])
def test_questions_grow_with_the_stems_not_with_their_square(stems: int, questions: int) -> None:
    assert len(make_corpus.truth(Settings(tokens=0, analogies=stems))["analogies"]) == questions


def test_members_are_equally_frequent(text: list[list[str]], truth: dict[str, Any]) -> None:
    counts = Counter(word for line in text for word in line)
    expected = 0.55 * len(text) / 160
    for family in truth["families"]:
        for word in family:
            assert abs(counts[word] - expected) < 5 * expected**0.5


def test_a_sentence_holds_one_planted_word_at_most(
    text: list[list[str]], truth: dict[str, Any]
) -> None:
    planted = {word for family in truth["families"] for word in family}
    planted |= {word for question in truth["analogies"] for word in question}
    found = Counter(sum(word in planted for word in line) for line in text)
    assert set(found) == {0, 1}
    assert found[1] / len(text) == pytest.approx(0.75, abs=0.02)


def company(text: list[list[str]], words: list[str], least: float) -> set[str]:
    """Find, from the text alone, what has this share of its places within three of ``words``."""
    total = Counter(word for line in text for word in line)
    wanted, near = set(words), Counter[str]()
    for line in text:
        for place in (i for i, word in enumerate(line) if word in wanted):
            near.update(line[max(place - 3, 0) : place] + line[place + 1 : place + 4])
    return {word for word, count in near.items() if count >= max(least * total[word], 20)}


@pytest.mark.slow
def test_members_share_twelve_companions_each_of_two_families(
    text: list[list[str]], truth: dict[str, Any]
) -> None:
    found = [company(text, family, 0.3) for family in truth["families"]]
    for family, companions in zip(truth["families"], found, strict=True):
        assert len(companions) == 12
        for word in family:
            assert companions <= {other for line in text if word in line for other in line}
    assert set(Counter(word for companions in found for word in companions).values()) == {2}
    # No two families are alike for that.
    assert max(len(a & b) for a, b in itertools.combinations(found, 2)) == 1


@pytest.mark.parametrize("families", [1, 2, 3, 6, 7, 13, 40])
def test_few_families_too_have_twelve_companions_and_differ(families: int) -> None:
    settings = Settings(families=families, family_size=2)
    rows = make_corpus._language(settings).companions
    sets = [set(row) for row in rows[: settings.members].tolist()]
    assert all(len(companions) == 12 for companions in sets)
    assert sets[::2] == sets[1::2]
    assert all(len(a & b) <= 2 for a, b in itertools.combinations(sets[::2], 2))
    assert set(rows.ravel()) == set(range(settings.planted, settings.reserved))


def test_a_third_of_a_sentence_is_about_its_family(
    text: list[list[str]], truth: dict[str, Any]
) -> None:
    family = truth["families"][0]
    topic = company(text, family, 0.3) | set(family)
    lines = [line for line in text if set(line) & set(family)]
    share = sum(word in topic for line in lines for word in line) / sum(map(len, lines))
    assert share == pytest.approx(1 / 3, abs=0.02)


@pytest.mark.slow
def test_grid_words_share_companions_by_stem_and_by_form(
    text: list[list[str]], truth: dict[str, Any]
) -> None:
    pairs = list(dict.fromkeys((a, a2) for a, a2, _, _ in truth["analogies"]))
    stems = [company(text, list(pair), 0.95) for pair in pairs]
    forms = [company(text, list(words), 0.95) for words in zip(*pairs, strict=True)]
    assert [len(companions) for companions in stems + forms] == [6] * 12
    assert len(set().union(*stems, *forms)) == 72


def embed(text: list[list[str]]) -> tuple[dict[str, int], npt.NDArray[np.float32]]:
    """Count pairs in a window of five; give 50 components of their mutual information."""
    ids: dict[str, int] = {}
    rows = [np.array([ids.setdefault(word, len(ids)) for word in line]) for line in text]
    size = len(ids)
    counts = np.zeros(size * size)
    for distance in range(1, 6):
        pairs = np.concatenate([row[:-distance] * size + row[distance:] for row in rows])
        counts += np.bincount(pairs, minlength=size * size)
    together = counts.reshape(size, size)
    together += together.T
    sums = together.sum(axis=0)
    with np.errstate(divide="ignore"):
        information = np.log(together * sums.sum() / sums / sums[:, None])
    vectors = np.maximum(information, 0.0).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    similarity = vectors @ vectors.T
    # Subspace iteration: a full decomposition of 2,000 words takes far longer.
    basis = np.random.default_rng(0).standard_normal((size, 60)).astype(np.float32)
    for _ in range(8):
        basis, _ = np.linalg.qr(similarity @ basis)
    values, turn = np.linalg.eigh(basis.T @ similarity @ basis)
    vectors = (basis @ turn)[:, -50:] * values[-50:] ** 0.25
    return ids, vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


@pytest.mark.slow
def test_families_and_analogies_can_be_recovered(
    text: list[list[str]], truth: dict[str, Any]
) -> None:
    """Counting alone finds what was planted, so an embedding that does not is at fault."""
    ids, vectors = embed(text)
    words = list(ids)
    inside = []
    for family in truth["families"]:
        similarity = vectors[[ids[word] for word in family]] @ vectors.T
        nearest = np.argsort(-similarity, axis=1)[:, 1:6]
        inside += [words[i] in family for i in nearest.ravel()]
    right = []
    for a, a2, b, b2 in truth["analogies"]:
        score = vectors @ (vectors[ids[a2]] - vectors[ids[a]] + vectors[ids[b]])
        score[[ids[a], ids[a2], ids[b]]] = -np.inf
        right.append(words[int(score.argmax())] == b2)
    assert np.mean(inside) >= 0.98
    assert np.mean(right) >= 0.3  # CBOW reaches 1; a guess is right once in 2,000


# --- bad settings, and plain ones ----------------------------------------------------------------


@pytest.mark.parametrize(
    ("values", "found"),
    [
        ({"tokens": -1}, "tokens is -1"),
        ({"tokens": 1e6}, "tokens is 1000000.0"),
        ({"seed": True}, "seed is True"),
        ({"seed": -1}, "seed is -1"),
        ({"families": -1}, "families is -1"),
        ({"family_size": 1}, "family_size is 1"),
        ({"analogies": 1}, "analogies is 1"),
        ({"vocabulary": -1}, "vocabulary is -1"),
        ({"vocabulary": 0, "families": 0, "analogies": 0}, "vocabulary is 0"),
        ({"vocabulary": 372}, "vocabulary is 372, expected 373"),
        ({"vocabulary": 10_000_001}, "vocabulary is 10000001"),
    ],
)
def test_bad_settings_are_refused_in_one_sentence(values: dict[str, Any], found: str) -> None:
    with pytest.raises(ValueError, match="expected") as caught:
        Settings(**values)
    assert found in str(caught.value)
    assert "change" in str(caught.value)


@pytest.mark.parametrize(
    "values",
    [
        {"vocabulary": 373},
        {"vocabulary": 1, "families": 0, "analogies": 0},
        {"families": 0},
        {"analogies": 0},
        {"seed": 2**70},
    ],
)
def test_settings_at_the_edge_are_enough(values: dict[str, Any]) -> None:
    settings = Settings(tokens=3_000, **values)
    words = " ".join(make_corpus.sentences(settings)).split()
    answer = make_corpus.truth(settings)
    assert len(words) == 3_000
    assert len(answer["families"]) == settings.families
    assert bool(answer["analogies"]) == bool(settings.analogies)


# --- the command ----------------------------------------------------------------------------------


def test_the_command_writes_the_text_and_its_truth(tmp_path: Path) -> None:
    out = tmp_path / "text.txt"
    done = command(out, "--tokens", 5_000, "--vocabulary", 800, "--seed", 7)
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")
    assert out.read_bytes().decode("ascii") == "".join(
        sentence + "\n" for sentence in make_corpus.sentences(SMALL)
    )
    beside = tmp_path / "text.truth.json"
    assert json.loads(beside.read_text()) == make_corpus.truth(SMALL)
    assert sorted(tmp_path.iterdir()) == [beside, out]


@pytest.mark.slow
def test_standard_output_gets_the_same_bytes_and_the_truth_where_asked(tmp_path: Path) -> None:
    size = ("--tokens", 5_000, "--vocabulary", 800, "--seed", 7)
    command(tmp_path / "a", *size, "--truth", tmp_path / "a.json")
    done = command("-", *size, "--truth", tmp_path / "b.json")
    assert done.returncode == 0
    assert done.stdout == (tmp_path / "a").read_bytes()
    assert (tmp_path / "a.json").read_bytes() == (tmp_path / "b.json").read_bytes()
    assert len(list(tmp_path.iterdir())) == 3
    assert command("-", *size).stdout == done.stdout


def test_help_shows_the_defaults() -> None:
    done = command("--help")
    assert done.returncode == 0
    assert b"1000000" in done.stdout
    assert b"--family-size" in done.stdout


@pytest.mark.parametrize(
    "arguments", [[], ["x", "--tokens", "many"], ["x", "--unknown"]], ids=["none", "word", "flag"]
)
def test_wrong_usage_exits_with_2(arguments: list[str]) -> None:
    assert command(*arguments).returncode == 2


@pytest.mark.parametrize(
    ("arguments", "found"),
    [
        (["{}/x.txt", "--tokens", "-5"], "tokens is -5"),
        (["{}/x.txt", "--vocabulary", "100"], "vocabulary is 100"),
        (["{}/missing/x.txt"], "in no existing folder"),
        (["{}"], "not a regular file"),
        (["{}/x.txt", "--truth", "{}"], "not a regular file"),
        (["{}/x.txt", "--truth", "-"], "not a regular file"),
        (["{}/x.txt", "--truth", "{}/./x.txt"], "the text itself"),
        ([os.devnull], "not a regular file"),  # a rename would replace the device
    ],
)
def test_a_bad_request_is_one_sentence_and_leaves_nothing(
    arguments: list[str], found: str, tmp_path: Path
) -> None:
    done = command(*(argument.format(tmp_path) for argument in arguments))
    message = done.stderr.decode()
    assert done.returncode == 1
    assert done.stdout == b""
    assert message.startswith("make_corpus: ")
    assert message.count("\n") == 1
    assert found in message
    assert "expected" in message
    assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
@pytest.mark.parametrize("unbuffered", ["", "1"])
def test_a_reader_that_leaves_early_causes_no_traceback(
    unbuffered: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONUNBUFFERED", unbuffered)
    words = [sys.executable, str(SCRIPT), "-", "--tokens", "100000000"]
    with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        assert process.stdout.readline()
        process.stdout.close()
        message = process.stderr.read().decode()
        assert process.wait(60) == 1
    assert message.count("\n") == 1
    assert "Traceback" not in message


def test_a_failure_keeps_the_old_files_and_leaves_no_temporary(tmp_path: Path) -> None:
    def broken() -> Iterator[str]:
        yield "new\n"
        raise OSError("the disk is full")

    one, two = tmp_path / "one", tmp_path / "two"
    one.write_text("old\n")
    with pytest.raises(OSError, match="full"):
        make_corpus._write_all({one: ["new\n"], two: broken()})
    assert one.read_text() == "old\n"
    assert list(tmp_path.iterdir()) == [one]
    make_corpus._write_all({one: ["new\n"], two: ["new\n"]})
    assert one.read_text() == two.read_text() == "new\n"


def test_errors_of_the_system_say_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    assert make_corpus.main([str(tmp_path / "x.txt"), "--tokens", "100"]) == 1
    message = capsys.readouterr().err
    assert "No space left" in message
    assert "expected" in message
    assert message.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


def test_an_interrupt_exits_with_130_and_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*_: object) -> Iterator[str]:
        yield "word"
        raise KeyboardInterrupt

    monkeypatch.setattr(make_corpus, "sentences", interrupted)
    assert make_corpus.main([str(tmp_path / "x.txt")]) == 130
    assert list(tmp_path.iterdir()) == []


def test_a_link_is_followed_not_replaced(tmp_path: Path) -> None:
    (tmp_path / "real.txt").write_text("old")
    (tmp_path / "link.txt").symlink_to("real.txt")
    assert make_corpus.main([str(tmp_path / "link.txt"), "--tokens", "100"]) == 0
    assert (tmp_path / "link.txt").is_symlink()
    assert len((tmp_path / "real.txt").read_text().split()) == 100
