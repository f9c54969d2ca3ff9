"""The building blocks of field types: each carries its limits, checks them, and says what was expected.

They are written as annotations (`Annotated[str, Text(max=64)]`), so the limits can be read back from the models: the
parity test and the documentation take them from there. Literal values are checked fully; CDK tokens pass.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any, get_args, get_origin

from pydantic import BaseModel
from pydantic_core import CoreSchema, PydanticCustomError, core_schema

from .errors import ABSENT, Fault, Refused, received
from .tokens import is_token

if TYPE_CHECKING:
    from pydantic import GetCoreSchemaHandler

FAULT = "fault"
"""The pydantic error type that carries a finished sentence."""


def refuse(value: object, must: str, fix: str, *, sensitive: bool = False) -> PydanticCustomError:
    """Makes the error that becomes a `Fault`; a `Refused` value brings its own sentence."""
    if isinstance(value, Refused):
        parts = {"must": value.must, "received": value.received, "fix": value.fix}
    elif value is ABSENT:
        parts = {"must": must.replace("must be", "must be given and be", 1), "received": "nothing", "fix": fix}
    else:
        parts = {"must": must, "received": received(value, sensitive=sensitive), "fix": fix}
    return PydanticCustomError(FAULT, "{must}; received {received}; {fix}", parts)


def fault_from(error: PydanticCustomError, path: str) -> Fault:
    """Turns the error of a check into the fault at a path."""
    parts = error.context or {}
    return Fault(path, parts["must"], parts["received"], parts["fix"])


class Scalar:
    """A limit on a single value."""

    def check(self, value: Any) -> Any:
        """Returns the value unchanged, or raises the fault."""
        raise NotImplementedError

    def fault(self, value: Any, path: str) -> Fault | None:
        """Checks a value inside a JSON object; returns what is wrong with it, if anything."""
        try:
            self.check(value)
        except PydanticCustomError as error:
            return fault_from(error, path)
        return None

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_plain_validator_function(self.check)


@cache
def _compiled(pattern: str) -> re.Pattern[str]:
    # The service's patterns are Java's, whose \d, \s and \w mean ASCII.
    return re.compile(pattern, re.ASCII)


@dataclass(frozen=True)
class Text(Scalar):
    """A string.

    Attributes:
        means: What it is, in words that explain the pattern too.
        fix: What to do when it is not.
        min: Least number of characters.
        max: Greatest number of characters.
        pattern: Regular expression the whole string must match, as the service states it.
        sensitive: True when its text must never appear in a message.
    """

    means: str = "a string"
    fix: str = "correct the value"
    min: int | None = None
    max: int | None = None
    pattern: str | None = None
    sensitive: bool = False

    def check(self, value: Any) -> Any:
        """Returns the value, or raises the fault."""
        if isinstance(value, str):
            if is_token(value) or self._fits(value):
                return value
        elif is_token(value):
            return value
        raise refuse(value, self.must, self.fix, sensitive=self.sensitive)

    def _fits(self, value: str) -> bool:
        length = len(value)
        if self.min is not None and length < self.min:
            return False
        if self.max is not None and length > self.max:
            return False
        return self.pattern is None or _compiled(self.pattern).fullmatch(value) is not None

    @property
    def must(self) -> str:
        """The expectation as a phrase."""
        return ", ".join(filter(None, [f"must be {self.means}", span(self.min, self.max, "character")]))


@dataclass(frozen=True)
class Int(Scalar):
    """A whole number; `unit` says of what ("seconds", "days")."""

    ge: int | None = None
    le: int | None = None
    unit: str = ""
    fix: str = "choose a number in that range"

    def check(self, value: Any) -> Any:
        """Returns the value, or raises the fault. A token may be encoded as a number or as a string."""
        if isinstance(value, int) and not isinstance(value, bool):
            if (self.ge is None or value >= self.ge) and (self.le is None or value <= self.le):
                return value
        elif is_token(value):
            return value
        raise refuse(value, self.must, self.fix if isinstance(value, int) else "write a whole number, without quotes")

    @property
    def must(self) -> str:
        """The expectation as a phrase."""
        number = f"must be a whole number of {self.unit}" if self.unit else "must be a whole number"
        return ", ".join(filter(None, [number, span(self.ge, self.le)]))


@dataclass(frozen=True)
class Num(Scalar):
    """A number, whole or not."""

    ge: float | None = None
    le: float | None = None
    fix: str = "choose a number in that range"

    def check(self, value: Any) -> Any:
        """Returns the value, or raises the fault."""
        if isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value):
            if (self.ge is None or value >= self.ge) and (self.le is None or value <= self.le):
                return value
            if is_token(value):
                return value
        elif is_token(value):
            return value
        raise refuse(
            value, self.must, self.fix if isinstance(value, (int, float)) else "write a number, without quotes"
        )

    @property
    def must(self) -> str:
        """The expectation as a phrase."""
        return ", ".join(filter(None, ["must be a number", span(self.ge, self.le)]))


@dataclass(frozen=True)
class Flag(Scalar):
    """True or false."""

    fix: str = "write true or false"
    must: str = "must be true or false"

    def check(self, value: Any) -> Any:
        """Returns the value, or raises the fault."""
        if isinstance(value, bool) or is_token(value):
            return value
        raise refuse(value, self.must, self.fix)


@dataclass(frozen=True)
class Choice(Scalar):
    """One of a closed set of strings."""

    values: tuple[str, ...]

    def check(self, value: Any) -> Any:
        """Returns the value, or raises the fault."""
        if (isinstance(value, str) and value in self.values) or is_token(value):
            return value
        raise refuse(value, self.must, "write one of these, exactly as shown")

    @property
    def must(self) -> str:
        """The expectation as a phrase."""
        return f"must be {one_of(self.values)}"


@dataclass(frozen=True)
class Json(Scalar):
    """A JSON object whose contents are the user's own: passed on verbatim, with no key renamed.

    Attributes:
        means: What it is.
        fix: What to do when it is not.
    """

    means: str = "a JSON object"
    fix: str = "pass a dict of JSON values"

    def check(self, value: Any) -> Any:
        """Returns a copy that later changes to the user's dict do not reach, or raises the fault."""
        if is_token(value):
            return value
        if not isinstance(value, Mapping):
            raise refuse(value, self.must, self.fix, sensitive=True)
        wrong: list[str] = []
        copy = _json_copy(value, "", wrong)
        if wrong:
            raise refuse(
                Refused(f"must hold only JSON values at {', '.join(wrong[:5])}", "something else there", self.fix),
                "",
                "",
            )
        return copy

    @property
    def must(self) -> str:
        """The expectation as a phrase."""
        return f"must be {self.means}"


