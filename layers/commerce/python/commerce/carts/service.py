"""The cart's use cases. Business outcomes are messages; a cart that is none of the caller's business is NotFound."""

import itertools
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from commerce.carts.model import (
    Cart,
    PricedCart,
    line_messages,
    nothing_to_sell,
    quantity_too_large,
)
from commerce.carts.request import CartRequest, ContextRequest, LineRequest
from commerce.clock import epoch, iso
from commerce.errors import Invalid, NotFound
from commerce.identity.model import Caller
from commerce.ids import new_id
from commerce.messages import Message, error, warning
from commerce.pricing import service as pricing
from commerce.pricing.model import Catalog, Offer, WantedLine
from commerce.protocol import ErrorResponse
from commerce.settings import Settings
from commerce.supply import Supply


class Inventory(Protocol):
    """What the shop has."""

    def supply(self, skus: Iterable[str], now: datetime) -> dict[str, Supply]:
        """What can be sold of every SKU."""


class Carts(Protocol):
    """Where carts are kept."""

    def get(self, cart_id: str, now: datetime) -> Cart:
        """The cart. Raises NotFound."""

    def add(self, cart: Cart) -> None:
        """Stores a new cart."""

    def save(self, old: Cart, new: Cart) -> Cart:
        """Replaces `old`. Raises Conflict where it is not what is stored any more."""

    def remove(self, cart: Cart) -> None:
        """Removes the cart."""


@dataclass(frozen=True)
class Shelf:
    """What a wanted line is judged by: the shop's offers, its stock and its rules."""

    catalog: Catalog
    inventory: Inventory
    settings: Settings

    def look(self, lines: Iterable[WantedLine], now: datetime) -> tuple[Mapping[str, Offer], Mapping[str, Supply]]:
        """The offers and the supply of the lines' SKUs: one read each, none for an empty cart."""
        skus = list(dict.fromkeys(line.sku for line in lines))
        return (self.catalog.offers(skus), self.inventory.supply(skus, now)) if skus else ({}, {})


def create_cart(
    request: CartRequest, *, caller: Caller, now: datetime, shelf: Shelf, carts: Carts
) -> PricedCart | ErrorResponse:
    """A new cart; an ErrorResponse, and no cart, where nothing that was asked for can be bought."""
    refused = refusals(request.line_items, shelf.settings)
    if refused:
        return no_resource(refused)
    context = request.context
    cart = Cart(
        id=new_id("cart"),
        owner=caller.subject,
        currency=pricing.currency_for(context.currency, context.address_country, shelf.settings),
        country_hint=context.address_country,
        lines=wanted_lines(request.line_items, ()),
        buyer=request.buyer,
        created_at=iso(now),
        updated_at=iso(now),
        expires_at=epoch(now + timedelta(days=shelf.settings.cart_days)),
    )
    offers, supply = shelf.look(cart.lines, now)
    priced = price_cart(cart, offers, supply, shelf.settings, currency_notice(context, cart.currency))
    if cart.lines and nothing_to_sell(cart.lines, offers, supply, cart.currency):
        return no_resource(priced.messages)
    carts.add(cart)
    return priced


def get_cart(cart_id: str, *, caller: Caller, now: datetime, shelf: Shelf, carts: Carts) -> PricedCart:
    """The cart at today's prices. Raises NotFound, also for somebody else's."""
    cart = own_cart(cart_id, caller=caller, now=now, carts=carts)
    return price_cart(cart, *shelf.look(cart.lines, now), shelf.settings)


def replace_cart(
    cart_id: str, request: CartRequest, *, caller: Caller, now: datetime, shelf: Shelf, carts: Carts
) -> PricedCart:
    """The cart as the client wants it now; its currency stays. A guest's cart becomes a signed-in caller's.

    What the shop refuses changes nothing: the answer is the cart as it was, and the reason. Raises NotFound, Conflict.
    """
    cart = own_cart(cart_id, caller=caller, now=now, carts=carts)
    refused = refusals(request.line_items, shelf.settings)
    if refused:
        return price_cart(cart, *shelf.look(cart.lines, now), shelf.settings, refused)
    replacing = cart.model_copy(
        update={
            "owner": cart.owner or caller.subject,
            "country_hint": request.context.address_country,
            "lines": wanted_lines(request.line_items, cart.lines),
            "buyer": request.buyer,
            "updated_at": iso(now),
            "expires_at": epoch(now + timedelta(days=shelf.settings.cart_days)),
        }
    )
    notice = currency_notice(request.context, cart.currency)
    priced = price_cart(replacing, *shelf.look(replacing.lines, now), shelf.settings, notice)
    return priced.model_copy(update={"cart": carts.save(cart, replacing)})


