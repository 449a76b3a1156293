"""The Stripe double, driven by Stripe's own client."""

import threading
import urllib.request
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import stripe
from stripe.params import PaymentIntentConfirmParams, PaymentIntentCreateParams

from builders.doubles import Receiver, at_the_bank, client, control, refusal, stripe_double
from tools.doubles.stripe.double import StripeDouble


@pytest.fixture
def double() -> Iterator[StripeDouble]:
    with stripe_double() as running:
        yield running


@pytest.fixture
def api(double: StripeDouble) -> stripe.StripeClient:
    return client(double)


def created(
    api: stripe.StripeClient, amount: int = 2000, order_id: str = "order_1", **more: Any
) -> stripe.PaymentIntent:
    params: PaymentIntentCreateParams = {
        "amount": amount,
        "currency": "usd",
        "capture_method": "manual",
        "allowed_payment_method_types": ["card"],
        "metadata": {"order_id": order_id},
        **more,  # type: ignore[typeddict-item]
    }
    return api.v1.payment_intents.create(params)


def held(api: stripe.StripeClient, method: str = "pm_card_visa", **more: Any) -> stripe.PaymentIntent:
    params: PaymentIntentConfirmParams = {"payment_method": method, "return_url": "https://shop.example/back?a=b"}
    return api.v1.payment_intents.confirm(created(api, **more).id, params)


def captured(api: stripe.StripeClient, method: str = "pm_card_visa", **more: Any) -> stripe.PaymentIntent:
    return api.v1.payment_intents.capture(held(api, method, **more).id)


def refunded(
    api: stripe.StripeClient, intent: stripe.PaymentIntent, amount: int, key: str | None = None
) -> stripe.Refund:
    options: Any = {"idempotency_key": key} if key else {}
    return api.v1.refunds.create({"payment_intent": intent.id, "amount": amount}, options)


def endpoint(api: stripe.StripeClient, url: str, events: list[Any] | None = None) -> str:
    """Registers a receiver and answers the secret."""
    made = api.v1.webhook_endpoints.create({"url": url, "enabled_events": events or ["*"]})
    assert made.secret
    return made.secret


