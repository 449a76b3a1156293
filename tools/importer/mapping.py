"""Mapping files: which column of a table means what.

A field names a column, or a list of columns of which the first one that is filled counts, or a text with columns in
braces, such as `{name} {id:.8}`. See docs/import.md for every field.
"""

import tomllib
from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path
from typing import Literal

from pydantic import ValidationError

from commerce.model import Model
from commerce.money import Currency

FOLDER = Path(__file__).with_name("mappings")

Source = str | tuple[str, ...]
"""Where a field's text comes from."""


class MappingError(Exception):
    """The mapping file is missing or wrong; the text says where."""


class ProductFields(Model):
    """Columns of a product, read from the first row of its group that has them."""

    handle: Source
    title: Source
    html: Source = ()
    plain: Source = ()
    vendor: Source = ()
    product_type: Source = ()
    categories: Source = ()
    """A path such as `Kitchen > Coffee`, split at `category_separator`."""
    tags: tuple[str, ...] = ()
    """Columns of comma-separated tags, all taken together."""
    status: Source = ()
    published: Source = ()
    """TRUE or FALSE; a product that is FALSE stays a draft."""
    seo_title: Source = ()
    seo_description: Source = ()
    gift_card: Source = ()


class VariantFields(Model):
    """Columns of a variant."""

    sku: Source = ()
    price: Source
    compare_at: Source = ()
    currency: Source = ()
    """The currency of the row's prices; the run's own where it is empty."""
    price_in: str | None = None
    """A column per further currency, such as `Price / {currency}`."""
    compare_at_in: str | None = None
    options: tuple[tuple[str, str], ...] = ()
    """Pairs of columns: the option's name, and this variant's value."""
    barcode: Source = ()
    weight: Source = ()
    weight_unit: Source = ()
    default_weight_unit: Literal["g", "kg", "lb", "oz"] = "g"
    stock: Source = ()
    image: Source = ()


class ImageFields(Model):
    """Columns of a picture; every row may have one."""

    source: Source
    position: Source = ()
    alt: Source = ()


class TableMapping(Model):
    """How a table becomes products."""

    format: Literal["csv", "yaml"]
    group: str
    """The column that rows of one product have in common."""
    currency: Currency | None = None
    category_separator: str = ">"
    product: ProductFields
    variant: VariantFields
    image: ImageFields | None = None


def load(path: Path) -> TableMapping:
    """Reads a mapping file. Raises MappingError."""
    try:
        return TableMapping.model_validate(tomllib.loads(path.read_text()))
    except FileNotFoundError:
        raise MappingError(f"there is no mapping file {path}") from None
    except (tomllib.TOMLDecodeError, ValidationError) as error:
        raise MappingError(f"{path}: {error}") from None


def text(source: Source, cells: Mapping[str, str]) -> str:
    """The field's text in a row, without surrounding blanks; empty where the row has none."""
    if isinstance(source, tuple):
        return next((found for one in source if (found := text(one, cells))), "")
    if "{" in source:
        return source.format_map(defaultdict(str, cells)).strip()
    return cells.get(source, "").strip()


def columns(source: Source) -> tuple[str, ...]:
    """The columns that a source names outright."""
    return source if isinstance(source, tuple) else () if "{" in source else (source,)
