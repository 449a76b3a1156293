"""Identifiers. Random ones cannot be guessed; derived ones are the same however often they are derived."""

import hashlib
import secrets

_CROCKFORD = "0123456789abcdefghjkmnpqrstvwxyz"
_LENGTH = 26


def new_id(prefix: str) -> str:
    """A fresh unguessable identifier of 130 random bits, such as `cart_7f0c…`."""
    return f"{prefix}_{''.join(secrets.choice(_CROCKFORD) for _ in range(_LENGTH))}"


def derived_id(prefix: str, *parts: str) -> str:
    """The identifier that belongs to `parts`: stable, and it does not reveal them."""
    digest = int.from_bytes(hashlib.sha256("\x1f".join(parts).encode()).digest(), "big")
    characters = []
    for _ in range(_LENGTH):
        digest, remainder = divmod(digest, len(_CROCKFORD))
        characters.append(_CROCKFORD[remainder])
    return f"{prefix}_{''.join(characters)}"


def order_id_for(checkout_id: str, attempt: int) -> str:
    """The one order that a checkout's attempt can lead to. Completing twice therefore cannot make two orders.

    The order id stands on labels and e-mails, so it must not lead back to the checkout, whose id is a capability.
    """
    return derived_id("order", checkout_id, str(attempt))


def order_label(order_id: str) -> str:
    """What people call the order, on e-mails and parcels: `TP-7K2M9QXA`. It opens nothing."""
    return f"TP-{order_id.removeprefix('order_')[:8].upper()}"
