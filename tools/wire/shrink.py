"""`make shrink`: takes each grant of each function's deployed role away in turn, and says which of them nothing misses.

1. Every kind of story is told, then more of them while the line fails, and the end-to-end tests run; the line notes
   every request of every function. So it is known which grants are used, and by which request.
2. Each grant that was used is taken away in turn, in the deployed policy, and the request that used it is sent again in
   the role's name: where AWS does not refuse it, the grant would be worth nothing.
3. All others, but those that Lambda uses in the function's name, are taken away together, and stories are told again:
   whatever is refused now is missed. What nothing misses belongs out of stacks/functions.py.

Writes build/shrink.json, and ends with 1 if something is granted that nothing misses.
"""

import argparse
import contextlib
import functools
import json
import os
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

from botocore import xform_name
from botocore.config import Config
from botocore.exceptions import ClientError
from botocore.session import get_session
from rich.console import Console
from rich.table import Table

from tools.local import shop
from tools.local.instance import REGION, ROOT, Instance
from tools.local.steps import Stop, complain, leave, step
from tools.wire.books import aws
from tools.wire.campaign import Tally, campaign, tell
from tools.wire.faults import Plan
from tools.wire.grants import BY_LAMBDA_ITSELF, Grant, Role, needed, roles, taken
from tools.wire.line import Call, Line
from tools.wire.routing import routed
from tools.wire.stage import Stage, stage
from tools.wire.stories import KINDS

REPORT = Path("build/shrink.json")
FAILING_SEED, FAILING_STORIES = 1, 25
TESTS = ("tests/e2e", "--ignore=tests/e2e/test_the_line.py", "--ignore=tests/e2e/test_overselling.py")
"""Those that look at the shop from outside. One has a line of its own; one asks for nothing that stories do not, but
hundreds of times."""
TESTS_WITHIN = 3600
ANY = "any function"
UNPAID = "the wait for a payment ran out"
UNPUBLISHED = "publishes events that the stream never brought"
ROTATED = "the signing keys rotate, four times a year"
RARE: dict[tuple[str, str, str], str] = {
    (ANY, "dynamodb:GetItem", "table/idempotency"): "the same key comes again",
    (ANY, "dynamodb:DeleteItem", "table/idempotency"): "a request that failed gives its key back",
    ("admin_catalog", "dynamodb:BatchGetItem", "table/catalog"): "a product gets another variant",
    ("admin_catalog", "dynamodb:DeleteItem", "table/catalog"): "a product gets another handle",
    ("admin_catalog", "dynamodb:Query", "table/audit"): "staff ask who changed a product",
    ("carts", "dynamodb:DeleteItem", "table/carts"): "a buyer throws a cart away",
    ("catalog", "dynamodb:Query", "table/catalog/index/by_title"): "products are listed by title",
    ("compensate_order", "dynamodb:GetItem", "table/carts"): UNPAID,
    ("compensate_order", "dynamodb:UpdateItem", "table/carts"): UNPAID,
    ("compensate_order", "dynamodb:PutItem", "table/inventory"): UNPAID,
    ("compensate_order", "dynamodb:UpdateItem", "table/inventory"): UNPAID,
    ("complete_checkout", "dynamodb:Query", "table/orders"): "what is held for an order that was canceled is let go",
    ("orders", "dynamodb:UpdateItem", "table/carts"): "a buyer takes an order back about which the bank still asks",
    ("complete_checkout", "dynamodb:PutItem", "table/privacy"): "a checkout was begun in the release before",
    ("erase_person", "dynamodb:BatchGetItem", "table/privacy"): "a customer who is erased has several orders",
    ("export_person", "dynamodb:BatchGetItem", "table/privacy"): "a customer who is exported has several orders",
    ("orders", "dynamodb:BatchGetItem", "table/privacy"): "a customer lists several orders",
    ("project_catalog", "dynamodb:ConditionCheckItem", "table/catalog"): "a product has a hundred listings",
    ("project_catalog", "sqs:SendMessage", "parked/catalog"): "Lambda parks a record that keeps failing",
    ("reconcile", "dynamodb:GetItem", "table/outbox"): UNPUBLISHED,
    ("reconcile", "dynamodb:UpdateItem", "table/outbox"): UNPUBLISHED,
    ("reconcile", "events:PutEvents", "event-bus/tradepost-local-events"): UNPUBLISHED,
    ("reconcile", "dynamodb:Query", "table/orders"): "what came too late is given back",
    ("reconcile", "states:StartExecution", "tradepost-local-checkout-to-delivery"): "an execution was never started",
    ("relay_outbox", "sqs:SendMessage", "parked/outbox"): "an event is parked that the bus will never take",
    ("rotate_signing_keys", "secretsmanager:DescribeSecret", "secret/signing"): ROTATED,
    ("rotate_signing_keys", "secretsmanager:GetSecretValue", "secret/signing"): ROTATED,
    ("rotate_signing_keys", "secretsmanager:PutSecretValue", "secret/signing"): ROTATED,
    ("rotate_signing_keys", "secretsmanager:UpdateSecretVersionStage", "secret/signing"): ROTATED,
    ("send_email", "dynamodb:DeleteItem", "table/orders"): "an e-mail that was never sent gives its claim back",
    ("watch_stock", "sqs:SendMessage", "parked/stock"): "Lambda parks a record that keeps failing",
}
"""(function, action, name): what needs it that no story and no test from outside comes to."""
_SESSION = get_session()


def arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(prog="make shrink", description=__doc__)
    parser.add_argument("--keep", action="store_true", help="use the shop as it is, and leave it running")
    parser.add_argument("--stories-only", action="store_true", help="leave the end-to-end tests out")
    parser.add_argument("--instance", default=os.environ.get("TRADEPOST_INSTANCE") or "wire")
    return parser.parse_args()


def main() -> int:
    """Looks, takes away, writes the report and shows it."""
    options = arguments()
    os.environ.pop("STRIPE_API_KEY", None)
    instance, console = Instance(options.instance), Console(highlight=False)
    if not options.keep:
        shop.reset(instance)
    shop.up(instance)
    with Line(instance.aws_url) as line, routed(instance, line.url), stage(instance, line) as made:
        verdicts = shrink(made, tests=not options.stories_only)
    REPORT.parent.mkdir(exist_ok=True)
    REPORT.write_text(json.dumps([{**_named(grant), "verdict": said} for grant, said in verdicts.items()], indent=2))
    _show(console, verdicts)
    if not options.keep:
        shop.down(instance)
    return 1 if any(said == NOT_MISSED for said in verdicts.values()) else 0


MISSED, NOT_MISSED, NOT_ENFORCED = "missed", "nothing misses it", "used, and not refused without it"


def shrink(made: Stage, *, tests: bool) -> dict[Grant, str]:
    """What is to be said of each grant."""
    granted = roles(made.instance)
    used = _used(made, granted, tests=tests)
    with step("Without one grant after the other") as current:
        verdicts: dict[Grant, str] = {}
        for grant, call in used.items():
            current.note = f"{len(verdicts)} of {len(used)}"
            verdicts[grant] = _verdict(made.instance, granted[grant.function], grant, call)
    unused = [grant for role in granted.values() for grant in role.grants if grant not in verdicts]
    verdicts |= {grant: why for grant in unused if (why := _known(grant))}
    rest = {name: [grant for grant in role.grants if grant not in verdicts] for name, role in granted.items()}
    with step("The stories, without what was never used"):
        missed = _missed(made, granted, rest)
    verdicts |= {grant: MISSED if grant in missed else NOT_MISSED for grants in rest.values() for grant in grants}
    return dict(sorted(verdicts.items()))


def _known(grant: Grant) -> str:
    rare = (RARE.get((function, grant.action, grant.on)) for function in (grant.function, ANY))
    return BY_LAMBDA_ITSELF.get(grant.action) or next(filter(None, rare), "")


