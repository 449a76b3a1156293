"""The lean tier's provider answers as the production gateway does on the double of Stripe."""

from collections.abc import Callable, Iterator
from random import Random
from typing import Any

import pytest

from commerce.payments import gateway
from commerce.payments.service import PaymentGateway
from tools.simulation import money
from tools.simulation.boundary import Boundaries
from tools.simulation.faults import Plan
from tools.simulation.lean.bank import Bank
from tools.simulation.scheduler import Scheduler
from tools.simulation.story import Story

CARDS = (
    "pm_card_visa",
    "pm_card_visa",
    "pm_card_authenticationRequired",
    "pm_card_chargeDeclined",
    "pm_card_captureFails",
    "pm_card_pendingRefund",
)
TOLD = {
    "payment_intent.amount_capturable_updated": "authorized",
    "payment_intent.requires_action": "action_required",
    "payment_intent.payment_failed": "declined",
    "payment_intent.succeeded": "captured",
    "payment_intent.canceled": "voided",
    "charge.dispute.created": "disputed",
}


class Unwatched:
    def money(self) -> None:
        pass

    def overdrawn(self) -> None:
        pass


def boundaries() -> Boundaries:
    scheduler = Scheduler(Random(1))
    return Boundaries(scheduler, Plan({}), Story(scheduler, told=False))


class Account:
    """One of the two providers: its gateway, what it tells, and what buyers do there."""

    def __init__(self, port: PaymentGateway, provider: Any, told: list[str]) -> None:
        self.port, self.provider, self.told = port, provider, told
        self.intents: list[str] = []


@pytest.fixture
def accounts(monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Account, Account]]:
    ours: list[str] = []
    bank = Bank(boundaries(), Unwatched(), lambda notice: ours.append(notice.kind))
    theirs: list[str] = []

    def heard(event: Any) -> None:
        if event["type"].startswith("refund."):
            if event["data"]["object"]["status"] == "succeeded":
                theirs.append("refunded")
        else:
            theirs.append(TOLD[event["type"]])

    payments = money.Payments(boundaries(), heard, Unwatched())
    monkeypatch.setattr(money.Transport, "payments", lambda: payments, raising=False)
    monkeypatch.setattr(gateway, "_PooledClient", money.Transport)
    stripe = gateway.StripeGateway("sk_test_simulation", "whsec_simulation")
    yield Account(bank, bank, ours), Account(stripe, payments, theirs)


class Requests:
    """Random requests about a few intents; each a function of an account."""

    def __init__(self, seed: int) -> None:
        self._random = Random(seed)
        self._made = 0

    def next(self) -> Callable[[Account], Any]:
        if self._made < 4 and self._random.random() < 0.3:
            self._made += 1
            order, amount = f"order_{self._random.randrange(3)}", 5000
            return lambda account: self._created(account, order, amount)
        if not self._made:
            return lambda account: None
        intent = self._random.randrange(self._made)
        card, key = self._random.choice(CARDS), f"{intent}key{self._random.randrange(3)}"
        amount, passed = self._random.choice((1000, 2500, 5000)), self._random.random() < 0.7
        match self._random.randrange(8):
            case 0 | 1:
                return lambda it: _shown(it.port.confirm(it.intents[intent], card, "https://shop", f"confirm{key}"))
            case 2:
                return lambda it: _shown(it.port.retrieve(it.intents[intent]))
            case 3:
                return lambda it: it.provider.authenticate(it.intents[intent], passed=passed)
            case 4:
                return lambda it: _without_ids(it.port.capture(it.intents[intent], 5000, key))
            case 5 if self._random.random() < 0.05:
                return lambda it: _without_ids(it.port.void(it.intents[intent], key))
            case _:
                return lambda it: _without_ids(it.port.refund(it.intents[intent], amount, f"refund{key}"))

    def _created(self, account: Account, order: str, amount: int) -> int:
        intent = account.port.create_intent(order, amount, "USD")
        account.intents.append(intent)
        return account.intents.index(intent)


def _without_ids(answer: Any) -> Any:
    fields = answer.model_dump(exclude={"charge_id", "refund_id", "reason"})
    if fields["outcome"] == "failed":
        return "failed"
    return fields


def _shown(answer: Any) -> Any:
    """What use cases read of an authorisation."""
    return answer.outcome, answer.amount_capturable, answer.amount_captured


@pytest.mark.parametrize("seed", range(12))
def test_both_answer_alike_and_tell_the_same(seed: int, accounts: tuple[Account, Account]) -> None:
    requests = Requests(seed)
    bank, stripe = accounts

    for number in range(150):
        request = requests.next()
        expected = request(stripe)
        assert request(bank) == expected, number
        assert bank.told == stripe.told, number

    assert {"authorized", "captured"} <= set(bank.told)
    ours = [(one.held, one.captured, one.refunded) for one in bank.provider.intents()]
    assert ours == [(one.held, one.captured, one.refunded) for one in stripe.provider.intents()]
