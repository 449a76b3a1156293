"""What the database promises, kept by the double that the simulation stands on."""

from typing import Any

import pytest
from botocore.exceptions import ClientError

from commerce.adapters.dynamodb import ConditionFailed, Contended, Table, check, delete, put, transact, update
from stacks.tables import Index, TableSpec
from tools.simulation.dynamodb import Capacity, Client, Database

SHELVES = TableSpec("shelves", "SHELVES_TABLE", stream=True, time_to_live=True)
ORDERS = TableSpec(
    "orders",
    "ORDERS_TABLE",
    indexes=(Index("by_status", "status_shard", "placed_at"), Index("by_title", "kind", "title", ("price",))),
)


class Clock:
    """Shows what it is set to."""

    now = 1_000_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def database(clock: Clock) -> Database:
    return Database([SHELVES, ORDERS], clock=clock)


@pytest.fixture
def client(database: Database) -> Client:
    return Client(database)


@pytest.fixture
def shelves(client: Client) -> Table:
    return Table(client, "shelves")


@pytest.fixture
def orders(client: Client) -> Table:
    return Table(client, "orders")


def code_of(error: pytest.ExceptionInfo[ClientError]) -> str:
    return str(error.value.response["Error"]["Code"])


def reasons_of(error: pytest.ExceptionInfo[ClientError]) -> list[str]:
    return [reason["Code"] for reason in error.value.response["CancellationReasons"]]


def shirt(**more: Any) -> dict[str, Any]:
    return {"pk": "SHIRT", "sk": "main", "left": 3, **more}


KEY = {"pk": {"S": "SHIRT"}, "sk": {"S": "main"}}


def test_what_is_put_is_read_back(shelves: Table) -> None:
    item = shirt(tags=["new", {"n": 1}], sold_out=False, note=None)
    shelves.put(item)
    assert shelves.get("SHIRT", "main") == item
    assert shelves.get("SHIRT", "attic") is None


def test_an_answer_is_the_callers_own(client: Client, shelves: Table) -> None:
    shelves.put(shirt(tags=["new"]))
    client.get_item(TableName="shelves", Key=KEY)["Item"]["tags"]["L"].clear()
    [item] = client.scan(TableName="shelves")["Items"]
    item["left"]["N"] = "0"
    assert shelves.get("SHIRT", "main") == shirt(tags=["new"])


def test_what_a_caller_changes_after_a_put_changes_nothing(client: Client, shelves: Table) -> None:
    item = {**KEY, "tags": {"L": [{"S": "new"}]}}
    client.put_item(TableName="shelves", Item=item)
    item["tags"]["L"].clear()
    assert shelves.get("SHIRT", "main") == {"pk": "SHIRT", "sk": "main", "tags": ["new"]}


@pytest.mark.parametrize(
    ("condition", "holds"),
    [
        (("left", "exists"), True),
        (("left", "missing"), False),
        (("colour", "missing"), True),
        (("left", "=", 3), True),
        (("left", "=", "3"), False),
        (("left", "<>", 3), False),
        (("colour", "<>", "red"), True),
        (("colour", "=", "red"), False),
        (("left", ">=", 3), True),
        (("left", ">", 3), False),
        (("left", "<", 10), True),
        (("left", "<", "4"), False),
        (("left", "in", (1, 3)), True),
        (("left", "in", (1, 2)), False),
    ],
)
def test_a_condition_decides_whether_a_write_happens(shelves: Table, condition: Any, holds: bool) -> None:
    shelves.put(shirt())
    if holds:
        shelves.update("SHIRT", "main", condition, set={"left": 9})
    else:
        with pytest.raises(ConditionFailed):
            shelves.update("SHIRT", "main", condition, set={"left": 9})
    assert shelves.get("SHIRT", "main") == shirt(left=9 if holds else 3)


def test_all_conditions_must_hold(shelves: Table) -> None:
    shelves.put(shirt())
    with pytest.raises(ConditionFailed):
        shelves.delete("SHIRT", "main", ("left", "=", 3), ("colour", "exists"))
    shelves.delete("SHIRT", "main", ("left", "=", 3), ("colour", "missing"))
    assert shelves.get("SHIRT", "main") is None