class TestPaying:
    def test_an_intent_holds_nothing_until_it_is_confirmed(self, api: stripe.StripeClient) -> None:
        intent = created(api)
        assert (intent.status, intent.amount_capturable) == ("requires_payment_method", 0)

    def test_a_good_card_has_its_money_held_and_then_taken(self, api: stripe.StripeClient) -> None:
        intent = held(api)
        assert (intent.status, intent.amount_capturable) == ("requires_capture", 2000)
        intent = api.v1.payment_intents.capture(intent.id)
        assert (intent.status, intent.amount_capturable, intent.amount_received) == ("succeeded", 0, 2000)

    def test_a_partial_capture_lets_the_rest_go(self, api: stripe.StripeClient) -> None:
        intent = api.v1.payment_intents.capture(held(api).id, {"amount_to_capture": 1500})
        assert (intent.amount_capturable, intent.amount_received) == (0, 1500)
        charge = api.v1.charges.retrieve(str(intent.latest_charge))
        assert (charge.captured, charge.amount_captured, charge.amount_refunded) == (True, 1500, 0)

    def test_more_than_is_held_cannot_be_captured(self, api: stripe.StripeClient) -> None:
        with pytest.raises(stripe.InvalidRequestError) as refused:
            api.v1.payment_intents.capture(held(api).id, {"amount_to_capture": 2001})
        assert refused.value.code == "amount_too_large"

    def test_an_intent_is_captured_once(self, api: stripe.StripeClient) -> None:
        intent = captured(api)
        with pytest.raises(stripe.InvalidRequestError) as refused:
            api.v1.payment_intents.capture(intent.id)
        assert refused.value.code == "payment_intent_unexpected_state"
        assert refused.value.error and refused.value.error.payment_intent.id == intent.id

    def test_cancelling_lets_go_and_makes_no_refund(self, api: stripe.StripeClient) -> None:
        intent = api.v1.payment_intents.cancel(held(api).id, {"cancellation_reason": "requested_by_customer"})
        assert (intent.status, intent.amount_capturable) == ("canceled", 0)
        charge = api.v1.charges.retrieve(str(intent.latest_charge))
        assert (charge.refunded, charge.amount_captured, charge.amount_refunded) == (False, 0, 0)
        assert api.v1.refunds.list({"payment_intent": intent.id}).data == []

    @pytest.mark.parametrize(
        ("method", "code", "decline_code"),
        [
            ("pm_card_chargeDeclined", "card_declined", "generic_decline"),
            ("pm_card_visa_chargeDeclined", "card_declined", "generic_decline"),
            ("pm_card_chargeDeclinedInsufficientFunds", "card_declined", "insufficient_funds"),
            ("pm_card_chargeDeclinedExpiredCard", "expired_card", None),
            ("pm_card_radarBlock", "card_declined", "fraudulent"),
        ],
    )
    def test_a_bad_card_is_declined_and_the_intent_waits_for_another(
        self, api: stripe.StripeClient, method: str, code: str, decline_code: str | None
    ) -> None:
        intent = created(api)
        with pytest.raises(stripe.CardError) as refused:
            api.v1.payment_intents.confirm(intent.id, {"payment_method": method})
        assert (refused.value.http_status, refused.value.code) == (402, code)
        problem = api.v1.payment_intents.retrieve(intent.id).last_payment_error
        assert problem and getattr(problem, "decline_code", None) == decline_code
        again = api.v1.payment_intents.confirm(intent.id, {"payment_method": "pm_card_visa"})
        assert again.status == "requires_capture"

    def test_an_unknown_payment_method_is_named(self, api: stripe.StripeClient) -> None:
        with pytest.raises(stripe.InvalidRequestError) as refused:
            api.v1.payment_intents.confirm(created(api).id, {"payment_method": "pm_nobody"})
        assert (refused.value.code, refused.value.param) == ("resource_missing", "payment_method")

    def test_a_token_becomes_a_payment_method_of_its_own(self, api: stripe.StripeClient) -> None:
        intent = held(api)
        assert intent.payment_method != "pm_card_visa"
        assert api.v1.payment_methods.retrieve(str(intent.payment_method)).id == intent.payment_method

    @pytest.mark.parametrize("level", ["elevated", "highest"])
    def test_the_charge_tells_the_risk(self, api: stripe.StripeClient, level: str) -> None:
        intent = held(api, f"pm_card_riskLevel{level.title()}")
        charge = api.v1.payment_intents.retrieve(intent.id, {"expand": ["latest_charge"]}).latest_charge
        assert isinstance(charge, stripe.Charge) and charge.outcome
        assert charge.outcome.risk_level == level

    def test_an_automatic_intent_takes_the_money_at_once(self, api: stripe.StripeClient) -> None:
        intent = held(api, capture_method="automatic")
        assert (intent.status, intent.amount_received) == ("succeeded", 2000)

    def test_intents_are_found_by_metadata(self, api: stripe.StripeClient) -> None:
        wanted = held(api, order_id="order_7")
        held(api, order_id="order_8")
        query = "metadata['order_id']:'order_7' AND status:'requires_capture'"
        assert [one.id for one in api.v1.payment_intents.search({"query": query}).data] == [wanted.id]

    def test_lists_go_from_the_newest_and_page_by_page(self, api: stripe.StripeClient) -> None:
        made = [created(api, order_id=f"order_{n}").id for n in range(5)]
        first = api.v1.payment_intents.list({"limit": 2})
        assert first.has_more
        assert [one.id for one in first.auto_paging_iter()] == made[::-1]


