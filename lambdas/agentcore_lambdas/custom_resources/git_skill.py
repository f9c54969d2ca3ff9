"""A skill pinned to a commit: fetched from its repository once, kept in S3 under the commit's hash.

Everything is below one prefix, which is the resource: `<prefix>/<commit>/…` holds a skill, and `<prefix>/.pins/…` notes
which commit a configuration was resolved to. The note makes a repeated request and a rollback give the commit they gave
before, also when the branch has moved on or the server is gone. What an update leaves behind stays, since earlier
versions of a harness still read it; deleting the resource deletes all of it.
"""

from __future__ import annotations

import hashlib
import json
import logging
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, ClassVar

from botocore.exceptions import BotoCoreError, ClientError

from agentcore_lambdas.custom_resources.framework import Failed, Handler, Outcome, Properties, Request, client
from agentcore_lambdas.skills import GitError, Limits, Source, checkout

if TYPE_CHECKING:
    from agentcore_lambdas.skills import Checkout

logger = logging.getLogger(__name__)

_UPLOADS = 8
_IN_ONE_DELETION = 1000
# Where AgentCore Identity puts a key that it manages, should it not say so.
_MANAGED_JSON_KEY = "api_key_value"
_TAKEN = ("PreconditionFailed", "ConditionalRequestConflict")


class GitSkillProperties(Properties):
    """What the construct `PinnedGitSkill` says.

    Attributes:
        url: The repository.
        revision: Commit, tag or branch. Not `Ref`, which CloudFormation would take for its own.
        bucket: Name of the bucket.
        prefix: Without a slash at its end; this resource's own.
        path: The skill's directory in the repository; empty for the whole of it.
        refresh: Part of what is resolved once: another text resolves the ref anew.
        username: Goes with the credential.
        credential_provider: ARN of the API-key credential provider that has the token of a private repository.
        ca_certificates: In PEM, for a server with a private authority.
    """

    url: str
    revision: str
    bucket: str
    prefix: str
    path: str = ""
    refresh: str = ""
    username: str = "oauth2"
    credential_provider: str | None = None
    ca_certificates: str | None = None

    @property
    def pin(self) -> str:
        """Key of the note on what this was resolved to."""
        what = json.dumps([self.url, self.revision, self.path, self.refresh])
        return f"{self.prefix}/.pins/{hashlib.sha256(what.encode()).hexdigest()[:32]}.json"

    def key(self, commit: str) -> str:
        """Where the skill of a commit is. The last part is the directory's name, which a skill's name must be."""
        path = "/".join(part for part in self.path.split("/") if part not in ("", "."))
        name = self.url.rstrip("/").rsplit("/", 1)[-1].removesuffix(".git")
        return f"{self.prefix}/{commit}/{f'tree/{path}' if path else f'root/{name}'}"


class PinnedGitSkill(Handler[GitSkillProperties]):
    """Keeps skills of commits in S3."""

    Properties: ClassVar[type[Any]] = GitSkillProperties

    def __init__(self, limits: Limits | None = None) -> None:
        """Notes the limits of a fetch; those of the module unless given."""
        self._limits = limits or Limits()

    def create(self, request: Request[GitSkillProperties]) -> Outcome:
        """Fetches the skill; takes back what it has written when that fails.

        Unless the same request, delivered at the same time, has made it: its files are the same, and stay.
        """
        wanted = request.properties
        try:
            return self._pinned(wanted)
        except Exception:
            try:
                if (commit := _noted(wanted)) is not None:
                    return _outcome(wanted, commit)
                _delete_below(wanted)
            except (BotoCoreError, ClientError) as error:
                logger.warning("error=<%s> | what was written so far stays in the bucket", type(error).__name__)
            raise

    def update(self, request: Request[GitSkillProperties], old: GitSkillProperties) -> Outcome:  # noqa: ARG002  (what is there is noted in the bucket)
        """Fetches the skill of another commit beside those that are there."""
        return self._pinned(request.properties)

    def delete(self, request: Request[GitSkillProperties]) -> Outcome:
        """Deletes the skills of all commits there have been."""
        _delete_below(request.properties)
        return Outcome(request.physical_id or _physical_id(request.properties))

    def _pinned(self, wanted: GitSkillProperties) -> Outcome:
        return _outcome(wanted, _noted(wanted) or self._fetched(wanted))

    def _fetched(self, wanted: GitSkillProperties) -> str:
        source = Source(
            wanted.url,
            wanted.path,
            wanted.username,
            _credential(wanted.credential_provider) if wanted.credential_provider else None,
            wanted.ca_certificates,
        )
        try:
            with checkout(source, wanted.revision, self._limits) as found:
                _upload(found, wanted)
                return _note(wanted, found.commit)
        except GitError as error:
            raise Failed(str(error)) from error
        except MemoryError as error:
            raise Failed(f"{source.shown} does not fit into memory; move large files out of it") from error


