"""Products, variants, categories, and the rules that hold for them. Prices in minor units."""

from collections.abc import Iterable, Mapping
from typing import Annotated, Any, Literal, get_args

from pydantic import Field

from commerce.catalog.words import fold, handle_from, plain_text, words
from commerce.errors import Invalid
from commerce.model import Model, written
from commerce.money import Amount, Currency
from commerce.pricing.model import Offer

MAX_VARIANTS = 90
"""A product is written in one transaction of at most 100 actions, one for each variant."""
MAX_WORDS = 80
"""How many words lead to one product."""

ALL = "all"
"""The listing that every published product is in."""
RESERVED_CATEGORIES = frozenset({ALL, "admin"})

Status = Literal["draft", "active", "archived"]
"""The publication state: only an active product is seen or sold."""
STATUSES: tuple[Status, ...] = get_args(Status)

Slug = Annotated[
    str,
    written(
        r"^[a-z0-9]+(-[a-z0-9]+)*$",
        "use lower-case letters and digits, with single hyphens between them, such as blue-shirt",
        max_length=120,
    ),
]
Sku = Annotated[
    str,
    written(
        r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$",
        "use up to 64 letters, digits, dots, hyphens and underscores, a letter or digit first, such as SHIRT-M",
    ),
]
Line = Annotated[str, Field(max_length=255)]
Label = Annotated[str, Field(min_length=1, max_length=100)]


class Media(Model):
    """A picture. `url` is relative (`/media/…`) for the shop's own pictures, absolute for others; sizes in pixels."""

    url: Annotated[
        str,
        written(
            r"^(/media/|https?://)\S+$",
            "use a path of the shop's own pictures, /media/…, or an address with https://",
            max_length=1000,
        ),
    ]
    alt: Line = ""
    width: Annotated[int, Field(ge=1, le=20_000)] | None = None
    height: Annotated[int, Field(ge=1, le=20_000)] | None = None


class Option(Model):
    """What variants differ in: `Size` with its values, in the order in which they are shown."""

    name: Label
    values: Annotated[tuple[Label, ...], Field(min_length=1, max_length=MAX_VARIANTS)]


class Variant(Model):
    """The thing one buys. Its SKU is its id; `options` maps every option's name to this variant's value."""

    sku: Sku
    options: dict[Label, Label] = Field(default_factory=dict)
    prices: Annotated[dict[Currency, Amount], Field(min_length=1, max_length=20)]
    compare_at: dict[Currency, Amount] = Field(default_factory=dict)
    """The price before a reduction, per currency; higher than the price, or it is not shown."""
    barcode: Annotated[str, Field(max_length=50)] | None = None
    weight_grams: Annotated[int, Field(ge=0, le=1_000_000)] = 0
    image: str | None = None
    """The URL of one of the product's media."""

    def list_price(self, currency: str) -> int | None:
        """The price before a reduction, where there is one."""
        before = self.compare_at.get(currency)
        return before if before is not None and before > self.prices[currency] else None


class Description(Model):
    """The product in prose. `plain` is derived from `html` where only that is given."""

    plain: Annotated[str, Field(max_length=20_000)] = ""
    html: Annotated[str, Field(max_length=40_000)] | None = None

    @property
    def text(self) -> str:
        """The prose without markup."""
        return self.plain or plain_text(self.html or "")


class Seo(Model):
    """What search engines show; empty fields fall back to the product's own."""

    title: Line = ""
    description: Annotated[str, Field(max_length=1000)] = ""


class ProductDraft(Model):
    """What staff decide about a product. Without a `handle` it gets one from its title."""

    handle: Slug | None = None
    title: Annotated[str, Field(min_length=1, max_length=255)]
    description: Description = Description()
    vendor: Line = ""
    product_type: Line = ""
    categories: Annotated[tuple[Slug, ...], Field(max_length=20)] = ()
    tags: Annotated[tuple[Label, ...], Field(max_length=50)] = ()
    options: Annotated[tuple[Option, ...], Field(max_length=3)] = ()
    variants: Annotated[tuple[Variant, ...], Field(min_length=1, max_length=MAX_VARIANTS)]
    media: Annotated[tuple[Media, ...], Field(max_length=100)] = ()
    seo: Seo = Seo()
    status: Status = "draft"


