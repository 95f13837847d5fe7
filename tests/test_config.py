"""Settings: ranges, types, and the flags, help and table that derive from them."""

import dataclasses
import inspect
import json
from pathlib import Path

import pytest

from cbow.cli.arguments import default_text, flag, settings
from cbow.cli.train import _parser
from cbow.config import Config
from cbow.errors import CBOWError, ConfigError, shown


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("dimension", 0),
        ("dimension", -3),
        ("dimension", 2.5),
        ("dimension", "100"),
        ("dimension", True),
        ("dimension", None),
        ("window", 0),
        ("epochs", -1),
        ("batch", 0),
        ("min_count", 0),
        ("max_vocabulary", 0),
        ("threads", 0),
        ("seed", -1),
        ("seed", 2**63),
        ("sample", -1e-4),
        ("sample", 1.0),
        ("sample", float("nan")),
        ("heldout", 1.0),
        ("heldout", float("inf")),
        ("learning_rate", float("nan")),
        ("learning_rate", 0.0),
        ("learning_rate", float("inf")),
        ("learning_rate", 10**400),
        ("activation", "tanh"),
        ("optimizer", ""),
        ("tokenizer", 3),
        ("errors", "ignore"),
        ("encoding", b"utf-8"),
        ("normalise", "nfd"),
        ("normalise", None),
        ("keep_case", 1),
        ("keep_case", "yes"),
        ("keep_case", None),
        ("keep_words", "words.txt"),
        ("keep_words", b"words"),
        ("keep_words", {"the": 1}),
        ("keep_words", 7),
        ("stop_words", ["the", ""]),
        ("stop_words", ["the", 7]),
        ("stop_words", [["the"]]),
    ],
)
def test_a_value_outside_its_range_is_named(name, value):
    with pytest.raises(ConfigError) as caught:
        Config(**{name: value})
    message = str(caught.value)
    assert message.startswith(f"{name} is {shown(value)}, but must be ")
    assert isinstance(caught.value, CBOWError)
    assert isinstance(caught.value, ValueError)


def test_numbers_become_the_type_of_the_setting():
    np = pytest.importorskip("numpy")
    config = Config(dimension=np.int64(7), sample=0, learning_rate=1)
    assert type(config.dimension) is int
    assert type(config.sample) is float
    assert type(config.learning_rate) is float
    json.dumps(config.to_dict())


def test_words_are_in_an_order_that_stays():
    assert Config(stop_words={"the", "a"}).stop_words == ("a", "the")
    assert Config(keep_words=iter(["the", "a", "the"])).keep_words == ("a", "the")
    assert Config(keep_words=[]).keep_words == ()


def test_a_word_cannot_be_both_kept_and_left_out():
    with pytest.raises(
        ConfigError, match=r"^'the' is among both keep_words and stop_words; take it"
    ):
        Config(keep_words=["king", "the"], stop_words=["the", "a"])


def test_settings_that_came_later_are_saved_where_they_differ():
    later = {"normalise": "nfc", "keep_case": True, "keep_words": ("a",), "stop_words": ()}
    assert not later.keys() & Config().to_dict().keys()
    saved = json.loads(json.dumps(Config(**later).to_dict()))
    assert saved == {**Config().to_dict(), **later, "keep_words": ["a"], "stop_words": []}
    assert Config.from_dict(saved) == Config(**later)


def test_it_cannot_be_changed_but_replaced():
    config = Config()
    with pytest.raises(dataclasses.FrozenInstanceError):
        config.window = 3
    assert config.replace({"window": 3}).window == 3
    assert config.window is None


def test_an_unknown_setting_is_named():
    for create in (lambda **wrong: Config(**wrong), Config.from_dict, Config().replace):
        with pytest.raises(ConfigError, match="no setting 'colour'; the settings are tokenizer, "):
            create(colour=1) if create.__name__ == "<lambda>" else create({"colour": 1})
    with pytest.raises(TypeError, match="positional"):
        Config(*range(100))


def test_settings_of_other_packages_are_told_all_at_once():
    with pytest.raises(
        ConfigError,
        match=r"^there is no setting 'vector_size': use dimension; no setting 'thread': use "
        r"threads \(all .* any number\); no setting 'sg': only CBOW .* leave it out$",
    ):
        Config(vector_size=100, thread=4, sg=0, window=5)


def test_its_signature_shows_the_settings():
    assert list(inspect.signature(Config).parameters) == list(settings())


def test_a_round_trip_through_json_leaves_out_the_threads():
    config = Config(dimension=7, max_vocabulary=50, threads=3)
    saved = json.loads(json.dumps(config.to_dict()))
    assert "threads" not in saved
    assert Config.from_dict(saved) == dataclasses.replace(config, threads=None)


def test_every_setting_has_a_flag_with_help_and_default():
    text = " ".join(_parser().format_help().split())
    assert list(settings()) == [entry.name for entry in dataclasses.fields(Config)]
    for name, option in settings().items():
        assert flag(name) in text
        assert f"{option.help} (default: {default_text(option)})" in text


def test_flags_set_what_they_name():
    arguments = _parser().parse_args(["x.txt", "--min-count", "2", "--sample", "1e-3"])
    assert (arguments.min_count, arguments.sample) == (2, 1e-3)
    assert not hasattr(arguments, "keep_case")
    assert _parser().parse_args(["x.txt", "--keep-case"]).keep_case is True
    assert not hasattr(arguments, "dimension")  # the default stays with Config


def test_the_table_in_the_docs_is_this_one():
    rows = ["| setting | flag | default | range | meaning |", "|---|---|---|---|---|"]
    for entry in dataclasses.fields(Config):
        more, symbol = entry.metadata, entry.metadata.get("symbol")
        name = f"`{entry.name}`" + (f" ({symbol})" if symbol else "")
        expected = more["allowed"].expected if more["allowed"] else "text"
        if more.get("choices"):
            expected = f"one of {', '.join(more['choices'])}"
        default = default_text(settings(entry.name)[entry.name])
        cells = name, f"`{flag(entry.name)}`", default, expected, more["help"]
        rows.append(f"| {' | '.join(cells)} |")
    table, page = "\n".join(rows), Path(__file__).parents[1] / "docs" / "settings.md"
    assert table in page.read_text(encoding="utf-8"), f"docs/settings.md must have\n{table}"
