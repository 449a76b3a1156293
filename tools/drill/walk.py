"""A runbook's commands, walked in the local shop: each as it stands on its page, but for the environment's name."""

import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from stacks.shop import ROOT
from tools.drill.aws import ANYTHING, BAD_FORM, FORM_ONLY
from tools.drill.stage import PREFIX, Stage

PATIENCE = 120
_BLOCK = re.compile(r"^ {4,}((?:aws|make) (?:[^\n]*\\\n)*[^\n]*)$", re.MULTILINE)
_INLINE = re.compile(r"`(aws [^`\n]+|make [^`\n]*=[^`\n]*)`")
PLACEHOLDER = re.compile(r"<([^<>\n]+)>")
"""What whoever types a command fills in."""

Outcome = Literal["ran", "form checked", "left out", "failed"]

LEFT_OUT: Mapping[str, str] = {
    "make deploy": "it deploys to AWS",
    "aws s3 mb": "the local shop's bucket is there",
    "aws events start-replay": "the local bus has no archive",
    "aws events describe-archive": "the local bus has no archive",
    "aws events describe-replay": "the local bus has no archive",
    "aws cloudformation detect-stack-drift": "the local AWS knows no drift",
    "aws sqs start-message-move-task": "what lies there in a drill is poison, and would come back",
    "aws sesv2 get-account": "the local AWS has no sending limits",
    "aws dynamodb update-table --table-name": "the local tables are always warm",
    "aws logs tail /aws/kinesisfirehose": "the local Firehose writes no log",
    "aws logs filter-log-events --log-group-name /aws/vendedlogs/apis": "the local API writes no access log",
}
"""What a laptop cannot do, by how the command begins, and why. Its form is held to AWS's model all the same."""


@dataclass(frozen=True)
class Walked:
    """What became of a command."""

    command: str
    outcome: Outcome
    says: str = ""


def commands(runbook: str) -> Iterator[str]:
    """The commands of a page, in its order."""
    text = (ROOT / "docs" / "runbooks" / f"{runbook}.md").read_text("utf-8")
    found = {match.start(): match[1] for pattern in (_BLOCK, _INLINE) for match in pattern.finditer(text)}
    return (found[place] for place in sorted(found))


def localised(command: str) -> str:
    """The command for the shop on this machine. What changes an order does not ask."""
    made = command.replace("tradepost-prod", PREFIX).replace(" ENV=prod", "")
    if re.match("make (resume|cancel|refund)", made):
        made += " YES=1"
    return re.sub(r"\bmake ", f"make -s -C {ROOT} ", made)


def walk(stage: Stage, runbook: str, names: Mapping[str, str]) -> Iterator[Walked]:
    """Runs each command of the page. `names` are what its placeholders stand for."""
    known = {**stage.instance.outputs, **names}
    with tempfile.TemporaryDirectory() as folder:
        _provide_aws(Path(folder))
        for command in commands(runbook):
            yield _walked(stage, Path(folder), command, known)


def _walked(stage: Stage, folder: Path, command: str, known: Mapping[str, str]) -> Walked:
    environment = stage.instance.environment()
    why = _left_out(command, known)
    if not why:
        filled = PLACEHOLDER.sub(lambda match: known[match[1]], command)
        return _run(localised(filled), folder, environment, command, "ran", "")
    if command.startswith("make"):
        return Walked(command, "left out", why)
    filled = PLACEHOLDER.sub(ANYTHING, command)
    return _run(filled, folder, {**environment, FORM_ONLY: "1"}, command, "form checked", why)


def _left_out(command: str, known: Mapping[str, str]) -> str:
    """Why the command is not run; nothing where it is."""
    for begins, reason in LEFT_OUT.items():
        if command.startswith(begins):
            return reason
    if missing := [name for name in PLACEHOLDER.findall(command) if name not in known]:
        return f"nothing in this drill stands for {', '.join(missing)}"
    return "its values are for whoever writes it" if "…" in command else ""


def _run(line: str, folder: Path, environment: Mapping[str, str], command: str, well: Outcome, why: str) -> Walked:
    path = f"{folder}{os.pathsep}{os.environ['PATH']}"
    try:
        ended = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", line],
            cwd=folder,
            env={**environment, "PATH": path, "PYTHONPATH": f"{ROOT}:{ROOT / 'layers/commerce/python'}"},
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return Walked(command, "failed", f"no end after {PATIENCE} s")
    if ended.returncode == 0:
        return Walked(command, well, why)
    told = (ended.stderr.strip() or ended.stdout.strip()).splitlines() or ["it said nothing"]
    kind = "AWS knows it otherwise" if ended.returncode == BAD_FORM else f"exit code {ended.returncode}"
    return Walked(command, "failed", f"{kind}: {told[-1][:300]}")


def _provide_aws(folder: Path) -> None:
    """An `aws` to be found first."""
    script = folder / "aws"
    script.write_text(f'#!/bin/sh\nexec {sys.executable} -m tools.drill.aws "$@"\n', encoding="utf-8")
    script.chmod(0o755)
