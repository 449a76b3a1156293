"""Questions to the logs that operators and the dashboard ask, as CloudWatch Logs Insights understands them."""

from dataclasses import dataclass
from typing import Literal

from stacks.config import Config
from stacks.constructs.slo import BROWSE, CHECKOUT, RequestObjective
from stacks.functions import FUNCTIONS
from stacks.shop import physical_name

Source = Literal["requests", "events", "functions", "workflow"]


@dataclass(frozen=True)
class Query:
    """A question. Its `lines` are joined by pipes."""

    name: str
    of: Source
    lines: tuple[str, ...]


def log_groups(of: Source, config: Config) -> list[str]:
    """Where the answer stands. The names are those that the constructs give their log groups."""
    return {
        "requests": [f"/aws/vendedlogs/apis/{physical_name(config, 'api')}"],
        "events": [f"/aws/lambda/{physical_name(config, 'export_analytics')}"],
        "functions": [f"/aws/lambda/{physical_name(config, name)}" for name in FUNCTIONS],
        "workflow": [f"/aws/vendedlogs/states/{physical_name(config, 'checkout_to_delivery')}"],
    }[of]


def _within(objective: RequestObjective) -> str:
    beginnings = (route.rstrip("*").replace("/", "\\/") for route in objective.routes)
    return f"filter route like /^({'|'.join(beginnings)})/"


_PLACED = "filter event.type = 'order.placed'"
_COMPLETED = "strcontains(route, '/complete')"

ORDERS = Query(
    "orders-and-revenue",
    "events",
    (
        _PLACED,
        # An event may come twice: first one line for each of them.
        "stats max(event.total) / 100 as total by event.id, event.currency",
        "stats count(*) as orders, sum(total) as revenue, avg(total) as average_order by event.currency",
    ),
)
ORDERS_BY_HOUR = Query(
    "orders-by-hour", "events", (_PLACED, "stats count_distinct(event.id) as orders by bin(1h)")
)
CANCELLATIONS = Query(
    "cancellations",
    "events",
    (
        "filter event.type = 'order.canceled'",
        "stats count_distinct(event.id) as orders by event.reason",
        "sort orders desc",
    ),
)
FUNNEL = Query(
    "checkout-funnel",
    "requests",
    (
        "filter status < 400 and route in ['GET /products/{handle}', 'POST /carts', 'POST /checkout-sessions', "
        "'PUT /checkout-sessions/{id}', 'POST /checkout-sessions/{id}/complete']",
        "stats count(*) as requests by route",
        "sort requests desc",
    ),
)
CONVERSION = Query(
    "conversion",
    "requests",
    (
        "filter status < 400 and route in ['POST /checkout-sessions', 'POST /checkout-sessions/{id}/complete']",
        f"stats count(*) - sum({_COMPLETED}) as checkouts, sum({_COMPLETED}) as completed, "
        f"100 * sum({_COMPLETED}) / (count(*) - sum({_COMPLETED})) as percent",
    ),
)
REFUSED_CHECKOUTS = Query(
    "refused-checkouts",
    "requests",
    (
        "filter route = 'POST /checkout-sessions/{id}/complete' and status >= 400",
        "stats count(*) as requests by status",
        "sort requests desc",
    ),
)
MISSED = Query(
    "requests-that-missed",
    "requests",
    (
        f"filter status >= 500 or latency > {min(BROWSE.milliseconds, CHECKOUT.milliseconds)}",
        "stats count(*) as requests, avg(latency) as milliseconds, max(latency) as slowest by route, status",
        "sort requests desc",
    ),
)
BROWSE_LATENCY, CHECKOUT_LATENCY = (
    Query(
        f"{objective.name}-latency",
        "requests",
        (_within(objective), "stats pct(latency, 50) as p50, pct(latency, 99) as p99 by bin(5m)"),
    )
    for objective in (BROWSE, CHECKOUT)
)
STATUSES = Query(
    "answers-by-status", "requests", ("stats count(*) as requests, pct(latency, 99) as p99 by status", "sort status")
)
ONE_REQUEST = Query(
    "one-request",
    "functions",
    (
        "filter correlation_id = '<x-correlation-id of the answer>'",
        "fields @timestamp, service, level, message, event.type, @message",
        "sort @timestamp",
    ),
)
ONE_ORDER = Query(
    "one-order",
    "functions",
    (
        "filter @message like '<order id>'",
        "fields @timestamp, service, level, message, event.type, @message",
        "sort @timestamp",
    ),
)
ERRORS = Query(
    "errors",
    "functions",
    (
        "filter level in ['ERROR', 'CRITICAL'] or @message like /Task timed out|Traceback/",
        "stats count(*) as times, max(@timestamp) as last by service, message, error",
        "sort times desc",
    ),
)
COLD_STARTS = Query(
    "cold-starts",
    "functions",
    (
        "filter @type = 'REPORT'",
        "stats count(*) as calls, count(@initDuration) as cold, pct(@initDuration, 99) as init_p99, "
        "pct(@duration, 99) as p99, max(@maxMemoryUsed / 1000000) as megabytes by @log",
        "sort cold desc",
    ),
)
STUCK = Query(
    "failed-executions",
    "workflow",
    (
        "filter type in ['ExecutionFailed', 'ExecutionTimedOut', 'ExecutionAborted']",
        "fields @timestamp, type, execution_arn, details.error, details.cause",
        "sort @timestamp desc",
    ),
)

QUERIES = (
    ORDERS,
    ORDERS_BY_HOUR,
    CANCELLATIONS,
    FUNNEL,
    CONVERSION,
    REFUSED_CHECKOUTS,
    MISSED,
    BROWSE_LATENCY,
    CHECKOUT_LATENCY,
    STATUSES,
    ONE_REQUEST,
    ONE_ORDER,
    ERRORS,
    COLD_STARTS,
    STUCK,
)
