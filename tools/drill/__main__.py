"""`make drill`: for every alarm of production, whether it reaches somebody, and whether its runbook can be walked.

Plays in a local shop of its own, `drill`, which it starts and leaves running (TRADEPOST_INSTANCE names another). Each
kind of alarm has its cause brought about once, or says why a laptop cannot; each alarm's state is set and followed to
its topic; each runbook's commands are run once, while the cause lasts. Keeps what it saw in build/drill.json. Exit code
0 where every alarm was heard and every command did what its page says, else 1.
"""

import argparse
import json
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from itertools import groupby
from pathlib import Path

from stacks.shop import ROOT
from tools.drill.alarms import Alarm, alarms
from tools.drill.bell import Bell, listening
from tools.drill.causes import CAUSES, NOT_POSSIBLE, Seen, halted
from tools.drill.stage import TROUBLE, Stage, shop_of_drills
from tools.drill.walk import Walked, walk
from tools.local import shop
from tools.local.instance import Instance
from tools.local.steps import Stop, complain, say, step
from tools.ops_lint.synthesis import synthesised

REPORT = ROOT / "build" / "drill.json"


@dataclass
class Drilled:
    """What a drill saw of the alarms of one kind."""

    kind: str
    runbooks: list[str]
    cause: str
    """`provoked`, or `not possible`."""
    says: str
    """What was seen, or why it was not possible."""
    heard: dict[str, str] = field(default_factory=dict)
    """Who heard of each alarm, by its logical id."""
    faults: list[str] = field(default_factory=list)
    commands: list[Walked] = field(default_factory=list)


def drill(stage: Stage, bell: Bell, kind: str, of_kind: Sequence[Alarm], *, walked: set[str]) -> Drilled:
    """Brings about what the alarms of this kind ring for, once, and follows each of them. `walked` are pages that need
    not be walked again.
    """
    runbooks = list(dict.fromkeys(alarm.runbook for alarm in of_kind))
    seen = Drilled(kind, runbooks, "provoked" if kind in CAUSES else "not possible", NOT_POSSIBLE.get(kind, ""))
    try:
        with _brought_about(stage, kind) as what:
            seen.says = seen.says or what.evidence
            for alarm in of_kind:
                seen.heard[alarm.name] = _heard(bell, alarm, what)
            for page in [one for one in runbooks if one not in walked]:
                # What one page did to the order, another cannot do again.
                own = {} if page == runbooks[0] else {"order id": halted(stage)}
                seen.commands += walk(stage, page, {**what.names, **own})
                walked.add(page)
    except (AssertionError, *TROUBLE) as failure:
        seen.faults.append(f"{type(failure).__name__}: {failure}")
    seen.faults += [f"{one.command}: {one.says}" for one in seen.commands if one.outcome == "failed"]
    return seen


@contextmanager
def _brought_about(stage: Stage, kind: str) -> Iterator[Seen]:
    """The kind's cause; where that is not possible, an order to walk the runbook with."""
    if kind in CAUSES:
        with CAUSES[kind](stage) as seen:
            yield seen
    else:
        yield Seen("", {"order id": halted(stage), "table": stage.instance.output("OrdersTable")})


def _heard(bell: Bell, alarm: Alarm, what: Seen) -> str:
    if alarm.kind.startswith("notice"):
        return bell.heard_notice(alarm, what.names["order id"])
    return bell.ring(alarm)


def production() -> list[Alarm]:
    """What rings in production, by kind."""
    with tempfile.TemporaryDirectory() as folder:
        rings = alarms(synthesised("prod", Path(folder)))
        return sorted(rings, key=lambda alarm: (alarm.kind, alarm.stack, alarm.name))


def play(instance: Instance, chosen: Sequence[Alarm]) -> list[Drilled]:
    """Drills them in the running shop, and says how it goes."""
    stage = Stage.of(instance)
    walked: set[str] = set()
    drilled = []
    with listening(stage) as bell:
        for kind, of_kind in groupby(chosen, key=lambda alarm: alarm.kind):
            with step(kind) as current:
                seen = drill(stage, bell, kind, list(of_kind), walked=walked)
                current.note = f"{seen.cause}, {len(seen.heard)} heard, {len(seen.commands)} commands"
            for fault in seen.faults:
                complain(f"           {fault}")
            drilled.append(seen)
    return drilled


def _chosen(words: str) -> list[Alarm]:
    everything = production()
    found = [one for one in everything if words.lower() in f"{one.kind} {one.runbook} {one.name}".lower()]
    if not found:
        kinds = ", ".join(sorted({one.kind for one in everything}))
        raise Stop(f"ONLY={words} is in no kind, runbook or name of an alarm. The kinds: {kinds}")
    return found


def _told(drilled: Sequence[Drilled]) -> str:
    alarms_heard = sum(len(one.heard) for one in drilled)
    outcomes = [command.outcome for one in drilled for command in one.commands]
    provoked, ran = sum(one.cause == "provoked" for one in drilled), outcomes.count("ran")
    return (
        f"{len(drilled)} kinds of alarms, {provoked} provoked; {alarms_heard} alarms followed to who hears of them; "
        f"of {len(outcomes)} commands of their runbooks {ran} ran, the others are for AWS or for a person's own values"
    )


def main(arguments: list[str] | None = None) -> int:
    """The command. Answers the exit code."""
    parser = argparse.ArgumentParser(prog="make drill", description=__doc__)
    parser.add_argument("--only", default="", help="words of a kind, a runbook, or an alarm's logical id")
    options = parser.parse_args(arguments)
    try:
        with step("The alarms of production"):
            chosen = _chosen(options.only)
        instance = shop_of_drills()
        shop.up(instance)
        drilled = play(instance, chosen)
    except TROUBLE as failure:
        complain(str(failure))
        return 1
    REPORT.parent.mkdir(exist_ok=True)
    REPORT.write_text(json.dumps([asdict(one) for one in drilled], indent=1) + "\n", encoding="utf-8")
    say(_told(drilled))
    say(f"Report: {REPORT.relative_to(ROOT)}. Stop the shop: {instance.command('down')}")
    faults = sum(len(one.faults) for one in drilled)
    if faults:
        complain(f"{faults} things were not as they should be.")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
