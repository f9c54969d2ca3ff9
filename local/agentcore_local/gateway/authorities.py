"""Private certificate authorities of identity providers: read from where an authorizer says they are.

Who must be allowed to read them is not documented; here their account does.
"""

from __future__ import annotations

import ssl
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError

from agentcore_local import clients, tls

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from agentcore_local import seams


class Unreadable(Exception):  # noqa: N818 - a fault of the configuration
    """A certificate that cannot be used; the sentence says where and why."""


def context(configured: Sequence[Mapping[str, Any]], scope: seams.Scope) -> ssl.SSLContext:
    """Whom to trust when an identity provider is asked (blocking).

    Args:
        configured: `certificateConfigurations`: none, or one.
        scope: Account and Region of the authorizer.

    Raises:
        Unreadable: The certificate cannot be read, or is none.
    """
    if not configured:
        return tls.context()
    where = _location(configured[0])
    try:
        return tls.trusting(_read(configured[0], scope))
    except (ClientError, BotoCoreError) as error:
        raise Unreadable(f"the certificate {where} cannot be read: {error}") from error
    except (ssl.SSLError, ValueError, KeyError) as error:
        raise Unreadable(f"{where} must be the certificate of an authority, in PEM") from error


def _location(one: Mapping[str, Any]) -> str:
    return str(one["s3"]["uri"] if "s3" in one else one["secretsManager"]["secretArn"])


def _read(one: Mapping[str, Any], scope: seams.Scope) -> str:
    account, region = scope
    if "secretsManager" in one:
        arn = one["secretsManager"]["secretArn"]
        return str(clients.shared("secretsmanager", account, region).get_secret_value(SecretId=arn)["SecretString"])
    bucket, _, key = one["s3"]["uri"].removeprefix("s3://").partition("/")
    owner = one["s3"].get("bucketOwnerAccountId")
    expected = {"ExpectedBucketOwner": owner} if owner else {}
    body = clients.shared("s3", account, region).get_object(Bucket=bucket, Key=key, **expected)["Body"].read()
    return str(body.decode())
