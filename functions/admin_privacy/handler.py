"""What people ask about their own data: written down for an admin, and followed."""

from commerce.adapters import paging, wiring
from commerce.adapters.http import Api, Request, Response
from commerce.clock import now
from commerce.ids import derived_id
from commerce.privacy import service
from commerce.privacy.request import PersonRequestRequest
from commerce.privacy.view import PersonRequestsResponse, PersonRequestView, request_view

PAGE, MAX_PAGE = 50, 100
_LIST = "person requests"

api = Api("admin", idempotency=wiring.idempotency)
wiring.at_start(wiring.person_requests, wiring.erasures, wiring.audit, wiring.idempotency)


@api.post(
    "/admin/privacy/requests",
    body=PersonRequestRequest,
    answers=PersonRequestView,
    status=202,
    idempotency="required",
)
def ask_about_person(request: Request[PersonRequestRequest]) -> Response:
    """Writes down that somebody wants their data, or to be forgotten. An erasure begins at once, and waits for orders
    that are on their way.
    """
    made = service.ask(
        wiring.person_requests(),
        wiring.audit(),
        wiring.erasures(),
        request_id=derived_id("person", request.actor, request.headers["idempotency-key"]),
        email=request.body.email,
        kind=request.body.kind,
        reference=request.body.reference,
        actor=request.actor,
        now=now(),
    )
    return Response(request_view(made))


@api.get("/admin/privacy/requests", answers=PersonRequestsResponse, query=paging.parameters(PAGE, MAX_PAGE))
def list_requests(request: Request[None]) -> Response:
    """Lists the requests, the oldest first."""
    limit = paging.page_size(request, PAGE, MAX_PAGE)
    found, end = wiring.person_requests().listed(after=paging.position(request, of=_LIST), limit=limit)
    shown = tuple(map(request_view, found))
    return Response(PersonRequestsResponse(requests=shown, cursor=paging.cursor(end, of=_LIST)))


@api.get("/admin/privacy/requests/{id}", answers=PersonRequestView)
def show_request(request: Request[None]) -> Response:
    """Shows how far a request has come."""
    return Response(request_view(wiring.person_requests().get(request.parameters["id"])))


handler = api.handler
