"""What a state refuses, at once and in a sentence."""

from __future__ import annotations

from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk import assertions
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_stepfunctions as sfn
from support import synth
from support.shop import orders
from support.workflows import Machine

from agentcore_constructs import (
    Authorizer,
    Fault,
    Harness,
    HarnessBase,
    HarnessConfigError,
    InlineTool,
    Model,
    Skill,
    Tool,
    Version,
)
from agentcore_stepfunctions import AgentTurn, InvokeHarness, Message, RunHarnessCommand, SessionId, jsonata

REFUND = Tool.inline("refund", description="Refund an order.", input_schema={"type": "object"})
JWT = Authorizer.jwt("https://id.example.com/.well-known/openid-configuration", audiences=["workflows"])


def faults(stack: cdk.Stack, *, json_path: bool = False, **props: Any) -> list[Fault]:
    make = InvokeHarness.json_path if json_path else InvokeHarness
    with pytest.raises(HarnessConfigError) as caught:
        make(stack, "Ask", **props)
    assert str(caught.value).startswith("The state Agents/Ask has ")
    return list(caught.value.faults)


def fault(stack: cdk.Stack, **props: Any) -> str:
    (one,) = faults(stack, **props)
    return str(one)


# ---- what the agent is told ------------------------------------------------------------------------------------------


def test_nothing_to_say(stack: cdk.Stack, harness: Harness) -> None:
    expected = "prompt: must be given, or messages instead; received nothing; give one."
    assert fault(stack, harness=harness) == expected


def test_two_ways_to_say_it(stack: cdk.Stack, harness: Harness) -> None:
    assert "received both" in fault(stack, harness=harness, prompt="Hi", messages=[Message.user("Hi")])


def test_an_empty_prompt(stack: cdk.Stack, harness: Harness) -> None:
    expected = "prompt: must be text, at least 1 character; received '' (0 characters)"
    assert fault(stack, harness=harness, prompt="").startswith(expected)


@pytest.mark.parametrize("messages", [[], "Hello", 3, {"Role": "user"}])
def test_messages_that_are_no_list(stack: cdk.Stack, harness: Harness, messages: Any) -> None:
    expected = "messages: must be a list of at least one Message, or an expression that gives such a list; received "
    assert fault(stack, harness=harness, messages=messages).startswith(expected)


def test_messages_that_are_none_or_empty(stack: cdk.Stack, harness: Harness) -> None:
    found = faults(stack, harness=harness, messages=["Hi", Message.user(), Message.user("a", "")])
    assert [(one.path, one.must.split()[1]) for one in found] == [
        ("messages[0]", "be"),
        ("messages[1].texts", "hold"),
        ("messages[2].texts[1]", "be"),
    ]


# ---- the two languages -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["prompt", "actor_id"])
def test_jsonata_without_its_marks(stack: cdk.Stack, harness: Harness, name: str) -> None:
    props = {"prompt": "Hi", name: "$states.input.topic"}
    assert fault(stack, harness=harness, **props) == (
        f"{name}: must have {{% %}} around a JSONata expression, or the agent reads it as text; received "
        "'$states.input.topic' (19 characters); write jsonata('$states.…')."
    )


@pytest.mark.parametrize("path", ["$.topic", "$$.Execution.Name", "$['a b'][0]", "States.Format('{}', $.a)"])
def test_a_path_in_a_jsonata_state(stack: cdk.Stack, harness: Harness, path: str) -> None:
    assert "prompt: must not hold a JSONPath in a JSONata state" in fault(stack, harness=harness, prompt=path)


def test_a_path_token_in_a_jsonata_state(stack: cdk.Stack, harness: Harness) -> None:
    prompt = sfn.JsonPath.string_at("$.topic")
    assert fault(stack, harness=harness, prompt=prompt) == (
        "prompt: must not hold a JSONPath in a JSONata state; received the path $.topic; write "
        "jsonata('$states.input.…'), or use InvokeHarness.json_path."
    )