class TestRefusing:
    @pytest.mark.parametrize(
        ("params", "param", "code"),
        [
            ({"currency": "usd"}, "amount", "parameter_missing"),
            ({"amount": -1, "currency": "usd"}, "amount", "parameter_invalid_integer"),
            ({"amount": "12.5", "currency": "usd"}, "amount", "parameter_invalid_integer"),
            ({"amount": 49, "currency": "usd"}, "amount", "amount_too_small"),
            ({"amount": 100_000_000, "currency": "usd"}, "amount", "amount_too_large"),
            ({"amount": 100, "currency": "dollars"}, "currency", None),
            ({"amount": 100, "currency": "usd", "amuont": 1}, "amuont", "parameter_unknown"),
            (
                {"amount": 100, "currency": "usd", "payment_method_types": ["card"]},
                "payment_method_types",
                "payment_method_types_no_longer_supported",
            ),
        ],
    )
    def test_a_bad_parameter_is_named(
        self, api: stripe.StripeClient, params: Any, param: str, code: str | None
    ) -> None:
        with pytest.raises(stripe.InvalidRequestError) as refused:
            api.v1.payment_intents.create(params)
        assert (refused.value.http_status, refused.value.param, refused.value.code) == (400, param, code)

    def test_without_a_test_key_nobody_comes_in(self, double: StripeDouble) -> None:
        for api_key in ("sk_live_dangerous", "unset"):
            with pytest.raises(stripe.AuthenticationError):
                created(client(double, api_key=api_key))
        with pytest.raises(urllib.request.HTTPError) as refused:  # type: ignore[attr-defined]
            urllib.request.urlopen(f"{double.url}/v1/payment_intents")
        assert refused.value.code == 401

    def test_what_does_not_exist_is_404(self, api: stripe.StripeClient) -> None:
        with pytest.raises(stripe.InvalidRequestError) as refused:
            api.v1.payment_intents.retrieve("pi_none")
        assert (refused.value.http_status, refused.value.code) == (404, "resource_missing")


class TestIdempotencyKeys:
    def test_the_same_request_is_answered_from_memory(self, api: stripe.StripeClient, double: StripeDouble) -> None:
        options: Any = {"idempotency_key": "order_1:create"}
        params: Any = {"amount": 100, "currency": "usd"}
        first, second = (api.v1.payment_intents.create(params, options) for _ in range(2))
        assert first.id == second.id
        assert "idempotent-replayed" not in {name.lower() for name in first.last_response.headers}  # type: ignore
        assert second.last_response.headers["Idempotent-Replayed"] == "true"  # type: ignore[union-attr]
        assert control(double, "summary")["intents"] == 1

    def test_another_request_under_the_key_is_refused(self, api: stripe.StripeClient) -> None:
        options: Any = {"idempotency_key": "order_1:create"}
        api.v1.payment_intents.create({"amount": 100, "currency": "usd"}, options)
        with pytest.raises(stripe.IdempotencyError):
            api.v1.payment_intents.create({"amount": 101, "currency": "usd"}, options)

    def test_a_decline_is_remembered(self, api: stripe.StripeClient, double: StripeDouble) -> None:
        intent = created(api)
        for _ in range(2):
            with pytest.raises(stripe.CardError):
                api.v1.payment_intents.confirm(
                    intent.id, {"payment_method": "pm_card_chargeDeclined"}, {"idempotency_key": "order_1:confirm"}
                )
        assert len(control(double, "charges?order_id=order_1")) == 1

    def test_what_was_never_begun_is_not_remembered(self, api: stripe.StripeClient) -> None:
        options: Any = {"idempotency_key": "order_1:create"}
        with pytest.raises(stripe.InvalidRequestError):
            api.v1.payment_intents.create({"amount": 1, "currency": "usd"}, options)
        assert api.v1.payment_intents.create({"amount": 100, "currency": "usd"}, options).amount == 100

    def test_a_key_in_flight_is_a_conflict(self, api: stripe.StripeClient, double: StripeDouble) -> None:
        intent = created(api)

        def confirm() -> str:
            params: Any = {"payment_method": "pm_card_visa"}
            try:
                return api.v1.payment_intents.confirm(intent.id, params, {"idempotency_key": "one"}).status
            except stripe.APIError as error:
                return str(error.http_status)

        control(double, "hold", {"operation": "payment_intents.confirm"})
        with ThreadPoolExecutor() as threads:
            first = threads.submit(confirm)
            assert control(double, "held?at_least=1")["held"] == 1
            assert confirm() == "409"
            control(double, "release", {})
            assert first.result() == "requires_capture"

    def test_many_at_once_with_one_key_charge_once(self, double: StripeDouble) -> None:
        api = client(double, retries=4)
        intent = created(api)

        def confirm(_: int) -> str:
            params: Any = {"payment_method": "pm_card_visa"}
            return api.v1.payment_intents.confirm(intent.id, params, {"idempotency_key": "one"}).status

        with ThreadPoolExecutor(16) as threads:
            assert set(threads.map(confirm, range(32))) == {"requires_capture"}
        assert len(control(double, "charges")) == 1

    def test_many_at_once_with_their_own_keys_charge_once(self, api: stripe.StripeClient, double: StripeDouble) -> None:
        intent = created(api)

        def confirm(_: int) -> str:
            try:
                return api.v1.payment_intents.confirm(intent.id, {"payment_method": "pm_card_visa"}).status
            except stripe.InvalidRequestError as error:
                return str(error.code)

        with ThreadPoolExecutor(16) as threads:
            answers = sorted(threads.map(confirm, range(16)))
        assert answers == ["payment_intent_unexpected_state"] * 15 + ["requires_capture"]
        assert len(control(double, "charges")) == 1


