"""Requests as staff see them, and what a person is given."""

from typing import Annotated, Any

from pydantic import Field

from commerce.model import Model
from commerce.privacy.model import Kind, PersonFile, PersonRequest, State


class PersonRequestView(Model):
    """A request and how far it has come. Whose it is only a digest says."""

    id: str
    kind: Kind
    state: State
    digest: str
    reference: str
    actor: str
    requested_at: str
    waits_for: tuple[str, ...]
    """Orders that are on their way; the erasure follows by itself when they have come to their end."""
    done_at: str | None


class PersonRequestsResponse(Model):
    """A page of requests, the oldest first. `cursor` leads to the next page; it is absent on the last."""

    requests: tuple[PersonRequestView, ...]
    cursor: Annotated[str | None, Field(max_length=500)] = None


class PersonExport(Model):
    """Everything the shop has of a person, to be handed to them."""

    email: str
    exported_at: str
    account: dict[str, str] | None
    carts: tuple[dict[str, Any], ...]
    checkouts: tuple[dict[str, Any], ...]
    orders: tuple[dict[str, Any], ...]
    """Each with its `payments` and the `emails` that were sent about it."""


def request_view(request: PersonRequest) -> PersonRequestView:
    """The request as staff see it."""
    return PersonRequestView(**request.model_dump(exclude={"email"}))


def export(file: PersonFile, exported_at: str) -> PersonExport:
    """The file as it is handed out. A task token is the workflow's alone."""
    return PersonExport(
        email=file.email,
        exported_at=exported_at,
        account=file.account.attributes if file.account else None,
        carts=tuple(cart.model_dump(mode="json", exclude_none=True) for cart in file.carts),
        checkouts=tuple(checkout.model_dump(mode="json", exclude_none=True) for checkout in file.checkouts),
        orders=tuple(
            {
                **known.order.model_dump(mode="json", exclude_none=True, exclude={"task_token", "task_state"}),
                "payments": known.payments,
                "emails": known.emails,
            }
            for known in file.orders
        ),
    )
