"""Inline tools: the caller of the harness runs them, and this says with which function, if there is one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from agentcore_lambdas.tools import ToolDefinition, ToolDefinitionError, define

from .cdk import attribute, offers
from .deferred import Wanted
from .errors import Fault, received

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from .cdk import HasFunctionArn, IsDuration


class InlineTool(Wanted):
    """A tool that the caller of the harness runs; made by its factories.

    Attributes:
        name: What the model calls it.
        description: When it is to be used.
        input_schema: JSON schema of its arguments.
        function: The Lambda function that runs it (`aws_lambda.IFunction`), in the protocol of a gateway's Lambda
            target; None for one that only the caller can run, and for a Python function until a harness has taken it.
        approval: Whether a person must agree before it runs. The harness does not know of it: it is for who calls it.
        faults: Why it can be no tool, to be told when a harness takes it.
    """

    def __init__(
        self,
        name: str,
        *,
        description: str,
        input_schema: Mapping[str, Any],
        function: Any = None,
        approval: bool = False,
    ) -> None:
        """Notes the tool; nothing is checked before a harness takes it."""
        self.name = name
        self.description = description
        self.input_schema = input_schema
        self.function = function
        self.approval = approval
        self.faults: list[Fault] = []

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
        timeout: IsDuration | None = None,
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
        return PythonTool(function, given, {key: value for key, value in options.items() if value is not None})

    @staticmethod
    def from_lambda(
        function: HasFunctionArn,
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
            made.faults.append(Fault(f"{name}.function", "must be a Lambda function", received(inner), fix))
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


class PythonTool(InlineTool):
    """A Python function, which becomes a Lambda function when a harness takes it.

    Attributes:
        python: The function.
        options: What is said about the Lambda function, as `ToolFunction` takes it.
        made: Stack to the tool with the Lambda function there, which is made once.
    """

    def __init__(self, function: Callable[..., Any], given: Mapping[str, Any], options: Mapping[str, Any]) -> None:
        self.python = function
        self.options = options
        self.made: dict[str, InlineTool] = {}
        self._given = given
        try:
            defined = self.defined()
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

    def defined(self) -> ToolDefinition:
        """Derives what the model is told.

        Raises:
            ToolDefinitionError: The function can be no tool.
        """
        return define(self.python, **self._given)
