"""Real `cdk bootstrap` and `cdk deploy` onto the local AWS, left out where nothing changed since the last."""

import hashlib
import re
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path

from botocore.exceptions import ClientError

from tools.local.instance import REGION, ROOT, Instance
from tools.local.memory import recall, remember
from tools.local.steps import Step, Stop

ACCOUNT = "000000000000"
CDK = ROOT / "node_modules" / ".bin" / "cdk"

_SOURCES = (
    "app.py",
    "cdk.json",
    "config",
    "docs/api.html",
    "docs/openapi.json",
    "emails",
    "functions",
    "layers/commerce",
    "layers/runtime/requirements.txt",
    "package-lock.json",
    "requirements/dev.txt",
    "stacks",
    "statemachines",
    "tools/build",
)
"""What a deployment is made from."""


def context(instance: Instance, *, stripe: bool) -> dict[str, str]:
    """What the CDK app must know of this instance. `stripe`: payments go to Stripe itself, not to the double."""
    known = {"environment": "local", "url": instance.url, "carrier_api_base": instance.carrier_url}
    return known if stripe else known | {"stripe_api_base": instance.stripe_url}


def digest(settings: Mapping[str, str]) -> str:
    """Stands for the content of all sources and for the context."""
    total = hashlib.sha256(repr(sorted(settings.items())).encode())
    for path in _files():
        total.update(str(path.relative_to(ROOT)).encode() + b"\0" + hashlib.sha256(path.read_bytes()).digest())
    return total.hexdigest()


def _files() -> Iterator[Path]:
    for name in _SOURCES:
        source = ROOT / name
        found = sorted(source.rglob("*")) if source.is_dir() else [source]
        yield from (path for path in found if path.is_file() and "__pycache__" not in path.parts)


def bootstrapped(instance: Instance) -> bool:
    """Whether the local AWS has the CDK's toolkit stack."""
    try:
        stacks = instance.client("cloudformation").describe_stacks(StackName="CDKToolkit")["Stacks"]
    except ClientError:
        return False
    return bool(stacks) and stacks[0]["StackStatus"].endswith("_COMPLETE")


def bootstrap(instance: Instance, step: Step) -> None:
    """`cdk bootstrap`."""
    _cdk(instance, step, ["bootstrap", f"aws://{ACCOUNT}/{REGION}", "--app", "", "--toolkit-stack-name", "CDKToolkit"])


def deployed(instance: Instance) -> str | None:
    """The digest of what was deployed last, or None."""
    return recall(instance, "deployed-from") if instance.outputs_file.is_file() else None


def deploy(instance: Instance, step: Step, settings: Mapping[str, str]) -> None:
    """`cdk deploy --all`. CloudFormation itself leaves out the stacks that did not change."""
    made_from = digest(settings)
    command = ["deploy", "--all", "--require-approval", "never", "--concurrency", "4", "--progress", "events"]
    command += ["--method", "direct", "--output", str(instance.folder / "cdk.out")]
    command += ["--outputs-file", str(instance.outputs_file)]
    command += [f"--context={name}={value}" for name, value in settings.items()]
    _cdk(instance, step, command)
    remember(instance, "deployed-from", made_from)


def _cdk(instance: Instance, step: Step, arguments: list[str]) -> None:
    """Runs the CDK, shows what it is at, and keeps all it says in the instance's log."""
    log = instance.log("cdk")
    log.parent.mkdir(parents=True, exist_ok=True)
    running = subprocess.Popen(
        [str(CDK), *arguments, "--no-color", "--no-notices"],
        cwd=ROOT,
        env=instance.environment() | {"JSII_NODE": str(ROOT / ".venv" / "bin" / "node")},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert running.stdout is not None
    said: list[str] = []
    try:
        with log.open("w") as output:
            for line in running.stdout:
                output.write(line)
                output.flush()
                if line.strip():
                    said.append(line.strip())
                    step.note = _at(line) or step.note
    finally:
        if running.poll() is None:
            running.terminate()
        running.wait()
    if running.returncode:
        raise Stop(f"cdk {arguments[0]} failed: {_why(said)} (all of it: {log.relative_to(ROOT)})")
    step.note = ""


def _at(line: str) -> str | None:
    """The stack and resource that a line tells of."""
    told = re.match(r"(tradepost-local-)?([\w-]+) \|\s+(\d+/\d+|\d+) \|.*\| (\w+)\s+\| (\S+)", line.strip())
    return f"{told[2]} {told[3]} {told[5]}" if told else None


def _why(said: list[str]) -> str:
    telling = [line for line in said if re.search(r"❌|_FAILED|[Ee]rror|failed", line)]
    return (telling or said or ["it said nothing"])[0][:400]