@pytest.mark.parametrize(
    ("expression", "holds"),
    [
        ("#left = :three AND begins_with(pk, :sh)", True),
        ("NOT begins_with(pk, :sh) OR #left = :three", True),
        ("(attribute_exists(pk) OR attribute_exists(sk)) AND NOT #left = :three AND pk <> :sh", False),
        ("#left BETWEEN :three AND :three AND pk > :sh", True),
        ("begins_with(#left, :sh) OR #left > :three", False),
    ],
)
def test_conditions_are_nested_as_they_are_written(
    client: Client, shelves: Table, expression: str, holds: bool
) -> None:
    shelves.put(shirt())
    values = {":three": {"N": "3.0"}, ":sh": {"S": "SH"}}
    request = {
        "TableName": "shelves",
        "Key": KEY,
        "ConditionExpression": expression,
        "ExpressionAttributeNames": {"#left": "left"},
        "ExpressionAttributeValues": values if ":three" in expression else {":sh": values[":sh"]},
    }
    if holds:
        client.delete_item(**request)
    else:
        with pytest.raises(ClientError) as error:
            client.delete_item(**request)
        assert code_of(error) == "ConditionalCheckFailedException"


def test_an_update_makes_the_item_it_does_not_find(shelves: Table) -> None:
    shelves.update("SHIRT", "main", set={"left": 1})
    assert shelves.get("SHIRT", "main") == shirt(left=1)


def test_an_update_sets_adds_and_removes(client: Client, shelves: Table) -> None:
    shelves.put(shirt(colour="red", size="M"))
    changes: dict[str, Any] = {"set": {"size": "L"}, "add": {"left": -5, "sold": 2}, "remove": ["colour"]}
    transact(client, [update("shelves", "SHIRT", "main", **changes)])
    assert shelves.get("SHIRT", "main") == shirt(left=-2, sold=2, size="L")


def test_an_update_computes_from_the_item_as_it_was(client: Client, shelves: Table) -> None:
    shelves.put(shirt())
    client.update_item(
        TableName="shelves",
        Key=KEY,
        UpdateExpression="SET a = #left - :one, b = if_not_exists(a, #left) + :one, #left = :one",
        ExpressionAttributeNames={"#left": "left"},
        ExpressionAttributeValues={":one": {"N": "1"}},
    )
    assert shelves.get("SHIRT", "main") == shirt(left=1, a=2, b=4)


def test_an_update_answers_the_item_before_or_after(client: Client, shelves: Table) -> None:
    shelves.put(shirt())
    request = {
        "TableName": "shelves",
        "Key": KEY,
        "UpdateExpression": "ADD #left :one",
        "ExpressionAttributeNames": {"#left": "left"},
        "ExpressionAttributeValues": {":one": {"N": "1"}},
    }
    assert client.update_item(**request, ReturnValues="ALL_OLD")["Attributes"]["left"] == {"N": "3"}
    assert client.update_item(**request, ReturnValues="ALL_NEW")["Attributes"]["left"] == {"N": "5"}
    assert "Attributes" not in client.update_item(**request)


def test_a_failed_condition_is_answered_with_the_item_if_asked(client: Client, shelves: Table) -> None:
    shelves.put(shirt())
    with pytest.raises(ClientError) as error:
        client.delete_item(
            TableName="shelves",
            Key=KEY,
            ConditionExpression="attribute_not_exists(pk)",
            ReturnValuesOnConditionCheckFailure="ALL_OLD",
        )
    assert error.value.response["Item"]["left"] == {"N": "3"}


