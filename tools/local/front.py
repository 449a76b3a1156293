"""The shop's address on one laptop, where CloudFront stands on AWS: everything goes to the HTTP API as it came,
`/media/*` comes from the bucket. `/mailbox`, the e-mails that the shop sent, is only here.

    python -m tools.local.front --instance main
"""

import argparse
import http.client
import json
import signal
import threading
import time
import urllib.parse
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, ClassVar

import httpx
from botocore.exceptions import BotoCoreError, ClientError

from tools.local import mailbox
from tools.local.instance import HOST, Instance

LONGEST_BODY = 10 * 1024 * 1024
"""What an HTTP API takes at most."""

_OF_ONE_CONNECTION = frozenset(
    {"connection", "keep-alive", "proxy-connection", "te", "trailer", "transfer-encoding", "upgrade", "host", "expect"}
)
_IDLE_SECONDS = 30
_REPEATABLE = frozenset({"GET", "HEAD", "OPTIONS", "PUT", "DELETE"})


class Front(ThreadingHTTPServer):
    """One thread for each client connection, each with its own connection to the local AWS."""

    daemon_threads = True
    request_queue_size = 256
    allow_reuse_address = True

    def __init__(self, instance: Instance) -> None:
        self.instance = instance
        self.storage = instance.client("s3")
        super().__init__((HOST, instance.ports["front"]), _Handler)


class _Refused(Exception):
    """A request that goes no further than here."""

    def __init__(self, status: HTTPStatus, why: str) -> None:
        self.status, self.why = status, why


