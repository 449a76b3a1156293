"""The short run of the campaign, that it replays, and that it sees what is broken on purpose."""

import json
import os
import signal
import subprocess
import sys
import time
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from tools.simulation.faults import KINDS

ROOT = Path(__file__).resolve().parents[2]
SCHEDULES = int(os.environ.get("CAMPAIGN_SCHEDULES", "4000"))
"""Of the 20,000 that one would like, as many as two cores play in about a minute and a half: decision 41."""


ENVIRONMENT = {
    **os.environ,
    "PYTHONHASHSEED": "0",
    "PYTHONPATH": os.pathsep.join((str(ROOT / "layers/commerce/python"), str(ROOT))),
}


def python(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *arguments], cwd=ROOT, env=ENVIRONMENT, capture_output=True, text=True, check=False
    )


@pytest.fixture(scope="module")
def figures(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    report = tmp_path_factory.mktemp("campaign") / "campaign.json"
    python("-m", "tools.simulation", "--schedules", str(SCHEDULES), "--workers", "2", "--report", str(report))
    return json.loads(report.read_text())


def test_no_schedule_violates_an_invariant(figures: dict[str, Any]) -> None:
    assert figures["violated"] == []
    assert figures["schedules"] >= SCHEDULES


def test_a_campaign_that_was_stopped_goes_on(tmp_path: Path) -> None:
    report, progress = tmp_path / "campaign.json", tmp_path / "campaign.progress"
    command = ("-m", "tools.simulation", "--schedules", "150", "--workers", "1", "--report", str(report))
    running = subprocess.Popen(
        [sys.executable, *command],
        cwd=ROOT,
        env=ENVIRONMENT,
        stdout=subprocess.PIPE,
        text=True,
        preexec_fn=partial(signal.signal, signal.SIGINT, signal.SIG_DFL),  # it may be ignored where tests run
    )
    while not progress.exists() and running.poll() is None:
        time.sleep(0.05)
    running.send_signal(signal.SIGINT)
    told, _ = running.communicate()

    went_on = python(*command)

    assert "stopped" in told
    assert "goes on after" in went_on.stderr
    assert json.loads(report.read_text())["schedules"] >= 150
    assert not progress.exists()


def test_every_kind_of_fault_fired(figures: dict[str, Any]) -> None:
    assert [kind for kind in KINDS if not figures["kinds_fired"][kind]] == []


def test_every_invariant_was_checked(figures: dict[str, Any]) -> None:
    assert {f"I{number}" for number in range(1, 13)} <= set(figures["invariants_checked"])


@pytest.mark.parametrize("seed", ["random/17", "lean/17"])
def test_a_schedule_is_the_same_each_time(seed: str) -> None:
    first, second = (python("-m", "tools.simulation", "--seed", seed) for _ in range(2))

    assert "every invariant holds" in first.stdout
    assert first.stdout == second.stdout


PLANTED = {
    "a cancellation that forgets the stock": (
        "cancel",
        "from commerce.inventory.repository import InventoryRepository as R; R.release_actions = lambda *a, **k: []",
    ),
    "a reservation that does not look at what is free": (
        "last_unit",
        "from commerce.checkout import complete as c; from commerce.inventory import repository as r\n"
        "update = r.update\n"
        "r.update = lambda table, pk, sk, *conditions, **k: "
        "update(table, pk, sk, *(() if pk.startswith('STOCK#') else conditions), **k)",
    ),
    "a refund without a limit": (
        "refund",
        "from commerce.payments.model import Balance; Balance.refundable = property(lambda self: 10**9)",
    ),
    "an e-mail that is not claimed": (
        "checkout",
        "from commerce.notifications.repository import EmailClaims as C; C.take = lambda *a, **k: True",
    ),
}


def test_the_lean_tier_finds_planted_bugs_too() -> None:
    _, bug = PLANTED["a reservation that does not look at what is free"]
    script = (
        "from tools.simulation import campaign; campaign.prepare(True)\n"
        f"{bug}\n"
        "print(any(campaign.play([f'lean/{number}']).violated for number in range(100)))"
    )

    found = python("-c", script)

    assert found.stdout.strip() == "True", found.stderr


@pytest.mark.parametrize("planted", PLANTED)
def test_a_planted_bug_is_found(planted: str) -> None:
    flow, bug = PLANTED[planted]
    script = (
        "from tools.simulation import campaign; campaign.prepare()\n"
        f"{bug}\n"
        "from tools.simulation.plans import singles\n"
        "def names(flow):\n"
        "    yield f'{flow}/calm'\n"
        "    yield from (name for name in singles(flow, campaign.trace(flow)) if 'duplicate' in name)\n"
        f"print(any(campaign.play([name]).violated for name in names({flow!r})))"
    )

    found = python("-c", script)

    assert found.stdout.strip() == "True", found.stderr
