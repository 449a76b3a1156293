"""The line between the shop's functions and AWS, with faults on it: `microburst`, a proxy that speaks AWS's protocols.

microburst says which service and operation a request is, which fault meets it, and how AWS would word an error. What it
has no word for is done here, where the request is carried on: an error, or nothing at all, after AWS did the work; the
work done twice; a conflict told for each action of a transaction; the errors of SES.

The requests arrive at AWS as they were signed, with their own host: the local AWS checks signatures. Every request is
noted, with what AWS said.
"""

import asyncio
import json
import re
import threading
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any, Self

from aiohttp import ClientSession, ClientTimeout, TCPConnector, web
from microburst.app import make_app
from microburst.core.pipeline import Microburst
from microburst.detection import detect
from microburst.detection.operation import resolve_operation
from microburst.forward import ResponseFault, Upstream
from microburst.protocols import render_error

from tools.local.instance import HOST

AFTERMATH = "x-aftermath"
"""The header by which a rule says what happens where the request is carried on; it never leaves this process."""

_ATTEMPT = re.compile(r"attempt=(\d+)")
_CALLER = re.compile(r"\bapp/(\w+)\.")
_HOP_BY_HOP = frozenset({"connection", "keep-alive", "transfer-encoding", "content-length"})


@dataclass(frozen=True)
class Call:
    """One request of a function that was carried to AWS. `attempt` counts botocore's own tries from 1."""

    function: str
    service: str
    operation: str
    attempt: int
    status: int
    error: str
    """AWS's word for what is wrong; empty where nothing is."""
    body: str
    """What was asked, as JSON."""

    @property
    def boundary(self) -> str:
        """As the campaign names it: `dynamodb.PutItem`."""
        return f"{self.service}.{self.operation}"


class _Carrier(Upstream):  # type: ignore[misc]  # microburst has no types
    """Carries requests on as they came, and does what microburst has no word for."""

    def __init__(self, base_url: str, note: Callable[[Call], None], **options: Any) -> None:
        super().__init__(base_url, **options)
        self._note = note

    async def start(self) -> None:
        """Connects anew for each request: a kept connection that AWS closes would be a fault that nobody planned."""
        self.session = ClientSession(
            connector=TCPConnector(force_close=True, limit=0), auto_decompress=False, timeout=ClientTimeout(total=600)
        )

    async def relay(
        self,
        request: web.Request,
        body: bytes | None,
        mutator: ResponseFault | None = None,
        data: Any = None,
    ) -> web.StreamResponse:
        """The answer of AWS, or what the fault makes of it."""
        asked = _asked(request, body)
        aftermath = mutator.set_headers.get(AFTERMATH, "") if mutator else ""
        match aftermath:
            case "conflict":
                return _refused(asked, *_conflict(body or b"{}"))
            case "throttled":
                return _refused(asked, "TooManyRequestsException", 429)
            case "failed_before":
                return _refused(asked, "InternalServerError", 500)
        answer = await self._carry(request, body or b"", asked)
        match aftermath:
            case "twice":
                return await self._carry(request, body or b"", asked)
            case "failed_after":
                return _refused(asked, "InternalServerError", 500)
            case "dropped_after":
                if request.transport is not None:
                    request.transport.abort()
        return answer

    async def _carry(self, request: web.Request, body: bytes, asked: Any) -> web.Response:
        assert self.session is not None
        headers = {name: value for name, value in request.headers.items() if name.lower() not in _HOP_BY_HOP}
        async with self.session.request(
            request.method, self.base_url + request.rel_url.raw_path_qs, headers=headers, data=body
        ) as answer:
            content = await answer.read()
            self._note(_call(request, body, asked, answer.status, content))
            given = {name: value for name, value in answer.headers.items() if name.lower() not in _HOP_BY_HOP}
            return web.Response(status=answer.status, headers=given, body=content)


