"""The sentences that stand under the fields of models, which pydantic does not see."""

import ast
import functools
import inspect
import textwrap

from pydantic import BaseModel


@functools.cache
def sentences(model: type[BaseModel]) -> dict[str, str]:
    """The strings that stand under the fields of a model and of its bases."""
    found: dict[str, str] = {}
    for base in reversed(model.__mro__):
        if base is BaseModel or not issubclass(base, BaseModel):
            continue
        [body] = ast.parse(textwrap.dedent(inspect.getsource(base))).body
        assert isinstance(body, ast.ClassDef)
        for field, text in zip(body.body, body.body[1:], strict=False):
            match field, text:
                case (
                    ast.AnnAssign(target=ast.Name(id=name)),
                    ast.Expr(value=ast.Constant(value=str(sentence))),
                ):
                    found[name] = " ".join(sentence.split())
    return found
