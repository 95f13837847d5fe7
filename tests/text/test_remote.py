"""Files behind addresses: a file system in memory, a web server that fails, a store like S3."""

import contextlib
import gzip
import http.server
import io
import itertools
import re
import subprocess
import sys
import threading
import zipfile
from pathlib import Path

import fsspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import cbow
from cbow.cli.train import main
from cbow.config import Config
from cbow.errors import CorpusError, OutputError
from cbow.text import encode_corpus, find_sources, remote
from cbow.text.fields import FieldReader
from cbow.text.reading import TextReader
from cbow.text.remote import Remote, RemoteFolder, download
from cbow.text.shards import deal
from cbow.text.sources import Sources

TEXT = "the king rules the land\nthe queen rules the land\n" * 20_000  # more than any buffer
DATA = TEXT.encode()
SMALL = ["--dimension", "2", "--epochs", "1", "--sample", "0", "--threads", "1"]


def read(corpus, **settings):
    """The text of each source."""
    return ["".join(parts) for parts in TextReader(**settings).texts(find_sources(corpus))]


@pytest.fixture
def memory():
    """A file system that is empty before and after."""
    files = fsspec.filesystem("memory")
    files.store.clear()
    files.pseudo_dirs[:] = [""]
    yield files
    files.store.clear()
    files.pseudo_dirs[:] = [""]


@pytest.fixture
def pauses(monkeypatch):
    """Wait for nothing; what was waited is listed."""
    waited = []
    monkeypatch.setattr(remote.time, "sleep", waited.append)
    return waited


class Server(http.server.BaseHTTPRequestHandler):
    """Sends ``DATA``, or what the path of the address says."""

    files: dict[str, bytes]
    seen: list[tuple[str, str | None]]
    protocol_version = "HTTP/1.1"

    def do_HEAD(self):
        self.answer(body=False)

    def do_GET(self):
        self.answer(body=True)

    def answer(self, body):
        name = self.path.strip("/").partition("?")[0]
        wanted = self.headers.get("Range")
        if body:
            self.seen.append((name, wanted))
        turn = sum(each == name for each, _ in self.seen) if body else 0
        kind = name.split(".")[0]
        if kind in ("403", "404", "503"):
            return self.send_error(int(kind))
        failures = {("gone", 2): 404, ("denied", 1): 403, ("busy", 1): 503, ("busy", 2): 429}
        if failure := failures.get((kind, turn)):
            return self.send_error(failure)
        data = self.files.get(name, DATA)
        start, end = 0, len(data)
        if wanted and kind != "plain":
            first, last = wanted.removeprefix("bytes=").split("-")
            start, end = int(first), int(last or end - 1) + 1
            self.send_response(206)
            self.send_header("Content-Range", f"bytes {start}-{end - 1}/{len(data)}")
        else:
            self.send_response(200)
        chunked = kind in ("chunked", "shrinks")
        if chunked:
            self.send_header("Transfer-Encoding", "chunked")
        else:
            self.send_header("Content-Length", str(end - start))
        if kind == "changing":
            self.send_header("ETag", f'"{len(self.seen)}"')
        self.send_header("Connection", "close")
        self.end_headers()
        if not body:
            return None
        # To know the size of what comes in chunks, it is asked for once before.
        drops = kind in ("drops", "plain", "changing", "chunked", "shrinks", "gone")
        if kind == "short" or (drops and turn == 1 + chunked):
            end = min(end, 600_000)
        elif kind == "shrinks":
            end, data = 1000, data[:1000]
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            if chunked:
                for at in range(start, end, 5000):
                    part = data[at : min(at + 5000, end)]
                    self.wfile.write(b"%x\r\n%s\r\n" % (len(part), part))
                if end == len(data):
                    self.wfile.write(b"0\r\n\r\n")
            else:
                self.wfile.write(data[start:end])
        return None


Server.log_message = lambda *_: None


@pytest.fixture
def web():
    """The address of a server on this machine, and what it was asked for."""
    handler = type("Handler", (Server,), {"files": {}, "seen": []})
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, args=[0.01])
    thread.start()
    handler.address = f"http://127.0.0.1:{server.server_port}"
    yield handler
    server.shutdown()
    thread.join()
    server.server_close()


