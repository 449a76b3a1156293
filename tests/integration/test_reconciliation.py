"""What the reconciler finds on real tables, and how the shop stands after it."""

from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from builders.bus import EmptyOutbox
from builders.checkout import NOW
from builders.doubles import API_KEY, Receiver, at_the_bank, client, control, stripe_double
from builders.fulfilment import label
from builders.orders import ANSWER_LOST, DECLINED, VISA, WITH_3DS, Intent, Shop, card
from builders.rights import role_of
from commerce import clock
from commerce.adapters.dynamodb import Table
from commerce.adapters.relay import Leftovers, Relay
from commerce.clock import iso
from commerce.errors import Contended, Unavailable
from commerce.fulfilment.model import TrackingEvent, TrackingStatus
from commerce.ids import order_id_for
from commerce.orders.model import Label, Order, Status
from commerce.orders.payment import refund
from commerce.orders.repository import OrderRepository
from commerce.orders.service import cancel_order
from commerce.payments.gateway import StripeGateway
from commerce.payments.model import balance
from commerce.payments.service import PaymentNotice
from commerce.reconciliation.model import GRACE, UNHEARD, Finding
from commerce.reconciliation.service import (
    EVERYWHERE,
    Carrier,
    Rounds,
    _parcels_under_way,
    _unpublished_events,
    reconcile,
)
from tools.doubles.stripe.double import StripeDouble

OUTBOX = (_unpublished_events,)
PARCELS = (_parcels_under_way,)
QUARTER = timedelta(minutes=15)


def rounds(shop: Shop) -> Rounds:
    """The shop, as the reconciler goes round in it."""
    unseeing = shop.without_buyers()
    return Rounds(unseeing, unseeing.orders, EmptyOutbox(), shop.workflow, shop.gateway, nobody)


def nobody() -> Carrier:
    """The carrier of a shop without parcels."""
    raise AssertionError("the carrier is asked although no parcel is under way")


@dataclass
class Depot:
    """The carrier: what it last said of each parcel, and whether it answers at all."""

    said: list[TrackingEvent] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
    up: bool = True

    def latest(self, parcels: Sequence[tuple[Order, Label]], *, until: datetime) -> Iterator[TrackingEvent]:
        if not self.up:
            raise Unavailable("the carrier does not answer")
        numbers = [label.tracking_number for _, label in parcels]
        self.asked += numbers
        return (news for news in self.said if news.tracking_number in numbers and news.occurred_at <= until)


def findings(shop: Shop, after: timedelta = QUARTER, limit: int = 100) -> list[Finding]:
    """What a run finds so long after the tests' time, with the rights of the function that runs."""
    with role_of("reconcile"):
        return list(reconcile(rounds(shop), EVERYWHERE, limit=limit, now=NOW + after))


def kinds(shop: Shop, after: timedelta = QUARTER) -> list[str]:
    """The kinds of what it finds, those that it could not mend with a question mark."""
    return [finding.kind + ("" if finding.mended else "?") for finding in findings(shop, after)]


def waiting(shop: Shop, token: str) -> Order:
    """A pending order whose execution waits for the payment."""
    shop.stocked(1)
    checkout = shop.checkout()
    shop.complete(checkout, card(token))
    return waits_in(shop, "AwaitPayment", shop.orders.get(order_id_for(checkout.id, 1)))


def waits_in(shop: Shop, state: str, order: Order) -> Order:
    """The order, with the token that the workflow stores when it comes to the state."""
    shop.orders.table.update(
        f"ORDER#{order.id}", "ORDER", set={"task_token": f"token of {state}", "task_state": state}, remove=["ahead"]
    )
    return shop.orders.get(order.id)


class Bus:
    """EventBridge, which takes events while it is `up`."""

    def __init__(self, up: bool = True) -> None:
        self.up, self.taken = up, Counter[str]()

    def put_events(self, Entries: list[dict[str, str]]) -> dict[str, Any]:
        if self.up:
            self.taken.update(entry["DetailType"] for entry in Entries)
        return {"FailedEntryCount": 0 if self.up else len(Entries), "Entries": []}


