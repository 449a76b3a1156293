"""The people of the demonstration and of the end-to-end tests. Each does over HTTP what its real counterpart would."""

import itertools
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

import httpx

ADDRESS = {
    "first_name": "Ada",
    "last_name": "Example",
    "street_address": "1 Sample Street",
    "address_locality": "Portland",
    "address_region": "OR",
    "postal_code": "97201",
    "address_country": "US",
}
BUYER = {"first_name": "Ada", "last_name": "Example", "email": "ada@example.com"}
AGENT = 'profile="https://tradepost.example/demo-agent.json"'

GOOD_CARD = "pm_card_visa"
DECLINED_CARD = "pm_card_chargeDeclined"
CARD_WITH_3DS = "pm_card_authenticationRequired"


class UnexpectedAnswer(Exception):
    """The shop answered something else than the play needs."""

    def __init__(self, response: httpx.Response) -> None:
        request = response.request
        super().__init__(f"{request.method} {request.url.path}: {response.status_code} {response.text[:600]}")
        self.response = response


def answer(response: httpx.Response, *statuses: int) -> Any:
    """The JSON body of a response that has one of `statuses` (any 2xx where none is named)."""
    expected = response.status_code in statuses if statuses else response.is_success
    if not expected:
        raise UnexpectedAnswer(response)
    return response.json() if response.content else None


def key() -> dict[str, str]:
    """A fresh idempotency key, as a header."""
    return {"Idempotency-Key": str(uuid4())}


def card(payment_method: str) -> dict[str, Any]:
    """The body of a completion that pays with this payment method of the provider."""
    instrument = {
        "id": "card_1",
        "handler_id": "stripe",
        "type": "card",
        "selected": True,
        "credential": {"type": "token", "token": payment_method},
    }
    return {"payment": {"instruments": [instrument]}}


def filled_in(
    checkout: dict[str, Any], buyer: Mapping[str, str], option: str | None = None, codes: Iterable[str] = ()
) -> dict[str, Any]:
    """The body that makes the checkout's second half: buyer, address and, where given, shipping option and codes."""
    group: dict[str, Any] = {"selected_option_id": option} if option else {}
    return {
        "line_items": [
            {"id": line["id"], "item": {"id": line["item"]["id"]}, "quantity": line["quantity"]}
            for line in checkout["line_items"]
        ],
        "buyer": {**buyer},
        "discounts": {"codes": list(codes)},
        "fulfillment": {
            "methods": [
                {
                    "type": "shipping",
                    "destinations": [{"id": "home", **ADDRESS}],
                    "selected_destination_id": "home",
                    "groups": [group],
                }
            ]
        },
    }


