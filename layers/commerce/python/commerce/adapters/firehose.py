"""Amazon Data Firehose, which writes rows to S3."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from commerce.adapters.log import logger


@dataclass(frozen=True)
class Firehose:
    """One delivery stream. A batch of a queue (10 messages) is far under the 500 records of a call."""

    client: Any
    name: str

    def put(self, rows: Sequence[str]) -> list[int]:
        """Takes the rows. Answers the positions of those that it did not take; all, where the call itself failed."""
        records = [{"Data": row.encode()} for row in rows]
        try:
            answer = self.client.put_record_batch(DeliveryStreamName=self.name, Records=records)
        except (ClientError, BotoCoreError) as error:
            logger().warning("the analytics stream does not answer", error=type(error).__name__)
            return list(range(len(rows)))
        if not answer["FailedPutCount"]:
            return []
        refused = [place for place, result in enumerate(answer["RequestResponses"]) if "ErrorCode" in result]
        logger().warning("the analytics stream refused rows", refused=len(refused))
        return refused
