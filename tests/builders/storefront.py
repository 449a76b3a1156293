"""What buyers have begun when the next release is deployed: carts, and checkouts that are not paid. All of it was made
through the API, as they go on with it afterwards.
"""

import json
from typing import Any

from builders.carts import fulfillment, lines
from builders.checkout import buyer
from builders.clients import Client
from builders.orders import DECLINED, VISA, card

CARTS, CHECKOUTS = "/carts", "/checkout-sessions"
WHO = {"buyer": buyer().model_dump(exclude_none=True)}


class Storefront(Client):
    """A guest's browser, which remembers the carts and checkouts that it has begun."""

    def began(self, what: str) -> list[str]:
        """The ids of these, the oldest first."""
        return [json.loads(one["text"])["id"] for one in self.said if one["sent"]["route"] == f"POST {what}"]

    def sees(self, what: str, id: str) -> Any:
        """How it is now."""
        answer = self.asks("carts", f"GET {what}/{{id}}", id=id)
        assert answer.status == 200, answer.text
        return answer.body

    def begins(self, what: str, **content: Any) -> str:
        """A new cart or checkout, or the cart's checkout that is open."""
        begun: str = self.does("carts", f"POST {what}", content)["id"]
        return begun

    def puts_in(self, cart_id: str, *wanted: tuple[str, int]) -> Any:
        """The cart holds these from now on."""
        return self.does("carts", f"PUT {CARTS}/{{id}}", {"line_items": lines(*wanted), **WHO}, id=cart_id)

    def fills_in(self, checkout_id: str, *wanted: tuple[str, int]) -> Any:
        """The checkout has these lines, a buyer, an address and an option."""
        content = {"line_items": lines(*wanted), **WHO, "fulfillment": fulfillment()}
        return self.does("carts", f"PUT {CHECKOUTS}/{{id}}", content, id=checkout_id)

    def pays(self, checkout_id: str, token: str = VISA) -> Any:
        """The buyer completes the checkout with this card."""
        payment = card(token).model_dump(mode="json", exclude_none=True)
        return self.does("complete_checkout", f"POST {CHECKOUTS}/{{id}}/complete", {"payment": payment}, id=checkout_id)


def begun(storefront: Storefront) -> None:
    """Two carts, of which one is being checked out; two checkouts of their own, one of them without an address, the
    other with a card that was declined.
    """
    _, leaving = (storefront.begins(CARTS, line_items=lines(("BOWL", 2)), **WHO) for _ in range(2))
    storefront.fills_in(storefront.begins(CHECKOUTS, cart_id=leaving), ("BOWL", 2))
    storefront.begins(CHECKOUTS, line_items=lines(("BOWL", 1)))
    declined = storefront.begins(CHECKOUTS, line_items=lines(("CUP", 1)))
    storefront.fills_in(declined, ("CUP", 1))
    storefront.pays(declined, DECLINED)