@pytest.mark.parametrize(
    ("request_", "message"),
    [
        ({"UpdateExpression": "SET pk = :a", "ExpressionAttributeValues": {":a": {"S": "x"}}}, "part of the key"),
        ({"UpdateExpression": ""}, "can not be empty"),
        ({"UpdateExpression": "SET a = :a"}, "not defined; attribute value: :a"),
        ({"UpdateExpression": "REMOVE #a"}, "not defined; attribute name: #a"),
        ({"UpdateExpression": "REMOVE a", "ExpressionAttributeValues": {":a": {"S": "x"}}}, "unused in expressions"),
        ({"UpdateExpression": "REMOVE a", "ExpressionAttributeNames": {"#a": "x"}}, "unused in expressions"),
        ({"UpdateExpression": "REMOVE status"}, "reserved keyword: status"),
        ({"UpdateExpression": "REMOVE a, a"}, "overlap"),
        ({"UpdateExpression": "REMOVE a REMOVE b"}, "only be used once"),
        ({"UpdateExpression": "SET a = b"}, "does not exist in the item"),
        ({"UpdateExpression": "SET a = pk + pk"}, "incorrect data type"),
        ({"UpdateExpression": "ADD a :a", "ExpressionAttributeValues": {":a": {"S": "x"}}}, "operand type: STRING"),
        ({"UpdateExpression": "ADD pk2 :a", "ExpressionAttributeValues": {":a": {"N": "x"}}}, "numeric value"),
        ({"UpdateExpression": "SET a = :a", "ExpressionAttributeValues": {":a": {"N": "1e126"}}}, "overflow"),
        ({"UpdateExpression": "SET a = :a", "ExpressionAttributeValues": {":a": {"N": "1" * 39}}}, "38 significant"),
        ({"UpdateExpression": "SET a = :a", "ExpressionAttributeValues": {":a": {"S": "x", "N": "1"}}}, "datatypes"),
        ({"UpdateExpression": "SET a = = :a", "ExpressionAttributeValues": {":a": {"S": "x"}}}, "Syntax error"),
        ({"UpdateExpression": "REMOVE a", "ConditionExpression": ""}, "can not be empty"),
        ({"UpdateExpression": "REMOVE a", "ConditionExpression": "a"}, "Syntax error"),
        ({"UpdateExpression": "REMOVE a", "ConditionExpression": "((a = b))"}, "redundant parentheses"),
        ({"UpdateExpression": "REMOVE a", "ExpressionAttributeNames": {}}, "must not be empty"),
        (
            {
                "UpdateExpression": "REMOVE a",
                "ConditionExpression": "pk BETWEEN :b AND :a",
                "ExpressionAttributeValues": {":a": {"S": "a"}, ":b": {"S": "b"}},
            },
            "upper bound",
        ),
        (
            {
                "UpdateExpression": "SET a = :a - :b",
                "ExpressionAttributeValues": {":a": {"N": "1e30"}, ":b": {"N": "1e-30"}},
            },
            "38 significant",
        ),
        ({"UpdateExpression": "REMOVE a", "Key": {"pk": {"S": "x"}}}, "does not match the schema"),
        ({"UpdateExpression": "REMOVE a", "Key": {"pk": {"S": ""}, "sk": {"S": "x"}}}, "empty string value. Key: pk"),
        ({"UpdateExpression": "REMOVE a", "Key": {"pk": {"S": "x"}, "sk": {"S": "x" * 1025}}}, "size limit of 1024"),
    ],
)
def test_a_wrong_request_is_refused_and_changes_nothing(
    client: Client, shelves: Table, request_: dict[str, Any], message: str
) -> None:
    shelves.put(shirt())
    with pytest.raises(ClientError, match=message) as error:
        client.update_item(**{"TableName": "shelves", "Key": KEY, **request_})
    assert code_of(error) == "ValidationException"
    assert client.scan(TableName="shelves")["Items"] == [{**KEY, "left": {"N": "3"}}]


def test_what_the_double_does_not_know_is_refused_loudly(client: Client, shelves: Table) -> None:
    for expression in ("size(pk) > :a", "contains(pk, :a)", "a.b = :a", "a[0] = :a"):
        with pytest.raises(NotImplementedError):
            client.delete_item(
                TableName="shelves",
                Key=KEY,
                ConditionExpression=expression,
                ExpressionAttributeValues={":a": {"N": "1"}},
            )
    with pytest.raises(NotImplementedError):
        client.put_item(TableName="shelves", Item={**KEY, "tags": {"SS": ["a"]}})
    with pytest.raises(TypeError):
        client.put_item(TableName="shelves", Item=KEY, Expected={})


