"""Stripe through the shop's gateway: every outcome, against the double."""

import json
import time
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
import stripe

from builders.doubles import API_KEY, Receiver, at_the_bank, client, control, stripe_double
from commerce.errors import Invalid, Unauthenticated, Unavailable
from commerce.payments.gateway import StripeGateway
from commerce.payments.service import Authorization, PaymentGateway, PaymentNotice
from tools.doubles.stripe.double import StripeDouble

SECRET = "whsec_of_these_tests"
BACK = "https://shop.example/back"


@dataclass
class Shop:
    """A gateway that does not repeat requests by itself, and the double behind it."""

    gateway: StripeGateway
    double: StripeDouble

    def paid_with(self, payment_method: str, order_id: str = "order_1") -> Authorization:
        intent_id = self.gateway.create_intent(order_id, 2000, "USD")
        return self.gateway.confirm(intent_id, payment_method, BACK, f"{order_id}:confirm")

    def held(self, payment_method: str = "pm_card_visa", order_id: str = "order_1") -> str:
        return self.paid_with(payment_method, order_id).intent_id

    def captured(self, payment_method: str = "pm_card_visa", order_id: str = "order_1") -> str:
        intent_id = self.held(payment_method, order_id)
        self.gateway.capture(intent_id, 2000, f"{order_id}:capture")
        return intent_id

    def breaks(self, operation: str, fault: str, times: int = 1) -> None:
        control(self.double, "faults", {"operation": operation, "fault": fault, "times": times})


@pytest.fixture
def shop() -> Iterator[Shop]:
    with stripe_double() as double:
        yield Shop(StripeGateway(API_KEY, SECRET, api_base=double.url, retries=0), double)


@pytest.fixture
def nobody() -> StripeGateway:
    """A gateway whose Stripe does not answer."""
    return StripeGateway(API_KEY, SECRET, api_base="http://127.0.0.1:9", retries=0)


def test_the_gateway_is_what_the_use_cases_ask_for(shop: Shop) -> None:
    port: PaymentGateway = shop.gateway
    assert port.retrieve(port.create_intent("order_1", 100, "EUR")).order_id == "order_1"


class TestCreatingAnIntent:
    def test_an_order_has_one_intent_however_often_it_asks(self, shop: Shop) -> None:
        assert len({shop.gateway.create_intent("order_1", 2000, "USD") for _ in range(3)}) == 1

    def test_nothing_is_held_yet(self, shop: Shop) -> None:
        now = shop.gateway.retrieve(shop.gateway.create_intent("order_1", 2000, "USD"))
        assert (now.outcome, now.amount_capturable) == ("unconfirmed", 0)

    def test_an_amount_that_stripe_refuses_is_the_callers_mistake(self, shop: Shop) -> None:
        with pytest.raises(Invalid):
            shop.gateway.create_intent("order_1", 1, "USD")

    @pytest.mark.parametrize("fault", ["drop_before", "drop_after", "rate_limit"])
    def test_without_an_answer_the_caller_may_try_again(self, shop: Shop, fault: str) -> None:
        shop.breaks("payment_intents.create", fault)
        with pytest.raises(Unavailable):
            shop.gateway.create_intent("order_1", 2000, "USD")

    def test_an_outage_that_stripe_remembers_is_gone_round_and_one_that_lasts_is_told(self, shop: Shop) -> None:
        shop.breaks("payment_intents.create", "error_after")
        intent_id = shop.gateway.create_intent("order_1", 2000, "USD")
        assert shop.gateway.retrieve(intent_id).outcome == "unconfirmed"

        shop.breaks("payment_intents.create", "error_before")
        with pytest.raises(Unavailable):
            shop.gateway.create_intent("order_1", 2000, "USD")

    def test_a_lost_answer_is_found_again(self, shop: Shop) -> None:
        shop.breaks("payment_intents.create", "drop_after")
        with pytest.raises(Unavailable):
            shop.gateway.create_intent("order_1", 2000, "USD")
        shop.gateway.create_intent("order_1", 2000, "USD")
        assert control(shop.double, "summary")["intents"] == 1

    def test_where_nobody_listens_it_is_unavailable(self, nobody: StripeGateway) -> None:
        with pytest.raises(Unavailable):
            nobody.create_intent("order_1", 2000, "USD")


