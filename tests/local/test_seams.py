"""What is assumed of ministack's insides, one test per assumption, and how a difference is reported."""

from __future__ import annotations

import importlib
import importlib.metadata
import json
import pkgutil
from typing import TYPE_CHECKING, Any

import pytest

from agentcore_local import seams

if TYPE_CHECKING:
    from agentcore_local import LocalCloud


@pytest.fixture(autouse=True)
def composed(local_cloud: LocalCloud) -> None:
    """The assumptions hold while a cloud runs, with everything put in its place."""


@pytest.mark.parametrize("seam", seams.SEAMS, ids=lambda seam: f"{seam.module.rsplit('.', 1)[-1]}.{seam.name}")
def test_assumption(seam: seams.Seam) -> None:
    assert seam.problem() is None


def test_the_version_is_the_pinned_one() -> None:
    assert importlib.metadata.version("ministack") == seams.MINISTACK_VERSION
    seams.check()


def test_every_topic_is_checked() -> None:
    names = [module.name for module in pkgutil.iter_modules(seams.__path__)]
    listed = [getattr(importlib.import_module(f"{seams.__name__}.{name}"), "SEAMS", ()) for name in names]
    assert {seam for topic in listed for seam in topic} == set(seams.SEAMS)


def test_another_version_is_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.metadata, "version", lambda _: "2.0.0")
    with pytest.raises(seams.SeamBrokenError, match=r"composes ministack 1\.5\.33, but 2\.0\.0 is installed; install"):
        seams.check()


def test_a_symbol_that_is_gone_is_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr("ministack.services.stepfunctions._SERVICE_DISPATCH")
    with pytest.raises(seams.SeamBrokenError, match="_SERVICE_DISPATCH is gone; it is used to add service integra"):
        seams.check()


def test_a_signature_that_changed_is_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    module = importlib.import_module("ministack.services.cloudformation.engine")
    monkeypatch.setattr(module, "_resolve_refs", lambda value, stack: value)
    with pytest.raises(seams.SeamBrokenError, match=r"_resolve_refs takes \(value, stack\), not \(value, resources,"):
        seams.check()


class TestBehaviour:
    """What a signature does not say."""

    def test_stores_of_other_accounts_are_invisible(self) -> None:
        with seams.acting_for(("111122223333", "eu-west-1")):
            assert seams.current_scope() == ("111122223333", "eu-west-1")
        assert seams.current_scope() != ("111122223333", "eu-west-1")

    def test_conditions_are_evaluated_in_full(self) -> None:
        """Unresolved joins and pseudo parameters compare unequal in ministack 1.5.33, mappings too."""
        stacks = importlib.import_module("ministack.services.cloudformation.stacks")
        joined = {"Fn::Join": ["", {"Ref": "Names"}]}
        mapped = {"Fn::FindInMap": ["M", {"Ref": "AWS::Region"}, "k"]}
        template = {
            "Mappings": {"M": {"eu-west-1": {"k": "v"}}},
            "Conditions": {
                "Given": {"Fn::Not": [{"Fn::Equals": ["", joined]}]},
                "Here": {"Fn::Equals": [{"Ref": "AWS::Region"}, "eu-west-1"]},
                "Mapped": {"Fn::Equals": ["v", mapped]},
                "Both": {
                    "Fn::And": [{"Condition": "Here"}, {"Fn::Equals": [{"Fn::Sub": "${AWS::Region}x"}, "eu-west-1x"]}]
                },
            },
        }
        names = {"Names": {"Value": "", "Type": "CommaDelimitedList"}}
        with seams.acting_for(("111122223333", "eu-west-1")):
            found = stacks._evaluate_conditions(template, names)
            assert found == {"Given": False, "Here": True, "Mapped": True, "Both": True}
            names["Names"]["Value"] = "a,b"
            assert stacks._evaluate_conditions(template, names)["Given"] is True

    def test_loopback_counts_as_tls(self) -> None:
        evaluator = importlib.import_module("ministack.core.iam_evaluator")
        importlib.import_module("ministack.app").pin_request_origin("127.0.0.1", False)
        context = evaluator.EvalContext("", "Root", "1", "s3:GetObject", "*", "us-east-1")
        statement = {"Condition": {"Bool": {"aws:SecureTransport": "false"}}}
        assert not evaluator._conditions_met(statement["Condition"], context)

    def test_docker_is_left_alone(self) -> None:
        assert importlib.import_module("ministack.app")._docker_socket_present() is False

    def test_a_memory_lives_where_the_memory_api_looks(self, local_cloud: LocalCloud) -> None:
        account = local_cloud.account()
        scope = (account.account_id, account.region)
        seams.create_memory(
            scope,
            memory_id="own-0123456789",
            name="own",
            expiry_days=30,
            strategies=[],
            managed_by=None,
            encryption_key_arn=None,
        )
        found = account.client("bedrock-agentcore-control").get_memory(memoryId="own-0123456789")["memory"]
        assert (found["name"], found["status"]) == ("own", "ACTIVE")
        account.client("bedrock-agentcore").create_event(
            memoryId="own-0123456789", actorId="a", eventTimestamp=0, payload=[{"blob": "x"}]
        )
        seams.delete_memory(scope, "own-0123456789")
        assert seams.read_memory(scope, "own-0123456789") is None

    def test_a_role_is_found_with_its_trust(self, local_cloud: LocalCloud) -> None:
        account = local_cloud.account()
        policy: dict[str, Any] = {"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "sts:AssumeRole"}}
        policy["Statement"]["Principal"] = {"Service": ["a.amazonaws.com", "b.amazonaws.com"]}
        account.client("iam").create_role(RoleName="r", Path="/p/", AssumeRolePolicyDocument=json.dumps(policy))
        role = seams.read_role(account.account_id, "r")
        assert role is not None
        (statement,) = seams.trust_statements(role)
        assert seams.names_service(statement, "b.amazonaws.com")
        assert not seams.names_service(statement, "c.amazonaws.com")
