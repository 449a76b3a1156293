"""One visit to the running local shop that ends with a delivered order, played so that its calls can be told apart.

The meter is read whenever the shop has come to rest: before and after each stretch of the way, and before and after
each look that a person takes meanwhile. The payment provider's news comes after its answers, as it does in the world;
the double by itself is so quick that both arrive at once, and the shop then does some things twice.
"""

from collections import Counter
from dataclasses import dataclass, field
from typing import Any, Literal

import httpx

from tools.bench.counting import Reading, spent, total
from tools.demo.scenes import Cast, expect
from tools.demo.watch import until
from tools.local.instance import Instance

PAGES = 20
"""Product pages that a visitor looks at."""
SEARCHES = ("linen", "mug", "wool")

Stretch = Literal["pages", "searches", "checkout", "order", "refund", "looking"]
"""A visit's parts: product pages; searches; from the first line in a cart to a checkout that is ready; from `complete`
to the settled books; money for one unit given back; and what people cause besides who look at the order."""


@dataclass
class Visit:
    """A visit that is being counted."""

    cast: Cast
    mark: Reading
    providers: dict[str, int]
    parts: dict[Stretch, list[Reading]] = field(default_factory=dict)
    asked: dict[Stretch, Counter[str]] = field(default_factory=dict)
    """Of the payment provider and the carrier, by `<provider> <operation>`."""

    @classmethod
    def begun(cls, cast: Cast) -> "Visit":
        """From now on."""
        mark = cast.timeline.step("Meter", "waits until the shop rests", cast.watcher.meter)
        return cls(cast, mark, _providers(cast.watcher.instance))

    def ends(self, stretch: Stretch) -> None:
        """What the shop did since the last stretch belongs to this one."""
        instance = self.cast.watcher.instance
        _news(instance, "release")
        now = self.cast.timeline.step("Meter", f"counts: {stretch}", self.cast.watcher.meter)
        self.parts.setdefault(stretch, []).append(spent(self.mark, now))
        providers = _providers(instance)
        self.asked.setdefault(stretch, Counter()).update(Counter(providers) - Counter(self.providers))
        self.mark, self.providers = now, providers

    def counted(self) -> dict[Stretch, Reading]:
        """What each part asked for."""
        return {stretch: {**total(parts), "asked": dict(self.asked[stretch])} for stretch, parts in self.parts.items()}


def session(cast: Cast) -> dict[str, Any]:
    """What each part of a visit needed, and the states and e-mails of its order.

    Play it twice and count the second one: cold starts read secrets, and are no visit's own cost.
    """
    step, watcher, shopper = cast.timeline.step, cast.watcher, cast.shopper
    listed = step("Shopper", "finds the shop", lambda: shopper.get("/products", limit=PAGES)["products"])
    skus = step("Shopper", "looks around", lambda: shopper.some_skus(2))
    visit = Visit.begun(cast)

    step("Shopper", f"looks at {PAGES} products", lambda: [shopper.get(f"/products/{one['handle']}") for one in listed])
    visit.ends("pages")

    step("Shopper", "searches", lambda: [shopper.post("/catalog/search", {"query": query}) for query in SEARCHES])
    visit.ends("searches")

    checkout = step("Shopper", "fills a checkout", lambda: shopper.checkout((skus[0], 2), (skus[1], 1)))
    visit.ends("checkout")

    _news(watcher.instance, "hold")
    completed = step("Shopper", "pays", lambda: shopper.complete(checkout))
    expect(completed["status"] == "completed", f"the checkout is {completed['status']}, not completed")
    order_id, label = completed["order"]["id"], completed["order"]["label"]
    step("Workflow", "waits for the warehouse", lambda: watcher.entered(order_id, "AwaitWarehouse"))
    step("Shop", "writes", lambda: watcher.email(label, "confirmed"), str)
    visit.ends("order")

    step("Warehouse", "looks at its list", lambda: cast.warehouse.get("/orders", status="confirmed", limit=100))
    order = step("Warehouse", "looks at the order", lambda: cast.warehouse.get(f"/orders/{order_id}"))["order"]
    visit.ends("looking")

    _news(watcher.instance, "hold")
    picked = [{"line_id": line["id"], "quantity": line["quantity"]} for line in order["lines"]]
    step("Warehouse", "picks", lambda: cast.warehouse.post(f"/orders/{order_id}/pick", {"lines": picked}))
    step("Warehouse", "packs", lambda: cast.warehouse.post(f"/orders/{order_id}/pack", {"weight_grams": 1200}))
    step("Warehouse", "hands it over", lambda: cast.warehouse.post(f"/orders/{order_id}/ship"))
    step("Workflow", "waits for the delivery", lambda: watcher.entered(order_id, "AwaitDelivery"))
    step("Shop", "writes", lambda: watcher.email(label, "way"), str)
    visit.ends("order")

    shown = step("Shopper", "looks at the order", lambda: shopper.order(completed))
    [parcel] = {event["tracking_number"] for event in shown["fulfillment"]["events"]}
    visit.ends("looking")

    step("Carrier", "says in_transit", lambda: cast.carrier.report(parcel, "in_transit"))
    step("Carrier", "says delivered", lambda: cast.carrier.report(parcel, "delivered"))
    execution = step("Workflow", "ends", lambda: watcher.ended(order_id), lambda it: str(it["status"]))
    expect(execution["status"] == "SUCCEEDED", f"the execution {execution['status']}")
    step("Shop", "writes", lambda: watcher.email(label, "delivered"), str)
    visit.ends("order")
    told = sum(watcher.emails(label).values())

    _news(watcher.instance, "hold")
    refund = {"amount": order["lines"][0]["unit_price"], "reason": "damaged"}
    step("Support", "gives money for one unit back", lambda: cast.support.post(f"/orders/{order_id}/refunds", refund))
    step("Shop", "writes", lambda: watcher.email(label, "refund"), str)
    visit.ends("refund")

    counted = visit.counted()
    counted["order"]["transitions"] = execution["states"]
    counted["order"]["emails"] = told
    counted["refund"]["emails"] = sum(watcher.emails(label).values()) - told
    return {"order_id": order_id, "parts": counted}


def _news(instance: Instance, what: Literal["hold", "release"]) -> None:
    """Keeps the payment provider's news back, or lets it go; then waits until the doubles have told all their news."""
    httpx.post(f"{instance.stripe_url}/_double/webhooks/{what}", json={}, timeout=30).raise_for_status()
    if what == "hold":
        return
    doubles = (instance.stripe_url, instance.carrier_url)
    until(
        "the end of the doubles' news",
        lambda: not any(_summary(double)["webhooks_on_their_way"] for double in doubles) or None,
    )


def _providers(instance: Instance) -> dict[str, int]:
    return {
        f"{name} {operation}": count
        for name, double in (("stripe", instance.stripe_url), ("carrier", instance.carrier_url))
        for operation, count in _summary(double)["requests"].items()
    }


def _summary(double: str) -> dict[str, Any]:
    summary: dict[str, Any] = httpx.get(f"{double}/_double/summary", timeout=30).json()
    return summary
