"""Lambda functions as targets.

The event is the tool's arguments, and nothing else; what is said about the call is in the client context
(https://docs.aws.amazon.com/bedrock-agentcore/latest/devguide/gateway-add-target-lambda.html, "Lambda function input
format").
"""

from __future__ import annotations

import base64
import json
import uuid
from typing import TYPE_CHECKING, Any

from agentcore_local import clients

from . import documents, outbound
from .result import SEPARATOR, Answer, TargetFailed, Tool, text, written

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .store import Gateway, Target

_TIMEOUT_SECONDS = 300
_MESSAGE_VERSION = "1.0"


def tools(gateway: Gateway, target: Target) -> Iterator[Tool]:
    """The tools that a target's schema names."""
    for one in documents.content(gateway, target.configuration["lambda"]["toolSchema"]):
        output = one.get("outputSchema")
        yield Tool(one["name"], one["description"], one["inputSchema"], output)


def call(gateway: Gateway, target: Target, tool: Tool, arguments: dict[str, Any], message_id: str) -> Answer:
    """Invoke the function.

    Raises:
        TargetFailed: The role may not, or the function failed.
    """
    arn = target.configuration["lambda"]["lambdaArn"]
    outbound.require(gateway, "lambda:InvokeFunction", arn)
    custom = {
        "bedrockAgentCoreMessageVersion": _MESSAGE_VERSION,
        "bedrockAgentCoreAwsRequestId": str(uuid.uuid4()),
        "bedrockAgentCoreMcpMessageId": message_id,
        "bedrockAgentCoreGatewayId": gateway.gateway_id,
        "bedrockAgentCoreTargetId": target.target_id,
        "bedrockAgentCoreToolName": f"{target.name}{SEPARATOR}{tool.name}",
    }
    client = clients.shared("lambda", *arn.split(":")[4:2:-1], seconds=_TIMEOUT_SECONDS)
    context = base64.b64encode(json.dumps({"custom": custom}).encode()).decode()
    try:
        answer = client.invoke(FunctionName=arn, Payload=json.dumps(arguments).encode(), ClientContext=context)
    except client.exceptions.ClientError as error:
        raise TargetFailed(f"The function {arn} cannot be invoked: {error}.") from error
    payload = answer["Payload"].read().decode(errors="replace")
    if answer.get("FunctionError"):
        raise TargetFailed(f"The function {arn} failed: {_error(payload)}")
    try:
        return text(written(json.loads(payload or "null")))
    except ValueError as error:
        raise TargetFailed(f"The function {arn} answered what is not JSON: {payload[:200]}") from error


def _error(payload: str) -> str:
    try:
        body = json.loads(payload)
        return f"{body.get('errorType', 'Error')}: {body.get('errorMessage', '')}"
    except (ValueError, AttributeError):
        return payload[:500]
