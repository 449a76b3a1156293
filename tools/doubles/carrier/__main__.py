"""`python -m tools.doubles.carrier --port 4512 --state FILE`."""

import argparse
from pathlib import Path

from tools.doubles.carrier.double import CarrierDouble
from tools.doubles.command import run


def main() -> None:
    """Reads the options and serves."""
    parser = argparse.ArgumentParser(prog="python -m tools.doubles.carrier", description="A double of EasyPost.")
    parser.add_argument("--host", default="127.0.0.1", help="the address to listen on (default: %(default)s)")
    parser.add_argument("--port", type=int, default=4512, help="(default: %(default)s)")
    parser.add_argument("--state", type=Path, metavar="FILE", help="keep shipments and parcels in this SQLite file")
    parser.add_argument(
        "--auto", type=float, metavar="SECONDS", help="move every parcel one step on, this often, until delivered"
    )
    options = parser.parse_args()
    run("carrier", lambda: CarrierDouble(options.host, options.port, state=options.state, auto=options.auto))


if __name__ == "__main__":
    main()
