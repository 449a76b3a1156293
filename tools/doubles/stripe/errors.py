"""Refusals in the shape of https://docs.stripe.com/api/errors."""

from typing import Any

from tools.doubles.store import Json


class Refusal(ValueError):
    """An error answer. `kept` ones were made while the work was done, so their idempotency key remembers them."""

    def __init__(
        self, status: int, type: str, message: str, *, kept: bool = False, headers: Json | None = None, **more: Any
    ) -> None:
        super().__init__(message)
        self.status = status
        self.kept = kept
        self.headers = headers or {}
        self.error = {"type": type, "message": message, **{name: value for name, value in more.items() if value}}


def invalid(message: str, *, code: str | None = None, param: str | None = None, status: int = 400) -> Refusal:
    """The request does not have the form it must have; nothing began."""
    return Refusal(status, "invalid_request_error", message, code=code, param=param)


def refused(message: str, *, code: str | None = None, param: str | None = None, intent: Json | None = None) -> Refusal:
    """The request is well formed and cannot be done in this state of things."""
    return Refusal(400, "invalid_request_error", message, kept=True, code=code, param=param, payment_intent=intent)


def missing(what: str, identifier: str, *, param: str = "id") -> Refusal:
    """There is no such object: 404 where the address names it, 400 where a parameter does."""
    status = 404 if param in ("id", "intent") else 400
    return invalid(f"No such {what}: '{identifier}'", code="resource_missing", param=param, status=status)


def integer(params: Json, name: str) -> int:
    """The parameter as a whole number from 1 on."""
    if name not in params:
        raise invalid(f"Missing required param: {name}.", code="parameter_missing", param=name)
    text = str(params[name])
    if not text.removeprefix("-").isdigit():
        raise invalid(f"Invalid integer: {text}", code="parameter_invalid_integer", param=name)
    if int(text) < 1:
        raise invalid("This value must be greater than or equal to 1.", code="parameter_invalid_integer", param=name)
    return int(text)


def only(params: Json, *known: str) -> None:
    """Refuses what the operation does not know, so that a misspelt parameter does not pass unseen."""
    for name in params:
        if name not in known and name != "expand":
            raise invalid(f"Received unknown parameter: {name}", code="parameter_unknown", param=name)


def one_of(params: Json, name: str, choices: tuple[str, ...], default: str) -> str:
    """The parameter, which must be one of the choices."""
    value = str(params.get(name, default))
    if value not in choices:
        raise invalid(f"Invalid {name}: must be one of {', '.join(choices)}", param=name)
    return value
