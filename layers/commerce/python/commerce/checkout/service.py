"""Checkout's use cases. Business outcomes are messages; what a caller may not see is NotFound."""

import re
from collections.abc import Mapping
from datetime import datetime

from commerce.carts.model import line_messages
from commerce.checkout.model import OPEN, Checkout
from commerce.contact import Buyer, PostalAddress
from commerce.messages import Message, error, warning
from commerce.money import MAX_AMOUNT, display
from commerce.pricing import service as pricing
from commerce.pricing.model import Offer, ShippingOption, amount_of
from commerce.settings import Settings

METHOD = "$.fulfillment.methods[0]"
DESTINATION = f"{METHOD}.destinations[0]"
OPTION = f"{METHOD}.groups[0].selected_option_id"

_EMAIL = re.compile(r"[^@\s]{1,64}@[^@\s.]+(\.[^@\s.]+)+")
_WITH_REGION = frozenset({"AU", "CA", "US"})
"""Where a parcel does not arrive without the state or province (Universal Postal Union's addressing sheets)."""
_WITHOUT_POSTAL_CODE = frozenset({"AE", "HK", "QA"})


def derive(checkout: Checkout, offers: Mapping[str, Offer], available: Mapping[str, int], settings: Settings) -> Checkout:
    """The checkout with everything the shop derives from what the client asked for: prices, totals, messages, status.

    Pure: the same checkout, offers, stock and settings give the same. What the checkout held before is what the buyer
    was last shown; a difference becomes a `price_changed` warning. The status changes only while the checkout is open.
    """
    lines = pricing.price_lines(checkout.lines, offers, checkout.currency)
    goods = pricing.goods_amount(lines)
    option = chosen_option(checkout.model_copy(update={"priced": lines}), settings)
    tax = pricing.tax_total(
        settings,
        country=country_of(checkout),
        region=checkout.destination.address_region if checkout.destination else None,
        taxable=goods + (option.amount if option else 0),
    )
    totals = pricing.ledger(lines, pricing.shipping_total(option) if option else None, tax)
    derived = checkout.model_copy(update={"priced": lines, "totals": totals})
    messages = (
        *line_messages(checkout.lines, offers, available, checkout.currency, settings),
        *_total_messages(derived),
        *buyer_messages(checkout.buyer),
        *destination_messages(checkout.destination, checkout.buyer, settings),
        *_option_messages(derived, option, settings),
        *_changes(checkout, derived),
    )
    blocked = any(message.type == "error" for message in messages)
    status = ("incomplete" if blocked else "ready_for_complete") if checkout.status in OPEN else checkout.status
    return derived.model_copy(update={"messages": messages, "status": status})


def country_of(checkout: Checkout) -> str | None:
    """Where the goods go as far as that is known: the destination's country, else the client's hint."""
    return (checkout.destination and checkout.destination.address_country) or checkout.country_hint


def options_for(checkout: Checkout, settings: Settings) -> tuple[ShippingOption, ...]:
    """The ways to ship a priced checkout, reckoned from its last change."""
    if not checkout.lines:
        return ()
    return pricing.shipping_options(
        settings,
        country=country_of(checkout),
        currency=checkout.currency,
        goods=pricing.goods_amount(checkout.priced),
        since=datetime.fromisoformat(checkout.updated_at),
    )


def chosen_option(checkout: Checkout, settings: Settings) -> ShippingOption | None:
    """The shipping option the buyer chose, with its price for this checkout; None where it is not (or no longer) one."""
    return next((option for option in options_for(checkout, settings) if option.id == checkout.option_id), None)


def buyer_messages(buyer: Buyer) -> tuple[Message, ...]:
    """What is missing of the buyer: the order's e-mails need somewhere to go."""
    if not buyer.email:
        return (error("missing", "An e-mail address is needed for the order's confirmation.", path="$.buyer.email"),)
    if not _EMAIL.fullmatch(buyer.email):
        return (error("invalid", "This is not an e-mail address.", path="$.buyer.email"),)
    return ()


def destination_messages(destination: PostalAddress | None, buyer: Buyer, settings: Settings) -> tuple[Message, ...]:
    """One message for each part of the address that is missing, and one where the shop does not ship there."""
    if destination is None:
        return (error("missing", "A shipping address is needed.", path=f"{METHOD}.destinations"),)
    country = destination.address_country
    needed = {
        "last_name": destination.last_name or buyer.last_name,
        "street_address": destination.street_address,
        "address_locality": destination.address_locality,
        "address_region": destination.address_region or country not in _WITH_REGION,
        "postal_code": destination.postal_code or country in _WITHOUT_POSTAL_CODE,
        "address_country": country,
    }
    missing = tuple(
        error("missing", f"The shipping address lacks its {name.removeprefix('address_').replace('_', ' ')}.", path=f"{DESTINATION}.{name}")
        for name, value in needed.items()
        if not value
    )
    if country and country not in settings.countries:
        content = "The shop does not ship to this country; it wants a code such as " + ", ".join(settings.countries[:3])
        return (*missing, error("address_undeliverable", f"{content}.", path=f"{DESTINATION}.address_country"))
    return missing


def _option_messages(derived: Checkout, option: ShippingOption | None, settings: Settings) -> tuple[Message, ...]:
    """What is missing of the way to ship. Says nothing before there is somewhere to ship to."""
    if option is not None or not derived.lines or country_of(derived) not in settings.countries:
        return ()
    if not options_for(derived, settings):
        return (error("address_undeliverable", "Nothing ships there in this currency.", path=f"{DESTINATION}.address_country"),)
    if derived.option_id is None:
        return (error("missing", "Choose one of the shipping options.", path=OPTION),)
    return (error("invalid", "This shipping option is not among those offered; choose another.", path=OPTION),)


def _total_messages(derived: Checkout) -> tuple[Message, ...]:
    if not derived.lines:
        return (error("empty", "There is nothing in the checkout.", path="$.line_items"),)
    if amount_of(derived.totals, "total") > MAX_AMOUNT:
        content = f"One order may cost at most {display(MAX_AMOUNT, derived.currency)}."
        return (error("total_too_large", content, path="$.line_items"),)
    return ()


def _changes(shown: Checkout, derived: Checkout) -> tuple[Message, ...]:
    """What the buyer must be told because it is not as it was last shown. `shown.totals` is empty after new wishes."""
    changes = pricing.price_changes(shown.priced, derived.priced, derived.currency)
    before, after = (amount_of(one.totals, "total") for one in (shown, derived))
    if changes or not shown.totals or before == after:
        return changes
    content = f"The total is now {display(after, derived.currency)}, not {display(before, derived.currency)}."
    return (warning("price_changed", content, path="$.totals"),)
