"""The local shop in which the drill plays, as causes and alarms need it."""

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import httpx
from botocore.exceptions import BotoCoreError, ClientError

from commerce.clock import iso, now
from tools.demo.actors import UnexpectedAnswer
from tools.demo.scenes import Cast
from tools.demo.timeline import Timeline
from tools.demo.watch import NotSeen
from tools.local.instance import Instance
from tools.local.steps import Stop

PREFIX = "tradepost-local"
TROUBLE = (Stop, LookupError, NotSeen, UnexpectedAnswer, httpx.HTTPError, BotoCoreError, ClientError)
"""What a shop that does not answer as it should comes to, here."""


def shop_of_drills() -> Instance:
    """A local shop of their own, and never the one in which a developer works. Raises Stop."""
    instance = Instance.current()
    return Instance("drill") if instance == Instance() else instance


@dataclass
class Stage:
    """One running local shop, and people who buy there."""

    instance: Instance
    people: Cast
    _resources: dict[str, dict[str, str]] = field(default_factory=dict)
    _clients: dict[str, Any] = field(default_factory=dict)

    @classmethod
    def of(cls, instance: Instance) -> "Stage":
        """The running shop, with everyone there."""
        return cls(instance, Cast.of(instance, Timeline(pause=0.0)))

    def client(self, service: str) -> Any:
        """A boto3 client, one for each service."""
        if service not in self._clients:
            self._clients[service] = self.instance.client(service)
        return self._clients[service]

    def topic(self, heard: str) -> str:
        """The ARN of the topic for pages or notices."""
        return self.instance.output("PageTopicArn" if heard == "pages" else "AlarmTopicArn")

    def physical(self, stack: str, logical: str) -> str:
        """What AWS calls a resource of the stack, given its logical id with or without the hash behind it.

        Raises LookupError where the local shop does not have it.
        """
        if stack not in self._resources:
            pages = self.client("cloudformation").get_paginator("list_stack_resources")
            self._resources[stack] = {
                one["LogicalResourceId"]: one["PhysicalResourceId"]
                for page in pages.paginate(StackName=f"{PREFIX}-{stack}")
                for one in page["StackResourceSummaries"]
            }
        for name, called in self._resources[stack].items():
            if name == logical or re.fullmatch(rf"{logical}[0-9A-F]{{8}}", name):
                return called
        raise LookupError(f"the local shop has no {logical}")

    def buy(self) -> str:
        """Somebody buys something. Answers the order's id."""
        shopper = self.people.shopper
        completed = shopper.complete(shopper.checkout((shopper.some_skus(1)[0], 1)))
        return str(completed["order"]["id"])

    def ask(self, method: str, path: str) -> int:
        """The status of the shop's answer."""
        body: dict[str, str] | None = {} if method == "POST" else None
        return httpx.request(method, self.instance.url + path, json=body, timeout=60).status_code

    def invoke(self, function: str, event: Any = None) -> dict[str, Any]:
        """What Lambda answers, with what the function answered or how it failed as `Payload`."""
        answer = self.client("lambda").invoke(
            FunctionName=f"{PREFIX}-{function}", Payload=json.dumps(event or {}).encode()
        )
        return {**answer, "Payload": json.load(answer["Payload"])}

    def waiting(self, queue: str) -> int:
        """How many messages lie in the queue."""
        asked = self.client("sqs").get_queue_attributes(QueueUrl=queue, AttributeNames=["ApproximateNumberOfMessages"])
        return int(asked["Attributes"]["ApproximateNumberOfMessages"])

    def is_older(self, order_id: str, minutes: int, **also: str) -> None:
        """The order was placed, and came to its status, so many minutes earlier. `also` are texts to write beside."""
        moment = iso(now() - timedelta(minutes=minutes))
        fields = {"placed_at": moment, "moved_at": moment, **also}
        self.client("dynamodb").update_item(
            TableName=self.instance.output("OrdersTable"),
            Key={"pk": {"S": f"ORDER#{order_id}"}, "sk": {"S": "ORDER"}},
            UpdateExpression="SET " + ", ".join(f"{name} = :{name}" for name in fields),
            ExpressionAttributeValues={f":{name}": {"S": value} for name, value in fields.items()},
        )

    @contextmanager
    def held_back(self, function: str) -> Iterator[None]:
        """The function may have no instance for as long."""
        called = f"{PREFIX}-{function}"
        self.client("lambda").put_function_concurrency(FunctionName=called, ReservedConcurrentExecutions=0)
        try:
            yield
        finally:
            self.client("lambda").delete_function_concurrency(FunctionName=called)

    @contextmanager
    def without_settings(self, function: str) -> Iterator[None]:
        """The function finds no settings in its environment for as long, and cannot start."""
        client, called = self.client("lambda"), f"{PREFIX}-{function}"
        whole = client.get_function_configuration(FunctionName=called)["Environment"]["Variables"]
        part = {name: value for name, value in whole.items() if name != "SETTINGS"}
        client.update_function_configuration(FunctionName=called, Environment={"Variables": part})
        try:
            yield
        finally:
            client.update_function_configuration(FunctionName=called, Environment={"Variables": whole})

    @contextmanager
    def cut_off(self, function: str) -> Iterator[str]:
        """The function hears nothing of its stream or queue for as long. Yields the mapping's id."""
        client = self.client("lambda")
        [mapping] = client.list_event_source_mappings(FunctionName=f"{PREFIX}-{function}")["EventSourceMappings"]
        client.update_event_source_mapping(UUID=mapping["UUID"], Enabled=False)
        try:
            yield mapping["UUID"]
        finally:
            client.update_event_source_mapping(UUID=mapping["UUID"], Enabled=True)
