"""The warehouse takes goods back. Money goes back by a refund of its own, which support decides on."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, Protocol

from commerce.audit import Audit
from commerce.clock import iso
from commerce.errors import ConditionFailed, Contended
from commerce.events import GoodsReturned, at
from commerce.ids import derived_id
from commerce.inventory.model import Part
from commerce.orders.model import Adjustment, Order
from commerce.orders.ports import Orders
from commerce.orders.service import TRIES
from commerce.returns.model import ReturnedLine, after_return, check_returnable, event_lines, restocked_parts


class Shelves(Protocol):
    """Where stock is kept."""

    def return_actions(self, return_id: str, parts: Iterable[Part], *, now: datetime) -> list[dict[str, Any]]:
        """The transaction's actions that make the parts free to be sold again, once per return."""


def receive(
    orders: Orders,
    shelves: Shelves,
    audit: Audit,
    *,
    order_id: str,
    lines: tuple[ReturnedLine, ...],
    key: str,
    actor: str,
    now: datetime,
) -> Order:
    """Takes goods back: counts, ledger, shelf, event and audit entry in one transaction.

    `key` names the delivery: the same one again changes nothing and answers the order as it is. Never takes back
    more than was sent and is still out: raises Invalid. Raises NotFound, and Contended where the order keeps changing.
    """
    return_id = derived_id("return", order_id, key)
    for _ in range(TRIES):
        order = orders.get(order_id)
        if any(adjustment.id == return_id for adjustment in order.adjustments):
            return order
        check_returnable(order, lines)
        quantities = {line.line_id: line.quantity for line in lines}
        recorded = audit.action(
            f"order#{order_id}",
            actor=actor,
            action="goods.returned",
            now=now,
            after={"return_id": return_id, "lines": [line.model_dump() for line in lines]},
        )
        try:
            return orders.change(
                order,
                fields={
                    "lines": after_return(order.lines, quantities),
                    "adjustments": (*order.adjustments, _adjustment(return_id, quantities, now)),
                },
                actions=[*shelves.return_actions(return_id, restocked_parts(order, lines), now=now), recorded],
                events=[_returned(order, return_id, quantities, now)],
            )
        except ConditionFailed:
            continue
    raise Contended("the order keeps changing; send the return again")


def _adjustment(return_id: str, quantities: Mapping[str, int], now: datetime) -> Adjustment:
    return Adjustment(
        id=return_id,
        type="return",
        occurred_at=iso(now),
        status="completed",
        line_items=tuple((line_id, -quantity) for line_id, quantity in quantities.items()),
    )


def _returned(order: Order, return_id: str, quantities: Mapping[str, int], now: datetime) -> GoodsReturned:
    return GoodsReturned(
        occurred_at=at(now),
        subject=order.id,
        currency=order.currency,
        total=order.total,
        return_id=return_id,
        lines=event_lines(order, quantities),
    )
