"""Puts an import's products into the shop, through the same use cases as the staff's API.

What is in the shop as the table says is left alone, so a second run writes nothing. Every step may be cut off and run
again: a product is written whole, its pictures before it, and its stock is set if, and only if, the shop has never
known any at the location.
"""

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, Protocol, TypeVar

from commerce import clock
from commerce.audit import Audit
from commerce.catalog import service
from commerce.catalog.model import Category, Product, ProductDraft, completed
from commerce.catalog.repository import CatalogRepository
from commerce.errors import CommerceError
from commerce.inventory.model import Stock
from commerce.inventory.repository import InventoryRepository
from commerce.inventory.service import set_stock
from tools.importer.drafts import Intake, Intakes, Remark, with_media
from tools.importer.pictures import Pictures

ACTOR = "importer"
_READ_AT_ONCE = 100

Outcome = Literal["created", "changed", "unchanged", "refused"]
Given = TypeVar("Given")


class Progress(Protocol):
    """Hears how far a step is."""

    def begin(self, step: str, total: int) -> None:
        """A step begins."""

    def advance(self) -> None:
        """One more of the step's things is done."""


@dataclass(frozen=True)
class Shop:
    """Where an import goes."""

    catalog: CatalogRepository
    inventory: InventoryRepository
    audit: Audit
    location: str
    pictures: Pictures


@dataclass
class Report:
    """What an import did."""

    products: dict[Outcome, int]
    variants: int
    categories_created: int
    stock_set: int
    pictures_missing: int
    refused: list[Remark]
    notes: list[Remark]


@dataclass(frozen=True)
class _Result:
    outcome: Outcome
    remark: Remark | None = None


def load(
    shop: Shop, found: Intakes, progress: Progress, *, threads: int, replace_stock: bool = False, dry_run: bool = False
) -> Report:
    """Brings the shop up to the table. A `dry_run` compares and writes nothing."""
    new_shelves = _missing_shelves(shop, found.products)
    known_shelves = {category.slug for category in shop.catalog.categories()} | {shelf.slug for shelf in new_shelves}
    if not dry_run:
        for shelf in new_shelves:
            service.put_category(shop.catalog, shelf, version=None, actor=ACTOR, now=clock.now())
    existing = _existing(shop, found.products)

    def write(intake: Intake) -> _Result:
        product = existing.get(intake.draft.handle or "")
        return _write(shop, intake, product, known_shelves, clock.now(), dry_run=dry_run)

    progress.begin("Products", len(found.products))
    results = list(_in_parallel(write, found.products, progress, threads))
    written = [i for i, r in zip(found.products, results, strict=True) if r.outcome != "refused"]
    refused = [*found.refused, *(result.remark for result in results if result.remark)]
    return Report(
        products={
            "created": sum(result.outcome == "created" for result in results),
            "changed": sum(result.outcome == "changed" for result in results),
            "unchanged": sum(result.outcome == "unchanged" for result in results),
            "refused": len({remark.product or f"line {remark.line}" for remark in refused}),
        },
        variants=sum(len(intake.draft.variants) for intake in written),
        categories_created=len(new_shelves),
        stock_set=_set_stock(shop, written, progress, threads, replace=replace_stock, dry_run=dry_run),
        pictures_missing=sum(
            shop.pictures.media(picture, title="") is None for intake in written for picture in intake.pictures
        ),
        refused=sorted(refused, key=lambda remark: remark.line),
        notes=found.notes,
    )


def _missing_shelves(shop: Shop, intakes: Iterable[Intake]) -> list[Category]:
    """Categories to be made, parents first, in the order in which the table mentions them."""
    known = {category.slug for category in shop.catalog.categories()}
    wanted = {shelf.slug: shelf for intake in intakes for shelf in intake.shelves}
    missing = [shelf for shelf in wanted.values() if shelf.slug not in known]
    return [shelf.model_copy(update={"position": len(known) + number}) for number, shelf in enumerate(missing)]


def _existing(shop: Shop, intakes: list[Intake]) -> dict[str, Product]:
    """The shop's products with the handles of the table, by handle."""
    handles = [intake.draft.handle for intake in intakes if intake.draft.handle]
    found: dict[str, Product] = {}
    for some in _chunks(handles):
        ids = shop.catalog.handles(some)
        products = shop.catalog.products(ids.values())
        found |= {handle: products[product_id] for handle, product_id in ids.items() if product_id in products}
    return found


def _write(
    shop: Shop, intake: Intake, product: Product | None, shelves: set[str], now: datetime, *, dry_run: bool
) -> _Result:
    try:
        draft = completed(_with_pictures(shop, intake))
        if product is None:
            if not dry_run:
                _upload(shop, intake)
                service.create_product(shop.catalog, draft, categories=shelves, actor=ACTOR, now=now)
            return _Result("created")
        if _same(product, draft):
            return _Result("unchanged")
        if not dry_run:
            _upload(shop, intake)
            service.replace_product(shop.catalog, product, draft, categories=shelves, actor=ACTOR, now=now)
        return _Result("changed")
    except CommerceError as error:
        return _Result("refused", Remark(intake.line, intake.draft.handle or "", error.content))


def _same(product: Product, draft: ProductDraft) -> bool:
    return product.draft.model_dump() == draft.model_dump()


def _with_pictures(shop: Shop, intake: Intake) -> ProductDraft:
    media = {picture.source: shop.pictures.media(picture, title=intake.draft.title) for picture in intake.pictures}
    own = {sku: found.url for sku, source in intake.variant_pictures.items() if (found := media.get(source))}
    distinct = {found.url: found for found in media.values() if found}
    return with_media(intake.draft, distinct.values(), own)


def _upload(shop: Shop, intake: Intake) -> None:
    for picture in intake.pictures:
        shop.pictures.upload(picture)


def _set_stock(
    shop: Shop, intakes: list[Intake], progress: Progress, threads: int, *, replace: bool, dry_run: bool
) -> int:
    """Sets the stock of SKUs that the location has never known; with `replace`, of all that differ."""
    wanted = {sku: units for intake in intakes for sku, units in intake.stock.items()}
    due: list[tuple[str, int]] = []
    for some in _chunks(list(wanted)):
        for sku, places in shop.inventory.stock_of(some).items():
            here = next(place for place in places if place.location == shop.location)
            if here.available != wanted[sku] and (replace or not here.known):
                due.append((sku, wanted[sku]))
    if dry_run:
        return len(due)

    def put(one: tuple[str, int]) -> Stock:
        sku, units = one
        return set_stock(
            shop.inventory,
            shop.audit,
            sku=sku,
            available=units,
            reason="import",
            actor=ACTOR,
            now=clock.now(),
            location=shop.location,
        )

    progress.begin("Stock", len(due))
    return len(list(_in_parallel(put, due, progress, threads)))


Result = TypeVar("Result")


def _in_parallel(
    work: Callable[[Given], Result], things: list[Given], progress: Progress, threads: int
) -> Iterator[Result]:
    """The results, in the order of the things. The first exception ends it, once the work under way is done."""
    with ThreadPoolExecutor(threads) as pool:
        for result in pool.map(work, things):
            progress.advance()
            yield result


def _chunks(things: list[str]) -> Iterator[list[str]]:
    for start in range(0, len(things), _READ_AT_ONCE):
        yield things[start : start + _READ_AT_ONCE]
