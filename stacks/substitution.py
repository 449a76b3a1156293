"""Placeholders in state machines. Apart from the CDK, so that the simulation reads the same definitions."""

import re
from collections.abc import Mapping
from typing import Any

_NAME = re.compile(r"\$\{(\w+)\}")


def substituted(value: Any, substitutions: Mapping[str, str | int]) -> Any:
    """The definition with each `${Name}` replaced; a string that is nothing else becomes the value itself.

    So `"TimeoutSeconds": "${HoldSeconds}"` becomes a number, which CloudFormation's own substitutions cannot make.
    Raises KeyError for a name that nobody gave a value.
    """
    if isinstance(value, dict):
        return {key: substituted(inner, substitutions) for key, inner in value.items()}
    if isinstance(value, list):
        return [substituted(inner, substitutions) for inner in value]
    if not isinstance(value, str):
        return value
    if whole := _NAME.fullmatch(value):
        return substitutions[whole[1]]
    return _NAME.sub(lambda match: str(substitutions[match[1]]), value)
