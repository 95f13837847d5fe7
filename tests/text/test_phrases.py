import itertools
from types import SimpleNamespace

import naive_text
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import cbow.text.encoded as encoded_module
import cbow.text.numbering as numbering_module
import cbow.text.phrases as phrases_module
from cbow.config import Config
from cbow.errors import ConfigError, CorpusError
from cbow.text import encode_corpus
from cbow.text.phrases import best_of, join_known

#: "new york" always stands together, "the" with everybody.
TEXT = ["the new york", "the old town", "new york the", "the town is old", "old is new"] * 8


def lines_of(encoded):
    words = [encoded.vocabulary.word(i) for i in encoded.ids]
    return [words[a:b] for a, b in itertools.pairwise(encoded.line_starts)]


def encode(corpus, folder, **settings):
    return encode_corpus(
        corpus, Config(**{"min_count": 1, "phrases": 1, **settings}), folder=folder
    )


def test_words_that_stand_together_become_one(tmp_path):
    encoded = encode(TEXT, tmp_path, phrase_threshold=0.5)
    assert lines_of(encoded)[:3] == [
        ["the", "new_york"],
        ["the", "old", "town"],
        ["new_york", "the"],
    ]
    assert encoded.vocabulary.counts[encoded.vocabulary["new_york"]] == 16
    assert encoded.vocabulary.counts[encoded.vocabulary["new"]] == 8
    assert "york" not in encoded.vocabulary
    (phrase,) = encoded.phrases
    # 16 of the 24 new, all of the york; 6 words and 10 pairs
    assert phrase == ("new_york", (16 - 1) / (24 * 16) * 16, 16)


def test_every_token_is_accounted_for(tmp_path):
    encoded = encode(
        [*TEXT, "rare"], tmp_path, phrase_threshold=0.5, min_count=2, stop_words=["is"]
    )
    account = encoded.account
    assert account.read == 8 * 16 + 1
    assert (account.joined, account.rare, account.stop) == (16, 1, 16)
    assert account.kept == account.read - 16 - 1 - 16
    assert account.sentences()[1] == "16 tokens joined to the token before, in phrases"


def test_a_text_without_phrases(tmp_path):
    encoded = encode(TEXT, tmp_path, phrases=5, phrase_threshold=1000)
    assert encoded.phrases == []
    assert encoded.account.joined == 0
    assert best_of(encoded.phrases) == {"found": 0, "best": [], "most_frequent": []}


# equal to the plain way, and to gensim, whatever the sizes of blocks and shares

WORD = st.sampled_from(["a", "b", "c", "d", "a_b", "'", ""])
LINES = st.lists(st.lists(WORD, max_size=12), min_size=1, max_size=6)


@pytest.fixture(scope="module")
def spools(tmp_path_factory):
    return tmp_path_factory.mktemp("phrases")


def joined_text(lines, folder, config):
    """Return the lines that `join_phrases` makes of others, their account, and the phrases."""
    numbering = numbering_module.TokenNumbering()
    with encoded_module.Spool(folder / "provisional") as spool:
        for line in lines:
            spool.add(numbering.number(line, [len(line)]))
        phrases = phrases_module.join_phrases(spool, numbering, config)
        numbers = [int(n) for block in spool.blocks() for n in block]
    counts = numbering.counts()
    words = numbering.words(np.arange(len(counts)))
    found, line = [], []
    for n in numbers:
        if n == numbering_module.LINE_END:
            found.append(line)
            line = []
        else:
            line.append(words[n])
    flat = [word for line in found for word in line]
    assert [flat.count(word) for word in words] == counts.tolist()
    return found, phrases


SETTINGS = st.builds(
    lambda phrases, min_count, threads, score: Config(
        phrases=phrases, min_count=min_count, threads=threads, phrase_score=score[0],
        phrase_threshold=score[1],
    ),
    st.integers(1, 3),
    st.integers(1, 3),
    st.sampled_from([1, 2]),
    st.sampled_from([("counts", 0.1), ("counts", 1.0), ("npmi", 1e-9), ("npmi", 0.3)]),
)  # fmt: skip


