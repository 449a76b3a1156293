"""`make ops-lint`: checks every resource of all environments' templates against the operational rules.

Synthesises the templates by itself, without built layers. Keeps its figures in build/ops-lint.json; ends with an error
if a rule does not hold or a type has no rule.
"""

import argparse
import json
import sys
import tempfile
from pathlib import Path

from stacks.config import ENVIRONMENTS
from stacks.shop import ROOT
from tools.ops_lint.lint import findings, report, without_rules
from tools.ops_lint.synthesis import synthesised
from tools.ops_lint.template import Stacks, resources

REPORT = ROOT / "build" / "ops-lint.json"


def main() -> int:
    """Exit code 0 where every rule holds."""
    with tempfile.TemporaryDirectory() as folder:
        environments: dict[str, Stacks] = {name: synthesised(name, Path(folder)) for name in ENVIRONMENTS}
    figures = report(environments)
    REPORT.parent.mkdir(exist_ok=True)
    REPORT.write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")
    looked_at = [one for environment, stacks in environments.items() for one in resources(environment, stacks)]
    wrong = [*map(str, findings(looked_at)), *(f"{kind}: no rule looks at it" for kind in without_rules(looked_at))]
    print(*wrong, sep="\n", end="\n" if wrong else "")
    counted = ", ".join(f"{name} {count}" for name, count in figures["resources"].items())  # type: ignore[attr-defined]
    print(f"{figures['rules']} rules on {counted} resources: {figures['checks']} checks, {len(wrong)} findings")
    return 1 if wrong else 0


if __name__ == "__main__":
    argparse.ArgumentParser(prog="make ops-lint", description=__doc__).parse_args()
    sys.exit(main())
