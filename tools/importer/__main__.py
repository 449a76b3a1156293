"""Imports a table of products into the shop.

Exit code: 0 all went in, 1 some rows were refused (they are in the report), 2 it did not come to its end.
"""

import argparse
import json
import os
import sys
import time
import tomllib
from dataclasses import asdict
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

from tools.local.instance import ROOT, Instance
from tools.local.steps import Stop

sys.path.insert(0, str(ROOT / "layers" / "commerce" / "python"))

from botocore.exceptions import BotoCoreError, ClientError

from commerce.errors import CommerceError
from tools.importer import drafts, mapping, tables
from tools.importer.load import Report, Shop, load
from tools.importer.pictures import Pictures

REPORT = ROOT / "build" / "import-report.json"
SHOWN = 10
"""Refused rows on the screen; the report has all."""

console = Console()


class Bar:
    """A progress bar per step."""

    def __init__(self) -> None:
        self.progress = Progress(
            TextColumn("{task.description:<9}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(), console=console
        )
        self.task: TaskID | None = None

    def begin(self, step: str, total: int) -> None:
        """A step begins."""
        self.task = self.progress.add_task(step, total=total)

    def advance(self) -> None:
        """One more is done."""
        if self.task is not None:
            self.progress.advance(self.task)


def main(arguments: list[str] | None = None) -> int:
    """Runs an import; answers the exit code."""
    options = _options(arguments)
    started = time.monotonic()
    try:
        table = mapping.load(_mapping_file(options.mapping, options.file))
        found = drafts.intakes(tables.read(options.file, table.format), table, options.currency)
        shop = _shop(options)
        bar = Bar()
        with bar.progress:
            report = load(
                shop,
                found,
                bar,
                threads=options.threads,
                replace_stock=options.set_stock,
                dry_run=options.dry_run,
            )
    except (mapping.MappingError, tables.TableError, LookupError, Stop) as error:
        return _stop(str(error))
    except (ClientError, BotoCoreError) as error:
        return _stop(f"the shop does not answer as it should: {error}. Run the import again: it goes on where it was.")
    except CommerceError as error:
        return _stop(f"{error.content}. Run the import again: it goes on where it was.")
    _write(report, options.file, time.monotonic() - started, dry_run=options.dry_run)
    _tell(report, time.monotonic() - started, dry_run=options.dry_run)
    return 1 if report.refused else 0


def _options(arguments: list[str] | None) -> argparse.Namespace:
    shop = tomllib.loads((ROOT / "config" / "shop.toml").read_text())
    locations = [location["id"] for location in shop.get("locations", [{"id": "main"}])]
    parser = argparse.ArgumentParser(prog="python -m tools.importer", description=__doc__, formatter_class=_Plain)
    parser.add_argument("file", type=Path, metavar="FILE", help="a table, or a folder with a products.csv")
    parser.add_argument("--mapping", help="a mapping file, or the name of one that comes along: " + _shipped())
    parser.add_argument("--currency", default=shop["currencies"][0], help="of prices that do not say theirs")
    parser.add_argument("--location", default=locations[0], help="where the stock lies")
    parser.add_argument("--images", type=Path, help="a folder of pictures; the table's own folder by default")
    parser.add_argument("--set-stock", action="store_true", help="overwrite stock that the shop already has")
    parser.add_argument("--dry-run", action="store_true", help="compare and report, write nothing")
    parser.add_argument("--threads", type=int, default=8, help=argparse.SUPPRESS)
    parser.add_argument("--tables-from", type=Path, help="outputs of `cdk deploy` (JSON); the local shop's by default")
    parser.add_argument("--endpoint-url", help="another address of AWS, with --tables-from")
    options = parser.parse_args(arguments)
    options.file = options.file.expanduser()
    if options.file.is_dir():
        options.file = options.file / "products.csv"
    return options


class _Plain(argparse.RawDescriptionHelpFormatter):
    """Keeps the line breaks of the description."""


def _shipped() -> str:
    return ", ".join(sorted(path.stem for path in mapping.FOLDER.glob("*.toml")))


def _mapping_file(name: str | None, table: Path) -> Path:
    """The mapping that was asked for, by name or path; Shopify's for a CSV."""
    if name is None:
        if table.suffix != ".csv":
            raise mapping.MappingError(f"{table.name} is no CSV: say with --mapping how it is read ({_shipped()})")
        name = "shopify"
    shipped = mapping.FOLDER / f"{name}.toml"
    return shipped if shipped.is_file() else Path(name)


def _shop(options: argparse.Namespace) -> Shop:
    """The shop that the options name. From here on this process's AWS clients talk to it."""
    outputs = _reach(options)
    for output in ("CatalogTable", "InventoryTable", "OutboxTable", "AuditTable"):
        if output not in outputs:
            raise LookupError(f"there is no output {output}; deploy the shop first")
        os.environ[f"{output.removesuffix('Table').upper()}_TABLE"] = outputs[output]

    from commerce.adapters import aws
    from commerce.adapters.audit import AuditTrail
    from commerce.adapters.dynamodb import Table
    from commerce.adapters.outbox import Outbox
    from commerce.catalog.repository import CatalogRepository
    from commerce.inventory.repository import InventoryRepository

    database = aws.client("dynamodb")
    outbox, audit = Outbox(outputs["OutboxTable"]), AuditTrail(outputs["AuditTable"])
    bucket = outputs.get("MediaBucket")
    return Shop(
        catalog=CatalogRepository(Table(database, outputs["CatalogTable"]), outbox, audit),
        inventory=InventoryRepository(Table(database, outputs["InventoryTable"]), outbox, (options.location,)),
        audit=audit,
        location=options.location,
        pictures=Pictures(options.images or options.file.parent, bucket, aws.client("s3") if bucket else None),
    )


def _reach(options: argparse.Namespace) -> dict[str, str]:
    """Points AWS clients at the shop, and answers its outputs."""
    if options.tables_from is None:
        instance = Instance.current().running()
        instance.output("CatalogTable")
        reached = instance.environment()
        os.environ.clear()
        os.environ.update(reached)
        return instance.outputs
    if "AWS_REGION" in os.environ:
        os.environ.setdefault("AWS_DEFAULT_REGION", os.environ["AWS_REGION"])
    if options.endpoint_url:
        os.environ["AWS_ENDPOINT_URL"] = options.endpoint_url
    try:
        written = json.loads(options.tables_from.read_text())
    except (OSError, json.JSONDecodeError) as error:
        raise LookupError(f"{options.tables_from} cannot be read: {error}") from None
    flat: dict[str, str] = {}
    for name, value in written.items():
        flat |= value if isinstance(value, dict) else {name: value}
    return flat


def _write(report: Report, table: Path, seconds: float, *, dry_run: bool) -> None:
    REPORT.parent.mkdir(exist_ok=True)
    content = {"file": table.name, "dry_run": dry_run, "seconds": round(seconds, 1), **asdict(report)}
    REPORT.write_text(json.dumps(content, indent=2) + "\n")


def _tell(report: Report, seconds: float, *, dry_run: bool) -> None:
    counts = ", ".join(f"{count} {outcome}" for outcome, count in report.products.items())
    _say(f"Products: {counts}. Variants: {report.variants}. Stock set: {report.stock_set}.")
    if report.pictures_missing:
        _say(f"{report.pictures_missing} pictures are in no folder and at no address; left out.")
    for remark in report.refused[:SHOWN]:
        _say(f"  refused, line {remark.line} {remark.product}: {remark.reason}")
    if report.refused or report.notes:
        _say(f"Refused: {len(report.refused)}. Notes: {len(report.notes)}. All are in {REPORT.relative_to(ROOT)}.")
    _say(f"{'Dry run, nothing written' if dry_run else 'Done'} in {seconds:.1f} s.")


def _stop(why: str) -> int:
    _say(why)
    return 2


def _say(text: str) -> None:
    console.print(text, markup=False, highlight=False, soft_wrap=True)


if __name__ == "__main__":
    sys.exit(main())