class Product(ProductDraft):
    """A product as it is stored. Times in RFC 3339; `version` grows with every change."""

    id: str
    handle: Slug
    published_at: str | None = None
    """When it was first published."""
    created_at: str
    updated_at: str
    version: int = 1

    @property
    def published(self) -> bool:
        """Whether buyers see it."""
        return self.status == "active"

    @property
    def draft(self) -> ProductDraft:
        """What staff decided, without what the shop added."""
        return ProductDraft.model_construct(**{name: getattr(self, name) for name in ProductDraft.model_fields})

    def variant(self, sku: str) -> Variant | None:
        """The variant with this SKU, or None."""
        return next((variant for variant in self.variants if variant.sku == sku), None)

    def title_of(self, variant: Variant) -> str:
        """`Blue / M`, in the order of the options; nothing where there are none."""
        return " / ".join(variant.options[option.name] for option in self.options)

    def sold_in(self, currency: str) -> tuple[Variant, ...]:
        """The variants that have a price in `currency`."""
        return tuple(variant for variant in self.variants if currency in variant.prices)

    def presentment(self, wanted: Iterable[str | None]) -> str:
        """The currency to show prices in: the first of `wanted` that the product has, else one that it has."""
        return next(
            (currency for currency in wanted if currency and self.sold_in(currency)),
            next(iter(self.variants[0].prices)),
        )

    def image_of(self, variant: Variant) -> Media | None:
        """The variant's picture, or the product's first."""
        own = next((media for media in self.media if media.url == variant.image), None)
        return own or next(iter(self.media), None)


class Category(Model):
    """A shelf of the shop. `position` orders the children of one parent."""

    slug: Slug
    title: Annotated[str, Field(min_length=1, max_length=100)]
    parent: Slug | None = None
    position: Annotated[int, Field(ge=0, le=1_000_000)] = 0


class Listing(Model):
    """A published product in one category and currency: all that a list of products shows of it."""

    category: str
    currency: Currency
    product_id: str
    handle: str
    title: str
    categories: tuple[str, ...]
    amounts: tuple[Amount, ...]
    """The distinct prices of its variants, ascending."""
    list_amounts: tuple[Amount, ...] = ()
    """Prices before reduction of the variants that have one, ascending."""
    image: Media | None = None
    published_at: str

    @property
    def price_key(self) -> str:
        """Sorts by the lowest price."""
        return f"{price_key(self.amounts[0])}#{self.product_id}"

    @property
    def newest_key(self) -> str:
        """Sorts by the time of publication."""
        return f"{self.published_at}#{self.product_id}"

    @property
    def title_key(self) -> str:
        """Sorts by title, case and accents aside."""
        return f"{fold(self.title)[:100]}#{self.product_id}"


class PriceRange(Model):
    """Bounds of a price, both included; None is no bound."""

    min: Amount | None = None
    max: Amount | None = None

    def holds(self, amount: int) -> bool:
        """Whether the amount lies between the bounds."""
        return (self.min is None or self.min <= amount) and (self.max is None or amount <= self.max)


Sort = Literal["newest", "price", "title"]


class Browsing(Model):
    """Which published products to list, and in which order. Of several `categories` any one will do."""

    currency: Currency
    category: str = ALL
    categories: tuple[str, ...] = ()
    price: PriceRange | None = None
    """Some variant's price lies in it."""
    sort: Sort = "newest"
    descending: bool = True

    def holds(self, categories: Iterable[str], amounts: Iterable[int]) -> bool:
        """Whether a product with these categories and prices is meant."""
        return (not self.categories or not set(self.categories).isdisjoint(categories)) and (
            self.price is None or any(self.price.holds(amount) for amount in amounts)
        )


class AdminEntry(Model):
    """A product in the list that staff see."""

    product_id: str
    handle: str
    title: str
    status: Status
    variants: int
    """How many it has."""
    version: int
    created_at: str
    updated_at: str

    @classmethod
    def of(cls, product: Product) -> "AdminEntry":
        """The product's entry."""
        return cls(
            product_id=product.id,
            handle=product.handle,
            title=product.title,
            status=product.status,
            variants=len(product.variants),
            version=product.version,
            created_at=product.created_at,
            updated_at=product.updated_at,
        )


class AuditEntry(Model):
    """Who changed what, and how it was before. `position` is where the entry stands in the trail."""

    position: str
    occurred_at: str
    actor: str
    action: str
    before: dict[str, Any] | None = None
    after: dict[str, Any] | None = None


def price_key(amount: int) -> str:
    """Amounts as text that sorts like the numbers."""
    return f"{amount:012d}"


