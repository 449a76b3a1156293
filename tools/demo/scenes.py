"""The scenes of the demonstration. Each raises when a step that must be seen is not seen."""

from dataclasses import dataclass
from functools import partial
from typing import Any

import httpx

from commerce.money import display
from tools.bench.counting import spent
from tools.demo import actors
from tools.demo.actors import Carrier, Shopper, Staff
from tools.demo.timeline import Timeline
from tools.demo.watch import NotSeen, Watcher, until
from tools.local.instance import Instance
from tools.local.staff import token


@dataclass(frozen=True)
class Cast:
    """Everyone who takes part."""

    shopper: Shopper
    warehouse: Staff
    support: Staff
    carrier: Carrier
    watcher: Watcher
    timeline: Timeline

    @classmethod
    def of(cls, instance: Instance, timeline: Timeline) -> "Cast":
        """Everyone, connected to this shop."""
        shop = httpx.Client(base_url=instance.url, timeout=60)
        return cls(
            shopper=Shopper(shop),
            warehouse=Staff(shop, token(instance, "warehouse")),
            support=Staff(shop, token(instance, "support")),
            carrier=Carrier(httpx.Client(base_url=instance.carrier_url, timeout=30)),
            watcher=Watcher(instance),
            timeline=timeline,
        )


def expect(condition: bool, what: str) -> None:
    """Raises NotSeen unless the condition holds."""
    if not condition:
        raise NotSeen(what)


def cost(thing: dict[str, Any]) -> str:
    """The total of a cart, checkout or order, for people."""
    total = next(entry["amount"] for entry in thing["totals"] if entry["type"] == "total")
    return display(total, thing["currency"])


def delivered(cast: Cast) -> dict[str, Any]:
    """An order from the shop window to the door, and what it took."""
    step = cast.timeline.step
    cast.timeline.scene("An order, from the shop window to the door")
    skus = step("Shopper", "looks around and likes", lambda: cast.shopper.some_skus(2), " and ".join)
    checkout = step(
        "Shopper",
        "fills a cart, gives an address, chooses shipping",
        lambda: cast.shopper.checkout((skus[0], 2), (skus[1], 1)),
        lambda it: f"{it['status']}, {cost(it)}",
    )
    before = cast.watcher.meter()
    completed = step(
        "Shopper",
        "pays",
        lambda: cast.shopper.complete(checkout),
        lambda it: f"{it['status']}, order {it['order']['label']}",
    )
    order_id, label = completed["order"]["id"], completed["order"]["label"]
    expect(completed["status"] == "completed", f"the checkout is {completed['status']}, not completed")
    step("Shop", "writes", lambda: cast.watcher.email(label, "confirmed"), str)
    step("Workflow", "waits for the warehouse", lambda: cast.watcher.entered(order_id, "AwaitWarehouse"))
    through_warehouse(cast, order_id)
    shipped = step(
        "Shop",
        "buys the label and takes the money",
        lambda: _shipped(cast, completed),
        lambda event: f"{event['carrier']} {event['tracking_number']}",
    )
    step("Shop", "writes", lambda: cast.watcher.email(label, "way"), str)
    for status in ("in_transit", "delivered"):
        news = partial(cast.carrier.report, shipped["tracking_number"], status)
        step("Carrier", f"says {status}", news)
    execution = step(
        "Workflow",
        "ends",
        lambda: cast.watcher.ended(order_id),
        lambda it: f"{it['status']} after {len(it['states'])} transitions: {' > '.join(it['states'])}",
    )
    expect(execution["status"] == "SUCCEEDED", f"the execution {execution['status']}")
    step("Shop", "writes", lambda: cast.watcher.email(label, "delivered"), str)
    rows = step(
        "Analytics",
        "has the order's events",
        lambda: cast.watcher.exported(order_id, "order.settled"),
        lambda found: ", ".join(sorted({row["type"] for row in found})),
    )
    final = cast.shopper.order(completed)
    expect(
        all(line["status"] == "fulfilled" for line in final["line_items"]), "the order's lines are not fulfilled"
    )
    return {
        "order_id": order_id,
        "execution": {"arn": execution["arn"], "status": execution["status"]},
        "transitions": execution["states"],
        "emails": dict(cast.watcher.emails(label)),
        "analytics_rows": len({row["id"] for row in rows}),
        **spent(before, cast.watcher.meter()),
    }


