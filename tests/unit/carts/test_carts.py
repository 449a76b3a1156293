"""Carts: what a buyer may do with one, and what the shop says to it."""

from datetime import timedelta

import pytest
from pydantic import ValidationError

from builders.carts import Carts, cart_request, shop
from builders.checkout import NOW
from builders.pricing import offer, settings
from commerce.carts.model import PricedCart
from commerce.carts.request import CartRequest
from commerce.carts.service import cancel_cart, create_cart, get_cart, replace_cart
from commerce.carts.view import present
from commerce.clock import epoch
from commerce.errors import Invalid, NotFound
from commerce.identity.model import GUEST, Caller
from commerce.messages import Message
from commerce.pricing.model import WantedLine, amount_of
from commerce.protocol import ErrorResponse

ADA = Caller(subject="ada")
EVE = Caller(subject="eve")


def started(request: CartRequest, at, carts: Carts, caller: Caller = GUEST) -> PricedCart:
    made = create_cart(request, caller=caller, now=NOW, shelf=at.shelf(), carts=carts)
    assert isinstance(made, PricedCart)
    return made


def codes(messages: tuple[Message, ...]) -> list[tuple[str, str | None]]:
    return [(message.code, message.path) for message in messages]


def test_a_cart_shows_prices_that_the_shop_knows_and_sums_them() -> None:
    made = started(cart_request(("A", 2), ("B", 1)), shop(A=5, B=5), Carts())

    assert [(line.id, line.sku, line.unit_price) for line in made.lines] == [
        ("line_1", "A", 2500),
        ("line_2", "B", 2500),
    ]
    assert amount_of(made.totals, "total") == 7500
    assert made.messages == ()
    assert made.cart.expires_at == epoch(NOW + timedelta(days=30))


def test_a_price_that_the_client_sends_is_not_even_read() -> None:
    request = CartRequest.model_validate_json(
        '{"line_items": [{"item": {"id": "A", "price": 1}, "quantity": 1}], "totals": []}'
    )

    assert amount_of(started(request, shop(A=1), Carts()).totals, "total") == 2500


@pytest.mark.parametrize("quantity", ["0", "-1", "1.5", "1.0", '"1"', "true", "null", "1e400", "9007199254740992"])
def test_what_is_no_count_of_pieces_is_refused(quantity: str) -> None:
    with pytest.raises(ValidationError) as refused:
        CartRequest.model_validate_json(f'{{"line_items": [{{"item": {{"id": "A"}}, "quantity": {quantity}}}]}}')

    if quantity != "1e400":
        assert refused.value.errors()[0]["loc"] == ("line_items", 0, "quantity")


def test_the_same_sku_on_two_lines_counts_together_against_stock_and_limit() -> None:
    scarce = started(cart_request(("A", 2), ("A", 2)), shop(A=3), Carts())
    assert codes(scarce.messages) == [("out_of_stock", "$.line_items[1].quantity")]

    many = started(cart_request(("A", 600), ("A", 600)), shop(A=5000), Carts())
    assert codes(many.messages) == [("quantity_too_large", "$.line_items[1].quantity")]


def test_the_last_piece_and_the_largest_quantity_can_be_bought() -> None:
    assert started(cart_request(("A", 2), ("A", 1)), shop(A=3), Carts()).messages == ()
    assert started(cart_request(("A", settings().max_quantity)), shop(A=5000), Carts()).messages == ()


def test_each_line_that_cannot_be_bought_says_why_and_only_where_it_must() -> None:
    at = shop(OK=1, DRAFT=9, EUR=9, EMPTY=0)
    at.offered["DRAFT"] = offer("DRAFT", published=False, title="Secret")
    at.offered["EUR"] = offer("EUR", prices={"EUR": 1})

    made = started(cart_request(("OK", 1), ("DRAFT", 1), ("EUR", 1), ("EMPTY", 1), ("NONE", 1)), at, Carts())

    assert codes(made.messages) == [
        ("not_found", "$.line_items[1].item.id"),
        ("item_unavailable", "$.line_items[2].item.id"),
        ("out_of_stock", "$.line_items[3].quantity"),
        ("not_found", "$.line_items[4].item.id"),
    ]
    assert "Secret" not in made.model_dump_json()
    assert {message.severity for message in made.messages} == {"recoverable"}


def test_a_cart_of_nothing_that_can_be_bought_is_not_made() -> None:
    carts = Carts()

    answer = create_cart(cart_request(("NONE", 1)), caller=GUEST, now=NOW, shelf=shop(A=1).shelf(), carts=carts)

    assert isinstance(answer, ErrorResponse)
    assert [(message.code, message.severity) for message in answer.messages] == [("not_found", "unrecoverable")]
    assert carts.kept == {}


def test_an_empty_cart_may_be_started_and_asks_nobody_for_prices() -> None:
    at = shop()

    assert amount_of(started(cart_request(), at, Carts()).totals, "total") == 0
    assert at.asked == 0


@pytest.mark.parametrize(
    ("request_", "path"),
    [
        (cart_request(("A", settings().max_quantity + 1)), "$.line_items[0].quantity"),
        (cart_request(*[("A", 1)] * (settings().max_lines + 1)), "$.line_items"),
    ],
    ids=["too many pieces", "too many lines"],
)
def test_what_exceeds_the_shops_limits_changes_nothing(request_: CartRequest, path: str) -> None:
    carts, at = Carts(), shop(A=5000)
    refused = create_cart(request_, caller=GUEST, now=NOW, shelf=at.shelf(), carts=carts)
    assert isinstance(refused, ErrorResponse)
    assert refused.messages[0].path == path
    assert carts.kept == {}

    before = started(cart_request(("A", 1)), at, carts).cart
    unchanged = replace_cart(before.id, request_, caller=GUEST, now=NOW, shelf=at.shelf(), carts=carts)
    assert unchanged.messages[0].path == path
    assert carts.kept == {before.id: before}


