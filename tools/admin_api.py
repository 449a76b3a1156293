"""The admin API, asked with an operator's own AWS credentials and no token: its functions are invoked.

What acts is the code, the settings and the rights of the shop itself; the audit trail names the operator.
"""

import json
from typing import Any

from commerce.identity.model import TOKEN_USES, Group
from tools.local.steps import Stop
from tools.shops import Shop


def ask(shop: Shop, function: str, route: str, identifier: str, *, key: str, body: Any, group: Group) -> Any:
    """What the function answers to a member of the group, in a route with no parameter but `id`.

    Raises Stop with the reason of a refusal.
    """
    answer = shop.client("lambda").invoke(
        FunctionName=f"{_prefix(shop)}-{function}",
        Payload=json.dumps(_request(route, identifier, key, body, operator(shop), group)).encode(),
    )
    result = json.load(answer["Payload"])
    if "FunctionError" in answer:
        raise Stop(f"The function {function} failed: {result.get('errorMessage', 'its log tells more')}")
    told = json.loads(result["body"])
    if result["statusCode"] >= 300:
        raise Stop(f"The shop refuses: {told.get('detail') or told.get('title')}")
    return told


def _request(route: str, identifier: str, key: str, body: Any, actor: str, group: Group) -> dict[str, Any]:
    """The request as API Gateway would hand it on (https://docs.aws.amazon.com/apigateway/latest/developerguide/
    http-api-develop-integrations-lambda.html, payload version 2.0), once it knew who asks.
    """
    method, path = route.split(" ")
    path = path.replace("{id}", identifier)
    claims = {"sub": actor, "token_use": TOKEN_USES[0], "cognito:groups": f"[{group}]"}
    return {
        "version": "2.0",
        "routeKey": route,
        "rawPath": path,
        "rawQueryString": "",
        "headers": {"content-type": "application/json", "idempotency-key": key},
        "pathParameters": {"id": identifier},
        "requestContext": {
            "routeKey": route,
            "requestId": key,
            "http": {"method": method, "path": path},
            "authorizer": {"jwt": {"claims": claims}},
        },
        "body": json.dumps(body),
        "isBase64Encoded": False,
    }


def operator(shop: Shop) -> str:
    """Who the credentials belong to, as the audit trail names them."""
    return "operator " + str(shop.client("sts").get_caller_identity()["Arn"]).split(":", 5)[5]


def _prefix(shop: Shop) -> str:
    """`tradepost-<environment>`, with which the names of all functions begin."""
    return shop.output("StateMachineArn").rpartition(":")[2].removesuffix("-checkout-to-delivery")