class TestRefunding:
    def test_parts_go_back_until_nothing_is_left(self, api: stripe.StripeClient) -> None:
        intent = captured(api)
        assert [refunded(api, intent, amount).status for amount in (1500, 500)] == ["succeeded", "succeeded"]
        charge = api.v1.charges.retrieve(str(intent.latest_charge))
        assert (charge.amount_refunded, charge.refunded) == (2000, True)
        with pytest.raises(stripe.InvalidRequestError) as refused:
            refunded(api, intent, 1)
        assert refused.value.code == "charge_already_refunded"

    def test_more_than_is_left_is_refused(self, api: stripe.StripeClient) -> None:
        intent = captured(api)
        refunded(api, intent, 1500)
        with pytest.raises(stripe.InvalidRequestError) as refused:
            refunded(api, intent, 501)
        assert refused.value.param == "amount"

    def test_never_more_than_was_captured_of_what_was_held(self, api: stripe.StripeClient) -> None:
        intent = api.v1.payment_intents.capture(held(api).id, {"amount_to_capture": 1500})
        with pytest.raises(stripe.InvalidRequestError):
            refunded(api, intent, 2000)
        assert refunded(api, intent, 1500).amount == 1500

    def test_what_was_not_captured_is_not_refunded(self, api: stripe.StripeClient) -> None:
        with pytest.raises(stripe.InvalidRequestError):
            refunded(api, held(api), 100)

    def test_many_at_once_never_give_back_too_much(self, api: stripe.StripeClient) -> None:
        intent = captured(api)

        def refund(_: int) -> int:
            try:
                return refunded(api, intent, 300).amount
            except stripe.InvalidRequestError:
                return 0

        with ThreadPoolExecutor(16) as threads:
            assert sum(threads.map(refund, range(16))) == 1800

    def test_a_pending_refund_succeeds_later(self, api: stripe.StripeClient) -> None:
        refund = refunded(api, captured(api, "pm_card_pendingRefund"), 700)
        assert refund.status == "pending"
        assert api.v1.refunds.retrieve(refund.id).status == "succeeded"

    def test_a_refund_that_fails_later_gives_the_money_to_the_shop_again(self, api: stripe.StripeClient) -> None:
        intent = captured(api, "pm_card_refundFail")
        refund = refunded(api, intent, 700)
        assert refund.status == "succeeded"
        assert api.v1.refunds.retrieve(refund.id).status == "failed"
        assert api.v1.charges.retrieve(str(intent.latest_charge)).amount_refunded == 0

    def test_a_disputed_charge_is_not_refunded(self, api: stripe.StripeClient) -> None:
        with pytest.raises(stripe.InvalidRequestError) as refused:
            refunded(api, captured(api, "pm_card_createDispute"), 100)
        assert refused.value.code == "charge_disputed"


