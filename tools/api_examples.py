"""A request body for every operation that takes one, with things from the demo catalogue, by operation id.

`tools.openapi` holds each of them against the operation's model, so none of them can become wrong unseen.
"""

from typing import Any

_MUG = "MUG-SAGE"
_LINES = [{"item": {"id": _MUG}, "quantity": 1}]
_SUPPLIER = {"name": "Slow Pottery", "currency": "EUR", "email": "orders@pottery.example"}
_PURCHASE_ORDER = {
    "supplier_id": "supplier_0a1b2c",
    "location": "main",
    "expected_on": "2026-12-24",
    "lines": [{"sku": _MUG, "quantity": 40, "unit_cost": 700}],
}
_PRODUCT = {
    "title": "Linen Shirt",
    "description": {"plain": "Woven from European flax."},
    "categories": ["shirts"],
    "options": [{"name": "Size", "values": ["S", "M"]}],
    "variants": [
        {"sku": "SHIRT-S", "options": {"Size": "S"}, "prices": {"USD": 5900, "EUR": 5500}},
        {"sku": "SHIRT-M", "options": {"Size": "M"}, "prices": {"USD": 5900, "EUR": 5500}},
    ],
    "status": "active",
}

_DISCOUNT = {"title": "Spring sale", "basis_points": 1000, "minimum": {"USD": 3000}, "ends_at": "2027-03-31T22:00:00Z"}

BODIES: dict[str, Any] = {
    "ask_about_person": {"email": "grace@example.com", "kind": "export", "reference": "ticket 4711"},
    "replace_policy": {"mode": "backorder", "cap": 20, "expected_on": "2027-01-15", "purchase_limit": 4},
    "search": {"query": "stoneware mug", "context": {"currency": "USD"}, "pagination": {"limit": 10}},
    "look_up": {"ids": [_MUG]},
    "read_product": {"id": _MUG, "selected": [{"name": "Colour", "label": "Sage"}]},
    "create_cart": {"line_items": _LINES, "context": {"currency": "USD"}},
    "replace_cart": {"line_items": [{"item": {"id": _MUG}, "quantity": 2}]},
    "create_checkout": {"line_items": _LINES},
    "update_checkout": {
        "line_items": _LINES,
        "buyer": {"first_name": "Ada", "last_name": "Lovelace", "email": "ada@example.com"},
        "fulfillment": {
            "methods": [
                {
                    "type": "shipping",
                    "destinations": [
                        {
                            "id": "home",
                            "street_address": "20 W 34th St",
                            "address_locality": "New York",
                            "address_region": "NY",
                            "postal_code": "10001",
                            "address_country": "US",
                        }
                    ],
                    "selected_destination_id": "home",
                    "groups": [{"selected_option_id": "standard"}],
                }
            ]
        },
        "discounts": {"codes": ["SPRING-10"]},
    },
    "complete_checkout": {
        "payment": {
            "instruments": [
                {
                    "id": "card",
                    "handler_id": "stripe",
                    "type": "card",
                    "selected": True,
                    "credential": {"type": "token", "token": "pm_card_visa"},
                }
            ]
        }
    },
    "create_product": _PRODUCT,
    "replace_product": _PRODUCT,
    "put_category": {"title": "Shirts"},
    "adjust": {"quantity": 12, "reason": "delivery", "location": "main"},
    "adjust_in_bulk": f"sku,location,quantity,reason\n{_MUG},main,24,delivery 4711\nTEAPOT-OAT,main,-1,broken\n",
    "transfer": {"quantity": 5, "origin": "main", "destination": "annex", "reason": "for the shop window"},
    "pool_stock": {"shards": 16},
    "open_count": {"location": "main", "skus": [_MUG], "note": "aisle 4"},
    "enter_count": {"entries": [{"sku": _MUG, "counted": 11}]},
    "create_supplier": _SUPPLIER,
    "replace_supplier": _SUPPLIER,
    "create_purchase_order": _PURCHASE_ORDER,
    "replace_purchase_order": _PURCHASE_ORDER,
    "reschedule_purchase_order": {"expected_on": "2027-01-10"},
    "receive_delivery": {"lines": [{"sku": _MUG, "quantity": 24}], "note": "delivery note 4711, first box"},
    "create_discount": {"code": "SPRING-10", **_DISCOUNT, "limit": 500, "limit_per_buyer": 1},
    "replace_discount": {**_DISCOUNT, "limit": 800, "limit_per_buyer": 1},
    "pick_order": {"lines": [{"line_id": "line_1", "quantity": 1}]},
    "pack_order": {"weight_grams": 450},
    "ship_order": {"location": "main"},
    "end_journey": {"status": "lost"},
    "cancel_order": {"reason": "merchant_request"},
    "receive_return": {"lines": [{"line_id": "line_1", "quantity": 1, "restock": True}]},
    "refund_order": {"amount": 1900, "reason": "the mug arrived broken"},
}
