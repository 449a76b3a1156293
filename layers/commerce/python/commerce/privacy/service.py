"""A person's data: asked for, handed out, erased. Every step may happen twice."""

from datetime import datetime
from typing import Any, Protocol

from commerce.audit import Audit
from commerce.clock import iso
from commerce.contact import address_key
from commerce.errors import Conflict
from commerce.privacy.model import Account, Kind, PersonFile, PersonRequest, on_their_way


class Requests(Protocol):
    """Where requests are kept."""

    def get(self, request_id: str) -> PersonRequest:
        """The request. Raises NotFound."""

    def add(self, request: PersonRequest, *, recorded: dict[str, Any]) -> PersonRequest:
        """Stores a new request with its audit entry; answers the one that is there already under its id."""

    def move(self, old: PersonRequest, new: PersonRequest, *, recorded: dict[str, Any]) -> None:
        """Replaces `old` with an audit entry. One that has moved on meanwhile is left as it is."""

    def record(self, recorded: dict[str, Any]) -> None:
        """Writes an audit entry alone."""


class Files(Protocol):
    """What the shop has of people."""

    def of(self, email: str, subject: str | None) -> PersonFile:
        """Everything under this address, or of the account with this subject."""

    def erase(self, file: PersonFile, now: datetime) -> None:
        """Takes the person off all of it and destroys their keys. What the law wants of orders stays."""


class Accounts(Protocol):
    """The customers' accounts."""

    def find(self, email: str) -> Account | None:
        """The account with this address."""

    def delete(self, email: str) -> None:
        """Deletes it. One that is gone is fine."""


class Erasures(Protocol):
    """The workflow that erases."""

    def start(self, request_id: str) -> None:
        """Starts the request's one execution. Raises Unavailable."""


def ask(
    register: Requests,
    audit: Audit,
    erasures: Erasures,
    *,
    request_id: str,
    email: str,
    kind: Kind,
    reference: str,
    actor: str,
    now: datetime,
) -> PersonRequest:
    """The request, written down and, where somebody is to be erased, begun. The same one again changes nothing.

    The workflow starts first: a request that was never written fails its execution, and rings; one that nobody began
    would lie there unseen.
    """
    request = PersonRequest(
        id=request_id,
        kind=kind,
        state="ready" if kind == "export" else "accepted",
        digest=address_key(email),
        email=email.strip(),
        reference=reference,
        actor=actor,
        requested_at=iso(now),
    )
    if kind == "erase":
        erasures.start(request.id)
    return register.add(request, recorded=_recorded(audit, request, f"{kind}.requested", actor, now))


def export(
    register: Requests, files: Files, accounts: Accounts, audit: Audit, *, request_id: str, actor: str, now: datetime
) -> PersonFile:
    """What is handed to the person, as it stands at this moment; nowhere is a copy kept. Who read it is on record.

    Raises NotFound, and Conflict for a request that is no export.
    """
    request = register.get(request_id)
    if request.kind != "export" or request.email is None:
        raise Conflict("this request is no export, or is older than a month; make one with kind `export`")
    file = _file(files, accounts, request.email)
    register.record(_recorded(audit, request, "data.exported", actor, now))
    return file


def erase(
    register: Requests, files: Files, accounts: Accounts, audit: Audit, *, request_id: str, now: datetime
) -> PersonRequest:
    """The request as it stands then: `done`, or `waiting` for what is on its way. Raises NotFound: not written yet."""
    request = register.get(request_id)
    if request.state == "done" or request.email is None:
        return request
    file = _file(files, accounts, request.email)
    hindrances = on_their_way(file.orders)
    if hindrances:
        waiting = request.model_copy(update={"state": "waiting", "waits_for": hindrances})
        if waiting != request:
            register.move(request, waiting, recorded=_recorded(audit, request, "erasure.postponed", "workflow", now))
        return waiting
    files.erase(file, now)
    accounts.delete(request.email)
    done = request.model_copy(update={"state": "done", "email": None, "waits_for": (), "done_at": iso(now)})
    register.move(request, done, recorded=_recorded(audit, request, "data.erased", "workflow", now))
    return done


def _file(files: Files, accounts: Accounts, email: str) -> PersonFile:
    account = accounts.find(email)
    return files.of(email, account.subject if account else None).model_copy(update={"account": account})


def _recorded(audit: Audit, request: PersonRequest, action: str, actor: str, now: datetime) -> dict[str, Any]:
    """The audit trail knows the person by their digest."""
    told = {"request": request.id, "reference": request.reference}
    return audit.action(f"person#{request.digest}", actor=actor, action=action, now=now, after=told)
