"""The catalog table's stream: products become listings and words.

The event source mapping filters for the items `PRODUCT#<id>`/`PRODUCT`, reports batch item failures, gives a record up
after a few tries and parks it in its failure queue.
"""

from collections.abc import Iterator
from typing import Any

from commerce.adapters import wiring
from commerce.adapters.invocation import correlated
from commerce.adapters.log import logger

catalog = wiring.catalog()


@correlated
def handler(event: dict[str, Any], _context: Any) -> dict[str, Any]:
    """Answers which records must come again. Each is tried by itself, so that one bad product holds up no other."""
    due = _products(event["Records"])
    parents = {category.slug: category.parent for category in catalog.categories()} if due else {}
    return {"batchItemFailures": [{"itemIdentifier": number} for number in _failures(due, parents)]}


def _products(records: list[dict[str, Any]]) -> dict[str, str]:
    """The products that were written, each with the number of its last record: a product is read afresh, so that
    record does for all."""
    return {
        record["dynamodb"]["Keys"]["pk"]["S"].removeprefix("PRODUCT#"): record["dynamodb"]["SequenceNumber"]
        for record in records
        if record["dynamodb"]["Keys"]["sk"]["S"] == "PRODUCT" and record["eventName"] != "REMOVE"
    }


def _failures(due: dict[str, str], parents: dict[str, str | None]) -> Iterator[str]:
    for product_id, number in due.items():
        try:
            changed = catalog.project(product_id, parents)
            logger().info("projected", product_id=product_id, changed=changed)
        except Exception:
            logger().exception("could not be projected", product_id=product_id)
            yield number