@pytest.mark.parametrize("name", ["prompt", "actor_id", "session_id"])
def test_jsonata_in_a_path_state(stack: cdk.Stack, harness: Harness, name: str) -> None:
    props = {"prompt": "Hi", name: jsonata("$states.input.topic")}
    assert fault(stack, json_path=True, harness=harness, **props) == (
        f"{name}: must be text, a CDK token or a JsonPath in a JSONPath state; received a JSONata expression; use "
        "InvokeHarness.jsonata, or JsonPath.string_at(…)."
    )


def test_a_bare_path_in_a_path_state(stack: cdk.Stack, harness: Harness) -> None:
    assert fault(stack, json_path=True, harness=harness, prompt="$.topic") == (
        "prompt: must not be a bare path, which the agent would read as text; received '$.topic' (7 characters); "
        "write JsonPath.string_at('$.…'), or one of the other functions of JsonPath."
    )


@pytest.mark.parametrize(
    "prompt", ["$5 is cheap", "$.50 a piece", "costs {% of it", "States of matter (solid)", "$ ls -l"]
)
def test_text_that_only_looks_similar_is_text(stack: cdk.Stack, harness: Harness, prompt: str) -> None:
    InvokeHarness(stack, "A", harness=harness, prompt=prompt)
    InvokeHarness.json_path(stack, "B", harness=harness, prompt=prompt)


@pytest.mark.parametrize("name", ["input_path", "output_path", "result_path", "result_selector"])
def test_paths_of_a_jsonata_state(stack: cdk.Stack, harness: Harness, name: str) -> None:
    value = {"a": "b"} if name == "result_selector" else "$.a"
    assert fault(stack, harness=harness, prompt="Hi", **{name: value}) == (
        f"{name}: must be left out in a JSONata state, which has no paths; received a value; use outputs, or "
        "InvokeHarness.json_path."
    )


def test_outputs_of_a_path_state(stack: cdk.Stack, harness: Harness) -> None:
    language = sfn.QueryLanguage.JSON_PATH
    found = fault(stack, harness=harness, prompt="Hi", outputs={"a": 1}, query_language=language)
    assert found.startswith("outputs: must be left out in a JSONPath state, which has no Output")


def test_a_path_state_in_a_jsonata_workflow(stack: cdk.Stack, harness: Harness) -> None:
    state = InvokeHarness.json_path(stack, "Ask", harness=harness, prompt="Hi")
    with pytest.raises(RuntimeError, match="query_language: must be JSONata in a workflow whose language is JSONata"):
        Machine(stack, state)


# ---- endpoint, actor, overrides --------------------------------------------------------------------------------------


@pytest.mark.parametrize("qualifier", ["", "1st", "production-endpoint", "x" * 49, jsonata("$states.input.stage")])
def test_a_qualifier_that_names_no_endpoint(stack: cdk.Stack, harness: Harness, qualifier: str) -> None:
    found = fault(stack, harness=harness, prompt="Hi", qualifier=qualifier)
    assert found.startswith("qualifier: must be the name of an endpoint; received ")
    assert "the state's role is granted this endpoint only" in found


@pytest.mark.parametrize("qualifier", ["P", "x" * 48, "DEFAULT"])
def test_a_qualifier_at_the_limit(stack: cdk.Stack, harness: Harness, qualifier: str) -> None:
    InvokeHarness(stack, "Ask", harness=harness, prompt="Hi", qualifier=qualifier)


def test_endpoint_and_qualifier(stack: cdk.Stack, harness: Harness) -> None:
    endpoint = harness.add_endpoint("PROD", version=Version.latest())
    found = fault(stack, harness=harness, prompt="Hi", endpoint=endpoint, qualifier="PROD")
    assert found == "qualifier: must not be given next to endpoint; received both; keep the endpoint."


def test_an_endpoint_of_another_harness(stack: cdk.Stack, harness: Harness) -> None:
    other = Harness(stack, "Other").add_endpoint("PROD", version=Version.latest())
    assert fault(stack, harness=harness, prompt="Hi", endpoint=other) == (
        "endpoint: must be an endpoint of Agents/Agent; received one of Agents/Other; pass an endpoint of this "
        "harness, or the other harness."
    )


def test_an_empty_actor(stack: cdk.Stack, harness: Harness) -> None:
    found = fault(stack, harness=harness, prompt="Hi", actor_id="")
    assert found.startswith("actor_id: must be the id of whom the agent talks to")


