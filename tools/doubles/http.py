"""A threaded HTTP/1.1 server around one function from request to answer."""

import contextlib
import json
import socket
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit


class Dropped(Exception):
    """The connection is to be closed without an answer, as a network does when it fails."""


@dataclass(frozen=True)
class Request:
    """One request. Header names are in lower case."""

    method: str
    path: str
    query: str
    headers: Mapping[str, str]
    body: bytes

    @property
    def base(self) -> str:
        """The server's own address, as the client named it."""
        return f"http://{self.headers['host']}"

    @property
    def arguments(self) -> dict[str, str]:
        """The flat query string."""
        return dict(parse_qsl(self.query, keep_blank_values=True))

    def form(self) -> dict[str, Any]:
        """The query string of a GET or DELETE, else the form-encoded body, with nested keys as nested values."""
        text = self.query if self.method in ("GET", "DELETE") else self.body.decode()
        return nested(parse_qsl(text, keep_blank_values=True))

    def json(self) -> dict[str, Any]:
        """The JSON body; an empty one is an empty object."""
        body = json.loads(self.body or b"{}")
        if not isinstance(body, dict):
            raise ValueError("the body must be a JSON object")
        return body


@dataclass(frozen=True)
class Answer:
    """What goes back."""

    status: int
    body: bytes = b""
    content_type: str = "application/json"
    headers: Mapping[str, str] = field(default_factory=dict)

    @staticmethod
    def json(body: object, status: int = 200, headers: Mapping[str, str] | None = None) -> "Answer":
        """`body` as JSON, indented as both services do."""
        return Answer(status, json.dumps(body, indent=2).encode() + b"\n", headers=headers or {})

    @staticmethod
    def html(body: str, status: int = 200) -> "Answer":
        """A page."""
        return Answer(status, body.encode(), "text/html; charset=utf-8")

    @staticmethod
    def redirect(url: str) -> "Answer":
        """Sends a browser on with a GET."""
        return Answer(303, headers={"Location": url})


def nested(pairs: list[tuple[str, str]]) -> dict[str, Any]:
    """`[("metadata[a]", "1"), ("types[0]", "card"), ("expand[]", "x")]` as dictionaries and lists."""
    tree: dict[str, Any] = {}
    for name, value in pairs:
        first, *rest = name.replace("]", "").split("[")
        node, part = tree, first
        for following in rest:
            child = node.setdefault(part, {})
            node = child if isinstance(child, dict) else node
            part = following or str(len(node))
        node[part] = value
    return {name: _lists(value) for name, value in tree.items()}


def _lists(node: Any) -> Any:
    if not isinstance(node, dict):
        return node
    if node and all(name.isdigit() for name in node):
        return [_lists(node[name]) for name in sorted(node, key=int)]
    return {name: _lists(value) for name, value in node.items()}


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = -1
    disable_nagle_algorithm = True
    server: "_Listener"

    def _answer(self) -> None:
        url = urlsplit(self.path)
        length = int(self.headers.get("Content-Length") or 0)
        request = Request(
            self.command,
            url.path,
            url.query,
            {name.lower(): value for name, value in self.headers.items()},
            self.rfile.read(length),
        )
        try:
            answer = self.server.app(request)
        except Dropped:
            self.close_connection = True
            with contextlib.suppress(OSError):
                self.connection.shutdown(socket.SHUT_RDWR)
            return
        self.send_response(answer.status)
        self.send_header("Content-Type", answer.content_type)
        self.send_header("Content-Length", str(len(answer.body)))
        for name, value in answer.headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(answer.body)
        self.wfile.flush()

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = _answer

    def log_message(self, format: str, *args: Any) -> None:
        """Silent: `/_double/requests` tells more, and tokens stay out of logs."""


class _Listener(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 1024

    def __init__(self, address: tuple[str, int], app: Callable[[Request], Answer]) -> None:
        self.app = app
        super().__init__(address, _Handler)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that hung up is none of our business; anything else is a mistake in the double and is shown."""
        import sys

        if not isinstance(sys.exception(), ConnectionError | TimeoutError):
            super().handle_error(request, client_address)


class Server:
    """Listens from construction on (port 0: any free one); `start` serves in a thread, `stop` ends it."""

    def __init__(self, app: Callable[[Request], Answer], host: str = "127.0.0.1", port: int = 0) -> None:
        self._listener = _Listener((host, port), app)
        self._thread = threading.Thread(target=self._listener.serve_forever, args=(0.05,), daemon=True)

    @property
    def url(self) -> str:
        """Where it listens, without a slash at the end."""
        host, port = self._listener.server_address[:2]
        return f"http://{host!s}:{port}"

    def start(self) -> None:
        """Serves from now on."""
        self._thread.start()

    def stop(self) -> None:
        """Takes no more requests."""
        self._listener.shutdown()
        self._listener.server_close()
        self._thread.join()
