"""The search for what should not be there finds it, and does not cry wolf."""

import pytest

from tools.privacy.signs import Sign, hidden, luhn, signs


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ('{"number": "4242 4242 4242 4242"}', "a card number"),
        ("paid with 4242424242424242", "a card number"),
        ("3782-822463-10005", "a card number"),
        ("sk_test_abc123", "a secret"),
        ("whsec_abc", "a secret"),
        ("pm_card_visa", "a secret"),
        ("/orders/order_1?access_token=abc", "a secret"),
        ("Authorization: Bearer abc", "a secret"),
        ("eyJhbGciOi.eyJzdWIi", "a secret"),
        ("AKIA" + "IOSFODNN7EXAMPLE", "a secret"),
        ("to ada@example.com.", "an e-mail address"),
        ('"+15005550101"', "a phone number"),
    ],
)
def test_it_finds(text: str, kind: str) -> None:
    assert [sign.kind for sign in signs(text)] == [kind]


@pytest.mark.parametrize(
    "text",
    [
        "2026-11-26T21:45:02.123+00:00",
        "4242424242424241",
        "1795652419000",
        "order_zbrprpnx97bkn2dg6znmehjrhv",
        "EZ1000000001",
        "pi_3000000000000000000001007",
        "arn:aws:states:us-east-1:000000000000:execution",
        "AAAA+15005550101BBBB",
    ],
)
def test_it_leaves_alone(text: str) -> None:
    assert list(signs(text)) == []


def test_what_is_nobodys_may_be_there() -> None:
    assert list(signs("from shop@tradepost.example", own=["shop@tradepost.example"])) == []


def test_words_are_found_however_they_are_written() -> None:
    [found] = signs("AUGUSTA, byronic", words=["Augusta", "Byron"])

    assert found == Sign("a word that was searched for", "Augusta")


def test_a_finding_does_not_leak_it_once_more() -> None:
    assert "4242" not in hidden(Sign("a card number", "4242424242424242"))


def test_the_luhn_check_is_the_standards() -> None:
    assert luhn("79927398713")
    assert not luhn("79927398710")
