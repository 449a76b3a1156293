"""The mends of the local AWS, each by what a shop sees of it. An upgrade of ministack that moves one fails here."""

import json
import signal
import subprocess
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from builders.local_aws import ROLE, LocalAws, zipped
from tools.demo.watch import until
from tools.local.shop import ATHENA, LAUNCHER, MINISTACK


@pytest.fixture(scope="module")
def aws(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalAws]:
    with LocalAws(tmp_path_factory.mktemp("aws")) as made:
        yield made


def test_a_functions_exception_keeps_its_name_and_its_instance_lives_on(aws: LocalAws) -> None:
    aws.function(
        "raises",
        """
        calls = 0
        class OutOfStock(Exception): pass
        def handler(event, context):
            global calls
            calls += 1
            raise OutOfStock(f"call {calls}")
        """,
    )

    first, second = aws.invoke("raises"), aws.invoke("raises")

    assert (first["errorType"], first["errorMessage"]) == ("OutOfStock", "call 1")
    assert second["errorMessage"] == "call 2"


def test_instances_of_functions_share_an_unpacked_layer(aws: LocalAws) -> None:
    layer = aws.client("lambda").publish_layer_version(
        LayerName="shared", Content={"ZipFile": zipped({"python/shared_thing.py": "PLACE = __file__"})}
    )
    source = """
        import os, shared_thing
        def handler(event, context): return os.path.realpath(shared_thing.PLACE)
        """
    for name in ("one", "another"):
        aws.function(name, source, Layers=[layer["LayerVersionArn"]])

    assert aws.invoke("one") == aws.invoke("another")


def test_a_function_finds_none_of_the_packages_that_the_local_aws_borrows(aws: LocalAws) -> None:
    aws.function(
        "bare",
        """
        import importlib.util
        def handler(event, context):
            return [name for name in ("cryptography", "pydantic", "stripe") if importlib.util.find_spec(name)]
        """,
    )

    assert aws.invoke("bare") == []


def test_every_invocation_is_counted(aws: LocalAws) -> None:
    aws.function("counted", "def handler(event, context): return 1")

    for _ in range(3):
        aws.invoke("counted")

    until("three invocations", lambda: json.loads(aws.meter.read_text())["invocations"].get("counted") == 3)


def a_machine_that_waits(aws: LocalAws, name: str, queue: str) -> str:
    """The ARN of a state machine whose one state puts its token into the queue."""
    wait = {
        "Type": "Task",
        "Resource": "arn:aws:states:::aws-sdk:sqs:sendMessage.waitForTaskToken",
        "Arguments": {"QueueUrl": queue, "MessageBody": "{% $states.context.Task.Token %}"},
        "End": True,
    }
    definition = json.dumps({"QueryLanguage": "JSONata", "StartAt": "Wait", "States": {"Wait": wait}})
    made = aws.client("stepfunctions").create_state_machine(name=name, definition=definition, roleArn=ROLE)
    arn: str = made["stateMachineArn"]
    return arn


def received(aws: LocalAws, queue: str) -> str | None:
    """The next message's text, taken out of the queue."""
    messages = aws.client("sqs").receive_message(QueueUrl=queue).get("Messages", [])
    for message in messages:
        aws.client("sqs").delete_message(QueueUrl=queue, ReceiptHandle=message["ReceiptHandle"])
    return messages[0]["Body"] if messages else None


def test_an_execution_that_waits_when_the_shop_is_stopped_waits_again_after_the_start(aws: LocalAws) -> None:
    queue = aws.client("sqs").create_queue(QueueName="waiting")["QueueUrl"]
    machine = a_machine_that_waits(aws, "waits", queue)
    run = aws.client("stepfunctions").start_execution(stateMachineArn=machine, name="order")

    def token() -> str | None:
        return received(aws, queue)

    def status() -> str:
        answer: str = aws.client("stepfunctions").describe_execution(executionArn=run["executionArn"])["status"]
        return answer

    until("the first token", token)

    aws.stop()
    aws.start()

    assert status() == "RUNNING"
    aws.client("stepfunctions").send_task_success(taskToken=until("a new token", token), output="{}")
    until("the execution's end", lambda: status() == "SUCCEEDED")


@pytest.fixture
def strict(tmp_path: Path) -> Iterator[LocalAws]:
    with LocalAws(tmp_path, enforces=True) as made:
        yield made


def policy(**statement: Any) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", **statement}]})


