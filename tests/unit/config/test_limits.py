"""Every limit of every field, at its boundary on both sides.

The limits are read from the models, and each is tried inside a whole configuration of `support.all_fields`. Where a
pattern makes a boundary of length unreachable, the field is named here, so that none is passed over by accident.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest
from support.all_fields import all_configs
from support.paths import Step, at, places, replaced, spelled

from agentcore_constructs.config import HarnessConfig, HarnessConfigError
from agentcore_constructs.config.drafts import leaves
from agentcore_constructs.config.primitives import Choice, Entries, Flag, Int, Items, Json, Num, Text

if TYPE_CHECKING:
    from collections.abc import Iterator

    from agentcore_constructs.config.node import Shape

CONFIGS = all_configs()
TOKEN = "${Token[TOKEN.1]}"


@dataclass(frozen=True)
class Limited:
    """One limit, and a configuration in which its value can be replaced."""

    path: str
    limit: Any
    config: str
    place: tuple[Step, ...]
    of_key: bool = False

    def __str__(self) -> str:
        return self.path + (" (key)" if self.of_key else "")

    @property
    def value(self) -> Any:
        return self.place[-1] if self.of_key else at(CONFIGS[self.config], self.place)

    def with_value(self, value: Any) -> tuple[dict[str, Any], str]:
        """Returns the configuration with another value, and the path a message would name."""
        if not self.of_key:
            return replaced(CONFIGS[self.config], self.place, value), spelled(self.place)
        owner = at(CONFIGS[self.config], self.place[:-1])
        return replaced(CONFIGS[self.config], self.place[:-1], {value: owner[self.place[-1]]}), spelled(
            (*self.place[:-1], value)
        )


def _limits(path: str, shape: Shape) -> Iterator[tuple[str, Any, bool]]:
    if shape.limit is not None:
        yield path, shape.limit, False
    if shape.item is not None:
        inner = path + ("[]" if shape.kind == "list" else "{}")
        if shape.key is not None and shape.key.limit is not None:
            yield inner, shape.key.limit, True
        yield from _limits(inner, shape.item)


def _all() -> list[Limited]:
    found = []
    for path, field in leaves(HarnessConfig):
        for where, limit, of_key in _limits(path, field.shape):
            name, place = next((name, place) for name, config in CONFIGS.items() for place in places(config, where))
            found.append(Limited(where, limit, name, place, of_key))
    return found


LIMITED = _all()


def refusals(config: dict[str, Any], path: str, limit: Any) -> list[str]:
    """Returns what was said of a value because of its limit; other rules may speak of the same path."""
    try:
        HarnessConfig.parse(config)
    except HarnessConfigError as error:
        return [str(fault) for fault in error.faults if fault.path == path and limit.must in fault.must]
    return []


def accepted(limited: Limited, value: Any) -> bool:
    config, path = limited.with_value(value)
    return refusals(config, path, limited.limit) == []


def refused(limited: Limited, value: Any) -> bool:
    config, path = limited.with_value(value)
    return len(refusals(config, path, limited.limit)) == 1


def of_kind(*kinds: type, having: str | None = None) -> Any:
    chosen = [one for one in LIMITED if isinstance(one.limit, kinds) and (having is None or getattr(one.limit, having))]
    return pytest.mark.parametrize("limited", chosen, ids=str)


@of_kind(Int, Num)
def test_numbers_at_their_boundaries(limited: Limited) -> None:
    step = 1 if isinstance(limited.limit, Int) else 0.001
    if limited.limit.ge is not None:
        assert accepted(limited, limited.limit.ge)
        assert refused(limited, limited.limit.ge - step)
    if limited.limit.le is not None:
        assert accepted(limited, limited.limit.le)
        assert refused(limited, limited.limit.le + step)
    assert limited.limit.ge is not None, "a number without a lower limit would take a negative one"


@of_kind(Int)
def test_whole_numbers_are_whole(limited: Limited) -> None:
    for wrong in (limited.value + 0.5, str(limited.value), True, float("nan")):
        assert refused(limited, wrong)
    assert accepted(limited, -1.8881545897087518e289), "an encoded number token"
    assert accepted(limited, TOKEN)


@of_kind(Num)
def test_numbers_are_finite_numbers(limited: Limited) -> None:
    for wrong in (float("nan"), float("inf"), "0.5", True):
        assert refused(limited, wrong)
    assert accepted(limited, -1.8881545897087518e289), "an encoded number token"


@of_kind(Choice)
def test_each_choice_and_no_other(limited: Limited) -> None:
    for value in limited.limit.values:
        assert accepted(limited, value)
        assert refused(limited, value + "x")
    assert refused(limited, 1)
    assert accepted(limited, TOKEN)


@of_kind(Flag)
def test_flags(limited: Limited) -> None:
    assert accepted(limited, True)
    assert accepted(limited, False)
    assert accepted(limited, TOKEN)
    assert refused(limited, "true")
    assert refused(limited, 1)


@of_kind(Json)
def test_json_values_are_objects_of_json(limited: Limited) -> None:
    assert accepted(limited, {"type": "object", "anything": [1, 2.5, None, True, {"x": TOKEN}]})
    assert refused(limited, [1])
    assert refused(limited, "{}")


@of_kind(Items)
def test_lists_at_their_boundaries(limited: Limited) -> None:
    item = limited.value[0]
    if limited.limit.max is not None:
        assert accepted(limited, [item] * limited.limit.max)
        assert refused(limited, [item] * (limited.limit.max + 1))
    if limited.limit.min:
        assert accepted(limited, [item] * limited.limit.min)
        assert refused(limited, [item] * (limited.limit.min - 1))
    else:
        assert accepted(limited, [])
    assert refused(limited, {"0": item})
    assert refused(limited, "text")


@of_kind(Entries)
def test_maps_at_their_boundaries(limited: Limited) -> None:
    item = next(iter(limited.value.values()))
    if limited.limit.max is not None:
        assert accepted(limited, {f"k{index}": item for index in range(limited.limit.max)})
        assert refused(limited, {f"k{index}": item for index in range(limited.limit.max + 1)})
    if limited.limit.min:
        assert accepted(limited, {f"k{index}": item for index in range(limited.limit.min)})
        assert refused(limited, {f"k{index}": item for index in range(limited.limit.min - 1)})
    else:
        assert accepted(limited, {})
    assert refused(limited, [item])


@of_kind(Text)
def test_text_is_text(limited: Limited) -> None:
    if not limited.of_key:
        for wrong in (1, True, ["a"], {"a": "b"}):
            assert refused(limited, wrong)
    assert accepted(limited, limited.value)
    assert accepted(limited, TOKEN)
    assert accepted(limited, f"x{TOKEN} \n")


@of_kind(Text, having="max")
def test_text_at_its_greatest_length(limited: Limited) -> None:
    longest = _stretched(limited, limited.limit.max)
    if longest is None:
        assert str(limited) in FIXED_LENGTH
        return
    assert accepted(limited, longest)
    assert refused(limited, _lengthened(longest, 1))


@of_kind(Text, having="min")
def test_text_at_its_least_length(limited: Limited) -> None:
    least = limited.limit.min
    shortest = _shrunk(limited, least)
    if shortest is None:
        assert str(limited) in NEVER_SO_SHORT
    else:
        assert accepted(limited, shortest)
    assert refused(limited, "a" * (least - 1))


_JWT = "authorizerConfiguration.customJWTAuthorizer"
_LATTICE = [
    f"{_JWT}.{endpoint}.selfManagedLatticeResource.resourceConfigurationIdentifier"
    for endpoint in ("privateEndpoint", "privateEndpointOverrides[].privateEndpoint")
]
# The pattern fixes the length of the end, so that the greatest length is reached nowhere or elsewhere.
FIXED_LENGTH = {
    "environment.agentCoreRuntimeEnvironment.filesystemConfigurations[].s3FilesAccessPoint.accessPointArn",
    "environment.agentCoreRuntimeEnvironment.filesystemConfigurations[].efsAccessPoint.accessPointArn",
    *_LATTICE,
    "memory.managedMemoryConfiguration.encryptionKeyArn",
}
# The pattern asks for more than the least length.
NEVER_SO_SHORT = {
    "executionRoleArn",
    "environmentArtifact.containerConfiguration.containerUri",
    *_LATTICE,
    "memory.managedMemoryConfiguration.encryptionKeyArn",
    "tools[].config.remoteMcp.url",
    "tools[].config.agentCoreGateway.outboundAuth.oauth.defaultReturnUrl",
    "skills[].s3.uri",
    "skills[].git.url",
    *(
        f"hooks[].{event}.target.{kind}.arn"
        for event in ("beforeInvocation", "beforeToolCall", "afterToolCall", "afterInvocation")
        for kind in ("lambda", "sns", "eventBridge")
    ),
}


def _lengthened(text: str, by: int) -> str:
    return text + "a" * by


def _fits(limited: Limited, value: str) -> bool:
    return bool(limited.limit._fits(value))


def _stretched(limited: Limited, length: int) -> str | None:
    """Returns a fitting text of a length, made by lengthening the end of the value in the configuration."""
    candidates = (limited.value, f"{limited.value}@")  # an image's digest is the part that may be long
    longer = (_lengthened(one, length - len(one)) for one in candidates)
    return next((one for one in longer if len(one) == length and _fits(limited, one)), None)


def _shrunk(limited: Limited, length: int) -> str | None:
    candidates = ("a" * length, limited.value[:length], "/mnt/" + "a" * (length - 5))
    return next((one for one in candidates if len(one) == length and _fits(limited, one)), None)


def test_every_field_of_the_model_has_been_tried() -> None:
    unlimited = {
        path for path, field in leaves(HarnessConfig) if field.shape.kind == "scalar" and field.shape.limit is None
    }
    assert unlimited == set()


WRONG_PATTERNS = {
    "harnessName": ["1abc", "a-b", "a" * 41, "", "a b", "ä"],
    "executionRoleArn": ["arn:aws:iam::1:role/x", "role/x", "arn:aws:iam:::role/x", "arn:aws:iam::123456789012:user/x"],
    "tools[].name": ["a b", "a.b", "ä"],
    "tools[].config.remoteMcp.url": ["mcp.example.com", "ftp://x", "https:// x"],
    "tools[].config.agentCoreGateway.gatewayArn": [
        "orders",
        "arn:aws:bedrock-agentcore:us-east-1:123456789012:gateway/x",
    ],
    "tools[].config.agentCoreGateway.outboundAuth.oauth.providerArn": ["secret"],
    "tools[].config.agentCoreGateway.outboundAuth.oauth.defaultReturnUrl": ["no url"],
    "tools[].config.agentCoreBrowser.browserArn": ["arn:aws:bedrock-agentcore:us-east-1:aws:browser/other"],
    "tools[].config.agentCoreCodeInterpreter.codeInterpreterArn": [
        "arn:aws:bedrock-agentcore:us-east-1:aws:code-interpreter/x"
    ],
    "tools[].config.remoteMcp.outboundAuth.awsIam.service": ["a b"],
    "tools[].config.remoteMcp.outboundAuth.awsIam.region": ["us_east_1"],
    "skills[].s3.uri": ["https://bucket/x", "s3://", "s3://AB/x", "s3://-ab/x"],
    "skills[].git.url": ["http://x/y", "https://x/y#main", "https://user:pw@x/y", "git@x:y"],
    "skills[].awsSkills.paths[]": ["a?", "[ab]"],
    "skills[].git.auth.credentialArn": [
        "sk-123",
        "arn:aws:bedrock-agentcore:us-east-1:123456789012:token-vault/default/apikeycredentialprovider/with_underscore",
        "arn:aws-us-gov:bedrock-agentcore:us-gov-west-1:123456789012:token-vault/default/apikeycredentialprovider/x",
    ],
    "allowedTools[]": ["a/b/c", "/x", "a/"],
    "memory.managedMemoryConfiguration.encryptionKeyArn": ["arn:aws:kms:us-east-1:123456789012:alias/x", "alias/x"],
    "memory.agentCoreMemoryConfiguration.arn": [
        "arn:aws-us-gov:bedrock-agentcore:us-gov-west-1:123456789012:memory/m-0123456789"
    ],
    "environmentArtifact.containerConfiguration.containerUri": ["docker.io/library/python:3", "python:3", "UPPER"],
    "environment.agentCoreRuntimeEnvironment.networkConfiguration.networkModeConfig.subnets[]": ["sub", "subnet-short"],
    "environment.agentCoreRuntimeEnvironment.networkConfiguration.networkModeConfig.securityGroups[]": ["default"],
    "environment.agentCoreRuntimeEnvironment.filesystemConfigurations[].sessionStorage.mountPath": [
        "/data",
        "/mnt/a/b",
        "mnt/data",
        "/mnt/a b",
    ],
    "authorizerConfiguration.customJWTAuthorizer.discoveryUrl": [
        "https://id.example.com",
        "https://id.example.com/.well-known/openid-configuration?x=1",
        "https://id.example.com/.well-known/other",
    ],
    "authorizerConfiguration.customJWTAuthorizer.allowedScopes[]": ['a"b', "a b", "a\\b"],
    "authorizerConfiguration.customJWTAuthorizer.customClaims[].inboundTokenClaimName": ["a b"],
    "tags{} (key)": ["aws:team", "AWS:team", "a#b"],
    "tags{}": ["a#b", "ä"],
}


@pytest.mark.parametrize(
    ("name", "wrong"), [(name, wrong) for name, values in WRONG_PATTERNS.items() for wrong in values]
)
def test_what_a_pattern_refuses(name: str, wrong: str) -> None:
    limited = next(one for one in LIMITED if str(one) == name)
    assert refused(limited, wrong)


ALSO_RIGHT = {
    "tools[].config.agentCoreBrowser.browserArn": ["arn:aws:bedrock-agentcore:eu-west-1:aws:browser/aws.browser.v1"],
    "environmentArtifact.containerConfiguration.containerUri": [
        "public.ecr.aws/docker/library/python:3.12",
        "123456789012.dkr.ecr.us-east-1.amazonaws.com/x@sha256:" + "a" * 64,
        "123456789012.dkr.ecr.cn-north-1.amazonaws.com.cn/x",
    ],
    "environment.agentCoreRuntimeEnvironment.filesystemConfigurations[].sessionStorage.mountPath": [
        "/mnt/data/",
        "/mnt/a.b-c_d",
    ],
    "skills[].s3.uri": ["s3://abc", "s3://a.b-c/deep/er/"],
    "allowedTools[]": ["*", "shell", "file_*", "@builtin/shell", "@*/search"],
    "executionRoleArn": ["arn:aws-us-gov:iam::123456789012:role/x"],
    "memory.managedMemoryConfiguration.encryptionKeyArn": [
        "arn:aws:kms:us-east-1:123456789012:key/mrk-0123456789abcdef0123456789abcdef"
    ],
}


@pytest.mark.parametrize(("name", "right"), [(name, right) for name, values in ALSO_RIGHT.items() for right in values])
def test_what_a_pattern_accepts(name: str, right: str) -> None:
    limited = next(one for one in LIMITED if str(one) == name)
    assert accepted(limited, right)
