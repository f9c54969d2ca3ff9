"""Inline tools: the caller of the harness runs them, and this says with which function, if there is one.

Nothing here imports the CDK before a harness takes a tool, so that `Tool.inline(function)` stays plain configuration.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from agentcore_constructs.config import Deferred, Fault, HarnessConfigError, HarnessTool, Tool
from agentcore_constructs.config.cdk import attribute, offers
from agentcore_constructs.config.errors import received
from agentcore_lambdas.tools import ToolDefinition, ToolDefinitionError, define

from . import registry

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    import aws_cdk as cdk
    from aws_cdk import aws_lambda as lambda_

    from agentcore_constructs.config import Host

    from .python_function import PythonFunction


class InlineTool(Deferred):
    """A tool that the caller of the harness runs; made by its factories.

    Attributes:
        name: What the model calls it.
        function: The Lambda function that runs it, in the protocol of a gateway's Lambda target; None for one that only
            the caller can run, and for a Python function until a harness has taken it.
        approval: Whether a person must agree before it runs. The harness does not know of it: it is for who calls it.
    """

    def __init__(
        self,
        name: str,
        *,
        description: str,
        input_schema: Mapping[str, Any],
        function: lambda_.IFunction | None = None,
        approval: bool = False,
    ) -> None:
        """Notes the tool; nothing is checked before a harness takes it."""
        self.name = name
        self.function = function
        self.approval = approval
        self._description = description
        self._input_schema = input_schema
        self._faults: list[Fault] = []

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.name!r})"

    @property
    def is_client_side(self) -> bool:
        """Whether only the caller can run it."""
        return self.function is None

    @staticmethod
    def from_function(
        function: Callable[..., Any],
        *,
        name: str | None = None,
        description: str | None = None,
        approval: bool | None = None,
        requirements: Sequence[str] | Path = (),
        environment: Mapping[str, str] | None = None,
        timeout: cdk.Duration | None = None,
        memory_size: int | None = None,
    ) -> InlineTool:
        """A Python function: it becomes a Lambda function, and its signature and docstring what the model is told.

        Several functions in one Lambda function, a VPC and more: make a `ToolFunction`, and take its `inline_tools()`.

        Args:
            function: At the top of a module, with type hints and a docstring. The package it is in runs in Lambda, and
                so do your own modules that it imports at the top: they must not import the CDK.
            name: What the model calls it; the function's own name unless given.
            description: When to use it, at most 4096 characters; the docstring up to its first section unless given.
            approval: Whether a person must agree before it runs; what `@tool` says unless given.
            requirements: Lines as in a requirements file, or the path of one; pin them. boto3 comes with Lambda.
            environment: Variables of the function. No place for secrets.
            timeout: Of one call, at most 15 minutes; 60 seconds unless given.
            memory_size: In MiB; 256 unless given.
        """
        given = {"name": name, "description": description, "approval": approval}
        options = {
            "environment": environment,
            "requirements": requirements,
            "timeout": timeout,
            "memory_size": memory_size,
        }
        return _FunctionTool(function, given, {key: value for key, value in options.items() if value is not None})

    @staticmethod
    def from_lambda(
        function: lambda_.IFunction | PythonFunction,
        *,
        name: str,
        description: str,
        input_schema: Mapping[str, Any],
        approval: bool = False,
    ) -> InlineTool:
        """A Lambda function of any language.

        Args:
            function: It gets the arguments as its event, and the tool's name in the client context
                (`bedrockAgentCoreToolName`), as from a gateway. What it returns is the result; what it raises becomes
                an error.
            name: 1–64 of letters, digits, '_' and '-'.
            description: When the model should call it, 1–4096 characters.
            input_schema: JSON schema of its arguments, of type object.
            approval: Whether a person must agree before it runs.
        """
        inner: Any = attribute(function, "function")
        made = InlineTool(name, description=description, input_schema=input_schema, function=inner, approval=approval)
        if not offers(inner, "function_arn"):
            fix = "pass the function; a tool that the caller runs itself is InlineTool.client_side(…)"
            made._faults.append(Fault(f"{name}.function", "must be a Lambda function", received(inner), fix))
        return made

    @staticmethod
    def client_side(
        name: str, *, description: str, input_schema: Mapping[str, Any], approval: bool = False
    ) -> InlineTool:
        """A tool that the caller runs itself: a browser, a desktop, a person.

        Args:
            name: 1–64 of letters, digits, '_' and '-'.
            description: When the model should call it, 1–4096 characters.
            input_schema: JSON schema of its arguments, of type object.
            approval: Whether a person must agree before it runs.
        """
        return InlineTool(name, description=description, input_schema=input_schema, approval=approval)

    def bind(self, host: Host) -> HarnessTool:
        """Returns what the harness is told about the tool."""
        if self._faults:
            raise HarnessConfigError(self._faults)
        registry.note(host.scope, self)
        return Tool.inline(self.name, description=self._description, input_schema=self._input_schema)


class _FunctionTool(InlineTool):
    """A Python function, which becomes a Lambda function when a harness takes it."""

    def __init__(self, function: Callable[..., Any], given: Mapping[str, Any], options: Mapping[str, Any]) -> None:
        self._python = function
        self._given = given
        self._options = options
        self._definition: ToolDefinition | None = None
        self._made: dict[str, InlineTool] = {}
        try:
            self._definition = defined = define(function, **given)
        except ToolDefinitionError:
            # Said when a harness takes it, together with all other faults.
            name = given["name"] or getattr(function, "__name__", type(function).__name__)
            super().__init__(name, description="", input_schema={}, approval=bool(given["approval"]))
            return
        super().__init__(
            defined.name,
            description=defined.description,
            input_schema=defined.input_schema,
            approval=defined.approval,
        )

    @property
    def is_client_side(self) -> bool:
        """Never: a Lambda function runs it."""
        return False

    def bind(self, host: Host) -> HarnessTool:
        """Makes the Lambda function, once per stack, and returns what the harness is told about the tool."""
        import aws_cdk as cdk  # noqa: PLC0415  (see the module)

        from .function import ToolFunction  # noqa: PLC0415
        from .python_function import free_id  # noqa: PLC0415
        from .sources import faults_of, of_function, place_of  # noqa: PLC0415

        if self._definition is None:
            try:
                self._definition = define(self._python, **self._given)
            except ToolDefinitionError as error:
                raise HarnessConfigError([*faults_of(error), *place_of(self._python)[2]]) from None
        stack = cdk.Stack.of(host.scope).node.addr
        if stack not in self._made:
            source = of_function(self._python, self._definition)
            made = ToolFunction(host.scope, free_id(host.scope, f"Tool{self.name}"), source, **self._options)
            self._made[stack] = made.inline_tool(self.name)
        taken = self._made[stack]
        self.function = taken.function
        # What the harness remembers is the tool with the function of its own stack; another stack may take it as well.
        return taken.bind(host)
