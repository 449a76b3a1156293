"""What buyers ask of the catalogue, and what staff do to it."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from commerce.catalog.model import (
    RESERVED_CATEGORIES,
    Browsing,
    Category,
    Listing,
    Product,
    ProductDraft,
    Status,
    Variant,
    completed,
)
from commerce.clock import iso
from commerce.errors import Conflict, Invalid, NotFound, StaleVersion
from commerce.ids import new_id
from commerce.supply import NOTHING, Supply

MAX_LOOKUP = 50
"""How many identifiers one lookup takes."""


class Products(Protocol):
    """Where products are read, published or not."""

    def get(self, product_id: str) -> Product:
        """The product. Raises NotFound."""

    def by_handle(self, handle: str) -> Product:
        """The product with this handle. Raises NotFound."""

    def products(self, product_ids: Iterable[str]) -> dict[str, Product]:
        """The products that exist among these, by id."""

    def owners(self, skus: Iterable[str]) -> dict[str, str]:
        """The product id of every SKU that is, or ever was, in the catalogue."""


class Shelves(Protocol):
    """Lists of published products."""

    def browse(self, wanted: Browsing, *, after: str | None, limit: int) -> tuple[list[Listing], str | None]:
        """The listings behind the position `after`, and where to go on, if there are more."""


class SearchIndex(Protocol):
    """Finds published products by words. A search engine may take this place; positions are its own affair."""

    def search(self, query: str, wanted: Browsing, *, after: str | None, limit: int) -> tuple[list[str], str | None]:
        """Product ids, the best first, behind the position `after`, and where to go on, if there are more."""


class Stock(Protocol):
    """What can be sold right now."""

    def supply(self, skus: Iterable[str], now: datetime) -> dict[str, Supply]:
        """What can be sold of every SKU."""


class Store(Protocol):
    """Where staff's changes go."""

    def get(self, product_id: str) -> Product:
        """The product. Raises NotFound."""

    def save(self, old: Product | None, new: Product, *, actor: str, action: str, now: datetime) -> Product:
        """Writes the product whole. Raises StaleVersion, and Conflict naming the field."""

    def category(self, slug: str) -> tuple[Category, int]:
        """The category and its version. Raises NotFound."""

    def save_category(
        self, old: Category | None, new: Category, *, version: int, actor: str, now: datetime
    ) -> Category:
        """Writes the category as `version`. Raises StaleVersion."""


# what buyers ask


def show(products: Products, handle: str) -> Product:
    """The published product with this handle. Raises NotFound."""
    product = products.by_handle(handle)
    if not product.published:
        raise NotFound("there is no such product")
    return product


def find(
    products: Products,
    shelves: Shelves,
    index: SearchIndex,
    query: str,
    wanted: Browsing,
    *,
    after: str | None,
    limit: int,
) -> tuple[list[Product], str | None]:
    """Published products that the words of `query` lead to, or, without words, all that are `wanted`.

    Lists lag behind products by a moment: what was unpublished in between is left out, so a page may be short.
    """
    if query:
        found, position = index.search(query, wanted, after=after, limit=limit)
    else:
        listings, position = shelves.browse(wanted, after=after, limit=limit)
        found = [listing.product_id for listing in listings]
    by_id = products.products(found)
    return [by_id[one] for one in found if one in by_id and by_id[one].published], position


@dataclass(frozen=True)
class Match:
    """A variant that identifiers led to: `exact` by its SKU, `featured` by its product's id."""

    variant: Variant
    inputs: tuple[tuple[str, str], ...]
    """(identifier, exact or featured)."""


