"""Goods that come back: what the warehouse counts, and the pure rules on it."""

from collections.abc import Iterable, Mapping

from pydantic import Field

from commerce.errors import Invalid
from commerce.events import OrderLine as EventLine
from commerce.inventory.model import Part, summed
from commerce.model import StaffModel
from commerce.money import allocate
from commerce.orders.model import Order, OrderLine
from commerce.pricing.model import amount_of


class ReturnedLine(StaffModel):
    """Units of a line that came back. `restock` says whether they can be sold again."""

    line_id: str
    quantity: int = Field(ge=1, le=100_000)
    restock: bool = True


def check_returnable(order: Order, returned: Iterable[ReturnedLine]) -> None:
    """Raises Invalid for a line that the order lacks, that is named twice, or of which more comes back than is out."""
    outside = {line.id: line.fulfilled - line.returned for line in order.lines}
    seen: set[str] = set()
    for position, line in enumerate(returned):
        if line.line_id not in outside:
            raise Invalid("the order has no such line", path=f"$.lines[{position}].line_id")
        if line.line_id in seen:
            raise Invalid("this line is named twice", path=f"$.lines[{position}].line_id")
        if line.quantity > outside[line.line_id]:
            raise Invalid(
                f"{outside[line.line_id]} units of this line were sent and have not come back",
                path=f"$.lines[{position}].quantity",
            )
        seen.add(line.line_id)


def after_return(lines: Iterable[OrderLine], quantities: Mapping[str, int]) -> tuple[OrderLine, ...]:
    """The order's lines once `quantities` (by line id) have come back."""
    return tuple(line.model_copy(update={"returned": line.returned + quantities.get(line.id, 0)}) for line in lines)


def restocked_parts(order: Order, returned: Iterable[ReturnedLine]) -> tuple[Part, ...]:
    """What can be sold again, and where it lies: units go back to the shelf that their line came from first."""
    lines = {line.id: line for line in order.lines}
    return summed(
        Part(sku=lines[one.line_id].sku, location=lines[one.line_id].allocations[0].location, quantity=one.quantity)
        for one in returned
        if one.restock
    )


def event_lines(order: Order, quantities: Mapping[str, int]) -> tuple[EventLine, ...]:
    """What came back with what was paid for it: the parts of a line's total sum to it over all its returns."""
    return tuple(
        EventLine(sku=line.sku, quantity=count, unit_price=line.unit_price, total=_value(line, count))
        for line in order.lines
        if (count := quantities.get(line.id))
    )


def _value(line: OrderLine, count: int) -> int:
    units = allocate(amount_of(line.totals, "total"), [1] * line.original)
    return sum(units[line.returned : line.returned + count])