def _json_copy(value: Any, path: str, wrong: list[str]) -> Any:
    if isinstance(value, Mapping):
        wrong.extend(f"{path or 'the top'} (a key that is not a string)" for key in value if not isinstance(key, str))
        return {key: _json_copy(item, f"{path}.{key}" if path else str(key), wrong) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_json_copy(item, f"{path}[{index}]", wrong) for index, item in enumerate(value)]
    finite = not isinstance(value, float) or math.isfinite(value)
    if not (value is None or (isinstance(value, (str, int, float)) and finite) or is_token(value)):
        wrong.append(path)
    return value


class Container:
    """A limit on how many things there are."""

    min: int | None
    max: int | None

    def check(self, value: Any, handler: Callable[[Any], Any]) -> Any:
        """Returns the checked container, or raises its faults or those of what is in it."""
        raise NotImplementedError

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        inner = get_args(source)[-1 if get_origin(source) is dict else 0]
        structures = isinstance(inner, type) and issubclass(inner, BaseModel)

        def check(value: Any, checked: Callable[[Any], Any]) -> Any:
            # A token may stand for plain values. In the place of structures it would hide what the execution role must
            # be granted, so there it is refused like any other value of a wrong type.
            return value if not structures and is_token(value) else self.check(value, checked)

        return core_schema.no_info_wrap_validator_function(check, handler(source))

    def _count_fits(self, count: int) -> bool:
        return (self.min is None or count >= self.min) and (self.max is None or count <= self.max)


