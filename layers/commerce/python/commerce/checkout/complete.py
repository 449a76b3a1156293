"""Completing a checkout: from what the buyer agreed to, to an order that is paid. No price comes from the client.

However often and from however many places a checkout is completed, each of its attempts makes one order (its id is
derived from the attempt), one payment intent and one confirmation of it. Whoever comes second waits for the first; if
the first one died, the second carries on from what is stored.
"""

import re
import time
import zlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from pydantic import Field

from commerce.carts.model import SOLD_AHEAD, out_of_stock, over_the_limit
from commerce.checkout import waiting
from commerce.checkout.model import IN_PROGRESS, OPEN, Checkout
from commerce.checkout.service import Discounts, chosen_option, derive, tell
from commerce.checkout.waiting import Lines
from commerce.contact import PostalAddress
from commerce.discounts.model import BuyerLimitReached, Discount
from commerce.discounts.policy import buyer_limit_messages, counters, given
from commerce.errors import ConditionFailed, Conflict, Contended, Invalid, NotFound, WaitingRoom
from commerce.identity.model import Caller
from commerce.inventory.allocation import STRATEGIES, allocate
from commerce.inventory.model import LimitReached, OutOfStock, Stock, TooManyParts
from commerce.messages import Message, error
from commerce.model import OpenModel
from commerce.orders import service as orders
from commerce.orders.model import Order
from commerce.orders.payment import settle_authorization
from commerce.orders.ports import Stores, Workflow
from commerce.payments.service import Authorization, PaymentGateway
from commerce.pricing.model import Catalog, ShippingOption
from commerce.protocol import PAYMENT_HANDLER_ID
from commerce.settings import Settings
from commerce.supply import Supply

WAIT_SECONDS = 10.0
"""How long a second completion waits for the first one: longer than the payment provider usually takes."""
_FIRST_PAUSE, _LONGEST_PAUSE = 0.1, 1.0
"""Seconds between two looks, growing by half each time: a wait of ten seconds takes fifteen reads, not a hundred."""
_TRIES = 12
_TURNS = 8
"""Rows of a pool that a completion tries before it looks at the stock anew."""
_TOKEN = re.compile(r"pm_\w{1,250}", re.ASCII)
_SCATTERED = error(
    "too_many_parts",
    "These items lie in too many places for one order; buy some of them apart, or without a discount code.",
    path="$.line_items",
)
_INSTRUMENT = "$.payment.instruments[0]"


class Credential(OpenModel):
    """What pays. Never stored, answered or logged. `number` is read only to refuse it."""

    type: str = Field(max_length=100)
    token: str | None = Field(default=None, max_length=500, repr=False)
    number: object = Field(default=None, repr=False)


class Instrument(OpenModel):
    """A way to pay that the buyer chose."""

    id: str = Field(max_length=200)
    handler_id: str = Field(max_length=200)
    type: str = Field(max_length=100)
    selected: bool = True
    credential: Credential | None = None


class Payment(OpenModel):
    """Exactly one instrument pays an order."""

    instruments: tuple[Instrument, ...] = Field(default=(), max_length=20)


class CompleteRequest(OpenModel):
    """The buyer agrees to the checkout as it was last shown, and pays."""

    payment: Payment


class Shelves(Protocol):
    """What the shop has."""

    def shelves(self, skus: Iterable[str], now: datetime) -> tuple[dict[str, tuple[Stock, ...]], dict[str, Supply]]:
        """The SKUs' stock, the preferred location first, and what can be sold of it."""

    def remembered(
        self, skus: Iterable[str], now: datetime
    ) -> tuple[dict[str, tuple[Stock, ...]], dict[str, Supply]] | None:
        """The same, if all SKUs are pooled and were looked at a moment ago. Costs nothing."""

    def rows_last_seen(self, sku: str) -> int:
        """Over how many rows the SKU's stock is spread, as far as is known without looking."""


class Checkouts(Protocol):
    """Where checkouts are kept."""

    def get(self, checkout_id: str, now: datetime) -> Checkout:
        """The checkout. Raises NotFound."""

    def save(self, old: Checkout, new: Checkout) -> Checkout:
        """Replaces `old`. Raises Conflict where it is not what is stored any more."""


