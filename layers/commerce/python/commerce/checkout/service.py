"""Checkout's use cases. Business outcomes are messages; what a caller may not see is NotFound."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from commerce.carts.model import Cart, line_messages, nothing_to_sell
from commerce.carts.service import Carts, Shelf, currency_notice, no_resource, own_cart, refusals, wanted_lines
from commerce.checkout.model import IN_PROGRESS, OPEN, Checkout
from commerce.checkout.request import CheckoutCreateRequest, CheckoutUpdateRequest, FulfillmentRequest
from commerce.clock import epoch, iso
from commerce.contact import Buyer, PostalAddress
from commerce.discounts.model import MAX_CODES, MAX_UNKNOWN_CODES, Discount, normalized
from commerce.discounts.policy import discounted, path_of, unknown_codes
from commerce.errors import Contended, Invalid, NotFound
from commerce.identity.model import Caller
from commerce.ids import new_id
from commerce.messages import Message, error, warning
from commerce.money import MAX_AMOUNT, MIN_PAYMENT, display
from commerce.pricing import service as pricing
from commerce.pricing.model import Offer, ShippingOption, WantedLine, amount_of
from commerce.protocol import ErrorResponse
from commerce.settings import Settings
from commerce.supply import Supply

METHOD = "$.fulfillment.methods[0]"
DESTINATION = f"{METHOD}.destinations[0]"
OPTION = f"{METHOD}.groups[0].selected_option_id"

EMPTY = error("empty", "There is nothing in the checkout.", path="$.line_items")

_ATOM, _LABEL = r"[\w!#$%&'*+/=?^`{|}~-]+", r"[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_EMAIL = re.compile(rf"(?=[^@]{{1,64}}@){_ATOM}(\.{_ATOM})*@{_LABEL}(\.{_LABEL})+", re.ASCII)
"""One plain address to which SES writes: RFC 5321's dot-string at a host name, so no comma that would make two of it,
and no dots or letters at which SES refuses it for ever. A domain beyond ASCII is wanted as Punycode (`xn--…`): Python
would make it by the rules of 2003, where `straße.example` is the domain of somebody else, `strasse.example`.
"""
_WITH_REGION = frozenset({"AU", "CA", "US"})
"""Where a parcel does not arrive without the state or province (Universal Postal Union's addressing sheets)."""
_REGION = re.compile(r"[A-Z]{2,3}")
_WITHOUT_POSTAL_CODE = frozenset({"AE", "HK", "QA"})


class Discounts(Protocol):
    """What the shop takes off."""

    def discounts(self, codes: Iterable[str], *, consistent: bool = False) -> dict[str, Discount]:
        """The discounts that exist, by their codes. May lag if not consistent."""


class Checkouts(Protocol):
    """Where checkouts are kept."""

    def get(self, checkout_id: str, now: datetime) -> Checkout:
        """The checkout. Raises NotFound, also for an expired one."""

    def find(self, checkout_id: str) -> Checkout | None:
        """The checkout, expired or not; None where it is gone."""

    def add(self, checkout: Checkout) -> None:
        """Stores a new checkout."""

    def save(self, old: Checkout, new: Checkout) -> Checkout:
        """Replaces `old`. Raises Conflict where it is not what is stored any more."""

    def converted(self, cart_id: str) -> str | None:
        """The id of the checkout that the cart was last turned into."""

    def add_for_cart(self, checkout: Checkout, *, instead_of: str | None) -> bool:
        """Stores the cart's new checkout, if the last one still is `instead_of`."""


def create_checkout(
    request: CheckoutCreateRequest,
    *,
    caller: Caller,
    now: datetime,
    shelf: Shelf,
    discounts: Discounts,
    carts: Carts,
    checkouts: Checkouts,
) -> Checkout | ErrorResponse:
    """A new checkout, or the cart's open one. An ErrorResponse, and no checkout, where nothing in it can be bought.

    Raises Invalid where the request names neither lines nor a cart, NotFound for a cart that is not the caller's.
    """
    if request.cart_id is not None:
        cart = own_cart(request.cart_id, caller=caller, now=now, carts=carts)
        return _convert(
            cart, request, caller=caller, now=now, shelf=shelf, discounts=discounts, checkouts=checkouts
        )
    if request.line_items is None:
        raise Invalid("send line_items, or the cart_id of a cart", path="$.line_items")
    refused = refusals(request.line_items, shelf.settings)
    if refused:
        return no_resource(refused)
    context = request.context
    made = _new(
        request,
        caller=caller,
        now=now,
        shelf=shelf,
        discounts=discounts,
        currency=pricing.currency_for(context.currency, context.address_country, shelf.settings),
        country=context.address_country,
        lines=wanted_lines(request.line_items, ()),
        buyer=request.buyer,
    )
    if isinstance(made, Checkout):
        checkouts.add(made)
        return tell(made, currency_notice(context, made.currency))
    return made


def _convert(
    cart: Cart,
    request: CheckoutCreateRequest,
    *,
    caller: Caller,
    now: datetime,
    shelf: Shelf,
    discounts: Discounts,
    checkouts: Checkouts,
) -> Checkout | ErrorResponse:
    """The cart's open checkout, or a new one of the cart's contents. Two conversions at once answer the same."""
    for _ in range(3):
        last = checkouts.converted(cart.id)
        open_one = checkouts.find(last) if last else None
        if open_one and open_one.status in OPEN | IN_PROGRESS and not open_one.expired(now):
            return _shown(_owned(open_one, caller), shelf, discounts, now)
        made = _new(
            request,
            caller=caller,
            now=now,
            shelf=shelf,
            discounts=discounts,
            currency=cart.currency,
            country=cart.country_hint,
            lines=cart.lines,
            buyer=request.buyer if cart.buyer == Buyer() else cart.buyer,
            cart=cart,
        )
        if isinstance(made, ErrorResponse) or checkouts.add_for_cart(made, instead_of=last):
            return made
    raise Contended("the cart is being turned into a checkout at this moment; send the request again")


def _new(
    request: CheckoutCreateRequest,
    *,
    caller: Caller,
    now: datetime,
    shelf: Shelf,
    discounts: Discounts,
    currency: str,
    country: str | None,
    lines: tuple[WantedLine, ...],
    buyer: Buyer,
    cart: Cart | None = None,
) -> Checkout | ErrorResponse:
    """A derived checkout that is not stored yet."""
    wish = delivery(request.fulfillment, None)
    if wish.refused:
        return no_resource(wish.refused)
    codes, beyond = accepted_codes(request.discounts.codes, None)
    checkout = Checkout(
        id=new_id("checkout"),
        owner=(cart.owner if cart else None) or caller.subject,
        cart_id=cart.id if cart else None,
        status="incomplete",
        currency=currency,
        lines=lines,
        buyer=buyer,
        destination=wish.destination,
        destination_id=wish.destination_id,
        option_id=wish.option_id,
        country_hint=country,
        codes=codes,
        created_at=iso(now),
        updated_at=iso(now),
        expires_at=epoch(now + timedelta(hours=shelf.settings.checkout_hours)),
    )
    offers, supply = shelf.look(lines, now)
    if nothing_to_sell(lines, offers, supply, currency):
        reasons = line_messages(lines, offers, supply, currency, shelf.settings)
        return no_resource(reasons or (EMPTY,))
    found = discounts.discounts(codes)
    derived = derive(checkout, offers, supply, found, shelf.settings, now)
    return tell(derived.model_copy(update={"unknown_codes": unknown_codes(codes, (), found, now)}), beyond)


def get_checkout(
    checkout_id: str, *, caller: Caller, now: datetime, shelf: Shelf, discounts: Discounts, checkouts: Checkouts
) -> Checkout:
    """The checkout; an open one at today's prices and stock. Reading changes nothing. Raises NotFound."""
    return _shown(_owned(checkouts.get(checkout_id, now), caller), shelf, discounts, now)


def update_checkout(
    checkout_id: str,
    request: CheckoutUpdateRequest,
    *,
    caller: Caller,
    now: datetime,
    shelf: Shelf,
    discounts: Discounts,
    checkouts: Checkouts,
) -> Checkout:
    """The checkout as the client wants it now; its currency stays. A guest's becomes a signed-in caller's.

    What the shop refuses changes nothing: the answer is the checkout as it was, and the reason. Raises NotFound, and
    Conflict where someone else changed it at the same moment.
    """
    checkout = _owned(checkouts.get(checkout_id, now), caller)
    wish = delivery(request.fulfillment, checkout)
    refused = (*_closed(checkout), *refusals(request.line_items, shelf.settings), *wish.refused)
    if refused:
        return tell(checkout, refused)
    codes, beyond = accepted_codes(request.discounts.codes, checkout)
    wanted = checkout.model_copy(
        update={
            "owner": checkout.owner or caller.subject,
            "lines": wanted_lines(request.line_items, checkout.lines),
            "buyer": request.buyer,
            "destination": wish.destination,
            "destination_id": wish.destination_id,
            "option_id": wish.option_id,
            "country_hint": request.context.address_country,
            "codes": codes,
            "totals": (),
            "updated_at": iso(now),
        }
    )
    found = discounts.discounts(codes)
    derived = derive(wanted, *shelf.look(wanted.lines, now), found, shelf.settings, now)
    tried = checkout.unknown_codes + unknown_codes(codes, checkout.codes, found, now)
    saved = checkouts.save(checkout, derived.model_copy(update={"unknown_codes": tried}))
    return tell(saved, (*beyond, *currency_notice(request.context, checkout.currency)))


def cancel_checkout(checkout_id: str, *, caller: Caller, now: datetime, checkouts: Checkouts) -> Checkout:
    """The checkout, canceled; or as it is, with the reason why it cannot be. Raises NotFound, Conflict.

    While an order is being paid for it cannot: the order is what must be canceled then, and that releases its stock.
    """
    checkout = _owned(checkouts.get(checkout_id, now), caller)
    refused = _closed(checkout)
    if refused:
        return tell(checkout, refused)
    return checkouts.save(checkout, checkout.model_copy(update={"status": "canceled", "messages": ()}))


def tell(checkout: Checkout, notices: tuple[Message, ...]) -> Checkout:
    """The checkout as it is shown this once, with something about this very request before its own messages."""
    return checkout.model_copy(update={"messages": (*notices, *checkout.messages)}) if notices else checkout


def _owned(checkout: Checkout, caller: Caller) -> Checkout:
    """A stranger learns no more than that there is none."""
    if not caller.may_touch(checkout.owner):
        raise NotFound("there is no such checkout; it may have expired")
    return checkout


def _closed(checkout: Checkout) -> tuple[Message, ...]:
    """Why the buyer may not change it any more."""
    if checkout.status in OPEN:
        return ()
    if checkout.status in IN_PROGRESS:
        content = "The order is being paid for and cannot be changed; read the checkout again to see what became of it."
        return (error("payment_in_progress", content, path="$.status"),)
    content = f"The checkout is {checkout.status} and cannot be changed; begin a new one."
    return (error(f"checkout_{checkout.status}", content, path="$.status", severity="unrecoverable"),)


def accepted_codes(
    codes: tuple[str, ...], checkout: Checkout | None
) -> tuple[tuple[str, ...], tuple[Message, ...]]:
    """The codes that the checkout takes down, and a warning for each further one: they are not looked up.

    Who has tried so many codes that do not exist is looking for one that does, and goes on with those there were.
    """
    before = {normalized(code) for code in checkout.codes} if checkout else set()
    closed = checkout is not None and checkout.unknown_codes >= MAX_UNKNOWN_CODES
    taken: list[str] = []
    beyond: list[Message] = []
    for position, code in enumerate(codes):
        if closed and normalized(code) not in before:
            content = f"Too many codes were entered that do not exist. To try {code}, begin a new checkout."
            beyond.append(warning("too_many_unknown_codes", content, path=path_of(position)))
        elif len(taken) == MAX_CODES:
            content = f"At most {MAX_CODES} discount codes can be used together, without {code}."
            beyond.append(warning("discount_code_combination_disallowed", content, path=path_of(position)))
        else:
            taken.append(code)
    return tuple(taken), tuple(beyond)


def _shown(checkout: Checkout, shelf: Shelf, discounts: Discounts, now: datetime) -> Checkout:
    """An open checkout is derived anew; one that is being paid for, or is over, stays as it was agreed.

    Why the last payment failed is nothing that can be derived: it is told until the buyer changes or pays again.
    """
    if checkout.status not in OPEN:
        return checkout
    about_payment = tuple(message for message in checkout.messages if message.code.startswith("payment_"))
    found = discounts.discounts(checkout.codes)
    return tell(derive(checkout, *shelf.look(checkout.lines, now), found, shelf.settings, now), about_payment)


@dataclass(frozen=True)
class Delivery:
    """Where the client wants the goods, and how; or why that cannot be taken down."""

    destination: PostalAddress | None = None
    destination_id: str | None = None
    option_id: str | None = None
    refused: tuple[Message, ...] = ()


def delivery(request: FulfillmentRequest, current: Checkout | None) -> Delivery:
    """Reads the fulfilment extension. A destination may be sent whole, or named by the id the checkout has already.

    The shop never puts another destination in the place of the one that was named.
    """
    if not request.methods:
        return Delivery()
    method = request.methods[0]
    if method.type != "shipping":
        return _refused("Goods are shipped; there is no other way to get them.", f"{METHOD}.type")
    if len(request.methods) > 1:
        return _refused("Everything is shipped in one parcel, by one method.", "$.fulfillment.methods[1]")
    if len(method.groups) > 1:
        return _refused("Everything is shipped in one parcel.", f"{METHOD}.groups[1]")
    option_id = method.groups[0].selected_option_id if method.groups else None
    sent = {one.id or f"dest_{number}": one for number, one in enumerate(method.destinations, 1)}
    selected = method.selected_destination_id or (next(iter(sent)) if len(sent) == 1 else None)
    if selected is None:
        if sent:
            return _refused("Select one of the destinations.", f"{METHOD}.selected_destination_id", "missing")
        return Delivery(option_id=option_id)
    if selected in sent:
        address = sent[selected].model_dump(exclude={"id", "type"})
        return Delivery(PostalAddress(**address), selected, option_id)
    if current and selected == current.destination_id:
        return Delivery(current.destination, selected, option_id)
    return _refused("There is no destination with this id.", f"{METHOD}.selected_destination_id", "not_found")


def _refused(content: str, path: str, code: str = "invalid") -> Delivery:
    return Delivery(refused=(error(code, content, path=path),))


def derive(
    checkout: Checkout,
    offers: Mapping[str, Offer],
    supply: Mapping[str, Supply],
    discounts: Mapping[str, Discount],
    settings: Settings,
    now: datetime,
) -> Checkout:
    """The checkout with everything the shop derives from what the client asked for: prices, totals, messages, status.

    Pure: the same arguments give the same. What the checkout held before is what the buyer was last shown; a difference
    becomes a `price_changed` warning. The status changes only while the checkout is open.
    """
    whole = pricing.price_lines(checkout.lines, offers, checkout.currency)
    taken = discounted(whole, checkout.codes, discounts, checkout.currency, now)
    lines = taken.lines
    goods = pricing.goods_amount(lines)
    option = chosen_option(checkout.model_copy(update={"priced": lines}), settings)
    tax = pricing.tax_total(
        settings,
        country=country_of(checkout),
        region=checkout.destination.address_region if checkout.destination else None,
        taxable=goods + (option.amount if option else 0),
    )
    totals = pricing.ledger(lines, pricing.shipping_total(option) if option else None, tax)
    derived = checkout.model_copy(update={"priced": lines, "discounts": taken.applied, "totals": totals})
    messages = (
        *line_messages(checkout.lines, offers, supply, checkout.currency, settings),
        *taken.messages,
        *_total_messages(derived, option),
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
    """The shipping option the buyer chose, with its price for this checkout; None where there is no such one."""
    return next((option for option in options_for(checkout, settings) if option.id == checkout.option_id), None)


def buyer_messages(buyer: Buyer) -> tuple[Message, ...]:
    """What is missing of the buyer: the order's e-mails need somewhere to go."""
    if not buyer.email:
        return (error("missing", "An e-mail address is needed for the order's confirmation.", path="$.buyer.email"),)
    if not _EMAIL.fullmatch(buyer.email):
        return (error("invalid", "This is not an e-mail address.", path="$.buyer.email"),)
    return ()


def destination_messages(destination: PostalAddress | None, buyer: Buyer, settings: Settings) -> tuple[Message, ...]:
    """One message for each part of the address that is missing, and one for a country or state that will not do."""
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
        error(
            "missing",
            f"The shipping address lacks its {name.removeprefix('address_').replace('_', ' ')}.",
            path=f"{DESTINATION}.{name}",
        )
        for name, value in needed.items()
        if not value
    )
    return (*missing, *_wrong_codes(destination, settings))


def _wrong_codes(destination: PostalAddress, settings: Settings) -> tuple[Message, ...]:
    """Shipping and tax go by codes: a country or state that is written otherwise would be shipped to untaxed."""
    country, region = destination.address_country, destination.address_region
    if country and country not in settings.countries:
        content = "The shop does not ship to this country; it wants a code such as " + ", ".join(settings.countries[:3])
        return (error("address_undeliverable", f"{content}.", path=f"{DESTINATION}.address_country"),)
    if country in _WITH_REGION and region and not _REGION.fullmatch(region):
        content = "The state or province is wanted as its code in capitals, such as CA."
        return (error("invalid", content, path=f"{DESTINATION}.address_region"),)
    return ()


def _option_messages(derived: Checkout, option: ShippingOption | None, settings: Settings) -> tuple[Message, ...]:
    """What is missing of the way to ship. Says nothing before there is somewhere to ship to."""
    if option is not None or not derived.lines or country_of(derived) not in settings.countries:
        return ()
    if not options_for(derived, settings):
        return (
            error(
                "address_undeliverable", "Nothing ships there in this currency.", path=f"{DESTINATION}.address_country"
            ),
        )
    if derived.option_id is None:
        return (error("missing", "Choose one of the shipping options.", path=OPTION),)
    return (error("invalid", "This shipping option is not among those offered; choose another.", path=OPTION),)


def _total_messages(derived: Checkout, option: ShippingOption | None) -> tuple[Message, ...]:
    if not derived.lines:
        return (EMPTY,)
    total = amount_of(derived.totals, "total")
    if derived.discounts and option and total < MIN_PAYMENT:
        content = f"No card pays less than {display(MIN_PAYMENT, derived.currency)}. Take a discount code out."
        return (error("total_too_small", content, path="$.discounts.codes"),)
    if total > MAX_AMOUNT:
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