def test_all_faults_are_told_at_once(stack: cdk.Stack, harness: Harness) -> None:
    found = faults(
        stack,
        harness=harness,
        prompt="",
        session_id="short",
        qualifier="no-such",
        model=Model.bedrock("m", temperature=3),
        max_iterations=0,
        timeout=901,
    )
    paths = {one.path for one in found}
    assert paths == {
        "prompt",
        "session_id",
        "qualifier",
        "model.bedrockModelConfig.temperature",
        "maxIterations",
        "timeout",
    }


@pytest.mark.parametrize(("name", "refused"), [("x" * 80, False), ("x" * 81, True), ("", True)])
def test_a_name_of_a_state(stack: cdk.Stack, harness: Harness, name: str, refused: bool) -> None:
    if refused:
        assert fault(stack, harness=harness, prompt="Hi", state_name=name).startswith("state_name: must be the name of")
    else:
        InvokeHarness(stack, "Ask", harness=harness, prompt="Hi", state_name=name)


def test_a_name_that_is_too_long(stack: cdk.Stack, harness: Harness) -> None:
    with pytest.raises(HarnessConfigError, match="construct_id: must be the name of a state, 1–80 characters"):
        InvokeHarness(stack, "x" * 81, harness=harness, prompt="Hi")
    state = InvokeHarness(stack, "x" * 75, harness=harness, prompt="Hi")
    state.add_prefix("Morning: ")
    with pytest.raises(RuntimeError, match="construct_id: must be the name of a state, 1–80 characters"):
        Machine(stack, state)


def test_a_refused_state_leaves_nothing_behind(stack: cdk.Stack, harness: Harness) -> None:
    fault(stack, harness=harness)
    assert stack.node.try_find_child("Ask") is None
    InvokeHarness(stack, "Ask", harness=harness, prompt="Hi")
    synth.template_of(stack)


def test_a_tool_that_neither_the_harness_nor_the_call_has(stack: cdk.Stack, harness: Harness) -> None:
    InvokeHarness(stack, "Ask", harness=harness, prompt="Hi", allowed_tools=["@web/*"])
    with pytest.raises(RuntimeError, match=r"\[Agents/Ask\] allowedTools\[0\]: must name a tool of this harness"):
        synth.template_of(stack)


def test_a_tool_that_the_harness_gets_later(stack: cdk.Stack, harness: Harness) -> None:
    InvokeHarness(stack, "Ask", harness=harness, prompt="Hi", allowed_tools=["@web"])
    harness.add_tool(Tool.browser(name="web"))
    synth.template_of(stack)


def test_a_tool_of_an_imported_harness(stack: cdk.Stack, imported: HarnessBase) -> None:
    Machine(stack, InvokeHarness(stack, "Ask", harness=imported, prompt="Hi", allowed_tools=["@web/*"]))


GATEWAY = Tool.gateway("arn:aws:bedrock-agentcore:us-east-1:111122223333:gateway/shop-0123456789", name="shop")


@pytest.mark.parametrize(
    ("entry", "nearest"), [("shel", "Did you mean 'shell'?"), ("orders___list", "Write '@shop/orders___list'")]
)
@pytest.mark.parametrize("kind", [InvokeHarness, AgentTurn])
def test_what_a_call_allows_and_no_tool_answers_to_is_warned_of(
    stack: cdk.Stack, kind: Any, entry: str, nearest: str
) -> None:
    kind(stack, "Ask", harness=Harness(stack, "Agent", tools=[GATEWAY]), prompt="Hi", allowed_tools=["@builtin", entry])
    found = assertions.Annotations.from_stack(stack).find_warning(
        "/Agents/Ask", assertions.Match.string_like_regexp(f"allowedTools has '{entry}'.*allowed-tool")
    )
    assert [nearest in str(one.entry.data) for one in found] == [True]


# ---- harnesses a bare state cannot serve -----------------------------------------------------------------------------


def test_inline_tools(stack: cdk.Stack) -> None:
    harness = Harness(stack, "Agent", tools=[REFUND, Tool.browser()])
    assert fault(stack, harness=harness, prompt="Hi") == (
        "harness: must have no inline tools: a state gets the stop reason tool_use without the call, and cannot answer "
        "it; received the inline tool refund; use the fragment AgentTurn, which runs them, "
        "offer the function through a gateway, or leave the tool out of this call with allowed_tools."
    )


