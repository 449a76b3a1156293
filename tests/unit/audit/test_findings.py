"""Nothing that a scanner finds passes unanswered, and no answer outlives what it answers for."""

import json
from pathlib import Path

import pytest
from pydantic import ValidationError

from tools.audit import __main__ as audit
from tools.audit.findings import LIMIT, Acknowledgement, Finding, judge, load
from tools.audit.scanners import cdk_nag, wildcards

NO_VPC = Finding("checkov", "CKV_AWS_117", "api/Carts", "not inside a VPC")


def _acknowledgement(**changes) -> Acknowledgement:
    given = {
        "matter": "functions outside of a VPC",
        "rules": ["CKV_AWS_117"],
        "places": ["api/*"],
        "reason": "There is nothing private to reach from these functions.",
        "owner": "operations",
    }
    return Acknowledgement.model_validate(given | changes)


def test_an_acknowledged_finding_is_not_open():
    verdict = judge([NO_VPC], [_acknowledgement()])
    assert verdict.passed
    assert [(one.matter, covered) for one, covered in verdict.acknowledged] == [(_acknowledgement().matter, [NO_VPC])]


@pytest.mark.parametrize("changes", [{"rule": "CKV_AWS_116"}, {"place": "workflow/ShipOrder"}])
def test_another_rule_or_another_place_is_open(changes):
    other = NO_VPC._replace(**changes)
    verdict = judge([NO_VPC, other], [_acknowledgement()])
    assert verdict.open == [other] and not verdict.passed


@pytest.mark.parametrize(
    ("changes", "names"),
    [({"rules": ["CKV_AWS_117", "CKV_AWS_1"]}, "CKV_AWS_1;"), ({"places": ["api/*", "edge/*"]}, "edge/*;")],
)
def test_an_acknowledgement_of_what_is_mended_fails(changes, names):
    [fault] = judge([NO_VPC], [_acknowledgement(**changes)]).faults
    assert names in fault and "take it out" in fault


def test_a_finding_has_one_answer_only():
    verdict = judge([NO_VPC], [_acknowledgement(), _acknowledgement(places=["*"])])
    assert verdict.faults == ["CKV_AWS_117 at api/Carts is acknowledged more than once"]


def test_more_acknowledgements_than_the_limit_fail():
    findings = [NO_VPC._replace(rule=f"RULE_{number}") for number in range(LIMIT + 1)]
    answers = [_acknowledgement(rules=[finding.rule]) for finding in findings]
    assert judge(findings[:-1], answers[:-1]).passed
    assert not judge(findings, answers).passed


@pytest.mark.parametrize("changes", [{"reason": "won't fix"}, {"owner": "nobody"}, {"rules": []}, {"places": []}])
def test_an_acknowledgement_has_a_reason_and_an_owner(changes):
    with pytest.raises(ValidationError):
        _acknowledgement(**changes)


def test_those_of_the_shop_are_in_order_and_few():
    entries = load(audit.ACKNOWLEDGEMENTS)
    assert 0 < len(entries) <= LIMIT
    assert len({one.matter for one in entries}) == len(entries)
    rules = [(rule, place) for one in entries for rule in one.rules for place in one.places]
    assert len(set(rules)) == len(rules)


def test_what_cdk_nag_says_is_named_by_construct_and_without_hashes(tmp_path: Path):
    violation = {
        "ruleName": "AwsSolutions-IAM5[Resource::tradepost-prod-data:ExportsOutputFnGetAttAnalytics0CFC/events/*]",
        "description": "A wildcard.",
        "violatingConstructs": [{"constructPath": "events/Analytics/Role/DefaultPolicy/Resource"}],
    }
    report = {"pluginReports": [{"violations": [violation]}]}
    (tmp_path / "validation-report.json").write_text(json.dumps(report))
    assert cdk_nag(tmp_path) == [
        Finding(
            "cdk-nag",
            "AwsSolutions-IAM5[Resource::…/events/*]",
            "events/Analytics/Role/DefaultPolicy",
            "A wildcard.",
        )
    ]


def test_a_wildcard_is_found_in_an_action_and_in_a_resource(tmp_path: Path):
    statements = [
        {"Action": "dynamodb:*", "Resource": "arn:aws:dynamodb:::table/orders"},
        {"Action": ["s3:GetObject", "s3:PutObject"], "Resource": {"Fn::Join": ["", [{"Ref": "Bucket"}, "/*"]]}},
        {"Action": "dynamodb:Query", "Resource": {"Ref": "Table"}},
    ]
    policy = {"Type": "AWS::IAM::Policy", "Properties": {"PolicyDocument": {"Statement": statements}}}
    (tmp_path / "api.template.json").write_text(json.dumps({"Resources": {"Policy1": policy}}))
    entry = [{"type": "aws:cdk:logicalId", "data": "Policy1"}]
    (tmp_path / "api.metadata.json").write_text(json.dumps({"/api/Role/DefaultPolicy/Resource": entry}))
    found = [(one.rule, one.place) for one in wildcards(tmp_path)]
    place = "api/Role/DefaultPolicy"
    assert found == [
        ("action:dynamodb:*", place),
        ("resource:s3:GetObject", place),
        ("resource:s3:PutObject", place),
    ]