@dataclass(frozen=True)
class Items(Container):
    """A list with a limited number of items; `noun` names them in the plural."""

    noun: str = "items"
    min: int | None = None
    max: int | None = None
    fix: str = "change the number of items"
    sensitive: bool = False

    def check(self, value: Any, handler: Callable[[Any], Any]) -> Any:
        """Returns the list as a tuple, or raises the faults of the list or of its items."""
        if isinstance(value, (list, tuple)):
            if not self._count_fits(len(value)):
                raise refuse(value, self.must, self.fix)
            return handler(value)
        raise refuse(value, self.must, "pass a list", sensitive=self.sensitive)

    @property
    def must(self) -> str:
        """The expectation as a phrase."""
        return ", ".join(filter(None, [f"must be a list of {self.noun}", span(self.min, self.max)]))


@dataclass(frozen=True)
class Entries(Container):
    """A map with a limited number of entries; its keys are the user's own and never renamed."""

    noun: str = "entries"
    min: int | None = None
    max: int | None = None
    fix: str = "change the number of entries"

    def check(self, value: Any, handler: Callable[[Any], Any]) -> Any:
        """Returns the map as a dict, or raises the faults of the map or of its entries."""
        if isinstance(value, Mapping):
            if not self._count_fits(len(value)):
                raise refuse(value, self.must, self.fix)
            return handler(dict(value))
        raise refuse(value, self.must, "pass a dict", sensitive=True)

    @property
    def must(self) -> str:
        """The expectation as a phrase."""
        return ", ".join(filter(None, [f"must be an object of {self.noun}", span(self.min, self.max)]))


@dataclass(frozen=True)
class ApiOnly:
    """Marks a field, or some of its values, that the API takes and CloudFormation cannot say.

    Attributes:
        reason: What is missing in CloudFormation.
        beyond: Pattern of what CloudFormation does accept; only literals outside of it are API-only.
        values: The values that are API-only; none means every value.
        settable: Whether UpdateHarness takes it after the deployment.
    """

    reason: str
    beyond: str | None = None
    values: tuple[str, ...] = ()
    settable: bool = True

    @property
    def fix(self) -> str:
        """What to do about it."""
        after = " and set it with UpdateHarness after the deployment" if self.settable else ""
        return f"leave it out{after}: {self.reason}"

    def applies_to(self, value: Any) -> bool:
        """Tells whether this value of the field is one CloudFormation cannot say."""
        if self.values:
            return value in self.values
        if self.beyond is not None:
            return isinstance(value, str) and not is_token(value) and _compiled(self.beyond).fullmatch(value) is None
        return True


@dataclass(frozen=True)
class Companion:
    """Marks a fact that is no part of the API: it decides what the execution role is granted and is never rendered."""

    why: str


def span(low: float | None, high: float | None, noun: str = "") -> str:
    """Phrases a range: "1–64 characters", "at least 1 character", "at most 5", or nothing."""
    if low is None and high is None:
        return ""
    if low is None:
        amount = f"at most {high}"
    elif high is None:
        amount = f"at least {low}"
    else:
        amount = f"exactly {low}" if low == high else f"{low}–{high}"
    if not noun:
        return amount
    last = low if high is None else high
    return f"{amount} {noun if last == 1 else noun + 's'}"


def one_of(names: tuple[str, ...] | list[str]) -> str:
    """Phrases a choice: "'a', 'b' or 'c'"."""
    quoted = [f"'{name}'" for name in names]
    return quoted[0] if len(quoted) == 1 else f"{', '.join(quoted[:-1])} or {quoted[-1]}"
