"""What a function sees and AWS hears when the line between them fails: botocore on one end, a stub on the other."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from botocore.config import Config
from botocore.exceptions import ClientError, HTTPClientError
from botocore.session import get_session

from tools.wire.faults import Boundary, Fault, Kind
from tools.wire.line import Line
from tools.wire.routing import app_id

SESSION = get_session()
ORDER = "order_0001"
HEARD_ONCE_MORE: dict[Kind, int] = {
    "throttled": 1,
    "failed_before": 1,
    "dropped_before": 1,
    "conflict": 1,
    "failed_after": 2,
    "dropped_after": 2,
    "twice": 2,
    "slow": 1,
}
"""How often AWS hears of one request that meets the fault once and is asked again by botocore."""


class Aws:
    """Answers every request with an empty object, and remembers hosts and bodies."""

    def __init__(self) -> None:
        heard = self.heard = []

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                heard.append((self.headers["host"], self.rfile.read(int(self.headers["content-length"])).decode()))
                self.send_response(200)
                self.send_header("content-length", "2")
                self.end_headers()
                self.wfile.write(b"{}")

            def log_message(self, *_: Any) -> None:
                """Says nothing."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()


@pytest.fixture
def aws() -> Iterator[Aws]:
    stub = Aws()
    yield stub
    stub.server.shutdown()
    stub.server.server_close()


@pytest.fixture
def line(aws: Aws) -> Iterator[Line]:
    with Line(aws.url) as between:
        yield between


def client(line: Line, service: str, attempts: int = 2) -> Any:
    retries = {"mode": "standard", "total_max_attempts": attempts}
    return SESSION.create_client(
        service,
        endpoint_url=line.url,
        region_name="us-east-1",
        aws_access_key_id="ASIA0",
        aws_secret_access_key="secret",
        config=Config(retries=retries, user_agent_appid=app_id("ship_order"), inject_host_prefix=False),
    )


def write(line: Line, order_id: str = ORDER, attempts: int = 2) -> Any:
    put = {"TableName": "orders", "Item": {"pk": {"S": order_id}, "sk": {"S": "ORDER"}}}
    return client(line, "dynamodb", attempts).transact_write_items(TransactItems=[{"Put": put}, {"Put": put}])


def meets(line: Line, kind: Kind, *, function: str = "ship_order", times: int = 1, passing: int = 0) -> int:
    boundary = Boundary(function, "dynamodb", "TransactWriteItems")
    return line.add(Fault(boundary, kind, times, passing).rules((ORDER,)))[-1]


@pytest.mark.parametrize("kind", [kind for kind in HEARD_ONCE_MORE if kind != "conflict"])
def test_botocore_asks_again_and_aws_has_heard_it_as_often_as_the_fault_says(line: Line, aws: Aws, kind: Kind) -> None:
    rule = meets(line, kind)

    write(line)

    assert len(aws.heard) == HEARD_ONCE_MORE[kind]
    assert line.fired() == {rule: 1}


@pytest.mark.parametrize(("kind", "heard"), [("dropped_before", 0), ("dropped_after", 1)])
def test_a_connection_that_is_closed_tells_nothing(line: Line, aws: Aws, kind: Kind, heard: int) -> None:
    meets(line, kind)

    with pytest.raises(HTTPClientError):
        write(line, attempts=1)

    assert len(aws.heard) == heard


def test_a_conflict_is_told_for_each_action_and_botocore_does_not_ask_again(line: Line, aws: Aws) -> None:
    meets(line, "conflict")

    with pytest.raises(ClientError) as refused:
        write(line)

    assert refused.value.response["Error"]["Code"] == "TransactionCanceledException"
    assert [reason["Code"] for reason in refused.value.response["CancellationReasons"]] == [
        "TransactionConflict",
        "None",
    ]
    assert aws.heard == []


def test_ses_throttles_in_its_own_words(line: Line, aws: Aws) -> None:
    boundary = Boundary("ship_order", "sesv2", "SendEmail")
    line.add(Fault(boundary, "throttled").rules((ORDER,)))

    with pytest.raises(ClientError) as refused:
        client(line, "sesv2", attempts=1).send_email(
            FromEmailAddress="shop@example.com",
            Destination={"ToAddresses": ["ada@example.com"]},
            Content={"Simple": {"Subject": {"Data": ORDER}, "Body": {"Text": {"Data": "-"}}}},
        )

    assert refused.value.response["Error"]["Code"] == "TooManyRequestsException"
    assert aws.heard == []


def test_a_fault_is_for_its_own_function_and_order_and_lets_the_first_ones_pass(line: Line) -> None:
    of_another_function = meets(line, "failed_before", function="ship")
    rule = meets(line, "failed_before", passing=2)

    for order_id in (ORDER, "order_0002", ORDER):
        write(line, order_id)
    assert rule not in line.fired()
    write(line)

    assert line.fired()[rule] == 1
    assert of_another_function not in line.fired()


def test_a_calm_line_carries_requests_as_they_were_signed_and_notes_them(line: Line, aws: Aws) -> None:
    meets(line, "failed_before")
    line.calm()

    write(line)

    [(host, body)] = aws.heard
    assert f"http://{host}" == line.url
    [call] = line.calls
    assert (call.function, call.boundary, call.attempt, call.status, call.error) == (
        "ship_order",
        "dynamodb.TransactWriteItems",
        1,
        200,
        "",
    )
    assert json.loads(call.body) == json.loads(body)
