"""The page of the buyer's bank (3-D Secure), for browsers and for tests."""

import html
import re
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from tools.doubles.http import Answer, Request
from tools.doubles.store import Json, Store
from tools.doubles.stripe.account import Account
from tools.doubles.stripe.errors import Refusal

_PAGE = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Confirm your payment</title>
<style>
body {{ font: 17px/1.5 system-ui, sans-serif; display: grid; place-content: center; min-height: 90vh; color: #1c2430 }}
main {{ border: 1px solid #d5dae2; border-radius: 12px; padding: 2rem; max-width: 26rem }}
form {{ display: flex; gap: .75rem; margin-top: 1.5rem }}
button {{ font: inherit; padding: .6rem 1.1rem; border-radius: 8px; border: 1px solid #1c2430; background: #fff }}
button[value=complete] {{ background: #1c2430; color: #fff }}
</style>
<main>
<h1>Test bank</h1>
<p>A shop asks for <strong>{amount} {currency}</strong>. This is a double: no money moves.</p>
<form method="post">
<button name="outcome" value="complete">Complete</button>
<button name="outcome" value="fail">Fail</button>
</form>
</main>
</html>
"""


class Bank:
    """Answers what comes to `/3ds/<intent>`: GET shows the page, POST with outcome=complete or fail decides.

    The decision is also accepted in the address, `/3ds/<intent>/complete`. Either way the buyer is sent back to the
    return URL with the parameters that Stripe appends; a decision that was made before stands.
    """

    def __init__(self, store: Store, account: Account) -> None:
        self._store = store
        self._account = account

    def answer(self, request: Request) -> Answer:
        """The page, or the way back."""
        found = re.fullmatch(r"/3ds/(pi_\w+)(?:/(complete|fail))?", request.path)
        intent = self._store.get("payment_intent", found[1]) if found else None
        if found is None or intent is None:
            return Answer.html("<p>There is no such payment.</p>", 404)
        if request.method == "GET" and not found[2]:
            amount = html.escape(f"{intent['amount'] / 100:.2f}")
            return Answer.html(_PAGE.format(amount=amount, currency=html.escape(intent["currency"].upper())))
        outcome = found[2] or dict(parse_qsl(request.body.decode())).get("outcome")
        if outcome not in ("complete", "fail"):
            return Answer.html("<p>The outcome is complete or fail.</p>", 400)
        return self._decide(intent, passed=outcome == "complete")

    def _decide(self, intent: Json, *, passed: bool) -> Answer:
        return_url = intent.get("_return_url")
        with self._store.transaction():
            self._account.request = {"id": None, "idempotency_key": None}
            try:
                intent = self._account.authenticate(intent["id"], passed=passed)
            except Refusal as refusal:
                return Answer.html(f"<p>{html.escape(str(refusal))}</p>", refusal.status)
        good = intent["status"] in ("requires_capture", "succeeded")
        if not return_url:
            return Answer.json({"id": intent["id"], "status": intent["status"]})
        return Answer.redirect(
            _with(
                return_url,
                payment_intent=intent["id"],
                payment_intent_client_secret=intent["client_secret"],
                redirect_status="succeeded" if good else "failed",
            )
        )


def _with(url: str, **parameters: str) -> str:
    parts = urlsplit(url)
    query = urlencode([*parse_qsl(parts.query, keep_blank_values=True), *parameters.items()])
    return urlunsplit(parts._replace(query=query))
