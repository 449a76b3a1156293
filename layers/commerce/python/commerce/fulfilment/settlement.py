"""The workflow closes a delivered order whose books balance."""

from datetime import datetime

from commerce.errors import ConditionFailed, Conflict, Contended
from commerce.events import OrderSettled, at
from commerce.fulfilment.model import given_back
from commerce.orders.model import Order
from commerce.orders.ports import Orders, PaymentLedger
from commerce.orders.service import TRIES
from commerce.payments.model import balance


def settle(orders: Orders, ledger: PaymentLedger, *, order_id: str, now: datetime) -> Order:
    """Closes a delivered order whose books balance: captured less refunded is the total less what was given back.

    Raises Conflict otherwise: no further run can mend that, a person must look.
    """
    for _ in range(TRIES):
        order = orders.get(order_id)
        if order.settled:
            return order
        if order.status != "delivered":
            raise Conflict(f"the order is {order.status}; only a delivered one is settled")
        sums = balance(ledger.of(order_id))
        owed = order.total - given_back(order)
        if sums.captured - sums.refunded != owed:
            raise Conflict(f"captured {sums.captured} less refunded {sums.refunded} is not the {owed} owed")
        settled = OrderSettled(
            occurred_at=at(now),
            subject=order.id,
            currency=order.currency,
            total=order.total,
            captured=sums.captured,
            refunded=sums.refunded,
        )
        try:
            return orders.change(order, fields={"settled": True}, events=[settled])
        except ConditionFailed:
            continue
    raise Contended("the order keeps changing; settle it again")
