"""Links that the shop hands out and that open something."""

from commerce.adapters.environment import require, settings
from commerce.adapters.secrets import secret
from commerce.identity.service import access_token, verify_access_token


def order_permalink(order_id: str) -> str:
    """Where whoever holds the link can read the order. The same each time; never log it."""
    return f"{settings().url}/orders/{order_id}?access_token={access_token(_key(), order_id)}"


def opens_order(order_id: str, token: str) -> bool:
    """Whether `token` is the one in the order's permalink."""
    return verify_access_token(_key(), order_id, token)


def _key() -> str:
    return secret(require("SIGNING_SECRET_ARN"))["key"]
