"""Writes every e-mail of the shop for a made-up order into build/emails, to be looked at in a browser.

python -m tools.emails
"""

import argparse
import sys
from pathlib import Path
from typing import Any

from jinja2 import FileSystemLoader

from commerce import events
from commerce.contact import Buyer, PostalAddress
from commerce.events import Event
from commerce.notifications.model import KINDS
from commerce.notifications.rendering import Templates
from commerce.orders.model import Label, Order, OrderLine, Shipment, ShipmentLine, ShippingChoice
from commerce.pricing.model import Total
from commerce.settings import Settings

ROOT = Path(__file__).resolve().parent.parent
EMAILS = ROOT / "emails"
PREVIEWS = ROOT / "build" / "emails"

_MOMENT = "2026-11-22T08:15:30.250Z"

SHOP = Settings(
    name="Tradepost",
    url="https://shop.example",
    email_from="orders@shop.example",
    currencies=("USD",),
    countries=("US",),
    shipping_rates=(),
    tax_rates=(),
)

ORDER = Order(
    id="order_7k2m9qxa0c1d2e3f4g5h6j7k8m",
    checkout_id="checkout_0c1d2e3f",
    attempt=1,
    customer=None,
    status="shipped",
    currency="USD",
    lines=(
        OrderLine(
            id="line_1",
            sku="SHIRT-BLUE-M",
            product_id="product_1",
            title="Linen Shirt - Blue / M",
            quantity=2,
            original=2,
            unit_price=5900,
            totals=(Total(type="subtotal", amount=11800), Total(type="total", amount=11800)),
        ),
        OrderLine(
            id="line_2",
            sku="MUG",
            product_id="product_2",
            title="Stoneware Mug, made by hand in a small workshop by the sea",
            quantity=1,
            original=1,
            unit_price=1900,
            totals=(Total(type="subtotal", amount=1900), Total(type="total", amount=1900)),
        ),
    ),
    totals=(
        Total(type="subtotal", amount=13700, display_text="Subtotal"),
        Total(type="fulfillment", amount=0, display_text="Standard"),
        Total(type="tax", amount=1216, display_text="Sales tax"),
        Total(type="total", amount=14916, display_text="Total"),
    ),
    buyer=Buyer(first_name="Ada", last_name="Lovelace", email="ada@example.com"),
    shipping_address=PostalAddress(
        first_name="Ada",
        last_name="Lovelace",
        street_address="20 W 34th St",
        address_locality="New York",
        address_region="NY",
        postal_code="10001",
        address_country="US",
    ),
    shipping=ShippingChoice(
        option_id="standard",
        title="Standard",
        carrier="USPS",
        amount=0,
        earliest="2026-11-25T00:00:00.000Z",
        latest="2026-11-29T00:00:00.000Z",
    ),
    placed_at=_MOMENT,
    hold_until="2026-11-22T08:30:30.250Z",
    escalation_url="https://bank.example/confirm",
    shipments=tuple(
        Shipment(
            location=location,
            lines=(ShipmentLine(line_id=line_id, quantity=quantity),),
            status="shipped",
            label=Label(
                id=f"shp_{location}",
                carrier="USPS",
                tracking_number=number,
                tracking_url=f"https://carrier.example/{number}",
                label_url="https://carrier.example/label.png",
            ),
            shipped_at="2026-11-23T14:00:00.000Z",
        )
        for location, line_id, quantity, number in (
            ("main", "line_1", 2, "9400100000000000000000"),
            ("annex", "line_2", 1, "9400100000000000000017"),
        )
    ),
)

_MORE: dict[type[Event], dict[str, Any]] = {
    events.OrderConfirmed: {"lines": ORDER.event_lines()},
    events.OrderShipped: {"carrier": "USPS", "tracking_number": "9400100000000000000000"},
    events.OrderCanceled: {"reason": "short_pick", "confirmed": True},
    events.PaymentRefunded: {"refund_id": "refund_1", "amount": 1900, "reason": "support"},
}
"""What these events say besides what all events of orders say."""


def example(kind: type[Event]) -> Event:
    """An event of this type about the made-up order."""
    common = {"occurred_at": _MOMENT, "subject": ORDER.id, "currency": ORDER.currency, "total": ORDER.total}
    return kind.model_validate({**common, **_MORE.get(kind, {})})


def main() -> int:
    """Writes the e-mails, and says where."""
    render = Templates(FileSystemLoader(EMAILS), SHOP, lambda order_id: f"{SHOP.url}/orders/{order_id}?access_token=…")
    PREVIEWS.mkdir(parents=True, exist_ok=True)
    for event, kind in KINDS.items():
        email = render(kind, example(event), ORDER, "ada@example.com")
        (PREVIEWS / f"{kind}.html").write_text(email.html, "utf-8")
        (PREVIEWS / f"{kind}.txt").write_text(f"Subject: {email.subject}\n\n{email.text}", "utf-8")
        print(f"build/emails/{kind}.html  {email.subject}")
    return 0


if __name__ == "__main__":
    argparse.ArgumentParser(prog="make emails", description=__doc__).parse_args()
    sys.exit(main())
