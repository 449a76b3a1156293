"""The definition of `erase_person`, read as data: it names nobody, ends, and is safe to run again."""

import json
from pathlib import Path

DEFINITION = json.loads(
    (Path(__file__).parents[3] / "statemachines" / "erase_person.asl.json").read_text(encoding="utf-8")
)
STATES = DEFINITION["States"]


def test_the_task_is_told_a_request_and_no_name() -> None:
    assert STATES["ErasePerson"]["Arguments"]["Payload"] == {
        "request_id": "{% $states.context.Execution.Input.request_id %}"
    }


def test_whatever_goes_wrong_is_tried_again_and_then_fails_loudly() -> None:
    [retry] = STATES["ErasePerson"]["Retry"]
    assert retry["ErrorEquals"] == ["States.ALL"]
    assert "Catch" not in STATES["ErasePerson"]


def test_it_goes_round_until_the_person_is_erased() -> None:
    [done] = STATES["Erased"]["Choices"]
    assert (done["Condition"], done["Next"]) == ("{% $states.input.state = 'done' %}", "Done")
    assert STATES[STATES["Erased"]["Default"]]["Next"] == "ErasePerson"
    assert DEFINITION["TimeoutSeconds"] == "${DeadlineSeconds}"


def test_every_state_says_what_it_is_for() -> None:
    assert [name for name, state in STATES.items() if not state.get("Comment")] == []
