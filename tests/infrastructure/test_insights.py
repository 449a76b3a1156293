"""The dashboard and the saved queries ask for what is there."""

import json
import re

import pytest

from commerce.events import BY_TYPE
from stacks.config import load
from stacks.constructs.slo import DELIVERY, OBJECTIVES
from stacks.functions import FUNCTIONS
from stacks.openapi import operations
from stacks.queries import QUERIES, log_groups
from stacks.shop import ROOT
from tools.ops_lint.template import flat

ROUTES = {operation.key for operation in operations(ROOT / "docs" / "openapi.json")}


def _widgets(templates) -> list[dict]:
    [dashboard] = templates.properties("AWS::CloudWatch::Dashboard")
    return json.loads(flat(dashboard["DashboardBody"]))["widgets"]


def test_one_dashboard_has_a_row_for_each_that_asks(templates):
    titles = [one["properties"]["markdown"] for one in _widgets(templates) if one["type"] == "text"]
    assert titles == [
        "## What buyers are promised",
        "## Business",
        "## From product to order",
        "## Orders on their way",
        "## Platform",
        "## Cost",
    ]


def test_the_dashboard_shows_every_objective_and_every_function(templates):
    text = json.dumps(_widgets(templates))
    for objective in (*OBJECTIVES, DELIVERY):
        assert objective.metric_name in text
    assert all(f'"label": "{name}"' in text for name in FUNCTIONS)


def test_queries_ask_log_groups_that_exist(templates):
    kept = {group["LogGroupName"] for group in templates.properties("AWS::Logs::LogGroup") if "LogGroupName" in group}
    for query in templates.properties("AWS::Logs::QueryDefinition"):
        assert set(query["LogGroupNames"]) <= kept
        assert len(query["LogGroupNames"]) <= 50, "Logs Insights takes no more"


def test_every_query_is_saved_in_the_shops_folder(templates):
    saved = {query["Name"] for query in templates.properties("AWS::Logs::QueryDefinition")}
    assert saved == {f"tradepost-{templates.environment}/{query.name}" for query in QUERIES}


@pytest.mark.parametrize("query", QUERIES, ids=lambda query: query.name)
def test_a_query_asks_for_routes_events_and_commands_that_exist(query):
    text = " | ".join(query.lines)
    assert set(re.findall(r"'((?:GET|POST|PUT) [^']+)'", text)) <= ROUTES
    assert set(re.findall(r"event\.type = '([^']+)'", text)) <= set(BY_TYPE)
    assert {line.split()[0] for line in query.lines} <= {"filter", "fields", "stats", "sort"}
    for field in re.findall(r"event\.(\w+)", text):
        assert field == "type" or any(field in event.model_fields for event in BY_TYPE.values())


def test_every_query_is_documented():
    text = (ROOT / "docs" / "operating.md").read_text("utf-8")
    assert not [query.name for query in QUERIES if f"`{query.name}`" not in text]


def test_requests_are_asked_by_fields_of_the_access_log(templates):
    [stage] = templates.properties("AWS::ApiGatewayV2::Stage")
    logged = set(re.findall(r'"(\w+)": ', stage["AccessLogSettings"]["Format"]))
    assert {"route", "status", "latency"} <= logged
    assert log_groups("requests", load(templates.environment)) == [
        f"/aws/vendedlogs/apis/tradepost-{templates.environment}-api"
    ]


def test_late_parcels_are_told_by_the_exporters_lines(templates):
    filters = [one for one in templates.properties("AWS::Logs::MetricFilter") if "event.type" in one["FilterPattern"]]
    told = {one["FilterPattern"]: one["MetricTransformations"][0]["MetricValue"] for one in filters}
    assert told == {'{ $.event.type = "order.delivery_overdue" }': "1", '{ $.event.type = "order.delivered" }': "0"}
    assert all("ExportAnalyticsLogs" in json.dumps(one["LogGroupName"]) for one in filters)
