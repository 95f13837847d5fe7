"""The page over HTTP, for this machine alone."""

from __future__ import annotations

from http import HTTPStatus
from http.server import BaseHTTPRequestHandler
from socketserver import TCPServer, ThreadingMixIn
from typing import Final

from cbow.errors import ConfigError

#: Nobody else on the network can reach this address.
LOOPBACK: Final = "127.0.0.1"

#: A page in another tab can neither frame this one nor read it, and nothing of it is kept.
HEADERS: Final = {
    "Content-Type": "text/html; charset=utf-8",
    "Content-Security-Policy": "frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}


class Server(ThreadingMixIn, TCPServer):
    """Serves one page at the address `/`, to whoever asks by a name of this machine.

    It takes the port at once, and answers from `serve_forever` on.

    Parameters
    ----------
    port : int
        0 lets the system choose.

    Raises
    ------
    ConfigError
        If the port cannot be had.
    """

    allow_reuse_address = True  # at once again, after an end a moment ago
    daemon_threads = True  # a browser that keeps a connection open does not keep us alive
    page = b""  #: the page, in UTF-8

    def __init__(self, port: int) -> None:
        try:
            super().__init__((LOOPBACK, port), Handler)
        except OSError as error:
            raise ConfigError(
                f"port {port} cannot be used ({error.strerror}); give another one, or --serve "
                "alone, which takes any that is free"
            ) from error

    @property
    def address(self) -> str:
        """The address to open."""
        return f"http://{LOOPBACK}:{self.server_address[1]}/"

    @property
    def hosts(self) -> set[str]:
        """What the browser may call us; any other name would be that of a site which is not us."""
        names = LOOPBACK, "localhost"
        return {*names, *(f"{name}:{self.server_address[1]}" for name in names)}

    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing of a browser that leaves before the page has come."""


class Handler(BaseHTTPRequestHandler):
    """Answers one request."""

    server: Server
    server_version, sys_version = "cbow", ""
    timeout = 30  # seconds, for whoever connects and says nothing

    def do_GET(self) -> None:
        """Send the page."""
        if self._begin():
            self.wfile.write(self.server.page)

    def do_HEAD(self) -> None:
        """Send the headers of the page."""
        self._begin()

    def _begin(self) -> bool:
        """Send the headers, or refuse; say whether the page follows."""
        if self.headers.get("Host") not in self.server.hosts:
            self.send_error(HTTPStatus.MISDIRECTED_REQUEST)
            return False
        if self.path.partition("?")[0] != "/":
            self.send_error(HTTPStatus.NOT_FOUND)
            return False
        self.send_response(HTTPStatus.OK)
        for name, value in HEADERS.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(self.server.page)))
        self.end_headers()
        return True

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing: standard error is for what goes wrong."""
