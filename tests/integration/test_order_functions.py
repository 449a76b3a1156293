"""The functions around orders and stock as API Gateway and the workflow call them, on a real data engine."""

import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from types import SimpleNamespace
from typing import Any
from uuid import uuid4

import httpx
import pytest
from ucp_sdk.models.schemas.shopping.checkout import Checkout as ProtocolCheckout
from ucp_sdk.models.schemas.shopping.order import Order as ProtocolOrder

from builders.bus import EmptyOutbox
from builders.catalog import function
from builders.checkout import NOW
from builders.faults import transactions_in_conflict
from builders.office import Answer, Office
from builders.orders import DECLINED, VISA, WITH_3DS, Shop, card
from builders.rights import Handler
from commerce import clock
from commerce.adapters import dynamodb, links, wiring
from commerce.errors import Unauthenticated
from commerce.payments.service import PaymentNotice


@pytest.fixture
def load(function_of_the_shop: None, shop: Shop, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], Handler]:
    """The handler of a function, with the shop's doubles behind the wiring; its clock stands at the tests' time."""
    monkeypatch.setattr(wiring, "payment_gateway", lambda: shop.gateway)
    monkeypatch.setattr(wiring, "workflow", lambda: shop.workflow)
    monkeypatch.setattr(wiring, "catalog", lambda: shop.catalog)
    monkeypatch.setattr(clock, "now", lambda: NOW)

    return lambda name: function(name).handler


def send(handler: Handler, route: str, body: Any = None, *, group: str | None = None, **more: Any) -> Answer:
    """What a guest is answered, or somebody of the group; without an idempotency key, unless it is among `headers`."""
    return Office(handler, group).send(route, body, key=None, **more)


def key() -> dict[str, str]:
    return {"idempotency-key": str(uuid4())}


def paying_with(token: str) -> dict[str, Any]:
    credential = {"type": "token", "token": token}
    instrument = {"id": "card_1", "handler_id": "stripe", "type": "card", "selected": True, "credential": credential}
    return {"payment": {"instruments": [instrument]}}


COMPLETE = "POST /checkout-sessions/{id}/complete"


@pytest.mark.parametrize("token", [VISA, DECLINED, WITH_3DS])
def test_the_answer_of_a_completion_is_a_checkout_of_the_protocol(
    load: Callable[[str], Handler], shop: Shop, token: str
) -> None:
    shop.stocked(1)

    answer = send(load("complete_checkout"), COMPLETE, paying_with(token), id=shop.checkout().id)

    assert answer.status == 200
    ProtocolCheckout.model_validate_json(answer.text)
    assert token not in answer.text


def test_twenty_completions_at_once_get_the_same_bytes(load: Callable[[str], Handler], shop: Shop) -> None:
    shop.stocked(1)
    checkout, handler = shop.checkout(), load("complete_checkout")

    with ThreadPoolExecutor(20) as crowd:
        answers = crowd.map(
            lambda _: send(handler, COMPLETE, paying_with(VISA), headers=key(), id=checkout.id), range(20)
        )

    assert len({answer.text for answer in answers}) == 1
    assert len(shop.gateway.holding) == 1


