"""`python -m tools.doubles.stripe --port 4511 --state FILE`."""

import argparse
from pathlib import Path

from tools.doubles.command import run
from tools.doubles.stripe.double import StripeDouble


def main() -> None:
    """Reads the options and serves."""
    parser = argparse.ArgumentParser(prog="python -m tools.doubles.stripe", description="A double of Stripe.")
    parser.add_argument("--host", default="127.0.0.1", help="the address to listen on (default: %(default)s)")
    parser.add_argument("--port", type=int, default=4511, help="(default: %(default)s)")
    parser.add_argument("--state", type=Path, metavar="FILE", help="keep the account's state in this SQLite file")
    parser.add_argument("--latency-ms", type=int, default=0, help="how long every answer takes (default: %(default)s)")
    options = parser.parse_args()
    run(
        "stripe",
        lambda: StripeDouble(options.host, options.port, state=options.state, latency=options.latency_ms / 1000),
    )


if __name__ == "__main__":
    main()
