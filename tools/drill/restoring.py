"""`make restore-drill`: backs the tables up, loses the stock, restores it into its place, and checks all books.

Plays in the local shop `drill`, which it starts and leaves running (TRADEPOST_INSTANCE names another). The local AWS
keeps whole backups but no history, so what point-in-time recovery gives on AWS is a backup of the moment before here.
Keeps its figures in build/restore-drill.json. Exit code 0 where everything is as it was, else 1.
"""

import argparse
import json
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from stacks.shop import ROOT
from stacks.tables import ALL
from tools import restore_table, stock_check
from tools.demo.watch import until
from tools.drill.stage import TROUBLE, Stage, shop_of_drills
from tools.local import shop
from tools.local.steps import Stop, complain, say, step
from tools.orders.records import read
from tools.wire.books import Books, wrongs

REPORT = ROOT / "build" / "restore-drill.json"
LOST = "InventoryTable"
TABLES = tuple(spec.output for spec in ALL)


def drill(stage: Stage) -> dict[str, Any]:
    """What was backed up, lost and put back. Raises Stop where the books do not agree afterwards."""
    dynamodb = stage.client("dynamodb")
    order_id = stage.buy()
    until("the warehouse's turn", lambda: read(stage.instance, order_id).order.task_state == "AwaitWarehouse")
    table = stage.instance.output(LOST)
    with _backed_up(stage) as backups:
        before = _items(dynamodb, table)
        with step(f"The loss of {LOST}") as current:
            _empty(dynamodb, table)
            current.note = f"{len(before)} items"
        lost = not read(stage.instance, order_id).reservations
        begun = time.monotonic()
        with _restored(dynamodb, backups[LOST], f"{table}-restored") as beside:
            told = restore_table.Restoration(dynamodb, table, beside).run(overwrite=True, dry=False)
        seconds = round(time.monotonic() - begun, 1)
    if not lost or not read(stage.instance, order_id).reservations:
        raise Stop("The stock was not lost, or what was reserved for an order is not back")
    _agree(stage, before, _items(dynamodb, table))
    stage.buy()
    return {
        "tables": len(backups),
        "items": len(before),
        "put_back": told["written"],
        "seconds": seconds,
    }


def _agree(stage: Stage, before: list[Any], after: list[Any]) -> None:
    if before != after:
        raise Stop(f"{LOST} has {len(after)} items, and not the {len(before)} that it had")
    if shelves := stock_check.differences(lambda: stock_check.accounts(Books.read(stage.instance).inventory)):
        raise Stop(f"{len(shelves)} shelves differ from their movements")
    if wrong := wrongs(Books.read(stage.instance)):
        raise Stop("; ".join(map(str, wrong)))


@contextmanager
def _backed_up(stage: Stage) -> Iterator[dict[str, str]]:
    """The ARN of a backup of each table, by its output."""
    dynamodb = stage.client("dynamodb")
    with step("Backups of all tables"):
        made = {
            output: dynamodb.create_backup(TableName=stage.instance.output(output), BackupName="drill")["BackupDetails"]
            for output in TABLES
        }
    try:
        yield {output: one["BackupArn"] for output, one in made.items()}
    finally:
        for one in made.values():
            dynamodb.delete_backup(BackupArn=one["BackupArn"])


@contextmanager
def _restored(dynamodb: Any, backup: str, name: str) -> Iterator[str]:
    """A table of this name, made from the backup."""
    dynamodb.restore_table_from_backup(TargetTableName=name, BackupArn=backup)
    dynamodb.get_waiter("table_exists").wait(TableName=name)
    try:
        yield name
    finally:
        dynamodb.delete_table(TableName=name)


def _items(dynamodb: Any, table: str) -> list[Any]:
    pages = dynamodb.get_paginator("scan").paginate(TableName=table)
    found = (item for page in pages for item in page["Items"])
    return sorted(found, key=lambda item: (item["pk"]["S"], item["sk"]["S"]))


def _empty(dynamodb: Any, table: str) -> None:
    for item in _items(dynamodb, table):
        dynamodb.delete_item(TableName=table, Key={"pk": item["pk"], "sk": item["sk"]})


def main(arguments: list[str] | None = None) -> int:
    """The command. Answers the exit code."""
    argparse.ArgumentParser(prog="make restore-drill", description=__doc__).parse_args(arguments)
    try:
        instance = shop_of_drills()
        shop.up(instance)
        figures = drill(Stage.of(instance))
    except TROUBLE as failure:
        complain(str(failure))
        return 1
    REPORT.parent.mkdir(exist_ok=True)
    REPORT.write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")
    say(f"{figures['put_back']} items are back after {figures['seconds']} s, all books agree, and the shop sells on.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
