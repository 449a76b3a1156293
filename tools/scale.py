"""`make scale RATE=…`: which quota ends the shop's growth first, and how many times larger it must be for a rate.

One table of quotas, each with its source, and what an order takes of it. `--page` writes the table into docs/scale.md.
"""

import argparse
import json
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from rich.console import Console
from rich.table import Table

from stacks.config import load
from stacks.shop import ROOT
from tools.bench.cost import (
    MILLISECONDS_PER_CALL,
    MILLISECONDS_PER_INVOCATION,
    MILLISECONDS_PER_PROVIDER_CALL,
)

PAGE = ROOT / "docs" / "scale.md"
BEGIN, END = "<!-- made by make docs: quotas -->\n", "<!-- end -->\n"

STEPS = (1, 10, 100, 1_000, 10_000)
"""Orders per second that the page speaks of."""

# What a delivered order takes, from complete to the settled books, as `make bench` counts it (build/bench.json).
INVOCATIONS, TRANSITIONS, EMAILS = 27, 5, 3
AWS_CALLS = 82
"""68 to DynamoDB, 5 each to the bus and to Firehose, 4 to Step Functions. A
laptop's Stripe answers before the execution waits for it, which saves the first signal."""
STRIPE_CALLS, CARRIER_CALLS = 3, 6
"""The carrier is asked about a parcel each time that it tells something of it."""
WRITE_UNITS_OF_ORDERS = 110
"""To the table of orders with its four indexes, the busiest one, of 200 units in all."""
EVENTS = 5
"""Placed, confirmed, shipped, delivered, settled."""
DELIVERIES_OF_EVENTS = EVENTS + EMAILS
"""Each event goes to the analysts' queue, and three of them to the e-mails'."""
SIGNALS = 3
"""SendTaskSuccess: paid, picked up, delivered."""
CHECKOUT_REQUESTS = 7
"""From the cart to the order."""
OTHER_REQUESTS = 8
"""Stripe tells twice and the carrier three times; the warehouse picks, packs and hands over."""
BROWSING_REQUESTS = 23
"""20 product pages and 3 searches, as if CloudFront kept none of them."""
BROWSING_CALLS = 2
"""Calls to DynamoDB for a page."""

REQUESTS = CHECKOUT_REQUESTS + OTHER_REQUESTS + BROWSING_REQUESTS
INSTANCE_SECONDS = (
    (INVOCATIONS + CHECKOUT_REQUESTS + BROWSING_REQUESTS) * MILLISECONDS_PER_INVOCATION
    + (AWS_CALLS + CHECKOUT_REQUESTS * 4 + BROWSING_REQUESTS * BROWSING_CALLS) * MILLISECONDS_PER_CALL
    + (STRIPE_CALLS + CARRIER_CALLS) * MILLISECONDS_PER_PROVIDER_CALL
) / 1000
"""How long an order and the visit before it keep an instance of Lambda, all together, with the durations that
tools/bench/cost.py assumes. About four calls to AWS for each request of a checkout."""

Scope = Literal["shop", "sku", "start", "delay"]


@dataclass(frozen=True)
class Quota:
    """A ceiling. `default` in units per second, or at once; `per_order` in the same units."""

    name: str
    default: float
    per_order: float
    source: str
    then: str
    """What happens above it, and what to do."""
    scope: Scope = "shop"
    """`sku`: for one SKU alone. `start`: until the table has warmed up. `delay`: above it work waits, and no order is
    refused."""
    elsewhere: float | None = None
    """The default in regions other than us-east-1, us-west-2 and eu-west-1, where it differs."""

    @property
    def orders(self) -> float:
        """Orders per second that fit."""
        return self.default / self.per_order

    def times(self, rate: float) -> float:
        """How many times the default a rate of orders wants; at most 1 where it fits."""
        return rate / self.orders


