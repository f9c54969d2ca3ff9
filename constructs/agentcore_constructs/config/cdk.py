"""Takes what the configuration needs from CDK objects, recognised by the attributes they offer.

Nothing here imports the CDK. Whether an object offers an attribute is asked of its class where that is possible, since
reading an attribute of a jsii object is a call into Node.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Protocol

from .errors import Refused


class HasGatewayArn(Protocol):
    """An AgentCore gateway (`IGateway`)."""

    @property
    def gateway_arn(self) -> str:
        """Its ARN."""


class HasMemoryArn(Protocol):
    """An AgentCore memory (`IMemory`)."""

    @property
    def memory_arn(self) -> str:
        """Its ARN."""


class HasBrowserArn(Protocol):
    """A custom browser (`IBrowserCustom`)."""

    @property
    def browser_arn(self) -> str:
        """Its ARN."""


class HasCodeInterpreterArn(Protocol):
    """A custom code interpreter (`ICodeInterpreterCustom`)."""

    @property
    def code_interpreter_arn(self) -> str:
        """Its ARN."""


class HasCredentialProviderArn(Protocol):
    """An API-key or OAuth2 credential provider of AgentCore Identity."""

    @property
    def credential_provider_arn(self) -> str:
        """Its ARN."""


class HasFunctionArn(Protocol):
    """A Lambda function, version or alias (`IFunction`)."""

    @property
    def function_arn(self) -> str:
        """Its ARN."""


class HasTopicArn(Protocol):
    """An SNS topic (`ITopic`)."""

    @property
    def topic_arn(self) -> str:
        """Its ARN."""


class HasEventBusArn(Protocol):
    """An EventBridge bus (`IEventBus`)."""

    @property
    def event_bus_arn(self) -> str:
        """Its ARN."""


class HasUserPool(Protocol):
    """A Cognito user pool (`IUserPool`)."""

    @property
    def user_pool_provider_name(self) -> str:
        """Its issuer without the scheme: `cognito-idp.<region>.amazonaws.com/<id>`."""


class HasUserPoolClientId(Protocol):
    """A client of a Cognito user pool (`IUserPoolClient`)."""

    @property
    def user_pool_client_id(self) -> str:
        """Its id."""


class HasKeyArn(Protocol):
    """A KMS key (`IKey`)."""

    @property
    def key_arn(self) -> str:
        """Its ARN."""


class HasRepositoryArn(Protocol):
    """An ECR repository (`IRepository`)."""

    @property
    def repository_arn(self) -> str:
        """Its ARN."""


class HasBucketName(Protocol):
    """An S3 bucket (`IBucket`)."""

    @property
    def bucket_name(self) -> str:
        """Its name."""


class HasAccessPointArn(Protocol):
    """An EFS access point (`IAccessPoint`)."""

    @property
    def access_point_arn(self) -> str:
        """Its ARN."""


class HasFileSystemId(Protocol):
    """A file system: EFS (`IFileSystem`) or S3 Files."""

    @property
    def file_system_id(self) -> str:
        """Its id."""


class HasRoleArn(Protocol):
    """An IAM role (`IRole`)."""

    @property
    def role_arn(self) -> str:
        """Its ARN."""


class HasSubnetId(Protocol):
    """A subnet (`ISubnet`)."""

    @property
    def subnet_id(self) -> str:
        """Its id."""


class HasSecurityGroupId(Protocol):
    """A security group (`ISecurityGroup`)."""

    @property
    def security_group_id(self) -> str:
        """Its id."""


class HasVpcId(Protocol):
    """A VPC (`IVpc`)."""

    @property
    def vpc_id(self) -> str:
        """Its id."""


class HasSecretArn(Protocol):
    """A Secrets Manager secret (`ISecret`)."""

    @property
    def secret_arn(self) -> str:
        """Its ARN."""


class IsSubnetSelection(Protocol):
    """Which subnets of a VPC (`ec2.SubnetSelection`)."""

    @property
    def subnet_type(self) -> object:
        """Private, public or isolated ones."""


class IsDuration(Protocol):
    """A span of time (`aws_cdk.Duration`)."""

    def to_seconds(self) -> int | float:
        """In seconds."""

    def to_days(self) -> int | float:
        """In days."""


def offers(value: object, name: str) -> bool:
    """Tells whether an object has an attribute, without reading it if possible."""
    kind = type(value)
    if hasattr(kind, name) or name in getattr(value, "__dict__", ()):
        return True
    # jsii wraps imported resources (`Bucket.from_bucket_name`, …) in a proxy whose class knows no attribute.
    if not hasattr(kind, "__getattr__"):
        return False
    try:
        return hasattr(value, name)
    except Exception:  # noqa: BLE001  (jsii raises RuntimeError subclasses of its own)
        return True


def attribute(value: Any, *names: str) -> Any:
    """Returns the first of the named attributes that an object offers.

    Returns:
        The attribute; or the value itself when it is a string, None or a token, or offers none of them (validation
        then says what was expected).
    """
    if value is None or isinstance(value, str):
        return value
    for name in names:
        if offers(value, name):
            return getattr(value, name)
    return value


_PROVIDER_ARN = ("credential_provider_arn", "attr_credential_provider_arn")


def is_provider(value: Any) -> bool:
    """Tells whether a value is a credential provider: the CDK's own, or its L1."""
    return not isinstance(value, str) and any(offers(value, name) for name in _PROVIDER_ARN)


