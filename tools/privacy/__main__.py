"""Gives a person their data, erases them, searches for what was left; `docs/privacy.md` tells when and how.

    python -m tools.privacy ask ada@example.com --kind erase --reference ticket-17
    python -m tools.privacy show person_…
    python -m tools.privacy scan
"""

import argparse
import json
import sys
from typing import Any, get_args

from botocore.exceptions import BotoCoreError, ClientError

from commerce.contact import address_key
from commerce.privacy.model import Kind
from stacks.config import ConfigError, load
from tools import admin_api
from tools.local.steps import Stop, asks_first, complain, goes_on, say
from tools.privacy.scan import scan
from tools.shops import Shop, choose, chosen

_REQUESTS = "/admin/privacy/requests"


def main(arguments: list[str] | None = None) -> int:
    """One of the commands. Answers the exit code."""
    options = _parser().parse_args(arguments)
    try:
        shop = chosen(options)
        if options.command == "scan":
            return _scan(shop, options.words, load(options.environment).shop.email_from)
        if options.command == "show":
            _tell(_asked(shop, "admin-privacy", f"GET {_REQUESTS}/{{id}}", options.request))
        else:
            _ask(shop, options)
    except (Stop, LookupError, ConfigError, BotoCoreError, ClientError) as failure:
        complain(str(failure))
        return 1
    return 0


def _ask(shop: Shop, options: argparse.Namespace) -> None:
    """Asked with the same reference again, it is the same request."""
    email, kind, reference = options.email, options.kind, options.reference
    if kind == "erase":
        say("  This will erase the person from carts, checkouts, orders and the user pool, for good.")
        say("  What the law wants of their orders stays: goods, amounts, dates, the country.")
        if not goes_on(options):
            return
    body = {"email": email, "kind": kind, "reference": reference}
    key = f"{kind}-{address_key(email)}-{address_key(reference)}"
    made = _asked(shop, "admin-privacy", f"POST {_REQUESTS}", "", body, key)
    if kind == "export":
        export = _asked(shop, "export-person", f"GET {_REQUESTS}/{{id}}/export", made["id"])
        print(json.dumps(export, indent=2, ensure_ascii=False))
    else:
        _tell(made)


def _scan(shop: Shop, words: list[str], sender: str) -> int:
    found = list(map(str, scan(shop, words=words, own=(sender,))))
    for line in sorted(set(found)):
        say(f"  {found.count(line)} x {line}")
    say(f"  {len(found)} found" if found else "  Nothing was found that tells who somebody is, or opens something.")
    return 1 if found else 0


def _asked(shop: Shop, function: str, route: str, request_id: str, body: Any = None, key: str = "look") -> Any:
    return admin_api.ask(shop, function, route, request_id, key=key, body=body, group="admin")


def _tell(request: dict[str, Any]) -> None:
    say(f"  {request['id']}  {request['kind']}  {request['state']}  (reference: {request['reference']})")
    for order_id in request["waits_for"]:
        say(f"  waits for {order_id}, which is on its way")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tools.privacy", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    ask = commands.add_parser("ask", help="a person wants their data, or to be forgotten")
    ask.add_argument("email", help="the address that they bought with")
    ask.add_argument("--kind", choices=get_args(Kind), required=True)
    ask.add_argument("--reference", required=True, help="where it is written down that they asked, and who they are")
    asks_first(ask)
    show = commands.add_parser("show", help="how far a request has come")
    show.add_argument("request", help="its id")
    search = commands.add_parser("scan", help="search all that the shop keeps for what tells who somebody is")
    search.add_argument("words", nargs="*", help="what to search for besides, such as a name")
    for command in (ask, show, search):
        choose(command)
    return parser


if __name__ == "__main__":
    sys.exit(main())
