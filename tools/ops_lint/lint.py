"""Applies the rules, and says which types no rule looks at."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from tools.ops_lint.rule import Rule
from tools.ops_lint.rules import NO_RULE, RULES
from tools.ops_lint.template import Resource, Stacks, resources


@dataclass(frozen=True)
class Finding:
    """A resource for which a rule does not hold."""

    rule: Rule
    resource: Resource

    def __str__(self) -> str:
        return f"{self.resource.address}: {self.rule.id}: it is not so that {self.rule.what!r}. {self.rule.why}"


def findings(all_resources: Iterable[Resource], rules: Iterable[Rule] = RULES) -> Iterator[Finding]:
    """What is not as it should be. A rule that cannot make sense of a resource does not hold for it."""
    by_type = _by_type(rules)
    for resource in all_resources:
        for rule in by_type.get(resource.type, ()):
            if resource.environment in rule.environments and not _holds(rule, resource):
                yield Finding(rule, resource)


def without_rules(all_resources: Iterable[Resource]) -> set[str]:
    """Types that no rule looks at, and that are not among those which need none."""
    covered = set(_by_type(RULES)) | set(NO_RULE)
    return {resource.type for resource in all_resources} - covered


def report(environments: Mapping[str, Stacks]) -> dict[str, object]:
    """What `build/ops-lint.json` holds."""
    looked_at = [one for environment, stacks in environments.items() for one in resources(environment, stacks)]
    return {
        "rules": len(RULES),
        "resources": Counter(one.environment for one in looked_at),
        "checks": sum(
            one.environment in rule.environments
            for one in looked_at
            for rule in _by_type(RULES).get(one.type, ())
        ),
        "types": len({one.type for one in looked_at}),
        "types_without_rules": sorted(without_rules(looked_at)),
        "findings": [
            {
                "environment": found.resource.environment,
                "resource": found.resource.address,
                "type": found.resource.type,
                "rule": found.rule.id,
                "what": found.rule.what,
                "why": found.rule.why,
            }
            for found in findings(looked_at)
        ],
    }


def _holds(rule: Rule, resource: Resource) -> bool:
    try:
        return rule.holds(resource)
    except (AttributeError, IndexError, KeyError, TypeError, ValueError):
        return False


def _by_type(rules: Iterable[Rule]) -> dict[str, list[Rule]]:
    found: dict[str, list[Rule]] = {}
    for rule in rules:
        for type_ in rule.types:
            found.setdefault(type_, []).append(rule)
    return found
