"""From rows to products: pure, and the same rows always give the same products."""

import hashlib
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from decimal import Decimal

from pydantic import ValidationError

from commerce.catalog.model import (
    Category,
    Description,
    Media,
    Option,
    ProductDraft,
    Seo,
    Status,
    Variant,
    completed,
)
from commerce.catalog.words import handle_from
from commerce.errors import Invalid
from commerce.money import minor_units
from tools.importer.mapping import TableMapping, columns, text
from tools.importer.tables import Row, TableError

_GRAMS = {"g": Decimal(1), "kg": Decimal(1000), "lb": Decimal("453.59237"), "oz": Decimal("28.349523125")}
_STATUSES: dict[str, Status] = {"active": "active", "draft": "draft", "archived": "archived", "": "active"}
_DEFAULT_TITLE = ("Title", "Default Title")
"""What Shopify writes for a product without options."""


@dataclass(frozen=True)
class Remark:
    """Something about a row: why it was refused, or what was made of it."""

    line: int
    product: str
    reason: str


@dataclass(frozen=True)
class Picture:
    """A picture as the table names it: an address, or a file's name."""

    source: str
    alt: str = ""


@dataclass
class Intake:
    """A product as the table describes it. Pictures still have the table's own names."""

    line: int
    draft: ProductDraft
    pictures: tuple[Picture, ...]
    variant_pictures: dict[str, str]
    """SKU -> picture source."""
    stock: dict[str, int]
    shelves: tuple[Category, ...]
    """The categories on the way to the product, the topmost first."""


@dataclass
class Intakes:
    """All that a table holds. A product goes in whole or not at all."""

    products: list[Intake] = field(default_factory=list)
    refused: list[Remark] = field(default_factory=list)
    notes: list[Remark] = field(default_factory=list)


class _Refused(Exception):
    def __init__(self, line: int, reason: str) -> None:
        super().__init__(reason)
        self.line = line


def intakes(rows: list[Row], mapping: TableMapping, currency: str) -> Intakes:
    """The products of a table; `currency` is that of prices which do not say theirs. Raises TableError."""
    _check_columns(rows, mapping)
    found = Intakes()
    groups: dict[str, list[Row]] = {}
    for row in rows:
        key = row.cells.get(mapping.group, "").strip()
        if key:
            groups.setdefault(key, []).append(row)
        else:
            found.refused.append(Remark(row.line, "", f"the column {mapping.group} is empty"))
    handles: dict[str, str] = {}
    for key, group in groups.items():
        reading = _Reading(key, group, mapping, currency)
        try:
            intake = reading.intake()
            handle = intake.draft.handle or ""
            if handle in handles:
                raise _Refused(intake.line, f"{handles[handle]} has the same handle, {handle}")
            handles[handle] = key
            found.products.append(intake)
            found.notes += reading.notes
        except _Refused as refused:
            found.refused.append(Remark(refused.line, key, str(refused)))
    return found


def _check_columns(rows: list[Row], mapping: TableMapping) -> None:
    if not rows:
        raise TableError("the table has no rows")
    names = {name for row in rows for name in row.cells}
    needed = (mapping.group, *columns(mapping.product.title), *columns(mapping.variant.price))
    if missing := [name for name in needed if name not in names]:
        raise TableError(f"the table has no column {', '.join(missing)}; is this the right mapping?")


