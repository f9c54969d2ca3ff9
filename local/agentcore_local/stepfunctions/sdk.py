"""AWS SDK integrations: `arn:aws:states:::aws-sdk:<service>:<action>`, called with boto3 like any other client.

Names are those of the AWS SDK for Java 2: services in one word, members in PascalCase, errors with a prefix.
Source: Step Functions developer guide, supported-services-awssdk.
"""

from __future__ import annotations

import functools
import json
import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError
from botocore.model import ListShape, MapShape, StructureShape

from agentcore_local import clients, seams
from agentcore_local.seams import states_language as language

if TYPE_CHECKING:
    from botocore.model import OperationModel, Shape

PREFIX = "arn:aws:states:::aws-sdk:"

# Services whose name in Java is not botocore's without hyphens, and how errors of some are prefixed.
_SERVICES = {"sfn": "stepfunctions", "eventbridge": "events", "cloudwatchlogs": "logs"}
_ERRORS = {
    "cloudwatchlogs": "CloudWatchLogs",
    "dynamodb": "DynamoDb",
    "eventbridge": "EventBridge",
    "secretsmanager": "SecretsManager",
    "bedrockagentcore": "BedrockAgentCore",
    "bedrockagentcorecontrol": "BedrockAgentCoreControl",
}
# Members the SDK for Java cannot name as the API does.
_RENAMED = {("AttributeValue", "NULL"): "Nul"}


def call(resource: str, arguments: Any) -> Any:
    """Call an operation of a service of this local cloud.

    Args:
        resource: The state's Resource, without a pattern at its end.
        arguments: Its Arguments or Parameters.

    Returns:
        The operation's output, in PascalCase.

    Raises:
        Exception: A `task_error`: `States.Runtime` for what Step Functions does not take, else the service's own.
    """
    service, _, action = resource.removeprefix(PREFIX).partition(":")
    client = _client(service)
    operation = _operation(client, service, action)
    request = _request(operation.input_shape, arguments, "Arguments") if operation.input_shape else {}
    prefix = _ERRORS.get(service, service.capitalize())
    try:
        answer = getattr(client, _method(client, operation.name))(**request)
    except ClientError as error:
        raise language.task_error(
            f"{prefix}.{_error_name(error, prefix)}", error.response["Error"]["Message"]
        ) from error
    except BotoCoreError as error:
        raise language.task_error("States.Runtime", f"The parameters could not be used: {error}") from error
    answer.pop("ResponseMetadata", None)
    return _response(operation.output_shape, answer) if operation.output_shape else {}


def _client(service: str) -> Any:
    name = _SERVICES.get(service) or _available().get(service)
    if name is None:
        raise language.task_error("States.Runtime", f"There is no AWS SDK integration {PREFIX}{service}")
    return clients.shared(name, *seams.current_scope())


@functools.cache
def _available() -> dict[str, str]:
    """Services as the resources of tasks spell them, to their names in boto3."""
    names = clients.service_models().list_available_services("service-2")
    return {name.replace("-", ""): name for name in names}


def _operation(client: Any, service: str, action: str) -> OperationModel:
    names = {name.lower(): name for name in client.meta.service_model.operation_names}
    name = names.get(action.lower())
    if name is None or action[:1].isupper():
        raise language.task_error("States.Runtime", f"There is no AWS SDK integration {PREFIX}{service}:{action}")
    operation: OperationModel = client.meta.service_model.operation_model(name)
    if operation.has_event_stream_output or operation.has_event_stream_input:
        raise language.task_error(
            "States.Runtime",
            f"{PREFIX}{service}:{action} is not supported: AWS SDK integrations cannot read event streams; "
            "use the optimized integration",
        )
    return operation


def _method(client: Any, operation: str) -> str:
    return next(str(method) for method, name in client.meta.method_to_api_mapping.items() if name == operation)


def _error_name(error: ClientError, prefix: str) -> str:
    """The exception's name in Java: `NoSuchKey` is NoSuchKeyException; a mere status is the service's own."""
    code = re.split(r"[#.]", str(error.response["Error"]["Code"]))[-1]
    code = re.sub(r"(Exception|Fault|Error)$", "", code)
    return f"{code}Exception" if code and not code.isdigit() else f"{prefix}Exception"


def _pascal(shape: Shape, member: str) -> str:
    return _RENAMED.get((shape.name, member), member[:1].upper() + member[1:])


def _request(shape: Shape, value: Any, path: str) -> Any:
    if isinstance(shape, StructureShape) and isinstance(value, dict) and not getattr(shape, "is_document_type", False):
        members = {_pascal(shape, name): name for name in shape.members}
        unknown = [name for name in value if name not in members]
        if unknown:
            raise language.task_error(
                "States.Runtime",
                f"The field(s) {', '.join(unknown)} of {path} are not supported by Step Functions; "
                f"use {', '.join(members)}",
            )
        return {
            members[name]: _request(shape.members[members[name]], item, f"{path}.{name}")
            for name, item in value.items()
        }
    if isinstance(shape, ListShape) and isinstance(value, list):
        return [_request(shape.member, item, f"{path}[{index}]") for index, item in enumerate(value)]
    if isinstance(shape, MapShape) and isinstance(value, dict):
        return {key: _request(shape.value, item, f"{path}.{key}") for key, item in value.items()}
    if shape.type_name not in {"blob", "string"}:
        return value
    # Text as it is, anything else as JSON.
    text = value if isinstance(value, str) else json.dumps(value)
    return text.encode() if shape.type_name == "blob" else text


def _response(shape: Shape, value: Any) -> Any:
    if hasattr(value, "read"):  # a body
        value = value.read()
    if isinstance(value, bytes | bytearray):
        return value.decode("utf-8", "replace")
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    if isinstance(shape, StructureShape) and isinstance(value, dict) and not getattr(shape, "is_document_type", False):
        known = {name: item for name, item in value.items() if name in shape.members and item is not None}
        return {_pascal(shape, name): _response(shape.members[name], item) for name, item in known.items()}
    if isinstance(shape, ListShape) and isinstance(value, list):
        return [_response(shape.member, item) for item in value]
    if isinstance(shape, MapShape) and isinstance(value, dict):
        return {key: _response(shape.value, item) for key, item in value.items()}
    return value
