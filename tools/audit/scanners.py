"""The scanners, and how what they say becomes findings. All but cdk-nag live in an environment of their own."""

import json
import os
import re
import subprocess
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from tools.audit.findings import Finding
from tools.audit.guard import NO_ENGINE
from tools.audit.templates import REPORT
from tools.bootstrap import AUDIT_VENV
from tools.local.steps import Stop

ROOT = Path(__file__).resolve().parents[2]
RULES = Path(__file__).parent / "rules"
EXAMPLES = RULES / "examples.py"
SHIPPED = ("layers/commerce", "functions")
"""What runs on AWS."""
SOURCES = ("layers/commerce", "functions", "stacks", "tools", "app.py")
HASHES = (
    r"requirements/.*\.txt|layers/.*/requirements\.txt|package-lock\.json|tests/integration/releases/.*\.json"
)
"""Files of hashes, which look like secrets by nature: of packages, and those in what a made-up shop stored."""

Scanner = Callable[[Path], list[Finding]]
"""Reads the templates in the folder, or the sources. Raises Stop where the tool does not work, Missing without it."""


class Missing(Exception):
    """The scanner cannot be had on this machine; the text says why."""


def cdk_nag(templates: Path) -> list[Finding]:
    """The five packs, which have looked at the constructs while they were synthesised."""
    report = json.loads((templates / REPORT).read_text("utf-8"))
    return [
        Finding(
            "cdk-nag",
            _without_exports(violation["ruleName"]),
            _place(construct["constructPath"]),
            violation["description"],
        )
        for plugin in report["pluginReports"]
        for violation in plugin["violations"]
        for construct in violation["violatingConstructs"]
    ]


def cfn_lint(templates: Path) -> list[Finding]:
    """cfn-lint with the rules of cfn-lint-serverless."""
    constructs = _constructs(templates)
    command = ("cfn-lint", "--format", "json", "--append-rules", "cfn_lint_serverless.rules", "--template")
    # Its exit code is a sum of bits: 2 errors, 4 warnings, 8 remarks.
    found = json.loads(_run(*command, *_files(templates), fine=range(2, 16)) or "[]")
    return [
        Finding(
            "cfn-lint",
            one["Rule"]["Id"],
            constructs[_resource(one["Filename"], one["Location"]["Path"])],
            one["Message"],
        )
        for one in found
    ]


def checkov(templates: Path) -> list[Finding]:
    """Checkov's rules for CloudFormation."""
    constructs = _constructs(templates)
    options = ("--framework", "cloudformation", "--skip-download", "--quiet", "--compact", "--output", "json")
    report = json.loads(_run("checkov", *options, "--file", *_files(templates), fine=(1,)))
    return [
        Finding(
            "checkov",
            one["check_id"],
            constructs[Path(one["file_path"]).name, one["resource"].rpartition(".")[2]],
            one["check_name"],
        )
        for one in report["results"]["failed_checks"]
    ]


def cfn_guard(templates: Path) -> list[Finding]:
    """Our own rules for templates."""
    script = str(Path(__file__).with_name("guard.py"))
    rules = str(RULES / "templates.guard")
    answer = _run("python", script, rules, *_files(templates), fine=(NO_ENGINE,))
    if not answer:
        raise Missing("its engine (cfn-guard-rs) is built for Python 3.11 and 3.12 only")
    constructs = _constructs(templates)
    return [
        Finding("cfn-guard", rule, constructs[file, logical_id], "broken; the rule says how it should be")
        for file, logical_id, rule in json.loads(answer)
    ]


def wildcards(templates: Path) -> list[Finding]:
    """Each `*` in an action of a role's policy, and each action that a role may do on more than it names."""
    constructs = _constructs(templates)
    found = []
    for file in _files(templates):
        for logical_id, resource in json.loads(Path(file).read_text("utf-8"))["Resources"].items():
            if resource["Type"] == "AWS::IAM::Policy":
                place = constructs[Path(file).name, logical_id]
                found += [
                    Finding("wildcards", f"{kind}:{action}", place, f"{action} on {json.dumps(statement['Resource'])}")
                    for statement in resource["Properties"]["PolicyDocument"]["Statement"]
                    for action in _listed(statement["Action"])
                    for kind in _kinds(action, statement["Resource"])
                ]
    return found