class _Reading:
    """One product's rows, being read."""

    def __init__(self, key: str, rows: list[Row], mapping: TableMapping, currency: str) -> None:
        self.key = key
        self.rows = rows
        self.mapping = mapping
        self.currency = mapping.currency or currency
        self.notes: list[Remark] = []
        self.stock: dict[str, int] = {}
        self.variant_pictures: dict[str, str] = {}
        self.lines: dict[str, int] = {}
        self.option_names = self._option_names()

    def intake(self) -> Intake:
        product = self.mapping.product
        if self._text(product.gift_card).lower() == "true":
            raise _Refused(self.rows[0].line, "gift cards are not goods; the shop does not sell them")
        variants = self._variants()
        shelves = self._shelves()
        try:
            draft = completed(
                ProductDraft(
                    handle=handle_from(self._text(product.handle)) or None,
                    title=self._text(product.title),
                    description=Description(html=self._text(product.html) or None, plain=self._text(product.plain)),
                    vendor=self._text(product.vendor),
                    product_type=self._text(product.product_type),
                    categories=(shelves[-1].slug,) if shelves else (),
                    tags=self._tags(),
                    options=self._options(variants),
                    variants=tuple(variants),
                    seo=Seo(title=self._text(product.seo_title), description=self._text(product.seo_description)),
                    status=self._status(),
                )
            )
        except ValidationError as error:
            raise _Refused(self.rows[0].line, _first_of(error)) from None
        except Invalid as error:
            raise _Refused(self._line_of(error.path, variants), error.content) from None
        return Intake(
            line=self.rows[0].line,
            draft=draft,
            pictures=self._pictures(),
            variant_pictures=self.variant_pictures,
            stock=self.stock,
            shelves=shelves,
        )

    # the product

    def _text(self, source: str | tuple[str, ...]) -> str:
        """From the first row that has it."""
        return next((found for row in self.rows if (found := text(source, row.cells))), "")

    def _tags(self) -> tuple[str, ...]:
        texts = (self._text(column) for column in self.mapping.product.tags)
        return tuple(dict.fromkeys(tag.strip() for one in texts for tag in one.split(",") if tag.strip()))

    def _status(self) -> Status:
        written = self._text(self.mapping.product.status).lower()
        if written not in _STATUSES:
            raise _Refused(self.rows[0].line, f"{written} is no status; it is active, draft or archived")
        hidden = self._text(self.mapping.product.published).lower() == "false"
        return "draft" if hidden and _STATUSES[written] == "active" else _STATUSES[written]

    def _shelves(self) -> tuple[Category, ...]:
        """`Kitchen > Coffee` is two categories, `kitchen` and, below it, `kitchen-coffee`."""
        path = self._text(self.mapping.product.categories).split(self.mapping.category_separator)
        shelves: list[Category] = []
        for title in (title.strip() for title in path if title.strip()):
            parent = shelves[-1].slug if shelves else None
            slug = handle_from(f"{parent} {title}" if parent else title)
            if slug:
                shown = title if title[:1].isupper() else title.capitalize()
                shelves.append(Category(slug=slug, title=shown[:100], parent=parent))
        return tuple(shelves)

    def _pictures(self) -> tuple[Picture, ...]:
        """Every picture once, by position, then by order of mention."""
        fields = self.mapping.image
        found: list[tuple[int, Picture]] = []
        if fields:
            for row in self.rows:
                if source := text(fields.source, row.cells):
                    position = text(fields.position, row.cells)
                    found.append(
                        (int(position) if position.isdigit() else 10_000, Picture(source, text(fields.alt, row.cells)))
                    )
        found += [(10_000, Picture(source)) for source in self.variant_pictures.values()]
        ordered = [picture for _, picture in sorted(found, key=lambda one: one[0])]
        return tuple({picture.source: picture for picture in reversed(ordered)}.values())[::-1]

    # variants

    def _option_names(self) -> tuple[str, ...]:
        """The name of each option, which may stand on the first row only."""
        names = []
        for name_column, value_column in self.mapping.variant.options:
            name = self._text(name_column)
            values = {row.cells.get(value_column, "").strip() for row in self.rows} - {""}
            if (name, *values) == _DEFAULT_TITLE or not values:
                break
            names.append(name or value_column)
        return tuple(names)

    def _values(self, row: Row) -> dict[str, str]:
        pairs = zip(self.option_names, self.mapping.variant.options, strict=False)
        return {name: value for name, (_, column) in pairs if (value := row.cells.get(column, "").strip())}

    def _variants(self) -> list[Variant]:
        """A row with a price is a variant; where there are options, only a row that has values for them.

        A later row with a known SKU and no option values adds that SKU's price in another currency.
        """
        fields = self.mapping.variant
        variants: dict[str, Variant] = {}
        for row in self.rows:
            values = self._values(row)
            sku = self._sku(row, values)
            if not text(fields.price, row.cells):
                if values:
                    raise _Refused(row.line, "the variant has no price")
                continue
            if values or not self.option_names:
                if sku in variants and (values or self._currency(row) in variants[sku].prices):
                    raise _Refused(row.line, f"SKU {sku} is used twice")
                if sku not in variants:
                    variants[sku] = self._variant(row, sku, values)
                    continue
            if sku in variants:
                variants[sku] = self._with_prices(variants[sku], row)
        if not variants:
            raise _Refused(self.rows[0].line, "no row of the product has a price")
        return list(variants.values())

    def _variant(self, row: Row, sku: str, values: dict[str, str]) -> Variant:
        fields = self.mapping.variant
        self.lines[sku] = row.line
        if source := text(fields.image, row.cells):
            self.variant_pictures[sku] = source
        self._take_stock(row, sku)
        prices, compare_at = self._prices(row)
        try:
            return Variant(
                sku=sku,
                options=values,
                prices=prices,
                compare_at=compare_at,
                barcode=text(fields.barcode, row.cells).lstrip("'") or None,
                weight_grams=self._grams(row),
            )
        except ValidationError as error:
            raise _Refused(row.line, _first_of(error)) from None

    def _with_prices(self, variant: Variant, row: Row) -> Variant:
        prices, compare_at = self._prices(row)
        return variant.model_copy(
            update={"prices": {**variant.prices, **prices}, "compare_at": {**variant.compare_at, **compare_at}}
        )

    def _sku(self, row: Row, values: dict[str, str]) -> str:
        """The row's SKU in the shop's alphabet; without one, the product's handle and the option values."""
        written = text(self.mapping.variant.sku, row.cells).lstrip("'")
        if not written:
            return _shortened(handle_from(" ".join((self.key, *values.values()))).upper() or "SKU")
        sku = _shortened(re.sub(r"[^A-Za-z0-9._-]+", "-", written).strip("._-") or handle_from(self.key).upper())
        if sku != written and text(self.mapping.variant.price, row.cells):
            self.notes.append(Remark(row.line, self.key, f"SKU {written!r} goes in as {sku}"))
        return sku

    def _currency(self, row: Row) -> str:
        return text(self.mapping.variant.currency, row.cells).upper() or self.currency

    def _prices(self, row: Row) -> tuple[dict[str, int], dict[str, int]]:
        """Prices and compare-at prices by currency. A compare-at price of 0 is none."""
        fields = self.mapping.variant
        currency = self._currency(row)
        prices = {currency: self._amount(row, text(fields.price, row.cells), currency)}
        before = text(fields.compare_at, row.cells)
        compare_at = {currency: self._amount(row, before, currency)} if before else {}
        for other, price, old in self._international(row):
            prices[other] = self._amount(row, price, other)
            if old:
                compare_at[other] = self._amount(row, old, other)
        return prices, {code: amount for code, amount in compare_at.items() if amount}

    def _international(self, row: Row) -> Iterable[tuple[str, str, str]]:
        """(currency, price, compare-at) of columns such as `Price / EUR`. Columns of markets, not currencies, are not
        prices that the shop could show, and are left alone."""
        fields = self.mapping.variant
        if not fields.price_in:
            return
        head, _, tail = fields.price_in.partition("{currency}")
        for column, value in row.cells.items():
            code = column.removeprefix(head).removesuffix(tail)
            if value.strip() and column == f"{head}{code}{tail}" and re.fullmatch(r"[A-Z]{3}", code):
                old = row.cells.get((fields.compare_at_in or "").replace("{currency}", code), "")
                yield code, value.strip(), old.strip()

    def _amount(self, row: Row, written: str, currency: str) -> int:
        try:
            return minor_units(written, currency)
        except Invalid as error:
            raise _Refused(row.line, error.content) from None

    def _grams(self, row: Row) -> int:
        fields = self.mapping.variant
        written = text(fields.weight, row.cells)
        unit = text(fields.weight_unit, row.cells).lower() or fields.default_weight_unit
        if not written:
            return 0
        try:
            return int((Decimal(written) * _GRAMS[unit]).to_integral_value())
        except (ArithmeticError, KeyError, ValueError):  # one that is no number, infinite, or of no such unit
            raise _Refused(row.line, f"{written} {unit} is no weight in g, kg, lb or oz") from None

    def _take_stock(self, row: Row, sku: str) -> None:
        written = text(self.mapping.variant.stock, row.cells)
        if not written:
            return
        if not re.fullmatch(r"-?\d{1,9}(\.0+)?", written):
            raise _Refused(row.line, f"{written!r} is no number of units")
        units = int(written.partition(".")[0])
        if units < 0:
            self.notes.append(Remark(row.line, self.key, f"stock of {units} goes in as 0"))
        self.stock[sku] = max(units, 0)

    def _options(self, variants: list[Variant]) -> tuple[Option, ...]:
        return tuple(
            Option(name=name, values=tuple(dict.fromkeys(v.options[name] for v in variants if name in v.options)))
            for name in self.option_names
        )

    def _line_of(self, path: str | None, variants: list[Variant]) -> int:
        match = re.match(r"\$\.variants\[(\d+)\]", path or "")
        return self.lines[variants[int(match[1])].sku] if match else self.rows[0].line


def _first_of(error: ValidationError) -> str:
    """The first of its faults, in words."""
    first = error.errors(include_url=False, include_context=False)[0]
    return f"{'.'.join(map(str, first['loc']))}: {first['msg']}"


def _shortened(sku: str) -> str:
    """At most 64 characters; what is cut off lives on in a digest, so that two long SKUs stay two."""
    return sku if len(sku) <= 64 else f"{sku[:55]}-{hashlib.sha256(sku.encode()).hexdigest()[:8]}"


def with_media(draft: ProductDraft, media: Iterable[Media], variant_images: dict[str, str]) -> ProductDraft:
    """The draft with its pictures, and the variants that have one of their own (SKU -> URL)."""
    variants = tuple(v.model_copy(update={"image": variant_images.get(v.sku)}) for v in draft.variants)
    return draft.model_copy(update={"media": tuple(media), "variants": variants})