@dataclass(frozen=True)
class Till:
    """Everything that completing needs."""

    stores: Stores
    checkouts: Checkouts
    catalog: Catalog
    shelves: Shelves
    discounts: Discounts
    gateway: PaymentGateway
    workflow: Workflow
    lines: Lines
    settings: Settings
    pause: Callable[[float], None] = time.sleep
    clock: Callable[[], float] = time.monotonic


def complete(till: Till, checkout_id: str, payment: Payment, *, caller: Caller, now: datetime) -> Checkout:
    """The checkout as it stands then: completed, in progress, escalated to the buyer's bank, or open with messages.

    Raises NotFound for a checkout that is not the caller's; and Contended, Unavailable or WaitingRoom where the same
    request may be sent again.
    """
    checkout = _own(till, checkout_id, caller, now)
    attempt = checkout.attempt
    for turn in range(_TRIES):
        if checkout.attempt != attempt:
            return checkout
        if checkout.status in IN_PROGRESS:
            return _carry_on(till, checkout, payment, now)
        if checkout.status not in OPEN:
            return checkout
        token = payment_token(payment)
        if isinstance(token, Message):
            return tell(checkout, (token,))
        answer = _place(till, checkout, now, recent=turn == 0)
        if isinstance(answer, Order):
            till.workflow.start(answer.id)
            _pay(till, answer, token, now)
            return till.checkouts.get(checkout_id, now)
        if answer is not None:
            return answer
        checkout = _own(till, checkout_id, caller, now)
    raise Contended("many buyers want the same things at this moment; send the request again")


def payment_token(payment: Payment) -> str | Message:
    """The payment method's token; or why the order cannot be paid like this."""

    def refused(content: str, path: str = _INSTRUMENT) -> Message:
        return error("payment_failed", content, path=path)

    if len(payment.instruments) != 1 or not payment.instruments[0].selected:
        return refused("Pay with exactly one instrument.", "$.payment.instruments")
    [instrument] = payment.instruments
    credential = instrument.credential
    if instrument.handler_id != PAYMENT_HANDLER_ID:
        return refused(f"The payment handler is called {PAYMENT_HANDLER_ID}.", f"{_INSTRUMENT}.handler_id")
    if instrument.type != "card":
        return refused("The shop is paid by card.", f"{_INSTRUMENT}.type")
    if credential is None:
        return refused("The instrument lacks its credential.", f"{_INSTRUMENT}.credential")
    if credential.number is not None or credential.type == "pan":
        content = "The shop takes no card numbers. Send the token that the payment handler makes of one."
        return refused(content, f"{_INSTRUMENT}.credential")
    if credential.token is None or not _TOKEN.fullmatch(credential.token):
        content = "The token is no payment method of the payment handler."
        return refused(content, f"{_INSTRUMENT}.credential.token")
    return credential.token


def _own(till: Till, checkout_id: str, caller: Caller, now: datetime) -> Checkout:
    checkout = till.checkouts.get(checkout_id, now)
    if not caller.may_touch(checkout.owner):
        raise NotFound("there is no such checkout; it may have expired")
    return checkout


def _place(till: Till, checkout: Checkout, now: datetime, *, recent: bool) -> Order | Checkout | None:
    """The new order; or the checkout with the reason why there is none; or None where it is to be looked at again.

    Raises WaitingRoom where so many buyers want the same that this one must wait for their turn.
    """
    hottest = max((line.sku for line in checkout.lines), key=till.shelves.rows_last_seen, default="")
    place = checkout.waiting if checkout.waiting and checkout.waiting.sku == hottest else None
    if waiting.is_early(place, now) if place else till.lines.is_contended(hottest):
        raise _in_line(till, checkout, hottest, now)
    try:
        return _ordered(till, checkout, now, recent=recent)
    except Contended:
        till.lines.note(hottest)
        raise _in_line(till, checkout, hottest, now) from None


