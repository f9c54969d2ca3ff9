"""The handler answers in every case, and a deny never turns into an allow."""

from __future__ import annotations

import json
import logging
import string
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agentcore_lambdas import hooks
from agentcore_lambdas.hooks import handling

if TYPE_CHECKING:
    from collections.abc import Callable
    from decimal import Decimal as LaterEvent

CALL: dict[str, Any] = {
    "hookEventId": "1234abcd-12ab-34cd-56ef-1234567890ab",
    "name": "guard",
    "event": "before_tool_call",
    "harnessArn": "arn:aws:bedrock-agentcore:us-west-2:111122223333:harness/Agent-UuFdkQoXSL",
    "sessionId": "12345678-1234-5678-9abc-123456789012",
    "context": {"toolName": "shell", "toolType": "builtin", "toolUseId": "t-1", "toolInput": {"command": "ls"}},
}

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)
cut = st.builds(lambda preview: {"truncated": True, "preview": preview}, st.text(max_size=20))
calls = st.fixed_dictionaries(
    {"toolName": st.text(), "toolType": st.text(), "toolUseId": st.text(), "toolInput": json_values | cut}
)


@hooks.handler
def guard(event: hooks.BeforeToolCall) -> hooks.Decision:
    return hooks.deny("no rm") if "rm" in str(event.arguments.get("command")) else hooks.allow()


@hooks.handler(on_error="allow")
def watch(event: hooks.HookEvent) -> hooks.Decision:
    return hooks.allow(f"saw {event.event}")