class TestTheBank:
    def test_the_buyer_is_sent_to_the_bank_and_back(self, api: stripe.StripeClient) -> None:
        intent = held(api, "pm_card_threeDSecure2Required")
        assert intent.status == "requires_action"
        assert intent.next_action and intent.next_action.redirect_to_url
        page = str(intent.next_action.redirect_to_url.url)
        with urllib.request.urlopen(page) as answer:
            assert "20.00 USD" in answer.read().decode()
        back = at_the_bank(page, "complete")
        assert back.startswith("https://shop.example/back?a=b&payment_intent=" + intent.id)
        assert back.endswith("redirect_status=succeeded")
        assert api.v1.payment_intents.retrieve(intent.id).status == "requires_capture"

    def test_who_fails_at_the_bank_pays_nothing(self, api: stripe.StripeClient, double: StripeDouble) -> None:
        intent = held(api, "pm_card_authenticationRequired")
        assert intent.next_action and intent.next_action.redirect_to_url
        assert "redirect_status=failed" in at_the_bank(str(intent.next_action.redirect_to_url.url), "fail")
        now = api.v1.payment_intents.retrieve(intent.id)
        assert now.status == "requires_payment_method"
        assert now.last_payment_error and now.last_payment_error.code == "payment_intent_authentication_failure"
        assert control(double, "charges") == []

    def test_a_decision_stands(self, api: stripe.StripeClient) -> None:
        intent = held(api, "pm_card_authenticationRequired")
        assert intent.next_action and intent.next_action.redirect_to_url
        page = str(intent.next_action.redirect_to_url.url)
        at_the_bank(page, "complete")
        assert "redirect_status=succeeded" in at_the_bank(page, "fail")

    def test_a_card_can_pass_the_bank_and_still_be_declined(self, api: stripe.StripeClient) -> None:
        intent = held(api, "pm_card_authenticationRequiredChargeDeclinedInsufficientFunds")
        assert intent.next_action and intent.next_action.redirect_to_url
        assert "redirect_status=failed" in at_the_bank(str(intent.next_action.redirect_to_url.url), "complete")
        problem = api.v1.payment_intents.retrieve(intent.id).last_payment_error
        assert problem and problem.decline_code == "insufficient_funds"


class TestWebhooks:
    def test_events_are_signed_so_that_stripes_own_check_holds(self, api: stripe.StripeClient) -> None:
        with Receiver() as shop:
            secret = endpoint(api, shop.url, ["payment_intent.amount_capturable_updated"])
            intent = held(api)
            [(body, headers)] = shop.wait_for(1)
        event = api.construct_event(body, headers["stripe-signature"], secret)
        assert (event.type, event.data.object.id) == ("payment_intent.amount_capturable_updated", intent.id)
        with pytest.raises(stripe.SignatureVerificationError):
            api.construct_event(body.replace(b"2000", b"1"), headers["stripe-signature"], secret)
        with pytest.raises(stripe.SignatureVerificationError):
            api.construct_event(body, headers["stripe-signature"], "whsec_other")

    def test_a_delivered_order_tells_its_whole_story(self, api: stripe.StripeClient, double: StripeDouble) -> None:
        with Receiver() as shop:
            endpoint(api, shop.url)
            refunded(api, captured(api), 500)
            assert control(double, "idle")["idle"]
            told = {body["type"] for body in shop.bodies}
        assert told == {
            "payment_intent.created",
            "charge.succeeded",
            "payment_intent.amount_capturable_updated",
            "charge.captured",
            "payment_intent.succeeded",
            "refund.created",
            "charge.refunded",
        }

    def test_a_dispute_is_told(self, api: stripe.StripeClient) -> None:
        with Receiver() as shop:
            endpoint(api, shop.url, ["charge.dispute.created"])
            intent = captured(api, "pm_card_createDispute")
            shop.wait_for(1)
            assert shop.bodies[0]["data"]["object"]["payment_intent"] == intent.id

    def test_a_receiver_that_is_down_is_tried_again(self, api: stripe.StripeClient) -> None:
        with Receiver(refuse=1) as shop:
            endpoint(api, shop.url, ["payment_intent.canceled"])
            api.v1.payment_intents.cancel(created(api).id)
            assert len(shop.wait_for(1)) == 1

    def test_held_events_come_backwards_and_twice_where_a_test_wants_it(
        self, api: stripe.StripeClient, double: StripeDouble
    ) -> None:
        with Receiver() as shop:
            endpoint(api, shop.url, ["payment_intent.amount_capturable_updated", "payment_intent.succeeded"])
            control(double, "webhooks/hold", {})
            captured(api)
            control(double, "webhooks/release", {"order": "reversed", "copies": 2})
            told = [body["type"].removeprefix("payment_intent.") for body in shop.bodies]
        assert told == ["succeeded", "succeeded", "amount_capturable_updated", "amount_capturable_updated"]

    def test_an_event_can_be_sent_again(self, api: stripe.StripeClient, double: StripeDouble) -> None:
        with Receiver() as shop:
            endpoint(api, shop.url, ["payment_intent.succeeded"])
            captured(api)
            shop.wait_for(1)
            assert control(double, "webhooks/replay", {"type": "payment_intent.succeeded"}) == {"sent": 1}
            first, second = shop.wait_for(2)
        assert first[0] == second[0]

    def test_an_endpoint_is_listed_without_its_secret_and_can_be_removed(self, api: stripe.StripeClient) -> None:
        endpoint(api, "http://127.0.0.1:9/hook")
        [listed] = api.v1.webhook_endpoints.list().data
        assert not hasattr(listed, "secret")
        api.v1.webhook_endpoints.delete(listed.id)
        assert api.v1.webhook_endpoints.list().data == []

    def test_events_can_be_read_later(self, api: stripe.StripeClient) -> None:
        captured(api)
        [event] = api.v1.events.list({"type": "charge.captured"}).data
        assert api.v1.events.retrieve(event.id).data.object.object == "charge"


