"""What can go wrong, where, and which of it does go wrong in a schedule.

A boundary is a place where the shop touches something outside a function: `dynamodb.PutItem orders`, `stripe.confirm`,
`http.complete`. Each call of a boundary has a number within its schedule, by which a planned fault finds it. A fault
counts as fired only when what it stands for took place.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from random import Random
from typing import Protocol

KINDS: dict[str, str] = {
    "crash_before": "the function's process dies before the call leaves it",
    "crash_after": "it dies after the call took effect",
    "function_timeout": "the function runs out of time while the call is on its way, which takes effect all the same",
    "throttled": "refused for its rate until the SDK gives up",
    "conflict": "refused because another transaction holds one of the items",
    "retried": "the answer is lost, and botocore sends the same call again by itself",
    "answer_lost": "it takes effect, no answer comes, and the SDK gives up",
    "late_effect": "the SDK gives up, and seconds later the call takes effect",
    "duplicate": "it is delivered twice",
    "refused_in_part": "some of its entries are refused",
    "outage_before": "the provider, or the service, answers 500 and did nothing",
    "outage_after": "the provider answers 500 after it did the work",
    "key_expired": "it takes effect, no answer comes, and the provider forgets every idempotency key",
    "never": "it never arrives",
    "late": "it arrives minutes later, behind those that follow",
    "three_days_late": "it arrives after three days",
    "at_once": "it arrives before the answer to the request that caused it",
    "forged": "the same news comes with a wrong signature first",
    "poison": "every attempt fails until its queue or stream gives up; a person sends it again, or the reconciler",
    "replayed": "the stream begins again with its oldest record",
    "fails_for_good": "every attempt of the task fails, the execution fails, and a person has it redriven",
    "deployed": "the orders under way were written by the release before this one",
    "clock_fast": "the function's clock is 5 s ahead",
    "clock_slow": "the function's clock is 5 s behind",
}
"""Every kind of fault, in a sentence."""

LASTING = frozenset(("poison", "fails_for_good"))
"""These are over when a person has seen to it."""

_FUNCTION = ("crash_before", "clock_fast", "clock_slow")
FITTING: dict[str, tuple[str, ...]] = {
    "dynamodb.read": ("crash_before", "throttled"),
    "dynamodb.batch": ("crash_before", "throttled", "refused_in_part"),
    "dynamodb.write": (
        "crash_before",
        "crash_after",
        "function_timeout",
        "throttled",
        "conflict",
        "retried",
        "answer_lost",
        "late_effect",
    ),
    "stripe.read": ("crash_before", "throttled", "answer_lost", "outage_before"),
    "stripe.write": (
        "retried",
        "crash_before",
        "crash_after",
        "function_timeout",
        "throttled",
        "answer_lost",
        "late_effect",
        "outage_before",
        "outage_after",
        "key_expired",
    ),
    "carrier.read": ("crash_before", "answer_lost"),
    "carrier.write": ("crash_before", "crash_after", "function_timeout", "answer_lost", "late_effect", "outage_after"),
    "states.call": (
        "crash_before",
        "crash_after",
        "function_timeout",
        "throttled",
        "retried",
        "answer_lost",
        "late_effect",
        "outage_before",
    ),
    "events.call": ("crash_before", "crash_after", "throttled", "retried", "answer_lost", "refused_in_part"),
    "bus.delivery": ("duplicate", "late"),
    "ses.call": ("crash_before", "crash_after", "throttled", "answer_lost", "function_timeout"),
    "firehose.call": ("crash_before", "crash_after", "throttled", "answer_lost", "refused_in_part"),
    "sqs.call": ("crash_before", "throttled", "answer_lost"),
    "http.request": (*_FUNCTION, "duplicate", "answer_lost", "deployed"),
    "lambda.task": (*_FUNCTION, "duplicate", "fails_for_good", "deployed"),
    "lambda.batch": (*_FUNCTION, "poison", "duplicate"),
    "lambda.stream": (*_FUNCTION, "replayed", "poison"),
    "lambda.schedule": (*_FUNCTION, "duplicate"),
    "webhook": ("at_once", "late", "three_days_late", "never", "duplicate", "forged", "clock_fast", "clock_slow"),
    "store.read": ("crash_before", "throttled"),
    "store.write": (
        "crash_before",
        "crash_after",
        "function_timeout",
        "throttled",
        "conflict",
        "retried",
        "answer_lost",
        "late_effect",
    ),
    "store.transaction": (
        "crash_before",
        "crash_after",
        "function_timeout",
        "throttled",
        "conflict",
        "answer_lost",
        "late_effect",
    ),
    "bank.read": ("crash_before", "answer_lost"),
    "bank.write": ("crash_before", "crash_after", "answer_lost", "late_effect", "outage_after", "key_expired"),
    "depot.read": ("crash_before", "answer_lost"),
    "depot.write": ("crash_before", "crash_after", "answer_lost", "late_effect"),
    "states.update": ("throttled", "conflict", "retried", "answer_lost"),
    "states.events": ("throttled", "retried", "answer_lost"),
}
"""Which kinds fit a boundary of a category."""

Planned = Mapping[int, str]
"""By the number of a call within its schedule: what goes wrong with it."""


class Chooser(Protocol):
    """Decides what goes wrong."""

    def choose(self, number: int, category: str) -> str | None:
        """The fault that this call meets, or None."""


@dataclass
class Plan:
    """Exactly these faults."""

    planned: Planned

    @property
    def alone(self) -> bool:
        """Whether there is a single fault: nothing else keeps the shop from mending it."""
        return len(self.planned) == 1

    @property
    def passes(self) -> bool:
        """Whether the shop gets over it by itself: a single fault at most, and none that lasts."""
        return len(self.planned) <= 1 and LASTING.isdisjoint(self.planned.values())

    def choose(self, number: int, category: str) -> str | None:
        """The planned one, where it fits."""
        kind = self.planned.get(number)
        return kind if kind in FITTING[category] else None


@dataclass
class Chance:
    """Any fault that fits, with a probability, at most `most` in a schedule: else the shop might never rest."""

    random: Random
    probability: float
    most: int

    def choose(self, number: int, category: str) -> str | None:
        """A random one."""
        if self.random.random() >= self.probability or self.most <= 0:
            return None
        self.most -= 1
        kinds = FITTING[category]
        return kinds[int(self.random.random() * len(kinds))]


@dataclass
class Tally:
    """How often each kind of fault was injected and fired at each boundary, and which boundaries were touched."""

    injected: Counter[tuple[str, str]] = field(default_factory=Counter)
    fired: Counter[tuple[str, str]] = field(default_factory=Counter)
    touched: dict[str, str] = field(default_factory=dict)
    """By boundary: its category."""

    def add(self, other: "Tally") -> None:
        """Sums both."""
        self.injected.update(other.injected)
        self.fired.update(other.fired)
        self.touched.update(other.touched)

    def missing(self) -> list[tuple[str, str]]:
        """(kind, boundary) pairs that fit and never fired."""
        fitting: Iterable[tuple[str, str]] = (
            (kind, boundary) for boundary, category in self.touched.items() for kind in FITTING[category]
        )
        return sorted(pair for pair in fitting if pair not in self.fired)
