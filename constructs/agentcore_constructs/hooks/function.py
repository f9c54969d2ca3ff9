"""Hooks that are Python functions: they become Lambda functions, which the execution role may call."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import aws_cdk as cdk

from agentcore_constructs.config import Fault, HarnessConfigError, HarnessHook, HookTarget
from agentcore_constructs.config.cdk import seconds
from agentcore_constructs.config.hooks import HarnessHookEvent
from agentcore_constructs.functions import ARCHITECTURE
from agentcore_constructs.tools.python_function import MEMORY, RETENTION, TIMEOUT, PythonFunction, free_id
from agentcore_constructs.tools.sources import place_of
from agentcore_lambdas.hooks import served_events

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from aws_cdk import aws_ec2 as ec2
    from aws_cdk import aws_lambda as lambda_
    from aws_cdk import aws_logs as logs
    from constructs import Construct

    from agentcore_constructs.config import Host
    from agentcore_constructs.config.hooks import PythonHook

_HANDLER = "agentcore_lambdas.hooks.main.handler"
_VARIABLE = "AGENTCORE_HOOK"
_LONGEST = 900


class HookFunction(PythonFunction):
    """A Python function in Lambda that hooks can call: `Hook.before_tool_call("guard", HookFunction(…))`."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        function: Callable[..., Any],
        *,
        requirements: Sequence[str] | Path = (),
        description: str | None = None,
        environment: Mapping[str, str] | None = None,
        timeout: cdk.Duration = TIMEOUT,
        memory_size: int = MEMORY,
        architecture: lambda_.Architecture = ARCHITECTURE,
        log_retention: logs.RetentionDays = RETENTION,
        vpc: ec2.IVpc | None = None,
        vpc_subnets: ec2.SubnetSelection | None = None,
        security_groups: Sequence[ec2.ISecurityGroup] | None = None,
    ) -> None:
        """Makes the function.

        Args:
            scope: Where it belongs.
            construct_id: Its id there.
            function: At the top of a module. It takes one event of `agentcore_lambdas.hooks` and returns `allow()` or
                `deny(reason)`; `@hooks.handler` may be on it. The package it is in runs in Lambda.
            requirements: Lines as in a requirements file, or the path of one; pin them. boto3 comes with Lambda.
            description: For people who look at the function.
            environment: Variables. No place for secrets.
            timeout: Of one call; the hook has a timeout of its own. 60 seconds unless given.
            memory_size: In MiB; 256 unless given.
            architecture: ARM unless given.
            log_retention: A month unless given.
            vpc: Where what it connects to is; none unless given.
            vpc_subnets: Private ones unless given.
            security_groups: One is made unless given.

        Raises:
            HarnessConfigError: The function is no hook, or Lambda could not import it.
            PackagingError: Code is not there, or requirements have no wheels for the platform.
        """
        if faults := hook_faults(function):
            raise HarnessConfigError(faults, f"The hook function {scope.node.path}/{construct_id}")
        packages, module, _ = place_of(function)
        super().__init__(
            scope,
            construct_id,
            handler=_HANDLER,
            packages=packages,
            requirements=requirements,
            description=description or f"Hook: {module}.{function.__name__}",
            environment={_VARIABLE: f"{module}:{function.__name__}", **(environment or {})},
            timeout=timeout,
            memory_size=memory_size,
            architecture=architecture,
            log_retention=log_retention,
            vpc=vpc,
            vpc_subnets=vpc_subnets,
            security_groups=security_groups,
        )


def hook_faults(function: Callable[..., Any], event: str | None = None) -> list[Fault]:
    """Says why a function cannot be a hook.

    Args:
        function: The function.
        event: What it is to serve, if that is known: `before_tool_call`.
    """
    name = getattr(function, "__qualname__", type(function).__name__)
    try:
        served = served_events(function)
    except (TypeError, ValueError) as error:
        fix = "write def guard(event: hooks.BeforeToolCall) -> hooks.Decision, with agentcore_lambdas.hooks"
        told = str(error).rpartition("HookEvent; ")[2].removeprefix("received ")
        return [Fault(name, "must take one event of agentcore_lambdas.hooks", told, fix)]
    _, _, faults = place_of(function)
    if event is not None and event not in served:
        fix = f"use it in Hook.{served[0]}, or have it take that event too"
        faults.append(Fault(name, f"must serve the event {event}", f"one for {', '.join(served)}", fix))
    return faults


def made(host: Host, hook: PythonHook) -> HarnessHook:
    """Makes the Lambda function of a hook, below the harness.

    Raises:
        HarnessConfigError: The function is no hook, or Lambda could not import it.
    """
    event, target = hook.served, hook.python
    if faults := hook_faults(target.function, event):
        raise HarnessConfigError(faults)
    name: Any = getattr(hook, event).name
    given = seconds(target.timeout)
    longest = given if isinstance(given, int) and 1 <= given <= _LONGEST else TIMEOUT.to_seconds()
    shown = name if isinstance(name, str) else target.function.__name__
    function = HookFunction(
        host.scope, free_id(host.scope, f"Hook{shown}"), target.function, timeout=cdk.Duration.seconds(longest)
    )
    called = HookTarget.function(function, timeout=target.timeout, failure_mode=target.failure_mode)
    return HarnessHook.draft(**{event: HarnessHookEvent.draft(name=name, target=called)})
