"""Writes the API's contract and its page from what the handlers declare.

    python -m tools.openapi           writes docs/openapi.json and docs/api.html
    python -m tools.openapi --check   changes nothing, and fails where they are not what the handlers declare

The API stack makes its routes from docs/openapi.json: `x-function` names the function behind an operation, `x-auth` who
may call it (public, customer, staff, signature) and `x-groups` the staff groups. The `docs` function serves both files.
"""

import argparse
import inspect
import json
import re
import sys
from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Any

from pydantic import BaseModel, ValidationError
from pydantic.json_schema import models_json_schema

from commerce.adapters.http import JSON
from tools.api_examples import BODIES
from tools.api_page import page
from tools.field_docs import sentences
from tools.generated import ROOT, keep
from tools.handlers import Operation, go_offline, operations

CONTRACT = ROOT / "docs" / "openapi.json"
PAGE = ROOT / "docs" / "api.html"

TAGS: tuple[tuple[str, str, str], ...] = (
    ("/admin/products", "Admin: catalogue", "Products, variants, prices and publication."),
    ("/admin/categories", "Admin: catalogue", ""),
    ("/admin/stock", "Admin: stock", "Stock per SKU and location, every movement of it, and counts of the shelves."),
    ("/admin/stock-adjustments", "Admin: stock", ""),
    ("/admin/stock-counts", "Admin: stock", ""),
    ("/admin/suppliers", "Admin: purchasing", "Suppliers, and purchase orders from the draft to the last delivery."),
    ("/admin/purchase-orders", "Admin: purchasing", ""),
    ("/admin/discounts", "Admin: discounts", "Codes that buyers enter, and how often they may be used."),
    ("/admin/orders", "Admin: orders", "The warehouse's work, cancellations, returns and refunds."),
    ("/admin/privacy", "Admin: privacy", "People who want their data, or to be forgotten."),
    ("/admin", "Admin", "The merchant's other business."),
    ("/webhooks", "Webhooks", "What the payment provider and the carrier tell the shop; each call is signed."),
    ("/catalog", "Catalogue", "What can be bought. Answers carry an ETag and may be cached."),
    ("/products", "Catalogue", ""),
    ("/categories", "Catalogue", ""),
    ("/carts", "Carts", "What a buyer has in mind. A cart's id is the right to touch it: keep it like a password."),
    ("/checkout-sessions", "Checkout", "From a cart to an order: buyer, address, shipping, payment."),
    ("/orders", "Orders", "What was bought, and what became of it."),
    ("/me", "Orders", ""),
    ("/docs", "Documentation", "This page and the contract it was made from."),
    ("/openapi.json", "Documentation", ""),
    ("/.well-known", "Discovery", "What the shop speaks, for agents and other clients."),
)
"""(beginning of the path, tag, what the tag is about); the first that fits counts."""

ORDER = (
    "Discovery",
    "Catalogue",
    "Carts",
    "Checkout",
    "Orders",
    "Admin: catalogue",
    "Admin: stock",
    "Admin: purchasing",
    "Admin: discounts",
    "Admin: orders",
    "Admin: privacy",
    "Admin",
    "Webhooks",
    "Documentation",
)

SIGNATURES = {"/webhooks/stripe": "stripe_signature", "/webhooks/carrier": "carrier_signature"}

SECURITY_SCHEMES: dict[str, Any] = {
    "customer": {
        "type": "http",
        "scheme": "bearer",
        "bearerFormat": "JWT",
        "description": "A signed-in buyer's access token from the shop's user pool.",
    },
    "staff": {
        "type": "http",
        "scheme": "bearer",
        "bearerFormat": "JWT",
        "description": "An access token of somebody in one of the operation's groups (`x-groups`), or in `admin`.",
    },
    "stripe_signature": {"type": "apiKey", "in": "header", "name": "Stripe-Signature"},
    "carrier_signature": {"type": "apiKey", "in": "header", "name": "X-Hmac-Signature"},
}

