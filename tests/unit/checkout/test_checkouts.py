"""Checkouts: what a buyer may do with one, until it is completed."""

from datetime import timedelta
from typing import Any

import pytest

from builders.carts import (
    Carts,
    Checkouts,
    Shop,
    cart_request,
    checkout_request,
    fulfillment,
    shop,
    update_request,
)
from builders.checkout import NOW, buyer
from builders.discounts import NOT_YET, OVER, Discounts, offered
from builders.pricing import offer
from commerce.carts.model import PricedCart
from commerce.carts.service import create_cart
from commerce.checkout.model import Checkout
from commerce.checkout.request import CheckoutCreateRequest
from commerce.checkout.service import cancel_checkout, create_checkout, get_checkout, update_checkout
from commerce.errors import Contended, Invalid, NotFound
from commerce.identity.model import GUEST, Caller
from commerce.messages import error
from commerce.pricing.model import amount_of
from commerce.protocol import ErrorResponse

ADA = Caller(subject="ada")
EVE = Caller(subject="eve")


class Counter:
    """A shop with its carts and checkouts, where one buyer stands."""

    def __init__(self, at: Shop, caller: Caller = GUEST) -> None:
        self.shop, self.caller, self.now = at, caller, NOW
        self.carts, self.checkouts, self.discounts = Carts(), Checkouts(), Discounts()

    def cart(self, *wanted: tuple[str, int], **more: Any) -> str:
        made = create_cart(
            cart_request(*wanted, **more), caller=self.caller, now=self.now, shelf=self.shop.shelf(), carts=self.carts
        )
        assert isinstance(made, PricedCart)
        return made.cart.id

    def create(self, request: CheckoutCreateRequest) -> Checkout | ErrorResponse:
        return create_checkout(
            request,
            caller=self.caller,
            now=self.now,
            shelf=self.shop.shelf(),
            discounts=self.discounts,
            carts=self.carts,
            checkouts=self.checkouts,
        )

    def made(self, request: CheckoutCreateRequest) -> Checkout:
        made = self.create(request)
        assert isinstance(made, Checkout)
        return made

    def get(self, checkout_id: str) -> Checkout:
        return get_checkout(
            checkout_id,
            caller=self.caller,
            now=self.now,
            shelf=self.shop.shelf(),
            discounts=self.discounts,
            checkouts=self.checkouts,
        )

    def update(self, checkout_id: str, *wanted: tuple[str, int], **more: Any) -> Checkout:
        return update_checkout(
            checkout_id,
            update_request(*wanted, **more),
            caller=self.caller,
            now=self.now,
            shelf=self.shop.shelf(),
            discounts=self.discounts,
            checkouts=self.checkouts,
        )

    def cancel(self, checkout_id: str) -> Checkout:
        return cancel_checkout(checkout_id, caller=self.caller, now=self.now, checkouts=self.checkouts)

    def becomes(self, checkout: Checkout, **changes: Any) -> Checkout:
        """What completing it made of it."""
        return self.checkouts.save(checkout, checkout.model_copy(update=changes))


def of_cart(cart_id: str, **more: Any) -> CheckoutCreateRequest:
    return CheckoutCreateRequest(cart_id=cart_id, **more)


def test_a_checkout_is_filled_in_until_it_is_ready() -> None:
    at = Counter(shop(A=5))
    begun = at.made(checkout_request(("A", 2)))
    assert begun.status == "incomplete"

    ready = at.update(begun.id, ("A", 2))

    assert ready.status == "ready_for_complete"
    assert amount_of(ready.totals, "total") == 5500
    assert at.get(begun.id) == ready


def test_an_update_replaces_everything_that_the_client_may_decide() -> None:
    at = Counter(shop(A=5, B=5))
    ready = at.update(at.made(checkout_request(("A", 2))).id, ("A", 2))

    bare = at.update(ready.id, ("B", 1), buyer={}, fulfillment={})

    assert [line.sku for line in bare.lines] == ["B"]
    assert (bare.buyer.email, bare.destination, bare.option_id) == (None, None, None)
    assert bare.status == "incomplete"


def test_a_checkout_of_nothing_that_can_be_bought_is_not_made() -> None:
    at = Counter(shop(A=0))

    for request, code in ((checkout_request(("A", 1)), "out_of_stock"), (checkout_request(), "empty")):
        answer = at.create(request)
        assert isinstance(answer, ErrorResponse)
        assert [(message.code, message.severity) for message in answer.messages] == [(code, "unrecoverable")]
    assert at.checkouts.kept == {}


def test_a_request_with_neither_lines_nor_a_cart_is_refused() -> None:
    with pytest.raises(Invalid) as refused:
        Counter(shop()).create(CheckoutCreateRequest())
    assert refused.value.path == "$.line_items"