class TestConfirming:
    def test_a_good_card_is_authorized(self, shop: Shop) -> None:
        paid = shop.paid_with("pm_card_visa")
        assert (paid.outcome, paid.amount_capturable, paid.risk) == ("authorized", 2000, "normal")
        assert paid.order_id == "order_1"
        assert paid.charge_id

    @pytest.mark.parametrize("risk", ["elevated", "highest"])
    def test_a_risky_payment_is_authorized_and_says_so(self, shop: Shop, risk: str) -> None:
        paid = shop.paid_with(f"pm_card_riskLevel{risk.title()}")
        assert (paid.outcome, paid.risk) == ("authorized", risk)

    @pytest.mark.parametrize(
        ("payment_method", "decline_code"),
        [
            ("pm_card_chargeDeclined", "generic_decline"),
            ("pm_card_chargeDeclinedInsufficientFunds", "insufficient_funds"),
            ("pm_card_chargeDeclinedExpiredCard", "expired_card"),
            ("pm_that_does_not_exist", "resource_missing"),
        ],
    )
    def test_a_bad_card_is_declined_with_a_reason(self, shop: Shop, payment_method: str, decline_code: str) -> None:
        paid = shop.paid_with(payment_method)
        assert (paid.outcome, paid.decline_code) == ("declined", decline_code)
        assert paid.message

    def test_a_token_is_never_repeated_to_anyone(self, shop: Shop) -> None:
        assert "pm_secret_of_the_buyer" not in repr(shop.paid_with("pm_secret_of_the_buyer"))

    def test_a_card_that_needs_its_bank_says_where_to_go(self, shop: Shop) -> None:
        paid = shop.paid_with("pm_card_threeDSecure2Required")
        assert paid.outcome == "action_required"
        assert paid.redirect_url == f"{shop.double.url}/3ds/{paid.intent_id}"

    @pytest.mark.parametrize(("decision", "outcome"), [("complete", "authorized"), ("fail", "declined")])
    def test_what_the_buyer_did_at_the_bank_is_seen_afterwards(self, shop: Shop, decision: str, outcome: str) -> None:
        paid = shop.paid_with("pm_card_threeDSecure2Required")
        at_the_bank(str(paid.redirect_url), decision)
        assert shop.gateway.retrieve(paid.intent_id).outcome == outcome

    def test_confirming_again_answers_as_the_first_time(self, shop: Shop) -> None:
        assert shop.paid_with("pm_card_visa") == shop.paid_with("pm_card_visa")
        assert len(control(shop.double, "charges")) == 1

    def test_another_card_under_the_same_key_is_told_how_the_intent_stands(self, shop: Shop) -> None:
        shop.paid_with("pm_card_visa")
        assert shop.paid_with("pm_card_mastercard").outcome == "authorized"
        assert len(control(shop.double, "charges")) == 1

    def test_confirming_a_voided_intent_is_told_so(self, shop: Shop) -> None:
        intent_id = shop.gateway.create_intent("order_1", 2000, "USD")
        shop.gateway.void(intent_id, "order_1:void")
        assert shop.paid_with("pm_card_visa").outcome == "voided"

    @pytest.mark.parametrize("fault", ["error_before", "drop_before", "drop_after", "rate_limit"])
    def test_without_an_answer_the_outcome_is_unknown_and_can_be_asked_for(self, shop: Shop, fault: str) -> None:
        shop.breaks("payment_intents.confirm", fault)
        paid = shop.paid_with("pm_card_visa")
        assert paid.outcome == "unknown"
        expected = "authorized" if fault == "drop_after" else "unconfirmed"
        assert shop.gateway.retrieve(paid.intent_id).outcome == expected

    def test_an_error_after_the_work_was_done_does_not_hide_it(self, shop: Shop) -> None:
        shop.breaks("payment_intents.confirm", "error_after")
        paid = shop.paid_with("pm_card_visa")
        shop.breaks("payment_intents.capture", "error_after")
        taken = shop.gateway.capture(paid.intent_id, 2000, "order_1:capture")
        assert (paid.outcome, taken.outcome) == ("authorized", "captured")

    def test_the_clients_own_retries_get_through(self, shop: Shop) -> None:
        shop.gateway = StripeGateway(API_KEY, SECRET, api_base=shop.double.url)
        shop.breaks("payment_intents.confirm", "drop_after")
        assert shop.paid_with("pm_card_visa").outcome == "authorized"
        assert len(control(shop.double, "charges")) == 1

    def test_where_nobody_listens_it_is_unknown(self, nobody: StripeGateway) -> None:
        assert nobody.confirm("pi_1", "pm_card_visa", BACK, "key").outcome == "unknown"
        assert nobody.retrieve("pi_1").outcome == "unknown"


