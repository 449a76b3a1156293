"""Rounds of stories, told at once while the line fails; after each the line is calm, and the books must be sound.

A round is made of its seed: the stories, what they buy, and what goes wrong. Which of two requests comes first is up to
the machine, as on AWS. A tally holds whole rounds and no more, so a campaign that was stopped goes on after them.
"""

import contextlib
import itertools
import logging
import threading
import time
import traceback
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, fields
from random import Random
from typing import Any

import httpx

from tools.demo.actors import UnexpectedAnswer
from tools.demo.watch import NotSeen
from tools.wire import books
from tools.wire.books import Books, Wrong
from tools.wire.faults import Plan, plan
from tools.wire.stage import DOUBLES, Stage
from tools.wire.stories import KINDS, PAUSE, Kind, Left, Story

AT_ONCE = 6
"""Stories that are told at the same time."""
ROUND = 25
"""Stories between two looks at the books."""
QUIET_WITHIN = 300.0
"""Seconds within which everything must have come to rest after the last fault."""
BACKWARDS = 0.25
"""The share of rounds in which the payment provider's news come late, in the wrong order and twice."""

Done = Callable[[], None]

logging.getLogger("microburst").setLevel(logging.WARNING)


@dataclass(frozen=True)
class Violation:
    """A story after which something is not as it must be; all that is needed to look into it."""

    seed: int
    stories: int
    kind: str
    plan: str
    wrong: tuple[str, ...]
    journal: tuple[str, ...]


@dataclass
class Tally:
    """What happened in all rounds."""

    seed: int = 0
    """Of the first round; that of the next one is one more."""
    rounds: int = 0
    stories: Counter[str] = field(default_factory=Counter)
    without_order: Counter[str] = field(default_factory=Counter)
    """Stories whose buyer left; for some that is how they go."""
    injected: Counter[str] = field(default_factory=Counter)
    """Faults that were planned, by `boundary kind`."""
    fired: Counter[str] = field(default_factory=Counter)
    """Those that met a request, each time it did."""
    calls: int = 0
    """Requests of functions that were carried to AWS."""
    retries: Counter[str] = field(default_factory=Counter)
    """How often botocore asked again, by `function boundary`."""
    sent_again: int = 0
    """Messages that were given up and sent again by the operator."""
    seconds: float = 0.0
    violations: list[Violation] = field(default_factory=list)

    @property
    def told(self) -> int:
        """All stories."""
        return self.stories.total()


def campaign(
    stage: Stage, tally: Tally, stories: int, *, story: Done = lambda: None, round_: Done = lambda: None
) -> None:
    """Tells stories until the tally has so many, a round after the other. Ends at the first round in which something is
    wrong. `story` is called after each story, `round_` once the books were looked at."""
    while tally.told < stories and not tally.violations:
        play(stage, tally.seed + tally.rounds, min(ROUND, stories - tally.told), tally, story)
        round_()


def play(stage: Stage, seed: int, count: int, tally: Tally, done: Done = lambda: None) -> None:
    """One round."""
    random = Random(seed)
    kinds = random.choices(KINDS, [kind.weight for kind in KINDS], k=count)
    randoms = [Random(f"{seed} {position}") for position in range(count)]
    plans = [plan(one, kind.through, kind.meets) for one, kind in zip(randoms, kinds, strict=True)]
    stories = _stories(stage, kinds, randoms, plans)
    _tell_all(stage, seed, kinds, stories, tally, backwards=random.random() < BACKWARDS, done=done)


def tell(stage: Stage, chosen: Iterable[tuple[Kind, Plan]], tally: Tally) -> None:
    """One round of these stories, each with what is to go wrong in it."""
    kinds, plans = zip(*chosen, strict=True)
    randoms = [Random(kind.name) for kind in kinds]
    _tell_all(stage, 0, kinds, _stories(stage, kinds, randoms, plans), tally, backwards=False)


def _tell_all(
    stage: Stage,
    seed: int,
    kinds: Sequence[Kind],
    stories: list[Story],
    tally: Tally,
    *,
    backwards: bool,
    done: Done = lambda: None,
) -> None:
    count, begun, heard, met = len(stories), time.monotonic(), len(stage.line.calls), _met(stage)
    wrong = []
    with _backwards(stage, backwards), ThreadPoolExecutor(AT_ONCE) as crowd:
        for told in crowd.map(_tell, kinds, stories):
            wrong.append(told)
            done()
    stage.line.calm()
    _count(stage, stories, tally)
    tally.fired += _met(stage) - met
    for double in DOUBLES:
        stage.control(double, "reset", {})
    left = _come_to_rest(stage, stories, tally)
    for story, own in zip(stories, wrong, strict=True):
        found = [*own, *(str(one) for one in left if _is_about(one, story))]
        if found:
            tally.violations.append(_violation(seed, count, story, found))
    others = [str(one) for one in left if not any(_is_about(one, story) for story in stories)]
    if others:
        everything = "; ".join(f"{story.name}: {story.plan}" for story in stories)
        journal = tuple(line for story in stories for line in story.journal)
        tally.violations.append(Violation(seed, count, "all", everything, tuple(others), journal))
    calls = stage.line.calls[heard:]
    tally.calls += len(calls)
    tally.retries += Counter(f"{call.function} {call.boundary}" for call in calls if call.attempt > 1)
    tally.rounds += 1
    tally.seconds += time.monotonic() - begun


