"""Who may do what: roles, policies, people."""

from collections.abc import Mapping
from typing import Any

from tools.ops_lint.rule import KEPT, Rule
from tools.ops_lint.template import Resource, listed, statements

POLICY = ("AWS::IAM::Policy", "AWS::IAM::ManagedPolicy")
POOL = ("AWS::Cognito::UserPool",)
CLIENT = ("AWS::Cognito::UserPoolClient",)
_WITHOUT_RESOURCES = (
    "xray:",
    "logs:CreateLogDelivery",
    "logs:GetLogDelivery",
    "logs:UpdateLogDelivery",
    "logs:DeleteLogDelivery",
    "logs:ListLogDeliveries",
    "logs:PutResourcePolicy",
    "logs:DescribeResourcePolicies",
    "logs:DescribeLogGroups",
    "cloudwatch:DescribeAlarms",
)
"""Beginnings of actions that AWS authorises on `*` only, or as a whole."""


def _actions(statement: Mapping[str, Any]) -> list[str]:
    return listed(statement.get("Action"))


def _one_service(role: Resource) -> bool:
    trusts = listed(role.at("AssumeRolePolicyDocument.Statement"))
    principals = [one["Principal"] for one in trusts]
    return len(principals) == 1 and list(principals[0]) == ["Service"] and len(listed(principals[0]["Service"])) == 1


def _names_its_resources(policy: Resource) -> bool:
    return all(
        action.startswith(_WITHOUT_RESOURCES)
        for one in statements(policy)
        if "*" in listed(one.get("Resource"))
        for action in _actions(one)
    )


def _password_is_long(pool: Resource) -> bool:
    return (pool.at("Policies.PasswordPolicy.MinimumLength") or 0) >= 12


def _token_is_short(client: Resource) -> bool:
    return client.at("TokenValidityUnits.AccessToken") == "minutes" and int(client.at("AccessTokenValidity")) <= 60


RULES = (
    Rule(
        "role-is-one-services",
        "One service may take the role on",
        "A role for two services gives each what the other needs.",
        ("AWS::IAM::Role",),
        _one_service,
    ),
    Rule(
        "role-has-no-policy-of-aws",
        "The role has no policy that AWS wrote",
        "AWS widens its policies when it adds features.",
        ("AWS::IAM::Role",),
        lambda one: not any(isinstance(arn, str) or "Fn::Join" in arn for arn in listed(one.at("ManagedPolicyArns"))),
    ),
    Rule(
        "policy-names-its-actions",
        "Every action is named in full",
        "`dynamodb:*` deletes tables.",
        POLICY,
        lambda one: not any("*" in action for statement in statements(one) for action in _actions(statement)),
    ),
    Rule(
        "policy-names-its-resources",
        "What can be allowed on one resource is allowed on that one",
        "A function that is broken into reaches what its role reaches.",
        POLICY,
        _names_its_resources,
    ),
    Rule(
        "policy-only-allows",
        "The policy allows; it denies nothing",
        "Rights that are given and taken in several places are understood by nobody.",
        POLICY,
        lambda one: all(statement["Effect"] == "Allow" for statement in statements(one)),
    ),
    Rule(
        "people-have-long-passwords",
        "A password has at least twelve characters",
        "Shorter ones are guessed from the lists of other shops' leaks.",
        POOL,
        _password_is_long,
    ),
    Rule(
        "people-may-have-a-second-factor",
        "People can protect their account with a second factor, and not by SMS",
        "SMS costs by the message, which is a way to attack the bill, and can be redirected.",
        POOL,
        lambda one: one.at("MfaConfiguration") in ("OPTIONAL", "ON") and "SMS_MFA" not in listed(one.at("EnabledMfas")),
    ),
    Rule(
        "people-prove-their-address",
        "An e-mail address counts when it was confirmed, also a changed one",
        "Orders of guests are found by their address.",
        POOL,
        lambda one: "email" in listed(one.at("AutoVerifiedAttributes")),
    ),
    Rule(
        "pool-cannot-be-deleted",
        "The user pool is protected from deletion",
        "Passwords cannot be restored from anywhere.",
        POOL,
        lambda one: one.at("DeletionProtection") == "ACTIVE",
        KEPT,
    ),
    Rule(
        "client-does-not-tell-who-exists",
        "A wrong password and an unknown address get the same answer",
        "Otherwise anybody learns who buys here.",
        CLIENT,
        lambda one: one.at("PreventUserExistenceErrors") == "ENABLED",
    ),
    Rule(
        "client-tokens-are-short",
        "An access token lasts for an hour at most, and can be revoked",
        "A token that leaked is good until it ends.",
        CLIENT,
        lambda one: _token_is_short(one) and one.at("EnableTokenRevocation") is True,
    ),
    Rule(
        "group-says-what-it-may",
        "The group of staff says what its members may do",
        "Whoever puts somebody into a group should know what that gives.",
        ("AWS::Cognito::UserPoolGroup",),
        lambda one: bool(one.at("Description")),
    ),
    Rule(
        "sender-is-a-domain",
        "E-mails are sent as a domain, which AWS signs",
        "Mails of a single address are not signed, and end as spam.",
        ("AWS::SES::EmailIdentity",),
        lambda one: "@" not in one.at("EmailIdentity") and one.at("DkimAttributes.SigningEnabled") is not False,
    ),
)