class TestCapturing:
    def test_the_money_is_taken(self, shop: Shop) -> None:
        taken = shop.gateway.capture(shop.held(), 2000, "order_1:capture")
        assert (taken.outcome, taken.amount) == ("captured", 2000)
        assert taken.charge_id == control(shop.double, "charges")[0]["charge_id"]

    def test_less_may_be_taken(self, shop: Shop) -> None:
        assert shop.gateway.capture(shop.held(), 1500, "order_1:capture").amount == 1500
        assert control(shop.double, "charges")[0]["held"] == 0

    def test_capturing_again_answers_as_the_first_time(self, shop: Shop) -> None:
        intent_id = shop.held()
        first, again = (shop.gateway.capture(intent_id, 2000, "order_1:capture") for _ in range(2))
        assert first == again

    def test_what_was_captured_under_another_key_is_captured(self, shop: Shop) -> None:
        intent_id = shop.held()
        first, again = (shop.gateway.capture(intent_id, 2000, key) for key in ("one", "two"))
        assert first == again

    @pytest.mark.parametrize(
        ("payment_method", "reason"),
        [("pm_card_captureFails", "card_declined"), ("pm_card_captureExpires", "charge_expired_for_capture")],
    )
    def test_a_capture_that_the_bank_refuses_has_failed(self, shop: Shop, payment_method: str, reason: str) -> None:
        intent_id = shop.held(payment_method)
        taken = shop.gateway.capture(intent_id, 2000, "order_1:capture")
        assert (taken.outcome, taken.reason) == ("failed", reason)
        assert shop.gateway.void(intent_id, "order_1:void").outcome == "voided"

    def test_an_error_of_stripes_does_not_stick(self, shop: Shop) -> None:
        intent_id = shop.held()
        shop.breaks("payment_intents.capture", "error_before", times=2)
        outcomes = [shop.gateway.capture(intent_id, 2000, "order_1:capture").outcome for _ in range(3)]
        assert outcomes == ["unknown", "unknown", "captured"]

    def test_what_was_voided_cannot_be_captured(self, shop: Shop) -> None:
        intent_id = shop.held()
        shop.gateway.void(intent_id, "order_1:void")
        assert shop.gateway.capture(intent_id, 2000, "order_1:capture").outcome == "failed"

    @pytest.mark.parametrize("fault", ["error_before", "drop_before", "drop_after", "rate_limit"])
    def test_without_an_answer_the_outcome_is_unknown_and_may_be_tried_again(self, shop: Shop, fault: str) -> None:
        intent_id = shop.held()
        shop.breaks("payment_intents.capture", fault)
        assert shop.gateway.capture(intent_id, 2000, "order_1:capture").outcome == "unknown"
        assert shop.gateway.capture(intent_id, 2000, "order_1:capture").outcome == "captured"

    def test_a_refusal_whose_reason_cannot_be_looked_up_is_unknown(self, shop: Shop) -> None:
        intent_id = shop.captured()
        shop.breaks("payment_intents.retrieve", "drop_before")
        assert shop.gateway.capture(intent_id, 2000, "another").outcome == "unknown"


