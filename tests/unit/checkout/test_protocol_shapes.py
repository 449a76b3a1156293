"""What clients receive is what the protocol's own models accept, and nothing that they must not see."""

from typing import Any

import pytest
from ucp_sdk.models.schemas.common.types.error_response import ErrorResponse as ProtocolError
from ucp_sdk.models.schemas.shopping.cart import Cart as ProtocolCart
from ucp_sdk.models.schemas.shopping.discount import Checkout as ProtocolDiscounts
from ucp_sdk.models.schemas.shopping.fulfillment import Checkout as ProtocolCheckout
from ucp_sdk.models.schemas.shopping.types.shipping_destination import ShippingDestination

from builders.carts import Carts, cart_request, shop
from builders.checkout import NOW, address, checkout, offers_for, ready_checkout
from builders.discounts import offered
from builders.pricing import offer, settings, wanted
from builders.stock import supply
from commerce.carts.model import PricedCart
from commerce.carts.service import create_cart
from commerce.carts.view import present as present_cart
from commerce.checkout.model import Checkout
from commerce.checkout.request import CheckoutUpdateRequest
from commerce.checkout.service import derive
from commerce.checkout.view import present
from commerce.identity.model import GUEST
from commerce.protocol import ErrorResponse

ORDER_URL = "https://shop.example/orders/order_1?access_token=t"


def text(of: Checkout, order_url: str | None = None) -> str:
    return present(of, settings(), order_url).model_dump_json(by_alias=True, exclude_none=True)


def shown(of: Checkout, order_url: str | None = None) -> ProtocolCheckout:
    return ProtocolCheckout.model_validate_json(text(of, order_url))


@pytest.mark.parametrize(
    "asked",
    [
        checkout(),
        checkout(destination=None, destination_id=None, option_id=None),
        checkout(lines=(), option_id="nonsense"),
        checkout(
            lines=(wanted("A", id="line_1"), wanted("A", 9, id="line_2")), destination=address(address_country="X")
        ),
        checkout(currency="EUR", destination=address(address_country="DE", address_region=None)),
    ],
    ids=["ready", "bare", "empty", "wrong", "taxed"],
)
def test_every_state_of_a_checkout_has_the_protocols_shape(asked: Checkout) -> None:
    ProtocolCheckout.model_validate_json(text(derive(asked, offers_for(asked), {"A": supply(1)}, {}, settings(), NOW)))


def test_the_discount_extension_has_the_protocols_shape_and_its_sums() -> None:
    lines = (wanted("A", 3, id="line_1"), wanted("B", id="line_2"))
    codes = {**offered("FIVER", amounts={"USD": 501}), **offered("SPRING")}
    asked = checkout(lines=lines, codes=("fiver", "spring", "none"))
    derived = derive(asked, offers_for(asked), {sku: supply(9) for sku in "AB"}, codes, settings(), NOW)

    told = ProtocolDiscounts.model_validate_json(text(derived)).discounts

    assert told.codes == ["fiver", "spring", "none"]
    assert [one.code for one in told.applied] == ["FIVER", "SPRING"]
    assert all(sum(part.amount for part in one.allocations) == one.amount for one in told.applied)


def test_the_fulfilment_extension_names_one_method_one_parcel_and_the_selected_address() -> None:
    [method] = shown(ready_checkout()).fulfillment.methods
    [group] = method.groups

    assert (method.type, method.line_item_ids, group.line_item_ids) == ("shipping", ["line_1"], ["line_1"])
    destination = ShippingDestination.model_validate(method.destinations[0].model_dump())
    assert destination.id == method.selected_destination_id == "dest_1"
    assert [option.id for option in group.options] == ["standard", "express"]
    assert group.selected_option_id == "standard"
    assert group.options[0].earliest_fulfillment_time < group.options[0].latest_fulfillment_time


@pytest.mark.parametrize(
    ("status", "continues", "has_order"),
    [
        ("incomplete", True, False),
        ("complete_in_progress", True, False),
        ("requires_escalation", True, False),
        ("completed", False, True),
        ("canceled", False, False),
    ],
)
def test_an_order_is_named_once_it_stands_and_the_buyer_sent_on_until_it_is_over(
    status: Any, continues: bool, has_order: bool
) -> None:
    answer = shown(ready_checkout().model_copy(update={"status": status, "order_id": "order_1"}), ORDER_URL)

    assert (answer.continue_url is not None) == (answer.expires_at is not None) == continues
    assert (answer.order is not None) == has_order
    if answer.order:
        assert str(answer.order.permalink_url) == ORDER_URL


def test_the_bank_is_where_the_buyer_continues_while_it_wants_a_confirmation() -> None:
    waiting = ready_checkout().model_copy(
        update={"status": "requires_escalation", "escalation_url": "https://bank.example/3ds"}
    )

    assert str(shown(waiting).continue_url) == "https://bank.example/3ds"


def test_the_same_checkout_is_shown_in_the_same_bytes() -> None:
    ready = ready_checkout()

    assert text(ready) == text(Checkout.model_validate_json(ready.model_dump_json()))


def test_nothing_of_a_payment_or_of_the_owner_comes_back() -> None:
    sent = CheckoutUpdateRequest.model_validate_json(
        '{"line_items": [], "signals": {"dev.ucp.buyer_ip": "203.0.113.9"},'
        ' "payment": {"instruments": [{"credential": {"token": "pm_secret"}}]}}'
    )

    assert "pm_secret" not in sent.model_dump_json()
    assert "customer-7" not in text(ready_checkout(owner="customer-7"))


def test_a_cart_has_the_protocols_shape() -> None:
    at = shop(A=1)
    at.offered["A"] = offer("A", image_url="https://shop.example/media/a.svg")
    request = cart_request(("A", 2), ("NONE", 1), buyer={"email": "ada@example.com"})
    made = create_cart(request, caller=GUEST, now=NOW, shelf=at.shelf(), carts=Carts())
    assert isinstance(made, PricedCart)

    answer = present_cart(made, settings()).model_dump_json(by_alias=True, exclude_none=True)

    cart = ProtocolCart.model_validate_json(answer)
    assert [line.item.id for line in cart.line_items] == ["A", "NONE"]
    assert str(cart.continue_url) == f"https://shop.example/cart/{cart.id}"


def test_a_refusal_has_the_protocols_shape() -> None:
    refused = create_cart(cart_request(("NONE", 1)), caller=GUEST, now=NOW, shelf=shop().shelf(), carts=Carts())

    assert isinstance(refused, ErrorResponse)
    answer = ProtocolError.model_validate_json(refused.model_dump_json(by_alias=True, exclude_none=True))
    assert answer.ucp.status == "error"
