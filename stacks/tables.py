"""The shop's DynamoDB tables as plain data, for the data stack and for tests that make them in another engine."""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Index:
    """A global secondary index; both keys are strings. Without `includes` it projects whole items, or keys only."""

    name: str
    partition: str
    sort: str
    includes: tuple[str, ...] = ()
    keys_only: bool = False

    @property
    def projection(self) -> Literal["ALL", "INCLUDE", "KEYS_ONLY"]:
        """As DynamoDB calls it."""
        if self.keys_only:
            return "KEYS_ONLY"
        return "INCLUDE" if self.includes else "ALL"


@dataclass(frozen=True)
class TableSpec:
    """A table with keys `pk` and `sk`. `variable` is the name under which functions find it."""

    name: str
    variable: str
    indexes: tuple[Index, ...] = ()
    stream: bool = False
    time_to_live: bool = False
    recovery_days: int = 35
    """How far back it can be restored, where the environment keeps its data."""
    read_by_buyers: bool = False
    """Whether its reads grow with the buyers, so that refused ones are a reason to ring."""

    @property
    def output(self) -> str:
        """Under which the stack tells its name: `OrdersTable`. Its construct is called so as well."""
        return f"{self.name.capitalize()}Table"


CATALOG = TableSpec(
    "catalog",
    "CATALOG_TABLE",
    indexes=(
        Index("by_price", "listing", "price_key"),
        Index("by_newest", "listing", "newest_key"),
        Index("by_title", "listing", "title_key"),
        Index("by_word", "word", "word_key"),
    ),
    stream=True,
    read_by_buyers=True,
)
CARTS = TableSpec("carts", "CARTS_TABLE", time_to_live=True, read_by_buyers=True)
INVENTORY = TableSpec("inventory", "INVENTORY_TABLE", stream=True, read_by_buyers=True)
STOCKROOM = TableSpec("stockroom", "STOCKROOM_TABLE", indexes=(Index("by_listing", "listing", "position"),))
ORDERS = TableSpec(
    "orders",
    "ORDERS_TABLE",
    indexes=(
        Index("in_status", "status_shard", "placed_at", keys_only=True),
        Index("by_customer", "customer", "placed_at"),
        Index("by_ahead", "ahead", "moved_at", keys_only=True),
        Index("by_email", "email_key", "placed_at", keys_only=True),
    ),
    read_by_buyers=True,
)
OUTBOX = TableSpec(
    "outbox",
    "OUTBOX_TABLE",
    indexes=(Index("by_unpublished", "unpublished", "occurred_at", keys_only=True),),
    stream=True,
    time_to_live=True,
)
IDEMPOTENCY = TableSpec("idempotency", "IDEMPOTENCY_TABLE", time_to_live=True)
AUDIT = TableSpec("audit", "AUDIT_TABLE")
PRIVACY = TableSpec(
    "privacy",
    "PRIVACY_TABLE",
    indexes=(Index("by_person", "person", "pk", keys_only=True), Index("by_listing", "listing", "position")),
    time_to_live=True,
    recovery_days=7,  # a data key that was destroyed could come back for so long
    read_by_buyers=True,
)

ALL = (CATALOG, CARTS, INVENTORY, STOCKROOM, ORDERS, OUTBOX, IDEMPOTENCY, AUDIT, PRIVACY)
