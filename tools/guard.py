"""What `make diff` and `make deploy` ask last: whether the deployment would lose what holds the shop's data.

It compares the synthesised templates with those that are deployed (GetTemplate), and refuses where a table, bucket,
secret, user pool, key, archive or state machine would be deleted, left behind, replaced by an empty one, or written
over. `REPLACE="<logical id> …"` names those that somebody means to lose. It refuses as well what CloudFormation would
stop at half-way: a value that a stack no longer tells, and others still import. Exit code 0 where nothing is, else 1.
"""

import argparse
import json
import os
import sys
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from stacks.shop import ROOT
from tools.local.steps import complain, say

Template = Mapping[str, Any]
"""A CloudFormation template as JSON."""

CDK_OUT = ROOT / "cdk.out"

STATEFUL = {
    "AWS::DynamoDB::GlobalTable": "table",
    "AWS::S3::Bucket": "bucket",
    "AWS::Cognito::UserPool": "user pool",
    "AWS::SecretsManager::Secret": "secret",
    "AWS::Events::Archive": "archive of events",
    "AWS::KMS::Key": "key",
    "AWS::StepFunctions::StateMachine": "state machine",
}
"""What cannot be made anew from the sources: data, and the orders on their way."""

CREATE_ONLY: Mapping[str, tuple[str, ...]] = {
    "AWS::DynamoDB::GlobalTable": ("TableName", "KeySchema", "LocalSecondaryIndexes", "GlobalTableSourceArn"),
    "AWS::S3::Bucket": ("BucketName", "BucketNamePrefix", "BucketNamespace"),
    "AWS::Cognito::UserPool": (),
    "AWS::SecretsManager::Secret": ("Name",),
    "AWS::Events::Archive": ("ArchiveName", "SourceArn"),
    "AWS::Events::EventBus": ("Name",),  # holds nothing, but its archive goes with it
    "AWS::KMS::Key": (),
    "AWS::StepFunctions::StateMachine": ("StateMachineName", "StateMachineType"),
}
"""Properties whose change makes CloudFormation create the resource anew and drop the old one: createOnlyProperties and
conditionalCreateOnlyProperties of its resource schemas
(https://docs.aws.amazon.com/cloudformation-cli/latest/userguide/resource-type-schema.html)."""

WRITTEN_OVER: Mapping[str, tuple[str, ...]] = {"AWS::SecretsManager::Secret": ("GenerateSecretString", "SecretString")}
"""Properties whose change gives the resource new content: a secret that is generated again loses what people put there
(https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-secretsmanager-secret.html)."""


@dataclass(frozen=True)
class Loss:
    """One resource that a deployment would lose."""

    stack: str
    name: str
    """Its logical id."""
    says: str


def losses(stack: str, deployed: Template, new: Template) -> Iterator[Loss]:
    """What `new` would lose of what stands in the stack."""
    olds, news = deployed.get("Resources", {}), new.get("Resources", {})
    anew = _anew(olds, news)
    for name, old in olds.items():
        kind = STATEFUL.get(old["Type"])
        if kind is None:
            continue
        if name not in news:
            yield Loss(stack, name, f"the {kind} {name} is no longer in the template: it would be {_left(old)}.")
        elif name in anew:
            yield Loss(stack, name, f"the {kind} {name} would be replaced by an empty one, since {anew[name]}.")
        elif changed := _changed(old, news[name], WRITTEN_OVER.get(old["Type"], ())):
            yield Loss(stack, name, f"the {kind} {name} would be written over, since {' and '.join(changed)} changed.")


def _left(old: Mapping[str, Any]) -> str:
    if old.get("DeletionPolicy") in ("Retain", "RetainExceptOnCreate"):
        return "left behind, and the shop would no longer know it"
    return "deleted with all that it holds"


def _anew(olds: Mapping[str, Any], news: Mapping[str, Any]) -> Mapping[str, str]:
    """Logical ids that CloudFormation makes anew, and why. What is named after such a thing goes with it."""
    found: dict[str, str] = {}
    while True:
        more = {
            name: why
            for name, old in olds.items()
            if name in news and name not in found and (why := _why_anew(old, news[name], found))
        }
        if not more:
            return found
        found |= more


def _why_anew(old: Mapping[str, Any], new: Mapping[str, Any], anew: Collection[str]) -> str:
    if old["Type"] != new["Type"]:
        return f"its type changed to {new['Type']}"
    fixed = CREATE_ONLY.get(old["Type"], ())
    if changed := _changed(old, new, fixed):
        return f"{' and '.join(changed)} changed"
    if retyped := _retyped(old, new):
        return f"the type of {' and '.join(retyped)} changed"
    named = {one for field in fixed for one in _references(new.get("Properties", {}).get(field))}
    return f"{' and '.join(sorted(named & set(anew)))} is replaced" if named & set(anew) else ""


def _changed(old: Mapping[str, Any], new: Mapping[str, Any], fields: Collection[str]) -> list[str]:
    before, after = old.get("Properties", {}), new.get("Properties", {})
    return [field for field in fields if before.get(field) != after.get(field)]


