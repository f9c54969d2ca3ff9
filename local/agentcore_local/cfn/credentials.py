"""`AWS::BedrockAgentCore::ApiKeyCredentialProvider`: a record, and the secret that holds the key."""

from __future__ import annotations

import json
from typing import Any

from agentcore_local import clients, seams

from . import generic
from .generic import RECORDS, Created

API_KEY = "AWS::BedrockAgentCore::ApiKeyCredentialProvider"
JSON_KEY = "api_key_value"
_SECRET_NAME = "bedrock-agentcore-identity!default/apikey/{}"  # noqa: S105 - a name
_SECRET_ARN = "ApiKeySecretArn.SecretArn"  # noqa: S105 - of an attribute
_RECORD = generic.handler(API_KEY)


def create(logical_id: str, props: dict[str, Any], stack_name: str) -> Created:
    """Create; the secret's ARN is an attribute."""
    physical_id, attributes = _RECORD["create"](logical_id, props, stack_name)
    try:
        return physical_id, _kept(physical_id, attributes, props)
    except Exception:
        RECORDS.drop(API_KEY, physical_id)
        raise


def update(
    physical_id: str, old: dict[str, Any], new: dict[str, Any], stack_name: str, logical_id: str | None = None
) -> Created:
    """Update in place, with a new version of the secret."""
    known, attributes = _RECORD["update"](physical_id, old, new, stack_name, logical_id)
    return known, _kept(known, attributes, new)


def delete(physical_id: str, props: dict[str, Any]) -> None:
    """Delete with its secret, unless that is the user's; one that is already gone is fine."""
    record = RECORDS.find(API_KEY, physical_id)
    if record is not None and "ApiKeySecretConfig" not in record.properties:
        client = _client()
        try:
            name = _SECRET_NAME.format(record.properties["Name"])
            client.delete_secret(SecretId=name, ForceDeleteWithoutRecovery=True)
        except client.exceptions.ResourceNotFoundException:
            pass
    _RECORD["delete"](physical_id, props)


HANDLERS: dict[str, dict[str, Any]] = {
    API_KEY: {"create": create, "update": update, "update_with_logical_id": True, "delete": delete}
}


def _kept(physical_id: str, attributes: dict[str, Any], props: dict[str, Any]) -> dict[str, Any]:
    own = props.get("ApiKeySecretConfig")
    arn = str(own["SecretId"]) if own else _stored(props["Name"], str(props.get("ApiKey", "")))
    record = RECORDS.find(API_KEY, physical_id)
    if record is not None:
        record.attributes[_SECRET_ARN] = arn
        RECORDS.put(record)
    return {**attributes, _SECRET_ARN: arn}


def _stored(name: str, key: str) -> str:
    """The ARN of the secret that holds a key, made or given a new version."""
    client, secret, text = _client(), _SECRET_NAME.format(name), json.dumps({JSON_KEY: key})
    try:
        return str(client.create_secret(Name=secret, SecretString=text)["ARN"])
    except client.exceptions.ResourceExistsException:
        return str(client.put_secret_value(SecretId=secret, SecretString=text)["ARN"])


def _client() -> Any:
    return clients.shared("secretsmanager", *seams.current_scope())
