"""Reading synthesised templates."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

Resource = dict[str, Any]


@dataclass(frozen=True)
class Templates:
    """The templates of one environment, by stack name."""

    environment: str
    stacks: dict[str, dict[str, Any]]

    def resources(self, kind: str | None = None) -> Iterator[tuple[str, Resource]]:
        """(stack/logical id, resource) of all resources, or of one kind."""
        for stack, template in self.stacks.items():
            for name, resource in template["Resources"].items():
                if kind is None or resource["Type"] == kind:
                    yield f"{stack}/{name}", resource

    def properties(self, kind: str) -> list[dict[str, Any]]:
        """The properties of all resources of one kind."""
        return [resource.get("Properties", {}) for _, resource in self.resources(kind)]

    def stack(self, name: str) -> dict[str, Any]:
        """The template of `tradepost-<environment>-<name>`."""
        return self.stacks[f"tradepost-{self.environment}-{name}"]

    def function(self, name: str) -> dict[str, Any]:
        """The properties of `functions/<name>`."""
        wanted = f"tradepost-{self.environment}-{name.replace('_', '-')}"
        [found] = [one for one in self.properties("AWS::Lambda::Function") if one["FunctionName"] == wanted]
        return found

    def statements(self) -> Iterator[tuple[str, dict[str, Any]]]:
        """(policy, statement) of everything that a role of ours may do."""
        for name, policy in self.resources("AWS::IAM::Policy"):
            for statement in policy["Properties"]["PolicyDocument"]["Statement"]:
                yield name, statement

    def rights(self, name: str) -> list[dict[str, Any]]:
        """The statements of the role of `functions/<name>`."""
        role = self.function(name)["Role"]["Fn::GetAtt"][0]
        return [
            statement
            for policy in self.properties("AWS::IAM::Policy")
            if {"Ref": role} in policy["Roles"]
            for statement in policy["PolicyDocument"]["Statement"]
        ]


def called(template: dict[str, Any], address: dict[str, Any]) -> str:
    """The logical id of the function that an ARN leads to, by its alias or by itself."""
    if "Ref" in address:
        alias = template["Resources"][address["Ref"]]
        assert alias["Type"] == "AWS::Lambda::Alias"
        address = alias["Properties"]["FunctionName"]
        return str(address["Ref"])
    return str(address["Fn::GetAtt"][0])


def actions(statement: dict[str, Any]) -> list[str]:
    """A statement's actions, one or many."""
    given = statement["Action"]
    return given if isinstance(given, list) else [given]


def everything_in(value: Any) -> Iterator[Any]:
    """The value and all values inside it."""
    yield value
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    for one in inner:
        yield from everything_in(one)