def test_the_waiting_room_answers_429_and_the_same_request_is_let_in_when_its_turn_has_come(
    load: Callable[[str], Handler], shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop.stocked(1)
    checkout, once, handler = shop.checkout(), key(), load("complete_checkout")
    monkeypatch.setattr(dynamodb, "time", SimpleNamespace(sleep=lambda _: None))
    with transactions_in_conflict(wiring.table("ORDERS_TABLE").client, share=1.0):
        waiting = send(handler, COMPLETE, paying_with(VISA), headers=once, id=checkout.id)
    monkeypatch.setattr(clock, "now", lambda: NOW + timedelta(seconds=2))

    let_in = send(load("complete_checkout"), COMPLETE, paying_with(VISA), headers=once, id=checkout.id)

    assert (waiting.status, waiting.headers["retry-after"]) == (429, "1")
    assert waiting.body["code"] == "waiting_room"
    assert (waiting.body["position"], waiting.body["retry_after"]) == (1, 1)
    assert (let_in.status, let_in.body["status"]) == (200, "completed")


def test_staff_switch_a_pool_on_and_off(load: Callable[[str], Handler], shop: Shop) -> None:
    shop.stocked(10)
    handler, route = load("admin_inventory"), "/admin/stock/{sku}/pool"

    on = send(handler, f"PUT {route}", {"shards": 4}, group="warehouse", sku="SHIRT-M")
    too_few = send(handler, f"PUT {route}", {"shards": 1}, group="warehouse", sku="SHIRT-M")
    off = send(handler, f"DELETE {route}", group="warehouse", sku="SHIRT-M")

    [place] = on.body["locations"]
    assert (place["available"], place["on_hand"], place["shards"]) == (10, 10, 4)
    assert (too_few.status, too_few.body["errors"][0]["path"]) == (400, "$.shards")
    assert off.body["locations"] == [{**place, "shards": 0}]
    assert send(handler, f"DELETE {route}", group="warehouse", sku="SHIRT-M").status == 200


def test_a_card_number_is_refused_and_neither_answered_nor_kept(
    load: Callable[[str], Handler], shop: Shop, capsys: pytest.CaptureFixture[str]
) -> None:
    shop.stocked(1)
    body = paying_with(VISA)
    raw = {"type": "card", "card_number_type": "fpan", "number": "4242424242424242"}
    body["payment"]["instruments"][0]["credential"] = raw

    answer = send(load("complete_checkout"), COMPLETE, body, headers=key(), id=shop.checkout().id)

    assert (answer.status, answer.codes) == (200, ["payment_failed"])
    kept = [item for variable in shop.tables for item in shop.all(variable, "")]
    assert raw["number"] not in answer.text + repr(kept) + capsys.readouterr().out


@pytest.mark.parametrize("body", [{}, {"payment": None}, {"payment": {"instruments": "card"}}], ids=str)
def test_a_completion_without_a_payment_names_the_field(
    load: Callable[[str], Handler], shop: Shop, body: dict[str, Any]
) -> None:
    answer = send(load("complete_checkout"), COMPLETE, body, id=shop.checkout().id)

    assert answer.status == 400
    assert answer.body["path"].startswith("$.payment")


def access(order_id: str) -> dict[str, str]:
    return dict(httpx.URL(links.order_permalink(order_id)).params)


def test_a_guest_reads_the_order_behind_the_permalink(load: Callable[[str], Handler], shop: Shop) -> None:
    order = shop.bought(("SHIRT-M", 2))

    answer = send(load("orders"), "GET /orders/{id}", query=access(order.id), id=order.id)

    assert answer.status == 200
    ProtocolOrder.model_validate_json(answer.text)
    [line] = answer.body["line_items"]
    assert (line["status"], line["quantity"]) == ("processing", {"original": 2, "total": 2, "fulfilled": 0})


@pytest.mark.parametrize("token", ["", "wrong", "another order's"])
def test_without_the_right_proof_there_is_no_such_order(load: Callable[[str], Handler], shop: Shop, token: str) -> None:
    order = shop.bought()
    query = access("order_other") if token == "another order's" else {"access_token": token}
    handler = load("orders")

    for route in ("GET /orders/{id}", "POST /orders/{id}/cancel"):
        assert send(handler, route, query=query, id=order.id).status == 404

    assert shop.orders.get(order.id).status == "confirmed"


def test_a_buyer_cancels_an_order_and_cancels_it_again(load: Callable[[str], Handler], shop: Shop) -> None:
    order, handler = shop.bought(units=3), load("orders")

    answers = [
        send(handler, "POST /orders/{id}/cancel", headers=key(), query=access(order.id), id=order.id) for _ in range(2)
    ]

    assert answers[0].text == answers[1].text
    ProtocolOrder.model_validate_json(answers[0].text)
    [line] = answers[0].body["line_items"]
    assert (line["status"], line["quantity"]["total"]) == ("removed", 0)
    assert answers[0].body["adjustments"][0]["line_items"] == [{"id": "line_1", "quantity": -1}]
    assert shop.stock().available == 3


def test_an_order_that_is_with_the_carrier_says_that_it_cannot_be_canceled(
    load: Callable[[str], Handler], shop: Shop
) -> None:
    order = shop.bought()
    for status in ("picked", "packed", "ready_to_ship"):
        order = shop.orders.change(order, to=status, now=NOW)

    answer = send(load("orders"), "POST /orders/{id}/cancel", query=access(order.id), id=order.id)

    assert (answer.status, answer.codes) == (200, ["not_cancelable"])
    assert shop.orders.get(order.id).status == "ready_to_ship"


def test_a_customer_pages_through_their_own_orders(load: Callable[[str], Handler], shop: Shop) -> None:
    shop.stocked(5)
    for number, owner in enumerate(["ada", "ada", "ada", "eve"]):
        answer = shop.complete(shop.checkout(id=f"chk_{number}"), now=NOW + timedelta(minutes=number))
        shop.orders.change(shop.orders.get(str(answer.order_id)), fields={"customer": owner})
    handler = load("orders")

    first = send(handler, "GET /me/orders", customer="ada", query={"limit": "2"})
    rest = send(handler, "GET /me/orders", customer="ada", query={"limit": "2", "cursor": first.body["cursor"]})
    stolen = send(handler, "GET /me/orders", customer="eve", query={"cursor": first.body["cursor"]})

    assert [len(page.body["orders"]) for page in (first, rest)] == [2, 1]
    assert "cursor" not in rest.body
    assert stolen.status == 400
    assert send(handler, "GET /me/orders").status == 401


def test_a_notice_is_taken_in_once_and_one_with_a_wrong_signature_is_not(
    load: Callable[[str], Handler], shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop.stocked(1)
    order = shop.orders.get(str(shop.complete(shop.checkout(), card(WITH_3DS)).order_id))
    [intent] = shop.gateway.intents.values()
    intent.outcome = "authorized"
    notice = PaymentNotice(
        id="evt_1",
        kind="authorized",
        type="payment_intent.amount_capturable_updated",
        occurred_at="2026-11-22T08:16:00.000Z",
        intent_id=order.payment_intent,
        order_id=order.id,
    )
    handler = load("payment_webhook")

    assert send(handler, "POST /webhooks/stripe", notice.model_dump()).status == 200
    confirmed, events = shop.orders.get(order.id), shop.payments.of(order.id)
    assert send(handler, "POST /webhooks/stripe", notice.model_dump()).status == 200
    assert confirmed.status == "confirmed"
    assert (shop.orders.get(order.id), shop.payments.of(order.id)) == (confirmed, events)

    def refuse(*_: Any) -> Any:
        raise Unauthenticated("the webhook's signature does not hold")

    monkeypatch.setattr(shop.gateway, "construct_event", refuse)
    assert send(handler, "POST /webhooks/stripe", "{}").status == 400


def test_the_workflow_compensates_a_canceled_order(load: Callable[[str], Handler], shop: Shop) -> None:
    shop.stocked(1)
    shop.complete(shop.checkout(), card(DECLINED))
    [order] = shop.all_orders()

    outcome = load("compensate_order")({"order_id": order["id"], "error": "PaymentDeclined"}, None)

    assert outcome == {"outcome": "compensated"}


def test_a_reconciliation_logs_and_counts_what_it_finds(
    load: Callable[[str], Handler],
    shop: Shop,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    capsys: pytest.CaptureFixture[str],
) -> None:
    shop.stocked(1)
    shop.complete(shop.checkout(), card(WITH_3DS))
    [order] = shop.all_orders()
    monkeypatch.setenv("POWERTOOLS_METRICS_NAMESPACE", "Tradepost")
    monkeypatch.setattr(wiring, "leftovers", EmptyOutbox)
    monkeypatch.setattr(clock, "now", lambda: NOW + timedelta(hours=1))

    assert load("reconcile")({}, None) == {"mended": 2, "left": 0, "pools": 0}

    found = [vars(record) for record in caplog.records if record.message == "finding"]
    assert [(one["kind"], one["subject"]) for one in found] == [
        ("execution_missing", order["id"]),
        ("hold_overdue", order["id"]),
    ]
    [counted] = [json.loads(line) for line in capsys.readouterr().out.splitlines() if '"_aws"' in line]
    assert (counted["FindingsMended"], counted["service"]) == ([2.0], "reconcile")
    assert counted["_aws"]["CloudWatchMetrics"][0]["Dimensions"] == [["service"]]
    assert "FindingsLeft" not in counted


ADJUST = "POST /admin/stock/{sku}/adjustments"


def test_staff_correct_stock_and_see_why_it_is_what_it_is(load: Callable[[str], Handler]) -> None:
    handler = load("admin_inventory")
    found = {"quantity": 7, "reason": "found behind the shelf"}

    assert send(handler, ADJUST, found, group="warehouse", headers=key(), sku="MUG").status == 201

    shown = send(handler, "GET /admin/stock/{sku}", group="catalogue", sku="MUG")
    [place] = shown.body["locations"]
    assert place == {"location": "main", "available": 7, "reserved": 0, "on_hand": 7, "shards": 0}
    ledger = send(handler, "GET /admin/stock/{sku}/movements", group="warehouse", query={"month": "2026-11"}, sku="MUG")
    [movement] = ledger.body["movements"]
    assert (movement["available"], movement["reason"]) == (7, "found behind the shelf")


def test_an_adjustment_sent_again_with_its_key_happens_once(load: Callable[[str], Handler], shop: Shop) -> None:
    handler, the_key = load("admin_inventory"), key()
    found = {"quantity": 7, "reason": "found"}

    answers = {send(handler, ADJUST, found, group="warehouse", headers=the_key, sku="MUG").text for _ in range(3)}

    assert len(answers) == 1
    assert shop.stock("MUG").available == 7


@pytest.mark.parametrize(
    ("body", "status", "path"),
    [
        ({"quantity": 0, "reason": "?"}, 400, "$.quantity"),
        ({"quantity": 1.5, "reason": "?"}, 400, "$.quantity"),
        ({"quantity": -1, "reason": "?"}, 409, "$.quantity"),
        ({"quantity": 1}, 400, "$.reason"),
        ({"quantity": 1, "reason": "?", "location": "the moon"}, 400, "$.location"),
    ],
    ids=["nothing", "half a unit", "more than is there", "no reason", "no such place"],
)
def test_an_adjustment_that_cannot_be_names_its_field(
    load: Callable[[str], Handler], shop: Shop, body: dict[str, Any], status: int, path: str
) -> None:
    answer = send(load("admin_inventory"), ADJUST, body, group="warehouse", headers=key(), sku="MUG")

    assert answer.status == status
    assert answer.headers["content-type"] == "application/problem+json"
    assert [error["path"] for error in answer.body["errors"]] == [path]


def test_support_may_not_touch_stock_nor_the_warehouse_money(load: Callable[[str], Handler]) -> None:
    found, money = {"quantity": 1, "reason": "found"}, {"amount": 1, "reason": "kind"}

    assert send(load("admin_inventory"), ADJUST, found, group="support", headers=key(), sku="MUG").status == 403
    assert send(load("admin_refunds"), REFUND, money, group="warehouse", headers=key(), id="order_1").status == 403


def test_an_answer_kept_under_a_key_is_not_repeated_to_someone_without_the_orders_proof(
    load: Callable[[str], Handler], shop: Shop
) -> None:
    order, handler, the_key = shop.bought(), load("orders"), key()

    canceled = send(handler, "POST /orders/{id}/cancel", query=access(order.id), headers=the_key, id=order.id)
    stranger = send(handler, "POST /orders/{id}/cancel", headers=the_key, id=order.id)
    again = send(handler, "POST /orders/{id}/cancel", query=access(order.id), headers=the_key, id=order.id)

    assert (canceled.status, again.text) == (200, canceled.text)
    assert (stranger.status, stranger.body["code"]) == (409, "idempotency_mismatch")


REFUND = "POST /admin/orders/{id}/refunds"


def test_support_gives_money_back_and_never_too_much(load: Callable[[str], Handler], shop: Shop) -> None:
    order, handler, the_key = shop.captured(shop.bought()), load("admin_refunds"), key()
    whole = {"amount": order.total, "reason": "never arrived"}

    first = send(handler, REFUND, whole, group="support", headers=the_key, id=order.id)
    again = send(handler, REFUND, whole, group="support", headers=the_key, id=order.id)
    more = send(handler, REFUND, {"amount": 1, "reason": "kind"}, group="support", headers=key(), id=order.id)

    assert (first.status, first.body["status"], first.body["amount"]) == (201, "refunded", order.total)
    assert again.text == first.text
    assert more.status == 409
    assert more.body["errors"][0]["path"] == "$.amount"
    shown = send(load("orders"), "GET /orders/{id}", query=access(order.id), id=order.id)
    [adjustment] = shown.body["adjustments"]
    assert adjustment["totals"][0]["amount"] == -order.total
    ProtocolOrder.model_validate_json(shown.text)


def test_what_support_writes_about_a_refund_is_told_to_the_buyer_and_goes_into_no_event(
    load: Callable[[str], Handler], shop: Shop
) -> None:
    order = shop.captured(shop.bought())
    body = {"amount": 500, "reason": "Ada Lovelace's mug arrived broken"}

    answer = send(load("admin_refunds"), REFUND, body, group="support", headers=key(), id=order.id)

    assert answer.body["reason"] == body["reason"]
    shown = send(load("orders"), "GET /orders/{id}", query=access(order.id), id=order.id)
    assert shown.body["adjustments"][0]["description"] == body["reason"]
    [refunded] = [event for event in shop.published() if event["type"] == "payment.refunded"]
    assert refunded["reason"] == "support"
    assert "Lovelace" not in str(shop.published())


@pytest.mark.parametrize("amount", [0, -5, 1.5, "10", 10**15], ids=str)
def test_an_amount_that_is_no_amount_is_refused(load: Callable[[str], Handler], shop: Shop, amount: Any) -> None:
    order = shop.captured(shop.bought())
    body = {"amount": amount, "reason": "kind"}

    answer = send(load("admin_refunds"), REFUND, body, group="support", headers=key(), id=order.id)

    assert (answer.status, answer.body["errors"][0]["path"]) == (400, "$.amount")
    assert shop.payment_types(order) == ["authorized", "captured"]


def test_money_and_stock_are_not_moved_without_an_idempotency_key(load: Callable[[str], Handler]) -> None:
    money, found = {"amount": 1, "reason": "kind"}, {"quantity": 1, "reason": "found"}

    assert send(load("admin_refunds"), REFUND, money, group="support", id="order_1").status == 400
    assert send(load("admin_inventory"), ADJUST, found, group="warehouse", sku="MUG").status == 400
