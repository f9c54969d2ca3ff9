"""What a pinned skill takes: a skill in a Git repository, and which commit of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

from .errors import Fault, HarnessConfigError
from .model import ApiKeyArn
from .node import Node, joined
from .primitives import Text
from .skills import GIT_URL, leaving_fault
from .tokens import is_token
from .validation import validated

if TYPE_CHECKING:
    from collections.abc import Iterator

_MOST_CERTIFICATES = 3000


class PinnedSkillConfig(Node):
    """Everything a pinned skill takes.

    Attributes:
        url: `https://…` without '#', '@' and '?'.
        ref: Commit, tag or branch.
        path: The skill's directory in the repository.
        credential_arn: ARN of the API-key credential provider that has the token of a private repository.
        username: Goes with the credential.
        refresh: Part of what is resolved once.
        ca_certificates: In PEM; CloudFormation passes at most 4096 bytes of properties to a custom resource's function
            by way of the provider framework, so not the bundle of all authorities there are.
    """

    url: Annotated[str, GIT_URL]
    ref: Annotated[
        str,
        Text(
            "a commit (40 hexadecimal characters), a tag or a branch",
            "write one, as `git ls-remote` shows it",
            min=1,
            max=255,
            # What git check-ref-format allows, but for rules about dots that do no harm here.
            pattern=r"[^\s~^:?*\[\\\x00-\x1f\x7f-][^\s~^:?*\[\\\x00-\x1f\x7f]*",
        ),
    ]
    path: Annotated[str, Text("a directory in the repository", "write a path")] | None = None
    credential_arn: ApiKeyArn | None = None
    username: Annotated[str, Text("a user name", "write the user name", sensitive=True)] | None = None
    refresh: Annotated[str, Text("a text, such as a date", "write one", min=1, max=255)] | None = None
    ca_certificates: (
        Annotated[
            str,
            Text(
                "certificates in PEM",
                "pass the text of the authority's certificate: Path('ca.pem').read_text()",
                min=1,
                max=_MOST_CERTIFICATES,
                pattern=r"(?s).*-----BEGIN CERTIFICATE-----.*-----END CERTIFICATE-----\s*",
                sensitive=True,
            ),
        ]
        | None
    ) = None

    @classmethod
    def read(cls, **given: Any) -> tuple[PinnedSkillConfig, list[Fault]]:
        """Returns the checked configuration, or the draft of it and what is wrong."""
        draft = cls.draft(**given)
        try:
            return validated(draft), []
        except HarnessConfigError as error:
            return draft, list(error.faults)

    def rules(self, path: str) -> Iterator[Fault]:
        """Yields what concerns the meaning of the values."""
        if isinstance(self.url, str) and not is_token(self.url) and "?" in self.url:
            must, fix = "must have no query", "remove '?' and what follows; a token belongs into a credential"
            yield Fault(joined(path, "url"), must, f"one of {len(self.url.partition('?')[2])} characters", fix)
        yield from leaving_fault(self.path, joined(path, "path"))
        if self.username is not None and self.credential_arn is None:
            must, fix = "must come with a credential", "pass credential, or leave username out"
            yield Fault(joined(path, "username"), must, "a user name alone", fix)