def allowed(aws: LocalAws, action: str, resource: str) -> dict[str, str]:
    """The keys of somebody who may do this and nothing else."""
    name = action.replace(":", "-")
    iam = aws.client("iam")
    iam.create_user(UserName=name)
    iam.put_user_policy(UserName=name, PolicyName="only", PolicyDocument=policy(Action=action, Resource=resource))
    key = iam.create_access_key(UserName=name)["AccessKey"]
    return {"aws_access_key_id": key["AccessKeyId"], "aws_secret_access_key": key["SecretAccessKey"]}


def test_mail_is_sent_only_by_who_may_use_the_senders_identity(strict: LocalAws) -> None:
    for domain in ("shop.example", "bank.example"):
        strict.client("sesv2").create_email_identity(EmailIdentity=domain)
    keys = allowed(strict, "ses:SendEmail", "arn:aws:ses:us-east-1:000000000000:identity/shop.example")
    mail = strict.client("sesv2", **keys)
    text = {"Simple": {"Subject": {"Data": "Hello"}, "Body": {"Text": {"Data": "Hello"}}}}
    letter = {"Destination": {"ToAddresses": ["ada@example.com"]}, "Content": text}

    mail.send_email(FromEmailAddress="The shop <orders@shop.example>", **letter)

    with pytest.raises(ClientError, match="not authorized"):
        mail.send_email(FromEmailAddress="orders@bank.example", **letter)


def test_a_state_is_woken_only_by_who_may_use_its_state_machine(strict: LocalAws) -> None:
    queue = strict.client("sqs").create_queue(QueueName="tokens")["QueueUrl"]
    steps, iam = strict.client("stepfunctions"), strict.client("iam")
    trust = policy(Action="sts:AssumeRole", Principal={"Service": "states.amazonaws.com"})
    iam.create_role(RoleName=ROLE.rpartition("/")[2], AssumeRolePolicyDocument=trust)
    iam.put_role_policy(
        RoleName=ROLE.rpartition("/")[2],
        PolicyName="queues",
        PolicyDocument=policy(Action="sqs:SendMessage", Resource="*"),
    )
    machines = {name: a_machine_that_waits(strict, name, queue) for name in ("own", "foreign")}
    waker = strict.client("stepfunctions", **allowed(strict, "states:SendTaskSuccess", machines["own"]))

    def waits(name: str) -> str:
        steps.start_execution(stateMachineArn=machines[name], name="order")
        token: str = until(f"the token of {name}", lambda: received(strict, queue))
        return token

    waker.send_task_success(taskToken=waits("own"), output="{}")

    with pytest.raises(ClientError, match="not authorized"):
        waker.send_task_success(taskToken=waits("foreign"), output="{}")


def test_changes_from_before_a_stop_and_after_the_start_both_reach_the_function(aws: LocalAws) -> None:
    table = aws.client("dynamodb").create_table(
        TableName="outbox",
        KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "pk", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
        StreamSpecification={"StreamEnabled": True, "StreamViewType": "NEW_IMAGE"},
    )["TableDescription"]
    queue = aws.client("sqs").create_queue(QueueName="relayed")["QueueUrl"]
    aws.function(
        "relay",
        f"""
        import botocore.session
        sqs = botocore.session.get_session().create_client("sqs", region_name="us-east-1")
        def handler(event, context):
            for record in event["Records"]:
                key = record["dynamodb"]["Keys"]["pk"]["S"]
                sqs.send_message(QueueUrl={queue!r}, MessageBody=key)
        """,
        Timeout=30,
    )
    aws.client("lambda").create_event_source_mapping(
        EventSourceArn=table["LatestStreamArn"], FunctionName="relay", StartingPosition="TRIM_HORIZON", BatchSize=10
    )
    relayed: list[str] = []

    def put(key: str) -> None:
        aws.client("dynamodb").put_item(TableName="outbox", Item={"pk": {"S": key}})

    def has(key: str) -> bool:
        for message in aws.client("sqs").receive_message(QueueUrl=queue, MaxNumberOfMessages=10).get("Messages", []):
            aws.client("sqs").delete_message(QueueUrl=queue, ReceiptHandle=message["ReceiptHandle"])
            relayed.append(message["Body"])
        return key in relayed

    for number in range(5):
        put(f"early {number}")
    until("a change before the stop", lambda: has("early 4"))

    put("at the last moment")
    aws.stop()
    aws.start()
    put("after the start")

    until("a change made right before the stop", lambda: has("at the last moment"))
    until("a change after the start", lambda: has("after the start"))
    assert relayed.count("early 0") == 1, "nothing is delivered anew"


