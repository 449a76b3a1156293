"""Stripe's HTTP surface: keys, routes, idempotency, errors, lists."""

import base64
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from tools.doubles.control import Faults, PlannedFault, Record, Turnstile, pause
from tools.doubles.http import Answer, Dropped, Request
from tools.doubles.store import Json, Store
from tools.doubles.stripe import objects
from tools.doubles.stripe.account import Account, kind_of
from tools.doubles.stripe.errors import Refusal, integer, invalid, missing
from tools.doubles.stripe.keys import Keys

_NO_KEY = (
    "You did not provide an API key. You need to provide your API key in the Authorization header, using Bearer auth "
    "(e.g. 'Authorization: Bearer YOUR_SECRET_KEY')."
)
_TERM = re.compile(r"""(?P<field>[a-z_]+|metadata\[['"](?P<name>[^'"]+)['"]\])\s*:\s*['"](?P<value>[^'"]*)['"]""")

Action = Callable[[Account, Json, str], Json]


@dataclass(frozen=True)
class Route:
    """One operation. `<id>` in the path is handed to `action(account, params, id)`."""

    method: str
    path: str
    operation: str
    action: Action

    @property
    def pattern(self) -> str:
        """The path as a regular expression."""
        return self.path.replace("<id>", "([A-Za-z0-9_]+)")


def _retrieve(kind: str, param: str = "id") -> Action:
    return lambda account, params, identifier: account.find(kind, identifier, param=param)


@dataclass(frozen=True)
class Reply:
    """What goes back, as values."""

    status: int
    body: Json
    headers: Mapping[str, str]


