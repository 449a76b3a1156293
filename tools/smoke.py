"""`make smoke`: asks a deployed shop what its first visitors ask, and what it must refuse. Changes nothing.

Exit code 0 where every answer is right, else 1.
"""

import argparse
import sys
from collections.abc import Iterator

import httpx
from botocore.exceptions import BotoCoreError, ClientError

from tools.local.steps import Stop, complain, say
from tools.shops import choose, chosen

EXPECTED = (
    ("GET", "/.well-known/ucp", 200, "agents find the shop's profile"),
    ("GET", "/products", 200, "there is a catalogue"),
    ("GET", "/categories", 200, "there are categories"),
    ("GET", "/openapi.json", 200, "developers find the API's description"),
    ("GET", "/carts/cart_of_nobody", 404, "a cart that nobody has is not found"),
    ("GET", "/me/orders", 401, "nobody's orders are shown to nobody"),
    ("GET", "/admin/orders", 401, "staff's pages want a token"),
    ("POST", "/webhooks/stripe", 400, "news that Stripe did not sign are refused"),
    ("POST", "/webhooks/carrier", 401, "news that the carrier did not sign are refused"),
)
"""Method, path, the status to be answered, and what that means. Each takes a function, its role and what it reads."""


def faults(http: httpx.Client) -> Iterator[str]:
    """What is not as it should be, in sentences."""
    for method, path, wanted, means in EXPECTED:
        try:
            answer = http.request(method, path, json={} if method == "POST" else None)
        except httpx.HTTPError as error:
            yield f"{method} {path}: no answer ({type(error).__name__}), so it is open whether {means}"
            continue
        if answer.status_code != wanted:
            yield f"{method} {path}: {answer.status_code} instead of {wanted}, so it is not true that {means}"


def main(arguments: list[str] | None = None) -> int:
    """The command. Answers the exit code."""
    parser = argparse.ArgumentParser(prog="make smoke", description=__doc__)
    choose(parser)
    try:
        url = chosen(parser.parse_args(arguments)).output("ApiUrl")
    except (Stop, LookupError, BotoCoreError, ClientError) as failure:
        complain(str(failure))
        return 1
    with httpx.Client(base_url=url, timeout=30) as http:
        found = list(faults(http))
    for fault in found:
        complain(fault)
    say(f"{len(EXPECTED) - len(found)} of {len(EXPECTED)} answers of {url} are right.")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