# finding


@pytest.mark.parametrize("name", ["a b.txt", "two  spaces/ü.txt", "tab\t.txt", "a%20b.txt"])
def test_names_with_spaces(memory, name):
    memory.pipe(f"/t/{name}", DATA)
    assert [item.url for item in find_sources(f"memory://t/{name}").items] == [f"memory://t/{name}"]


def test_files_folders_and_patterns(memory):
    for name in ("b.txt", "a.txt.gz", "deep/c.TXT", "deep/d.md", ".h.txt", ".h/e.txt"):
        memory.pipe(f"/t/{name}", DATA)
    assert find_sources("memory://t/deep/d.md").items == (
        Remote(
            "memory://t/deep/d.md", len(DATA), find_sources("memory://t/deep/d.md").items[0].version
        ),
    )
    folder = find_sources("memory://t")
    assert [str(item) for item in folder.items] == [
        f"memory:///t/{name}" for name in ("a.txt.gz", "b.txt", "deep/c.TXT")
    ]
    assert folder.skipped == 1
    assert folder.size == 3 * len(DATA)
    found = find_sources(["memory://t/*.txt", "memory://t/deep/[cd].*"])
    assert [item.url.rpartition("/")[2] for item in found.items] == [
        ".h.txt",
        "b.txt",
        "c.TXT",
        "d.md",
    ]
    assert found.name == "the text (4 sources)"
    assert found.names == ["memory://t/*.txt", "memory://t/deep/[cd].*"]
    assert found.files == []


@pytest.mark.parametrize(
    ("address", "said"),
    [
        (
            "memory://t/no.txt",
            r"^there is nothing at 'memory://t/no\.txt'; check the address$",
        ),
        ("memory://t/*.xz", r"^no file matches 'memory://t/\*\.xz'; check the pattern$"),
        (
            "memory://t/",
            r"^the folder memory://t/ holds no file ending in \.txt .* 1 other; .*t/\*\*'$",
        ),
        (
            "nothing://t/a.txt",
            r"^'nothing://t/a\.txt' begins with nothing, which is no known scheme of addresses "
            r"\(known are abfs, .*, zip\)$",
        ),
        (
            "s33://bucket/x",
            r"^'s33://bucket/x' begins with s33, .* did you mean s3\? \(known are .*, s3, ",
        ),
    ],
)
def test_nothing_there(memory, address, said):
    memory.pipe("/t/a.md", b"")
    with pytest.raises(CorpusError, match=said):
        find_sources(address)


@pytest.mark.parametrize(("hidden", "package"), [("fsspec", r'"fsspec\[http\]"'), ("s3fs", "s3fs")])
def test_a_missing_package_is_named(monkeypatch, hidden, package):
    monkeypatch.delitem(sys.modules["fsspec.registry"]._registry, "s3", raising=False)
    for name in (hidden, f"{hidden}.core"):
        monkeypatch.setitem(sys.modules, name, None)
    said = rf"^'s3://b/a\.txt' is an .* takes {hidden}; install it: pip install {package}$"
    with pytest.raises(CorpusError, match=said):
        find_sources("s3://b/a.txt")


