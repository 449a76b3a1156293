"""`python -m tools.local COMMAND`: what `make` calls, in the developer's environment."""

import argparse
import os
import sys

from botocore.exceptions import EndpointConnectionError

from tools.local import logs, shop, staff
from tools.local.instance import Instance
from tools.local.steps import Stop, agreed, complain


def main() -> int:
    """One command for the instance that `TRADEPOST_INSTANCE` names. Answers the exit code."""
    parser = argparse.ArgumentParser(prog="python -m tools.local", description="The shop on one machine.")
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("up", help="start the shop, and deploy what changed")
    commands.add_parser("down", help="stop the shop; its data stays")
    commands.add_parser("reset", help="delete the shop and its data").add_argument("--yes", action="store_true")
    commands.add_parser("status", help="show what runs")
    follow = commands.add_parser("logs", help="show what functions and processes say")
    follow.add_argument("--only", help="a part of a function's name")
    commands.add_parser("token", help="print a bearer token").add_argument(
        "who", help=f"the group ({', '.join(staff.GROUPS)}), or {staff.SHOPPER}"
    )
    try:
        return _run(parser.parse_args(), Instance.current())
    except (Stop, LookupError) as failure:
        complain(f"\n{failure}" if isinstance(failure, Stop) else str(failure))
        return 1
    except EndpointConnectionError:
        complain(f"The shop {Instance.current().name!r} does not run. Start it: {Instance.current().command('up')}")
        return 1
    except BrokenPipeError:
        # `make logs | head`: whoever reads has enough. Python would complain once more when it closes the pipe.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except KeyboardInterrupt:
        if sys.argv[1:2] == ["logs"]:
            return 130
        complain("\nInterrupted. Run the same command again: it goes on from here. `make down` stops what was started.")
        return 130


def _run(options: argparse.Namespace, instance: Instance) -> int:
    match options.command:
        case "up":
            shop.up(instance)
        case "down":
            shop.down(instance)
        case "reset":
            if not (options.yes or agreed(f"Delete the shop {instance.name!r} with all its data?")):
                raise Stop("Nothing was deleted")
            shop.reset(instance)
        case "status":
            return 0 if shop.status(instance) else 3
        case "logs":
            logs.follow(instance, only=options.only, forever=sys.stdout.isatty())
        case "token":
            if options.who not in (everybody := (*staff.GROUPS, staff.SHOPPER)):
                raise Stop(f"There is no group {options.who!r}. GROUP is one of {', '.join(everybody)}")
            print(staff.token(instance, options.who))
    return 0


if __name__ == "__main__":
    sys.exit(main())
