"""What buyers are promised is measured on the routes that they use, and rings when it is missed too often."""

import json
import re

from stacks.constructs.slo import BROWSE, CHECKOUT, OBJECTIVES, met, missed
from stacks.openapi import operations
from stacks.shop import ROOT

ROUTES = {operation.key: operation.function for operation in operations(ROOT / "docs" / "openapi.json")}


def _asked(objective) -> set[str]:
    patterns = [re.compile(re.escape(route).replace(r"\*", ".*")) for route in objective.routes]
    return {route for route in ROUTES if any(pattern.fullmatch(route) for pattern in patterns)}


def test_looking_at_products_is_one_objective_and_buying_the_other():
    assert _asked(BROWSE) == {route for route, function in ROUTES.items() if function == "catalog"} - {
        "GET /.well-known/ucp"
    }
    buying = {route for route, function in ROUTES.items() if function in ("carts", "complete_checkout")}
    assert _asked(CHECKOUT) == buying


def test_every_route_of_an_objective_is_one_of_the_api():
    for objective in OBJECTIVES:
        for pattern in objective.routes:
            alone = re.compile(re.escape(pattern).replace(r"\*", ".*"))
            assert any(alone.fullmatch(route) for route in ROUTES), pattern


def test_a_request_either_meets_an_objective_or_misses_it():
    for status, latency in ((200, 10), (200, 1_000), (200, 1_001), (404, 10), (499, 5_000), (500, 10), (503, 29_000)):
        for objective in OBJECTIVES:
            for route in sorted(_asked(objective)):
                line = {"route": route, "status": status, "latency": latency}
                assert _matches(met(objective), line) != _matches(missed(objective), line), line


def _matches(pattern: str, line: dict) -> bool:
    """CloudWatch's filter pattern as Python."""
    routes = re.findall(r'\$\.route = "([^"]+)"', pattern)
    rest = pattern.partition(") && ")[2].removesuffix(" }").replace("&&", "and").replace("||", "or")
    numbers = re.sub(r"\$\.(\w+)", lambda name: str(line[name[1]]), rest)
    return any(line["route"].startswith(route.rstrip("*")) for route in routes) and eval(numbers)


def test_the_access_log_holds_what_the_filters_compare_as_numbers(templates):
    [stage] = templates.properties("AWS::ApiGatewayV2::Stage")
    format_ = stage["AccessLogSettings"]["Format"]
    assert '"status": $context.status' in format_ and '"latency": $context.responseLatency' in format_
    assert '"route": "$context.routeKey"' in format_


def test_a_months_misses_may_not_go_in_two_days(prod):
    """The usual windows: an hour and five minutes at 14.4 times as fast as allowed, six hours at six times."""
    alarms = {name.partition("/")[2]: one["Properties"] for name, one in prod.resources("AWS::CloudWatch::Alarm")}
    for objective in OBJECTIVES:
        own = {
            (one["Statistic"], one["Period"]): round(one["Threshold"] / objective.allowed, 1)
            for one in alarms.values()
            if one["MetricName"] == objective.metric_name and one["Statistic"] == "Average"
        }
        assert own == {("Average", 3600): 14.4, ("Average", 300): 14.4, ("Average", 21_600): 6.0}


def test_one_page_for_all_objectives_and_none_for_a_few_misses(prod):
    [composite] = prod.properties("AWS::CloudWatch::CompositeAlarm")
    rule = json.dumps(composite["AlarmRule"])
    assert rule.count("Many") == rule.count("Now") == rule.count("Hour") == len(OBJECTIVES)
    assert rule.count(" OR ") == 1 and rule.count(" AND ") == 4
