"""What happens on the line, and faults of it, between a client and DynamoDB, as botocore sees them."""

import random
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from typing import Any

from botocore.exceptions import ConnectionClosedError

from builders.fulfilment import Crash
from builders.orders import Shop

_CALL = "before-call.dynamodb.TransactWriteItems"


@contextmanager
def answers_lost_after_the_write(client: Any, times: int, operation: str = "TransactWriteItems") -> Iterator[list[int]]:
    """The next `times` calls of the operation take place, and their answers never arrive. Yields what was lost so far.

    botocore sends them again, as it does on the line.
    """
    lost: list[int] = []

    def send_and_lose(request: Any, **_: Any) -> None:
        if len(lost) < times:
            response = client._endpoint.http_session.send(request)
            lost.append(response.status_code)
            raise ConnectionClosedError(endpoint_url=request.url)

    event = f"before-send.dynamodb.{operation}"
    client.meta.events.register(event, send_and_lose)
    try:
        yield lost
    finally:
        client.meta.events.unregister(event, send_and_lose)


@contextmanager
def transactions_in_conflict(client: Any, share: float, seed: int = 1) -> Iterator[list[int]]:
    """So large a share of the transactions collides with another one, as DynamoDB does under load."""
    chance = random.Random(seed)
    collided: list[int] = []

    def collide(params: dict[str, Any], **_: Any) -> Any:
        if chance.random() >= share:
            return None
        collided.append(len(collided))
        reasons = [{"Code": "TransactionConflict", "Message": "Transaction is ongoing for the item"}]
        error = {"Error": {"Code": "TransactionCanceledException", "Message": ""}, "CancellationReasons": reasons}
        return _Refused(), error

    client.meta.events.register(_CALL, collide)
    try:
        yield collided
    finally:
        client.meta.events.unregister(_CALL, collide)


@contextmanager
def dying_at_the_transaction(shop: Shop, number: int = 1, moment: str = "before-send") -> Iterator[None]:
    """The function dies at its transaction of this number: before it is sent, or `after-call`."""
    numbers = count(1)

    def die(**_: Any) -> None:
        if next(numbers) == number:
            raise Crash

    event = f"{moment}.dynamodb.TransactWriteItems"
    shop.client.meta.events.register(event, die)
    try:
        yield
    finally:
        shop.client.meta.events.unregister(event, die)


@contextmanager
def calls_of(client: Any) -> Iterator[list[str]]:
    """The operations that the client calls, in order."""
    calls: list[str] = []

    def note(model: Any, **_: Any) -> None:
        calls.append(model.name)

    client.meta.events.register("before-call.dynamodb", note)
    try:
        yield calls
    finally:
        client.meta.events.unregister("before-call.dynamodb", note)


class _Refused:
    status_code = 400
