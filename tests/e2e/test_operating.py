"""What an operator sees of the deployed shop."""

from typing import Any

from tools.demo.actors import Shopper
from tools.local.instance import Instance
from tools.orders.lookup import named
from tools.orders.records import latest, read
from tools.orders.story import story


def test_an_orders_story_has_its_goods_its_money_its_people_and_its_workflow(
    instance: Instance, delivered: dict[str, Any]
) -> None:
    order_id = delivered["order_id"]

    records = read(instance, order_id)
    told = [f"{fact.about}: {fact.what}" for fact in story(records)]

    for wanted in (
        "order: placed: ",
        "stock: reserved ",
        "payment: authorized ",
        "workflow: enters AwaitPayment",
        "audit: parcel.picked by ",
        "stock: shipped ",
        "payment: captured ",
        "workflow: ends: SUCCEEDED",
        "e-mail: order_delivered sent as ",
    ):
        assert any(line.startswith(wanted) for line in told), f"{wanted!r} is not in the story:\n" + "\n".join(told)
    assert named(instance, records.order.label) == order_id


def test_an_order_of_this_moment_is_among_the_latest_executions(instance: Instance, guest: Shopper) -> None:
    completed = guest.complete(guest.checkout((guest.some_skus(1)[0], 1)))
    assert completed["order"]["id"] in {execution.order_id for execution in latest(instance, None)}