def test_events_that_the_stream_missed_are_published_once(shop: Shop) -> None:
    shop.bought()
    bus, outbox = Bus(), Table(shop.client, shop.tables["OUTBOX_TABLE"])
    going_round = replace(rounds(shop), outbox=Leftovers(bus, outbox, "bus"))
    soon, later = NOW + timedelta(minutes=9), NOW + timedelta(minutes=10)

    assert list(reconcile(going_round, OUTBOX, limit=100, now=soon)) == []
    bus.up = False
    found = list(reconcile(going_round, OUTBOX, limit=100, now=later))
    assert [(one.kind, one.mended) for one in found] == [("event_unpublished", False)] * len(found)
    bus.up = True
    for _ in range(2):
        found += reconcile(going_round, OUTBOX, limit=100, now=later)

    assert bus.taken == shop.events()
    assert len(found) == 2 * bus.taken.total()


def test_what_the_relay_has_published_is_found_by_nobody(shop: Shop) -> None:
    shop.bought()
    bus, outbox = Bus(), Table(shop.client, shop.tables["OUTBOX_TABLE"])
    stored = shop.client.scan(TableName=outbox.name)["Items"]
    records = [
        {"eventName": "INSERT", "dynamodb": {"SequenceNumber": str(number), "NewImage": item}}
        for number, item in enumerate(stored)
    ]

    assert Relay(bus, None, outbox, "bus", "https://parked").relay(records) == []

    assert list(Leftovers(bus, outbox, "bus").unpublished(before=NOW, limit=10)) == []
    assert shop.events().total() == len(stored)


def test_a_shop_in_which_nothing_got_lost_has_no_findings(shop: Shop) -> None:
    waits_in(shop, "AwaitWarehouse", shop.bought())

    assert findings(shop) == []


@pytest.mark.parametrize("token", [ANSWER_LOST, WITH_3DS])
def test_a_payment_of_which_neither_answer_nor_notice_came_confirms_its_order_within_a_quarter_of_an_hour(
    shop: Shop, token: str
) -> None:
    order = waiting(shop, token)
    shop.gateway.intents[str(order.payment_intent)].outcome = "authorized"

    assert kinds(shop, timedelta(minutes=1)) == []
    assert kinds(shop, timedelta(minutes=5)) == ["payment_unheard"]

    assert shop.orders.get(order.id).status == "confirmed"
    assert shop.checkouts.get("chk_1", NOW).status == "completed"
    assert shop.workflow.succeeded == ["token of AwaitPayment"]


def test_a_buyer_who_failed_at_the_bank_may_try_again_although_the_notice_got_lost(shop: Shop) -> None:
    order = waiting(shop, WITH_3DS)
    assert kinds(shop, timedelta(minutes=5)) == []

    shop.gateway.intents[str(order.payment_intent)].outcome = "declined"

    assert kinds(shop, timedelta(minutes=10)) == ["payment_unheard"]
    assert shop.checkouts.get("chk_1", NOW).status == "ready_for_complete"
    assert shop.stock().available == 1


def test_an_order_whose_execution_was_never_started_gets_it(shop: Shop) -> None:
    order = waiting(shop, WITH_3DS)
    shop.orders.table.update(f"ORDER#{order.id}", "ORDER", remove=["task_token", "task_state"])
    shop.workflow.started.clear()

    assert kinds(shop, timedelta(minutes=5)) == ["execution_missing"]
    assert shop.workflow.started == [order.id]


def test_a_hold_past_its_deadline_is_ended_and_a_younger_one_is_not(shop: Shop) -> None:
    order = waiting(shop, WITH_3DS)
    hold = timedelta(seconds=shop.till.settings.hold_seconds)

    assert kinds(shop, hold) == []
    assert kinds(shop, hold + GRACE) == ["hold_overdue"]

    assert shop.orders.get(order.id).cancel_reason == "payment_timeout"
    assert shop.stock().available == 1
    assert shop.workflow.failed == [("token of AwaitPayment", "OrderCanceled")]


