"""Deploying a cloud assembly without the CDK CLI: assets to S3, then CloudFormation. For tests: tenths of a second.

It does what `cdk deploy` does with an assembly (asset manifests, stacks in order of their dependencies), with three
differences: nothing is bootstrapped (the asset buckets are created when they are missing), templates that are too long
for a request travel through the same bucket, and images are registered without being built.
"""

from __future__ import annotations

import io
import json
import time
import zipfile
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from .assembly import NoSuchStackError
from .assembly import stacks as read_assembly
from .codebuild import assets
from .process import LocalCloudError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from .clients import Account

_CAPABILITIES = ["CAPABILITY_IAM", "CAPABILITY_NAMED_IAM", "CAPABILITY_AUTO_EXPAND"]
_INLINE_TEMPLATE_BYTES = 51_200
_POLL_SECONDS = 0.02
_TIMEOUT_SECONDS = 600.0


class DeploymentError(LocalCloudError):
    """A stack did not get where it should; the message has the events that say why."""


@dataclass(frozen=True)
class Deployment:
    """A deployed stack.

    Attributes:
        stack_name: Name of the stack.
        stack_id: ARN of the stack.
        outputs: Output key → value.
        changed: False when the deployed stack was already as the assembly says.
        region: Where it is.
    """

    stack_name: str
    stack_id: str
    outputs: dict[str, str]
    changed: bool
    region: str


def deploy(account: Account, assembly: Path, stack_names: Sequence[str] | None = None) -> dict[str, Deployment]:
    """Deploy the stacks of an assembly, in the order of their dependencies; updates those that exist.

    A stack goes to the Region it was synthesized for, one for any Region to that of the account. Stacks of stages are
    stacks like others.

    Args:
        account: Account to deploy to.
        assembly: The folder `cdk synth` wrote (`cdk.out`).
        stack_names: Names, paths or artifact ids of the stacks to deploy, with what they depend on; all when None.

    Returns:
        The deployments by name of their stack; by artifact id where several have the name, in Regions of their own.

    Raises:
        DeploymentError: A stack failed or rolled back (the message lists its failure events), is for another account,
            or is not there.
    """
    try:
        stacks = read_assembly(assembly, stack_names)
    except NoSuchStackError as missing:
        raise DeploymentError(str(missing)) from None
    elsewhere = [
        f"{stack.name} for {stack.account}" for stack in stacks if stack.account not in (None, account.account_id)
    ]
    if elsewhere:
        raise DeploymentError(
            f"stacks of the assembly were synthesized for other accounts than {account.account_id}: "
            f"{', '.join(elsewhere)}; deploy to `LocalCloud.account` of that id, or synthesize without an account"
        )
    names = [stack.name for stack in stacks]
    done: dict[str, Deployment] = {}
    for stack in stacks:
        place = account if stack.region in (None, account.region) else account.in_region(stack.region)
        for manifest in stack.asset_manifests:
            _publish(place, stack.folder, json.loads(manifest.read_text()))
        given = stack.properties.get("parameters", {}).items()
        parameters = {key: _placeholders(place, str(value)) for key, value in given}
        template = (stack.folder / stack.properties["templateFile"]).read_text()
        key = stack.name if names.count(stack.name) == 1 else stack.artifact_id
        done[key] = _deploy_stack(place, stack.name, template, parameters, stack.properties.get("tags", {}))
    return done


def destroy(account: Account, stack_name: str) -> None:
    """Delete a stack and wait until it is gone; one that does not exist is fine.

    Raises:
        DeploymentError: Something in it could not be deleted.
    """
    client = account.client("cloudformation")
    stack = _describe(client, stack_name)
    if stack is None:
        return
    client.delete_stack(StackName=stack_name)
    _wait(client, stack["StackId"], {"DELETE_COMPLETE"})


def _publish(account: Account, assembly: Path, manifest: dict[str, Any]) -> None:
    for image in manifest.get("dockerImages", {}).values():
        assets.publish(account.client("ecr"), image, lambda text: _placeholders(account, text))
    for file in manifest.get("files", {}).values():
        _publish_file(account, assembly, file)


def _publish_file(account: Account, assembly: Path, file: dict[str, Any]) -> None:
    source, path = file["source"], assembly / file["source"]["path"]
    body = _zipped(path) if source.get("packaging") == "zip" else path.read_bytes()
    client = account.client("s3")
    for destination in file["destinations"].values():
        bucket = _placeholders(account, destination["bucketName"])
        _ensure_bucket(account, client, bucket)
        client.put_object(Bucket=bucket, Key=_placeholders(account, destination["objectKey"]), Body=body)


def _zipped(folder: Path) -> bytes:
    if folder.is_file():
        return folder.read_bytes()
    buffer = io.BytesIO()
    # Files from before 1980, as reproducible builds have them, are none that an archive can date.
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED, strict_timestamps=False) as archive:
        for path in sorted(folder.rglob("*")):
            if path.is_file():
                archive.write(path, path.relative_to(folder))
    return buffer.getvalue()


