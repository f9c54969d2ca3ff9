"""What an ARN or an id does not say about a resource of this local cloud: its key, its file system, its models."""

from __future__ import annotations

from typing import Any

from . import seams
from .cfn.generic import RECORDS

_GUARDRAIL = "AWS::Bedrock::Guardrail"
_API_KEY = "AWS::BedrockAgentCore::ApiKeyCredentialProvider"
_OAUTH = "AWS::BedrockAgentCore::OAuth2CredentialProvider"
_PROFILE = "AWS::Bedrock::ApplicationInferenceProfile"


def guardrail(scope: seams.Scope, identifier: str) -> dict[str, Any]:
    """The properties a guardrail was deployed with; empty when no stack here made it.

    Args:
        scope: Account and Region.
        identifier: Its id or ARN.
    """
    return _properties(scope, _GUARDRAIL, identifier)


def copied_model(scope: seams.Scope, profile: str) -> str | None:
    """What an application inference profile was made from: the ARN of a model or of a system profile."""
    found = _properties(scope, _PROFILE, profile).get("ModelSource") or {}
    return found.get("CopyFrom")


def own_secret(scope: seams.Scope, provider: str) -> str | None:
    """The ARN of the user's secret that a credential provider reads; None where AgentCore keeps it, or none is known.

    Args:
        scope: Account and Region.
        provider: ARN of an API-key or OAuth2 credential provider.
    """
    key = _properties(scope, _API_KEY, provider).get("ApiKeySecretConfig") or {}
    kinds = _properties(scope, _OAUTH, provider).get("Oauth2ProviderConfigInput") or {}
    client = next((kind.get("ClientSecretConfig") for kind in kinds.values() if isinstance(kind, dict)), None) or {}
    return key.get("SecretId") or client.get("SecretId")


def file_system(account: str, access_point_arn: str) -> str | None:
    """The ARN of the EFS file system behind an access point; None when the access point is not of this cloud."""
    region, access_point = access_point_arn.split(":")[3], access_point_arn.rsplit("/", 1)[-1]
    found = seams.read_efs_access_point((account, region), access_point)
    if found is None:
        return None
    return f"{access_point_arn.partition(':access-point/')[0]}:file-system/{found['FileSystemId']}"


def _properties(scope: seams.Scope, resource_type: str, identifier: str) -> dict[str, Any]:
    with seams.acting_for(scope):
        for record in RECORDS.of_type(resource_type):
            if _is_named(record.physical_id, record.attributes, identifier):
                return record.properties
    return {}


def _is_named(physical_id: str, attributes: dict[str, Any], identifier: str) -> bool:
    names = {physical_id, *(str(value) for value in attributes.values() if isinstance(value, str))}
    return identifier in names or identifier.rsplit("/", 1)[-1] in names
