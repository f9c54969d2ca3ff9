"""Keeps the managed memory of a harness that is about to be deleted.

The service deletes a managed memory with its harness unless it is told not to, which CloudFormation cannot do, or the
harness was switched to another memory before: https://docs.aws.amazon.com/bedrock-agentcore/latest/devguide/harness-memory.html
This resource refers to the harness, so CloudFormation deletes it first; then it switches the harness' memory off and
waits until that is done. The memory becomes an ordinary one of the account, with everything in it.

A failure here stops the deletion of the stack before the harness, so it loses nothing; deleting the stack again
goes on from there.

Not every Delete means that the harness goes: the resource alone may have left the template (`retain` was taken out),
the update that brought it may be rolled back, or the template may keep the harness. CloudFormation does not say which,
so it is asked.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from aws_lambda_powertools import Logger
from botocore.exceptions import BotoCoreError, ClientError

from .framework import Failed, Handler, Outcome, Properties, Request, client, passes

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_CONTROL = "bedrock-agentcore-control"
_DATA = "bedrock-agentcore"
_CLOUDFORMATION = "cloudformation"
_TRANSITIONAL = ("CREATING", "UPDATING")
_GONE = "ResourceNotFoundException"

logger = Logger(child=True)


class MemoryRetentionProperties(Properties):
    """Whose memory it is.

    Attributes:
        harness_id: Of the harness.
        harness_arn: Of the harness: its physical id in the stack.
        harness_resource: Logical id of the harness in the stack's template.
        memory_arn: Of its managed memory.
        is_kept: Whether the template keeps the harness itself when it is removed.
        is_kept_when_replaced: Whether the template keeps the harness itself when it is replaced.
    """

    harness_id: str
    harness_arn: str
    harness_resource: str
    memory_arn: str
    is_kept: bool = False
    is_kept_when_replaced: bool = False


@dataclass(frozen=True)
class Surroundings:
    """What CloudFormation says of the stack while the resource is deleted.

    Attributes:
        status: Of the stack.
        harness: Physical id that the harness' logical id has now; None when the stack has no such resource.
        is_declared: Whether the stack's template has the harness.
    """

    status: str
    harness: str | None
    is_declared: bool

    @property
    def is_undone(self) -> bool:
        """Whether a deployment that failed is taken back."""
        return self.status.startswith(("ROLLBACK_", "UPDATE_ROLLBACK_"))


def goes(properties: MemoryRetentionProperties, around: Surroundings) -> bool:
    """Tells whether the harness is about to be deleted."""
    if around.status in ("DELETE_IN_PROGRESS", "DELETE_FAILED", "ROLLBACK_IN_PROGRESS"):
        return not properties.is_kept
    if around.harness is None or not around.is_declared:
        return not properties.is_kept
    if around.harness != properties.harness_arn:
        return not properties.is_kept_when_replaced
    return False


class MemoryRetentionHandler(Handler[MemoryRetentionProperties]):
    """Detaches the memory when it is deleted; does nothing until then."""

    Properties: ClassVar[type[Any]] = MemoryRetentionProperties

    def __init__(self, aws: Callable[[str], Any] = client) -> None:
        """Takes what it acts through.

        Args:
            aws: Gives a client for a service.
        """
        self._aws = aws

    def create(self, request: Request[MemoryRetentionProperties]) -> Outcome:
        """Notes the memory: its ARN is the physical id, so the events of a deleted stack still name it."""
        memory = request.properties.memory_arn
        return Outcome(memory, {"MemoryArn": memory, "MemoryId": memory.rpartition("/")[2]})

    def update(
        self,
        request: Request[MemoryRetentionProperties],
        old: MemoryRetentionProperties,  # noqa: ARG002
    ) -> Outcome:
        """Notes the memory there is now.

        With another one the physical id changes. CloudFormation then deletes the earlier resource, with the properties
        it had, once the update is over and before the harness that was replaced; a rollback never comes that far.
        """
        return self.create(request)

    def delete(self, request: Request[MemoryRetentionProperties]) -> Outcome:
        """Detaches the memory of a harness that goes.

        Raises:
            Failed: It cannot be detached.
        """
        return self._go_on(request, is_first=True)

    def poll(self, request: Request[MemoryRetentionProperties], state: Mapping[str, Any]) -> Outcome:  # noqa: ARG002
        """Goes on with a deletion: what is to be done is read off the harness each time.

        Raises:
            Failed: The memory cannot be detached.
        """
        return self._go_on(request, is_first=False)

    def _go_on(self, request: Request[MemoryRetentionProperties], *, is_first: bool) -> Outcome:
        memory = request.physical_id or request.properties.memory_arn
        is_done = False
        try:
            is_done = self._is_done(request, is_first=is_first)
        except (BotoCoreError, ClientError) as error:
            if not passes(error):
                raise
            # It may have arrived all the same: the harness' state tells, when the framework asks in a few seconds.
            logger.info("no answer yet", error=type(error).__name__)
        return Outcome(memory, done=is_done)

    def _is_done(self, request: Request[MemoryRetentionProperties], *, is_first: bool) -> bool:
        """Detaches the memory if that is due, and tells whether nothing is left to do."""
        harness = self._harness(request.properties.harness_id)
        if harness is None or harness["status"] in _TRANSITIONAL or not _manages_memory(harness):
            return harness is None or harness["status"] not in _TRANSITIONAL
        if harness["status"] == "UPDATE_FAILED" and not is_first:
            why = harness.get("failureReason") or "the service gives no reason"
            memory = request.properties.memory_arn
            raise Failed(f"the memory {memory} could not be detached from {harness['harnessId']}: {why}")
        if not self._is_wanted(request):
            return True
        self._detach(request, harness)
        after = self._harness(request.properties.harness_id)
        return after is None or (after["status"] == "READY" and not _manages_memory(after))

    def _harness(self, harness_id: str) -> dict[str, Any] | None:
        """The harness; None when it is gone or going: whoever deletes it then had the choice."""
        try:
            found: dict[str, Any] = self._aws(_CONTROL).get_harness(harnessId=harness_id)["harness"]
        except ClientError as error:
            if error.response["Error"]["Code"] == _GONE:
                return None
            raise
        return None if found["status"] == "DELETING" else found

    def _detach(self, request: Request[MemoryRetentionProperties], harness: Mapping[str, Any]) -> None:
        # The same token for a request that is delivered twice; another one when an earlier attempt has come and gone.
        seed = f"{request.stack_id}/{request.request_id}/{harness.get('harnessVersion')}"
        try:
            self._aws(_CONTROL).update_harness(
                harnessId=harness["harnessId"],
                clientToken=hashlib.sha256(seed.encode()).hexdigest(),
                memory={"optionalValue": {"disabled": {}}},
            )
        except ClientError as error:
            if error.response["Error"]["Code"] != _GONE:
                raise
            return
        logger.info("memory detached", memory=harness["memory"]["managedMemoryConfiguration"].get("arn"))

    # ---- what it is deleted for --------------------------------------------------------------------------------------

    def _is_wanted(self, request: Request[MemoryRetentionProperties]) -> bool:
        try:
            around = self._surroundings(request)
        except ClientError as error:
            if passes(error):
                raise
            code = error.response["Error"]["Code"]
            # A memory too many can be deleted; one too few cannot be brought back.
            logger.warning("CloudFormation does not say what is deleted; keeping the memory", error=code)
            return True
        if not goes(request.properties, around):
            logger.info("harness stays, and its memory with it", status=around.status)
            return False
        if around.is_undone and self._is_unused(request.properties.memory_arn):
            logger.info("memory of a failed deployment was never used, and goes with it", status=around.status)
            return False
        return True

    def _surroundings(self, request: Request[MemoryRetentionProperties]) -> Surroundings:
        cloudformation, stack, logical_id = (
            self._aws(_CLOUDFORMATION),
            request.stack_id,
            request.properties.harness_resource,
        )
        status = cloudformation.describe_stacks(StackName=stack)["Stacks"][0]["StackStatus"]
        try:
            found = cloudformation.describe_stack_resource(StackName=stack, LogicalResourceId=logical_id)
            physical_id = found["StackResourceDetail"].get("PhysicalResourceId")
        except ClientError as error:
            if error.response["Error"]["Code"] != "ValidationError":
                raise
            physical_id = None
        body = cloudformation.get_template(StackName=stack, TemplateStage="Processed")["TemplateBody"]
        template = json.loads(body) if isinstance(body, str) else body
        return Surroundings(status, physical_id, logical_id in template.get("Resources", {}))

    def _is_unused(self, memory_arn: str) -> bool:
        try:
            return not self._aws(_DATA).list_actors(memoryId=memory_arn, maxResults=1)["actorSummaries"]
        except ClientError as error:
            if passes(error):
                raise
            code = error.response["Error"]["Code"]
            logger.warning("the memory does not say whether it was used; keeping it", error=code)
            return False


def _manages_memory(harness: Mapping[str, Any]) -> bool:
    return "managedMemoryConfiguration" in (harness.get("memory") or {})


def handler() -> MemoryRetentionHandler:
    """Returns the handler of this kind."""
    return MemoryRetentionHandler()
