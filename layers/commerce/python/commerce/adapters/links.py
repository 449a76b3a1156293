"""Links that the shop hands out and that open something."""

from commerce.adapters.environment import settings
from commerce.adapters.secrets import key_ring
from commerce.identity.service import access_token, verify_access_token


def order_permalink(order_id: str) -> str:
    """Where whoever holds the link can read the order, for most of a year at least; never log it."""
    return f"{settings().url}/orders/{order_id}?access_token={access_token(key_ring(), order_id)}"


def opens_order(order_id: str, token: str) -> bool:
    """Whether `token` is the one in the order's permalink."""
    return verify_access_token(key_ring(), order_id, token)
