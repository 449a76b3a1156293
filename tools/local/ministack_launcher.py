"""Starts the local AWS (ministack 1.5.33) with a few mends. Runs in ministack's own environment: standard library only.

Each mend first makes sure that what it changes is still there as it was, so that an upgrade of ministack fails here,
loudly, and not somewhere in an order.
"""

import argparse
import contextlib
import contextvars
import copy
import email.utils
import functools
import importlib
import importlib.util
import json
import os
import shutil
import signal
import sys
import tempfile
import threading
import types
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ministack import app
from ministack.core import iam_actions, lambda_runtime
from ministack.core.responses import set_request_account_id, set_request_region
from ministack.services import dynamodb, lambda_svc, ses, stepfunctions


def expect(true: bool, what: str) -> None:
    """Stops the start when ministack is no longer what a mend was written for."""
    if not true:
        sys.exit(f"ministack changed: {what}. Look at tools/local/ministack_launcher.py before upgrading")


RAISED = "__raised__"
_REPORTS_ANY_ERROR = (
    '_real_stdout.write(json.dumps({"status": "error", "error": str(e), "trace": traceback.format_exc()}) + "\\n")'
)
_REPORTS_ITS_NAME = (
    "traceback.print_exc(); "
    '_real_stdout.write(json.dumps({"status": "ok", "result": {"' + RAISED + '": {'
    '"errorMessage": str(e), "errorType": type(e).__name__, "requestId": context.aws_request_id, '
    '"stackTrace": traceback.format_tb(e.__traceback__)[1:]}}}) + "\\n")'
)


def name_errors() -> None:
    """A function's exception keeps its own name, and the function instance lives on, as on AWS.

    Unmended, every error is called Runtime.HandlerError, and the next call pays a cold start.
    """
    script = lambda_runtime._PYTHON_WORKER_SCRIPT
    expect(script.count(_REPORTS_ANY_ERROR) == 1, "its Python worker reports errors in another way")
    lambda_runtime._PYTHON_WORKER_SCRIPT = script.replace(_REPORTS_ANY_ERROR, _REPORTS_ITS_NAME)
    execute = lambda_svc._execute_function_warm

    @functools.wraps(execute)
    def executed(*args: Any, **named: Any) -> dict[str, Any]:
        answer: dict[str, Any] = execute(*args, **named)
        body = answer.get("body")
        if isinstance(body, dict) and RAISED in body:
            return {**answer, "body": body[RAISED], "error": True}
        return answer

    lambda_svc._execute_function_warm = executed


def answer_at_once() -> None:
    """A call that logged nothing is answered after 3 ms of silence, not after 50."""
    drain = lambda_runtime.Worker._drain_stderr_bounded
    expect(drain.__defaults__ == (0.050, 0.005, 0.250), "it waits for logs in another way")
    drain.__defaults__ = (0.003, 0.002, 0.250)


_unpacking = threading.Lock()


class _KnownZip(zipfile.ZipFile):
    """A layer is unpacked once; the next function instance gets a link to it."""

    @functools.cached_property
    def _known(self) -> Path:
        content = hash(tuple((entry.filename, entry.CRC, entry.file_size) for entry in self.infolist()))
        return Path(tempfile.gettempdir()) / "layers" / f"{content & (1 << 64) - 1:x}"

    def namelist(self) -> list[str]:
        """Whoever unpacks looks at every name first; those of a known layer were looked at."""
        return [] if self._known.is_dir() else super().namelist()

    def extractall(self, path: Any = None, members: Any = None, pwd: Any = None) -> None:
        if not Path(path).name.startswith("layer_"):
            super().extractall(path, members, pwd)
            return
        with _unpacking:
            if not self._known.is_dir():
                draft = self._known.with_suffix(".draft")
                shutil.rmtree(draft, ignore_errors=True)
                super().extractall(draft, members, pwd)
                draft.rename(self._known)
        Path(path).rmdir()
        os.symlink(self._known, path)


def unpack_once() -> None:
    """Function instances share an unpacked layer, instead of unpacking 2,500 files and 95 MB each."""
    expect(lambda_runtime.zipfile is zipfile, "it unpacks layers in another way")
    lambda_runtime.zipfile = types.SimpleNamespace(**{**vars(zipfile), "ZipFile": _KnownZip})


