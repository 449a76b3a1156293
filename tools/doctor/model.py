"""What the checks read, and what they answer."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

Verdict = Literal["ok", "warning", "problem"]


@dataclass(frozen=True)
class Answer:
    """One sentence on one matter. Where it is not ok, the sentence says what to do."""

    verdict: Verdict
    says: str


@dataclass(frozen=True)
class Identity:
    """Whose credentials these are."""

    account: str
    arn: str


@dataclass(frozen=True)
class Mail:
    """What SES lets the account send in this region."""

    enabled: bool
    production: bool
    """False in the sandbox, where only verified addresses get mail."""
    per_second: float
    per_day: float
    """Below zero stands for no limit."""
    enforcement: str
    """HEALTHY, PROBATION or SHUTDOWN."""


@dataclass(frozen=True)
class Sender:
    """The e-mail identity of the shop's domain. `verified` is None where there is none."""

    domain: str
    verified: bool | None
    ours: bool
    """Whether a stack of this environment made it."""


@dataclass(frozen=True)
class Usage:
    """How much of a quota is taken. `missing` is what the first deployment would add."""

    used: int
    quota: float
    missing: int


@dataclass(frozen=True)
class Certificate:
    """A certificate of ACM. `names` may begin with a wildcard."""

    status: str
    names: tuple[str, ...]
    until: datetime | None


@dataclass(frozen=True)
class Endpoint:
    """A webhook endpoint at Stripe or EasyPost. `events` is empty where it gets all."""

    url: str
    enabled: bool
    events: frozenset[str] = frozenset()
    version: str | None = None


@dataclass(frozen=True)
class Provider:
    """What is known of Stripe or EasyPost: the key in its secret, and the endpoints that the key lists.

    `key` is None before the first deployment; `endpoints` is None where the key may not list them. Never print a key.
    """

    key: str | None
    webhook_secret: str | None = None
    endpoints: tuple[Endpoint, ...] | None = None
    url: str = ""
    """Where the shop takes the provider's news."""


@dataclass(frozen=True)
class Keys:
    """A secret of the shop's. `changed` is None where it never was since it was made."""

    name: str
    changed: datetime | None
    rotates: bool


@dataclass(frozen=True)
class Operators:
    """Who hears of alarms. `confirmed` is None before the first deployment."""

    confirmed: bool | None
