"""Hands out what the shop has of a person. Nothing is kept of it: each look is made anew, and is on record."""

from commerce.adapters import wiring
from commerce.adapters.http import Api, Request, Response
from commerce.clock import iso, now
from commerce.privacy import service
from commerce.privacy.view import PersonExport, export

api = Api("admin")
wiring.at_start(wiring.person_requests, wiring.person_files, wiring.accounts)


@api.get("/admin/privacy/requests/{id}/export", answers=PersonExport)
def export_person(request: Request[None]) -> Response:
    """Shows everything the shop has of the person who asked, as it is now: account, carts, checkouts, orders."""
    moment = now()
    file = service.export(
        wiring.person_requests(),
        wiring.person_files(),
        wiring.accounts(),
        wiring.audit(),
        request_id=request.parameters["id"],
        actor=request.actor,
        now=moment,
    )
    return Response(export(file, iso(moment)))


handler = api.handler
