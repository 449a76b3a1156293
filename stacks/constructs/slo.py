"""Service objectives: which share of requests may miss what buyers are promised, and how fast it may be used up.

A log becomes one metric for each objective: 1 for a case that missed it, 0 for one that met it. Its average is the
share that missed, without mathematics: an alarm pays for every metric that it reads.
"""

from dataclasses import dataclass

from aws_cdk import Duration
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_logs as logs
from constructs import Construct

from commerce.events import DeliveryOverdue, Event, OrderDelivered
from stacks.constructs.alarm import RunbookAlarm, described, page_for
from stacks.constructs.function import METRICS

FAST, SLOW = 14.4, 6.0
"""How many times as fast as allowed: a fiftieth of a month's misses in one hour, a twentieth of them in six."""
FEW = 5
"""Fewer misses in an hour may be anybody's bad luck: in a quiet shop one of them is a large share."""


@dataclass(frozen=True)
class Objective:
    """A promise to buyers."""

    name: str
    target: float
    """The share of cases, over a month, in which it is kept."""

    @property
    def allowed(self) -> float:
        """The share of cases that may miss it."""
        return 1 - self.target

    @property
    def metric_name(self) -> str:
        """`BrowseMissed`."""
        return f"{self.name.capitalize()}Missed"


@dataclass(frozen=True)
class RequestObjective(Objective):
    """Kept by an answer without a server error, within `milliseconds`. In `routes` a `*` at the end is anything."""

    does: str
    """What buyers do there."""
    routes: tuple[str, ...]
    """As the access log has them."""
    milliseconds: int


BROWSE = RequestObjective(
    "browse",
    does="look at products",
    routes=("GET /products*", "GET /categories", "POST /catalog/*"),
    target=0.995,
    milliseconds=1_000,
)
CHECKOUT = RequestObjective(
    "checkout",
    does="fill carts, check out and pay",
    routes=tuple(f"{method} {path}*" for method in ("GET", "POST", "PUT") for path in ("/carts", "/checkout-sessions")),
    target=0.995,
    milliseconds=5_000,
)
OBJECTIVES = (BROWSE, CHECKOUT)

DELIVERY = Objective("delivery", target=0.95)
"""Parcels arrive within the environment's `delivery_deadline_seconds`: one case for each order that was delivered, and
one for each notice that an order is overdue.
"""


class Objectives(Construct):
    """One page for all of them: whatever makes browsing fail makes checking out fail, a minute later."""

    def __init__(self, scope: Construct, id_: str, *, access_log: logs.ILogGroup, name: str) -> None:
        """`name` is the alarm's, which the CDK would make the same for all environments of an account."""
        super().__init__(scope, id_)
        burning = [self._watch(objective, access_log) for objective in OBJECTIVES]
        page_for(
            cloudwatch.CompositeAlarm(
                self,
                "Burning",
                composite_alarm_name=name,
                alarm_description=described(
                    "Buyers get errors, or wait for too long: a fiftieth of what a month allows went in an hour",
                    "objectives",
                ),
                alarm_rule=cloudwatch.AlarmRule.any_of(*burning),
            )
        )

    def _watch(self, objective: RequestObjective, access_log: logs.ILogGroup) -> cloudwatch.IAlarmRule:
        """Whether the objective's misses are used up fast: for an hour, at this moment, and by more than a few."""
        _count(self, objective, access_log, missed=missed(objective), met=met(objective))
        RunbookAlarm(
            self,
            f"{objective.name.capitalize()}Slow",
            says=f"For six hours too many buyers who {objective.does} get errors or wait for too long",
            runbook="objectives",
            metric=_share(objective, Duration.hours(6)),
            threshold=_threshold(objective, SLOW),
        )
        parts = {
            "Hour": (_share(objective, Duration.hours(1)), _threshold(objective, FAST)),
            "Now": (_share(objective, Duration.minutes(5)), _threshold(objective, FAST)),
            "Many": (_metric(objective, Duration.hours(1), cloudwatch.Stats.SUM), FEW),
        }
        return cloudwatch.AlarmRule.all_of(
            *(
                RunbookAlarm(
                    self,
                    f"{objective.name.capitalize()}{part}",
                    says=f"A part of the alarm for buyers who {objective.does}",
                    runbook="objectives",
                    metric=metric,
                    threshold=threshold,
                    part=True,
                )
                for part, (metric, threshold) in parts.items()
            )
        )


def missed(objective: RequestObjective) -> str:
    """The pattern of log lines of requests that missed the objective."""
    return f"{{ {_asked(objective)} && (($.status >= 500) || ($.latency > {objective.milliseconds})) }}"


def met(objective: RequestObjective) -> str:
    """The pattern of all its other lines."""
    return f"{{ {_asked(objective)} && ($.status < 500) && ($.latency <= {objective.milliseconds}) }}"


def _asked(objective: RequestObjective) -> str:
    return "(" + " || ".join(f'($.route = "{route}")' for route in objective.routes) + ")"


def watch_delivery(scope: Construct, events_log: logs.ILogGroup) -> None:
    """Two notices: a bad day, and some days that are not good. Nobody is woken; carriers sleep as well."""
    _count(scope, DELIVERY, events_log, missed=_told(DeliveryOverdue), met=_told(OrderDelivered))
    RunbookAlarm(
        scope,
        "DeliveryDay",
        says="A third of a day's parcels are late",
        runbook="delivery-promise",
        metric=_share(DELIVERY, Duration.days(1)),
        threshold=_threshold(DELIVERY, SLOW),
    )
    RunbookAlarm(
        scope,
        "DeliveryDays",
        says="On three days running a tenth of the parcels were late",
        runbook="delivery-promise",
        metric=_share(DELIVERY, Duration.days(1)),
        threshold=_threshold(DELIVERY, 2),
        periods=3,
    )


def _told(event: type[Event]) -> str:
    return f'{{ $.event.type = "{event.type}" }}'


def _count(scope: Construct, objective: Objective, log: logs.ILogGroup, *, missed: str, met: str) -> None:
    for id_, pattern, value in (("Missed", missed, "1"), ("Met", met, "0")):
        logs.MetricFilter(
            scope,
            f"{objective.name.capitalize()}{id_}",
            log_group=log,
            filter_pattern=logs.FilterPattern.literal(pattern),
            metric_namespace=METRICS,
            metric_name=objective.metric_name,
            metric_value=value,
        )


def _metric(objective: Objective, period: Duration, statistic: str) -> cloudwatch.Metric:
    return cloudwatch.Metric(namespace=METRICS, metric_name=objective.metric_name, statistic=statistic, period=period)


def _share(objective: Objective, period: Duration) -> cloudwatch.Metric:
    return _metric(objective, period, cloudwatch.Stats.AVERAGE)


def _threshold(objective: Objective, burn: float) -> float:
    return round(burn * objective.allowed, 4)