def _used(made: Stage, granted: dict[str, Role], *, tests: bool) -> dict[Grant, Call]:
    """The grants that were used, each with the last request that did."""
    with step("The stories, with all that is granted"):
        told = _tell_stories(made)
    if told.violations:
        raise Stop(f"The shop is not sound as it is: {_why(told)}")
    if tests:
        environment = os.environ | {"TRADEPOST_INSTANCE": made.instance.name}
        command = [sys.executable, "-m", "pytest", *TESTS, "-q"]
        if subprocess.run(command, cwd=ROOT, env=environment, timeout=TESTS_WITHIN, check=False).returncode:
            complain("Not all tests passed: what only those use that failed, counts as missed by nobody")
        made.fill_shelves()
    used: dict[Grant, Call] = {}
    for call in list(made.line.calls):
        if call.function in granted:
            used |= dict.fromkeys(needed(call, granted[call.function]), call)
    return used


def _verdict(instance: Instance, role: Role, grant: Grant, call: Call) -> str:
    """Sends the request once more, in the role's name, without the grant. Whatever it does now is done to a shop that
    nobody needs any more."""
    client = _in_the_name_of(instance, role.name, call.service)
    with taken(instance, role, [grant]):
        try:
            getattr(client, xform_name(call.operation))(**json.loads(call.body))
        except ClientError as error:
            if error.response["Error"]["Code"].startswith("AccessDenied"):
                return MISSED
    return NOT_ENFORCED


@functools.cache
def _in_the_name_of(instance: Instance, role: str, service: str) -> Any:
    arn = aws(instance, "iam").get_role(RoleName=role)["Role"]["Arn"]
    lent = aws(instance, "sts").assume_role(RoleArn=arn, RoleSessionName="shrink")["Credentials"]
    return _SESSION.create_client(
        service,
        region_name=REGION,
        endpoint_url=instance.aws_url,
        aws_access_key_id=lent["AccessKeyId"],
        aws_secret_access_key=lent["SecretAccessKey"],
        aws_session_token=lent["SessionToken"],
        config=Config(inject_host_prefix=False),
    )


def _missed(made: Stage, granted: dict[str, Role], rest: dict[str, list[Grant]]) -> set[Grant]:
    """Tells the stories without these grants. Answers those that a refused request needed."""
    before = len(made.line.calls)
    with contextlib.ExitStack() as without:
        for function, grants in rest.items():
            without.enter_context(taken(made.instance, granted[function], grants))
        tally = _tell_stories(made)
    refused = [call for call in made.line.calls[before:] if call.error.startswith("AccessDenied")]
    if tally.violations and not refused:
        raise Stop(f"A story did not end well, and nothing was refused: {_why(tally)}")
    return {
        grant
        for call in refused
        for grant in needed(call, granted[call.function])
        if grant in rest[call.function]
    }


def _tell_stories(made: Stage) -> Tally:
    """All kinds of them, and some more while the line fails: what is done about a failure needs grants too."""
    tally = Tally(seed=FAILING_SEED)
    tell(made, [(kind, Plan(kind.meets)) for kind in KINDS], tally)
    campaign(made, tally, tally.told + FAILING_STORIES)
    return tally


def _why(told: Tally) -> str:
    """The first story that went wrong."""
    violation = told.violations[0]
    return f"{violation.kind}: {'; '.join(violation.wrong)}"


def _named(grant: Grant) -> dict[str, Any]:
    return {"function": grant.function, "action": grant.action, "on": grant.on}


def _show(console: Console, verdicts: dict[Grant, str]) -> None:
    table = Table("function", "action", "on", "without it")
    for grant, said in verdicts.items():
        if said != MISSED:
            table.add_row(grant.function, grant.action, grant.on, said)
    console.print(table)
    counted = Counter(verdicts.values())
    console.print(f"{counted[MISSED]} of {len(verdicts)} grants are missed, {counted[NOT_MISSED]} are not: {REPORT}")


if __name__ == "__main__":
    leave(main)
