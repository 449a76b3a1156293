"""A deployment that would lose what holds the shop's data is refused, in a sentence for each thing."""

import copy
import importlib.util
import json
from pathlib import Path
from types import SimpleNamespace

import boto3
import pytest
from botocore.stub import Stubber

from tools import guard
from tools.guard import CREATE_ONLY, STATEFUL, Loss, deployed, losses, refused, templates_of

STACK = "tradepost-prod-data"


def key(name, kind="HASH"):
    return {"AttributeName": name, "KeyType": kind}


DEPLOYED = {
    "Resources": {
        "Orders": {
            "Type": "AWS::DynamoDB::GlobalTable",
            "DeletionPolicy": "Retain",
            "Properties": {
                "KeySchema": [key("pk"), key("sk", "RANGE")],
                "AttributeDefinitions": [
                    {"AttributeName": "pk", "AttributeType": "S"},
                    {"AttributeName": "sk", "AttributeType": "S"},
                ],
                "BillingMode": "PAY_PER_REQUEST",
            },
        },
        "Media": {"Type": "AWS::S3::Bucket", "DeletionPolicy": "Delete", "Properties": {}},
        "People": {"Type": "AWS::Cognito::UserPool", "DeletionPolicy": "Retain"},
        "Payment": {
            "Type": "AWS::SecretsManager::Secret",
            "Properties": {"Description": "Stripe's keys", "GenerateSecretString": {"PasswordLength": 48}},
        },
        "Bus": {"Type": "AWS::Events::EventBus", "Properties": {"Name": "tradepost-prod-events"}},
        "Archive": {
            "Type": "AWS::Events::Archive",
            "Properties": {"ArchiveName": "events", "SourceArn": {"Fn::GetAtt": ["Bus", "Arn"]}},
        },
        "Key": {"Type": "AWS::KMS::Key", "Properties": {"Description": "a key"}},
        "Machine": {"Type": "AWS::StepFunctions::StateMachine", "Properties": {"StateMachineName": "checkout"}},
        "Alarm": {"Type": "AWS::CloudWatch::Alarm", "Properties": {"AlarmName": "one"}},
    }
}


@pytest.fixture
def new():
    return copy.deepcopy(DEPLOYED)


def lost(new) -> dict[str, str]:
    return {loss.name: loss.says for loss in losses(STACK, DEPLOYED, new)}


def test_the_same_again_loses_nothing(new):
    assert lost(new) == {}


def test_the_first_deployment_loses_nothing(new):
    assert list(losses(STACK, {}, new)) == []


@pytest.mark.parametrize("name", ["Orders", "Media", "People", "Payment", "Archive", "Key", "Machine"])
def test_what_holds_data_may_not_leave_the_template(new, name):
    del new["Resources"][name]
    assert list(lost(new)) == [name]


def test_the_sentence_tells_what_is_deleted_from_what_is_only_left_behind(new):
    del new["Resources"]["Media"], new["Resources"]["Orders"]
    assert "deleted with all that it holds" in lost(new)["Media"]
    assert "left behind" in lost(new)["Orders"]


def test_another_logical_id_is_another_empty_table(new):
    new["Resources"]["Orders2"] = new["Resources"].pop("Orders")
    assert list(lost(new)) == ["Orders"]


@pytest.mark.parametrize(("name", "field", "value"), [
    ("Orders", "KeySchema", [key("id")]),
    ("Orders", "TableName", "orders"),
    ("Media", "BucketName", "pictures"),
    ("Payment", "Name", "payment"),
    ("Archive", "ArchiveName", "all-events"),
    ("Machine", "StateMachineType", "EXPRESS"),
])  # fmt: skip
def test_a_property_that_cloudformation_can_only_create_replaces_the_resource(new, name, field, value):
    new["Resources"][name]["Properties"][field] = value
    assert list(lost(new)) == [name]
    assert field in lost(new)[name] and "replaced by an empty one" in lost(new)[name]


def test_a_key_attribute_of_another_type_replaces_the_table(new):
    new["Resources"]["Orders"]["Properties"]["AttributeDefinitions"][1]["AttributeType"] = "N"
    assert "the type of sk changed" in lost(new)["Orders"]


def test_a_new_index_replaces_nothing(new):
    properties = new["Resources"]["Orders"]["Properties"]
    properties["AttributeDefinitions"].append({"AttributeName": "email_key", "AttributeType": "S"})
    properties["GlobalSecondaryIndexes"] = [{"IndexName": "by_email", "KeySchema": [key("email_key")]}]
    assert lost(new) == {}


def test_the_archive_goes_with_the_bus_that_it_is_of(new):
    new["Resources"]["Bus"]["Properties"]["Name"] = "another"
    assert "Bus is replaced" in lost(new)["Archive"]


def test_a_secret_that_is_generated_again_loses_the_merchants_keys(new):
    new["Resources"]["Payment"]["Properties"]["GenerateSecretString"] = {"PasswordLength": 64}
    assert "written over" in lost(new)["Payment"]


def test_what_changes_in_place_is_free_to_change(new):
    new["Resources"]["Payment"]["Properties"]["Description"] = "Stripe's two keys"
    new["Resources"]["Orders"]["Properties"]["BillingMode"] = "PROVISIONED"
    new["Resources"]["Media"]["Properties"]["VersioningConfiguration"] = {"Status": "Enabled"}
    del new["Resources"]["Alarm"]
    assert lost(new) == {}


def test_another_type_under_the_same_name_is_a_replacement(new):
    new["Resources"]["Orders"]["Type"] = "AWS::DynamoDB::Table"
    assert "its type changed" in lost(new)["Orders"]


