"""From where an order's lines are filled."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from builders.pricing import wanted
from commerce.inventory.model import MAX_PARTS, OutOfStock, Part, Stock, TooManyParts, allocate, summed


def shelf(available: int, location: str = "main", sku: str = "SHIRT-M") -> Stock:
    return Stock(sku=sku, location=location, available=available, reserved=0)


def places(parts: tuple[Part, ...]) -> list[tuple[str, int]]:
    return [(part.location, part.quantity) for part in parts]


def test_a_line_comes_from_the_preferred_location() -> None:
    parts = allocate([wanted(quantity=2)], {"SHIRT-M": [shelf(5, "north"), shelf(5, "south")]})

    assert places(parts["line_1"]) == [("north", 2)]


def test_a_line_is_rather_taken_whole_from_the_second_location_than_split() -> None:
    parts = allocate([wanted(quantity=3)], {"SHIRT-M": [shelf(2, "north"), shelf(5, "south")]})

    assert places(parts["line_1"]) == [("south", 3)]


def test_a_line_is_split_where_no_location_has_enough() -> None:
    parts = allocate([wanted(quantity=5)], {"SHIRT-M": [shelf(2, "north"), shelf(4, "south")]})

    assert places(parts["line_1"]) == [("north", 2), ("south", 3)]


def test_lines_of_the_same_sku_are_counted_together_and_all_named_when_short() -> None:
    lines = [wanted(quantity=2, id="a"), wanted(quantity=2, id="b")]

    with pytest.raises(OutOfStock) as short:
        allocate(lines, {"SHIRT-M": [shelf(3)]})

    assert [(one.line_id, one.wanted, one.left) for one in short.value.shortages] == [("a", 4, 3), ("b", 4, 3)]


def test_a_sku_without_any_stock_is_short() -> None:
    with pytest.raises(OutOfStock):
        allocate([wanted()], {})


def test_more_parts_than_a_transaction_holds_are_refused() -> None:
    lines = [wanted(f"SKU-{number}", id=f"line_{number}") for number in range(MAX_PARTS + 1)]
    stock = {line.sku: [shelf(1, sku=line.sku)] for line in lines}

    with pytest.raises(TooManyParts):
        allocate(lines, stock)
    assert len(allocate(lines[:-1], stock)) == MAX_PARTS


@given(
    quantities=st.lists(st.integers(1, 9), min_size=1, max_size=6),
    shelves=st.lists(st.integers(0, 20), min_size=1, max_size=4),
)
def test_every_line_gets_what_it_wants_and_no_shelf_gives_what_it_lacks(
    quantities: list[int], shelves: list[int]
) -> None:
    lines = [wanted(quantity=quantity, id=f"line_{number}") for number, quantity in enumerate(quantities)]
    stock = [shelf(available, f"place {number}") for number, available in enumerate(shelves)]

    try:
        parts = allocate(lines, {"SHIRT-M": stock})
    except OutOfStock:
        assert sum(quantities) > sum(shelves)
        return

    assert {line.id: sum(part.quantity for part in parts[line.id]) for line in lines} == {
        line.id: line.quantity for line in lines
    }
    taken = {part.location: part.quantity for part in summed(part for own in parts.values() for part in own)}
    assert all(quantity <= place.available for place in stock if (quantity := taken.get(place.location, 0)))
    assert all(part.quantity > 0 for own in parts.values() for part in own)
