"""CDK's own custom resources that cannot run locally as they are, done in Python against the local services."""

from __future__ import annotations

import fnmatch
import io
import json
import mimetypes
import re
import zipfile
from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING, Any

from agentcore_local import clients
from agentcore_local.process import PROCESS

from . import convert

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


@dataclass(frozen=True)
class Call:
    """A request to a custom resource.

    Attributes:
        request_type: `Create`, `Update` or `Delete`.
        logical_id: Logical id.
        props: Properties of the template.
        physical_id: Physical id; None on create.
        old_props: Properties before an update.
        account: Account the stack is in.
        region: Region the stack is in.
    """

    request_type: str
    logical_id: str
    props: dict[str, Any] = field(repr=False)
    physical_id: str | None
    old_props: dict[str, Any] | None = field(repr=False)
    account: str
    region: str

    def client(self, service: str, region: str | None = None) -> Any:
        """A boto3 client of the local cloud, in the stack's account."""
        where = region or self.region
        return clients.client(service, endpoint=PROCESS.endpoint_url, account=self.account, region=where)


@dataclass(frozen=True)
class Answer:
    """What a custom resource returns: its physical id and what `Fn::GetAtt` reads."""

    physical_id: str
    data: dict[str, Any] = field(default_factory=dict, repr=False)


# --- Custom::CDKBucketDeployment ----------------------------------------------------------------------------------


def bucket_deployment(call: Call) -> Answer:
    """Copy zip archives from the asset bucket to a bucket, unpacked; prune what is not in them."""
    props, client = call.props, call.client("s3")
    bucket, prefix = props["DestinationBucketName"], _prefix(props)
    identifier = call.physical_id or f"aws.cdk.s3deployment.{call.logical_id}"
    if call.request_type == "Delete":
        if not _true(props.get("RetainOnDelete", True)):
            _empty(client, bucket, prefix)
        return Answer(identifier)
    if call.old_props and not _true(call.old_props.get("RetainOnDelete", True)):
        before = (call.old_props["DestinationBucketName"], _prefix(call.old_props))
        if before != (bucket, prefix):
            _empty(client, *before)
    written = set()
    markers = props.get("SourceMarkers") or [{}] * len(props["SourceBucketNames"])
    sources = zip(props["SourceBucketNames"], props["SourceObjectKeys"], markers, strict=True)
    for source_bucket, source_key, replaced in sources:
        body = client.get_object(Bucket=source_bucket, Key=source_key)["Body"].read()
        for name, content in _files(body, source_key, props, replaced):
            key = prefix + name
            client.put_object(Bucket=bucket, Key=key, Body=content, **_metadata(props, name))
            written.add(key)
    if _true(props.get("Prune", True)):
        keys = [key for key in _keys(client, bucket, prefix) if key not in written and _selected(key, props)]
        _delete(client, bucket, keys)
    data = {"DestinationBucketArn": f"arn:aws:s3:::{bucket}", "SourceObjectKeys": props["SourceObjectKeys"]}
    return Answer(identifier, data)


def _prefix(props: dict[str, Any]) -> str:
    prefix = str(props.get("DestinationBucketKeyPrefix") or "").strip("/")
    return f"{prefix}/" if prefix else ""


def _files(
    body: bytes, source_key: str, props: dict[str, Any], replaced: dict[str, str]
) -> Iterator[tuple[str, bytes]]:
    if not _true(props.get("Extract", True)):
        yield source_key.rsplit("/", 1)[-1], body
        return
    with zipfile.ZipFile(io.BytesIO(body)) as archive:
        for name in archive.namelist():
            if not name.endswith("/") and _selected(name, props):
                content = archive.read(name)
                for marker, value in replaced.items():
                    content = content.replace(marker.encode(), str(value).encode())
                yield name, content


def _selected(name: str, props: dict[str, Any]) -> bool:
    """The filters of `aws s3 sync`: everything, less what is excluded, plus what is included again."""
    excluded = any(fnmatch.fnmatch(name, pattern) for pattern in props.get("Exclude") or [])
    return not excluded or any(fnmatch.fnmatch(name, pattern) for pattern in props.get("Include") or [])


