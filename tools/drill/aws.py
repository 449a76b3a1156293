"""`aws SERVICE OPERATION --option value …`: as much of the AWS CLI as runbooks use, held to the services' own models.

In the place of the CLI while runbooks are walked, so that a drill needs none. An operation or an option that AWS does
not know ends with 252; with DRILL_FORM_ONLY set nothing is asked, only the form is looked at.
"""

import json
import os
import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import boto3
import jmespath  # type: ignore[import-untyped]
from botocore import xform_name
from botocore.config import Config
from botocore.exceptions import ClientError, ParamValidationError
from botocore.session import get_session
from botocore.validate import ParamValidator

from commerce.clock import epoch, now

FORM_ONLY = "DRILL_FORM_ONLY"
ANYTHING = "anything"
"""Stands for what a person would fill in, where only the form is looked at."""
BAD_FORM, REFUSED = 252, 254
"""The AWS CLI's own exit codes."""


class BadForm(Exception):
    """AWS knows no such operation or option, or wants another value."""


def parsed(arguments: Sequence[str]) -> tuple[str, str, dict[str, Any], dict[str, str]]:
    """Service, operation, the operation's parameters, and `query` and `output`. Raises BadForm."""
    service, operation, *rest = arguments
    options = dict(_options(rest))
    kept = {name: " ".join(options.pop(name, [])) for name in ("query", "output")}
    match service, operation:
        case "logs", "tail":
            return service, "filter-log-events", _tail(rest[0], options), kept
        case "s3", "mb":
            return service, "create-bucket", {"Bucket": rest[0].removeprefix("s3://")}, kept
    return service, operation, _parameters(service, operation, options), kept


def _options(words: Sequence[str]) -> Iterator[tuple[str, list[str]]]:
    """Each option with its values."""
    places = [place for place, word in enumerate(words) if word.startswith("--")] + [len(words)]
    for place, following in pairwise(places):
        yield words[place].removeprefix("--"), list(words[place + 1 : following])


def _tail(group: str, options: Mapping[str, list[str]]) -> dict[str, Any]:
    """`logs tail` is the CLI's own: the events of a log group since then."""
    units = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}
    [since] = options.get("since", ["10m"])
    begun = now() - timedelta(**{units[since[-1]]: int(since[:-1])})
    pattern = {"filterPattern": options["filter-pattern"][0]} if "filter-pattern" in options else {}
    return {"logGroupName": group, "startTime": epoch(begun) * 1000, **pattern}


def _parameters(service: str, operation: str, options: Mapping[str, list[str]]) -> dict[str, Any]:
    model = get_session().get_service_model(service)
    names = {xform_name(name, "-"): name for name in model.operation_names}
    if operation not in names:
        raise BadForm(f"{service} has no operation {operation}")
    shape = model.operation_model(names[operation]).input_shape
    members = {xform_name(name, "-"): name for name in shape.members}
    found: dict[str, Any] = {}
    for option, values in options.items():
        name = members.get(option) or members.get(option.removeprefix("no-"))
        if name is None:
            raise BadForm(f"{service} {operation} has no option --{option}")
        found[name] = _value(shape.members[name], values, unless=option.startswith("no-") and option not in members)
    told = ParamValidator().validate(found, shape).generate_report()
    if told and ANYTHING not in json.dumps(found, default=str):
        raise BadForm(f"{service} {operation}: {told}")
    return found


def _value(shape: Any, values: list[str], *, unless: bool) -> Any:
    text = " ".join(values)
    if text.startswith("file://"):
        file = Path(text.removeprefix("file://"))
        return json.loads(file.read_text("utf-8")) if file.exists() else ANYTHING
    match shape.type_name:
        case "boolean":
            return not unless
        case "integer" | "long":
            return int(text) if text.isdigit() else text
        case "list":
            return json.loads(text) if text.startswith("[") else values
        case "structure" | "map":
            return json.loads(text) if text.startswith("{") else _shorthand(shape, text)
    return text


def _shorthand(shape: Any, text: str) -> dict[str, Any]:
    """`ReadUnitsPerSecond=24000,WriteUnitsPerSecond=8000`."""
    pairs = (pair.partition("=") for pair in text.split(","))
    return {name: _value(shape.members[name], [value], unless=False) for name, _, value in pairs}


def main(arguments: Sequence[str]) -> int:
    """The command. Answers the exit code."""
    try:
        service, operation, parameters, kept = parsed(arguments)
        if os.environ.get(FORM_ONLY):
            print(ANYTHING)
            return 0
        client = boto3.client(service, config=Config(inject_host_prefix=False))
        answer = getattr(client, operation.replace("-", "_"))(**parameters)
    except (BadForm, ParamValidationError, KeyError, ValueError) as wrong:
        print(wrong, file=sys.stderr)
        return BAD_FORM
    except ClientError as refused:
        print(refused, file=sys.stderr)
        return REFUSED
    answer.pop("ResponseMetadata", None)
    shown = jmespath.search(kept["query"], answer) if kept["query"] else answer
    if kept["output"] == "text":
        print(shown if isinstance(shown, str) else "\t".join(map(str, shown or ())))
    else:
        print(json.dumps(shown, indent=1, default=str))
    return 0


if __name__ == "__main__":
    sys.exit(main([re.sub(r"\\\n", "", word) for word in sys.argv[1:]]))