def test_only_what_is_named_may_be_lost():
    found = [Loss(STACK, "Orders", "the table Orders …"), Loss(STACK, "Media", "the bucket Media …")]
    assert refused(found, ["Orders", "Media"]) == []
    assert refused(found, ["Media"]) == [f"{STACK}: the table Orders …"]


def test_a_name_that_is_not_lost_is_a_mistake():
    assert refused([], ["Ordres"]) == ["REPLACE names Ordres, which this deployment does not lose."]


SCHEMAS = Path(str(importlib.util.find_spec("cfnlint").origin)).parent / "data" / "schemas" / "resources"


def test_the_lists_are_those_of_cloudformations_own_schemas():
    known = {}
    for path in SCHEMAS.glob("*.json"):
        schema = json.loads(path.read_text("utf-8"))
        if schema["typeName"] in CREATE_ONLY:
            paths = schema.get("createOnlyProperties", []) + schema.get("conditionalCreateOnlyProperties", [])
            known[schema["typeName"]] = {path.removeprefix("/properties/") for path in paths}
    assert known == {kind: set(fields) for kind, fields in CREATE_ONLY.items()}
    assert set(STATEFUL) <= set(CREATE_ONLY)


@pytest.fixture
def aws(monkeypatch):
    client = boto3.client("cloudformation", "us-east-1", aws_access_key_id="a", aws_secret_access_key="s")
    regions = []
    session = SimpleNamespace(client=lambda service, region: regions.append(region) or client)
    monkeypatch.setattr(guard.boto3, "Session", lambda **_: session)
    with Stubber(client) as stub:
        stub.client, stub.regions = client, regions
        yield stub


@pytest.fixture
def assembly(tmp_path, monkeypatch, new):
    """A folder as the CDK leaves it, with one stack whose template is `new`."""
    told = {"stackName": STACK, "templateFile": "data.json"}
    artifact = {"type": "aws:cloudformation:stack", "environment": "aws://1/eu-north-1", "properties": told}
    assets = {"type": "cdk:asset-manifest", "properties": {"file": "assets.json"}}
    manifest = {"version": "48.0.0", "artifacts": {"data": artifact, "data.assets": assets}}
    (tmp_path / "manifest.json").write_text(json.dumps(manifest), "utf-8")
    (tmp_path / "data.json").write_text(json.dumps(new), "utf-8")
    monkeypatch.setattr(guard, "CDK_OUT", tmp_path)
    return tmp_path


def test_a_stack_that_is_not_deployed_holds_nothing(aws):
    aws.add_client_error("get_template", "ValidationError", f"Stack with id {STACK} does not exist")
    assert deployed(aws.client, STACK) == {}


def test_the_command_refuses_and_says_how_to_go_on_all_the_same(aws, assembly, capsys):
    before = {"Resources": {**DEPLOYED["Resources"], "Carts": DEPLOYED["Resources"]["Orders"]}}
    aws.add_response("get_template", {"TemplateBody": json.dumps(before)})
    assert guard.main([]) == 1
    said = capsys.readouterr().err
    assert "the table Carts" in said and 'REPLACE="' in said

    aws.add_response("get_template", {"TemplateBody": json.dumps(before)})
    assert guard.main(["--replace", "Carts"]) == 0


def test_the_command_lets_a_harmless_change_through(aws, assembly, capsys):
    aws.add_response("get_template", {"TemplateBody": json.dumps(DEPLOYED)})
    assert guard.main(["--all", "--require-approval", "never"]) == 0
    assert "Nothing that holds data would be lost." in capsys.readouterr().out


def telling(*names):
    """The deployed template, which exports these."""
    return DEPLOYED | {"Outputs": {f"Told{number}": {"Export": {"Name": name}} for number, name in enumerate(names)}}


def test_a_value_that_others_still_import_is_not_taken_back(aws, assembly, capsys):
    aws.add_response("get_template", {"TemplateBody": json.dumps(telling("url", "unread"))})
    none = "Export 'unread' is not imported by any stack."
    aws.add_client_error("list_imports", "ValidationError", none, expected_params={"ExportName": "unread"})
    readers = {"Imports": ["tradepost-prod-api", "tradepost-prod-events"]}
    aws.add_response("list_imports", readers, {"ExportName": "url"})

    assert guard.main([]) == 1
    said = capsys.readouterr().err
    assert "tradepost-prod-api, tradepost-prod-events" in said and "url" in said
    assert "unread" not in said


def test_a_value_that_is_told_as_before_is_nobodys_matter(aws, assembly, new):
    (assembly / "data.json").write_text(json.dumps(telling("url", "another")), "utf-8")
    aws.add_response("get_template", {"TemplateBody": json.dumps(telling("url"))})
    assert guard.main([]) == 0


def test_a_template_that_may_not_be_read_stops_the_deployment(aws, assembly, capsys):
    aws.add_client_error("get_template", "AccessDenied", "not authorized to perform: cloudformation:GetTemplate")
    assert guard.main([]) == 1
    assert "cloudformation:GetTemplate" in capsys.readouterr().err


@pytest.mark.parametrize(("named", "asked"), [("eu-north-1", "eu-north-1"), ("unknown-region", None)])
def test_each_stack_is_compared_with_that_of_its_own_region(aws, assembly, named, asked):
    manifest = assembly / "manifest.json"
    manifest.write_text(manifest.read_text("utf-8").replace("eu-north-1", named), "utf-8")
    aws.add_response("get_template", {"TemplateBody": json.dumps(DEPLOYED)})
    assert guard.main([]) == 0
    assert aws.regions == [asked]


def test_templates_that_were_not_synthesised_are_asked_for(tmp_path):
    with pytest.raises(FileNotFoundError, match="make synth"):
        templates_of(tmp_path)