def _metadata(props: dict[str, Any], name: str) -> dict[str, Any]:
    system = {key.lower(): str(value) for key, value in (props.get("SystemMetadata") or {}).items()}
    parameters: dict[str, Any] = {
        "ContentType": system.get("content-type") or mimetypes.guess_type(name)[0] or "binary/octet-stream"
    }
    for header, parameter in (
        ("cache-control", "CacheControl"),
        ("content-disposition", "ContentDisposition"),
        ("content-encoding", "ContentEncoding"),
        ("content-language", "ContentLanguage"),
    ):
        if header in system:
            parameters[parameter] = system[header]
    if props.get("UserMetadata"):
        parameters["Metadata"] = {key: str(value) for key, value in props["UserMetadata"].items()}
    return parameters


# --- Custom::S3AutoDeleteObjects ----------------------------------------------------------------------------------


def auto_delete_objects(call: Call) -> Answer:
    """Empty a bucket before CloudFormation deletes it, or when the template names another one."""
    bucket, client = call.props["BucketName"], call.client("s3")
    before = (call.old_props or {}).get("BucketName")
    if call.request_type == "Delete":
        _empty(client, bucket)
    elif before and before != bucket:
        _empty(client, before)
    return Answer(bucket)


def _keys(client: Any, bucket: str, prefix: str) -> list[str]:
    pages = client.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix)
    return [item["Key"] for page in pages for item in page.get("Contents", [])]


def _delete(client: Any, bucket: str, keys: list[str]) -> None:
    for key in keys:
        client.delete_object(Bucket=bucket, Key=key)


def _empty(client: Any, bucket: str, prefix: str = "") -> None:
    """Delete every object and every version of it; a bucket that is gone is fine."""
    try:
        for page in client.get_paginator("list_object_versions").paginate(Bucket=bucket, Prefix=prefix):
            for item in [*page.get("Versions", []), *page.get("DeleteMarkers", [])]:
                client.delete_object(Bucket=bucket, Key=item["Key"], VersionId=item["VersionId"])
        _delete(client, bucket, _keys(client, bucket, prefix))
    except client.exceptions.NoSuchBucket:
        return


# --- Custom::AWS (AwsCustomResource) ------------------------------------------------------------------------------

# JavaScript client names that are not boto3's with its hyphens taken out.
_SERVICE_NAMES = {
    "cloudwatchlogs": "logs",
    "cognitoidentityprovider": "cognito-idp",
    "cognitoidentityserviceprovider": "cognito-idp",
    "costexplorer": "ce",
    "elasticloadbalancingv2": "elbv2",
    "eventbridge": "events",
    "sfn": "stepfunctions",
}
_PHYSICAL_ID = "PHYSICAL:RESOURCEID:"
_SPECIAL = {"TRUE:BOOLEAN": True, "FALSE:BOOLEAN": False}


def sdk_call(call: Call) -> Answer:
    """One AWS API call per lifecycle event, as the properties `Create`, `Update` and `Delete` describe it."""
    described = call.props.get(call.request_type)
    physical_id = call.physical_id or call.logical_id
    if described is None:
        return Answer(physical_id)
    wanted = json.loads(described) if isinstance(described, str) else described
    data = _flat(_call_api(call, wanted))
    chosen = wanted.get("physicalResourceId") or {}
    if "responsePath" in chosen:
        physical_id = str(data.get(chosen["responsePath"], physical_id))
    elif "id" in chosen:
        physical_id = str(chosen["id"])
    paths = wanted.get("outputPaths") or ([wanted["outputPath"]] if wanted.get("outputPath") else None)
    if paths:
        data = {key: value for key, value in data.items() if any(key.startswith(path) for path in paths)}
    return Answer(physical_id, data)


def _call_api(call: Call, wanted: dict[str, Any]) -> dict[str, Any]:
    from botocore import xform_name  # noqa: PLC0415
    from botocore.exceptions import ClientError  # noqa: PLC0415

    client = call.client(service_name(wanted["service"]), wanted.get("region"))
    operation = re.sub(r"Command$", "", wanted["action"])
    operation = operation[:1].upper() + operation[1:]
    model = client.meta.service_model.operation_model(operation)
    parameters = _special(wanted.get("parameters") or {}, call.physical_id)
    if model.input_shape is not None:
        parameters = convert.scalars(model.input_shape, parameters)
    try:
        response: dict[str, Any] = getattr(client, xform_name(operation))(**parameters)
    except ClientError as error:
        ignored = wanted.get("ignoreErrorCodesMatching")
        if ignored and re.search(ignored, error.response["Error"]["Code"]):
            return {}
        raise
    response.pop("ResponseMetadata", None)
    return response