FAULT_TEXTS = {
    400: "The request does not have the form it must have; `path` names the field.",
    401: "No valid proof of who is asking.",
    403: "The caller is known, and is in none of the groups that may do this.",
    404: "There is no such thing, or it is none of the caller's business that there is.",
    409: "The thing is not in a state in which this can be done, or the Idempotency-Key was used with another request.",
    412: "Somebody changed the thing since it was read: `If-Match` names an older version.",
    413: "The body is larger than the shop reads.",
    428: "Send `If-Match` with the ETag of the version to change.",
    429: "More buyers want the same than can be served at once; `position` is your place in line. Send the same "
    "request again after `Retry-After` seconds; asking does not lose the place.",
    503: "Something the shop depends on does not answer; send the same request again after `Retry-After` seconds.",
}

FAULT_SCHEMAS: dict[str, Any] = {
    "Fault": {
        "type": "object",
        "description": "Why a storefront request was refused. Nothing was changed.",
        "required": ["code", "content"],
        "properties": {
            "code": {"type": "string", "description": "Stable; for programs.", "examples": ["invalid"]},
            "content": {"type": "string", "description": "A sentence for people that says what to do."},
            "path": {"type": "string", "description": "JSONPath of the field at fault."},
            "position": {"type": "integer", "description": "With `waiting_room`: the place in line, about."},
            "retry_after": {"type": "integer", "description": "With `waiting_room`: seconds, as in `Retry-After`."},
        },
    },
    "Problem": {
        "type": "object",
        "description": "Why an admin request was refused (RFC 9457). Nothing was changed.",
        "required": ["type", "title", "status", "detail", "code"],
        "properties": {
            "type": {"type": "string", "examples": ["urn:tradepost:problem:stale_version"]},
            "title": {"type": "string"},
            "status": {"type": "integer"},
            "detail": {"type": "string", "description": "A sentence for people that says what to do."},
            "code": {"type": "string", "description": "Stable; for programs."},
            "errors": {
                "type": "array",
                "items": {
                    "type": "object",
                    "required": ["path", "detail"],
                    "properties": {"path": {"type": "string"}, "detail": {"type": "string"}},
                },
            },
        },
    },
}

DESCRIPTION = """\
The storefront speaks the Universal Commerce Protocol (UCP) 2026-08-25; beside it stand cacheable catalogue pages and,
under `/admin`, the merchant's API.

**Money** is an integer of minor units: `1999` with `USD` is 19.99 dollars. **Times** are RFC 3339 in UTC.

**What a buyer can get wrong** comes back with status 200 or 201 and `messages` that name the field; only faults of the
protocol are 4xx. **Nothing a client says about a price is believed.**

**Send every POST twice if in doubt**: under the same `Idempotency-Key` it is done once, and answered with the
same bytes for 48 hours.
"""


def contract(found: list[Operation], examples: Mapping[str, Any] = MappingProxyType({})) -> dict[str, Any]:
    """The OpenAPI 3.1 document of these operations. The same operations give the same document.

    `examples` are request bodies by operation id.
    """
    models = sorted(
        {model for one in found for model in (one.route.body, one.route.answers) if model},
        key=lambda model: (model.__name__, model.__module__),
    )
    names, definitions = models_json_schema(
        [(model, "validation") for model in models], ref_template="#/components/schemas/{model}"
    )
    references = {model: names[model, "validation"] for model in models}
    schemas = {**FAULT_SCHEMAS, **definitions.get("$defs", {})}
    _describe(schemas, models)
    paths: dict[str, Any] = {}
    for one in sorted(found, key=lambda one: (_rank(one), one.route.path, _METHODS.index(one.route.method))):
        known = paths.setdefault(one.route.path, {})
        method = one.route.method.lower()
        if method in known:
            raise SystemExit(f"{one.route.key} is declared by {known[method]['x-function']} and by {one.function}")
        known[method] = _operation(one, references)
    made = [operation for path in paths.values() for operation in path.values()]
    _unique(made)
    for operation in made:
        if operation["operationId"] in examples:
            [content] = operation["requestBody"]["content"].values()
            content["example"] = examples[operation["operationId"]]
    used = {operation["tags"][0] for operation in made}
    document = {
        "openapi": "3.1.0",
        "info": {"title": "Tradepost", "version": "1.0.0", "description": DESCRIPTION},
        "servers": [{"url": "/"}],
        "tags": [{"name": tag, "description": _about(tag)} for tag in ORDER if tag in used],
        "paths": paths,
        "components": {
            "schemas": dict(sorted(schemas.items())),
            "responses": _fault_responses(paths),
            "securitySchemes": SECURITY_SCHEMES,
        },
    }
    return _with_short_names(document)


