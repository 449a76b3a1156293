"""Brings a local shop up, step by step, and down again. Each step looks first whether it is done already."""

import functools
import json
import os
import secrets
import shutil
import subprocess
import sys
import urllib.parse
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import httpx

from tools.build import layers
from tools.local import deployment, staff
from tools.local.calls import LOCAL
from tools.local.instance import HOST, ROOT, Instance
from tools.local.lock import alone
from tools.local.memory import recall, remember
from tools.local.process import Process
from tools.local.steps import Stop, say, step

MINISTACK = ROOT / ".local" / "ministack-venv" / "bin" / "python"
ATHENA = ROOT / ".local" / "athena"
LAUNCHER = ROOT / "tools" / "local" / "ministack_launcher.py"
_AWS_SOURCES = (
    *(LAUNCHER.with_name(f"{name}.py") for name in ("ministack_launcher", "meter", "athena")),
    *(ROOT / "requirements" / f"{name}.txt" for name in ("ministack", "athena")),
)
_FRONT_SOURCES = tuple(ROOT / "tools" / "local" / f"{name}.py" for name in ("front", "mailbox", "calls", "instance"))
CATALOGUE = ROOT / "demo" / "products.csv"
PLAY_KEY = "sk_test_laptop"
"""What the Stripe double takes for an API key."""


def processes(instance: Instance) -> dict[str, Process]:
    """Everything that runs for a shop, in the order in which it is started."""
    return {
        "aws": Process(instance, "aws", "the local AWS"),
        "stripe": Process(instance, "stripe", "the Stripe double"),
        "carrier": Process(instance, "carrier", "the carrier double"),
        "front": Process(instance, "front", "the shop's address"),
    }


def up(instance: Instance) -> None:
    """A running shop with a catalogue. Raises Stop with what to do, if that cannot be."""
    key = os.environ.get("STRIPE_API_KEY")
    with _alone(instance):
        run = processes(instance)
        instance.keep_ports()
        wanted = [process for name, process in run.items() if not (key and name == "stripe")]
        for process in wanted:
            if process.pid is None:
                process.claim_port()
        packages = layers.build("local") / "identity" / "python"
        _start_aws(run["aws"], packages)
        _start_doubles(run, with_stripe=not key)
        _deploy(instance, with_stripe=bool(key))
        _connect(instance, key)
        _start_front(run["front"])
        _import_catalogue(instance)
        run["aws"].save()
    _tell(instance, with_stripe=bool(key))


def _alone(instance: Instance) -> AbstractContextManager[None]:
    return alone(instance.folder / "lock", "starting or stopping this shop", patient=False)


def _start_aws(aws: Process, packages: Path) -> None:
    instance = aws.instance
    scratch = instance.folder / "scratch"
    if aws.pid is None:
        shutil.rmtree(scratch, ignore_errors=True)
        if not any((instance.state / "aws").glob("*.json")):
            # It ended before it ever wrote its state down: buckets that nothing knows of would be in the way.
            shutil.rmtree(instance.state / "s3", ignore_errors=True)
    for folder in (scratch, instance.state / "aws", instance.state / "s3"):
        folder.mkdir(parents=True, exist_ok=True)
    # Functions inherit this environment, so it holds nothing of the developer's own.
    environment = {
        "PATH": os.defpath,
        "HOME": str(scratch),
        "TMPDIR": str(scratch),
        "LANG": "C.UTF-8",
        "BIND_HOST": HOST,
        "GATEWAY_PORT": str(aws.port),
        "AUTH": "true",
        "PERSIST_STATE": "1",
        "STATE_DIR": str(instance.state / "aws"),
        "S3_PERSIST": "1",
        "S3_DATA_DIR": str(instance.state / "s3"),
        "SFTP_ENABLED": "0",
        "IOT_MTLS_ENABLED": "0",
        "LAMBDA_WARM_TTL_SECONDS": "120",
        "LOG_LEVEL": "WARNING",
    }
    command = [str(MINISTACK), "-P", str(LAUNCHER), "--meter", str(instance.meter_file)]
    command += ["--packages", str(packages), "--athena", str(ATHENA)]
    with step("The local AWS"):
        aws.start(command, environment, lambda: _answers(f"{instance.aws_url}/_ministack/ready"), _AWS_SOURCES)


