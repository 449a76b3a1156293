"""Writes docs/events from `commerce/events.py`: an index, for each event a page and a JSON schema, and all versions.

python -m tools.event_docs           writes them
python -m tools.event_docs --check   changes nothing, and fails where they are not what the models say
"""

import argparse
import inspect
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from commerce.events import ALL, SOURCE, Event, detail
from tools.api_page import type_words
from tools.event_versions import ChangedWithoutVersion, as_text, grown
from tools.field_docs import sentences
from tools.generated import ROOT, keep

EVENTS = ROOT / "docs" / "events"
VERSIONS = EVENTS / "versions.json"

_WATCHERS = "the inventory table's stream, or whoever tends a hot SKU's pool"

EMITTERS: dict[str, str] = {
    "order.placed": "completing a checkout, in the transaction that takes the stock",
    "order.confirmed": "the answer or the webhook that authorises the payment",
    "order.shipped": "the workflow's ShipOrder, after the capture",
    "order.delivered": "the carrier's webhook, or staff, about the last parcel",
    "order.canceled": "whoever cancels: the buyer, staff, a decline, the hold's end, a short pick, a failed capture",
    "order.lost": "the carrier's webhook, or staff, about the last parcel",
    "order.settled": "the workflow's SettleOrder",
    "order.delivery_overdue": "the workflow itself, when the carrier is late, straight to the bus",
    "return.received": "staff, taking goods back",
    "payment.action_required": "the answer or the webhook in which the bank asks for a confirmation",
    "payment.refunded": "the refund's answer or webhook, whichever comes first",
    "payment.refund_failed": "the refund's answer or webhook: the provider refuses it, or the bank sends it back",
    "payment.disputed": "the payment provider's webhook",
    "product.changed": "staff or an import, changing the catalogue",
    "stock.adjusted": "staff or an import, changing stock",
    "stock.transferred": "staff, moving goods between locations",
    "stock.counted": "staff, posting a stock count",
    "purchase_order.sent": "staff, sending a purchase order",
    "purchase_order.received": "staff, taking a delivery in",
    "purchase_order.closed": "staff, taking the last delivery in, closing an order short, or canceling it",
    "stock.low": f"{_WATCHERS}, once for each time that the threshold is crossed",
    "stock.out": f"{_WATCHERS}, once for each time that the last free unit goes",
    "stock.back": f"{_WATCHERS}, once for each time that there are free units again",
}
"""Who emits an event."""

EXAMPLES: dict[str, Any] = {
    "id": "evt_0a1b2c3d4e5f6g7h8j9k0m1n2p",
    "occurred_at": "2026-11-22T08:15:30.250Z",
    "subject": "order_7k2m9qxa0c1d2e3f4g5h6j7k8m",
    "correlation_id": "JKJaXmPLvHcESHA=",
    "currency": "USD",
    "total": 14916,
    "lines": [{"sku": "SHIRT-BLUE-M", "quantity": 2, "unit_price": 5900, "total": 11800}],
    "discounts": [{"code": "GIFT", "amount": 500}],
    "country": "US",
    "customer": False,
    "carrier": "USPS",
    "tracking_number": "9400100000000000000000",
    "parcels": [{"location": "main", "carrier": "USPS", "tracking_number": "9400100000000000000000"}],
    "reason": "support",
    "confirmed": True,
    "captured": 14916,
    "refunded": 0,
    "return_id": "return_0a1b2c",
    "refund_id": "refund_0a1b2c",
    "dispute_id": "dp_0a1b2c",
    "amount": 1900,
    "product_version": 3,
    "status": "active",
    "location": "main",
    "origin": "main",
    "destination": "annex",
    "skus": 240,
    "differing": 3,
    "short": 0,
    "outdated": 0,
    "supplier_id": "supplier_0a1b2c",
    "cost": 98000,
    "units": 140,
    "expected_on": "2026-12-24",
    "delivery_id": "delivery_0a1b2c",
    "complete": False,
    "outstanding": 20,
    "quantity": 2,
    "available": 4,
    "threshold": 5,
}
"""A value for every field of every event."""

SUBJECTS = {
    "product.changed": "prod_0a1b2c",
    "stock.adjusted": "SHIRT-BLUE-M",
    "stock.transferred": "SHIRT-BLUE-M",
    "stock.counted": "count_0a1b2c",
    "purchase_order.sent": "po_0a1b2c",
    "purchase_order.received": "po_0a1b2c",
    "purchase_order.closed": "po_0a1b2c",
    "stock.low": "SHIRT-BLUE-M",
    "stock.out": "SHIRT-BLUE-M",
    "stock.back": "SHIRT-BLUE-M",
}
REASONS = {"order.canceled": "short_pick", "stock.adjusted": "adjusted", "payment.disputed": "fraudulent"}