def test_an_item_has_at_most_400_kilobytes(client: Client, shelves: Table) -> None:
    most = 400 * 1024 - len("pkSHIRTskmaintext")
    shelves.put({"pk": "SHIRT", "sk": "main", "text": "x" * most})
    with pytest.raises(ClientError, match="maximum allowed size"):
        shelves.put({"pk": "SHIRT", "sk": "main", "text": "x" * (most + 1)})
    with pytest.raises(ClientError, match="Item size to update has exceeded"):
        shelves.update("SHIRT", "main", set={"a": ""})
    shelves.update("SHIRT", "main", set={"b": ""}, remove=["text"])
    assert shelves.get("SHIRT", "main") == {"pk": "SHIRT", "sk": "main", "b": ""}


def test_numbers_are_exact_and_written_in_their_shortest_form(client: Client) -> None:
    numbers = {"007": "7", "-0": "0", "1.50": "1.5", "1e3": "1000", "9" * 38: "9" * 38, "-.5": "-0.5"}
    for given, kept in numbers.items():
        client.put_item(TableName="shelves", Item={**KEY, "n": {"N": given}})
        assert client.get_item(TableName="shelves", Key=KEY)["Item"]["n"] == {"N": kept}


class TestTransactions:
    def test_all_actions_happen_or_none(self, client: Client, shelves: Table) -> None:
        shelves.put(shirt())
        actions = [
            update("shelves", "SHIRT", "main", ("left", ">=", 2), add={"left": -2}),
            put("shelves", {"pk": "ORDER", "sk": "1"}, ("pk", "missing")),
            check("shelves", "SHOP", "open", ("pk", "missing")),
            delete("shelves", "CART", "1"),
        ]
        transact(client, actions)
        assert shelves.get("SHIRT", "main") == shirt(left=1)
        with pytest.raises(ConditionFailed) as error:
            transact(client, [*actions[1:], put("shelves", {"pk": "ORDER", "sk": "2"})])
        assert error.value.failed == (0,)
        assert shelves.get("ORDER", "2") is None

    def test_a_canceled_transaction_gives_a_reason_for_each_action(self, client: Client) -> None:
        with pytest.raises(ClientError) as error:
            client.transact_write_items(
                TransactItems=[put("shelves", shirt()), check("shelves", "SHOP", "open", ("pk", "exists"))]
            )
        assert code_of(error) == "TransactionCanceledException"
        assert reasons_of(error) == ["None", "ConditionalCheckFailed"]

    def test_the_same_token_is_the_same_transaction_for_ten_minutes(
        self, client: Client, shelves: Table, clock: Clock
    ) -> None:
        request = {"TransactItems": [update("shelves", "SHIRT", "main", add={"left": 1})], "ClientRequestToken": "t"}
        for moment in (0.0, 599.0, 600.0, 601.0):
            clock.now = 1_000_000.0 + moment
            client.transact_write_items(**request)
        assert shelves.get("SHIRT", "main") == shirt(left=2)

    def test_a_canceled_transaction_does_not_use_its_token_up(self, client: Client, shelves: Table) -> None:
        request = {
            "TransactItems": [update("shelves", "SHIRT", "main", ("left", ">", 0), add={"left": -1})],
            "ClientRequestToken": "t",
        }
        with pytest.raises(ClientError):
            client.transact_write_items(**request)
        shelves.put(shirt())
        client.transact_write_items(**request)
        assert shelves.get("SHIRT", "main") == shirt(left=2)

    def test_another_transaction_under_the_same_token_is_refused(self, client: Client, shelves: Table) -> None:
        client.transact_write_items(TransactItems=[put("shelves", shirt())], ClientRequestToken="t")
        with pytest.raises(ClientError) as error:
            client.transact_write_items(TransactItems=[delete("shelves", "SHIRT", "main")], ClientRequestToken="t")
        assert code_of(error) == "IdempotentParameterMismatchException"
        assert shelves.get("SHIRT", "main") == shirt()

    def test_no_item_stands_in_a_transaction_twice(self, client: Client) -> None:
        with pytest.raises(ClientError, match="multiple operations on one item"):
            transact(client, [put("shelves", shirt()), check("shelves", "SHIRT", "main", ("pk", "missing"))])

    @pytest.mark.parametrize("count", [0, 101])
    def test_a_transaction_has_one_to_a_hundred_actions(self, client: Client, count: int) -> None:
        with pytest.raises(ClientError) as error:
            transact(client, [put("shelves", shirt(pk=str(number))) for number in range(count)])
        assert code_of(error) == "ValidationException"

    def test_an_update_that_cannot_be_carried_out_cancels_the_transaction(self, client: Client, shelves: Table) -> None:
        shelves.put(shirt(left="none"))
        with pytest.raises(ClientError) as error:
            transact(client, [put("shelves", shirt(pk="A")), update("shelves", "SHIRT", "main", add={"left": 1})])
        assert reasons_of(error) == ["None", "ValidationError"]
        assert shelves.get("A", "main") is None