def bandit(_: Path) -> list[Finding]:
    """Python that is dangerous, from medium severity on."""
    options = ("--quiet", "--recursive", "-ll", "--format", "json", "--exclude", str(EXAMPLES.relative_to(ROOT)))
    report = json.loads(_run("bandit", *options, *SOURCES, fine=(1,)))
    return [
        Finding("bandit", one["test_id"], one["filename"], f"line {one['line_number']}: {one['issue_text']}")
        for one in report["results"]
    ]


def detect_secrets(_: Path) -> list[Finding]:
    """What looks like a password or a key, in every file under version control."""
    report = json.loads(_run("detect-secrets", "scan", "--exclude-files", HASHES))
    return [
        Finding("detect-secrets", one["type"], file, f"line {one['line_number']}")
        for file, found in report["results"].items()
        for one in found
    ]


def semgrep(_: Path) -> list[Finding]:
    """Our own rules for what runs on AWS. Raises Stop where one no longer finds its example."""
    options = (
        "scan",
        "--config",
        str(RULES / "semgrep.yml"),
        "--metrics=off",
        "--disable-version-check",
        "--quiet",
        "--json",
    )
    report = json.loads(_run("semgrep", *options, *SHIPPED, str(EXAMPLES.relative_to(ROOT))))
    found = [
        Finding(
            "semgrep",
            one["check_id"].rpartition(".")[2],
            one["path"],
            f"line {one['start']['line']}: {one['extra']['message']}",
        )
        for one in report["results"]
    ]
    example = str(EXAMPLES.relative_to(ROOT))
    known = re.findall(r"^  - id: (.+)$", (RULES / "semgrep.yml").read_text("utf-8"), re.MULTILINE)
    if blind := set(known) - {one.rule for one in found if one.place == example}:
        raise Stop(f"semgrep no longer finds the examples of {', '.join(sorted(blind))} in {example}")
    return [one for one in found if one.place != example]


SCANNERS: dict[str, Scanner] = {
    "cdk-nag": cdk_nag,
    "cfn-lint": cfn_lint,
    "checkov": checkov,
    "cfn-guard": cfn_guard,
    "wildcards": wildcards,
    "bandit": bandit,
    "detect-secrets": detect_secrets,
    "semgrep": semgrep,
}


def _run(name: str, *arguments: str, fine: Iterator[int] | range | tuple[int, ...] = ()) -> str:
    """What the tool printed. Raises Stop if it ended with another code than 0 or a `fine` one, which mean findings."""
    done = subprocess.run(
        [str(AUDIT_VENV / "bin" / name), *arguments],
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": "", "SEMGREP_SEND_METRICS": "off"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode not in (0, *fine):
        lines = (done.stderr or done.stdout).strip().splitlines() or ["it said nothing"]
        raise Stop(f"{name} failed: {lines[-1]}")
    return done.stdout


def _files(templates: Path) -> list[str]:
    return [str(file) for file in sorted(templates.glob("*.template.json"))]


def _constructs(templates: Path) -> Mapping[tuple[str, str], str]:
    """(template's file name, logical id) to the construct's path, so that one thing has one name with all scanners."""
    return {
        (file.name.replace(".metadata.", ".template."), entry["data"]): _place(path)
        for file in templates.glob("*.metadata.json")
        for path, entries in json.loads(file.read_text("utf-8")).items()
        for entry in entries
        if entry["type"] == "aws:cdk:logicalId"
    }


def _place(path: str) -> str:
    return path.strip("/").removesuffix("/Resource")


def _resource(file: str, path: list[Any]) -> tuple[str, str]:
    return Path(file).name, str(path[1]) if len(path) > 1 else ""


def _without_exports(rule: str) -> str:
    """cdk-nag writes another stack's value into the rule's name, with a hash that changes."""
    return re.sub(r"::[\w-]+:ExportsOutput\w+", "::…", rule)


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _kinds(action: str, resource: Any) -> Iterator[str]:
    if "*" in action:
        yield "action"
    if "*" in json.dumps(resource):
        yield "resource"
