"""What each function's deployed role grants, what a request needs of it, and how a grant is taken away for a while."""

import contextlib
import json
import re
import urllib.parse
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from tools.local.instance import Instance
from tools.wire.books import aws
from tools.wire.line import Call
from tools.wire.routing import functions

BY_LAMBDA_ITSELF = {
    "logs:CreateLogStream": "Lambda writes the function's log",
    "logs:PutLogEvents": "Lambda writes the function's log",
    "xray:PutTraceSegments": "Lambda sends the trace",
    "xray:PutTelemetryRecords": "Lambda sends the trace",
    "dynamodb:DescribeStream": "Lambda reads the stream",
    "dynamodb:GetRecords": "Lambda reads the stream",
    "dynamodb:GetShardIterator": "Lambda reads the stream",
    "dynamodb:ListStreams": "Lambda reads the stream",
    "sqs:ReceiveMessage": "Lambda takes messages from the queue",
    "sqs:DeleteMessage": "Lambda takes messages from the queue",
    "sqs:ChangeMessageVisibility": "Lambda takes messages from the queue",
    "sqs:GetQueueUrl": "Lambda takes messages from the queue",
    "sqs:GetQueueAttributes": "Lambda takes messages from the queue",
}
"""Grants that AWS uses in the function's name and the function never asks for: no line sees them."""

_ITEM_ACTIONS = {
    "Put": "PutItem",
    "Update": "UpdateItem",
    "Delete": "DeleteItem",
    "ConditionCheck": "ConditionCheckItem",
}
_MADE = re.compile(r"-([A-Z]\w*?)(Table|Secret|Parked)[0-9A-F]*-[0-9A-Za-z-]+(.*)")
"""`tradepost-local-data-OrdersTable315BB997-4D34CB727FC97/index/by_status`: its name, what it is, the rest."""
_PREFIXES = {"stepfunctions": "states", "sesv2": "ses"}


@dataclass(frozen=True, order=True)
class Grant:
    """One action on one resource, granted to a function."""

    function: str
    action: str
    resource: str

    @property
    def on(self) -> str:
        """The resource's own name; that of a table, a secret or a queue without what CloudFormation adds."""
        name = self.resource.rpartition(":")[2]
        made = _MADE.search(name)
        return f"{made[2].lower()}/{made[1].lower()}{made[3]}" if made else name

    def __str__(self) -> str:
        return f"{self.function}: {self.action} on {self.on}"


@dataclass(frozen=True)
class Role:
    """A function's role with its one inline policy."""

    function: str
    name: str
    policy: str
    grants: tuple[Grant, ...]

    def without(self, taken: Iterable[Grant]) -> str:
        """The policy's text when these grants are taken away."""
        gone = set(taken)
        statements = [
            {"Effect": "Allow", "Action": grant.action, "Resource": grant.resource}
            for grant in self.grants
            if grant not in gone
        ]
        return json.dumps({"Version": "2012-10-17", "Statement": statements})


def roles(instance: Instance) -> dict[str, Role]:
    """The roles as they are deployed, by function."""
    iam = aws(instance, "iam")
    found = {}
    for function, configuration in functions(instance).items():
        name = configuration["Role"].rpartition("/")[2]
        [policy] = iam.list_role_policies(RoleName=name)["PolicyNames"]
        document = iam.get_role_policy(RoleName=name, PolicyName=policy)["PolicyDocument"]
        found[function] = Role(function, name, policy, tuple(sorted(set(_grants(function, document)))))
    return found


def _grants(function: str, document: Any) -> Iterator[Grant]:
    if isinstance(document, str):
        document = json.loads(urllib.parse.unquote(document))
    for statement in document["Statement"]:
        assert statement["Effect"] == "Allow" and "Condition" not in statement, statement
        for action in _listed(statement["Action"]):
            for resource in _listed(statement["Resource"]):
                yield Grant(function, action, resource)


def _listed(value: str | list[str]) -> list[str]:
    return [value] if isinstance(value, str) else value


@contextlib.contextmanager
def taken(instance: Instance, role: Role, grants: Iterable[Grant]) -> Iterator[None]:
    """The role lacks these grants until the block ends."""
    iam = aws(instance, "iam")

    def put(document: str) -> None:
        iam.put_role_policy(RoleName=role.name, PolicyName=role.policy, PolicyDocument=document)

    put(role.without(grants))
    try:
        yield
    finally:
        put(role.without(()))


def needed(call: Call, role: Role) -> Iterator[Grant]:
    """The grants that the request needs of the role. Raises LookupError for one that it does not have."""
    for action, resource in _asked(call):
        fitting = [grant for grant in role.grants if grant.action == action and _is(grant.resource, resource)]
        if not fitting:
            raise LookupError(f"{call.function} asked for {action} on {resource}, which its role does not grant")
        yield from fitting


def _is(arn: str, resource: str) -> bool:
    """An empty `resource` is whatever the role names: the request does not name it."""
    return not resource or arn == resource or arn.rpartition(":")[2] == resource


def _asked(call: Call) -> Iterator[tuple[str, str]]:
    body: Mapping[str, Any] = json.loads(call.body or "{}")
    prefix = _PREFIXES.get(call.service, call.service)
    match call.boundary:
        case "dynamodb.TransactWriteItems" | "dynamodb.TransactGetItems":
            for action in body["TransactItems"]:
                [(kind, wanted)] = action.items()
                yield f"dynamodb:{_ITEM_ACTIONS.get(kind, f'{kind}Item')}", f"table/{wanted['TableName']}"
        case "dynamodb.BatchGetItem" | "dynamodb.BatchWriteItem":
            for table in body["RequestItems"]:
                yield f"dynamodb:{call.operation}", f"table/{table}"
        case "dynamodb.Query" if "IndexName" in body:
            yield "dynamodb:Query", f"table/{body['TableName']}/index/{body['IndexName']}"
        case boundary if boundary.startswith("dynamodb."):
            yield f"dynamodb:{call.operation}", f"table/{body['TableName']}"
        case "secretsmanager.GetSecretValue":
            yield "secretsmanager:GetSecretValue", body["SecretId"]
        case "sqs.SendMessage":
            yield "sqs:SendMessage", body["QueueUrl"].rpartition("/")[2]
        case _:
            yield f"{prefix}:{call.operation}", ""