def cancel_cart(cart_id: str, *, caller: Caller, now: datetime, shelf: Shelf, carts: Carts) -> PricedCart:
    """Removes the cart and answers what it was. Raises NotFound, also the second time."""
    priced = get_cart(cart_id, caller=caller, now=now, shelf=shelf, carts=carts)
    carts.remove(priced.cart)
    return priced


def own_cart(cart_id: str, *, caller: Caller, now: datetime, carts: Carts) -> Cart:
    """The cart, if the caller may touch it. A stranger learns no more than that there is none."""
    cart = carts.get(cart_id, now)
    if not caller.may_touch(cart.owner):
        raise NotFound("there is no such cart; it may have expired")
    return cart


def price_cart(
    cart: Cart,
    offers: Mapping[str, Offer],
    supply: Mapping[str, Supply],
    settings: Settings,
    notices: tuple[Message, ...] = (),
) -> PricedCart:
    """The cart with prices and totals (goods only: where they go is not known yet), and what the buyer must be told."""
    lines = pricing.price_lines(cart.lines, offers, cart.currency)
    return PricedCart(
        cart=cart,
        lines=lines,
        totals=pricing.ledger(lines),
        messages=(*notices, *line_messages(cart.lines, offers, supply, cart.currency, settings)),
    )


def refusals(requested: Iterable[LineRequest], settings: Settings) -> tuple[Message, ...]:
    """Why the shop does not even take these lines down: too many of them, or too much of one."""
    lines = tuple(requested)
    if len(lines) > settings.max_lines:
        return (error("too_many_lines", f"At most {settings.max_lines} lines fit in one cart.", path="$.line_items"),)
    return tuple(
        quantity_too_large(settings, path=f"$.line_items[{position}].quantity")
        for position, line in enumerate(lines)
        if line.quantity > settings.max_quantity
    )


def wanted_lines(requested: Iterable[LineRequest], known: tuple[WantedLine, ...]) -> tuple[WantedLine, ...]:
    """The requested lines with their ids. A line keeps the id that the client names, or that of its SKU's old line.

    An id that the shop did not give out is replaced. Raises Invalid where the client names one line twice.
    """
    lines = tuple(requested)
    known_ids = {line.id for line in known}
    named: set[str] = set()
    for position, line in enumerate(lines):
        if line.id in named:
            raise Invalid("two lines have the same id", path=f"$.line_items[{position}].id")
        if line.id in known_ids:
            named.add(line.id)
    free = [line for line in known if line.id not in named]
    fresh = (f"line_{number}" for number in itertools.count(1) if f"line_{number}" not in known_ids)

    def identify(line: LineRequest) -> str:
        if line.id in named:
            return line.id
        old = next((one for one in free if one.sku == line.item.id), None)
        if old is None:
            return next(fresh)
        free.remove(old)
        return old.id

    return tuple(WantedLine(id=identify(line), sku=line.item.id, quantity=line.quantity) for line in lines)


def currency_notice(context: ContextRequest, currency: str) -> tuple[Message, ...]:
    """A warning where the client asked for another currency than it gets."""
    if context.currency in (None, currency):
        return ()
    return (
        warning("currency_unavailable", f"Prices are in {currency}, not in {context.currency}.", path="$.currency"),
    )


def no_resource(messages: Iterable[Message]) -> ErrorResponse:
    """Nothing was made, and the reasons; only another request can help."""
    reasons = (message for message in messages if message.type == "error")
    return ErrorResponse(messages=tuple(one.model_copy(update={"severity": "unrecoverable"}) for one in reasons))
