"""Orders as the release before wrote them: one parcel for each, and nothing of what came later.

A release is deployed while orders are under way. What they were written as, the new code must read.
"""

from typing import Any

_OF_AN_ORDER = ("shipments", "moved_at", "ahead", "discounts")
_OF_A_LINE = ("expected_on", "limited")
_OF_AN_ALLOCATION = ("shard", "backordered")


def as_before(item: dict[str, Any]) -> dict[str, Any] | None:
    """The decoded item of an order in the older shape; None for one that the older release could not have."""
    parcels = item.get("shipments", [])
    if len(parcels) != 1 or item.get("discounts") or any(_is_new(line) for line in item["lines"]):
        return None
    [parcel] = parcels
    old = {name: value for name, value in item.items() if name not in _OF_AN_ORDER}
    old["lines"] = [
        {
            **{name: value for name, value in line.items() if name not in _OF_A_LINE},
            "allocations": [
                {name: value for name, value in allocation.items() if name not in _OF_AN_ALLOCATION}
                for allocation in line["allocations"]
            ],
        }
        for line in item["lines"]
    ]
    if "weight_grams" in parcel:
        old["weight_grams"] = parcel["weight_grams"]
    if "label" in parcel:
        shipped = {"shipped_at": parcel["shipped_at"]} if "shipped_at" in parcel else {}
        old["shipment"] = {**parcel["label"], **shipped}
    return old


def _is_new(line: dict[str, Any]) -> bool:
    return bool(line.get("limited")) or any(
        allocation.get(name) for allocation in line["allocations"] for name in _OF_AN_ALLOCATION
    )
