"""Every resource of every environment keeps the operational rules, and every rule would notice if it did not."""

import json

import pytest

from builders.breaking import BREAKS, SOUND
from stacks.shop import ROOT
from tools.ops_lint import __main__ as command
from tools.ops_lint.lint import findings, report, without_rules
from tools.ops_lint.rules import NO_RULE, RULES
from tools.ops_lint.template import Resource, resources


def _resources(templates) -> list[Resource]:
    return list(resources(templates.environment, templates.stacks))


def test_every_resource_keeps_every_rule(templates):
    assert [str(found) for found in findings(_resources(templates))] == []


def test_every_type_has_a_rule_or_a_reason_for_none(templates):
    assert without_rules(_resources(templates)) == set()


def test_a_type_without_a_rule_is_found():
    unknown = Resource("prod", "stack", "Name", {"Type": "AWS::Unheard::Of"}, {})
    assert without_rules([unknown]) == {"AWS::Unheard::Of"}


def test_no_type_that_needs_no_rule_has_one():
    assert not set(NO_RULE) & {type_ for rule in RULES for type_ in rule.types}


def test_rules_are_many_and_each_is_told_apart_and_explained():
    assert len(RULES) == len({rule.id for rule in RULES}) >= 40
    assert all(rule.what and rule.why.endswith(".") for rule in RULES)


def test_every_rule_has_its_break():
    assert set(BREAKS) == {rule.id for rule in RULES}


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.id)
def test_a_broken_resource_is_found(rule, prod):
    break_ = BREAKS[rule.id]
    known = [*_resources(prod), *(sound.resource() for sound in SOUND)]
    sound = [one for one in known if one.type in rule.types and not list(findings([one], [rule]))]
    assert sound, "nothing of this type keeps the rule, so that nothing can break it"
    assert any(list(findings([broken], [rule])) for broken in _broken(sound, break_))


def _broken(sound, break_):
    """A break needs something to break: a queue without a redrive policy has no number of attempts."""
    for resource in sound:
        try:
            yield break_(resource)
        except (KeyError, IndexError):
            continue


def test_the_report_says_what_was_looked_at(every_environment):
    figures = report({name: templates.stacks for name, templates in every_environment.items()})
    assert figures["rules"] == len(RULES)
    assert set(figures["resources"]) == set(every_environment) and min(figures["resources"].values()) > 200
    assert figures["findings"] == [] and figures["types_without_rules"] == []
    assert json.dumps(figures)


def test_the_report_names_resource_and_rule_of_what_is_wrong(prod):
    stacks = json.loads(json.dumps(prod.stacks))
    api = stacks["tradepost-prod-api"]["Resources"]
    name = next(key for key, one in api.items() if one["Type"] == "AWS::Lambda::Function")
    del api[name]["Properties"]["TracingConfig"]
    [found] = report({"prod": stacks})["findings"]
    assert (found["resource"], found["rule"]) == (f"tradepost-prod-api/{name}", "function-is-traced")


@pytest.mark.parametrize("sound", [True, False])
def test_the_command_fails_where_something_is_wrong(sound, every_environment, tmp_path, monkeypatch, capsys):
    stacks = {name: json.loads(json.dumps(templates.stacks)) for name, templates in every_environment.items()}
    if not sound:
        stacks["prod"]["tradepost-prod-data"]["Resources"]["Unheard"] = {"Type": "AWS::Unheard::Of"}
    monkeypatch.setattr(command, "synthesised", lambda name, _: stacks[name])
    monkeypatch.setattr(command, "REPORT", tmp_path / "build" / "ops-lint.json")

    assert command.main() == (0 if sound else 1)

    said = capsys.readouterr().out
    assert ("AWS::Unheard::Of: no rule looks at it" in said) is not sound
    assert f"{len(RULES)} rules on local" in said
    assert json.loads((tmp_path / "build" / "ops-lint.json").read_text("utf-8"))["rules"] == len(RULES)


def test_the_readme_tells_how_many_rules_there_are():
    assert f"{len(RULES)} rules" in (ROOT / "README.md").read_text("utf-8")