def listings_of(product: Product, parents: Mapping[str, str | None]) -> tuple[Listing, ...]:
    """Where a product is listed: under `all`, its categories and all above them, in every currency.

    Nowhere unless it is published. `parents` maps a category's slug to its parent's.
    """
    if not product.published or product.published_at is None:
        return ()
    shelves = categories_of(product, parents)
    currencies = dict.fromkeys(currency for variant in product.variants for currency in variant.prices)
    return tuple(
        Listing(
            category=category,
            currency=currency,
            product_id=product.id,
            handle=product.handle,
            title=product.title,
            categories=shelves,
            amounts=tuple(sorted({variant.prices[currency] for variant in product.sold_in(currency)})),
            list_amounts=tuple(
                sorted({before for one in product.sold_in(currency) if (before := one.list_price(currency))})
            ),
            image=product.media[0] if product.media else None,
            published_at=product.published_at,
        )
        for currency in currencies
        for category in (ALL, *shelves)
    )


def categories_of(product: Product, parents: Mapping[str, str | None]) -> tuple[str, ...]:
    """The product's categories and all above them, each once."""
    found: dict[str, None] = {}
    for slug in product.categories:
        step: str | None = slug
        while step is not None and step not in found:
            found[step] = None
            step = parents.get(step)
    return tuple(found)


def words_of(product: Product) -> tuple[str, ...]:
    """The words that lead to a product, the most telling first. None unless it is published."""
    if not product.published:
        return ()
    texts = (
        product.title,
        product.product_type,
        product.vendor,
        *product.categories,
        *product.tags,
        *(value for option in product.options for value in option.values),
    )
    return words(texts)[:MAX_WORDS]


def offers_of(product: Product) -> tuple[Offer, ...]:
    """What carts and pricing must know of each variant."""
    return tuple(
        Offer(
            sku=variant.sku,
            product_id=product.id,
            title=" - ".join(part for part in (product.title, product.title_of(variant)) if part),
            prices=variant.prices,
            compare_at=variant.compare_at,
            image_url=image.url if (image := product.image_of(variant)) else None,
            weight_grams=variant.weight_grams,
            published=product.published,
        )
        for variant in product.variants
    )


def completed(draft: ProductDraft) -> ProductDraft:
    """The draft with its handle and plain description, checked against every rule. Raises Invalid, naming the field."""
    handle = draft.handle or handle_from(draft.title)
    if not handle:
        raise Invalid("a handle cannot be made from this title; give one of small letters and digits", path="$.handle")
    _check_options(draft)
    _check_variants(draft)
    description = draft.description.model_copy(update={"plain": draft.description.text})
    return draft.model_copy(update={"handle": handle, "description": description})


def _check_options(draft: ProductDraft) -> None:
    names = [option.name for option in draft.options]
    if len(set(names)) < len(names):
        raise Invalid("two options have the same name", path="$.options")
    for position, option in enumerate(draft.options):
        if len(set(option.values)) < len(option.values):
            raise Invalid(f"option {option.name} lists a value twice", path=f"$.options[{position}].values")
    if len(set(draft.categories)) < len(draft.categories):
        raise Invalid("a category is named twice", path="$.categories")


def _check_variants(draft: ProductDraft) -> None:
    values = {option.name: frozenset(option.values) for option in draft.options}
    pictures = {media.url for media in draft.media}
    skus: set[str] = set()
    combinations: set[tuple[str, ...]] = set()
    for position, variant in enumerate(draft.variants):
        path = f"$.variants[{position}]"
        if variant.sku in skus:
            raise Invalid(f"SKU {variant.sku} is used twice", path=f"{path}.sku")
        if variant.options.keys() != values.keys():
            wanted = ", ".join(values) or "none"
            raise Invalid(f"SKU {variant.sku} must have a value for each option ({wanted})", path=f"{path}.options")
        for name, value in variant.options.items():
            if value not in values[name]:
                raise Invalid(f"{value} is not among the values of option {name}", path=f"{path}.options.{name}")
        combination = tuple(variant.options[name] for name in values)
        if combination in combinations:
            raise Invalid(f"SKU {variant.sku} has the same option values as another", path=f"{path}.options")
        if not variant.compare_at.keys() <= variant.prices.keys():
            raise Invalid("a compare-at price needs a price in its currency", path=f"{path}.compare_at")
        if variant.image is not None and variant.image not in pictures:
            raise Invalid("a variant's image must be one of the product's media", path=f"{path}.image")
        skus.add(variant.sku)
        combinations.add(combination)
