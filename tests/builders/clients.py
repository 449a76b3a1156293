"""Clients of the whole API: whoever they are, they keep what they were answered and may send it again."""

from collections.abc import Callable
from typing import Any
from uuid import uuid4

from builders.office import Answer, Office
from builders.rights import Handler

KEYED = (
    "carts",
    "complete_checkout",
    "admin_discounts",
    "admin_inventory",
    "admin_orders",
    "admin_purchasing",
    "admin_refunds",
)
"""Whose POST routes take an idempotency key."""


class Client:
    """Somebody of `group`, or a guest. `said` are the answers to what may be sent again with its key."""

    group: str | None = None

    def __init__(self, load: Callable[[str], Handler], said: list[dict[str, Any]]) -> None:
        self._load, self.said = load, said

    def asks(self, function: str, route: str, body: Any = None, **more: Any) -> Answer:
        """Whatever the function answers."""
        return Office(self._load(function), group=self.group).send(route, body, **more)

    def does(self, function: str, route: str, body: Any = None, **more: Any) -> Any:
        """What a request that is granted answers."""
        sent = {"function": function, "route": route, "body": body, "key": str(uuid4()), "group": self.group, **more}
        answer = self.asks(**sent)
        assert answer.status < 300, answer.text
        if route.startswith("POST") and function in KEYED:
            self.said.append({"sent": sent, "text": answer.text})
        return answer.body
