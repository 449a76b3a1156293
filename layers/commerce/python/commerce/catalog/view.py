"""The catalogue in the protocol's shapes, and as shop pages see it.

Source: UCP 2026-08-25, catalog_search.json, catalog_lookup.json, types/product.json, types/variant.json.
"""

from collections.abc import Collection, Iterable, Mapping
from datetime import date
from typing import Literal

from commerce.catalog.model import AdminEntry, AuditEntry, Category, Listing, Media, Product, Variant
from commerce.catalog.service import Match, Selection, signals
from commerce.messages import Message
from commerce.model import Model
from commerce.money import Money
from commerce.protocol import LOOKUP, SEARCH, Envelope, envelope
from commerce.supply import NOTHING, Supply

MAX_SHOWN = 10
"""Variants of one product in a search's answer; /catalog/product has them all."""
MAX_FOUND = 50
"""Products in one answer to a search, however many it asks for."""


class Prose(Model):
    """A description."""

    plain: str
    html: str | None = None


class PriceSpan(Model):
    """From the lowest to the highest price."""

    min: Money
    max: Money


class Picture(Model):
    """A picture, by its absolute URL."""

    type: str = "image"
    url: str
    alt_text: str | None = None
    width: int | None = None
    height: int | None = None


class Shelf(Model):
    """A category, by its slug."""

    value: str
    taxonomy: str = "merchant"


class OptionValue(Model):
    """A value of an option. The two flags stand only where something is selected."""

    label: str
    available: bool | None = None
    exists: bool | None = None


class ShownOption(Model):
    """An option with its values."""

    name: str
    values: tuple[OptionValue, ...]


class ChosenOption(Model):
    """A variant's value of an option."""

    name: str
    label: str


class ShownAvailability(Model):
    """Whether it can be bought, and from when on it is sent; never how many there are."""

    available: bool
    status: Literal["in_stock", "out_of_stock", "backorder", "preorder"]
    """In the protocol's words."""
    low_stock: bool
    """Whether only a few are left."""
    expected_on: date | None = None
    """When a backorder or a preorder should be there, if the shop knows."""


class Barcode(Model):
    """A number that the trade knows the thing by."""

    type: str
    value: str


class Input(Model):
    """Which identifier of a lookup led to a variant, and how."""

    id: str
    match: str


class ShownVariant(Model):
    """The thing one buys; `id` is what a line item asks for."""

    id: str
    sku: str
    title: str
    description: Prose
    price: Money
    list_price: Money | None = None
    availability: ShownAvailability
    options: tuple[ChosenOption, ...] = ()
    media: tuple[Picture, ...] = ()
    barcodes: tuple[Barcode, ...] | None = None
    inputs: tuple[Input, ...] | None = None


class ShownProduct(Model):
    """A product in one currency."""

    id: str
    handle: str
    title: str
    description: Prose
    url: str
    categories: tuple[Shelf, ...]
    price_range: PriceSpan
    list_price_range: PriceSpan | None = None
    media: tuple[Picture, ...]
    options: tuple[ShownOption, ...]
    variants: tuple[ShownVariant, ...]
    tags: tuple[str, ...]
    selected: tuple[ChosenOption, ...] | None = None


class PageResponse(Model):
    """Whether there is more, and where."""

    has_next_page: bool
    cursor: str | None = None


class SearchResponse(Model):
    """What was found."""

    ucp: Envelope = envelope(SEARCH)
    products: tuple[ShownProduct, ...]
    pagination: PageResponse
    messages: tuple[Message, ...] | None = None


class LookupResponse(Model):
    """The products behind the identifiers; what is unknown is absent."""

    ucp: Envelope = envelope(LOOKUP)
    products: tuple[ShownProduct, ...]
    messages: tuple[Message, ...] | None = None


class ProductResponse(Model):
    """One product, narrowed down."""

    ucp: Envelope = envelope(LOOKUP)
    product: ShownProduct


class SeoTexts(Model):
    """For the page's head."""

    title: str
    description: str


class ProductPage(ShownProduct):
    """A product with what a shop page needs besides."""

    vendor: str
    product_type: str
    published_at: str
    seo: SeoTexts


class ListedProduct(Model):
    """A product in a list of a shop page."""

    id: str
    handle: str
    title: str
    url: str
    categories: tuple[Shelf, ...]
    price_range: PriceSpan
    list_price_range: PriceSpan | None = None
    media: tuple[Picture, ...]


class ProductList(Model):
    """A page of a list."""

    products: tuple[ListedProduct, ...]
    pagination: PageResponse


class CategoryNode(Model):
    """A category with those below it."""

    slug: str
    title: str
    children: tuple["CategoryNode", ...] = ()


class CategoryTree(Model):
    """The shop's shelves."""

    categories: tuple[CategoryNode, ...]


# from the one to the other


def page(cursor: str | None) -> PageResponse:
    """The pagination of an answer."""
    return PageResponse(has_next_page=cursor is not None, cursor=cursor)


def tree(categories: Iterable[Category]) -> CategoryTree:
    """Categories below their parents, by position and title."""
    ordered = sorted(categories, key=lambda category: (category.position, category.title, category.slug))

    def below(parent: str | None) -> tuple[CategoryNode, ...]:
        return tuple(
            CategoryNode(slug=one.slug, title=one.title, children=below(one.slug))
            for one in ordered
            if one.parent == parent
        )

    return CategoryTree(categories=below(None))


