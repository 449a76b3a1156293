"""E-mails on the real data engine: the queue's function from message to mailbox, and claims under racing threads."""

import shutil
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from types import ModuleType

import pytest

from builders import catalog
from builders.bus import queue_event
from builders.faults import answers_lost_after_the_write
from builders.fulfilment import shipped_order
from builders.letters import Post, happened
from commerce.adapters.dynamodb import Table
from commerce.adapters.outbox import Outbox
from commerce.adapters.sealing import Seals
from commerce.events import OrderDelivered, OrderShipped
from commerce.ids import new_id
from commerce.notifications.repository import EmailClaims
from commerce.notifications.service import Refused
from commerce.orders.repository import OrderRepository

ROOT = Path(__file__).resolve().parents[2]
NOW = datetime(2026, 11, 22, 8, 15, tzinfo=UTC)


@pytest.fixture
def orders_table(dynamodb, tables):
    return Table(dynamodb, tables["ORDERS_TABLE"])


@pytest.fixture
def claims(orders_table):
    return EmailClaims(orders_table)


@pytest.fixture
def order(orders_table, dynamodb, tables):
    """A shipped order, in the table."""
    made = shipped_order(id=new_id("order"))
    OrderRepository(
        orders_table, Outbox(tables["OUTBOX_TABLE"]), Seals(Table(dynamodb, tables["PRIVACY_TABLE"]))
    ).place(made)
    return made


@pytest.fixture
def function(function_of_the_shop, monkeypatch, tmp_path) -> ModuleType:
    """`send_email` as it is packaged, with a mail service in memory."""
    shutil.copy(catalog.FUNCTIONS / "send_email" / "handler.py", tmp_path)
    shutil.copytree(ROOT / "emails", tmp_path / "emails")
    module = catalog.function("send_email", package=tmp_path)
    monkeypatch.setattr(module, "mailer", Post())
    return module


def test_a_claim_whose_answer_was_lost_belongs_to_who_made_it(claims, dynamodb):
    with answers_lost_after_the_write(dynamodb, times=1, operation="PutItem") as lost:
        assert claims.take("order_1", "order_delivered", "evt_1", NOW)

    assert lost == [200]
    assert not claims.take("order_1", "order_delivered", "evt_1", NOW)


def test_of_many_at_once_one_may_write(claims):
    def take(_: int) -> bool:
        return claims.take("order_1", "order_shipped", "evt_1", NOW)

    with ThreadPoolExecutor(16) as pool:
        assert sum(pool.map(take, range(64))) == 1


def test_each_event_has_a_claim_of_its_own(claims):
    assert claims.take("order_1", "order_shipped", "evt_1", NOW)
    assert claims.take("order_1", "order_shipped", "evt_2", NOW)
    assert claims.take("order_2", "order_shipped", "evt_1", NOW)


def test_a_released_claim_can_be_taken_again(claims):
    claims.take("order_1", "order_shipped", "evt_1", NOW)
    claims.release("order_1", "order_shipped", "evt_1")

    assert not claims.any("order_1")
    assert claims.take("order_1", "order_shipped", "evt_1", NOW)


def test_a_sent_email_keeps_its_claim_and_what_is_known_of_it(claims, orders_table):
    claims.take("order_1", "order_shipped", "evt_1", NOW)
    claims.keep("order_1", "order_shipped", "evt_1", message_id="m-1", now=NOW)

    assert claims.any("order_1")
    kept = orders_table.get("ORDER#order_1", "EMAIL#order_shipped#evt_1")
    assert kept["message_id"] == "m-1"
    assert kept["sent_at"] == "2026-11-22T08:15:00.000Z"


def test_an_order_that_nobody_was_written_to_about_has_no_claims(claims, order):
    assert not claims.any(order.id)


def test_a_message_becomes_an_email_and_its_repetition_does_not(function, order):
    batch = queue_event(happened(OrderShipped, subject=order.id))

    assert function.handler(batch, None) == {"batchItemFailures": []}
    assert function.handler(batch, None) == {"batchItemFailures": []}

    [email] = function.mailer.sent
    assert email.recipient == "ada@example.com"
    assert order.label in email.subject
    assert f"/orders/{order.id}?access_token=" in email.text


def test_a_message_about_an_unknown_order_fails_alone(function, order):
    batch = queue_event(happened(OrderShipped, subject="order_unknown"), happened(OrderDelivered, subject=order.id))

    assert function.handler(batch, None) == {"batchItemFailures": [{"itemIdentifier": "message-1"}]}
    assert len(function.mailer.sent) == 1


def test_a_refused_email_comes_again_and_is_then_sent_once(function, order):
    function.mailer.answers = [Refused("TooManyRequestsException")]
    batch = queue_event(happened(OrderShipped, subject=order.id))

    assert function.handler(batch, None) == {"batchItemFailures": [{"itemIdentifier": "message-1"}]}
    assert function.handler(batch, None) == {"batchItemFailures": []}
    assert function.handler(batch, None) == {"batchItemFailures": []}
    assert len(function.mailer.sent) == 1


def test_the_log_holds_neither_the_buyers_address_nor_the_orders_token(function, order, caplog):
    caplog.set_level("INFO")
    function.mailer.answers = [Refused("MessageRejected")]
    batch = queue_event(happened(OrderShipped, subject=order.id))

    function.handler(batch, None)
    function.handler(batch, None)

    logged = "".join(str(vars(record)) for record in caplog.records)
    assert order.id in logged
    assert "MessageRejected" in logged
    assert "ada@example.com" not in logged
    assert "access_token" not in logged
