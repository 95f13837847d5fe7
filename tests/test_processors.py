"""How many processors there are."""

from cbow.processors import processors


def test_as_many_as_this_process_may_use(monkeypatch):
    monkeypatch.setattr("os.sched_getaffinity", lambda _: {3, 5, 7}, raising=False)
    assert processors() == 3
    monkeypatch.delattr("os.sched_getaffinity")
    monkeypatch.setattr("os.cpu_count", lambda: 4)
    assert processors() == 4
    monkeypatch.setattr("os.cpu_count", lambda: None)
    assert processors() == 1
