"""The base of every model in the shop. Their errors do not repeat what did not fit: it may be an address, and errors
are logged.
"""

from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, Field

Stored = TypeVar("Stored", bound="Model")


class Model(BaseModel):
    """Immutable and closed: an unknown field is a mistake, and a change makes a new value (`model_copy`)."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


def read_back(kind: type[Stored], fields: Any) -> Stored:
    """What was written down, read again. Fields of a release after this one are left out: while a release comes in, or
    is taken back, the one before reads what it wrote.
    """
    return kind.model_validate(fields, extra="ignore")


WANTED: dict[str, str] = {}
"""What each `pattern` asks for, in words."""


def written(pattern: str, wanted: str, **limits: Any) -> Any:
    """A field of text that must match the pattern. Who sends something else is told what is `wanted`."""
    WANTED[pattern] = wanted
    return Field(pattern=pattern, **limits)


class OpenModel(BaseModel):
    """For what clients send: unknown fields are ignored, as the protocol asks, so that newer clients still work."""

    model_config = ConfigDict(frozen=True, extra="ignore", strict=True, hide_input_in_errors=True)


class StaffModel(Model):
    """For what staff send: nothing is converted, and an unknown field is a mistake, such as a limit with a letter less.
    """

    model_config = ConfigDict(strict=True)