def test_a_hold_past_its_deadline_frees_the_goods_though_the_provider_is_silent(shop: Shop) -> None:
    order = waiting(shop, WITH_3DS)
    shop.gateway.intents[str(order.payment_intent)].outcome = "unknown"

    assert kinds(shop, timedelta(hours=1)) == ["hold_overdue"]
    assert shop.stock().available == 1


def test_a_payment_that_came_in_the_last_moment_of_the_hold_is_a_sale(shop: Shop) -> None:
    order = waiting(shop, WITH_3DS)
    shop.gateway.intents[str(order.payment_intent)].outcome = "authorized"

    assert kinds(shop, timedelta(hours=1)) == ["hold_overdue"]
    assert shop.orders.get(order.id).status == "confirmed"


def test_a_payment_that_came_in_the_last_moment_waits_for_the_next_run_where_the_order_is_contended(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    order = waiting(shop, WITH_3DS)
    shop.gateway.intents[str(order.payment_intent)].outcome = "authorized"
    change = OrderRepository.change

    def contended(self: OrderRepository, order: Order, *, to: Status | None = None, **more: Any) -> Order:
        if to == "confirmed":
            raise Contended("many buyers want the same thing at this moment")
        return change(self, order, to=to, **more)

    with monkeypatch.context() as rush:
        rush.setattr(OrderRepository, "change", contended)
        assert kinds(shop, timedelta(hours=1)) == ["hold_overdue?"]
    assert shop.orders.get(order.id).status == "pending_payment"

    assert kinds(shop, timedelta(hours=1)) == ["hold_overdue"]
    assert shop.orders.get(order.id).status == "confirmed"


def test_an_order_that_is_ahead_of_its_execution_is_signaled_again_until_it_follows(shop: Shop) -> None:
    order = waits_in(shop, "AwaitWarehouse", shop.bought())
    for status in ("picked", "packed", "ready_to_ship"):
        order = shop.orders.change(order, to=status, now=NOW)

    assert kinds(shop, timedelta(minutes=1)) == []
    assert kinds(shop, timedelta(minutes=5)) == ["signal_lost"]
    assert shop.workflow.succeeded == ["token of AwaitWarehouse"]

    shop.orders.change(order, to="shipped", now=NOW)
    waits_in(shop, "AwaitDelivery", order)
    assert kinds(shop, timedelta(minutes=10)) == []


def test_an_order_that_stays_ahead_of_its_execution_for_an_hour_is_for_a_person(shop: Shop) -> None:
    order = waits_in(shop, "AwaitDelivery", shop.bought())
    for status in ("picked", "packed", "ready_to_ship", "shipped", "delivered"):
        order = shop.orders.change(order, to=status, now=NOW)

    assert kinds(shop, timedelta(minutes=61)) == ["order_stuck?"]


def test_an_order_whose_execution_followed_under_an_older_definition_is_looked_after_no_more(shop: Shop) -> None:
    order = shop.bought()
    shop.orders.table.update(f"ORDER#{order.id}", "ORDER", set={"task_token": "t", "task_state": "AwaitWarehouse"})
    assert list(shop.orders.ahead(before=NOW, limit=10)) == [order.id]

    assert kinds(shop) == []
    assert list(shop.orders.ahead(before=NOW, limit=10)) == []


def test_a_settled_order_is_looked_after_no_more(shop: Shop) -> None:
    order = waits_in(shop, "AwaitDelivery", shop.bought())
    for status in ("picked", "packed", "ready_to_ship", "shipped", "delivered"):
        order = shop.orders.change(order, to=status, now=NOW)
    shop.orders.change(order, fields={"settled": True})

    assert kinds(shop, timedelta(hours=2)) == []


def test_the_money_of_a_canceled_order_whose_compensation_failed_is_let_go(shop: Shop) -> None:
    order = waits_in(shop, "AwaitWarehouse", shop.bought())
    cancel_order(shop.stores, shop.workflow, order, reason="buyer_request", actor="buyer", now=NOW)

    assert kinds(shop, timedelta(minutes=5)) == ["signal_lost"]
    assert kinds(shop, timedelta(minutes=15)) == ["compensation_missing"]
    assert kinds(shop, timedelta(minutes=20)) == []

    assert shop.payment_types(order) == ["authorized", "voided"]
    assert shop.gateway.holding == []


def test_a_refund_that_the_provider_refuses_for_a_canceled_order_is_for_a_person(shop: Shop) -> None:
    order = shop.captured(waits_in(shop, "AwaitWarehouse", shop.bought()))
    cancel_order(shop.stores, shop.workflow, order, reason="merchant_request", actor="staff_1", now=NOW)
    shop.gateway.intents[str(order.payment_intent)].captured = 0

    assert kinds(shop) == ["compensation_missing?"]
    assert balance(shop.payments.of(order.id)).refundable == order.total


def disputed(order: Order, number: int = 1) -> PaymentNotice:
    """The news of one of the disputes of an order."""
    return PaymentNotice(
        id=f"evt_{number}",
        kind="disputed",
        type="charge.dispute.created",
        occurred_at=iso(NOW),
        intent_id=order.payment_intent,
        reference=f"dp_{number}",
        amount=order.total,
        reason="fraudulent",
    )


def test_news_that_the_providers_webhook_could_not_bring_are_taken_in_once(shop: Shop) -> None:
    order = shop.captured(waits_in(shop, "AwaitWarehouse", shop.bought()))
    shop.gateway.missed.append(disputed(order))

    assert kinds(shop) == ["notice_undelivered"]
    assert kinds(shop) == []
    assert shop.payment_types(order)[-1] == "disputed"


def sent(shop: Shop, checkout_id: str = "chk_1") -> Order:
    """An order whose one parcel is on its way."""
    order = waits_in(shop, "AwaitDelivery", shop.bought(id=checkout_id))
    for status in ("picked", "packed", "ready_to_ship"):
        order = shop.orders.change(order, to=status, now=NOW)
    parcel = order.shipments[0].model_copy(update={"status": "shipped", "label": label(tracking_number=order.id)})
    order = shop.orders.change(order, to="shipped", now=NOW, fields={"shipments": (parcel,)})
    return waits_in(shop, "AwaitDelivery", order)


def said(order: Order, status: TrackingStatus, after: timedelta = timedelta()) -> TrackingEvent:
    return TrackingEvent(order_id=order.id, tracking_number=order.id, status=status, occurred_at=NOW + after)


def looks_after(shop: Shop, depot: Depot, *, since: timedelta, minutes: int = 8) -> list[Finding]:
    """What the runs of so many minutes find, of which each asks about other parcels."""
    going_round = replace(rounds(shop), carrier=lambda: depot)
    with role_of("reconcile"):
        return [
            finding
            for minute in range(minutes)
            for finding in reconcile(going_round, PARCELS, limit=100, now=NOW + since + timedelta(minutes=minute))
        ]


@pytest.mark.parametrize(
    ("status", "becomes"), [("delivered", "delivered"), ("lost", "lost"), ("in_transit", "shipped")]
)
def test_news_that_the_carriers_webhook_could_not_bring_are_taken_in_once_within_a_quarter_of_an_hour(
    shop: Shop, status: TrackingStatus, becomes: Status
) -> None:
    order = sent(shop)
    depot = Depot([said(order, status)])

    found = looks_after(shop, depot, since=UNHEARD)

    assert [(one.kind, one.subject, one.mended) for one in found] == [("parcel_unheard", order.id, True)]
    assert shop.orders.get(order.id).status == becomes
    assert looks_after(shop, depot, since=UNHEARD) == []


def test_every_parcel_is_asked_about_once_in_eight_minutes_and_those_that_arrived_no_more(shop: Shop) -> None:
    orders = [sent(shop, f"chk_{number}") for number in range(12)]
    depot = Depot()

    looks_after(shop, depot, since=QUARTER)
    assert sorted(depot.asked) == sorted(order.id for order in orders)

    depot.said = [said(order, "delivered") for order in orders]
    looks_after(shop, depot, since=QUARTER)
    depot.asked.clear()
    looks_after(shop, depot, since=QUARTER)
    assert depot.asked == []


def test_a_silent_carrier_ends_the_look_and_the_next_turn_asks_again(shop: Shop) -> None:
    order = sent(shop)
    depot = Depot([said(order, "delivered")], up=False)

    assert [one.kind for one in looks_after(shop, depot, since=QUARTER)] == ["look_broken_off"]
    depot.up = True
    assert [one.kind for one in looks_after(shop, depot, since=2 * QUARTER)] == ["parcel_unheard"]


def test_money_that_no_order_knows_of_is_for_a_person(shop: Shop) -> None:
    shop.gateway.intents["pi_lost"] = Intent("order_that_is_gone", 2500, outcome="captured", captured=2500)

    [finding] = findings(shop)

    assert (finding.kind, finding.subject, finding.reference) == ("orphan_charge", "order_that_is_gone", "pi_lost")
    assert not finding.mended


@pytest.mark.parametrize(("outcome", "mended"), [("authorized", True), ("captured", False)])
def test_a_second_charge_for_an_order_is_let_go_while_it_is_only_held(shop: Shop, outcome: str, mended: bool) -> None:
    order = waits_in(shop, "AwaitWarehouse", shop.bought())
    shop.gateway.intents["pi_second"] = Intent(order.id, 2500, outcome=outcome)

    assert [finding.mended for finding in findings(shop)] == [mended]
    assert (shop.gateway.intents["pi_second"].outcome == "voided") is mended
    assert shop.orders.get(order.id).status == "confirmed"


def test_a_silent_provider_keeps_nobody_from_what_can_be_mended_without_it(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    order = waits_in(shop, "AwaitWarehouse", shop.bought())
    for status in ("picked", "packed", "ready_to_ship"):
        order = shop.orders.change(order, to=status, now=NOW)

    def silent(**_: object) -> None:
        raise Unavailable("the payment provider does not answer")

    monkeypatch.setattr(shop.gateway, "recent", silent)
    monkeypatch.setattr(shop.gateway, "undelivered", silent)

    assert kinds(shop) == ["signal_lost", "look_broken_off?", "look_broken_off?"]


def test_a_run_takes_so_much_in_hand_and_the_next_one_the_rest(shop: Shop) -> None:
    shop.stocked(3)
    for number in range(3):
        shop.complete(shop.checkout(id=f"chk_{number}"), card(WITH_3DS))
    late = timedelta(hours=1)

    taken = [[one.kind for one in findings(shop, late, limit=2)] for _ in range(4)]

    assert taken == [["execution_missing", "hold_overdue"]] * 3 + [[]]
    assert shop.stock().available == 3


def test_what_the_provider_lists_and_the_shop_knows_hides_nothing_behind_it(shop: Shop) -> None:
    order = shop.captured(waits_in(shop, "AwaitWarehouse", shop.bought()))
    for number in range(3):
        shop.gateway.missed.append(disputed(order, number))
        shop.gateway.intents[f"pi_{number}"] = Intent(f"order_gone_{number}", 100, outcome="captured", captured=100)

    runs = [Counter(one.kind for one in findings(shop, limit=1)) for _ in range(4)]

    assert [run["notice_undelivered"] for run in runs] == [1, 1, 1, 0]
    assert [run["orphan_charge"] for run in runs] == [1, 1, 1, 1]


def test_runs_at_once_mend_each_thing_once(shop: Shop) -> None:
    order = waiting(shop, ANSWER_LOST)
    shop.gateway.intents[str(order.payment_intent)].outcome = "authorized"

    with ThreadPoolExecutor(4) as at_once:
        list(at_once.map(lambda _: findings(shop, timedelta(minutes=5)), range(4)))

    assert shop.payment_types(order) == ["authorized"]
    assert shop.events()["order.confirmed"] == 1


def test_a_declined_card_leaves_nothing_to_find_once_it_is_compensated(shop: Shop) -> None:
    shop.stocked(1)
    shop.complete(shop.checkout(), card(DECLINED))

    assert kinds(shop, timedelta(minutes=16)) == ["compensation_missing"]
    assert kinds(shop, timedelta(minutes=21)) == []


@pytest.fixture
def through_stripe(shop: Shop) -> Iterator[tuple[Shop, StripeDouble]]:
    """The shop with Stripe's own client, and a double of Stripe whose webhooks all get lost."""
    with stripe_double() as double, Receiver(refuse=1_000) as nobody:
        client(double).v1.webhook_endpoints.create({"url": nobody.url, "enabled_events": ["*"]})
        gateway = StripeGateway(API_KEY, "whsec_of_these_tests", api_base=double.url)
        shop.till = replace(shop.till, gateway=gateway)
        shop.gateway = gateway  # type: ignore[assignment]
        yield shop, double


def test_stripe_itself_tells_what_its_lost_webhooks_did_not(through_stripe: tuple[Shop, StripeDouble]) -> None:
    shop, double = through_stripe
    shop.stocked(1)
    placed = clock.now() - timedelta(minutes=5)
    checkout = shop.checkout(expires_at=clock.epoch(placed + timedelta(days=1)))
    asked = shop.complete(checkout, card(WITH_3DS), now=placed)
    order = waits_in(shop, "AwaitPayment", shop.orders.get(str(asked.order_id)))
    at_the_bank(str(asked.escalation_url), "complete")
    soon = clock.now() + timedelta(minutes=5)

    assert [finding.kind for finding in reconcile(rounds(shop), EVERYWHERE, limit=100, now=soon)] == ["payment_unheard"]
    assert shop.orders.get(order.id).status == "confirmed"

    order = waits_in(shop, "AwaitWarehouse", shop.captured(shop.orders.get(order.id)))
    shop.gateway.refund(str(order.payment_intent), 100, "made by hand")
    control(double, "dispute", {"payment_intent": order.payment_intent})

    told = [(finding.kind, finding.subject) for finding in reconcile(rounds(shop), EVERYWHERE, limit=100, now=soon)]
    assert told == [("notice_undelivered", order.id)] * 2
    assert sorted(shop.payment_types(order))[-2:] == ["disputed", "refunded"]
    assert list(reconcile(rounds(shop), EVERYWHERE, limit=100, now=soon)) == []


def test_a_refund_of_staffs_whose_answer_and_webhooks_got_lost_is_in_the_books_within_a_quarter_of_an_hour(
    through_stripe: tuple[Shop, StripeDouble],
) -> None:
    shop, double = through_stripe
    order = shop.captured(waits_in(shop, "AwaitWarehouse", shop.bought()))
    asked: dict[str, Any] = {"order_id": order.id, "amount": 100, "reason": "support", "actor": "kim", "now": NOW}
    asks_once = StripeGateway(API_KEY, "whsec_of_these_tests", api_base=double.url, retries=0)
    control(double, "faults", {"operation": "refunds.create", "fault": "drop_after"})

    with pytest.raises(Unavailable):
        refund(shop.stores, asks_once, refund_id="refund_1", **asked)
    assert shop.payment_types(order)[-1] == "refund_requested"

    found = list(reconcile(rounds(shop), EVERYWHERE, limit=100, now=clock.now() + timedelta(minutes=5)))

    assert [(one.kind, one.subject) for one in found] == [("notice_undelivered", order.id)]
    assert shop.payment_types(order)[-1] == "refunded"
    [adjustment] = shop.orders.get(order.id).adjustments
    assert (adjustment.id, adjustment.status, adjustment.amount) == ("refund_1", "completed", -100)


def test_stripe_is_asked_for_charges_that_the_shop_does_not_know(through_stripe: tuple[Shop, StripeDouble]) -> None:
    shop, _ = through_stripe
    intent_id = shop.gateway.create_intent("order_that_is_gone", 2500, "USD")
    shop.gateway.confirm(intent_id, VISA, "https://shop.example", key="confirm")

    [finding] = reconcile(rounds(shop), EVERYWHERE, limit=100, now=clock.now() + timedelta(minutes=5))

    assert (finding.kind, finding.reference, finding.mended) == ("orphan_charge", intent_id, False)
    assert list(reconcile(rounds(shop), EVERYWHERE, limit=100, now=clock.now())) == []
