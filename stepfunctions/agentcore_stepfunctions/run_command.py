"""A state that runs a command on the machine of a harness' session: git, tests, builds between what an agent does."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from aws_cdk import aws_stepfunctions as sfn
from aws_cdk import aws_stepfunctions_tasks as tasks
from constructs import Construct

from agentcore_constructs.config import Fault, is_token
from agentcore_constructs.config.cdk import seconds
from agentcore_constructs.config.errors import received
from agentcore_constructs.functions import OwnFunction
from agentcore_constructs.harness.base import ENDPOINT_SEGMENT, RUN_COMMAND_ACTIONS

from .expressions import is_expression, jsonata, looks_like_bare_jsonata, looks_like_path
from .fragments.tools import AtSynthesis
from .harnesses import caller_faults, endpoint_faults, must_be_harness, refuse
from .names import long_names, states_of
from .request import QUALIFIER
from .sessions import SESSION_ID, SessionId, name_fault
from .timeouts import unmeasured

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from aws_cdk import aws_lambda as lambda_

    from agentcore_constructs import IEndpoint, IHarness

LONGEST = 870
"""Seconds a state can wait for a command: those of a Lambda function, less a margin to answer in."""
_COMMAND_LIMIT = 65_536
_TIMEOUT = cdk.Duration.minutes(5)
_FUNCTION_TIMEOUT = cdk.Duration.minutes(15)
_MOST_OUTPUT = 100_000


class CommandRunner(Construct):
    """The Lambda function that runs commands in the sessions of one harness; `RunHarnessCommand` makes one per stack.

    Attributes:
        function: The function.
    """

    def __init__(self, scope: Construct, construct_id: str, *, harness: IHarness) -> None:
        """Makes the function.

        Args:
            scope: Where it belongs.
            construct_id: Its id there.
            harness: On the machines of whose sessions it runs commands.
        """
        super().__init__(scope, construct_id)
        own = OwnFunction(
            self,
            "Function",
            handler="run_command.main.handler",
            description="Runs commands on the machines of an agent's sessions.",
            timeout=_FUNCTION_TIMEOUT,
        )
        self.function: lambda_.Function = own.function
        self._role = own.role
        self._harness_arn = harness.harness_arn
        self._granted: set[str] = set()
        self._grant(self._harness_arn)

    @staticmethod
    def of(scope: Construct, harness: IHarness) -> CommandRunner:
        """Returns the runner of a harness in the stack of a construct, made when it is asked for first."""
        stack = cdk.Stack.of(scope)
        construct_id = f"CommandRunner{harness.node.addr}"
        found = stack.node.try_find_child(construct_id)
        return found if isinstance(found, CommandRunner) else CommandRunner(stack, construct_id, harness=harness)

    def allow(self, qualifier: str) -> None:
        """Lets the function go through a named endpoint."""
        self._grant(f"{self._harness_arn}/{ENDPOINT_SEGMENT}/{qualifier}")

    def _grant(self, arn: str) -> None:
        if arn not in self._granted:
            self._granted.add(arn)
            self._role.add_to_policy(iam.PolicyStatement(actions=list(RUN_COMMAND_ACTIONS), resources=[arn]))


class RunHarnessCommand(sfn.StateMachineFragment):
    """Runs a command on the machine of a session and waits for its end; it sees the files that the agent sees.

    The command runs as root, past the agent and what it may use, and without AWS credentials. Whatever of it comes from
    a user or a model must be quoted: `jsonata` puts it into the command line as it is.

    Output unless `outputs` is given: `{exitCode, stdout, stderr, truncated, sessionId}`; `stdout` and `stderr` are the
    last `output_limit` characters.

    Fails with `CommandFailed` (an exit code other than 0), `CommandTimedOut`, and as `AgentTurn` does with
    `HarnessThrottled`, `HarnessAccessDenied`, `HarnessNotFound`, `HarnessInvalidRequest`, `HarnessRuntimeFailed`,
    `HarnessInternalError` and `HarnessConnectionLost`. Only what was refused before the command ran is tried again.

    Attributes:
        state: The state; `add_retry` and `add_catch` here are its own.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        harness: IHarness,
        command: str,
        session_id: SessionId | str,
        timeout: cdk.Duration | int = _TIMEOUT,
        endpoint: IEndpoint | None = None,
        qualifier: str | None = None,
        output_limit: int = 50_000,
        check: bool = True,
        assign: Mapping[str, Any] | None = None,
        outputs: Any = None,
        runner: CommandRunner | None = None,
    ) -> None:
        """Makes the state.

        Args:
            scope: Where it belongs.
            construct_id: Its id there, and the state's name.
            harness: The harness, made here or imported.
            command: For a shell, at most 65,536 characters; a JSONata expression too.
            session_id: On whose machine: the same as that of the agent's own states.
            timeout: After which the command is ended: 1–870 seconds, 5 minutes unless given. The service allows an
                hour, but the function that waits lives 15 minutes: start what takes longer in the background.
            endpoint: The endpoint to go through; DEFAULT unless given.
            qualifier: The endpoint's name instead.
            output_limit: Characters of standard output, and of standard error, that are kept: the last ones, at most
                100,000. A state's output has 256 KiB.
            check: Whether an exit code other than 0 is the error `CommandFailed`.
            assign: Workflow variables to set; `$states.result.Payload` is what comes out.
            outputs: Output; what comes out unless given.
            runner: The function to use; one per harness and stack unless given.

        Raises:
            HarnessConfigError: With everything that is wrong with the state.
        """
        super().__init__(scope, construct_id)
        must_be_harness(self, f"The command {self.node.path}", harness, endpoint)
        limit = seconds(timeout)
        faults = [*caller_faults(self, harness), *_faults(command, limit, output_limit), *_session_faults(session_id)]
        faults += _endpoint_faults(harness, endpoint, qualifier)
        refuse(self, f"The command {self.node.path}", faults)
        used = runner or CommandRunner.of(self, harness)
        told: dict[str, Any] = {
            "harnessArn": harness.harness_arn,
            "sessionId": session_id.to_jsonata() if isinstance(session_id, SessionId) else session_id,
            "command": command,
            "timeoutSeconds": limit,
            "outputLimit": output_limit,
            "check": check,
        }
        named = qualifier if endpoint is None else endpoint.endpoint_name
        if named is not None:
            used.allow(named)
            told["qualifier"] = named
        self.state = tasks.LambdaInvoke.jsonata(
            self,
            "Run",
            lambda_function=used.function,
            payload=sfn.TaskInput.from_object(told),
            # What Lambda's service errors leave open is whether the command has run.
            retry_on_service_exceptions=False,
            outputs=jsonata("$states.result.Payload") if outputs is None else outputs,
            assign=None if assign is None else dict(assign),
            state_name=construct_id,
        )
        self.state.add_retry(
            errors=["HarnessThrottled", "Lambda.TooManyRequestsException"],
            interval=cdk.Duration.seconds(2),
            max_attempts=4,
            backoff_rate=2,
            jitter_strategy=sfn.JitterType.FULL,
        )
        self.node.add_validation(AtSynthesis(lambda: [str(fault) for fault in long_names(states_of(self))]))

    @property
    def start_state(self) -> sfn.State:
        """The state."""
        return self.state

    @property
    def end_states(self) -> list[sfn.INextable]:
        """The state."""
        return [self.state]

    def add_catch(self, handler: sfn.IChainable, *, errors: Sequence[str] | None = None, outputs: Any = None) -> Self:
        """Goes on elsewhere when the command fails.

        Args:
            handler: What comes then.
            errors: Names of errors; all of them unless given.
            outputs: What it gets; `$states.errorOutput` unless given.
        """
        self.state.add_catch(handler, errors=None if errors is None else list(errors), outputs=outputs)
        return self


