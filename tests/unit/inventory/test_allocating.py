"""From where an order's lines are filled."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from builders.pricing import settings, wanted
from builders.stock import backorder, supplied
from builders.stock import place as shelf
from commerce.contact import PostalAddress
from commerce.inventory.allocation import STRATEGIES, Shelves, allocate
from commerce.inventory.model import MAX_PARTS, OutOfStock, Part, TooManyParts, Wanted, summed
from commerce.settings import AllocationStrategy, Location
from commerce.supply import SellingPolicy


def filled(lines: list[Wanted], stock: Shelves, policy: SellingPolicy | None = None) -> dict[str, tuple[Part, ...]]:
    """Filled from the locations in the order in which the stock names them; every SKU is sold under the same policy."""
    named = dict.fromkeys(place.location for shelves in stock.values() for place in shelves)
    return allocate(lines, stock, list(named), supplied(stock, policy))


def places(parts: tuple[Part, ...]) -> list[tuple[str, int]]:
    return [(part.location, part.quantity) for part in parts]


def test_a_line_comes_from_the_preferred_location() -> None:
    parts = filled([wanted(quantity=2)], {"SHIRT-M": [shelf(5, "north"), shelf(5, "south")]})

    assert places(parts["line_1"]) == [("north", 2)]


def test_a_line_is_rather_taken_whole_from_the_second_location_than_split() -> None:
    parts = filled([wanted(quantity=3)], {"SHIRT-M": [shelf(2, "north"), shelf(5, "south")]})

    assert places(parts["line_1"]) == [("south", 3)]


def test_a_line_is_split_where_no_location_has_enough() -> None:
    parts = filled([wanted(quantity=5)], {"SHIRT-M": [shelf(2, "north"), shelf(4, "south")]})

    assert places(parts["line_1"]) == [("north", 2), ("south", 3)]


def test_lines_of_the_same_sku_are_counted_together_and_all_named_when_short() -> None:
    lines = [wanted(quantity=2, id="a"), wanted(quantity=2, id="b")]

    with pytest.raises(OutOfStock) as short:
        filled(lines, {"SHIRT-M": [shelf(3)]})

    assert [(one.line_id, one.wanted, one.left) for one in short.value.shortages] == [("a", 4, 3), ("b", 4, 3)]


def test_an_order_comes_whole_from_the_first_location_that_has_everything() -> None:
    lines = [wanted("SHIRT-M", id="a"), wanted("MUG", id="b")]
    stock = {
        "SHIRT-M": [shelf(1, "north"), shelf(1, "south")],
        "MUG": [shelf(0, "north", "MUG"), shelf(1, "south", "MUG")],
    }

    parts = filled(lines, stock)

    assert [places(parts[line]) for line in ("a", "b")] == [[("south", 1)], [("south", 1)]]


def test_an_order_that_no_location_has_whole_comes_from_as_few_as_can_be() -> None:
    lines = [wanted("A", id="a"), wanted("B", id="b"), wanted("C", id="c")]
    stock = {
        "A": [shelf(0, "north", "A"), shelf(1, "south", "A"), shelf(0, "west", "A")],
        "B": [shelf(1, "north", "B"), shelf(1, "south", "B"), shelf(1, "west", "B")],
        "C": [shelf(0, "north", "C"), shelf(0, "south", "C"), shelf(1, "west", "C")],
    }

    parts = filled(lines, stock)

    assert {part.location for own in parts.values() for part in own} == {"south", "west"}


PORTLAND = PostalAddress(address_country="US", address_region="OR", postal_code="97201")
EUGENE = PostalAddress(address_country="US", address_region="OR", postal_code="97401")
BOSTON = PostalAddress(address_country="US", address_region="MA", postal_code="02108")
BERLIN = PostalAddress(address_country="DE", postal_code="10115")
PLACES = tuple(
    Location(id=name, address=address)
    for name, address in (("berlin", BERLIN), ("boston", BOSTON), ("eugene", EUGENE), ("portland", PORTLAND))
)


@pytest.mark.parametrize(
    ("strategy", "ranking"),
    [
        ("priority", ["berlin", "boston", "eugene", "portland"]),
        ("nearest", ["portland", "eugene", "boston", "berlin"]),
        ("most_stock", ["boston", "portland", "berlin", "eugene"]),
    ],
)
def test_each_strategy_ranks_the_locations_in_its_way(strategy: AllocationStrategy, ranking: list[str]) -> None:
    stock = {"SHIRT-M": [shelf(1, "berlin"), shelf(9, "boston"), shelf(0, "eugene"), shelf(5, "portland")]}
    there = PORTLAND.model_copy(update={"postal_code": "97205"})

    assert STRATEGIES[strategy](settings(locations=PLACES), stock, there) == ranking


def test_a_sku_without_any_stock_is_short() -> None:
    with pytest.raises(OutOfStock):
        filled([wanted()], {})


def test_what_no_shelf_has_is_owed_where_it_will_arrive() -> None:
    stock = {"SHIRT-M": [shelf(1, "north"), shelf(-1, "south"), shelf(2, "west")]}

    parts = filled([wanted(quantity=5)], stock, backorder(cap=9, location="south"))

    taken = {(part.location, part.quantity, part.backordered) for part in parts["line_1"]}
    assert taken == {("north", 1, 0), ("west", 2, 0), ("south", 2, 2)}


def test_limits_and_policies_need_room_in_the_transaction_too() -> None:
    lines = [wanted(f"SKU-{number}", id=f"line_{number}") for number in range(19)]
    stock = {line.sku: [shelf(0, sku=line.sku)] for line in lines}

    assert len(filled(lines[:-1], stock, backorder(purchase_limit=1))) == 18
    with pytest.raises(TooManyParts):
        filled(lines, stock, backorder(purchase_limit=1))


def test_more_parts_than_a_transaction_holds_are_refused() -> None:
    lines = [wanted(f"SKU-{number}", id=f"line_{number}") for number in range(MAX_PARTS + 1)]
    stock = {line.sku: [shelf(1, sku=line.sku)] for line in lines}

    with pytest.raises(TooManyParts):
        filled(lines, stock)
    assert len(filled(lines[:-1], stock)) == MAX_PARTS
    with pytest.raises(TooManyParts):
        allocate(lines[:-1], stock, ["main"], supplied(stock, None), besides=1)


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
        parts = filled(lines, {"SHIRT-M": stock})
    except OutOfStock:
        assert sum(quantities) > sum(shelves)
        return

    assert {line.id: sum(part.quantity for part in parts[line.id]) for line in lines} == {
        line.id: line.quantity for line in lines
    }
    taken = {part.location: part.quantity for part in summed(part for own in parts.values() for part in own)}
    assert all(quantity <= place.available for place in stock if (quantity := taken.get(place.location, 0)))
    assert all(part.quantity > 0 for own in parts.values() for part in own)
