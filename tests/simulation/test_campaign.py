"""The campaign stops and goes on, it replays, and it sees what is broken on purpose."""

import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from functools import partial
from itertools import chain, islice
from pathlib import Path

import pytest

from tools.simulation import campaign
from tools.simulation.faults import KINDS, Tally
from tools.simulation.plans import pairs

ROOT = Path(__file__).resolve().parents[2]
ENVIRONMENT = {
    **os.environ,
    "PYTHONHASHSEED": "0",
    "PYTHONPATH": os.pathsep.join((str(ROOT / "layers/commerce/python"), str(ROOT))),
}


def python(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *arguments], cwd=ROOT, env=ENVIRONMENT, capture_output=True, text=True, check=False
    )


SAVES_AT_ONCE = (
    "from tools.simulation import __main__, campaign; campaign.SAVED_EVERY = 0; raise SystemExit(__main__.main())"
)
"""A campaign that keeps its progress after each task, not every few seconds: it can be stopped on any machine."""


def test_a_campaign_that_was_stopped_goes_on(tmp_path: Path) -> None:
    report, progress = tmp_path / "campaign.json", tmp_path / "campaign.progress"
    options = ("--schedules", "150", "--workers", "1", "--report", str(report))
    running = subprocess.Popen(
        [sys.executable, "-c", SAVES_AT_ONCE, *options],
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

    went_on = python("-m", "tools.simulation", *options)

    assert "stopped" in told
    assert "goes on after" in went_on.stderr
    assert json.loads(report.read_text())["schedules"] >= 150
    assert not progress.exists()


def test_a_long_campaign_in_which_nothing_fired_is_a_failed_one() -> None:
    short, long = (campaign.Result(schedules=Counter(calm=played)) for played in (50, 4_000))
    seen = campaign.Result(
        schedules=Counter(calm=4_000),
        tally=Tally(fired=Counter({(kind, "anywhere"): 1 for kind in KINDS})),
        checked=Counter(campaign.INVARIANTS),
    )

    assert campaign.lacking(short) == campaign.lacking(seen) == []
    assert campaign.lacking(long) == [*KINDS, *campaign.INVARIANTS]


def test_the_parts_of_all_pairs_are_all_of_them() -> None:
    traces = {f"flow/single/0={kind}": [("store", "store.write")] * calls for kind, calls in (("a", 1), ("b", 40))}
    wanted = {one: list(pairs(one, trace)) for one, trace in traces.items()}

    parts = list(campaign.pairing((one, len(names)) for one, names in wanted.items()))

    planned = [list(islice(wanted[one], part, None, parts)) for _, (one, part, parts) in parts]
    assert sorted(chain(*planned)) == sorted(chain(*wanted.values()))
    assert [len(names) for names in planned] == [size for size, _ in parts]
    assert max(map(len, planned)) <= campaign.CHUNK


@pytest.mark.parametrize("seed", ["random/17", "lean/17"])
def test_a_schedule_is_the_same_each_time(seed: str) -> None:
    first, second = (python("-m", "tools.simulation", "--seed", seed) for _ in range(2))

    assert "every invariant holds" in first.stdout
    assert first.stdout == second.stdout


PLANTED = {
    "a cancellation that forgets the stock": (
        "cancel",
        "from commerce.inventory.actions import StockActions as S; S.release_actions = lambda *a, **k: []",
    ),
    "a reservation that does not look at what is free": (
        "last_unit",
        "from commerce.checkout import complete as c; from commerce.inventory import actions as a\n"
        "update = a.update\n"
        "a.update = lambda table, pk, sk, *conditions, **k: "
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
