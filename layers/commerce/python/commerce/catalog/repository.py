"""The catalogue in DynamoDB: the table `catalog`, see docs/architecture.md. Nothing here scans."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from typing import Any

from commerce.adapters.audit import AuditTrail
from commerce.adapters.dynamodb import Condition, Item, Table, check, delete, fields, put, transact
from commerce.adapters.outbox import Outbox
from commerce.adapters.sharding import in_order
from commerce.catalog import projection
from commerce.catalog.model import (
    STATUSES,
    AdminEntry,
    AuditEntry,
    Browsing,
    Category,
    Listing,
    PriceRange,
    Product,
    Status,
    offers_of,
    price_key,
)
from commerce.catalog.words import words
from commerce.errors import ConditionFailed, Conflict, Contended, Invalid, NotFound, StaleVersion
from commerce.events import ProductChanged, at
from commerce.model import read_back
from commerce.pricing.model import Offer

_FIRST, _LAST = " ", "\U0010ffff"
"""Sort before and behind every key."""
_LONGEST = 120
"""Characters of a handle, a slug, an id or a SKU: none is longer."""
_ACTIONS = 100
"""The most that one transaction holds."""
_INDEX = {"price": ("by_price", "price_key"), "newest": ("by_newest", "newest_key"), "title": ("by_title", "title_key")}
_QUERY_WORDS = 8
"""How many words of a query are looked for; each is a request."""
_WORD_STEP = 100
"""Items of a word that one request reads."""
_PROJECTION_TRIES = 5


@dataclass(frozen=True)
class CatalogRepository:
    """Reads products for whoever needs them, and writes each whole, in one transaction."""

    table: Table
    outbox: Outbox
    audit: AuditTrail
    base_url: str = ""
    """Where the shop's own pictures are found: put before `/media/…` in offers."""
    owners_seen: dict[str, str] = field(default_factory=dict, compare=False)
    """Which product had a handle when this process last looked. Believed only where the product says so, too."""

    # one product

    def get(self, product_id: str) -> Product:
        """The product. Raises NotFound."""
        item = self._item("PRODUCT#", product_id, "PRODUCT")
        if item is None:
            raise NotFound("there is no such product")
        return _product(item)

    def by_handle(self, handle: str) -> Product:
        """The product with this handle. Raises NotFound."""
        if handle in self.owners_seen:
            item = self._item("PRODUCT#", self.owners_seen[handle], "PRODUCT")
            if item is not None and item["handle"] == handle:
                return _product(item)
        product = self._by_guard(self._item("HANDLE#", handle, "HANDLE"))
        self.owners_seen[handle] = product.id
        return product

    def by_sku(self, sku: str) -> Product:
        """The product that this SKU belongs to. Raises NotFound."""
        return self._by_guard(self._item("SKU#", sku, "VARIANT"))

    def _by_guard(self, guard: Item | None) -> Product:
        if guard is None:
            raise NotFound("there is no such product")
        return self.get(guard["product_id"])

    def _item(self, prefix: str, identifier: str, sk: str) -> Item | None:
        """The item, or None; also for text that is too long to be a key at all."""
        return self.table.get(prefix + identifier, sk) if len(identifier) <= _LONGEST else None

    # many products

    def products(self, product_ids: Iterable[str]) -> dict[str, Product]:
        """The products that exist among these, by id."""
        items = self.table.get_many((f"PRODUCT#{product_id}", "PRODUCT") for product_id in product_ids)
        return {item["id"]: _product(item) for item in items}

    def owners(self, skus: Iterable[str]) -> dict[str, str]:
        """The product id of every SKU that is, or ever was, in the catalogue."""
        items = self.table.get_many([(f"SKU#{sku}", "VARIANT") for sku in skus], consistent=True)
        return {item["sku"]: item["product_id"] for item in items}

    def handles(self, handles: Iterable[str]) -> dict[str, str]:
        """The product id of every handle that is taken."""
        items = self.table.get_many([(f"HANDLE#{handle}", "HANDLE") for handle in handles], consistent=True)
        return {item["handle"]: item["product_id"] for item in items}

    def offers(self, skus: Iterable[str]) -> dict[str, Offer]:
        """What pricing must know of each SKU. Absent where there is no such SKU; `published` is False where it is not
        sold at present."""
        items = self.table.get_many(((f"SKU#{sku}", "VARIANT") for sku in skus), consistent=True)
        return {item["sku"]: self._offer(item) for item in items}

    def _offer(self, item: Item) -> Offer:
        offer = Offer.model_validate({name: item[name] for name in Offer.model_fields if name in item})
        if offer.image_url and offer.image_url.startswith("/"):
            return offer.model_copy(update={"image_url": self.base_url + offer.image_url})
        return offer

    # writing

    def save(self, old: Product | None, new: Product, *, actor: str, action: str, now: datetime) -> Product:
        """Writes the product with its handle, its SKUs, an audit entry and the event, all or nothing.

        Nothing of it happens twice: the version, and for a new product its handle, are conditions. A SKU that goes
        stays as an unpublished item, so that an old order's SKU never comes to mean another product. Raises
        StaleVersion, and Conflict for a handle or SKU that another product has.
        """
        own: Condition = ("version", "=", old.version) if old else ("pk", "missing")
        actions = [put(self.table.name, _item(new), own)]
        paths = ["$"]
        for path, one in (*self._handle_actions(old, new), *self._sku_actions(old, new)):
            paths.append(path)
            actions.append(one)
        before, after = _difference(old, new)
        entry = self.audit.action(
            f"product#{new.id}", actor=actor, action=f"product.{action}", now=now, before=before, after=after
        )
        changed = ProductChanged(occurred_at=at(now), subject=new.id, product_version=new.version, status=new.status)
        actions += [entry, self.outbox.action(changed)]
        if len(actions) > _ACTIONS:
            raise Invalid("this exchanges too many variants at once; do it in two steps", path="$.variants")
        try:
            transact(self.table.client, actions)
        except ConditionFailed as failure:
            raise _refusal(paths[failure.failed[0]], new) from failure
        return new

    def _handle_actions(self, old: Product | None, new: Product) -> Iterator[tuple[str, dict[str, Any]]]:
        if old and old.handle == new.handle:
            return
        guard = {"pk": f"HANDLE#{new.handle}", "sk": "HANDLE", "handle": new.handle, "product_id": new.id}
        yield "$.handle", put(self.table.name, guard, ("pk", "missing"))
        if old:
            yield "$", delete(self.table.name, f"HANDLE#{old.handle}", "HANDLE", ("product_id", "=", old.id))

    def _sku_actions(self, old: Product | None, new: Product) -> Iterator[tuple[str, dict[str, Any]]]:
        """Writes the SKUs whose offer changed."""
        known = {offer.sku: offer for offer in offers_of(old)} if old else {}
        wanted = {offer.sku: offer for offer in offers_of(new)}
        added = [sku for sku in wanted if sku not in known]
        owners = self.owners(added) if old else {}
        for position, (sku, offer) in enumerate(wanted.items()):
            path = f"$.variants[{position}].sku"
            if sku in known or owners.get(sku) == new.id:
                if known.get(sku) != offer:
                    yield path, put(self.table.name, _sku_item(offer), ("product_id", "=", new.id))
            else:
                yield path, put(self.table.name, _sku_item(offer), ("pk", "missing"))
        for sku, offer in known.items():
            if sku not in wanted:
                gone = offer.model_copy(update={"published": False})
                yield "$", put(self.table.name, _sku_item(gone), ("product_id", "=", new.id))

    def history(self, product_id: str, *, before: str | None = None, limit: int = 50) -> tuple[AuditEntry, ...]:
        """Who changed the product, the latest first; entries before the position `before`."""
        entries = Table(self.table.client, self.audit.table).query(
            f"product#{product_id}", sort=("sk", "<", before) if before else None, limit=limit, descending=True
        )
        return tuple(
            AuditEntry(
                position=entry["sk"],
                occurred_at=entry["sk"].partition("#")[0],
                actor=entry["actor"],
                action=entry["action"],
                before=entry["before"],
                after=entry["after"],
            )
            for entry in entries
        )

    # categories

    def categories(self) -> tuple[Category, ...]:
        """All categories, in no promised order. They are few: one partition holds them."""
        return tuple(_category(item) for item in self.table.query("CATEGORIES"))

    def category(self, slug: str) -> tuple[Category, int]:
        """The category and its version. Raises NotFound."""
        item = self.table.get("CATEGORIES", slug) if len(slug) <= _LONGEST else None
        if item is None:
            raise NotFound("there is no such category")
        return _category(item), item["version"]

    def save_category(
        self, old: Category | None, new: Category, *, version: int, actor: str, now: datetime
    ) -> Category:
        """Writes the category as `version`, with an audit entry. Raises StaleVersion."""
        condition: Condition = ("version", "=", version - 1) if old else ("pk", "missing")
        item = {"pk": "CATEGORIES", "sk": new.slug, "version": version, **new.model_dump(exclude_none=True)}
        entry = self.audit.action(
            f"category#{new.slug}",
            actor=actor,
            action="category.changed" if old else "category.created",
            now=now,
            before=old.model_dump(exclude_none=True) if old else None,
            after=new.model_dump(exclude_none=True),
        )
        try:
            transact(self.table.client, [put(self.table.name, item, condition), entry])
        except ConditionFailed as failure:
            raise StaleVersion("someone else changed this category; read it again") from failure
        return new

    # lists

    def browse(self, wanted: Browsing, *, after: str | None, limit: int) -> tuple[list[Listing], str | None]:
        """The next `limit` listings behind the position `after`, and the position to go on from, if there are more."""
        index, key = _INDEX[wanted.sort]
        low, high = _price_bounds(wanted.price) if wanted.sort == "price" else (_FIRST, _LAST)

        name = projection.listing_partition(wanted.category, wanted.currency)
        keys = ("listing", key)
        walks = [
            self._walk(name + place, index, keys, low, high, after, wanted.descending, limit)
            for place in self._places
        ]
        matching = (
            item
            for item in in_order(walks, key=key, descending=wanted.descending)
            if wanted.holds(item["categories"], item["amounts"])
        )
        items, position = _page(matching, key, limit)
        return [projection.listing(item) for item in items], position

    def admin_list(
        self, status: Status | None, *, after: str | None, limit: int
    ) -> tuple[list[AdminEntry], str | None]:
        """Products in this state, or in any, the newest first, from the position `after` on."""
        statuses = (status,) if status else STATUSES

        keys = ("listing", "newest_key")
        walks = [
            self._walk(projection.admin_partition(one) + place, "by_newest", keys, _FIRST, _LAST, after, True, limit)
            for one in statuses
            for place in projection.WHOLE + projection.SPREAD
        ]
        newest_first = in_order(walks, key="newest_key", descending=True)
        items, position = _page(newest_first, "newest_key", limit)
        fields = AdminEntry.model_fields
        return [AdminEntry.model_validate({name: item[name] for name in fields}) for item in items], position

    def search(self, query: str, wanted: Browsing, *, after: str | None, limit: int) -> tuple[list[str], str | None]:
        """Ids of the products that all of the query's words lead to, the newest first."""
        looked_for = words([query])[:_QUERY_WORDS]
        if not looked_for:
            return [], None

        def walk(partition: str) -> Iterator[Item]:
            return self._walk(partition, "by_word", ("word", "word_key"), _FIRST, _LAST, after, True, _WORD_STEP)

        walks = [_intersection([walk(word + place) for word in looked_for]) for place in self._places]
        matching = (
            item
            for item in in_order(walks, key="word_key", descending=True)
            if wanted.holds(item["categories"], item["amounts"].get(wanted.currency, ()))
        )
        items, position = _page(matching, "word_key", limit)
        return [item["product_id"] for item in items], position

    @cached_property
    def _places(self) -> tuple[str, ...]:
        """Where buyers' lists stand: whole, and, while any published product is there, in the old shards as well.

        A process looks once: nothing is written into the old shards any more.
        """
        keys = ("listing", "newest_key")
        shards = (projection.admin_partition("active") + place for place in projection.SPREAD)
        left = any(any(self.table.query(one, index="by_newest", keys=keys, limit=1)) for one in shards)
        return projection.WHOLE + projection.SPREAD if left else projection.WHOLE

    def _walk(
        self,
        partition: str,
        index: str,
        keys: tuple[str, str],
        low: str,
        high: str,
        after: str | None,
        descending: bool,
        step: int,
    ) -> Iterator[Item]:
        """The partition's items with sort keys from `low` to `high`, strictly behind `after`, `step` to a request."""
        while True:
            if after is not None:
                low, high = (low, after) if descending else (after, high)
            items = list(
                self.table.query(
                    partition,
                    index=index,
                    keys=keys,
                    sort=(keys[1], "between", (low, high)),
                    limit=step + 1,
                    descending=descending,
                )
            )
            yield from (item for item in items if item[keys[1]] != after)
            if len(items) <= step:
                return
            after = items[-1][keys[1]]

    # projection

    def project(self, product_id: str, parents: Mapping[str, str | None]) -> int:
        """Brings the product's listings and words up to the product as it is now; answers how many items changed.

        Reads everything afresh, so that it may be called twice, late, or out of order. The item `PROJECTED` holds the
        version that was projected last, and every write is conditioned on it: a slow call that read an older version
        can never overwrite a newer one's work.
        """
        for _ in range(_PROJECTION_TRIES):
            found = {item["sk"]: item for item in self.table.query(f"PRODUCT#{product_id}", consistent=True)}
            if "PRODUCT" not in found:
                raise NotFound("there is no such product")
            product = _product(found.pop("PRODUCT"))
            projected = found.pop("PROJECTED", {"version": 0})["version"]
            if projected > product.version:
                continue
            wanted = projection.projection(product, parents)
            changes = [put(self.table.name, item) for sk, item in wanted.items() if found.get(sk) != item]
            changes += [delete(self.table.name, f"PRODUCT#{product_id}", sk) for sk in found if sk not in wanted]
            try:
                self._write_projection(product, projected, changes)
            except ConditionFailed:
                continue
            return len(changes)
        raise Contended("others keep projecting this product; it will be tried again")

    def _write_projection(self, product: Product, projected: int, changes: list[dict[str, Any]]) -> None:
        pk = f"PRODUCT#{product.id}"
        guard: list[Condition] = [("version", "=", projected)] if projected else [("pk", "missing")]
        head = put(self.table.name, {"pk": pk, "sk": "PROJECTED", "version": product.version}, *guard)
        if changes or projected != product.version:
            transact(self.table.client, [head, *changes[: _ACTIONS - 1]])
        for start in range(_ACTIONS - 1, len(changes), _ACTIONS - 1):
            still_mine = check(self.table.name, pk, "PROJECTED", ("version", "=", product.version))
            transact(self.table.client, [still_mine, *changes[start : start + _ACTIONS - 1]])