def test_a_carts_contents_win_over_what_else_is_sent() -> None:
    at = Counter(shop(A=5, B=5))
    cart_id = at.cart(("A", 2), buyer={"email": "cart@example.com"}, context={"currency": "EUR"})
    sent = checkout_request(("B", 1), cart_id=cart_id, buyer={"email": "x@example.com"}, context={"currency": "USD"})

    made = at.made(sent)

    assert [(line.sku, line.quantity) for line in made.lines] == [("A", 2)]
    assert (made.currency, made.buyer.email, made.cart_id) == ("EUR", "cart@example.com", cart_id)


def test_a_cart_converted_again_answers_with_the_same_open_checkout() -> None:
    at = Counter(shop(A=5))
    cart_id = at.cart(("A", 2))
    first = at.update(at.made(of_cart(cart_id)).id, ("A", 2))

    assert at.made(of_cart(cart_id)) == first
    at.becomes(first, status="complete_in_progress")
    assert at.made(of_cart(cart_id)).id == first.id
    assert len(at.checkouts.kept) == 1


@pytest.mark.parametrize("end", ["canceled", "completed", "expired", "swept"])
def test_a_cart_whose_checkout_is_over_gets_a_new_one(end: str) -> None:
    at = Counter(shop(A=5))
    cart_id = at.cart(("A", 2))
    first = at.made(of_cart(cart_id))
    if end == "expired":
        at.now = NOW + timedelta(hours=6)
    elif end == "swept":
        at.checkouts.kept.clear()
    else:
        at.becomes(first, status=end)

    assert at.made(of_cart(cart_id)).id != first.id


def test_a_conversion_that_another_one_overtakes_answers_with_the_others() -> None:
    at = Counter(shop(A=5))
    cart_id = at.cart(("A", 2))
    mine, theirs = at.checkouts.add_for_cart, []

    def overtaken(checkout: Checkout, *, instead_of: str | None) -> bool:
        if not theirs:
            other = checkout.model_copy(update={"id": "checkout_theirs"})
            theirs.append(other)
            mine(other, instead_of=instead_of)
        return mine(checkout, instead_of=instead_of)

    at.checkouts.add_for_cart = overtaken  # type: ignore[method-assign]

    assert at.made(of_cart(cart_id)).id == "checkout_theirs"
    assert list(at.checkouts.kept) == ["checkout_theirs"]


def test_a_cart_that_everybody_converts_at_once_is_answered_with_try_again() -> None:
    at = Counter(shop(A=5))
    at.checkouts.add_for_cart = lambda checkout, *, instead_of: False  # type: ignore[method-assign]

    with pytest.raises(Contended):
        at.create(of_cart(at.cart(("A", 2))))


def test_somebody_elses_cart_and_checkout_do_not_exist() -> None:
    at = Counter(shop(A=5), ADA)
    cart_id = at.cart(("A", 1))
    checkout = at.made(of_cart(cart_id))

    for stranger in (GUEST, EVE):
        at.caller = stranger
        for attempt in (
            lambda: at.create(of_cart(cart_id)),
            lambda: at.get(checkout.id),
            lambda: at.update(checkout.id, ("A", 2)),
            lambda: at.cancel(checkout.id),
        ):
            with pytest.raises(NotFound):
                attempt()
    assert at.checkouts.kept == {checkout.id: checkout}


def test_a_guest_cart_that_a_customer_converted_does_not_lead_guests_to_the_customers_checkout() -> None:
    at = Counter(shop(A=5))
    cart_id = at.cart(("A", 1))
    at.caller = ADA
    at.made(of_cart(cart_id))

    at.caller = GUEST
    with pytest.raises(NotFound):
        at.create(of_cart(cart_id))


def test_a_guests_checkout_becomes_that_of_the_customer_who_fills_it_in() -> None:
    at = Counter(shop(A=5))
    checkout = at.made(checkout_request(("A", 1)))
    at.caller = ADA
    assert at.update(checkout.id, ("A", 1)).owner == "ada"

    at.caller = GUEST
    with pytest.raises(NotFound):
        at.get(checkout.id)


def test_reading_an_open_checkout_shows_todays_price_and_changes_nothing() -> None:
    at = Counter(shop(A=5))
    ready = at.update(at.made(checkout_request(("A", 1))).id, ("A", 1))
    at.shop.offered["A"] = offer("A", prices={"USD": 9900})

    seen = at.get(ready.id)

    assert amount_of(seen.totals, "total") == 10_400
    assert [message.code for message in seen.messages] == ["price_changed"]
    assert at.checkouts.kept[ready.id] == ready
    assert at.get(ready.id) == seen