def look_up(
    products: Products, stock: Stock, identifiers: Iterable[str], wanted: Browsing, *, now: datetime
) -> tuple[list[tuple[Product, list[Match]]], list[str]]:
    """The published products behind product ids and SKUs, each once, and the identifiers that led nowhere."""
    asked = list(dict.fromkeys(identifiers))
    owners = products.owners(asked)
    by_id = products.products({*asked, *owners.values()})
    resolved: dict[str, dict[str, list[tuple[str, str]]]] = {}
    unknown = []
    for identifier in asked:
        product = by_id.get(identifier) or by_id.get(owners.get(identifier, ""))
        chosen = _chosen(product, identifier, stock, wanted, now) if product and product.published else None
        if product is None or chosen is None:
            unknown.append(identifier)
            continue
        match = "featured" if identifier == product.id else "exact"
        resolved.setdefault(product.id, {}).setdefault(chosen.sku, []).append((identifier, match))
    found = [
        (
            by_id[product_id],
            [Match(v, tuple(inputs)) for sku, inputs in skus.items() if (v := by_id[product_id].variant(sku))],
        )
        for product_id, skus in resolved.items()
    ]
    return found, unknown


def _chosen(product: Product, identifier: str, stock: Stock, wanted: Browsing, now: datetime) -> Variant | None:
    candidates = [variant for variant in product.variants if fits(product, variant, wanted)]
    if identifier != product.id:
        return next((variant for variant in candidates if variant.sku == identifier), None)
    return featured(candidates, stock.supply([variant.sku for variant in candidates], now))


def fits(product: Product, variant: Variant, wanted: Browsing) -> bool:
    """Whether the variant is sold in the currency that the product is shown in, and passes the filters."""
    currency = product.presentment((wanted.currency,))
    if currency not in variant.prices:
        return False
    amounts = [variant.prices[currency]] if currency == wanted.currency else []
    return wanted.holds(product.categories, amounts)


def featured(variants: Collection[Variant], supply: Mapping[str, Supply]) -> Variant | None:
    """The variant to show first: the first one in stock, else the first that can be bought, else the first."""

    def rank(variant: Variant) -> tuple[bool, bool]:
        there = supply.get(variant.sku, NOTHING)
        return there.free <= 0, there.left <= 0

    return min(variants, key=rank, default=None)


def resolve(products: Products, identifier: str) -> Product | None:
    """The published product with this id, or with a variant of this SKU."""
    owner = products.owners([identifier]).get(identifier, identifier)
    product = products.products([owner]).get(owner)
    if product is None or not product.published:
        return None
    return product if identifier == product.id or product.variant(identifier) else None


@dataclass(frozen=True)
class Selection:
    """A product narrowed down by option values: what is effectively selected, and the variants that match it."""

    selected: dict[str, str]
    variants: tuple[Variant, ...]
    """The featured one first."""


def select(
    product: Product,
    candidates: Collection[Variant],
    supply: Mapping[str, Supply],
    *,
    sku: str | None,
    selected: dict[str, str],
    preferences: Iterable[str],
) -> Selection | None:
    """Narrows the product to the selected option values, giving up the least preferred ones until a variant matches.

    A `sku` wins over the selection. None where there is no variant to choose from.
    """
    by_sku = next((variant for variant in candidates if variant.sku == sku), None)
    known = {name: value for name, value in selected.items() if any(name == option.name for option in product.options)}
    preferred = [name for name in dict.fromkeys(preferences) if name in known]
    kept = [*preferred, *(name for name in known if name not in preferred)]
    while kept and not _matching(candidates, {name: known[name] for name in kept}):
        kept.pop()
    effective = {name: known[name] for name in kept}
    matching = _matching(candidates, effective) if by_sku is None else list(candidates)
    first = by_sku or featured(matching, supply)
    if first is None:
        return None
    ordered = (first, *(variant for variant in matching if variant.sku != first.sku))
    return Selection(effective if effective and by_sku is None else first.options, ordered)


def _matching(variants: Iterable[Variant], selected: dict[str, str]) -> list[Variant]:
    return [variant for variant in variants if selected.items() <= variant.options.items()]


def signals(
    candidates: Collection[Variant], supply: Mapping[str, Supply], selected: dict[str, str], name: str, value: str
) -> tuple[bool, bool]:
    """Whether a variant with this option value, and what else is selected, exists; and whether one can be bought."""
    others = {other: chosen for other, chosen in selected.items() if other != name}
    matching = _matching(candidates, {**others, name: value})
    return bool(matching), any(supply.get(variant.sku, NOTHING).left > 0 for variant in matching)


# what staff do


