"""The life of a build: phases, log, the role it acts with; its commands are read and not run."""

from __future__ import annotations

import io
import json
import re
import threading
import time
import zipfile
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from agentcore_local import clients, iam, seams
from agentcore_local.harness.errors import ServiceError

from . import commands
from .assets import MEDIA_TYPE, manifest
from .context import BuildFailed, built

if TYPE_CHECKING:
    from collections.abc import Mapping

    from .commands import Command

_TOKEN_SECONDS = 300
_TOKEN = "_idempotency"  # noqa: S105  (a key of the record)
_REFERENCE = re.compile(r"(\d{12})\.dkr\.ecr\.([a-z0-9-]+)\.amazonaws\.com(?:\.cn)?/([^:@]+)(?::(.+))?")
_SECRET = re.compile(r"(arn:[^:]+:secretsmanager:[^:]+:[^:]+:secret:[^:]+|[^:]+)(?::([^:]*))?(?::.*)?")
_PUSHES = (
    "ecr:BatchCheckLayerAvailability",
    "ecr:InitiateLayerUpload",
    "ecr:UploadLayerPart",
    "ecr:CompleteLayerUpload",
    "ecr:PutImage",
)
_PREFACE = (
    "This is the local cloud: no command is run and no image is made. The Dockerfile and the source are read and "
    "checked, and the image is registered in the local ECR."
)
_PHASE_OF = {"install": "INSTALL", "pre_build": "PRE_BUILD", "build": "BUILD", "post_build": "POST_BUILD"}
_LOCK = threading.Lock()


class BuildRefused(Exception):  # noqa: N818  (reads as what it says)
    """StartBuild is refused; code and message."""


def start(request: dict[str, Any]) -> dict[str, Any]:
    """Answers StartBuild: records the build, and follows it on a thread of its own.

    Raises:
        BuildRefused: There is no such project, or the token was used for another request.
    """
    name = request.get("projectName", "")
    project = seams.project(name)
    if project is None:
        raise BuildRefused("ResourceNotFoundException", f"Project cannot be found: {name}")
    token, wanted = request.get("idempotencyToken"), json.dumps(request, sort_keys=True)
    with _LOCK:
        if token and (earlier := _earlier(name, token)) is not None:
            if earlier[_TOKEN][1] != wanted:
                raise BuildRefused("InvalidInputException", "Parameter mismatch for the idempotency token")
            return seams.copied(earlier)
        record = seams.new_build(project)
        environment = {**project.get("environment", {})}
        overrides = {one["name"]: one for one in request.get("environmentVariablesOverride") or ()}
        kept = [one for one in environment.get("environmentVariables") or () if one["name"] not in overrides]
        environment["environmentVariables"] = [*kept, *overrides.values()]
        record.update(
            buildStatus="IN_PROGRESS",
            currentPhase="SUBMITTED",
            phases=[],
            environment=environment,
            serviceRole=project["serviceRole"],
            logs=_place_of_logs(project, record),
            **{_TOKEN: (token, wanted, time.time())},
        )
        record.pop("endTime", None)
    seams.in_background(Run(record, project).follow)
    return seams.copied(record)


def _earlier(name: str, token: str) -> dict[str, Any] | None:
    for build in seams.builds_of(name):
        known, _, when = build.get(_TOKEN) or (None, None, 0.0)
        if known == token and time.time() - when < _TOKEN_SECONDS:
            return build
    return None


def _place_of_logs(project: Mapping[str, Any], record: Mapping[str, Any]) -> dict[str, str]:
    wanted = project["logs"]
    group = wanted.get("GroupName") or f"/aws/codebuild/{project['name']}"
    stream = record["id"].rpartition(":")[2]
    prefix = wanted.get("StreamName")
    return {"groupName": group, "streamName": f"{prefix}/{stream}" if prefix else stream}


