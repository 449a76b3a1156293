"""What staff and imports do to stock. Orders reserve, release and ship through the repository's actions."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, Protocol

from commerce.audit import Audit
from commerce.errors import ConditionFailed, Conflict, Contended, Invalid
from commerce.events import Event, StockAdjusted, StockReason, StockTransferred, at
from commerce.ids import new_id
from commerce.inventory.model import MAX_UNITS, MovementKind, Part, Stock, by_location
from commerce.inventory.pooling import Pools, gather
from commerce.supply import SellingPolicy

_TRIES = 5


class StockLedger(Pools, Protocol):
    """Where stock is kept."""

    def stock(self, sku: str, location: str) -> Stock:
        """The SKU's stock at one location, all its rows summed."""

    def policy(self, sku: str) -> SellingPolicy:
        """How the SKU may be sold."""

    def done(self, change_id: str) -> bool:
        """Whether the adjustment or the transfer was made."""

    def adjust(
        self,
        part: Part,
        kind: MovementKind,
        *,
        adjustment_id: str,
        reason: str,
        actor: str,
        now: datetime,
        seen: Sequence[Stock] = (),
        adjustments: int | None = None,
        cap: int = 0,
        actions: Iterable[dict[str, Any]] = (),
        events: Iterable[Event] = (),
    ) -> None:
        """Adds to stock, if its rows are still as `seen`, and it had only so many `adjustments`.

        Raises ConditionFailed: 0 for the shelf, 1 for an adjustment made before.
        """

    def transfer(
        self,
        part: Part,
        destination: str,
        *,
        transfer_id: str,
        reason: str,
        actor: str,
        now: datetime,
        actions: Iterable[dict[str, Any]] = (),
        events: Iterable[Event] = (),
    ) -> None:
        """Moves units to another shelf. Raises ConditionFailed: 0 for too few, 1 for a transfer made before."""


def adjust_stock(
    inventory: StockLedger,
    audit: Audit,
    *,
    sku: str,
    quantity: int,
    reason: str,
    actor: str,
    adjustment_id: str,
    now: datetime,
    location: str | None = None,
    kind: StockReason = "adjusted",
) -> Stock:
    """Adds `quantity` units (signed) to what is free at `location`, and answers the stock as it is then.

    `adjustment_id` makes it happen once: the same adjustment again changes nothing and answers today's stock. Raises
    Conflict where fewer units are free than would be taken, Invalid for an unknown location, Contended where units keep
    moving between the rows of a pool.
    """
    place = _location(inventory, location)
    if not 0 < abs(quantity) <= MAX_UNITS:
        raise Invalid(f"a quantity is between 1 and {MAX_UNITS} units, added or taken", path="$.quantity")
    for _ in range(_TRIES):
        rows = with_enough(inventory, inventory.rows(sku, place), -quantity, actor, now)
        cap = _cap(inventory, rows[0]) if quantity < 0 else 0
        try:
            _adjust(inventory, audit, rows, quantity, kind, reason, actor, adjustment_id, now, exact=False, cap=cap)
        except ConditionFailed as refused:
            if 1 not in refused.failed and not inventory.done(adjustment_id):
                _expect_free(inventory, sku, place, -quantity, "taken away", owed=cap)
                continue
        return inventory.stock(sku, place)
    raise Contended(f"units of {sku} keep moving at {place}; send the adjustment again")


def set_stock(
    inventory: StockLedger,
    audit: Audit,
    *,
    sku: str,
    available: int,
    reason: str,
    actor: str,
    now: datetime,
    location: str | None = None,
) -> Stock:
    """Makes `available` units free at `location`, whatever is promised to orders. Setting what is set changes nothing.

    Raises Contended where orders keep taking stock in between, Invalid for an unknown location.
    """
    place = _location(inventory, location)
    if not 0 <= available <= MAX_UNITS:
        raise Invalid(f"stock is between 0 and {MAX_UNITS} units", path="$.available")
    for _ in range(_TRIES):
        rows = inventory.rows(sku, place)
        [before] = by_location(rows)
        missing = available - before.available
        if not missing:
            return before
        rows = with_enough(inventory, rows, -missing, actor, now)
        kind: StockReason = "received" if missing > 0 else "adjusted"
        try:
            _adjust(inventory, audit, rows, missing, kind, reason, actor, new_id("adj"), now, exact=True)
        except ConditionFailed:
            continue
        return before.model_copy(update={"available": available, "on_hand": before.on_hand + missing})
    raise Contended(f"orders keep changing the stock of {sku}; set it again")


