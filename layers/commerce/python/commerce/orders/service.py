"""The turning points of an order: placed, confirmed, canceled. Each is one transaction, and harmless to repeat.

Whoever loses a race against another change reads the order again and decides anew: two cancellations make one, and a
cancellation and a confirmation cannot both happen.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from commerce.carts.model import SOLD_AHEAD
from commerce.checkout.model import IN_PROGRESS, Checkout
from commerce.clock import iso
from commerce.discounts.model import BuyerLimitReached, Discount, OrderDiscount
from commerce.errors import ConditionFailed, Conflict, Contended, NotFound, StaleVersion
from commerce.events import (
    CancelReason,
    Event,
    GivenDiscount,
    OrderCanceled,
    OrderConfirmed,
    OrderDelivered,
    OrderLost,
    OrderPlaced,
    PaymentActionRequired,
    at,
)
from commerce.ids import derived_id, order_id_for
from commerce.inventory.model import LimitReached, Part, summed
from commerce.inventory.policy import buyer_key
from commerce.messages import Message, error
from commerce.orders.model import (
    CANCELABLE,
    Adjustment,
    Allocation,
    Order,
    OrderLine,
    ShippingChoice,
    Status,
    shipments_of,
)
from commerce.orders.ports import Books, Orders, Stores, Workflow
from commerce.payments.model import PaymentEvent
from commerce.pricing.model import PricedLine, ShippingOption
from commerce.supply import Supply

TRIES = 6
"""How often a use case decides anew when the order or its checkout changed under its hands."""
KEPT_AFTER_COMPLETION = timedelta(days=2)
"""How long a completed checkout still answers: as long as idempotency keys do."""

REOPENING: Mapping[CancelReason, Message] = {
    "payment_declined": error(
        "payment_declined", "The payment was declined. Try again with another card.", path="$.payment.instruments[0]"
    ),
    "payment_timeout": error(
        "payment_timeout", "The payment did not come in time. The goods are free again; you can try once more."
    ),
}
"""After these the buyer may try again: the checkout is open, and says why."""

BUYER_IS_ASKED = error(
    "payment_action_required",
    "The buyer's bank wants a confirmation. Open continue_url, then ask for the checkout again.",
    severity="requires_buyer_input",
)


def new_order(
    checkout: Checkout,
    option: ShippingOption,
    parts: Mapping[str, tuple[Part, ...]],
    supply: Mapping[str, Supply],
    discounts: tuple[OrderDiscount, ...],
    *,
    hold: timedelta,
    now: datetime,
) -> Order:
    """The order that this attempt of a derived checkout becomes.

    `parts` says from where each line (by id) comes, `supply` on which terms each SKU is sold, and `discounts`
    what its codes took off.
    """
    if checkout.destination is None:
        raise Conflict("a checkout without a destination cannot become an order")
    lines = tuple(_new_line(line, parts[line.id], supply[line.sku]) for line in checkout.priced)
    counted = any(line.limited for line in lines) or any(one.counted_for_buyer for one in discounts)
    return Order(
        id=order_id_for(checkout.id, checkout.attempt),
        checkout_id=checkout.id,
        attempt=checkout.attempt,
        customer=checkout.owner,
        status="pending_payment",
        moved_at=iso(now),
        currency=checkout.currency,
        lines=lines,
        shipments=shipments_of(lines),
        totals=checkout.totals,
        buyer=checkout.buyer,
        shipping_address=checkout.destination,
        country=checkout.destination.address_country,
        region=checkout.destination.address_region,
        buyer_key=buyer_key(checkout.owner, checkout.buyer.email) if counted else None,
        discounts=discounts,
        shipping=ShippingChoice(
            option_id=option.id,
            title=option.title,
            carrier=option.carrier,
            amount=option.amount,
            earliest=option.earliest,
            latest=option.latest,
        ),
        placed_at=iso(now),
        hold_until=iso(now + hold),
    )


def _new_line(line: PricedLine, parts: tuple[Part, ...], supply: Supply) -> OrderLine:
    ahead = any(part.backordered for part in parts)
    return OrderLine(
        **line.model_dump(),
        original=line.quantity,
        allocations=tuple(Allocation(**part.model_dump(exclude={"sku"})) for part in parts),
        expected_on=supply.expected_on if ahead else None,
        limited=supply.policy.purchase_limit is not None,
    )


def parts_of(order: Order) -> tuple[Part, ...]:
    """The order's goods per SKU, location and row, as its reservations hold them."""
    return summed(
        Part(sku=line.sku, **allocation.model_dump())
        for line in order.lines
        for allocation in line.allocations
    )


