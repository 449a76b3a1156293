"""Errors are values of the domain. `adapters/http.py` is the one place that turns them into status codes."""


class CommerceError(Exception):
    """Something the caller can understand and act on. `code` is stable; `content` is a sentence for people."""

    code = "error"

    def __init__(self, content: str, *, path: str | None = None, faults: tuple[tuple[str, str], ...] = ()) -> None:
        super().__init__(content)
        self.content = content
        self.path = path
        """JSONPath of the field at fault, such as `$.line_items[0].quantity`."""
        self.faults = faults or (((path, content),) if path else ())
        """(path, what is wrong) of all that is wrong, where more than one thing is told."""


class Invalid(CommerceError):
    """The request does not have the form it must have. Nothing was changed."""

    code = "invalid"


class Unauthenticated(CommerceError):
    """No valid proof of who is asking."""

    code = "unauthenticated"


class Forbidden(CommerceError):
    """The caller is known, and may not do this."""

    code = "forbidden"


class NotFound(CommerceError):
    """There is no such thing, or it is none of the caller's business that there is."""

    code = "not_found"


class Conflict(CommerceError):
    """The thing is not in a state in which this can be done."""

    code = "conflict"


class StaleVersion(CommerceError):
    """Someone else changed the thing since the caller read it (`If-Match` does not match)."""

    code = "stale_version"


class VersionRequired(CommerceError):
    """A change must say which version it changes (`If-Match`)."""

    code = "version_required"


class IdempotencyMismatch(CommerceError):
    """The idempotency key was used before, with another request."""

    code = "idempotency_mismatch"


class IdempotencyInProgress(CommerceError):
    """The first request with this idempotency key is still being worked on."""

    code = "idempotency_in_progress"


class TooLarge(CommerceError):
    """The body is larger than the shop reads."""

    code = "too_large"


class TooMany(CommerceError):
    """The request asks for more things at once than the shop looks up."""

    code = "request_too_large"


class Unavailable(CommerceError):
    """Something the shop depends on does not answer; the same request may be sent again."""

    code = "unavailable"


class Contended(Unavailable):
    """Other transactions kept touching the same items. Nothing was written; trying again later is safe."""


class ConditionFailed(Exception):
    """A condition of a transaction did not hold, so nothing was written. `failed` are the positions that refused.

    Use cases catch it, read again what they acted upon, and decide anew; it never reaches a caller.
    """

    def __init__(self, failed: tuple[int, ...]) -> None:
        super().__init__(f"conditions of actions {failed} did not hold")
        self.failed = failed
