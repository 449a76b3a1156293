"""A SKU that runs low, out, or is back is told of once, however many buyers race and however often the stream comes."""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from botocore.config import Config
from botocore.session import get_session

from builders.catalog import function
from builders.checkout import NOW
from builders.orders import Shop
from builders.stock import backorder
from commerce.adapters.dynamodb import from_item, transact
from commerce.inventory.pooling import switch_off, switch_on, tend_all
from commerce.inventory.service import adjust_stock
from commerce.orders.service import parts_of
from commerce.supply import SellingPolicy
from stacks.events import STOCK_CHANGES

pytestmark = pytest.mark.usefixtures("function_of_the_shop")


class Stream:
    """What the inventory table's stream hands to the function: all of it, from the beginning."""

    def __init__(self, shop: Shop, engine: str) -> None:
        self._table = shop.client.describe_table(TableName=shop.tables["INVENTORY_TABLE"])["Table"]["LatestStreamArn"]
        self._client = get_session().create_client(
            "dynamodbstreams",
            region_name="us-east-1",
            endpoint_url=engine,
            aws_access_key_id="test",
            aws_secret_access_key="test",
            config=Config(parameter_validation=False),
        )

    def records(self) -> list[dict[str, Any]]:
        """Those that the event source mapping lets through, as Lambda writes them."""
        [shard] = self._client.describe_stream(StreamArn=self._table)["StreamDescription"]["Shards"]
        position = {"StreamArn": self._table, "ShardId": shard["ShardId"], "ShardIteratorType": "TRIM_HORIZON"}
        following = self._client.get_shard_iterator(**position)["ShardIterator"]
        records: list[dict[str, Any]] = []
        while following:
            page = self._client.get_records(ShardIterator=following)
            records += page["Records"]
            following = page.get("NextShardIterator") if page["Records"] else None
        for record in records:
            images = record["dynamodb"]
            images["ApproximateCreationDateTime"] = images["ApproximateCreationDateTime"].timestamp()
        return [record for record in records if _passes(record, STOCK_CHANGES)]


def _passes(record: Any, pattern: Any) -> bool:
    """Lambda's event filter, as far as the shop uses it."""
    if isinstance(pattern, dict):
        return all(name in record and _passes(record[name], inner) for name, inner in pattern.items())
    return any(record.startswith(one["prefix"]) if isinstance(one, dict) else record == one for one in pattern)


@pytest.fixture
def stream(shop: Shop, engine: str) -> Stream:
    return Stream(shop, engine)


def told(shop: Shop, stream: Stream) -> list[tuple[str, str, int]]:
    """What the function makes of the stream: (type, location, units free then), in the order of the changes."""
    handler = function("watch_stock").handler
    assert handler({"Records": stream.records()}, None) == {"batchItemFailures": []}
    return notices(shop)


def tended(shop: Shop) -> list[tuple[str, str, int]]:
    """What has been told once the reconciler has tended the pools for some minutes, as in `told`."""
    for _ in range(3):
        tend_all(shop.inventory, now=NOW)
    return notices(shop)


def notices(shop: Shop) -> list[tuple[str, str, int]]:
    """What waits in the outbox to be told."""
    crossed = [event for event in shop.published() if event["type"] in ("stock.low", "stock.out", "stock.back")]
    return sorted((event["type"], event["location"], event["available"]) for event in crossed)


def watched(shop: Shop, units: int, policy: SellingPolicy) -> None:
    shop.stocked(units)
    shop.inventory.save_policy("SHIRT-M", SellingPolicy(), policy)


def bought(shop: Shop, number: int) -> str | None:
    """The order's id; None where it is sold out."""
    return shop.complete(shop.checkout(id=f"chk_{number}")).order_id


def test_buyers_who_race_past_the_threshold_and_the_last_unit_cause_one_notice_each(shop: Shop, stream: Stream) -> None:
    watched(shop, 12, SellingPolicy(low_stock=4, version=1))

    with ThreadPoolExecutor(10) as crowd:
        list(crowd.map(lambda number: bought(shop, number), range(15)))

    assert shop.stock().available == 0
    assert told(shop, stream) == [("stock.low", "main", 4), ("stock.out", "main", 0)]


def test_a_stream_that_is_replayed_tells_nothing_twice(shop: Shop, stream: Stream) -> None:
    watched(shop, 2, SellingPolicy(low_stock=1, version=1))
    bought(shop, 1)
    first = told(shop, stream)

    assert told(shop, stream) == first == [("stock.low", "main", 1)]
    assert shop.events()["stock.low"] == 1