def _with_short_names(document: dict[str, Any]) -> dict[str, Any]:
    """Where two models share a name pydantic names them by their modules; contexts are enough, and read better."""
    known = document["components"]["schemas"]
    text = json.dumps(document)
    for name in [name for name in known if "__" in name]:
        *modules, own = name.split("__")
        context = modules[0].removeprefix("functions_") if modules[0] != "commerce" else modules[1]
        short = "".join(word.capitalize() for word in context.split("_")) + own
        if f'"{short}"' not in text:
            text = re.sub(rf"\b{name}\b", short, text)
    renamed: dict[str, Any] = json.loads(text)
    renamed["components"]["schemas"] = dict(sorted(renamed["components"]["schemas"].items()))
    return renamed


_METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")


def _rank(one: Operation) -> int:
    return ORDER.index(_tag(one.route.path))


def _tag(path: str) -> str:
    for beginning, tag, _ in TAGS:
        if path == beginning or path.startswith(f"{beginning}/"):
            return tag
    raise SystemExit(f"{path} belongs to no tag; add its beginning to TAGS in tools/openapi.py")


def _about(tag: str) -> str:
    return next(text for _, name, text in TAGS if name == tag and text)


def _operation(one: Operation, references: Mapping[Any, Any]) -> dict[str, Any]:
    route = one.route
    summary, _, description = inspect.cleandoc(route.call.__doc__ or "").partition("\n")
    operation: dict[str, Any] = {
        "operationId": route.call.__name__,
        "tags": [_tag(route.path)],
        "summary": summary,
        "x-function": one.function,
        "x-auth": route.auth,
    }
    if description.strip():
        operation["description"] = description.strip()
    if route.auth == "staff":
        operation["x-groups"] = list(dict.fromkeys((*route.groups, "admin")))
    operation["security"] = _security(one)
    if parameters := list(_parameters(one)):
        operation["parameters"] = parameters
    if route.body or route.accepts != JSON:
        schema = _reference(references[route.body]) if route.body else {"type": "string"}
        operation["requestBody"] = {"required": True, "content": {route.accepts: {"schema": schema}}}
    operation["responses"] = _responses(one, references)
    return operation


def _reference(schema: Mapping[str, Any]) -> dict[str, Any]:
    return {"$ref": schema["$ref"]}


def _security(one: Operation) -> list[dict[str, list[str]]]:
    match one.route.auth:
        case "staff" | "customer" as scheme:
            return [{scheme: []}]
        case "signature":
            return [{SIGNATURES[one.route.path]: []}]
    return [{}, {"customer": []}] if one.api.knows_customers else []


def _parameters(one: Operation) -> Iterator[dict[str, Any]]:
    text = {"type": "string"}
    for name in re.findall(r"{(\w+)}", one.route.path):
        yield {"name": name, "in": "path", "required": True, "schema": text}
    for name, sentence in one.route.query.items():
        yield {"name": name, "in": "query", "description": sentence, "schema": text}
    if one.route.idempotency != "none":
        yield {
            "name": "Idempotency-Key",
            "in": "header",
            "required": one.route.idempotency == "required",
            "description": "1 to 255 printable characters, new for each thing to be done; a retry repeats it.",
            "schema": {"type": "string", "pattern": "^[\\x21-\\x7e]{1,255}$"},
        }
    if one.takes_a_version:
        yield {
            "name": "If-Match",
            "in": "header",
            "required": one.changes_a_version,
            "description": "The ETag of the version to change.",
            "schema": text,
        }
    if one.cacheable:
        yield {
            "name": "If-None-Match",
            "in": "header",
            "description": "The ETag of the answer that the client has.",
            "schema": text,
        }