_AWS = "https://docs.aws.amazon.com"
_STATES = f"{_AWS}/step-functions/latest/dg/service-quotas.html"
_EVENTS = f"{_AWS}/eventbridge/latest/userguide/eb-quota.html"
_TABLES = f"{_AWS}/amazondynamodb/latest/developerguide/ServiceQuotas.html"
_STRIPE = "https://docs.stripe.com/rate-limits"

QUOTAS = (
    Quota(
        "Stripe, one endpoint, live",
        25,
        1,
        _STRIPE,
        "payments stay unknown and are asked for again, buyers wait: ask Stripe six weeks before",
    ),
    Quota("Stripe, all endpoints, live", 100, STRIPE_CALLS, _STRIPE, "as above"),
    Quota(
        "the API's own throttle, api_rate of prod",
        load("prod").api_rate,
        REQUESTS,
        "config/prod.toml",
        "429: raise api_rate, which costs nothing",
    ),
    Quota(
        "API Gateway, requests of an account",
        10_000,
        REQUESTS,
        f"{_AWS}/apigateway/latest/developerguide/limits.html",
        "429: ask AWS; let CloudFront keep product pages longer",
    ),
    Quota(
        "Lambda, instances at once",
        1_000,
        INSTANCE_SECONDS,
        f"{_AWS}/lambda/latest/dg/gettingstarted-limits.html",
        "429 and 503: ask AWS; new accounts run 10",
    ),
    Quota(
        "Step Functions, StartExecution",
        300,
        1,
        _STATES,
        "the order stands, the reconciler starts 200 a minute: ask AWS",
        scope="delay",
        elsewhere=150,
    ),
    Quota(
        "Step Functions, SendTaskSuccess",
        500,
        SIGNALS,
        _STATES,
        "the order stands, the reconciler repeats 200 signals a minute: ask AWS",
        scope="delay",
        elsewhere=300,
    ),
    Quota(
        "Step Functions, transitions",
        5_000,
        TRANSITIONS,
        _STATES,
        "executions go on later: ask AWS",
        scope="delay",
        elsewhere=800,
    ),
    Quota(
        "DynamoDB, a new table's writes",
        4_000,
        WRITE_UNITS_OF_ORDERS,
        f"{_AWS}/amazondynamodb/latest/developerguide/on-demand-capacity-mode.html",
        "some get 503 for minutes, tables grow by themselves: set their warm throughput before a rush",
        scope="start",
    ),
    Quota(
        "DynamoDB, a table's writes",
        40_000,
        WRITE_UNITS_OF_ORDERS,
        _TABLES,
        "503: ask AWS; the table of orders and its indexes together, each of which has the quota alone",
    ),
    Quota(
        "the index in_status, 8 shards",
        8_000,
        2,
        "docs/flash-sales.md, reckoned from 1,000 write units per key",
        "503: more shards of in_status",
    ),
    Quota(
        "one SKU, one row",
        44,
        1,
        "make flash-sale, virtual time, 20 ms a transaction",
        "429 waiting_room: switch a pool on",
        scope="sku",
    ),
    Quota(
        "one SKU, a pool of 30 rows",
        761,
        1,
        "make flash-sale, virtual time, 20 ms a transaction",
        "429 waiting_room: buyers wait in line",
        scope="sku",
    ),
    Quota(
        "EventBridge, PutEvents",
        10_000,
        EVENTS,
        _EVENTS,
        "events wait in the outbox and are put later: ask AWS",
        scope="delay",
    ),
    Quota(
        "EventBridge, deliveries to targets",
        18_750,
        DELIVERIES_OF_EVENTS,
        _EVENTS,
        "e-mails and analytics come later: ask AWS",
        scope="delay",
    ),
    Quota(
        "SES, in its sandbox",
        1,
        EMAILS,
        f"{_AWS}/ses/latest/dg/request-production-access.html",
        "buyers get no mail: ask for production access",
        scope="delay",
    ),
    Quota(
        "CloudFront, requests of a distribution",
        250_000,
        REQUESTS,
        f"{_AWS}/AmazonCloudFront/latest/DeveloperGuide/cloudfront-limits.html",
        "ask AWS",
    ),
)
"""Defaults of us-east-1, us-west-2 and eu-west-1. Other regions have less of EventBridge too: see the source."""