class _Handler(BaseHTTPRequestHandler):
    server: Front
    protocol_version = "HTTP/1.1"
    server_version = "Tradepost"
    sys_version = ""
    disable_nagle_algorithm = True
    wbufsize = -1
    timeout = 75
    error_content_type = "application/json"
    error_message_format = '{"code": "%(code)d", "content": "%(message)s"}'
    upstream: ClassVar[threading.local] = threading.local()

    def answer(self) -> None:
        """Any method."""
        try:
            body = self._body()
        except _Refused as refused:
            self.close_connection = True
            self.send_error(refused.status, refused.why)
            return
        path = urllib.parse.urlsplit(self.path).path
        if path == "/mailbox" or path.startswith("/mailbox/"):
            self._show_mail(path)
        elif path.startswith("/media/") and self.command in ("GET", "HEAD"):
            self._send_picture(urllib.parse.unquote(path[1:]))
        else:
            self._forward(body)

    do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = do_OPTIONS = answer

    def _body(self) -> bytes:
        """The request's body. Raises _Refused."""
        if "chunked" in self.headers.get("Transfer-Encoding", "").lower():
            return self._chunks()
        length = self.headers.get("Content-Length", "0")
        if not length.isdigit():
            raise _Refused(HTTPStatus.BAD_REQUEST, "Content-Length is no number")
        return self._read(int(length), LONGEST_BODY)

    def _chunks(self) -> bytes:
        body = bytearray()
        while True:
            try:
                count = int(self.rfile.readline(1024).split(b";")[0].strip(), 16)
            except ValueError:
                raise _Refused(HTTPStatus.BAD_REQUEST, "A chunk has no length") from None
            body += self._read(count, LONGEST_BODY - len(body))
            self.rfile.readline(1024)
            if count == 0:
                return bytes(body)

    def _read(self, count: int, most: int) -> bytes:
        if count > most:
            raise _Refused(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "The body is larger than 10 MB")
        return self.rfile.read(count)

    def _forward(self, body: bytes) -> None:
        try:
            api = self.server.instance.output("ApiId")
        except LookupError as error:
            self._send(HTTPStatus.SERVICE_UNAVAILABLE, "text/plain", str(error).encode())
            return
        try:
            status, headers, content = self._ask(f"/_aws/execute-api/{api}/$default{self.path}", body)
        except (OSError, http.client.HTTPException):
            why = f"the local AWS does not answer; {self.server.instance.command('status')} shows what runs"
            self._send(HTTPStatus.SERVICE_UNAVAILABLE, "text/plain", why.encode())
            return
        self.send_response(status)
        for name, value in headers:
            if name.lower() not in _OF_ONE_CONNECTION | {"content-length", "date", "server"}:
                self.send_header(name, value)
        if status not in (HTTPStatus.NO_CONTENT, HTTPStatus.NOT_MODIFIED):
            length = next((value for name, value in headers if name.lower() == "content-length"), str(len(content)))
            self.send_header("Content-Length", length if self.command == "HEAD" else str(len(content)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)

    def _ask(self, target: str, body: bytes) -> tuple[int, list[tuple[str, str]], bytes]:
        """Asks over a kept connection; one that was closed meanwhile is replaced, where asking twice is safe."""
        headers = {name: value for name, value in self.headers.items() if name.lower() not in _OF_ONE_CONNECTION}
        headers["Content-Length"] = str(len(body))
        headers["X-Forwarded-For"] = self.client_address[0]
        kept = self._kept_connection()
        if kept is not None:
            try:
                return self._exchange(kept, target, body, headers)
            except (OSError, http.client.HTTPException):
                kept.close()
                if self.command not in _REPEATABLE:
                    raise
        return self._exchange(http.client.HTTPConnection(HOST, self._aws_port, timeout=60), target, body, headers)

    @property
    def _aws_port(self) -> int:
        return self.server.instance.ports["aws"]

    def _kept_connection(self) -> http.client.HTTPConnection | None:
        """This thread's connection, unless it rested so long that the other side may be closing it."""
        kept: http.client.HTTPConnection | None = getattr(self.upstream, "connection", None)
        if kept is None:
            return None
        if time.monotonic() - self.upstream.used > _IDLE_SECONDS:
            kept.close()
            return None
        return kept

    def _exchange(
        self, connection: http.client.HTTPConnection, target: str, body: bytes, headers: dict[str, str]
    ) -> tuple[int, list[tuple[str, str]], bytes]:
        self.upstream.connection = None
        connection.request(self.command, target, body, headers)
        answer = connection.getresponse()
        content = answer.read()
        if answer.will_close:
            connection.close()
        else:
            self.upstream.connection, self.upstream.used = connection, time.monotonic()
        return answer.status, answer.getheaders(), content

    def _send_picture(self, key: str) -> None:
        known = self.headers.get("If-None-Match")
        unless = {"IfNoneMatch": known} if known else {}
        try:
            bucket = self.server.instance.output("MediaBucket")
            picture = self.server.storage.get_object(Bucket=bucket, Key=key, **unless)
        except ClientError as error:
            self._refuse_picture(HTTPStatus(error.response["ResponseMetadata"]["HTTPStatusCode"]))
            return
        except (LookupError, BotoCoreError):
            self._refuse_picture(HTTPStatus.SERVICE_UNAVAILABLE)
            return
        extra = {
            "ETag": picture["ETag"],
            "Cache-Control": picture.get("CacheControl") or "public, max-age=86400",
            "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; sandbox",
        }
        self._send(HTTPStatus.OK, picture["ContentType"], picture["Body"].read(), extra)

    def _refuse_picture(self, status: HTTPStatus) -> None:
        if status == HTTPStatus.NOT_MODIFIED:
            self.send_response(status)
            self.end_headers()
        elif status < HTTPStatus.INTERNAL_SERVER_ERROR:
            self._send(HTTPStatus.NOT_FOUND, "text/plain", b"There is no such picture.")
        else:
            self._send(HTTPStatus.SERVICE_UNAVAILABLE, "text/plain", b"The pictures do not answer; see make status.")

    def _show_mail(self, path: str) -> None:
        try:
            messages = mailbox.messages(self.server.instance)
        except (httpx.HTTPError, json.JSONDecodeError):
            self._send(HTTPStatus.SERVICE_UNAVAILABLE, "text/plain", b"The local AWS does not answer.")
            return
        page = mailbox.page(messages, path.removeprefix("/mailbox").strip("/"))
        if page is None:
            self._send(HTTPStatus.NOT_FOUND, "text/plain", b"There is no such e-mail.")
            return
        guard = {"Content-Security-Policy": mailbox.POLICY, "Cache-Control": "no-store"}
        self._send(HTTPStatus.OK, "text/html; charset=utf-8", page.encode(), guard)

    def _send(self, status: int, kind: str, content: bytes, extra: dict[str, str] | None = None) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(content)))
        self.send_header("X-Content-Type-Options", "nosniff")
        for name, value in (extra or {}).items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)

    def log_message(self, format: str, *values: Any) -> None:
        """Only failures are worth a line, and none with the path's query, which may hold an access token."""

    def log_error(self, format: str, *values: Any) -> None:
        """Into the front's log."""
        print(f"{self.log_date_time_string()} {format % values}".partition("?")[0], flush=True)


def main() -> None:
    """Serves until SIGTERM."""
    parser = argparse.ArgumentParser(description="The shop's address on one laptop.")
    parser.add_argument("--instance", default="main", help="which local shop (default: %(default)s)")
    front = Front(Instance(parser.parse_args().instance))
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: threading.Thread(target=front.shutdown).start())
    front.serve_forever()


if __name__ == "__main__":
    main()