@pytest.fixture
def in_lambda(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_LAMBDA_FUNCTION_NAME", "guard")


@pytest.fixture(params=["with Powertools", "without"])
def powertools(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    assert handling._powertools_parse is not None
    if request.param == "without":
        monkeypatch.setattr(handling, "_powertools_parse", None)


def failing(on_error: hooks.ErrorChoice, error: Exception) -> Callable[..., dict[str, str]]:
    @hooks.handler(on_error=on_error)
    def hook(event: hooks.HookEvent) -> hooks.Decision:
        raise error

    return hook


@pytest.mark.usefixtures("powertools")
def test_decisions_are_what_the_harness_expects() -> None:
    assert guard(CALL, object()) == {"decision": "allow"}
    dangerous = CALL | {"context": CALL["context"] | {"toolInput": {"command": "rm -rf /"}}}
    assert guard(dangerous, object()) == {"decision": "deny", "reason": "no rm"}
    assert watch(CALL, object()) == {"decision": "allow", "reason": "saw before_tool_call"}


@pytest.mark.usefixtures("powertools")
@pytest.mark.parametrize(
    "event", [None, [], "", "{", b"\xff", {}, {"event": "before_tool_call"}, CALL | {"context": 1}]
)
@pytest.mark.parametrize(("hook", "expected"), [(guard, "deny"), (watch, "allow")])
def test_an_unreadable_event_is_decided_by_the_hooks_choice(
    event: object, hook: Callable[..., dict[str, str]], expected: str
) -> None:
    assert hook(event, None) == {"decision": expected, "reason": "the hook could not read its event"}


def test_the_log_of_an_unreadable_event_names_fields_and_no_values(caplog: pytest.LogCaptureFixture) -> None:
    guard(CALL | {"context": {"toolName": "shell", "toolInput": "swordfish"}}, None)
    assert "before_tool_call.context.toolType: missing" in caplog.text
    assert "swordfish" not in caplog.text


def test_an_event_the_hook_does_not_serve_is_decided_by_the_hooks_choice() -> None:
    event = CALL | {"event": "after_invocation", "context": {}}
    assert guard(event, None) == {"decision": "deny", "reason": "the hook does not serve after_invocation"}


def test_a_cut_input_denies_where_the_hook_needs_all_of_it() -> None:
    context = CALL["context"] | {"toolInput": {"truncated": True, "preview": "{"}}
    assert guard(CALL | {"context": context}, None) == {
        "decision": "deny",
        "reason": "the hook failed with IncompleteContextError",
    }


@pytest.mark.parametrize("on_error", ["deny", "allow"])
def test_an_exception_is_decided_by_the_hooks_choice_and_logged(
    on_error: hooks.ErrorChoice, caplog: pytest.LogCaptureFixture
) -> None:
    answer = failing(on_error, KeyError("secret of the hook"))(CALL, None)
    assert answer == {"decision": on_error, "reason": "the hook failed with KeyError"}
    (record,) = caplog.records
    assert record.exc_info is not None
    assert CALL["hookEventId"] in caplog.text


@pytest.mark.parametrize("stop", [SystemExit(1), KeyboardInterrupt()])
def test_the_runtime_may_still_stop_the_process(stop: BaseException) -> None:
    @hooks.handler(on_error="allow")
    def hook(event: hooks.HookEvent) -> hooks.Decision:
        raise stop

    with pytest.raises(type(stop)):
        hook(CALL, None)


@pytest.mark.parametrize("returned", [None, True, {"decision": "allow"}, "allow"])
def test_what_is_no_decision_does_not_pass_for_one(returned: Any) -> None:
    @hooks.handler
    def hook(event: hooks.HookEvent) -> hooks.Decision:
        return returned  # type: ignore[no-any-return]  # the mistake under test

    assert hook(CALL, None) == {"decision": "deny", "reason": "the hook gave no decision"}


def test_a_reason_of_1024_characters_passes() -> None:
    assert hooks.deny("x" * 1024).reason == "x" * 1024
    assert hooks.allow("x" * 1024).reason == "x" * 1024
    assert hooks.deny("😀" * 512).reason == "😀" * 512


@pytest.mark.parametrize("reason", ["x" * 1025, "😀" * 512 + "x"])
@pytest.mark.parametrize("answer", [hooks.allow, hooks.deny])
def test_a_longer_reason_is_refused_while_developing(answer: Callable[[str], hooks.Decision], reason: str) -> None:
    with pytest.raises(hooks.ReasonError, match=r"at most 1024 characters; received 1025; shorten it"):
        answer(reason)


@pytest.mark.parametrize("reason", ["", " \n"])
def test_a_deny_without_reason_is_refused_while_developing(reason: str) -> None:
    with pytest.raises(hooks.ReasonError, match="must say why"):
        hooks.deny(reason)


def test_the_developer_sees_a_bad_reason_also_through_the_handler() -> None:
    @hooks.handler(on_error="allow")
    def hook(event: hooks.HookEvent) -> hooks.Decision:
        return hooks.deny("x" * 2000)

    with pytest.raises(hooks.ReasonError):
        hook(CALL, None)


@pytest.mark.usefixtures("in_lambda")
@pytest.mark.parametrize("reason", ["x" * 1025, "é" * 5000, "😀" * 600, "", "x" * 1022 + "😀😀", "\ud800" * 2000])
def test_inside_lambda_a_bad_reason_keeps_the_deny(reason: str, caplog: pytest.LogCaptureFixture) -> None:
    @hooks.handler(on_error="allow")
    def hook(event: hooks.HookEvent) -> hooks.Decision:
        return hooks.deny(reason)

    answer = hook(CALL, None)
    assert answer["decision"] == "deny"
    assert 0 < len(answer["reason"].encode("utf-16-le", "surrogatepass")) // 2 <= 1024
    assert "hook reason replaced" in caplog.text


def test_a_hook_without_annotation_is_refused_where_it_is_defined() -> None:
    with pytest.raises(TypeError, match=r"bare must take one parameter annotated with an event class.*received"):

        @hooks.handler
        def bare(event) -> hooks.Decision:  # type: ignore[no-untyped-def]  # the mistake under test
            return hooks.allow()


def test_a_hook_of_another_shape_is_refused_where_it_is_defined() -> None:
    def two(event: hooks.BeforeToolCall, context: object) -> hooks.Decision:
        return hooks.allow()

    def other(event: str) -> hooks.Decision:
        return hooks.allow()

    def partly(event: hooks.BeforeToolCall | str) -> hooks.Decision:
        return hooks.allow()

    for wrong in (two, other, partly):
        with pytest.raises(TypeError, match="must take one parameter annotated with an event class"):
            hooks.handler(wrong)  # type: ignore[call-overload]  # the mistake under test


def test_an_annotation_that_exists_only_for_the_type_checker_is_explained() -> None:
    def hook(event: LaterEvent) -> hooks.Decision:
        return hooks.allow()

    with pytest.raises(
        TypeError, match=r"names LaterEvent, which is not defined; import the event classes at run time"
    ):
        hooks.handler(hook)  # type: ignore[call-overload]  # the mistake under test


def test_an_unknown_choice_is_refused() -> None:
    with pytest.raises(TypeError, match=r'on_error must be "deny" or "allow"; received \'maybe\''):
        hooks.handler(on_error="maybe")  # type: ignore[call-overload]  # the mistake under test


def test_a_union_of_events_is_served() -> None:
    @hooks.handler
    def hook(event: hooks.BeforeToolCall | hooks.AfterInvocation) -> hooks.Decision:
        return hooks.allow(event.event)

    assert hook(CALL, None)["reason"] == "before_tool_call"
    assert hook(CALL | {"event": "after_invocation", "context": {}}, None)["reason"] == "after_invocation"
    assert (
        hook(CALL | {"event": "before_invocation", "context": {"messageCount": 0, "messages": []}})["decision"]
        == "deny"
    )


@given(event=json_values)
def test_any_json_gets_an_answer(event: object) -> None:
    logging.disable(logging.CRITICAL)
    try:
        assert guard(event, None)["decision"] == "deny"
        assert watch(event, None)["decision"] == "allow"
    finally:
        logging.disable(logging.NOTSET)


@given(context=calls, extra=st.dictionaries(st.sampled_from(string.ascii_lowercase), json_values, max_size=2))
def test_any_tool_call_is_read_and_answered(context: dict[str, Any], extra: dict[str, Any]) -> None:
    event = CALL | {"context": context} | extra
    assert watch(event, None) == {"decision": "allow", "reason": "saw before_tool_call"}
    answer = guard(json.loads(json.dumps(event)), None)
    needs_all = isinstance(context["toolInput"], dict) and not hooks.parse(event).truncated
    assert answer["decision"] == (
        "allow" if needs_all and "rm" not in str(context["toolInput"].get("command")) else "deny"
    )


@given(reason=st.text(min_size=900, max_size=1200, alphabet=st.sampled_from("aé😀")))
def test_any_reason_fits_inside_lambda(reason: str) -> None:
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv("AWS_LAMBDA_FUNCTION_NAME", "guard")
        patched.setattr(logging.getLogger("agentcore_lambdas.hooks.decisions"), "disabled", True)
        fitted = hooks.deny(reason).reason
    assert fitted is not None
    assert len(fitted.encode("utf-16-le", "surrogatepass")) // 2 <= 1024
    assert fitted.startswith(reason[:400])


def test_the_helper_imports_no_cdk_and_no_sdk() -> None:
    probe = (
        "import sys; from agentcore_lambdas import hooks;"
        "sys.exit(', '.join({'aws_cdk', 'jsii', 'constructs', 'boto3'} & set(sys.modules)) or 0)"
    )
    done = subprocess.run([sys.executable, "-c", probe], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_the_helper_works_without_powertools() -> None:
    probe = (
        "import sys; sys.modules['aws_lambda_powertools'] = None; from agentcore_lambdas import hooks;"
        "assert hooks.handling._powertools_parse is None"
    )
    done = subprocess.run([sys.executable, "-c", probe], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
