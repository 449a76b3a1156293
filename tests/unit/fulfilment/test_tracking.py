"""The carrier's news: late, repeated, out of order, and still one story."""

from datetime import timedelta
from itertools import permutations

import pytest

from builders.fulfilment import NOW, Shop, from_two_places, label, line, news, order, parcels, shipped_order
from commerce.errors import Conflict, Invalid, StaleVersion, Unavailable
from commerce.fulfilment.model import EVENT_TYPES, Ending, TrackingEvent, TrackingStatus, fulfilment_event, with_event
from commerce.fulfilment.tracking import end_journey, knows, track
from commerce.orders.model import Order, Status


def tell(shop: Shop, event: TrackingEvent) -> Order | None:
    return track(shop.memory, shop.signals, event, now=NOW)


def hours(count: int, status: TrackingStatus) -> TrackingEvent:
    return news(status, at=NOW + timedelta(hours=count))


def labelled(**changes: str) -> Order:
    """An order whose label was bought, and that is not marked shipped yet."""
    return order("ready_to_ship", shipments=parcels("ready_to_ship", line(), label=label(**changes)))


JOURNEY = (hours(1, "in_transit"), hours(2, "out_for_delivery"), hours(3, "delivered"))


def test_a_delivery_closes_the_journey_and_wakes_the_workflow() -> None:
    shop = Shop(shipped_order())

    tell(shop, news("delivered"))

    assert shop.order.status == "delivered"
    assert shop.published == ["order.delivered"]
    assert shop.signals.told == [("token-1", "go on")]


def test_an_order_knows_what_it_was_told_and_has_nothing_to_learn_of_a_label_or_a_strange_parcel() -> None:
    shop = Shop(shipped_order())
    tell(shop, hours(1, "in_transit"))

    assert knows(shop.order, hours(1, "in_transit"))
    assert not knows(shop.order, hours(2, "in_transit"))
    assert not knows(shop.order, hours(1, "delivered"))
    assert knows(shop.order, hours(0, "pre_transit"))
    assert knows(shop.order, news("delivered", tracking_number="1Z-STRANGE"))


@pytest.mark.parametrize("told", list(permutations(JOURNEY)))
def test_news_in_any_order_and_twice_tell_the_same_story(told: tuple[TrackingEvent, ...]) -> None:
    shop = Shop(shipped_order())

    for event in (*told, *told):
        tell(shop, event)

    assert [event.type for event in shop.order.events] == ["in_transit", "out_for_delivery", "delivered"]
    assert shop.order.status == "delivered"
    assert shop.published == ["order.delivered"]


def test_stages_of_one_second_follow_each_other_as_on_any_journey() -> None:
    """The shop tells milliseconds, the carrier only seconds: a parcel shipped at :30.4 may be delivered at :30."""
    sent = shipped_order()
    handed = fulfilment_event(sent, sent.shipments[0], "shipped", NOW + timedelta(milliseconds=400))
    shop = Shop(shipped_order(events=(handed,)))

    for status in ("delivered", "in_transit", "pre_transit"):
        tell(shop, news(status))

    assert [event.type for event in shop.order.events] == ["processing", "shipped", "in_transit", "delivered"]


def test_a_delivery_told_again_wakes_the_workflow_again_in_case_the_signal_was_lost() -> None:
    shop = Shop(shipped_order(status="delivered"))

    tell(shop, news("delivered"))
    tell(shop, news("delivered"))

    assert shop.signals.told == [("token-1", "go on")] * 2
    assert shop.published == []


@pytest.mark.parametrize("status", ["lost", "return_to_sender"])
def test_a_parcel_that_will_not_arrive_is_lost_and_the_workflow_compensates(status: TrackingStatus) -> None:
    shop = Shop(shipped_order())

    tell(shop, news(status))

    assert shop.order.status == "lost"
    assert shop.published == ["order.lost"]
    assert shop.signals.told == [("token-1", "ParcelLost")]


@pytest.mark.parametrize(("ending", "signal"), [("delivered", "go on"), ("lost", "ParcelLost")])
def test_where_the_carrier_is_silent_staff_say_what_became_of_the_parcel(ending: Ending, signal: str) -> None:
    shop = Shop(shipped_order())

    for _ in range(2):
        end_journey(shop.stores, shop.signals, order_id="order_1", ending=ending, actor="kim", now=NOW)

    assert shop.order.status == ending
    assert [event.type for event in shop.order.events] == [EVENT_TYPES[ending]]
    assert shop.published == [f"order.{ending}"]
    assert shop.signals.told == [("token-1", signal)] * 2
    [entry] = shop.memory.entries
    assert (entry["actor"], entry["action"]) == ("kim", f"parcel.{ending}")


@pytest.mark.parametrize("status", ["ready_to_ship", "canceled", "lost"])
def test_staff_cannot_end_a_journey_that_is_not_under_way(status: Status) -> None:
    shop = Shop(shipped_order(status=status))

    with pytest.raises(Conflict):
        end_journey(shop.stores, shop.signals, order_id="order_1", ending="delivered", actor="kim", now=NOW)

    assert shop.published == []
    assert shop.memory.entries == []


def test_a_failed_attempt_is_not_the_end() -> None:
    shop = Shop(shipped_order())

    tell(shop, news("failure"))

    assert shop.order.status == "shipped"
    assert [event.type for event in shop.order.events] == ["failed_attempt"]