def test_an_update_after_a_price_change_says_so_once() -> None:
    at = Counter(shop(A=5))
    ready = at.update(at.made(checkout_request(("A", 1))).id, ("A", 1))
    at.shop.offered["A"] = offer("A", prices={"USD": 9900})

    assert [message.code for message in at.update(ready.id, ("A", 1)).messages] == ["price_changed"]
    assert at.update(ready.id, ("A", 1)).messages == ()


@pytest.mark.parametrize("status", ["completed", "canceled", "complete_in_progress", "requires_escalation"])
def test_a_checkout_that_is_not_open_stays_as_it_is_and_says_so(status: Any) -> None:
    at = Counter(shop(A=5))
    kept = at.becomes(at.made(checkout_request(("A", 1))), status=status, messages=())
    at.shop.asked = 0

    for answer in (at.update(kept.id, ("A", 3)), at.cancel(kept.id)):
        assert answer.model_copy(update={"messages": ()}) == kept
        [message] = answer.messages
        assert (message.type, message.path) == ("error", "$.status")
    assert at.get(kept.id) == kept
    assert at.checkouts.kept[kept.id] == kept
    assert at.shop.asked == 0


def test_a_canceled_checkout_is_shown_as_such() -> None:
    at = Counter(shop(A=5))
    checkout = at.made(checkout_request(("A", 1)))

    assert at.cancel(checkout.id).status == "canceled"
    assert at.get(checkout.id).status == "canceled"


def test_an_expired_checkout_is_gone_though_the_sweep_has_not_come_but_not_while_it_is_paid_for() -> None:
    at = Counter(shop(A=5))
    left = at.made(checkout_request(("A", 1)))
    paying = at.becomes(at.made(checkout_request(("A", 1))), status="complete_in_progress")
    at.now = NOW + timedelta(hours=6)

    with pytest.raises(NotFound):
        at.get(left.id)
    assert at.get(paying.id) == paying


def test_why_the_last_payment_failed_is_told_until_the_buyer_changes_something() -> None:
    at = Counter(shop(A=5))
    ready = at.update(at.made(checkout_request(("A", 1))).id, ("A", 1))
    declined = error("payment_declined", "The payment was declined.")
    at.becomes(ready, attempt=2, messages=(declined,))

    assert at.get(ready.id).messages == (declined,)
    assert at.get(ready.id).status == "ready_for_complete"
    assert at.update(ready.id, ("A", 1)).messages == ()


@pytest.mark.parametrize(
    ("sent", "path"),
    [
        ({"methods": [{"type": "pickup"}]}, "$.fulfillment.methods[0].type"),
        ({"methods": [{"type": "shipping"}] * 2}, "$.fulfillment.methods[1]"),
        ({"methods": [{"groups": [{}, {}]}]}, "$.fulfillment.methods[0].groups[1]"),
        (
            {"methods": [{"destinations": [{"id": "a"}, {"id": "b"}]}]},
            "$.fulfillment.methods[0].selected_destination_id",
        ),
        (
            {"methods": [{"destinations": [{"id": "a"}], "selected_destination_id": "b"}]},
            "$.fulfillment.methods[0].selected_destination_id",
        ),
    ],
    ids=["pickup", "two methods", "two parcels", "none selected", "unknown selected"],
)
def test_a_way_to_ship_that_cannot_be_taken_down_changes_nothing(sent: dict[str, Any], path: str) -> None:
    at = Counter(shop(A=5))
    ready = at.update(at.made(checkout_request(("A", 1))).id, ("A", 1))

    answer = at.update(ready.id, ("A", 3), fulfillment=sent)

    assert (answer.messages[0].path, answer.messages[0].severity) == (path, "recoverable")
    assert at.checkouts.kept[ready.id] == ready
    assert isinstance(at.create(checkout_request(("A", 1), fulfillment=sent)), ErrorResponse)


def test_a_destination_may_be_named_by_the_id_that_it_has_already() -> None:
    at = Counter(shop(A=5))
    ready = at.update(at.made(checkout_request(("A", 1))).id, ("A", 1))
    named = {"methods": [{"selected_destination_id": "home", "groups": [{"selected_option_id": "express"}]}]}

    moved = at.update(ready.id, ("A", 1), fulfillment=named)

    assert (moved.destination, moved.option_id) == (ready.destination, "express")
    assert moved.status == "ready_for_complete"


def test_a_single_destination_counts_as_selected_and_gets_a_name() -> None:
    at = Counter(shop(A=5))
    sent = fulfillment(id=None)
    sent["methods"][0]["selected_destination_id"] = None

    made = at.made(checkout_request(("A", 1), fulfillment=sent, buyer=buyer().model_dump()))

    assert made.destination_id == "dest_1"
    assert made.status == "ready_for_complete"