def binding(rate: float) -> list[Quota]:
    """What a rate of orders per second is too much for, what breaks first in front. Single SKUs are left out."""
    return sorted((quota for quota in QUOTAS if quota.scope != "sku" and quota.times(rate) > 1), key=_orders)


def first(rate: float) -> Quota | None:
    """What refuses buyers first at this rate; None where nothing does."""
    return next((quota for quota in binding(rate) if quota.scope == "shop"), None)


def _orders(quota: Quota) -> float:
    return quota.orders


def page(quotas: Iterable[Quota] = QUOTAS) -> str:
    """The table of docs/scale.md."""
    lines = [
        "| quota | default | an order takes | orders per second | above it | source |",
        "|---|---|---|---|---|---|",
    ]
    for quota in sorted(quotas, key=_orders):
        default = f"{quota.default:,.0f}" + (f" ({quota.elsewhere:,.0f} elsewhere)" if quota.elsewhere else "")
        lines.append(
            f"| {quota.name} | {default} | {quota.per_order:g} | **{_rounded(quota.orders)}** | {quota.then} |"
            f" {quota.source} |"
        )
    steps = ["", "| orders per second | refuses buyers first | all that is too small then |", "|---|---|---|"]
    for rate in STEPS:
        breaks, named = first(rate), "; ".join(_wanted(quota, rate) for quota in binding(rate))
        steps.append(f"| {rate:,} | {breaks.name if breaks else 'nothing'} | {named or 'nothing'} |")
    return "\n".join([*lines, *steps]) + "\n"


def _wanted(quota: Quota, rate: float) -> str:
    return f"{quota.name} (x {_rounded(quota.times(rate))})"


def _rounded(number: float) -> str:
    return f"{number:,.0f}" if number >= 10 else f"{number:.1f}"


def written(text: str) -> str:
    """The page's text with the table made anew. Raises ValueError where its marks are missing."""
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not (begin and end):
        raise ValueError(f"the page lacks the marks {BEGIN.strip()} and {END.strip()}")
    return before + BEGIN + page() + END + after


def show(rate: float) -> None:
    """What a rate is too much for, for people."""
    table = Table("quota", "orders per second", "times", "above it", box=None, pad_edge=False)
    for quota in binding(rate):
        table.add_row(quota.name, _rounded(quota.orders), _rounded(quota.times(rate)), quota.then)
    console = Console(highlight=False)
    breaks = first(rate)
    verdict = f"{breaks.name} refuses buyers first" if breaks else "no buyer is refused"
    console.print(f"{rate:g} orders per second: {verdict}.")
    if table.row_count:
        console.print(table)
    singles = [quota for quota in QUOTAS if quota.scope == "sku" and quota.times(rate) > 1]
    for quota in singles:
        console.print(f"If all want the same: {quota.name} sells {quota.orders:g} per second; {quota.then}.")


def main(arguments: list[str] | None = None) -> int:
    """The command. Answers the exit code."""
    parser = argparse.ArgumentParser(prog="make scale", description=__doc__)
    parser.add_argument("rate", nargs="?", type=float, default=100.0, help="orders per second")
    parser.add_argument("--json", action="store_true", help="for programs")
    parser.add_argument("--page", action="store_true", help="write the table of docs/scale.md")
    options = parser.parse_args(arguments)
    if options.rate <= 0:
        parser.error("say how many orders per second: more than none")
    if options.page:
        PAGE.write_text(written(PAGE.read_text("utf-8")), "utf-8")
    elif options.json:
        found = binding(options.rate)
        told = [{"quota": one.name, "orders": one.orders, "times": one.times(options.rate)} for one in found]
        print(json.dumps(told, indent=2))
    else:
        show(options.rate)
    return 0


if __name__ == "__main__":
    sys.exit(main())
