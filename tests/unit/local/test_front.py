import http.client
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from tools.local.front import LONGEST_BODY, Front
from tools.local.instance import HOST, Instance


class Echo(BaseHTTPRequestHandler):
    """Stands where the local AWS stands, and answers what it was asked."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    connections = set()

    def answer(self):
        type(self).connections.add(self.client_address)
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        status = 204 if "/nothing" in self.path else 418 if "/teapot" in self.path else 200
        content = b"" if status == 204 else json.dumps(
            {"method": self.command, "path": self.path, "headers": dict(self.headers), "body": body.decode()}
        ).encode()
        self.send_response(status)
        self.send_header("X-Kept", "yes")
        self.send_header("Set-Cookie", "a=1")
        self.send_header("Set-Cookie", "b=2")
        if status != 204:
            self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)

    do_GET = do_HEAD = do_POST = do_PUT = do_DELETE = do_PATCH = answer

    def log_message(self, *_):
        """Quiet."""


def serve(server):
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server


@pytest.fixture
def shop(tmp_path, monkeypatch):
    """A front before an echo."""
    monkeypatch.setattr("tools.local.instance.ROOT", tmp_path)
    Echo.connections = set()
    aws = serve(ThreadingHTTPServer((HOST, 0), Echo))
    monkeypatch.setenv("TRADEPOST_AWS_PORT", str(aws.server_port))
    monkeypatch.setenv("TRADEPOST_PORT", "1")
    instance = Instance()
    instance.ports["front"] = 0
    instance.folder.mkdir(parents=True)
    instance.outputs_file.write_text(json.dumps({"edge": {"ApiId": "api1", "MediaBucket": "media"}}))
    front = serve(Front(instance))
    yield front
    for server in (front, aws):
        server.shutdown()
        server.server_close()


@pytest.fixture
def client(shop):
    connection = http.client.HTTPConnection(HOST, shop.server_port, timeout=10)
    yield connection
    connection.close()


def ask(client, method, target, body=None, headers=None):
    client.request(method, target, body, headers or {})
    answer = client.getresponse()
    return answer, answer.read()


def test_a_request_reaches_the_api_as_it_came(client):
    headers = {"Idempotency-Key": "k", "If-Match": '"1"'}

    answer, content = ask(client, "POST", "/carts/a%2Fb?x=1&x=%20", b'{"a": 1}', headers)
    seen = json.loads(content)

    assert answer.status == 200
    assert seen["method"] == "POST"
    assert seen["path"] == "/_aws/execute-api/api1/$default/carts/a%2Fb?x=1&x=%20"
    assert seen["body"] == '{"a": 1}'
    assert seen["headers"]["Idempotency-Key"] == "k"
    assert seen["headers"]["If-Match"] == '"1"'


def test_the_answer_comes_back_as_it_was(client):
    answer, _ = ask(client, "GET", "/teapot")

    assert answer.status == 418
    assert answer.getheader("X-Kept") == "yes"
    assert answer.headers.get_all("Set-Cookie") == ["a=1", "b=2"]


@pytest.mark.parametrize("method, target", [("GET", "/nothing"), ("HEAD", "/anything")])
def test_an_answer_without_a_body_leaves_the_connection_usable(client, method, target):
    ask(client, method, target)
    answer, content = ask(client, "GET", "/next")

    assert answer.status == 200
    assert json.loads(content)["path"].endswith("/next")


def test_one_client_connection_uses_one_connection_behind_it(client):
    for _ in range(5):
        ask(client, "GET", "/again")

    assert len(Echo.connections) == 1


def test_a_body_in_chunks_arrives_whole(client):
    client.request("POST", "/carts", iter([b"one ", b"two"]), {"Transfer-Encoding": "chunked"}, encode_chunked=True)

    assert json.loads(client.getresponse().read())["body"] == "one two"


def test_a_body_larger_than_an_http_api_takes_is_refused(client):
    client.putrequest("POST", "/carts")
    client.putheader("Content-Length", str(LONGEST_BODY + 1))
    client.endheaders()

    assert client.getresponse().status == 413


def test_a_length_that_is_no_number_is_refused(client):
    client.putrequest("POST", "/carts")
    client.putheader("Content-Length", "many")
    client.endheaders()

    assert client.getresponse().status == 400


def test_many_clients_at_once_are_all_answered(shop):
    statuses = []

    def shops():
        connection = http.client.HTTPConnection(HOST, shop.server_port, timeout=30)
        statuses.extend(ask(connection, "GET", f"/products?n={n}")[0].status for n in range(5))
        connection.close()

    clients = [threading.Thread(target=shops) for _ in range(32)]
    for one in clients:
        one.start()
    for one in clients:
        one.join()

    assert statuses == [200] * 160


def test_a_local_aws_that_is_down_is_said_and_not_waited_for(shop, client):
    shop.instance.ports["aws"] = 1

    answer, content = ask(client, "GET", "/products")

    assert answer.status == 503
    assert b"make status" in content


def test_before_the_first_deployment_it_says_what_to_do(shop, client):
    shop.instance.outputs_file.unlink()

    answer, content = ask(client, "GET", "/products")

    assert answer.status == 503
    assert b"make up" in content
