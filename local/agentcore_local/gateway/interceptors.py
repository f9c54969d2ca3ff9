"""Functions that see, change or answer the requests of a gateway, and change its answers.

Payloads: https://docs.aws.amazon.com/bedrock-agentcore/latest/devguide/gateway-interceptors-types.html
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from agentcore_local import clients

from . import outbound
from .result import TargetFailed

if TYPE_CHECKING:
    from collections.abc import Mapping

    from .store import Gateway

_VERSION = "1.0"


def of(gateway: Gateway, point: str) -> dict[str, Any] | None:
    """The interceptor at a point (`REQUEST`, `RESPONSE`), if there is one."""
    configured = gateway.request.get("interceptorConfigurations") or []
    return next((one for one in configured if point in one["interceptionPoints"]), None)


def ask(
    gateway: Gateway,
    interceptor: Mapping[str, Any],
    *,
    body: bytes,
    headers: Mapping[str, str],
    response: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """Invoke an interceptor (blocking).

    Args:
        gateway: The gateway.
        interceptor: Its configuration.
        body: Of the request.
        headers: Of the request; passed on only where the configuration says so.
        response: `statusCode`, `headers` and `body` of the answer, for the point RESPONSE.

    Returns:
        What it answers within `mcp`.

    Raises:
        TargetFailed: It cannot be asked, failed, or answered something else.
    """
    shown = (interceptor.get("inputConfiguration") or {}).get("passRequestHeaders", False)
    request: dict[str, Any] = {"path": "/mcp", "httpMethod": "POST", "body": _parsed(body)}
    if shown:
        request["headers"] = dict(headers)
    event: dict[str, Any] = {
        "interceptorInputVersion": _VERSION,
        "mcp": {"rawGatewayRequest": {"body": body.decode(errors="replace")}, "gatewayRequest": request},
    }
    if response is not None:
        kept = {name: value for name, value in response.items() if shown or name != "headers"}
        event["mcp"]["gatewayResponse"] = kept
    arn = interceptor["interceptor"]["lambda"]["arn"]
    outbound.require(gateway, "lambda:InvokeFunction", arn)
    client = clients.shared("lambda", gateway.account, gateway.region)
    try:
        answer = client.invoke(FunctionName=arn, Payload=json.dumps(event).encode())
    except client.exceptions.ClientError as error:
        raise TargetFailed(f"The interceptor {arn} cannot be invoked: {error}.") from error
    payload = _parsed(answer["Payload"].read())
    if answer.get("FunctionError"):
        raise TargetFailed(f"The interceptor {arn} failed: {payload}")
    if not isinstance(payload, dict) or not isinstance(payload.get("mcp"), dict):
        raise TargetFailed(f'The interceptor {arn} must answer {{"interceptorOutputVersion": "1.0", "mcp": {{…}}}}.')
    mcp: dict[str, Any] = payload["mcp"]
    return mcp


def _parsed(body: bytes) -> Any:
    try:
        return json.loads(body or b"null")
    except ValueError:
        return body.decode(errors="replace")
