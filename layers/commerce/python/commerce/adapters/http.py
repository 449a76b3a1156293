"""HTTP for the functions behind the API: routes, parsing, answers and errors, each in this one place.

A handler declares its routes and is otherwise plain:

    api = Api("storefront")

    @api.post("/carts", body=CartRequest, answers=CartResponse, status=201)
    def create_cart(request: Request[CartRequest]) -> Response: ...

    handler = api.handler

`docs/openapi.json` is generated from these declarations, and the API stack makes its routes from that file.
"""

import base64
import hashlib
import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Generic, Literal, Protocol, TypeVar, get_args

from aws_lambda_powertools import Logger
from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from commerce import correlation, errors
from commerce.adapters.idempotency import IdempotencyStore, Replay
from commerce.identity.model import GUEST, TOKEN_USES, Caller, Group
from commerce.model import WANTED

MAX_BODY = 256 * 1024
"""Bytes. A cart of 40 lines is under 10 KB; a product of 90 variants under 150 KB."""

MAX_PARAMETER = 300
"""Characters of one parameter in the path. No identifier is longer, and DynamoDB takes keys of at most 2 KB."""

MAX_FAULTS = 20
"""Fields that one answer names."""

JSON = "application/json"

GUARDS = {
    "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
}
"""On every answer: whatever a browser takes it for, it loads and runs nothing. CloudFront says the same, and more."""

Style = Literal["storefront", "admin"]
Auth = Literal["public", "customer", "staff", "signature"]
Body = TypeVar("Body")
Word = TypeVar("Word", bound=str)

logger = Logger()

STATUS: dict[type[errors.CommerceError], int] = {
    errors.Invalid: 400,
    errors.Unauthenticated: 401,
    errors.Forbidden: 403,
    errors.NotFound: 404,
    errors.Conflict: 409,
    errors.IdempotencyInProgress: 409,
    errors.IdempotencyMismatch: 409,
    errors.StaleVersion: 412,
    errors.TooMany: 400,
    errors.TooLarge: 413,
    errors.VersionRequired: 428,
    errors.Unavailable: 503,
    errors.Contended: 503,
    errors.WaitingRoom: 429,
}


@dataclass(frozen=True)
class Response:
    """What a handler answers. `body` is a model, a JSON value, or text with a content type of its own."""

    body: Any = None
    status: int | None = None
    """None takes the route's declared status."""
    headers: Mapping[str, str] = field(default_factory=dict)
    holder: str | None = None
    """The cart or checkout whose buyer the body tells of: a replay is kept under the buyer's own key."""


@dataclass(frozen=True)
class Request(Generic[Body]):
    """A parsed request. Header names are in lower case; `body` is the route's model."""

    method: str
    path: str
    parameters: Mapping[str, str]
    query: Mapping[str, str]
    headers: Mapping[str, str]
    raw_body: bytes
    caller: Caller
    body: Body

    @property
    def actor(self) -> str:
        """Who is written down as having done it. On routes of staff."""
        return self.caller.subject or "staff"

    def choice(self, name: str, of: tuple[Word, ...], default: Word) -> Word:
        """The query parameter, which is one of these words. Raises Invalid."""
        text = self.query.get(name, default)
        for word in of:
            if word == text:
                return word
        raise errors.Invalid(f"{name} is one of {', '.join(of)}", path=f"$.{name}")

    def version_if_sent(self) -> int | None:
        """As `expected_version`; None without an `If-Match`."""
        return self.expected_version() if "if-match" in self.headers else None

    def expected_version(self) -> int:
        """The version in `If-Match`. Raises VersionRequired without one, StaleVersion for what is no version."""
        value = self.headers.get("if-match")
        if value is None:
            raise errors.VersionRequired("send If-Match with the ETag of the version you are changing")
        match = re.fullmatch(r'(?:W/)?"(\d{1,9})"', value.strip())
        if match is None:
            raise errors.StaleVersion(f"{value} is not a version of this resource; read it again for its ETag")
        return int(match[1])


@dataclass(frozen=True)
class Route:
    """One operation of the API, as declared by its handler."""

    method: str
    path: str
    call: Callable[[Request[Any]], Response]
    auth: Auth
    groups: tuple[Group, ...]
    body: type[BaseModel] | None
    accepts: str
    """The content type of its body. A body without a model is read by the handler, as it came."""
    answers: type[BaseModel] | None
    status: int
    query: Mapping[str, str]
    idempotency: Literal["none", "optional", "required"]

    @property
    def key(self) -> str:
        """As API Gateway names it: `GET /products/{handle}`."""
        return f"{self.method} {self.path}"