def through_warehouse(cast: Cast, order_id: str) -> None:
    """Picks everything, packs it and hands it over: each location its own parcel."""
    step, post = cast.timeline.step, cast.warehouse.post
    worklist = step(
        "Warehouse",
        "looks at its list",
        lambda: cast.warehouse.worklist("confirmed"),
        lambda orders: f"{len(orders)} to pick",
    )
    expect(order_id in worklist, "the order is not on the warehouse's list")
    path = f"/orders/{order_id}"
    for parcel in cast.warehouse.get(path)["order"]["shipments"]:
        place = {"location": parcel["location"]}
        here = f"in {parcel['location']}"
        step("Warehouse", f"picks {here}", partial(post, f"{path}/pick", {"lines": parcel["lines"], **place}))
        step("Warehouse", f"packs {here}", partial(post, f"{path}/pack", {"weight_grams": 1200, **place}))
        step("Warehouse", f"hands it over {here}", partial(post, f"{path}/ship", place))


def declined(cast: Cast) -> dict[str, Any]:
    """A card that the bank refuses: no order stands, and the stock is free again."""
    step = cast.timeline.step
    cast.timeline.scene("A declined card")
    [sku] = cast.shopper.some_skus(1)
    before = cast.warehouse.stock(sku)
    checkout = cast.shopper.checkout((sku, 1))
    refused = step(
        "Shopper",
        "pays with a card that is declined",
        lambda: cast.shopper.complete(checkout, actors.DECLINED_CARD),
        lambda it: f"{it['status']}: {it['messages'][0]['content']}",
    )
    expect(refused["messages"][0]["code"] == "payment_declined", "the buyer is not told that the card was declined")
    step(
        "Warehouse",
        "has the stock back",
        lambda: until("the stock of the declined order", lambda: cast.warehouse.stock(sku) == before),
    )
    completed = step(
        "Shopper",
        "pays with another card",
        lambda: cast.shopper.complete(checkout, actors.GOOD_CARD),
        lambda it: f"{it['status']}, order {it['order']['label']}",
    )
    cast.shopper.cancel(completed)
    return {"checkout_id": checkout["id"], "paid_after_all": completed["order"]["id"]}


def canceled(cast: Cast) -> dict[str, Any]:
    """A buyer who changes their mind: the money is let go and the stock is free again."""
    step = cast.timeline.step
    cast.timeline.scene("An order that the buyer takes back")
    [sku] = cast.shopper.some_skus(1)
    before = cast.warehouse.stock(sku)
    completed = cast.shopper.complete(cast.shopper.checkout((sku, 1)))
    order_id, label = completed["order"]["id"], completed["order"]["label"]
    step("Shopper", "cancels", lambda: cast.shopper.cancel(completed))
    execution = step(
        "Workflow", "compensates", lambda: cast.watcher.ended(order_id), lambda it: " > ".join(it["states"])
    )
    expect("CompensateOrder" in execution["states"], "the workflow did not compensate")
    step(
        "Shop",
        "lets the money go",
        lambda: until("the voided payment", lambda: "voided" in _payments(cast, order_id)),
    )
    step(
        "Warehouse",
        "has the stock back",
        lambda: until("the stock of the canceled order", lambda: cast.warehouse.stock(sku) == before),
    )
    step("Shop", "writes", lambda: cast.watcher.email(label, "cancel"), str)
    return {"order_id": order_id, "transitions": execution["states"]}