def _start_doubles(run: dict[str, Process], *, with_stripe: bool) -> None:
    names = ("stripe", "carrier") if with_stripe else ("carrier",)
    if not with_stripe:
        run["stripe"].stop()
    with step("The doubles of " + " and ".join(names)):
        for name in names:
            double = run[name]
            state = double.instance.state / f"{name}.sqlite"
            command = [sys.executable, "-m", f"tools.doubles.{name}", "--port", str(double.port), "--state", str(state)]
            double.start(command, _clean(), functools.partial(_listens, double), [ROOT / "tools" / "doubles"])


def _start_front(front: Process) -> None:
    with step("The shop's address"):
        command = [sys.executable, "-m", "tools.local.front", "--instance", front.instance.name]
        front.start(command, front.instance.environment(_clean()), lambda: _listens(front), _FRONT_SOURCES)


def _clean() -> dict[str, str]:
    """The same from whatever terminal it is started: a process is started anew when its environment changes."""
    return {"PATH": os.defpath, "LANG": "C.UTF-8", "PYTHONUNBUFFERED": "1"}


def _deploy(instance: Instance, *, with_stripe: bool) -> None:
    settings = deployment.context(instance, stripe=with_stripe)
    if not deployment.bootstrapped(instance):
        with step("cdk bootstrap") as current:
            deployment.bootstrap(instance, current)
    if deployment.deployed(instance) == deployment.digest(settings):
        return
    with step("cdk deploy") as current:
        deployment.deploy(instance, current, settings)


def _connect(instance: Instance, key: str | None) -> None:
    """Gives the shop its keys, tells the outside where to call back, and lets people in."""
    with step("Keys, webhooks and people"):
        _connect_payments(instance, key)
        _connect_carrier(instance)
        staff.settle(instance)


def _connect_payments(instance: Instance, key: str | None) -> None:
    if key:
        signing = os.environ.get("STRIPE_WEBHOOK_SECRET", "")
        _put_secret(instance, "PaymentSecretArn", {"api_key": key, "webhook_secret": signing})
        return
    url = f"{instance.url}/webhooks/stripe"
    endpoints = f"{instance.stripe_url}/v1/webhook_endpoints"
    known = [endpoint for endpoint in _ask("GET", endpoints)["data"] if endpoint["url"] == url]
    if known and _secret(instance, "PaymentSecretArn").get("api_key") == PLAY_KEY:
        return
    for endpoint in known:
        _ask("DELETE", f"{endpoints}/{endpoint['id']}")
    from commerce.payments.gateway import EVENT_TYPES  # with Stripe's client, which nobody else need wait for

    wanted = urllib.parse.urlencode({"url": url, "enabled_events[]": EVENT_TYPES}, doseq=True)
    made = _ask("POST", endpoints, wanted.encode())
    _put_secret(instance, "PaymentSecretArn", {"api_key": PLAY_KEY, "webhook_secret": made["secret"]})


def _connect_carrier(instance: Instance) -> None:
    url = f"{instance.url}/webhooks/carrier"
    webhooks = f"{instance.carrier_url}/v2/webhooks"
    known = [webhook for webhook in _ask("GET", webhooks)["webhooks"] if webhook["url"] == url]
    if known and _secret(instance, "CarrierSecretArn").get("api_key") == PLAY_KEY:
        return
    for webhook in known:
        _ask("DELETE", f"{webhooks}/{webhook['id']}")
    signing = secrets.token_urlsafe(24)
    _ask("POST", webhooks, json.dumps({"webhook": {"url": url, "webhook_secret": signing}}).encode())
    _put_secret(instance, "CarrierSecretArn", {"api_key": PLAY_KEY, "webhook_secret": signing})


def _secret(instance: Instance, output: str) -> dict[str, str]:
    text = instance.client("secretsmanager").get_secret_value(SecretId=instance.output(output))["SecretString"]
    fields: dict[str, str] = json.loads(text)
    return fields


