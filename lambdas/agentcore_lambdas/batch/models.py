"""What the two functions of a batch are asked and what they answer, in camelCase outside."""

from __future__ import annotations

from typing import Any, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator
from pydantic.alias_generators import to_camel

from agentcore_lambdas.batch.errors import BatchInputInvalid


class Model(BaseModel):
    """Immutable; what is misspelt is refused."""

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True, frozen=True, extra="forbid")


class Given(Model):
    """The input of an execution: the file with the items, or the failures of an earlier execution.

    Attributes:
        key: Key of the file in the bucket of the items.
        format: `jsonl` or `csv`; by the ending of the key unless given.
        retry: Instead: key of a failures file in the bucket of the results, whose items are tried again.
    """

    key: str | None = Field(default=None, min_length=1, max_length=1024)
    format: Literal["jsonl", "csv"] | None = None
    retry: str | None = Field(default=None, min_length=1, max_length=1024)

    @model_validator(mode="after")
    def _one_file(self) -> Given:
        if (self.key is None) == (self.retry is None):
            message = 'it must be {"key": "…"} or {"retry": "…"}'
            raise ValueError(message)
        return self


class Settings(Model):
    """What the construct says of every execution.

    Attributes:
        source_bucket: Where the items are.
        source_prefix: What their keys begin with.
        results_bucket: Where everything is written.
        results_prefix: What all keys written begin with: empty, or with a slash at its end.
        max_item_bytes: Of one item, as JSON.
        delimiter: Between the columns of CSV.
        tolerated_count: How many items may fail; None where only the percentage counts.
        tolerated_percentage: How many of a hundred may fail; None where only the count counts.
    """

    source_bucket: str
    source_prefix: str
    results_bucket: str
    results_prefix: str
    max_item_bytes: int
    delimiter: str = ","
    tolerated_count: int | None = None
    tolerated_percentage: float | None = None

    def tolerated(self, total: int) -> int:
        """How many of so many items may fail."""
        limits = [total]
        if self.tolerated_count is not None:
            limits.append(self.tolerated_count)
        if self.tolerated_percentage is not None:
            limits.append(int(self.tolerated_percentage * total / 100))
        return min(limits)


class Prepare(Model):
    """What the first function is asked.

    Attributes:
        given: The execution's input.
        execution: ARN of the execution.
        started: When it was started.
        settings: Those of the construct.
    """

    given: Any
    execution: str
    started: str
    settings: Settings


class Prepared(Model):
    """Where a batch is after the first function.

    Attributes:
        bucket: Where everything is written.
        folder: What all keys of this execution begin with, with a slash at its end.
        items: How many there are in all.
        runnable: How many of them can be sent to the agent.
        tolerated: How many of the runnable may fail; below 0 when too many are refused already.
        may_fail: How many of all may fail.
    """

    bucket: str
    folder: str
    items: int
    runnable: int
    tolerated: int
    may_fail: int


class Stopped(Model):
    """Why the run of all items ended before its end: error and cause; nothing when it did not."""

    error: str | None = None
    cause: str | None = None


class Collect(Model):
    """What the second function is asked."""

    batch: Prepared
    run: Stopped = Stopped()


M = TypeVar("M", bound=Model)


def parsed(kind: type[M], value: Any) -> M:
    """Returns a value as a model.

    Raises:
        BatchInputInvalid: It is none; with everything that is wrong.
    """
    try:
        return kind.model_validate(value)
    except ValidationError as error:
        wrong = "; ".join(f"{'.'.join(map(str, one['loc'])) or 'input'}: {one['msg']}" for one in error.errors())
        raise BatchInputInvalid(f"the input is not what a batch takes: {wrong}") from None