def returned(cast: Cast, order_id: str) -> dict[str, Any]:
    """Delivered goods come back: into stock, and the money to the buyer."""
    step = cast.timeline.step
    cast.timeline.scene("Goods that come back")
    line = cast.warehouse.get(f"/orders/{order_id}")["order"]["lines"][0]
    before = cast.warehouse.stock(line["sku"])
    lines = [{"line_id": line["id"], "quantity": 1, "restock": True}]
    step(
        "Warehouse", "takes one unit back", lambda: cast.warehouse.post(f"/orders/{order_id}/returns", {"lines": lines})
    )
    after = step(
        "Warehouse",
        "has it on the shelf",
        lambda: cast.warehouse.stock(line["sku"]),
        lambda it: f"{before['available']} -> {it['available']} available",
    )
    expect(after["available"] == before["available"] + 1, "the returned unit is not in stock")
    refund = {"amount": line["unit_price"], "reason": "returned"}
    step("Support", "refunds it", lambda: cast.support.post(f"/orders/{order_id}/refunds", refund))
    step(
        "Shop",
        "has the refund on record",
        lambda: until("the refund", lambda: "refunded" in _payments(cast, order_id)),
    )
    return {"order_id": order_id, "sku": line["sku"], "refunded": line["unit_price"]}


def from_two_places(cast: Cast) -> dict[str, Any]:
    """An order of things that lie in two places: two parcels, one payment; one is lost, and its money comes back."""
    step = cast.timeline.step
    cast.timeline.scene("An order from two places")
    here, there = cast.shopper.some_skus(2)
    units = cast.warehouse.stock(there)["available"]
    step("Warehouse", f"carries all of {there} to the annex", lambda: _carry(cast, there, units, "main", "annex"))
    completed = step(
        "Shopper",
        "buys one of each",
        lambda: cast.shopper.complete(cast.shopper.checkout((here, 1), (there, 1))),
        lambda it: f"{it['status']}, order {it['order']['label']}",
    )
    step("Warehouse", "carries the rest back", lambda: _carry(cast, there, units - 1, "annex", "main"))
    order_id = completed["order"]["id"]
    step("Workflow", "waits for the warehouse", lambda: cast.watcher.entered(order_id, "AwaitWarehouse"))
    through_warehouse(cast, order_id)
    step("Shop", "buys two labels and takes the money once", lambda: _shipped(cast, completed))
    label = completed["order"]["label"]
    step("Shop", "writes", lambda: cast.watcher.email(label, "way"), str)
    shipments = cast.support.get(f"/orders/{order_id}")["order"]["shipments"]
    expect([one["location"] for one in shipments] == ["main", "annex"], "the order is not sent from two places")
    for shipment, status in zip(shipments, ("delivered", "lost"), strict=True):
        report = partial(cast.carrier.report, shipment["label"]["tracking_number"], status)
        step("Carrier", f"says {status} of the parcel from {shipment['location']}", report)
    execution = step(
        "Workflow",
        "gives the lost one's money back, and ends",
        lambda: cast.watcher.ended(order_id),
        lambda it: f"{it['status']}: {' > '.join(it['states'])}",
    )
    expect(execution["status"] == "SUCCEEDED", f"the execution {execution['status']}")
    for subject in ("delivered", "refund"):
        step("Shop", "writes", partial(cast.watcher.email, label, subject), str)
    told = cast.support.get(f"/orders/{order_id}")
    expect(told["order"]["status"] == "delivered", f"the order is {told['order']['status']}")
    expect(0 < told["balance"]["refunded"] < told["balance"]["captured"], "the lost parcel's money did not come back")
    return {
        "order_id": order_id,
        "transitions": execution["states"],
        "emails": dict(cast.watcher.emails(label)),
        "refunded": told["balance"]["refunded"],
        "shown": cast.shopper.order(completed),
    }


def _carry(cast: Cast, sku: str, units: int, origin: str, destination: str) -> None:
    transfer = {"quantity": units, "origin": origin, "destination": destination, "reason": "for the demonstration"}
    cast.warehouse.post(f"/stock/{sku}/transfers", transfer)


def _payments(cast: Cast, order_id: str) -> set[str]:
    return {event["type"] for event in cast.support.get(f"/orders/{order_id}")["payments"]}


def _shipped(cast: Cast, completed: dict[str, Any]) -> dict[str, Any]:
    def look() -> dict[str, Any] | None:
        events = cast.shopper.order(completed)["fulfillment"].get("events", [])
        return next((event for event in events if event["type"] == "shipped"), None)

    return until("the shipment", look)