def test_a_parcel_reported_lost_after_its_delivery_stays_delivered() -> None:
    shop = Shop(shipped_order(status="delivered"))

    tell(shop, news("lost"))

    assert shop.order.status == "delivered"
    assert shop.published == []


def test_the_end_of_a_parcel_that_is_not_marked_shipped_yet_is_asked_for_again() -> None:
    shop = Shop(labelled())

    with pytest.raises(Unavailable):
        tell(shop, news("delivered"))
    assert shop.order.status == "ready_to_ship"


def test_a_label_that_was_just_printed_may_be_news_before_the_order_is_marked_shipped() -> None:
    shop = Shop(labelled())

    tell(shop, news("pre_transit"))

    assert [event.type for event in shop.order.events] == ["processing"]


@pytest.mark.parametrize(
    "known",
    [order("ready_to_ship"), shipped_order(id="order_2"), labelled(tracking_number="other")],
)
def test_news_about_no_parcel_of_ours_is_taken_and_forgotten(known: Order) -> None:
    shop = Shop(known)

    assert tell(shop, news("delivered")) is None
    assert shop.signals.told == []


@pytest.mark.parametrize("kind", [*EVENT_TYPES.values(), "shipped"])
def test_every_kind_of_event_has_its_place_in_the_story(kind: str) -> None:
    sent = shipped_order()
    first, second = (
        fulfilment_event(sent, sent.shipments[0], kind, NOW + timedelta(hours=hour)) for hour in (0, 1)
    )

    assert with_event((second,), first) == (first, second)


class TestTwoParcels:
    @pytest.fixture
    def shop(self) -> Shop:
        return Shop(shipped_order(lines=from_two_places(fulfilled=1)))

    def hears(self, shop: Shop, number: int, status: TrackingStatus, hour: int = 1) -> Order | None:
        event = news(status, at=NOW + timedelta(hours=hour), tracking_number=f"1Z-TEST-{number}")
        return tell(shop, event)

    def test_the_first_to_arrive_does_not_end_the_order_and_the_last_does(self, shop: Shop) -> None:
        self.hears(shop, 2, "delivered")

        assert shop.order.status == "shipped"
        assert [one.status for one in shop.order.shipments] == ["shipped", "delivered"]
        assert shop.order.shipments[1].ended_at == "2026-11-22T09:15:30.000Z"
        assert (shop.published, shop.signals.told) == ([], [])

        self.hears(shop, 1, "delivered")

        assert shop.order.status == "delivered"
        assert shop.published == ["order.delivered"]
        assert shop.signals.told == [("token-1", "go on")]

    @pytest.mark.parametrize(
        "told", list(permutations([(1, "in_transit", 1), (1, "delivered", 3), (2, "delivered", 2)]))
    )
    def test_news_in_any_order_and_twice_tell_the_same_story_of_each(
        self, shop: Shop, told: tuple[tuple[int, TrackingStatus, int], ...]
    ) -> None:
        for one in (*told, *told):
            self.hears(shop, *one)

        assert [(event.type, event.tracking_number, event.line_items) for event in shop.order.events] == [
            ("in_transit", "1Z-TEST-1", (("line_1", 2),)),
            ("delivered", "1Z-TEST-2", (("line_2", 1),)),
            ("delivered", "1Z-TEST-1", (("line_1", 2),)),
        ]
        assert shop.published == ["order.delivered"]

    def test_two_that_arrive_in_the_same_second_are_two_events(self, shop: Shop) -> None:
        self.hears(shop, 1, "delivered")
        self.hears(shop, 2, "delivered")

        assert len({event.id for event in shop.order.events}) == 2

    @pytest.mark.parametrize(("first", "second"), [("lost", "delivered"), ("delivered", "return_to_sender")])
    def test_an_order_of_which_something_arrived_is_delivered(
        self, shop: Shop, first: TrackingStatus, second: TrackingStatus
    ) -> None:
        self.hears(shop, 1, first)
        assert shop.order.status == "shipped"
        self.hears(shop, 2, second)

        assert shop.order.status == "delivered"
        assert sorted(one.status for one in shop.order.shipments) == ["delivered", "lost"]
        assert shop.published == ["order.delivered"]
        assert shop.signals.told == [("token-1", "go on")]

    def test_an_order_of_which_nothing_arrived_is_lost(self, shop: Shop) -> None:
        self.hears(shop, 1, "lost")
        self.hears(shop, 2, "lost")

        assert shop.order.status == "lost"
        assert shop.published == ["order.lost"]
        assert shop.signals.told == [("token-1", "ParcelLost")]

    def test_staff_name_the_parcel_that_they_know_about(self, shop: Shop) -> None:
        def end(location: str | None, ending: Ending, **options: int) -> Order:
            told = {"order_id": "order_1", "ending": ending, "location": location, "actor": "kim", "now": NOW}
            return end_journey(shop.stores, shop.signals, **told, **options)

        with pytest.raises(Invalid, match="main, annex"):
            end(None, "lost")
        with pytest.raises(StaleVersion):
            end("annex", "lost", expected=7)
        assert end("annex", "lost").status == "shipped"
        with pytest.raises(Conflict, match="its parcel at annex lost"):
            end("annex", "delivered")
        assert end("main", "delivered").status == "delivered"
        assert [(entry["action"], entry["after"]["location"]) for entry in shop.memory.entries] == [
            ("parcel.lost", "annex"),
            ("parcel.delivered", "main"),
        ]
