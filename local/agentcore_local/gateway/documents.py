"""Schemas of targets: inline, or objects in S3."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from agentcore_local import clients

from .result import TargetFailed

if TYPE_CHECKING:
    from .store import Gateway


def content(gateway: Gateway, source: dict[str, Any]) -> Any:
    """What a schema says: the inline value, or what the object in S3 holds, as JSON data.

    Raises:
        TargetFailed: It cannot be read.
    """
    if "inlinePayload" in source:
        given = source["inlinePayload"]
        return parsed(given) if isinstance(given, str) else given
    uri = (source.get("s3") or {}).get("uri", "")
    bucket, _, key = uri.removeprefix("s3://").partition("/")
    client = clients.shared("s3", gateway.account, gateway.region)
    try:
        return parsed(client.get_object(Bucket=bucket, Key=key)["Body"].read().decode())
    except client.exceptions.ClientError as error:
        raise TargetFailed(f"The schema {uri} cannot be read: {error.response['Error']['Code']}.") from error


def parsed(text: str) -> Any:
    """JSON, or YAML, as data.

    Raises:
        TargetFailed: It is neither.
    """
    try:
        return json.loads(text)
    except ValueError:
        import yaml  # noqa: PLC0415 - not always needed

        try:
            return yaml.safe_load(text)
        except yaml.YAMLError as error:
            raise TargetFailed(f"The schema is neither JSON nor YAML: {' '.join(str(error).split())}.") from error
