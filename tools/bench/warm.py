"""Processor time of warm requests: the shop's code and its libraries, without any wait for AWS or Stripe.

The handlers are the deployed ones, in this process, with the demo catalogue. Each request is played once against
doubles, then many times over with what they answered (tools/bench/tape.py). Counted is the process's own time on a
CPU, so that a busy machine matters little.

    python -m tools.bench.warm [RUNS]   prints the figures as JSON
"""

import cProfile
import json
import os
import pstats
import statistics
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

from stacks.config import load as load_config
from tools.demo.actors import AGENT, BUYER, GOOD_CARD, access, card, filled_in, key
from tools.handlers import ENVIRONMENT, load_handler
from tools.local.instance import ROOT

RUNS = 200
"""Repetitions that are measured. A tenth of them come before, and a fifth after, under the profiler."""
LOADED = ("catalog", "carts", "complete_checkout", "orders", "project_catalog")
SHIRT, MUG = ("everyday-linen-shirt", 2), ("harbour-stoneware-mug", 1)
"""Products of the demo catalogue, of eight variants and of three, and how many of each are bought."""

PAGE, LIST, FIRST_LINE = "product page", "list of 20", "first line into a cart"
AIMS = {PAGE: 3.0, LIST: 4.0, FIRST_LINE: 8.0}
"""Milliseconds at most."""
CHECKOUT = (
    FIRST_LINE,
    "second line",
    "checkout of the cart",
    "buyer and address",
    "shipping option",
    "complete",
    "the order",
)
CHECKOUT_AIM = 60.0
"""Milliseconds of the seven requests from the cart to the order, all together."""

_IDENTITY = {
    "AWS_ACCESS_KEY_ID": "test",
    "AWS_SECRET_ACCESS_KEY": "test",
    "AWS_SESSION_TOKEN": "a token is signed too",
}
_SECRETS = {
    "SIGNING_SECRET_ARN": {"key": "the bench's own"},
    "PAYMENT_SECRET_ARN": {"api_key": "sk_test_bench", "webhook_secret": "whsec_bench"},
}
_GROUPS = ("botocore", "stripe", "pydantic", "aws_lambda_powertools", "commerce", "functions")
"""Where time is spent, by a part of the path of the code; the rest is the standard library and other packages."""

Figures = dict[str, dict[str, Any]]


class Visit:
    """Sends requests to the functions in this process; measures each by playing it again."""

    def __init__(self, runs: int) -> None:
        from tools.bench.tape import Tape

        self.runs = runs
        self.figures: Figures = {}
        self._tape = Tape()
        self._handlers = _deployed(self._tape)
        _fill(self._tape, self._handlers["project_catalog"])

    def send(self, name: str, function: str, route: str, body: Any = None, **given: Any) -> Any:
        """The answer's body. `given` are the `parameters` of the path and of the `query`."""
        event, handler = _event(route, body, **given), self._handlers[function].handler
        if "GET " in route:  # whose answer may hang on what the process has seen before
            self._tape.record()
            handler(event, None)
        self._tape.record()
        _forget_the_buyer()
        answer = handler(event, None)
        if answer["statusCode"] >= 300:
            raise RuntimeError(f"{name} is refused: {answer['body']}")

        def again() -> None:
            self._tape.rewind()
            _forget_the_buyer()
            repeated = handler(event, None)
            if repeated["statusCode"] != answer["statusCode"] or not self._tape.at_end:
                raise RuntimeError(f"{name} is not answered as it was: {repeated['body']}")

        timed, where = _timed(again, self.runs), _profiled(again, self.runs)
        self.figures[name] = {"calls": self._tape.calls, **timed, "where": where}
        return json.loads(answer["body"])


