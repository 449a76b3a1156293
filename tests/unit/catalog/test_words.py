"""How texts become handles and the words that lead to products."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from commerce.catalog.words import MAX_WORD, fold, handle_from, plain_text, words


@pytest.mark.parametrize(
    ("title", "handle"),
    [
        ("Linen Shirt", "linen-shirt"),
        ("Crème Brûlée Torch (2 l)", "creme-brulee-torch-2-l"),
        ("  Straße & Co. ", "strasse-co"),
        ("日本", ""),
    ],
)
def test_a_handle_is_what_a_title_looks_like_in_an_address(title: str, handle: str) -> None:
    assert handle_from(title) == handle


@pytest.mark.parametrize(
    ("asked", "stored"),
    [
        ("mugs", "Stoneware Mug"),
        ("DRESSES", "A summer dress"),
        ("cafe", "Café Crème"),
        ("women\u2019s", "Women's shirt"),
        ("berries", "Berry bowl"),
        ("shoes", "Running shoe"),
        ("t-shirts", "T-Shirt"),
    ],
)
def test_a_query_finds_what_is_written_a_little_differently(asked: str, stored: str) -> None:
    assert set(words([asked])) <= set(words([stored]))


def test_the_commonest_words_lead_nowhere() -> None:
    assert words(["The best of the rest", "for the home"]) == ("best", "rest", "home")


def test_words_ending_in_s_that_are_no_plurals_stay() -> None:
    assert words(["glass", "cactus", "basis", "gas"]) == ("glass", "cactus", "basis", "gas")


@given(st.text(max_size=200))
def test_any_text_has_clean_distinct_words(text: str) -> None:
    found = words([text])
    assert len(set(found)) == len(found)
    assert all(word and len(word) <= MAX_WORD and fold(word) == fold(fold(word)) for word in found)


@given(st.text(max_size=200))
def test_any_title_gives_a_valid_handle_or_none(title: str) -> None:
    handle = handle_from(title)
    assert handle == "" or all(part.isascii() and part.isalnum() and part == part.lower() for part in handle.split("-"))


@given(st.text(max_size=100))
def test_case_and_accents_do_not_count(text: str) -> None:
    assert fold(fold(text)) == fold(text)


def test_markup_becomes_lines_of_plain_text_without_scripts() -> None:
    markup = "<style>p{}</style><p>Soft &amp; <b>warm</b></p><ul><li>one</li><li>two</li></ul><script>alert(1)"
    assert plain_text(markup) == "Soft & warm\none\ntwo"


@given(st.text(max_size=300))
def test_plain_text_of_anything_holds_no_blank_lines(markup: str) -> None:
    assert all(line.strip() for line in plain_text(markup).splitlines())