class TestVoiding:
    def test_what_is_held_is_let_go(self, shop: Shop) -> None:
        intent_id = shop.held()
        assert shop.gateway.void(intent_id, "order_1:void").outcome == "voided"
        assert control(shop.double, "charges")[0]["held"] == 0
        assert shop.gateway.retrieve(intent_id).outcome == "voided"

    def test_voiding_again_changes_nothing(self, shop: Shop) -> None:
        intent_id = shop.held()
        assert {shop.gateway.void(intent_id, key).outcome for key in ("one", "one", "two")} == {"voided"}

    def test_a_voided_intent_can_never_be_confirmed(self, shop: Shop) -> None:
        intent_id = shop.gateway.create_intent("order_1", 2000, "USD")
        assert shop.gateway.void(intent_id, "order_1:void").outcome == "voided"
        assert shop.gateway.confirm(intent_id, "pm_card_visa", BACK, "late").outcome == "voided"
        assert control(shop.double, "charges") == []

    def test_what_was_captured_needs_a_refund(self, shop: Shop) -> None:
        void = shop.gateway.void(shop.captured(), "order_1:void")
        assert (void.outcome, void.amount_captured) == ("captured", 2000)

    @pytest.mark.parametrize("fault", ["error_before", "drop_after", "rate_limit"])
    def test_without_an_answer_the_outcome_is_unknown_and_may_be_tried_again(self, shop: Shop, fault: str) -> None:
        intent_id = shop.held()
        shop.breaks("payment_intents.cancel", fault)
        assert shop.gateway.void(intent_id, "order_1:void").outcome == "unknown"
        assert shop.gateway.void(intent_id, "order_1:void").outcome == "voided"

    def test_an_intent_that_stripe_does_not_know_is_not_taken_for_voided(self, shop: Shop) -> None:
        assert shop.gateway.void("pi_of_another_account", "key").outcome == "unknown"


class TestRefunding:
    def test_money_goes_back(self, shop: Shop) -> None:
        back = shop.gateway.refund(shop.captured(), 500, "order_1:refund:1")
        assert (back.outcome, back.amount) == ("refunded", 500)
        assert control(shop.double, "charges")[0]["refunded"] == 500

    def test_the_same_key_gives_back_once(self, shop: Shop) -> None:
        intent_id = shop.captured()
        first, again = (shop.gateway.refund(intent_id, 500, "order_1:refund:1") for _ in range(2))
        assert first == again
        assert control(shop.double, "charges")[0]["refunded"] == 500

    def test_the_same_key_gives_back_once_even_when_stripe_has_forgotten_it(self, shop: Shop) -> None:
        intent_id = shop.captured()
        first = shop.gateway.refund(intent_id, 500, "order_1:refund:1")
        control(shop.double, "forget", {})
        again = shop.gateway.refund(intent_id, 500, "order_1:refund:1")
        assert (again.refund_id, control(shop.double, "summary")["refunds"]) == (first.refund_id, 1)

    def test_more_than_is_left_fails(self, shop: Shop) -> None:
        intent_id = shop.captured()
        shop.gateway.refund(intent_id, 1500, "one")
        assert shop.gateway.refund(intent_id, 501, "two").outcome == "failed"
        assert shop.gateway.refund(intent_id, 500, "three").outcome == "refunded"
        assert shop.gateway.refund(intent_id, 1, "four").reason == "charge_already_refunded"

    def test_what_was_not_captured_fails(self, shop: Shop) -> None:
        assert shop.gateway.refund(shop.held(), 500, "one").outcome == "failed"

    def test_a_disputed_payment_is_not_refunded_beside_the_dispute(self, shop: Shop) -> None:
        back = shop.gateway.refund(shop.captured("pm_card_createDispute"), 500, "one")
        assert (back.outcome, back.reason) == ("failed", "charge_disputed")

    def test_some_refunds_take_their_time(self, shop: Shop) -> None:
        assert shop.gateway.refund(shop.captured("pm_card_pendingRefund"), 500, "one").outcome == "pending"

    def test_a_refund_that_failed_later_says_so_when_asked_again(self, shop: Shop) -> None:
        intent_id = shop.captured("pm_card_refundFail")
        assert shop.gateway.refund(intent_id, 500, "one").outcome == "refunded"
        assert shop.gateway.refund(intent_id, 500, "one").outcome == "failed"

    @pytest.mark.parametrize("fault", ["error_before", "error_after", "drop_before", "drop_after", "rate_limit"])
    def test_without_an_answer_trying_again_gives_back_once(self, shop: Shop, fault: str) -> None:
        intent_id = shop.captured()
        shop.breaks("refunds.create", fault)
        assert shop.gateway.refund(intent_id, 500, "one").outcome == "unknown"
        assert shop.gateway.refund(intent_id, 500, "one").outcome == "refunded"
        assert control(shop.double, "charges")[0]["refunded"] == 500