def test_the_mailbox_keeps_its_emails_over_a_restart(aws: LocalAws) -> None:
    aws.client("ses").verify_email_identity(EmailAddress="shop@example.com")
    aws.client("ses").send_email(
        Source="shop@example.com",
        Destination={"ToAddresses": ["ada@example.com"]},
        Message={"Subject": {"Data": "Your order is confirmed"}, "Body": {"Text": {"Data": "Thank you."}}},
    )

    aws.stop()
    aws.start()

    with urllib.request.urlopen(f"{aws.url}/_ministack/ses/messages", timeout=5) as answer:
        assert "Your order is confirmed" in answer.read().decode()


@pytest.mark.parametrize("moved", ["_real_stdout", "first_line_wait"])
def test_an_upgrade_that_moves_what_is_mended_is_refused_at_the_start(aws: LocalAws, moved: str) -> None:
    script = f"""
import sys, runpy
from ministack.core import lambda_runtime
if {moved!r} == "_real_stdout":
    lambda_runtime._PYTHON_WORKER_SCRIPT = "another worker"
else:
    lambda_runtime.Worker._drain_stderr_bounded.__defaults__ = (1, 2, 3)
sys.argv = ["launcher", "--meter", "m.json", "--packages", {str(aws.packages)!r}, "--athena", {str(ATHENA)!r}]
runpy.run_path({str(LAUNCHER)!r}, run_name="__main__")
"""

    ran = subprocess.run([MINISTACK, "-P", "-c", script], capture_output=True, text=True, check=False, timeout=60)

    assert ran.returncode == 1
    assert "ministack changed" in ran.stderr


def test_a_crash_loses_nothing_that_was_saved_before(aws: LocalAws) -> None:
    assert aws.process is not None
    aws.client("ssm").put_parameter(Name="/known", Value="before", Type="String")
    aws.process.send_signal(signal.SIGUSR1)
    saved = aws.folder / "state" / "ssm.json"
    until("the saved state", lambda: saved.exists() and "/known" in saved.read_text())

    aws.process.kill()
    aws.process.wait()
    aws.start()

    assert aws.client("ssm").get_parameter(Name="/known")["Parameter"]["Value"] == "before"


def test_athena_answers_with_the_columns_of_the_table_and_functions_do_not_see_its_engine(aws: LocalAws) -> None:
    aws.client("s3").create_bucket(Bucket="lake")
    aws.client("s3").put_object(
        Bucket="lake",
        Key="events/day=2026-11-22/1",
        Body=b'{"occurred_at":"2026-11-22T08:00:00.000Z","lines":[{"sku":"MUG","quantity":2}]}\n',
    )
    aws.client("glue").create_database(DatabaseInput={"Name": "shop"})
    columns = {"occurred_at": "string", "lines": "array<struct<sku:string,quantity:bigint>>", "never_seen": "bigint"}
    aws.client("glue").create_table(
        DatabaseName="shop",
        TableInput={
            "Name": "events",
            "Parameters": {"classification": "json"},
            "PartitionKeys": [{"Name": "day", "Type": "string"}],
            "StorageDescriptor": {
                "Location": "s3://lake/events/",
                "Columns": [{"Name": name, "Type": kind} for name, kind in columns.items()],
            },
        },
    )
    aws.function(
        "looks",
        """
        import importlib.util
        def handler(event, context): return importlib.util.find_spec("duckdb") is not None
        """,
    )

    athena = aws.client("athena")
    query = athena.start_query_execution(
        QueryString="SELECT day, substr(occurred_at, 1, 10), lines[1].sku, never_seen, 0.5 * length(day) FROM events",
        QueryExecutionContext={"Database": "shop"},
        ResultConfiguration={"OutputLocation": "s3://lake/answers/"},
    )
    until("the answer", lambda: _ended(athena, query["QueryExecutionId"]))
    rows = athena.get_query_results(QueryExecutionId=query["QueryExecutionId"])["ResultSet"]["Rows"]

    told = [cell.get("VarCharValue") for cell in rows[1]["Data"]]
    assert told == ["2026-11-22", "2026-11-22", "MUG", None, "5.0"]
    assert aws.invoke("looks") is False

    aws.stop()
    aws.start()
    kept = aws.client("athena").get_query_execution(QueryExecutionId=query["QueryExecutionId"])
    assert kept["QueryExecution"]["Status"]["State"] == "SUCCEEDED", "what Athena knows survives a restart"


def _ended(athena: Any, query_id: str) -> bool:
    state = athena.get_query_execution(QueryExecutionId=query_id)["QueryExecution"]["Status"]["State"]
    assert state != "FAILED"
    return bool(state == "SUCCEEDED")