class Api:
    """Answers what comes to `/v1/`."""

    def __init__(self, store: Store, account: Account, record: Record, faults: Faults, turnstile: Turnstile) -> None:
        self._store = store
        self._account = account
        self._keys = Keys(store)
        self._record = record
        self._faults = faults
        self._turnstile = turnstile
        self._routes = (
            Route("POST", "/v1/payment_intents", "payment_intents.create", lambda a, p, _: a.create_intent(p)),
            Route("GET", "/v1/payment_intents", "payment_intents.list", self._list("payment_intent")),
            Route("GET", "/v1/payment_intents/search", "payment_intents.search", self._search("payment_intent")),
            Route("GET", "/v1/payment_intents/<id>", "payment_intents.retrieve", _retrieve("payment_intent", "intent")),
            Route(
                "POST",
                "/v1/payment_intents/<id>/confirm",
                "payment_intents.confirm",
                lambda a, p, i: a.confirm_intent(i, p),
            ),
            Route(
                "POST",
                "/v1/payment_intents/<id>/capture",
                "payment_intents.capture",
                lambda a, p, i: a.capture_intent(i, p),
            ),
            Route(
                "POST",
                "/v1/payment_intents/<id>/cancel",
                "payment_intents.cancel",
                lambda a, p, i: a.cancel_intent(i, p),
            ),
            Route("GET", "/v1/payment_methods/<id>", "payment_methods.retrieve", lambda a, p, i: a.payment_method(i)),
            Route("GET", "/v1/charges", "charges.list", self._list("charge")),
            Route("GET", "/v1/charges/<id>", "charges.retrieve", _retrieve("charge")),
            Route("POST", "/v1/refunds", "refunds.create", lambda a, p, _: a.create_refund(p)),
            Route("GET", "/v1/refunds", "refunds.list", self._list("refund")),
            Route("GET", "/v1/refunds/<id>", "refunds.retrieve", _retrieve("refund")),
            Route("GET", "/v1/disputes", "disputes.list", self._list("dispute")),
            Route("GET", "/v1/disputes/<id>", "disputes.retrieve", _retrieve("dispute")),
            Route("GET", "/v1/events", "events.list", self._list("event")),
            Route("GET", "/v1/events/<id>", "events.retrieve", _retrieve("event")),
            Route("POST", "/v1/webhook_endpoints", "webhook_endpoints.create", lambda a, p, _: a.create_endpoint(p)),
            Route("GET", "/v1/webhook_endpoints", "webhook_endpoints.list", self._list("webhook_endpoint")),
            Route("GET", "/v1/webhook_endpoints/<id>", "webhook_endpoints.retrieve", _retrieve("webhook_endpoint")),
            Route(
                "DELETE",
                "/v1/webhook_endpoints/<id>",
                "webhook_endpoints.delete",
                lambda a, p, i: a.delete_endpoint(i),
            ),
        )

    @property
    def operations(self) -> tuple[str, ...]:
        """The names of all operations."""
        return tuple(route.operation for route in self._routes)

    def forget(self) -> None:
        """All idempotency keys, as after a day."""
        self._keys.forget()

    def answer(self, request: Request) -> Answer:
        """Does the operation, once per idempotency key. Raises Dropped where a fault cuts the line."""
        reply = self.reply(request)
        return Answer.json(reply.body, reply.status, reply.headers)

    def reply(self, request: Request) -> Reply:
        """As `answer`, before it is written down."""
        request_id = objects.token("req_", 14)
        headers = {
            "Request-Id": request_id,
            "Stripe-Version": request.headers.get("stripe-version", objects.API_VERSION),
        }
        key = request.headers.get("idempotency-key") if request.method == "POST" else None
        if key:
            headers["Idempotency-Key"] = key
        try:
            _authenticate(request)
            route, identifier = self._route(request)
            known = self._keys.claim(key, request.method, request.path, request.body) if key else None
        except Refusal as refusal:
            return _error(refusal, request_id, headers)
        if known:
            self._note(route, request, identifier, known["status"], replayed=True)
            headers |= {"Idempotent-Replayed": "true", "Original-Request": known["request_id"]}
            return Reply(known["status"], known["answer"], headers)
        try:
            self._turnstile.enter(route.operation)
            fault = self._faults.take(route.operation)
            _fail_before(fault)
            status, body = self._perform(route, identifier, request, key, request_id, fault)
        except Refusal as refusal:
            self._note(route, request, identifier, refusal.status)
            return _error(refusal, request_id, headers)
        finally:
            if key:
                self._keys.drop(key)
        self._note(route, request, identifier, status)
        _fail_after(fault)
        return Reply(status, body, headers)

    def _perform(
        self,
        route: Route,
        identifier: str,
        request: Request,
        key: str | None,
        request_id: str,
        fault: PlannedFault | None,
    ) -> tuple[int, Json]:
        """Work, its events and what its key remembers: all in one transaction."""
        params = request.form()
        with self._store.transaction():
            self._account.request = {"id": request_id, "idempotency_key": key, "base": request.base}
            try:
                status, body = 200, objects.public(route.action(self._account, params, identifier))
                for path in _expansions(params):
                    _expand(self._account, body, path.split("."))
            except Refusal as refusal:
                if not refusal.kept:
                    raise
                status, body = refusal.status, _body(refusal, request_id)
            if fault and fault.fault == "error_after":
                status, body = 500, _body(_outage(), request_id)
            if key:
                self._keys.keep(key, request.method, request.path, request.body, request_id, status, body)
        return status, body

    def _route(self, request: Request) -> tuple[Route, str]:
        for route in self._routes:
            found = re.fullmatch(route.pattern, request.path)
            if found and route.method == request.method:
                return route, found.group(1) if found.groups() else ""
        raise invalid(
            f"Unrecognized request URL ({request.method}: {request.path}). The double knows only what the shop uses.",
            status=404,
        )

    def _note(self, route: Route, request: Request, identifier: str, status: int, *, replayed: bool = False) -> None:
        intent_id = identifier or str(request.form().get("payment_intent", ""))
        intent = self._store.get("payment_intent", intent_id)
        metadata = intent["metadata"] if intent else request.form().get("metadata") or {}
        self._record.add(
            route.operation,
            path=request.path,
            status=status,
            replayed=replayed,
            order_id=metadata.get("order_id"),
            idempotency_key=request.headers.get("idempotency-key") if request.method == "POST" else None,
        )

    def _list(self, kind: str) -> Action:
        return lambda account, params, _: self._page(kind, params, lambda thing: True)

    def _search(self, kind: str) -> Action:
        def search(account: Account, params: Json, _: str) -> Json:
            terms = list(_TERM.finditer(str(params.get("query", ""))))
            if not terms:
                raise invalid('Write the query like metadata["order_id"]:"…" AND status:"…".', param="query")

            def fits(thing: Json) -> bool:
                return all(
                    (thing["metadata"].get(term["name"]) if term["name"] else thing.get(term["field"])) == term["value"]
                    for term in terms
                )

            found = self._page(kind, params, fits)
            return {**found, "object": "search_result", "next_page": None, "url": found["url"] + "/search"}

        return search

    def _page(self, kind: str, params: Json, fits: Callable[[Json], bool]) -> Json:
        """The newest first, as all of Stripe's lists."""
        limit = min(integer(params, "limit"), 100) if "limit" in params else 10
        things = [thing for thing in reversed(self._store.all(kind)) if fits(thing)]
        for name in ("payment_intent", "charge", "type"):
            if name in params:
                things = [thing for thing in things if thing.get(name) == params[name]]
        if isinstance(params.get("types"), list):
            things = [thing for thing in things if thing["type"] in params["types"]]
        if isinstance(params.get("created"), dict):
            first, last = (int(params["created"].get(end, limits)) for end, limits in (("gte", 0), ("lte", 2**40)))
            things = [thing for thing in things if first <= thing["created"] <= last]
        if params.get("delivery_success") == "false":
            missed = {job["message"] for kind in ("delivery", "undelivered") for job in self._store.all(kind)}
            things = [thing for thing in things if thing["id"] in missed]
        if "starting_after" in params:
            known = [thing["id"] for thing in things]
            if params["starting_after"] not in known:
                raise missing(kind, str(params["starting_after"]), param="starting_after")
            things = things[known.index(str(params["starting_after"])) + 1 :]
        return objects.page(things[:limit], f"/v1/{kind}s", more=len(things) > limit)


