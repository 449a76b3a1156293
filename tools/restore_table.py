"""`make restore-table`: puts what a table has lost back into it, from a table that was restored beside it.

Says what it would do with --dry-run. An item that is missing is put back, unless it comes meanwhile; one that differs
stays as it is, unless --overwrite says that the restored one is right; an order whose buyer was erased since stays so
even then, with its payment events. Exit code 1 where it was not done to the end.
"""

import argparse
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

from botocore.exceptions import BotoCoreError, ClientError

from commerce.adapters.dynamodb import Contended, Table
from tools.local.steps import Stop, complain, say, step
from tools.shops import choose, chosen

Item = dict[str, Any]
"""As DynamoDB has it, with the types of its values."""
PAGE = 100
"""Keys that BatchGetItem takes at once."""
Kind = Literal["same", "missing", "differing", "erased"]


@dataclass(frozen=True)
class Restoration:
    """From the table `restored` into the table `present`, page by page: neither has to fit into memory."""

    client: Any
    present: str
    restored: str

    def run(self, *, overwrite: bool, dry: bool) -> Counter[str]:
        """How many items there are of each kind, and how many were `written`."""
        counted: Counter[str] = Counter()
        for items in self._pages():
            known = self._known(items)
            for item in items:
                kind = _judged(known.get(_key(item)), item)
                counted[kind] += 1
                if not dry and (kind == "missing" or (kind == "differing" and overwrite)):
                    counted["written"] += self._write(item, only_if_missing=kind == "missing")
        return counted

    def _pages(self) -> Iterator[list[Item]]:
        pages = self.client.get_paginator("scan").paginate(TableName=self.restored, PaginationConfig={"PageSize": PAGE})
        return (page["Items"] for page in pages if page["Items"])

    def _known(self, items: list[Item]) -> dict[tuple[str, str], Item]:
        """What the present table has under the same keys."""
        keys = [{"pk": item["pk"], "sk": item["sk"]} for item in items]
        return {_key(item): item for item in Table(self.client, self.present).batch(keys, consistent=True)}

    def _write(self, item: Item, *, only_if_missing: bool) -> bool:
        condition = {"ConditionExpression": "attribute_not_exists(pk)"} if only_if_missing else {}
        try:
            self.client.put_item(TableName=self.present, Item=item, **condition)
        except self.client.exceptions.ConditionalCheckFailedException:
            return False
        return True


def _key(item: Item) -> tuple[str, str]:
    return item["pk"]["S"], item["sk"]["S"]


def _judged(present: Item | None, restored: Item) -> Kind:
    if present is None:
        return "missing"
    if present == restored:
        return "same"
    unsaid = "note" in restored and "note" not in present  # of a payment event: it goes with its order's buyer
    return "erased" if unsaid or "erased_at" in present else "differing"


def main(arguments: list[str] | None = None) -> int:
    """The command. Answers the exit code."""
    parser = argparse.ArgumentParser(prog="make restore-table", description=__doc__)
    parser.add_argument("--table", required=True, help="the output that names the table, such as InventoryTable")
    parser.add_argument("--source", required=True, help="the name of the table that was restored beside it")
    parser.add_argument("--overwrite", action="store_true", help="also items that differ are put back as they were")
    parser.add_argument("--dry-run", action="store_true", help="only say what would be done")
    choose(parser)
    options = parser.parse_args(arguments)
    try:
        shop = chosen(options)
        restoration = Restoration(shop.client("dynamodb"), shop.output(options.table), options.source)
        with step(f"{options.source} into {options.table}") as current:
            counted = restoration.run(overwrite=options.overwrite, dry=options.dry_run)
            current.note = f"{sum(counted.values()) - counted['written']} items"
    except (Stop, LookupError, BotoCoreError, ClientError, Contended) as failure:
        complain(str(failure))
        return 1
    say(f"{counted['same']} are as they were, {counted['missing']} were missing, {counted['differing']} differ.")
    if counted["erased"]:
        say(f"{counted['erased']} stay without what was erased of their buyers since.")
    say("Nothing was written." if options.dry_run else f"{counted['written']} were put back.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
