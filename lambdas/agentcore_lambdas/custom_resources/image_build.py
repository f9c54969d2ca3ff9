"""Has AWS CodeBuild build an image and waits for it; the outcome is the image's digest.

An image is known by its tag, which is the hash of all that makes it: source, Dockerfile, arguments. The tag exists or a
build makes it. So a request that comes twice, and a rollback to what there was, build nothing.

Images stay when the resource goes: older versions of a harness run on them. The repository's lifecycle rule removes
them, or the repository's own end.
"""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, ClassVar

from aws_lambda_powertools import Logger
from botocore.exceptions import ClientError

from .framework import Failed, Handler, Outcome, Properties, Request, client
from .masking import masked

if TYPE_CHECKING:
    from typing import TypeAlias

TAG_VARIABLE = "IMAGE_TAG"
"""The build's environment variable with the tag to make; it also tells which image a build is for."""

_MOST_LOG = 1200
_LOG_LINES = 60
_ATTEMPTS = 3
_SETTLING_SECONDS = 120
_LISTED = 100
# Phases of CodeBuild's own, before the first command of ours: what fails there is the surroundings, such as a role
# whose policy has not reached every corner yet. https://docs.aws.amazon.com/codebuild/latest/userguide/view-build-details.html
_BEFORE_COMMANDS = frozenset({"SUBMITTED", "QUEUED", "PROVISIONING", "DOWNLOAD_SOURCE"})

_ENDS = {"TIMED_OUT": "took too long", "STOPPED": "was stopped", "FAULT": "failed inside CodeBuild"}

logger = Logger(child=True)

Build: TypeAlias = Mapping[str, Any]


