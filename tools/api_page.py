"""The API's documentation page: one HTML file from the contract, without scripts, with nothing from elsewhere."""

import json
import re
import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape

HERE = Path(__file__).resolve().parent


def page(contract: Mapping[str, Any]) -> str:
    """The whole page. The same contract gives the same page."""
    environment = Environment(
        loader=FileSystemLoader(HERE), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.globals |= {
        "type_of": type_of,
        "limits_of": limits_of,
        "resolve": lambda node: _resolve(node, contract),
        "curl": curl,
        "prose": prose,
        "words": words,
    }
    return environment.get_template("api_page.html").render(contract=contract, groups=_groups(contract)) + "\n"


def _groups(contract: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The tags with their operations, in the contract's order."""
    operations = [
        {"method": method.upper(), "path": path, **operation}
        for path, methods in contract["paths"].items()
        for method, operation in methods.items()
    ]
    return [
        {**tag, "anchor": _anchor(tag["name"]), "operations": [one for one in operations if tag["name"] in one["tags"]]}
        for tag in contract["tags"]
    ]


def _anchor(name: str) -> str:
    return re.sub(r"\W+", "-", name.lower()).strip("-")


def _resolve(node: Mapping[str, Any], contract: Mapping[str, Any]) -> Mapping[str, Any]:
    """What a `$ref` stands for; anything else is itself."""
    while "$ref" in node:
        target: Any = contract
        for part in node["$ref"].removeprefix("#/").split("/"):
            target = target[part]
        node = target
    return node


def type_of(schema: Mapping[str, Any]) -> Markup:
    """The type in words, with links to other schemas."""
    if "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        return Markup('<a href="#schema-{0}">{1}</a>').format(name, name.rpartition("__")[2])
    if choices := schema.get("anyOf") or schema.get("oneOf"):
        return Markup(" or ").join(type_of(choice) for choice in choices if choice.get("type") != "null")
    if "const" in schema:
        return Markup("<code>{0}</code>").format(json.dumps(schema["const"]))
    if "enum" in schema:
        return Markup(" | ").join(Markup("<code>{0}</code>").format(value) for value in schema["enum"])
    kind = schema.get("type", "anything")
    if kind == "array":
        if "prefixItems" in schema:
            return Markup("[{0}]").format(Markup(", ").join(type_of(item) for item in schema["prefixItems"]))
        return Markup("list of {0}").format(type_of(schema.get("items", {})))
    if kind == "object" and isinstance(schema.get("additionalProperties"), dict):
        return Markup("map to {0}").format(type_of(schema["additionalProperties"]))
    return escape(kind)


def type_words(schema: Mapping[str, Any]) -> str:
    """The type in words, without markup but with `code`."""
    words = type_of(schema).replace(Markup("<code>"), "`").replace(Markup("</code>"), "`")
    return re.sub(r"<[^>]+>", "", words).replace("&#34;", '"')


_LIMITS = {
    "minimum": "at least {}",
    "exclusiveMinimum": "more than {}",
    "maximum": "at most {}",
    "minLength": "at least {} characters",
    "maxLength": "at most {} characters",
    "minItems": "at least {} of them",
    "maxItems": "at most {} of them",
    "pattern": "matches {}",
}


def limits_of(schema: Mapping[str, Any]) -> str:
    """What a value must keep to, and what it is when left out."""
    choices = [schema, *schema.get("anyOf", ())]
    limits = [text.format(choice[name]) for choice in choices for name, text in _LIMITS.items() if name in choice]
    if isinstance(schema.get("default"), str | int) and schema["default"] != "":
        limits.append(f"{json.dumps(schema['default'])} if left out")
    return ", ".join(limits)


def curl(method: str, path: str, operation: Mapping[str, Any]) -> str:
    """A command line that calls the operation; `$SHOP` and `$TOKEN` are the reader's."""
    address = re.sub(r"{(\w+)}", lambda match: f"${match[1].upper()}", path)
    parts = [f'curl {"" if method == "GET" else f"-X {method} "}"$SHOP{address}"']
    if any("staff" in one or "customer" in one for one in operation["security"][:1]):
        parts.append('-H "Authorization: Bearer $TOKEN"')
    for parameter in operation.get("parameters", ()):
        if parameter["name"] == "Idempotency-Key":
            parts.append('-H "Idempotency-Key: $(date +%s)"')
        if parameter["name"] == "If-Match":
            parts.append("-H 'If-Match: \"1\"'")
    if "requestBody" in operation:
        [(kind, content)] = operation["requestBody"]["content"].items()
        body = content.get("example", {})
        text = body if isinstance(body, str) else json.dumps(body, indent=2, ensure_ascii=False)
        parts += [f"-H 'Content-Type: {kind}'", f"-d {shlex.quote(text)}"]
    return " \\\n  ".join(parts)


def prose(text: str) -> Markup:
    """The paragraphs of a description."""
    return Markup("\n").join(Markup("<p>{0}</p>").format(words(part)) for part in text.strip().split("\n\n"))


def words(text: str) -> Markup:
    """**Strong** words and `code` of a sentence."""
    parts = re.split(r"(\*\*.+?\*\*|`.+?`)", " ".join(text.split()))
    return Markup("").join(_marked(part) for part in parts)


def _marked(part: str) -> Markup:
    if part.startswith("**") and len(part) > 4:
        return Markup("<strong>{}</strong>").format(part[2:-2])
    if part.startswith("`") and len(part) > 2:
        return Markup("<code>{}</code>").format(part[1:-1])
    return escape(part)
