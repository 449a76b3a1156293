"""What clients send about a checkout. Unknown fields are ignored, payment credentials among them."""

from typing import Literal

from commerce.carts.request import CartRequest, ContextRequest, LineRequest
from commerce.contact import Buyer, PostalAddress, Text
from commerce.discounts.request import DiscountsRequest
from commerce.model import OpenModel


class DestinationRequest(PostalAddress):
    """A shipping address. `id` is the client's own name for it."""

    id: Text | None = None
    type: Literal["shipping_address"] = "shipping_address"


class GroupRequest(OpenModel):
    """The choice among the group's options."""

    selected_option_id: Text | None = None


class MethodRequest(OpenModel):
    """Where to, and which option. A single destination counts as selected."""

    type: Text = "shipping"
    destinations: tuple[DestinationRequest, ...] = ()
    selected_destination_id: Text | None = None
    groups: tuple[GroupRequest, ...] = ()


class FulfillmentRequest(OpenModel):
    """The fulfilment extension: the shop ships everything in one parcel, so one method with one group."""

    methods: tuple[MethodRequest, ...] = ()


class CheckoutUpdateRequest(CartRequest):
    """A whole checkout: an update replaces everything that the checkout held."""

    fulfillment: FulfillmentRequest = FulfillmentRequest()
    discounts: DiscountsRequest = DiscountsRequest()


class CheckoutCreateRequest(OpenModel):
    """A new checkout, of `line_items` or of the cart `cart_id`, whose contents win over what else is sent."""

    cart_id: Text | None = None
    line_items: tuple[LineRequest, ...] | None = None
    context: ContextRequest = ContextRequest()
    buyer: Buyer = Buyer()
    fulfillment: FulfillmentRequest = FulfillmentRequest()
    discounts: DiscountsRequest = DiscountsRequest()
