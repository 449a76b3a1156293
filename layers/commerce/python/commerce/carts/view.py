"""The cart as the protocol shows it. Source: UCP 2026-08-25, shopping/cart.json."""

from collections.abc import Iterable

from commerce.carts.model import PricedCart
from commerce.clock import from_epoch, iso
from commerce.contact import Buyer
from commerce.messages import Message
from commerce.model import Model
from commerce.pricing.model import PricedLine, Total
from commerce.protocol import CART, Envelope, envelope
from commerce.settings import Settings


class Item(Model):
    """What is bought. `id` is the SKU, `price` the price of one piece in minor units."""

    id: str
    title: str
    price: int
    image_url: str | None


class LineItem(Model):
    """One line of a cart or checkout."""

    id: str
    item: Item
    quantity: int
    totals: tuple[Total, ...]


class Link(Model):
    """A page the buyer must be able to read before buying."""

    type: str
    url: str
    title: str


class CartResponse(Model):
    """A cart. What a client may send back is `line_items` and `buyer`; the rest is derived."""

    ucp: Envelope
    id: str
    currency: str
    line_items: tuple[LineItem, ...]
    buyer: Buyer | None
    totals: tuple[Total, ...]
    messages: tuple[Message, ...]
    links: tuple[Link, ...]
    expires_at: str
    continue_url: str


def present(priced: PricedCart, settings: Settings) -> CartResponse:
    """The answer for a priced cart."""
    cart = priced.cart
    return CartResponse(
        ucp=envelope(CART),
        id=cart.id,
        currency=cart.currency,
        line_items=line_items(priced.lines),
        buyer=cart.buyer if cart.buyer != Buyer() else None,
        totals=priced.totals,
        messages=priced.messages,
        links=links(settings),
        expires_at=iso(from_epoch(cart.expires_at)),
        continue_url=f"{settings.pages}/cart/{cart.id}",
    )


def line_items(lines: Iterable[PricedLine]) -> tuple[LineItem, ...]:
    """Priced lines as the protocol shows them."""
    return tuple(
        LineItem(
            id=line.id,
            item=Item(id=line.sku, title=line.title, price=line.unit_price, image_url=line.image_url),
            quantity=line.quantity,
            totals=line.totals,
        )
        for line in lines
    )


def links(settings: Settings) -> tuple[Link, ...]:
    """What the law wants shown beside a purchase."""
    return (
        Link(type="privacy_policy", url=f"{settings.pages}/privacy", title="Privacy policy"),
        Link(type="terms_of_service", url=f"{settings.pages}/terms", title="Terms of service"),
    )
