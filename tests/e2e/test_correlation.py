"""One id, chosen by the client, leads from its request to everything that the request caused."""

import json
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import httpx

from tools.demo.actors import GOOD_CARD, Shopper, answer, card, key
from tools.demo.watch import until
from tools.local.instance import Instance
from tools.orders.records import execution_of
from tools.wire.books import items


def test_one_id_leads_from_a_request_to_its_event_its_execution_and_its_email(
    instance: Instance, guest: Shopper
) -> None:
    chosen, another = (f"e2e-{uuid4().hex[:12]}" for _ in range(2))
    response = bought(guest, chosen)
    order_id = answer(response)["order"]["id"]
    bought(guest, another)  # The local AWS shows some lines of a function only when that runs again.

    assert response.headers["x-correlation-id"] == chosen
    [request] = until("the request's line", lambda: list(lines(instance, "complete-checkout", chosen)))
    assert request["request_id"] == response.headers["x-request-id"]

    details = [json.loads(item["detail"]) for item in items(instance, "OutboxTable")]
    told = {detail["type"] for detail in details if detail["subject"] == order_id}
    assert {"order.placed", "order.confirmed"} <= told
    assert {detail["correlation_id"] for detail in details if detail["subject"] == order_id} == {chosen}

    execution = execution_of(instance, order_id)
    assert execution is not None
    assert execution.correlation_id == chosen

    [email] = until("the e-mail's line", lambda: list(lines(instance, "send-email", chosen)))
    assert (email["outcome"], email["order_id"]) == ("sent", order_id)
    until("the exported event's line", lambda: list(lines(instance, "export-analytics", chosen)))


def bought(guest: Shopper, correlation_id: str) -> httpx.Response:
    """What the shop answers to a completion under the id."""
    checkout = guest.checkout((guest.some_skus(1)[0], 1))
    path = f"/checkout-sessions/{checkout['id']}/complete"
    return guest.shop.post(path, json=card(GOOD_CARD), headers={"x-correlation-id": correlation_id, **key()})


def lines(instance: Instance, function: str, correlation_id: str) -> Iterator[dict[str, Any]]:
    """What a function wrote about what belongs to the id."""
    group = f"/aws/lambda/tradepost-local-{function}"
    pages = instance.client("logs").get_paginator("filter_log_events").paginate(logGroupName=group)
    for event in (event for page in pages for event in page["events"]):
        if event["message"].startswith("{"):
            line = json.loads(event["message"])
            if line.get("correlation_id") == correlation_id:
                yield line