@pytest.mark.slow
@given(
    lines=LINES,
    config=SETTINGS,
    chunk=st.integers(1, 5),
    share=st.sampled_from([1, 4, 100]),
)
def test_equals_the_plain_way(lines, config, chunk, share, spools):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(encoded_module, "CHUNK", chunk)
        patch.setattr(phrases_module, "_SHARE", share)
        patch.setattr(phrases_module, "_MOST_SHARES", 4)
        found, phrases = joined_text(lines, spools, config)
    expected, scored = naive_text.joined(
        lines,
        config.phrases,
        config.min_count,
        config.phrase_score,
        config.phrase_threshold,
    )
    assert found == expected
    assert {phrase.word: (phrase.score, phrase.times) for phrase in phrases} == scored
    assert phrases == sorted(phrases, key=lambda phrase: (-phrase.score, phrase.word))


@pytest.mark.slow
@given(
    lines=st.lists(st.lists(st.sampled_from("abcd"), max_size=12), min_size=1, max_size=6),
    min_count=st.integers(1, 3),
    score=st.sampled_from([("counts", "default", 0.1), ("counts", "default", 1.0),
                     ("npmi", "npmi", 1e-9), ("npmi", "npmi", 0.3)]),
)  # fmt: skip
def test_the_same_words_as_gensim(lines, min_count, score, spools):
    gensim = pytest.importorskip("gensim.models.phrases")
    name, scoring, threshold = score
    theirs = gensim.Phrases(lines, min_count=min_count, threshold=threshold, scoring=scoring)
    config = Config(phrases=1, min_count=min_count, phrase_score=name, phrase_threshold=threshold)
    found, _ = joined_text(lines, spools, config)
    assert found == [theirs[line] for line in lines]
    assert found == [theirs.freeze()[line] for line in lines]