def limited_units(order: Order) -> dict[str, int]:
    """By SKU, the units that count towards what one buyer may have of it."""
    units: dict[str, int] = {}
    for line in order.lines:
        if line.limited:
            units[line.sku] = units.get(line.sku, 0) + line.original
    return units


def buyer_of(order: Order) -> str:
    """Under which key the buyer's purchases are counted: kept by orders that count, which may outlive the address."""
    return order.buyer_key or buyer_key(order.customer, order.buyer.email)


def place_order(
    stores: Stores,
    order: Order,
    checkout: Checkout,
    supply: Mapping[str, Supply],
    discounts: Sequence[Discount],
    *,
    now: datetime,
    patient: bool = True,
) -> Checkout:
    """Takes the stock, counts the discounts' uses, makes the order and puts `checkout` in progress, or does nothing.

    `discounts` are those of the order, as they were read. Raises LimitReached where the buyer has had enough of a SKU,
    BuyerLimitReached where they have used a code as often as one buyer may; ConditionFailed: 0 where the attempt has
    its order, 1 where the checkout changed, from 2 on the positions of the stock (`FIRST_PART`, three for each of
    `parts_of(order)`), behind it a discount that was changed or used up; and Contended, at the first conflict with
    another transaction if not `patient`. Answers the checkout as it is then.
    """
    moved = checkout.model_copy(
        update={
            "status": "complete_in_progress",
            "order_id": order.id,
            "messages": _about_delays(checkout),
            "expires_at": max(checkout.expires_at, int((now + KEPT_AFTER_COMPLETION).timestamp())),
        }
    )
    deadline = datetime.fromisoformat(order.hold_until)
    units = limited_units(order)
    stock = stores.inventory.reserve_actions(order.id, parts_of(order), deadline=deadline, now=now, supply=supply)
    limits = stores.inventory.limit_actions(buyer_of(order), units, supply)
    buyer_uses = stores.discounts.buyer_use_actions(discounts, buyer_of(order))
    uses = stores.discounts.use_actions(discounts)
    try:
        stores.orders.place(
            order,
            actions=[stores.checkouts.action(checkout, moved), *stock, *limits, *buyer_uses.values(), *uses.values()],
            events=[
                OrderPlaced(
                    occurred_at=at(now),
                    subject=order.id,
                    currency=order.currency,
                    total=order.total,
                    lines=order.event_lines(),
                    country=order.country or "",
                    customer=order.customer is not None,
                    discounts=tuple(GivenDiscount(code=one.code, amount=one.amount) for one in order.discounts),
                )
            ],
            patient=patient,
        )
    except ConditionFailed as refused:
        first = FIRST_PART + len(stock)
        if skus := _refused(units, first, refused):
            raise LimitReached(skus) from None
        if codes := _refused(buyer_uses, first + len(limits), refused):
            raise BuyerLimitReached(codes) from None
        raise
    return moved.model_copy(update={"version": checkout.version + 1})


def _refused(names: Iterable[str], first: int, refused: ConditionFailed) -> frozenset[str]:
    """Those of the names whose actions, from position `first` on, were refused."""
    return frozenset(name for position, name in enumerate(names, first) if position in refused.failed)


FIRST_PART = 2
"""The position of the first stock action in the transaction of `place_order`."""


def remember_intent(stores: Stores, order: Order, intent_id: str) -> Order:
    """Writes onto the pending order who holds its money, before any is held. The first intent stays.

    Answers the order as it is: one that was canceled meanwhile comes back canceled and must not be paid.
    """
    for _ in range(TRIES):
        if order.payment_intent is not None or order.status != "pending_payment":
            return order
        try:
            return stores.orders.change(order, fields={"payment_intent": intent_id})
        except ConditionFailed:
            order = stores.orders.get(order.id)
    raise Contended("the order is being changed by others; send the request again")