def _product(item: Item) -> Product:
    return read_back(Product, fields(item))


def _item(product: Product) -> Item:
    return {"pk": f"PRODUCT#{product.id}", "sk": "PRODUCT", **product.model_dump(mode="json", exclude_none=True)}


def _sku_item(offer: Offer) -> Item:
    return {"pk": f"SKU#{offer.sku}", "sk": "VARIANT", **offer.model_dump(mode="json", exclude_none=True)}


def _category(item: Item) -> Category:
    return Category.model_validate({name: item[name] for name in Category.model_fields if name in item})


def _refusal(path: str, new: Product) -> Exception:
    """What a failed condition means, by the field whose item refused."""
    if path == "$":
        return StaleVersion("someone else changed this product; read it again")
    if path == "$.handle":
        return Conflict(f"another product has the handle {new.handle}", path=path)
    sku = new.variants[int(path.removeprefix("$.variants[").removesuffix("].sku"))].sku
    return Conflict(f"SKU {sku} belongs to another product", path=path)


def _difference(old: Product | None, new: Product) -> tuple[dict[str, Any] | None, dict[str, Any]]:
    """What changed, before and after: fields, and of the variants only those that differ. A new product is told in
    short, since its first version can be made out from the changes."""
    if old is None:
        skus = [variant.sku for variant in new.variants]
        return None, {"handle": new.handle, "title": new.title, "status": new.status, "skus": skus}
    before, after = (product.model_dump(mode="json", exclude_none=True) for product in (old, new))
    variants = [{one["sku"]: one for one in side.pop("variants")} for side in (before, after)]
    fields = [name for name in {**before, **after} if before.get(name) != after.get(name)]
    skus = [sku for sku in {**variants[0], **variants[1]} if variants[0].get(sku) != variants[1].get(sku)]

    def told(side: dict[str, Any], own: dict[str, Any]) -> dict[str, Any]:
        changed = {name: side.get(name) for name in fields}
        return {**changed, "variants": {sku: own.get(sku) for sku in skus}} if skus else changed

    return told(before, variants[0]), told(after, variants[1])


def _price_bounds(price: PriceRange | None) -> tuple[str, str]:
    """Of the lowest price only the upper bound can be asked of the index: a dearer variant may lie in the range."""
    if price is None or price.max is None:
        return _FIRST, _LAST
    return _FIRST, f"{price_key(price.max)}{_LAST}"


def _page(items: Iterator[Item], key: str, limit: int) -> tuple[list[Item], str | None]:
    page: list[Item] = []
    for item in items:
        if len(page) == limit:
            return page, page[-1][key]
        page.append(item)
    return page, None


def _intersection(lists: list[Iterator[Item]]) -> Iterator[Item]:
    """The items, by `word_key`, that are in all lists; each is sorted by it, descending."""
    heads = [next(items, None) for items in lists]
    while all(head is not None for head in heads):
        keys = [head["word_key"] for head in heads if head is not None]
        lowest = min(keys)
        if max(keys) == lowest:
            yield heads[0]  # type: ignore[misc]
            heads = [next(items, None) for items in lists]
        else:
            heads = [
                head if key == lowest else next(items, None)
                for head, key, items in zip(heads, keys, lists, strict=True)
            ]
