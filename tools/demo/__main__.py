"""`make demo`: an order from cart to delivery, a declined card, a canceled order, a return and an order in two parcels,
over HTTP.

Ends with 1 if any step was not seen; writes build/demo.json.
"""

import argparse
import json
import sys
from pathlib import Path

import httpx

from tools.demo import scenes
from tools.demo.actors import UnexpectedAnswer
from tools.demo.scenes import Cast
from tools.demo.timeline import Timeline
from tools.demo.watch import NotSeen
from tools.local.instance import Instance
from tools.local.steps import Stop

REPORT = Path("build/demo.json")


def arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(prog="make demo", description=__doc__)
    parser.add_argument("--fast", action="store_true", help="no pauses for people between the steps")
    parser.add_argument("--instance", help="which local shop to play in")
    return parser.parse_args()


def play(everyone: Cast) -> dict[str, object]:
    """All scenes. What they saw, for the report."""
    delivered = scenes.delivered(everyone)
    return {
        **delivered,
        "declined": scenes.declined(everyone),
        "canceled": scenes.canceled(everyone),
        "returned": scenes.returned(everyone, delivered["order_id"]),
        "from_two_places": scenes.from_two_places(everyone),
    }


def main() -> int:
    """Plays, writes the report, and says how it went."""
    options = arguments()
    timeline = Timeline(pause=0.0 if options.fast else 0.7)
    try:
        instance = Instance(options.instance) if options.instance else Instance.current()
        report = play(Cast.of(instance.running(), timeline))
    except (Stop, NotSeen, UnexpectedAnswer, LookupError, httpx.TransportError) as problem:
        timeline.console.print(f"\n[bold red]The play stopped:[/] {problem}")
        return 1
    except KeyboardInterrupt:
        timeline.console.print("\nThe play was left; its orders stay where they are. make demo begins anew.")
        return 130
    REPORT.parent.mkdir(exist_ok=True)
    REPORT.write_text(json.dumps(report, indent=2))
    timeline.console.print(f"\n[bold green]Everything was seen.[/] The figures are in {REPORT}.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
