"""What happens when a conversation outgrows the model's context.

Strategies are from https://docs.aws.amazon.com/bedrock-agentcore/latest/devguide/harness-models.html. The API states no
limits; that a ratio is between 0 and 1 is from the Terraform provider's documentation of `aws_bedrockagentcore_harness`
(https://registry.terraform.io/providers/hashicorp/aws/latest/docs/resources/bedrockagentcore_harness).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, ClassVar, Literal, get_args

from .errors import Fault
from .node import Node, OneOf, fields, joined
from .primitives import Choice, Int, Num, Text

if TYPE_CHECKING:
    from collections.abc import Iterator

TruncationStrategy = Literal["sliding_window", "summarization", "none"]


class HarnessSlidingWindowConfiguration(Node):
    """Keep the newest messages.

    Attributes:
        messages_count: How many, at least 1.
    """

    messages_count: Annotated[int, Int(ge=1, unit="messages")] | None = None


class HarnessSummarizationConfiguration(Node):
    """Summarize the oldest messages.

    Attributes:
        summary_ratio: Which part of the conversation is summarized, 0–1.
        preserve_recent_messages: So many newest messages are left as they are.
        summarization_system_prompt: Instructs the model that summarizes.
    """

    summary_ratio: Annotated[float, Num(ge=0, le=1)] | None = None
    preserve_recent_messages: Annotated[int, Int(ge=0, unit="messages")] | None = None
    summarization_system_prompt: Annotated[str, Text("a prompt", "write the prompt", sensitive=True)] | None = None


class HarnessTruncationStrategyConfiguration(OneOf):
    """The configuration of a strategy."""

    sliding_window: HarnessSlidingWindowConfiguration | None = None
    summarization: HarnessSummarizationConfiguration | None = None


_MEMBER_OF = {"sliding_window": "slidingWindow", "summarization": "summarization"}


class HarnessTruncationConfiguration(Node):
    """The truncation of a harness; made by `Truncation`.

    Attributes:
        strategy: `sliding_window` (the service's default), `summarization` or `none`.
        config: Of that strategy.
    """

    expects: ClassVar[str] = (
        "a truncation, made by Truncation.sliding_window, Truncation.summarization or Truncation.none"
    )

    strategy: Annotated[TruncationStrategy, Choice(get_args(TruncationStrategy))]
    config: HarnessTruncationStrategyConfiguration | None = None

    def rules(self, path: str) -> Iterator[Fault]:
        """The configuration must be that of the strategy."""
        if self.strategy not in get_args(TruncationStrategy):
            return
        if not isinstance(self.config, HarnessTruncationStrategyConfiguration):
            return
        given = [
            field.api
            for field in fields(HarnessTruncationStrategyConfiguration)
            if self.config.__dict__[field.name] is not None
        ]
        wanted = _MEMBER_OF.get(self.strategy)
        if len(given) == 1 and given != [wanted]:
            yield Fault(
                joined(path, "config"),
                f"must have the member {wanted}, since the strategy is {self.strategy}"
                if wanted
                else "must be left out, since the strategy is none",
                given[0],
                "make the strategy and its config agree",
            )


class Truncation:
    """Makes the truncation of a harness."""

    @staticmethod
    def sliding_window(messages: int | None = None) -> HarnessTruncationConfiguration:
        """Keep the newest messages.

        Args:
            messages: How many, at least 1; the service decides unless given.
        """
        config = None
        if messages is not None:
            config = HarnessTruncationStrategyConfiguration.draft(
                sliding_window=HarnessSlidingWindowConfiguration.draft(messages_count=messages)
            )
        return HarnessTruncationConfiguration.draft(strategy="sliding_window", config=config)

    @staticmethod
    def summarization(
        *, ratio: float | None = None, preserve_recent: int | None = None, prompt: str | None = None
    ) -> HarnessTruncationConfiguration:
        """Summarize the oldest messages.

        Args:
            ratio: Which part of the conversation is summarized, 0–1.
            preserve_recent: So many newest messages are left as they are.
            prompt: Instructs the model that summarizes.
        """
        config = None
        if (ratio, preserve_recent, prompt) != (None, None, None):
            config = HarnessTruncationStrategyConfiguration.draft(
                summarization=HarnessSummarizationConfiguration.draft(
                    summary_ratio=ratio, preserve_recent_messages=preserve_recent, summarization_system_prompt=prompt
                )
            )
        return HarnessTruncationConfiguration.draft(strategy="summarization", config=config)

    @staticmethod
    def none() -> HarnessTruncationConfiguration:
        """Nothing: a conversation that outgrows the context ends with an error of the model."""
        return HarnessTruncationConfiguration.draft(strategy="none")