def test_a_new_cart_takes_the_currency_of_its_context_and_keeps_it() -> None:
    carts, at = Carts(), shop(A=9)
    made = started(cart_request(("A", 1), context={"address_country": "DE"}), at, carts)
    assert made.cart.currency == "EUR"

    dollars = cart_request(("A", 1), context={"currency": "USD"})
    kept = replace_cart(made.cart.id, dollars, caller=GUEST, now=NOW, shelf=at.shelf(), carts=carts)

    assert kept.cart.currency == "EUR"
    assert codes(kept.messages) == [("currency_unavailable", "$.currency")]


def test_a_currency_that_is_not_sold_in_is_answered_in_the_shops_own_with_a_warning() -> None:
    made = started(cart_request(("A", 1), context={"currency": "GBP"}), shop(A=9), Carts())

    assert made.cart.currency == "USD"
    assert [(message.type, message.code) for message in made.messages] == [("warning", "currency_unavailable")]


def test_an_update_replaces_everything_and_lines_keep_their_ids() -> None:
    carts, at = Carts(), shop(A=9, B=9, C=9)
    made = started(cart_request(("A", 1), ("B", 1), buyer={"email": "ada@example.com"}), at, carts)

    replaced = replace_cart(
        made.cart.id, cart_request(("C", 1), ("B", 2)), caller=GUEST, now=NOW, shelf=at.shelf(), carts=carts
    )

    assert replaced.cart.lines == (
        WantedLine(id="line_3", sku="C", quantity=1),
        WantedLine(id="line_2", sku="B", quantity=2),
    )
    assert replaced.cart.buyer.email is None
    assert replaced.cart.version == 2


def test_a_line_that_the_client_names_keeps_its_id_and_a_made_up_id_is_replaced() -> None:
    carts, at = Carts(), shop(A=9, B=9)
    made = started(cart_request(("A", 1)), at, carts)
    request = CartRequest.model_validate_json(
        '{"line_items": [{"id": "mine", "item": {"id": "A"}, "quantity": 1},'
        ' {"id": "line_1", "item": {"id": "B"}, "quantity": 1}]}'
    )

    replaced = replace_cart(made.cart.id, request, caller=GUEST, now=NOW, shelf=at.shelf(), carts=carts)

    assert [(line.id, line.sku) for line in replaced.lines] == [("line_2", "A"), ("line_1", "B")]


def test_one_line_named_twice_is_refused() -> None:
    carts, at = Carts(), shop(A=9)
    made = started(cart_request(("A", 1)), at, carts)
    twice = CartRequest.model_validate_json(
        '{"line_items": [%s, %s]}' % (('{"id": "line_1", "item": {"id": "A"}, "quantity": 1}',) * 2)
    )

    with pytest.raises(Invalid) as refused:
        replace_cart(made.cart.id, twice, caller=GUEST, now=NOW, shelf=at.shelf(), carts=carts)
    assert refused.value.path == "$.line_items[1].id"


def test_a_customers_cart_does_not_exist_for_anybody_else() -> None:
    carts, at = Carts(), shop(A=9)
    cart_id = started(cart_request(("A", 1)), at, carts, caller=ADA).cart.id

    for stranger in (GUEST, EVE):
        ports = {"caller": stranger, "now": NOW, "shelf": at.shelf(), "carts": carts}
        with pytest.raises(NotFound):
            get_cart(cart_id, **ports)
        with pytest.raises(NotFound):
            replace_cart(cart_id, cart_request(("A", 2)), **ports)
        with pytest.raises(NotFound):
            cancel_cart(cart_id, **ports)
    assert get_cart(cart_id, caller=ADA, now=NOW, shelf=at.shelf(), carts=carts).lines[0].quantity == 1


def test_a_guests_cart_becomes_that_of_the_customer_who_changes_it() -> None:
    carts, at = Carts(), shop(A=9)
    cart_id = started(cart_request(("A", 1)), at, carts).cart.id

    replace_cart(cart_id, cart_request(("A", 1)), caller=ADA, now=NOW, shelf=at.shelf(), carts=carts)

    with pytest.raises(NotFound):
        get_cart(cart_id, caller=GUEST, now=NOW, shelf=at.shelf(), carts=carts)


def test_a_canceled_cart_is_shown_once_more_and_is_gone() -> None:
    carts, at = Carts(), shop(A=9)
    made = started(cart_request(("A", 1)), at, carts)
    ports = {"caller": GUEST, "now": NOW, "shelf": at.shelf(), "carts": carts}

    assert cancel_cart(made.cart.id, **ports) == made
    with pytest.raises(NotFound):
        cancel_cart(made.cart.id, **ports)


def test_an_expired_cart_is_gone_though_the_sweep_has_not_come() -> None:
    carts, at = Carts(), shop(A=9)
    cart_id = started(cart_request(("A", 1)), at, carts).cart.id

    with pytest.raises(NotFound):
        get_cart(cart_id, caller=GUEST, now=NOW + timedelta(days=30), shelf=at.shelf(), carts=carts)


def test_links_to_pages_lead_to_the_storefront_where_it_is_elsewhere() -> None:
    made = started(cart_request(("A", 1)), shop(A=5), Carts())

    for rules, pages in (
        (settings(), "https://shop.example"),
        (settings(storefront_url="https://www.shop.example"), "https://www.shop.example"),
    ):
        answer = present(made, rules)
        assert answer.continue_url == f"{pages}/cart/{made.cart.id}"
        assert [link.url for link in answer.links] == [f"{pages}/privacy", f"{pages}/terms"]