def handler() -> PinnedGitSkill:
    """Handles the kind `PinnedGitSkill`."""
    return PinnedGitSkill()


def _outcome(wanted: GitSkillProperties, commit: str) -> Outcome:
    key = wanted.key(commit)
    return Outcome(_physical_id(wanted), {"Commit": commit, "Key": f"{key}/", "Uri": f"s3://{wanted.bucket}/{key}/"})


def _physical_id(properties: GitSkillProperties) -> str:
    return f"s3://{properties.bucket}/{properties.prefix}"


def _upload(found: Checkout, wanted: GitSkillProperties) -> None:
    s3, key = client("s3"), wanted.key(found.commit)
    with ThreadPoolExecutor(_UPLOADS) as pool:
        pending: list[Future[Any]] = []
        for file, content in found.contents():
            if len(pending) >= _UPLOADS:  # no more than so many files are in memory
                pending.pop(0).result()
            pending.append(pool.submit(s3.put_object, Bucket=wanted.bucket, Key=f"{key}/{file.path}", Body=content))
        for upload in pending:
            upload.result()


# ---- what a configuration was resolved to ----------------------------------------------------------------------------


def _noted(wanted: GitSkillProperties) -> str | None:
    """The commit this configuration was resolved to before; None when it was not."""
    s3 = client("s3")
    # Listed first: who may list a prefix only is told of a missing object that it is forbidden.
    if not s3.list_objects_v2(Bucket=wanted.bucket, Prefix=wanted.pin, MaxKeys=1).get("Contents"):
        return None
    note = json.loads(s3.get_object(Bucket=wanted.bucket, Key=wanted.pin)["Body"].read())
    return str(note["commit"])


def _note(wanted: GitSkillProperties, commit: str) -> str:
    """Notes the commit, when its files are written; returns the one that a request at the same time has noted first."""
    note = json.dumps({"commit": commit, "ref": wanted.revision, "path": wanted.path})
    try:
        client("s3").put_object(Bucket=wanted.bucket, Key=wanted.pin, Body=note.encode(), IfNoneMatch="*")
    except ClientError as error:
        if error.response["Error"].get("Code") not in _TAKEN:
            raise
        return _noted(wanted) or commit
    return commit


# ---- the credential --------------------------------------------------------------------------------------------------


def _credential(provider_arn: str) -> str:
    """Reads the token of a private repository from the secret behind its credential provider.

    Not with GetResourceApiKey: that wants a workload identity, permissions on it, its directory, the vault and the
    provider, and the permission to read the very same secret besides
    (https://docs.aws.amazon.com/bedrock-agentcore/latest/devguide/harness-security.html). This takes two actions.
    """
    name = provider_arn.rsplit("/", 1)[-1]
    try:
        provider = client("bedrock-agentcore-control").get_api_key_credential_provider(name=name)
    except ClientError as error:
        if error.response["Error"].get("Code") == "ResourceNotFoundException":
            raise Failed(f"there is no API-key credential provider {name!r}; create it before the skill") from error
        raise
    try:
        secret = client("secretsmanager").get_secret_value(SecretId=provider["apiKeySecretArn"]["secretArn"])
    except ClientError as error:
        if error.response["Error"].get("Code") == "ResourceNotFoundException":
            why = f"the secret of the API-key credential provider {name!r} is gone; store the token anew"
            raise Failed(why) from error
        raise
    key = _key_in(secret.get("SecretString") or "", provider.get("apiKeySecretJsonKey"))
    if not key:
        raise Failed(f"the secret of the API-key credential provider {name!r} holds no key; store the token in it")
    return key


def _key_in(text: str, json_key: str | None) -> str | None:
    try:
        parsed = json.loads(text)
    except ValueError:
        return text
    if not isinstance(parsed, dict):
        return text
    found = parsed.get(json_key or _MANAGED_JSON_KEY)
    return found if isinstance(found, str) else None


# ---- deletion --------------------------------------------------------------------------------------------------------


def _delete_below(properties: GitSkillProperties) -> None:
    s3 = client("s3")
    try:
        pages = s3.get_paginator("list_objects_v2").paginate(
            Bucket=properties.bucket, Prefix=f"{properties.prefix}/", PaginationConfig={"PageSize": _IN_ONE_DELETION}
        )
        for page in pages:
            objects = [{"Key": item["Key"]} for item in page.get("Contents", [])]
            if objects:
                deleted = s3.delete_objects(Bucket=properties.bucket, Delete={"Objects": objects, "Quiet": True})
                if faults := deleted.get("Errors"):
                    raise Failed(
                        f"{len(faults)} of the objects could not be deleted ({faults[0].get('Code')}); delete again"
                    )
    except ClientError as error:
        if error.response["Error"].get("Code") != "NoSuchBucket":
            raise