def test_inline_tools_that_come_with_the_call(stack: cdk.Stack, imported: HarnessBase) -> None:
    assert "the inline tool refund" in fault(stack, harness=imported, prompt="Hi", tools=[REFUND])


@pytest.mark.parametrize("known", [True, False])
def test_python_functions_that_come_with_the_call(stack: cdk.Stack, imported: HarnessBase, known: bool) -> None:
    harness = Harness(stack, "Agent") if known else imported
    found = fault(stack, harness=harness, prompt="Hi", tools=[InlineTool.from_function(orders.status)])
    assert "the inline tool order-status; use the fragment AgentTurn" in found
    assert [child for child in stack.node.find_all() if isinstance(child, lambda_.Function)] == []


def test_what_cannot_be_bound_is_told_with_all_the_rest(stack: cdk.Stack, harness: Harness) -> None:
    found = faults(stack, harness=harness, prompt="", skills=[Skill.from_directory("/not/there")])
    assert [one.path.split("[")[0] for one in found] == ["skills", "prompt"]


def test_inline_tools_that_are_added_later(stack: cdk.Stack, harness: Harness) -> None:
    InvokeHarness(stack, "Ask", harness=harness, prompt="Hi")
    harness.add_tool(REFUND)
    with pytest.raises(RuntimeError, match=r"\[Agents/Ask\] harness: must have no inline tools"):
        synth.template_of(stack)


@pytest.mark.parametrize("allowed", [["shell"], ["@builtin", "@browser"], ["file_*"]])
def test_inline_tools_that_the_call_does_not_allow(stack: cdk.Stack, allowed: list[str]) -> None:
    harness = Harness(stack, "Agent", tools=[REFUND, Tool.browser()])
    InvokeHarness(stack, "Ask", harness=harness, prompt="Hi", allowed_tools=allowed)
    synth.template_of(stack)


@pytest.mark.parametrize("allowed", [["*"], ["refund"], ["@refund"], ["@*"], ["re*"]])
def test_inline_tools_that_the_call_allows(stack: cdk.Stack, allowed: list[str]) -> None:
    harness = Harness(stack, "Agent", tools=[REFUND])
    assert "the inline tool refund" in fault(stack, harness=harness, prompt="Hi", allowed_tools=allowed)


def test_inline_tools_that_the_call_replaces(stack: cdk.Stack) -> None:
    harness = Harness(stack, "Agent", tools=[REFUND])
    InvokeHarness(stack, "Ask", harness=harness, prompt="Hi", tools=[Tool.browser()])
    synth.template_of(stack)


@pytest.mark.parametrize("known", [True, False])
def test_jwt_inbound_authorization(stack: cdk.Stack, known: bool) -> None:
    arn = "arn:aws:bedrock-agentcore:us-east-1:111122223333:harness/Known-0123456789"
    harness: HarnessBase = (
        Harness(stack, "Agent", authorizer=JWT)
        if known
        else Harness.from_harness_attributes(stack, "Agent", harness_arn=arn, is_jwt_authorized=True)
    )
    assert fault(stack, harness=harness, prompt="Hi") == (
        "harness: must take callers with IAM: Step Functions signs its requests and has no token; received a harness "
        "with a JWT authorizer, which refuses IAM; use a second harness without authorizer in workflows, which the "
        "fragment AgentTurn needs as well, or invoke this one from code that gets a token."
    )


@pytest.mark.parametrize(
    ("place", "what", "where"),
    [
        ("eu-west-1:111122223333", "Region of its workflow, us-east-1", "eu-west-1"),
        ("us-east-1:444455556666", "account of its workflow, 111122223333", "444455556666"),
    ],
)
@pytest.mark.parametrize("kind", [InvokeHarness, AgentTurn])
def test_a_harness_that_is_elsewhere(stack: cdk.Stack, place: str, what: str, where: str, kind: Any) -> None:
    arn = f"arn:aws:bedrock-agentcore:{place}:harness/Known-0123456789"
    with pytest.raises(HarnessConfigError) as caught:
        kind(stack, "Ask", harness=Harness.from_harness_arn(stack, "Known", arn), prompt="Hi")
    (one,) = caught.value.faults
    assert str(one) == (
        f"harness: must be in the {what}: calls go to no other; received a harness in {where}; put the workflow into "
        "a stack there."
    )