def _responses(one: Operation, references: Mapping[Any, Any]) -> dict[str, Any]:
    route = one.route
    answer: dict[str, Any] = {"description": "Done." if route.method != "GET" else "What was asked for."}
    if route.answers:
        answer["content"] = {"application/json": {"schema": _reference(references[route.answers])}}
    if one.cacheable or "versioned" in one.names:
        answer["headers"] = {"ETag": {"schema": {"type": "string"}}}
    responses = {str(route.status): answer}
    if one.cacheable:
        responses["304"] = {"description": "The client already has it."}
    kind = "Problem" if one.api.style == "admin" else "Fault"
    for status in _faults(one):
        responses[str(status)] = {"$ref": f"#/components/responses/{kind}{status}"}
    return responses


def _faults(one: Operation) -> list[int]:
    """The faults that this operation can answer with."""
    route = one.route
    named = "{" in route.path
    writes = route.method != "GET"
    applies = {
        400: bool(route.body or route.query or route.idempotency != "none" or route.auth == "signature"),
        401: route.auth != "public" or one.api.knows_customers,
        403: route.auth == "staff",
        404: named,
        409: writes and (named or route.idempotency != "none" or route.auth == "staff"),
        412: one.takes_a_version,
        413: writes,
        428: one.changes_a_version,
        429: one.function == "complete_checkout",
        503: one.function != "docs",
    }
    return [status for status, holds in applies.items() if holds]


def _fault_responses(paths: Mapping[str, Any]) -> dict[str, Any]:
    """The fault responses that operations refer to."""
    referred = set(re.findall(r"#/components/responses/(\w+?)(\d{3})", json.dumps(paths)))
    types = {"Fault": "application/json", "Problem": "application/problem+json"}
    responses = {}
    for kind, status in sorted(referred):
        schema = {"$ref": f"#/components/schemas/{kind}"}
        responses[kind + status] = {
            "description": FAULT_TEXTS[int(status)],
            "content": {types[kind]: {"schema": schema}},
        }
    return responses


def _unique(found: list[dict[str, Any]]) -> None:
    """Two handlers may give functions the same name; then the function's name goes before it."""
    ids = [operation["operationId"] for operation in found]
    for operation in found:
        if ids.count(operation["operationId"]) > 1:
            operation["operationId"] = f"{operation['x-function']}_{operation['operationId']}"


def _describe(schemas: dict[str, Any], models: list[type[BaseModel]]) -> None:
    """Gives properties the sentences that stand under the fields of the models."""
    for model in _reachable(models):
        for schema in (schemas[name] for name in _names(model) if name in schemas):
            for name, sentence in sentences(model).items():
                if name in schema.get("properties", {}):
                    schema["properties"][name].setdefault("description", sentence)


def _names(model: type[BaseModel]) -> tuple[str, str]:
    """How pydantic names the model's schema: by its module too, where two have the same name."""
    return model.__name__, f"{model.__module__}__{model.__name__}".replace(".", "__")


def _reachable(models: list[type[BaseModel]]) -> set[type[BaseModel]]:
    found: set[type[BaseModel]] = set()
    waiting: list[Any] = list(models)
    while waiting:
        one = waiting.pop()
        if isinstance(one, type) and issubclass(one, BaseModel):
            if one not in found:
                found.add(one)
                waiting += [field.annotation for field in one.model_fields.values()]
        else:
            waiting += getattr(one, "__args__", ())
    return found


def _hold_examples_against_models(found: list[Operation], document: Mapping[str, Any]) -> None:
    """Raises SystemExit for an operation whose example is missing, or is not what the operation takes."""
    for one in (one for one in found if one.route.body):
        operation = document["paths"][one.route.path][one.route.method.lower()]
        example = operation["requestBody"]["content"]["application/json"].get("example")
        if example is None:
            raise SystemExit(f"{operation['operationId']} has no example; add a body to tools/api_examples.py")
        try:
            one.route.body.model_validate_json(json.dumps(example))
        except ValidationError as error:
            raise SystemExit(f"the example of {operation['operationId']} in tools/api_examples.py: {error}") from None


def main() -> int:
    """Writes the two files, or says which of them are not what the handlers declare."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="change nothing; fail where a file has drifted")
    arguments = parser.parse_args()
    go_offline()
    found = operations()
    document = contract(found, BODIES)
    _hold_examples_against_models(found, document)
    files = {CONTRACT: json.dumps(document, indent=1, ensure_ascii=False) + "\n", PAGE: page(document)}
    return keep(files, check=arguments.check, source="the handlers' code")


if __name__ == "__main__":
    sys.exit(main())
