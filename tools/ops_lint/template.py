"""A resource of a synthesised template, with the neighbours that a rule may ask about."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

Stacks = Mapping[str, Mapping[str, Any]]
"""The templates of one environment, by stack name."""


@dataclass(frozen=True)
class Resource:
    """One entry of a template's `Resources`. `stacks` are all templates of its environment."""

    environment: str
    stack: str
    name: str
    body: Mapping[str, Any]
    stacks: Stacks

    @property
    def type(self) -> str:
        """`AWS::SQS::Queue`."""
        return str(self.body["Type"])

    @property
    def address(self) -> str:
        """Where it stands: `tradepost-prod-events/OutboxParked02D08B6A`."""
        return f"{self.stack}/{self.name}"

    @property
    def properties(self) -> Mapping[str, Any]:
        """Its `Properties`; none for a type that needs none."""
        properties: Mapping[str, Any] = self.body.get("Properties", {})
        return properties

    def at(self, path: str) -> Any:
        """The property at `A.B.C`; None where a part of it is missing."""
        value: Any = self.properties
        for part in path.split("."):
            value = value.get(part) if isinstance(value, Mapping) else None
        return value

    def beside(self, *types: str) -> Iterator["Resource"]:
        """The resources of these types in the same template."""
        for name, body in self.stacks[self.stack]["Resources"].items():
            if body["Type"] in types:
                yield Resource(self.environment, self.stack, name, body, self.stacks)

    def anywhere(self, *types: str) -> Iterator["Resource"]:
        """The resources of these types in all templates of the environment."""
        for stack in self.stacks:
            yield from Resource(self.environment, stack, self.name, self.body, self.stacks).beside(*types)

    def named_in(self, value: Any) -> bool:
        """Whether `value` refers to this resource, from within its own template."""
        return any(
            inner == {"Ref": self.name} or (isinstance(inner, Mapping) and _attribute_of(inner) == self.name)
            for inner in everything_in(value)
        )

    def rings(self, metric: str) -> bool:
        """Whether an alarm of its own template watches this metric of it."""
        return any(self._watched_by(alarm, metric) for alarm in self.beside("AWS::CloudWatch::Alarm"))

    def _watched_by(self, alarm: "Resource", metric: str) -> bool:
        values = [dimension["Value"] for dimension in alarm.properties.get("Dimensions", ())]
        own = {self.properties.get(key) for key in _PHYSICAL_NAMES} - {None}
        return alarm.properties.get("MetricName") == metric and any(
            self.named_in(value) or (isinstance(value, str) and value in own) for value in values
        )


_PHYSICAL_NAMES = ("FunctionName", "DeliveryStreamName", "Name")


def _attribute_of(value: Mapping[str, Any]) -> str | None:
    attribute = value.get("Fn::GetAtt")
    return attribute[0] if isinstance(attribute, list) else None


def everything_in(value: Any) -> Iterator[Any]:
    """The value and all values inside it."""
    yield value
    inner = value.values() if isinstance(value, Mapping) else value if isinstance(value, list) else ()
    for one in inner:
        yield from everything_in(one)


def resources(environment: str, stacks: Stacks) -> Iterator[Resource]:
    """All resources of an environment. Those whose condition is never true there are not made, and not looked at."""
    for stack, template in stacks.items():
        for name, body in template["Resources"].items():
            if body.get("Condition") != "Never":
                yield Resource(environment, stack, name, body, stacks)


def listed(value: Any) -> list[Any]:
    """CloudFormation's one-or-many as a list."""
    return value if isinstance(value, list) else [] if value is None else [value]


def statements(resource: Resource) -> list[Mapping[str, Any]]:
    """Those of its policy document."""
    return listed(resource.at("PolicyDocument.Statement"))


def flat(value: Any) -> str:
    """Text in which strings of a `Fn::Join` stand one behind the other; what is known only later is left out."""
    if isinstance(value, str):
        return value
    if isinstance(value, Mapping) and "Fn::Join" in value:
        separator, parts = value["Fn::Join"]
        return str(separator.join(flat(part) for part in parts))
    return ""


def written(value: Any) -> str:
    """The value as JSON, to look for words in it."""
    return json.dumps(value, default=str)