def test_the_same_words_as_gensim_in_two_passes(spools):
    gensim = pytest.importorskip("gensim.models.phrases")
    rng = np.random.default_rng(1)
    p = 1 / np.arange(1, 41)
    words = [chr(65 + n // 8) + chr(97 + n % 8) for n in range(40)]
    lines = [rng.choice(words, rng.integers(0, 12), p=p / p.sum()).tolist() for _ in range(300)]
    for line in lines:
        if rng.random() < 0.2:
            line += ["new", "york", "city"]
    expected = lines
    for _ in range(2):
        theirs = gensim.Phrases(expected, min_count=3, threshold=4)
        expected = [theirs[line] for line in expected]
    config = Config(phrases=2, min_count=3, phrase_threshold=4)
    found, phrases = joined_text(lines, spools, config)
    assert found == expected
    assert "new_york_city" in {phrase.word for phrase in phrases}


def test_same_bytes_at_any_number_of_threads_and_by_compiled_code(tmp_path, monkeypatch):
    rng = np.random.default_rng(2)
    path = tmp_path / "a.txt"
    path.write_text("\n".join(" ".join(rng.choice(list("abcdefgh"), 9)) for _ in range(200)))
    monkeypatch.setattr(phrases_module, "_SHARE", 300)
    found = set()
    for few, threads in [(10**6, 1), (0, 1), (0, 2), (1000, 3)]:
        monkeypatch.setattr(numbering_module, "FEW", few)
        encoded = encode(path, tmp_path, phrases=2, phrase_threshold=0.035, threads=threads)
        written = [(tmp_path / name).read_bytes() for name in ("ids.int32", "line_starts.int64")]
        found.add((*written, encoded.vocabulary.words, encoded.account, tuple(encoded.phrases)))
    assert len(found) == 1
    assert encoded.account.joined > 200


def test_a_phrase_that_the_text_has_as_a_word(tmp_path):
    lines = [["new", "york"], ["new_york", "x"], ["x", "new", "york"]] * 5
    encoded = encode(lines, tmp_path, phrase_threshold=0.6)
    assert lines_of(encoded)[:3] == [["new_york"], ["new_york", "x"], ["x", "new_york"]]
    assert dict(zip(encoded.vocabulary, encoded.vocabulary.counts, strict=True)) == {
        "new_york": 15, "x": 10,
    }  # fmt: skip


def test_words_of_a_list_may_be_phrases(tmp_path):
    kept = encode(TEXT, tmp_path, phrase_threshold=0.5, max_vocabulary=2, keep_words=["New York"])
    assert set(kept.vocabulary) == {"the", "new_york"}
    assert kept.account.absent == 0
    stopped = encode(TEXT, tmp_path, phrase_threshold=0.5, stop_words=["new_york", "the"])
    assert stopped.account.stop == 16 + 32
    assert "new_york" not in stopped.vocabulary


@pytest.mark.parametrize(
    ("corpus", "said"),
    [
        (["new york"] * 9, r"^only one word of the text is left, 'new_york', .*; raise phrase_t"
         r"hreshold / --phrase-threshold, so that fewer words are joined and give more text$"),
        (["new york", "old town"] * 9, r"^no line of the text holds two of the words .*"
         r"raise max_vocabulary / --max-vocabulary, or raise phrase_threshold / --phrase-thr.*$"),
    ],
)  # fmt: skip
def test_too_little_is_left(corpus, said, tmp_path):
    with pytest.raises(CorpusError, match=said):
        encode(corpus, tmp_path, phrase_score="npmi")


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"phrases": -1}, "phrases is -1, but must be a whole number from 0 to 5"),
        ({"phrases": 6}, "phrases is 6, but must be a whole number from 0 to 5"),
        ({"phrases": 1.5}, "phrases is 1.5, but must be a whole number from 0 to 5"),
        ({"phrase_score": "pmi"}, "phrase_score is 'pmi', but must be one of counts, npmi"),
        ({"phrase_threshold": 0}, "phrase_threshold is 0, but must be a finite number above 0"),
        ({"phrase_threshold": float("nan")}, "phrase_threshold is nan, but must be a finite numb"),
        (
            {"phrase_threshold": 3},
            "phrase_threshold is 3, but phrases is 0, so that none are joined; set phrases, for "
            "example to 1, or leave phrase_threshold out",
        ),
        (
            {"phrases": 1, "phrase_score": "npmi", "phrase_threshold": 10},
            "phrase_threshold is 10, but phrase_score is npmi, which is 1 at most; set a threshold "
            "below 1, for example 0.5",
        ),
    ],
)
def test_settings_that_make_no_sense(settings, said):
    with pytest.raises(ConfigError) as caught:
        Config(**settings)
    assert str(caught.value).startswith(said)


def test_settings_are_saved_where_they_are_used():
    assert not {"phrases", "phrase_score", "phrase_threshold"} & Config().to_dict().keys()
    used = Config(phrases=2, phrase_score="npmi", phrase_threshold=0.4)
    assert used.to_dict()["phrases"] == 2
    assert Config.from_dict(used.to_dict()) == used


def test_known_phrases_are_joined_from_left_to_right():
    known = {"a_b", "b_c", "a_b_c_d", "c_d_e"}
    assert join_known(["a", "b", "c"], known, 1) == ["a_b", "c"]
    assert join_known(["a", "b", "c", "d", "e"], known, 1) == ["a_b", "c", "d", "e"]
    assert join_known(["a", "b", "c", "d", "e"], known, 2) == ["a_b_c_d", "e"]
    assert join_known(["x", "c", "d", "e"], known, 2) == ["x", "c_d_e"]
    assert join_known([], known, 2) == []


def test_the_best_phrases():
    phrases = [SimpleNamespace(word=f"w{i}", score=50 - i, times=i, _asdict=lambda i=i: i)
               for i in range(50)]  # fmt: skip
    assert best_of(phrases) == {
        "found": 50, "best": [*range(30)], "most_frequent": [*range(49, 19, -1)],
    }  # fmt: skip