def _authenticate(request: Request) -> None:
    scheme, _, credentials = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() == "basic":
        credentials = base64.b64decode(credentials).decode().partition(":")[0]
    if not credentials:
        raise Refusal(401, "invalid_request_error", _NO_KEY)
    if not re.fullmatch(r"[sr]k_test_\w+", credentials):
        raise Refusal(401, "invalid_request_error", f"Invalid API Key provided: {credentials[:7]}****")


def _expansions(params: Json) -> list[str]:
    wanted = params.get("expand") or []
    return [str(path) for path in wanted] if isinstance(wanted, list) else []


def _expand(account: Account, thing: Any, path: list[str]) -> None:
    """Puts the object in the place of its id."""
    if isinstance(thing, list):
        for one in thing:
            _expand(account, one, path)
        return
    if not isinstance(thing, dict) or not path:
        return
    first, *rest = path
    value = thing.get(first)
    kind = kind_of(value) if isinstance(value, str) else None
    if isinstance(value, str) and kind:
        thing[first] = objects.public(account.find(kind, value))
    _expand(account, thing.get(first), rest)


def _outage() -> Refusal:
    return Refusal(500, "api_error", "An unknown error occurred")


def _fail_before(fault: PlannedFault | None) -> None:
    match fault.fault if fault else None:
        case "error_before":
            raise _outage()
        case "drop_before":
            raise Dropped
        case "rate_limit":
            raise Refusal(429, "invalid_request_error", "Request rate limit exceeded.", code="rate_limit")


def _fail_after(fault: PlannedFault | None) -> None:
    match fault.fault if fault else None:
        case "drop_after":
            raise Dropped
        case "slow":
            pause(fault.seconds if fault else 0)


def _body(refusal: Refusal, request_id: str) -> Json:
    return {"error": {**refusal.error, "request_log_url": f"https://dashboard.stripe.com/test/logs/{request_id}"}}


def _error(refusal: Refusal, request_id: str, headers: dict[str, str]) -> Reply:
    return Reply(refusal.status, _body(refusal, request_id), {**headers, **refusal.headers})
