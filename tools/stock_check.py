"""`make stock-check`: whether every shelf holds what its movements sum to, and has promised what orders reserve.

It only reads: the whole inventory table. Exit code 0 where all agree, 1 where something differs or cannot be read.
"""

import argparse
import sys
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import NamedTuple

from botocore.exceptions import BotoCoreError, ClientError
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from commerce.adapters.dynamodb import Item, from_item
from tools.local.steps import Stop, complain, say
from tools.shops import Shop, choose, chosen

LOOKS = 4
"""At most: orders go on while the table is read, and a look may fall between."""


class Shelf(NamedTuple):
    """A SKU at a location, or in one row of a pool there: `main`, `main#7`."""

    sku: str
    place: str


@dataclass
class Account:
    """What three sources say of a shelf."""

    on_hand: int = 0
    available: int = 0
    """As the shelf's own item says."""
    moved_on_hand: int = 0
    moved_available: int = 0
    """As its movements sum to."""
    promised: int = 0
    """By open reservations."""

    @property
    def gaps(self) -> tuple[int, int, int, bool]:
        """By how much the sources disagree on units on hand, available and reserved; and whether units are negative."""
        return (
            self.on_hand - self.moved_on_hand,
            self.available - self.moved_available,
            self.on_hand - self.available - self.promised,
            self.on_hand < 0,
        )

    @property
    def faults(self) -> list[str]:
        """The disagreements in words; none where all is well."""
        on_hand, available, reserved, negative = self.gaps
        told = {
            f"{self.on_hand} on hand, but its movements sum to {self.moved_on_hand}": on_hand,
            f"{self.available} available, but its movements sum to {self.moved_available}": available,
            f"{self.on_hand - self.available} reserved, but open reservations sum to {self.promised}": reserved,
            f"{self.on_hand} on hand: less than nothing": negative,
        }
        return [words for words, fault in told.items() if fault]


Accounts = dict[Shelf, Account]


def accounts(items: Iterable[Item]) -> Accounts:
    """Every shelf that any item of the inventory table speaks of."""
    found: Accounts = defaultdict(Account)
    for item in items:
        kind, _, rest = item["pk"].partition("#")
        if kind == "STOCK" and item["sk"].startswith("LOCATION#"):
            sku, _, row = rest.partition("#")
            shelf = found[_shelf(sku, item["sk"].removeprefix("LOCATION#"), row)]
            shelf.on_hand, shelf.available = item.get("on_hand", 0), item.get("available", 0)
        elif kind == "MOVEMENT":
            shelf = found[_shelf(item["sku"], item["location"], item.get("shard"))]
            shelf.moved_on_hand += item["on_hand"]
            shelf.moved_available += item["available"]
        elif kind == "ORDER" and item["sk"].startswith("RESERVATION#") and item["status"] == "reserved":
            found[_shelf(item["sku"], item["location"], item.get("shard"))].promised += item["quantity"]
    return found


def _shelf(sku: str, location: str, row: str | int | None) -> Shelf:
    return Shelf(sku, f"{location}#{row}" if row else location)


def differences(look: Callable[[], Accounts]) -> Accounts:
    """The shelves whose sources disagree, by the same units in two looks in a row: what is under way, moves on."""
    found = _wrong(look())
    for _ in range(LOOKS - 1):
        if not found:
            break
        again = _wrong(look())
        same = {shelf: one for shelf, one in again.items() if shelf in found and found[shelf].gaps == one.gaps}
        if same:
            return same
        found = again
    return found


def _wrong(seen: Accounts) -> Accounts:
    return {shelf: account for shelf, account in seen.items() if account.faults}


def read(shop: Shop, output: str, console: Console) -> Iterator[Item]:
    """Everything in the table that the shop's stacks tell under `output`, with a bar that shows how far it is."""
    database, name = shop.client("dynamodb"), shop.output(output)
    total = database.describe_table(TableName=name)["Table"].get("ItemCount") or None  # counted every six hours
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console) as progress:
        task = progress.add_task(name, total=total)
        for page in database.get_paginator("scan").paginate(TableName=name, ConsistentRead=True):
            for item in page["Items"]:
                yield from_item(item)
            progress.advance(task, len(page["Items"]))
        progress.update(task, total=progress.tasks[task].completed)


def check(shop: Shop, console: Console) -> bool:
    """Prints what disagrees; answers whether all is well."""
    shelves: set[Shelf] = set()

    def look() -> Accounts:
        seen = accounts(read(shop, "InventoryTable", console))
        shelves.update(seen)
        return seen

    wrong = differences(look)
    for shelf, account in sorted(wrong.items()):
        for fault in account.faults:
            say(f"  {shelf.sku} at {shelf.place}: {fault}")
    if wrong:
        say(f"{len(wrong)} of {len(shelves)} shelves are not what their movements and reservations say.")
    else:
        say(f"All {len(shelves)} shelves hold what their movements sum to, and have promised what orders reserve.")
    return not wrong


def main(arguments: list[str] | None = None) -> int:
    """The command. Answers the exit code."""
    parser = argparse.ArgumentParser(prog="python -m tools.stock_check", description=__doc__)
    choose(parser)
    options = parser.parse_args(arguments)
    try:
        return 0 if check(chosen(options), Console(stderr=True)) else 1
    except (Stop, LookupError, BotoCoreError, ClientError) as failure:
        complain(str(failure))
        return 1


if __name__ == "__main__":
    sys.exit(main())
