"""`make doctor ENV=dev|prod`: checks an AWS account before the shop is deployed to it, and says what to do.

Exit code 0 where nothing stands in the way, 1 where there is a problem. It reads only.
"""

import argparse
import json
import sys
from collections.abc import Iterable

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from stacks.config import ConfigError, load
from tools.doctor.checks import examine
from tools.doctor.model import Answer
from tools.doctor.reading import Account, region_of
from tools.local.steps import complain
from tools.shops import signed_in

_COLOURS = {"ok": "green", "warning": "yellow", "problem": "red"}


def main(arguments: list[str] | None = None) -> int:
    """The command. Answers the exit code."""
    parser = argparse.ArgumentParser(prog="make doctor", description=__doc__)
    parser.add_argument("environment", choices=("dev", "prod"))
    parser.add_argument("--json", action="store_true", help="for programs: a list of check, verdict and what to do")
    options = parser.parse_args(arguments)
    try:
        config = load(options.environment)
    except ConfigError as failure:
        complain(str(failure))
        return 1
    if not signed_in():
        return 1
    answers = list(examine(Account(config, region=region_of(config))))
    (_print_json if options.json else show)(answers)
    return 1 if any(answer.verdict == "problem" for _, answer in answers) else 0


def _print_json(answers: Iterable[tuple[str, Answer]]) -> None:
    print(json.dumps([{"check": name, "verdict": one.verdict, "says": one.says} for name, one in answers], indent=2))


def show(answers: Iterable[tuple[str, Answer]], console: Console | None = None) -> None:
    """A table for people."""
    table = Table("check", "", "what was found, what to do", box=None, pad_edge=False)
    for name, answer in answers:
        colour = _COLOURS[answer.verdict]
        table.add_row(name, f"[{colour}]{answer.verdict}[/{colour}]", escape(answer.says))
    (console or Console(highlight=False)).print(table)


if __name__ == "__main__":
    sys.exit(main())
