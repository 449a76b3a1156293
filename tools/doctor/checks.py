"""Every check: what it is called, what it reads, how that is judged."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Generic, TypeVar

import httpx
import stripe
from botocore.exceptions import BotoCoreError, ClientError

from commerce.payments.gateway import EVENT_TYPES
from stacks.config import Config
from tools.doctor import rules
from tools.doctor.model import Answer, Verdict
from tools.doctor.reading import Account

T = TypeVar("T")


@dataclass(frozen=True)
class Check(Generic[T]):
    """`read` may raise; then the answer says what could not be seen, with the verdict `unseen`."""

    name: str
    read: Callable[[Account], T]
    judge: Callable[[T, Config], Answer]
    unseen: Verdict = "warning"

    def answer(self, account: Account) -> Answer:
        """What this check says about the account."""
        try:
            return self.judge(self.read(account), account.config)
        except ClientError as error:
            return Answer(self.unseen, _unseen(error))
        except (BotoCoreError, LookupError, httpx.HTTPError) as error:
            return Answer(self.unseen, f"This could not be seen: {error}")


def _unseen(error: ClientError) -> str:
    """Names the permission that is missing, where that is the reason."""
    code, message = (error.response["Error"].get(part, "") for part in ("Code", "Message"))
    if "AccessDenied" in code or code in ("UnauthorizedOperation", "NotAuthorized", "AuthorizationError"):
        named = re.search(r"not authorized to perform: (\S+)", message)
        return f"These credentials may not see it: allow them {named[1] if named else error.operation_name}."
    return f"This could not be seen: {error}"


def _quota(service: str, key: str) -> Callable[[Account], float]:
    return lambda account: account.quota(service, key)


CREDENTIALS = Check("credentials", Account.identity, rules.credentials, unseen="problem")
"""Without these nothing else can be read."""

REGION = Check("region", lambda account: account.region, rules.region)

CHECKS: tuple[Check[Any], ...] = (
    Check("CDK bootstrap", Account.bootstrap, lambda version, _: rules.bootstrap(version)),
    Check("Lambda instances", Account.concurrency, rules.concurrency),
    Check("API rate", _quota("apigateway", "L-8A5B8E43"), rules.api_rate),
    Check("tables", Account.tables, lambda usage, _: rules.room(usage, "tables")),
    Check("writes to a table", _quota("dynamodb", "L-AB614373"), rules.table_writes),
    Check("executions", _quota("states", "StartExecution throttle token refill rate per second"), rules.executions),
    Check("events", _quota("events", "L-9B653E91"), rules.events),
    Check("secrets", Account.secrets, lambda usage, _: rules.room(usage, "secrets")),
    Check("CloudFront", Account.distributions, lambda usage, _: rules.room(usage, "distributions")),
    Check("e-mail", Account.mail, rules.mail),
    Check("e-mail domain", Account.sender, rules.sender),
    Check("e-mail of accounts", lambda _: None, lambda _, config: rules.accounts(config)),
    Check("domain", Account.certificate, lambda found, config: rules.domain(found, config, datetime.now(UTC))),
    Check("Stripe", Account.stripe, lambda found, config: rules.stripe(found, config, EVENT_TYPES, stripe.api_version)),
    Check("EasyPost", Account.easypost, rules.easypost),
    Check("age of keys", Account.keys, lambda found, _: rules.ages(found, datetime.now(UTC))),
    Check("alarms", Account.operators, rules.alarms),
    Check("budget", Account.budgets, lambda names, _: rules.budget(names)),
)


def examine(account: Account) -> Iterator[tuple[str, Answer]]:
    """(check, answer), one by one. Ends early where nothing else can be read."""
    for check in (REGION, CREDENTIALS):
        answer = check.answer(account)
        yield check.name, answer
        if answer.verdict == "problem":
            return
    for check in CHECKS:
        yield check.name, check.answer(account)
