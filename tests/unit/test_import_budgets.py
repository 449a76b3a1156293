"""What a function loads at its cold start, counted in a fresh interpreter that sees what Lambda sees; and what must be
fetched for it.
"""

from pathlib import Path
from typing import Any

import pytest

from stacks.functions import FUNCTIONS
from tools.bench import packages
from tools.bench.imports import STARTS, Start, provide_runtime, run

ZIPPED = {
    "handler": 70_000,
    "commerce": 260_000,
    "base": 2_680_000,
    "identity": 4_400_000,
    "payment": 1_100_000,
    "carrier": 600_000,
    "letters": 150_000,
}
"""Bytes at most, as built for this machine; for AWS the compiled ones are smaller. Who neither moves money nor knows a
buyer stays within 3 MB there, the checkout within 8.
"""
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


def test_no_part_of_a_package_grows_unseen() -> None:
    parts = {(part, size) for sizes in packages.measure("local").values() for part, size in sizes.items()}

    assert {(part, size) for part, size in parts if size > ZIPPED.get(part, packages.LARGE + 1_000_000)} == set()
