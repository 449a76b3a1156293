"""Products in one line: a test says only what matters to it."""

import importlib.util
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from builders.rights import confined
from commerce.catalog.model import Option, Product, ProductDraft, Variant, completed

NOW = datetime(2026, 11, 22, 8, 0, tzinfo=UTC)
FUNCTIONS = Path(__file__).parents[2] / "functions"


def variant(sku: str = "MUG", *, price: int = 1900, eur: int | None = None, **fields: Any) -> Variant:
    """A variant that costs `price` US cents, and `eur` euro cents where that is given."""
    prices = {"USD": price} if eur is None else {"USD": price, "EUR": eur}
    return Variant(sku=sku, prices=fields.pop("prices", prices), **fields)


def draft(title: str = "Stoneware Mug", **fields: Any) -> ProductDraft:
    """A valid draft of an active product with one variant."""
    return ProductDraft(title=title, **{"status": "active", "variants": (variant(),), **fields})


def sized(
    title: str = "Linen Shirt", *, prefix: str = "SHIRT", sizes: tuple[str, ...] = ("S", "M"), **fields: Any
) -> ProductDraft:
    """A draft with one variant per size and colour."""
    colours = fields.pop("colours", ("Blue", "White"))
    variants = tuple(
        variant(f"{prefix}-{colour}-{size}".upper(), price=4900, options={"Colour": colour, "Size": size})
        for colour in colours
        for size in sizes
    )
    options = (Option(name="Colour", values=colours), Option(name="Size", values=sizes))
    return draft(title, variants=variants, options=options, **fields)


def priced(*prices: dict[str, int], **fields: Any) -> ProductDraft:
    """A draft with one variant for each of these prices per currency: `S0`, `S1`, …."""
    models = tuple(f"Model {number}" for number in range(len(prices)))
    variants = tuple(
        variant(f"S{number}", prices=one, options={"Model": models[number]}) for number, one in enumerate(prices)
    )
    return draft(variants=variants, options=(Option(name="Model", values=models),), **fields)


def product(product_id: str = "prod_1", *, published_at: str = "2026-11-01T00:00:00.000Z", **fields: Any) -> Product:
    """A stored, published product."""
    checked = completed(fields.pop("draft", None) or draft(**fields))
    return Product(
        **{name: getattr(checked, name) for name in ProductDraft.model_fields},
        id=product_id,
        published_at=published_at if checked.status == "active" else None,
        created_at=published_at,
        updated_at=published_at,
    )


def function(name: str, package: Path | None = None) -> Any:
    """The module of a function's handler, loaded afresh, so that it finds the environment of this test; from the
    `package` that was made of it, if there is one.

    Its handler has the rights of its role.
    """
    path = (package or FUNCTIONS / name) / "handler.py"
    spec = importlib.util.spec_from_file_location(f"{name}_handler", path)
    assert spec and spec.loader
    module: Any = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    module.handler = confined(module.handler, name)
    return module