def _put_secret(instance: Instance, output: str, fields: dict[str, str]) -> None:
    vault = instance.client("secretsmanager")
    vault.put_secret_value(SecretId=instance.output(output), SecretString=json.dumps(fields))


def _import_catalogue(instance: Instance) -> None:
    """The demo catalogue, once: what a merchant makes of it afterwards stays."""
    if recall(instance, "catalogue"):
        return
    with step("The demo catalogue"):
        log = instance.log("import")
        with log.open("w") as output:
            done = subprocess.run(
                [sys.executable, "-m", "tools.importer", str(CATALOGUE)],
                cwd=ROOT,
                env=instance.environment(),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                check=False,
            )
        if done.returncode:
            raise Stop(f"The demo catalogue could not be imported; see {log.relative_to(ROOT)}")
        remember(instance, "catalogue", CATALOGUE.name)


def _tell(instance: Instance, *, with_stripe: bool) -> None:
    say(f"""
  The shop is open.
    API            {instance.url}
    Documentation  {instance.url}/docs
    Mailbox        {instance.url}/mailbox
    Staff          {instance.command("token")} GROUP=admin    (or catalogue, warehouse, support)
    Buy something  {instance.command("demo")}
    Stop           {instance.command("down")}    (the data stays; {instance.command("reset")} deletes it)
""")
    if with_stripe:
        say(
            "  Payments go to Stripe. It cannot call a laptop: forward its events with\n"
            f"    stripe listen --forward-to {instance.url}/webhooks/stripe\n"
            "  and start again with the secret it prints: STRIPE_WEBHOOK_SECRET=whsec_… make up\n"
        )


def down(instance: Instance) -> None:
    """Stops the shop; what it knows is kept."""
    with _alone(instance):
        stopped = []
        for process in reversed(processes(instance).values()):
            if process.pid is not None:
                with step(f"Stopping {process.title}"):
                    process.stop()
                stopped.append(process)
    say("  The shop is closed. Its data is kept." if stopped else "  Nothing was running.")


def reset(instance: Instance) -> None:
    """Deletes the shop with all its data."""
    with _alone(instance):
        for process in reversed(processes(instance).values()):
            process.kill()
        for path in instance.folder.iterdir():
            if path.name == "lock":
                continue
            if path.is_dir():
                shutil.rmtree(path)
            else:
                path.unlink()
    say(f"  The shop {instance.name!r} is gone. {instance.command('up')} makes a new one.")


def status(instance: Instance) -> bool:
    """Shows what runs. True if the shop is whole."""
    run = processes(instance)
    answering = {name for name, process in run.items() if process.pid is not None and _listens(process)}
    for name, process in run.items():
        state = "answers" if name in answering else "does not answer" if process.pid else "does not run"
        of = f"process {process.pid}, " if process.pid else ""
        say(f"  {process.title:20} http://{HOST}:{process.port}   {of}{state}")
    whole = False
    if "aws" in answering:
        current = deployment.deployed(instance)
        with_double, with_stripe = (
            deployment.digest(deployment.context(instance, stripe=stripe)) for stripe in (False, True)
        )
        fresh = current in (with_double, with_stripe)
        say(f"  {'deployed':20} {'nothing' if current is None else 'these sources' if fresh else 'older sources'}")
        whole = fresh and answering | ({"stripe"} if current == with_stripe else set()) == run.keys()
    say(f"  {'open' if whole else instance.command('up') + ' makes it whole'}")
    return whole


def _listens(process: Process) -> bool:
    """Whether anything at all is answered over HTTP."""
    try:
        LOCAL.get(f"http://{HOST}:{process.port}/mailbox", timeout=5)
    except httpx.TransportError:
        return False
    return True


def _answers(url: str) -> bool:
    try:
        answer = LOCAL.get(url, timeout=5)
    except httpx.TransportError:
        return False
    if answer.status_code == 503:
        return False
    answer.raise_for_status()
    return True


def _ask(method: str, url: str, body: bytes | None = None) -> Any:
    """A call of a double's API."""
    answer = LOCAL.request(method, url, content=body, headers={"Authorization": f"Bearer {PLAY_KEY}"}, timeout=10)
    return json.loads(answer.raise_for_status().content or b"{}")
