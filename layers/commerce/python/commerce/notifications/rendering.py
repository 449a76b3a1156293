"""E-mails from the templates in `emails/`, each as HTML and as text. jinja2 stays in this room.

What buyers typed into forms is escaped in HTML; in a subject, line breaks are taken out.
"""

from collections.abc import Callable
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from jinja2 import BaseLoader, Environment, StrictUndefined, select_autoescape

from commerce.clock import in_words
from commerce.events import CancelReason, Event, OrderCanceled, PaymentRefunded
from commerce.model import Model
from commerce.money import display
from commerce.notifications.model import Email, Kind
from commerce.orders.model import Label, Order, OrderLine, Shipment
from commerce.pricing.model import Total, TotalType, amount_of
from commerce.settings import Settings

REASONS: dict[CancelReason, str] = {
    "payment_declined": "Your bank declined the payment.",
    "payment_timeout": "The payment did not arrive in time.",
    "buyer_request": "You asked us to cancel it.",
    "merchant_request": "We cannot deliver it as we promised, and we are sorry.",
    "short_pick": "One of the things you ordered turned out to be missing from our shelves, and we are sorry.",
    "capture_failed": "Your bank did not release the payment when we were about to ship.",
    "fraud": "We could not accept the payment.",
}

TITLES: dict[TotalType, str] = {
    "subtotal": "Subtotal",
    "items_discount": "Discount on items",
    "discount": "Discount",
    "fulfillment": "Shipping",
    "tax": "Tax",
    "fee": "Fee",
    "total": "Total",
}


class Line(Model):
    """A line of the order, ready to be shown."""

    title: str
    quantity: int
    price: str
    image_url: str | None
    later: str | None
    """What of it was not in stock when it was ordered."""


class Parcel(Model):
    """A parcel that has left, ready to be shown."""

    carrier: str
    tracking_number: str
    tracking_url: str
    contents: str
    lost: bool


class Sum(Model):
    """An entry of the totals, ready to be shown."""

    title: str
    amount: str
    final: bool


def environment(loader: BaseLoader) -> Environment:
    """How templates are read; the same when they are compiled and when they are rendered."""
    return Environment(
        loader=loader,
        autoescape=select_autoescape(enabled_extensions=("html",), default=False),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )


class Templates:
    """The shop's e-mail templates. `permalink(order_id)` is where the buyer reads the order."""

    def __init__(self, loader: BaseLoader, settings: Settings, permalink: Callable[[str], str]) -> None:
        self._environment = environment(loader)
        self._settings = settings
        self._permalink = permalink

    def __call__(self, kind: Kind, event: Event, order: Order, recipient: str) -> Email:
        """The e-mail of this kind."""
        values = self._values(event, order)
        text = self._environment.get_template(f"{kind}.txt")
        subject = "".join(text.blocks["subject"](text.new_context(values)))
        return Email(
            recipient=recipient,
            subject=" ".join(subject.split()),
            html=self._environment.get_template(f"{kind}.html").render(values),
            text=text.render(values),
        )

    def _values(self, event: Event, order: Order) -> dict[str, Any]:
        return {
            "shop": self._settings.name,
            "shop_url": self._settings.pages,
            "label": order.label,
            "first_name": order.buyer.first_name or order.shipping_address.first_name,
            "lines": [_line(line, order) for line in order.lines],
            "totals": [_sum(total, order) for total in order.totals],
            "address": _address(order),
            "shipping": order.shipping,
            "parcels": [_parcel(one, one.label, order) for one in order.shipments if one.label],
            "permalink": self._permalink(order.id),
            "confirmation_url": order.escalation_url or self._permalink(order.id),
            "hold_until": f"{datetime.fromisoformat(order.hold_until):%H:%M} UTC",
            "placed_on": _day(order.placed_at),
            "expected_by": _day(order.shipping.latest),
            "reason": REASONS[event.reason] if isinstance(event, OrderCanceled) else None,
            "refunded": display(event.amount, event.currency) if isinstance(event, PaymentRefunded) else None,
        }


def _line(line: OrderLine, order: Order) -> Line:
    """A canceled line has no units left; the buyer knows it by the units that were ordered. What is taken off stands in
    the totals.
    """
    return Line(
        title=line.title,
        quantity=line.quantity or line.original,
        price=display(amount_of(line.totals, "subtotal"), order.currency),
        image_url=_shown_in_mail(line.image_url),
        later=_later(line, awaited) if (awaited := order.awaited(line)) else None,
    )


def _later(line: OrderLine, awaited: int) -> str:
    units = "Not in stock yet" if awaited == line.quantity else f"{awaited} of them not in stock yet"
    return f"{units}, expected on {in_words(line.expected_on)}" if line.expected_on else units


def _parcel(shipment: Shipment, label: Label, order: Order) -> Parcel:
    titles = {line.id: line.title for line in order.lines}
    return Parcel(
        carrier=label.carrier,
        tracking_number=label.tracking_number,
        tracking_url=label.tracking_url,
        contents=", ".join(f"{line.quantity} x {titles[line.line_id]}" for line in shipment.lines),
        lost=shipment.status == "lost",
    )


def _shown_in_mail(image_url: str | None) -> str | None:
    """None for SVG: most mail programs show a broken picture in its place."""
    drawn = image_url is not None and urlsplit(image_url).path.lower().endswith(".svg")
    return None if drawn else image_url


def _sum(total: Total, order: Order) -> Sum:
    title = TITLES[total.type]
    if total.display_text:
        title = f"{title} ({total.display_text})" if total.type == "fulfillment" else total.display_text
    return Sum(
        title=title,
        amount=display(total.amount, order.currency),
        final=total.type == "total",
    )


def _address(order: Order) -> list[str]:
    """The lines of the parcel's label."""
    to = order.shipping_address
    lines = [
        (to.first_name, to.last_name),
        (to.street_address,),
        (to.extended_address,),
        (to.postal_code, to.address_locality, to.address_region),
        (to.address_country,),
    ]
    return [text for parts in lines if (text := " ".join(part for part in parts if part))]


def _day(moment: str) -> str:
    return in_words(datetime.fromisoformat(moment))