def _stories(
    stage: Stage, kinds: Sequence[Kind], randoms: Sequence[Random], plans: Sequence[Plan]
) -> list[Story]:
    fails = any(trouble.double == "stripe" for one in plans for trouble in one.troubles)
    scarce = itertools.cycle(stage.scarce)
    return [
        Story(kind.name, stage, random, own, next(scarce) if kind.alone else "", fails)
        for kind, random, own in zip(kinds, randoms, plans, strict=True)
    ]


def _tell(kind: Kind, story: Story) -> list[str]:
    """Plays a story to its end. Answers what was not as the story says."""
    try:
        story.begin()
        try:
            kind.tell(story)
        except Left:
            story.journal.note("the buyer is gone")
            story.let_time_pass()
    except (NotSeen, UnexpectedAnswer, AssertionError, httpx.HTTPError) as problem:
        story.journal.note(f"the story stops: {problem}")
        return [f"the story stopped: {problem}"]
    except Exception:
        story.journal.note(traceback.format_exc())
        return [f"the story stopped: {traceback.format_exc(limit=-1)}"]
    return []


@contextlib.contextmanager
def _backwards(stage: Stage, wanted: bool) -> Iterator[None]:
    """Where wanted, the provider's news are held, and let go backwards and twice, again and again until the end."""
    ended = threading.Event()

    def hold_and_release() -> None:
        while not ended.is_set():
            stage.control("stripe", "webhooks/hold", {})
            ended.wait(1.0)
            stage.control("stripe", "webhooks/release", {"order": "reversed", "copies": 2})

    mischief = threading.Thread(target=hold_and_release, daemon=True)
    if wanted:
        mischief.start()
    try:
        yield
    finally:
        ended.set()
        if wanted:
            mischief.join()


def _count(stage: Stage, stories: list[Story], tally: Tally) -> None:
    fired = stage.line.fired()
    for story in stories:
        tally.stories[story.name] += 1
        tally.without_order[story.name] += "the buyer is gone" in "".join(story.journal)
        for position, rule in story.rules:
            fault = story.plan.faults[position]
            what = f"{fault.boundary.function} {fault.boundary.name} {fault.kind}"
            tally.injected[what] += 1
            if met := fired.get(rule, 0):
                tally.fired[what] += met
                story.journal.note(f"met {met} times: {fault}")
        for trouble in story.plan.troubles:
            tally.injected[f"{trouble.double} {trouble.operation} {trouble.fault}"] += 1


def _met(stage: Stage) -> Counter[str]:
    """The faults that the doubles had so far."""
    summaries = {double: stage.control(double, "summary") for double in DOUBLES}
    met = {double: summary["faults_met"] for double, summary in summaries.items()}
    return Counter({f"{double} {what}": times for double, faults in met.items() for what, times in faults.items()})


def _come_to_rest(stage: Stage, stories: list[Story], tally: Tally) -> list[Wrong]:
    """What is still wrong when everything had the time to come to rest: nothing, in a sound shop.

    Meanwhile the reconciler comes more often than every minute, and work that was given up is sent again.
    """
    deadline = time.monotonic() + QUIET_WITHIN
    while True:
        tally.sent_again += stage.send_again()
        wrong = list(_wrongs(stage, stories))
        if not wrong or time.monotonic() > deadline:
            return wrong
        stage.reconcile()
        time.sleep(6 * PAUSE)


def _wrongs(stage: Stage, stories: list[Story]) -> Iterator[Wrong]:
    read = Books.read(stage.instance)
    yield from books.wrongs(read)
    yield from books.published(read, stage.witness.seen())
    yield from books.executions(read, stage.instance, [one for story in stories for one in story.order_ids])


def _is_about(wrong: Wrong, story: Story) -> bool:
    return any(one in wrong.about for one in (*story.order_ids, *story.checkout_ids))


def _violation(seed: int, count: int, story: Story, wrong: list[str]) -> Violation:
    calls = [
        f"   on the line  {call.function} {call.boundary} attempt {call.attempt}: {call.error or call.status}"
        for call in story.stage.line.calls
        if any(one in call.body for one in (*story.order_ids, *story.checkout_ids))
    ]
    return Violation(seed, count, story.name, str(story.plan), tuple(wrong), (*story.journal, *calls))


def report(tally: Tally) -> dict[str, Any]:
    """All figures, for a file."""
    return {
        "told": tally.told,
        "fired_in_all": tally.fired.total(),
        "retries_in_all": tally.retries.total(),
        **{name: dict(sorted(of.items())) if isinstance(of, Counter) else of for name, of in vars(tally).items()},
        "violations": [vars(violation) for violation in tally.violations],
    }


def reported(figures: Mapping[str, Any]) -> Tally:
    """The tally of which the figures are a report."""
    told: dict[str, Any] = {one.name: figures[one.name] for one in fields(Tally) if one.name != "violations"}
    told = {name: Counter(value) if isinstance(value, dict) else value for name, value in told.items()}
    return Tally(**told, violations=[_violated(**violation) for violation in figures["violations"]])


def _violated(wrong: list[str], journal: list[str], **rest: Any) -> Violation:
    return Violation(**rest, wrong=tuple(wrong), journal=tuple(journal))