def test_what_stands_in_a_list(memory, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    memory.pipe("/t/a.txt", b"from afar")
    Path("b.txt").write_text("from here")
    for corpus in (["memory://t/a.txt", "b.txt"], ["b.txt", "memory://t/a.txt"]):
        assert sorted(read(corpus)) == ["from afar\n", "from here\n"]
    for texts in (["a text", "memory://t/a.txt"], ["memory://t/a.txt", "a text"]):
        assert find_sources(texts).texts is texts
    with pytest.raises(CorpusError, match=r"^there is no file 'c\.txt'; .* iter\(\[\.\.\.\]\)$"):
        find_sources(["memory://t/a.txt", "c.txt"])


def test_a_file_in_an_archive(memory, tmp_path):
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        for name in "ab":
            archive.writestr(f"{name}.txt", f"the {name}")
    assert read(f"zip://*.txt::{tmp_path}/a.zip") == ["the a\n", "the b\n"]


def test_the_import_stays_light():
    code = (
        "import sys, cbow, cbow.text.reading, cbow.text.encoded; "
        "print(*({'fsspec', 'aiohttp', 'pyarrow'} & {*sys.modules}))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "\n"


# reading


@pytest.mark.parametrize("pack", [bytes, gzip.compress])
def test_what_is_compressed_is_told_by_its_content(memory, web, pack):
    memory.pipe("/t/a", pack(DATA))
    web.files["a"] = pack(DATA)
    assert read(["memory://t/a", f"{web.address}/a"]) == [TEXT] * 2


def test_json_lines_behind_an_address_with_a_query(web):
    web.files["a.tsv"] = b"id,b\ttext\n1\tthe king\n"
    [parts] = TextReader().texts(find_sources(f"{web.address}/a.tsv?raw=1"), FieldReader("text"))
    assert "".join(parts) == "the king\n"


def test_a_pattern_on_the_page_of_a_folder(web):
    web.files["f"] = b'<a href="/f/a.txt">a</a> <a href="/f/b.txt">b</a> <a href="/f/c.md">c</a>'
    found = find_sources(f"{web.address}/f/*.txt").items
    assert found == tuple(
        Remote(f"{web.address}/f/{name}.txt", len(DATA), found[0].version) for name in "ab"
    )


def test_one_request_reads_a_file(web):
    assert read(f"{web.address}/a.txt?key=1") == [TEXT]
    assert web.seen == [("a.txt", None)]


@pytest.mark.parametrize("kind", ["drops", "plain", "chunked", "busy"])
def test_a_dropped_connection_goes_on_where_it_was(web, pauses, kind):
    """A server may send no parts but all again, and need not know how much that is."""
    assert read(f"{web.address}/{kind}.txt") == [TEXT]
    wanted = web.seen[-1][1]
    if kind in ("drops", "plain"):
        assert 0 < int(re.fullmatch(r"bytes=(\d+)-", wanted)[1]) <= 600_000
    else:
        assert wanted is None
    assert pauses == ([1.0, 2.0] if kind == "busy" else [1.0])


def test_a_file_that_ends_early(web, pauses):
    said = (
        rf"^'{web.address}/short\.txt' ends early, after [\d,]+ of 980,000 bytes \((?!400).*; "
        r"tried 5 times\); check the connection and the file, and start again$"
    )
    with pytest.raises(CorpusError, match=said):
        read(f"{web.address}/short.txt")
    assert pauses[-4:] == [1.0, 2.0, 4.0, 8.0]


def test_a_file_that_is_shorter_the_next_time(web, pauses):
    with pytest.raises(CorpusError, match=r"ends early, after [\d,]+ bytes \(no more bytes came; "):
        read(f"{web.address}/shrinks.txt")


@pytest.mark.parametrize(
    ("kind", "said"),
    [
        ("denied", r"^'.*' cannot be read \(403 Forbidden\); check the address"),
        ("404", r"^there is nothing at '.*'; check the address$"),
        ("403", r"^'.*' cannot be read \(403 Forbidden\); check the address, .* access to it$"),
        ("503", r"^'.*' cannot be read \(503 Service Unavailable\); check the address"),
    ],
)
def test_a_server_that_refuses(web, kind, said):
    with pytest.raises(CorpusError, match=said):
        read(f"{web.address}/{kind}.txt")


def test_a_server_that_is_not_there(web):
    with pytest.raises(CorpusError, match=r"^'http://127\.0\.0\.1:1/a' cannot be read \(.*connect"):
        find_sources("http://127.0.0.1:1/a")


def test_a_file_that_goes_or_changes_while_it_is_read(web, pauses):
    with pytest.raises(CorpusError, match=r"changing\.txt' has changed since .*; start again$"):
        read(f"{web.address}/changing.txt")
    with pytest.raises(CorpusError, match=r"^there is nothing at '.*gone\.txt'; check"):
        read(f"{web.address}/gone.txt")
    sources = find_sources(f"{web.address}/a.txt")
    web.files["a.txt"] = DATA + DATA
    with pytest.raises(CorpusError, match=r"has changed"):
        [*itertools.chain(*TextReader().texts(sources))]


@pytest.mark.parametrize("page", ["<!DOCTYPE html><html>", "\n<html lang=en>", "<?xml?><body>"])
def test_a_page_in_place_of_a_file(web, page, memory):
    web.files["a.txt"] = page.encode() * 9
    said = r"a\.txt answers with an HTML page, and not a text; give the address of the file itself"
    with pytest.raises(CorpusError, match=said):
        read(f"{web.address}/a.txt")
    memory.pipe("/a.txt", page.encode())
    assert len(read("memory://a.txt")) == 1


@given(st.lists(st.integers(0, 40), max_size=30), st.integers(0, 60), st.integers(1, 70))
def test_whatever_is_dropped_the_bytes_are_the_same(breaks, start, size):
    """A file breaks off after so many bytes, again and again, and fails to open in between."""
    data = bytes(range(60))
    left = iter(breaks)

    class File(io.BytesIO):
        def read(self, size):
            most = next(left, 99)
            if most == 1:
                raise ConnectionResetError("gone")
            return super().read(min(size, most))

    class Files:
        def open(self, *_, **__):
            return File(data)

        def info(self, _):
            return {"size": 60}

        def invalidate_cache(self):
            pass

    each = Remote("memory://a", 60, remote._version({"size": 60}))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(remote.time, "sleep", lambda _: None)
        patch.setattr(remote, "_file_system", lambda _: (Files(), ""))
        for whole in (True, False):
            file, got, failed = each.open(start, whole=whole).raw, b"", False
            try:
                while piece := file.read(size):
                    got += piece
            except CorpusError:
                failed = True
                assert len(breaks) >= 5
            assert file.tell() == start + len(got)
            assert got == data[start : start + len(got)]
            assert failed or start + len(got) == 60


# the whole way


def test_the_same_model_from_afar(memory, web, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    memory.pipe("/t/corpus.txt", DATA[:9800])
    Path("corpus.txt").write_bytes(DATA[:9800])
    web.files["corpus.txt"] = DATA[:9800]
    for number, name in enumerate(
        ["corpus.txt", "memory://t/corpus.txt", f"{web.address}/corpus.txt?k"]
    ):
        assert main([name, *SMALL]) == 0
        Path("corpus.safetensors").rename(str(number))
    assert Path("0").read_bytes() == Path("1").read_bytes() == Path("2").read_bytes()
    assert main([f"{web.address}/404.txt", *SMALL]) == 1
    assert "cbow-train: error: there is nothing at 'http://" in capsys.readouterr().err


def test_a_checkpoint_knows_the_address(memory, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    memory.pipe("/t/corpus.txt", DATA[:9800])
    Path("here.txt").write_bytes(DATA[:9800])
    sources = ["memory://t/corpus.txt", "here.txt"]

    class Stopped(cbow.training.Observer):
        def finished_epoch(self, epoch):
            raise KeyboardInterrupt

    settings = {"dimension": 2, "epochs": 2, "sample": 0, "threads": 1}
    whole = cbow.train(sources, **settings)
    with pytest.raises(KeyboardInterrupt):
        cbow.train(sources, **settings, checkpoint="c", checkpoint_every=0, observer=Stopped())
    resumed = cbow.resume("c")
    assert all((a == b).all() for a, b in zip(whole.parameters, resumed.parameters, strict=True))


def test_bytes_read_and_their_total(memory, tmp_path):
    memory.pipe("/t/a.txt", DATA)
    seen = []
    encode_corpus("memory://t/a.txt", Config(), folder=tmp_path, progress=seen.append)
    assert seen[-1][1:] == (len(DATA), len(DATA))


# a store like S3


@pytest.mark.slow
def test_a_store_like_s3(pauses, monkeypatch, tmp_path):
    pytest.importorskip("s3fs")
    server = pytest.importorskip("moto.server").ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    try:
        host, port = server.get_host_and_port()
        for name, value in {
            "AWS_ENDPOINT_URL": f"http://{host}:{port}",
            "AWS_ACCESS_KEY_ID": "k",
            "AWS_SECRET_ACCESS_KEY": "s",
            "AWS_DEFAULT_REGION": "us-east-1",
        }.items():
            monkeypatch.setenv(name, value)
        store = fsspec.filesystem("s3", skip_instance_cache=True)
        store.mkdir("bucket")
        big = DATA * 20  # more than two blocks
        for name, data in {
            "a.txt": DATA,
            "deep/b.txt.gz": gzip.compress(DATA),
            "c.txt": big,
        }.items():
            store.pipe(f"bucket/t/{name}", data)
        fsspec.filesystem("s3").invalidate_cache()
        assert read(["s3://bucket/t/a.txt", "s3://bucket/t/deep/*"]) == [TEXT] * 2
        assert read("s3://bucket/t")[1] == TEXT * 20
        with pytest.raises(
            CorpusError, match=r"^there is nothing at 's3://bucket/t/no\.txt'; check"
        ):
            find_sources("s3://bucket/t/no.txt")
        with pytest.raises(CorpusError, match=r"^there is nothing at 's3://other/a\.txt'; check"):
            find_sources("s3://other/a.txt")

        (tmp_path / "model").write_bytes(big)
        folder = RemoteFolder("s3://bucket/models")
        for _ in range(2):
            assert folder.copy(tmp_path / "model") == "s3://bucket/models/model"
        assert [store.cat(f"s3://{each}") for each in store.find("bucket/models")] == [big]
        (tmp_path / "here").mkdir()
        assert download("s3://bucket/models/model", tmp_path / "here").read_bytes() == big
        folder.remove("model")
        store.invalidate_cache()
        assert store.find("bucket/models") == []
        with pytest.raises(
            OutputError, match=r"'s3://other/x' does not let us write there \(.*\);"
        ):
            RemoteFolder("s3://other/x")
    finally:
        server.stop()


# dealt out to workers


@pytest.mark.parametrize("workers", [1, 2, 3, 7])
def test_each_worker_reads_its_part(memory, workers):
    texts = {"t/a.txt": "a king\n" * 50, "t/b.txt": "one queen\n" * 500, "t/c.txt": "rules\n"}
    for name, text in texts.items():
        memory.pipe(f"/{name}", text.encode())
    shards = deal(find_sources("memory://t"), workers, Config())
    parts = ["".join(map("".join, TextReader().texts(shard))) for shard in shards]
    assert "".join(parts) == "".join(texts.values())
    size = len("".join(parts)) / workers
    assert all(abs(len(part) - size) < 20 for part in parts)
    assert [shard.size for shard in shards] == list(map(len, parts))


def test_a_part_of_a_file_of_a_web_server(web):
    web.files["a.txt"] = DATA
    first, second = deal(find_sources(f"{web.address}/a.txt"), 2, Config())
    web.seen.clear()
    assert list(map("".join, TextReader().texts(second))) == [TEXT[second.items[0].start :]]
    assert web.seen == [("a.txt", f"bytes={second.items[0].start}-")]
    assert list(map("".join, TextReader().texts(first))) == [TEXT[: first.items[0].stop]]
    web.files["a.txt"] = b"<!DOCTYPE html><html>Not here" + DATA
    first, _ = deal(find_sources(f"{web.address}/a.txt"), 2, Config())
    with pytest.raises(CorpusError, match="page"):
        list(map("".join, TextReader().texts(first)))


def test_small_files_are_not_looked_into_to_deal_them_out(web):
    for i in range(4):
        web.files[f"{i}.txt"] = DATA
    sources = find_sources([f"{web.address}/{i}.txt" for i in range(4)])
    assert [len(shard.items) for shard in deal(sources, 4, Config())] == [1, 1, 1, 1]
    assert web.seen == []


def test_what_has_no_size_cannot_be_dealt_out(web):
    sources = Sources((Remote(f"{web.address}/a.txt", None),))
    with pytest.raises(CorpusError, match=r"does not tell the size of http.*copy it to a file"):
        deal(sources, 2, Config())


@pytest.mark.slow
def test_workers_read_an_address_as_they_do_a_file(memory, tmp_path):
    text = Path(__file__).parents[2].joinpath("corpora", "alder.txt").read_bytes()
    (tmp_path / "a.txt").write_bytes(text)
    memory.pipe("/t/a.txt", text)
    models = [
        cbow.train(corpus, workers=2, cluster="serial", dimension=5, epochs=1)
        for corpus in (tmp_path / "a.txt", "memory://t/a.txt")
    ]
    for one, other in zip(*(model.parameters for model in models), strict=True):
        np.testing.assert_array_equal(one, other)
