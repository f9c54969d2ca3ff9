"""Every field, enum value and limit of botocore and of the CloudFormation schema is modelled, or listed with a reason.

An upgrade of botocore or cfn-lint that brings something new fails here; `docs/_coverage.py` says where to list it.
"""

from __future__ import annotations

import importlib.util
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import botocore.session
import pytest
from botocore.validate import ParamValidator
from support.all_fields import all_configs

from agentcore_constructs.config import HarnessConfig, HarnessEndpointConfig
from agentcore_constructs.config.harness import OVERRIDES

if TYPE_CHECKING:
    from types import ModuleType

DOCS = Path(__file__).parents[2] / "docs"


def _load() -> ModuleType:
    spec = importlib.util.spec_from_file_location("_coverage", DOCS / "_coverage.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


coverage = _load()
CONTROL, DATA = "bedrock-agentcore-control", "bedrock-agentcore"
API = coverage.api_facts(CONTROL, "CreateHarness")
MODEL = coverage.model_facts(HarnessConfig)
CFN = coverage.cfn_facts(coverage.HARNESS)
REASON = {path: why for path, _, _, why in coverage.found_fields(HarnessConfig)}
FIELDS = {path: field for path, field, _, _ in coverage.found_fields(HarnessConfig)}


def bare(facts: dict[str, Any]) -> set[str]:
    return {path for path in facts if path}


# botocore


def test_every_field_of_create_harness_is_modelled_and_no_other() -> None:
    assert bare(API) - set(coverage.NOT_MODELLED) == bare(MODEL)
    assert set(coverage.NOT_MODELLED) <= bare(API), "a field that is gone is still listed"


def test_types_and_unions_are_those_of_botocore() -> None:
    ours = {path: (fact.kind, fact.union) for path, fact in MODEL.items()}
    assert ours == {path: (API[path].kind, API[path].union) for path in MODEL} | {"": ("structure", False)}


def test_what_is_required_is_that_of_botocore() -> None:
    ours = {path: fact.required for path, fact in MODEL.items()}
    assert ours == {path: API[path].required and path not in coverage.NOT_REQUIRED for path in MODEL}


def limits_of(fact: Any) -> dict[str, Any]:
    """Returns the limits that say something: a least length of 0 does not, a least number of 0 does."""
    number = fact.kind in {"integer", "float"}
    return {name: value for name, value in fact.limits.items() if number or not (name == "min" and value == 0)}


def test_limits_are_those_of_botocore_or_listed_with_a_reason() -> None:
    different = {
        (path, name)
        for path, fact in MODEL.items()
        for name in ("min", "max", "pattern", "enum")
        if limits_of(fact).get(name) != limits_of(API[path]).get(name)
    }
    assert different == set(coverage.NARROWER)


def test_limits_that_differ_are_narrower() -> None:
    for path, name in coverage.NARROWER:
        assert _narrower(name, MODEL[path].limits[name], API[path].limits.get(name)), (path, name)


def _narrower(name: str, ours: Any, theirs: Any) -> bool:
    if theirs is None or name == "pattern":
        return True
    return bool(ours > theirs if name == "min" else ours < theirs)


def test_every_listed_difference_is_one_of_a_field() -> None:
    assert {path for path, _ in coverage.CFN_LIMITS} <= set(CFN)
    assert set(coverage.CFN_REQUIRED) <= set(CFN)


@pytest.mark.parametrize(
    ("path", "right"),
    [
        ("executionRoleArn", "arn:aws:iam::123456789012:role/x"),
        ("skills[].s3.uri", "s3://bucket/x"),
        ("tags{key}", "team"),
        ("tools[].config.remoteMcp.url", "https://x"),
    ],
)
def test_patterns_that_are_ours_accept_only_what_botocore_accepts(path: str, right: str) -> None:
    assert re.fullmatch(MODEL[path].limits["pattern"], right)
    theirs = API[path].limits.get("pattern")
    assert theirs is None or re.fullmatch(theirs, right)


def test_update_harness_has_the_same_fields() -> None:
    update = coverage.api_facts(CONTROL, "UpdateHarness")
    unwrapped = {path.replace(".optionalValue", ""): fact for path, fact in update.items()}
    expected = bare(API) - {path for path in API if re.match(r"(harnessName|tags)\b", path)}
    assert bare(unwrapped) - {"harnessId"} == expected
    assert set(coverage.CALL_ONLY["UpdateHarness"]) == {"harnessId", "clientToken"}
    for path in expected - {"executionRoleArn"}:
        assert unwrapped[path].limits == API[path].limits
    wrapped = {path.split(".")[0] for path in update if ".optionalValue" in path}
    config = HarnessConfig.parse(all_configs()["everything"])
    request = config.to_update_request()
    assert {key for key, value in request.items() if isinstance(value, dict) and "optionalValue" in value} == wrapped


@pytest.mark.parametrize("name", all_configs())
def test_boto3_takes_what_is_made_for_create_and_update(name: str) -> None:
    service = botocore.session.get_session().get_service_model(CONTROL)
    config = HarnessConfig.parse(all_configs()[name])
    create = service.operation_model("CreateHarness").input_shape
    update = service.operation_model("UpdateHarness").input_shape
    assert ParamValidator().validate(config.to_api(), create).generate_report() == ""
    request = {"harnessId": "a-0123456789", **config.to_update_request()}
    assert ParamValidator().validate(request, update).generate_report() == ""


def test_an_invocation_overrides_what_we_say_and_nothing_else() -> None:
    invoke = coverage.api_facts(DATA, "InvokeHarness")
    top = {path.split(".")[0].split("[")[0] for path in bare(invoke)}
    assert top == OVERRIDES | set(coverage.CALL_ONLY["InvokeHarness"])
    for path, fact in invoke.items():
        if path.split(".")[0].split("[")[0] in OVERRIDES:
            assert fact == API[path]


def test_the_endpoint_is_that_of_botocore() -> None:
    api = coverage.api_facts(CONTROL, "CreateHarnessEndpoint")
    model = coverage.model_facts(HarnessEndpointConfig)
    assert bare(api) - {"clientToken"} == bare(model)
    for path in bare(model):
        ours, theirs = model[path], api[path]
        assert (ours.kind, ours.required) == (theirs.kind, theirs.required)
        if (path, "pattern") not in coverage.NARROWER:
            assert limits_of(ours) == limits_of(theirs)


def test_an_update_of_an_endpoint_takes_what_we_say() -> None:
    update = coverage.api_facts(CONTROL, "UpdateHarnessEndpoint")
    assert bare(update) == {"harnessId", "endpointName", "clientToken"} | coverage.ENDPOINT_UPDATES


# CloudFormation


def modelled_for_cfn(path: str) -> bool:
    field_path = re.sub(r"(\[\]|\{\}|\{key\})+$", "", path)
    return REASON[field_path] is None


EXPECTED_CFN = {
    coverage.cfn_name(path): path
    for path in bare(MODEL)
    if "{key}" not in path and path not in {"tags", "tags{}"} and modelled_for_cfn(path)
}


def test_cloudformation_has_every_field_that_is_not_api_only_and_no_other() -> None:
    assert set(CFN) - {"Tags", "Tags[]", "Tags[].Key", "Tags[].Value"} == set(EXPECTED_CFN)


def test_what_is_api_only_is_really_missing_in_cloudformation() -> None:
    missing = {coverage.cfn_name(path) for path, why in REASON.items() if why is not None}
    assert missing
    assert missing.isdisjoint(CFN)


def test_limits_of_cloudformation_are_ours_or_listed() -> None:
    """A limit the schema leaves out is botocore's alone."""
    different = {
        (name, limit)
        for name, path in EXPECTED_CFN.items()
        for limit, stated in CFN[name].limits.items()
        if _comparable(limit, MODEL[path].limits.get(limit)) != _comparable(limit, stated)
        and (path, limit) not in coverage.NARROWER
    }
    assert different == set(coverage.CFN_LIMITS)


def _comparable(limit: str, value: Any) -> Any:
    if limit == "pattern":
        return _characters(value.removeprefix("^").removesuffix("$") if value else None)
    return value or 0


def _characters(pattern: str | None) -> str | None:
    """Sets of characters are written in another order in the two sources."""
    if pattern is None:
        return None
    normal = pattern.replace(r"\/", "/").replace(r"\-@", "@-")
    return re.sub(r"\[[^\]]*\]", lambda match: "".join(sorted(match.group())), normal)


def test_values_that_cloudformation_lacks_are_marked() -> None:
    grant = "tools[].config.agentCoreGateway.outboundAuth.oauth.grantType"
    lacking = set(MODEL[grant].limits["enum"]) - set(CFN[coverage.cfn_name(grant)].limits["enum"])
    api_only = FIELDS[grant].api_only
    assert api_only is not None
    assert set(api_only.values) == lacking


def test_the_pattern_that_tells_what_cloudformation_takes_is_that_of_the_schema() -> None:
    url = "authorizerConfiguration.customJWTAuthorizer.discoveryUrl"
    api_only = FIELDS[url].api_only
    assert api_only is not None
    assert f"^{api_only.beyond}$" == CFN[coverage.cfn_name(url)].limits["pattern"]


def test_what_cloudformation_requires() -> None:
    theirs = {name: CFN[name].required for name in EXPECTED_CFN}
    assert theirs == {name: API[path].required or name in coverage.CFN_REQUIRED for name, path in EXPECTED_CFN.items()}


def test_unions_of_cloudformation_are_unions_of_ours() -> None:
    for name in (name for name, fact in CFN.items() if fact.union):
        assert MODEL[EXPECTED_CFN[name]].union


def test_tags_of_cloudformation_are_a_list() -> None:
    for part, path in (("Key", "tags{key}"), ("Value", "tags{}")):
        stated = CFN[f"Tags[].{part}"].limits
        ours = MODEL[path].limits
        assert (ours["min"], ours["max"]) == (
            stated["minLength"] if "minLength" in stated else stated["min"],
            stated["max"],
        )
    assert CFN["Tags"].limits["max"] == MODEL["tags"].limits["max"]


def test_the_endpoint_is_that_of_cloudformation() -> None:
    cfn = coverage.cfn_facts(coverage.ENDPOINT)
    model = coverage.model_facts(HarnessEndpointConfig)
    ours = {coverage.cfn_name(path): fact for path, fact in model.items() if path and not path.startswith("tags")}
    assert {name for name in cfn if not name.startswith("Tags")} == set(ours)
    for name, fact in ours.items():
        stated = cfn[name].limits
        pattern = stated.get("pattern", "").removeprefix("^").removesuffix("$")
        assert fact.limits.get("pattern", "") == pattern
        assert {key: fact.limits.get(key) for key in ("min", "max")} == {key: stated.get(key) for key in ("min", "max")}
        assert fact.required is cfn[name].required


# The document


def test_the_document_is_up_to_date() -> None:
    written = (DOCS / "coverage.md").read_text(encoding="utf-8")
    assert written == coverage.markdown(), "run: python docs/_coverage.py"


def test_the_document_has_a_row_for_every_field() -> None:
    text = coverage.markdown()
    for path in FIELDS:
        assert f"| `{path}` |" in text
