"""The cart as it is stored (item `CART#<id>`/`CART`), and the rules about lines that carts and checkouts share."""

from collections import Counter
from collections.abc import Iterable, Mapping

from pydantic import Field

from commerce.clock import in_words
from commerce.contact import Buyer
from commerce.messages import Message, error, info, warning
from commerce.model import Model
from commerce.money import Currency
from commerce.pricing.model import Offer, PricedLine, Total, WantedLine
from commerce.settings import Settings
from commerce.supply import NOTHING, Supply


class Cart(Model):
    """What the client asked for, and nothing derived: prices are looked up whenever the cart is shown."""

    id: str
    owner: str | None = None
    """The signed-in buyer's subject; None for a guest."""
    version: int = 1
    currency: Currency
    country_hint: str | None = None
    """From the client's context (ISO 3166-1 alpha-2)."""
    lines: tuple[WantedLine, ...]
    buyer: Buyer = Buyer()
    unsealed: bool = Field(default=False, exclude=True)
    """Whether it was read from where a release that sealed nothing stored who buys."""
    created_at: str
    updated_at: str
    expires_at: int
    """Epoch seconds; the table's time to live. Reads compare it with the clock, never trusting the sweep."""

    @property
    def tells_of_buyer(self) -> bool:
        """Whether it holds personal data."""
        return self.buyer != Buyer()

    @property
    def holder(self) -> str | None:
        """Whose key seals what it tells of the buyer, if any does."""
        return self.id if self.tells_of_buyer and not self.unsealed else None


class PricedCart(Model):
    """A cart with what the shop derives for it at this moment."""

    cart: Cart
    lines: tuple[PricedLine, ...]
    totals: tuple[Total, ...]
    messages: tuple[Message, ...]


SOLD_AHEAD = frozenset({"backorder", "preorder"})
"""Codes of the warnings that a line's units come later. Who has not seen them has not agreed to it."""


def line_messages(
    wanted: Iterable[WantedLine],
    offers: Mapping[str, Offer],
    supply: Mapping[str, Supply],
    currency: str,
    settings: Settings,
) -> tuple[Message, ...]:
    """What is to be said about lines: an error for each that cannot be bought as it is, a warning where units come
    later, a hint where few are left. Lines of the same SKU count together, in their order.
    """
    counted: Counter[str] = Counter()
    found: list[Message] = []
    for position, line in enumerate(wanted):
        before = counted[line.sku]
        counted[line.sku] += line.quantity
        path = f"$.line_items[{position}]"
        offer = offers.get(line.sku)
        there = supply.get(line.sku, NOTHING)
        if offer is None or not offer.published:
            found.append(error("not_found", f"{line.sku} is not sold here.", path=f"{path}.item.id"))
        elif offer.price_in(currency) is None:
            found.append(error("item_unavailable", f"{offer.title} is not sold in {currency}.", path=f"{path}.item.id"))
        elif counted[line.sku] > settings.max_quantity:
            found.append(quantity_too_large(settings, path=f"{path}.quantity"))
        elif counted[line.sku] > (there.policy.purchase_limit or settings.max_quantity):
            found.append(over_the_limit(offer.title, there, path=f"{path}.quantity"))
        elif counted[line.sku] > there.left:
            found.append(out_of_stock(offer.title, there, path=f"{path}.quantity"))
        elif later := there.beyond(counted[line.sku]) - there.beyond(before):
            found.append(_sold_ahead(offer.title, line.quantity, later, there, path=f"{path}.quantity"))
        elif there.availability == "low_stock":
            found.append(info("low_stock", f"Only a few of {offer.title} are left.", path=f"{path}.quantity"))
    return tuple(found)


def quantity_too_large(settings: Settings, *, path: str) -> Message:
    """More pieces of one SKU than the shop sells at once."""
    return error("quantity_too_large", f"At most {settings.max_quantity} of one item can be bought at once.", path=path)


def over_the_limit(title: str, supply: Supply, *, path: str) -> Message:
    """More pieces of one SKU than the shop sells to one buyer."""
    content = f"One buyer may have at most {supply.policy.purchase_limit} of {title}, earlier orders included."
    return error("purchase_limit", content, path=path)


def out_of_stock(title: str, supply: Supply, *, path: str) -> Message:
    """More pieces than can be sold. A number is named only where it is small: to find out what a shop has in stock, it
    would be enough to ask for very many.
    """
    if supply.left <= 0:
        content = f"{title} is sold out."
    elif supply.left <= supply.low:
        content = f"Only {supply.left} left of {title}."
    else:
        content = f"There are not so many of {title}; take fewer."
    return error("out_of_stock", content, path=path)


def _sold_ahead(title: str, quantity: int, later: int, supply: Supply, *, path: str) -> Message:
    units = title if later == quantity else f"{later} of {quantity} {title}"
    content = f"{units}: not in stock at this moment, sent as soon as it is here."
    if supply.expected_on:
        content = f"{units}: expected on {in_words(supply.expected_on)}, sent as soon as it is here."
    return warning(supply.policy.mode, content, path=path)


def nothing_to_sell(
    wanted: Iterable[WantedLine], offers: Mapping[str, Offer], supply: Mapping[str, Supply], currency: str
) -> bool:
    """Whether not one of the lines can be bought, not even a single piece of it."""
    sold = {sku for sku, offer in offers.items() if offer.price_in(currency) is not None}
    return not any(line.sku in sold and supply.get(line.sku, NOTHING).left > 0 for line in wanted)