def test_a_harness_that_may_be_anywhere() -> None:
    stack = synth.new_stack(account=None, region=None)
    arn = "arn:aws:bedrock-agentcore:eu-west-1:111122223333:harness/Known-0123456789"
    InvokeHarness(stack, "Ask", harness=Harness.from_harness_arn(stack, "Known", arn), prompt="Hi")


# ---- timeouts --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("timeout", "limit"), [(2, 1), (10, 9), (100, 90), (300, 270), (600, 570), (900, 870)])
def test_the_agent_stops_before_the_state_gives_up(
    stack: cdk.Stack, imported: HarnessBase, timeout: int, limit: int
) -> None:
    state = InvokeHarness(stack, "Ask", harness=imported, prompt="Hi", timeout=cdk.Duration.seconds(timeout))
    rendered = state.to_state_json()
    assert (rendered["TimeoutSeconds"], rendered["Arguments"]["TimeoutSeconds"]) == (timeout, limit)


@pytest.mark.parametrize("timeout", [cdk.Duration.seconds(901), 1, 0, -1, cdk.Duration.hours(1)])
def test_a_timeout_out_of_range(stack: cdk.Stack, harness: Harness, timeout: Any) -> None:
    found = fault(stack, harness=harness, prompt="Hi", timeout=timeout)
    assert "timeout: must be 2–900 seconds: Step Functions ends the state after 900 anyway; received " in found
    assert "split the work over several states" in found


@pytest.mark.parametrize(("own", "refused"), [(899, False), (900, True), (1800, True)])
def test_a_harness_that_works_longer_than_the_state_waits(stack: cdk.Stack, own: int, refused: bool) -> None:
    harness = Harness(stack, "Agent", timeout=own)
    if not refused:
        InvokeHarness(stack, "Ask", harness=harness, prompt="Hi")
        return
    assert fault(stack, harness=harness, prompt="Hi") == (
        "harness_timeout: must be under the state's timeout of 900 seconds: after it, the harness works on and is paid "
        f"for, but nobody gets its answer; received {own} seconds from the harness; give the state a harness_timeout "
        "for this call, or the harness a shorter timeout."
    )


@pytest.mark.parametrize(("limit", "refused"), [(299, False), (300, True), (870, True)])
def test_a_call_that_may_work_longer_than_the_state_waits(
    stack: cdk.Stack, harness: Harness, limit: int, refused: bool
) -> None:
    props: dict[str, Any] = {"harness": harness, "prompt": "Hi", "timeout": 300, "harness_timeout": limit}
    if not refused:
        InvokeHarness(stack, "Ask", **props)
        return
    found = fault(stack, **props)
    assert "under the state's timeout of 300 seconds" in found
    assert found.endswith(f"received {limit} seconds; set harness_timeout to at most 299 seconds.")


def test_a_long_running_harness_with_a_limit_for_the_call(stack: cdk.Stack) -> None:
    harness = Harness(stack, "Agent", timeout=cdk.Duration.minutes(30))
    state = InvokeHarness(stack, "Ask", harness=harness, prompt="Hi", harness_timeout=cdk.Duration.minutes(14))
    assert state.to_state_json()["Arguments"]["TimeoutSeconds"] == 840


@pytest.mark.parametrize("name", ["timeout", "harness_timeout"])
@pytest.mark.parametrize("value", ["5", True, 1.5, cdk.Duration.millis(1500)])
def test_a_time_that_is_no_seconds(stack: cdk.Stack, harness: Harness, name: str, value: Any) -> None:
    assert f"{name}: must be a" in fault(stack, harness=harness, prompt="Hi", **{name: value})


def test_times_that_are_known_at_deployment_only(stack: cdk.Stack, harness: Harness) -> None:
    seconds = cdk.CfnParameter(stack, "Seconds", type="Number").value_as_number
    state = InvokeHarness(
        stack, "Ask", harness=harness, prompt="Hi", timeout=cdk.Duration.seconds(seconds), harness_timeout=60
    )
    assert state.to_state_json()["TimeoutSeconds"] == seconds