def test_every_crossing_is_told_also_the_second_one(shop: Shop, stream: Stream) -> None:
    watched(shop, 6, SellingPolicy(low_stock=5, version=1))
    for number, quantity in enumerate((-1, 1, -1, -5, 9)):
        adjust_stock(
            shop.inventory,
            shop.audit,
            sku="SHIRT-M",
            quantity=quantity,
            reason="counted",
            actor="staff_1",
            adjustment_id=f"adj_{number}",
            now=NOW,
        )

    assert told(shop, stream) == [
        ("stock.back", "main", 9),
        ("stock.low", "main", 5),
        ("stock.low", "main", 5),
        ("stock.out", "main", 0),
    ]


def test_a_sku_that_is_sold_ahead_is_out_once_and_back_when_nothing_is_owed(shop: Shop, stream: Stream) -> None:
    watched(shop, 1, backorder(9, low_stock=0))
    for number in range(3):
        bought(shop, number)
        bought(shop, number)
    shop.stocked(2)

    assert told(shop, stream) == [("stock.back", "main", 2), ("stock.out", "main", 0)]


def pooled(shop: Shop) -> None:
    switch_on(shop.inventory, shop.audit, sku="SHIRT-M", shards=3, actor="staff_1", now=NOW)


def ended(shop: Shop) -> None:
    switch_off(shop.inventory, shop.audit, sku="SHIRT-M", actor="staff_1", now=NOW)


def send(shop: Shop, order_id: str | None) -> None:
    if order_id:
        parts = parts_of(shop.orders.get(order_id))
        transact(shop.client, shop.inventory.ship_actions(order_id, parts, now=NOW))


def sell(shop: Shop, numbers: range) -> None:
    for number in numbers:
        send(shop, bought(shop, number))


def test_a_hot_sku_is_low_and_out_once_and_back_while_it_is_sold_from_its_pool(shop: Shop) -> None:
    watched(shop, 7, SellingPolicy(low_stock=2, version=1))
    pooled(shop)
    assert tended(shop) == []

    sell(shop, range(5))
    assert tended(shop) == [("stock.low", "main", 2)]
    sell(shop, range(5, 9))
    assert tended(shop) == [("stock.low", "main", 2), ("stock.out", "main", 0)]
    shop.stocked(9)

    assert tended(shop) == [("stock.back", "main", 9), ("stock.low", "main", 2), ("stock.out", "main", 0)]


def test_what_was_told_of_a_pool_is_not_told_again_at_its_end(shop: Shop, stream: Stream) -> None:
    watched(shop, 3, SellingPolicy(low_stock=2, version=1))
    pooled(shop)
    sell(shop, range(3))
    assert tended(shop) == [("stock.out", "main", 0)]

    ended(shop)

    assert not shop.stock().shards
    assert told(shop, stream) == [("stock.out", "main", 0)]


def test_what_is_sold_after_a_pool_was_tended_for_the_last_time_is_told_at_its_end(shop: Shop, stream: Stream) -> None:
    watched(shop, 9, SellingPolicy(low_stock=2, version=1))
    pooled(shop)
    waiting = bought(shop, 0)
    ended(shop)
    sell(shop, range(1, 7))
    send(shop, waiting)

    shop.inventory.close_pool(shop.inventory.rows("SHIRT-M", "main")[0])

    assert told(shop, stream) == [("stock.low", "main", 2)]


def test_only_one_of_two_who_tend_a_pool_at_once_tells_what_it_crossed(shop: Shop) -> None:
    watched(shop, 3, SellingPolicy(low_stock=2, version=1))
    pooled(shop)
    sell(shop, range(3))

    with ThreadPoolExecutor(8) as crowd:
        list(crowd.map(lambda _: tend_all(shop.inventory, now=NOW), range(16)))

    assert notices(shop) == [("stock.out", "main", 0)]


def test_without_a_policy_the_shops_own_threshold_counts(shop: Shop, stream: Stream) -> None:
    shop.stocked(6)
    bought(shop, 1)

    assert told(shop, stream) == []
    assert Counter(from_item(record["dynamodb"]["Keys"])["sk"] for record in stream.records()) == {"LOCATION#main": 1}


def test_a_record_that_fails_holds_up_no_other(
    shop: Shop, stream: Stream, monkeypatch: pytest.MonkeyPatch
) -> None:
    watched(shop, 1, SellingPolicy(low_stock=0, version=1))
    bought(shop, 1)
    shop.stocked(3)
    out, back = stream.records()
    handler = function("watch_stock")
    tell = handler.inventory.tell

    def refuse(event: Any) -> None:
        if event.type == "stock.out":
            raise RuntimeError
        tell(event)

    monkeypatch.setattr(type(handler.inventory), "tell", lambda _, event: refuse(event))
    number = out["dynamodb"]["SequenceNumber"]

    assert handler.handler({"Records": [out, back]}, None) == {"batchItemFailures": [{"itemIdentifier": number}]}
    assert shop.events()["stock.back"] == 1
