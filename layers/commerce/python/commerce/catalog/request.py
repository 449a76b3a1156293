"""What clients and staff send about the catalogue. Unknown fields are ignored."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from commerce.catalog.model import ALL, Browsing, PriceRange, Slug, Status
from commerce.errors import Invalid
from commerce.model import Model, OpenModel
from commerce.money import MAX_AMOUNT, Amount, Currency


class Context(OpenModel):
    """Hints about the buyer; only the currency means something to this shop."""

    currency: Annotated[str, Field(max_length=10)] | None = None


class PriceFilter(OpenModel):
    """In minor units of the context's currency."""

    min: Amount | None = None
    max: Amount | None = None


class Filters(OpenModel):
    """All must hold; of the categories any one."""

    categories: Annotated[tuple[Annotated[str, Field(max_length=120)], ...], Field(max_length=50)] | None = None
    price: PriceFilter | None = None


class PageRequest(OpenModel):
    """Where to go on, and how much of it."""

    cursor: Annotated[str, Field(max_length=2000)] | None = None
    limit: Annotated[int, Field(ge=1)] = 10


class SearchRequest(OpenModel):
    """At least a query or a filter."""

    query: Annotated[str, Field(max_length=500)] | None = None
    context: Context = Context()
    filters: Filters = Filters()
    pagination: PageRequest = PageRequest()


Identifier = Annotated[str, Field(min_length=1, max_length=200)]


class LookupRequest(OpenModel):
    """Product ids and SKUs."""

    ids: Annotated[tuple[Identifier, ...], Field(min_length=1)]
    filters: Filters = Filters()
    context: Context = Context()


class SelectedOption(OpenModel):
    """One value of one option."""

    name: str
    label: str


class ProductRequest(OpenModel):
    """A product id or SKU, and the option values chosen so far."""

    id: Identifier
    selected: Annotated[tuple[SelectedOption, ...], Field(max_length=10)] = ()
    preferences: Annotated[tuple[str, ...], Field(max_length=10)] = ()
    filters: Filters = Filters()
    context: Context = Context()


class ListQuery(BaseModel):
    """The query of a product list, as text from the address."""

    model_config = ConfigDict(frozen=True)

    category: Slug | None = None
    currency: Currency | None = None
    min_price: Annotated[int, Field(ge=0, le=MAX_AMOUNT)] | None = None
    max_price: Annotated[int, Field(ge=0, le=MAX_AMOUNT)] | None = None
    sort: Literal["newest", "price", "-price", "title"] = "newest"
    cursor: Annotated[str, Field(max_length=2000)] | None = None
    limit: Annotated[int, Field(ge=1, le=100)] = 20

    def browsing(self, currencies: tuple[str, ...]) -> Browsing:
        """What is asked for, in the first of `currencies` unless it says. Raises Invalid for any but them."""
        if self.currency is not None and self.currency not in currencies:
            raise Invalid(f"the shop sells in {', '.join(currencies)}", path="$.currency")
        bounded = self.min_price is not None or self.max_price is not None
        return Browsing(
            currency=self.currency or currencies[0],
            category=self.category or ALL,
            price=PriceRange(min=self.min_price, max=self.max_price) if bounded else None,
            sort="price" if self.sort == "-price" else self.sort,
            descending=self.sort in ("newest", "-price"),
        )


class AdminListQuery(BaseModel):
    """The query of the staff's list, as text from the address."""

    model_config = ConfigDict(frozen=True)

    status: Status | None = None
    handle: Annotated[str, Field(max_length=120)] | None = None
    sku: Annotated[str, Field(max_length=64)] | None = None
    cursor: Annotated[str, Field(max_length=2000)] | None = None
    limit: Annotated[int, Field(ge=1, le=100)] = 20


class CategoryContent(Model):
    """A category without its slug, which stands in the address."""

    title: Annotated[str, Field(min_length=1, max_length=100)]
    parent: str | None = None
    position: Annotated[int, Field(ge=0, le=1_000_000)] = 0