def parse_once() -> None:
    """DynamoDB expressions are parsed once, not once for each item that a Query looks at."""
    for name in ("_tokenize", "_condition_syntax_error", "_check_redundant_parens", "_check_reserved_keyword_usage"):
        expect(callable(getattr(dynamodb, name, None)), f"its DynamoDB has no {name}")
    tokens = functools.lru_cache(4096)(dynamodb._tokenize)
    # Whoever reads tokens may consume its list, so each gets one of its own.
    dynamodb._tokenize = lambda expression: list(tokens(expression))
    dynamodb._condition_syntax_error = functools.lru_cache(4096)(dynamodb._condition_syntax_error)
    dynamodb._check_redundant_parens = _by_tokens(dynamodb._check_redundant_parens)
    dynamodb._check_reserved_keyword_usage = _by_tokens(dynamodb._check_reserved_keyword_usage)


def _by_tokens(check: Callable[..., str | None]) -> Callable[..., str | None]:
    known = functools.lru_cache(4096)(check)
    return lambda tokens, *rest: known(tuple(tokens), *rest)


def go_on_after_a_restart() -> None:
    """An execution that ran when the shop was stopped runs again from its first state, instead of failing.

    Its states are made for that: each asks the order how far it has come, and does nothing twice.
    """
    restore, ready = stepfunctions._restore_state, app._run_ready_scripts
    expect(callable(getattr(stepfunctions, "_run_execution", None)), "its Step Functions run executions differently")
    unfinished: list[str] = []

    def restored(data: dict[str, Any] | None) -> None:
        running = [e for e in _executions(data) if e.get("status") == "RUNNING"]
        restore(data)
        for execution in running:
            execution.update(status="RUNNING", stopDate=None)
            execution.pop("error", None)
            execution.pop("cause", None)
            unfinished.append(execution["executionArn"])

    async def started() -> None:
        await ready()
        for arn in unfinished:
            threading.Thread(target=contextvars.copy_context().run, args=(_run_again, arn), daemon=True).start()

    stepfunctions._restore_state = restored
    app._run_ready_scripts = started


def keep_streams_and_emails() -> None:
    """Streams survive a restart together with how far each function has read them, and the mailbox keeps its e-mails.

    Unmended, of streams only the positions do: the changes of before are lost, and as many after the start are never
    delivered.
    """
    _keep(dynamodb, "_stream_records", "_stream_trimmed")
    _keep(ses, "_sent_emails")


def _keep(service: types.ModuleType, *names: str) -> None:
    """Adds stores to what a service writes down and reads again."""
    state, restore = service.get_state, service._restore_state
    expect(not state().keys() & set(names), f"{service.__name__} keeps {names} by itself")
    for name in names:
        expect(hasattr(getattr(service, name, None), "to_dict"), f"{service.__name__} has no {name}")

    def kept() -> dict[str, Any]:
        return {**state(), **{name: copy.deepcopy(getattr(service, name)) for name in names}}

    def restored(data: dict[str, Any] | None) -> None:
        restore(data)
        for name in names:
            getattr(service, name).update((data or {}).get(name, {}))

    service.get_state, service._restore_state = kept, restored  # type: ignore[attr-defined]


def save_when_asked() -> None:
    """SIGUSR1 writes the state down at once; unmended, only a graceful stop does, and a crash loses the deployment."""
    expect(callable(getattr(app, "_build_persistence_save_dict", None)), "it saves its state in another way")
    saving = threading.Lock()

    def save() -> None:
        with saving:
            app.save_all(app._build_persistence_save_dict())

    signal.signal(signal.SIGUSR1, lambda *_: threading.Thread(target=save).start())


def _executions(data: dict[str, Any] | None) -> list[dict[str, Any]]:
    executions = (data or {}).get("executions")
    return list(executions.all_values()) if executions else []


def _run_again(arn: str) -> None:
    _, _, _, _, region, account, *_ = ["", *arn.split(":")]
    set_request_account_id(account)
    set_request_region(region)
    stepfunctions._run_execution(arn)


