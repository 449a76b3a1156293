"""Staff make discounts, change them and end them. Every write holds for the discount as it was read."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any, Protocol

from commerce.audit import Audit
from commerce.clock import iso
from commerce.discounts.model import Discount, DiscountContent
from commerce.discounts.request import DiscountCreateRequest
from commerce.errors import ConditionFailed, Conflict, Invalid, StaleVersion
from commerce.ids import new_id

_LENGTH = 12
"""Of a code that the shop makes: 60 random bits, which nobody guesses."""


class DiscountStore(Protocol):
    """Where discounts are kept."""

    def get(self, code: str) -> Discount:
        """The discount. Raises NotFound."""

    def add(self, discount: Discount, *, actions: Iterable[dict[str, Any]]) -> None:
        """Makes the discount. Raises ConditionFailed where the code is taken."""

    def save(self, old: Discount, new: Discount, *, actions: Iterable[dict[str, Any]]) -> None:
        """Replaces what staff decided. Raises ConditionFailed where it is not `old` any more."""


class Products(Protocol):
    """What the shop sells."""

    def products(self, product_ids: Iterable[str]) -> dict[str, Any]:
        """Those of the products that exist, by id."""


def create_discount(
    store: DiscountStore,
    products: Products,
    audit: Audit,
    request: DiscountCreateRequest,
    *,
    actor: str,
    now: datetime,
) -> Discount:
    """Makes the discount; one that was made with this code and content before is answered as it is.

    Raises Invalid, and Conflict where the code is taken by another discount.
    """
    _check(request, products)
    code = request.code or new_id("code").removeprefix("code_")[:_LENGTH].upper()
    discount = Discount(code=code, created_at=iso(now), **request.model_dump(exclude={"code"}))
    try:
        store.add(discount, actions=[_recorded(audit, None, discount, "created", actor, now)])
    except ConditionFailed:
        there = store.get(code)
        if there.version == 1 and _content(there) == _content(discount):
            return there
        raise Conflict(f"there is a discount {code} already; change that one, or take another code") from None
    return discount


def change_discount(
    store: DiscountStore,
    products: Products,
    audit: Audit,
    content: DiscountContent,
    *,
    code: str,
    expected: int,
    actor: str,
    now: datetime,
) -> Discount:
    """Replaces what staff decide about the discount. Orders keep what they were given. Raises Invalid, StaleVersion."""
    _check(content, products)
    return _save(store, audit, _at(store.get(code), expected), content.model_dump(), "changed", actor, now)


def end_discount(store: DiscountStore, audit: Audit, *, code: str, actor: str, now: datetime) -> Discount:
    """Nobody gets it from now on. One that is over stays as it is; a change with a later end opens it again."""
    discount = store.get(code)
    if discount.ends_at and datetime.fromisoformat(discount.ends_at) <= now:
        return discount
    begun = discount.starts_at is None or datetime.fromisoformat(discount.starts_at) < now
    over = {"ends_at": iso(now), "starts_at": discount.starts_at if begun else None}
    return _save(store, audit, discount, over, "ended", actor, now)


def _check(content: DiscountContent, products: Products) -> None:
    if content.starts_at and content.ends_at:
        start, end = map(datetime.fromisoformat, (content.starts_at, content.ends_at))
        if end <= start:
            raise Invalid("it would end before it starts", path="$.ends_at")
    known = products.products(content.product_ids) if content.product_ids else {}
    for position, product_id in enumerate(content.product_ids):
        if product_id not in known:
            raise Invalid("there is no such product", path=f"$.product_ids[{position}]")


def _at(discount: Discount, expected: int) -> Discount:
    if discount.version != expected:
        raise StaleVersion(f"this is version {discount.version} by now; read it again")
    return discount


def _save(
    store: DiscountStore,
    audit: Audit,
    discount: Discount,
    changes: dict[str, Any],
    what: str,
    actor: str,
    now: datetime,
) -> Discount:
    changed = discount.model_copy(update={**changes, "version": discount.version + 1})
    try:
        store.save(discount, changed, actions=[_recorded(audit, discount, changed, what, actor, now)])
    except ConditionFailed:
        raise StaleVersion("somebody changed the discount at the same moment; read it again") from None
    return changed


def _recorded(
    audit: Audit, before: Discount | None, after: Discount, what: str, actor: str, now: datetime
) -> dict[str, Any]:
    return audit.action(
        f"discount#{after.code}",
        actor=actor,
        action=f"discount.{what}",
        now=now,
        before=_content(before) if before else None,
        after=_content(after),
    )


def _content(discount: Discount) -> dict[str, Any]:
    return discount.model_dump(mode="json", exclude_none=True, include=set(DiscountContent.model_fields))