class TokenVerifier(Protocol):
    """Turns a bearer token into a caller. Raises Unauthenticated."""

    def __call__(self, token: str) -> Caller:
        """Who the token speaks for."""


class Api:
    """The routes of one function. `style` decides how faults look: the protocol's, or RFC 9457 problems."""

    def __init__(
        self,
        style: Style,
        *,
        verify: TokenVerifier | None = None,
        idempotency: Callable[[], IdempotencyStore] | None = None,
    ) -> None:
        self.style = style
        self.routes: dict[str, Route] = {}
        self._verify = verify
        self._idempotency = idempotency

    @property
    def knows_customers(self) -> bool:
        """Whether public routes also take a buyer's token."""
        return self._verify is not None

    def route(
        self,
        method: str,
        path: str,
        *,
        auth: Auth | None = None,
        groups: tuple[Group, ...] = (),
        body: type[BaseModel] | None = None,
        accepts: str = JSON,
        answers: type[BaseModel] | None = None,
        status: int = 200,
        query: Mapping[str, str] | None = None,
        idempotency: Literal["none", "optional", "required"] = "none",
    ) -> Callable[[Callable[[Request[Any]], Response]], Callable[[Request[Any]], Response]]:
        """Declares an operation. `query` names its query parameters with a sentence each."""
        default: Auth = "staff" if self.style == "admin" else "public"

        def register(call: Callable[[Request[Any]], Response]) -> Callable[[Request[Any]], Response]:
            route = Route(
                method, path, call, auth or default, groups, body, accepts, answers, status, query or {}, idempotency
            )
            self.routes[route.key] = route
            return call

        return register

    def get(self, path: str, **options: Any) -> Callable[..., Any]:
        """Declares a GET."""
        return self.route("GET", path, **options)

    def post(self, path: str, **options: Any) -> Callable[..., Any]:
        """Declares a POST."""
        return self.route("POST", path, **options)

    def put(self, path: str, **options: Any) -> Callable[..., Any]:
        """Declares a PUT."""
        return self.route("PUT", path, **options)

    def delete(self, path: str, **options: Any) -> Callable[..., Any]:
        """Declares a DELETE."""
        return self.route("DELETE", path, **options)

    def handler(self, event: dict[str, Any], context: Any) -> dict[str, Any]:
        """The Lambda entry point, for HTTP API events of version 2.0."""
        headers = {name.lower(): value for name, value in event.get("headers", {}).items()}
        request_id = event.get("requestContext", {}).get("requestId", "")
        correlation_id = _begin(headers, request_id, event.get("routeKey"))
        try:
            answer = self._answer(event, headers)
        except errors.CommerceError as error:
            answer = self._fault(error)
        except Exception:
            logger.exception("unexpected error", route=event.get("routeKey"))
            answer = self._fault(errors.Unavailable("something went wrong on our side; send the request again"))
        named = {"x-request-id": request_id, "x-correlation-id": correlation_id}
        return {**answer, "headers": {**GUARDS, **answer["headers"], **({} if _shared(answer) else named)}}

    def _answer(self, event: dict[str, Any], headers: Mapping[str, str]) -> dict[str, Any]:
        route = self.routes[event["routeKey"]]
        raw = event.get("body") or ""
        raw_body = base64.b64decode(raw) if event.get("isBase64Encoded") else raw.encode()
        if len(raw_body) > MAX_BODY:
            raise errors.TooLarge(f"the body has {len(raw_body)} bytes; at most {MAX_BODY} are read")
        caller = self._caller(route, event, headers)
        parameters = event.get("pathParameters") or {}
        if any(len(value) > MAX_PARAMETER for value in parameters.values()):
            raise errors.NotFound("there is nothing with such a long name")
        request: Request[Any] = Request(
            method=route.method,
            path=event.get("rawPath", ""),
            parameters=parameters,
            query=event.get("queryStringParameters") or {},
            headers=headers,
            raw_body=raw_body,
            caller=caller,
            body=_parse(route, raw_body, headers),
        )
        if route.idempotency == "none" or self._idempotency is None:
            return _render(route.call(request), route)
        return self._once(route, request, self._idempotency())

    def _caller(self, route: Route, event: dict[str, Any], headers: Mapping[str, str]) -> Caller:
        claims = event.get("requestContext", {}).get("authorizer", {}).get("jwt", {}).get("claims")
        if route.auth in ("staff", "customer"):
            if not claims:
                raise errors.Unauthenticated("send Authorization: Bearer with a valid token")
            if claims.get("token_use") not in TOKEN_USES:
                raise errors.Unauthenticated("send the access token or the id token, not another one")
            caller = Caller(subject=claims["sub"], groups=_groups(claims.get("cognito:groups", "")))
            if route.auth == "staff" and not caller.belongs_to(*route.groups):
                raise errors.Forbidden(f"this needs one of the groups {', '.join((*route.groups, 'admin'))}")
            return caller
        token = headers.get("authorization", "")
        if route.auth == "public" and self._verify and token.lower().startswith("bearer "):
            return self._verify(token[7:].strip())
        return GUEST

    def _once(self, route: Route, request: Request[Any], store: IdempotencyStore) -> dict[str, Any]:
        """Does the work for a key at most once, and repeats the first answer byte for byte after that."""
        key = request.headers.get("idempotency-key")
        if key is None:
            if route.idempotency == "required":
                raise errors.Invalid("send an Idempotency-Key header, so that a retry cannot do this twice")
            return _render(route.call(request), route)
        if not re.fullmatch(r"[\x21-\x7e]{1,255}", key):
            raise errors.Invalid("Idempotency-Key must be 1 to 255 printable characters without spaces")
        caller = request.caller.subject or f"guest {request.headers.get('ucp-agent', '')}"
        claim = store.claim(f"{caller} {route.method} {request.path}", key, _digest(request))
        if isinstance(claim, Replay):
            return {"statusCode": claim.status, "headers": dict(claim.headers), "body": claim.body}
        holder = None
        try:
            response = route.call(request)
            answer, holder = _render(response, route), response.holder
        except errors.Unavailable:
            store.release(claim)
            raise
        except errors.CommerceError as error:
            answer = self._fault(error)
        except Exception:
            store.release(claim)
            raise
        store.keep(claim, Replay(answer["statusCode"], answer["headers"], answer["body"]), holder=holder)
        return answer

    def _fault(self, error: errors.CommerceError) -> dict[str, Any]:
        status = STATUS[type(error)]
        headers = {"content-type": "application/json", "cache-control": "no-store"}
        if error.retry_after is not None:
            headers["retry-after"] = str(error.retry_after)
        if self.style == "admin":
            headers["content-type"] = "application/problem+json"
            body = {
                "type": f"urn:tradepost:problem:{error.code}",
                "title": error.code.replace("_", " "),
                "status": status,
                "detail": error.content,
                "code": error.code,
                **({"errors": [{"path": path, "detail": why} for path, why in error.faults]} if error.faults else {}),
            }
        else:
            path = {"path": error.path} if error.path else {}
            body = {"code": error.code, "content": error.content, **path, **error.details}
        return {"statusCode": status, "headers": headers, "body": json.dumps(body)}


