"""What can be seen from outside while an order is on its way: its execution, its e-mails, its analytics, its cost."""

import json
import time
from collections import Counter
from collections.abc import Callable
from typing import Any, TypeVar

import httpx

from tools.athena import ask
from tools.local.instance import Instance
from tools.orders.records import execution_in

Seen = TypeVar("Seen")
PATIENCE_SECONDS = 90.0


class NotSeen(Exception):
    """Something that must happen did not happen in time."""


def until(
    what: str, look: Callable[[], Seen | None], *, patience: float = PATIENCE_SECONDS, pause: float = 0.1
) -> Seen:
    """The first thing that `look` sees, looking again after `pause` seconds. Raises NotSeen, naming `what`, when
    patience ends."""
    deadline = time.monotonic() + patience
    while True:
        if seen := look():
            return seen
        if time.monotonic() > deadline:
            raise NotSeen(f"{what} was not seen within {patience:.0f} s")
        time.sleep(pause)


class Watcher:
    """Looks at one local shop through AWS's own interfaces."""

    def __init__(self, instance: Instance) -> None:
        self.instance = instance
        self._states = instance.client("stepfunctions")
        self._http = httpx.Client(timeout=30)

    def execution(self, order_id: str) -> dict[str, Any] | None:
        """The execution of the order's workflow: `status` and the names of the states it has entered."""
        found = execution_in(self._states, self.instance.output("StateMachineArn"), order_id)
        if found is None:
            return None
        return {"arn": found.arn, "status": found.status, "states": [state for _, state in found.entered]}

    def ended(self, order_id: str) -> dict[str, Any]:
        """The execution, once it has ended."""

        def look() -> dict[str, Any] | None:
            execution = self.execution(order_id)
            return execution if execution and execution["status"] != "RUNNING" else None

        return until("the end of the execution", look)

    def entered(self, order_id: str, state: str) -> dict[str, Any]:
        """The execution, once it has entered `state`."""

        def look() -> dict[str, Any] | None:
            execution = self.execution(order_id)
            return execution if execution and state in execution["states"] else None

        return until(f"the state {state}", look)

    def emails(self, label: str) -> Counter[str]:
        """How many e-mails about the order (by its label, such as TP-7K2M9QXA) were sent, by subject without it."""
        answer = self._http.get(f"{self.instance.aws_url}/_ministack/ses/messages").json()
        subjects = (str(message["Subject"]) for sent in answer["messages"].values() for message in sent)
        return Counter(" ".join(subject.replace(label, "").split()) for subject in subjects if label in subject)

    def email(self, label: str, word: str) -> str:
        """The subject of an e-mail about the order that contains `word`, once it was sent."""

        def look() -> str | None:
            return next((subject for subject in self.emails(label) if word in subject.lower()), None)

        return until(f"an e-mail about {label} with '{word}' in its subject", look)

    def analytics(self, order_id: str) -> list[dict[str, Any]]:
        """What analysts find about the order: `id` and `type` of its events."""
        answer = ask(self.instance, f"SELECT id, type FROM events WHERE subject = '{order_id}'")
        return [dict(zip(answer.columns, row, strict=True)) for row in answer.rows]

    def exported(self, order_id: str, type_: str) -> list[dict[str, Any]]:
        """What analysts find about the order, once an event of this type is among it."""

        def look() -> list[dict[str, Any]] | None:
            rows = self.analytics(order_id)
            return rows if any(row["type"] == type_ for row in rows) else None

        return until(f"the order's {type_} in Athena", look)

    def meter(self) -> dict[str, Any]:
        """The meter's reading once nothing has changed for a second: calls, invocations, units so far."""
        reading = self._reading()
        unchanged_since = time.monotonic()
        while time.monotonic() - unchanged_since < 1.0:
            time.sleep(0.1)
            if (latest := self._reading()) != reading:
                reading, unchanged_since = latest, time.monotonic()
        return reading

    def _reading(self) -> dict[str, Any]:
        reading: dict[str, Any] = json.loads(self.instance.meter_file.read_text())
        return reading
