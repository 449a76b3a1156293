"""What a function loads at its cold start, counted in a fresh interpreter that sees what Lambda sees."""

from pathlib import Path
from typing import Any

import pytest

from stacks.functions import FUNCTIONS
from tools.bench.imports import STARTS, Start, provide_runtime, run

MONEY_MOVES_IN = {
    "complete_checkout",
    "payment_webhook",
    "admin_refunds",
    "ship_order",
    "compensate_order",
    "reconcile",
}


@pytest.fixture(scope="module")
def runtime(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return provide_runtime(tmp_path_factory.mktemp("runtime"))


@pytest.fixture(params=STARTS, ids=lambda start: start.name)
def started(request: pytest.FixtureRequest, runtime: Path) -> tuple[Start, dict[str, Any]]:
    return request.param, run(request.param.code, request.param.function, runtime)


def test_every_function_has_a_budget() -> None:
    assert {start.function for start in STARTS} == set(FUNCTIONS)


def test_a_cold_start_stays_within_its_budget_and_loads_what_it_needs_only(
    started: tuple[Start, dict[str, Any]],
) -> None:
    start, loaded = started

    assert loaded["modules"] <= start.most
    assert "boto3" not in loaded["packages"]
    assert ("stripe" in loaded["packages"]) == (start.function in MONEY_MOVES_IN)
    assert ("requests" in loaded["packages"]) == ("easypost" in loaded["packages"]) == ("easypost" in start.name)