class TestFaults:
    def test_an_answer_that_got_lost_is_given_to_the_retry(self, double: StripeDouble) -> None:
        api = client(double, retries=2)
        control(double, "faults", {"operation": "payment_intents.confirm", "fault": "drop_after"})
        assert held(api).status == "requires_capture"
        assert len(control(double, "charges")) == 1

    def test_an_error_after_the_charge_is_what_the_key_remembers(
        self, api: stripe.StripeClient, double: StripeDouble
    ) -> None:
        intent = created(api)
        control(double, "faults", {"operation": "payment_intents.confirm", "fault": "error_after"})
        for _ in range(2):
            with pytest.raises(stripe.APIError):
                api.v1.payment_intents.confirm(
                    intent.id, {"payment_method": "pm_card_visa"}, {"idempotency_key": "one"}
                )
        assert api.v1.payment_intents.retrieve(intent.id).status == "requires_capture"

    @pytest.mark.parametrize(
        ("fault", "error"),
        [
            ("error_before", stripe.APIError),
            ("drop_before", stripe.APIConnectionError),
            ("rate_limit", stripe.RateLimitError),
        ],
    )
    def test_nothing_was_done_before(
        self, api: stripe.StripeClient, double: StripeDouble, fault: str, error: type[Exception]
    ) -> None:
        control(double, "faults", {"operation": "payment_intents.create", "fault": fault})
        with pytest.raises(error):
            created(api)
        assert control(double, "summary")["intents"] == 0
        assert created(api).id

    def test_nonsense_is_refused(self, double: StripeDouble) -> None:
        assert refusal(double, "faults", {"operation": "payment_intents.confirm", "fault": "gremlins"}) == 400
        assert refusal(double, "hold", {"operation": "nothing"}) == 400
        assert refusal(double, "no/such/control", {}) == 404

    def test_everyone_can_be_held_just_before_payment(self, api: stripe.StripeClient, double: StripeDouble) -> None:
        control(double, "hold", {"operation": "payment_intents.confirm"})
        crowd = [threading.Thread(target=held, args=(api,), kwargs={"order_id": f"order_{n}"}) for n in range(40)]
        for buyer in crowd:
            buyer.start()
        assert control(double, "held?at_least=40")["held"] == 40
        assert control(double, "summary")["authorized"] == 0
        control(double, "release", {})
        for buyer in crowd:
            buyer.join()
        assert control(double, "summary")["authorized"] == 40

    def test_requests_are_counted_with_their_order(self, api: stripe.StripeClient, double: StripeDouble) -> None:
        captured(api, order_id="order_9")
        counted = [(one["operation"], one["order_id"]) for one in control(double, "requests")]
        operations = ["payment_intents.create", "payment_intents.confirm", "payment_intents.capture"]
        assert counted == [(operation, "order_9") for operation in operations]


def test_everything_outlives_a_restart(tmp_path: Path) -> None:
    state = tmp_path / "stripe.sqlite"
    options: Any = {"idempotency_key": "one"}
    with stripe_double(state) as double:
        api = client(double)
        endpoint(api, "http://127.0.0.1:9/nobody", ["payment_intent.amount_capturable_updated"])
        intent = created(api)
        api.v1.payment_intents.confirm(intent.id, {"payment_method": "pm_card_visa"}, options)
    with stripe_double(state) as double:
        api = client(double)
        again = api.v1.payment_intents.confirm(intent.id, {"payment_method": "pm_card_visa"}, options)
        assert again.last_response.headers["Idempotent-Replayed"] == "true"  # type: ignore[union-attr]
        assert api.v1.payment_intents.capture(intent.id).amount_received == 2000
        assert control(double, "summary")["webhooks_on_their_way"] == 1
