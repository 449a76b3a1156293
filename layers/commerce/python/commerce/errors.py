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
        self.details: dict[str, int] = {}
        """More fields of the answer."""

    @property
    def retry_after(self) -> int | None:
        """Seconds after which the same request may be sent again; None where that is of no use."""
        return None


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

    @property
    def retry_after(self) -> int:
        """It is about to finish."""
        return 1


class TooLarge(CommerceError):
    """The body is larger than the shop reads."""

    code = "too_large"


class TooMany(CommerceError):
    """The request asks for more things at once than the shop looks up."""

    code = "request_too_large"


class Unavailable(CommerceError):
    """Something the shop depends on does not answer; the same request may be sent again."""

    code = "unavailable"

    @property
    def retry_after(self) -> int:
        """Most of what does not answer does so a moment later."""
        return 1


class WaitingRoom(Unavailable):
    """More buyers want the same than the shop can serve at once. Nothing was written but the buyer's place in the line.

    `position` counts from 1, about; `seconds` from now the buyer is let in, or may ask how far the line has come.
    """

    code = "waiting_room"

    def __init__(self, position: int, seconds: int) -> None:
        super().__init__(f"many buyers want this at once; you are number {position} in line, send the request again")
        self.details = {"position": position, "retry_after": seconds}

    @property
    def retry_after(self) -> int:
        """When it is the buyer's turn, if that is soon."""
        return self.details["retry_after"]


class Contended(Unavailable):
    """Other transactions kept touching the same items. Nothing was written; trying again later is safe."""


class ConditionFailed(Exception):
    """A condition of a transaction did not hold, so nothing was written. `failed` are the positions that refused.

    Use cases catch it, read again what they acted upon, and decide anew; it never reaches a caller.
    """

    def __init__(self, failed: tuple[int, ...]) -> None:
        super().__init__(f"conditions of actions {failed} did not hold")
        self.failed = failed