def ask_buyer(stores: Stores, order: Order, payment: PaymentEvent, url: str, *, now: datetime) -> Order:
    """The buyer's bank wants a confirmation at `url`: checkout and order lead there, and the buyer is told once.

    Answers the order as it is; one that moved on meanwhile, or waits for the buyer already, stays as it is.
    """
    for _ in range(TRIES):
        if order.status != "pending_payment":
            return order
        checkout = _checkout_of(stores, order, now)
        try:
            return stores.orders.change(
                order,
                fields={"escalation_url": url or None},
                actions=[
                    *stores.payments.append_actions(order.id, [payment]),
                    *_moved(
                        stores, checkout, status="requires_escalation", escalation_url=url, messages=(BUYER_IS_ASKED,)
                    ),
                ],
                events=[
                    PaymentActionRequired(
                        occurred_at=at(now), subject=order.id, currency=order.currency, total=order.total
                    )
                ],
            )
        except ConditionFailed as refused:
            order = stores.orders.get(order.id)
            if 1 in refused.failed:
                return order
    raise Contended("the order is being changed by others; send the request again")


def confirm_order(stores: Stores, workflow: Workflow, order: Order, payment: PaymentEvent, *, now: datetime) -> Order:
    """The money is held: the order stands, its reservations lose their deadline, its checkout is completed.

    Answers the order as it is then. One that was confirmed before stays as it is; one that was canceled before stays
    canceled, only the authorisation is recorded, and whoever called must see to it that it is voided.
    """
    order = _confirmed(stores, order, payment, now)
    if order.status == "confirmed":
        wake(stores.orders, workflow, order.id)
    return order


def _confirmed(stores: Stores, order: Order, payment: PaymentEvent, now: datetime) -> Order:
    for _ in range(TRIES):
        if order.status != "pending_payment":
            return record_payment(stores, order, payment)
        checkout = _checkout_of(stores, order, now)
        try:
            return stores.orders.change(
                order,
                to="confirmed",
                now=now,
                fields={"escalation_url": None},
                actions=[
                    *stores.payments.append_actions(order.id, [payment]),
                    *stores.inventory.keep_actions(order.id, parts_of(order)),
                    *_moved(stores, checkout, status="completed", messages=(), escalation_url=None),
                ],
                events=[
                    OrderConfirmed(
                        occurred_at=at(now),
                        subject=order.id,
                        currency=order.currency,
                        total=order.total,
                        lines=order.event_lines(),
                    )
                ],
            )
        except ConditionFailed:
            order = stores.orders.get(order.id)
    raise Contended("the order is being changed by others; send the request again")


def cancel_order(
    stores: Stores,
    workflow: Workflow,
    order: Order,
    *,
    reason: CancelReason,
    actor: str,
    now: datetime,
    payment: PaymentEvent | None = None,
    expected: int | None = None,
) -> Order:
    """The order will not be delivered: its stock is free again, the buyer is told, and the audit trail says by whom.

    Its money is the compensation's business (`compensate_order`). A payment that was declined or never came opens the
    checkout again for another attempt; every other reason cancels a checkout that is still in progress. Answers the
    order as it is then: one that was canceled before stays as it is, and so does one whose payment came after all where
    the reason is that it did not. Raises Conflict for one that has left, and StaleVersion for one that is not at the
    version `expected`. Canceling again wakes the workflow again, in case the first signal was lost.
    """
    if order.status != "canceled":
        expect_version(order, expected)
    order = _canceled(stores, order, reason, actor, now, payment)
    if order.status == "canceled":
        wake(stores.orders, workflow, order.id)
    return order


def expect_version(order: Order, version: int | None) -> None:
    """`version` is what the caller read; None where that does not matter to the caller. Raises StaleVersion."""
    if version is not None and order.version != version:
        raise StaleVersion(f"the order is at version {order.version} by now; read it again")


def journey_ended(order: Order, status: Status, now: datetime) -> OrderDelivered | OrderLost:
    """The event of an order whose last parcel has come to its end."""
    kind = OrderDelivered if status == "delivered" else OrderLost
    return kind(occurred_at=at(now), subject=order.id, currency=order.currency, total=order.total)


_WORKFLOW_ERRORS: Mapping[CancelReason | None, str] = {
    "payment_declined": "PaymentDeclined",
    "short_pick": "ShortPick",
}


def wake(orders: Orders, workflow: Workflow, order_id: str) -> None:
    """Tells the state that waits for the order what became of it. Told again, or for nothing, it changes nothing.

    Called after the order was written, it reads the token that stands there then: one that is stored later is not
    needed, because the condition under which the workflow stores it fails, and it goes on by itself.
    """
    order = orders.get(order_id)
    match order.status:
        case "confirmed" if order.task_state == "AwaitPayment":
            workflow.succeed(order.task_token, {"status": order.status})
        case "ready_to_ship" | "delivered":
            workflow.succeed(order.task_token, {"status": order.status})
        case "canceled":
            error_name = _WORKFLOW_ERRORS.get(order.cancel_reason, "OrderCanceled")
            workflow.fail(order.task_token, error_name, f"canceled: {order.cancel_reason}")
        case "lost":
            workflow.fail(order.task_token, "ParcelLost", "the carrier cannot deliver the parcel")