@dataclass(frozen=True)
class Shopper:
    """Buys with nothing but the storefront API. `token` makes the shopper a signed-in customer."""

    shop: httpx.Client
    token: str | None = None
    buyer: Mapping[str, str] = field(default_factory=BUYER.copy)

    @property
    def _headers(self) -> dict[str, str]:
        headers = {"UCP-Agent": AGENT}
        return {**headers, "Authorization": f"Bearer {self.token}"} if self.token else headers

    def get(self, path: str, **query: Any) -> Any:
        """Reads something of the shop's."""
        return answer(self.shop.get(path, params=query, headers=self._headers))

    def post(self, path: str, body: dict[str, Any] | None = None) -> Any:
        """Asks for something, once."""
        return answer(self.shop.post(path, json=body or {}, headers={**self._headers, **key()}))

    def products_in_stock(self) -> Iterator[dict[str, Any]]:
        """Products of which more than a few can be bought now, page after page."""
        cursor: dict[str, str] = {}
        while True:
            page = self.get("/products", limit=20, **cursor)
            for listed in page["products"]:
                product = self.get(f"/products/{listed['handle']}")
                if any(_plentiful(variant) for variant in product["variants"]):
                    yield product
            if not page["pagination"]["has_next_page"]:
                return
            cursor = {"cursor": page["pagination"]["cursor"]}

    def some_skus(self, count: int) -> list[str]:
        """SKUs of `count` different products of which there are more than a few."""
        products = itertools.islice(self.products_in_stock(), count)
        return [next(variant["id"] for variant in product["variants"] if _plentiful(variant)) for product in products]

    def cart(self, *lines: tuple[str, int]) -> dict[str, Any]:
        """A cart with (SKU, quantity) lines."""
        items = [{"item": {"id": sku}, "quantity": quantity} for sku, quantity in lines]
        cart: dict[str, Any] = self.post("/carts", {"line_items": items})
        return cart

    def checkout(self, *lines: tuple[str, int], codes: Iterable[str] = ()) -> dict[str, Any]:
        """A checkout that is ready to be completed: cart, then address and discount codes, then a shipping option."""
        checkout = self.fill_in(self.begin(self.cart(*lines)), codes=codes)
        return self.choose_shipping(checkout, codes)

    def begin(self, cart: dict[str, Any]) -> dict[str, Any]:
        """A checkout of what is in the cart."""
        checkout: dict[str, Any] = self.post("/checkout-sessions", {"cart_id": cart["id"], "line_items": []})
        return checkout

    def choose_shipping(self, checkout: dict[str, Any], codes: Iterable[str] = ()) -> dict[str, Any]:
        """The first of the options that the address is offered."""
        option = checkout["fulfillment"]["methods"][0]["groups"][0]["options"][0]["id"]
        return self.fill_in(checkout, option, codes)

    def fill_in(
        self, checkout: dict[str, Any], option: str | None = None, codes: Iterable[str] = ()
    ) -> dict[str, Any]:
        """Buyer, address and, where given, the shipping option and discount codes. Replaces the whole checkout."""
        path, body = f"/checkout-sessions/{checkout['id']}", filled_in(checkout, self.buyer, option, codes)
        filled: dict[str, Any] = answer(self.shop.put(path, json=body, headers=self._headers))
        return filled

    def complete(self, checkout: dict[str, Any], payment_method: str = GOOD_CARD) -> dict[str, Any]:
        """Pays."""
        completed: dict[str, Any] = self.post(f"/checkout-sessions/{checkout['id']}/complete", card(payment_method))
        return completed

    def order(self, completed: dict[str, Any]) -> dict[str, Any]:
        """The order behind a completed checkout, opened by its permalink's access token."""
        order: dict[str, Any] = self.get(f"/orders/{completed['order']['id']}", **access(completed))
        return order

    def cancel(self, completed: dict[str, Any]) -> dict[str, Any]:
        """Takes the order back."""
        path = f"/orders/{completed['order']['id']}/cancel"
        canceled: dict[str, Any] = answer(
            self.shop.post(path, params=access(completed), headers={**self._headers, **key()})
        )
        return canceled


def access(completed: dict[str, Any]) -> dict[str, str]:
    """The query parameters of the order's permalink."""
    return dict(httpx.URL(completed["order"]["permalink_url"]).params)


def _plentiful(variant: dict[str, Any]) -> bool:
    availability = variant["availability"]
    return availability["status"] == "in_stock" and not availability["low_stock"]


@dataclass
class Staff:
    """Works through the admin API, with the token of a staff group."""

    shop: httpx.Client
    token: str
    headers: dict[str, str] = field(init=False)

    def __post_init__(self) -> None:
        self.headers = {"Authorization": f"Bearer {self.token}"}

    def get(self, path: str, **query: Any) -> Any:
        """Reads."""
        return answer(self.shop.get(f"/admin{path}", params=query, headers=self.headers))

    def post(self, path: str, body: dict[str, Any] | None = None) -> Any:
        """Does something, once."""
        return answer(self.shop.post(f"/admin{path}", json=body or {}, headers={**self.headers, **key()}))

    def worklist(self, status: str) -> list[str]:
        """The ids of all orders in this status, the oldest first."""
        ids: list[str] = []
        cursor: dict[str, str] = {}
        while True:
            page = self.get("/orders", status=status, limit=100, **cursor)
            ids += [order["id"] for order in page["orders"]]
            if "cursor" not in page:
                return ids
            cursor = {"cursor": page["cursor"]}

    def stock(self, sku: str) -> dict[str, int]:
        """What of the SKU is available and reserved, over all locations."""
        locations = self.get(f"/stock/{sku}")["locations"]
        return {
            name: sum(location[name] for location in locations) for name in ("available", "reserved")
        }

    def adjust(self, sku: str, units: int) -> None:
        """Brings the SKU to so many available units."""
        missing = units - self.stock(sku)["available"]
        if missing:
            body = {"quantity": missing, "reason": f"as many as the play needs ({uuid4()})", "location": "main"}
            self.post(f"/stock/{sku}/adjustments", body)


@dataclass(frozen=True)
class Carrier:
    """Moves a parcel, by the carrier double's control interface."""

    double: httpx.Client

    def report(self, tracking_number: str, status: str) -> None:
        """Tells the shop, by webhook, that the parcel is now `in_transit`, `delivered` or `failure`."""
        answer(self.double.post(f"/_double/track/{tracking_number}", json={"status": status}))
