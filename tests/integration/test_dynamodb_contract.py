"""The double that carries the simulation answers as a real engine does."""

import json
import time
from typing import Any
from uuid import uuid4

import pytest

from tools.contract import engines
from tools.contract.comparison import Report, compare
from tools.contract.operations import TABLE
from tools.simulation.dynamodb import Client, Database

REQUESTS = 300


@pytest.mark.parametrize("seed", ["one", "two", "three"])
def test_random_requests_are_answered_as_dynoxide_answers_them(engine: str, seed: str) -> None:
    client, name, report = engines.client(engine), f"contract-{uuid4().hex[:12]}", Report("dynoxide")
    client.create_table(**engines.create_table_request(TABLE, name))
    double = Client(Database([TABLE], names={TABLE.name: name}, clock=time.time))
    compare(double, client, seed, name, requests=REQUESTS, report=report)
    assert not report.divergences, json.dumps(report.divergences, indent=1)
    assert report.outcomes.total() == REQUESTS


def test_a_difference_is_found(engine: str) -> None:
    class Forgetful(Client):
        """Refuses nothing in a transaction."""

        def _outcome(self, write: Any, old: Any) -> Any:
            return super()._outcome(write._replace(condition=None), old)

    client, name, report = engines.client(engine), f"contract-{uuid4().hex[:12]}", Report("dynoxide")
    client.create_table(**engines.create_table_request(TABLE, name))
    double = Forgetful(Database([TABLE], names={TABLE.name: name}, clock=time.time))
    compare(double, client, "one", name, requests=REQUESTS, report=report)
    [divergence] = report.divergences
    assert divergence["engine"]["error"] == "TransactionCanceledException"