def provider_arn(provider: Any) -> Any:
    """Returns the ARN of a credential provider that was given as an object; any other value as it is."""
    return attribute(provider, *_PROVIDER_ARN)


def key_arn(key: Any, *, to_use: bool = False) -> Any:
    """Returns the ARN of a key that was given as an object; of an alias, that of the key it leads to.

    An `IKey` may be an alias, and then its `key_arn` is that of the alias, which no policy and no API takes for a key.

    Args:
        key: The key, its ARN, or an alias of it.
        to_use: False where the ARN is for a grant alone, which keys that AWS manages need none of: that gives None.
    """
    if key is None or isinstance(key, str) or not offers(key, "alias_name"):
        return attribute(key, "key_arn", "attr_arn")
    target = found(key, "alias_target_key")
    if target is not None:
        return key_arn(target, to_use=to_use)
    if not to_use and str(found(key, "alias_name")).startswith("alias/aws/"):
        return None
    fix = "pass the key itself, such as kms.Key.from_lookup(…), or its ARN"
    return Refused("must be a customer key", "an alias, which leads to a key that is not known here", fix)


def attributes(values: Any, *names: str) -> Any:
    """Returns one attribute of each item of a collection, as a tuple; any other value as it is."""
    if isinstance(values, str) or not isinstance(values, Iterable):
        return values
    return tuple(attribute(item, *names) for item in values)


def found(value: Any, name: str) -> Any:
    """Returns an attribute that an object may offer and may know; None otherwise.

    Imported CDK resources offer attributes that they were not told, and raise when these are read (an imported access
    point does not know its file system).
    """
    if isinstance(value, str) or not offers(value, name):
        return None
    try:
        return getattr(value, name)
    except Exception:  # noqa: BLE001  (jsii raises RuntimeError subclasses of its own)
        return None


def seconds(value: Any) -> Any:
    """Returns a `Duration` in seconds; anything else as it is."""
    return _measured(value, "to_seconds", "a whole number of seconds")


def days(value: Any) -> Any:
    """Returns a `Duration` in days; anything else as it is."""
    return _measured(value, "to_days", "a whole number of days")


def _measured(value: Any, method: str, wanted: str) -> Any:
    if value is None or isinstance(value, (int, float, str)) or not offers(value, method):
        return value
    try:
        return getattr(value, method)()
    except Exception as error:  # noqa: BLE001  (jsii raises RuntimeError subclasses of its own for inexact conversions)
        return Refused(f"must be {wanted}", f"a Duration that is none ({error})", "use a Duration of that unit")
