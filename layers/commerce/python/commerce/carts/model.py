"""The cart as it is stored (item `CART#<id>`/`CART`), and the rules about lines that carts and checkouts share."""

from collections import Counter
from collections.abc import Iterable, Mapping

from commerce.contact import Buyer
from commerce.messages import Message, error
from commerce.model import Model
from commerce.money import Currency
from commerce.pricing.model import Offer, PricedLine, Total, WantedLine
from commerce.settings import Settings


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
    created_at: str
    updated_at: str
    expires_at: int
    """Epoch seconds; the table's time to live. Reads compare it with the clock, never trusting the sweep."""


class PricedCart(Model):
    """A cart with what the shop derives for it at this moment."""

    cart: Cart
    lines: tuple[PricedLine, ...]
    totals: tuple[Total, ...]
    messages: tuple[Message, ...]


def line_messages(
    wanted: Iterable[WantedLine],
    offers: Mapping[str, Offer],
    available: Mapping[str, int],
    currency: str,
    settings: Settings,
) -> tuple[Message, ...]:
    """An error for every line that cannot be bought as it is. Lines of the same SKU count together, in their order.

    How many are left is said only to someone who wants more than that.
    """
    counted: Counter[str] = Counter()
    found = []
    for position, line in enumerate(wanted):
        counted[line.sku] += line.quantity
        path = f"$.line_items[{position}]"
        offer = offers.get(line.sku)
        if offer is None or not offer.published:
            found.append(error("not_found", f"{line.sku} is not sold here.", path=f"{path}.item.id"))
        elif offer.price_in(currency) is None:
            found.append(error("item_unavailable", f"{offer.title} is not sold in {currency}.", path=f"{path}.item.id"))
        elif counted[line.sku] > settings.max_quantity:
            found.append(quantity_too_large(settings, path=f"{path}.quantity"))
        elif counted[line.sku] > available.get(line.sku, 0):
            found.append(_out_of_stock(offer.title, available.get(line.sku, 0), path=f"{path}.quantity"))
    return tuple(found)


def quantity_too_large(settings: Settings, *, path: str) -> Message:
    """More pieces of one SKU than the shop sells at once."""
    return error("quantity_too_large", f"At most {settings.max_quantity} of one item can be bought at once.", path=path)


def _out_of_stock(title: str, left: int, *, path: str) -> Message:
    content = f"Only {left} left of {title}." if left > 0 else f"{title} is sold out."
    return error("out_of_stock", content, path=path)


def nothing_to_sell(
    wanted: Iterable[WantedLine], offers: Mapping[str, Offer], available: Mapping[str, int], currency: str
) -> bool:
    """Whether not one of the lines can be bought, not even a single piece of it."""
    sold = {sku for sku, offer in offers.items() if offer.price_in(currency) is not None}
    return not any(line.sku in sold and available.get(line.sku, 0) > 0 for line in wanted)