def check_signatures(packages: Path) -> None:
    """Tokens of the user pool are signed and checked with `cryptography`, from the functions' own packages.

    It is not installed beside ministack, because functions run in that environment and would find it without a layer.
    """
    sys.path.append(str(packages))
    try:
        importlib.import_module("cryptography.hazmat.primitives.asymmetric.rsa")
    except ImportError as error:
        sys.exit(f"the functions' packages in {packages} do not work here: {error}")


def authorise_on_resources() -> None:
    """SendTaskSuccess and SendTaskFailure need a grant on the state machine whose state waits, SendEmail one on the
    sender's identity, as on AWS.

    Unmended, these calls are about nothing in particular, and only a grant on every resource would allow them.
    """
    expect(callable(getattr(stepfunctions, "_invoke_with_callback", None)), "its Step Functions wait in another way")
    expect(_what(iam_actions.extract_resource_arn, "states", {"taskToken": "any"}) == "*", "it knows whose a token is")
    expect(_what(iam_actions.extract_resource_arn, "ses", {"FromEmailAddress": "a@b"}) == "*", "it knows who sends")
    named = iam_actions.extract_resource_arn
    invoke, execute = stepfunctions._invoke_with_callback, stepfunctions._execute_task
    running = threading.local()
    machines: dict[str, str] = {}

    def executed(state: dict[str, Any], given: Any, execution: dict[str, Any], context: dict[str, Any]) -> Any:
        running.machine = execution["stateMachineArn"]
        return execute(state, given, execution, context)

    def invoked(resource: str, given: Any, token: str, state: dict[str, Any]) -> Any:
        machines[token] = running.machine
        return invoke(resource, given, token, state)

    def resource_arn(
        service: str, method: str, path: str, headers: Any, body: bytes, query: Any, region: str, account: str
    ) -> str:
        found: str = named(service, method, path, headers, body, query, region, account)
        if service == "states" and found == "*" and (token := _field(body, "taskToken")):
            # A token from before a restart is gone, and says so to whoever may use any.
            return machines.get(token) or next(iter(stepfunctions._state_machines), found)
        if service == "ses" and (sender := _field(body, "FromEmailAddress")):
            domain = email.utils.parseaddr(sender)[1].partition("@")[2]
            return f"arn:aws:ses:{region}:{account}:identity/{domain}"
        return found

    iam_actions.extract_resource_arn = resource_arn
    stepfunctions._invoke_with_callback = invoked
    stepfunctions._execute_task = executed


def _what(extract: Callable[..., str], service: str, body: dict[str, str]) -> str:
    return extract(service, "POST", "/", {}, json.dumps(body).encode(), {}, "us-east-1", "000000000000")


def _field(body: bytes, name: str) -> str:
    try:
        value = json.loads(body or b"{}").get(name)
    except (ValueError, AttributeError):
        return ""
    return value if isinstance(value, str) else ""


def count_calls(file: Path) -> None:
    """Lets `meter.py`, beside this file, count what the shop asks of AWS."""
    _beside("meter").install(file)


def answer_questions(packages: Path) -> None:
    """Lets `athena.py`, beside this file, answer analysts."""
    _beside("athena").install(packages, expect)


def _beside(name: str) -> types.ModuleType:
    spec = importlib.util.spec_from_file_location(name, Path(__file__).with_name(f"{name}.py"))
    assert spec is not None and spec.loader is not None
    module = sys.modules[name] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def main() -> None:
    """Mends and serves; the addresses and folders come in ministack's own environment variables."""
    parser = argparse.ArgumentParser(description="The local AWS.")
    parser.add_argument("--meter", type=Path, required=True, help="the file for the counted calls")
    parser.add_argument("--packages", type=Path, required=True, help="the functions' packages, for this machine")
    parser.add_argument("--athena", type=Path, required=True, help="the packages that Athena answers with")
    options = parser.parse_args()
    check_signatures(options.packages)
    name_errors()
    unpack_once()
    answer_at_once()
    parse_once()
    keep_streams_and_emails()
    save_when_asked()
    go_on_after_a_restart()
    authorise_on_resources()
    count_calls(options.meter)
    answer_questions(options.athena)
    sys.argv = ["ministack"]
    with contextlib.suppress(KeyboardInterrupt):
        app.main()


if __name__ == "__main__":
    main()