class TestQueries:
    @pytest.fixture(autouse=True)
    def stored_letters(self, shelves: Table) -> None:
        for letter in "cabed":
            shelves.put({"pk": "P", "sk": letter, "n": ord(letter)})
        shelves.put({"pk": "Q", "sk": "a"})

    @pytest.mark.parametrize(
        ("how", "letters"),
        [
            ({}, "abcde"),
            ({"descending": True}, "edcba"),
            ({"limit": 2}, "ab"),
            ({"limit": 2, "descending": True}, "ed"),
            ({"sort": ("sk", "<", "c")}, "ab"),
            ({"sort": ("sk", "<=", "c")}, "abc"),
            ({"sort": ("sk", ">", "c"), "descending": True}, "ed"),
            ({"sort": ("sk", ">=", "c")}, "cde"),
            ({"sort": ("sk", "between", ("b", "d"))}, "bcd"),
            ({"prefix": "d"}, "d"),
            ({"prefix": "x"}, ""),
        ],
    )
    def test_a_query_answers_what_lies_within_its_bounds(self, shelves: Table, how: Any, letters: str) -> None:
        assert "".join(item["sk"] for item in shelves.query("P", **how)) == letters

    def test_pages_go_on_where_the_last_one_ended(self, client: Client) -> None:
        request = {
            "TableName": "shelves",
            "KeyConditionExpression": "pk = :p",
            "ExpressionAttributeValues": {":p": {"S": "P"}},
            "Limit": 2,
        }
        pages = list(client.get_paginator("query").paginate(**request))
        assert [[item["sk"]["S"] for item in page["Items"]] for page in pages] == [["a", "b"], ["c", "d"], ["e"]]

    def test_a_page_holds_about_a_megabyte(self, client: Client, shelves: Table) -> None:
        for number in range(4):
            shelves.put({"pk": "BIG", "sk": str(number), "text": "x" * 350_000})
        answer = client.query(
            TableName="shelves",
            KeyConditionExpression="pk = :p",
            ExpressionAttributeValues={":p": {"S": "BIG"}},
        )
        assert answer["Count"] == 3 and answer["LastEvaluatedKey"]["sk"] == {"S": "2"}
        assert len(list(shelves.query("BIG"))) == 4

    def test_a_filter_is_applied_after_the_limit(self, client: Client) -> None:
        answer = client.query(
            TableName="shelves",
            KeyConditionExpression="pk = :p",
            FilterExpression="n > :n",
            ProjectionExpression="sk",
            ExpressionAttributeValues={":p": {"S": "P"}, ":n": {"N": "97"}},
            Limit=2,
        )
        assert answer["Items"] == [{"sk": {"S": "b"}}] and answer["ScannedCount"] == 2


