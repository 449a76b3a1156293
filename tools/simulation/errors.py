"""What botocore raises where AWS does not do what it was asked."""

from typing import Any

from botocore.exceptions import ClientError, ReadTimeoutError


def client_error(code: str, operation: str, *, status: int = 400, **more: Any) -> Any:
    """An answer with an error code."""
    answer = {"Error": {"Code": code, "Message": code}, "ResponseMetadata": {"HTTPStatusCode": status}, **more}
    return ClientError(answer, operation)


class AwsLine:
    """How a botocore client tells of trouble. `actions` is how many a transaction has, 0 for other calls."""

    def __init__(self, operation: str, *, throttling: str = "ThrottlingException", actions: int = 0) -> None:
        self._operation, self._throttling, self._actions = operation, throttling, actions

    def throttled(self) -> Any:
        """After all attempts."""
        return client_error(self._throttling, self._operation)

    def conflict(self) -> Any:
        """A transaction gets its reasons, a single write an error of its own."""
        if not self._actions:
            return client_error("TransactionConflictException", self._operation)
        reasons = [{"Code": "TransactionConflict"}, *({"Code": "None"} for _ in range(self._actions - 1))]
        return client_error("TransactionCanceledException", self._operation, CancellationReasons=reasons)

    def unanswered(self) -> Any:
        """A read timeout."""
        return ReadTimeoutError(endpoint_url=f"https://simulation/{self._operation}")