def codes_told(checkout: Checkout) -> list[tuple[str, str | None]]:
    return [(message.code, message.path) for message in checkout.messages if "code" in message.code]


def test_codes_of_an_update_replace_those_before_and_none_clears_them() -> None:
    buyer = Counter(shop(**{"SHIRT-M": 9}))
    buyer.discounts.kept = {**offered("SPRING"), **offered("FIVER", amounts={"USD": 500})}
    checkout = buyer.made(checkout_request(("SHIRT-M", 1), discounts={"codes": ["spring"]}))
    assert [one.code for one in checkout.discounts] == ["SPRING"]

    replaced = buyer.update(checkout.id, ("SHIRT-M", 1), discounts={"codes": ["Fiver "]})
    assert (replaced.codes, [one.code for one in replaced.discounts]) == (("Fiver ",), ["FIVER"])
    cleared = buyer.update(checkout.id, ("SHIRT-M", 1), discounts={"codes": []})
    assert (cleared.codes, cleared.discounts) == ((), ())
    assert amount_of(cleared.totals, "items_discount") == 0


def test_a_cart_becomes_a_checkout_with_the_codes_that_are_sent_with_it() -> None:
    buyer = Counter(shop(**{"SHIRT-M": 9}))
    buyer.discounts.kept = offered()
    request = CheckoutCreateRequest.model_validate_json(
        f'{{"cart_id": "{buyer.cart(("SHIRT-M", 1))}", "discounts": {{"codes": ["SPRING"]}}}}'
    )
    assert [one.code for one in buyer.made(request).discounts] == ["SPRING"]


def test_a_discount_that_ends_while_the_checkout_is_open_is_told_as_another_price() -> None:
    buyer = Counter(shop(**{"SHIRT-M": 9}))
    buyer.discounts.kept = offered()
    checkout = buyer.update(
        buyer.made(checkout_request(("SHIRT-M", 1))).id, ("SHIRT-M", 1), discounts={"codes": ["SPRING"]}
    )
    assert (checkout.status, amount_of(checkout.totals, "items_discount")) == ("ready_for_complete", -250)

    buyer.discounts.kept = offered(**OVER)
    later = buyer.get(checkout.id)
    assert [message.code for message in later.messages] == ["discount_code_expired", "price_changed"]
    assert (later.status, amount_of(later.totals, "items_discount")) == ("ready_for_complete", 0)


def test_beyond_five_codes_the_others_are_warned_of_and_all_else_is_done() -> None:
    buyer = Counter(shop(**{"SHIRT-M": 9}))
    buyer.discounts.kept = {code: one for n in range(6) for code, one in offered(f"CODE-{n}", basis_points=100).items()}
    six = {"codes": list(buyer.discounts.kept)}
    sixth = [("discount_code_combination_disallowed", "$.discounts.codes[5]")]
    checkout = buyer.made(checkout_request(("SHIRT-M", 1), discounts=six))
    assert (len(checkout.discounts), codes_told(checkout)) == (5, sixth)

    updated = buyer.update(checkout.id, ("SHIRT-M", 2), discounts=six)
    assert (updated.lines[0].quantity, len(updated.discounts), codes_told(updated)) == (2, 5, sixth)
    assert len(buyer.get(checkout.id).codes) == 5


def test_who_guesses_codes_is_answered_no_more_and_keeps_the_one_that_works() -> None:
    buyer = Counter(shop(**{"SHIRT-M": 9}))
    buyer.discounts.kept = {**offered(), **offered("SOON", **NOT_YET), **offered("HIT")}
    checkout = buyer.made(checkout_request(("SHIRT-M", 1), discounts={"codes": ["SPRING", "GUESS", "SOON"]}))
    assert checkout.unknown_codes == 2
    for number in range(18):
        checkout = buyer.update(checkout.id, ("SHIRT-M", 1), discounts={"codes": ["SPRING", f"GUESS-{number}"]})
    assert checkout.unknown_codes == 20

    stopped = buyer.update(checkout.id, ("SHIRT-M", 2), discounts={"codes": ["spring", "HIT"]})
    assert codes_told(stopped) == [("too_many_unknown_codes", "$.discounts.codes[1]")]
    assert (stopped.lines[0].quantity, [one.code for one in stopped.discounts]) == (2, ["SPRING"])
    assert not any("HIT" in codes for codes in buyer.discounts.asked)
    assert [one.code for one in buyer.get(checkout.id).discounts] == ["SPRING"]
