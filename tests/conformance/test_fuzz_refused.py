"""One field broken: models and local cloud both refuse the request, and both name that field."""

from __future__ import annotations

import importlib.util
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError
from hypothesis import given
from support.all_fields import all_configs
from support.broken_rules import RULES, broken_rule
from support.fuzz import effort
from support.mutations import KINDS, Broken, broken, in_models, on_the_wire
from support.paths import places, replaced
from support.shapes import Walk

from agentcore_constructs import HarnessConfig, HarnessConfigError

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import ModuleType

    from agentcore_local import LocalCloud

    Send = Callable[[dict[str, Any]], tuple[str, set[str]]]

ROLE = "arn:aws:iam::123456789012:role/agent"
WALK = Walk(templated=False)


@pytest.fixture(scope="module")
def send(local_cloud: LocalCloud) -> Send:
    """Sends a request as it is, which no SDK would; returns the code of the error and the fields it names."""
    control = local_cloud.account().client("bedrock-agentcore-control")
    body: dict[str, Any] = {}

    def as_it_is(params: dict[str, Any], **_: Any) -> None:
        params["body"] = json.dumps(body).encode()

    control.meta.events.register("before-call.bedrock-agentcore-control.CreateHarness", as_it_is)

    def send(request: dict[str, Any]) -> tuple[str, set[str]]:
        body.clear()
        body.update(request)
        try:
            control.create_harness(harnessName="instead", executionRoleArn=ROLE)
        except ClientError as error:
            named = {field["name"] for field in error.response.get("fieldList", [])}
            return error.response["Error"]["Code"], named
        return "accepted", set()

    return send


def assert_both_refuse(one: Broken, send: Send) -> None:
    with pytest.raises(HarnessConfigError) as refusal:
        HarnessConfig.parse(one.request)
    assert in_models(one.place) in [fault.path for fault in refusal.value.faults]
    assert send(one.request) == ("ValidationException", {on_the_wire(one)})


@pytest.mark.parametrize("how", KINDS)
def test_what_shapes_forbid(how: str, send: Send) -> None:
    @effort(40 if how in {"type", "unknown key", "pattern", "two members"} else 15)
    @given(broken(WALK, ROLE, how))
    def check(one: Broken) -> None:
        assert_both_refuse(one, send)

    check()


@pytest.mark.parametrize("rule", RULES)
def test_what_rules_forbid(rule: str, send: Send) -> None:
    @effort(10)
    @given(broken_rule(WALK, ROLE, rule))
    def check(one: Broken) -> None:
        assert_both_refuse(one, send)

    check()


# Where the models are narrower than botocore


def _coverage() -> ModuleType:
    spec = importlib.util.spec_from_file_location("_coverage", Path(__file__).parents[2] / "docs" / "_coverage.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


coverage = _coverage()
SAYING_MORE = {
    "executionRoleArn": "arn:aws:iam:::role/agent",
    "skills[].s3.uri": "s3://No_Bucket/x",
    "tools[].config.remoteMcp.url": "ftp://host.example",
}
"""Values for the patterns of ours, which cannot be derived as those beyond a number can."""
REFUSED_BY_BOTH = {
    "environment.agentCoreRuntimeEnvironment.lifecycleConfiguration.idleRuntimeSessionTimeout",
    "environment.agentCoreRuntimeEnvironment.lifecycleConfiguration.maxLifetime",
}


def just_beyond(path: str, limit: str) -> Any:
    """A value that our limit alone forbids."""
    if limit == "pattern":
        return SAYING_MORE[path]
    fact = coverage.model_facts(HarnessConfig)[path]
    if fact.kind == "list":
        return []
    if fact.kind == "string":
        return ""
    return fact.limits[limit] + (-1 if limit == "min" else 1)


@pytest.mark.parametrize(("path", "limit"), [pair for pair in coverage.NARROWER if "{key}" not in pair[0]])
def test_what_only_we_forbid_is_a_choice_of_ours(path: str, limit: str, send: Send) -> None:
    """The API's shapes allow it, so the local cloud does; templates should not have it, for the reason listed."""
    config, place = next((one, place) for one in all_configs().values() for place in places(one, path))
    request = replaced({"harnessName": "a", "executionRoleArn": ROLE, **config}, place, just_beyond(path, limit))

    with pytest.raises(HarnessConfigError):
        HarnessConfig.parse(request)
    _, named = send(request)
    # A request that shapes and rules allow is refused for its role, which does not exist.
    assert bool(named - {"executionRoleArn"}) is (path in REFUSED_BY_BOTH)
