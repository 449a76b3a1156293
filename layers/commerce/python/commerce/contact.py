"""Who buys and where it goes. Personal data: never in events, logs or error texts.

Source: UCP 2026-08-25, types/buyer.json and types/postal_address.json.
"""

import hashlib
from typing import Annotated

from pydantic import Field

from commerce.model import OpenModel, written

Text = Annotated[str, Field(max_length=200)]
Email = Annotated[str, written(r"^[^@\s]+@[^@\s]+$", "use an e-mail address, such as name@example.com")]
"""An address of whatever kind: what the shop sends e-mail to is narrower (`checkout/service.py`)."""


def address_key(email: str) -> str:
    """Under this key things are found by an e-mail address, however it is written, without showing the address."""
    return hashlib.sha256(email.strip().casefold().encode()).hexdigest()[:32]


class Buyer(OpenModel):
    """The person who pays. Every field may still be missing while the checkout is filled in."""

    first_name: Text | None = None
    last_name: Text | None = None
    email: Text | None = None
    phone_number: Text | None = None


class PostalAddress(OpenModel):
    """Where goods go. `address_country` is ISO 3166-1 alpha-2, `address_region` the state or province's code."""

    first_name: Text | None = None
    last_name: Text | None = None
    street_address: Text | None = None
    extended_address: Text | None = None
    address_locality: Text | None = None
    address_region: Text | None = None
    postal_code: Text | None = None
    address_country: Text | None = None
    phone_number: Text | None = None
