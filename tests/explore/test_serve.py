"""The page over HTTP: to this machine alone, with safe headers, and nothing else."""

import http.client
import socket
import threading

import pytest

from cbow.errors import ConfigError
from cbow.explore.serve import HEADERS, Server

PAGE = "<p>naïve</p>".encode()


@pytest.fixture
def server():
    with Server(0) as server:
        server.page = PAGE
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def ask(server, method="GET", path="/", host=None):
    connection = http.client.HTTPConnection("127.0.0.1", server.server_address[1], timeout=30)
    connection.request(method, path, headers={} if host is None else {"Host": host})
    answer = connection.getresponse()
    content = answer.read()
    connection.close()
    return answer, content


def test_the_page(server):
    answer, content = ask(server)
    assert (answer.status, content) == (200, PAGE)
    assert answer.headers["Content-Length"] == str(len(PAGE))
    assert answer.headers["Content-Type"] == "text/html; charset=utf-8"
    for name, value in HEADERS.items():
        assert answer.headers[name] == value
    assert "Python" not in answer.headers["Server"]


def test_a_question_in_the_address_does_not_matter(server):
    assert ask(server, path="/?x=1")[1] == PAGE


def test_only_the_headers(server):
    answer, content = ask(server, "HEAD")
    assert (answer.status, content) == (200, b"")
    assert answer.headers["Content-Length"] == str(len(PAGE))


@pytest.mark.parametrize("path", ["/favicon.ico", "/etc/passwd", "/../../etc/passwd", "//x", "*"])
def test_there_is_nothing_else(server, path):
    answer, content = ask(server, path=path)
    assert answer.status == 404
    assert PAGE not in content


def test_nothing_can_be_sent(server):
    assert ask(server, "POST")[0].status == 501


@pytest.mark.parametrize("host", ["evil.example", "evil.example:80", "127.0.0.1.evil.example", ""])
def test_a_site_that_claims_this_address_gets_nothing(server, host):
    answer, content = ask(server, host=host)
    assert answer.status == 421
    assert PAGE not in content


def test_names_of_this_machine(server):
    port = server.server_address[1]
    for host in ("localhost", "127.0.0.1", f"localhost:{port}", f"127.0.0.1:{port}"):
        assert ask(server, host=host)[1] == PAGE


def test_it_listens_to_this_machine_alone(server):
    assert server.server_address[0] == "127.0.0.1"
    assert server.address == f"http://127.0.0.1:{server.server_address[1]}/"


def test_a_port_that_is_taken():
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        with pytest.raises(ConfigError, match=f"port {port} cannot be used .*; give another one"):
            Server(port)


def test_a_browser_that_leaves_is_no_news(server, capfd):
    ask(server)
    server.handle_error(None, None)
    with socket.create_connection(server.server_address[:2]) as rude:
        rude.sendall(b"GET / HTTP/1.0\r\n")
    with socket.create_connection(server.server_address[:2]) as ruder:
        ruder.sendall(b"\x00\xff\r\n\r\n")
        assert b"400" in ruder.recv(1000)
    assert capfd.readouterr() == ("", "")