def _in_line(till: Till, checkout: Checkout, sku: str, now: datetime) -> WaitingRoom:
    """What the buyer is told, once their place in the line for `sku` stands on the checkout."""
    place = checkout.waiting
    if place is None or place.sku != sku:
        place = waiting.join(till.lines, checkout.id, sku, till.shelves.rows_last_seen(sku), now)
        try:
            till.checkouts.save(checkout, checkout.model_copy(update={"waiting": place}))
        except Conflict:
            place = till.checkouts.get(checkout.id, now).waiting or place
    return waiting.turn(place, now)


def _ordered(till: Till, checkout: Checkout, now: datetime, *, recent: bool) -> Order | Checkout | None:
    """As `_place`, without regard to who waits. Raises Contended.

    What this process saw of a pool a moment ago (`recent`) is good enough to choose a row, not to turn a buyer away.
    """
    skus = [line.sku for line in checkout.lines]
    remembered = till.shelves.remembered(skus, now) if recent else None
    stock, supply = remembered or till.shelves.shelves(skus, now)
    discounts = till.discounts.discounts(checkout.codes, consistent=True)
    derived = derive(checkout, till.catalog.offers(skus), supply, discounts, till.settings, now)
    option = chosen_option(derived, till.settings)
    if remembered and (_unseen(checkout, derived) or derived.status != "ready_for_complete"):
        return None
    if _unseen(checkout, derived):
        return _show_first(till, checkout, derived, now)
    if derived.status != "ready_for_complete" or option is None:
        return _unless_moved(till, checkout, derived, now)
    try:
        return _taken(till, derived, option, stock, supply, discounts, now)
    except OutOfStock as short:
        return None if remembered else _refused(till, checkout, derived, _sold_out(derived, short, supply), now)
    except TooManyParts:
        return None if remembered else _refused(till, checkout, derived, (_SCATTERED,), now)
    except LimitReached as reached:
        return _refused(till, checkout, derived, _over_the_limit(derived, reached, supply), now)
    except BuyerLimitReached as reached:
        why = buyer_limit_messages(derived.codes, reached.codes, discounts)
        return _refused(till, checkout, derived, why, now)
    except ConditionFailed:
        return None


def _taken(
    till: Till,
    derived: Checkout,
    option: ShippingOption,
    stock: Mapping[str, tuple[Stock, ...]],
    supply: Mapping[str, Supply],
    discounts: Mapping[str, Discount],
    now: datetime,
) -> Order:
    """The order with its stock taken. Who meets another buyer in a row of a pool goes on to another row.

    Raises OutOfStock, TooManyParts, LimitReached, BuyerLimitReached, ConditionFailed and Contended.
    """
    ranking = STRATEGIES[till.settings.allocation](till.settings, stock, derived.destination or PostalAddress())
    hold = timedelta(seconds=till.settings.hold_seconds)
    own = given(derived.discounts, discounts)
    used = [discounts[one.code] for one in own]
    for turn in range(_TURNS):
        parts = allocate(
            derived.priced, stock, ranking, supply, start=_start(derived, turn), besides=counters(own)
        )
        order = orders.new_order(derived, option, parts, supply, own, hold=hold, now=now)
        pooled = any(part.shard for part in orders.parts_of(order))
        try:
            orders.place_order(till.stores, order, derived, supply, used, now=now, patient=not pooled)
            return order
        except Contended:
            if not pooled:
                raise
    raise Contended("many buyers want the same things at this moment; send the request again")


def _start(checkout: Checkout, turn: int) -> int:
    """With which row of a pool the checkout begins in this turn: as good as random, and the same when replayed."""
    return zlib.crc32(f"{checkout.id}#{checkout.attempt}#{turn}".encode())


def _unseen(checkout: Checkout, derived: Checkout) -> bool:
    """Whether the buyer would agree to a price, or to a delay, that they have not been shown."""
    return any(
        message.code == "price_changed" or (message.code in SOLD_AHEAD and message not in checkout.messages)
        for message in derived.messages
    )


def _show_first(till: Till, checkout: Checkout, derived: Checkout, now: datetime) -> Checkout:
    """The buyer agreed to something else: they see how it is now, and the next completion counts for that.

    Of several completions at once the first one writes it down, and the others must not take that for agreement.
    """
    try:
        return till.checkouts.save(checkout, derived)
    except Conflict:
        return till.checkouts.get(checkout.id, now)