def _asked(request: web.Request, body: bytes | None) -> Any:
    """What the request is. microburst takes version 2 of SES, which signs like the first, for that."""
    path, query = request.rel_url.raw_path, request.rel_url.query
    asked = detect(request.headers, request.method, path, query, body)
    if asked.service == "ses":
        asked.service, asked.protocol = "sesv2", "rest-json"
        asked.operation = resolve_operation("sesv2", request.headers, request.method, path, query, body)
    return asked


def _call(request: web.Request, body: bytes, asked: Any, status: int, content: bytes) -> Call:
    attempt = _ATTEMPT.search(request.headers.get("amz-sdk-request", ""))
    caller = _CALLER.search(request.headers.get("user-agent", ""))
    return Call(
        function=caller[1] if caller else "",
        service=asked.service or "",
        operation=asked.operation or "",
        attempt=int(attempt[1]) if attempt else 1,
        status=status,
        error="" if status < 400 else str(_json(content).get("__type", status)).rpartition("#")[2],
        body=body.decode(errors="replace"),
    )


def _json(text: bytes) -> dict[str, Any]:
    try:
        value = json.loads(text or b"{}")
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}


def _conflict(body: bytes) -> tuple[str, int, dict[str, Any]]:
    """As DynamoDB tells of what met a transaction: another one has a reason for each action, the first one to blame."""
    actions = len(_json(body).get("TransactItems", ()))
    if not actions:
        return "TransactionConflictException", 400, {}
    reasons = [{"Code": "TransactionConflict", "Message": "Transaction is ongoing for the item"}]
    reasons += [{"Code": "None"}] * (actions - 1)
    return "TransactionCanceledException", 400, {"CancellationReasons": reasons}


def _refused(asked: Any, code: str, status: int, fields: dict[str, Any] | None = None) -> web.Response:
    status, headers, body = render_error(
        asked.service, code, "the line failed", status, protocol=asked.protocol, fields=fields
    )
    return web.Response(status=status, headers=headers, body=body)


class Line:
    """A proxy in front of `upstream`, in a thread of this process, for as long as the `with` block lasts."""

    def __init__(self, upstream: str) -> None:
        self.calls: list[Call] = []
        self.url = ""
        self._upstream = upstream
        self._proxy = Microburst(upstream, resign=False, fired_capacity=1_000_000)
        self._proxy.upstream = _Carrier(upstream, self.calls.append, stats=self._proxy.stats)
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="line", daemon=True)
        self._runner = web.AppRunner(make_app(self._proxy), access_log=None, keepalive_timeout=3600)

    def __enter__(self) -> Self:
        self._thread.start()
        self._do(self._open())
        return self

    def __exit__(self, *_: object) -> None:
        self._do(self._runner.cleanup())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def add(self, rules: list[dict[str, Any]]) -> list[int]:
        """From now on these rules hold too, in microburst's own words; answers their ids."""
        return [rule.id for rule in self._do(self._edit(lambda: self._proxy.engine.add_rules(rules)))]

    def calm(self) -> None:
        """No rule holds any more."""
        self._do(self._edit(lambda: self._proxy.engine.delete_matching([])))

    def fired(self) -> dict[int, int]:
        """How often each rule met a request, by its id."""
        counted: dict[int, int] = {}
        for event in list(self._proxy.fired):
            counted[event.rule_id] = counted.get(event.rule_id, 0) + 1
        return counted

    async def _open(self) -> None:
        await self._runner.setup()
        site = web.TCPSite(self._runner, HOST, 0)
        await site.start()
        self.url = f"http://{HOST}:{self._runner.addresses[0][1]}"

    async def _edit(self, change: Callable[[], Any]) -> Any:
        """In the line's own thread, so that no request meets half a change."""
        return change()

    def _do(self, work: Any) -> Any:
        future: Future[Any] = asyncio.run_coroutine_threadsafe(work, self._loop)
        return future.result(timeout=60)