def _canceled(
    stores: Stores, order: Order, reason: CancelReason, actor: str, now: datetime, payment: PaymentEvent | None
) -> Order:
    for _ in range(TRIES):
        if order.status == "canceled":
            return record_payment(stores, order, payment) if payment else order
        if reason in REOPENING and order.status != "pending_payment":
            return order
        if order.status not in CANCELABLE:
            raise Conflict(f"an order that is {order.status} cannot be canceled any more")
        checkout = _checkout_of(stores, order, now)
        try:
            return stores.orders.change(
                order,
                to="canceled",
                now=now,
                fields={
                    "cancel_reason": reason,
                    "escalation_url": None,
                    "adjustments": (*order.adjustments, _cancellation(order, reason, now)),
                },
                actions=[
                    *stores.payments.append_actions(order.id, [payment] if payment else []),
                    *stores.inventory.release_actions(order.id, parts_of(order), now=now),
                    *stores.inventory.unlimit_actions(buyer_of(order), limited_units(order)),
                    *stores.discounts.give_back_actions(order.discounts, buyer_of(order)),
                    *_moved(stores, checkout, **_after_cancellation(checkout, reason)),
                    stores.audit.action(
                        f"order#{order.id}",
                        actor=actor,
                        action="order.canceled",
                        now=now,
                        before={"status": order.status},
                        after={"status": "canceled", "reason": reason},
                    ),
                ],
                events=[
                    OrderCanceled(
                        occurred_at=at(now),
                        subject=order.id,
                        currency=order.currency,
                        total=order.total,
                        reason=reason,
                        confirmed=order.status != "pending_payment",
                    )
                ],
            )
        except ConditionFailed:
            order = stores.orders.get(order.id)
    raise Contended("the order is being changed by others; send the request again")


def record_payment(books: Books, order: Order, payment: PaymentEvent, *, events: Iterable[Event] = ()) -> Order:
    """Appends `payment` to the order's ledger once, together with `events`. Recorded before, it changes nothing."""
    if books.payments.recorded(order.id, payment.key):
        return order
    for _ in range(TRIES):
        try:
            return books.orders.change(order, actions=books.payments.append_actions(order.id, [payment]), events=events)
        except ConditionFailed as refused:
            order = books.orders.get(order.id)
            if 1 in refused.failed:
                return order
    raise Contended("the order is being changed by others; send the request again")


def _checkout_of(stores: Stores, order: Order, now: datetime) -> Checkout | None:
    """The order's checkout while it waits for this very order; None where it is past that, or gone."""
    try:
        checkout = stores.checkouts.get(order.checkout_id, now)
    except NotFound:
        return None
    return checkout if checkout.order_id == order.id and checkout.status in IN_PROGRESS else None


def _moved(stores: Stores, checkout: Checkout | None, **changes: Any) -> list[dict[str, Any]]:
    if checkout is None:
        return []
    changes["messages"] = (*changes["messages"], *_about_delays(checkout))
    return [stores.checkouts.action(checkout, checkout.model_copy(update=changes))]


def _about_delays(checkout: Checkout) -> tuple[Message, ...]:
    """What the buyer was told about units that come later stands as long as the checkout does."""
    return tuple(message for message in checkout.messages if message.code in SOLD_AHEAD)


def _after_cancellation(checkout: Checkout | None, reason: CancelReason) -> dict[str, Any]:
    if checkout is None:
        return {}
    if reason in REOPENING:
        return {
            "status": "ready_for_complete",
            "attempt": checkout.attempt + 1,
            "order_id": None,
            "escalation_url": None,
            "messages": (REOPENING[reason],),
        }
    return {
        "status": "canceled",
        "escalation_url": None,
        "messages": (error("order_canceled", "The order was canceled.", severity="unrecoverable"),),
    }


def _cancellation(order: Order, reason: CancelReason, now: datetime) -> Adjustment:
    """The lines stay on the order as they were; this says that nothing of them comes, when and why."""
    return Adjustment(
        id=derived_id("adj", order.id, "cancellation"),
        type="cancellation",
        occurred_at=iso(now),
        status="completed",
        line_items=tuple((line.id, -line.quantity) for line in order.lines if line.quantity),
        description=reason.replace("_", " ").capitalize(),
    )
