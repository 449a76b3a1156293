"""The API's documentation, for people and for programs. Both files are put beside this one when it is packaged."""

import functools
from pathlib import Path

from commerce.adapters.http import Api, Request, Response, etag

HERE = Path(__file__).parent

HEADERS = {
    "cache-control": "public, max-age=300",
    "content-security-policy": "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; base-uri 'none'",
}

api = Api("storefront")


@api.get("/docs")
def show_documentation(request: Request[None]) -> Response:
    """This page."""
    return _file(request, "api.html", "text/html; charset=utf-8")


@api.get("/openapi.json")
def show_contract(request: Request[None]) -> Response:
    """The contract as OpenAPI 3.1."""
    return _file(request, "openapi.json", "application/json")


def _file(request: Request[None], name: str, content_type: str) -> Response:
    text, tag = _read(name)
    headers = {**HEADERS, "content-type": content_type, "etag": tag}
    if tag in request.headers.get("if-none-match", ""):
        return Response(None, status=304, headers=headers)
    return Response(text, headers=headers)


@functools.cache
def _read(name: str) -> tuple[str, str]:
    text = (HERE / name).read_text("utf-8")
    return text, etag(text)


handler = api.handler
