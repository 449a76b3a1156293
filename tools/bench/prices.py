"""What AWS asks, in dollars, us-east-1, on demand, without free tiers.

Sources: https://aws.amazon.com/<source>, for each price.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Price:
    """`dollars` per `per` units."""

    dollars: float
    per: int
    unit: str
    source: str

    def of(self, units: float) -> float:
        """Dollars for so many units."""
        return units * self.dollars / self.per


READ_ON = "2026-11-22"

PRICES = {
    "edge_request": Price(1.00, 1_000_000, "CloudFront HTTPS request", "cloudfront/pricing: pay as you go, US, Europe"),
    "api_request": Price(1.00, 1_000_000, "HTTP API request", "api-gateway/pricing: HTTP APIs, first 300 million"),
    "invocation": Price(0.20, 1_000_000, "Lambda request", "lambda/pricing"),
    "gigabyte_second": Price(0.0000133334, 1, "Lambda GB-second, Arm", "lambda/pricing"),
    "trace": Price(5.00, 1_000_000, "X-Ray trace, if every one is sampled", "cloudwatch/pricing: X-Ray"),
    "transition": Price(25.00, 1_000_000, "Step Functions Standard state transition", "step-functions/pricing"),
    "read_unit": Price(0.125, 1_000_000, "DynamoDB read request unit", "dynamodb/pricing/on-demand"),
    "write_unit": Price(0.625, 1_000_000, "DynamoDB write request unit", "dynamodb/pricing/on-demand"),
    "bus_event": Price(1.00, 1_000_000, "EventBridge custom event", "eventbridge/pricing"),
    "queue_request": Price(0.40, 1_000_000, "SQS request", "sqs/pricing: standard queues"),
    "email": Price(0.10, 1_000, "SES e-mail", "ses/pricing: outbound"),
    "delivery_gigabyte": Price(0.029, 1, "Firehose GB, each record rounded up to 5 KB", "firehose/pricing: direct put"),
    "log_gigabyte": Price(0.50, 1, "CloudWatch Logs GB ingested", "cloudwatch/pricing"),
}
