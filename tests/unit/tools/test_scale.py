"""Which quota ends the shop's growth first, and that the page says what the table says."""

import json
from itertools import pairwise
from pathlib import Path

import pytest

from stacks.config import load
from tools import scale
from tools.scale import PAGE, QUOTAS, Quota, binding, first, written

ROOT = Path(__file__).resolve().parents[3]


def quota(name):
    return next(one for one in QUOTAS if one.name.startswith(name))


def test_a_quota_holds_as_many_orders_as_what_one_takes_goes_into_it():
    assert Quota("signals", 500, 3, "", "").orders == pytest.approx(166.7, abs=0.1)
    assert Quota("signals", 500, 5, "", "").times(1_000) == 10


def test_at_one_order_a_second_nobody_is_refused():
    assert first(1) is None
    assert [one.name for one in binding(1)] == ["SES, in its sandbox"]


def test_the_payment_provider_is_the_first_wall():
    assert first(24.9) is None
    assert first(26).name == "Stripe, one endpoint, live"


def test_more_orders_never_bind_less():
    found = [{one.name for one in binding(rate)} for rate in scale.STEPS]
    assert all(before <= after for before, after in pairwise(found))


def test_what_binds_is_told_in_the_order_in_which_it_breaks():
    held = [one.orders for one in binding(10_000)]
    assert held == sorted(held)


def test_what_only_delays_and_what_concerns_one_sku_refuses_no_buyer_of_another():
    assert all(one.scope == "shop" for one in [first(rate) for rate in (26, 100, 1_000, 10_000)])
    assert not {one.scope for one in binding(10_000)} & {"sku"}


def test_the_rate_of_the_config_is_one_of_the_walls():
    assert quota("the API's own throttle").default == load("prod").api_rate


def test_every_quota_names_its_source():
    for one in QUOTAS:
        assert (
            one.source.startswith(("https://docs.aws.amazon.com/", "https://docs.stripe.com/", "make "))
            or (ROOT / one.source.partition(",")[0]).is_file()
        ), one


def test_what_an_order_takes_is_what_the_cost_page_counts():
    page = (ROOT / "docs" / "cost.md").read_text("utf-8")
    for row in (
        f"| Lambda invocations | 27 | {scale.INVOCATIONS} |",
        f"| state transitions | 6 | {scale.TRANSITIONS} |",
        f"{scale.WRITE_UNITS_OF_ORDERS} units to the table of orders",
        f"| calls to Stripe | 6 | {scale.STRIPE_CALLS} |",
    ):
        assert row in page, row


def test_the_page_says_what_the_table_says():
    text = PAGE.read_text("utf-8")
    assert text == written(text), "run: make docs"


def test_the_page_says_for_how_long_an_order_keeps_instances():
    assert f"keep instances for {scale.INSTANCE_SECONDS:.1f} seconds" in PAGE.read_text("utf-8")


def test_a_page_without_its_marks_is_refused():
    with pytest.raises(ValueError, match="marks"):
        written("# Scale\n")


def test_the_command_tells_people_and_programs(capsys):
    assert scale.main(["100"]) == 0
    assert "Stripe, one endpoint, live refuses buyers first" in capsys.readouterr().out

    assert scale.main(["100", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)[0] == {"quota": "SES, in its sandbox", "orders": 1 / 3, "times": 300.0}


def test_no_orders_at_all_is_no_question():
    with pytest.raises(SystemExit):
        scale.main(["0"])
