"""What people look at: one dashboard, and saved queries. Deployed last, since its log groups must be there."""

from collections.abc import Sequence

from aws_cdk import ArnFormat, Duration
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_logs as logs
from constructs import Construct

from stacks import queries
from stacks.base import ShopStack
from stacks.config import Config
from stacks.constructs.function import METRICS
from stacks.constructs.slo import DELIVERY, OBJECTIVES
from stacks.functions import FUNCTIONS
from stacks.queries import QUERIES, Query, log_groups
from stacks.shop import physical_name

_WORKFLOW = "checkout_to_delivery"
_WIDTH = 24
"""Columns of a dashboard."""
_TABLE, _BARS, _LINES = (
    cloudwatch.LogQueryVisualizationType.TABLE,
    cloudwatch.LogQueryVisualizationType.BAR,
    cloudwatch.LogQueryVisualizationType.LINE,
)


class InsightsStack(ShopStack):
    """It knows the others' things by their names only, so that it holds none of them fast."""

    def __init__(self, scope: Construct, config: Config) -> None:
        super().__init__(scope, "insights", config=config, does="dashboard and saved queries")
        for query in QUERIES:
            logs.CfnQueryDefinition(
                self,
                "".join(word.capitalize() for word in query.name.split("-")),
                name=f"tradepost-{config.environment}/{query.name}",
                query_string="\n| ".join(query.lines),
                log_group_names=log_groups(query.of, config),
            )
        self._dashboard()

    def _dashboard(self) -> None:
        """One with rows, because the fourth of an account costs three dollars a month."""
        dashboard = cloudwatch.Dashboard(
            self,
            "Dashboard",
            dashboard_name=physical_name(self.config, "shop"),
            default_interval=Duration.hours(6),
        )
        rows = {
            "What buyers are promised": self._objectives(),
            "Business": self._business(),
            "From product to order": self._funnel(),
            "Orders on their way": self._workflow(),
            "Platform": self._platform(),
            "Cost": self._cost(),
        }
        for title, widgets in rows.items():
            dashboard.add_widgets(cloudwatch.TextWidget(markdown=f"## {title}", width=_WIDTH, height=1))
            dashboard.add_widgets(*widgets)

    def _objectives(self) -> Sequence[cloudwatch.IWidget]:
        return [
            cloudwatch.GraphWidget(
                title=f"{objective.name}: share that missed (at most {objective.allowed:.1%} over a month)",
                width=8,
                left=[
                    cloudwatch.Metric(
                        namespace=METRICS,
                        metric_name=objective.metric_name,
                        statistic=cloudwatch.Stats.AVERAGE,
                        label="missed",
                    )
                ],
                left_annotations=[cloudwatch.HorizontalAnnotation(value=objective.allowed, label="allowed")],
            )
            for objective in (*OBJECTIVES, DELIVERY)
        ]

    def _business(self) -> Sequence[cloudwatch.IWidget]:
        return [
            self._asked(queries.ORDERS, "Orders, revenue, average order", _TABLE),
            self._asked(queries.ORDERS_BY_HOUR, "Orders by hour", _BARS),
            self._asked(queries.CANCELLATIONS, "Canceled, and why", _TABLE),
        ]

    def _funnel(self) -> Sequence[cloudwatch.IWidget]:
        return [
            self._asked(queries.FUNNEL, "Requests that went well, by step", _TABLE),
            self._asked(queries.CONVERSION, "Checkouts that were completed, percent", _TABLE),
            self._asked(queries.REFUSED_CHECKOUTS, "Completions that were refused", _TABLE),
        ]

    def _workflow(self) -> Sequence[cloudwatch.IWidget]:
        return [
            cloudwatch.GraphWidget(
                title="Executions",
                width=8,
                left=[self._executions(outcome) for outcome in ("Started", "Succeeded", "Failed", "TimedOut")],
            ),
            cloudwatch.GraphWidget(
                title="What the reconciler found",
                width=8,
                left=[
                    cloudwatch.Metric(
                        namespace=METRICS,
                        metric_name=f"Findings{end}",
                        dimensions_map={"service": "reconcile"},
                        statistic=cloudwatch.Stats.SUM,
                        label=end.lower(),
                    )
                    for end in ("Mended", "Left")
                ],
            ),
            self._asked(queries.STUCK, "Executions that failed", _TABLE),
        ]

    def _platform(self) -> Sequence[cloudwatch.IWidget]:
        return [
            self._functions("Calls", "Invocations", cloudwatch.Stats.SUM),
            self._functions("Errors", "Errors", cloudwatch.Stats.SUM),
            self._functions("Slowest of a hundred, ms", "Duration", cloudwatch.Stats.percentile(99)),
            self._functions("Refused for want of instances", "Throttles", cloudwatch.Stats.SUM),
            self._asked(queries.BROWSE_LATENCY, "Looking at products, ms", _LINES),
            self._asked(queries.CHECKOUT_LATENCY, "Carts, checkouts, paying, ms", _LINES),
            self._asked(queries.STATUSES, "Answers by status", _TABLE),
            self._asked(queries.MISSED, "Requests that failed or were slow", _TABLE),
            self._asked(queries.ERRORS, "What functions complained about", _TABLE),
        ]

    def _cost(self) -> Sequence[cloudwatch.IWidget]:
        """Estimated charges are in us-east-1, and only where the account's billing alerts are switched on."""
        charges = cloudwatch.MathExpression(
            expression="SEARCH('{AWS/Billing,Currency,ServiceName} MetricName=\"EstimatedCharges\"', 'Maximum', 21600)",
            using_metrics={},
            label="",
            search_region="us-east-1",
        )
        units = cloudwatch.MathExpression(
            expression=(
                "SEARCH('{AWS/DynamoDB,TableName} MetricName=\"ConsumedWriteCapacityUnits\" "
                f"tradepost-{self.config.environment}-data', 'Sum', 3600)"
            ),
            using_metrics={},
            label="",
        )
        return [
            cloudwatch.GraphWidget(title="Dollars of this month, by service", width=8, left=[charges]),
            cloudwatch.GraphWidget(title="Write units an hour, by table", width=8, left=[units]),
            self._asked(queries.COLD_STARTS, "Calls, cold starts and memory", _TABLE),
        ]

    def _asked(
        self, query: Query, title: str, view: cloudwatch.LogQueryVisualizationType
    ) -> cloudwatch.LogQueryWidget:
        return cloudwatch.LogQueryWidget(
            title=title,
            width=8,
            log_group_names=log_groups(query.of, self.config),
            query_lines=list(query.lines),
            view=view,
        )

    def _functions(self, title: str, metric: str, statistic: str) -> cloudwatch.GraphWidget:
        return cloudwatch.GraphWidget(
            title=title,
            width=8,
            left=[
                cloudwatch.Metric(
                    namespace="AWS/Lambda",
                    metric_name=metric,
                    dimensions_map={"FunctionName": physical_name(self.config, name)},
                    statistic=statistic,
                    label=name,
                )
                for name in FUNCTIONS
            ],
        )

    def _executions(self, outcome: str) -> cloudwatch.Metric:
        arn = self.format_arn(
            service="states",
            resource="stateMachine",
            resource_name=physical_name(self.config, _WORKFLOW),
            arn_format=ArnFormat.COLON_RESOURCE_NAME,
        )
        return cloudwatch.Metric(
            namespace="AWS/States",
            metric_name=f"Executions{outcome}",
            dimensions_map={"StateMachineArn": arn},
            statistic=cloudwatch.Stats.SUM,
            label=outcome,
        )