class TestNotices:
    def told(self, shop: Shop, *kinds: str) -> dict[str, PaymentNotice]:
        """What the shop is told, by Stripe's names, read with the secret that the endpoint was given."""
        with Receiver() as receiver:
            endpoint = client(shop.double).v1.webhook_endpoints.create(
                {"url": receiver.url, "enabled_events": list(kinds)}  # type: ignore[typeddict-item]
            )
            gateway = StripeGateway(API_KEY, str(endpoint.secret), api_base=shop.double.url)
            for kind in kinds:
                control(shop.double, "webhooks/replay", {"type": kind})
            received = receiver.wait_for(len(kinds))
        notices = [gateway.construct_event(body, headers["stripe-signature"]) for body, headers in received]
        return {notice.type: notice for notice in notices}

    def test_authorized(self, shop: Shop) -> None:
        intent_id = shop.held()
        name = "payment_intent.amount_capturable_updated"
        notice = self.told(shop, name)[name]
        assert (notice.kind, notice.intent_id, notice.order_id, notice.amount) == (
            "authorized",
            intent_id,
            "order_1",
            2000,
        )
        assert notice.reference == shop.gateway.retrieve(intent_id).charge_id
        assert notice.occurred_at.endswith("Z")

    def test_action_required(self, shop: Shop) -> None:
        paid = shop.paid_with("pm_card_threeDSecure2Required")
        notice = self.told(shop, "payment_intent.requires_action")["payment_intent.requires_action"]
        assert (notice.kind, notice.redirect_url) == ("action_required", paid.redirect_url)

    def test_declined(self, shop: Shop) -> None:
        shop.paid_with("pm_card_chargeDeclinedInsufficientFunds")
        notice = self.told(shop, "payment_intent.payment_failed")["payment_intent.payment_failed"]
        assert (notice.kind, notice.decline_code, notice.order_id) == ("declined", "insufficient_funds", "order_1")

    def test_captured(self, shop: Shop) -> None:
        intent_id = shop.captured()
        notice = self.told(shop, "payment_intent.succeeded")["payment_intent.succeeded"]
        assert (notice.kind, notice.order_id, notice.amount) == ("captured", "order_1", 2000)
        assert notice.intent_id == intent_id
        assert notice.reference == shop.gateway.retrieve(intent_id).charge_id

    def test_voided(self, shop: Shop) -> None:
        shop.gateway.void(shop.held(), "order_1:void")
        notice = self.told(shop, "payment_intent.canceled")["payment_intent.canceled"]
        assert (notice.kind, notice.reason, notice.order_id) == ("voided", "requested_by_customer", "order_1")

    def test_refunds_are_told_one_by_one(self, shop: Shop) -> None:
        back = shop.gateway.refund(shop.captured(), 500, "one")
        told = self.told(shop, "refund.created", "charge.refunded")
        created = told["refund.created"]
        assert (created.kind, created.reference, created.amount) == ("refunded", back.refund_id, 500)
        assert told["charge.refunded"].kind == "other"

    def test_a_refund_that_failed(self, shop: Shop) -> None:
        shop.gateway.refund(shop.captured("pm_card_refundFail"), 500, "one")
        notice = self.told(shop, "refund.failed")["refund.failed"]
        assert (notice.kind, notice.reason) == ("refund_failed", "expired_or_canceled_card")

    def test_a_pending_refund(self, shop: Shop) -> None:
        shop.gateway.refund(shop.captured("pm_card_pendingRefund"), 500, "one")
        told = self.told(shop, "refund.created", "refund.updated")
        assert (told["refund.created"].kind, told["refund.updated"].kind) == ("refund_pending", "refunded")

    def test_disputed(self, shop: Shop) -> None:
        intent_id = shop.captured("pm_card_createDispute")
        notice = self.told(shop, "charge.dispute.created")["charge.dispute.created"]
        assert (notice.kind, notice.intent_id, notice.reason) == ("disputed", intent_id, "fraudulent")
        assert (notice.amount, notice.order_id) == (2000, None)
        assert shop.gateway.retrieve(intent_id).order_id == "order_1"

    def test_what_the_shop_does_not_care_about(self, shop: Shop) -> None:
        shop.held()
        assert self.told(shop, "payment_intent.created")["payment_intent.created"].kind == "other"