@pytest.mark.parametrize("json_path", [False, True])
def test_a_timeout_that_is_known_at_deployment_only_needs_a_limit_for_the_agent(
    stack: cdk.Stack, harness: Harness, json_path: bool
) -> None:
    timeout = cdk.Duration.seconds(cdk.CfnParameter(stack, "Seconds", type="Number").value_as_number)
    (found,) = faults(stack, json_path=json_path, harness=harness, prompt="Hi", timeout=timeout)
    assert str(found).startswith("harness_timeout: must be given next to a timeout that is known at deployment only")
    (found,) = faults(stack, json_path=json_path, harness=harness, prompt="Hi", timeout=timeout, harness_timeout=900)
    assert str(found).endswith("received 900 seconds; set harness_timeout to at most 899 seconds.")
    limited = Harness(stack, "Limited", timeout=cdk.Duration.minutes(15))
    (found,) = faults(stack, json_path=json_path, harness=limited, prompt="Hi", timeout=timeout)
    assert "received 900 seconds from the harness" in str(found)


def test_an_agents_limit_that_is_known_at_deployment_only(stack: cdk.Stack, harness: Harness) -> None:
    limit = cdk.Duration.seconds(cdk.CfnParameter(stack, "Seconds", type="Number").value_as_number)
    state = InvokeHarness(stack, "Ask", harness=harness, prompt="Hi", harness_timeout=limit)
    assert Machine(stack, state).definition_text.count('"TimeoutSeconds":<Seconds>') == 1


@pytest.mark.parametrize("json_path", [False, True])
def test_the_name_of_the_execution_is_no_session_id(stack: cdk.Stack, harness: Harness, json_path: bool) -> None:
    name = sfn.JsonPath.string_at("$$.Execution.Name") if json_path else jsonata("$states.context.Execution.Name")
    (found,) = faults(stack, json_path=json_path, harness=harness, prompt="Hi", session_id=name)
    assert str(found) == (
        "session_id: must not be the execution's name, which may have 1 character and others than an id takes; "
        "received the name; use SessionId.per_execution(), one conversation per execution."
    )
    longer = (
        sfn.JsonPath.format("a-prefix-of-at-least-33-characters-{}", name)
        if json_path
        else jsonata("'a-prefix-of-at-least-33-characters-' & $states.context.Execution.Name")
    )
    make = InvokeHarness.json_path if json_path else InvokeHarness
    make(stack, "Ask", harness=harness, prompt="Hi", session_id=longer)


def test_session_ids_of_both_kinds_are_fine(stack: cdk.Stack, harness: Harness) -> None:
    InvokeHarness(stack, "A", harness=harness, prompt="Hi", session_id=SessionId.per_item())
    InvokeHarness.json_path(stack, "B", harness=harness, prompt="Hi", session_id=SessionId.per_item("$.id"))


# ---- what is no harness and no endpoint ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("make", "subject"),
    [
        (lambda stack, **props: InvokeHarness(stack, "Ask", prompt="Go.", **props), "The state"),
        (lambda stack, **props: AgentTurn(stack, "Ask", prompt="Go.", **props), "The turn"),
        (
            lambda stack, **props: RunHarnessCommand(
                stack, "Ask", command="ls", session_id=SessionId.per_execution(), **props
            ),
            "The command",
        ),
    ],
    ids=["state", "turn", "command"],
)
def test_an_arn_for_a_harness_and_a_name_for_an_endpoint(stack: cdk.Stack, make: Any, subject: str) -> None:
    with pytest.raises(HarnessConfigError) as caught:
        make(stack, harness="arn:aws:x", endpoint="PROD")
    assert str(caught.value) == (
        f"{subject} Agents/Ask has 2 faults:\n"
        "  harness: must be a harness; received 'arn:aws:x' (9 characters); pass the Harness, or "
        "Harness.from_harness_arn(…) for one made elsewhere.\n"
        "  endpoint: must be an endpoint of the harness; received 'PROD' (4 characters); pass the HarnessEndpoint, or "
        "the name of one as qualifier."
    )
