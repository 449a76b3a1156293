"""Links that the shop hands out and that open something."""

from commerce.adapters.environment import require, settings
from commerce.adapters.secrets import secret
from commerce.identity.service import access_token


def order_permalink(order_id: str) -> str:
    """Where whoever holds the link can read the order. The same each time; never log it."""
    key = secret(require("SIGNING_SECRET_ARN"))["key"]
    return f"{settings().url}/orders/{order_id}?access_token={access_token(key, order_id)}"
