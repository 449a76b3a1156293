"""`make audit`: every scanner over templates and sources. What it finds is mended, or acknowledged with a reason.

Exit code 0 where nothing is open, 1 where something is. `build/audit.json` holds what was found.
"""

import argparse
import json
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from pydantic import ValidationError
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from tools.audit.findings import LIMIT, Finding, Verdict, judge, load
from tools.audit.scanners import ROOT, SCANNERS, Missing
from tools.bootstrap import prepare_audit
from tools.local.steps import Stop, complain, leave, say, step

ACKNOWLEDGEMENTS = Path(__file__).with_name("acknowledgements.toml")
OUTPUT = ROOT / "build" / "audit.json"


def main() -> int:
    """Scans, judges, prints, writes."""
    try:
        acknowledgements = load(ACKNOWLEDGEMENTS)
    except ValidationError as error:
        raise Stop(f"{ACKNOWLEDGEMENTS.relative_to(ROOT)}: {error}") from None
    prepare_audit()
    with _templates() as templates:
        findings, missing = _scan(templates)
    verdict = judge(findings, acknowledgements)
    _print(verdict, Counter(finding.tool for finding in findings), missing)
    OUTPUT.parent.mkdir(exist_ok=True)
    OUTPUT.write_text(json.dumps(_report(verdict, findings, missing), indent=2, ensure_ascii=False) + "\n", "utf-8")
    say(f"\nAll of it: {OUTPUT.relative_to(ROOT)}")
    return 0 if verdict.passed else 1


@contextmanager
def _templates() -> Iterator[Path]:
    """The synthesised templates of prod, with cdk-nag's report."""
    folder = Path(tempfile.mkdtemp(prefix="tradepost-audit-"))
    try:
        with step("The templates of prod, and cdk-nag's five packs"):
            command = [sys.executable, "-m", "tools.audit.templates", str(folder)]
            done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
            if done.returncode:
                raise Stop(f"the templates cannot be made: {(done.stderr.strip().splitlines() or ['no word'])[-1]}")
        yield folder / "templates"
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _scan(templates: Path) -> tuple[list[Finding], dict[str, str]]:
    """What all scanners found, and why some could not look."""
    findings: list[Finding] = []
    missing: dict[str, str] = {}
    for name, scanner in SCANNERS.items():
        with step(name) as current:
            try:
                found = scanner(templates)
            except Missing as why:
                missing[name] = str(why)
                current.note = f"not run: {why}"
                continue
            current.note = f"{len(found)} findings"
            findings += found
    return findings, missing


def _print(verdict: Verdict, found: Mapping[str, int], missing: Mapping[str, str]) -> None:
    console = Console()
    tools = Table("scanner", "findings", "open", title="The audit")
    open_of = Counter(finding.tool for finding in verdict.open)
    for name in SCANNERS:
        tools.add_row(name, "not run" if name in missing else str(found[name]), str(open_of[name]))
    console.print(tools)
    answers = Table("acknowledged", "findings", "owner", title=f"{len(verdict.acknowledged)} of at most {LIMIT}")
    for one, covered in verdict.acknowledged:
        answers.add_row(one.matter, str(len(covered)), one.owner)
    console.print(answers)
    if verdict.open:
        table = Table("scanner", "rule", "at", "says", title="Open: mend them, or acknowledge them")
        for finding in sorted(verdict.open):
            table.add_row(*map(escape, finding))
        console.print(table)
    for fault in verdict.faults:
        complain(fault)
    for name, why in missing.items():
        complain(f"{name} did not run: {why}")


def _report(verdict: Verdict, findings: list[Finding], missing: Mapping[str, str]) -> dict[str, Any]:
    by_rule = Counter((finding.tool, finding.rule) for finding in findings)
    return {
        "passed": verdict.passed,
        "findings": len(findings),
        "rules": [{"tool": tool, "rule": rule, "findings": n} for (tool, rule), n in sorted(by_rule.items())],
        "open": [finding._asdict() for finding in verdict.open],
        "acknowledged": [
            {**one.model_dump(), "findings": len(covered), "found_at": sorted({finding.place for finding in covered})}
            for one, covered in verdict.acknowledged
        ],
        "faults": verdict.faults,
        "not_run": dict(missing),
    }


if __name__ == "__main__":
    argparse.ArgumentParser(prog="make audit", description=__doc__).parse_args()
    leave(main)
