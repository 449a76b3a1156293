"""From what people know of an order to its id: the id itself, the label on an e-mail or a parcel, an e-mail address."""

import re

from commerce.orders.model import Order
from tools.athena import ask
from tools.local.steps import Stop
from tools.orders.records import orders_of
from tools.shops import Shop

LISTED = 20


def identified(shop: Shop, text: str) -> str:
    """The id of the order that `text` names: its id, or its label. Raises Stop."""
    return text if text.startswith("order_") else named(shop, text)


def named(shop: Shop, label: str) -> str:
    """The id of the order with this label, from the events: no table knows labels. Raises Stop."""
    if not re.fullmatch(r"TP-[0-9A-Z]{8}", label.upper()):
        raise Stop(f"{label} is no label of an order; one looks like TP-7K2M9QXA")
    begins = f"order_{label[3:].lower()}"
    answer = ask(shop, f"SELECT DISTINCT subject FROM events WHERE substr(subject, 1, {len(begins)}) = '{begins}'")
    found = [row[0] for row in answer.rows if row[0]]
    if not found:
        raise Stop(f"No event tells of {label}; those of the last two minutes are not there yet")
    if len(found) > 1:
        raise Stop(f"{label} is the label of several orders: make order ID={' or ID='.join(found)}")
    return found[0]


def of_address(shop: Shop, address: str) -> list[Order]:
    """The latest orders of whoever bought with this e-mail address, the newest first. Raises Stop for none."""
    if "@" not in address:
        raise Stop(f"{address} is no e-mail address; to find an order otherwise: make order ID=order_… or LABEL=TP-…")
    orders = orders_of(shop)
    found = [orders.get(order_id) for order_id in orders.of_address(address, limit=LISTED)]
    if not found:
        raise Stop("Nobody has ordered with this e-mail address")
    return found