def transfer_stock(
    inventory: StockLedger,
    audit: Audit,
    *,
    sku: str,
    quantity: int,
    origin: str,
    destination: str,
    reason: str,
    actor: str,
    transfer_id: str,
    now: datetime,
) -> tuple[Stock, Stock]:
    """Moves `quantity` free units from one location to another; answers both shelves as they are then.

    `transfer_id` makes it happen once. What is promised to orders stays, since they are picked where it lies. Raises
    Conflict where fewer units are free, Invalid for an unknown location or one and the same, Contended where units keep
    moving between the rows of a pool.
    """
    _location(inventory, origin, path="$.origin")
    _location(inventory, destination, path="$.destination")
    if origin == destination:
        raise Invalid("goods are transferred from one location to another one", path="$.destination")
    if not 0 < quantity <= MAX_UNITS:
        raise Invalid(f"a quantity is between 1 and {MAX_UNITS} units", path="$.quantity")
    moved = {"origin": origin, "destination": destination, "quantity": quantity}
    recorded = audit.action(
        f"stock#{sku}", actor=actor, action="stock.transferred", now=now, after={**moved, "reason": reason}
    )
    for _ in range(_TRIES):
        with_enough(inventory, inventory.rows(sku, origin), quantity, actor, now)
        try:
            inventory.transfer(
                Part(sku=sku, location=origin, quantity=quantity),
                destination,
                transfer_id=transfer_id,
                reason=reason,
                actor=actor,
                now=now,
                actions=[recorded],
                events=[StockTransferred(occurred_at=at(now), subject=sku, **moved)],
            )
        except ConditionFailed as refused:
            if 1 not in refused.failed and not inventory.done(transfer_id):
                _expect_free(inventory, sku, origin, quantity, "transferred")
                continue
        return inventory.stock(sku, origin), inventory.stock(sku, destination)
    raise Contended(f"units of {sku} keep moving at {origin}; send the transfer again")


def _expect_free(inventory: StockLedger, sku: str, location: str, units: int, done: str, *, owed: int = 0) -> None:
    """Raises Conflict where so many units cannot be `done`: fewer are free, with those that may be `owed`.

    Where enough are, they lay in other rows of a pool at that moment: its tender spreads what was gathered.
    """
    free = inventory.stock(sku, location).available
    if free + owed < units:
        raise Conflict(f"{free} units of {sku} are free at {location}; {units} cannot be {done}", path="$.quantity")


def _location(inventory: StockLedger, location: str | None, path: str = "$.location") -> str:
    if location is not None and location not in inventory.locations:
        raise Invalid(f"{location} is no location of the shop", path=path)
    return location or inventory.locations[0]


def with_enough(
    inventory: StockLedger, rows: tuple[Stock, ...], units: int, actor: str, now: datetime
) -> tuple[Stock, ...]:
    """The rows once the SKU's own one can give `units`, as far as there are so many: there staff's changes are made."""
    if len(rows) == 1 or rows[0].available >= units:
        return rows
    own = rows[0]
    gather(inventory, own.sku, own.location, units, actor=actor, now=now)
    return inventory.rows(own.sku, own.location)


def _cap(inventory: StockLedger, stock: Stock) -> int:
    """Units that may be owed at the location: what is lost of a SKU that is sold ahead becomes a backorder.

    The change is not conditioned on the policy: units are gone whatever staff decide at the same moment, and a cap that
    is lowered leaves what is owed already as it is.
    """
    policy = inventory.policy(stock.sku)
    return policy.cap if policy.location == stock.location else 0


def _adjust(
    inventory: StockLedger,
    audit: Audit,
    rows: tuple[Stock, ...],
    quantity: int,
    kind: StockReason,
    reason: str,
    actor: str,
    adjustment_id: str,
    now: datetime,
    *,
    exact: bool,
    cap: int = 0,
) -> None:
    """`exact` holds only if all `rows` are still as they were read. So many units as `cap` may be owed afterwards."""
    [before] = by_location(rows)
    inventory.adjust(
        Part(sku=before.sku, location=before.location, quantity=quantity),
        kind,
        adjustment_id=adjustment_id,
        reason=reason,
        actor=actor,
        now=now,
        seen=rows if exact else (),
        cap=cap,
        actions=[
            audit.action(
                f"stock#{before.sku}",
                actor=actor,
                action=f"stock.{kind}",
                now=now,
                before=before.model_dump(include={"location", "on_hand", "available"}),
                after={"location": before.location, "quantity": quantity, "reason": reason},
            )
        ],
        events=[
            StockAdjusted(
                occurred_at=at(now),
                subject=before.sku,
                location=before.location,
                quantity=quantity,
                reason=kind,
            )
        ],
    )
