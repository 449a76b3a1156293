"""What an operator may do to an order. Each act is planned first, said, and done only then.

Canceling and refunding go through the admin API, resuming speaks to Step Functions. The audit trail names the operator.
"""

import json
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Any, get_args

from botocore.exceptions import ClientError

from commerce.adapters.audit import AuditTrail
from commerce.adapters.dynamodb import transact
from commerce.adapters.workflow import Workflow
from commerce.clock import now
from commerce.fulfilment.request import StaffReason
from commerce.ids import derived_id
from commerce.money import display
from commerce.orders.model import CANCELABLE
from commerce.orders.service import wake
from commerce.payments.model import balance
from commerce.reconciliation.model import caught_up
from tools.admin_api import ask, operator
from tools.local.steps import Stop
from tools.orders.records import execution_of, names_of, orders_of
from tools.orders.story import Records
from tools.shops import Shop

REASONS = get_args(StaffReason)
_ORDER = "POST /admin/orders/{id}"
_CANNOT_BE_REDRIVEN = frozenset({"ExecutionNotRedrivable", "InvalidAction", "UnknownOperationException"})
"""It ended more than 14 days ago; or the local AWS, which has no redrive."""


@dataclass(frozen=True)
class Act:
    """`what` is said before it is done; `do` answers what came of it."""

    what: str
    do: Callable[[], str]


def resume(shop: Shop, records: Records) -> Act:
    """Lets an order go on that stands still: starts, redrives or wakes its execution. Raises Stop where it does not.

    Every state reads the order and does only what it lacks, so none of it does anything twice.
    """
    order, execution = records.order, records.execution
    if execution is None:
        return Act("start its execution, which is missing", lambda: _audited(shop, order.id, "started", _start))
    if execution.status == "RUNNING":
        if order.status == "pending_payment" or caught_up(order):
            raise Stop(f"There is nothing to resume: the order is {order.status}, its execution in {execution.state}")
        what = f"tell its execution, which waits in {execution.state}, that the order is {order.status}"
        return Act(what, lambda: _audited(shop, order.id, "signaled", _signal))
    if execution.status == "SUCCEEDED":
        raise Stop(f"There is nothing to resume: the execution has succeeded, and the order is {order.status}")
    what = f"redrive its execution, which {execution.status.lower().replace('_', ' ')} in {execution.state}"
    return Act(what, lambda: _audited(shop, order.id, "redriven", _redrive))


def cancel(shop: Shop, records: Records, reason: str) -> Act:
    """Cancels an order that has not left. Raises Stop where it has, or for a reason that buyers cannot be told."""
    order = records.order
    if reason not in REASONS:
        raise Stop(f"{reason!r} is no reason for a cancellation: {' or '.join(REASONS)}")
    if order.status == "canceled":
        raise Stop(
            "There is nothing to cancel: the order is canceled. What was paid goes back by itself, or with make resume "
            "where its execution failed"
        )
    if order.status not in CANCELABLE:
        raise Stop(f"The order is {order.status} and cannot be canceled any more; make refund gives money back")
    what = f"cancel it ({reason}): its stock is free at once, its money goes back, its buyer is told"

    def do() -> str:
        key = f"cancel-{order.id}"
        body = {"reason": reason}
        answer = ask(shop, "admin-orders", f"{_ORDER}/cancel", order.id, key=key, body=body, group="support")
        return f"The order is {answer['status']}"

    return Act(what, do)


def refund(shop: Shop, records: Records, amount: int, reason: str) -> Act:
    """Gives `amount` minor units back. Raises Stop for more than is left of what was captured.

    Asked for again before it has ended, it is the same refund; afterwards it is another one, and `what` says so.
    """
    order, left = records.order, balance(records.payments).refundable
    ended = {one.subject: one.type for one in records.payments if one.type in ("refunded", "refund_failed")}
    same = [
        one.subject
        for one in records.payments
        if one.type == "refund_requested" and (one.amount, one.note) == (amount, reason)
    ]
    key, again = _refund_key(order.id, operator(shop), amount, reason, same, ended)
    if not again and set(same) - ended.keys():
        raise Stop(
            "This refund was asked for in another name or session, and has not ended: make order shows how far it is, "
            "and only who asked can ask again"
        )
    if not again and not 0 < amount <= left:
        raise Stop(f"{display(left, order.currency)} are left to give back, not {display(amount, order.currency)}")
    once_more = "once more " if "refunded" in map(ended.get, same) else ""
    what = f"give {once_more}{display(amount, order.currency)} of {display(order.total, order.currency)} back: {reason}"

    def do() -> str:
        body = {"amount": amount, "reason": reason}
        answer = ask(shop, "admin-refunds", f"{_ORDER}/refunds", order.id, key=key, body=body, group="support")
        return f"The refund {answer['id']} is {answer['status']}"

    return Act(what, do)


def _refund_key(
    order_id: str, actor: str, amount: int, reason: str, same: Sequence[str], ended: Collection[str]
) -> tuple[str, bool]:
    """The key of the actor's refund that has not ended, and True; else of one that nobody asked for yet, and False.

    `same` are the ids of refunds with this amount and reason. The shop makes an id of order, actor and key.
    """
    keys = [derived_id("refund", order_id, str(amount), reason, str(number)) for number in range(len(same) + 1)]
    ids = {key: derived_id("refund", order_id, actor, key) for key in keys}
    for key in keys:
        if ids[key] in same and ids[key] not in ended:
            return key, True
    return next(key for key in keys if ids[key] not in same), False


def _audited(shop: Shop, order_id: str, how: str, act: Callable[[Shop, str], str]) -> str:
    """Who resumed it is written down first: an entry without its act does no harm."""
    entry = AuditTrail(shop.output("AuditTable")).action(
        f"order#{order_id}", actor=operator(shop), action="order.resumed", now=now(), after={"execution": how}
    )
    transact(shop.client("dynamodb"), [entry])
    return act(shop, order_id)


def _start(shop: Shop, order_id: str) -> str:
    _workflow(shop).start(order_id)
    return "The execution is started"


def _signal(shop: Shop, order_id: str) -> str:
    wake(orders_of(shop), _workflow(shop), order_id)
    return "The execution is told"


def _redrive(shop: Shop, order_id: str) -> str:
    """Where it cannot be redriven it is started over under another name, and does what the order still lacks."""
    execution = execution_of(shop, order_id)
    assert execution is not None
    states = shop.client("stepfunctions")
    try:
        states.redrive_execution(executionArn=execution.arn)
    except ClientError as error:
        if error.response["Error"]["Code"] not in _CANNOT_BE_REDRIVEN:
            raise
        name = next(name for name in names_of(order_id) if not _exists(states, execution.arn, name))
        states.start_execution(
            stateMachineArn=shop.output("StateMachineArn"), name=name, input=json.dumps({"order_id": order_id})
        )
        return f"The execution cannot be redriven; it is started over as {name}"
    return "The execution is redriven"


def _exists(states: Any, arn: str, name: str) -> bool:
    try:
        states.describe_execution(executionArn=f"{arn.rpartition(':')[0]}:{name}")
    except states.exceptions.ExecutionDoesNotExist:
        return False
    return True


def _workflow(shop: Shop) -> Workflow:
    return Workflow(shop.client("stepfunctions"), shop.output("StateMachineArn"))