def _refused(
    till: Till, checkout: Checkout, derived: Checkout, why: tuple[Message, ...], now: datetime
) -> Checkout | None:
    return _unless_moved(till, checkout, tell(derived.model_copy(update={"status": "incomplete"}), why), now)


def _unless_moved(till: Till, checkout: Checkout, answer: Checkout, now: datetime) -> Checkout | None:
    """`answer`, if the checkout is still as it was: another completion of it may be who took the last units."""
    return answer if till.checkouts.get(checkout.id, now).version == checkout.version else None


def _sold_out(checkout: Checkout, short: OutOfStock, supply: Mapping[str, Supply]) -> tuple[Message, ...]:
    at_fault = {shortage.line_id for shortage in short.shortages}
    return tuple(
        out_of_stock(line.title, supply[line.sku], path=f"$.line_items[{position}].quantity")
        for position, line in enumerate(checkout.priced)
        if line.id in at_fault
    )


def _over_the_limit(
    checkout: Checkout, reached: LimitReached, supply: Mapping[str, Supply]
) -> tuple[Message, ...]:
    return tuple(
        over_the_limit(line.title, supply[line.sku], path=f"$.line_items[{position}].quantity")
        for position, line in enumerate(checkout.priced)
        if line.sku in reached.skus
    )


def _pay(till: Till, order: Order, token: str, now: datetime) -> None:
    """Two steps, so that money can never be held under an intent that the order does not know.

    Every call has the order's own key: doing this twice, or twenty times at once, authorises once. An answer that got
    lost leaves the order pending; the provider's notice, the next completion or the end of the hold decides then.
    """
    try:
        intent_id = till.gateway.create_intent(order.id, order.total, order.currency)
    except Invalid:
        orders.cancel_order(till.stores, till.workflow, order, reason="payment_declined", actor="payment", now=now)
        return
    order = orders.remember_intent(till.stores, order, intent_id)
    if order.status != "pending_payment" or order.payment_intent is None:
        return
    return_url = f"{till.settings.pages}/checkout/{order.checkout_id}"
    authorization = till.gateway.confirm(order.payment_intent, token, return_url, key=f"{order.id}:confirm")
    settle_authorization(till.stores, till.workflow, till.gateway, order, authorization, now=now)


def _carry_on(till: Till, checkout: Checkout, payment: Payment, now: datetime) -> Checkout:
    """An order exists already: waits for whoever made it, or finishes what they left.

    An order that was decided after the checkout was read has moved the checkout too: that is read again.
    """
    checkout = _wait(till, checkout, now)
    order = till.stores.orders.find(checkout.order_id) if checkout.order_id else None
    if checkout.status not in IN_PROGRESS or order is None:
        return checkout
    if order.status != "pending_payment":
        return till.checkouts.get(checkout.id, now)
    till.workflow.start(order.id)
    standing = _standing(till, order)
    if standing is not None:
        settle_authorization(till.stores, till.workflow, till.gateway, order, standing, now=now)
        return till.checkouts.get(checkout.id, now)
    token = payment_token(payment)
    if isinstance(token, Message):
        return tell(checkout, (token,))
    _pay(till, order, token, now)
    return till.checkouts.get(checkout.id, now)


def _standing(till: Till, order: Order) -> Authorization | None:
    """How the order's payment stands; None where it was never asked for."""
    if order.payment_intent is None:
        return None
    authorization = till.gateway.retrieve(order.payment_intent)
    return None if authorization.outcome == "unconfirmed" else authorization


def _wait(till: Till, checkout: Checkout, now: datetime) -> Checkout:
    deadline, pause = till.clock() + WAIT_SECONDS, _FIRST_PAUSE
    while checkout.status == "complete_in_progress" and till.clock() < deadline:
        till.pause(pause)
        pause = min(pause * 1.5, _LONGEST_PAUSE)
        checkout = till.checkouts.get(checkout.id, now)
    return checkout