class TestIndexes:
    @pytest.fixture(autouse=True)
    def placed(self, orders: Table) -> None:
        for day in (3, 1, 2):
            orders.put({"pk": f"ORDER#{day}", "sk": "ORDER", "status_shard": "paid", "placed_at": f"2026-11-0{day}"})

    def by_status(self, orders: Table, status: str, **how: Any) -> list[str]:
        items = orders.query(status, index="by_status", keys=("status_shard", "placed_at"), **how)
        return [item["pk"] for item in items]

    def test_an_index_shows_items_in_its_own_order(self, orders: Table) -> None:
        assert self.by_status(orders, "paid") == ["ORDER#1", "ORDER#2", "ORDER#3"]
        assert self.by_status(orders, "paid", sort=("placed_at", "<", "2026-11-02")) == ["ORDER#1"]

    def test_an_item_moves_within_an_index_as_it_changes(self, orders: Table) -> None:
        orders.update("ORDER#1", "ORDER", set={"status_shard": "sent"})
        orders.delete("ORDER#2", "ORDER")
        orders.update("ORDER#3", "ORDER", remove=["placed_at"])
        assert self.by_status(orders, "paid") == []
        assert self.by_status(orders, "sent") == ["ORDER#1"]

    def test_an_index_without_whole_items_shows_keys_and_what_it_includes(self, orders: Table) -> None:
        orders.put({"pk": "P", "sk": "S", "kind": "shirt", "title": "Red", "price": 5, "weight": 9})
        [shown] = orders.query("shirt", index="by_title", keys=("kind", "title"))
        assert shown == {"pk": "P", "sk": "S", "kind": "shirt", "title": "Red", "price": 5}

    def test_a_filter_sees_what_the_index_shows(self, orders: Table, client: Client) -> None:
        orders.put({"pk": "P", "sk": "S", "kind": "shirt", "title": "Red", "price": 5, "weight": 9})
        for attribute, shown in (("price", 1), ("weight", 0)):
            answer = client.query(
                TableName="orders",
                IndexName="by_title",
                KeyConditionExpression="kind = :k",
                FilterExpression=f"attribute_exists({attribute})",
                ExpressionAttributeValues={":k": {"S": "shirt"}},
            )
            assert answer["Count"] == shown

    def test_pages_of_an_index_go_on_where_the_last_one_ended(self, orders: Table, client: Client) -> None:
        orders.put({"pk": "ORDER#0", "sk": "ORDER", "status_shard": "paid", "placed_at": "2026-11-03"})
        request = {
            "TableName": "orders",
            "IndexName": "by_status",
            "KeyConditionExpression": "status_shard = :s",
            "ExpressionAttributeValues": {":s": {"S": "paid"}},
            "Limit": 1,
        }
        for forward in (True, False):
            pages = client.get_paginator("query").paginate(**request, ScanIndexForward=forward)
            seen = [item["pk"]["S"] for page in pages for item in page["Items"]]
            assert sorted(seen) == ["ORDER#0", "ORDER#1", "ORDER#2", "ORDER#3"]
            assert seen[0 if forward else -1] == "ORDER#1"

    def test_a_wrong_key_of_an_index_cancels_a_transaction(self, client: Client) -> None:
        with pytest.raises(ClientError) as error:
            transact(client, [put("orders", {"pk": "ORDER#1", "sk": "ORDER", "placed_at": 5})])
        assert reasons_of(error) == ["ValidationError"]

    def test_a_filter_looks_at_no_key(self, client: Client) -> None:
        with pytest.raises(ClientError, match="Primary key attribute: placed_at"):
            client.query(
                TableName="orders",
                IndexName="by_status",
                KeyConditionExpression="status_shard = :s",
                FilterExpression="placed_at > :s",
                ExpressionAttributeValues={":s": {"S": "paid"}},
            )

    @pytest.mark.parametrize("value", [5, ""])
    def test_a_key_of_an_index_is_text(self, orders: Table, value: Any) -> None:
        for write in (
            lambda: orders.update("ORDER#1", "ORDER", set={"placed_at": value}),
            lambda: orders.put({"pk": "ORDER#1", "sk": "ORDER", "status_shard": value}),
        ):
            with pytest.raises(ClientError) as error:
                write()
            assert code_of(error) == "ValidationException"


