"""Cursors: signed places, good for one list only."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from commerce.catalog.service import Cursors
from commerce.errors import Invalid

cursors = Cursors("a key")


@given(st.text(min_size=1), st.text())
def test_a_cursor_leads_back_to_its_place(position: str, of: str) -> None:
    assert cursors.read(cursors.sign(position, of=of), of=of, path="$.cursor") == position


def test_a_list_that_has_ended_has_no_cursor() -> None:
    assert cursors.sign(None, of="mugs") is None
    assert cursors.read(None, of="mugs", path="$.cursor") is None


@given(st.text(max_size=80))
def test_what_the_shop_did_not_sign_is_refused_and_the_field_named(text: str) -> None:
    with pytest.raises(Invalid) as refused:
        cursors.read(text, of="mugs", path="$.pagination.cursor")
    assert refused.value.path == "$.pagination.cursor"


def test_a_cursor_of_another_list_is_refused() -> None:
    with pytest.raises(Invalid):
        cursors.read(cursors.sign("place", of="mugs"), of="bowls", path="$.cursor")


def test_a_cursor_signed_with_another_key_is_refused() -> None:
    with pytest.raises(Invalid):
        cursors.read(Cursors("another").sign("place", of="mugs"), of="mugs", path="$.cursor")
