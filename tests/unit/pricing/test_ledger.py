"""The totals ledger: whatever is bought, it adds up."""

import math
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from builders.checkout import NOW
from builders.pricing import offer, settings, shipping_rate, wanted
from commerce.money import MAX_AMOUNT
from commerce.pricing.model import Total, WantedLine, amount_of
from commerce.pricing.service import (
    currency_for,
    goods_amount,
    ledger,
    price_changes,
    price_lines,
    shipping_options,
    shipping_total,
    tax_total,
)
from commerce.settings import TaxRate

amounts = st.integers(min_value=0, max_value=MAX_AMOUNT)
lines = st.lists(
    st.builds(
        WantedLine,
        id=st.text(min_size=1, max_size=4),
        sku=st.sampled_from(["A", "B", "C", "GONE"]),
        quantity=st.integers(min_value=1, max_value=999),
    ),
    max_size=30,
)
offers = st.fixed_dictionaries(
    {sku: amounts.map(lambda price, sku=sku: offer(sku, prices={"USD": price})) for sku in ("A", "B", "C")}
)
shippings = st.none() | amounts.map(lambda amount: Total(type="fulfillment", amount=amount, display_text="Standard"))
taxes = st.none() | amounts.map(lambda amount: Total(type="tax", amount=amount, display_text="VAT"))


@given(lines, offers, shippings, taxes)
def test_the_entries_of_every_ledger_sum_to_its_one_total(wants, offered, shipping, tax) -> None:
    priced = price_lines(wants, offered, "USD")
    for totals in (ledger(priced, shipping, tax), *(line.totals for line in priced)):
        kinds = [entry.type for entry in totals]
        assert kinds.count("subtotal") == kinds.count("total") == 1
        assert kinds[-1] == "total"
        assert sum(entry.amount for entry in totals[:-1]) == totals[-1].amount


@given(lines, offers, shippings, taxes, st.randoms())
def test_the_order_of_the_lines_changes_no_amount(wants, offered, shipping, tax, random) -> None:
    shuffled = random.sample(wants, len(wants))

    assert ledger(price_lines(shuffled, offered, "USD"), shipping, tax) == ledger(
        price_lines(wants, offered, "USD"), shipping, tax
    )


@given(lines, offers, shippings, taxes)
def test_nothing_is_ever_negative_and_the_same_question_has_the_same_answer(wants, offered, shipping, tax) -> None:
    totals = ledger(price_lines(wants, offered, "USD"), shipping, tax)

    assert all(entry.amount >= 0 for entry in totals)
    assert totals == ledger(price_lines(wants, offered, "USD"), shipping, tax)


@given(lines, offers)
def test_a_larger_quantity_never_costs_less(wants, offered) -> None:
    more = [line.model_copy(update={"quantity": line.quantity + 1}) for line in wants]

    assert goods_amount(price_lines(more, offered, "USD")) >= goods_amount(price_lines(wants, offered, "USD"))


@given(st.integers(min_value=0, max_value=10**15), st.integers(min_value=0, max_value=5_000))
def test_tax_is_the_exact_share_rounded_half_up(taxable, basis_points) -> None:
    rates = settings(tax_rates=(TaxRate(country="DE", basis_points=basis_points, title="VAT"),))

    tax = tax_total(rates, country="DE", region=None, taxable=taxable)

    assert tax is not None
    assert tax.amount == math.floor(Fraction(taxable * basis_points, 10_000) + Fraction(1, 2))


def test_an_item_that_is_not_sold_keeps_its_line_costs_nothing_and_tells_nothing() -> None:
    secret = offer("SECRET", published=False, title="Next year's shirt")
    yen_only = offer("YEN", prices={"JPY": 900})

    priced = price_lines(
        [wanted("SECRET"), wanted("YEN"), wanted("NOWHERE")], {"SECRET": secret, "YEN": yen_only}, "USD"
    )

    assert [(line.title, line.unit_price, amount_of(line.totals, "total")) for line in priced] == [
        ("SECRET", 0, 0),
        ("YEN", 0, 0),
        ("NOWHERE", 0, 0),
    ]


@pytest.mark.parametrize(("goods", "amount"), [(9_999, 500), (10_000, 0), (10_001, 0)])
def test_shipping_is_free_from_the_threshold_on(goods: int, amount: int) -> None:
    options = shipping_options(settings(), country="DE", currency="EUR", goods=goods, since=NOW)

    assert [(option.id, option.amount) for option in options] == [("standard", amount)]


def test_only_rates_for_the_country_and_with_a_price_in_the_currency_are_offered() -> None:
    shop = settings()

    def ids(country: str | None, currency: str) -> list[str]:
        found = shipping_options(shop, country=country, currency=currency, goods=1, since=NOW)
        return [option.id for option in found]

    assert ids("US", "USD") == ["standard", "express"]
    assert ids("US", "EUR") == ["standard"]
    assert ids("DE", "USD") == ["standard"]
    assert ids("FR", "EUR") == []
    assert ids(None, "EUR") == []


def test_an_option_says_when_the_parcel_comes_and_becomes_one_entry_of_the_ledger() -> None:
    shop = settings(shipping_rates=(shipping_rate(earliest_days=1, latest_days=2),))

    [option] = shipping_options(shop, country="US", currency="USD", goods=1, since=NOW)

    assert (option.earliest, option.latest) == ("2026-11-23T08:15:30.000Z", "2026-11-24T08:15:30.000Z")
    assert shipping_total(option) == Total(type="fulfillment", amount=500, display_text="Standard shipping")


def test_a_region_is_taxed_by_its_own_rate_and_a_country_without_one_not_at_all() -> None:
    both = (
        TaxRate(country="US", basis_points=100, title="Federal"),
        TaxRate(country="US", region="CA", basis_points=825, title="Sales tax"),
    )
    shop = settings(tax_rates=both)

    def tax(country: str | None, region: str | None) -> int | None:
        found = tax_total(shop, country=country, region=region, taxable=1999)
        return found and found.amount

    assert tax("US", "CA") == 165
    assert tax("US", "OR") == tax("US", None) == 20
    assert tax("DE", "CA") is None
    assert tax(None, None) is None


def test_a_cart_is_priced_in_the_wanted_currency_else_the_countrys_else_the_shops() -> None:
    shop = settings()

    assert currency_for("EUR", "US", shop) == "EUR"
    assert currency_for("GBP", "DE", shop) == "EUR"
    assert currency_for(None, "DE", shop) == "EUR"
    assert currency_for(None, "GB", shop) == "USD"
    assert currency_for(None, None, shop) == "USD"


def test_a_changed_price_is_told_only_for_what_was_shown_and_is_still_sold() -> None:
    before = price_lines([wanted("A"), wanted("B"), wanted("C")], {s: offer(s) for s in "ABC"}, "USD")
    now = {"A": offer("A"), "B": offer("B", prices={"USD": 2600}), "D": offer("D", prices={"USD": 1})}

    after = price_lines([wanted("A"), wanted("B"), wanted("C"), wanted("D")], now, "USD")
    [change] = price_changes(before, after, "USD")

    assert (change.type, change.code, change.path) == ("warning", "price_changed", "$.line_items[1].item.price")
    assert "26.00 USD" in change.content
    assert "25.00 USD" in change.content