class TestReadsThatLag:
    def test_an_eventually_consistent_read_may_miss_the_last_write(self, database: Database, orders: Table) -> None:
        order = {"pk": "ORDER#1", "sk": "ORDER", "status_shard": "paid", "placed_at": "2026-11-01"}
        database.lagging = lambda: True
        orders.put(order)
        orders.update("ORDER#1", "ORDER", set={"status_shard": "sent"})
        assert orders.get("ORDER#1", "ORDER", consistent=False) == order
        assert list(orders.query("ORDER#1")) == [order]
        assert list(orders.query("sent", index="by_status", keys=("status_shard", "placed_at"))) == []

    def test_a_consistent_read_misses_nothing(self, database: Database, orders: Table) -> None:
        database.lagging = lambda: True
        orders.put({"pk": "ORDER#1", "sk": "ORDER"})
        assert orders.get("ORDER#1", "ORDER") and list(orders.query("ORDER#1", consistent=True))

    def test_after_a_second_no_read_lags(self, database: Database, orders: Table, clock: Clock) -> None:
        database.lagging = lambda: True
        orders.put({"pk": "ORDER#1", "sk": "ORDER", "status_shard": "paid", "placed_at": "2026-11-01"})
        clock.now += 1
        assert orders.get("ORDER#1", "ORDER", consistent=False) and list(orders.query("ORDER#1"))
        assert list(orders.query("paid", index="by_status", keys=("status_shard", "placed_at")))


class TestTheSimulationsKnobs:
    def test_a_stream_tells_every_change_once_with_both_images(
        self, database: Database, client: Client, shelves: Table
    ) -> None:
        shelves.put(shirt())
        shelves.put(shirt())
        transact(client, [update("shelves", "SHIRT", "main", add={"left": 1})])
        shelves.delete("SHIRT", "main")
        shelves.delete("SHIRT", "main")
        records = database.records("shelves")
        assert [record["eventName"] for record in records] == ["INSERT", "MODIFY", "REMOVE"]
        modified = records[1]["dynamodb"]
        assert modified["Keys"] == KEY
        assert (modified["OldImage"]["left"], modified["NewImage"]["left"]) == ({"N": "3"}, {"N": "4"})
        numbers = [record["dynamodb"]["SequenceNumber"] for record in records]
        assert numbers == sorted(numbers) and len(set(numbers)) == 3
        assert database.records("shelves", after=2) == records[2:]

    def test_a_refused_write_leaves_no_trace_in_the_stream(self, database: Database, client: Client) -> None:
        with pytest.raises(ConditionFailed):
            transact(client, [put("shelves", shirt()), check("shelves", "SHOP", "open", ("pk", "exists"))])
        assert database.records("shelves") == []

    def test_what_is_past_its_time_stays_until_the_simulation_says_so(self, database: Database, shelves: Table) -> None:
        for pk, expires_at in (("A", 99), ("B", 100)):
            shelves.put({"pk": pk, "sk": "x", "expires_at": expires_at})
        shelves.put({"pk": "C", "sk": "x"})
        assert database.expire("shelves", before=100) == 1
        assert [item["pk"]["S"] for item in database.items("shelves")] == ["B", "C"]
        assert database.records("shelves")[-1]["userIdentity"]["principalId"] == "dynamodb.amazonaws.com"

    def test_a_restored_snapshot_is_the_state_of_its_moment(
        self, database: Database, client: Client, shelves: Table, orders: Table
    ) -> None:
        shelves.put(shirt())
        orders.put({"pk": "ORDER#1", "sk": "ORDER", "status_shard": "paid", "placed_at": "2026-11-01"})
        snapshot = database.snapshot()
        for _ in range(2):
            request = {"TransactItems": [update("shelves", "SHIRT", "main", add={"left": 1})]}
            client.transact_write_items(**request, ClientRequestToken="t")
            orders.delete("ORDER#1", "ORDER")
            shelves.put(shirt(sk="attic"))
            assert shelves.get("SHIRT", "main") == shirt(left=4)
            assert not list(orders.query("paid", index="by_status", keys=("status_shard", "placed_at")))
            database.restore(snapshot)
            assert list(shelves.query("SHIRT")) == [shirt()]
            assert len(list(orders.query("paid", index="by_status", keys=("status_shard", "placed_at")))) == 1
            assert len(database.records("shelves")) == 1


