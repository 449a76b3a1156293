"""What lies between a function and DynamoDB: the time that calls take, and the SDK's own retries."""

import random
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from botocore.exceptions import ClientError

from tools.flash_sale.loop import Loop
from tools.simulation.dynamodb import Capacity, Client, Database

CALL_SECONDS = 0.005
"""A read, or a write outside of a transaction."""
SDK_ATTEMPTS = 4
_THROTTLED = "ProvisionedThroughputExceededException"


@dataclass
class Meter(Capacity):
    """The model of capacity, and how busy each partition key was in its busiest second."""

    busiest: Counter[tuple[str, str, str]] = field(default_factory=Counter)
    """Units by kind, table and partition key."""

    def takes(self, kind: str, table: str, partition: str, units: float, now: float) -> bool:
        """Uses units of the partition's second; False where it has not so many left."""
        taken = super().takes(kind, table, partition, units, now)
        key = (kind, table, partition)
        self.busiest[key] = max(self.busiest[key], int(self._used.get(key, (0, 0.0))[1]))
        return taken


class SlowClient:
    """Stands where a boto3 client stands: every call takes its time, and throttled ones are sent again."""

    def __init__(self, database: Database, capacity: Capacity, loop: Loop, chance: random.Random) -> None:
        self._client, self._capacity, self._loop, self._chance = Client(database), capacity, loop, chance

    def __getattr__(self, operation: str) -> Callable[..., Any]:
        transaction = operation == "transact_write_items"

        def call(**parameters: Any) -> Any:
            try:
                return getattr(self._client, operation)(**parameters)
            finally:
                self._loop.sleep(self._capacity.latency if transaction else CALL_SECONDS)

        return call if transaction else lambda **parameters: self._patiently(call, parameters)

    def _patiently(self, call: Callable[..., Any], parameters: dict[str, Any]) -> Any:
        for attempt in range(SDK_ATTEMPTS):
            try:
                return call(**parameters)
            except ClientError as error:
                if error.response["Error"]["Code"] != _THROTTLED or attempt == SDK_ATTEMPTS - 1:
                    raise
                self._loop.sleep(self._chance.random() * 2**attempt)
        raise AssertionError("the last attempt answers or raises")
