"""The queue of events that buyers hear of: each becomes one e-mail."""

from pathlib import Path
from typing import Any

from jinja2 import FileSystemLoader

from commerce import clock
from commerce.adapters import aws, wiring
from commerce.adapters.environment import settings
from commerce.adapters.links import order_permalink
from commerce.adapters.log import logger
from commerce.adapters.queues import in_turn
from commerce.events import Event
from commerce.notifications.gateway import SesMailer
from commerce.notifications.rendering import Templates
from commerce.notifications.repository import EmailClaims
from commerce.notifications.service import notify

orders = wiring.orders(personal=True)
claims = EmailClaims(orders.table)
mailer = SesMailer(aws.client("sesv2", attempts=1), settings().email_from, settings().name)
# The templates are put beside this file when it is packaged.
render = Templates(FileSystemLoader(Path(__file__).parent / "emails"), settings(), order_permalink)


def handler(event: dict[str, Any], _context: Any) -> dict[str, Any]:
    """Answers which messages must come again."""
    return in_turn(event, tell)


def tell(event: Event) -> None:
    """Writes to the buyer, and notes what became of it."""
    outcome = notify(event, orders=orders, claims=claims, render=render, mailer=mailer, now=clock.now())
    log = logger().error if outcome == "fate_unknown" else logger().info
    log("e-mail", outcome=outcome, event_type=event.type, event_id=event.id, order_id=event.subject)
