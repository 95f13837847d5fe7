"""The rule beside its neighbours: what the script prints, and the texts it makes."""

import json
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest
from load_script import load_script

SCRIPT = Path(__file__).parents[2] / "scripts" / "bench_defaults.py"


@pytest.fixture(scope="module")
def script():
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(SCRIPT.parent))  # it uses another
        return load_script("bench_defaults")


@pytest.mark.slow
def test_the_rule_beside_other_settings():
    command = [sys.executable, SCRIPT, "shop:3000", "--runs", "rule", "epochs=1,window=2"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    machine, rule, other, *means, last = (json.loads(line) for line in done.stdout.splitlines())
    assert machine["versions"]["numpy"]
    assert (rule["run"], rule["epochs"], rule["window"]) == ("rule", 10, 3)
    assert (other["run"], other["epochs"], other["window"]) == ("epochs=1,window=2", 1, 2)
    assert [mean["score"] for mean in means] == [rule["score"], other["score"]]
    assert 0 < rule["score"] <= 100
    assert last["rule_behind"] == pytest.approx(max(0, other["score"] - rule["score"]))


def test_twins_share_the_places_of_a_word(script, monkeypatch):
    monkeypatch.setattr(script, "OFTEN", 0.01)
    lines = [["a", "b", f"c{i % 40}", "d"] for i in range(4000)]
    tossed, pairs = script.with_twins(lines)
    assert [[word.split(script.MARK)[0] for word in line] for line in tossed] == lines
    counts = Counter(word for line in tossed for word in line)
    assert len(pairs) == 20
    for one, other in pairs:
        assert counts[one] + counts[other] == 100
        assert min(counts[one], counts[other]) > 20
    assert counts["a"] == 4000  # too frequent


def test_made_up_texts(script):
    baskets, groups = script.shop(5000)
    assert 5000 <= sum(map(len, baskets)) < 5010
    assert len({product for group in groups for product in group}) == 8 * len(groups)
    words = "".join(script.zipf(2500, words=50, together=1000)).split()
    assert len(words) == 2500
    assert Counter(words).most_common(1)[0][0] == "w0"


def test_found_is_the_share_of_the_nearest_that_are_of_the_family(script):
    import cbow

    vectors = cbow.WordVectors(["a", "b", "c", "d"], [[1, 0], [1, 0.1], [0, 1], [0.5, 1]])
    assert script.recovered(vectors, [["a", "b"], ["c", "d"], ["a", "missing"]]) == 100
    assert script.recovered(vectors, [["a", "c"]]) == 0
