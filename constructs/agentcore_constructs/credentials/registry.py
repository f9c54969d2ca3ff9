"""Which credential providers refer to a secret of the user's own, so that who uses one may read that secret as well.

A configuration names a provider by its ARN, in a model, in a header, in a skill; the secret behind it has to be found
from there. ARNs are CDK tokens most often, and those are the same text wherever they are used.
"""

from __future__ import annotations

from typing import NamedTuple


class OwnSecret(NamedTuple):
    """A secret of the user's own.

    Attributes:
        arn: Of the secret, as IAM policies name it.
        key_arn: Of the customer key that encrypts it; None for the account's own.
    """

    arn: str
    key_arn: str | None


_OWN: dict[str, OwnSecret] = {}


def note(provider_arn: str, secret: OwnSecret) -> None:
    """Notes that a provider reads a secret of the user's own."""
    _OWN[provider_arn] = secret


def own_secret(provider_arn: str) -> OwnSecret | None:
    """Returns the secret that a provider reads; None where AgentCore keeps it."""
    return _OWN.get(provider_arn)