def _begin(headers: Mapping[str, str], request_id: str, route: str | None) -> str:
    """What the request causes belongs to the id that its client chose, or to the request's own, by which the access log
    knows it. A line leads from the one to the other.
    """
    correlation_id = correlation.accepted(headers.get("x-correlation-id")) or request_id
    correlation.take_up(correlation_id or None)
    logger.set_correlation_id(correlation_id)
    if correlation_id != request_id:
        logger.info("request", request_id=request_id, route=route)
    return correlation_id


def _shared(answer: Mapping[str, Any]) -> bool:
    """Whether a cache may hand the answer to others too: to them, the ids of the first one's request would be a lie."""
    cached: str = answer["headers"].get("cache-control", "")
    return cached.startswith("public")


def _digest(request: Request[Any]) -> str:
    """Tells requests under the same key apart. The query counts: it holds the proof that opens a guest's order."""
    beside = json.dumps([sorted(request.query.items()), request.headers.get("if-match")])
    return hashlib.sha256(beside.encode() + request.raw_body).hexdigest()


def _groups(claim: str | list[str]) -> frozenset[str]:
    """API Gateway hands a list claim on as text: `[admin support]`."""
    return frozenset(claim if isinstance(claim, list) else claim.removeprefix("[").removesuffix("]").split())


