"""The alarms of an environment's templates, and the notices that operators get without one."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

Heard = Literal["pages", "notices", "nobody"]
COMPOSITE = "composite"


@dataclass(frozen=True)
class Alarm:
    """What rings. Alarms of one `kind` watch the same metric, be it of different things."""

    stack: str
    """Without the environment: `events`."""
    name: str
    """Its logical id."""
    kind: str
    """Namespace and name of its metric, such as `AWS/Lambda Errors`; `notice <event>` where a rule tells."""
    says: str
    runbook: str
    heard: Heard
    """Which topic tells of it; nobody does where it is a part of another alarm."""
    properties: Mapping[str, Any]


def alarms(stacks: Mapping[str, Mapping[str, Any]]) -> Iterator[Alarm]:
    """Everything that rings in the templates."""
    for stack, template in stacks.items():
        for name, resource in template["Resources"].items():
            found = resource.get("Properties", {})
            match resource["Type"]:
                case "AWS::CloudWatch::Alarm":
                    yield _alarm(stack, name, f"{found['Namespace']} {found['MetricName']}", found)
                case "AWS::CloudWatch::CompositeAlarm":
                    yield _alarm(stack, name, COMPOSITE, found)
                case "AWS::Events::Rule" if "docs/runbooks/" in found.get("Description", ""):
                    yield _notice(stack, name, found)


def _alarm(stack: str, name: str, kind: str, found: Mapping[str, Any]) -> Alarm:
    says, _, runbook = found["AlarmDescription"].partition(". Runbook: docs/runbooks/")
    action = json.dumps(found.get("AlarmActions", []))
    heard: Heard = "nobody" if action == "[]" else "pages" if "Pages" in action else "notices"
    return Alarm(_short(stack), name, kind, says, runbook.removesuffix(".md"), heard, found)


def _notice(stack: str, name: str, found: Mapping[str, Any]) -> Alarm:
    says, _, runbook = found["Description"].partition(" (docs/runbooks/")
    [event] = found["EventPattern"]["detail-type"]
    return Alarm(_short(stack), name, f"notice {event}", says, runbook.removesuffix(".md)"), "notices", found)


def _short(stack: str) -> str:
    return stack.split("-", 2)[2]


def parts(composite: Alarm) -> list[str]:
    """The logical ids of the alarms that its rule names, in the rule's order."""
    _, pieces = composite.properties["AlarmRule"]["Fn::Join"]
    return [piece["Fn::GetAtt"][0] for piece in pieces if isinstance(piece, Mapping)]


def rule(composite: Alarm, arns: Mapping[str, str]) -> str:
    """Its rule, of the parts as they are deployed: their ARNs by logical id."""
    _, pieces = composite.properties["AlarmRule"]["Fn::Join"]
    return "".join(arns[piece["Fn::GetAtt"][0]] if isinstance(piece, Mapping) else piece for piece in pieces)