class ImageBuildProperties(Properties):
    """What to build, and where it goes.

    Attributes:
        project: Name of the CodeBuild project; it pushes to the repository under the tag it is given.
        repository_name: Of the ECR repository.
        repository_uri: Of the ECR repository, without a tag.
        inputs: All that makes the image, in any form; the same inputs are the same image.
    """

    project: str
    repository_name: str
    repository_uri: str
    inputs: dict[str, Any]

    @property
    def tag(self) -> str:
        """The tag of the image: the hash of its inputs."""
        written = json.dumps(self.inputs, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
        return hashlib.sha256(written.encode()).hexdigest()


class ImageBuildHandler(Handler[ImageBuildProperties]):
    """Builds what is not there."""

    Properties: ClassVar[type[Any]] = ImageBuildProperties

    def __init__(
        self,
        aws: Callable[[str], Any] = client,
        now: Callable[[], float] = time.time,
    ) -> None:
        """Takes what it acts through.

        Args:
            aws: Gives a client for a service.
            now: Gives the time, in seconds since 1970.
        """
        self._aws = aws
        self._now = now

    def create(self, request: Request[ImageBuildProperties]) -> Outcome:
        """Builds the image, unless it is there or under way."""
        wanted = request.properties
        if digest := self._digest(wanted):
            return _there(request, digest, None)
        running = next((build for build in self._builds(wanted) if build["buildStatus"] == "IN_PROGRESS"), None)
        build = running or self._start(request, attempt=1)
        return Outcome(_physical_id(request), done=False, state={"Build": build["id"], "Number": build["buildNumber"]})

    def update(self, request: Request[ImageBuildProperties], old: ImageBuildProperties) -> Outcome:  # noqa: ARG002
        """As at creation: what there was before has no say in what is there now."""
        return self.create(request)

    def delete(self, request: Request[ImageBuildProperties]) -> Outcome:
        """Stops a build that is still under way, so that it pushes nothing to a repository that is being deleted."""
        for build in self._builds(request.properties):
            if build["buildStatus"] == "IN_PROGRESS":
                self._stop(build["id"])
        return Outcome(_physical_id(request))

    def poll(self, request: Request[ImageBuildProperties], state: Mapping[str, Any]) -> Outcome:
        """Looks whether the image is there, and otherwise what became of the build.

        Raises:
            Failed: The build came to nothing; with the end of its log.
        """
        wanted = request.properties
        waiting = Outcome(_physical_id(request), done=False, state=state)
        attempts = self._attempts(wanted, state)
        last = attempts[-1] if attempts else None
        if last is not None and last["buildStatus"] == "IN_PROGRESS":
            return waiting
        # The image counts, not the build: another build may have made it.
        if digest := self._digest(wanted):
            return _there(request, digest, last)
        if last is None:
            raise Failed(f"the build {state['Build']} is gone, and there is no image; deploy again to build it anew")
        if last["buildStatus"] == "SUCCEEDED":
            if self._now() - _seconds(last.get("endTime")) < _SETTLING_SECONDS:
                return waiting
            raise Failed(
                f"the build {last['id']} succeeded, but {wanted.repository_name} has no image with the tag {wanted.tag}"
            )
        if _ended_early(last) and len(attempts) < _ATTEMPTS:
            self._start(request, attempt=len(attempts) + 1)
            return waiting
        raise Failed(self._why(last))

    # ---- what there is -----------------------------------------------------------------------------------------------

    def _digest(self, wanted: ImageBuildProperties) -> str | None:
        try:
            found = self._aws("ecr").describe_images(
                repositoryName=wanted.repository_name, imageIds=[{"imageTag": wanted.tag}]
            )["imageDetails"]
        except ClientError as error:
            if error.response["Error"]["Code"] == "ImageNotFoundException":
                return None
            raise
        return str(found[0]["imageDigest"]) if found else None

    def _builds(self, wanted: ImageBuildProperties) -> list[Build]:
        """The latest builds of this image, newest first; none when the project is gone."""
        codebuild = self._aws("codebuild")
        try:
            ids = codebuild.list_builds_for_project(projectName=wanted.project, sortOrder="DESCENDING")["ids"]
        except ClientError as error:
            if error.response["Error"]["Code"] == "ResourceNotFoundException":
                return []
            raise
        if not ids:
            return []
        builds = codebuild.batch_get_builds(ids=ids[:_LISTED])["builds"]
        ours = [build for build in builds if _tag_of(build) == wanted.tag]
        return sorted(ours, key=lambda build: int(build.get("buildNumber", 0)), reverse=True)

    def _attempts(self, wanted: ImageBuildProperties, state: Mapping[str, Any]) -> list[Build]:
        """The build that was started for this request and those that repeat it, in their order."""
        first = int(state["Number"])
        return [build for build in reversed(self._builds(wanted)) if int(build["buildNumber"]) >= first]

    # ---- what is done ------------------------------------------------------------------------------------------------

    def _start(self, request: Request[ImageBuildProperties], *, attempt: int) -> Build:
        wanted = request.properties
        # CodeBuild remembers a token for five minutes; after that a repeated request finds the build in the list.
        token = hashlib.sha256(f"{request.stack_id}/{request.request_id}/{wanted.tag}/{attempt}".encode()).hexdigest()
        build: Build = self._aws("codebuild").start_build(
            projectName=wanted.project,
            idempotencyToken=token,
            environmentVariablesOverride=[{"name": TAG_VARIABLE, "value": wanted.tag, "type": "PLAINTEXT"}],
        )["build"]
        logger.info("build started", build=build["id"], attempt=attempt)
        return build

    def _stop(self, build_id: str) -> None:
        try:
            self._aws("codebuild").stop_build(id=build_id)
        except ClientError as error:
            # It ended, or went with its project, in between.
            if error.response["Error"]["Code"] not in ("ResourceNotFoundException", "InvalidInputException"):
                raise

    # ---- what went wrong ---------------------------------------------------------------------------------------------

    def _why(self, build: Build) -> str:
        phase, said = _failed_phase(build)
        text = f"the build {build['id']} {_ENDS.get(build['buildStatus'], 'failed')}"
        if phase:
            text += f" in its phase {phase}" + (f" ({said})" if said else "")
        logs = build.get("logs") or {}
        group, stream = logs.get("groupName"), logs.get("streamName")
        end = self._end_of_log(group, stream) if group and stream else ""
        if not end:
            return f"{text}; it left no log"
        return f"{text}; its log, {stream} in {group}, ends with:\n{end}"

    def _end_of_log(self, group: str, stream: str) -> str:
        try:
            events = self._aws("logs").get_log_events(
                logGroupName=group, logStreamName=stream, limit=_LOG_LINES, startFromHead=False
            )["events"]
        except ClientError as error:
            # The build's failure is the news; a log that cannot be read must not hide it.
            return f"(the log cannot be read: {error.response['Error']['Code']})"
        # Masked before it is cut: the half of a secret does not look like one.
        text = masked("".join(_line(event["message"]) for event in events)).strip()
        return text if len(text) <= _MOST_LOG else f"…{text[-_MOST_LOG:]}"


def handler() -> ImageBuildHandler:
    """Returns the handler of this kind."""
    return ImageBuildHandler()


def _there(request: Request[ImageBuildProperties], digest: str, build: Build | None) -> Outcome:
    wanted = request.properties
    data = {
        "Digest": digest,
        "ImageUri": f"{wanted.repository_uri}@{digest}",
        "Tag": wanted.tag,
        "Build": "" if build is None else str(build["id"]),
    }
    return Outcome(_physical_id(request), data)


def _physical_id(request: Request[ImageBuildProperties]) -> str:
    """The same for every delivery and every version, so that CloudFormation never replaces it."""
    if request.physical_id is not None:
        return request.physical_id
    return f"image-build-{hashlib.sha256(f'{request.stack_id}/{request.logical_id}'.encode()).hexdigest()[:16]}"


def _tag_of(build: Build) -> str | None:
    variables = (build.get("environment") or {}).get("environmentVariables") or []
    # An override follows what the project has.
    return next((one["value"] for one in reversed(variables) if one["name"] == TAG_VARIABLE), None)


def _failed_phase(build: Build) -> tuple[str | None, str]:
    for phase in build.get("phases") or []:
        if phase.get("phaseStatus") not in (None, "SUCCEEDED", "QUEUED"):
            said = " ".join(one.get("message", "") for one in phase.get("contexts") or [])
            return phase["phaseType"], masked(said)[:300].strip()
    return None, ""


def _ended_early(build: Build) -> bool:
    return build["buildStatus"] in ("FAILED", "FAULT") and _failed_phase(build)[0] in _BEFORE_COMMANDS


def _line(message: str) -> str:
    return message if message.endswith("\n") else message + "\n"


def _seconds(moment: Any) -> float:
    return float(moment.timestamp()) if hasattr(moment, "timestamp") else float(moment or 0)
