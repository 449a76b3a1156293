"""The inventory table's stream: tells, once each, that a SKU runs low at a location, is out there, or is back.

The event source mapping filters for changes of stock, reports batch item failures, gives a record up after a few tries
and parks it in its failure queue.
"""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from commerce.adapters import wiring
from commerce.adapters.dynamodb import Item, from_item
from commerce.adapters.invocation import correlated
from commerce.adapters.log import logger
from commerce.clock import iso
from commerce.inventory.policy import StockChange
from commerce.inventory.selling import notice

inventory = wiring.inventory()


@correlated
def handler(event: dict[str, Any], _context: Any) -> dict[str, Any]:
    """Answers which records must come again. Each is tried by itself; the thresholds are read once for all."""
    changes = {
        record["dynamodb"]["SequenceNumber"]: change for record in event["Records"] if (change := _change(record))
    }
    thresholds = inventory.thresholds(change.sku for change in changes.values())
    return {"batchItemFailures": [{"itemIdentifier": number} for number in _failures(changes, thresholds)]}


def _change(record: dict[str, Any]) -> StockChange | None:
    """None for a SKU that is pooled: what its rows give each other crosses no line, and whoever tends it tells what all
    of them have crossed. When the pool ends, what was told last counts."""
    images = record["dynamodb"]
    keys, old, new = (from_item(images[name]) for name in ("Keys", "OldImage", "NewImage"))
    sku = keys["pk"].removeprefix("STOCK#")
    if _pooled(new) or "#" in sku:
        return None
    return StockChange(
        id=record["eventID"],
        sku=sku,
        location=keys["sk"].removeprefix("LOCATION#"),
        before=old.get("watched") if _pooled(old) else old.get("available", 0),
        after=new.get("available", 0),
        occurred_at=iso(datetime.fromtimestamp(images["ApproximateCreationDateTime"], UTC)),
    )


def _pooled(row: Item) -> bool:
    return bool(row.get("shards"))


def _failures(changes: Mapping[str, StockChange], thresholds: Mapping[str, int]) -> Iterator[str]:
    for number, change in changes.items():
        try:
            if told := notice(change, thresholds[change.sku]):
                inventory.tell(told)
                logger().info("told", event_type=told.type, sku=change.sku, location=change.location)
        except Exception:
            logger().exception("could not be told", sku=change.sku, location=change.location)
            yield number
