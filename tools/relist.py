"""`make relist`: makes every product's listings and search words anew, as this release writes them.

It writes only what differs, so a second run writes nothing. Products may be changed meanwhile. Exit code 0 where all
are listed, 1 where some could not be, or none could be read: run it again.
"""

import argparse
import sys
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor

from botocore.exceptions import BotoCoreError, ClientError
from pydantic import ValidationError
from rich.console import Console
from rich.progress import MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from commerce.adapters.audit import AuditTrail
from commerce.adapters.dynamodb import Table
from commerce.adapters.outbox import Outbox
from commerce.catalog.repository import CatalogRepository
from commerce.errors import CommerceError
from tools.local.steps import Stop, complain, say
from tools.shops import Shop, choose, chosen

THREADS = 8
_PAGE = 100


def product_ids(catalog: CatalogRepository) -> Iterator[str]:
    """Every product that staff see, in whatever state."""
    after, more = None, True
    while more:
        entries, after = catalog.admin_list(None, after=after, limit=_PAGE)
        yield from (entry.product_id for entry in entries)
        more = after is not None


def relist(catalog: CatalogRepository, console: Console) -> tuple[int, int]:
    """How many products there are, and how many of them could not be listed, which it names."""
    parents = {category.slug: category.parent for category in catalog.categories()}
    columns = (TextColumn("Products"), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console) as progress, ThreadPoolExecutor(THREADS) as hands:
        ids = list(product_ids(catalog))
        listed = hands.map(lambda one: _listed(catalog, one, parents), ids)
        return len(ids), sum(not done for done in progress.track(listed, total=len(ids)))


def _listed(catalog: CatalogRepository, product_id: str, parents: Mapping[str, str | None]) -> bool:
    try:
        catalog.project(product_id, parents)
    except (CommerceError, ValidationError, BotoCoreError, ClientError) as failure:
        complain(f"  {product_id}: {failure}")
        return False
    return True


def run(shop: Shop, console: Console) -> bool:
    """Prints how many products are listed; answers whether all are."""
    outbox, audit = Outbox(shop.output("OutboxTable")), AuditTrail(shop.output("AuditTable"))
    catalog = CatalogRepository(Table(shop.client("dynamodb"), shop.output("CatalogTable")), outbox, audit)
    products, failed = relist(catalog, console)
    if failed:
        complain(f"{failed} of {products} products could not be listed. Run it again.")
    else:
        say(f"All {products} products are listed.")
    return not failed


def main(arguments: list[str] | None = None) -> int:
    """The command. Answers the exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m tools.relist", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    choose(parser)
    options = parser.parse_args(arguments)
    try:
        return 0 if run(chosen(options), Console(stderr=True)) else 1
    except (Stop, LookupError, BotoCoreError, ClientError) as failure:
        complain(str(failure))
        return 1


if __name__ == "__main__":
    sys.exit(main())
