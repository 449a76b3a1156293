"""One id leads from a request to all that it caused, and nobody can write lines of the log with it."""

import ast
import io
import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from builders.bus import an_order_confirmed, queue_event
from builders.http import http_event
from commerce.adapters.http import Api, Request, Response, cacheable
from commerce.adapters.invocation import correlated
from commerce.adapters.log import logger
from commerce.adapters.queues import in_turn
from commerce.correlation import current, take_up
from commerce.errors import Conflict
from commerce.events import detail, parse
from commerce.model import Model
from stacks.functions import FUNCTIONS

ROOT = Path(__file__).parents[3]


@pytest.fixture
def log(monkeypatch: pytest.MonkeyPatch) -> io.StringIO:
    """What functions write into their log."""
    written = io.StringIO()
    monkeypatch.setattr(logger().registered_handler, "stream", written)
    return written


def asked(sent: str | None, request_id: str = "JKJaXmPLvHcESHA=") -> tuple[str | None, dict[str, str]]:
    """What a request belongs to while it is answered, and the headers of its answer."""
    api = Api("storefront")
    seen: list[str | None] = []

    @api.get("/products")
    def products(_request: Request[None]) -> Response:
        seen.append(current())
        return Response({})

    event = http_event("GET /products", headers={"X-Correlation-Id": sent} if sent is not None else {})
    event["requestContext"]["requestId"] = request_id
    headers: dict[str, str] = api.handler(event, None)["headers"]
    return seen[0], headers


def lines(printed: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in printed.splitlines()]


def test_a_request_belongs_to_itself() -> None:
    belongs_to, headers = asked(None)

    assert belongs_to == "JKJaXmPLvHcESHA="
    assert headers["x-correlation-id"] == headers["x-request-id"] == belongs_to


def test_a_request_belongs_to_what_its_client_says_and_the_log_leads_there(log: io.StringIO) -> None:
    belongs_to, headers = asked("checkout-2026-11-26")

    assert belongs_to == headers["x-correlation-id"] == "checkout-2026-11-26"
    [line] = lines(log.getvalue())
    assert (line["correlation_id"], line["request_id"]) == ("checkout-2026-11-26", headers["x-request-id"])


@pytest.mark.parametrize("known", [None, "*"])
def test_what_a_cache_gives_to_everybody_has_nobodys_ids_and_the_log_knows_them(
    known: str | None, log: io.StringIO
) -> None:
    api = Api("storefront")

    @api.get("/products")
    def products(request: Request[None]) -> Response:
        return cacheable(request, Model())

    sent = {"X-Correlation-Id": "checkout-2026-11-26", **({"If-None-Match": known} if known else {})}

    answer = api.handler(http_event("GET /products", headers=sent), None)

    assert answer["statusCode"] == (304 if known else 200)
    assert not {"x-request-id", "x-correlation-id"} & answer["headers"].keys()
    assert lines(log.getvalue())[0]["correlation_id"] == "checkout-2026-11-26"


def test_a_fault_where_a_page_would_be_cached_says_whose_it_is() -> None:
    api = Api("storefront")

    @api.get("/products")
    def products(_request: Request[None]) -> Response:
        raise Conflict("not now")

    assert {"x-request-id", "x-correlation-id"} <= api.handler(http_event("GET /products"), None)["headers"].keys()


@pytest.mark.parametrize(
    "sent",
    [
        "",
        "short",
        "x" * 37,
        'quoted","level":"ERROR',
        "two words or more",
        "line\nbreak-in-it",
        "ends-with-one\n",
        "${jndi:ldap://x}",
        "ümlauts-and-more",
    ],
)
def test_what_could_pass_for_another_line_of_the_log_is_not_taken(
    sent: str, log: io.StringIO
) -> None:
    belongs_to, headers = asked(sent)

    assert belongs_to == headers["x-correlation-id"] == headers["x-request-id"]
    assert log.getvalue() == ""


def test_an_event_carries_what_caused_it_to_whoever_hears_of_it() -> None:
    take_up("request-1")
    told = detail(an_order_confirmed())
    take_up("request-2")

    assert told["correlation_id"] == "request-1"
    assert parse(told).correlation_id == "request-1"


def test_work_on_a_queue_belongs_to_its_event_and_poison_to_nothing(log: io.StringIO) -> None:
    batch = queue_event(an_order_confirmed(correlation_id="request-1"), an_order_confirmed(correlation_id="request-2"))
    batch["Records"].insert(1, {"messageId": "poison", "body": "{"})

    in_turn(batch, lambda event: logger().info("heard"))

    assert [line.get("correlation_id") for line in lines(log.getvalue())] == ["request-1", None, "request-2"]


@pytest.mark.parametrize(
    ("told", "belongs_to"), [({"correlation_id": "request-1"}, "request-1"), ({}, "invocation-1")]
)
def test_a_task_belongs_to_what_its_execution_says_or_to_itself(
    told: dict[str, str], belongs_to: str, log: io.StringIO
) -> None:
    @correlated
    def task(_event: dict[str, Any], _context: Any) -> None:
        raise Conflict("the books of ada@example.com do not balance")

    with pytest.raises(Conflict):
        task({"order_id": "order_1", **told}, SimpleNamespace(aws_request_id="invocation-1"))

    printed = log.getvalue()
    assert [line["correlation_id"] for line in lines(printed)] == [belongs_to]
    assert "ada@example.com" not in printed


def test_every_function_knows_what_its_work_belongs_to() -> None:
    """By way of the API, of a queue, or by itself; and all of its lines are written by the logger that names it."""
    ways = ("Api(", "in_turn(", "together(", "@correlated")
    sources = {name: (ROOT / "functions" / name / "handler.py").read_text("utf-8") for name in FUNCTIONS}

    assert [name for name, source in sources.items() if not any(way in source for way in ways)] == []
    assert [name for name, source in sources.items() if _prints(source)] == []


def _prints(source: str) -> bool:
    calls = (node.func for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Call))
    return any(isinstance(call, ast.Name) and call.id in ("print", "Logger") for call in calls)