class TestCapacity:
    """The limits that make a shop's hottest SKU slow, in virtual time."""

    @pytest.fixture
    def capacity(self, database: Database) -> Capacity:
        database.capacity = Capacity(latency=0.02)
        return database.capacity

    def test_a_partition_takes_1000_writes_of_a_kilobyte_in_a_second(
        self, capacity: Capacity, shelves: Table, clock: Clock
    ) -> None:
        for number in range(500):
            shelves.put({"pk": "SHIRT", "sk": str(number), "text": "x" * 1500})
        with pytest.raises(Contended) as error:
            shelves.put(shirt())
        assert "ProvisionedThroughputExceededException" in str(error.value.__cause__)
        shelves.put(shirt(pk="HAT"))
        clock.now += 1
        shelves.put(shirt())

    def test_a_transaction_costs_twice(self, capacity: Capacity, client: Client) -> None:
        for number in range(500):
            client.transact_write_items(TransactItems=[put("shelves", {"pk": "SHIRT", "sk": str(number)})])
        with pytest.raises(ClientError) as error:
            client.transact_write_items(TransactItems=[put("shelves", shirt())])
        assert reasons_of(error) == ["ThrottlingError"] and capacity.throttled == 1

    def test_a_partition_answers_3000_consistent_reads_in_a_second(self, capacity: Capacity, shelves: Table) -> None:
        for _ in range(3000):
            shelves.get("SHIRT", "main")
        with pytest.raises(Contended):
            shelves.get("SHIRT", "main")

    def test_a_batch_leaves_out_what_its_partition_has_no_units_for(
        self, capacity: Capacity, client: Client, shelves: Table
    ) -> None:
        shelves.put({"pk": "HAT", "sk": "main"})
        for _ in range(3000):
            shelves.get("SHIRT", "main")
        shirts, hats = ({"pk": {"S": pk}, "sk": {"S": "main"}} for pk in ("SHIRT", "HAT"))
        answer = client.batch_get_item(RequestItems={"shelves": {"Keys": [shirts, hats], "ConsistentRead": True}})
        assert answer["Responses"] == {"shelves": [hats]}
        assert answer["UnprocessedKeys"] == {"shelves": {"Keys": [shirts], "ConsistentRead": True}}
        with pytest.raises(ClientError):
            client.batch_get_item(RequestItems=answer["UnprocessedKeys"])

    def test_who_touches_what_a_transaction_holds_is_refused(
        self, capacity: Capacity, client: Client, shelves: Table, clock: Clock
    ) -> None:
        one_more = update("shelves", "SHIRT", "main", add={"left": 1})
        client.transact_write_items(TransactItems=[one_more, put("shelves", {"pk": "G", "sk": "1"})])
        clock.now += 0.01
        with pytest.raises(ClientError) as error:
            client.transact_write_items(TransactItems=[one_more, put("shelves", {"pk": "G", "sk": "2"})])
        assert reasons_of(error) == ["TransactionConflict", "None"]
        with pytest.raises(Contended) as error:
            shelves.put(shirt())
        assert "TransactionConflictException" in str(error.value.__cause__)
        assert shelves.get("SHIRT", "main") == shirt(left=1)
        clock.now += 0.01
        client.transact_write_items(TransactItems=[one_more])
        assert shelves.get("SHIRT", "main") == shirt(left=2)

    def test_a_canceled_transaction_holds_what_it_had_prepared(
        self, capacity: Capacity, client: Client, shelves: Table
    ) -> None:
        with pytest.raises(ClientError):
            client.transact_write_items(
                TransactItems=[put("shelves", shirt()), check("shelves", "SHOP", "open", ("pk", "exists"))]
            )
        with pytest.raises(Contended) as error:
            shelves.put(shirt())
        assert "TransactionConflictException" in str(error.value.__cause__)
        shelves.put({"pk": "SHOP", "sk": "open"})