def _session_faults(session_id: SessionId | str) -> Iterator[Fault]:
    if isinstance(session_id, SessionId):
        yield from session_id.faults(json_path=False)
    elif looks_like_bare_jsonata(session_id) or looks_like_path(session_id):
        fix = "write jsonata('…') around it, or SessionId.from_input('…')"
        yield Fault("session_id", "must be an id, or a JSONata expression between {% and %}", received(session_id), fix)
    elif is_expression(session_id):
        yield from filter(None, [name_fault(session_id)])
    else:
        yield from filter(None, [SESSION_ID.fault(session_id, "session_id")])


def _endpoint_faults(harness: IHarness, endpoint: IEndpoint | None, qualifier: str | None) -> Iterator[Fault]:
    if endpoint is not None:
        yield from endpoint_faults(harness, endpoint)
    if qualifier is not None and (fault := QUALIFIER.fault(qualifier, "qualifier")) is not None:
        yield fault
    if endpoint is not None and qualifier is not None:
        yield Fault("qualifier", "must not be given next to endpoint", "both", "keep the endpoint")


def _faults(command: str, limit: Any, output_limit: int) -> Iterator[Fault]:
    if looks_like_bare_jsonata(command) or looks_like_path(command):
        fix = "write jsonata('…') around it"
        yield Fault("command", "must be text, or a JSONata expression between {% and %}", received(command), fix)
    elif not is_token(command) and not is_expression(command) and not 1 <= len(command) <= _COMMAND_LIMIT:
        fix = "put the rest into a script that the session has"
        yield Fault("command", "must have 1 to 65,536 characters", f"{len(command)} characters", fix)
    if (too_odd := unmeasured("timeout", limit)) is not None:
        yield too_odd
    elif not is_token(limit) and not 1 <= limit <= LONGEST:
        must = f"must be 1 to {LONGEST} seconds: the function that waits for the command lives 15 minutes"
        yield Fault("timeout", must, f"{limit} seconds", "start what takes longer in the background, and look again")
    if not 0 <= output_limit <= _MOST_OUTPUT:
        must = "must be 0 to 100,000 characters: a state's output has 256 KiB"
        yield Fault("output_limit", must, received(output_limit), "write the rest to a file of the session")
