"""Staff decide how a SKU may be sold, and hear when it runs low, out, or is back."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, Protocol

from commerce.audit import Audit
from commerce.errors import ConditionFailed, Conflict, Invalid, StaleVersion
from commerce.events import StockBack, StockEvent, StockLow, StockOut
from commerce.ids import derived_id
from commerce.inventory.policy import Crossing, StockChange, check_terms, crossing
from commerce.supply import SellingPolicy, SellingTerms

_EVENTS: Mapping[Crossing, type[StockEvent]] = {"low": StockLow, "out": StockOut, "back": StockBack}


class Policies(Protocol):
    """Where selling policies are kept."""

    @property
    def locations(self) -> tuple[str, ...]:
        """The shop's locations, the preferred one first."""

    def policy(self, sku: str) -> SellingPolicy:
        """How the SKU may be sold."""

    def save_policy(
        self, sku: str, old: SellingPolicy, new: SellingPolicy, *, actions: Iterable[dict[str, Any]] = ()
    ) -> None:
        """Replaces `old`. Raises ConditionFailed: 0 where it is not `old` any more, 1 where units are owed there."""


def set_policy(
    inventory: Policies, audit: Audit, *, sku: str, terms: SellingTerms, expected: int, actor: str, now: datetime
) -> SellingPolicy:
    """The SKU is sold under these terms from now on; what was sold ahead before is owed all the same.

    Terms that name no location keep the one there was. Raises Invalid, StaleVersion where the policy is not the version
    `expected` any more, and Conflict where the terms leave a location at which units are owed.
    """
    check_terms(terms, now.date())
    old = inventory.policy(sku)
    if old.version != expected:
        raise StaleVersion(f"this is version {old.version} by now; read it again")
    location = terms.location or old.location or inventory.locations[0]
    if location not in inventory.locations:
        raise Invalid(f"{location} is no location of the shop", path="$.location")
    new = SellingPolicy(**{**dict(terms), "location": location}, version=old.version + 1)
    recorded = audit.action(
        f"stock#{sku}",
        actor=actor,
        action="policy.changed",
        now=now,
        before=old.model_dump(mode="json", exclude_none=True),
        after=new.model_dump(mode="json", exclude_none=True),
    )
    try:
        inventory.save_policy(sku, old, new, actions=[recorded])
    except ConditionFailed as refused:
        if 0 in refused.failed:
            raise StaleVersion("somebody else changed it at this moment; read it again") from None
        raise Conflict(
            f"units are owed at {old.location}: orders wait for them there until they are received or canceled",
            path="$.location",
        ) from None
    return new


def notice(change: StockChange, low: int) -> StockEvent | None:
    """What is to be told of the change, if anything; `low` is the SKU's threshold.

    Its id is the change's own: a stream that is replayed tells the same event again, and the outbox has it already.
    """
    crossed = crossing(change.before, change.after, low)
    if crossed is None:
        return None
    kind = _EVENTS[crossed]
    return kind(
        id=derived_id("evt", kind.type, change.sku, change.location, change.id),
        occurred_at=change.occurred_at,
        subject=change.sku,
        location=change.location,
        available=change.after,
        threshold=low,
    )
