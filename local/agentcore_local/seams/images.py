"""CodeBuild and ECR: what becomes of a build, and which images there are."""

# ruff: noqa: SLF001 - private names are what this package is for
from __future__ import annotations

import contextvars
import copy
import json
import threading
from typing import TYPE_CHECKING, Any

from .base import Seam, internals
from .checked_resources import name_resource
from .resources import deployed_properties

if TYPE_CHECKING:
    from collections.abc import Callable

    from .checked_resources import Asked

_CODEBUILD = "ministack.services.codebuild"
_ECR = "ministack.services.ecr"
_ON_STREAMS = frozenset({"GetLogEvents", "PutLogEvents", "CreateLogStream", "DeleteLogStream"})

SEAMS: tuple[Seam, ...] = (
    Seam(_CODEBUILD, "_start_build", "start builds of our own", ("data",)),
    Seam(_CODEBUILD, "_make_build_record", "record builds of our own", ("project", "build_id", "source_version")),
    Seam(_CODEBUILD, "_build_id", "name builds of our own", ("project_name",)),
    Seam(_CODEBUILD, "_projects", "know what a project builds"),
    Seam(_CODEBUILD, "_builds", "record builds of our own"),
    Seam(_ECR, "_describe_images", "say that an image is not there, as ECR does", ("data",)),
    Seam(_ECR, "_put_image", "register images", ("data",)),
)

Answer = tuple[int, dict[str, Any], Any]


def on_start_build(start: Callable[[dict[str, Any]], dict[str, Any]], failed: type[Exception]) -> None:
    """Has StartBuild answered by a function of ours: request → build.

    Args:
        start: Called with the request, in the account and Region of the caller.
        failed: What it raises to refuse; its arguments are the error's code and message.
    """
    module = internals(_CODEBUILD)
    responses = internals("ministack.core.responses")

    def started(data: dict[str, Any]) -> Answer:
        try:
            answer: Answer = responses.json_response({"build": start(data)})
        except failed as refusal:
            answer = responses.error_response_json(*refusal.args, 400)
        return answer

    module._start_build = started


def project(name: str) -> dict[str, Any] | None:
    """What CodeBuild knows of a project, with the place of its logs, which ministack leaves out; None without it."""
    found = internals(_CODEBUILD)._projects.get(name)
    if found is None:
        return None
    properties = deployed_properties(name) or {}
    return {**found, "logs": (properties.get("LogsConfig") or {}).get("CloudWatchLogs") or {}}


def builds_of(name: str) -> list[dict[str, Any]]:
    """The records of a project's builds."""
    return [build for build in internals(_CODEBUILD)._builds.values() if build["projectName"] == name]


def new_build(found: dict[str, Any]) -> dict[str, Any]:
    """Records a build of a project, as ministack would: ended well, at once."""
    module = internals(_CODEBUILD)
    build: dict[str, Any] = module._make_build_record(found, module._build_id(found["name"]))
    module._builds[build["id"]] = build
    return build


def in_background(act: Callable[..., None], *arguments: Any) -> None:
    """Does something on a thread of its own, in the account and Region that act now."""
    context = contextvars.copy_context()
    thread = threading.Thread(target=context.run, args=(act, *arguments), name="agentcore-local-build", daemon=True)
    thread.start()


def copied(record: dict[str, Any]) -> dict[str, Any]:
    """A record as an answer has it: nobody writes to it any more."""
    return copy.deepcopy(record)


def on_missing_image(supply: Callable[[str, str], bool]) -> None:
    """Has DescribeImages refuse what is not there, as ECR does and ministack does not.

    Args:
        supply: Called with repository and tag of an image that is not there; may register it, and returns whether it
            did.
    """
    module = internals(_ECR)
    describe = getattr(module._describe_images, "__wrapped__", module._describe_images)

    def described(data: dict[str, Any]) -> Answer:
        answer: Answer = describe(data)
        asked, name = data.get("imageIds") or [], data.get("repositoryName", "")
        if answer[0] != 200 or not asked or json.loads(answer[2])["imageDetails"]:  # noqa: PLR2004  (HTTP: OK)
            return answer
        wanted = asked[0]
        if wanted.get("imageTag") and supply(name, wanted["imageTag"]):
            again: Answer = describe(data)
            return again
        responses = internals("ministack.core.responses")
        digest, tag = (f"'{wanted[key]}'" if key in wanted else "null" for key in ("imageDigest", "imageTag"))
        refusal: Answer = responses.error_response_json(
            "ImageNotFoundException",
            f"The image with imageId {{imageDigest:{digest}, imageTag:{tag}}} does not exist within the repository "
            f"with name '{name}' in the registry with id '{responses.get_account_id()}'",
            400,
        )
        return refusal

    described.__wrapped__ = describe  # type: ignore[attr-defined]
    module._describe_images = described


def put_image(request: dict[str, Any]) -> str | None:
    """ECR's PutImage, in the account and Region that act now.

    Returns:
        None, or the code of the error.
    """
    status, _, answer = internals(_ECR)._put_image(request)
    return None if status == 200 else str(json.loads(answer).get("__type", "")).rsplit("#", 1)[-1]  # noqa: PLR2004


def name_resources() -> None:
    """Has permissions checked on the project of a build, a repository of several, a log's stream, as AWS does."""
    name_resource("codebuild", _project_of)
    name_resource("ecr", _repository_of)
    name_resource("logs", _stream_of)


def _project_of(asked: Asked) -> str:
    if asked.operation not in ("BatchGetBuilds", "StopBuild"):
        return asked.resource
    members = asked.members()
    ids = members.get("ids") or [members.get("id") or ""]
    return f"arn:aws:codebuild:{asked.region}:{asked.account}:project/{str(ids[0]).rpartition(':')[0] or '*'}"


def _repository_of(asked: Asked) -> str:
    names = asked.members().get("repositoryNames") if asked.resource == "*" else None
    return f"arn:aws:ecr:{asked.region}:{asked.account}:repository/{names[0]}" if names else asked.resource


def _stream_of(asked: Asked) -> str:
    if asked.operation not in _ON_STREAMS or asked.resource == "*":
        return asked.resource
    return f"{asked.resource}:log-stream:{asked.members().get('logStreamName') or '*'}"
