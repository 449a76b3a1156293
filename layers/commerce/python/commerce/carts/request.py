"""What clients send about a cart. Unknown fields are ignored; a price or title the client names is one of them."""

from typing import Annotated

from pydantic import Field

from commerce.contact import Buyer, Text
from commerce.model import OpenModel
from commerce.money import Currency

Sku = Annotated[str, Field(min_length=1, max_length=100)]
Quantity = Annotated[int, Field(ge=1, le=9_007_199_254_740_991)]
"""Whole pieces; the upper bound is the protocol's, the shop's own far lower one is answered with a message."""


class ItemRequest(OpenModel):
    """The item by its SKU."""

    id: Sku


class LineRequest(OpenModel):
    """A wanted line. `id` is that of a line the shop showed before, to keep it."""

    id: Text | None = None
    item: ItemRequest
    quantity: Quantity


class ContextRequest(OpenModel):
    """Hints about the buyer's market. `address_country` is ISO 3166-1 alpha-2."""

    currency: Currency | None = None
    address_country: Text | None = None


class CartRequest(OpenModel):
    """A whole cart: an update replaces everything that the cart held."""

    line_items: tuple[LineRequest, ...]
    context: ContextRequest = ContextRequest()
    buyer: Buyer = Buyer()
