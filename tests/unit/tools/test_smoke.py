"""After a deployment the shop is asked what its first visitors ask."""

import json
from pathlib import Path

import httpx

from tools.smoke import EXPECTED, faults

DOCUMENTED = json.loads((Path(__file__).resolve().parents[3] / "docs" / "openapi.json").read_text("utf-8"))["paths"]


def shop(**different):
    """A shop that answers as it should, but for some paths."""
    right = {(method, path): status for method, path, status, _ in EXPECTED}

    def answer(request):
        path = request.url.path
        status = different.get(path.rpartition("/")[2], right[request.method, path])
        if status is None:
            raise httpx.ConnectError("")
        return httpx.Response(status)

    return httpx.Client(base_url="https://shop.test", transport=httpx.MockTransport(answer))


def test_a_sound_shop_has_no_faults():
    assert list(faults(shop())) == []


def test_a_wrong_answer_is_told_with_what_it_means():
    [fault] = faults(shop(stripe=200))
    assert fault == (
        "POST /webhooks/stripe: 200 instead of 400, so it is not true that news that Stripe did not sign are refused"
    )


def test_a_shop_that_does_not_answer_has_only_faults_for_what_was_asked():
    assert ["no answer" in fault for fault in faults(shop(products=None))] == [True]


def test_everything_that_is_asked_stands_in_the_apis_description():
    for method, path, status, _ in EXPECTED:
        documented = DOCUMENTED[path.replace("cart_of_nobody", "{id}")][method.lower()]
        assert str(status) in documented["responses"] or status == 401, path
