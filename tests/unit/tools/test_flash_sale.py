"""A flash sale in virtual time, played small: exactly what there is is sold, and nothing is stranded."""

from tools.flash_sale.sale import rush, settle


def test_a_crowd_gets_exactly_the_units_of_a_pool_and_the_books_are_right_afterwards() -> None:
    shop, sale = rush(buyers=120, units=30, shards=4, hold=0.02)

    assert (sale.answers["ordered"], sale.answers["sold_out"], sale.answers["unavailable"]) == (30, 90, 0)
    assert settle(shop, sale, canceled=10) == {
        "sold": 30,
        "left": 0,
        "free_after_cancellations": 10,
        "promised_after_cancellations": 20,
        "rows_at_the_end": 1,
        "on_hand_at_the_end": 10,
        "available_at_the_end": 10,
        "ledger_sums": True,
    }


def test_a_pool_sells_faster_than_one_counter() -> None:
    _, counter = rush(buyers=60, units=60, shards=0, hold=0.02, seconds=2, environments=8)
    _, pool = rush(buyers=60, units=60, shards=16, hold=0.02, seconds=2)

    assert len(counter.orders) < len(pool.orders) == 60


def test_a_crowd_beyond_the_pool_waits_in_line_and_is_served_without_an_error() -> None:
    _, sale = rush(buyers=60, units=60, shards=2, hold=0.05)

    assert sale.answers["waiting"] > 0
    assert (sale.answers["ordered"], sale.answers["unavailable"], sale.lost_places) == (60, 0, 0)


def test_a_sale_replays_from_its_seed() -> None:
    first, again = (rush(buyers=40, units=20, shards=3, hold=0.02, seed=7)[1] for _ in range(2))

    assert first.orders == again.orders
