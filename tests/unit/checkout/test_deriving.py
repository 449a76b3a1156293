"""What the shop makes of a buyer's wishes: prices, totals, messages, status."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from builders.checkout import NOW, address, buyer, checkout, offers_for, ready_checkout
from builders.discounts import offered
from builders.pricing import offer, settings, shipping_rate, wanted
from builders.stock import supply
from commerce.checkout.model import Checkout
from commerce.checkout.service import chosen_option, derive
from commerce.contact import Buyer
from commerce.money import MAX_AMOUNT, share
from commerce.pricing.model import amount_of
from commerce.settings import Settings, TaxRate


def derived(asked: Checkout, left: int = 100, shop: Settings | None = None) -> Checkout:
    stock = {line.sku: supply(left) for line in asked.lines}
    return derive(asked, offers_for(asked), stock, {}, shop or settings(), NOW)


def errors(of: Checkout) -> list[tuple[str, str | None]]:
    return [(message.code, message.path) for message in of.messages if message.type == "error"]


def test_a_checkout_that_has_everything_is_ready() -> None:
    ready = ready_checkout(lines=(wanted(quantity=2),))

    assert ready.status == "ready_for_complete"
    assert ready.messages == ()
    assert [(total.type, total.amount) for total in ready.totals] == [
        ("subtotal", 5000),
        ("fulfillment", 500),
        ("total", 5500),
    ]


@pytest.mark.parametrize(
    "email",
    [
        "ada.lovelace+shop@mail.example.co.uk",
        "o'hara_{42}!#$%&*/=?^`|~-@example.com",
        "ada@xn--strae-oqa.example",
        f"{'a' * 64}@1.example",
    ],
)
def test_an_address_that_can_be_written_to_is_taken(email: str) -> None:
    assert ready_checkout(buyer=buyer(email=email)).status == "ready_for_complete"


def test_tax_is_added_once_on_goods_and_shipping_where_the_parcel_goes() -> None:
    ready = ready_checkout(destination=address(address_region="CA"))

    assert amount_of(ready.totals, "tax") == 248  # 8.25 % of 30.00 is 2.475
    assert amount_of(ready.totals, "total") == 3248


@pytest.mark.parametrize(
    ("missing", "path"),
    [
        ({"buyer": Buyer()}, "$.buyer.email"),
        ({"buyer": buyer(email="ada at example")}, "$.buyer.email"),
        ({"buyer": buyer(email="ada@example.com,eve@example.com")}, "$.buyer.email"),
        ({"buyer": buyer(email="eve,ada@example.com")}, "$.buyer.email"),
        ({"buyer": buyer(email="<ada@example.com>")}, "$.buyer.email"),
        ({"buyer": buyer(email="ada\x00@example.com")}, "$.buyer.email"),
        ({"buyer": buyer(email="zoë@example.com")}, "$.buyer.email"),
        ({"buyer": buyer(email="ada@straße.example")}, "$.buyer.email"),
        ({"buyer": buyer(email=".ada@example.com")}, "$.buyer.email"),
        ({"buyer": buyer(email="ada.@example.com")}, "$.buyer.email"),
        ({"buyer": buyer(email="ada..lovelace@example.com")}, "$.buyer.email"),
        ({"buyer": buyer(email="ada@example..com")}, "$.buyer.email"),
        ({"buyer": buyer(email="ada@-example.com")}, "$.buyer.email"),
        ({"buyer": buyer(email=f"{'a' * 65}@example.com")}, "$.buyer.email"),
        ({"destination": None, "destination_id": None}, "$.fulfillment.methods[0].destinations"),
        ({"destination": address(street_address=None)}, "$.fulfillment.methods[0].destinations[0].street_address"),
        ({"destination": address(address_locality="")}, "$.fulfillment.methods[0].destinations[0].address_locality"),
        ({"destination": address(address_region=None)}, "$.fulfillment.methods[0].destinations[0].address_region"),
        ({"destination": address(postal_code=None)}, "$.fulfillment.methods[0].destinations[0].postal_code"),
        ({"destination": address(address_country=None)}, "$.fulfillment.methods[0].destinations[0].address_country"),
        ({"destination": address(address_region="ca")}, "$.fulfillment.methods[0].destinations[0].address_region"),
        ({"destination": address(address_region="Oregon")}, "$.fulfillment.methods[0].destinations[0].address_region"),
        ({"destination": address(address_country="us")}, "$.fulfillment.methods[0].destinations[0].address_country"),
        ({"destination": address(address_country="FR")}, "$.fulfillment.methods[0].destinations[0].address_country"),
        (
            {"destination": address(last_name=None), "buyer": buyer(last_name=None)},
            "$.fulfillment.methods[0].destinations[0].last_name",
        ),
        ({"option_id": None}, "$.fulfillment.methods[0].groups[0].selected_option_id"),
        ({"option_id": "by balloon"}, "$.fulfillment.methods[0].groups[0].selected_option_id"),
        ({"lines": ()}, "$.line_items"),
        ({"lines": (wanted(quantity=101),)}, "$.line_items[0].quantity"),
    ],
    ids=lambda value: value if isinstance(value, str) else "-",
)
def test_each_thing_that_is_missing_is_named_and_nothing_else_is(missing: dict[str, Any], path: str) -> None:
    incomplete = derived(checkout(**missing))

    assert incomplete.status == "incomplete"
    assert [found for _, found in errors(incomplete)] == [path]
    assert {message.severity for message in incomplete.messages} == {"recoverable"}


def test_half_an_address_names_each_field_that_it_lacks() -> None:
    half = address(street_address=None, postal_code=None, address_locality=None)

    assert len(errors(derived(checkout(destination=half)))) == 3


def test_a_name_of_the_buyer_is_enough_for_the_parcel() -> None:
    assert derived(checkout(destination=address(first_name=None, last_name=None))).status == "ready_for_complete"


def test_no_rate_with_a_price_in_the_currency_means_that_nothing_ships_there() -> None:
    dollars_only = settings(shipping_rates=(shipping_rate(price={"USD": 1}),))

    assert errors(derived(checkout(currency="EUR"), shop=dollars_only)) == [
        ("address_undeliverable", "$.fulfillment.methods[0].destinations[0].address_country")
    ]


def test_free_shipping_follows_the_goods() -> None:
    assert amount_of(ready_checkout(lines=(wanted(quantity=4),)).totals, "fulfillment") == 0


def test_a_sum_that_no_payment_can_carry_is_refused() -> None:
    asked = checkout(lines=(wanted("GOLD", quantity=2),))
    gold = {"GOLD": offer("GOLD", prices={"USD": MAX_AMOUNT})}

    dear = derive(asked, gold, {"GOLD": supply(9)}, {}, settings(), NOW)

    assert errors(dear) == [("total_too_large", "$.line_items")]


def test_a_hint_of_the_country_shows_options_before_there_is_an_address() -> None:
    hinted = derived(checkout(destination=None, destination_id=None, option_id="express", country_hint="US"))

    option = chosen_option(hinted, settings())
    assert option is not None
    assert amount_of(hinted.totals, "fulfillment") == option.amount == 1500


@pytest.mark.parametrize("price", [2400, 2600], ids=["cheaper", "dearer"])
def test_a_changed_price_is_a_warning_on_its_line_and_the_new_price_counts(price: int) -> None:
    shown = ready_checkout()
    today = {"SHIRT-M": offer(prices={"USD": price})}

    again = derive(shown, today, {"SHIRT-M": supply(9)}, {}, settings(), NOW)

    assert [(message.type, message.code, message.path) for message in again.messages] == [
        ("warning", "price_changed", "$.line_items[0].item.price")
    ]
    assert again.status == "ready_for_complete"
    assert amount_of(again.totals, "subtotal") == price
    assert derive(again, today, {"SHIRT-M": supply(9)}, {}, settings(), NOW).messages == ()


def test_a_dearer_way_to_ship_is_a_warning_on_the_totals() -> None:
    shown = ready_checkout()

    again = derived(shown, shop=settings(shipping_rates=(shipping_rate(price={"USD": 700}),)))

    assert [(message.code, message.path) for message in again.messages] == [("price_changed", "$.totals")]
    assert "32.00 USD" in again.messages[0].content


def test_another_wish_is_no_changed_price() -> None:
    shown = ready_checkout()
    more = shown.model_copy(update={"lines": (wanted(quantity=3),), "totals": ()})

    assert derived(more).messages == ()


@pytest.mark.parametrize("status", ["complete_in_progress", "requires_escalation", "completed", "canceled"])
def test_deriving_moves_only_an_open_checkout(status: Any) -> None:
    assert derived(checkout(status=status, option_id=None)).status == status


texts = st.none() | st.text(max_size=5) | st.sampled_from(["US", "DE", "CA", "97201", "ada@example.com"])
wishes = st.builds(
    checkout,
    lines=st.lists(
        st.builds(wanted, sku=st.sampled_from("ABC"), quantity=st.integers(1, 9), id=st.text(max_size=3)), max_size=4
    ).map(tuple),
    buyer=st.builds(buyer, email=texts, last_name=texts),
    destination=st.none() | st.builds(address, postal_code=texts, address_country=texts, address_region=texts),
    option_id=st.sampled_from([None, "standard", "express", "nonsense"]),
    currency=st.sampled_from(["USD", "EUR"]),
)


@given(wishes, st.integers(0, 5))
def test_whatever_is_asked_the_ledger_adds_up_and_only_errors_keep_it_from_being_ready(asked, left) -> None:
    found = derived(asked, left)

    assert sum(entry.amount for entry in found.totals[:-1]) == found.totals[-1].amount
    assert (found.status == "incomplete") == any(message.type == "error" for message in found.messages)
    assert derived(asked, left) == found
    assert derived(found, left) == found


def with_code(asked: Checkout, shop: Settings | None = None, **changes: Any) -> Checkout:
    stock = {line.sku: supply(9) for line in asked.lines}
    return derive(asked, offers_for(asked), stock, offered(**changes), shop or settings(), NOW)


def test_tax_and_free_shipping_go_by_what_is_left_of_the_price() -> None:
    taxed = settings(tax_rates=(TaxRate(country="US", basis_points=1000, title="Tax"),))
    asked = checkout(codes=("SPRING",))
    assert amount_of(with_code(asked, taxed).totals, "tax") == share(2250 + 500, 1000)

    free = settings(shipping_rates=(shipping_rate(free_from={"USD": 2500}),))
    assert amount_of(derived(asked, shop=free).totals, "fulfillment") == 0
    assert amount_of(with_code(asked, free).totals, "fulfillment") == 500


def test_what_no_card_pays_keeps_the_checkout_from_completion() -> None:
    free = settings(shipping_rates=(shipping_rate(price={"USD": 0}),))
    asked = checkout(codes=("SPRING",))
    for left, told in ((49, [("total_too_small", "$.discounts.codes")]), (50, [])):
        taken = with_code(asked, free, amounts={"USD": 2500 - left})
        assert (amount_of(taken.totals, "total"), errors(taken)) == (left, told)
        assert taken.status == ("incomplete" if told else "ready_for_complete")
    unchosen = with_code(checkout(codes=("SPRING",), option_id=None), free, amounts={"USD": 2500})
    assert [code for code, _ in errors(unchosen)] == ["missing"]