def _retyped(old: Mapping[str, Any], new: Mapping[str, Any]) -> list[str]:
    """Attributes of a table that keep their name and change their type."""
    before, after = (
        {
            one["AttributeName"]: one["AttributeType"]
            for one in each.get("Properties", {}).get("AttributeDefinitions", ())
        }
        for each in (old, new)
    )
    return [name for name, kind in before.items() if after.get(name, kind) != kind]


def _references(value: Any) -> Iterator[str]:
    """The logical ids that an expression of a template names."""
    if isinstance(value, Mapping):
        if "Ref" in value:
            yield value["Ref"]
        if "Fn::GetAtt" in value:
            yield value["Fn::GetAtt"][0]
        for inner in value.values():
            yield from _references(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _references(inner)


def withdrawn(deployed: Template, new: Template) -> list[str]:
    """The names of what the stack exports and would no longer."""
    before, after = (
        {output["Export"]["Name"] for output in each.get("Outputs", {}).values() if "Export" in output}
        for each in (deployed, new)
    )
    return sorted(before - after)


def importers(client: Any, export: str) -> list[str]:
    """The stacks that stand on an exported value. They change after the one that exports it. Raises ClientError."""
    try:
        pages = client.get_paginator("list_imports").paginate(ExportName=export)
        return [stack for page in pages for stack in page["Imports"]]
    except ClientError as error:
        if error.response["Error"]["Code"] == "ValidationError" and "not imported" in str(error):
            return []
        raise


def _halts(client: Any, stack: str, deployed: Template, new: Template) -> Iterator[str]:
    """The sentences for values that CloudFormation would not take back."""
    for export in withdrawn(deployed, new):
        if readers := importers(client, export):
            yield (
                f"{stack}: {export} would no longer be told, and {', '.join(readers)} would still import it, so that"
                " CloudFormation stops: keep it for this deployment with self.export_value(…) in the stack."
            )


def refused(found: Collection[Loss], allowed: Collection[str]) -> list[str]:
    """The sentences for whoever deploys; none where nothing is lost that is not allowed."""
    unknown = set(allowed) - {loss.name for loss in found}
    said = [f"{loss.stack}: {loss.says}" for loss in found if loss.name not in allowed]
    return said + [f"REPLACE names {name}, which this deployment does not lose." for name in sorted(unknown)]


def templates_of(folder: Path) -> dict[tuple[str, str | None], Template]:
    """The templates of a cloud assembly, by stack name and region, which is None where the shell or the profile says
    it. Raises FileNotFoundError where it was not synthesised.
    """
    manifest = folder / "manifest.json"
    if not manifest.is_file():
        raise FileNotFoundError(f"{folder} holds no templates: make synth ENV=… makes them")
    found = {}
    for name, artifact in json.loads(manifest.read_text("utf-8"))["artifacts"].items():
        if artifact["type"] == "aws:cloudformation:stack":
            told, region = artifact["properties"], artifact["environment"].rpartition("/")[2]
            stack = told.get("stackName", name), None if region == "unknown-region" else region
            found[stack] = json.loads((folder / told["templateFile"]).read_text("utf-8"))
    return found


def deployed(client: Any, stack: str) -> Template:
    """The stack's template as it stands on AWS; empty where there is no such stack. Raises ClientError."""
    try:
        body: Template = client.get_template(StackName=stack, TemplateStage="Original")["TemplateBody"]
    except ClientError as error:
        if error.response["Error"]["Code"] == "ValidationError" and "does not exist" in str(error):
            return {}
        raise
    return body


def main(arguments: list[str] | None = None) -> int:
    """The command. Answers the exit code."""
    parser = argparse.ArgumentParser(prog="python -m tools.guard", description=__doc__, allow_abbrev=False)
    parser.add_argument("--replace", action="append", default=[], help="a logical id that may be lost")
    parser.add_argument("--profile", help="as the CDK takes it; its other options mean nothing here")
    options, _ = parser.parse_known_args(arguments)
    try:
        # The CDK reads AWS_REGION; boto3 by itself reads AWS_DEFAULT_REGION alone.
        session = boto3.Session(profile_name=options.profile, region_name=os.environ.get("AWS_REGION"))
        found: list[Loss] = []
        halts: list[str] = []
        for (stack, region), template in templates_of(CDK_OUT).items():
            client = session.client("cloudformation", region)
            before = deployed(client, stack)
            found += losses(stack, before, template)
            halts += _halts(client, stack, before, template)
    except (OSError, BotoCoreError, ClientError) as failure:
        complain(f"The deployed templates could not be compared: {failure}")
        return 1
    sentences = [*refused(found, options.replace), *halts]
    for sentence in sentences:
        complain(sentence)
    if any(loss.name not in options.replace for loss in found):
        complain('Nothing was deployed. To lose it all the same, name it: REPLACE="<logical id> …"')
    if not sentences:
        say("Nothing that holds data would be lost" + (" but what REPLACE names." if found else "."))
    return 1 if sentences else 0


if __name__ == "__main__":
    sys.exit(main())