def example(kind: type[Event]) -> dict[str, object]:
    """The `detail` of an event of this type."""
    fields = {name: EXAMPLES[name] for name in kind.model_fields}
    fields["subject"] = SUBJECTS.get(kind.type, fields["subject"])
    if "reason" in fields:
        fields["reason"] = REASONS.get(kind.type, fields["reason"])
    return detail(kind.model_validate(fields))


def files() -> dict[Path, str]:
    """Everything that belongs into docs/events, by path. Raises ChangedWithoutVersion."""
    known = json.loads(VERSIONS.read_text("utf-8")) if VERSIONS.exists() else {}
    made = {EVENTS / "README.md": _index(), VERSIONS: as_text(grown(known, ALL))}
    for kind in ALL:
        made[EVENTS / f"{kind.type}.md"] = _page(kind)
        made[EVENTS / f"{kind.type}.schema.json"] = json.dumps(schema(kind), indent=2) + "\n"
    return made


def schema(kind: type[Event]) -> dict[str, Any]:
    """The JSON schema of the event's `detail`. What came later may be missing in older events of the same version."""
    made = kind.model_json_schema(mode="serialization")
    for name, sentence in sentences(kind).items():
        made["properties"][name].setdefault("description", sentence)
    travelling = {"type": {"const": kind.type, "type": "string"}, "version": {"const": kind.version, "type": "integer"}}
    made["properties"] = {**travelling, **made["properties"]}
    later = {name for name, field in kind.model_fields.items() if field.default == ()}
    made["required"] = [name for name in made["properties"] if name not in later]
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **made, "title": kind.type}


def _index() -> str:
    rows = [f"| [`{kind.type}`]({kind.type}.md) | {kind.version} | {_when(kind)} |" for kind in ALL]
    return _INTRODUCTION + "\n".join(["| event | version | when |", "|---|---|---|", *rows]) + "\n"


_INTRODUCTION = f"""\
# Events

Made by `make docs` from `commerce/events.py`; change them there.

Every event is an entry on the shop's bus with `source` `{SOURCE}`, its type as `detail-type`, and a `detail` that holds
its fields. Delivery is **at least once and in no promised order**: know an event by its `id`, and read the thing that
`subject` names if you must know how it is now. No event holds personal data. A change that a consumer could trip over
raises `version`; a new field that may be missing does not, so leave out what you do not know. All shapes that ever went
out are in [versions.json](versions.json), against which the models are held.

"""


def _when(kind: type[Event]) -> str:
    return " ".join(inspect.cleandoc(kind.__doc__ or "").split())


def _page(kind: type[Event]) -> str:
    properties = schema(kind)["properties"]
    return "\n".join(
        [
            f"# {kind.type}",
            "",
            f"**When**: {_when(kind)}",
            "",
            f"**Who emits it**: {EMITTERS[kind.type]}.",
            "",
            "| field | type | meaning |",
            "|---|---|---|",
            *_rows(properties),
            "",
            "```json",
            json.dumps({"source": SOURCE, "detail-type": kind.type, "detail": example(kind)}, indent=2),
            "```",
            "",
            f"Schema of the detail: [{kind.type}.schema.json]({kind.type}.schema.json)",
            "",
        ]
    )


def _rows(properties: dict[str, Any]) -> Iterator[str]:
    for name, field in properties.items():
        words = type_words(field).replace("|", "\\|")
        meaning = field.get("description") or _MEANINGS.get(name, "")
        yield f"| `{name}` | {words} | {meaning} |"


_MEANINGS = {
    "type": "What happened.",
    "version": "The shape of these fields.",
    "id": "The same in every delivery of the event.",
    "occurred_at": "RFC 3339, UTC.",
    "subject": "The id of what it happened to.",
    "currency": "ISO 4217.",
    "total": "What the buyer agreed to pay, in minor units.",
    "amount": "In minor units.",
    "lines": "Amounts in minor units of the order's currency.",
    "country": "Where it goes, ISO 3166-1 alpha-2.",
    "carrier": "As the shop knows it.",
    "reason": "Why, as a code.",
}
"""For fields under which the model says nothing, because their event's docstring does."""


def main() -> int:
    """Writes the files, or says which of them are not what the models say."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="change nothing; fail where a file has drifted")
    arguments = parser.parse_args()
    try:
        made = files()
    except ChangedWithoutVersion as why:
        print(why, file=sys.stderr)
        return 1
    forgotten = [path for path in EVENTS.glob("*") if path not in made]
    return keep(made, check=arguments.check, source="commerce/events.py", forgotten=forgotten)


if __name__ == "__main__":
    sys.exit(main())