def create_product(
    store: Store, draft: ProductDraft, *, categories: Collection[str], actor: str, now: datetime
) -> Product:
    """Makes the product. `categories` are the slugs that there are. Raises Invalid or Conflict, naming the field."""
    content = _checked(draft, categories)
    product = Product(
        **{name: getattr(content, name) for name in ProductDraft.model_fields},
        id=new_id("prod"),
        published_at=iso(now) if content.status == "active" else None,
        created_at=iso(now),
        updated_at=iso(now),
    )
    return store.save(None, product, actor=actor, action="created", now=now)


def replace_product(
    store: Store,
    product: Product,
    draft: ProductDraft,
    *,
    categories: Collection[str],
    actor: str,
    now: datetime,
) -> Product:
    """Gives the product the draft's content; without a handle of its own the draft keeps the product's.

    Raises Invalid or Conflict, naming the field, and StaleVersion where `product` is no longer the current one.
    """
    content = _checked(draft.model_copy(update={"handle": draft.handle or product.handle}), categories)
    return _change(store, product, content, actor=actor, action="changed", now=now)


def publish_product(store: Store, product: Product, *, actor: str, now: datetime) -> Product:
    """Buyers see the product from now on. Publishing what is published changes nothing."""
    return _set_status(store, product, "active", actor=actor, action="published", now=now)


def archive_product(store: Store, product: Product, *, actor: str, now: datetime) -> Product:
    """Buyers no longer see the product, and no cart can hold it; `publish_product` undoes it."""
    return _set_status(store, product, "archived", actor=actor, action="archived", now=now)


def _set_status(store: Store, product: Product, status: Status, *, actor: str, action: str, now: datetime) -> Product:
    if product.status == status:
        return product
    content = product.draft.model_copy(update={"status": status})
    return _change(store, product, content, actor=actor, action=action, now=now)


def _change(
    store: Store, product: Product, content: ProductDraft, *, actor: str, action: str, now: datetime
) -> Product:
    first_published = product.published_at or (iso(now) if content.status == "active" else None)
    changed = product.model_copy(
        update={
            **{name: getattr(content, name) for name in ProductDraft.model_fields},
            "published_at": first_published,
            "updated_at": iso(now),
            "version": product.version + 1,
        }
    )
    return store.save(product, changed, actor=actor, action=action, now=now)


def _checked(draft: ProductDraft, categories: Collection[str]) -> ProductDraft:
    for position, slug in enumerate(draft.categories):
        if slug not in categories:
            raise Invalid(f"there is no category {slug}; make it first", path=f"$.categories[{position}]")
    return completed(draft)


def expect_version(product: Product, version: int) -> Product:
    """The product, if it is still the version that the client has seen. Raises StaleVersion."""
    if product.version != version:
        raise StaleVersion(f"this is version {product.version} by now; read it again")
    return product


def put_category(
    store: Store, category: Category, *, version: int | None, actor: str, now: datetime
) -> tuple[Category, int]:
    """Makes the category, or changes the `version` of it that the client has seen; answers it and its version.

    A category stays under its parent, since products are listed under it there. Raises Invalid, Conflict, StaleVersion.
    """
    if category.slug in RESERVED_CATEGORIES:
        raise Invalid(f"{category.slug} is a word that the shop itself uses", path="$.slug")
    old, current = _existing(store, category.slug)
    if old is None and version is not None:
        raise StaleVersion("there is no such category yet; make it without If-Match")
    if old is not None and version != current:
        raise StaleVersion(f"this category exists, in version {current}; read it and send If-Match")
    if old is not None and old.parent != category.parent:
        raise Conflict("a category stays under its parent; make a new one instead", path="$.parent")
    if old is None and category.parent is not None and _existing(store, category.parent)[0] is None:
        raise Invalid(f"there is no category {category.parent}; make it first", path="$.parent")
    if old == category:
        return old, current
    return store.save_category(old, category, version=current + 1, actor=actor, now=now), current + 1


def _existing(store: Store, slug: str) -> tuple[Category | None, int]:
    try:
        return store.category(slug)
    except NotFound:
        return None, 0
