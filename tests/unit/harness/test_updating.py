"""What it takes to update a harness: the parts the service touches with the caller's rights, and no other's."""

from __future__ import annotations

from agentcore_constructs.harness.updating import update_statements

HARNESS = "arn:aws:bedrock-agentcore:eu-west-1:111122223333:harness/clerk-0123456789"
RUNTIME = "arn:aws:bedrock-agentcore:eu-west-1:111122223333:runtime/harness_clerk-0123456789"
MEMORY = "arn:aws:bedrock-agentcore:eu-west-1:111122223333:memory/clerk-0123456789"
ROLE = "arn:aws:iam::111122223333:role/clerk"


def allowed(memory: str | None = None) -> dict[str, set[str]]:
    """Action to resources."""
    found: dict[str, set[str]] = {}
    for statement in update_statements(harness_arn=HARNESS, runtime_arn=RUNTIME, role_arn=ROLE, memory_arn=memory):
        for action in statement["Action"]:
            found.setdefault(action, set()).update(statement["Resource"])
    return found


def test_the_runtime_may_be_named_by_itself_or_by_its_harness() -> None:
    """Guide and refusals disagree on the resource, so that either has to do."""
    for action in ("GetAgentRuntime", "UpdateAgentRuntime"):
        assert allowed()[f"bedrock-agentcore:{action}"] >= {HARNESS, RUNTIME}


def test_the_endpoint_that_follows_the_newest_version_moves() -> None:
    assert f"{RUNTIME}/runtime-endpoint/DEFAULT" in allowed()["bedrock-agentcore:UpdateAgentRuntimeEndpoint"]


def test_the_role_is_passed_to_the_service_alone() -> None:
    """UpdateAgentRuntime takes a role whenever it is called, also when UpdateHarness leaves it as it is."""
    (passed,) = [
        one
        for one in update_statements(harness_arn=HARNESS, runtime_arn=RUNTIME, role_arn=ROLE)
        if one["Action"] == ["iam:PassRole"]
    ]
    assert passed["Resource"] == [ROLE]
    assert passed["Condition"] == {"StringEquals": {"iam:PassedToService": "bedrock-agentcore.amazonaws.com"}}


def test_memory_is_touched_only_where_there_is_one() -> None:
    assert allowed(MEMORY)["bedrock-agentcore:UpdateMemory"] >= {HARNESS, MEMORY}
    assert not [action for action in allowed() if action.endswith("Memory")]


def test_nothing_is_allowed_on_another_harness() -> None:
    assert not [one for resources in allowed(MEMORY).values() for one in resources if "*" in one]
