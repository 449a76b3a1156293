"""What analysts ask, in Athena's SQL, on the deployed shop."""

import re
from pathlib import Path
from typing import Any

import pytest

from tools.athena import ask
from tools.demo.actors import Shopper, Staff
from tools.demo.scenes import Cast
from tools.local.instance import Instance

PAGE = Path(__file__).resolve().parents[2] / "docs" / "analytics.md"
SEEN, *QUESTIONS = re.findall(r"```sql\n(.*?)```", PAGE.read_text("utf-8"), re.DOTALL)


@pytest.fixture(scope="module")
def sold(everyone: Cast, delivered: dict[str, Any]) -> dict[str, Any]:
    """An order that was delivered, and of which something came back."""
    shown: dict[str, Any] = everyone.support.get(f"/orders/{delivered['order_id']}")
    return shown


def answers(instance: Instance, question: str, *, about: str) -> list[dict[str, str | None]]:
    """The page's question, on whatever day this is, asked of one order's events."""
    seen = SEEN.replace("'2026-11-01'", "'2026-01-01'").replace("'2026-12-01'", "'2999-12-31'")
    seen = seen.replace("WHERE day", f"WHERE subject = '{about}' AND day")
    answer = ask(instance, seen + question)
    return [dict(zip(answer.columns, row, strict=True)) for row in answer.rows]


def the(word: str) -> str:
    """The page's question in which the word stands."""
    [question] = (question for question in QUESTIONS if word in question)
    return question


@pytest.mark.parametrize("question", QUESTIONS, ids=lambda question: question.split("\n")[0][:60])
def test_every_question_of_the_page_is_answered(instance: Instance, sold: dict[str, Any], question: str) -> None:
    answers(instance, question, about=sold["order"]["id"])


def test_revenue_by_sql_is_what_was_captured_less_what_was_refunded(
    instance: Instance, everyone: Cast, sold: dict[str, Any]
) -> None:
    order_id = sold["order"]["id"]
    payments = everyone.support.get(f"/orders/{order_id}")["payments"]
    captured = sum(payment["amount"] for payment in payments if payment["type"] == "captured")
    refunded = sum(payment["amount"] for payment in payments if payment["type"] == "refunded")
    assert captured > refunded > 0

    everyone.watcher.exported(order_id, "payment.refunded")
    days = answers(instance, the("AS revenue"), about=order_id)

    assert sum(int(day["taken"] or 0) for day in days) == captured
    assert sum(int(day["given_back"] or 0) for day in days) == refunded
    assert sum(int(day["revenue"] or 0) for day in days) == captured - refunded


def test_what_was_placed_was_delivered(instance: Instance, sold: dict[str, Any]) -> None:
    [day] = answers(instance, the("percent_delivered"), about=sold["order"]["id"])

    assert (day["placed"], day["confirmed"], day["delivered"]) == ("1", "1", "1")


def test_what_sells_has_the_orders_units(instance: Instance, sold: dict[str, Any]) -> None:
    order = sold["order"]

    sells = answers(instance, the("AS units"), about=order["id"])

    assert {row["sku"]: int(row["units"] or 0) for row in sells} == {
        line["sku"]: line["original"] for line in order["lines"]
    }


def test_what_a_code_sold(instance: Instance, everyone: Cast, guest: Shopper, catalogue: Staff) -> None:
    code = catalogue.post("/discounts", {"title": "Five off", "amounts": {"USD": 500}})["code"]
    bought = guest.complete(guest.checkout((guest.some_skus(1)[0], 1), codes=[code]))
    order_id = bought["order"]["id"]
    everyone.watcher.exported(order_id, "order.placed")

    [sold] = answers(instance, the("AS taken_off"), about=order_id)

    [paid] = [total["amount"] for total in bought["totals"] if total["type"] == "total"]
    assert (sold["code"], sold["orders"], sold["taken_off"], sold["ordered"]) == (code, "1", "500", str(paid))