class TestSignatures:
    PAYLOAD = json.dumps({"id": "evt_1", "object": "event"})

    def signed(self, secret: str = SECRET, age: int = 0) -> str:
        header = stripe.WebhookSignature.generate_signature_header(self.PAYLOAD, secret, int(time.time()) - age)
        return str(header)

    @pytest.mark.parametrize(
        "signature",
        ["", "nonsense", "t=1,v1=00", "t={now},v1=00"],
        ids=["none", "nonsense", "long ago", "wrong"],
    )
    def test_a_bad_signature_is_not_believed(self, nobody: StripeGateway, signature: str) -> None:
        with pytest.raises(Unauthenticated):
            nobody.construct_event(self.PAYLOAD.encode(), signature.format(now=int(time.time())))

    def test_another_secret_is_not_believed(self, nobody: StripeGateway) -> None:
        with pytest.raises(Unauthenticated):
            nobody.construct_event(self.PAYLOAD.encode(), self.signed("whsec_other"))

    def test_while_the_secret_is_changed_the_one_before_holds_too(self) -> None:
        changing = StripeGateway(API_KEY, "whsec_new", SECRET, api_base="http://127.0.0.1:9")
        for secret in ("whsec_new", SECRET):
            with pytest.raises(AttributeError):  # it is believed, and then has no data
                changing.construct_event(self.PAYLOAD.encode(), self.signed(secret))
        with pytest.raises(Unauthenticated):
            changing.construct_event(self.PAYLOAD.encode(), self.signed("whsec_other"))

    @pytest.mark.parametrize("secrets", [(), ("",), (" ",)])
    def test_without_a_secret_nobody_is_believed(self, secrets: tuple[str, ...]) -> None:
        with pytest.raises(Unauthenticated):
            StripeGateway(API_KEY, *secrets).construct_event(self.PAYLOAD.encode(), self.signed("".join(secrets)))

    def test_an_old_signature_is_not_believed(self, nobody: StripeGateway) -> None:
        with pytest.raises(Unauthenticated):
            nobody.construct_event(self.PAYLOAD.encode(), self.signed(age=301))

    def test_a_body_that_is_no_text_is_not_believed(self, nobody: StripeGateway) -> None:
        with pytest.raises(Unauthenticated):
            nobody.construct_event(b"\xff\xfe", self.signed())