@dataclass
class Run:
    """One build.

    Attributes:
        record: What BatchGetBuilds shows.
        project: What is built.
    """

    record: dict[str, Any]
    project: dict[str, Any]
    _scope: seams.Scope = field(default_factory=seams.current_scope)
    _images: dict[str, str] = field(default_factory=dict)
    _hidden: list[str] = field(default_factory=list, repr=False)
    _logs: bool = False

    def follow(self) -> None:
        """Goes through the phases and records how it ends."""
        phase = "SUBMITTED"
        try:
            self._open_log()
            phase = "PROVISIONING"
            environment = self._environment()
            phase = "DOWNLOAD_SOURCE"
            source = self._source()
            listed = list(commands.commands(self._buildspec(source), environment))
            if not any(commands.docker_build(one.words) for one in listed):
                phase = "BUILD"
                raise BuildFailed("the buildspec has no `docker build`, and other commands are not run here")
            for command in listed:
                phase = _PHASE_OF[command.phase]
                self._follow(command, source, environment)
        except (BuildFailed, ServiceError) as failure:
            self._end("FAILED", phase, str(failure))
        except Exception as unforeseen:  # noqa: BLE001  (nobody waits for this thread: the build must end)
            self._end("FAULT", phase, f"the local cloud failed: {type(unforeseen).__name__}: {unforeseen}")
        else:
            self._end("SUCCEEDED", "BUILD", "")

    # ---- what a build needs ------------------------------------------------------------------------------------------

    def _environment(self) -> dict[str, str]:
        """The variables, with secrets read as the role of the project."""
        account, region = self._scope
        found = {"AWS_DEFAULT_REGION": region, "AWS_REGION": region, "CODEBUILD_BUILD_ID": self.record["id"]}
        for one in self.record["environment"]["environmentVariables"]:
            kind = one.get("type", "PLAINTEXT")
            if kind == "PLAINTEXT":
                found[one["name"]] = str(one["value"])
            elif kind == "SECRETS_MANAGER":
                found[one["name"]] = self._secret(str(one["value"]))
            else:
                arn = f"arn:aws:ssm:{region}:{account}:parameter/{str(one['value']).lstrip('/')}"
                self._may("ssm:GetParameters", arn)
                answer = self._client("ssm").get_parameter(Name=one["value"], WithDecryption=True)
                found[one["name"]] = answer["Parameter"]["Value"]
            if kind != "PLAINTEXT":
                self._hidden.append(found[one["name"]])
        return found

    def _secret(self, reference: str) -> str:
        parts = _SECRET.fullmatch(reference)
        if parts is None:
            raise BuildFailed(f"the environment variable's secret {reference!r} cannot be read")
        client = self._client("secretsmanager")
        try:
            arn = client.describe_secret(SecretId=parts[1])["ARN"]
            self._may("secretsmanager:GetSecretValue", arn)
            text = str(client.get_secret_value(SecretId=arn)["SecretString"])
        except client.exceptions.ResourceNotFoundException:
            raise BuildFailed(f"Secrets Manager has no secret {parts[1]}") from None
        if not parts[2]:
            return text
        try:
            fields = json.loads(text)
        except ValueError:
            fields = None
        if not isinstance(fields, dict):
            raise BuildFailed(f"the secret {parts[1]} is no JSON object, so it has no field {parts[2]}")
        if parts[2] not in fields:
            raise BuildFailed(f"the secret {parts[1]} has no field {parts[2]}")
        return str(fields[parts[2]])

    def _source(self) -> zipfile.ZipFile:
        described = self.project.get("source") or {}
        if described.get("type") != "S3":
            raise BuildFailed(f"sources of type {described.get('type')} are not fetched here; use S3")
        bucket, _, key = str(described["location"]).removeprefix("arn:aws:s3:::").partition("/")
        self._may("s3:GetObject", f"arn:aws:s3:::{bucket}/{key}")
        client = self._client("s3")
        try:
            body = client.get_object(Bucket=bucket, Key=key)["Body"].read()
            return zipfile.ZipFile(io.BytesIO(body))
        except client.exceptions.NoSuchKey:
            raise BuildFailed(f"NoSuchKey: there is no {key} in {bucket}") from None
        except zipfile.BadZipFile:
            raise BuildFailed(f"{bucket}/{key} is no zip archive") from None

    def _buildspec(self, source: zipfile.ZipFile) -> dict[str, Any]:
        import yaml  # noqa: PLC0415  (for builds alone)

        text = str((self.project.get("source") or {}).get("buildspec") or "buildspec.yml")
        if "\n" not in text and not text.lstrip().startswith("{"):
            if text not in source.namelist():
                raise BuildFailed(f"YAML_FILE_ERROR: {text} does not exist")
            text = source.read(text).decode()
        try:
            read = yaml.safe_load(text)
        except yaml.YAMLError as error:
            raise BuildFailed(f"YAML_FILE_ERROR: {error}") from None
        if not isinstance(read, dict) or not isinstance(read.get("phases"), dict):
            raise BuildFailed("YAML_FILE_ERROR: the buildspec has no phases")
        return read

    # ---- commands ----------------------------------------------------------------------------------------------------

    def _follow(self, command: Command, source: zipfile.ZipFile, environment: Mapping[str, str]) -> None:
        if build := commands.docker_build(command.words):
            self._say(f"[Container] {command.text}   (read, not run)")
            content = built(source, build, environment, self._say)
            self._images |= dict.fromkeys(build.tags, content)
            for reference in build.tags if build.push else ():
                self._push(reference, ())
        elif pushed := commands.docker_push(command.words):
            self._say(f"[Container] {command.text}   (registered, not pushed)")
            self._push(pushed, command.otherwise)
        else:
            self._say(f"[Container] {command.text}   (not run)")

    def _push(self, reference: str, otherwise: tuple[str, ...]) -> None:
        content, parts = self._images.get(reference), _REFERENCE.fullmatch(reference)
        if content is None:
            raise BuildFailed(f"An image does not exist locally with the tag: {reference}")
        if parts is None:
            raise BuildFailed(f"{reference} is not in ECR; no other registry is reached from here")
        account, region, repository, tag = parts.groups()
        self._may("ecr:GetAuthorizationToken", "*")
        for action in _PUSHES:
            self._may(action, f"arn:aws:ecr:{region}:{account}:repository/{repository}")
        with seams.acting_for((account, region)):
            refused = seams.put_image(
                {
                    "repositoryName": repository,
                    "imageTag": tag or "latest",
                    "imageManifest": manifest(content),
                    "imageManifestMediaType": MEDIA_TYPE,
                }
            )
        if refused is None:
            self._say(f"{tag or 'latest'}: the image of the source {content} is registered in {repository}")
        elif refused != "ImageTagAlreadyExistsException" or commands.image_looked_for(otherwise) != (repository, tag):
            raise BuildFailed(f"tag invalid: pushing {reference} was refused with {refused}")

    # ---- log, role, end ----------------------------------------------------------------------------------------------

    def _client(self, service: str) -> Any:
        return clients.shared(service, *self._scope)

    def _may(self, action: str, resource: str) -> None:
        place = iam.Place(*self._scope)
        denied = iam.denial(self.project["serviceRole"], action, resource, place=place, session="AWSCodeBuild")
        if denied is not None:
            raise BuildFailed(f"ACCESS_DENIED: {denied}")

    def _open_log(self) -> None:
        account, region = self._scope
        group, stream = self.record["logs"]["groupName"], self.record["logs"]["streamName"]
        arn = f"arn:aws:logs:{region}:{account}:log-group:{group}:log-stream:{stream}"
        self._may("logs:CreateLogStream", arn)
        self._may("logs:PutLogEvents", arn)
        for operation, members in (("CreateLogGroup", {}), ("CreateLogStream", {"logStreamName": stream})):
            try:
                seams.call_logs(self._scope, operation, {"logGroupName": group, **members})
            except ServiceError as error:
                if error.code != "ResourceAlreadyExistsException":
                    raise
        self._logs = True
        self._say(_PREFACE)

    def _say(self, line: str) -> None:
        if not self._logs:
            return
        for hidden in self._hidden:
            line = line.replace(hidden, "***") if hidden else line
        request = {
            "logGroupName": self.record["logs"]["groupName"],
            "logStreamName": self.record["logs"]["streamName"],
            "logEvents": [{"timestamp": int(time.time() * 1000), "message": f"{line}\n"}],
        }
        seams.call_logs(self._scope, "PutLogEvents", request)

    def _end(self, status: str, phase: str, why: str) -> None:
        if why:
            self._say(why)
            self._say(f"[Container] Phase complete: {phase} State: FAILED")
        now = int(time.time())
        said = [{"statusCode": "CLIENT_ERROR", "message": why}] if why else []
        with _LOCK:
            if self.record["buildStatus"] != "IN_PROGRESS":
                return  # stopped in between
            ended = {"startTime": self.record["startTime"], "endTime": now, "durationInSeconds": 0}
            self.record["phases"] = [
                {"phaseType": phase, "phaseStatus": status, "contexts": said, **ended},
                {"phaseType": "COMPLETED", "startTime": now},
            ]
            self.record.update(buildStatus=status, buildComplete=True, currentPhase="COMPLETED", endTime=now)
