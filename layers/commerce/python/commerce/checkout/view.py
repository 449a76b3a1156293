"""The checkout as the protocol shows it. Source: UCP 2026-08-25, checkout.json and fulfillment.json."""

from typing import Literal

from commerce.carts.view import LineItem, Link, line_items, links
from commerce.checkout.model import Checkout, Status
from commerce.checkout.service import chosen_option, options_for
from commerce.clock import from_epoch, iso
from commerce.contact import Buyer, PostalAddress
from commerce.discounts.view import DiscountsExtension
from commerce.ids import order_label
from commerce.messages import Message
from commerce.model import Model
from commerce.pricing.model import ShippingOption, Total
from commerce.protocol import CART, CHECKOUT, DISCOUNT, FULFILLMENT, Envelope, envelope
from commerce.settings import Settings


class Option(Model):
    """One way to ship the group. `totals` is its price."""

    id: str
    title: str
    carrier: str
    earliest_fulfillment_time: str
    latest_fulfillment_time: str
    totals: tuple[Total, ...]


class Group(Model):
    """What travels together: here always everything."""

    id: str
    line_item_ids: tuple[str, ...]
    options: tuple[Option, ...]
    selected_option_id: str | None


class Destination(PostalAddress):
    """Where the goods go."""

    id: str
    type: Literal["shipping_address"] = "shipping_address"


class Method(Model):
    """How the goods get to the buyer."""

    id: str
    type: Literal["shipping"] = "shipping"
    line_item_ids: tuple[str, ...]
    destinations: tuple[Destination, ...]
    selected_destination_id: str | None
    groups: tuple[Group, ...]


class Fulfillment(Model):
    """The fulfilment extension."""

    methods: tuple[Method, ...]


class OrderConfirmation(Model):
    """Where the order of a completed checkout is found."""

    id: str
    label: str
    permalink_url: str


class CheckoutResponse(Model):
    """A checkout. A client may send back `line_items`, `buyer`, `fulfillment` and the codes of `discounts`; the rest is
    derived.
    """

    ucp: Envelope
    id: str
    status: Status
    currency: str
    line_items: tuple[LineItem, ...]
    buyer: Buyer | None
    totals: tuple[Total, ...]
    fulfillment: Fulfillment
    discounts: DiscountsExtension
    messages: tuple[Message, ...]
    links: tuple[Link, ...]
    expires_at: str | None
    continue_url: str | None
    cart_id: str | None
    order: OrderConfirmation | None


def present(checkout: Checkout, settings: Settings, order_url: str | None) -> CheckoutResponse:
    """The answer for a derived checkout. `order_url` is the order's permalink, shown once the checkout is completed."""
    terminal = checkout.status in ("completed", "canceled")
    return CheckoutResponse(
        ucp=envelope(CHECKOUT, FULFILLMENT, DISCOUNT, CART, payment=True),
        id=checkout.id,
        status=checkout.status,
        currency=checkout.currency,
        line_items=line_items(checkout.priced),
        buyer=checkout.buyer if checkout.buyer != Buyer() else None,
        totals=checkout.totals,
        fulfillment=Fulfillment(methods=(_method(checkout, settings),)),
        discounts=DiscountsExtension(codes=checkout.codes, applied=checkout.discounts),
        messages=checkout.messages,
        links=links(settings),
        expires_at=None if terminal else iso(from_epoch(checkout.expires_at)),
        continue_url=None if terminal else checkout.escalation_url or f"{settings.pages}/checkout/{checkout.id}",
        cart_id=checkout.cart_id,
        order=_confirmation(checkout, order_url),
    )


def _method(checkout: Checkout, settings: Settings) -> Method:
    ids = tuple(line.id for line in checkout.lines)
    option = chosen_option(checkout, settings)
    return Method(
        id="shipping",
        line_item_ids=ids,
        destinations=_destinations(checkout),
        selected_destination_id=checkout.destination_id,
        groups=(
            Group(
                id="parcel",
                line_item_ids=ids,
                options=tuple(_option(one) for one in options_for(checkout, settings)),
                selected_option_id=option.id if option else None,
            ),
        ),
    )


def _destinations(checkout: Checkout) -> tuple[Destination, ...]:
    if checkout.destination is None or checkout.destination_id is None:
        return ()
    return (Destination(id=checkout.destination_id, **checkout.destination.model_dump()),)


def _option(option: ShippingOption) -> Option:
    return Option(
        id=option.id,
        title=option.title,
        carrier=option.carrier,
        earliest_fulfillment_time=option.earliest,
        latest_fulfillment_time=option.latest,
        totals=(Total(type="total", amount=option.amount, display_text=option.title),),
    )


def _confirmation(checkout: Checkout, order_url: str | None) -> OrderConfirmation | None:
    """Not before the order stands: while it is only being tried, the protocol forbids to name it."""
    if checkout.status != "completed" or checkout.order_id is None or order_url is None:
        return None
    return OrderConfirmation(id=checkout.order_id, label=order_label(checkout.order_id), permalink_url=order_url)