def listed(listing: Listing, base_url: str) -> ListedProduct:
    """A product in a list."""
    return ListedProduct(
        id=listing.product_id,
        handle=listing.handle,
        title=listing.title,
        url=f"{base_url}/products/{listing.handle}",
        categories=tuple(Shelf(value=slug) for slug in listing.categories),
        price_range=_span(listing.amounts, listing.currency),
        list_price_range=_span(listing.list_amounts, listing.currency) if listing.list_amounts else None,
        media=(_picture(listing.image, base_url),) if listing.image else (),
    )


def product_page(product: Product, currency: str, supply: Mapping[str, Supply], base_url: str) -> ProductPage:
    """A product's own page, with all that is sold in `currency`."""
    shown = shown_product(product, product.sold_in(currency), currency, supply, base_url)
    return ProductPage(
        **dict(shown),
        vendor=product.vendor,
        product_type=product.product_type,
        published_at=product.published_at or product.created_at,
        seo=SeoTexts(
            title=product.seo.title or product.title,
            description=product.seo.description or product.description.plain[:320],
        ),
    )


def shown_product(
    product: Product,
    variants: Iterable[Variant],
    currency: str,
    supply: Mapping[str, Supply],
    base_url: str,
    *,
    selection: Selection | None = None,
    candidates: Collection[Variant] = (),
    matches: Iterable[Match] = (),
) -> ShownProduct:
    """The product with these variants, all sold in `currency`. With a `selection`, option values say what of the
    `candidates` they lead to; with `matches`, variants say which identifiers led to them."""
    inputs = {match.variant.sku: match.inputs for match in matches}
    sold = product.sold_in(currency)
    before = [amount for variant in sold if (amount := variant.list_price(currency))]
    return ShownProduct(
        id=product.id,
        handle=product.handle,
        title=product.title,
        description=Prose(plain=product.description.plain, html=product.description.html),
        url=f"{base_url}/products/{product.handle}",
        categories=tuple(Shelf(value=slug) for slug in product.categories),
        price_range=_span([variant.prices[currency] for variant in sold], currency),
        list_price_range=_span(before, currency) if before else None,
        media=tuple(_picture(media, base_url) for media in product.media),
        options=_options(product, candidates, supply, selection),
        variants=tuple(
            _variant(product, variant, currency, supply, base_url, inputs.get(variant.sku)) for variant in variants
        ),
        tags=product.tags,
        selected=_chosen(product, selection.selected) if selection else None,
    )


def _options(
    product: Product, candidates: Collection[Variant], supply: Mapping[str, Supply], selection: Selection | None
) -> tuple[ShownOption, ...]:
    def value(name: str, label: str) -> OptionValue:
        if selection is None:
            return OptionValue(label=label)
        exists, can_be_bought = signals(candidates, supply, selection.selected, name, label)
        return OptionValue(label=label, exists=exists, available=can_be_bought)

    return tuple(
        ShownOption(name=option.name, values=tuple(value(option.name, label) for label in option.values))
        for option in product.options
    )


def _variant(
    product: Product,
    variant: Variant,
    currency: str,
    supply: Mapping[str, Supply],
    base_url: str,
    inputs: tuple[tuple[str, str], ...] | None,
) -> ShownVariant:
    before = variant.list_price(currency)
    image = product.image_of(variant)
    title = product.title_of(variant) or product.title
    return ShownVariant(
        id=variant.sku,
        sku=variant.sku,
        title=title,
        description=Prose(plain=title),
        price=Money(amount=variant.prices[currency], currency=currency),
        list_price=Money(amount=before, currency=currency) if before else None,
        availability=_availability(supply.get(variant.sku, NOTHING)),
        options=_chosen(product, variant.options),
        media=(_picture(image, base_url),) if image else (),
        barcodes=(Barcode(type=barcode_type(variant.barcode), value=variant.barcode),) if variant.barcode else None,
        inputs=tuple(Input(id=identifier, match=match) for identifier, match in inputs) if inputs else None,
    )


def _availability(supply: Supply) -> ShownAvailability:
    word = supply.availability
    return ShownAvailability(
        available=word != "out_of_stock",
        status="in_stock" if word == "low_stock" else word,
        low_stock=word == "low_stock",
        expected_on=supply.expected_on if word in ("backorder", "preorder") else None,
    )


def barcode_type(barcode: str) -> str:
    """By its length: UPC has 12 digits, EAN 8 or 13, GTIN 14; anything else is the merchant's own."""
    lengths = {8: "EAN", 12: "UPC", 13: "EAN", 14: "GTIN"}
    return lengths.get(len(barcode), "MPN") if barcode.isdigit() else "MPN"


def _chosen(product: Product, values: dict[str, str]) -> tuple[ChosenOption, ...]:
    return tuple(ChosenOption(name=o.name, label=values[o.name]) for o in product.options if o.name in values)


def _span(amounts: Collection[int], currency: str) -> PriceSpan:
    return PriceSpan(
        min=Money(amount=min(amounts), currency=currency), max=Money(amount=max(amounts), currency=currency)
    )


def _picture(media: Media, base_url: str) -> Picture:
    return Picture(
        url=base_url + media.url if media.url.startswith("/") else media.url,
        alt_text=media.alt or None,
        width=media.width,
        height=media.height,
    )


# what staff see


class AdminList(Model):
    """A page of products."""

    products: tuple[AdminEntry, ...]
    pagination: PageResponse


class AuditTrail(Model):
    """A page of the trail, the latest entry first."""

    entries: tuple[AuditEntry, ...]
