"""One order in the running local shop, played so that its own calls can be told from those of whoever looks at it.

The meter is read whenever the shop has come to rest: before and after each stretch of the order's way, and before and
after each look that a person takes meanwhile. The payment provider's news comes after its answers, as it does in the
world; the double by itself is so quick that both arrive at once, and the shop then does some things twice.
"""

from typing import Any, Literal

import httpx

from tools.bench.counting import Reading, spent, total
from tools.demo.scenes import Cast, expect
from tools.demo.watch import until
from tools.local.instance import Instance


def one_order(cast: Cast) -> dict[str, Any]:
    """What a delivered order needed from `complete` on (`order`), and what looking at it caused besides (`looking`).

    Play it twice and count the second one: cold starts read secrets, and are no order's own cost.
    """
    step, watcher = cast.timeline.step, cast.watcher
    own: list[Reading] = []
    looks: list[Reading] = []

    skus = step("Shopper", "looks around", lambda: cast.shopper.some_skus(2))
    checkout = step("Shopper", "fills a checkout", lambda: cast.shopper.checkout((skus[0], 2), (skus[1], 1)))
    providers = _providers(watcher.instance)
    mark = step("Meter", "waits until the shop rests", watcher.meter)

    _news(watcher.instance, "hold")
    completed = step("Shopper", "pays", lambda: cast.shopper.complete(checkout))
    expect(completed["status"] == "completed", f"the checkout is {completed['status']}, not completed")
    order_id, label = completed["order"]["id"], completed["order"]["label"]
    step("Workflow", "waits for the warehouse", lambda: watcher.entered(order_id, "AwaitWarehouse"))
    step("Shop", "writes", lambda: watcher.email(label, "confirmed"), str)
    mark = _rested(cast, own, mark)

    step("Warehouse", "looks at its list", lambda: cast.warehouse.get("/orders", status="confirmed", limit=100))
    order = step("Warehouse", "looks at the order", lambda: cast.warehouse.get(f"/orders/{order_id}"))["order"]
    mark = _rested(cast, looks, mark)

    _news(watcher.instance, "hold")
    picked = [{"line_id": line["id"], "quantity": line["quantity"]} for line in order["lines"]]
    step("Warehouse", "picks", lambda: cast.warehouse.post(f"/orders/{order_id}/pick", {"lines": picked}))
    step("Warehouse", "packs", lambda: cast.warehouse.post(f"/orders/{order_id}/pack", {"weight_grams": 1200}))
    step("Warehouse", "hands it over", lambda: cast.warehouse.post(f"/orders/{order_id}/ship"))
    step("Workflow", "waits for the delivery", lambda: watcher.entered(order_id, "AwaitDelivery"))
    step("Shop", "writes", lambda: watcher.email(label, "way"), str)
    mark = _rested(cast, own, mark)

    shown = step("Shopper", "looks at the order", lambda: cast.shopper.order(completed))
    [parcel] = {event["tracking_number"] for event in shown["fulfillment"]["events"]}
    mark = _rested(cast, looks, mark)

    step("Carrier", "says in_transit", lambda: cast.carrier.report(parcel, "in_transit"))
    step("Carrier", "says delivered", lambda: cast.carrier.report(parcel, "delivered"))
    execution = step("Workflow", "ends", lambda: watcher.ended(order_id), lambda it: str(it["status"]))
    expect(execution["status"] == "SUCCEEDED", f"the execution {execution['status']}")
    step("Shop", "writes", lambda: watcher.email(label, "delivered"), str)
    _rested(cast, own, mark)

    return {
        "order_id": order_id,
        "transitions": execution["states"],
        "emails": sum(watcher.emails(label).values()),
        "provider_calls": _calls_between(providers, _providers(watcher.instance)),
        "order": total(own),
        "looking": total(looks),
    }


def _rested(cast: Cast, stretches: list[Reading], since: Reading) -> Reading:
    """Ends a stretch: the shop's calls since the mark go to `stretches`. Answers the new mark."""
    _news(cast.watcher.instance, "release")
    now = cast.timeline.step("Meter", "waits until the shop rests", cast.watcher.meter)
    stretches.append(spent(since, now))
    return now


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


def _calls_between(before: dict[str, int], after: dict[str, int]) -> dict[str, int]:
    return {name: count - before.get(name, 0) for name, count in after.items() if count > before.get(name, 0)}
