"""Runs cfn-guard's engine: `guard.py RULES TEMPLATE…` prints [file, logical id, rule] of each rule that is broken.

For the interpreter of the scanners' environment, which knows nothing of the shop. Exit code 3 where that has no engine.
"""

import json
import sys
from collections.abc import Iterator
from pathlib import Path

NO_ENGINE = 3


def main() -> None:
    """Plays every rule on every resource."""
    try:
        from cfn_guard_rs.cfn_guard_rs import run_checks_rs
    except ImportError:
        sys.exit(NO_ENGINE)
    rules = list(_rules(Path(sys.argv[1]).read_text("utf-8")))
    broken = [
        (file.name, logical_id, rule)
        for file in map(Path, sys.argv[2:])
        for logical_id, resource in json.loads(file.read_text("utf-8"))["Resources"].items()
        for kinds, rule, text in rules
        if resource["Type"] in kinds
        if not _kept(run_checks_rs(json.dumps({"Resources": {logical_id: resource}}), text, False))
    ]
    print(json.dumps(broken))


def _rules(text: str) -> Iterator[tuple[str, str, str]]:
    """(where its types stand, name, text) of each rule, which is a paragraph of the file."""
    for paragraph in text.split("\n\n"):
        if "\nrule " in paragraph:
            selection, _, rule = paragraph.partition("\nrule ")
            yield selection, rule.split()[0], paragraph


def _kept(report: str) -> bool:
    """The engine cuts the beginning off a long report; one without a broken rule is short."""
    return '"status": "PASS"' in report or '"status": "SKIP"' in report


if __name__ == "__main__":
    main()