def _parse(route: Route, raw: bytes, headers: Mapping[str, str]) -> BaseModel | None:
    if route.body is None and route.accepts == JSON:
        return None
    _check_format(route, headers)
    if route.body is None:
        return None
    try:
        return _read(route.body, raw or b"{}", route)
    except ValidationError as error:
        raise invalid(error) from None


def _read(model: type[BaseModel], raw: bytes, route: Route) -> BaseModel:
    """Staff may change what they read and send it back whole: of what a PUT does not take, what its answer shows is
    passed over. Whatever else a closed model does not know is refused. Raises ValidationError.
    """
    try:
        return model.model_validate_json(raw)
    except ValidationError as error:
        unknown = {one["loc"][-1] for one in error.errors(include_input=False) if one["type"] == "extra_forbidden"}
        if route.method != "PUT" or not unknown or unknown - set(_shown(route.answers)):
            raise
        return model.model_validate_json(raw, extra="ignore")


def _shown(answer: Any) -> Iterator[str]:
    """The names of the fields of an answer, and of what stands in them."""
    for name, one in getattr(answer, "model_fields", {}).items():
        yield name
        yield from _shown(one.annotation)
    for inner in get_args(answer):
        yield from _shown(inner)


def _check_format(route: Route, headers: Mapping[str, str]) -> None:
    """A body can be read in one way only, also by a firewall on its way here. Raises Invalid."""
    kind, *options = (part.strip().lower() for part in headers.get("content-type", route.accepts).split(";"))
    if kind != route.accepts:
        raise errors.Invalid(f"send {route.accepts}, not {kind}")
    if any(one.startswith("charset") and one not in ("charset=utf-8", 'charset="utf-8"') for one in options):
        raise errors.Invalid(f"send {route.accepts} in UTF-8")
    if headers.get("content-encoding", "identity").strip().lower() != "identity":
        raise errors.Invalid("send the body as it is, without Content-Encoding")


def invalid(error: ValidationError) -> errors.Invalid:
    """Names the fields at fault, the first one in its sentence. Their values are not repeated: they may be personal."""
    found = error.errors(include_url=False, include_input=False)
    # A list that has wrong entries only is called empty besides: what holds a fault is not one itself.
    holders = {one["loc"][:depth] for one in found for depth in range(len(one["loc"]))}
    faults = tuple((_path(one["loc"]), _reason(one)) for one in found if one["loc"] not in holders)
    (path, why), more = faults[0], len(faults) - 1
    content = f"{path}: {why}" + (f" (and {more} more)" if more else "")
    return errors.Invalid(content, path=path, faults=faults[:MAX_FAULTS])


def _reason(fault: ErrorDetails) -> str:
    wanted = WANTED.get(fault.get("ctx", {}).get("pattern", ""))
    return wanted or fault["msg"].removeprefix("Value error, ")


def _path(places: tuple[int | str, ...]) -> str:
    return "$" + "".join(f"[{place}]" if isinstance(place, int) else f".{place}" for place in places)


def _render(response: Response, route: Route) -> dict[str, Any]:
    headers = {"content-type": "application/json", "cache-control": "no-store", **response.headers}
    status = response.status or route.status
    body = response.body
    if isinstance(body, BaseModel):
        text = body.model_dump_json(by_alias=True, exclude_none=True)
    elif isinstance(body, str):
        text = body
    else:
        text = "" if body is None else json.dumps(body)
    return {"statusCode": status, "headers": headers, "body": text}


def etag(text: str) -> str:
    """A strong ETag for a rendered body."""
    return f'"{hashlib.sha256(text.encode()).hexdigest()[:32]}"'


def cacheable(request: Request[Any], body: BaseModel, *, max_age: int = 60) -> Response:
    """A public answer with an ETag; 304 where the client already has it."""
    text = body.model_dump_json(by_alias=True, exclude_none=True)
    headers = {"etag": etag(text), "cache-control": f"public, max-age={max_age}"}
    known = request.headers.get("if-none-match", "")
    if headers["etag"] in known or known.strip() == "*":
        return Response(None, status=304, headers=headers)
    return Response(text, headers=headers)


def versioned(
    body: BaseModel, version: int, *, status: int | None = None, holder: str | None = None
) -> Response:
    """An answer whose ETag is the resource's version, for `If-Match`."""
    return Response(body, status=status, headers={"etag": f'"{version}"'}, holder=holder)
