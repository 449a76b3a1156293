"""What staff have in hand when the next release is deployed: products, stock, transfers, stock tables, counts,
suppliers and purchase orders, all made through the API, as they are changed and finished afterwards.
"""

from typing import Any

from builders.clients import Client

TABLE = """sku,location,quantity,reason
BOWL,main,60,delivery
BOWL,annex,10,delivery
VASE,main,20,found
CUP,main,30,delivery
"""
PRODUCTS, SUPPLIERS, ORDERS, COUNTS = (
    f"/admin/{name}" for name in ("products", "suppliers", "purchase-orders", "stock-counts")
)
ADJUSTMENTS = "/admin/stock/{sku}/adjustments"
TRANSFERS = "/admin/stock/{sku}/transfers"
POLICY, POOL = "/admin/stock/{sku}/policy", "/admin/stock/{sku}/pool"


class BackOffice(Client):
    """Somebody who may do everything."""

    group = "admin"

    def stock(self, sku: str) -> list[tuple[str, int, int]]:
        """Location, units on hand, free units."""
        shown = self.asks("admin_inventory", "GET /admin/stock/{sku}", sku=sku).body["locations"]
        return [(place["location"], place["on_hand"], place["available"]) for place in shown]

    def product(self, title: str) -> Any:
        """The product of this title, as its list knows it."""
        found = self.asks("admin_catalog", f"GET {PRODUCTS}").body["products"]
        return next(one for one in found if one["title"] == title)

    def purchase_orders(self, status: str) -> list[Any]:
        """Those in this status."""
        found: list[Any] = self.asks("admin_purchasing", f"GET {ORDERS}", query={"status": status}).body[
            "purchase_orders"
        ]
        return found

    def counts(self, status: str) -> list[Any]:
        """The stock counts in this status."""
        found: list[Any] = self.asks("admin_inventory", f"GET {COUNTS}", query={"status": status}).body["counts"]
        return found

    def purchase(self, step: str, order_id: str, body: Any = None) -> Any:
        """A step of a purchase order."""
        return self.does("admin_purchasing", f"POST {ORDERS}/{{id}}/{step}", body or {}, id=order_id)

    def count(self, step: str, count_id: str, body: Any = None) -> Any:
        """A step of a stock count, at the version that it has."""
        shown = self.asks("admin_inventory", f"GET {COUNTS}/{{id}}", id=count_id)
        match = {"match": shown.etag} if step == "approve" else {}
        return self.does("admin_inventory", f"POST {COUNTS}/{{id}}/{step}", body or {}, id=count_id, **match)

    def sees_written(self, *products: str) -> None:
        """The catalogue's stream tells of these products."""
        records = [
            {
                "eventName": "MODIFY",
                "dynamodb": {
                    "Keys": {"pk": {"S": f"PRODUCT#{product}"}, "sk": {"S": "PRODUCT"}},
                    "SequenceNumber": str(number),
                },
            }
            for number, product in enumerate(products, 1)
        ]
        assert self._load("project_catalog")({"Records": records}, None) == {"batchItemFailures": []}


def content(title: str, sku: str, **changes: Any) -> dict[str, Any]:
    """A product as staff send it."""
    variant = {"sku": sku, "prices": {"USD": 2400}}
    return {"title": title, "status": "active", "variants": [variant], "categories": ["kitchen"], **changes}


def in_hand(office: BackOffice) -> None:
    """Each thing in each of its states that somebody may still act on, and in some that are over."""
    _products(office)
    _stock(office)
    _counts(office)
    _purchase_orders(office)


def _products(office: BackOffice) -> None:
    office.does("admin_catalog", "PUT /admin/categories/{slug}", {"title": "Kitchen"}, slug="kitchen")
    sizes = [
        {"sku": f"PLATE-{size}", "prices": {"USD": 1200}, "options": {"Size": size}, "weight_grams": 400}
        for size in ("S", "L")
    ]
    made = [
        office.does("admin_catalog", f"POST {PRODUCTS}", sent)["id"]
        for sent in (
            content("Bowl", "BOWL"),
            content("Vase", "VASE", status="draft"),
            content("Plate", "", variants=sizes, options=[{"name": "Size", "values": ["S", "L"]}]),
            content("Cup", "CUP"),
        )
    ]
    office.does("admin_catalog", f"POST {PRODUCTS}/{{id}}/archive", {}, id=made[2])
    office.sees_written(*made)


def _stock(office: BackOffice) -> None:
    office.does("admin_inventory", "POST /admin/stock-adjustments", TABLE, content_type="text/csv")
    office.does("admin_inventory", f"POST {ADJUSTMENTS}", {"quantity": 40, "reason": "delivery"}, sku="PLATE-S")
    moved = {"quantity": 4, "origin": "main", "destination": "annex", "reason": "for the shop window"}
    office.does("admin_inventory", f"POST {TRANSFERS}", moved, sku="BOWL")
    office.does("admin_inventory", f"PUT {POOL}", {"shards": 4}, sku="PLATE-S")
    ahead = {"mode": "backorder", "cap": 20, "expected_on": "2099-12-24"}
    office.does("admin_inventory", f"PUT {POLICY}", ahead, sku="BOWL", match='"0"')


def _counts(office: BackOffice) -> None:
    for steps in ((), ("approve",), ("approve", "post"), ("cancel",)):
        opened = office.does("admin_inventory", f"POST {COUNTS}", {"location": "annex", "skus": ["BOWL", "VASE"]})
        count_id = opened["count"]["id"]
        office.count("entries", count_id, {"entries": [{"sku": "BOWL", "counted": 13}]})
        if steps:
            office.count("entries", count_id, {"entries": [{"sku": "VASE", "counted": 0}]})
        for step in steps:
            office.count(step, count_id)


def _purchase_orders(office: BackOffice) -> None:
    supplier = {"name": "Slow Pottery", "currency": "EUR", "email": "orders@pottery.example"}
    kept, gone = (office.does("admin_purchasing", f"POST {SUPPLIERS}", supplier)["id"] for _ in range(2))
    office.does("admin_purchasing", f"POST {SUPPLIERS}/{{id}}/archive", {}, id=gone)
    some, rest = ({"lines": [{"sku": "VASE", "quantity": units}]} for units in (6, 4))
    for steps in (
        (),
        (("send", None),),
        (("send", None), ("deliveries", some)),
        (("send", None), ("deliveries", some), ("deliveries", rest)),
        (("send", None), ("deliveries", some), ("close", None)),
        (("cancel", None),),
    ):
        order_id = office.does("admin_purchasing", f"POST {ORDERS}", purchase(kept))["id"]
        for step, body in steps:
            office.purchase(step, order_id, body)


def purchase(supplier_id: str, **changes: Any) -> dict[str, Any]:
    """A purchase order of ten vases, as staff send it."""
    lines = [{"sku": "VASE", "quantity": 10, "unit_cost": 700}]
    sent = {"supplier_id": supplier_id, "location": "main", "expected_on": "2026-12-24", "lines": lines}
    return {**sent, **changes}
