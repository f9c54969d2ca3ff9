"""A skill in a Git repository, pinned to a commit: the API knows no commit, so it is copied to S3."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from constructs import Construct

from agentcore_constructs.config.cdk import provider_arn
from agentcore_constructs.config.pinned_skill import PinnedSkillConfig
from agentcore_constructs.credentials.registry import OwnSecret, own_secret
from agentcore_constructs.credentials.secrets import read_statements
from agentcore_constructs.custom_resources import CustomResource
from agentcore_constructs.harness import arns
from agentcore_constructs.harness.imported import bucket_of
from agentcore_constructs.harness.role import split_token
from agentcore_constructs.harness.wildcards import answer, flattened

from .store import Place, acknowledge, refuse

if TYPE_CHECKING:
    from aws_cdk import aws_s3 as s3

    from agentcore_constructs.config import HarnessSkill

_PROVIDER = "apikeycredentialprovider/"
_COMMIT = re.compile(r"[0-9a-fA-F]{40}")


class PinnedGitSkill(Construct):
    """A skill of one commit, which a harness takes as `skills=[it.skill]`.

    `Skill.git(url, ref=…)` makes one below the harness; on its own it serves several harnesses, also such that are not
    written with our constructs: `uri` is what they need, and `grant_read` lets their roles read.

    A tag or a branch is resolved once for each combination of `url`, `ref`, `path` and `refresh`, when it is deployed
    first: a repeated request, a rollback and a new session all get the commit that was resolved then. Earlier commits
    stay in the bucket, since earlier versions of a harness still read them; they go when this construct leaves the
    stack.

    Attributes:
        bucket: Where it is.
        prefix: Where all commits are in the bucket.
        commit: Hash of the commit; known when it is deployed. An output of the stack where `ref` is a tag or branch.
        skill: The skill, for `Harness(skills=[…])`.
        uri: `s3://…/` of this commit.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        url: str,
        ref: str,
        path: str | None = None,
        credential: Any = None,
        username: str | None = None,
        bucket: s3.IBucket | str | None = None,
        refresh: str | None = None,
        ca_certificates: str | None = None,
    ) -> None:
        """Has the commit fetched when the stack is deployed.

        Args:
            scope: Where it belongs.
            construct_id: Its id there.
            url: The repository's `https://` URL, which the internet reaches: the function that fetches is in no VPC.
            ref: A commit (40 hexadecimal characters), a tag or a branch; of a tag and a branch of one name, the tag.
            path: The skill's directory in the repository; the whole repository unless given. At most 100 MiB and 2000
                files, and 200 MiB of compressed data for the commit as a whole.
            credential: For a private repository: the API-key credential provider that has the token, or its ARN.
            username: Goes with the credential; `oauth2` unless given.
            bucket: Where it goes, or its name or ARN; a bucket of the stack unless given, encrypted and for TLS only.
            refresh: Any text; another one has a tag or branch resolved anew at the next deployment.
            ca_certificates: In PEM, for a server whose certificate a private authority has issued. No secret.

        Raises:
            HarnessConfigError: With every fault there is.
        """
        super().__init__(scope, construct_id)
        credential_arn = provider_arn(credential)
        config, faults = PinnedSkillConfig.read(
            url=url, ref=ref, path=path, credential_arn=credential_arn, username=username, refresh=refresh,
            ca_certificates=ca_certificates,
        )  # fmt: skip
        own = bucket_of(self, bucket, "bucket", faults)
        refuse(faults, self)
        place = Place(self, own)
        self.bucket = place.bucket
        self.prefix = place.prefix
        given = {
            "Url": config.url,
            "Revision": config.ref,
            "Path": config.path,
            "Refresh": config.refresh,
            "Username": config.username,
            "CredentialProvider": config.credential_arn,
            "CaCertificates": config.ca_certificates,
        }
        # Of the skills of a stack most are in one bucket, and many have one credential.
        shared = [place.write_statements()]
        if config.credential_arn is not None:
            shared.append(self._credential_statements(config.credential_arn))
        self._resource = CustomResource(
            self,
            "Resource",
            kind="PinnedGitSkill",
            properties={
                "Bucket": place.bucket.bucket_name,
                "Prefix": place.prefix,
                **{name: value for name, value in given.items() if value is not None},
            },
            statements=(),
            shared=shared,
        )
        # What empties the bucket must not go before what is in it, and its policy not before what reads it.
        self._resource.node.add_dependency(place.bucket)
        answer(self, lambda: self._acknowledge(shared))
        self._place = place
        self.commit = self._resource.get_att_string("Commit")
        if not _COMMIT.fullmatch(config.ref):
            # Without the ref, which may be a token: descriptions are plain text.
            what = f"What the ref of the skill {self.node.path} was resolved to"
            cdk.CfnOutput(self, "Commit", value=self.commit, description=what)
        self.uri = f"s3://{place.bucket.bucket_name}/{self._resource.get_att_string('Key')}"
        self.skill: HarnessSkill = place.skill(self.uri)

    def grant_read(self, grantee: iam.IGrantable) -> iam.Grant:
        """Lets a role read all commits of the skill there have been; a harness' own role needs no call."""
        return self._place.grant_read(grantee)

    def _credential_statements(self, credential_arn: str) -> list[iam.PolicyStatement]:
        """What it takes to read the token: where its secret is, and the secret.

        GetResourceApiKey would take a workload identity and four more permissions, this one included
        (https://docs.aws.amazon.com/bedrock-agentcore/latest/devguide/harness-security.html).
        """
        stack = cdk.Stack.of(self)
        name = arns.after(credential_arn, _PROVIDER, split_token)
        vault = stack.format_arn(service="bedrock-agentcore", resource="token-vault", resource_name="default")
        kept = stack.format_arn(
            service="secretsmanager",
            resource="secret",
            # Secrets Manager ends the ARN with six characters of its own.
            resource_name=f"bedrock-agentcore-identity!default/apikey/{name}-*",
            arn_format=cdk.ArnFormat.COLON_RESOURCE_NAME,
        )
        secret = own_secret(credential_arn) or OwnSecret(kept, None)
        return [
            iam.PolicyStatement(
                sid="SkillCredential",
                actions=["bedrock-agentcore:GetApiKeyCredentialProvider"],
                resources=[credential_arn, vault],
            ),
            *read_statements(secret, stack.region, "SkillToken"),
        ]

    def _acknowledge(self, shared: list[list[iam.PolicyStatement]]) -> None:
        stack = cdk.Stack.of(self)
        reasons = {
            "SkillFiles": "The names of a skill's files are known at deployment alone; the prefix is of skills alone.",
            "SkillToken": "Secrets Manager ends the ARN of a secret with six characters of its own.",
        }
        for policy, statements in zip(self._resource.shared, shared, strict=True):
            found_here = {
                f"IAM5[Resource::{flattened(stack.resolve(resource))}]": reasons[str(statement.sid)]
                for statement in statements
                for resource in statement.resources
                if statement.sid in reasons
            }
            if found_here:
                acknowledge(policy, found_here)
