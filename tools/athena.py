"""Questions to the shop's events, answered by Athena: https://docs.aws.amazon.com/athena/latest/ug/select.html"""

import time
from dataclasses import dataclass

from tools.local.steps import Stop
from tools.shops import Shop

PATIENCE_SECONDS = 120.0
Row = tuple[str | None, ...]


@dataclass(frozen=True)
class Answer:
    """A table of texts; NULL is None."""

    columns: tuple[str, ...]
    rows: tuple[Row, ...]


def ask(shop: Shop, sql: str) -> Answer:
    """Runs the query in the shop's work group, and waits for it. Raises Stop with Athena's word for what is wrong."""
    athena = shop.client("athena")
    started = athena.start_query_execution(
        QueryString=sql,
        WorkGroup=shop.output("AthenaWorkgroup"),
        QueryExecutionContext={"Database": shop.output("GlueDatabase")},
    )
    query = {"QueryExecutionId": started["QueryExecutionId"]}
    deadline = time.monotonic() + PATIENCE_SECONDS
    while (run := athena.get_query_execution(**query)["QueryExecution"])["Status"]["State"] in ("QUEUED", "RUNNING"):
        if time.monotonic() > deadline:
            athena.stop_query_execution(**query)
            raise Stop(f"The query was stopped after {PATIENCE_SECONDS:.0f} s; ask for fewer days")
        time.sleep(0.1)
    if run["Status"]["State"] != "SUCCEEDED":
        raise Stop(run["Status"].get("StateChangeReason") or f"The query {run['Status']['State'].lower()}")
    pages = list(athena.get_paginator("get_query_results").paginate(**query))
    columns = tuple(column["Name"] for column in pages[0]["ResultSet"]["ResultSetMetadata"]["ColumnInfo"])
    rows = tuple(
        tuple(cell.get("VarCharValue") for cell in row["Data"]) for page in pages for row in page["ResultSet"]["Rows"]
    )
    # The first row of a SELECT's answer repeats the columns' names; SHOW and DESCRIBE have none.
    return Answer(columns, rows[1:] if run.get("StatementType") == "DML" else rows)
