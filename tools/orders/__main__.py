"""What operators ask and do about orders; `make help` lists it, docs/operating.md tells when to use what."""

import argparse
import sys

from botocore.exceptions import BotoCoreError, ClientError

from commerce.errors import CommerceError
from commerce.money import minor_units
from tools.local.steps import Stop, asks_first, complain, goes_on, say
from tools.orders import acts
from tools.orders.lookup import identified, of_address
from tools.orders.records import latest, read
from tools.orders.story import Records, tell, tell_all, tell_briefly
from tools.shops import Shop, choose, chosen


def main(arguments: list[str] | None = None) -> int:
    """One of the commands. Answers the exit code."""
    options = _parser().parse_args(arguments)
    try:
        shop = chosen(options)
        match options.command:
            case "executions":
                tell_all(latest(shop, options.status))
            case "show":
                show(shop, options.order, events=options.events)
            case _:
                _act(shop, options)
    except (Stop, LookupError, CommerceError, BotoCoreError, ClientError) as failure:
        complain(str(failure))
        return 1
    return 0


def show(shop: Shop, text: str, *, events: bool) -> None:
    """Tells the story of the order; of several orders with one e-mail address it says which they are."""
    found = of_address(shop, text) if "@" in text else []
    if len(found) > 1:
        return tell_briefly(found)
    tell(read(shop, found[0].id if found else identified(shop, text), events=events))


def _act(shop: Shop, options: argparse.Namespace) -> None:
    records = read(shop, identified(shop, options.order))
    order, act = records.order, _planned(shop, records, options)
    say(f"  {order.label}  {order.id}  {order.status}")
    say(f"  This will {act.what}.")
    if goes_on(options):
        say(f"  {act.do()}.")


def _planned(shop: Shop, records: Records, options: argparse.Namespace) -> acts.Act:
    match options.command:
        case "resume":
            return acts.resume(shop, records)
        case "cancel":
            return acts.cancel(shop, records, options.reason)
    return acts.refund(shop, records, minor_units(options.amount, records.order.currency), options.reason)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tools.orders", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    listing = commands.add_parser("executions", help="how far the latest orders have come")
    listing.add_argument("--status", choices=("RUNNING", "SUCCEEDED", "FAILED", "TIMED_OUT", "ABORTED"))
    one = commands.add_parser("show", help="all that happened to an order")
    one.add_argument("order", help="its id, its label, or the e-mail address that it was bought with")
    one.add_argument("--events", action="store_true", help="also what went over the bus, as analytics knows it")
    resume = commands.add_parser("resume", help="let an order go on that stands still")
    cancel = commands.add_parser("cancel", help="cancel an order that has not left")
    cancel.add_argument("--reason", default="merchant_request", help=f"one of {', '.join(acts.REASONS)}")
    refund = commands.add_parser("refund", help="give money back")
    refund.add_argument("--amount", required=True, help="in the order's currency, such as 19.99")
    refund.add_argument("--reason", required=True, help="a sentence; the buyer reads it")
    for command in (resume, cancel, refund):
        command.add_argument("order", help="its id, or its label")
        asks_first(command)
    for command in (listing, one, resume, cancel, refund):
        choose(command)
    return parser


if __name__ == "__main__":
    sys.exit(main())
