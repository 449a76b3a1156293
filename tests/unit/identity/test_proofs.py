"""The link to an order and the place in a list: whoever changes one letter is turned away."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from commerce.errors import Invalid
from commerce.identity.model import KEYS_KEPT, KeyRing
from commerce.identity.service import access_token, read_cursor, sign_cursor, verify_access_token

KEY = KeyRing(key="a signing key")
ANOTHER = KeyRing(key="another key")


def test_an_access_token_opens_its_own_order_and_no_other():
    token = access_token(KEY, "order_1")

    assert verify_access_token(KEY, "order_1", token)
    assert not verify_access_token(KEY, "order_2", token)
    assert not verify_access_token(ANOTHER, "order_1", token)


@pytest.mark.parametrize("token", ["", "x", "é" * 43, "\ud800"])
def test_what_is_no_token_opens_nothing(token):
    assert not verify_access_token(KEY, "order_1", token)


def test_an_access_token_fits_into_a_url_as_it_is():
    assert access_token(KEY, "order_1").replace("-", "").replace("_", "").isalnum()


@given(st.text(), st.text())
def test_a_cursor_leads_back_to_its_place_in_its_list(position, of):
    assert read_cursor(KEY, sign_cursor(KEY, position, of=of), of=of) == position


def test_a_cursor_of_another_list_is_refused():
    with pytest.raises(Invalid, match="another list"):
        read_cursor(KEY, sign_cursor(KEY, "prod_1", of="mugs"), of="bowls")


def test_a_cursor_signed_with_another_key_is_refused():
    with pytest.raises(Invalid):
        read_cursor(KEY, sign_cursor(ANOTHER, "prod_1", of="mugs"), of="mugs")


@given(st.text(max_size=80))
def test_what_the_shop_did_not_sign_is_refused_and_its_field_named(text):
    with pytest.raises(Invalid) as refused:
        read_cursor(KEY, text, of="mugs", path="$.pagination.cursor")

    assert refused.value.path == "$.pagination.cursor"


@given(st.data())
def test_a_cursor_with_another_letter_is_refused_and_named(data):
    cursor = sign_cursor(KEY, "1999#prod_1", of="mugs")
    at = data.draw(st.integers(0, len(cursor) - 1))
    letter = data.draw(st.characters(codec="utf-8").filter(lambda other: other != cursor[at]))

    with pytest.raises(Invalid) as refused:
        read_cursor(KEY, cursor[:at] + letter + cursor[at + 1 :], of="mugs")

    assert refused.value.path == "$.cursor"


@pytest.mark.parametrize("cursor", ["", ".", "x.y", "e30", "e30.", "\ud800.x"])
def test_what_is_no_cursor_is_refused(cursor):
    with pytest.raises(Invalid, match="cursor"):
        read_cursor(KEY, cursor, of="mugs")


def test_a_token_for_an_order_is_no_signature_of_a_cursor():
    with pytest.raises(Invalid):
        read_cursor(KEY, f"e30.{access_token(KEY, 'e30')}", of="mugs")


# rotation


def after(rotations, ring=KEY):
    """The ring after so many rotations."""
    for number in range(rotations):
        ring = ring.rotated(f"key {number}")
    return ring


def test_the_first_rotation_only_prepares_the_next_key():
    assert after(1) == KeyRing(key="a signing key", next="key 0")
    assert after(2) == KeyRing(key="key 0", next="key 1", previous=("a signing key",))


def test_what_was_signed_before_a_rotation_holds_for_its_lifetime_and_then_no_longer():
    token, cursor = access_token(KEY, "order_1"), sign_cursor(KEY, "prod_1", of="mugs")

    for rotations in range(KEYS_KEPT + 2):
        assert verify_access_token(after(rotations), "order_1", token)
        assert read_cursor(after(rotations), cursor, of="mugs") == "prod_1"

    assert not verify_access_token(after(KEYS_KEPT + 2), "order_1", token)
    with pytest.raises(Invalid):
        read_cursor(after(KEYS_KEPT + 2), cursor, of="mugs")


@given(st.integers(1, 12))
def test_whoever_has_not_heard_of_a_rotation_yet_believes_what_is_signed_after_it(rotations):
    before, now = after(rotations), after(rotations + 1)

    assert verify_access_token(before, "order_1", access_token(now, "order_1"))


@given(st.integers(0, 12))
def test_a_ring_does_not_grow(rotations):
    assert len(set(after(rotations).believed)) == len(after(rotations).believed) <= KEYS_KEPT + 2
