"""What a campaign keeps of itself, so that one that was stopped goes on."""

import json
from collections import Counter

from tools.wire.campaign import Tally, Violation, report, reported

TOLD = Tally(
    seed=17,
    rounds=2,
    stories=Counter(bought=30, lost=20),
    without_order=Counter(bought=1),
    injected=Counter({"carts dynamodb.GetItem slow": 2}),
    fired=Counter({"carts dynamodb.GetItem slow": 3}),
    calls=500,
    retries=Counter({"carts dynamodb.GetItem": 1}),
    sent_again=1,
    seconds=61.5,
    violations=[Violation(18, 25, "lost", "nothing goes wrong", ("I1 SKU: gone",), ("0.0 s  bought",))],
)


def test_a_campaign_is_what_its_report_says() -> None:
    kept = json.loads(json.dumps(report(TOLD)))

    assert (kept["told"], kept["fired_in_all"], kept["retries_in_all"]) == (50, 3, 1)
    assert report(reported(kept)) == report(TOLD)
    assert reported(kept).violations[0].seed == 18


def test_a_campaign_that_goes_on_counts_on() -> None:
    going_on = reported(json.loads(json.dumps(report(TOLD))))

    going_on.stories["bought"] += 1
    going_on.fired["orders dynamodb.GetItem slow"] += 1

    assert (going_on.told, going_on.fired.total()) == (51, 4)
