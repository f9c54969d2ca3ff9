"""Where the skills of a harness come from: S3, Git, the session's own files, AWS' catalogue. Blocking.

What is fetched is checked against the execution role first, action by action, and held to what the service holds it to:
https://docs.aws.amazon.com/bedrock-agentcore/latest/devguide/harness-skills.html
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import TYPE_CHECKING, Any

from agentcore_local import actions, clients
from agentcore_local.agents import permissions

if TYPE_CHECKING:
    from collections.abc import Iterator

    from agentcore_local.agents.plan import Plan

CATALOGUE_VARIABLE = "AGENTCORE_LOCAL_AWS_SKILLS"
"""A folder with AWS' skills, such as `skills` of a clone of https://github.com/aws/agent-toolkit-for-aws."""

_GIBIBYTE = 1 << 30
_CLONE_SECONDS = 60.0


class SkillFailed(Exception):  # noqa: N818 - the invocation fails with it
    """A skill that cannot be fetched; the sentence says why."""


class LeftOut(Exception):  # noqa: N818 - nothing failed: the agent works without
    """A skill that is not there on the local cloud; the sentence says why."""


@dataclass(frozen=True, slots=True)
class Fetched:
    """One file of a skill.

    Attributes:
        path: Where it is in the skill.
        content: What is in it.
        executable: Whether it may be run.
    """

    path: str
    content: bytes
    executable: bool = False


@dataclass(frozen=True, slots=True)
class Bundle:
    """What was fetched for one entry of `skills`.

    Attributes:
        folder: Where it goes, below the folder of all skills: source and name.
        files: What is in it.
    """

    folder: tuple[str, ...]
    files: Iterator[Fetched]


def is_offered(skill: dict[str, Any]) -> bool:
    """Whether the local cloud may have a skill: all but AWS' own, of which it needs a copy."""
    return "awsSkills" not in skill or bool(os.environ.get(CATALOGUE_VARIABLE))


def fetch(plan: Plan, skill: dict[str, Any]) -> Bundle:
    """Fetch one skill that is not in the session's files already.

    Raises:
        SkillFailed: It cannot be had.
        LeftOut: The local cloud does not have it.
    """
    refusal = permissions.denial(plan, actions.skill(plan, skill))
    if refusal is not None:
        raise SkillFailed(refusal)
    if "s3" in skill:
        return _s3(plan, skill["s3"]["uri"])
    if "git" in skill:
        return _git(skill["git"])
    return _aws((skill.get("awsSkills") or {}).get("paths"))


# ---- S3 --------------------------------------------------------------------------------------------------------------


def _s3(plan: Plan, uri: str) -> Bundle:
    bucket, _, path = uri.partition("://")[2].partition("/")
    path = path.strip("/")
    name = path.rsplit("/", 1)[-1] or bucket
    return Bundle(("s3", name), _objects(plan, bucket, f"{path}/" if path else "", uri))


def _objects(plan: Plan, bucket: str, prefix: str, uri: str) -> Iterator[Fetched]:
    client = clients.shared("s3", plan.account, plan.region)
    total = 0
    try:
        pages = client.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix)
        for item in (item for page in pages for item in page.get("Contents", ())):
            total += item["Size"]
            if total > _GIBIBYTE:
                raise SkillFailed(f"{uri} is larger than 1 GB")
            if item["Key"].endswith("/"):
                continue  # the console makes such objects for folders
            refusal = permissions.denial(plan, actions.skill_object(plan, bucket, item["Key"]))
            if refusal is not None:
                raise SkillFailed(refusal)
            content = client.get_object(Bucket=bucket, Key=item["Key"])["Body"].read()
            yield Fetched(item["Key"].removeprefix(prefix), content)
    except client.exceptions.ClientError as error:
        said = error.response["Error"]
        raise SkillFailed(f"{said.get('Code')}: {said.get('Message')} ({uri})") from error


# ---- Git -------------------------------------------------------------------------------------------------------------


def _git(git: dict[str, Any]) -> Bundle:
    url, path = git["url"], git.get("path") or ""
    name = path.strip("/").rsplit("/", 1)[-1] or url.rstrip("/").rsplit("/", 1)[-1].removesuffix(".git")
    return Bundle(("git", name), _files(git))


def _files(git: dict[str, Any]) -> Iterator[Fetched]:
    try:
        from agentcore_lambdas.skills import GitError, Limits, Source, checkout  # noqa: PLC0415 - takes dulwich
    except ImportError as error:
        raise SkillFailed("skills in Git repositories take dulwich on the local cloud; pip install dulwich") from error
    auth = git.get("auth") or {}
    limits = Limits(pack_bytes=_GIBIBYTE, skill_bytes=_GIBIBYTE, files=100_000, seconds=_CLONE_SECONDS)
    source = Source(git["url"], git.get("path") or "", auth.get("username") or "oauth2", _password(auth))
    try:
        with checkout(source, None, limits, complete=False) as found:
            for file, content in found.contents():
                yield Fetched(file.path, content, file.executable)
    except GitError as error:
        raise SkillFailed(str(error)) from error


def _password(auth: dict[str, Any]) -> str | None:
    from agentcore_local.gateway import vault  # noqa: PLC0415 - only private repositories need it

    if not auth.get("credentialArn"):
        return None
    try:
        return vault.api_key(auth["credentialArn"])
    except vault.VaultError as error:
        raise SkillFailed(str(error)) from error


# ---- AWS' own --------------------------------------------------------------------------------------------------------


def _aws(globs: list[str] | None) -> Bundle:
    named = os.environ.get(CATALOGUE_VARIABLE)
    if not named:
        raise LeftOut(
            f"AWS' skills are in the service's image, which the local cloud does not have; {CATALOGUE_VARIABLE} names "
            "a folder with them, such as `skills` of a clone of https://github.com/aws/agent-toolkit-for-aws"
        )
    catalogue = Path(named)
    if not catalogue.is_dir():
        raise SkillFailed(f"{CATALOGUE_VARIABLE} names {catalogue}, which is no folder")
    return Bundle(("aws",), _catalogue(catalogue, globs or ["*"]))


def _catalogue(catalogue: Path, globs: list[str]) -> Iterator[Fetched]:
    for skill in sorted(file.parent for file in catalogue.rglob("SKILL.md")):
        place = skill.relative_to(catalogue).as_posix()
        if any(fnmatchcase(place, glob) for glob in globs):
            for file in sorted(file for file in skill.rglob("*") if file.is_file() and not file.is_symlink()):
                inner = file.relative_to(skill).as_posix()
                yield Fetched(f"{skill.name}/{inner}", file.read_bytes(), os.access(file, os.X_OK))