def visit(runs: int) -> Figures:
    """The figures of each request of a visit that ends with an order, in a process that has served one before."""
    visit = Visit(max(1, runs // 10))
    _from_the_page_to_the_order(visit)
    visit.runs = runs
    _from_the_page_to_the_order(visit)
    return visit.figures


def _from_the_page_to_the_order(visit: Visit) -> None:
    products = [
        visit.send(name, "catalog", "GET /products/{handle}", parameters={"handle": handle})
        for name, (handle, _) in ((PAGE, SHIRT), (f"{PAGE}, three variants", MUG))
    ]
    visit.send(LIST, "catalog", "GET /products", query={"limit": "20"})
    visit.send("search", "catalog", "POST /catalog/search", {"query": "linen"})

    names = iter(CHECKOUT)
    lines = [
        {"item": {"id": product["variants"][0]["id"]}, "quantity": quantity}
        for product, (_, quantity) in zip(products, (SHIRT, MUG), strict=True)
    ]
    cart = visit.send(next(names), "carts", "POST /carts", {"line_items": lines[:1]})
    path = {"parameters": {"id": cart["id"]}}
    kept = [{**line, "id": shown["id"]} for line, shown in zip(lines[:1], cart["line_items"], strict=True)]
    visit.send(next(names), "carts", "PUT /carts/{id}", {"line_items": [*kept, *lines[1:]]}, **path)
    checkout = visit.send(next(names), "carts", "POST /checkout-sessions", {"cart_id": cart["id"], "line_items": []})
    path = {"parameters": {"id": checkout["id"]}}
    route = "PUT /checkout-sessions/{id}"
    checkout = visit.send(next(names), "carts", route, filled_in(checkout, BUYER), **path)
    option = checkout["fulfillment"]["methods"][0]["groups"][0]["options"][0]["id"]
    visit.send(next(names), "carts", route, filled_in(checkout, BUYER, option), **path)
    route = "POST /checkout-sessions/{id}/complete"
    completed = visit.send(next(names), "complete_checkout", route, card(GOOD_CARD), **path)
    path = {"parameters": {"id": completed["order"]["id"]}, "query": access(completed)}
    visit.send(next(names), "orders", "GET /orders/{id}", **path)


def measure(runs: int = RUNS) -> Figures:
    """`visit`, in an interpreter of its own: its environment is that of functions, not of this checkout's shop."""
    command = [sys.executable, "-m", "tools.bench.warm", str(runs)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"the requests could not be measured:\n{done.stderr}")
    figures: Figures = json.loads(done.stdout.splitlines()[-1])  # before it, what functions log
    return figures


def _deployed(tape: Any) -> dict[str, Any]:
    """The handlers, as Lambda loads them, with the tape in the place of sockets."""
    os.environ |= ENVIRONMENT | _IDENTITY | {"SETTINGS": load_config("local").shop.model_dump_json()}
    from commerce.adapters import aws, secrets
    from commerce.payments import gateway
    from tools.bench.tape import StripeLine

    tape.connect(aws.session())
    known = {ENVIRONMENT[variable]: (float("inf"), fields) for variable, fields in _SECRETS.items()}
    secrets._known.update(known)
    line: Any = gateway
    line._PooledClient = lambda: StripeLine(tape)
    return {name: load_handler(name) for name in LOADED}


def _forget_the_buyer() -> None:
    """The process has served somebody else meanwhile: it remembers the key of one buyer's data, for seconds."""
    from commerce.adapters import wiring

    wiring.seals().last.clear()


def _fill(tape: Any, projector: Any) -> None:
    """Puts the demo catalogue into the tables, as `make up` does."""
    from commerce.adapters import wiring
    from tools.importer import drafts, mapping, tables
    from tools.importer.load import Shop, load
    from tools.importer.pictures import Pictures

    table = mapping.load(mapping.FOLDER / "shopify.toml")
    found = drafts.intakes(tables.read(ROOT / "demo/products.csv", table.format), table, "USD")
    nowhere = SimpleNamespace(put_object=lambda **_: None)
    shop = Shop(wiring.catalog(), wiring.inventory(), wiring.audit(), "main", Pictures(ROOT / "demo", "b", nowhere))
    load(shop, found, SimpleNamespace(begin=lambda *_: None, advance=lambda: None), threads=1)
    projector.handler({"Records": tape.database.records("catalog")}, None)


def _event(
    route: str, body: Any, parameters: dict[str, str] | None = None, query: dict[str, str] | None = None
) -> dict[str, Any]:
    """As the HTTP API hands a request on that came through CloudFront."""
    path = route.split(" ")[1]
    for name, value in (parameters or {}).items():
        path = path.replace(f"{{{name}}}", value)
    return {
        "version": "2.0",
        "routeKey": route,
        "rawPath": path,
        "headers": {
            "accept": "*/*",
            "content-type": "application/json",
            "ucp-agent": AGENT,
            "user-agent": "Amazon CloudFront",
            "via": "2.0 cloudfront",
            "x-forwarded-for": "192.0.2.1",
            "x-forwarded-proto": "https",
            **(key() if route.startswith("POST /c") else {}),
        },
        "pathParameters": parameters,
        "queryStringParameters": query,
        "requestContext": {"requestId": "bench", "http": {"method": route.split(" ")[0], "path": path}},
        "body": json.dumps(body) if body is not None else None,
        "isBase64Encoded": False,
    }


def _timed(again: Callable[[], None], runs: int) -> dict[str, float]:
    """Milliseconds of this process: the median of the runs, and the quickest."""
    for _ in range(runs // 10):
        again()
    taken = []
    for _ in range(runs):
        begin = time.process_time_ns()
        again()
        taken.append((time.process_time_ns() - begin) / 1e6)
    return {"milliseconds": round(statistics.median(taken), 2), "quickest": round(min(taken), 2)}


def _profiled(again: Callable[[], None], runs: int) -> dict[str, float]:
    """Which share of the time is spent in whose code. What Python's built-ins take counts for who called them."""
    profile = cProfile.Profile()
    profile.enable()
    for _ in range(max(1, runs // 5)):
        again()
    profile.disable()
    spent: Counter[str] = Counter()
    for (file, _, _), (_, _, own, _, callers) in pstats.Stats(profile).stats.items():  # type: ignore[attr-defined]
        if file != "~":
            spent[_group(file)] += own
            continue
        for (caller, _, _), (_, _, during, _) in callers.items():
            spent[_group(caller)] += during
    everything = sum(spent.values())
    return {group: round(taken / everything, 3) for group, taken in spent.most_common()}


def _group(file: str) -> str:
    return next((group for group in _GROUPS if f"/{group}/" in file), "other")


if __name__ == "__main__":
    print(json.dumps(visit(int(sys.argv[1]) if len(sys.argv) > 1 else RUNS)))