def _ensure_bucket(account: Account, client: Any, bucket: str) -> None:
    existing = {found["Name"] for found in client.list_buckets()["Buckets"]}
    if bucket in existing:
        return
    where = (
        {} if account.region == "us-east-1" else {"CreateBucketConfiguration": {"LocationConstraint": account.region}}
    )
    client.create_bucket(Bucket=bucket, **where)


def _placeholders(account: Account, text: str) -> str:
    values = {"AWS::AccountId": account.account_id, "AWS::Region": account.region, "AWS::Partition": "aws"}
    for name, value in values.items():
        text = text.replace("${" + name + "}", value)
    return text


def _deploy_stack(
    account: Account, name: str, template: str, parameters: dict[str, str], tags: dict[str, str]
) -> Deployment:
    client = account.client("cloudformation")
    # The bootstrap version is checked by a rule of the template; a direct deploy needs no bootstrap stack.
    template = _without_bootstrap_check(template)
    request: dict[str, Any] = {
        "StackName": name,
        "Capabilities": _CAPABILITIES,
        "Parameters": [{"ParameterKey": key, "ParameterValue": value} for key, value in parameters.items()],
        "Tags": [{"Key": key, "Value": value} for key, value in tags.items()],
        **_template(account, name, template),
    }
    before = _describe(client, name)
    if before is not None and before["StackStatus"] in ("ROLLBACK_COMPLETE", "ROLLBACK_FAILED", "REVIEW_IN_PROGRESS"):
        destroy(account, name)
        before = None
    if before is None:
        stack_id = client.create_stack(**request, OnFailure="ROLLBACK")["StackId"]
        return _deployment(account, _wait(client, stack_id, {"CREATE_COMPLETE"}), changed=True)
    try:
        client.update_stack(**request)
    except client.exceptions.ClientError as error:
        if "No updates are to be performed" not in str(error):
            raise
        return _deployment(account, before, changed=False)
    return _deployment(account, _wait(client, before["StackId"], {"UPDATE_COMPLETE"}), changed=True)


def _without_bootstrap_check(template: str) -> str:
    content = json.loads(template)
    content.get("Rules", {}).pop("CheckBootstrapVersion", None)
    content.get("Parameters", {}).pop("BootstrapVersion", None)
    for section in ("Rules", "Parameters"):
        if section in content and not content[section]:
            del content[section]
    return json.dumps(content)


def _template(account: Account, name: str, template: str) -> dict[str, str]:
    if len(template.encode()) <= _INLINE_TEMPLATE_BYTES:
        return {"TemplateBody": template}
    client, bucket = account.client("s3"), f"agentcore-local-templates-{account.account_id}-{account.region}"
    _ensure_bucket(account, client, bucket)
    client.put_object(Bucket=bucket, Key=f"{name}.json", Body=template.encode())
    return {"TemplateURL": f"{client.meta.endpoint_url}/{bucket}/{name}.json"}


def _deployment(account: Account, stack: dict[str, Any], *, changed: bool) -> Deployment:
    outputs = {output["OutputKey"]: output["OutputValue"] for output in stack.get("Outputs", [])}
    return Deployment(stack["StackName"], stack["StackId"], outputs, changed, account.region)


def _describe(client: Any, name: str) -> dict[str, Any] | None:
    try:
        stacks: list[dict[str, Any]] = client.describe_stacks(StackName=name)["Stacks"]
    except client.exceptions.ClientError as error:
        if "does not exist" in str(error):
            return None
        raise
    return next((stack for stack in stacks if stack["StackStatus"] != "DELETE_COMPLETE"), None)


def _wait(client: Any, stack_id: str, good: set[str]) -> dict[str, Any]:
    deadline = time.monotonic() + _TIMEOUT_SECONDS
    while time.monotonic() < deadline:
        stack: dict[str, Any] = client.describe_stacks(StackName=stack_id)["Stacks"][0]
        status = stack["StackStatus"]
        if status in good:
            return stack
        if not status.endswith("_IN_PROGRESS"):
            raise DeploymentError(f"stack {stack['StackName']} is {status}: {'; '.join(_failures(client, stack_id))}")
        time.sleep(_POLL_SECONDS)
    raise DeploymentError(f"stack {stack_id} did not finish within {_TIMEOUT_SECONDS:.0f} s")


def _failures(client: Any, stack_id: str) -> list[str]:
    pages = client.get_paginator("describe_stack_events").paginate(StackName=stack_id)
    events = [event for page in pages for event in page["StackEvents"]]
    failed = [event for event in events if event["ResourceStatus"].endswith("_FAILED")]
    return [
        f"{event['LogicalResourceId']} ({event['ResourceType']}) {event['ResourceStatus']}: "
        f"{event.get('ResourceStatusReason', 'no reason given')}"
        for event in reversed(failed)
    ] or ["no failure events"]
