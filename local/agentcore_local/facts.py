"""What an ARN or an id does not say about a resource of this local cloud: its key, its file system, its models."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from . import seams
from .cfn.generic import RECORDS

_GUARDRAIL = "AWS::Bedrock::Guardrail"
_API_KEY = "AWS::BedrockAgentCore::ApiKeyCredentialProvider"
_OAUTH = "AWS::BedrockAgentCore::OAuth2CredentialProvider"
_S3_FILES = "AWS::S3Files::AccessPoint"
_S3_FILE_SYSTEM = "AWS::S3Files::FileSystem"
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


@dataclass(frozen=True, slots=True)
class AccessPoint:
    """What an access point of EFS or S3 Files leads to.

    Attributes:
        file_system: ARN of the file system; None when the access point is one of EFS that is not of this cloud.
        directory: The directory of the file system that is mounted.
        user: The POSIX user that requests are made as; None for the client's own.
    """

    file_system: str | None
    directory: str = "/"
    user: str | None = None


def access_point(account: str, arn: str) -> AccessPoint:
    """What an access point of EFS or S3 Files leads to; of one that is not of this cloud, what its ARN says."""
    region, name = arn.split(":")[3], arn.rsplit("/", 1)[-1]
    if "/access-point/" in arn:
        found: dict[str, Any] | None = _properties((account, region), _S3_FILES, arn)
        system: str | None = arn.partition("/access-point/")[0]
    else:
        found = seams.read_efs_access_point((account, region), name)
        system = f"{arn.partition(':access-point/')[0]}:file-system/{found['FileSystemId']}" if found else None
    root, user = ((found or {}).get(part) or {} for part in ("RootDirectory", "PosixUser"))
    return AccessPoint(system, root.get("Path") or "/", None if user.get("Uid") is None else str(user["Uid"]))


def bucket_of_files(scope: seams.Scope, file_system: str) -> tuple[str, str] | None:
    """Bucket and prefix behind a file system of S3 Files; None when no stack here made it.

    Args:
        scope: Account and Region.
        file_system: Its ARN.
    """
    properties = _properties(scope, _S3_FILE_SYSTEM, file_system)
    if not properties:
        return None
    return properties["Bucket"].rpartition(":")[2], properties.get("Prefix") or ""


def _properties(scope: seams.Scope, resource_type: str, identifier: str) -> dict[str, Any]:
    with seams.acting_for(scope):
        for record in RECORDS.of_type(resource_type):
            if _is_named(record.physical_id, record.attributes, identifier):
                return record.properties
    return {}


def _is_named(physical_id: str, attributes: dict[str, Any], identifier: str) -> bool:
    names = {physical_id, *(str(value) for value in attributes.values() if isinstance(value, str))}
    return identifier in names or identifier.rsplit("/", 1)[-1] in names
