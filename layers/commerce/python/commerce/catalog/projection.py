"""The items that make a product findable, computed from the product alone (and the tree of categories).

Items beside `PRODUCT#<id>`/`PRODUCT`: `LISTING#<category>#<currency>`, `LISTING#admin#<status>`, `WORD#<word>`.
"""

from collections.abc import Mapping
from typing import Any

from commerce.adapters.dynamodb import Item
from commerce.adapters.sharding import SHARDS
from commerce.catalog.model import AdminEntry, Listing, Product, Status, categories_of, listings_of, words_of

WHOLE = ("",)
"""What is added to the name of a list's partition, in each of its places."""
SPREAD = tuple(f"#{shard}" for shard in range(SHARDS))
"""The same where the releases before this one put it. Nothing is written there any more; `make relist` empties them."""


def listing_partition(category: str, currency: str) -> str:
    """The partition of a category's products in one currency."""
    return f"{category}#{currency}"


def admin_partition(status: Status) -> str:
    """The partition of all products in one publication state. No currency is in small letters, so none is like it."""
    return f"admin#{status}"


def projection(product: Product, parents: Mapping[str, str | None]) -> dict[str, Item]:
    """The items that a product should have beside its own, by sort key."""
    items = [*_listings(product, parents), _admin_listing(product), *_words(product, parents)]
    return {item["sk"]: item for item in items}


def listing(item: Mapping[str, Any]) -> Listing:
    """The listing in an item."""
    return Listing.model_validate({name: item[name] for name in Listing.model_fields if name in item})


def _listings(product: Product, parents: Mapping[str, str | None]) -> list[Item]:
    return [
        {
            "pk": f"PRODUCT#{product.id}",
            "sk": f"LISTING#{entry.category}#{entry.currency}",
            "listing": listing_partition(entry.category, entry.currency),
            "price_key": entry.price_key,
            "newest_key": entry.newest_key,
            "title_key": entry.title_key,
            **entry.model_dump(mode="json", exclude_none=True),
        }
        for entry in listings_of(product, parents)
    ]


def _admin_listing(product: Product) -> Item:
    """Staff see every product, the newest first; in no other order, and so in no other index."""
    return {
        "pk": f"PRODUCT#{product.id}",
        "sk": f"LISTING#admin#{product.status}",
        "listing": admin_partition(product.status),
        "newest_key": f"{product.created_at}#{product.id}",
        **AdminEntry.of(product).model_dump(),
    }


def _words(product: Product, parents: Mapping[str, str | None]) -> list[Item]:
    """All words of a product sort alike, so that two words' products can be intersected in one pass."""
    amounts = {
        currency: sorted({variant.prices[currency] for variant in product.sold_in(currency)})
        for currency in sorted({currency for variant in product.variants for currency in variant.prices})
    }
    return [
        {
            "pk": f"PRODUCT#{product.id}",
            "sk": f"WORD#{word}",
            "word": word,
            "word_key": f"{product.published_at}#{product.id}",
            "product_id": product.id,
            "categories": list(categories_of(product, parents)),
            "amounts": amounts,
        }
        for word in words_of(product)
    ]
