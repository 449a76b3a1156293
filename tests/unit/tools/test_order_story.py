"""What an operator reads about an order."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from builders.orders import an_order
from commerce.clock import iso
from commerce.inventory.model import Movement
from commerce.payments.model import payment_event
from tools.athena import Answer
from tools.local.steps import Stop
from tools.orders import lookup
from tools.orders.story import Execution, Records, story, tell

PLACED = datetime(2026, 11, 22, 8, 15, 30, tzinfo=UTC)
ORDER = an_order(placed_at=iso(PLACED))
ARN = f"arn:aws:states:us-east-1:000000000000:execution:checkout-to-delivery:{ORDER.id}"


def later(seconds: float) -> datetime:
    return PLACED + timedelta(seconds=seconds)


def execution(*states: str, status: str = "SUCCEEDED") -> Execution:
    """A way through the workflow, a state each second."""
    entered = tuple((later(number + 1), state) for number, state in enumerate(states))
    ended = None if status == "RUNNING" else later(len(states))
    return Execution(ORDER.id, ARN, status, PLACED, ended, entered)


def records(**changes: Any) -> Records:
    fields = {"payments": (), "movements": (), "reservations": (), "emails": (), "audit": (), "execution": None}
    return Records(**{"order": ORDER, **fields, **changes})


def test_everything_that_happened_stands_in_the_order_of_time():
    reserved = Movement(
        id="movement_1",
        sku="SHIRT",
        location="main",
        kind="reserved",
        on_hand=0,
        available=-2,
        occurred_at=ORDER.placed_at,
        reference=ORDER.id,
    )
    told = story(
        records(
            payments=(payment_event("authorized", "pi_1", 2590, "USD", later(0.5)),),
            movements=(reserved,),
            emails=({"sk": "EMAIL#order_confirmed#evt_1", "claimed_at": iso(later(1)), "sent_at": iso(later(1.5)),
                     "message_id": "m1"},),
            audit=({"sk": f"{iso(later(9))}#audit_1", "actor": "staff_1", "action": "parcel.picked",
                    "after": {"location": "main", "status": "picked"}},),
            execution=execution("AwaitPayment", "AwaitWarehouse", status="RUNNING"),
        )
    )

    assert [fact.about for fact in told] == [
        "order", "stock", "payment", "workflow", "e-mail", "workflow", "audit"
    ]  # fmt: skip
    assert told[1].what == "reserved SHIRT at main: on hand +0, available -2"
    assert told[2].what == "authorized 25.90 USD, pi_1"
    assert told[4].what == "order_confirmed sent as m1"
    assert told[6].what == "parcel.picked by staff_1 at main"


def test_states_of_one_moment_keep_the_order_in_which_they_were_entered():
    entered = ((PLACED, "Shipped"), (PLACED, "CompensateOrder"))
    told = story(records(execution=Execution(ORDER.id, ARN, "SUCCEEDED", PLACED, PLACED, entered)))

    assert [fact.what for fact in told if fact.about == "workflow"] == [
        "enters Shipped",
        "enters CompensateOrder",
        "ends: SUCCEEDED",
    ]


def test_a_failed_execution_says_why_and_how_to_name_it(capsys: pytest.CaptureFixture[str]):
    failed = replace(execution("ShipOrder", status="FAILED"), error="Unavailable the carrier does not answer")

    tell(records(execution=failed))

    said = capsys.readouterr().out
    assert "ends: FAILED, Unavailable the carrier does not answer" in said
    assert ARN in said


def test_the_story_names_what_started_the_execution_where_that_is_known(capsys: pytest.CaptureFixture[str]):
    began = execution("AwaitPayment", status="RUNNING")

    tell(records(execution=began))
    assert "correlation id" not in capsys.readouterr().out

    tell(records(execution=replace(began, correlation_id="request-1")))
    assert "  correlation id request-1" in capsys.readouterr().out


def test_an_e_mail_whose_fate_is_unknown_is_told_as_such():
    claim = {"sk": "EMAIL#order_shipped#evt_7", "claimed_at": iso(later(1))}

    [_, told] = story(records(emails=(claim,)))

    assert told.what == "order_shipped for evt_7: nobody knows whether it left"


def test_the_story_names_nobody(capsys: pytest.CaptureFixture[str]):
    tell(records(execution=execution("AwaitPayment", status="RUNNING")))

    said = capsys.readouterr().out
    assert f"{ORDER.label}  {ORDER.id}  pending_payment, in AwaitPayment" in said
    for personal in (ORDER.buyer.email, ORDER.shipping_address.street_address, ORDER.buyer.last_name):
        assert personal and personal not in said


@pytest.fixture
def events_of(monkeypatch: pytest.MonkeyPatch) -> Callable[..., list[str]]:
    """Lets Athena know of these orders; answers the list that its questions go to."""

    def known(*order_ids: str) -> list[str]:
        asked: list[str] = []

        def ask(shop: object, sql: str) -> Answer:
            asked.append(sql)
            return Answer(("subject",), tuple((order_id,) for order_id in order_ids))

        monkeypatch.setattr(lookup, "ask", ask)
        return asked

    return known


def test_a_label_leads_to_its_order(events_of: Callable[..., list[str]]):
    asked = events_of(ORDER.id)

    assert lookup.named(object(), ORDER.label) == ORDER.id
    assert ORDER.id[: len("order_") + 8] in asked[0]


@pytest.mark.parametrize("text", ["", "TP-", "7K2M9QXA", "TP-7K2M9QX'"])
def test_what_is_no_label_is_asked_of_nobody(events_of: Callable[..., list[str]], text: str):
    asked = events_of(ORDER.id)

    with pytest.raises(Stop, match="no label"):
        lookup.named(object(), text)
    assert asked == []


def test_a_label_that_nobody_knows_or_two_orders_share_is_said_clearly(events_of: Callable[..., list[str]]):
    events_of()
    with pytest.raises(Stop, match="No event tells of"):
        lookup.named(object(), ORDER.label)

    events_of("order_a", "order_b")
    with pytest.raises(Stop, match="make order ID=order_a or ID=order_b"):
        lookup.named(object(), ORDER.label)
