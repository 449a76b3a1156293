"""Queues and the outbox's stream: at least once, in part, and in the end to the dead letters."""

from random import Random
from typing import Any

from tools.simulation.boundary import Boundaries
from tools.simulation.faults import Plan
from tools.simulation.functions import FunctionFailed
from tools.simulation.messaging import Queue, Stream
from tools.simulation.scheduler import Scheduler
from tools.simulation.story import Story


class Function:
    """A consumer that notes what it was given, and fails as it is told."""

    def __init__(self, *, dies: int = 0, refuses: str | None = None) -> None:
        self.batches: list[list[str]] = []
        self.dies, self.refuses = dies, refuses

    def __call__(self, function: str, event: dict[str, Any], *, skew: float = 0.0) -> Any:
        self.batches.append([record["body"] for record in event["Records"]])
        if self.dies:
            self.dies -= 1
            raise FunctionFailed("Lambda.Unknown", "gone")
        failed = [one["messageId"] for one in event["Records"] if one["body"] in (self.refuses, "{")]
        return {"batchItemFailures": [{"itemIdentifier": number} for number in failed]}


def queue(function: Function, planned: dict[int, str] | None = None) -> tuple[Scheduler, Queue]:
    scheduler = Scheduler(Random(1))
    boundaries = Boundaries(scheduler, Plan(planned or {}), Story(scheduler, told=False))
    return scheduler, Queue("emails", "send_email", 180.0, scheduler, boundaries, function)


def test_messages_that_wait_together_are_worked_on_together() -> None:
    function = Function()
    scheduler, emails = queue(function)
    for body in "abc":
        emails.send(body, after=0.1)
    scheduler.run()

    assert function.batches == [["a", "b", "c"]]


def test_a_batch_whose_function_died_comes_again_after_its_visibility() -> None:
    function = Function(dies=1)
    scheduler, emails = queue(function)
    began = scheduler.now
    emails.send("a", after=0.0)
    scheduler.run()

    assert function.batches == [["a"], ["a"]]
    assert scheduler.now - began > 180


def test_what_fails_in_part_comes_again_alone_and_ends_as_a_dead_letter() -> None:
    function = Function(refuses="bad")
    scheduler, emails = queue(function)
    emails.send("good", after=0.0)
    emails.send("bad", after=0.0)
    scheduler.run()

    assert function.batches == [["good", "bad"], *([["bad"]] * 4)]
    assert [message.body for message in emails.dead] == ["bad"]


def test_poison_is_redriven_by_a_person_and_then_works() -> None:
    function = Function()
    scheduler, emails = queue(function, {0: "poison"})
    emails.send("a", after=0.0)
    scheduler.run()
    assert len(emails.dead) == 1

    emails.redrive()
    scheduler.run()

    assert function.batches == [*([["{"]] * 5), ["a"]]
    assert emails.dead == []


RECORDS = [
    {"eventName": kind, "dynamodb": {"SequenceNumber": str(number)}}
    for number, kind in enumerate(("INSERT", "REMOVE", "INSERT", "INSERT"))
]


def shard(planned: dict[int, str]) -> tuple[Scheduler, Boundaries]:
    scheduler = Scheduler(Random(1))
    return scheduler, Boundaries(scheduler, Plan(planned), Story(scheduler, told=False))


def test_a_stream_goes_on_behind_what_was_accepted() -> None:
    scheduler, boundaries = shard({})
    batches: list[list[str]] = []

    def relay(function: str, event: dict[str, Any], *, skew: float = 0.0) -> Any:
        numbers = [record["dynamodb"]["SequenceNumber"] for record in event["Records"]]
        batches.append(numbers)
        return {"batchItemFailures": [{"itemIdentifier": "2"}] if len(batches) == 1 else []}

    stream = Stream(scheduler, boundaries, relay, lambda after: RECORDS[after:])
    stream.touched()
    scheduler.run()

    assert batches == [["0", "2", "3"], ["2", "3"]]
    assert stream.done == 4


def test_a_stream_gives_up_the_record_of_which_its_function_dies() -> None:
    scheduler, boundaries = shard({0: "poison"})
    batches: list[list[str]] = []
    given_up: list[int] = []

    def relay(function: str, event: dict[str, Any], *, skew: float = 0.0) -> Any:
        batches.append([record["dynamodb"]["SequenceNumber"] for record in event["Records"]])
        return {"batchItemFailures": []}

    stream = Stream(
        scheduler, boundaries, relay, lambda after: RECORDS[after:], lambda: given_up.append(len(stream.parked))
    )
    stream.touched()
    scheduler.run()

    assert batches == [["2", "3"]]
    assert (stream.parked, stream.done, given_up) == (RECORDS[:1], 4, [1])
    assert boundaries.tally.fired["poison", "lambda.relay_outbox"] == 1
