"""What a state says to the agent."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from agentcore_constructs.config.errors import Fault, received
from agentcore_constructs.config.primitives import Text

if TYPE_CHECKING:
    from collections.abc import Iterator

TEXT = Text("text", "write what the agent should read", min=1)


@dataclass(frozen=True, slots=True)
class Message:
    """One message of the request: `Message.user("…")`, `Message.assistant("…")`.

    Attributes:
        role: Who speaks.
        texts: Text blocks, each at least 1 character: literals, expressions of the state's language, or CDK tokens.
    """

    role: Literal["user", "assistant"]
    texts: tuple[str, ...]

    @staticmethod
    def user(*texts: str) -> Message:
        """What the user says."""
        return Message("user", texts)

    @staticmethod
    def assistant(*texts: str) -> Message:
        """What the agent said before; as the last message, the beginning of its answer, which not all models take."""
        return Message("assistant", texts)

    def faults(self, path: str) -> Iterator[Fault]:
        """Yields what is wrong with it."""
        if not self.texts:
            yield Fault(f"{path}.texts", "must hold at least one text", received(self.texts), "add a text")
        for index, block in enumerate(self.texts):
            fault = TEXT.fault(block, f"{path}.texts[{index}]")
            if fault is not None:
                yield fault

    def to_step_functions(self) -> dict[str, Any]:
        """The message as the InvokeHarness integration takes it."""
        return {"Role": self.role, "Content": [{"Text": block} for block in self.texts]}
