"""Single writes of items that a transaction holds: they are tried again, not for ever."""

from typing import Any

import pytest
from botocore.exceptions import ClientError

from commerce.adapters.dynamodb import ATTEMPTS, Contended, Table


class Refusing:
    """A table that refuses so many updates before it takes one."""

    def __init__(self, code: str, times: int) -> None:
        self.code, self.times = code, times
        self.asked = 0

    def update_item(self, **_: Any) -> dict[str, Any]:
        """As DynamoDB, when the SDK has given up."""
        self.asked += 1
        if self.asked <= self.times:
            raise ClientError({"Error": {"Code": self.code, "Message": ""}}, "UpdateItem")
        return {}


def change(client: Refusing) -> None:
    Table(client, "orders").update("ORDER#1", "ORDER", set={"settled": True})


def test_an_item_that_a_transaction_holds_is_written_after_it(pauses: list[float]) -> None:
    client = Refusing("TransactionConflictException", times=2)

    change(client)

    assert (client.asked, len(pauses)) == (3, 2)


@pytest.mark.parametrize(
    ("code", "tries"), [("TransactionConflictException", ATTEMPTS), ("ProvisionedThroughputExceededException", 1)]
)
def test_who_writes_what_stays_busy_is_told_to_come_again(code: str, tries: int, pauses: list[float]) -> None:
    """The SDK has waited for throughput already, and knows nothing of transactions."""
    client = Refusing(code, times=100)

    with pytest.raises(Contended):
        change(client)

    assert client.asked == tries
    assert sum(pauses) < 3


def test_other_refusals_are_errors(pauses: list[float]) -> None:
    with pytest.raises(ClientError):
        change(Refusing("ValidationException", times=1))

    assert pauses == []
