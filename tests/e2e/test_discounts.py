"""A discount code at the deployed shop: staff make it, more buyers enter it than it has uses, one gives theirs back."""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from tools.demo.actors import Shopper, Staff

USES, BUYERS = 3, 8


def amounts(of: dict[str, Any]) -> dict[str, int]:
    """The ledger by type."""
    return {total["type"]: total["amount"] for total in of["totals"]}


def test_a_code_with_three_uses_is_used_three_times_by_eight_buyers_at_once(
    guest: Shopper, catalogue: Staff, stocked: Any
) -> None:
    sku = stocked(20)
    made = catalogue.post("/discounts", {"title": "Five off", "amounts": {"USD": 500}, "limit": USES})
    path = f"/discounts/{made['code']}"
    checkouts = [guest.checkout((sku, 1), codes=[made["code"].lower()]) for _ in range(BUYERS)]
    whole = amounts(guest.checkout((sku, 1)))["subtotal"]
    for checkout in checkouts:
        assert (checkout["status"], amounts(checkout)["items_discount"]) == ("ready_for_complete", -500)
        assert checkout["discounts"]["applied"][0]["amount"] == 500

    with ThreadPoolExecutor(BUYERS) as crowd:
        answers = list(crowd.map(guest.complete, checkouts))

    assert Counter(one["status"] for one in answers) == {"completed": USES, "ready_for_complete": BUYERS - USES}
    assert (catalogue.get(path)["uses"], catalogue.get(path)["state"]) == (USES, "used_up")
    late = next(one for one in answers if one["status"] != "completed")
    assert [message["code"] for message in late["messages"]] == ["discount_code_usage_limit_reached", "price_changed"]
    paid = guest.complete(late)
    assert "items_discount" not in amounts(guest.order(paid))

    winner = next(one for one in answers if one["status"] == "completed")
    order = amounts(guest.order(winner))
    assert (order["subtotal"], order["items_discount"]) == (whole, -500)
    guest.cancel(winner)
    assert catalogue.get(path)["uses"] == USES - 1
    assert guest.complete(guest.checkout((sku, 1), codes=[made["code"]]))["status"] == "completed"