def service_name(given: str) -> str:
    """boto3's name of the service that a JavaScript client or package name means.

    Raises:
        ValueError: boto3 knows no such service.
    """
    plain = re.sub(r"[^a-z0-9]", "", given.removeprefix("@aws-sdk/client-").removesuffix("Client").lower())
    found = _SERVICE_NAMES.get(plain) or _by_plain_name().get(plain)
    if found is None:
        raise ValueError(f"Package @aws-sdk/client-{given} does not exist: boto3 has no service of that name")
    return found


@cache
def _by_plain_name() -> dict[str, str]:
    names = clients.service_models().list_available_services("service-2")
    return {re.sub(r"[^a-z0-9]", "", name): name for name in names}


def _special(value: Any, physical_id: str | None) -> Any:
    """Values that CDK marks because CloudFormation would turn them into strings, and the physical id."""
    if isinstance(value, dict):
        return {key: _special(item, physical_id) for key, item in value.items()}
    if isinstance(value, list):
        return [_special(item, physical_id) for item in value]
    if value == _PHYSICAL_ID:
        return physical_id
    return _SPECIAL.get(value, value) if isinstance(value, str) else value


def _flat(value: Any, path: str = "") -> dict[str, Any]:
    """A response with dotted names, as `getResponseField` addresses it."""
    if isinstance(value, dict):
        items = value.items()
    elif isinstance(value, list):
        items = {str(position): item for position, item in enumerate(value)}.items()
    elif hasattr(value, "read"):
        return {path: value.read().decode(errors="replace")}
    else:
        simple = value if isinstance(value, str | int | float | bool) else str(value)
        return {} if value is None else {path: simple}
    flat: dict[str, Any] = {}
    for key, item in items:
        flat.update(_flat(item, f"{path}.{key}" if path else key))
    return flat


# --- smaller ones -------------------------------------------------------------------------------------------------


def log_retention(call: Call) -> Answer:
    """`Custom::LogRetention`: a log group with a retention, whether or not it exists yet."""
    name = call.props["LogGroupName"]
    client = call.client("logs", call.props.get("LogGroupRegion"))
    if call.request_type == "Delete":
        if call.props.get("RemovalPolicy") == "destroy":
            _ignoring(client, "ResourceNotFoundException", client.delete_log_group, logGroupName=name)
        return Answer(name)
    _ignoring(client, "ResourceAlreadyExistsException", client.create_log_group, logGroupName=name)
    days = int(call.props.get("RetentionInDays") or 0)
    if days:
        client.put_retention_policy(logGroupName=name, retentionInDays=days)
    else:
        client.delete_retention_policy(logGroupName=name)
    return Answer(name, {"LogGroupName": name})


def restrict_default_security_group(call: Call) -> Answer:
    """`Custom::VpcRestrictDefaultSG`: take the rules off a VPC's default security group."""
    group_id = call.props["DefaultSecurityGroupId"]
    client = call.client("ec2")
    if call.request_type in ("Create", "Update"):
        groups = client.describe_security_groups(GroupIds=[group_id])["SecurityGroups"]
        for group in groups:
            if group.get("IpPermissions"):
                client.revoke_security_group_ingress(GroupId=group_id, IpPermissions=group["IpPermissions"])
            if group.get("IpPermissionsEgress"):
                client.revoke_security_group_egress(GroupId=group_id, IpPermissions=group["IpPermissionsEgress"])
    return Answer(call.physical_id or f"default-sg-{group_id}")


def _ignoring(client: Any, code: str, operation: Callable[..., Any], **parameters: Any) -> None:
    try:
        operation(**parameters)
    except client.exceptions.ClientError as error:
        if error.response["Error"]["Code"] != code:
            raise


def _true(value: Any) -> bool:
    return str(value).lower() == "true"


SERVED: dict[str, Callable[[Call], Answer]] = {
    "Custom::AWS": sdk_call,
    "Custom::CDKBucketDeployment": bucket_deployment,
    "Custom::LogRetention": log_retention,
    "Custom::S3AutoDeleteObjects": auto_delete_objects,
    "Custom::VpcRestrictDefaultSG": restrict_default_security_group,
}
